//! Who a client is, and what an internal tool registers.

use std::fmt;

use berth_base::{
    clock::Millis,
    ids::{ApplicationId, MiniAppId, UserId, WorkspaceId},
};
use serde::{Deserialize, Serialize};

use super::super::{Refusal, SetOidcClient, client::changed};

/// An OpenID client: a MiniApp, or an internal tool of a workspace. Only ids of the latter have an underscore.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum ClientId {
    /// A MiniApp, which users of host apps are logged in to.
    MiniApp(MiniAppId),
    /// An internal tool, which members of its workspace are signed on to.
    Tool(ApplicationId),
}

impl ClientId {
    /// Reads a `client_id`.
    ///
    /// # Errors
    /// `invalid_request` for what is the id of neither.
    pub fn read(text: &str) -> Result<Self, Refusal> {
        let tool = || text.parse().map(Self::Tool);
        let client = text.parse().map(Self::MiniApp).or_else(|_| tool());
        client.map_err(|_| Refusal::request("The client_id is not the id of a MiniApp or an internal tool."))
    }
}

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MiniApp(id) => id.fmt(f),
            Self::Tool(id) => id.fmt(f),
        }
    }
}

/// What an internal tool has registered as an OpenID client. Of its secret only the hash is kept.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
pub struct ToolClient {
    /// Id of the application, which is the `client_id`.
    pub application: ApplicationId,
    /// The workspace, whose members are signed on.
    pub workspace: WorkspaceId,
    /// Where browsers come back to after a login. As long as there is none, nobody is signed on.
    pub redirect_uris: Vec<String>,
    /// Where browsers may go after a logout.
    pub post_logout_redirect_uris: Vec<String>,
    /// When the client secret was made, which is also when the one before it stopped; absent when there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_issued_at: Option<Millis>,
    /// The account that made it; absent when there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_issued_by: Option<UserId>,
}

/// What an internal tool has registered was changed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
pub struct ToolClientChanged {
    /// Id of the application.
    pub application: ApplicationId,
    /// Addresses that came, of either kind.
    pub added: Vec<String>,
    /// Addresses that went, of either kind.
    pub removed: Vec<String>,
    /// Where browsers come back to after a login now.
    pub redirect_uris: Vec<String>,
    /// Where browsers may go after a logout now.
    pub post_logout_redirect_uris: Vec<String>,
}

impl ToolClient {
    /// How this becomes `after`; `None` when it stays as it is.
    pub fn change(&self, after: &SetOidcClient) -> Option<ToolClientChanged> {
        let before = SetOidcClient {
            redirect_uris: self.redirect_uris.clone(),
            post_logout_redirect_uris: self.post_logout_redirect_uris.clone(),
        };
        let (added, removed) = changed(&before, after)?;
        let SetOidcClient { redirect_uris, post_logout_redirect_uris } = after.clone();
        Some(ToolClientChanged {
            application: self.application.clone(),
            added,
            removed,
            redirect_uris,
            post_logout_redirect_uris,
        })
    }
}

/// A new client secret of an internal tool, which is shown only now.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct IssuedToolSecret {
    /// Id of the application, which is the `client_id`.
    pub application: ApplicationId,
    /// The secret: `berth_tool_` and 32 characters. It is not stored and cannot be shown again.
    pub secret: String,
    /// When it was made.
    pub issued_at: Millis,
}

/// An internal tool has a new client secret. The secret is not told.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct ToolSecretIssued {
    /// The workspace.
    pub workspace: WorkspaceId,
    /// Id of the application.
    pub application: ApplicationId,
    /// Whether it is in place of another one, which stopped with all tokens that were given for it.
    pub reset: bool,
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::*;

    #[test]
    fn w6_a_client_is_a_mini_app_or_an_internal_tool() {
        let tool = format!("wapp_{}", "0".repeat(26));
        assert!(matches!(ClientId::read("shop").unwrap(), ClientId::MiniApp(_)));
        assert!(matches!(ClientId::read(&tool).unwrap(), ClientId::Tool(_)));
        for none in ["", "wapp_1", "mem_00000000000000000000000000", "A B"] {
            assert!(ClientId::read(none).is_err(), "{none}");
        }
    }
}
