//! Handlers for the servers of MiniApps.

use axum::{
    Extension, Json,
    extract::{DefaultBodyLimit, State},
    http::{
        HeaderMap, HeaderName, HeaderValue,
        header::{AUTHORIZATION, CACHE_CONTROL},
    },
};
use berth_model::oidc::{ClientProof, Exchange, Jwks, OpenIdConfiguration, Refusal, TokenAnswer, UserInfo, Word};
use berth_work::{
    app_secret,
    oidc::{self, Issuer},
};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    described::TokenForm,
    sent::{InForm, LARGEST},
};
use crate::{Api, client_ip::ClientIp, problem::OAuthProblem};

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(configuration))
        .routes(routes!(jwks))
        .routes(routes!(token))
        .routes(routes!(user_info, user_info_posted))
        .layer(DefaultBodyLimit::max(LARGEST))
}

type Answer<T> = Result<T, OAuthProblem>;
type With<T> = ([(HeaderName, &'static str); 1], Json<T>);

/// An answer that nobody keeps.
fn not_kept<T>(value: T) -> With<T> {
    ([(CACHE_CONTROL, "no-store")], Json(value))
}

/// An answer that clients may keep for some minutes.
fn kept<T>(value: T) -> With<T> {
    ([(CACHE_CONTROL, "public, max-age=300")], Json(value))
}

/// Get what this host says of itself to OpenID clients: where the addresses are, and what is supported.
#[utoipa::path(get, path = "/.well-known/openid-configuration", tag = "oidc", responses((status = 200, body = OpenIdConfiguration)))]
async fn configuration(State(app): State<Api>) -> Answer<With<OpenIdConfiguration>> {
    let issuer = Issuer::of(app.config.public_url.as_deref())?;
    Ok(kept(OpenIdConfiguration::of(issuer.as_str())))
}

/// Get the keys by which ID tokens are verified.
#[utoipa::path(get, path = "/oidc/jwks", tag = "oidc", responses((status = 200, body = Jwks)))]
async fn jwks(State(app): State<Api>) -> Answer<With<Jwks>> {
    Issuer::of(app.config.public_url.as_deref())?;
    Ok(kept(oidc::jwks(&app.db).await?))
}

/// Exchange a code for an ID token and an access token, in the name of the MiniApp's server.
///
/// The AppSecret says who asks, by `client_secret_basic` or `client_secret_post`.
#[utoipa::path(post, path = "/oidc/token", tag = "oidc", request_body(content = TokenForm, content_type = "application/x-www-form-urlencoded"), responses((status = 200, body = TokenAnswer)))]
async fn token(
    State(app): State<Api>,
    client: Option<Extension<ClientIp>>,
    headers: HeaderMap,
    InForm(form): InForm,
) -> Answer<With<TokenAnswer>> {
    let issuer = Issuer::of(app.config.public_url.as_deref())?;
    let proof = ClientProof::read(headers.get(AUTHORIZATION).map(readable), &form)?;
    let proved = app.try_secret(client, app_secret::prove(&app.db, &proof.mini_app, &proof.secret)).await?;
    let exchange = Exchange::read(&form)?;
    Ok(not_kept(oidc::exchange(&app.db, &issuer, &proof.mini_app, proved, &exchange).await?))
}

/// The text of a header; what is none proves nothing.
fn readable(header: &HeaderValue) -> &str {
    header.to_str().unwrap_or_default()
}

/// Get the user whom an access token speaks of.
#[utoipa::path(get, path = "/oidc/userinfo", tag = "oidc", responses((status = 200, body = UserInfo)))]
async fn user_info(State(app): State<Api>, headers: HeaderMap) -> Answer<With<UserInfo>> {
    Issuer::of(app.config.public_url.as_deref())?;
    let token = headers.get(AUTHORIZATION).map(readable).and_then(|header| header.split_once(' '));
    let token = token.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")).ok_or_else(|| {
        Refusal::new(
            Word::InvalidToken,
            "Send `Authorization: Bearer berth_access_...`, the access token of /oidc/token.",
        )
    })?;
    Ok(not_kept(oidc::user_info(&app.db, token.1.trim()).await?))
}

/// Get the user whom an access token speaks of, as some clients ask.
#[utoipa::path(post, path = "/oidc/userinfo", tag = "oidc", responses((status = 200, body = UserInfo)))]
async fn user_info_posted(app: State<Api>, headers: HeaderMap) -> Answer<With<UserInfo>> {
    user_info(app, headers).await
}
