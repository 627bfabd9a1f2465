//! The API of WeChat: of its third-party platform here, of official accounts in `official`. Every answer has the HTTP status 200; `errcode` says what went wrong.

mod official;

pub(crate) use official::{Acting, NewTemplateMessage, OauthUser};

use std::time::Duration;

use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::{Value, json};

use berth_base::{
    error::{Error, Result as HostResult},
    secret::Secret,
};

/// How many bytes an answer may have. WeChat's answers are far smaller.
const LARGEST: usize = 1 << 20;

/// Why WeChat did not do what it was asked to. Messages never contain the URL, as it carries tokens.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There was no usable answer: no connection, a timeout, or no JSON. WeChat may have done it all the same.
    #[error("WeChat could not be reached: {0}")]
    Unreachable(String),
    /// WeChat's system is busy.
    #[error("WeChat is busy (errcode -1)")]
    Busy,
    /// The access token is not valid any more. A newer one may exist.
    #[error("the access token has expired (errcode {0})")]
    TokenExpired(i64),
    /// There were too many calls today or in this minute.
    #[error("WeChat's limit of calls is reached (errcode {0})")]
    RateLimited(i64),
    /// The authorisation code was used, has expired, or does not exist.
    #[error("the authorisation code is used or expired (errcode {0})")]
    CodeInvalid(i64),
    /// WeChat took the authorisation code, and its answer names no account: the code is used up, and what was granted
    /// is not known.
    #[error("WeChat took the authorisation code, and its answer names no account")]
    CodeLost,
    /// The account authorises this platform, and not for this call: the merchant left the permission set out, or the
    /// account has none. WeChat's page on troubleshooting permission sets says so of 61007.
    #[error("the account does not grant this platform the permission set of this call (errcode {0})")]
    NotGranted(i64),
    /// The merchant revoked the authorisation.
    #[error("the account does not authorise this platform any more (errcode {0})")]
    Revoked(i64),
    /// The platform's ticket is missing or too old. WeChat's next push brings another one.
    #[error("the component_verify_ticket is missing or expired (errcode {0})")]
    Ticket(i64),
    /// WeChat refused for another reason.
    #[error("WeChat refuses: {message} (errcode {errcode})")]
    Other {
        /// WeChat's number of the error.
        errcode: i64,
        /// WeChat's words, at most 200 characters.
        message: String,
    },
}

impl Refusal {
    /// The refusal of an `errcode` other than 0. Sources: WeChat's pages on third-party platforms and on global return
    /// codes.
    fn of(errcode: i64, message: &str) -> Self {
        match errcode {
            -1 => Self::Busy,
            40001 | 40014 | 41001 | 42001 => Self::TokenExpired(errcode),
            45009 | 45011 => Self::RateLimited(errcode),
            40029 | 40163 | 42003 | 61009 | 61010 => Self::CodeInvalid(errcode),
            61007 => Self::NotGranted(errcode),
            61003 | 61023 => Self::Revoked(errcode),
            61005 | 61006 => Self::Ticket(errcode),
            _ => Self::Other { errcode, message: message.chars().filter(|c| !c.is_control()).take(200).collect() },
        }
    }

    /// WeChat's number of the error; `None` when it said none.
    pub fn errcode(&self) -> Option<i64> {
        match self {
            Self::Unreachable(_) | Self::CodeLost => None,
            Self::Busy => Some(-1),
            Self::TokenExpired(errcode)
            | Self::RateLimited(errcode)
            | Self::CodeInvalid(errcode)
            | Self::NotGranted(errcode)
            | Self::Revoked(errcode)
            | Self::Ticket(errcode)
            | Self::Other { errcode, .. } => Some(*errcode).filter(|errcode| *errcode != 0),
        }
    }
}

/// An access token of the platform.
#[derive(Debug, Deserialize)]
pub struct ComponentToken {
    /// The access token.
    pub component_access_token: Secret,
    /// Seconds for which the token is valid.
    pub expires_in: i64,
}

/// A pre-authorisation code, which is part of the URL of the page on which a merchant authorises.
#[derive(Debug, Deserialize)]
pub struct PreAuthCode {
    /// The pre-authorisation code.
    pub pre_auth_code: Secret,
    /// Seconds for which the code is valid.
    pub expires_in: i64,
}

/// What a merchant granted to the platform.
#[derive(Debug, Deserialize)]
pub struct Authorization {
    /// The appid of the merchant's account.
    pub authorizer_appid: String,
    /// The access token with which the platform acts for the account; empty when the account has no permission for any
    /// call, as WeChat then gives no tokens.
    #[serde(default = "no_token", deserialize_with = "token")]
    pub authorizer_access_token: Secret,
    /// Seconds for which the access token is valid.
    #[serde(default, deserialize_with = "told")]
    pub expires_in: i64,
    /// The refresh token, with which further access tokens are asked for; empty as the access token is.
    #[serde(default = "no_token", deserialize_with = "token")]
    pub authorizer_refresh_token: Secret,
    /// The categories of functions that the merchant granted: a part of those that the platform asked for.
    #[serde(default, deserialize_with = "told")]
    pub func_info: Vec<FuncInfo>,
}

impl Authorization {
    /// Whether WeChat gave what calls in the account's name need.
    pub(crate) fn has_tokens(&self) -> bool {
        !self.authorizer_refresh_token.expose().is_empty()
    }
}

/// A member that WeChat sends as `null`, too, when there is nothing to say.
fn told<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(deserializer: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// A token that WeChat may leave out; empty when it does.
fn token<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Secret, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.unwrap_or_default().into())
}

fn no_token() -> Secret {
    String::new().into()
}

/// One granted category of functions.
#[derive(Debug, Deserialize)]
pub struct FuncInfo {
    /// The granted category.
    pub funcscope_category: Category,
}

/// A category of functions.
#[derive(Debug, Deserialize)]
pub struct Category {
    /// WeChat's number of the category.
    pub id: i64,
}

/// A new access token of an account, with the refresh token for the next one.
#[derive(Debug, Deserialize)]
pub(crate) struct AccountToken {
    /// The access token.
    pub authorizer_access_token: Secret,
    /// Seconds for which the access token is valid.
    pub expires_in: i64,
    /// The refresh token that replaces the one that was used.
    pub authorizer_refresh_token: Secret,
}

/// What WeChat says about an account.
#[derive(Debug, Deserialize)]
pub(crate) struct AuthorizerInfo {
    /// The name of the account.
    #[serde(default)]
    pub nick_name: String,
    /// Present when the account is a mini-program; an official account has none.
    #[serde(default, rename = "MiniProgramInfo")]
    pub mini_program: Option<Value>,
}

/// A client of WeChat's API.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    base: String,
}

type Answer<T> = Result<T, Refusal>;

impl Client {
    /// A client of the API at `base`. A call that takes longer than `timeout` fails.
    ///
    /// # Errors
    /// `invalid-field` when `base` is not an http or https address.
    pub fn new(base: &str, timeout: Duration) -> HostResult<Self> {
        let url = reqwest::Url::parse(base).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        let url = url.ok_or_else(|| Error::parameter("wechat-base-url", "must be an http or https address."))?;
        // Fails only when a provider is installed already, which is then the one that is used.
        let _ = rustls::crypto::ring::default_provider().install_default();
        // A redirect would carry the tokens elsewhere.
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).timeout(timeout);
        let http = http.connect_timeout(timeout.min(Duration::from_secs(5))).build().map_err(Error::internal)?;
        Ok(Self { http, base: url.as_str().trim_end_matches('/').to_owned() })
    }

    /// Asks for the platform's own access token, with its app secret and its newest ticket.
    pub async fn component_token(&self, app_id: &str, secret: &Secret, ticket: &Secret) -> Answer<ComponentToken> {
        let body = json!({
            "component_appid": app_id,
            "component_appsecret": secret.expose(),
            "component_verify_ticket": ticket.expose(),
        });
        self.post("api_component_token", None, &body).await
    }

    /// Asks for a code for the page on which a merchant authorises.
    pub async fn pre_auth_code(&self, token: &Secret, app_id: &str) -> Answer<PreAuthCode> {
        self.post("api_create_preauthcode", Some(token), &json!({"component_appid": app_id})).await
    }

    /// Exchanges an authorisation code for what was granted. WeChat allows this once for each code.
    pub async fn query_auth(&self, token: &Secret, app_id: &str, code: &Secret) -> Answer<Authorization> {
        #[derive(Deserialize)]
        struct Body {
            authorization_info: Authorization,
        }
        let body = json!({"component_appid": app_id, "authorization_code": code.expose()});
        let body: Value = self.post("api_query_auth", Some(token), &body).await?;
        // The code is spent: asking once more with it cannot help.
        let body: Body = serde_json::from_value(body).map_err(|_| Refusal::CodeLost)?;
        Some(body.authorization_info).filter(|granted| !granted.authorizer_appid.is_empty()).ok_or(Refusal::CodeLost)
    }

    /// Asks for a new access token of an account, with the account's refresh token.
    pub(crate) async fn account_token(
        &self,
        token: &Secret,
        app_id: &str,
        account: &str,
        refresh: &Secret,
    ) -> Answer<AccountToken> {
        let body = json!({
            "component_appid": app_id,
            "authorizer_appid": account,
            "authorizer_refresh_token": refresh.expose(),
        });
        self.post("api_authorizer_token", Some(token), &body).await
    }

    /// Asks for the name and the kind of an account.
    pub(crate) async fn account_info(&self, token: &Secret, app_id: &str, account: &str) -> Answer<AuthorizerInfo> {
        #[derive(Deserialize)]
        struct Body {
            authorizer_info: AuthorizerInfo,
        }
        let body = json!({"component_appid": app_id, "authorizer_appid": account});
        let body: Body = self.post("api_get_authorizer_info", Some(token), &body).await?;
        Ok(body.authorizer_info)
    }

    async fn post<T: DeserializeOwned>(&self, call: &str, token: Option<&Secret>, body: &Value) -> Answer<T> {
        let query = token.map(|token| ("component_access_token", token.expose()));
        let url = self.url(&format!("/cgi-bin/component/{call}"), query.as_slice())?;
        answer(self.http.post(url).json(body)).await
    }

    fn url(&self, path: &str, query: &[(&str, &str)]) -> Answer<reqwest::Url> {
        let url = reqwest::Url::parse_with_params(&format!("{}{path}", self.base), query);
        url.map_err(|_| Refusal::Unreachable("its address is none".into()))
    }
}

/// Sends a request, and reads the answer within its bounds.
async fn answer<T: DeserializeOwned>(request: reqwest::RequestBuilder) -> Answer<T> {
    let unreachable = |error: reqwest::Error| Refusal::Unreachable(in_words(&error));
    let mut response = request.send().await.map_err(unreachable)?;
    let status = response.status();
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
        if bytes.len() + chunk.len() > LARGEST {
            return Err(Refusal::Unreachable("its answer is too large".into()));
        }
        bytes.extend_from_slice(&chunk);
    }
    if !status.is_success() {
        return Err(Refusal::Unreachable(format!("it answers with status {}", status.as_u16())));
    }
    read(&bytes)
}

/// The answer, or the refusal that its `errcode` means.
fn read<T: DeserializeOwned>(bytes: &[u8]) -> Answer<T> {
    #[derive(Deserialize)]
    struct Status {
        #[serde(default)]
        errcode: i64,
        #[serde(default)]
        errmsg: String,
    }
    // What does not fit is not repeated: it may be full of tokens.
    let unreadable = |_| Refusal::Unreachable("its answer is not what its documentation says".into());
    let status: Status = serde_json::from_slice(bytes).map_err(unreadable)?;
    match status.errcode {
        0 => serde_json::from_slice(bytes).map_err(unreadable),
        errcode => Err(Refusal::of(errcode, &status.errmsg)),
    }
}

/// The error in words, without the URL, which carries tokens.
fn in_words(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "it did not answer in time".into();
    }
    if error.is_connect() { "no connection".into() } else { "the connection broke off".into() }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::*;

    #[test]
    fn e10_errcodes_are_told_apart() {
        let refusal = |errcode: i64| {
            read::<ComponentToken>(json!({"errcode": errcode, "errmsg": "said"}).to_string().as_bytes()).unwrap_err()
        };
        assert_eq!(refusal(-1), Refusal::Busy);
        assert_eq!(refusal(40001), Refusal::TokenExpired(40001));
        assert_eq!(refusal(42001), Refusal::TokenExpired(42001));
        assert_eq!(refusal(45009), Refusal::RateLimited(45009));
        assert_eq!(refusal(61010), Refusal::CodeInvalid(61010));
        assert_eq!(refusal(61003), Refusal::Revoked(61003));
        assert_eq!(refusal(61007), Refusal::NotGranted(61007));
        assert_eq!(refusal(61005), Refusal::Ticket(61005));
        assert_eq!(refusal(48001), Refusal::Other { errcode: 48001, message: "said".into() });
    }

    #[test]
    fn f85_an_answer_that_does_not_fit_is_not_repeated() {
        for body in ["<html>canary</html>", r#"{"component_access_token":"canary"}"#, r#"{"errcode":0}"#] {
            let said = format!("{:?}", read::<ComponentToken>(body.as_bytes()).unwrap_err());
            assert!(!said.contains("canary"), "{said}");
        }
        let token = read::<ComponentToken>(br#"{"component_access_token":"canary","expires_in":7200}"#).unwrap();
        assert!(!format!("{token:?}").contains("canary"));
    }

    #[tokio::test]
    async fn f85_a_broken_connection_does_not_show_the_address() {
        let client = Client::new("http://127.0.0.1:9/", Duration::from_secs(2)).unwrap();
        let refusal = client.pre_auth_code(&"canary".parse().unwrap(), "wx").await.unwrap_err();
        assert!(matches!(&refusal, Refusal::Unreachable(_)) && !format!("{refusal} {refusal:?}").contains("canary"));
    }
}
