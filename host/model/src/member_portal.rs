//! The identity provider of an organisation, at which its members sign in, and the portal that this host has for them (W13–W16).

use berth_base::{
    clock::Millis,
    error::{Error, Result},
    ids::WorkspaceId,
    secret::Secret,
    text::{self, text_enum},
};
use serde::{Deserialize, Serialize};

use crate::{
    login_entry::{Client, ClientAuth, LoginProvider},
    workspace::PortalItem,
};

/// What is asked for at the provider: who somebody is, and what they are called there.
const SCOPE: &str = "openid profile email";
/// The claim that names a member where nothing else is said: what Entra ID, Okta and Keycloak also send as the `userName` by SCIM.
const CLAIM: &str = "preferred_username";
/// How many bytes a client id and the name of a claim have at most.
const LONGEST: usize = 255;
/// How many bytes the request of a tool has at most.
const LONGEST_REQUEST: usize = 16 << 10;

text_enum! {
    /// By what the address book finds the member that the provider names.
    MemberKey {
        /// By the `userName`, in upper or lower case.
        UserName = "user_name",
        /// By the `externalId`, exactly.
        ExternalId = "external_id",
    }
}

/// The identity provider at which the members of a workspace sign in. Its secret is never told.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
#[cfg_attr(feature = "sql", derive(sqlx::FromRow))]
pub struct MemberProvider {
    /// The workspace.
    #[cfg_attr(feature = "sql", sqlx(rename = "workspace_id"))]
    pub workspace: WorkspaceId,
    /// The name of the provider, as members know it.
    pub name: String,
    /// Its issuer.
    pub issuer: String,
    /// The id that it has given to this host as its client.
    pub client_id: String,
    /// How this host proves that it is that client.
    pub client_auth: ClientAuth,
    /// The claim that names the member, in the ID token or in the user info.
    pub claim: String,
    /// By what the address book finds who is named.
    pub member_key: MemberKey,
    /// Whether the client has a secret.
    pub has_secret: bool,
    /// Who set it last.
    pub changed_by: String,
    /// When it was set last.
    pub changed_at: Millis,
}

impl MemberProvider {
    /// The client that this host is at the provider.
    pub fn client(&self) -> Client {
        Client {
            provider: LoginProvider::Oidc { issuer: self.issuer.clone() },
            client_id: self.client_id.clone(),
            client_auth: self.client_auth,
            scope: SCOPE.into(),
        }
    }

    /// Whether a secret that was given for this one is good for another one: it goes nowhere but where it was given for.
    pub fn shares_secret_with(&self, other: &Self) -> bool {
        (&self.issuer, &self.client_id) == (&other.issuer, &other.client_id)
    }

    /// Whether nothing but who has set it when is another.
    pub fn says_the_same_as(&self, other: &Self) -> bool {
        *self == Self { changed_by: self.changed_by.clone(), changed_at: self.changed_at, ..other.clone() }
    }
}

/// The provider as an admin of the workspace sees it.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct MemberProviderShown {
    /// The provider.
    #[serde(flatten)]
    pub provider: MemberProvider,
    /// The address of this host to register at the provider as the redirect URI; absent while the host does not know its own
    /// address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redirect_uri: Option<String>,
    /// Where the portal is that members open; absent as the address before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub portal_url: Option<String>,
}

/// The identity provider at which the members of a workspace are to sign in.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PutMemberProvider {
    /// The issuer, such as `https://login.acme.example`.
    pub issuer: String,
    /// The id that the provider has given to this host as its client.
    pub client_id: String,
    /// The secret that goes with it, for a client that has one. It is kept sealed and never shown; absent, the former one stays
    /// while issuer and client are the same.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub client_secret: Option<Secret>,
    /// Whether the client has no secret any more: the former one goes. Not together with `client_secret`.
    #[serde(default)]
    pub no_client_secret: bool,
    /// How this host proves that it is that client; `basic` when absent.
    #[serde(default)]
    pub client_auth: Option<ClientAuth>,
    /// The name of the provider, as members know it, 1 to 64 characters; the host of the issuer when absent.
    #[serde(default)]
    pub name: Option<String>,
    /// The claim that names the member, such as `preferred_username`, `email` or `sub`; the first of these when absent.
    #[serde(default)]
    pub claim: Option<String>,
    /// By what the address book finds who is named; `user_name` when absent.
    #[serde(default)]
    pub member_key: Option<MemberKey>,
}

impl PutMemberProvider {
    /// What is to be stored.
    ///
    /// # Errors
    /// `invalid-field`.
    pub fn check(&self, workspace: &WorkspaceId, by: &str, now: Millis) -> Result<MemberProvider> {
        if self.issuer.contains(['?', '#']) {
            return Err(Error::field("issuer", "must have no query and no fragment."));
        }
        if self.no_client_secret && self.client_secret.is_some() {
            return Err(Error::field("no_client_secret", "cannot be said together with a client_secret."));
        }
        let host = || self.issuer.split('/').nth(2).unwrap_or_default().chars().take(64).collect();
        Ok(MemberProvider {
            workspace: workspace.clone(),
            name: text::name("name", &self.name.clone().unwrap_or_else(host), 64)?,
            issuer: self.issuer.clone(),
            client_id: printable("client_id", &self.client_id)?,
            client_auth: self.client_auth.unwrap_or(ClientAuth::Basic),
            claim: printable("claim", self.claim.as_deref().unwrap_or(CLAIM))?,
            member_key: self.member_key.unwrap_or(MemberKey::UserName),
            has_secret: self.client_secret.is_some(),
            changed_by: by.to_owned(),
            changed_at: now,
        })
    }
}

fn printable(field: &str, text: &str) -> Result<String> {
    if (1..=LONGEST).contains(&text.len()) && text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        return Ok(text.to_owned());
    }
    Err(Error::field(field, format!("must have 1 to {LONGEST} printable characters of ASCII.")))
}

/// What whoever opens the portal of a workspace sees before they are signed on.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[schema(as = WorkspacePortalDoor)]
pub struct PortalDoor {
    /// The name of the workspace.
    pub workspace: String,
    /// Whom members ask when they cannot get in, in the words of the workspace; may be empty.
    pub help: String,
    /// The name of the provider at which they sign in; absent when there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// The page of a portal of the organisation's own; empty when there is none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub url: String,
    /// The name of another workspace, at which the browser is signed on that asks by the secret of its sign-on; absent when it is at none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed_on_at: Option<String>,
}

/// Sends a browser to the provider of a workspace.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct BeginMemberVisit {
    /// The query with which an internal tool had sent the browser to `/oidc/authorize`, where it goes on afterwards.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
    /// Whether the provider is to ask who it is, even where it knows somebody.
    pub anew: bool,
}

impl BeginMemberVisit {
    /// Refuses what is too long to be the request of a tool.
    ///
    /// # Errors
    /// `invalid-field`.
    pub fn check(&self) -> Result<()> {
        if self.request.as_ref().is_some_and(|request| request.len() > LONGEST_REQUEST) {
            return Err(Error::field("request", format!("has more than {LONGEST_REQUEST} bytes.")));
        }
        Ok(())
    }
}

/// What a browser has brought back from the provider of a workspace.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EndMemberVisit {
    /// The `state` in the address.
    #[schema(value_type = String)]
    pub state: Secret,
    /// What the browser has kept of the visit.
    #[schema(value_type = String)]
    pub cookie: Secret,
    /// The provider's code; absent when it gave none.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub code: Option<Secret>,
    /// The provider's reason for giving none.
    #[serde(default)]
    pub error: Option<String>,
    /// Whom the answer says that it is of (RFC 9207).
    #[serde(default)]
    pub iss: Option<String>,
    /// What the browser keeps of a sign-on that it has already, if it has one.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub sign_on: Option<Secret>,
}

/// A sign-on of a member that has begun. Its secret is shown only now.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct StartedSignOn {
    /// What the browser has to keep.
    pub secret: String,
    /// When it stops being good.
    pub expires_at: Millis,
    /// Where the browser goes on, for the internal tool that had sent it; absent when none had.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open: Option<String>,
}

/// The portal of the member who is signed on.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[schema(as = OwnWorkspacePortal)]
pub struct OwnPortal {
    /// The name of the workspace.
    pub workspace: String,
    /// The name of the member.
    pub name: String,
    /// Whom members ask, in the words of the workspace; may be empty.
    pub help: String,
    /// What the member may open, by name.
    pub items: Vec<PortalItem>,
}

/// A sign-on of a member has ended.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct SignedOut {
    /// Where the member signs out of the provider, too; absent where the provider offers no such page, or none is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_logout: Option<String>,
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use serde_json::json;

    use super::*;

    fn put(changes: serde_json::Value) -> Result<MemberProvider> {
        let mut whole = json!({"issuer": "https://login.acme.example/realm", "client_id": "berth"});
        whole.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        let put: PutMemberProvider = serde_json::from_value(whole).unwrap();
        put.check(&"acme".parse().unwrap(), "usr_1", Millis(1))
    }

    #[test]
    fn w13_what_is_not_said_of_a_provider_is_as_most_have_it() {
        let plain = put(json!({})).unwrap();
        assert_eq!(plain.name, "login.acme.example");
        assert_eq!((plain.claim.as_str(), plain.member_key), ("preferred_username", MemberKey::UserName));
        assert_eq!(plain.client_auth, ClientAuth::Basic);
        let place = |changes| put(changes).map_err(|error| error.fields["pointer"].clone()).map(drop);
        assert_eq!(place(json!({"issuer": "https://login.acme.example/?a"})), Err(json!("/issuer")));
        assert_eq!(place(json!({"client_id": ""})), Err(json!("/client_id")));
        assert_eq!(place(json!({"claim": "工号"})), Err(json!("/claim")));
        assert_eq!(place(json!({"name": " "})), Err(json!("/name")));
    }

    #[test]
    fn w13_a_client_has_a_secret_or_says_that_it_has_none() {
        assert!(put(json!({"client_secret": "s"})).unwrap().has_secret);
        assert!(!put(json!({"no_client_secret": true})).unwrap().has_secret);
        let both = put(json!({"client_secret": "s", "no_client_secret": true})).unwrap_err();
        assert_eq!(both.fields["pointer"], "/no_client_secret");
    }

    #[test]
    fn w13_a_secret_stays_with_the_issuer_and_the_client_that_it_was_given_for() {
        let is_kept = |changes| put(json!({})).unwrap().shares_secret_with(&put(changes).unwrap());
        assert!(is_kept(json!({"claim": "email", "name": "Acme"})));
        assert!(!is_kept(json!({"client_id": "other"})));
        assert!(!is_kept(json!({"issuer": "https://evil.example"})));
    }
}
