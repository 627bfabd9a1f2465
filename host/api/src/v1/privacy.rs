//! Handlers for privacy agreements, consents of users to them, and what a user leaves behind.

use axum::{
    http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS},
    response::{IntoResponse, Response},
};
use utoipa_axum::router::OpenApiRouter;

use super::*;
use berth_base::ids::{HostAppId, MiniAppId};
use berth_model::{access::Caller, app_secret::MiniAppServer};
use berth_work::{
    download::Fetcher,
    privacy::{
        self, AgreeToPrivacy, CheckPrivacyConsent, KindOfInfo, NamedUser, NewPrivacyVersion, PrivacyAgreement,
        PrivacyChanges, PrivacyChangesQuery, PrivacyChecked, PrivacyConsentQuery, PrivacyConsents, PrivacyDraft,
        PrivacyDraftTextQuery, PrivacyHead, PrivacyTextQuery, PrivacyVersion, TextFormat, UserErased, UserExport,
        WithdrawPrivacy,
    },
};

use crate::{Api, precondition::IfMatch, routes::routes};

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(kinds))
        .routes(routes!(draft, set_draft))
        .routes(routes!(draft_text))
        .routes(routes!(versions, publish))
        .routes(routes!(version))
        .routes(routes!(changes))
        .routes(routes!(text))
        .routes(routes!(consents, agree))
        .routes(routes!(withdraw))
        .routes(routes!(check))
        .routes(routes!(export))
        .routes(routes!(erase))
}

/// List the kinds of personal information, with names in both languages and the APIs and components that use each.
#[utoipa::path(get, path = "/v1/privacy-kinds", tag = "privacy", responses((status = 200, body = Items<KindOfInfo>)))]
async fn kinds(caller: Caller) -> Result<Json<Items<KindOfInfo>>> {
    items(privacy::kinds(&caller)?)
}

/// Get the draft of a MiniApp's privacy agreement, and what it lacks to be published.
#[utoipa::path(get, path = "/v1/mini-apps/{id}/privacy/draft", tag = "privacy", params(("id" = MiniAppId, Path)), responses((status = 200, body = PrivacyDraft)))]
async fn draft(State(app): AppState, caller: Caller, Path(id): Path<MiniAppId>) -> Result<Json<PrivacyDraft>> {
    Ok(Json(privacy::draft(&app.db, &caller, &id).await?))
}

/// Set the draft of a MiniApp's privacy agreement, in place of the one that there is.
///
/// It may lack anything. With `If-Match` it is set only while it is as the ETag of the GET says.
#[utoipa::path(put, path = "/v1/mini-apps/{id}/privacy/draft", tag = "privacy", params(("id" = MiniAppId, Path), ("If-Match" = Option<String>, Header, description = "The ETag of the GET on which the change was decided")), request_body = PrivacyAgreement, responses((status = 200, body = PrivacyDraft)))]
async fn set_draft(
    State(app): AppState,
    caller: Caller,
    Path(id): Path<MiniAppId>,
    still: IfMatch,
    Json(agreement): Json<PrivacyAgreement>,
) -> Result<Json<PrivacyDraft>> {
    Ok(Json(privacy::set_draft(&app.db, &caller, &id, agreement, &|present| still.require(present)).await?))
}

/// Get the text of the draft, as it would be published.
#[utoipa::path(get, path = "/v1/mini-apps/{id}/privacy/draft/text", tag = "privacy", params(("id" = MiniAppId, Path), PrivacyDraftTextQuery), responses((status = 200, body = String, content_type = "text/html")))]
async fn draft_text(
    State(app): AppState,
    caller: Caller,
    Path(id): Path<MiniAppId>,
    Query(query): Query<PrivacyDraftTextQuery>,
) -> Result<Response> {
    let (format, text) = privacy::draft_text(&app.db, &caller, &id, &query).await?;
    Ok(page(format, text, "private, no-cache"))
}

/// List the versions of a MiniApp's privacy agreement, newest first, without what they say.
#[utoipa::path(get, path = "/v1/mini-apps/{id}/privacy/versions", tag = "privacy", params(("id" = MiniAppId, Path)), responses((status = 200, body = Items<PrivacyHead>)))]
async fn versions(State(app): AppState, caller: Caller, Path(id): Path<MiniAppId>) -> Result<Json<Items<PrivacyHead>>> {
    items(privacy::versions(&app.db, &caller, &id).await?)
}

/// Publish the draft as the next version, which never changes and holds at once.
///
/// `renews` of the answer says whether users have to consent anew, and `changes` for which changes. With `If-Match` it is
/// published only while the draft is as the ETag of its GET says.
#[utoipa::path(post, path = "/v1/mini-apps/{id}/privacy/versions", tag = "privacy", params(("id" = MiniAppId, Path), ("If-Match" = Option<String>, Header, description = "The ETag of the draft that is to be published")), request_body = Option<NewPrivacyVersion>, responses((status = 201, body = PrivacyVersion)))]
async fn publish(
    State(app): AppState,
    caller: Caller,
    Path(id): Path<MiniAppId>,
    still: IfMatch,
    OptionalJson(new): OptionalJson<NewPrivacyVersion>,
) -> Created<PrivacyVersion> {
    created(privacy::publish(&app.db, &caller, &id, new, &|present| still.require(present)).await?)
}

/// Get one version of a MiniApp's privacy agreement, with how it differs from the one before.
#[utoipa::path(get, path = "/v1/mini-apps/{id}/privacy/versions/{number}", tag = "privacy", params(("id" = MiniAppId, Path), ("number" = i64, Path, description = "The number of the version")), responses((status = 200, body = PrivacyVersion)))]
async fn version(
    State(app): AppState,
    caller: Caller,
    Path((id, number)): Path<(MiniAppId, i64)>,
) -> Result<Json<PrivacyVersion>> {
    Ok(Json(privacy::version(&app.db, &caller, &id, number).await?))
}

/// Compare two versions of a MiniApp's privacy agreement, or the draft with the one that holds.
#[utoipa::path(get, path = "/v1/mini-apps/{id}/privacy/changes", tag = "privacy", params(("id" = MiniAppId, Path), PrivacyChangesQuery), responses((status = 200, body = PrivacyChanges)))]
async fn changes(
    State(app): AppState,
    caller: Caller,
    Path(id): Path<MiniAppId>,
    Query(query): Query<PrivacyChangesQuery>,
) -> Result<Json<PrivacyChanges>> {
    Ok(Json(privacy::changes(&app.db, &caller, &id, &query).await?))
}

/// Get the text of a MiniApp's privacy agreement, in either language, as HTML or Markdown.
///
/// For devices by the key of a host app that the MiniApp is bound to, and for people by their token. The text of a version
/// never changes; without `version` it is that of the one that holds.
#[utoipa::path(get, path = "/v1/mini-apps/{id}/privacy/text", tag = "privacy", params(("id" = MiniAppId, Path), PrivacyTextQuery), responses((status = 200, body = String, content_type = "text/html")))]
async fn text(
    State(app): AppState,
    who: Fetcher,
    Path(id): Path<MiniAppId>,
    Query(query): Query<PrivacyTextQuery>,
) -> Result<Response> {
    let caching = if query.version.is_some() { "private, max-age=31536000, immutable" } else { "private, max-age=60" };
    let (format, text) = privacy::text(&app.db, &who, &id, &query).await?;
    Ok(page(format, text, caching))
}

/// A text that developers have written in part: it is shown, and does nothing.
fn page(format: TextFormat, text: String, caching: &'static str) -> Response {
    let kind = match format {
        TextFormat::Markdown => "text/markdown; charset=utf-8",
        TextFormat::Html => "text/html; charset=utf-8",
    };
    let headers = [
        (CONTENT_TYPE, kind),
        (CONTENT_SECURITY_POLICY, "sandbox; default-src 'none'; style-src 'unsafe-inline'"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (CACHE_CONTROL, caching),
    ];
    (headers, text).into_response()
}

/// Get where a user stands with the privacy agreement of a MiniApp, in the name of the host app's server.
#[utoipa::path(get, path = "/v1/host-apps/{id}/privacy-consents", tag = "privacy", params(("id" = HostAppId, Path), PrivacyConsentQuery), responses((status = 200, body = PrivacyConsents)))]
async fn consents(
    State(app): AppState,
    caller: Caller,
    Path(id): Path<HostAppId>,
    Query(query): Query<PrivacyConsentQuery>,
) -> Result<Json<PrivacyConsents>> {
    Ok(Json(privacy::consents(&app.db, &caller, &id, &query).await?))
}

/// Record that a user agrees to a version of the privacy agreement of a MiniApp, in the name of the host app's server.
///
/// Agreeing twice to the same version is agreeing once. The public key of the host app is not enough for this: with it
/// anybody could agree for anybody.
#[utoipa::path(post, path = "/v1/host-apps/{id}/privacy-consents", tag = "privacy", params(("id" = HostAppId, Path)), request_body = AgreeToPrivacy, responses((status = 200, body = PrivacyConsents)))]
async fn agree(
    State(app): AppState,
    caller: Caller,
    Path(id): Path<HostAppId>,
    Json(said): Json<AgreeToPrivacy>,
) -> Result<Json<PrivacyConsents>> {
    Ok(Json(privacy::agree(&app.db, &caller, &id, said).await?))
}

/// Record that a user takes the consent to a privacy agreement back, in the name of the host app's server.
#[utoipa::path(post, path = "/v1/host-apps/{id}/privacy-consents/withdraw", tag = "privacy", params(("id" = HostAppId, Path)), request_body = WithdrawPrivacy, responses((status = 200, body = PrivacyConsents)))]
async fn withdraw(
    State(app): AppState,
    caller: Caller,
    Path(id): Path<HostAppId>,
    Json(said): Json<WithdrawPrivacy>,
) -> Result<Json<PrivacyConsents>> {
    Ok(Json(privacy::withdraw(&app.db, &caller, &id, said).await?))
}

/// Ask whether a user agrees to the privacy agreement, in the name of the MiniApp's server.
///
/// Of an OpenID that there is not the answer is that of a user who has said nothing.
#[utoipa::path(post, path = "/v1/privacy-consents/check", tag = "privacy", request_body = CheckPrivacyConsent, responses((status = 200, body = PrivacyChecked)))]
async fn check(
    State(app): AppState,
    server: MiniAppServer,
    Json(check): Json<CheckPrivacyConsent>,
) -> Result<Json<PrivacyChecked>> {
    Ok(Json(privacy::check(&app.db, &server, &check).await?))
}

/// Export everything that is held about a user of the host app, in the name of its server.
///
/// In one MiniApp, or in all that the user has used in the host app. The answer is not kept for a repeated request.
#[utoipa::path(post, path = "/v1/host-apps/{id}/users/export", tag = "privacy", params(("id" = HostAppId, Path)), request_body = NamedUser, responses((status = 200, body = UserExport)))]
async fn export(
    State(app): AppState,
    caller: Caller,
    Path(id): Path<HostAppId>,
    Json(who): Json<NamedUser>,
) -> Result<(SecretHeaders, Json<UserExport>)> {
    Ok((secret_headers(), Json(privacy::export(&app.db, &app.logs, &caller, &id, who).await?)))
}

/// Erase a user of the host app, in the name of its server: session keys, consents, messages, log entries and what events
/// say of them.
///
/// In one MiniApp, or in all that the user has used in the host app. Doing it again does no harm.
#[utoipa::path(post, path = "/v1/host-apps/{id}/users/erase", tag = "privacy", params(("id" = HostAppId, Path)), request_body = NamedUser, responses((status = 200, body = UserErased)))]
async fn erase(
    State(app): AppState,
    caller: Caller,
    Path(id): Path<HostAppId>,
    Json(who): Json<NamedUser>,
) -> Result<Json<UserErased>> {
    Ok(Json(privacy::erase(&app.db, &app.logs, &caller, &id, who).await?))
}
