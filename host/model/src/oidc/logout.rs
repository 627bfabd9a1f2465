//! What a client asks when it sends a browser here to log a user out (OpenID Connect RP-Initiated Logout 1.0).

use super::{ClientId, Parameters, Refusal};

/// A logout that is asked for.
#[derive(Debug, Default)]
pub struct AskLogout {
    /// An ID token of the user, by which the client shows that it knows who is to be logged out.
    pub id_token_hint: Option<String>,
    /// The client, where there is no ID token.
    pub client_id: Option<ClientId>,
    /// Where the browser is to go afterwards.
    pub post_logout_redirect_uri: Option<String>,
    /// What the client gets back unchanged.
    pub state: Option<String>,
}

impl AskLogout {
    /// Reads what is asked.
    ///
    /// # Errors
    /// `invalid_request`.
    pub fn read(parameters: &Parameters) -> Result<Self, Refusal> {
        let text = |name| Ok::<_, Refusal>(parameters.get(name)?.map(str::to_owned));
        Ok(Self {
            id_token_hint: text("id_token_hint")?,
            client_id: parameters.get("client_id")?.map(ClientId::read).transpose()?,
            post_logout_redirect_uri: text("post_logout_redirect_uri")?,
            state: text("state")?,
        })
    }
}
