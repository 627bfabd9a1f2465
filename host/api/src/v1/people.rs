//! Handlers for how people get in: sessions, passwords and invitations.

use axum::http::StatusCode;
use utoipa_axum::router::OpenApiRouter;

use super::*;
use berth_base::{
    error::{Code, Error},
    ids::{InvitationId, TokenId, UserId},
    page::{Page, PageQuery},
};
use berth_model::access::{
    AcceptInvitation, Account, Caller, ChangePassword, Credentials, Invitation, InvitationSeen, IssuedInvitation,
    NewInvitation, SeeInvitation, Session, SessionQuery, SignIn, StartedSession, folded_name,
};
use berth_work::access::{self, Entered};

use crate::{Api, auth::Entering, client_ip::ClientIp, origin::From, routes::routes};

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(start, sessions))
        .routes(routes!(end))
        .routes(routes!(change_password))
        .routes(routes!(invite, invitations))
        .routes(routes!(withdraw))
        .routes(routes!(see))
        .routes(routes!(accept))
        .routes(routes!(disable))
        .routes(routes!(enable))
}

/// What shows a secret and is created by it.
type CreatedSecret<T> = Result<(StatusCode, SecretHeaders, Json<T>)>;

fn created_secret<T>(value: T) -> CreatedSecret<T> {
    Ok((StatusCode::CREATED, secret_headers(), Json(value)))
}

/// Sign in by name and password, or start a session by an API token. The secret is shown only in this answer.
///
/// Without a token, the body has a sign-in name and a password. Where the account has a second factor it takes a `code` as well,
/// at once or, with the `ticket` of the refusal `second-factor-required`, by a second request. With an API token and an empty object as body, the session may
/// be used for what the token may be used for, and ends with it.
#[utoipa::path(post, path = "/v1/sessions", tag = "access", request_body = SignIn, responses((status = 201, body = StartedSession)))]
async fn start(
    State(app): AppState,
    caller: Option<Caller>,
    client: Option<Extension<ClientIp>>,
    From(origin): From,
    OptionalJson(sign_in): OptionalJson<SignIn>,
) -> CreatedSecret<StartedSession> {
    let started = match (caller, sign_in.credentials()?) {
        (Some(caller), None) => app.people.start_by_token(&caller, &origin).await?,
        (None, Some(Credentials::Password { name, password, code })) => {
            let sign_in = app.people.sign_in(&name, &password, code.as_ref(), &origin);
            app.try_password(client, &named(&name), sign_in).await?
        }
        (None, Some(Credentials::Ticket { ticket, code })) => {
            let ticket = app.people.read_ticket(&ticket)?;
            let sign_in = app.people.sign_in_by_code(&ticket, &code, &origin);
            app.try_password(client, &named(&ticket.name), sign_in).await?
        }
        (Some(_), Some(_)) => {
            let detail = "leave it out with a token, or the token with it: each says whose session it is to be.";
            return Err(Error::field("sign_in_name", detail).into());
        }
        (None, None) => {
            let detail = "Send sign_in_name and password, or an API token as `Authorization: Bearer TOKEN`.";
            return Err(Error::new(Code::MissingToken, detail).into());
        }
    };
    created_secret(started)
}

/// List the sessions of the caller's account that have not ended, newest first; of another account for admins of the platform.
#[utoipa::path(get, path = "/v1/sessions", tag = "access", params(SessionQuery), responses((status = 200, body = Items<Session>)))]
async fn sessions(
    State(app): AppState,
    caller: Caller,
    Query(query): Query<SessionQuery>,
) -> Result<Json<Items<Session>>> {
    items(access::sessions(&app.db, &caller, &query).await?)
}

/// End a session. It is void at once on every host.
///
/// Everybody may end their own; admins of the platform may end any.
#[utoipa::path(delete, path = "/v1/sessions/{id}", tag = "access", params(("id" = TokenId, Path)), responses((status = 204)))]
async fn end(State(app): AppState, Entering(entered): Entering, Path(id): Path<TokenId>) -> Result<StatusCode> {
    let is_own = entered.caller.token == id;
    let caller = entered.caller_for(is_own)?;
    access::end_session(&app.db, &caller, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Set the password of the caller's account, and the name to sign in by. All other sessions of the account end.
///
/// It takes a token or session that may be used for everything. `current` is needed when there is a password.
#[utoipa::path(put, path = "/v1/me/password", tag = "access", request_body = ChangePassword, responses((status = 204)))]
async fn change_password(
    State(app): AppState,
    Entering(Entered { caller, .. }): Entering,
    client: Option<Extension<ClientIp>>,
    Json(change): Json<ChangePassword>,
) -> Result<StatusCode> {
    app.try_password(client, &own(&caller), app.people.change_password(&caller, change)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Invite a person to a new account, or to one that is there. The code is shown only in this answer.
///
/// Whoever manages the members of a place invites new people to a role there. Everything else is for admins of the platform: an
/// invitation to an account that is there is the way back for who has forgotten the password.
#[utoipa::path(post, path = "/v1/invitations", tag = "access", request_body = NewInvitation, responses((status = 201, body = IssuedInvitation)))]
async fn invite(
    State(app): AppState,
    caller: Caller,
    Json(new): Json<NewInvitation>,
) -> CreatedSecret<IssuedInvitation> {
    created_secret(app.people.invite(&caller, new).await?)
}

/// List the invitations to places whose members the caller manages, newest first; all of them for admins and viewers of the
/// platform.
#[utoipa::path(get, path = "/v1/invitations", tag = "access", params(PageQuery), responses((status = 200, body = Page<Invitation>)))]
async fn invitations(
    State(app): AppState,
    caller: Caller,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<Invitation>>> {
    Ok(Json(access::invitations(&app.db, &caller, &page).await?))
}

/// Withdraw an invitation that was not accepted. Its code is void at once.
#[utoipa::path(delete, path = "/v1/invitations/{id}", tag = "access", params(("id" = InvitationId, Path)), responses((status = 204)))]
async fn withdraw(State(app): AppState, caller: Caller, Path(id): Path<InvitationId>) -> Result<StatusCode> {
    access::withdraw_invitation(&app.db, &caller, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// See what an invitation is, by its code. It stays good.
#[utoipa::path(post, path = "/v1/invitations/seen", tag = "access", request_body = SeeInvitation, responses((status = 200, body = InvitationSeen)))]
async fn see(
    State(app): AppState,
    client: Option<Extension<ClientIp>>,
    Json(SeeInvitation { code }): Json<SeeInvitation>,
) -> Result<(SecretHeaders, Json<InvitationSeen>)> {
    Ok((secret_headers(), Json(app.try_secret(client, app.people.see_invitation(&code)).await?)))
}

/// Accept an invitation by its code: set a password, and get a session. It is good once.
///
/// Without a password the account stays as it is, and can be got into by this session alone until one is set.
#[utoipa::path(post, path = "/v1/invitations/accept", tag = "access", request_body = AcceptInvitation, responses((status = 201, body = StartedSession)))]
async fn accept(
    State(app): AppState,
    client: Option<Extension<ClientIp>>,
    From(origin): From,
    Json(accept): Json<AcceptInvitation>,
) -> CreatedSecret<StartedSession> {
    created_secret(app.try_secret(client, app.people.accept_invitation(accept, &origin)).await?)
}

/// Disable an account, at once on every host: its sessions end, and its tokens are of no use. Only admins of the platform may.
#[utoipa::path(post, path = "/v1/accounts/{id}/disable", tag = "access", params(("id" = UserId, Path)), responses((status = 200, body = Account)))]
async fn disable(State(app): AppState, caller: Caller, Path(id): Path<UserId>) -> Result<Json<Account>> {
    Ok(Json(access::disable(&app.db, &caller, &id).await?))
}

/// Let an account be used again, with the tokens and the roles that it has. Only admins of the platform may.
#[utoipa::path(post, path = "/v1/accounts/{id}/enable", tag = "access", params(("id" = UserId, Path)), responses((status = 200, body = Account)))]
async fn enable(State(app): AppState, caller: Caller, Path(id): Path<UserId>) -> Result<Json<Account>> {
    Ok(Json(access::enable(&app.db, &caller, &id).await?))
}

/// Whose tries count when somebody signs in by this name: nobody who is signed in shares them.
fn named(name: &str) -> String {
    format!("name {}", folded_name(name))
}

/// Whose tries count when somebody who is signed in proves who they are: strangers cannot use them up.
pub(super) fn own(caller: &Caller) -> String {
    format!("account {}", caller.account)
}
