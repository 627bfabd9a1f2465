//! Handlers for workspaces: what they have for their members, to whom it is given, and what somebody may open.

use utoipa_axum::router::OpenApiRouter;

use super::*;
use berth_base::{
    ids::{ApplicationId, ContactId, MiniAppId, WorkspaceId},
    page::{Page, PageQuery},
};
use berth_model::{
    access::Caller,
    workspace::{
        Access, Application, Contact, ContactQuery, EditApplication, EditWorkspace, LinkedMiniApp, NewApplication,
        NewContact, NewWorkspace, Portal, PortalQuery, Workspace, WorkspaceGroup, WorkspaceGroupQuery, WorkspaceMember,
        WorkspaceMemberQuery,
    },
};
use berth_work::workspace;

use crate::{Api, precondition::IfMatch, routes::routes};

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(create, list))
        .routes(routes!(get, edit))
        .routes(routes!(members))
        .routes(routes!(groups))
        .routes(routes!(add_contact, contacts))
        .routes(routes!(remove_contact))
        .routes(routes!(add_application, applications))
        .routes(routes!(application, edit_application, remove_application))
        .routes(routes!(mini_apps))
        .routes(routes!(link_mini_app, unlink_mini_app))
        .routes(routes!(application_access, set_application_access))
        .routes(routes!(mini_app_access, set_mini_app_access))
        .routes(routes!(portal))
}

/// Create a workspace. Only admins of the platform may.
#[utoipa::path(post, path = "/v1/workspaces", tag = "workspaces", request_body = NewWorkspace, responses((status = 201, body = Workspace)))]
async fn create(State(app): AppState, caller: Caller, Json(new): Json<NewWorkspace>) -> Created<Workspace> {
    created(workspace::create(&app.db, &caller, new).await?)
}

/// List the workspaces that the caller may know of, by id.
#[utoipa::path(get, path = "/v1/workspaces", tag = "workspaces", params(PageQuery), responses((status = 200, body = Page<Workspace>)))]
async fn list(State(app): AppState, caller: Caller, Query(page): Query<PageQuery>) -> Result<Json<Page<Workspace>>> {
    Ok(Json(workspace::list(&app.db, &caller, &page).await?))
}

/// Get a workspace.
#[utoipa::path(get, path = "/v1/workspaces/{id}", tag = "workspaces", params(("id" = WorkspaceId, Path)), responses((status = 200, body = Workspace)))]
async fn get(State(app): AppState, caller: Caller, Path(id): Path<WorkspaceId>) -> Result<Json<Workspace>> {
    Ok(Json(workspace::get(&app.db, &caller, &id).await?))
}

/// Rename a workspace.
#[utoipa::path(patch, path = "/v1/workspaces/{id}", tag = "workspaces", params(("id" = WorkspaceId, Path)), request_body = EditWorkspace, responses((status = 200, body = Workspace)))]
async fn edit(
    State(app): AppState,
    caller: Caller,
    Path(id): Path<WorkspaceId>,
    Json(edit): Json<EditWorkspace>,
) -> Result<Json<Workspace>> {
    Ok(Json(workspace::edit(&app.db, &caller, &id, &edit).await?))
}

/// List the members of a workspace, oldest first. SCIM has all that is known of them.
#[utoipa::path(get, path = "/v1/workspaces/{id}/members", tag = "workspaces", params(("id" = WorkspaceId, Path), WorkspaceMemberQuery), responses((status = 200, body = Page<WorkspaceMember>)))]
async fn members(
    State(app): AppState,
    caller: Caller,
    Path(id): Path<WorkspaceId>,
    Query(query): Query<WorkspaceMemberQuery>,
) -> Result<Json<Page<WorkspaceMember>>> {
    Ok(Json(workspace::members(&app.db, &caller, &id, &query).await?))
}

/// List the departments and tags of a workspace, oldest first.
#[utoipa::path(get, path = "/v1/workspaces/{id}/groups", tag = "workspaces", params(("id" = WorkspaceId, Path), WorkspaceGroupQuery), responses((status = 200, body = Page<WorkspaceGroup>)))]
async fn groups(
    State(app): AppState,
    caller: Caller,
    Path(id): Path<WorkspaceId>,
    Query(query): Query<WorkspaceGroupQuery>,
) -> Result<Json<Page<WorkspaceGroup>>> {
    Ok(Json(workspace::groups(&app.db, &caller, &id, &query).await?))
}

/// Add an external contact to a workspace.
#[utoipa::path(post, path = "/v1/workspaces/{id}/contacts", tag = "workspaces", params(("id" = WorkspaceId, Path)), request_body = NewContact, responses((status = 201, body = Contact)))]
async fn add_contact(
    State(app): AppState,
    caller: Caller,
    Path(id): Path<WorkspaceId>,
    Json(new): Json<NewContact>,
) -> Created<Contact> {
    created(workspace::add_contact(&app.db, &caller, &id, new).await?)
}

/// List the external contacts of a workspace, oldest first.
#[utoipa::path(get, path = "/v1/workspaces/{id}/contacts", tag = "workspaces", params(("id" = WorkspaceId, Path), ContactQuery), responses((status = 200, body = Page<Contact>)))]
async fn contacts(
    State(app): AppState,
    caller: Caller,
    Path(id): Path<WorkspaceId>,
    Query(query): Query<ContactQuery>,
) -> Result<Json<Page<Contact>>> {
    Ok(Json(workspace::contacts(&app.db, &caller, &id, &query).await?))
}

/// Remove an external contact, and what was shared with them.
#[utoipa::path(delete, path = "/v1/workspaces/{id}/contacts/{contact}", tag = "workspaces", params(("id" = WorkspaceId, Path), ("contact" = ContactId, Path)), responses((status = 204)))]
async fn remove_contact(
    State(app): AppState,
    caller: Caller,
    Path((id, contact)): Path<(WorkspaceId, ContactId)>,
) -> Result<StatusCode> {
    workspace::remove_contact(&app.db, &caller, &id, &contact).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Add an application to a workspace. Nobody may open it until it is given to somebody.
#[utoipa::path(post, path = "/v1/workspaces/{id}/applications", tag = "workspaces", params(("id" = WorkspaceId, Path)), request_body = NewApplication, responses((status = 201, body = Application)))]
async fn add_application(
    State(app): AppState,
    caller: Caller,
    Path(id): Path<WorkspaceId>,
    Json(new): Json<NewApplication>,
) -> Created<Application> {
    created(workspace::add_application(&app.db, &caller, &id, new).await?)
}

/// List the applications of a workspace, by name.
#[utoipa::path(get, path = "/v1/workspaces/{id}/applications", tag = "workspaces", params(("id" = WorkspaceId, Path)), responses((status = 200, body = Items<Application>)))]
async fn applications(
    State(app): AppState,
    caller: Caller,
    Path(id): Path<WorkspaceId>,
) -> Result<Json<Items<Application>>> {
    items(workspace::applications(&app.db, &caller, &id).await?)
}

/// Get an application of a workspace.
#[utoipa::path(get, path = "/v1/workspaces/{id}/applications/{application}", tag = "workspaces", params(("id" = WorkspaceId, Path), ("application" = ApplicationId, Path)), responses((status = 200, body = Application)))]
async fn application(
    State(app): AppState,
    caller: Caller,
    Path((id, application)): Path<(WorkspaceId, ApplicationId)>,
) -> Result<Json<Application>> {
    Ok(Json(workspace::application(&app.db, &caller, &id, &application).await?))
}

/// Edit an application of a workspace.
#[utoipa::path(patch, path = "/v1/workspaces/{id}/applications/{application}", tag = "workspaces", params(("id" = WorkspaceId, Path), ("application" = ApplicationId, Path)), request_body = EditApplication, responses((status = 200, body = Application)))]
async fn edit_application(
    State(app): AppState,
    caller: Caller,
    Path((id, application)): Path<(WorkspaceId, ApplicationId)>,
    Json(edit): Json<EditApplication>,
) -> Result<Json<Application>> {
    Ok(Json(workspace::edit_application(&app.db, &caller, &id, &application, edit).await?))
}

/// Remove an application of a workspace.
#[utoipa::path(delete, path = "/v1/workspaces/{id}/applications/{application}", tag = "workspaces", params(("id" = WorkspaceId, Path), ("application" = ApplicationId, Path)), responses((status = 204)))]
async fn remove_application(
    State(app): AppState,
    caller: Caller,
    Path((id, application)): Path<(WorkspaceId, ApplicationId)>,
) -> Result<StatusCode> {
    workspace::remove_application(&app.db, &caller, &id, &application).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// List the MiniApps that a workspace has linked, by name.
#[utoipa::path(get, path = "/v1/workspaces/{id}/mini-apps", tag = "workspaces", params(("id" = WorkspaceId, Path)), responses((status = 200, body = Items<LinkedMiniApp>)))]
async fn mini_apps(
    State(app): AppState,
    caller: Caller,
    Path(id): Path<WorkspaceId>,
) -> Result<Json<Items<LinkedMiniApp>>> {
    items(workspace::mini_apps(&app.db, &caller, &id).await?)
}

/// Link a MiniApp that is online and that the caller may read. Linking it again changes nothing.
#[utoipa::path(put, path = "/v1/workspaces/{id}/mini-apps/{mini_app_id}", tag = "workspaces", params(("id" = WorkspaceId, Path), ("mini_app_id" = MiniAppId, Path)), responses((status = 200, body = LinkedMiniApp)))]
async fn link_mini_app(
    State(app): AppState,
    caller: Caller,
    Path((id, mini_app)): Path<(WorkspaceId, MiniAppId)>,
) -> Result<Json<LinkedMiniApp>> {
    Ok(Json(workspace::link_mini_app(&app.db, &caller, &id, &mini_app).await?))
}

/// End the link to a MiniApp.
#[utoipa::path(delete, path = "/v1/workspaces/{id}/mini-apps/{mini_app_id}", tag = "workspaces", params(("id" = WorkspaceId, Path), ("mini_app_id" = MiniAppId, Path)), responses((status = 204)))]
async fn unlink_mini_app(
    State(app): AppState,
    caller: Caller,
    Path((id, mini_app)): Path<(WorkspaceId, MiniAppId)>,
) -> Result<StatusCode> {
    workspace::unlink_mini_app(&app.db, &caller, &id, &mini_app).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Get to whom an application is given.
#[utoipa::path(get, path = "/v1/workspaces/{id}/applications/{application}/access", tag = "workspaces", params(("id" = WorkspaceId, Path), ("application" = ApplicationId, Path)), responses((status = 200, body = Access)))]
async fn application_access(
    State(app): AppState,
    caller: Caller,
    Path((id, application)): Path<(WorkspaceId, ApplicationId)>,
) -> Result<Json<Access>> {
    Ok(Json(workspace::access(&app.db, &caller, &id, application.as_str()).await?))
}

/// Give an application to these, and to nobody else.
///
/// With `If-Match` only while it is given to those whom the ETag of the GET stands for.
#[utoipa::path(put, path = "/v1/workspaces/{id}/applications/{application}/access", tag = "workspaces", params(("id" = WorkspaceId, Path), ("application" = ApplicationId, Path), ("If-Match" = Option<String>, Header, description = "The ETag of the GET on which the change was decided")), request_body = Access, responses((status = 200, body = Access)))]
async fn set_application_access(
    State(app): AppState,
    caller: Caller,
    Path((id, application)): Path<(WorkspaceId, ApplicationId)>,
    still: IfMatch,
    Json(set): Json<Access>,
) -> Result<Json<Access>> {
    let still = |present: &Access| still.require(present);
    Ok(Json(workspace::set_access(&app.db, &caller, &id, application.as_str(), &set, &still).await?))
}

/// Get to whom a linked MiniApp is given.
#[utoipa::path(get, path = "/v1/workspaces/{id}/mini-apps/{mini_app_id}/access", tag = "workspaces", params(("id" = WorkspaceId, Path), ("mini_app_id" = MiniAppId, Path)), responses((status = 200, body = Access)))]
async fn mini_app_access(
    State(app): AppState,
    caller: Caller,
    Path((id, mini_app)): Path<(WorkspaceId, MiniAppId)>,
) -> Result<Json<Access>> {
    Ok(Json(workspace::access(&app.db, &caller, &id, mini_app.as_str()).await?))
}

/// Give a linked MiniApp to these, and to nobody else. It may be shared with external contacts.
///
/// With `If-Match` only while it is given to those whom the ETag of the GET stands for.
#[utoipa::path(put, path = "/v1/workspaces/{id}/mini-apps/{mini_app_id}/access", tag = "workspaces", params(("id" = WorkspaceId, Path), ("mini_app_id" = MiniAppId, Path), ("If-Match" = Option<String>, Header, description = "The ETag of the GET on which the change was decided")), request_body = Access, responses((status = 200, body = Access)))]
async fn set_mini_app_access(
    State(app): AppState,
    caller: Caller,
    Path((id, mini_app)): Path<(WorkspaceId, MiniAppId)>,
    still: IfMatch,
    Json(set): Json<Access>,
) -> Result<Json<Access>> {
    let still = |present: &Access| still.require(present);
    Ok(Json(workspace::set_access(&app.db, &caller, &id, mini_app.as_str(), &set, &still).await?))
}

/// Get what a member or an external contact may open, and why.
#[utoipa::path(get, path = "/v1/workspaces/{id}/portal", tag = "workspaces", params(("id" = WorkspaceId, Path), PortalQuery), responses((status = 200, body = Portal)))]
async fn portal(
    State(app): AppState,
    caller: Caller,
    Path(id): Path<WorkspaceId>,
    Query(query): Query<PortalQuery>,
) -> Result<Json<Portal>> {
    Ok(Json(workspace::portal(&app.db, &caller, &id, &query).await?))
}
