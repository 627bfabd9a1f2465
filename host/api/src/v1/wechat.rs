//! Handlers for WeChat and the browsers of merchants. They have no token: a link is recognised by its state, a push by
//! its signature.

use axum::{
    body::Bytes,
    extract::{DefaultBodyLimit, rejection::BytesRejection},
    response::Response,
};
use utoipa_axum::router::OpenApiRouter;

use super::*;
use berth_base::{
    error::{Error, Kind},
    secret::Secret,
};
use berth_model::endpoint::authorisation::{AuthorisationView, Return};
use berth_work::{
    endpoint::authorisation,
    wechat::{Envelope, config, push},
};

use crate::{
    Api,
    extract::{SomeQuery, bytes_problem},
    page::{escape, html},
    routes::routes,
};

/// Size of a push in bytes, at most. Usual ones have a few hundred.
const LARGEST_PUSH: usize = 64 << 10;

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(page))
        .routes(routes!(callback))
        .routes(routes!(receive))
        .routes(routes!(hear))
        .layer(DefaultBodyLimit::max(LARGEST_PUSH))
}

/// The state that a link carries.
#[derive(serde::Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct LinkQuery {
    /// The secret from the link, by which the authorisation is found.
    #[param(value_type = String)]
    state: Secret,
}

/// Show the page on which a merchant begins to authorise an account.
///
/// WeChat demands that its own page is opened from a page of this host.
#[utoipa::path(get, path = "/v1/wechat/authorise", tag = "channels", params(LinkQuery), responses((status = 200, content_type = "text/html", body = String)))]
async fn page(State(app): AppState, SomeQuery(query): SomeQuery<LinkQuery>) -> Response {
    match authorisation::page(&app.db, &query.state).await {
        Ok(Some(page)) => {
            let link = format!("<p><a class=\"go\" href=\"{}\">Go on to WeChat</a></p>", escape(&page));
            let text =
                "WeChat asks which of your accounts this platform may act for, and what it may do. You come back here.";
            html(StatusCode::OK, "Authorise your account", text, &link)
        }
        Ok(None) => html(StatusCode::GONE, "This link is not good any more", ASK_AGAIN, ""),
        Err(error) => problem(&error),
    }
}

/// Receive the merchant's browser back from WeChat, and show the result as a page.
#[utoipa::path(get, path = "/v1/wechat/callback", tag = "channels", params(Return), responses((status = 200, content_type = "text/html", body = String)))]
async fn callback(State(app): AppState, SomeQuery(back): SomeQuery<Return>) -> Response {
    match authorisation::come_back(&app.channels, &back).await {
        Ok(view) => {
            let (status, title, text) = in_words(&view);
            let warnings: String =
                view.warnings.iter().map(|warning| format!("<p class=\"warn\">{}</p>", escape(warning))).collect();
            html(status, title, &text, &warnings)
        }
        Err(error) => problem(&error),
    }
}

/// Receive a push from WeChat: its ticket, or news of an authorisation.
#[utoipa::path(post, path = "/v1/wechat/push", tag = "channels", params(Envelope), request_body(content = String, content_type = "text/xml"), responses((status = 200, content_type = "text/plain", body = String)))]
async fn receive(
    State(app): AppState,
    SomeQuery(envelope): SomeQuery<Envelope>,
    body: Result<Bytes, BytesRejection>,
) -> Result<&'static str> {
    let platform = config::required(app.channels.wechat.as_ref())?;
    let body = body.map_err(bytes_problem)?;
    authorisation::push::receive(&app.channels, platform, &envelope, &String::from_utf8_lossy(&body)).await?;
    Ok(push::HEARD)
}

/// Hear a message or an event that WeChat sends for an authorised account.
///
/// This is the message URL of the third-party platform. What is in the message has no effect here.
#[utoipa::path(post, path = "/v1/wechat/messages/{app_id}", tag = "channels", params(("app_id" = String, Path), Envelope), request_body(content = String, content_type = "text/xml"), responses((status = 200, content_type = "text/plain", body = String)))]
async fn hear(
    State(app): AppState,
    Path(_app_id): Path<String>,
    SomeQuery(envelope): SomeQuery<Envelope>,
    body: Result<Bytes, BytesRejection>,
) -> Result<&'static str> {
    let platform = config::required(app.channels.wechat.as_ref())?;
    let body = body.map_err(bytes_problem)?;
    push::hear(platform, &envelope, &String::from_utf8_lossy(&body), app.db.now())?;
    Ok(push::HEARD)
}

const ASK_AGAIN: &str = "Ask whoever sent you here for a new link.";

/// The status, title and text of the page that tells a merchant what happened and what comes next.
fn in_words(view: &AuthorisationView) -> (StatusCode, &'static str, String) {
    let name = view.name.as_deref().unwrap_or("Your account");
    match view.state.as_str() {
        "bound" => (StatusCode::OK, "Done", format!("{name} is connected. You can close this page.")),
        "choosing" => (
            StatusCode::OK,
            "Nearly done",
            format!(
                "{name} is authorised. Whoever sent you here now chooses what it is used for. You can close this page."
            ),
        ),
        "authorised" | "granted" => {
            let trouble = view.trouble.as_deref().unwrap_or("WeChat is being asked.");
            (StatusCode::OK, "Thank you", format!("The rest goes on by itself. {trouble} You can close this page."))
        }
        "started" => (
            StatusCode::OK,
            "Nothing has happened yet",
            "WeChat sent no authorisation. Open the link again if you want to go on.".into(),
        ),
        "failed" => (
            StatusCode::CONFLICT,
            "It did not work",
            format!("{} {ASK_AGAIN}", view.detail.as_deref().unwrap_or_default()),
        ),
        _ => (StatusCode::GONE, "This link is not good any more", ASK_AGAIN.into()),
    }
}

fn problem(error: &Error) -> Response {
    match error.code.kind() {
        Kind::NotFound => html(StatusCode::NOT_FOUND, "There is no such link", ASK_AGAIN, ""),
        _ => {
            tracing::error!(?error, "a merchant could not be helped on");
            let text = "Load this page again in a moment. Nothing is lost.";
            html(StatusCode::SERVICE_UNAVAILABLE, "Something went wrong here", text, "")
        }
    }
}
