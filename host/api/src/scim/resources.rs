//! Users, Groups, searches and bulk requests.

use axum::http::StatusCode;
use berth_base::ids::WorkspaceId;
use berth_model::workspace::scim::{
    Reason,
    message::{self, ListQuery},
    refuse,
    schema::Resource,
    view::View,
};
use berth_work::workspace::scim::{self, Ask, Done};
use serde_json::{Value, json};
use utoipa_axum::router::OpenApiRouter;

use super::sent::{Answer, Asked, Body, document, resource};
use crate::{
    Api,
    problem::{ScimProblem, scim_document},
    routes::routes,
};

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list_users, create_user))
        .routes(routes!(search_users))
        .routes(routes!(get_user, replace_user, patch_user, delete_user))
        .routes(routes!(list_groups, create_group))
        .routes(routes!(search_groups))
        .routes(routes!(get_group, replace_group, patch_group, delete_group))
        .routes(routes!(search))
        .routes(routes!(bulk))
}

/// Handlers of one type of resource, which differ in their addresses only. What they are called for people is matched as token
/// trees, as utoipa does not see texts that passed through a macro as literals.
macro_rules! resources {
    ($resource:expr, $all:literal, $search:literal, $one:literal,
     $list:ident, $find:ident, $create:ident, $get:ident, $replace:ident, $patch:ident, $delete:ident,
     $list_says:tt $find_says:tt $create_says:tt $get_says:tt $replace_says:tt $patch_says:tt $delete_says:tt) => {
        #[doc = $list_says]
        #[utoipa::path(get, path = $all, tag = "scim", params(("workspace" = WorkspaceId, Path), ("filter" = Option<String>, Query), ("startIndex" = Option<i64>, Query), ("count" = Option<i64>, Query), ("cursor" = Option<String>, Query), ("attributes" = Option<String>, Query), ("excludedAttributes" = Option<String>, Query)), responses((status = 200, body = Object, content_type = "application/scim+json")))]
        async fn $list(asked: Asked) -> Answer {
            document(StatusCode::OK, &scim::list(&asked.directory(), $resource, asked.query()).await?)
        }

        #[doc = $find_says]
        #[utoipa::path(post, path = $search, tag = "scim", params(("workspace" = WorkspaceId, Path)), request_body(content = Object, content_type = "application/scim+json"), responses((status = 200, body = Object, content_type = "application/scim+json")))]
        async fn $find(asked: Asked, Body(body): Body) -> Answer {
            document(StatusCode::OK, &scim::list(&asked.directory(), $resource, &search_of(body)?).await?)
        }

        #[doc = $create_says]
        #[utoipa::path(post, path = $all, tag = "scim", params(("workspace" = WorkspaceId, Path)), request_body(content = Object, content_type = "application/scim+json"), responses((status = 201, body = Object, content_type = "application/scim+json")))]
        async fn $create(asked: Asked, Body(body): Body) -> Answer {
            let of = asked.directory();
            let (id, view) = (scim::fresh_id(&of, $resource), asked.view()?);
            let ask = Ask { resource: $resource, id: &id, if_match: None, view: &view };
            resource(StatusCode::CREATED, &scim::create(&of, &ask, &body).await?)
        }

        #[doc = $get_says]
        #[utoipa::path(get, path = $one, tag = "scim", params(("workspace" = WorkspaceId, Path), ("resource" = String, Path), ("attributes" = Option<String>, Query), ("excludedAttributes" = Option<String>, Query)), responses((status = 200, body = Object, content_type = "application/scim+json")))]
        async fn $get(asked: Asked) -> Answer {
            let shown = scim::get(&asked.directory(), $resource, asked.part("resource"), &asked.view()?).await?;
            let status = if asked.has(shown.version) { StatusCode::NOT_MODIFIED } else { StatusCode::OK };
            resource(status, &shown)
        }

        #[doc = $replace_says]
        #[utoipa::path(put, path = $one, tag = "scim", params(("workspace" = WorkspaceId, Path), ("resource" = String, Path), ("If-Match" = Option<String>, Header, description = "The ETag that it must have")), request_body(content = Object, content_type = "application/scim+json"), responses((status = 200, body = Object, content_type = "application/scim+json")))]
        async fn $replace(asked: Asked, Body(body): Body) -> Answer {
            let view = asked.view()?;
            let ask = Ask { resource: $resource, id: asked.part("resource"), if_match: asked.if_match(), view: &view };
            resource(StatusCode::OK, &scim::replace(&asked.directory(), &ask, &body).await?)
        }

        #[doc = $patch_says]
        #[utoipa::path(patch, path = $one, tag = "scim", params(("workspace" = WorkspaceId, Path), ("resource" = String, Path), ("If-Match" = Option<String>, Header, description = "The ETag that it must have")), request_body(content = Object, content_type = "application/scim+json"), responses((status = 200, body = Object, content_type = "application/scim+json"), (status = 204)))]
        async fn $patch(asked: Asked, Body(body): Body) -> Answer {
            let wanted = asked.view()?;
            // A group may have 100,000 members, and a change names few.
            let brief = $resource == Resource::Group && !wanted.is_chosen();
            let view = if brief { View::of(["id"], [])? } else { wanted };
            let ask = Ask { resource: $resource, id: asked.part("resource"), if_match: asked.if_match(), view: &view };
            let status = if brief { StatusCode::NO_CONTENT } else { StatusCode::OK };
            resource(status, &scim::patch(&asked.directory(), &ask, &body).await?)
        }

        #[doc = $delete_says]
        #[utoipa::path(delete, path = $one, tag = "scim", params(("workspace" = WorkspaceId, Path), ("resource" = String, Path), ("If-Match" = Option<String>, Header, description = "The ETag that it must have")), responses((status = 204)))]
        async fn $delete(asked: Asked) -> std::result::Result<StatusCode, ScimProblem> {
            let view = View::default();
            let ask = Ask { resource: $resource, id: asked.part("resource"), if_match: asked.if_match(), view: &view };
            scim::delete(&asked.directory(), &ask).await?;
            Ok(StatusCode::NO_CONTENT)
        }
    };
}

resources!(
    Resource::User,
    "/scim/v2/{workspace}/Users",
    "/scim/v2/{workspace}/Users/.search",
    "/scim/v2/{workspace}/Users/{resource}",
    list_users,
    search_users,
    create_user,
    get_user,
    replace_user,
    patch_user,
    delete_user,
    "List members by SCIM."
    "Find members by SCIM, with the query in the body."
    "Make a member by SCIM."
    "Get a member by SCIM."
    "Replace all that was said of a member by SCIM."
    "Change a member by SCIM, with operations."
    "Delete a member by SCIM."
);
resources!(
    Resource::Group,
    "/scim/v2/{workspace}/Groups",
    "/scim/v2/{workspace}/Groups/.search",
    "/scim/v2/{workspace}/Groups/{resource}",
    list_groups,
    search_groups,
    create_group,
    get_group,
    replace_group,
    patch_group,
    delete_group,
    "List departments and tags by SCIM."
    "Find departments and tags by SCIM, with the query in the body."
    "Make a department or tag by SCIM."
    "Get a department or tag by SCIM."
    "Replace all that was said of a department or tag by SCIM."
    "Change a department or tag by SCIM, with operations. 204 is answered, unless `attributes` are wanted."
    "Delete a department or tag by SCIM."
);

fn search_of(body: Value) -> berth_base::error::Result<ListQuery> {
    serde_json::from_value(body)
        .map_err(|error| refuse(Reason::InvalidSyntax, format!("This is no SearchRequest: {error}.")))
}

/// Find members, departments and tags together by SCIM.
#[utoipa::path(post, path = "/scim/v2/{workspace}/.search", tag = "scim", params(("workspace" = WorkspaceId, Path)), request_body(content = Object, content_type = "application/scim+json"), responses((status = 200, body = Object, content_type = "application/scim+json")))]
async fn search(asked: Asked, Body(body): Body) -> Answer {
    document(StatusCode::OK, &scim::search(&asked.directory(), &search_of(body)?).await?)
}

/// Do many changes by SCIM in one request. Each is done by itself; the answer tells what became of each.
#[utoipa::path(post, path = "/scim/v2/{workspace}/Bulk", tag = "scim", params(("workspace" = WorkspaceId, Path)), request_body(content = Object, content_type = "application/scim+json"), responses((status = 200, body = Object, content_type = "application/scim+json")))]
async fn bulk(asked: Asked, Body(body): Body) -> Answer {
    let done = scim::bulk(&asked.directory(), &body).await?;
    document(StatusCode::OK, &message::bulk(done.iter().map(told).collect()))
}

fn told(done: &Done) -> Value {
    let mut told = json!({"method": done.method});
    match &done.result {
        Ok(status) => told["status"] = status.to_string().into(),
        Err(error) => {
            let response = scim_document(error);
            told["status"] = response["status"].clone();
            told["response"] = response;
        }
    }
    for (name, value) in [("bulkId", &done.bulk_id), ("location", &done.location), ("version", &done.version)] {
        if let Some(value) = value {
            told[name] = value.as_str().into();
        }
    }
    told
}
