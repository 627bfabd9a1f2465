//! Login entries: the providers that a MiniApp's team has registered (U19).

use berth_base::{
    clock::Millis,
    error::{Code, Error, Result},
    ids::{LoginEntryId, LoginEntryName, MiniAppId},
    secret::Secret,
    text::text_enum,
};
use serde::{Deserialize, Serialize};

use crate::oidc::is_redirect;

/// How many login entries a MiniApp has at most.
pub const MOST_ENTRIES: usize = 20;
/// How long a client id, a scope and a pointer are at most.
const LONGEST: usize = 255;

text_enum! {
    /// How this host proves to a provider that it is its client.
    ClientAuth {
        /// By the header `Authorization: Basic` (`client_secret_basic`).
        Basic = "basic",
        /// By `client_id` and `client_secret` in the form (`client_secret_post`).
        Post = "post",
    }
}

/// A provider at which users log in.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum LoginProvider {
    /// An OpenID Connect provider, which says itself where its addresses are. The user is the `sub` of its ID token.
    Oidc {
        /// Its issuer, such as `https://login.shop.example.com`.
        issuer: String,
    },
    /// An OAuth 2.0 server with the flow of authorisation codes. The user is who its user info names.
    Oauth2 {
        /// Where browsers are sent.
        authorization_endpoint: String,
        /// Where a code is exchanged for an access token.
        token_endpoint: String,
        /// What tells of the user, by GET with the access token.
        user_info_endpoint: String,
        /// A JSON pointer (RFC 6901) to the id of the user in the user info: a text or a whole number.
        #[serde(default = "sub")]
        subject: String,
    },
}

/// The client that this host is at a provider.
#[derive(Clone, Debug)]
pub struct Client {
    /// The provider.
    pub provider: LoginProvider,
    /// The id that the provider has given.
    pub client_id: String,
    /// How this host proves that it is that client.
    pub client_auth: ClientAuth,
    /// What is asked for, in the provider's words, with spaces between.
    pub scope: String,
}

fn sub() -> String {
    "/sub".into()
}

/// A login entry of a MiniApp.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
#[cfg_attr(feature = "sql", derive(sqlx::FromRow))]
pub struct LoginEntry {
    /// Its id.
    pub id: LoginEntryId,
    /// Id of the MiniApp.
    #[cfg_attr(feature = "sql", sqlx(rename = "mini_app_id"))]
    pub mini_app: MiniAppId,
    /// Its name, by which the MiniApp's server begins a login.
    pub name: LoginEntryName,
    /// The provider.
    #[cfg_attr(feature = "sql", sqlx(json))]
    pub provider: LoginProvider,
    /// The id that the provider has given to the MiniApp as its client.
    pub client_id: String,
    /// How this host proves to the provider that it is that client.
    pub client_auth: ClientAuth,
    /// What is asked for, in the provider's words, with spaces between.
    pub scope: String,
    /// Where browsers go afterwards, with `code` or `error`.
    pub return_url: String,
    /// Who registered it last.
    pub changed_by: String,
    /// When it was registered last.
    pub changed_at: Millis,
}

/// A login entry, as its team sees it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
pub struct LoginEntryShown {
    /// The entry.
    #[serde(flatten)]
    pub entry: LoginEntry,
    /// The address of this host that is to be registered at the provider as the redirect URI; absent while the host does not know
    /// its own address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redirect_uri: Option<String>,
    /// How many users are bound.
    pub bound: u64,
}

/// A login entry to be registered, or to be changed. Who it is at the provider stays: the provider and the client id.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PutLoginEntry {
    /// The provider.
    pub provider: LoginProvider,
    /// The id that the provider has given to the MiniApp as its client.
    pub client_id: String,
    /// The secret that goes with it. It is kept sealed and never shown; the former one stays when it is absent.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub client_secret: Option<Secret>,
    /// How this host proves that it is that client; `basic` when absent.
    #[serde(default)]
    pub client_auth: Option<ClientAuth>,
    /// What is asked for, with spaces between; `openid` of an OpenID Connect provider when absent, which is always asked for.
    #[serde(default)]
    pub scope: Option<String>,
    /// Where browsers go afterwards: https, or http on loopback.
    pub return_url: String,
}

impl PutLoginEntry {
    /// Refuses what breaks a rule that needs no look at the provider.
    ///
    /// # Errors
    /// `invalid-field`.
    pub fn check(&self) -> Result<()> {
        printable("client_id", &self.client_id, 1)?;
        printable("scope", self.scope.as_deref().unwrap_or_default(), 0)?;
        is_redirect(&self.return_url).map_err(|rule| Error::field("return_url", rule))?;
        match &self.provider {
            LoginProvider::Oidc { issuer } if issuer.contains(['?', '#']) => {
                Err(Error::field("provider.issuer", "must have no query and no fragment."))
            }
            LoginProvider::Oidc { .. } => Ok(()),
            LoginProvider::Oauth2 { subject, .. } => {
                printable("provider.subject", subject, 1)?;
                let is_pointer = subject.starts_with('/');
                is_pointer.then_some(()).ok_or_else(|| {
                    Error::field("provider.subject", "must be a JSON pointer such as /sub or /data/user_id.")
                })
            }
        }
    }

    /// What is asked for. OpenID Connect begins with `openid`.
    pub fn scope(&self) -> String {
        let said = self.scope.as_deref().unwrap_or_default();
        let mut words: Vec<_> = said.split_ascii_whitespace().collect();
        if matches!(self.provider, LoginProvider::Oidc { .. }) && !words.contains(&"openid") {
            words.insert(0, "openid");
        }
        words.join(" ")
    }
}

fn printable(field: &str, text: &str, least: usize) -> Result<()> {
    if (least..=LONGEST).contains(&text.len()) && text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        return Ok(());
    }
    Err(Error::field(field, format!("must have {least} to {LONGEST} printable characters of ASCII.")))
}

impl LoginEntry {
    /// Refuses a change after which the subjects of the entry would be others (U19).
    ///
    /// # Errors
    /// `login-entry-fixed`.
    pub fn require_same(&self, put: &PutLoginEntry) -> Result<()> {
        if self.provider == put.provider && self.client_id == put.client_id {
            return Ok(());
        }
        let Self { mini_app, name, .. } = self;
        let detail = format!(
            "{name} is registered with another provider or client id, and its users are bound to who they are there. Register \
             the new one under another name, or remove this one first, which ends the bindings."
        );
        Err(Error::new(Code::LoginEntryFixed, detail).next(format!("berth login-entry remove {mini_app} {name}")))
    }

    /// The client that this host is for it.
    pub fn client(&self) -> Client {
        Client {
            provider: self.provider.clone(),
            client_id: self.client_id.clone(),
            client_auth: self.client_auth,
            scope: self.scope.clone(),
        }
    }
}

impl LoginProvider {
    /// The addresses of the provider that were registered; `None` of one that says them itself.
    pub fn registered(&self) -> Option<super::Metadata> {
        match self {
            Self::Oidc { .. } => None,
            Self::Oauth2 { authorization_endpoint, token_endpoint, .. } => Some(super::Metadata {
                issuer: None,
                authorization_endpoint: authorization_endpoint.clone(),
                token_endpoint: token_endpoint.clone(),
                jwks_uri: None,
                userinfo_endpoint: None,
                end_session_endpoint: None,
                authorization_response_iss_parameter_supported: false,
            }),
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use serde_json::json;

    use super::*;

    fn put(changes: serde_json::Value) -> PutLoginEntry {
        let mut whole = json!({
            "provider": {"kind": "oidc", "issuer": "https://login.example.com"},
            "client_id": "berth", "return_url": "https://shop.example.com/back",
        });
        whole.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        serde_json::from_value(whole).unwrap()
    }

    fn oauth2(subject: &str) -> serde_json::Value {
        json!({"provider": {
            "kind": "oauth2", "authorization_endpoint": "https://a.example/", "token_endpoint": "https://a.example/t",
            "user_info_endpoint": "https://a.example/u", "subject": subject,
        }})
    }

    #[test]
    fn u19_what_is_registered_is_checked_with_its_place() {
        let place = |changes| put(changes).check().map_err(|error| error.fields["pointer"].clone());
        assert_eq!(place(json!({})), Ok(()));
        assert_eq!(place(oauth2("/data/id")), Ok(()));
        assert_eq!(place(oauth2("id")), Err(json!("/provider/subject")));
        assert_eq!(place(json!({"client_id": ""})), Err(json!("/client_id")));
        assert_eq!(place(json!({"scope": "a\nb"})), Err(json!("/scope")));
        assert_eq!(place(json!({"return_url": "http://shop.example.com/"})), Err(json!("/return_url")));
        let issuer = json!({"provider": {"kind": "oidc", "issuer": "https://a.example/?b"}});
        assert_eq!(place(issuer), Err(json!("/provider/issuer")));
    }

    #[test]
    fn u19_open_id_is_always_asked_for_of_open_id_connect_and_of_nobody_else() {
        assert_eq!(put(json!({})).scope(), "openid");
        assert_eq!(put(json!({"scope": " phone  openid "})).scope(), "phone openid");
        assert_eq!(put(json!({"scope": "phone"})).scope(), "openid phone");
        assert_eq!(put(oauth2("/sub")).scope(), "");
    }

    #[test]
    fn u19_an_entry_stays_with_its_provider_and_its_client() {
        let entry = LoginEntry {
            id: format!("le_{}", "0".repeat(26)).parse().unwrap(),
            mini_app: "coffee".parse().unwrap(),
            name: "shop".parse().unwrap(),
            provider: LoginProvider::Oidc { issuer: "https://login.example.com".into() },
            client_id: "berth".into(),
            client_auth: ClientAuth::Basic,
            scope: "openid".into(),
            return_url: "https://shop.example.com/back".into(),
            changed_by: "usr_1".into(),
            changed_at: Millis(1),
        };
        assert!(entry.require_same(&put(json!({"scope": "openid phone", "return_url": "https://b.example/"}))).is_ok());
        for other in [json!({"client_id": "other"}), oauth2("/sub")] {
            assert_eq!(entry.require_same(&put(other)).unwrap_err().code, Code::LoginEntryFixed);
        }
    }
}
