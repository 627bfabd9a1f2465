//! Errors on the wire: `application/problem+json` (RFC 9457), and the pages that explain each `type`.

mod oauth;
mod scim;

use axum::{
    extract::{OriginalUri, Path},
    http::{
        HeaderMap, HeaderValue, Method, StatusCode,
        header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, VARY, WWW_AUTHENTICATE},
    },
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value, json};

use berth_base::{
    error::{Code, Error, Kind},
    problem::{Page, page, pieces},
};

pub(crate) use self::oauth::{OAuthProblem, log as log_refusal};
pub(crate) use self::scim::{SCIM_JSON, ScimProblem, document as scim_document};
use crate::request_id;

/// The HTTP status of a code: that of its kind, except for three codes that have a more specific one.
pub fn status(code: Code) -> StatusCode {
    match code {
        Code::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        Code::UnsupportedRange => StatusCode::RANGE_NOT_SATISFIABLE,
        Code::UnsupportedMedia => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        _ => status_of(code.kind()),
    }
}

fn status_of(kind: Kind) -> StatusCode {
    match kind {
        Kind::Malformed => StatusCode::BAD_REQUEST,
        Kind::Unauthenticated => StatusCode::UNAUTHORIZED,
        Kind::Forbidden => StatusCode::FORBIDDEN,
        Kind::NotFound => StatusCode::NOT_FOUND,
        Kind::Gone => StatusCode::GONE,
        Kind::Conflict => StatusCode::CONFLICT,
        Kind::Precondition => StatusCode::PRECONDITION_FAILED,
        Kind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Kind::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
        Kind::TooMany => StatusCode::TOO_MANY_REQUESTS,
        Kind::Timeout => StatusCode::REQUEST_TIMEOUT,
        Kind::StorageFull => StatusCode::INSUFFICIENT_STORAGE,
        Kind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Kind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// An error as an HTTP response.
#[derive(Debug)]
pub struct Problem(pub Error);

/// The result of handlers.
pub type Result<T, E = Problem> = std::result::Result<T, E>;

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let Self(error) = self;
        let status = status(error.code);
        log_source(&error, status);
        let mut response = (status, body(&error, status).to_string()).into_response();
        add_headers(&mut response, &error);
        response.extensions_mut().insert(error.code);
        response
    }
}

fn body(error: &Error, status: StatusCode) -> Value {
    // The standard members come last, so that no extension member can hide one.
    let mut members: Map<String, Value> = error.fields.clone();
    members.insert("type".into(), json!(format!("/problems/{}", error.code.slug())));
    members.insert("title".into(), json!(error.code.title()));
    members.insert("status".into(), json!(status.as_u16()));
    members.insert("detail".into(), json!(error.detail));
    if let Some(id) = request_id::current() {
        members.insert("request_id".into(), json!(id.as_str()));
    }
    Value::Object(members)
}

fn add_headers(response: &mut Response, error: &Error) {
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if error.code.kind() == Kind::Unauthenticated {
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    add_retry_after(headers, error);
}

/// Tells when to try again, if the error says so.
pub(crate) fn add_retry_after(headers: &mut HeaderMap, error: &Error) {
    if let Some(seconds) = error.retry_after_seconds() {
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
}

/// Logs the cause of an error, which is never shown to callers. Causes are logged nowhere else.
fn log_source(error: &Error, status: StatusCode) {
    let Some(source) = &error.source else { return };
    let request_id = request_id::current();
    let request_id = request_id.as_ref().map_or("", |id| id.as_str());
    if status.is_server_error() {
        tracing::error!(request_id, code = error.code.slug(), detail = %error.detail, cause = format!("{source:#}"));
    } else {
        tracing::warn!(request_id, code = error.code.slug(), detail = %error.detail, cause = format!("{source:#}"));
    }
}

/// Handles addresses that do not exist.
pub(crate) async fn route_not_found(OriginalUri(uri): OriginalUri) -> Response {
    let detail = format!("There is nothing at {}. /openapi.json lists every address.", uri.path());
    in_the_words_of(uri.path(), Error::new(Code::RouteNotFound, detail))
}

/// A refusal in the form that clients of the address expect.
fn in_the_words_of(path: &str, error: Error) -> Response {
    if scim::is_scim(path) { ScimProblem(error).into_response() } else { Problem(error).into_response() }
}

/// Handles methods that an address does not accept; axum adds the header `Allow`.
pub(crate) async fn method_not_allowed(method: Method, OriginalUri(uri): OriginalUri) -> Response {
    let detail = format!("{} does not take {method}. The header Allow lists what it takes.", uri.path());
    in_the_words_of(uri.path(), Error::new(Code::MethodNotAllowed, detail))
}

/// Handles `GET /problems/{slug}`: explains what a problem's `type` means and what to do about it, to browsers as a page and else in
/// Markdown.
pub async fn explain(Path(slug): Path<String>, headers: HeaderMap) -> Result<Response, Problem> {
    let code = Code::of(&slug).ok_or_else(|| Error::not_found("problem", &slug))?;
    let Page { cause, cure } = page(code);
    let (title, status) = (code.title(), status(code));
    let about = format!("`/problems/{slug}`, status {status}");
    if is_browser(&headers) {
        let parts = [about.as_str(), cause, cure].map(coded);
        let body = format!("<p>{}</p><h2>Cause</h2><p>{}</p><h2>Cure</h2><p>{}</p>", parts[0], parts[1], parts[2]);
        return Ok(as_page(title, &body));
    }
    Ok(as_markdown(format!("# {title}\n\n{about}\n\n## Cause\n\n{cause}\n\n## Cure\n\n{cure}\n")))
}

/// Handles `GET /problems`: lists every `type`.
pub async fn index(headers: HeaderMap) -> Response {
    let title = "Why a request may be refused";
    let lines = |form: fn(&Code) -> String| Code::ALL.iter().map(form).collect::<Vec<_>>().join("\n");
    if is_browser(&headers) {
        let line = |code: &Code| {
            let (slug, status) = (code.slug(), status(*code).as_u16());
            format!("<li><a href=\"/problems/{slug}\">{slug}</a>, status {status}: {}</li>", coded(code.title()))
        };
        return as_page(title, &format!("<ul>{}</ul>", lines(line)));
    }
    let line = |code: &Code| {
        format!("- [{0}](/problems/{0}), status {1}: {2}", code.slug(), status(*code).as_u16(), code.title())
    };
    as_markdown(format!("# {title}\n\n{}\n", lines(line)))
}

fn is_browser(headers: &HeaderMap) -> bool {
    headers
        .get(ACCEPT)
        .and_then(|accepted| accepted.to_str().ok())
        .is_some_and(|accepted| accepted.contains("text/html"))
}

fn as_markdown(text: String) -> Response {
    ([(CONTENT_TYPE, "text/markdown; charset=utf-8"), (VARY, "accept")], text).into_response()
}

fn as_page(title: &str, body: &str) -> Response {
    let title = coded(title);
    let html = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title>\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light dark\"></head><body><main><h1>{title}</h1>{body}</main></body></html>"
    );
    ([(CONTENT_TYPE, "text/html; charset=utf-8"), (VARY, "accept")], html).into_response()
}

/// A text of Markdown's in HTML.
fn coded(text: &str) -> String {
    let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let as_html = |(is_code, piece)| if is_code { format!("<code>{piece}</code>") } else { String::from(piece) };
    pieces(&escaped).map(as_html).collect()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::*;

    fn respond(error: Error) -> Response {
        Problem(error).into_response()
    }

    async fn json_of(response: Response) -> Value {
        let bytes = axum::body::to_bytes(response.into_body(), 1 << 16).await.unwrap();
        serde_json::from_slice(&bytes).unwrap()
    }

    #[tokio::test]
    async fn a_problem_carries_its_type_and_the_values_that_disagree() {
        let response = respond(Error::field("name", "1 to 20 characters").with("limit", 20));
        assert_eq!(response.status(), StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(response.headers()[CONTENT_TYPE], "application/problem+json");
        let body = json_of(response).await;
        assert_eq!(body["type"], "/problems/invalid-field");
        assert_eq!(body["title"], "A field breaks its rule");
        assert_eq!(body["status"], 422);
        assert_eq!(body["limit"], 20);
        assert_eq!(body["detail"], "name: 1 to 20 characters");
    }

    #[tokio::test]
    async fn a_browser_reads_about_a_problem_on_a_page_and_others_in_markdown() {
        let told = async |accept: &str| {
            let headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_str(accept).unwrap())]);
            let one = explain(Path("gray-period".into()), headers.clone()).await.ok().unwrap();
            let kind = one.headers()[CONTENT_TYPE].to_str().unwrap().to_owned();
            let texts = [one, index(headers).await].map(|answer| axum::body::to_bytes(answer.into_body(), 1 << 20));
            let [one, all] = futures_util::future::join_all(texts).await.try_into().unwrap();
            (kind, String::from_utf8(one.unwrap().to_vec()).unwrap(), String::from_utf8(all.unwrap().to_vec()).unwrap())
        };
        let (kind, one, all) = told("*/*").await;
        assert!(
            kind.starts_with("text/markdown")
                && one.contains("\n## Cure\n")
                && all.contains("- [gray-period](/problems/")
        );
        let (kind, one, all) = told("text/html,application/xhtml+xml").await;
        assert!(
            kind.starts_with("text/html")
                && one.contains("<h2>Cure</h2>")
                && one.contains("<code>/problems/gray-period</code>")
        );
        assert!(all.contains("<a href=\"/problems/gray-period\">") && !one.contains('`'), "{one}");
    }

    #[tokio::test]
    async fn the_cause_of_an_internal_error_is_never_shown() {
        let response = respond(Error::internal(anyhow::anyhow!("/var/lib/berth/db is locked")));
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert!(!json_of(response).await.to_string().contains("/var/lib"));
    }

    #[tokio::test]
    async fn an_extension_member_cannot_hide_a_standard_one() {
        let response = respond(Error::new(Code::NotFound, "no").with("status", 200).with("type", "x"));
        let body = json_of(response).await;
        assert_eq!((&body["status"], &body["type"]), (&json!(404), &json!("/problems/not-found")));
    }

    #[test]
    fn who_is_unknown_is_told_how_to_say_who_they_are() {
        let response = respond(Error::new(Code::MissingToken, "no token"));
        assert_eq!(response.headers()[WWW_AUTHENTICATE], "Bearer");
    }

    #[test]
    fn a_refusal_for_now_says_when_to_come_back() {
        let response = respond(Error::new(Code::TooManyRequests, "slow down").retry_after(7));
        assert_eq!((response.status().as_u16(), &response.headers()[RETRY_AFTER]), (429, &HeaderValue::from(7)));
    }

    #[test]
    fn every_code_has_a_slug_of_its_own_and_an_error_status() {
        let mut slugs: Vec<_> = Code::ALL.iter().map(|code| code.slug()).collect();
        slugs.sort_unstable();
        slugs.dedup();
        assert_eq!(slugs.len(), Code::ALL.len());
        assert!(Code::ALL.iter().all(|code| status(*code).as_u16() >= 400));
    }

    #[tokio::test]
    async fn every_problem_type_leads_to_a_page() {
        for code in Code::ALL {
            let answer = explain(Path(code.slug().into()), HeaderMap::new()).await.unwrap();
            let text = axum::body::to_bytes(answer.into_body(), 4096).await.unwrap();
            let text = std::str::from_utf8(&text).unwrap();
            assert!(text.contains(code.title()) && text.contains(page(*code).cause) && text.contains("## Cure"));
        }
        let all = axum::body::to_bytes(index(HeaderMap::new()).await.into_body(), 1 << 16).await.unwrap();
        let all = std::str::from_utf8(&all).unwrap();
        assert!(Code::ALL.iter().all(|code| all.contains(&format!("(/problems/{})", code.slug()))));
        assert_eq!(explain(Path("nonsense".into()), HeaderMap::new()).await.unwrap_err().0.code, Code::NotFound);
    }

    #[test]
    fn f55_a_full_disk_is_507() {
        assert_eq!(status(Code::StorageFull).as_u16(), 507);
    }
}
