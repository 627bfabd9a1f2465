//! Signing in and out, and how pages look to the visitor.

pub(super) mod provider;

use axum::{
    Router,
    extract::{OriginalUri, Path, Query, Request, State},
    http::{Extensions, HeaderMap, Method, StatusCode},
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use berth_model::access::{InvitationSeen, SignInProvider};
use serde::Deserialize;
use serde_json::json;

use crate::{
    Console,
    act::Sent,
    api::Api,
    frame,
    parts::Filled,
    path::{at, with_query},
    refused::Refused,
    show::{self, When},
    texts::{Language, Texts},
    visit::Visit,
    visitor::{self, Taste, forget_session, keep_session, remember},
};

pub fn routes() -> Router<Console> {
    Router::new()
        .route("/ui/sign-in", get(form).post(sign_in))
        .route("/ui/sign-out", post(sign_out))
        .route("/ui/invitation/{code}", get(invitation).post(accept))
        .route("/ui/taste", post(change_taste))
        .merge(provider::routes())
}

#[derive(Deserialize)]
struct Back {
    #[serde(default)]
    back: String,
}

/// The address to go to afterwards: a page of the console, never of another host.
fn safe(back: &str) -> &str {
    let is_ours = back == "/ui" || back.starts_with("/ui/") || back.starts_with("/ui?");
    if is_ours && !back.contains("//") && !back.contains('\\') { back } else { "/ui" }
}

#[derive(askama::Template)]
#[template(path = "sign_in/form.html")]
struct Form<'a> {
    t: Texts,
    back: &'a str,
    provider: Option<SignInProvider>,
    /// Where the way to the provider begins.
    leave: String,
    filled: &'a Filled,
}

async fn show_form(api: &Api, taste: &Taste, back: &str, filled: &Filled) -> Response {
    let (t, back) = (taste.t, safe(back));
    let provider = provider::provider(api).await;
    let leave = with_query("/ui/sign-in/provider", [("back", Some(back))]);
    frame::alone(taste, StatusCode::OK, t.sign_in(), &Form { t, back, provider, leave, filled })
}

async fn form(
    State(console): State<Console>,
    headers: HeaderMap,
    extensions: Extensions,
    Query(Back { back }): Query<Back>,
) -> Response {
    show_form(&stranger(&console, &extensions), &Taste::of(&headers), &back, &Filled::default()).await
}

#[derive(askama::Template)]
#[template(path = "sign_in/code.html")]
struct CodeForm<'a> {
    t: Texts,
    back: &'a str,
    ticket: &'a str,
    filled: &'a Filled,
}

/// Asks for the code of the second factor. The ticket stands for the password, which is in no page.
fn show_code_form(taste: &Taste, back: &str, ticket: &str, filled: &Filled) -> Response {
    let t = taste.t;
    let form = CodeForm { t, back: safe(back), ticket, filled };
    frame::alone(taste, StatusCode::OK, t.second_factor_enter(), &form)
}

/// The API for somebody who is not signed in.
fn stranger(console: &Console, from: &Extensions) -> Api {
    Api::new(console.api.clone(), None, from)
}

async fn sign_in(State(console): State<Console>, headers: HeaderMap, extensions: Extensions, sent: Sent) -> Response {
    let taste = Taste::of(&headers);
    let api = stranger(&console, &extensions).by(&headers);
    let back = sent.get("back").to_owned();
    let (token, ticket) = (sent.get("token"), sent.get("ticket"));
    let started = if !token.is_empty() {
        api.with_token(token).start("/v1/sessions", &json!({})).await
    } else if !ticket.is_empty() {
        api.start("/v1/sessions", &json!({ "ticket": ticket, "code": sent.get("code") })).await
    } else {
        let password = sent.typed("password").unwrap_or_default();
        let by = json!({ "sign_in_name": sent.get("sign_in_name"), "password": password });
        api.start("/v1/sessions", &by).await
    };
    match started {
        Ok(started) => signed_in(&console, safe(&back), &started.secret),
        Err(Refused::ByApi(refusal)) if refusal.code() == "second-factor-required" => {
            let ticket = refusal.more.get("ticket").and_then(serde_json::Value::as_str).unwrap_or_default();
            show_code_form(&taste, &back, ticket, &Filled::default())
        }
        // A ticket that is not good any more leads back to name and password.
        Err(Refused::ByApi(refusal)) if !ticket.is_empty() && refusal.field() != Some("ticket") => {
            show_code_form(&taste, &back, ticket, &Filled::default().said(*refusal))
        }
        Err(Refused::ByApi(refusal)) => {
            // What was typed is shown again, but for the secrets.
            let kept = vec![("sign_in_name".to_owned(), sent.get("sign_in_name").to_owned())];
            let filled = Filled::with(kept).said(*refusal);
            show_form(&api, &taste, &back, &filled).await
        }
        Err(refused) => refused.show(&taste),
    }
}

fn signed_in(console: &Console, to: &str, token: &str) -> Response {
    ([keep_session(console.is_secure(), token)], Redirect::to(to)).into_response()
}

async fn sign_out(State(console): State<Console>, visit: Visit) -> Response {
    // A session that has ended already is no reason to stay signed in.
    let _ = visit.api.just(Method::DELETE, &at!("/v1/sessions/{}", visit.me.token.id)).await;
    ([forget_session(console.is_secure())], Redirect::to("/ui/sign-in")).into_response()
}

#[derive(askama::Template)]
#[template(path = "sign_in/invitation.html")]
struct Invitation<'a> {
    t: Texts,
    seen: &'a InvitationSeen,
    code: &'a str,
    until: When,
    provider: Option<SignInProvider>,
    filled: &'a Filled,
}

async fn show_invitation(api: &Api, taste: &Taste, code: &str, filled: &Filled) -> Response {
    match api.tell::<InvitationSeen>(Method::POST, "/v1/invitations/seen", &json!({ "code": code })).await {
        Ok(seen) => {
            let t = taste.t;
            let until = show::when(seen.expires_at, &taste.zone);
            let provider = provider::provider(api).await;
            let page = Invitation { t, seen: &seen, code, until, provider, filled };
            frame::alone(taste, StatusCode::OK, t.invitation(), &page)
        }
        Err(refused) => refused.show(taste),
    }
}

async fn invitation(State(console): State<Console>, Path(code): Path<String>, request: Request) -> Response {
    let api = stranger(&console, request.extensions());
    show_invitation(&api, &Taste::of(request.headers()), &code, &Filled::default()).await
}

async fn accept(
    State(console): State<Console>,
    Path(code): Path<String>,
    headers: HeaderMap,
    extensions: Extensions,
    sent: Sent,
) -> Response {
    let taste = Taste::of(&headers);
    let api = stranger(&console, &extensions).by(&headers);
    let password = sent.typed("password");
    let sign_in_name = sent.some("sign_in_name");
    let by = json!({ "code": code, "sign_in_name": sign_in_name, "password": password });
    match api.start("/v1/invitations/accept", &by).await {
        Ok(started) => signed_in(&console, "/ui", &started.secret),
        Err(Refused::ByApi(refusal)) if refusal.status != 404 => {
            let kept = vec![("sign_in_name".to_owned(), sent.get("sign_in_name").to_owned())];
            show_invitation(&api, &taste, &code, &Filled::with(kept).said(*refusal)).await
        }
        Err(refused) => refused.show(&taste),
    }
}

/// Remembers language and theme in the browser, and goes back to where the visitor was.
async fn change_taste(OriginalUri(_): OriginalUri, sent: Sent) -> Response {
    let language = Language::of_tag(sent.get("language")).unwrap_or_default();
    let theme = visitor::Theme::ALL.into_iter().find(|theme| theme.as_str() == sent.get("theme")).unwrap_or_default();
    let mut response = Redirect::to(safe(sent.get("back"))).into_response();
    for (name, value) in
        remember(visitor::LANGUAGE, language.tag()).into_iter().chain(remember(visitor::THEME, theme.as_str()))
    {
        response.headers_mut().append(name, value);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::safe;

    #[test]
    fn signing_in_never_leads_to_another_host() {
        for back in ["//evil.example", "/ui//evil.example", "https://evil.example", "/uix", "/ui/\\evil", "/v1/me", ""]
        {
            assert_eq!(safe(back), "/ui", "{back}");
        }
        assert_eq!(safe("/ui/mini-apps?q=a"), "/ui/mini-apps?q=a");
    }
}
