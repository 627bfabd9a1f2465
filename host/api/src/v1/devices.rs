//! Handlers for devices: checks and reports.

use std::error::Error as StdError;

use axum::{
    Extension,
    body::Bytes,
    extract::{OptionalFromRequestParts, Request},
    http::{self, HeaderMap, Method},
};
use hyper::body::Body as HttpBody;
use utoipa_axum::router::OpenApiRouter;

use super::*;
use berth_base::{
    error::{Code, Error},
    text::short,
};
use berth_check::{Asker, Claims};
use berth_model::{
    access::Caller,
    check::{CheckRequest, CheckResponse, Explanation},
    report::Report,
    rollout::Side,
};
use berth_work::{check, report};

use crate::{
    Api,
    auth::{device_key, required_device_key},
    client_ip::ClientIp,
    extract::read_json,
    proved::Proved,
    routes::routes,
};

/// Where devices check.
pub(crate) const CHECK: &str = "/v1/check";

/// What devices ask.
pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(check)).routes(routes!(explain)).routes(routes!(report))
}

/// Who asks: a person with a token, or a device with the public key of its host app. A token goes first.
fn asker<'a>(caller: Option<&'a Caller>, headers: &'a HeaderMap) -> Result<Asker<'a>> {
    match (caller, device_key(headers)) {
        (Some(caller), _) => Ok(Asker::Person(caller)),
        (None, Some(key)) => Ok(Asker::Key(key)),
        (None, None) => {
            Err(Error::new(Code::MissingToken, "Send the host app's public key in X-Host-App-Key, or a bearer token.")
                .into())
        }
    }
}

/// Ask which versions of many MiniApps a device should run. The answer comes from memory.
#[utoipa::path(post, path = "/v1/check", tag = "devices", request_body = CheckRequest, responses((status = 200, body = CheckResponse)))]
async fn check(
    State(app): AppState,
    client: Option<Extension<ClientIp>>,
    request: Request,
) -> Result<Json<CheckResponse>> {
    answer_check(&app, client.map(|Extension(client)| client), request).await
}

/// Whether a request is a check.
pub(crate) fn is_check<B>(request: &http::Request<B>) -> bool {
    request.method() == Method::POST && request.uri().path() == CHECK
}

/// Answers a check.
pub(crate) async fn answer_check<B>(
    app: &Api,
    client: Option<ClientIp>,
    request: http::Request<B>,
) -> Result<Json<CheckResponse>>
where
    B: HttpBody<Data = Bytes>,
    B::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    let (mut head, body) = request.into_parts();
    let caller = <Caller as OptionalFromRequestParts<Api>>::from_request_parts(&mut head, app).await?;
    let proved = Proved::of(&mut head);
    let request: CheckRequest = read_json(&head.headers, proved, body).await?;
    let asker = asker(caller.as_ref(), &head.headers)?;
    let newcomer = |side: Side| matches!(asker, Asker::Person(_)) || app.throttle.newcomer(client, side);
    if let Asker::Key(key) = asker {
        // Whom lists name is looked up for whoever has used up the limit: in what is short, for a few MiniApps (F110).
        request.verify()?;
        let apps = request.apps.iter().map(|having| having.mini_app.as_str());
        app.let_pass(client, key, apps, &Claims::from(&request.device))?;
    }
    Ok(Json(check::check(&app.checks, &asker, &request, &newcomer).await?))
}

/// Explain what a check would answer, with every rule that was tried.
///
/// For people of the MiniApp's team or of the host app. No device is admitted to a gray task by this.
#[utoipa::path(post, path = "/v1/check/explain", tag = "devices", request_body = CheckRequest, responses((status = 200, body = Explanation)))]
async fn explain(State(app): AppState, caller: Caller, Json(request): Json<CheckRequest>) -> Result<Json<Explanation>> {
    Ok(Json(check::explain(&app.checks, &caller, &request).await?))
}

/// Report what became of a version on a device: downloaded, running or failed.
#[utoipa::path(post, path = "/v1/reports", tag = "devices", request_body = Report, responses((status = 202)))]
async fn report(
    State(app): AppState,
    client: Option<Extension<ClientIp>>,
    headers: HeaderMap,
    Json(report): Json<Report>,
) -> Result<StatusCode> {
    let key = required_device_key(&headers)?;
    short("guid", &report.guid)?;
    let claims = Claims { guid: Some(&report.guid), ..Claims::default() };
    app.let_pass(client.map(|Extension(client)| client), key, [report.mini_app.as_str()], &claims)?;
    report::take(&app.checks, key, &report)?;
    Ok(StatusCode::ACCEPTED)
}
