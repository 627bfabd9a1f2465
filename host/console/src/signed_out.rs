//! A form that comes after its session has ended: nothing of it is lost.

use axum::{
    body::{Body, Bytes},
    extract::Request,
    http::{HeaderMap, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use crate::{act::MAX_FORM, frame::alone, refused::SignedOut, texts::Texts, visitor::Taste};

/// The body of the page.
#[derive(askama::Template)]
#[template(path = "sign_in/typed.html")]
struct Typed<'a> {
    t: Texts,
    /// Where the form goes.
    action: &'a str,
    fields: Vec<(String, String)>,
}

/// Answers a form of somebody who is not signed in any more by a page that holds what was typed, to be sent once more.
pub async fn keep_what_was_typed(request: Request, next: Next) -> Response {
    if request.method() != Method::POST || !is_form(request.headers()) {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    let Ok(typed) = axum::body::to_bytes(body, MAX_FORM).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let (taste, action) = (Taste::of(&parts.headers), parts.uri.path().to_owned());
    let response = next.run(Request::from_parts(parts, Body::from(typed.clone()))).await;
    if response.extensions().get::<SignedOut>().is_none() {
        return response;
    }
    let page = Typed { t: taste.t, action: &action, fields: fields(&typed) };
    alone(&taste, StatusCode::UNAUTHORIZED, taste.t.session_over(), &page)
}

fn is_form(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    kind.is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"))
}

/// What was typed. Secrets are typed once more: whoever sits there now may be somebody else.
fn fields(typed: &Bytes) -> Vec<(String, String)> {
    let fields = form_urlencoded::parse(typed).into_owned();
    fields.filter(|(name, _)| !SECRETS.iter().any(|secret| name.contains(secret))).collect()
}

/// Parts of the names of fields that hold secrets: of passwords (`current` and `new` are the old and the new one), of codes,
/// of tokens and of keys.
const SECRETS: [&str; 6] = ["password", "current", "new", "code", "token", "secret"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f89_what_was_typed_is_held_without_secrets() {
        let typed = Bytes::from_static(b"name=Tea+%26+cake&note=a%0Ab&password=x&code=1&client_secret=s&new=n");
        let held = [("name", "Tea & cake"), ("note", "a\nb")];
        assert_eq!(fields(&typed), held.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }
}
