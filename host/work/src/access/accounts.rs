//! Accounts, teams, and the roles that accounts hold in scopes.

use berth_base::{
    error::{Code, Error, Result},
    ids::{TeamId, UserId},
    page::{Page, PageQuery},
    text,
};
use berth_model::{
    access::{
        Account, AccountName, AccountQuery, Action, Caller, Member, NamesQuery, NewAccount, NewTeam, Role, Scope, Team,
        TokenScope,
    },
    event::kind,
};
use berth_store::{Db, Tx};

/// All members of a scope, for a caller who may read it.
pub async fn members(db: &Db, caller: &Caller, scope: &Scope) -> Result<Vec<Member>> {
    let mut tx = db.read().await?;
    known_scope(&mut tx, caller, scope).await?;
    caller.require(Action::Read, scope)?;
    tx.members(scope).await
}

/// Gives (`Some`) or takes (`None`) the role of an account in a scope. The caller must be an admin of the scope or of
/// the platform.
///
/// # Errors
/// `last-admin` when the scope, which may be the platform, would be left without an admin; `not-found` for an unknown
/// scope or account, or when the account has no role to take; `invalid-field`; `missing-grant`.
#[tracing::instrument(name = "access.set_role", skip_all, fields(account = %account, scope = scope.id()))]
pub async fn set_role(db: &Db, caller: &Caller, scope: &Scope, account: &UserId, role: Option<Role>) -> Result<()> {
    let mut tx = db.begin().await?;
    known_scope(&mut tx, caller, scope).await?;
    caller.require(Action::ManageMembers, scope)?;
    tx.hold_grants(scope).await?;
    let members = tx.members(scope).await?;
    let admins: Vec<_> = members.iter().filter(|member| member.role == Role::Admin).collect();
    let is_last = matches!(admins[..], [last] if last.account == *account) && role != Some(Role::Admin);
    if is_last {
        return Err(Error::new(Code::LastAdmin, "This is the last admin. Make another account an admin first."));
    }
    match role {
        Some(role) => tx.grant(caller.account.as_str(), account, scope, role).await?,
        None if members.iter().any(|member| member.account == *account) => {
            tx.revoke(caller.account.as_str(), account, scope).await?;
        }
        None => return Err(Error::not_found("member", account)),
    }
    tx.commit().await
}

async fn known_scope(tx: &mut Tx, caller: &Caller, scope: &Scope) -> Result<()> {
    // That there is a platform is no secret: whoever lacks the grant is told so.
    if *scope == Scope::Platform || caller.knows(scope) && tx.scope_exists(scope).await? {
        return Ok(());
    }
    Err(Error::not_found(scope.kind().as_str(), scope.id()))
}

/// Creates an account. Only admins of the platform may.
#[tracing::instrument(name = "account.create", skip_all)]
pub async fn create_account(db: &Db, caller: &Caller, new: &NewAccount) -> Result<Account> {
    caller.require(Action::Administer, &Scope::Platform)?;
    let mut tx = db.begin().await?;
    let account = tx.create_account(caller.account.as_str(), new).await?;
    tx.commit().await?;
    Ok(account)
}

/// A page of the accounts, newest first, for admins and viewers of the platform.
pub async fn accounts(db: &Db, caller: &Caller, query: &AccountQuery) -> Result<Page<Account>> {
    caller.require(Action::Read, &Scope::Platform)?;
    let page = PageQuery { cursor: query.cursor.clone(), limit: query.limit };
    let items = db.read().await?.accounts(&page, query.name.as_deref()).await?;
    Ok(Page::of(items, &page, |account| account.id.to_string()))
}

/// The names of accounts, for whoever has their ids: answers and events name accounts by ids alone, and an id cannot be
/// guessed. Ids that are no account's are left out.
///
/// # Errors
/// `invalid-field` for the ids; `missing-grant` for the token.
pub async fn account_names(db: &Db, caller: &Caller, query: &NamesQuery) -> Result<Vec<AccountName>> {
    caller.require_scope(TokenScope::Read)?;
    db.read().await?.account_names(&query.read()?).await
}

/// An account that has roles in this many teams creates no further ones, unless it is an admin of the platform (F77).
const MOST_TEAMS: usize = 100;

/// Creates a team. Every account may; it becomes the first admin of the team.
///
/// # Errors
/// `team-limit` for an account that has roles in 100 teams already; `invalid-field`; `missing-grant`.
#[tracing::instrument(name = "team.create", skip_all)]
pub async fn create_team(db: &Db, caller: &Caller, new: &NewTeam) -> Result<Team> {
    caller.require_scope(TokenScope::Manage)?;
    let teams = caller.grants.iter().filter(|(scope, _)| matches!(scope, Scope::Team(_))).count();
    if teams >= MOST_TEAMS && !caller.is_platform_admin() {
        let detail = format!("You are in {teams} teams already. Ask an admin of the platform to create this one.");
        return Err(Error::new(Code::TeamLimit, detail).with("limit", MOST_TEAMS));
    }
    let mut tx = db.begin().await?;
    let now = tx.now();
    let team =
        Team { id: TeamId::generate(now, db.random()), name: text::name("name", &new.name, 64)?, created_at: now };
    tx.insert_team(&team).await?;
    tx.tell(kind::TEAM_CREATED, &team.id, caller.account.as_str(), &team);
    tx.grant(caller.account.as_str(), &caller.account, &Scope::Team(team.id.clone()), Role::Admin).await?;
    tx.commit().await?;
    Ok(team)
}

/// A page of the teams that the caller may know, oldest first.
pub async fn teams(db: &Db, caller: &Caller, page: &PageQuery) -> Result<Page<Team>> {
    caller.require_scope(TokenScope::Read)?;
    let items = db.read().await?.teams_known_to(caller, page).await?;
    Ok(Page::of(items, page, |team| team.id.to_string()))
}

/// The account of the caller, and the token that was used.
pub async fn me(db: &Db, caller: &Caller) -> Result<(Account, berth_model::access::Token)> {
    let mut tx = db.read().await?;
    let account = tx.account(&caller.account).await?.ok_or_else(|| Error::not_found("account", &caller.account))?;
    let token = tx.token(&caller.token).await?.ok_or_else(|| Error::not_found("token", &caller.token))?;
    Ok((account, token))
}
