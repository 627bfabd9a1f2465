//! What the host says of itself: what it supports, and how resources look.

use axum::{extract::Request, http::StatusCode, response::IntoResponse, routing::any};
use berth_base::{error::Error, ids::WorkspaceId};
use berth_model::workspace::scim::{message, schema::Resource};
use utoipa_axum::router::OpenApiRouter;

use super::sent::{Answer, Asked, document};
use crate::{Api, problem::ScimProblem, routes::routes};

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(config))
        .routes(routes!(resource_types))
        .routes(routes!(resource_type))
        .routes(routes!(schemas))
        .routes(routes!(schema))
        .route("/scim/v2/{workspace}/{*rest}", any(nothing))
}

/// Get what SCIM supports here.
#[utoipa::path(get, path = "/scim/v2/{workspace}/ServiceProviderConfig", tag = "scim", params(("workspace" = WorkspaceId, Path)), responses((status = 200, body = Object, content_type = "application/scim+json")))]
async fn config(asked: Asked) -> Answer {
    let of = asked.directory();
    of.enter().await?;
    document(StatusCode::OK, &message::config(of.base))
}

/// List the types of resources.
#[utoipa::path(get, path = "/scim/v2/{workspace}/ResourceTypes", tag = "scim", params(("workspace" = WorkspaceId, Path)), responses((status = 200, body = Object, content_type = "application/scim+json")))]
async fn resource_types(asked: Asked) -> Answer {
    let of = asked.directory();
    of.enter().await?;
    let all: Vec<_> = Resource::ALL.iter().map(|one| message::resource_type(*one, of.base)).collect();
    let total = all.len() as i64;
    document(StatusCode::OK, &message::list(all, Some(total), Some(0), None))
}

/// Get a type of resource.
#[utoipa::path(get, path = "/scim/v2/{workspace}/ResourceTypes/{name}", tag = "scim", params(("workspace" = WorkspaceId, Path), ("name" = String, Path)), responses((status = 200, body = Object, content_type = "application/scim+json")))]
async fn resource_type(asked: Asked) -> Answer {
    let of = asked.directory();
    of.enter().await?;
    let name = asked.part("name");
    let found = Resource::ALL.into_iter().find(|one| one.name() == name);
    let found = found.ok_or_else(|| Error::not_found("resource type", name))?;
    document(StatusCode::OK, &message::resource_type(found, of.base))
}

/// List the schemas of resources.
#[utoipa::path(get, path = "/scim/v2/{workspace}/Schemas", tag = "scim", params(("workspace" = WorkspaceId, Path)), responses((status = 200, body = Object, content_type = "application/scim+json")))]
async fn schemas(asked: Asked) -> Answer {
    let of = asked.directory();
    of.enter().await?;
    let all: Vec<_> = message::schema_documents(of.base).into_iter().map(|(_, one)| one).collect();
    let total = all.len() as i64;
    document(StatusCode::OK, &message::list(all, Some(total), Some(0), None))
}

/// Get a schema by its URN.
#[utoipa::path(get, path = "/scim/v2/{workspace}/Schemas/{urn}", tag = "scim", params(("workspace" = WorkspaceId, Path), ("urn" = String, Path)), responses((status = 200, body = Object, content_type = "application/scim+json")))]
async fn schema(asked: Asked) -> Answer {
    let of = asked.directory();
    of.enter().await?;
    let urn = asked.part("urn");
    let found = message::schema_documents(of.base).into_iter().find(|(id, _)| *id == urn);
    let (_, found) = found.ok_or_else(|| Error::not_found("schema", urn))?;
    document(StatusCode::OK, &found)
}

/// Every other address of a workspace, whatever is asked of it.
async fn nothing(request: Request) -> impl IntoResponse {
    let detail = format!("There is nothing at {}. ResourceTypes lists the endpoints.", request.uri().path());
    ScimProblem(Error::new(berth_base::error::Code::RouteNotFound, detail))
}
