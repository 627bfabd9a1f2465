//! Why somebody cannot come in, in the words of people who know nothing of this host, and what to do.

use askama::Template;
use axum::{http::StatusCode, response::Response};

use super::{Guest, Page};
use crate::{
    path::with_query,
    refused::{Refusal, Refused},
    texts::Texts,
};

#[derive(Template)]
#[template(path = "portal/refusal.html")]
struct Body {
    t: Texts,
    heading: &'static str,
    text: String,
    ask: String,
    /// Where it is tried again.
    again: String,
    /// Where somebody else signs in: the provider would let the same person in without asking.
    as_other: Option<String>,
    /// What the API says of it, for whoever helps.
    detail: String,
}

pub(super) async fn show(guest: &Guest, refused: &Refused) -> Response {
    let refusal = match refused {
        Refused::ByApi(refusal) => Some(refusal),
        other => {
            tracing::error!(?other, "the portal of a workspace could not be shown");
            None
        }
    };
    let (workspace, help) = guest.names().await;
    let (heading, text) = words(guest.t, refusal.map(AsRef::as_ref));
    let code = refusal.map_or("", |refusal| refusal.code());
    let is_known = code.starts_with("member-");
    // What is plain needs no helper, and of a workspace that there may not be nothing is told.
    let detail = refusal.filter(|_| !is_known && code != "not-found");
    let sign_in = format!("{}/sign-in", guest.home());
    let body = Body {
        t: guest.t,
        heading,
        text,
        ask: guest.ask(&help),
        as_other: is_known.then(|| with_query(&sign_in, [("as_other", Some("1"))])),
        again: sign_in,
        detail: detail.map(|refusal| refusal.detail.clone()).unwrap_or_default(),
    };
    let status = refusal.and_then(|refusal| StatusCode::from_u16(refusal.status).ok());
    let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    guest.page(Page { status, title: heading, workspace: &workspace, ..Page::default() }, &body)
}

fn words(t: Texts, refusal: Option<&Refusal>) -> (&'static str, String) {
    let named = || refusal.and_then(|refusal| refusal.more.get("name")?.as_str()).unwrap_or_default();
    match refusal.map_or("", Refusal::code) {
        "member-unknown" => (t.portal_unknown(), t.portal_unknown_text(named())),
        "member-other" => (t.portal_other(), t.portal_other_text(named())),
        "member-inactive" => (t.portal_inactive(), t.portal_inactive_text(named())),
        "sign-in-over" => (t.portal_over(), t.portal_over_text().into()),
        "provider-declined" => (t.portal_declined(), t.portal_declined_text().into()),
        "login-provider-unreachable" | "too-many-requests" => {
            (t.portal_unreachable(), t.portal_unreachable_text().into())
        }
        "not-found" => (t.portal_nowhere(), t.portal_nowhere_text().into()),
        _ => (t.portal_broken(), t.portal_broken_text().into()),
    }
}
