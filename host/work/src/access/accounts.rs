//! Accounts, teams, and the roles that accounts hold in scopes.

use berth_base::{
    error::{Code, Error, Result},
    ids::{TeamId, UserId},
    page::{Page, PageQuery},
    text,
};
use berth_model::{
    access::{
        Account, AccountName, AccountQuery, AccountWithWays, Action, Caller, EditTeam, Member, NamesQuery, NewAccount,
        NewTeam, Role, Scope, SessionEnd, Team, Token, TokenScope,
    },
    event::kind,
};
use berth_store::{Db, Tx, access::WhichAccounts};

use super::session;

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
    if role != Some(Role::Admin) {
        another_admin(&mut tx, scope, account).await?;
    }
    match role {
        Some(role) => tx.grant(caller.account.as_str(), account, scope, role).await?,
        None => tx.revoke(caller.account.as_str(), account, scope).await?,
    }
    tx.commit().await
}

/// Refuses when nobody but this account can be an admin of the scope. The transaction holds the roles there.
async fn another_admin(tx: &mut Tx, scope: &Scope, account: &UserId) -> Result<()> {
    match &tx.admins(scope).await?[..] {
        [last] if last == account => {
            Err(Error::new(Code::LastAdmin, "This is the last admin. Make another account an admin first."))
        }
        _ => Ok(()),
    }
}

/// Refuses a scope that does not exist, or that the caller may not know of.
pub(super) async fn known_scope(tx: &mut Tx, caller: &Caller, scope: &Scope) -> Result<()> {
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

/// Disables an account, which only admins of the platform may: its sessions end, its tokens are of no use, and invitations to it
/// and from it are not good, at once on every host. Disabling it again does nothing.
///
/// # Errors
/// `last-admin` when no other account would be an admin of the platform; `not-found`; `missing-grant`.
#[tracing::instrument(name = "account.disable", skip_all, fields(account = %id))]
pub async fn disable(db: &Db, caller: &Caller, id: &UserId) -> Result<Account> {
    caller.require(Action::Administer, &Scope::Platform)?;
    let mut tx = db.begin().await?;
    tx.hold_grants(&Scope::Platform).await?;
    let mut account = held(&mut tx, id).await?;
    if account.disabled_at.is_some() {
        return Ok(account);
    }
    another_admin(&mut tx, &Scope::Platform, id).await?;
    session::end_all(&mut tx, id, None, caller.account.as_str(), SessionEnd::Disabled).await?;
    account.disabled_at = Some(tx.now());
    tx.set_disabled(id, account.disabled_at).await?;
    tx.tell(kind::ACCOUNT_DISABLED, id, caller.account.as_str(), &account);
    tx.commit().await?;
    Ok(account)
}

/// Lets an account be used again, with the tokens and the roles that it has. Only admins of the platform may.
///
/// # Errors
/// `not-found`; `missing-grant`.
#[tracing::instrument(name = "account.enable", skip_all, fields(account = %id))]
pub async fn enable(db: &Db, caller: &Caller, id: &UserId) -> Result<Account> {
    caller.require(Action::Administer, &Scope::Platform)?;
    let mut tx = db.begin().await?;
    let mut account = held(&mut tx, id).await?;
    if account.disabled_at.take().is_none() {
        return Ok(account);
    }
    tx.set_disabled(id, None).await?;
    tx.tell(kind::ACCOUNT_ENABLED, id, caller.account.as_str(), &account);
    tx.commit().await?;
    Ok(account)
}

async fn held(tx: &mut Tx, id: &UserId) -> Result<Account> {
    tx.hold_account(id).await?;
    tx.account(id).await?.ok_or_else(|| Error::not_found("account", id))
}

/// A page of the accounts, newest first, for admins and viewers of the platform.
pub async fn accounts(db: &Db, caller: &Caller, query: &AccountQuery) -> Result<Page<AccountWithWays>> {
    caller.require(Action::Read, &Scope::Platform)?;
    let page = PageQuery { cursor: query.cursor.clone(), limit: query.limit };
    let which = WhichAccounts { id: None, name: query.name.as_deref(), is_linked: query.linked };
    let items = db.read().await?.accounts(&page, &which).await?;
    Ok(Page::of(items, &page, |one| one.account.id.to_string()))
}

/// An account with its ways in, for admins and viewers of the platform.
///
/// # Errors
/// `not-found`; `missing-grant`.
pub async fn account(db: &Db, caller: &Caller, id: &UserId) -> Result<AccountWithWays> {
    caller.require(Action::Read, &Scope::Platform)?;
    let which = WhichAccounts { id: Some(id), name: None, is_linked: None };
    let found = db.read().await?.accounts(&PageQuery::default(), &which).await?;
    found.into_iter().next().ok_or_else(|| Error::not_found("account", id))
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

/// Gives a team another name, which its admins may. When nothing changes, nothing is written.
///
/// # Errors
/// `invalid-field`; `not-found`; `missing-grant`.
#[tracing::instrument(name = "team.edit", skip_all, fields(team = %id))]
pub async fn edit_team(db: &Db, caller: &Caller, id: &TeamId, edit: &EditTeam) -> Result<Team> {
    let scope = Scope::Team(id.clone());
    let mut tx = db.begin().await?;
    known_scope(&mut tx, caller, &scope).await?;
    caller.require(Action::Configure, &scope)?;
    let before = tx.hold_team(id).await?.ok_or_else(|| Error::not_found("team", id))?;
    let team = Team { name: text::name("name", &edit.name, 64)?, ..before.clone() };
    if team.name == before.name {
        return Ok(team);
    }
    tx.set_team_name(id, &team.name).await?;
    tx.tell(kind::TEAM_EDITED, id, caller.account.as_str(), &team).was(Some(&before));
    tx.commit().await?;
    Ok(team)
}

/// A page of the teams that the caller may know, oldest first.
pub async fn teams(db: &Db, caller: &Caller, page: &PageQuery) -> Result<Page<Team>> {
    caller.require_scope(TokenScope::Read)?;
    let items = db.read().await?.teams_known_to(caller, page).await?;
    Ok(Page::of(items, page, |team| team.id.to_string()))
}

/// The account of a caller, the token that was used, and the name to sign in by, if there is one.
pub struct Myself {
    /// The account.
    pub account: Account,
    /// The token.
    pub token: Token,
    /// The sign-in name.
    pub sign_in_name: Option<String>,
}

/// Who the caller is.
pub async fn me(db: &Db, caller: &Caller) -> Result<Myself> {
    let mut tx = db.read().await?;
    let account = tx.account(&caller.account).await?.ok_or_else(|| Error::not_found("account", &caller.account))?;
    let token = tx.token(&caller.token).await?.ok_or_else(|| Error::not_found("token", &caller.token))?;
    let sign_in_name = tx.password_of(&caller.account).await?.map(|password| password.sign_in_name);
    Ok(Myself { account, token, sign_in_name })
}
