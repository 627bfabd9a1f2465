//! What stands around every page: head, menu, what the page before has to say, and the foot.

use askama::Template;
use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Redirect, Response},
};
use percent_encoding::percent_decode_str;

use berth_model::access::{Action, Role, Scope, ScopeKind};

use crate::{
    assets,
    path::escape,
    texts::{Language, Texts},
    visit::{Answer, Visit},
    visitor::{Taste, Theme},
};

/// What the head of a page says.
#[derive(Default)]
pub struct Head<'a> {
    /// The title, which is also the heading.
    pub title: &'a str,
    /// The pages above this one, from the top: name and address.
    pub above: Vec<(String, String)>,
    /// The address below which the page stands in the menu.
    pub place: &'a str,
    /// The address of a list of events that change what the page shows.
    pub live: Option<String>,
}

/// An entry of the menu.
struct Entry {
    name: &'static str,
    address: &'static str,
    is_here: bool,
}

#[derive(Template)]
#[template(path = "frame.html")]
struct Frame<'a> {
    t: Texts,
    taste: &'a Taste,
    title: &'a str,
    above: &'a [(String, String)],
    menu: Vec<Entry>,
    /// Who is signed in; nobody on the pages that need no session.
    name: Option<&'a str>,
    address: &'a str,
    said: Option<&'a str>,
    live: Option<&'a str>,
    style: &'static str,
    script: &'static str,
    icon: &'static str,
    body: String,
}

/// The cookie with what the next page has to say.
pub const SAID: &str = "berth_said";

/// What the cookie says.
pub fn read_said(value: &str) -> Option<String> {
    let text = percent_decode_str(value).decode_utf8().ok()?;
    Some(text.into_owned()).filter(|text| !text.is_empty())
}

/// Leads to another page, which says that something was done.
pub fn done(to: &str, said: &str) -> Answer {
    let cookie = format!("{SAID}={}; Path=/ui; Max-Age=60; HttpOnly; SameSite=Lax", escape(said));
    let mut response = Redirect::to(to).into_response();
    if let Ok(value) = HeaderValue::from_str(&cookie) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
    Ok(response)
}

/// The places that an account with these roles has something to do at.
fn menu(visit: &Visit, place: &str) -> Vec<Entry> {
    let t = visit.t;
    let caller = &visit.caller;
    let has = |kind| caller.reads_everything() || visit.scopes(kind).next().is_some();
    let decides = caller
        .grants
        .iter()
        .any(|(scope, role)| matches!(scope, Scope::HostApp(_)) && matches!(role, Role::Admin | Role::Auditor));
    let places = [
        (t.home(), "/ui", true),
        (t.mini_apps(), "/ui/mini-apps", has(ScopeKind::Team) || has(ScopeKind::HostApp)),
        (t.audits(), "/ui/audits", caller.reads_everything() || decides),
        (t.host_apps(), "/ui/host-apps", has(ScopeKind::HostApp)),
        (t.merchants(), "/ui/merchants", has(ScopeKind::Merchant)),
        (t.policies(), "/ui/policies", true),
        (t.events(), "/ui/events", true),
        (t.webhooks(), "/ui/webhooks", true),
        (t.accounts(), "/ui/accounts", caller.can(Action::Read, &Scope::Platform)),
    ];
    let entry = |(name, address, _)| Entry { name, address, is_here: address == place };
    places.into_iter().filter(|(.., is_offered)| *is_offered).map(entry).collect()
}

/// A page for somebody who is signed in.
pub fn page(visit: &Visit, head: Head<'_>, body: &impl Template) -> Response {
    let mut response = framed(
        &visit.taste,
        StatusCode::OK,
        &head,
        menu(visit, head.place),
        Some(&visit.me.account.name),
        &visit.address,
        visit.said.as_deref(),
        body,
    );
    if visit.said.is_some() {
        let forget = HeaderValue::from_static("berth_said=; Path=/ui; Max-Age=0; HttpOnly; SameSite=Lax");
        response.headers_mut().append(header::SET_COOKIE, forget);
    }
    response
}

/// A page for whoever comes, without a menu.
pub fn alone(taste: &Taste, status: StatusCode, title: &str, body: &impl Template) -> Response {
    let head = Head { title, ..Head::default() };
    framed(taste, status, &head, Vec::new(), None, "/ui", None, body)
}

#[expect(clippy::too_many_arguments, reason = "the two kinds of pages above are all that call it")]
fn framed(
    taste: &Taste,
    status: StatusCode,
    head: &Head<'_>,
    menu: Vec<Entry>,
    name: Option<&str>,
    address: &str,
    said: Option<&str>,
    body: &impl Template,
) -> Response {
    let rendered = body.render().and_then(|body| {
        let frame = Frame {
            t: taste.t,
            taste,
            title: head.title,
            above: &head.above,
            menu,
            name,
            address,
            said,
            live: head.live.as_deref(),
            style: assets::STYLE.address(),
            script: assets::SCRIPT.address(),
            icon: assets::ICON.address(),
            body,
        };
        frame.render()
    });
    match rendered {
        Ok(page) => (status, Html(page)).into_response(),
        Err(error) => {
            tracing::error!(%error, "a page could not be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
