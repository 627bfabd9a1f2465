//! What this host asks providers: who they are, and who has logged in there. Whatever a provider does, this takes bounded time and
//! memory, and goes only where the guard permits (F92).

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use berth_base::{
    clock::{Millis, Random},
    error::{Code, Error, Result},
    ids::Digest,
    secret::Secret,
};
use berth_model::login_entry::{
    AskedFor, Client, ClientAuth, Expected, IdClaims, LoginProvider, Metadata, Person, authorise_address, of_browser,
    subject_at,
};
use reqwest::{RequestBuilder, Response, Url, header};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use tokio::time::{Instant, timeout};

use crate::{
    jose::{Foreign, ForeignKey, read_foreign},
    outbound::{Guard, Outbound, reason},
};

/// How long a provider may take for one answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// How many bytes of an answer are read.
const MOST: usize = 256 << 10;
/// For how long what a provider says of itself is remembered.
const REMEMBERED: Duration = Duration::from_secs(300);
/// How old keys have to be to be asked for anew, when a token comes with another one.
const KEYS_STAND: Duration = Duration::from_secs(5);
/// How many providers are remembered, each with at most [`MOST`] bytes.
const MANY: usize = 200;
/// How many keys a provider may show. All that fit a token are tried.
const MOST_KEYS: usize = 50;
const WHO: &str = "The login provider";

/// Why a provider has not said what it was asked.
#[derive(Debug)]
pub enum Fault {
    /// It gives no answer, or this host does not connect there.
    Unreachable(String),
    /// It answers, and not as it should.
    Wrong(String),
    /// This host failed.
    Host(Error),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable(why) | Self::Wrong(why) => f.write_str(why),
            Self::Host(error) => write!(f, "{error:?}"),
        }
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Host(error)
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Unreachable(why) => Self::new(Code::LoginProviderUnreachable, why),
            Fault::Wrong(why) => Self::new(Code::LoginProviderWrong, why),
            Fault::Host(error) => error,
        }
    }
}

fn wrong(why: impl Into<String>) -> Fault {
    Fault::Wrong(why.into())
}

/// What a browser has brought back, and what it was sent with.
pub struct Answered<'a> {
    /// Where it came back to.
    pub redirect_uri: &'a str,
    /// The provider's code.
    pub code: &'a Secret,
    /// What the browser has kept, from which verifier and nonce follow.
    pub cookie: &'a Secret,
    /// Whom the answer says that it is of.
    pub iss: Option<&'a str>,
}

impl Answered<'_> {
    /// What the challenge was made of.
    fn verifier(&self) -> String {
        of_browser(self.cookie, VERIFIER)
    }

    /// What the ID token has to repeat.
    fn nonce(&self) -> String {
        of_browser(self.cookie, NONCE)
    }
}

const VERIFIER: &str = "verifier";
const NONCE: &str = "nonce";

/// A random value of 256 bits, as hexadecimal text: a state, or what a browser keeps.
pub fn random(random: &dyn Random) -> Secret {
    let mut bytes = [0u8; 32];
    random.fill(&mut bytes);
    hex::encode(bytes).into()
}

/// The address at a provider to which a browser is sent that comes back to `redirect_uri` with this state, and keeps this cookie.
/// With `max_age` the person may have logged in so many seconds ago at most.
///
/// # Errors
/// `internal` when the endpoint is no address, which it was when it was looked at.
pub fn address_for(
    client: &Client,
    metadata: &Metadata,
    redirect_uri: &str,
    state: &Secret,
    cookie: &Secret,
    max_age: Option<i64>,
) -> Result<String> {
    let code_challenge = challenge(&of_browser(cookie, VERIFIER));
    let nonce = of_browser(cookie, NONCE);
    let asked =
        AskedFor { redirect_uri, state: state.expose(), code_challenge: &code_challenge, nonce: &nonce, max_age };
    authorise_address(client, metadata, &asked)
}

/// The S256 of RFC 7636.
fn challenge(verifier: &str) -> String {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    URL_SAFE_NO_PAD.encode(Digest::of(verifier.as_bytes()).to_bytes())
}

/// Asks providers, and remembers for a while what they say of themselves.
pub struct Providers {
    outbound: Outbound,
    metadata: Memory<Metadata>,
    keys: Memory<Vec<ForeignKey>>,
}

/// What is remembered by address, each with when it was said.
type Memory<T> = Mutex<HashMap<String, (Instant, Arc<T>)>>;

fn remembered<T>(memory: &Memory<T>, address: &str, at_most: Duration) -> Option<Arc<T>> {
    let memory = memory.lock().unwrap_or_else(PoisonError::into_inner);
    memory.get(address).filter(|(said, _)| said.elapsed() < at_most).map(|(_, what)| what.clone())
}

fn remember<T>(memory: &Memory<T>, address: &str, what: T) -> Arc<T> {
    let mut memory = memory.lock().unwrap_or_else(PoisonError::into_inner);
    memory.retain(|_, (said, _)| said.elapsed() < REMEMBERED);
    if memory.len() >= MANY {
        memory.clear();
    }
    let what = Arc::new(what);
    memory.insert(address.to_owned(), (Instant::now(), what.clone()));
    what
}

#[derive(Deserialize)]
struct KeySet {
    keys: Vec<Value>,
}

#[derive(Deserialize)]
struct Tokens {
    id_token: Option<String>,
    access_token: Option<Secret>,
}

impl Providers {
    /// Asks providers that are where `guard` permits.
    pub fn new(guard: Guard) -> Result<Self> {
        Ok(Self { outbound: Outbound::new(guard, "login")?, metadata: Memory::default(), keys: Memory::default() })
    }

    /// The guard that decides where providers may be.
    pub fn guard(&self) -> &Guard {
        self.outbound.guard()
    }

    /// The addresses of the provider of a client.
    pub async fn metadata(&self, client: &Client) -> Result<Arc<Metadata>, Fault> {
        if let Some(registered) = client.provider.registered() {
            return Ok(Arc::new(registered));
        }
        let LoginProvider::Oidc { issuer } = &client.provider else { return Err(wrong("It is of no known kind.")) };
        match remembered(&self.metadata, issuer, REMEMBERED) {
            Some(metadata) => Ok(metadata),
            None => self.discover(issuer).await,
        }
    }

    /// Asks an OpenID Connect provider what it says of itself.
    pub async fn discover(&self, issuer: &str) -> Result<Arc<Metadata>, Fault> {
        let address = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
        let metadata: Metadata = self.get(&address, None).await?;
        if metadata.issuer.as_deref() != Some(issuer) {
            let named = metadata.issuer.unwrap_or_default();
            return Err(wrong(format!(
                "{WHO} at {issuer} says that its issuer is {named:?}. Both have to be the same."
            )));
        }
        let Some(jwks_uri) = &metadata.jwks_uri else {
            return Err(wrong(format!("{WHO} at {issuer} names no jwks_uri, where its keys would be.")));
        };
        let others = [&metadata.userinfo_endpoint, &metadata.end_session_endpoint].into_iter().flatten();
        let endpoints = [&metadata.authorization_endpoint, &metadata.token_endpoint, jwks_uri];
        for endpoint in endpoints.into_iter().chain(others) {
            let refused =
                |error: Error| wrong(format!("{WHO} at {issuer} names an address that is refused: {}", error.detail));
            self.guard().address(endpoint, endpoint).map_err(refused)?;
        }
        Ok(remember(&self.metadata, issuer, metadata))
    }

    /// Asks who has logged in: exchanges the code, and reads the ID token or the user info.
    pub async fn person(
        &self,
        client: &Client,
        secret: Option<&Secret>,
        answered: &Answered<'_>,
        now: Millis,
    ) -> Result<Person, Fault> {
        Ok(self.answer(client, secret, answered, now).await?.0)
    }

    /// Asks who has logged in, with what the provider says of them in a claim: many providers have it in the user info only.
    pub async fn person_with(
        &self,
        claim: &str,
        client: &Client,
        secret: Option<&Secret>,
        answered: &Answered<'_>,
        now: Millis,
    ) -> Result<Person, Fault> {
        let (mut person, token) = self.answer(client, secret, answered, now).await?;
        let endpoint = self.metadata(client).await?.userinfo_endpoint.clone();
        let (Some(endpoint), Some(token)) = (endpoint, token) else { return Ok(person) };
        if person.says(claim) {
            return Ok(person);
        }
        let info: Map<String, Value> = self.get(&endpoint, Some(&token)).await?;
        if info.get("sub").and_then(Value::as_str) != Some(person.subject.as_str()) {
            return Err(wrong(format!("{WHO} answers with the user info of somebody else.")));
        }
        person.learn(info);
        Ok(person)
    }

    /// Who has logged in, and the access token that came with it.
    async fn answer(
        &self,
        client: &Client,
        secret: Option<&Secret>,
        answered: &Answered<'_>,
        now: Millis,
    ) -> Result<(Person, Option<Secret>), Fault> {
        let metadata = self.metadata(client).await?;
        if !metadata.is_answer_of(answered.iss) {
            return Err(wrong("The browser came back with the answer of another provider."));
        }
        let tokens = self.exchange(client, secret, &metadata.token_endpoint, answered).await?;
        match &client.provider {
            LoginProvider::Oidc { issuer } => {
                let token = tokens.id_token.ok_or_else(|| wrong(format!("{WHO} gives no ID token.")))?;
                let claims = self.read(&metadata, &token).await?;
                let expected = Expected { issuer, client_id: &client.client_id, nonce: &answered.nonce(), now };
                Ok((claims.person(&expected).map_err(wrong)?, tokens.access_token))
            }
            LoginProvider::Oauth2 { user_info_endpoint, subject, .. } => {
                let token = tokens.access_token.ok_or_else(|| wrong(format!("{WHO} gives no access token.")))?;
                let info: Value = self.get(user_info_endpoint, Some(&token)).await?;
                let nobody = || wrong(format!("{WHO} names nobody at {subject} of its user info."));
                let subject = subject_at(&info, subject).ok_or_else(nobody)?;
                Ok((Person { subject, name: None, auth_time: None, claims: Map::new() }, Some(token)))
            }
        }
    }

    /// Exchanges a code (RFC 6749, §4.1.3).
    async fn exchange(
        &self,
        client: &Client,
        secret: Option<&Secret>,
        endpoint: &str,
        answered: &Answered<'_>,
    ) -> Result<Tokens, Fault> {
        let url = address(endpoint)?;
        let mut request = self.to(&url)?.post(url);
        let basic = secret.filter(|_| client.client_auth == ClientAuth::Basic);
        if let Some(secret) = basic {
            // Each half is encoded as in a form before (RFC 6749, §2.3.1).
            let half = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
            request = request.basic_auth(half(&client.client_id), Some(half(secret.expose())));
        }
        let form = exchange_form(answered, basic.is_none().then_some((client.client_id.as_str(), secret)));
        ask(request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded").body(form)).await
    }

    /// Reads an ID token by the provider's keys, which are asked for anew when it comes with another one: keys are rotated.
    async fn read(&self, metadata: &Metadata, token: &str) -> Result<IdClaims, Fault> {
        let address = metadata.jwks_uri.as_deref().unwrap_or_default();
        let mut found = Foreign::NoKey;
        if let Some(keys) = remembered(&self.keys, address, REMEMBERED) {
            found = read_foreign(token, &keys);
            let stands = remembered(&self.keys, address, KEYS_STAND).is_some();
            if stands && matches!(found, Foreign::NoKey) {
                return Err(wrong(format!("{WHO} signs its ID token by a key that it does not show.")));
            }
        }
        if matches!(found, Foreign::NoKey) {
            let set: KeySet = self.get(address, None).await?;
            if set.keys.len() > MOST_KEYS {
                return Err(wrong(format!("{WHO} shows more than {MOST_KEYS} keys.")));
            }
            // A key of a kind that is not known here is none of ours.
            let keys = set.keys.into_iter().filter_map(|key| serde_json::from_value(key).ok()).collect();
            found = read_foreign(token, &remember(&self.keys, address, keys));
        }
        match found {
            Foreign::Signed(claims) => Ok(claims),
            Foreign::NoKey => Err(wrong(format!("{WHO} signs its ID token by a key that it does not show."))),
            Foreign::Bad => Err(wrong(
                "The ID token of the login provider is not signed as it should be. RS256, PS256, ES256 and EdDSA are accepted.",
            )),
        }
    }

    async fn get<T: DeserializeOwned>(&self, at: &str, token: Option<&Secret>) -> Result<T, Fault> {
        let url = address(at)?;
        let mut request = self.to(&url)?.get(url);
        if let Some(token) = token {
            request = request.bearer_auth(token.expose());
        }
        ask(request).await
    }

    fn to(&self, url: &Url) -> Result<&reqwest::Client, Fault> {
        self.outbound.to(url).map_err(|refused| Fault::Unreachable(refused.to_string()))
    }
}

/// The form that exchanges a code, with who asks unless a header says it.
fn exchange_form(answered: &Answered<'_>, client: Option<(&str, Option<&Secret>)>) -> String {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("grant_type", "authorization_code")
        .append_pair("code", answered.code.expose())
        .append_pair("redirect_uri", answered.redirect_uri)
        .append_pair("code_verifier", &answered.verifier());
    if let Some((client_id, secret)) = client {
        form.append_pair("client_id", client_id);
        if let Some(secret) = secret {
            form.append_pair("client_secret", secret.expose());
        }
    }
    form.finish()
}

fn address(text: &str) -> Result<Url, Fault> {
    Url::parse(text).map_err(|error| wrong(format!("{text:?} is no address: {error}.")))
}

/// Sends a request once, and reads what is answered.
async fn ask<T: DeserializeOwned>(request: RequestBuilder) -> Result<T, Fault> {
    let late = |_| Fault::Unreachable(format!("{WHO} did not answer within {PATIENCE:?}."));
    let asked = async {
        let answer = request.header(header::ACCEPT, "application/json").send().await;
        let answer = answer.map_err(|error| Fault::Unreachable(reason(WHO, &error)))?;
        let status = answer.status();
        let body = body(answer).await?;
        if status.is_server_error() {
            return Err(Fault::Unreachable(format!("{WHO} cannot answer now: {status}.")));
        }
        if !status.is_success() {
            return Err(wrong(format!("{WHO} answers {status}{}", said(&body))));
        }
        serde_json::from_slice(&body).map_err(|error| wrong(format!("{WHO} answers what cannot be read: {error}.")))
    };
    timeout(PATIENCE, asked).await.map_err(late)?
}

async fn body(mut answer: Response) -> Result<Vec<u8>, Fault> {
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|error| Fault::Unreachable(reason(WHO, &error)))? {
        body.extend_from_slice(&chunk);
        if body.len() > MOST {
            return Err(wrong(format!("{WHO} answers more than {MOST} bytes.")));
        }
    }
    Ok(body)
}

/// What a refusal says in the words of OAuth (RFC 6749, §5.2), as the end of a sentence.
fn said(body: &[u8]) -> String {
    #[derive(Deserialize)]
    struct Refused {
        error: String,
        error_description: Option<String>,
    }
    match serde_json::from_slice(body) {
        Ok(Refused { error, error_description }) => {
            let all = format!(": {error} {}", error_description.unwrap_or_default());
            all.chars().filter(|c| !c.is_control()).take(200).collect::<String>().trim_end().to_owned()
        }
        Err(_) => ".".into(),
    }
}
