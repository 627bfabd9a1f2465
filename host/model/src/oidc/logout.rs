//! What a MiniApp asks when it sends a browser here to log a user out (OpenID Connect RP-Initiated Logout 1.0).

use berth_base::ids::MiniAppId;

use super::{Parameters, Refusal};

/// A logout that is asked for.
#[derive(Debug, Default)]
pub struct AskLogout {
    /// An ID token of the user, by which the MiniApp shows that it knows who is to be logged out.
    pub id_token_hint: Option<String>,
    /// The MiniApp, where there is no ID token.
    pub client_id: Option<MiniAppId>,
    /// Where the browser is to go afterwards.
    pub post_logout_redirect_uri: Option<String>,
    /// What the MiniApp gets back unchanged.
    pub state: Option<String>,
}

impl AskLogout {
    /// Reads what is asked.
    ///
    /// # Errors
    /// `invalid_request`.
    pub fn read(parameters: &Parameters) -> Result<Self, Refusal> {
        let text = |name| Ok::<_, Refusal>(parameters.get(name)?.map(str::to_owned));
        let client_id = parameters.get("client_id")?.map(str::parse).transpose();
        Ok(Self {
            id_token_hint: text("id_token_hint")?,
            client_id: client_id.map_err(|_| Refusal::request("The client_id is not the id of a MiniApp."))?,
            post_logout_redirect_uri: text("post_logout_redirect_uri")?,
            state: text("state")?,
        })
    }
}
