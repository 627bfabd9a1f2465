//! Handlers for what MiniApps register for unified authentication, and for host apps that end sign-ons of their users.

use utoipa_axum::router::OpenApiRouter;

use super::*;
use berth_base::ids::{HostAppId, MiniAppId};
use berth_model::{
    access::Caller,
    oidc::{EndSignOns, OidcClient, SetOidcClient, SignOnsEnded},
};
use berth_work::oidc;

use crate::{Api, precondition::IfMatch, routes::routes};

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(client, set_client)).routes(routes!(end_sign_ons))
}

/// Get what a MiniApp has registered as a client of unified authentication: the addresses to which browsers come back.
#[utoipa::path(get, path = "/v1/mini-apps/{id}/oidc-client", tag = "oidc", params(("id" = MiniAppId, Path)), responses((status = 200, body = OidcClient)))]
async fn client(State(app): AppState, caller: Caller, Path(id): Path<MiniAppId>) -> Result<Json<OidcClient>> {
    Ok(Json(oidc::client(&app.db, &caller, &id).await?))
}

/// Set what a MiniApp has registered, in place of all that it has, for admins of its team.
///
/// With `If-Match` it is set only while it is as the ETag of the GET says.
#[utoipa::path(put, path = "/v1/mini-apps/{id}/oidc-client", tag = "oidc", params(("id" = MiniAppId, Path), ("If-Match" = Option<String>, Header, description = "The ETag of the GET on which the change was decided")), request_body = SetOidcClient, responses((status = 200, body = OidcClient)))]
async fn set_client(
    State(app): AppState,
    caller: Caller,
    Path(id): Path<MiniAppId>,
    still: IfMatch,
    Json(set): Json<SetOidcClient>,
) -> Result<Json<OidcClient>> {
    Ok(Json(oidc::set_client(&app.db, &caller, &id, &set, &|present| still.require(present)).await?))
}

/// End the sign-ons of a user of a host app, in whatever browser, in the name of its server: after a logout there, or when a
/// device was lost. Access tokens that came from them end, too.
#[utoipa::path(post, path = "/v1/host-apps/{id}/sign-ons/end", tag = "oidc", params(("id" = HostAppId, Path)), request_body = EndSignOns, responses((status = 200, body = SignOnsEnded)))]
async fn end_sign_ons(
    State(app): AppState,
    caller: Caller,
    Path(id): Path<HostAppId>,
    Json(who): Json<EndSignOns>,
) -> Result<Json<SignOnsEnded>> {
    Ok(Json(oidc::end_sign_ons(&app.db, &caller, &id, &who).await?))
}
