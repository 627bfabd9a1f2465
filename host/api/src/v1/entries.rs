//! Handlers for entry links and the pages behind them. Browsers of visitors have no token: an entry is recognised by its state
//! and its cookie.

use axum::{extract::RawQuery, http::HeaderMap, response::Response};
use utoipa_axum::router::OpenApiRouter;

use super::*;
use berth_base::{
    error::{Code, Kind},
    ids::{EntryPageName, MerchantId},
    secret::Secret,
};
use berth_model::{
    access::Caller,
    official_account::{EntryPage, PutEntryPage, VISIT_SECONDS},
};
use berth_work::{
    official_account::{self, Arrival, Entrance, NoEntry, Sent},
    wechat::Refusal,
};

use crate::{
    Api,
    client_ip::ClientIp,
    extract::SomeQuery,
    page::html,
    round_trip::{RoundTrip, no_state, redirect},
    routes::routes,
};

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(put, remove))
        .routes(routes!(enter))
        .routes(routes!(come_back))
}

/// List the entry pages of a merchant.
#[utoipa::path(get, path = "/v1/merchants/{id}/entry-pages", tag = "official-accounts", operation_id = "entry-pages.list", params(("id" = MerchantId, Path)), responses((status = 200, body = Items<EntryPage>)))]
async fn list(State(app): AppState, caller: Caller, Path(id): Path<MerchantId>) -> Result<Json<Items<EntryPage>>> {
    items(official_account::pages(&app.db, &caller, &id).await?)
}

/// Register a page of a merchant, to which the entry links `/w/{app_id}/{merchant}/{page}` lead.
#[utoipa::path(put, path = "/v1/merchants/{id}/entry-pages/{page}", tag = "official-accounts", operation_id = "entry-pages.put", params(("id" = MerchantId, Path), ("page" = EntryPageName, Path)), request_body = PutEntryPage, responses((status = 200, body = EntryPage)))]
async fn put(
    State(app): AppState,
    caller: Caller,
    Path((id, page)): Path<(MerchantId, EntryPageName)>,
    Json(put): Json<PutEntryPage>,
) -> Result<Json<EntryPage>> {
    Ok(Json(official_account::put_page(&app.db, &caller, &id, page, put).await?))
}

/// Remove an entry page of a merchant.
#[utoipa::path(delete, path = "/v1/merchants/{id}/entry-pages/{page}", tag = "official-accounts", operation_id = "entry-pages.remove", params(("id" = MerchantId, Path), ("page" = EntryPageName, Path)), responses((status = 204)))]
async fn remove(
    State(app): AppState,
    caller: Caller,
    Path((id, page)): Path<(MerchantId, EntryPageName)>,
) -> Result<StatusCode> {
    official_account::remove_page(&app.db, &caller, &id, &page).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Send a visitor to WeChat, which says silently who it is.
///
/// `pt_id` is the merchant. The query comes along to the page, but for `code` and `app_id`.
#[utoipa::path(get, path = "/w/{app_id}/{pt_id}/{page}", tag = "official-accounts", operation_id = "entry-pages.enter", params(("app_id" = String, Path), ("pt_id" = String, Path), ("page" = String, Path)), responses((status = 302, description = "To WeChat")))]
async fn enter(
    State(app): AppState,
    client: Option<Extension<ClientIp>>,
    Path(names): Path<(String, String, String)>,
    RawQuery(query): RawQuery,
) -> Result<Response> {
    app.let_in(client)?;
    let Some(at) = entrance(&names) else { return Ok(no_entry(&NoEntry::NoPage)) };
    let sent = official_account::enter(&app.official_accounts, &at, &query.unwrap_or_default()).await;
    Ok(answer(sent, app.is_secure()))
}

/// What comes back from WeChat.
#[derive(serde::Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct BackQuery {
    /// The state with which the visitor was sent.
    #[param(value_type = String)]
    #[serde(default = "no_state")]
    state: Secret,
    /// WeChat's code.
    #[param(value_type = Option<String>)]
    #[serde(default)]
    code: Option<Secret>,
}

/// Receive a visitor back from WeChat, and send them on to the merchant's page with the code of the visit.
#[utoipa::path(get, path = "/w/{app_id}/{pt_id}/{page}/back", tag = "official-accounts", operation_id = "entry-pages.come_back", params(("app_id" = String, Path), ("pt_id" = String, Path), ("page" = String, Path), BackQuery), responses((status = 302, description = "To the page of the merchant")))]
async fn come_back(
    State(app): AppState,
    client: Option<Extension<ClientIp>>,
    Path(names): Path<(String, String, String)>,
    SomeQuery(back): SomeQuery<BackQuery>,
    headers: HeaderMap,
) -> Result<Response> {
    app.let_in(client)?;
    let Some(at) = entrance(&names) else { return Ok(no_entry(&NoEntry::NoPage)) };
    let Some(cookie) = TRIP.cookie_of(&headers, &back.state) else { return Ok(no_entry(&NoEntry::Over)) };
    let arrival = Arrival { state: back.state, code: back.code, cookie };
    let sent = official_account::come_back(&app.official_accounts, &at, &arrival).await;
    Ok(answer(sent, app.is_secure()))
}

fn entrance((app_id, merchant, page): &(String, String, String)) -> Option<Entrance> {
    Some(Entrance { app_id: app_id.parse().ok()?, merchant: merchant.parse().ok()?, page: page.parse().ok()? })
}

const TRIP: RoundTrip = RoundTrip { prefix: "berth_entry_", seconds: VISIT_SECONDS };

fn answer(sent: Result<Sent, NoEntry>, secure: bool) -> Response {
    let (address, cookie) = match sent {
        Ok(Sent::ToPage(address)) => (address, None),
        Ok(Sent::ToWechat { address, state, cookie }) => (address, TRIP.cookie_line(&state, &cookie, secure)),
        Err(why) => return no_entry(&why),
    };
    redirect(&address, cookie).unwrap_or_else(|error| no_entry(&NoEntry::Host(error)))
}

/// The page for a visitor who does not get in.
fn no_entry(why: &NoEntry) -> Response {
    const AGAIN: &str = "Open the link again, from where you had it.";
    let (status, title, text) = match why {
        NoEntry::NoPage => (
            StatusCode::NOT_FOUND,
            "There is no such page",
            "The link is misspelt, or what it led to is gone. Ask whoever gave it to you for a new one.",
        ),
        NoEntry::Retired => (
            StatusCode::GONE,
            "This link is not good any more",
            "The account that it belongs to is not in use. Ask whoever gave it to you for a new one.",
        ),
        NoEntry::Over => (StatusCode::NOT_FOUND, "This visit is over", AGAIN),
        NoEntry::Snapshot => (
            StatusCode::FORBIDDEN,
            "You are looking at a preview",
            "Tap the button for the full service at the bottom of the screen, then you come in.",
        ),
        NoEntry::Wechat(Refusal::CodeInvalid(_)) => (StatusCode::CONFLICT, "WeChat did not say who you are", AGAIN),
        NoEntry::Wechat(refusal) => {
            tracing::warn!(%refusal, "a visitor could not be let in");
            (StatusCode::BAD_GATEWAY, "WeChat does not answer as it should", AGAIN)
        }
        NoEntry::Host(error) if error.code == Code::WechatNotSetUp => {
            tracing::warn!(?error, "a visitor could not be let in");
            (StatusCode::CONFLICT, "This is not set up yet", "Whoever runs this host has something left to do.")
        }
        NoEntry::Host(error) if error.code.kind() == Kind::NotFound => {
            (StatusCode::NOT_FOUND, "There is no such page", "What the link led to is gone.")
        }
        NoEntry::Host(error) => {
            tracing::error!(?error, "a visitor could not be let in");
            (StatusCode::SERVICE_UNAVAILABLE, "Something went wrong here", AGAIN)
        }
    };
    html(status, title, text, "")
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use axum::http::{HeaderValue, header};

    use super::*;

    #[test]
    fn s4_a_cookie_is_read_as_it_was_given_and_by_its_own_name_only() {
        let (state, cookie): (Secret, Secret) = ("0123456789abcdef".parse().unwrap(), "c00c1e".parse().unwrap());
        let line = TRIP.cookie_line(&state, &cookie, true).unwrap();
        let line = line.to_str().unwrap();
        assert_eq!(line, "berth_entry_01234567=c00c1e; Path=/; Max-Age=300; HttpOnly; SameSite=Lax; Secure");
        let read = |cookies: &'static str| {
            let headers = HeaderMap::from_iter([(header::COOKIE, HeaderValue::from_static(cookies))]);
            TRIP.cookie_of(&headers, &state).map(|found| found.expose().to_owned())
        };
        assert_eq!(read("a=b; berth_entry_01234567=c00c1e").as_deref(), Some("c00c1e"));
        assert_eq!(read("berth_entry_89abcdef=c00c1e; xberth_entry_01234567=1"), None);
        assert!(TRIP.cookie_name(&"x;y=zzzzz".parse().unwrap()).is_none());
        assert!(TRIP.cookie_name(&"12".parse().unwrap()).is_none());
    }
}
