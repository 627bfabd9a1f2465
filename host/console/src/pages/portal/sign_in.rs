//! Members sign in at the provider of their organisation, and out.

use askama::Template;
use axum::{
    Router,
    extract::{Path, Query, State},
    http::{Extensions, HeaderMap, HeaderValue, Method, header},
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use berth_model::{
    access::{ProviderVisit, VISIT_SECONDS},
    member_portal::{BeginMemberVisit, PortalDoor, SignedOut, StartedSignOn},
    oidc::{SIGN_ON_SECONDS, member_cookie},
};
use serde::Deserialize;
use serde_json::json;

use super::{Guest, Page, refusal};
use crate::{
    Console,
    act::Sent,
    pages::sign_in::provider::{Came, Go, cookie_header, cookie_name, leading_on},
    path::with_query,
    refused::Refused,
    texts::Texts,
    visitor::cookie,
};

pub(super) fn routes() -> Router<Console> {
    Router::new()
        .route("/portal/{id}/sign-in", get(leave).post(leave_all_the_same))
        .route("/portal/{id}/back", get(come_back))
        .route("/portal/{id}/sign-out", post(sign_out))
        .route("/portal/{id}/signed-out", get(signed_out))
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Leaving {
    /// What an internal tool had asked, when it has sent the browser.
    request: Option<String>,
    /// There when the provider is to ask who it is.
    as_other: Option<String>,
}

#[derive(Template)]
#[template(path = "portal/elsewhere.html")]
struct Elsewhere<'a> {
    t: Texts,
    heading: String,
    text: String,
    /// Where the form goes.
    here: String,
    leaving: &'a Leaving,
}

/// Asks a member who is signed on at another workspace, whatever link has led them here: going on ends that.
fn ask(guest: &Guest, door: &PortalDoor, leaving: &Leaving) -> Response {
    let (t, other) = (guest.t, door.signed_on_at.as_deref().unwrap_or_default());
    let (heading, here) = (t.portal_other_place(other), format!("{}/sign-in", guest.home()));
    let address =
        with_query(&here, [("request", leaving.request.as_deref()), ("as_other", leaving.as_other.as_deref())]);
    let page = Page { title: &heading, workspace: &door.workspace, address: Some(&address), ..Page::default() };
    let text = t.portal_other_place_text(&door.workspace, other);
    guest.page(page, &Elsewhere { t, heading: heading.clone(), text, here, leaving })
}

/// Sends the browser to the provider, unless that ends a sign-on at another workspace, which nobody's link does.
async fn leave(
    State(console): State<Console>,
    Path(id): Path<String>,
    Query(leaving): Query<Leaving>,
    headers: HeaderMap,
    extensions: Extensions,
) -> Response {
    let guest = Guest::of(&console, id, &headers, &extensions);
    match guest.elsewhere().await {
        Ok(Some(door)) => ask(&guest, &door, &leaving),
        Ok(None) => away(&guest, leaving, |visit| Redirect::to(&visit.address).into_response()).await,
        Err(refused) => refusal::show(&guest, &refused).await,
    }
}

/// The same for a member who was asked. As the policy of the pages lets a form lead to no other host, the answer is a page that leads on.
async fn leave_all_the_same(
    State(console): State<Console>,
    Path(id): Path<String>,
    headers: HeaderMap,
    extensions: Extensions,
    sent: Sent,
) -> Response {
    let guest = Guest::of(&console, id, &headers, &extensions);
    let leaving = Leaving { request: sent.some("request"), as_other: sent.some("as_other") };
    away(&guest, leaving, |visit| go(&guest, visit)).await
}

fn go(guest: &Guest, visit: &ProviderVisit) -> Response {
    let t = guest.t;
    let page = Page { title: t.provider_go(), ..Page::default() };
    leading_on(guest.page(page, &Go { t, address: &visit.address }), &visit.address)
}

/// Begins a visit of the provider, with a cookie by which the browser is known when it comes back.
async fn away(guest: &Guest, leaving: Leaving, lead: impl FnOnce(&ProviderVisit) -> Response) -> Response {
    let begin = BeginMemberVisit { request: leaving.request, anew: leaving.as_other.is_some() };
    match guest.api.tell::<ProviderVisit>(Method::POST, &guest.path("/visits"), &begin).await {
        Ok(visit) => {
            let mut response = lead(&visit);
            let kept = cookie_header(guest.is_secure, &visit.state, &visit.cookie, VISIT_SECONDS);
            response.headers_mut().extend(kept.map(|line| (header::SET_COOKIE, line)));
            response
        }
        Err(refused) => refusal::show(guest, &refused).await,
    }
}

/// Receives a browser back, and leads it on: to the internal tool that had sent it, or to the portal.
async fn come_back(
    State(console): State<Console>,
    Path(id): Path<String>,
    Query(came): Query<Came>,
    headers: HeaderMap,
    extensions: Extensions,
) -> Response {
    let guest = Guest::of(&console, id, &headers, &extensions);
    let Came { state, code, error, iss } = came;
    let kept = cookie_name(guest.is_secure, &state).and_then(|name| cookie(&headers, &name)).unwrap_or_default();
    let told =
        json!({"state": state, "cookie": kept, "code": code, "error": error, "iss": iss, "sign_on": guest.sign_on});
    let mut response = match guest.api.tell::<StartedSignOn>(Method::POST, &guest.path("/sign-ons"), &told).await {
        Ok(started) => {
            let to = started.open.unwrap_or_else(|| guest.home());
            let mut response = Redirect::to(&to).into_response();
            response.headers_mut().extend(keep(guest.is_secure, &started.secret, SIGN_ON_SECONDS));
            response
        }
        Err(refused) => refusal::show(&guest, &refused).await,
    };
    if let Some(forget) = cookie_header(guest.is_secure, &state, "", 0) {
        response.headers_mut().append(header::SET_COOKIE, forget);
    }
    response
}

/// The header that has the browser keep the sign-on of a member, or forget it.
fn keep(is_secure: bool, secret: &str, seconds: i64) -> Option<(header::HeaderName, HeaderValue)> {
    let secure = if is_secure { "; Secure" } else { "" };
    let name = member_cookie(is_secure);
    let line = format!("{name}={secret}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}");
    let mut line = HeaderValue::from_str(&line).ok()?;
    line.set_sensitive(true);
    Some((header::SET_COOKIE, line))
}

#[derive(Template)]
#[template(path = "portal/signed_out.html")]
struct Out<'a> {
    t: Texts,
    home: String,
    /// Where the member signs out of the provider, too.
    there: Option<&'a str>,
}

/// Ends the sign-on of this browser. Whether the member signs out of the provider, too, is theirs to say: other things of the
/// organisation hang on that.
async fn sign_out(
    State(console): State<Console>,
    Path(id): Path<String>,
    headers: HeaderMap,
    extensions: Extensions,
) -> Response {
    let guest = Guest::of(&console, id, &headers, &extensions);
    let ended = match end(&guest).await {
        Ok(ended) => ended,
        // It goes on: nobody is told otherwise, and the browser can try again.
        Err(refused) => return refusal::show(&guest, &refused).await,
    };
    let mut response = show_out(&guest, ended.as_ref().and_then(|ended| ended.provider_logout.as_deref())).await;
    response.headers_mut().extend(keep(guest.is_secure, "", 0));
    response
}

/// Ends the sign-on of the browser; `None` when it has none, or that has ended already.
async fn end(guest: &Guest) -> Result<Option<SignedOut>, Refused> {
    let Some(member) = guest.member() else { return Ok(None) };
    match member.tell(Method::POST, &guest.path("/sign-out"), &json!({})).await {
        Ok(ended) => Ok(Some(ended)),
        Err(Refused::ByApi(refusal)) if refusal.status == 401 => Ok(None),
        Err(refused) => Err(refused),
    }
}

/// The same page for whoever comes back to it, such as by another language.
async fn signed_out(
    State(console): State<Console>,
    Path(id): Path<String>,
    headers: HeaderMap,
    extensions: Extensions,
) -> Response {
    show_out(&Guest::of(&console, id, &headers, &extensions), None).await
}

async fn show_out(guest: &Guest, there: Option<&str>) -> Response {
    let (workspace, _) = guest.names().await;
    let address = format!("{}/signed-out", guest.home());
    let page =
        Page { title: guest.t.portal_signed_out(), workspace: &workspace, address: Some(&address), ..Page::default() };
    guest.page(page, &Out { t: guest.t, home: guest.home(), there })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::keep;

    #[test]
    fn w14_the_browser_keeps_a_sign_on_as_that_of_internal_tools() {
        let line = keep(true, "s", 43_200).unwrap().1;
        assert_eq!(line, "__Host-berth-member-sign-on=s; Path=/; Max-Age=43200; HttpOnly; SameSite=Lax; Secure");
        let line = keep(false, "", 0).unwrap().1;
        assert_eq!(line, "berth-member-sign-on=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax");
    }
}
