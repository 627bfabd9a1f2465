//! What a client asks, a MiniApp or an internal tool, when it sends a browser here to log a user in.

use berth_base::{clock::Millis, secret::Secret};

use super::{ClientId, Parameters, Refusal, SCOPE, Scopes, Word};

/// How many bytes `state` and `nonce` have at most.
const LONGEST: usize = 2000;
/// How many characters the base64url of a SHA-256 has.
const CHALLENGE: usize = 43;

/// Who asks, and where the browser is to come back to. Until both are known to belong together, nothing is sent
/// to the address.
#[derive(Debug)]
pub struct Target {
    /// The MiniApp or the internal tool.
    pub client: ClientId,
    /// Where the browser is to come back to.
    pub redirect_uri: String,
    /// What the client gets back unchanged.
    pub state: Option<String>,
}

/// What the client asks.
#[derive(Debug)]
pub struct Asked {
    /// What it wants to know.
    pub scopes: Scopes,
    /// The base64url of the SHA-256 of what the server will show at the exchange (RFC 7636).
    pub code_challenge: String,
    /// What the ID token is to repeat.
    pub nonce: Option<String>,
    /// Whether the user has to be vouched for anew (`prompt=login`).
    pub anew: bool,
    /// Whether the user must not be shown anything (`prompt=none`).
    pub silent: bool,
    /// How many seconds ago the user may have been vouched for at most.
    pub max_age: Option<i64>,
    /// A login code, by which the host app vouches for the user now.
    pub login_code: Option<Secret>,
    /// An ID token of the user who has to be logged in.
    pub id_token_hint: Option<String>,
}

impl Target {
    /// Reads who asks.
    ///
    /// # Errors
    /// `invalid_request`, which can only be shown as a page.
    pub fn read(parameters: &Parameters) -> Result<Self, Refusal> {
        let client = ClientId::read(parameters.required("client_id")?)?;
        let redirect_uri = parameters.required("redirect_uri")?.to_owned();
        // One that is there twice is refused with the rest, and not sent back.
        let state = parameters.get("state").ok().flatten().map(str::to_owned);
        Ok(Self { client, redirect_uri, state })
    }
}

impl Asked {
    /// Reads what is asked.
    ///
    /// # Errors
    /// With the words of OpenID Connect, to be sent back to the MiniApp.
    pub fn read(parameters: &Parameters) -> Result<Self, Refusal> {
        check_form(parameters)?;
        let (prompts, max_age) = (prompts(parameters)?, max_age(parameters)?);
        Ok(Self {
            code_challenge: code_challenge(parameters)?,
            nonce: short(parameters, "nonce")?,
            scopes: Scopes::read(parameters.get("scope")?.unwrap_or_default()),
            anew: prompts.contains(&"login"),
            silent: prompts.contains(&"none"),
            max_age,
            login_code: parameters.get("login_code")?.map(|code| code.to_owned().into()),
            id_token_hint: parameters.get("id_token_hint")?.map(str::to_owned),
        })
    }

    /// Whether a sign-on that began then is enough for what is asked. One of which that is not known may be of any age.
    pub fn takes(&self, signed_on_at: Option<Millis>, now: Millis) -> bool {
        let is_fresh = |seconds| signed_on_at.is_some_and(|at| now <= at.plus_seconds(seconds));
        !self.anew && self.max_age.is_none_or(is_fresh)
    }
}

fn check_form(parameters: &Parameters) -> Result<(), Refusal> {
    for (name, word) in [
        ("request", Word::RequestNotSupported),
        ("request_uri", Word::RequestUriNotSupported),
        ("registration", Word::RegistrationNotSupported),
    ] {
        if parameters.get(name)?.is_some() {
            return Err(Refusal::new(word, format!("The parameter {name} is not read here. Send plain parameters.")));
        }
    }
    if parameters.required("response_type")? != "code" {
        return Err(Refusal::new(Word::UnsupportedResponseType, "The response_type must be code."));
    }
    if parameters.get("response_mode")?.is_some_and(|mode| mode != "query") {
        return Err(Refusal::request("The response_mode must be query."));
    }
    // Scopes that are not known are left aside (OpenID Connect Core, §3.1.2.1).
    let scope = parameters.get("scope")?.unwrap_or_default();
    if !scope.split(' ').any(|one| one == SCOPE) {
        return Err(Refusal::new(Word::InvalidScope, "The scope must have openid."));
    }
    short(parameters, "state").map(drop)
}

fn code_challenge(parameters: &Parameters) -> Result<String, Refusal> {
    let Some(challenge) = parameters.get("code_challenge")? else {
        let detail = "The parameter code_challenge is missing: PKCE (RFC 7636) is required, with the method S256.";
        return Err(Refusal::request(detail));
    };
    if parameters.get("code_challenge_method")? != Some("S256") {
        return Err(Refusal::request("The code_challenge_method must be S256."));
    }
    let fits = challenge.len() == CHALLENGE
        && challenge.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
    if !fits {
        return Err(Refusal::request("The code_challenge must be the base64url of a SHA-256, 43 characters."));
    }
    Ok(challenge.to_owned())
}

/// What the user is to be asked. Nothing is asked here: the host app has asked already.
fn prompts(parameters: &Parameters) -> Result<Vec<&str>, Refusal> {
    let prompts: Vec<_> = parameters.get("prompt")?.unwrap_or_default().split_ascii_whitespace().collect();
    if prompts.contains(&"none") && prompts.len() > 1 {
        return Err(Refusal::request("The prompt none stands alone."));
    }
    for prompt in &prompts {
        match *prompt {
            "none" | "login" => {}
            "consent" => {
                return Err(Refusal::new(
                    Word::ConsentRequired,
                    "There is no page of this host on which users consent.",
                ));
            }
            "select_account" => {
                let detail = "The account is the one that is logged in to the host app; there is no other to choose.";
                return Err(Refusal::new(Word::AccountSelectionRequired, detail));
            }
            _ => return Err(Refusal::request("The prompt must be none or login.")),
        }
    }
    Ok(prompts)
}

fn max_age(parameters: &Parameters) -> Result<Option<i64>, Refusal> {
    let read = |text: &str| text.parse::<u32>().map(i64::from);
    let age = parameters.get("max_age")?.map(read).transpose();
    age.map_err(|_| Refusal::request("The max_age must be a number of seconds."))
}

fn short(parameters: &Parameters, name: &str) -> Result<Option<String>, Refusal> {
    let value = parameters.get(name)?;
    if value.is_some_and(|value| value.len() > LONGEST) {
        return Err(Refusal::request(format!("The parameter {name} has more than {LONGEST} bytes.")));
    }
    Ok(value.map(str::to_owned))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::*;

    const GOOD: [(&str, &str); 4] = [
        ("response_type", "code"),
        ("scope", "openid profile"),
        ("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
        ("code_challenge_method", "S256"),
    ];

    /// Reads the good parameters with these in place of theirs.
    fn read(changes: &[(&str, &str)]) -> Result<Asked, Refusal> {
        let kept = GOOD.iter().filter(|(name, _)| changes.iter().all(|(changed, _)| changed != name));
        let all = kept.chain(changes).map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Asked::read(&Parameters::of(all))
    }

    #[test]
    fn u12_what_is_asked_wrongly_is_refused_in_the_words_of_openid_connect() {
        assert!(read(&[]).is_ok() && read(&[("prompt", "none"), ("display", "page")]).is_ok());
        for (changes, word) in [
            (&[("response_type", "")][..], Word::InvalidRequest),
            (&[("response_type", "token")], Word::UnsupportedResponseType),
            (&[("response_type", "code id_token")], Word::UnsupportedResponseType),
            (&[("response_mode", "fragment")], Word::InvalidRequest),
            (&[("scope", "")], Word::InvalidScope),
            (&[("scope", "openidx")], Word::InvalidScope),
            (&[("code_challenge", "")], Word::InvalidRequest),
            (&[("code_challenge", "short")], Word::InvalidRequest),
            (&[("code_challenge", &"=".repeat(43))], Word::InvalidRequest),
            (&[("code_challenge_method", "plain")], Word::InvalidRequest),
            (&[("code_challenge_method", "")], Word::InvalidRequest),
            (&[("prompt", "none login")], Word::InvalidRequest),
            (&[("prompt", "consent")], Word::ConsentRequired),
            (&[("prompt", "login select_account")], Word::AccountSelectionRequired),
            (&[("prompt", "ask")], Word::InvalidRequest),
            (&[("max_age", "-1")], Word::InvalidRequest),
            (&[("max_age", "soon")], Word::InvalidRequest),
            (&[("nonce", &"n".repeat(2001))], Word::InvalidRequest),
            (&[("state", &"s".repeat(2001))], Word::InvalidRequest),
            (&[("state", "a"), ("state", "b")], Word::InvalidRequest),
            (&[("request", "e30.e30.")], Word::RequestNotSupported),
            (&[("request_uri", "https://a.example/")], Word::RequestUriNotSupported),
            (&[("registration", "{}")], Word::RegistrationNotSupported),
        ] {
            assert_eq!(read(changes).unwrap_err().word, word, "{changes:?}");
        }
    }

    #[test]
    fn u13_a_sign_on_is_enough_until_its_age_and_unless_a_new_one_is_asked() {
        let takes = |changes: &[(&str, &str)], now| read(changes).unwrap().takes(Some(Millis(1_000_000)), Millis(now));
        assert!(takes(&[], 1_000_000_000) && takes(&[("prompt", "none")], 1_000_000_000));
        assert!(!takes(&[("prompt", "login")], 1_000_000));
        assert!(takes(&[("max_age", "10")], 1_010_000) && !takes(&[("max_age", "10")], 1_010_001));
        assert!(takes(&[("max_age", "0")], 1_000_000) && !takes(&[("max_age", "0")], 1_000_001));
        let takes_unknown = |changes: &[(&str, &str)]| read(changes).unwrap().takes(None, Millis(1));
        assert!(takes_unknown(&[]) && !takes_unknown(&[("max_age", "1000000")]), "nobody knows how old it is");
    }

    #[test]
    fn u11_who_asks_is_read_before_what() {
        let target = |pairs: &[(&str, &str)]| {
            Target::read(&Parameters::of(pairs.iter().map(|(name, value)| ((*name).into(), (*value).into()))))
        };
        let good = target(&[("client_id", "shop"), ("redirect_uri", "https://a.example/"), ("state", "s")]).unwrap();
        assert_eq!((good.client.to_string().as_str(), good.state.as_deref()), ("shop", Some("s")));
        for bad in [
            &[("client_id", "shop")][..],
            &[("redirect_uri", "https://a.example/")],
            &[("client_id", "A B"), ("redirect_uri", "https://a.example/")],
            &[("client_id", "shop"), ("client_id", "shop"), ("redirect_uri", "https://a.example/")],
        ] {
            assert_eq!(target(bad).unwrap_err().word, Word::InvalidRequest, "{bad:?}");
        }
    }
}
