//! Handlers for accounts, teams, roles and tokens.

use axum::http::StatusCode;
use utoipa_axum::router::OpenApiRouter;

use super::*;
use berth_base::{
    ids::{HostAppId, MerchantId, TeamId, TokenId, UserId, WorkspaceId},
    page::{Page, PageQuery},
};
use berth_model::access::{
    Account, AccountName, AccountQuery, AccountWithWays, Caller, EditTeam, Grant, IssueToken, IssuedToken, Me, Member,
    NamesQuery, NewAccount, NewTeam, NewToken, Role, Scope, SetRole, Team, Token,
};
use berth_work::access::{self, Entered};

use crate::{Api, auth::Entering, routes::routes};

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(me))
        .routes(routes!(create_account, accounts))
        .routes(routes!(account))
        .routes(routes!(account_names))
        .routes(routes!(create_team, teams))
        .routes(routes!(edit_team))
        .routes(routes!(issue_token, tokens))
        .routes(routes!(revoke_token))
        .routes(routes!(team_members))
        .routes(routes!(set_team_member, remove_team_member))
        .routes(routes!(host_app_members))
        .routes(routes!(set_host_app_member, remove_host_app_member))
        .routes(routes!(merchant_members))
        .routes(routes!(set_merchant_member, remove_merchant_member))
        .routes(routes!(workspace_accounts))
        .routes(routes!(set_workspace_account, remove_workspace_account))
        .routes(routes!(platform_members))
        .routes(routes!(set_platform_member, remove_platform_member))
}

/// Get the caller's own account, token and roles.
#[utoipa::path(get, path = "/v1/me", tag = "access", responses((status = 200, body = Me)))]
async fn me(State(app): AppState, Entering(Entered { caller, owes_second_factor }): Entering) -> Result<Json<Me>> {
    let access::Myself { account, token, sign_in_name } = access::me(&app.db, &caller).await?;
    let grant = |(scope, role): &(Scope, Role)| Grant { scope: scope.kind(), id: scope.id().to_owned(), role: *role };
    let grants = caller.grants.iter().map(grant).collect();
    Ok(Json(Me { account, token, grants, sign_in_name, owes_second_factor }))
}

/// Create an account. Only admins of the platform may.
#[utoipa::path(post, path = "/v1/accounts", tag = "access", request_body = NewAccount, responses((status = 201, body = Account)))]
async fn create_account(State(app): AppState, caller: Caller, Json(new): Json<NewAccount>) -> Created<Account> {
    created(access::create_account(&app.db, &caller, &new).await?)
}

/// List the accounts with the ways in which their people sign in, newest first, for admins and viewers of the platform.
#[utoipa::path(get, path = "/v1/accounts", tag = "access", params(AccountQuery), responses((status = 200, body = Page<AccountWithWays>)))]
async fn accounts(
    State(app): AppState,
    caller: Caller,
    Query(query): Query<AccountQuery>,
) -> Result<Json<Page<AccountWithWays>>> {
    Ok(Json(access::accounts(&app.db, &caller, &query).await?))
}

/// Get an account with the ways in which its person signs in, for admins and viewers of the platform.
#[utoipa::path(get, path = "/v1/accounts/{id}", tag = "access", params(("id" = UserId, Path)), responses((status = 200, body = AccountWithWays)))]
async fn account(State(app): AppState, caller: Caller, Path(id): Path<UserId>) -> Result<Json<AccountWithWays>> {
    Ok(Json(access::account(&app.db, &caller, &id).await?))
}

/// Get the names of accounts by their ids, which answers and events name them by.
///
/// Whoever has a token may ask, as an id cannot be guessed. Ids that are no account's are left out.
#[utoipa::path(get, path = "/v1/account-names", tag = "access", params(NamesQuery), responses((status = 200, body = Items<AccountName>)))]
async fn account_names(
    State(app): AppState,
    caller: Caller,
    Query(query): Query<NamesQuery>,
) -> Result<Json<Items<AccountName>>> {
    items(access::account_names(&app.db, &caller, &query).await?)
}

/// Create a team; the caller becomes its first admin.
#[utoipa::path(post, path = "/v1/teams", tag = "access", request_body = NewTeam, responses((status = 201, body = Team)))]
async fn create_team(State(app): AppState, caller: Caller, Json(new): Json<NewTeam>) -> Created<Team> {
    created(access::create_team(&app.db, &caller, &new).await?)
}

/// List the teams that the caller may know, oldest first.
#[utoipa::path(get, path = "/v1/teams", tag = "access", params(PageQuery), responses((status = 200, body = Page<Team>)))]
async fn teams(State(app): AppState, caller: Caller, Query(page): Query<PageQuery>) -> Result<Json<Page<Team>>> {
    Ok(Json(access::teams(&app.db, &caller, &page).await?))
}

/// Give a team another name, which its admins may.
#[utoipa::path(patch, path = "/v1/teams/{id}", tag = "access", params(("id" = TeamId, Path)), request_body = EditTeam, responses((status = 200, body = Team)))]
async fn edit_team(
    State(app): AppState,
    caller: Caller,
    Path(id): Path<TeamId>,
    Json(edit): Json<EditTeam>,
) -> Result<Json<Team>> {
    Ok(Json(access::edit_team(&app.db, &caller, &id, &edit).await?))
}

/// Issue a token. Its secret is shown only in this answer.
#[utoipa::path(post, path = "/v1/tokens", tag = "access", request_body = IssueToken, responses((status = 201, body = IssuedToken)))]
async fn issue_token(
    State(app): AppState,
    caller: Caller,
    Json(issue): Json<IssueToken>,
) -> Result<(StatusCode, SecretHeaders, Json<IssuedToken>)> {
    let IssueToken { account, name, scopes, expires_at } = issue;
    let issued = access::issue_token(&app.db, &caller, account, NewToken { name, scopes, expires_at }).await?;
    Ok((StatusCode::CREATED, secret_headers(), Json(issued)))
}

/// List the tokens of the caller's account, without their secrets.
#[utoipa::path(get, path = "/v1/tokens", tag = "access", responses((status = 200, body = Items<Token>)))]
async fn tokens(State(app): AppState, caller: Caller) -> Result<Json<Items<Token>>> {
    items(access::tokens(&app.db, &caller).await?)
}

/// Revoke a token. It is void at once on every host.
#[utoipa::path(delete, path = "/v1/tokens/{id}", tag = "access", params(("id" = TokenId, Path)), responses((status = 204)))]
async fn revoke_token(State(app): AppState, caller: Caller, Path(id): Path<TokenId>) -> Result<StatusCode> {
    access::revoke_token(&app.db, &caller, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

macro_rules! members {
    ($list:ident, $set:ident, $remove:ident, $path:literal, $one:literal, $id:ident, $scope:expr) => {
        /// List the accounts that have a role here.
        #[utoipa::path(get, path = $path, tag = "access", params(("id" = $id, Path)), responses((status = 200, body = Items<Member>)))]
        async fn $list(State(app): AppState, caller: Caller, Path(id): Path<$id>) -> Result<Json<Items<Member>>> {
            items(access::members(&app.db, &caller, &$scope(id)).await?)
        }

        /// Give an account a role here, in place of the one that it may have.
        #[utoipa::path(put, path = $one, tag = "access", params(("id" = $id, Path), ("account" = UserId, Path)), request_body = SetRole, responses((status = 204)))]
        async fn $set(State(app): AppState, caller: Caller, Path((id, account)): Path<($id, UserId)>, Json(set): Json<SetRole>) -> Result<StatusCode> {
            access::set_role(&app.db, &caller, &$scope(id), &account, Some(set.role)).await?;
            Ok(StatusCode::NO_CONTENT)
        }

        /// Take away the role that an account has here.
        #[utoipa::path(delete, path = $one, tag = "access", params(("id" = $id, Path), ("account" = UserId, Path)), responses((status = 204)))]
        async fn $remove(State(app): AppState, caller: Caller, Path((id, account)): Path<($id, UserId)>) -> Result<StatusCode> {
            access::set_role(&app.db, &caller, &$scope(id), &account, None).await?;
            Ok(StatusCode::NO_CONTENT)
        }
    };
}

members!(
    team_members,
    set_team_member,
    remove_team_member,
    "/v1/teams/{id}/members",
    "/v1/teams/{id}/members/{account}",
    TeamId,
    Scope::Team
);
members!(
    host_app_members,
    set_host_app_member,
    remove_host_app_member,
    "/v1/host-apps/{id}/members",
    "/v1/host-apps/{id}/members/{account}",
    HostAppId,
    Scope::HostApp
);
members!(
    merchant_members,
    set_merchant_member,
    remove_merchant_member,
    "/v1/merchants/{id}/members",
    "/v1/merchants/{id}/members/{account}",
    MerchantId,
    Scope::Merchant
);
members!(
    workspace_accounts,
    set_workspace_account,
    remove_workspace_account,
    "/v1/workspaces/{id}/accounts",
    "/v1/workspaces/{id}/accounts/{account}",
    WorkspaceId,
    Scope::Workspace
);

/// List the accounts that have a role in the platform: admins, viewers and fulfillers.
#[utoipa::path(get, path = "/v1/platform/members", tag = "access", responses((status = 200, body = Items<Member>)))]
async fn platform_members(State(app): AppState, caller: Caller) -> Result<Json<Items<Member>>> {
    items(access::members(&app.db, &caller, &Scope::Platform).await?)
}

/// Give an account a role in the platform, in place of the one that it may have there.
#[utoipa::path(put, path = "/v1/platform/members/{account}", tag = "access", params(("account" = UserId, Path)), request_body = SetRole, responses((status = 204)))]
async fn set_platform_member(
    State(app): AppState,
    caller: Caller,
    Path(account): Path<UserId>,
    Json(set): Json<SetRole>,
) -> Result<StatusCode> {
    access::set_role(&app.db, &caller, &Scope::Platform, &account, Some(set.role)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Take away the role that an account has in the platform.
#[utoipa::path(delete, path = "/v1/platform/members/{account}", tag = "access", params(("account" = UserId, Path)), responses((status = 204)))]
async fn remove_platform_member(
    State(app): AppState,
    caller: Caller,
    Path(account): Path<UserId>,
) -> Result<StatusCode> {
    access::set_role(&app.db, &caller, &Scope::Platform, &account, None).await?;
    Ok(StatusCode::NO_CONTENT)
}
