//! Handlers for the servers of MiniApps and internal tools.

use axum::{
    Extension, Json,
    extract::{DefaultBodyLimit, State},
    http::{
        HeaderMap, HeaderName, HeaderValue,
        header::{AUTHORIZATION, CACHE_CONTROL},
    },
};
use berth_model::oidc::{
    ClientId, ClientProof, Exchange, Granted, Jwks, MemberClaims, OpenIdConfiguration, Refusal, TokenAnswer, UserInfo,
    Word,
};
use berth_work::{
    app_secret,
    oidc::{self, Issuer, Told, tool},
};
use utoipa_axum::router::OpenApiRouter;

use super::{
    described::TokenForm,
    sent::{InForm, LARGEST},
};
use crate::{Api, auth::token_in, client_ip::ClientIp, problem::OAuthProblem, routes::routes};

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(configuration))
        .routes(routes!(jwks))
        .routes(routes!(token))
        .routes(routes!(user_info, user_info_posted))
        .layer(DefaultBodyLimit::max(LARGEST))
}

/// What an access token tells, for the API's description: of a user, or of a member.
#[derive(serde::Serialize, utoipa::ToSchema)]
#[serde(untagged)]
#[allow(dead_code, reason = "only the description is used")]
enum UserInfoAnswer {
    User(UserInfo),
    Member(MemberClaims),
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

/// Exchange a code for an ID token and an access token, in the name of the client's server. An internal tool exchanges its refresh
/// tokens, too.
///
/// The AppSecret of the MiniApp, or the client secret of the internal tool, says who asks, by `client_secret_basic` or
/// `client_secret_post`.
#[utoipa::path(post, path = "/oidc/token", tag = "oidc", request_body(content = TokenForm, content_type = "application/x-www-form-urlencoded"), responses((status = 200, body = TokenAnswer)))]
async fn token(
    State(app): State<Api>,
    client: Option<Extension<ClientIp>>,
    headers: HeaderMap,
    InForm(form): InForm,
) -> Answer<With<TokenAnswer>> {
    let issuer = Issuer::of(app.config.public_url.as_deref())?;
    let proof = ClientProof::read(headers.get(AUTHORIZATION).map(readable), &form)?;
    Ok(not_kept(match &proof.client {
        ClientId::MiniApp(id) => {
            let proved = app.try_secret(client, app_secret::prove(&app.db, id, &proof.secret)).await?;
            oidc::exchange(&app.db, &issuer, id, proved, &Exchange::read(&form)?).await?
        }
        ClientId::Tool(id) => {
            let proved = app.try_secret(client, tool::prove(&app.db, id, &proof.secret)).await?;
            tool::exchange(&app.db, &issuer, id, proved, &Granted::read(&form)?).await?
        }
    }))
}

/// The text of a header; what is none proves nothing.
fn readable(header: &HeaderValue) -> &str {
    header.to_str().unwrap_or_default()
}

/// Get the user or the member whom an access token speaks of.
///
/// A MiniApp is told the OpenID and the host app of a user; an internal tool what its scopes tell of a member, as the address book has
/// it now.
#[utoipa::path(get, path = "/oidc/userinfo", tag = "oidc", responses((status = 200, body = inline(UserInfoAnswer))))]
async fn user_info(State(app): State<Api>, headers: HeaderMap) -> Answer<With<Told>> {
    Issuer::of(app.config.public_url.as_deref())?;
    let token = headers.get(AUTHORIZATION).and_then(token_in).ok_or_else(|| {
        Refusal::new(
            Word::InvalidToken,
            "Send `Authorization: Bearer berth_access_...`, the access token of /oidc/token.",
        )
    })?;
    Ok(not_kept(oidc::user_info(&app.db, token).await?))
}

/// Get the user whom an access token speaks of, as some clients ask.
#[utoipa::path(post, path = "/oidc/userinfo", tag = "oidc", responses((status = 200, body = inline(UserInfoAnswer))))]
async fn user_info_posted(app: State<Api>, headers: HeaderMap) -> Answer<With<Told>> {
    user_info(app, headers).await
}
