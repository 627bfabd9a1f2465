//! The resources of version 1 of the API. Each handler reads the request, calls one operation, and writes its answer.

pub mod access;
pub mod acts;
pub mod app_secrets;
pub mod audits;
pub mod authorisations;
pub mod channels;
pub mod devices;
pub mod endpoint_apps;
pub mod entries;
pub mod events;
pub mod fans;
pub mod fulfilments;
pub mod gray;
pub mod host_apps;
pub mod identity;
pub mod login_entries;
pub mod logs;
mod member_portal;
pub mod merchants;
pub mod messages;
pub mod mini_apps;
pub mod official_accounts;
pub mod oidc_clients;
pub mod org_nodes;
pub mod packages;
pub mod people;
pub mod policies;
mod policy_trust;
pub mod privacy;
pub mod product_instances;
pub mod search;
pub mod second_factors;
pub mod settings;
pub mod sign_in_provider;
pub mod template_messages;
pub mod users;
pub mod versions;
pub mod waiting;
pub mod webhooks;
pub mod wechat;
mod workspace_directory;
mod workspace_sign_on;
pub mod workspaces;

use axum::{
    Extension,
    extract::State,
    http::{HeaderName, HeaderValue, StatusCode, header::CACHE_CONTROL},
};
use serde::Serialize;
use utoipa_axum::router::OpenApiRouter;

use super::{
    extract::{Json, OptionalJson, Path, Query},
    idempotency::NoStore,
};
use crate::{
    Api,
    problem::{Problem, Result},
};

type AppState = State<Api>;
type Created<T> = Result<(StatusCode, Json<T>)>;

fn created<T>(value: T) -> Created<T> {
    Ok((StatusCode::CREATED, Json(value)))
}

type SecretHeaders = ([(HeaderName, HeaderValue); 1], Extension<NoStore>);

/// The headers of an answer that shows a secret: it is not cached, and not kept for a repeated request.
fn secret_headers() -> SecretHeaders {
    ([(CACHE_CONTROL, HeaderValue::from_static("no-store"))], Extension(NoStore))
}

/// A list that is returned as a whole, without pages.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct Items<T> {
    /// The items of the list.
    pub items: Vec<T>,
}

fn items<T>(items: Vec<T>) -> Result<Json<Items<T>>> {
    Ok(Json(Items { items }))
}

/// All resources but those of devices.
pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .merge(access::routes())
        .merge(people::routes())
        .merge(second_factors::routes())
        .merge(sign_in_provider::routes())
        .merge(waiting::routes())
        .merge(search::routes())
        .merge(mini_apps::routes())
        .merge(oidc_clients::routes())
        .merge(app_secrets::routes())
        .merge(users::routes())
        .merge(identity::routes())
        .merge(login_entries::routes())
        .merge(messages::routes())
        .merge(host_apps::routes())
        .merge(settings::routes())
        .merge(privacy::routes())
        .merge(packages::routes())
        .merge(versions::routes())
        .merge(audits::routes())
        .merge(policies::routes())
        .merge(policy_trust::routes())
        .merge(gray::routes())
        .merge(logs::routes())
        .merge(merchants::routes())
        .merge(authorisations::routes())
        .merge(wechat::routes())
        .merge(official_accounts::routes())
        .merge(entries::routes())
        .merge(fans::routes())
        .merge(template_messages::routes())
        .merge(fulfilments::routes())
        .merge(product_instances::routes())
        .merge(endpoint_apps::routes())
        .merge(channels::routes())
        .merge(org_nodes::routes())
        .merge(events::routes())
        .merge(acts::routes())
        .merge(webhooks::routes())
        .merge(workspaces::routes())
        .merge(workspace_directory::routes())
        .merge(workspace_sign_on::routes())
        .merge(member_portal::routes())
}
