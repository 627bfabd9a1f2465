//! The identity provider: a browser goes there and comes back, to sign in, to accept an invitation or to link an account.
//!
//! Signing in begins by a link. The others begin by a form, so that no other site begins them; as the policy of the pages lets a
//! form lead to no other host, the answer to it is a page that leads on.

use axum::{
    Router,
    extract::{Path, Query, State},
    http::{Extensions, HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use berth_model::access::{ProviderLink, ProviderVisit, SignInProvider, VISIT_SECONDS};
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde_json::json;

use super::{Back, safe, show_form, show_invitation, signed_in, stranger};
use crate::{
    Console,
    act::Sent,
    api::Api,
    frame::{self, done},
    pages::me,
    parts::Filled,
    path::escape,
    refused::Refused,
    texts::Texts,
    visit::{Answer, OrShow, Shown, Visit},
    visitor::{Taste, cookie},
};

/// What the API has.
const VISITS: &str = "/v1/sign-in-provider/visits";
const LINK: &str = "/v1/me/provider-link";

pub fn routes() -> Router<Console> {
    Router::new()
        .route("/ui/sign-in/provider", get(sign_in))
        .route("/ui/sign-in/back", get(come_back))
        .route("/ui/invitation/{code}/provider", post(accept))
        .route("/ui/me/provider", post(link))
        .route("/ui/me/provider/unlink", post(unlink))
}

/// The provider of the host, if it has one. A page is better without it than not at all.
pub async fn provider(api: &Api) -> Option<SignInProvider> {
    api.get("/v1/sign-in-provider").await.ok()
}

/// What a browser keeps while it is away.
struct Kept {
    /// Whether the visitor's account is linked, and nobody signed in.
    links: bool,
    /// The secret of the visit.
    cookie: String,
    /// Where it goes afterwards.
    back: String,
}

impl Kept {
    /// What the browser was given with this state, if it is the same browser.
    fn of(headers: &HeaderMap, is_secure: bool, state: &str) -> Option<Self> {
        let mut parts = cookie(headers, &cookie_name(is_secure, state)?)?.splitn(3, '.');
        let (purpose, cookie, back) = (parts.next()?, parts.next()?.to_owned(), parts.next()?);
        let back = percent_decode_str(back).decode_utf8().ok()?.into_owned();
        Some(Self { links: purpose == "link", cookie, back })
    }

    /// The header that has the browser keep it. The browser sends it when it comes from another site, so `Lax` and not `Strict`.
    fn header(&self, is_secure: bool, state: &str) -> Option<HeaderValue> {
        let purpose = if self.links { "link" } else { "sign-in" };
        let value = format!("{purpose}.{}.{}", self.cookie, escape(&self.back));
        cookie_header(is_secure, state, &value, VISIT_SECONDS)
    }
}

/// The name of the cookie of a visit: several tabs may be away at once.
pub fn cookie_name(is_secure: bool, state: &str) -> Option<String> {
    let named = state.get(..8).filter(|named| named.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
    Some(format!("{}berth_visit_{named}", if is_secure { "__Host-" } else { "" }))
}

/// The header that has a browser keep something while it is away, or forget it.
pub fn cookie_header(is_secure: bool, state: &str, value: &str, seconds: i64) -> Option<HeaderValue> {
    let (name, secure) = (cookie_name(is_secure, state)?, if is_secure { "; Secure" } else { "" });
    let line = format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}");
    let mut line = HeaderValue::from_str(&line).ok()?;
    line.set_sensitive(true);
    Some(line)
}

/// The answer with what the browser has to keep.
fn keeping(console: &Console, visit: &ProviderVisit, links: bool, back: &str, answer: impl IntoResponse) -> Response {
    let kept = Kept { links, cookie: visit.cookie.clone(), back: back.to_owned() };
    let mut response = answer.into_response();
    response
        .headers_mut()
        .extend(kept.header(console.is_secure(), &visit.state).map(|line| (header::SET_COOKIE, line)));
    response
}

/// A page that leads on to the provider.
#[derive(askama::Template)]
#[template(path = "sign_in/go.html")]
pub struct Go<'a> {
    pub t: Texts,
    pub address: &'a str,
}

/// Has a page lead on to an address by itself.
pub fn leading_on(mut page: Response, address: &str) -> Response {
    let refresh = HeaderValue::from_str(&format!("0; url={address}")).ok();
    page.headers_mut().extend(refresh.map(|to| (HeaderName::from_static("refresh"), to)));
    page
}

fn go(taste: &Taste, visit: &ProviderVisit) -> Response {
    let t = taste.t;
    let page = frame::alone(taste, StatusCode::OK, t.provider_go(), &Go { t, address: &visit.address });
    leading_on(page, &visit.address)
}

async fn sign_in(
    State(console): State<Console>,
    headers: HeaderMap,
    extensions: Extensions,
    Query(Back { back }): Query<Back>,
) -> Response {
    let (taste, api) = (Taste::of(&headers), stranger(&console, &extensions));
    match api.tell::<ProviderVisit>(Method::POST, VISITS, &json!({})).await {
        Ok(visit) => keeping(&console, &visit, false, safe(&back), Redirect::to(&visit.address)),
        Err(refused) => form_again(&api, &taste, &back, refused).await,
    }
}

async fn form_again(api: &Api, taste: &Taste, back: &str, refused: Refused) -> Response {
    match refused {
        Refused::ByApi(refusal) => show_form(api, taste, back, &Filled::default().said(*refusal)).await,
        refused => refused.show(taste),
    }
}

async fn accept(
    State(console): State<Console>,
    Path(code): Path<String>,
    headers: HeaderMap,
    extensions: Extensions,
) -> Response {
    let (taste, api) = (Taste::of(&headers), stranger(&console, &extensions));
    match api.tell::<ProviderVisit>(Method::POST, VISITS, &json!({ "invitation": code })).await {
        Ok(visit) => keeping(&console, &visit, false, "/ui", go(&taste, &visit)),
        Err(Refused::ByApi(refusal)) if refusal.status != 404 => {
            show_invitation(&api, &taste, &code, &Filled::default().said(*refusal)).await
        }
        Err(refused) => refused.show(&taste),
    }
}

/// What proves that the visitor is the person of the account.
fn proof(sent: &Sent) -> serde_json::Value {
    json!({ "password": sent.typed("password"), "code": sent.some("code") })
}

async fn link(State(console): State<Console>, visit: Visit, sent: Sent) -> Answer {
    match visit.api.tell::<ProviderVisit>(Method::POST, &format!("{LINK}/visits"), &proof(&sent)).await {
        Ok(away) => Ok(keeping(&console, &away, true, "/ui/me", go(&visit.taste, &away))),
        Err(refused) => me_again(&visit, refused).await,
    }
}

async fn me_again(visit: &Visit, refused: Refused) -> Answer {
    me::show_with(visit, None, &Filled::default().refused(refused).or_show(visit)?).await
}

async fn unlink(visit: Visit, sent: Sent) -> Answer {
    match visit.api.act(Method::POST, &format!("{LINK}/remove"), &proof(&sent)).await {
        Ok(()) => done("/ui/me", visit.t.provider_unlinked()),
        Err(refused) => me_again(&visit, refused).await,
    }
}

/// What a provider sends a browser back with.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Came {
    pub state: String,
    pub code: Option<String>,
    pub error: Option<String>,
    pub iss: Option<String>,
}

/// Receives a browser back. The API knows whether it may go on; without what the browser should have kept, it may not.
async fn come_back(
    State(console): State<Console>,
    headers: HeaderMap,
    extensions: Extensions,
    visit: Result<Visit, Shown>,
    Query(came): Query<Came>,
) -> Response {
    let kept = Kept::of(&headers, console.is_secure(), &came.state);
    let Kept { links, cookie, back } = kept.unwrap_or(Kept { links: false, cookie: String::new(), back: "/ui".into() });
    let Came { state, code, error, iss } = came;
    let told = json!({ "state": state, "cookie": cookie, "code": code, "error": error, "iss": iss });
    let mut response = if links {
        match visit {
            Ok(visit) => linked(&visit, &told).await.into_response(),
            Err(shown) => shown.into_response(),
        }
    } else {
        let (taste, api) = (Taste::of(&headers), stranger(&console, &extensions).by(&headers));
        match api.start("/v1/sign-in-provider/sessions", &told).await {
            Ok(started) => signed_in(&console, safe(&back), &started.secret),
            Err(refused) => form_again(&api, &taste, &back, refused).await,
        }
    };
    let forget = cookie_header(console.is_secure(), &state, "", 0);
    response.headers_mut().extend(forget.map(|line| (header::SET_COOKIE, line)));
    response
}

async fn linked(visit: &Visit, told: &serde_json::Value) -> Answer {
    match visit.api.tell::<ProviderLink>(Method::PUT, LINK, told).await {
        Ok(_) => done("/ui/me", visit.t.provider_linked()),
        Err(refused) => me_again(visit, refused).await,
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::*;

    #[test]
    fn p16_what_a_browser_keeps_is_for_its_own_state_for_this_host_and_for_no_script() {
        let kept = Kept { links: true, cookie: "c00c1e".into(), back: "/ui/a?b=c.d;e".into() };
        let line = kept.header(true, "0123456789abcdef").unwrap();
        let line = line.to_str().unwrap();
        let (pair, rest) = line.split_once("; ").unwrap();
        assert!(pair.starts_with("__Host-berth_visit_01234567=link.c00c1e."), "{pair}");
        assert_eq!(rest, "Path=/; Max-Age=900; HttpOnly; SameSite=Lax; Secure");
        let headers = HeaderMap::from_iter([(header::COOKIE, HeaderValue::from_str(pair).unwrap())]);
        let read = Kept::of(&headers, true, "0123456789abcdef").unwrap();
        assert_eq!((read.links, read.cookie, read.back), (true, kept.cookie, kept.back));
        assert!(Kept::of(&headers, true, "f123456789abcdef").is_none());
        assert!(Kept::of(&headers, false, "0123456789abcdef").is_none());
        assert!(Kept::of(&headers, true, "x;y=zzzzz").is_none() && Kept::of(&headers, true, "").is_none());
    }
}
