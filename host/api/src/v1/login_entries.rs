//! Handlers for login entries, the logins of users there, and the pages that their browsers may be shown. Browsers have no token:
//! a login is recognised by its ticket, then by its state and its cookie.

use axum::{http::HeaderMap, response::Response};
use utoipa_axum::router::OpenApiRouter;

use super::*;
use berth_base::{
    error::{Code, Kind},
    ids::{HostAppId, LoginEntryName, MiniAppId},
    secret::Secret,
};
use berth_model::{
    access::Caller,
    app_secret::MiniAppServer,
    login_entry::{
        AuthorisedLogin, BACK_SECONDS, BeginLogin, BoundUser, EndLoginBinding, FinishLogin, LoginBinding,
        LoginBindingsQuery, LoginEntryShown, NamedLoginBinding, PutLoginEntry, UserLoginBinding,
    },
};
use berth_work::login_entry::{self, Back, Fault, NoLogin, Sent};

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
        .routes(routes!(begin))
        .routes(routes!(finish))
        .routes(routes!(bound))
        .routes(routes!(end))
        .routes(routes!(bindings))
        .routes(routes!(end_binding))
        .routes(routes!(open))
        .routes(routes!(come_back))
}

/// List the login entries of a MiniApp: the providers at which its users log in.
#[utoipa::path(get, path = "/v1/mini-apps/{id}/login-entries", tag = "identity", operation_id = "login-entries.list", params(("id" = MiniAppId, Path)), responses((status = 200, body = Items<LoginEntryShown>)))]
async fn list(State(app): AppState, caller: Caller, Path(id): Path<MiniAppId>) -> Result<Json<Items<LoginEntryShown>>> {
    items(login_entry::list(&app.login_entries, &caller, &id).await?)
}

/// Register a login entry, or change the one with its name, for admins of the MiniApp's team.
///
/// The provider is asked what it says of itself. Provider and client id stay as they are registered, as users are bound to who they
/// are there.
#[utoipa::path(put, path = "/v1/mini-apps/{id}/login-entries/{entry}", tag = "identity", operation_id = "login-entries.put", params(("id" = MiniAppId, Path), ("entry" = LoginEntryName, Path)), request_body = PutLoginEntry, responses((status = 200, body = LoginEntryShown)))]
async fn put(
    State(app): AppState,
    caller: Caller,
    Path((id, entry)): Path<(MiniAppId, LoginEntryName)>,
    Json(put): Json<PutLoginEntry>,
) -> Result<Json<LoginEntryShown>> {
    Ok(Json(login_entry::put(&app.login_entries, &caller, &id, entry, put).await?))
}

/// Remove a login entry, and with it the bindings of its users.
#[utoipa::path(delete, path = "/v1/mini-apps/{id}/login-entries/{entry}", tag = "identity", operation_id = "login-entries.remove", params(("id" = MiniAppId, Path), ("entry" = LoginEntryName, Path)), responses((status = 204)))]
async fn remove(
    State(app): AppState,
    caller: Caller,
    Path((id, entry)): Path<(MiniAppId, LoginEntryName)>,
) -> Result<StatusCode> {
    login_entry::remove(&app.db, &caller, &id, &entry).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Begin a login of a user at a login entry, in the name of the MiniApp's server.
///
/// The MiniApp opens the address in a web-view, once, within five minutes. The browser comes back to the return address of the entry
/// with a `code`, or with an `error`.
#[utoipa::path(post, path = "/v1/authorised-logins", tag = "identity", operation_id = "login-entries.begin", request_body = BeginLogin, responses((status = 201, body = AuthorisedLogin)))]
async fn begin(
    State(app): AppState,
    server: MiniAppServer,
    Json(begin): Json<BeginLogin>,
) -> Result<(StatusCode, SecretHeaders, Json<AuthorisedLogin>)> {
    let begun = login_entry::begin(&app.login_entries, &server, begin).await?;
    Ok((StatusCode::CREATED, secret_headers(), Json(begun)))
}

/// Finish a login by the code with which the browser came back: the user is bound to who has logged in.
///
/// `open_id` is the user in whose session the browser came back. A login that was begun for another user is refused. Who is bound to
/// somebody else at the entry is bound to that one no more.
#[utoipa::path(post, path = "/v1/authorised-logins/finish", tag = "identity", operation_id = "login-entries.finish", request_body = FinishLogin, responses((status = 200, body = LoginBinding)))]
async fn finish(
    State(app): AppState,
    server: MiniAppServer,
    Json(finish): Json<FinishLogin>,
) -> Result<(SecretHeaders, Json<LoginBinding>)> {
    Ok((secret_headers(), Json(login_entry::finish(&app.db, &server, finish).await?)))
}

/// Ask who a user is at login entries, in the name of the MiniApp's server.
#[utoipa::path(post, path = "/v1/login-bindings", tag = "identity", operation_id = "login-entries.bound", request_body = BoundUser, responses((status = 200, body = Items<LoginBinding>)))]
async fn bound(
    State(app): AppState,
    server: MiniAppServer,
    Json(who): Json<BoundUser>,
) -> Result<(SecretHeaders, Json<Items<LoginBinding>>)> {
    let items = login_entry::of_open_id(&app.db, &server, &who).await?;
    Ok((secret_headers(), Json(Items { items })))
}

/// End a binding of a user, in the name of the MiniApp's server.
#[utoipa::path(post, path = "/v1/login-bindings/end", tag = "identity", operation_id = "login-entries.end", request_body = EndLoginBinding, responses((status = 204)))]
async fn end(State(app): AppState, server: MiniAppServer, Json(end): Json<EndLoginBinding>) -> Result<StatusCode> {
    login_entry::end(&app.db, &server, &end).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// List who a user of a host app is at login entries of MiniApps, and was, oldest first, in the name of the host app's server.
#[utoipa::path(get, path = "/v1/host-apps/{id}/login-bindings", tag = "identity", operation_id = "login-entries.bindings", params(("id" = HostAppId, Path), LoginBindingsQuery), responses((status = 200, body = Items<UserLoginBinding>)))]
async fn bindings(
    State(app): AppState,
    caller: Caller,
    Path(id): Path<HostAppId>,
    Query(query): Query<LoginBindingsQuery>,
) -> Result<Json<Items<UserLoginBinding>>> {
    items(login_entry::of_account(&app.db, &caller, &id, &query).await?)
}

/// End a binding of a user of a host app, in the name of the host app's server.
#[utoipa::path(post, path = "/v1/host-apps/{id}/login-bindings/end", tag = "identity", operation_id = "login-entries.end_binding", params(("id" = HostAppId, Path)), request_body = NamedLoginBinding, responses((status = 200, body = Items<UserLoginBinding>)))]
async fn end_binding(
    State(app): AppState,
    caller: Caller,
    Path(id): Path<HostAppId>,
    Json(named): Json<NamedLoginBinding>,
) -> Result<Json<Items<UserLoginBinding>>> {
    items(login_entry::end_of_account(&app.db, &caller, &id, named).await?)
}

/// Send the browser of a user to the provider of a login entry. The ticket in the address is good once.
#[utoipa::path(get, path = "/l/{ticket}", tag = "identity", operation_id = "login-entries.open", params(("ticket" = String, Path)), responses((status = 302, description = "To the provider")))]
async fn open(
    State(app): AppState,
    client: Option<Extension<ClientIp>>,
    Path(ticket): Path<String>,
) -> Result<Response> {
    app.let_in(client)?;
    Ok(answer(login_entry::open(&app.login_entries, &ticket.into()).await, app.is_secure()))
}

/// What comes back from a provider.
#[derive(serde::Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct BackFromProvider {
    /// The state with which the browser was sent.
    #[param(value_type = String)]
    #[serde(default = "no_state")]
    state: Secret,
    /// The provider's code.
    #[param(value_type = Option<String>)]
    #[serde(default)]
    code: Option<Secret>,
    /// The provider's reason for giving none.
    #[serde(default)]
    error: Option<String>,
    /// Whom the answer says that it is of.
    #[serde(default)]
    iss: Option<String>,
}

/// Receive the browser of a user back from the provider, and send it on to the MiniApp with the code that finishes the login.
#[utoipa::path(get, path = "/l/back/{mini_app_id}/{entry}", tag = "identity", operation_id = "login-entries.come_back", params(("mini_app_id" = String, Path), ("entry" = String, Path), BackFromProvider), responses((status = 302, description = "To the return address of the entry, with `code` or `error`")))]
async fn come_back(
    State(app): AppState,
    client: Option<Extension<ClientIp>>,
    Path((mini_app, entry)): Path<(String, String)>,
    SomeQuery(back): SomeQuery<BackFromProvider>,
    headers: HeaderMap,
) -> Result<Response> {
    app.let_in(client)?;
    let BackFromProvider { state, code, error, iss } = back;
    let (Ok(mini_app), Ok(entry), Some(cookie)) = (mini_app.parse(), entry.parse(), TRIP.cookie_of(&headers, &state))
    else {
        return Ok(no_login(&NoLogin::Over));
    };
    let came = Back { state, cookie, code, error, iss };
    let sent = login_entry::come_back(&app.login_entries, &mini_app, &entry, came).await;
    Ok(answer(sent, app.is_secure()))
}

const TRIP: RoundTrip = RoundTrip { prefix: "berth_login_", seconds: BACK_SECONDS };

fn answer(sent: Result<Sent, NoLogin>, secure: bool) -> Response {
    let (address, cookie) = match sent {
        Ok(Sent::ToMiniApp(address)) => (address, None),
        Ok(Sent::ToProvider { address, state, cookie }) => (address, TRIP.cookie_line(&state, &cookie, secure)),
        Err(why) => return no_login(&why),
    };
    redirect(&address, cookie).unwrap_or_else(|error| no_login(&NoLogin::Host(error)))
}

/// The page for a user whose login does not go on.
fn no_login(why: &NoLogin) -> Response {
    const AGAIN: &str = "Go back to the mini-program, and log in from there once more.";
    let (status, title, text) = match why {
        NoLogin::Over => (StatusCode::NOT_FOUND, "This login is over", AGAIN),
        NoLogin::Provider(fault) => {
            tracing::warn!(%fault, "a user could not be sent to a login provider");
            let (status, title) = match fault {
                Fault::Unreachable(_) => (StatusCode::SERVICE_UNAVAILABLE, "The login does not answer"),
                _ => (StatusCode::CONFLICT, "The login does not answer as it should"),
            };
            (
                status,
                title,
                "Load this page again in a moment. If that does not help, tell the makers of the mini-program.",
            )
        }
        NoLogin::Host(error) if error.code == Code::PackageOffShelf => {
            (StatusCode::GONE, "The mini-program is not in service", "Try again when it is.")
        }
        NoLogin::Host(error) if error.code.kind() == Kind::NotFound => {
            (StatusCode::NOT_FOUND, "This login is over", AGAIN)
        }
        NoLogin::Host(error) => {
            tracing::error!(?error, "a login could not go on");
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
    fn u20_a_cookie_is_for_its_own_state_for_this_host_and_for_no_script() {
        let (state, cookie): (Secret, Secret) = ("0123456789abcdef".parse().unwrap(), "c00c1e".parse().unwrap());
        let line = TRIP.cookie_line(&state, &cookie, true).unwrap();
        let line = line.to_str().unwrap();
        assert_eq!(line, "berth_login_01234567=c00c1e; Path=/; Max-Age=900; HttpOnly; SameSite=Lax; Secure");
        let read = |cookies: &'static str| {
            let headers = HeaderMap::from_iter([(header::COOKIE, HeaderValue::from_static(cookies))]);
            TRIP.cookie_of(&headers, &state).map(|found| found.expose().to_owned())
        };
        assert_eq!(read("a=b; berth_login_01234567=c00c1e").as_deref(), Some("c00c1e"));
        assert_eq!(read("berth_login_89abcdef=c00c1e; xberth_login_01234567=1"), None);
        assert!(TRIP.cookie_name(&"x;y=zzzzz".parse().unwrap()).is_none());
    }
}
