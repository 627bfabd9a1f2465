//! Handlers for partners of MiniApps, the links of users, and swap.

use utoipa_axum::router::OpenApiRouter;

use super::*;
use berth_base::ids::{HostAppId, MiniAppId};
use berth_model::{access::Caller, app_secret::MiniAppServer};
use berth_work::identity::{
    self, EndRecognition, LinkUser, LinksQuery, Partner, RecogniseUser, RecognisedUser, Swap, Swapped, UserLink,
};

use crate::{Api, routes::routes};

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(partners))
        .routes(routes!(agree, end))
        .routes(routes!(links, link))
        .routes(routes!(unlink))
        .routes(routes!(swap))
        .routes(routes!(recognise))
        .routes(routes!(end_recognition))
}

/// List the partners of a MiniApp, and the MiniApps whose partner it is, agreed or asked for.
#[utoipa::path(get, path = "/v1/mini-apps/{id}/partners", tag = "identity", params(("id" = MiniAppId, Path)), responses((status = 200, body = Items<Partner>)))]
async fn partners(State(app): AppState, caller: Caller, Path(id): Path<MiniAppId>) -> Result<Json<Items<Partner>>> {
    items(identity::of_mini_app(&app.db, &caller, &id).await?)
}

/// Let a MiniApp be the partner of another one, or ask for it.
///
/// The partner's server may then swap the OpenIDs of users who agree. It holds as soon as an admin of each team has made this call;
/// the first one asks. For the other way it takes an agreement of its own.
#[utoipa::path(put, path = "/v1/mini-apps/{id}/partners/{partner}", tag = "identity", params(("id" = MiniAppId, Path), ("partner" = MiniAppId, Path)), responses((status = 200, body = Partner)))]
async fn agree(
    State(app): AppState,
    caller: Caller,
    Path((id, partner)): Path<(MiniAppId, MiniAppId)>,
) -> Result<Json<Partner>> {
    Ok(Json(identity::agree(&app.db, &caller, &id, &partner).await?))
}

/// End a partnership, in the name of either team, and with it the links of users that stand on it.
#[utoipa::path(delete, path = "/v1/mini-apps/{id}/partners/{partner}", tag = "identity", params(("id" = MiniAppId, Path), ("partner" = MiniAppId, Path)), responses((status = 204)))]
async fn end(
    State(app): AppState,
    caller: Caller,
    Path((id, partner)): Path<(MiniAppId, MiniAppId)>,
) -> Result<StatusCode> {
    identity::end(&app.db, &caller, &id, &partner).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// List what a user has agreed to be told to partners, those that ended too, oldest first, in the name of the host app's server.
#[utoipa::path(get, path = "/v1/host-apps/{id}/links", tag = "identity", params(("id" = HostAppId, Path), LinksQuery), responses((status = 200, body = Items<UserLink>)))]
async fn links(
    State(app): AppState,
    caller: Caller,
    Path(id): Path<HostAppId>,
    Query(query): Query<LinksQuery>,
) -> Result<Json<Items<UserLink>>> {
    items(identity::links(&app.db, &caller, &id, &query).await?)
}

/// Record that a user agrees that a partner learns who they are in a MiniApp, in the name of the host app's server.
///
/// The host app has asked the user. Who agrees to it already has said nothing new. With `through` the user in the MiniApp is the same person
/// at that official account, in whatever host app: recognised before or later, which is not said.
#[utoipa::path(post, path = "/v1/host-apps/{id}/links", tag = "identity", params(("id" = HostAppId, Path)), request_body = LinkUser, responses((status = 200, body = UserLink)))]
async fn link(
    State(app): AppState,
    caller: Caller,
    Path(id): Path<HostAppId>,
    Json(said): Json<LinkUser>,
) -> Result<Json<UserLink>> {
    Ok(Json(identity::link(&app.db, &caller, &id, said).await?))
}

/// Record that a user does not agree any more. The partner is told nothing from then on.
#[utoipa::path(post, path = "/v1/host-apps/{id}/links/end", tag = "identity", params(("id" = HostAppId, Path)), request_body = LinkUser, responses((status = 200, body = Items<UserLink>)))]
async fn unlink(
    State(app): AppState,
    caller: Caller,
    Path(id): Path<HostAppId>,
    Json(said): Json<LinkUser>,
) -> Result<Json<Items<UserLink>>> {
    items(identity::unlink(&app.db, &caller, &id, said).await?)
}

/// Swap OpenIDs of users who agree for those in another MiniApp, in the name of its partner's server.
///
/// `to` names the MiniApp whose OpenIDs are wanted for own ones, `from` the one whose OpenIDs are known, for own ones. What is null
/// is unknown, or the user has not agreed: all are answered alike.
#[utoipa::path(post, path = "/v1/swap", tag = "identity", request_body = Swap, responses((status = 200, body = Swapped)))]
async fn swap(
    State(app): AppState,
    server: MiniAppServer,
    Json(asked): Json<Swap>,
) -> Result<(SecretHeaders, Json<Swapped>)> {
    Ok((secret_headers(), Json(identity::swap(&app.db, &server, &asked).await?)))
}

/// Recognise a user at an official account, in the name of the MiniApp's server.
///
/// A web-view of the MiniApp has opened an entry link of the merchant whose channel it is, and came to the merchant's page with `code`.
/// `open_id` is the user in whose session that was. It tells nobody anything: partners are told of the person by links through the account, to
/// which the user agrees.
#[utoipa::path(post, path = "/v1/recognitions", tag = "identity", request_body = RecogniseUser, responses((status = 200, body = RecognisedUser)))]
async fn recognise(
    State(app): AppState,
    server: MiniAppServer,
    Json(said): Json<RecogniseUser>,
) -> Result<(SecretHeaders, Json<RecognisedUser>)> {
    Ok((secret_headers(), Json(identity::recognise(&app.db, &server, said).await?)))
}

/// End that a user is recognised at an official account, in the name of the MiniApp's server.
#[utoipa::path(post, path = "/v1/recognitions/end", tag = "identity", request_body = EndRecognition, responses((status = 204)))]
async fn end_recognition(
    State(app): AppState,
    server: MiniAppServer,
    Json(end): Json<EndRecognition>,
) -> Result<StatusCode> {
    identity::end_recognition(&app.db, &server, &end).await?;
    Ok(StatusCode::NO_CONTENT)
}
