//! Authentication: a bearer token for people and machines, one of another kind for servers of MiniApps, the public key of a
//! host app for devices.
//!
//! What looks somebody up is boxed. All handlers have it in their futures, and the compiler would look through it for each.

use crate::problem::Problem;

use axum::{
    extract::{FromRequestParts, OptionalFromRequestParts},
    http::{HeaderMap, HeaderValue, header::AUTHORIZATION, request::Parts},
};

use futures_util::FutureExt;

use berth_base::error::{Code, Error, Result};
use berth_check::Claims;
use berth_model::{access::Caller, app_secret::MiniAppServer, host_app::HostApp};
use berth_package::PackageName;
use berth_store::act;
use berth_work::download::Fetcher;
use berth_work::{access::Entered, app::App, app_secret};

use crate::{Api, client_ip::ClientIp, proved::Proof, read};

/// The header with the public key of a host app.
pub(crate) const HOST_APP_KEY: &str = "x-host-app-key";

/// The token in the Authorization header; `None` without the header. It is borrowed and not copied, which
/// `headers::Authorization` would do with the secret. `invalid-token` for a header of another form.
pub(super) fn bearer(headers: &HeaderMap) -> Result<Option<&str>> {
    let Some(value) = headers.get(AUTHORIZATION) else { return Ok(None) };
    let wrong = || Error::new(Code::InvalidToken, "The Authorization header must read `Bearer berth_…`.");
    token_in(value).map(Some).ok_or_else(wrong)
}

/// The token in a header that reads `Bearer TOKEN`.
pub(super) fn token_in(header: &HeaderValue) -> Option<&str> {
    let (scheme, token) = header.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Whoever is signed in, even if they have to set a second factor up before they may do anything else (P22).
pub(crate) struct Entering(pub Entered);

/// The account whose token the head of a request has, if it has one.
async fn authenticate(parts: &mut Parts, app: &Api) -> Result<Option<Caller>> {
    let Some(secret) = bearer(&parts.headers)? else { return Ok(None) };
    let caller = app.people.authenticate(secret).boxed().await?;
    prove(parts, app, &caller);
    Ok(Some(caller))
}

/// Notes who has sent the request.
fn prove(parts: &mut Parts, app: &Api, caller: &Caller) {
    if let Some(act) = act::current() {
        act.by_caller(caller);
    }
    parts.extensions.insert(Proof::of_account(app, caller));
}

fn missing_token() -> Error {
    let detail = "Send `Authorization: Bearer TOKEN`. `berth admin token` on the host's machine prints one.";
    Error::new(Code::MissingToken, detail)
}

impl FromRequestParts<Api> for Entering {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Api) -> Result<Self, Problem> {
        let secret = bearer(&parts.headers)?.ok_or_else(missing_token)?;
        let entered = app.people.enter(secret).boxed().await?;
        prove(parts, app, &entered.caller);
        Ok(Self(entered))
    }
}

impl FromRequestParts<Api> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Api) -> Result<Self, Problem> {
        Ok(authenticate(parts, app).await?.ok_or_else(missing_token)?)
    }
}

impl OptionalFromRequestParts<Api> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Api) -> Result<Option<Self>, Problem> {
        Ok(authenticate(parts, app).await?)
    }
}

impl FromRequestParts<Api> for MiniAppServer {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Api) -> Result<Self, Problem> {
        let Some(token) = bearer(&parts.headers)? else {
            return Err(Problem(Error::new(
                Code::InvalidServerToken,
                "Send `Authorization: Bearer berth_server_…`, a server token from POST /v1/server-tokens.",
            )));
        };
        let server = app_secret::authenticate(&app.db, token).boxed().await?;
        let proof = Proof::of_server(app, token);
        parts.extensions.insert(proof);
        Ok(server)
    }
}

pub(super) fn device_key(headers: &HeaderMap) -> Option<&str> {
    headers.get(HOST_APP_KEY).and_then(|value| value.to_str().ok())
}

/// The key of a request that only devices send.
///
/// # Errors
/// `invalid-host-app-key` when there is none.
pub(super) fn required_device_key(headers: &HeaderMap) -> Result<&str> {
    let detail = "Send the host app's public key in X-Host-App-Key.";
    device_key(headers).ok_or_else(|| Error::new(Code::InvalidHostAppKey, detail))
}

async fn device(app: &App, key: &str) -> Result<HostApp> {
    let found = app.db.read().await?.host_app_by_key(key).await?;
    found.ok_or_else(|| Error::new(Code::InvalidHostAppKey, "No host app has this X-Host-App-Key."))
}

/// What the address of a package tells of the device.
#[derive(Default, serde::Deserialize)]
struct Told {
    guid: Option<String>,
    account: Option<String>,
}

/// Lets a device fetch packages, as far as its address and its key may ask for more.
fn let_fetch(parts: &Parts, app: &Api, key: &str) -> Result<()> {
    let client = parts.extensions.get::<ClientIp>().copied();
    let told: Told = read::some_query(parts.uri.query().unwrap_or_default()).unwrap_or_default();
    let name = parts.uri.path().rsplit('/').next().and_then(|name| name.parse::<PackageName>().ok());
    let claims = Claims { guid: told.guid.as_deref(), device_id: None, account: told.account.as_deref() };
    app.let_pass(client, key, name.iter().map(|name| name.mini_app_id.as_str()), &claims)
}

impl FromRequestParts<Api> for Fetcher {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Api) -> Result<Self, Problem> {
        if let Some(secret) = bearer(&parts.headers)? {
            return Ok(Self::Caller(app.people.authenticate(secret).boxed().await?));
        }
        match device_key(&parts.headers) {
            Some(key) => {
                let_fetch(parts, app, key)?;
                Ok(Self::Device(device(app, key).boxed().await?))
            }
            None => Err(Problem(Error::new(
                Code::MissingToken,
                "Send a bearer token, or a host app's public key in X-Host-App-Key.",
            ))),
        }
    }
}
