//! What requests of OAuth hold, for the API's description. They are read by `model::oidc`, as OAuth reads parameters.

#![allow(dead_code, reason = "only the description is used")]

/// Where a client sends a browser to log its user in.
#[derive(utoipa::IntoParams, utoipa::ToSchema)]
#[into_params(parameter_in = Query)]
pub(super) struct AuthorizeParameters {
    /// Id of the MiniApp or the internal tool.
    client_id: String,
    /// Where the browser comes back to: one of the addresses that the client has registered.
    redirect_uri: String,
    /// Always `code`.
    response_type: String,
    /// Has `openid`; for an internal tool also `profile`, `email`, `departments` and `offline_access`.
    scope: String,
    /// The base64url of the SHA-256 of the `code_verifier`.
    code_challenge: String,
    /// Always `S256`.
    code_challenge_method: String,
    /// Comes back unchanged.
    state: Option<String>,
    /// Stands in the ID token.
    nonce: Option<String>,
    /// `none`, or `login` to have the user vouched for anew.
    prompt: Option<String>,
    /// How many seconds ago the user may have been vouched for at most.
    max_age: Option<u32>,
    /// An ID token of the user who has to be signed on.
    id_token_hint: Option<String>,
    /// A login code, which the server of the host app, or of the portal, got for this client. That of a host app logs in once; that of a
    /// portal begins a sign-on of the browser for which it was issued.
    login_code: Option<String>,
}

/// The exchange of a code or a refresh token.
#[derive(utoipa::ToSchema)]
pub(super) struct TokenForm {
    /// `authorization_code`; for an internal tool also `refresh_token`.
    grant_type: String,
    /// The code.
    code: Option<String>,
    /// Where the browser had come back to.
    redirect_uri: Option<String>,
    /// What the challenge was made of.
    code_verifier: Option<String>,
    /// The refresh token, in place of the three before.
    refresh_token: Option<String>,
    /// Id of the client, unless it is in the header `Authorization: Basic`.
    client_id: Option<String>,
    /// Its AppSecret or client secret, unless it is in the header.
    client_secret: Option<String>,
}

/// Where a client sends a browser to log its user out.
#[derive(utoipa::IntoParams, utoipa::ToSchema)]
#[into_params(parameter_in = Query)]
pub(super) struct EndSessionParameters {
    /// An ID token of the user, without which the user is asked.
    id_token_hint: Option<String>,
    /// Id of the client.
    client_id: Option<String>,
    /// Where the browser goes afterwards: one of the addresses that the client has registered for it.
    post_logout_redirect_uri: Option<String>,
    /// Comes back unchanged.
    state: Option<String>,
}
