//! Handlers for the browsers of users. What goes wrong is shown as a page, or told to the MiniApp by the address to which
//! the browser is sent.

use axum::{
    Extension,
    extract::{DefaultBodyLimit, State},
    http::{
        HeaderMap, HeaderName, HeaderValue, StatusCode,
        header::{CACHE_CONTROL, LOCATION, ORIGIN, REFERRER_POLICY, SET_COOKIE},
    },
    response::{IntoResponse, Response},
};
use berth_base::error::Error;
use berth_model::oidc::{AskLogout, Parameters, Refusal, Word};
use berth_work::oidc::{self, Browser, Issuer, LoggedOut, Shown};
use utoipa_axum::router::OpenApiRouter;

use super::{
    cookie::{self, Of},
    described::{AuthorizeParameters, EndSessionParameters},
    sent::{InForm, InQuery, LARGEST},
};
use crate::{
    Api,
    client_ip::ClientIp,
    page::{escape, html},
    problem::{self, add_retry_after, log_refusal},
    routes::routes,
};

/// The field of the page's own form by which a user confirms a logout.
const CONFIRMED: &str = "confirmed";
/// The header by which a host app has its web-view bring a login code.
const LOGIN_CODE: HeaderName = HeaderName::from_static("x-login-code");
/// The header by which a browser tells whose page has sent it, which no page can set.
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(authorize, authorize_posted))
        .routes(routes!(end_session, end_session_posted))
        .layer(DefaultBodyLimit::max(LARGEST))
}

/// Log a user in to a MiniApp, or a member of a workspace to an internal tool, and send the browser back with a code.
///
/// By a login code the host app vouches for the user. One in the header `X-Login-Code` gives the browser a sign-on, which is enough for
/// other MiniApps that are bound to the same host app; one in the address logs in once, as any page can have a browser open an address.
/// What is wrong is told to the MiniApp by `error`; where the browser must not be sent back, it is shown as a page. For an internal
/// tool the portal of the workspace vouches: the browser of somebody who is not signed on is sent there first, and the login code is
/// good in that browser alone. A member who may not open the tool is shown why not, and whom to ask.
#[utoipa::path(get, path = "/oidc/authorize", tag = "oidc", params(AuthorizeParameters, ("X-Login-Code" = Option<String>, Header, description = "A login code, which the host app has its web-view bring for a MiniApp. It begins a sign-on of the browser")), responses((status = 303, description = "Back to the client, with `code` or `error`, or on to where members sign on")))]
async fn authorize(
    State(app): State<Api>,
    client: Option<Extension<ClientIp>>,
    headers: HeaderMap,
    InQuery(asked): InQuery,
) -> Response {
    authorized(&app, client, &headers, &asked).await.unwrap_or_else(|refusal| page(&refusal))
}

/// Log a user in to a MiniApp, or a member to an internal tool, by a form.
#[utoipa::path(post, path = "/oidc/authorize", tag = "oidc", request_body(content = AuthorizeParameters, content_type = "application/x-www-form-urlencoded"), responses((status = 303, description = "Back to the client, with `code` or `error`, or on to where members sign on")))]
async fn authorize_posted(
    State(app): State<Api>,
    client: Option<Extension<ClientIp>>,
    headers: HeaderMap,
    InForm(asked): InForm,
) -> Response {
    authorized(&app, client, &headers, &asked).await.unwrap_or_else(|refusal| page(&refusal))
}

async fn authorized(
    app: &Api,
    client: Option<Extension<ClientIp>>,
    headers: &HeaderMap,
    asked: &Parameters,
) -> Result<Response, Refusal> {
    app.let_in(client)?;
    let issuer = Issuer::of(app.config.public_url.as_deref())?;
    let login_code = headers.get(LOGIN_CODE).and_then(|code| code.to_str().ok()).map(|code| code.to_owned().into());
    let browser = Browser { login_code, ..cookie::read(headers, &issuer) };
    let sent = oidc::authorize(&app.db, &issuer, asked, &browser).await?;
    sent.refused.iter().for_each(log_refusal);
    let mut response = match (&sent.shown, &sent.refused) {
        (Some(shown), Some(refused)) => not_for_them(shown, refused, &sent.to),
        _ => go(&sent.to)?,
    };
    let begun = &sent.begun;
    for (of, secret) in [(Of::User, &begun.user), (Of::Member, &begun.member), (Of::SignIn, &begun.sign_in)] {
        if let Some(secret) = secret {
            response.headers_mut().append(SET_COOKIE, cookie::keep(&issuer, of, secret).map_err(Error::internal)?);
        }
    }
    Ok(response)
}

/// Tells a member why a tool is not for them, and whom to ask. The tool is told by the way back.
fn not_for_them(shown: &Shown, refused: &Refusal, back: &str) -> Response {
    let whom = if shown.help.is_empty() {
        "Ask whoever looks after the tools of your organisation.".to_owned()
    } else {
        format!("Ask {}.", shown.help.trim_end_matches('.'))
    };
    let more = format!("<p>{}</p><a class=\"go\" href=\"{}\">Back</a>", escape(&whom), escape(back));
    html(StatusCode::FORBIDDEN, &format!("You may not open {}", shown.tool), &refused.detail, &more)
}

/// Log a user out, and send the browser on.
///
/// The sign-on of the browser ends, and with it what came from it. Without an ID token of the user as `id_token_hint` the
/// user is asked.
#[utoipa::path(get, path = "/oidc/end-session", tag = "oidc", params(EndSessionParameters), responses((status = 303, description = "On to the client"), (status = 200, content_type = "text/html", body = String)))]
async fn end_session(State(app): State<Api>, headers: HeaderMap, InQuery(asked): InQuery) -> Response {
    // What an address says is not what a user has confirmed.
    ended(&app, &headers, &asked, false).await.unwrap_or_else(|refusal| page(&refusal))
}

/// Log a user out, by a form.
#[utoipa::path(post, path = "/oidc/end-session", tag = "oidc", request_body(content = EndSessionParameters, content_type = "application/x-www-form-urlencoded"), responses((status = 303, description = "On to the client"), (status = 200, content_type = "text/html", body = String)))]
async fn end_session_posted(State(app): State<Api>, headers: HeaderMap, InForm(asked): InForm) -> Response {
    let confirmed = matches!(asked.get(CONFIRMED), Ok(Some(_)));
    ended(&app, &headers, &asked, confirmed).await.unwrap_or_else(|refusal| page(&refusal))
}

async fn ended(app: &Api, headers: &HeaderMap, asked: &Parameters, confirmed: bool) -> Result<Response, Refusal> {
    let issuer = Issuer::of(app.config.public_url.as_deref())?;
    let browser = cookie::read(headers, &issuer);
    let confirmed = confirmed && is_from_here(headers, &issuer);
    let ask = AskLogout::read(asked)?;
    let (to, user, member) = match oidc::log_out(&app.db, &issuer, &ask, &browser, confirmed).await? {
        LoggedOut::Ask => return Ok(question(&issuer, asked)),
        LoggedOut::Done { to, user, member } => (to, user, member),
    };
    let mut response = match to {
        Some(to) => go(&to)?,
        None => html(StatusCode::OK, "You are logged out", "You can close this page.", ""),
    };
    for (of, ended) in [(Of::User, user), (Of::Member, member)] {
        if ended {
            response.headers_mut().append(SET_COOKIE, cookie::forget(&issuer, of).map_err(Error::internal)?);
        }
    }
    Ok(response)
}

/// Whether a form was sent by a page of this host. That the cookie came along does not say it: forms of neighbours, whose hosts are of
/// the same site, bring it, too. Browsers that are old, or come without TLS, tell no more than the origin, and programs nothing.
fn is_from_here(headers: &HeaderMap, issuer: &Issuer) -> bool {
    match (headers.get(FETCH_SITE), headers.get(ORIGIN)) {
        (Some(site), _) => site == "same-origin",
        (None, Some(origin)) => origin.to_str().is_ok_and(|origin| issuer.is_origin(origin)),
        (None, None) => true,
    }
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
    html(
        StatusCode::OK,
        "Log out?",
        "You are logged out of all mini-programs and tools that know you by this sign-on.",
        &form,
    )
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
        Word::TemporarilyUnavailable => {
            refusal.cause.as_ref().map_or(StatusCode::SERVICE_UNAVAILABLE, |cause| problem::status(cause.code))
        }
        _ => StatusCode::BAD_REQUEST,
    };
    let whom = "<p>Go back to where you came from. If it happens again, tell its makers what this page says.</p>";
    let text = format!("{} ({})", refusal.detail, refusal.word);
    let mut response = html(status, "You could not be logged in or out", &text, whom);
    if let Some(cause) = &refusal.cause {
        add_retry_after(response.headers_mut(), cause);
    }
    response
}
