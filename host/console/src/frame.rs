//! What stands around every page: head, menu, what the page before has to say, and the foot.

use askama::Template;
use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Redirect, Response},
};
use percent_encoding::percent_decode_str;

use crate::{
    assets,
    path::escape,
    texts::{Language, Texts},
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
pub struct Entry {
    pub name: &'static str,
    pub address: &'static str,
    pub is_here: bool,
}

#[derive(Template)]
#[template(path = "frame.html")]
struct Frame<'a> {
    t: Texts,
    taste: &'a Taste,
    title: &'a str,
    above: &'a [(String, String)],
    around: Around<'a>,
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
pub fn done<E>(to: &str, said: &str) -> Result<Response, E> {
    let cookie = format!("{SAID}={}; Path=/ui; Max-Age=60; HttpOnly; SameSite=Lax", escape(said));
    let mut response = Redirect::to(to).into_response();
    if let Ok(value) = HeaderValue::from_str(&cookie) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
    Ok(response)
}

/// What stands around a page for one visitor; around a page for whoever comes nothing does.
#[derive(Default)]
pub struct Around<'a> {
    pub menu: Vec<Entry>,
    /// Who is signed in.
    pub name: Option<&'a str>,
    /// Where forms of the frame lead back to.
    pub address: &'a str,
    /// What the page before has to say.
    pub said: Option<&'a str>,
}

/// A page for whoever comes, without a menu.
pub fn alone(taste: &Taste, status: StatusCode, title: &str, body: &impl Template) -> Response {
    let around = Around { address: "/ui", ..Around::default() };
    framed(taste, status, &Head { title, ..Head::default() }, around, body)
}

/// A page with what stands around it.
pub fn framed(
    taste: &Taste,
    status: StatusCode,
    head: &Head<'_>,
    around: Around<'_>,
    body: &impl Template,
) -> Response {
    let rendered = body.render().and_then(|body| {
        let frame = Frame {
            t: taste.t,
            taste,
            title: head.title,
            above: &head.above,
            around,
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
