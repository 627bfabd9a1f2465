//! Handlers for the browsers of users. What goes wrong is shown as a page, or told to the MiniApp by the address to which
//! the browser is sent.

use axum::{
    extract::{DefaultBodyLimit, State},
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{CACHE_CONTROL, LOCATION, REFERRER_POLICY, SET_COOKIE},
    },
    response::{IntoResponse, Response},
};
use berth_base::error::Error;
use berth_model::oidc::{AskLogout, Parameters, Refusal, Word};
use berth_work::oidc::{self, Issuer, LoggedOut};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    cookie,
    described::{AuthorizeParameters, EndSessionParameters},
    sent::{InForm, InQuery, LARGEST},
};
use crate::{
    Api,
    page::{escape, html},
    problem::log_refusal,
};

/// The field of the page's own form by which a user confirms a logout.
const CONFIRMED: &str = "confirmed";

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(authorize, authorize_posted))
        .routes(routes!(end_session, end_session_posted))
        .layer(DefaultBodyLimit::max(LARGEST))
}

/// Log a user in to a MiniApp, and send the browser back to it with a code.
///
/// With a `login_code` the host app vouches for the user, and the browser gets a sign-on, which is enough for other MiniApps
/// that are bound to the same host app. What is wrong is told to the MiniApp by `error`; where the browser must not be sent
/// back, it is shown as a page.
#[utoipa::path(get, path = "/oidc/authorize", tag = "oidc", params(AuthorizeParameters), responses((status = 303, description = "Back to the MiniApp, with `code` or `error`")))]
async fn authorize(State(app): State<Api>, headers: HeaderMap, InQuery(asked): InQuery) -> Response {
    authorized(&app, &headers, &asked).await.unwrap_or_else(|refusal| page(&refusal))
}

/// Log a user in to a MiniApp, by a form.
#[utoipa::path(post, path = "/oidc/authorize", tag = "oidc", request_body(content = AuthorizeParameters, content_type = "application/x-www-form-urlencoded"), responses((status = 303, description = "Back to the MiniApp, with `code` or `error`")))]
async fn authorize_posted(State(app): State<Api>, headers: HeaderMap, InForm(asked): InForm) -> Response {
    authorized(&app, &headers, &asked).await.unwrap_or_else(|refusal| page(&refusal))
}

async fn authorized(app: &Api, headers: &HeaderMap, asked: &Parameters) -> Result<Response, Refusal> {
    let issuer = Issuer::of(app.config.public_url.as_deref())?;
    let browser = cookie::read(headers, &issuer);
    let sent = oidc::authorize(&app.db, &issuer, asked, browser.as_deref()).await?;
    sent.refused.iter().for_each(log_refusal);
    let mut response = go(&sent.to)?;
    if let Some(secret) = &sent.sign_on {
        response.headers_mut().insert(SET_COOKIE, cookie::keep(&issuer, secret).map_err(Error::internal)?);
    }
    Ok(response)
}

/// Log a user out, and send the browser on.
///
/// The sign-on of the browser ends, and with it what came from it. Without an ID token of the user as `id_token_hint` the
/// user is asked.
#[utoipa::path(get, path = "/oidc/end-session", tag = "oidc", params(EndSessionParameters), responses((status = 303, description = "On to the MiniApp"), (status = 200, content_type = "text/html", body = String)))]
async fn end_session(State(app): State<Api>, headers: HeaderMap, InQuery(asked): InQuery) -> Response {
    // What an address says is not what a user has confirmed.
    ended(&app, &headers, &asked, false).await.unwrap_or_else(|refusal| page(&refusal))
}

/// Log a user out, by a form.
#[utoipa::path(post, path = "/oidc/end-session", tag = "oidc", request_body(content = EndSessionParameters, content_type = "application/x-www-form-urlencoded"), responses((status = 303, description = "On to the MiniApp"), (status = 200, content_type = "text/html", body = String)))]
async fn end_session_posted(State(app): State<Api>, headers: HeaderMap, InForm(asked): InForm) -> Response {
    // The cookie comes with forms of pages of this very site only, so this one is ours.
    let confirmed = matches!(asked.get(CONFIRMED), Ok(Some(_)));
    ended(&app, &headers, &asked, confirmed).await.unwrap_or_else(|refusal| page(&refusal))
}

async fn ended(app: &Api, headers: &HeaderMap, asked: &Parameters, confirmed: bool) -> Result<Response, Refusal> {
    let issuer = Issuer::of(app.config.public_url.as_deref())?;
    let browser = cookie::read(headers, &issuer);
    let ask = AskLogout::read(asked)?;
    let mut response = match oidc::log_out(&app.db, &issuer, &ask, browser.as_deref(), confirmed).await? {
        LoggedOut::Ask => return Ok(question(&issuer, asked)),
        LoggedOut::Done(Some(to)) => go(&to)?,
        LoggedOut::Done(None) => html(StatusCode::OK, "You are logged out", "You can close this page.", ""),
    };
    response.headers_mut().insert(SET_COOKIE, cookie::forget(&issuer).map_err(Error::internal)?);
    Ok(response)
}

/// Asks the user whether to log out, by a form that repeats what was asked.
fn question(issuer: &Issuer, asked: &Parameters) -> Response {
    let names = ["id_token_hint", "client_id", "post_logout_redirect_uri", "state"];
    let hidden =
        |(name, value): (&str, &str)| format!("<input type=\"hidden\" name=\"{name}\" value=\"{}\">", escape(value));
    let told = names.into_iter().filter_map(|name| Some((name, asked.get(name).ok()??)));
    let fields: String = told.chain([(CONFIRMED, "yes")]).map(hidden).collect();
    let action = escape(&format!("{}/oidc/end-session", issuer.as_str()));
    let form =
        format!("<form method=\"post\" action=\"{action}\">{fields}<button class=\"go\">Log out</button></form>");
    html(StatusCode::OK, "Log out?", "You are logged out of all mini-programs that know you by this sign-on.", &form)
}

/// Sends the browser on. The next page does not learn from where, as this address may hold a login code.
fn go(to: &str) -> Result<Response, Refusal> {
    let to = HeaderValue::try_from(to).map_err(Error::internal)?;
    let plain = |text| HeaderValue::from_static(text);
    let headers = [(LOCATION, to), (CACHE_CONTROL, plain("no-store")), (REFERRER_POLICY, plain("no-referrer"))];
    Ok((StatusCode::SEE_OTHER, headers).into_response())
}

/// Shows a refusal to the user, and whom to ask.
fn page(refusal: &Refusal) -> Response {
    log_refusal(refusal);
    let status = match refusal.word {
        Word::ServerError => StatusCode::INTERNAL_SERVER_ERROR,
        Word::TemporarilyUnavailable => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::BAD_REQUEST,
    };
    let whom = "<p>Go back to the mini-program. If it happens again, tell its makers what this page says.</p>";
    let text = format!("{} ({})", refusal.detail, refusal.word);
    html(status, "You could not be logged in or out", &text, whom)
}
