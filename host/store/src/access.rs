//! Accounts, teams, roles and tokens.

use std::collections::BTreeSet;

use sqlx::types::Json;

use super::{Count, Tx, chosen, execute, fetch, fetch_built, push_ids, push_if, second_factor::few};
use berth_base::{
    clock::Millis,
    error::Result,
    ids::{Digest, TeamId, TokenId, UserId},
    page::PageQuery,
};
use berth_base::{error::Error, text};
use berth_model::access::{
    Account, AccountName, AccountWithWays, Action, Caller, Member, ProviderLink, Role, Scope, ScopeKind, SecondFactor,
    Team, Token,
};
use berth_model::{
    access::{IssuedToken, NewAccount, NewToken, TokenScope, new_secret},
    event::{MemberGranted, MemberRemoved, kind},
};

/// A list of the roles that allow an action in scopes of a kind, as SQL has it.
pub(crate) fn roles(action: Action, kind: ScopeKind) -> String {
    action.roles(kind).map(|role| format!("'{role}'")).collect::<Vec<_>>().join(", ")
}

/// Pushes the teams in which the caller has a role, as a list in parentheses.
macro_rules! push_own_teams {
    ($query:ident, $caller:expr) => {
        $query.push("(SELECT scope_id FROM role_grant WHERE scope_kind = 'team' AND account_id = ");
        $query.push_bind(&$caller.account).push(")");
    };
}
pub(crate) use push_own_teams;

/// Pushes the condition that the caller may know the team of the MiniApp `m`.
macro_rules! push_team_members {
    ($query:ident, $caller:expr) => {
        if $crate::chosen!(!$caller.reads_everything()) {
            $query.push(" AND m.team_id IN ");
            $crate::access::push_own_teams!($query, $caller);
        }
    };
}
pub(crate) use push_team_members;

/// The condition that the row `g` of `role_grant` allows to read what is in its scope.
pub(crate) fn reads() -> String {
    let in_kind = |kind: &ScopeKind| format!("g.scope_kind = '{kind}' AND g.role IN ({})", roles(Action::Read, *kind));
    format!("({})", ScopeKind::ALL.iter().map(in_kind).collect::<Vec<_>>().join(" OR "))
}

/// An account with its ways in.
#[derive(sqlx::FromRow)]
struct WaysRow {
    #[sqlx(flatten)]
    account: Account,
    sign_in_name: Option<String>,
    confirmed_at: Option<Millis>,
    recovery_codes: Count,
    issuer: Option<String>,
    subject: Option<String>,
    linked_at: Option<Millis>,
}

impl WaysRow {
    fn read(self) -> AccountWithWays {
        let recovery_codes = few(self.recovery_codes);
        let link = self.issuer.zip(self.subject).zip(self.linked_at);
        AccountWithWays {
            account: self.account,
            sign_in_name: self.sign_in_name,
            second_factor: self.confirmed_at.map(|since| SecondFactor { since, recovery_codes }),
            provider_link: link.map(|((issuer, subject), linked_at)| ProviderLink { issuer, subject, linked_at }),
        }
    }
}

/// Which accounts to list.
pub struct WhichAccounts<'a> {
    /// The one with this id.
    pub id: Option<&'a UserId>,
    /// Those with exactly this name.
    pub name: Option<&'a str>,
    /// Those that are linked to a person at the identity provider, or those that are not.
    pub is_linked: Option<bool>,
}

impl Tx {
    /// Adds an account.
    pub(crate) async fn insert_account(&mut self, account: &Account) -> Result<()> {
        execute!(
            self,
            "INSERT INTO account (id, name, created_at) VALUES ($1, $2, $3)",
            &account.id,
            &account.name,
            account.created_at
        )?;
        Ok(())
    }

    /// The account with this id.
    pub async fn account(&mut self, id: &UserId) -> Result<Option<Account>> {
        Ok(fetch!(self, fetch_optional, Account, "SELECT * FROM account WHERE id = $1", id)?)
    }

    /// A page of these accounts with their ways in, newest first, and one more than the page holds.
    pub async fn accounts(&mut self, page: &PageQuery, which: &WhichAccounts<'_>) -> Result<Vec<AccountWithWays>> {
        let rows = fetch_built!(self, WaysRow, |query| {
            query.push(
                "SELECT a.*, p.sign_in_name, f.confirmed_at, l.issuer, l.subject, l.linked_at,
                    (SELECT COUNT(*) FROM recovery_code r WHERE r.account_id = a.id) AS recovery_codes
                 FROM account a LEFT JOIN password p ON p.account_id = a.id
                 LEFT JOIN second_factor f ON f.account_id = a.id LEFT JOIN provider_link l ON l.account_id = a.id
                 WHERE a.id < ",
            );
            query.push_bind(page.before());
            push_if!(query, which.id, " AND a.id = ", "");
            push_if!(query, which.name, " AND a.name = ", "");
            if let Some(is_linked) = chosen!(which.is_linked) {
                query.push(if is_linked { " AND l.account_id IS NOT NULL" } else { " AND l.account_id IS NULL" });
            }
            query.push(" ORDER BY a.id DESC LIMIT ").push_bind(page.limit() + 1);
        })?;
        Ok(rows.into_iter().map(WaysRow::read).collect())
    }

    /// The roles of an account that can be used, each with its scope; none of one that is disabled.
    pub async fn grants_of(&mut self, account: &UserId) -> Result<Vec<(Scope, Role)>> {
        const SQL: &str =
            "SELECT g.scope_kind, g.scope_id, g.role FROM role_grant g JOIN account a ON a.id = g.account_id
             WHERE g.account_id = $1 AND a.disabled_at IS NULL";
        let rows = fetch!(self, fetch_all, (ScopeKind, String, Role), SQL, account)?;
        rows.into_iter().map(|(kind, id, role)| Ok((Scope::parse(kind, &id)?, role))).collect()
    }

    /// The names of those of `ids` that are accounts, by id.
    pub async fn account_names(&mut self, ids: &BTreeSet<UserId>) -> Result<Vec<AccountName>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        Ok(fetch_built!(self, AccountName, |query| {
            query.push("SELECT id, name FROM account WHERE id IN ");
            push_ids!(query, ids);
            query.push(" ORDER BY id");
        })?)
    }

    /// Adds a team.
    pub async fn insert_team(&mut self, team: &Team) -> Result<()> {
        execute!(
            self,
            "INSERT INTO team (id, name, created_at) VALUES ($1, $2, $3)",
            &team.id,
            &team.name,
            team.created_at
        )?;
        Ok(())
    }

    /// The team with this id.
    pub async fn team(&mut self, id: &TeamId) -> Result<Option<Team>> {
        Ok(fetch!(self, fetch_optional, Team, "SELECT * FROM team WHERE id = $1", id)?)
    }

    /// Locks a team until the transaction ends, and returns it.
    pub async fn hold_team(&mut self, id: &TeamId) -> Result<Option<Team>> {
        Ok(fetch!(self, fetch_optional, Team, "UPDATE team SET name = name WHERE id = $1 RETURNING *", id)?)
    }

    /// Sets the name of a team.
    pub async fn set_team_name(&mut self, id: &TeamId, name: &str) -> Result<()> {
        execute!(self, "UPDATE team SET name = $2 WHERE id = $1", id, name)?;
        Ok(())
    }

    /// A page of the teams that the caller may know about, by id, and one more than the page holds.
    pub async fn teams_known_to(&mut self, caller: &Caller, page: &PageQuery) -> Result<Vec<Team>> {
        Ok(fetch_built!(self, Team, |q| {
            q.push("SELECT * FROM team WHERE id > ").push_bind(page.after());
            if chosen!(!caller.reads_everything()) {
                q.push(" AND id IN (SELECT scope_id FROM role_grant WHERE scope_kind = 'team' AND account_id = ");
                q.push_bind(&caller.account).push(")");
            }
            q.push(" ORDER BY id LIMIT ").push_bind(page.limit() + 1);
        })?)
    }

    /// Whether the team, host app, merchant or workspace that the scope covers exists.
    pub async fn scope_exists(&mut self, scope: &Scope) -> Result<bool> {
        let id = scope.id();
        Ok(match scope.kind() {
            ScopeKind::Platform => true,
            ScopeKind::Team => {
                fetch!(self, fetch_optional, (String,), "SELECT id FROM team WHERE id = $1", id)?.is_some()
            }
            ScopeKind::HostApp => {
                fetch!(self, fetch_optional, (String,), "SELECT id FROM host_app WHERE id = $1", id)?.is_some()
            }
            ScopeKind::Merchant => {
                fetch!(self, fetch_optional, (String,), "SELECT id FROM merchant WHERE id = $1", id)?.is_some()
            }
            ScopeKind::Workspace => {
                fetch!(self, fetch_optional, (String,), "SELECT id FROM workspace WHERE id = $1", id)?.is_some()
            }
        })
    }

    /// The role that an account has in a scope.
    async fn role_of(&mut self, account: &UserId, scope: &Scope) -> Result<Option<Role>> {
        let row = fetch!(
            self,
            fetch_optional,
            (Role,),
            "SELECT role FROM role_grant WHERE account_id = $1 AND scope_kind = $2 AND scope_id = $3",
            account,
            scope.kind(),
            scope.id()
        )?;
        Ok(row.map(|(role,)| role))
    }

    /// Gives an account a role in a scope, in place of the one that it may have there. Returns `false` when it has this
    /// role already.
    pub(crate) async fn set_grant(&mut self, account: &UserId, scope: &Scope, role: Role, now: Millis) -> Result<bool> {
        let changed = execute!(
            self,
            "INSERT INTO role_grant (account_id, scope_kind, scope_id, role, created_at) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (account_id, scope_kind, scope_id) DO UPDATE SET role = excluded.role
             WHERE role_grant.role <> excluded.role",
            account,
            scope.kind(),
            scope.id(),
            role,
            now
        )?;
        Ok(changed > 0)
    }

    /// Removes the role of an account in a scope.
    pub(crate) async fn delete_grant(&mut self, account: &UserId, scope: &Scope) -> Result<()> {
        execute!(
            self,
            "DELETE FROM role_grant WHERE account_id = $1 AND scope_kind = $2 AND scope_id = $3",
            account,
            scope.kind(),
            scope.id()
        )?;
        Ok(())
    }

    /// All accounts that have a role in the scope, oldest role first.
    pub async fn members(&mut self, scope: &Scope) -> Result<Vec<Member>> {
        let rows = fetch!(
            self,
            fetch_all,
            (UserId, String, Role),
            "SELECT g.account_id, a.name, g.role FROM role_grant g JOIN account a ON a.id = g.account_id
             WHERE g.scope_kind = $1 AND g.scope_id = $2 ORDER BY g.created_at, g.account_id",
            scope.kind(),
            scope.id()
        )?;
        Ok(rows.into_iter().map(|(account, name, role)| Member { account, name, role }).collect())
    }

    /// The admins of a scope whose accounts can be used, oldest role first.
    pub async fn admins(&mut self, scope: &Scope) -> Result<Vec<UserId>> {
        const SQL: &str = "SELECT g.account_id FROM role_grant g JOIN account a ON a.id = g.account_id
             WHERE g.scope_kind = $1 AND g.scope_id = $2 AND g.role = 'admin' AND a.disabled_at IS NULL
             ORDER BY g.created_at, g.account_id";
        let rows = fetch!(self, fetch_all, (UserId,), SQL, scope.kind(), scope.id())?;
        Ok(rows.into_iter().map(|(account,)| account).collect())
    }

    /// Locks the roles in a scope, so that two changes of its admins come one after the other.
    pub async fn hold_grants(&mut self, scope: &Scope) -> Result<()> {
        execute!(
            self,
            "UPDATE role_grant SET role = role WHERE scope_kind = $1 AND scope_id = $2",
            scope.kind(),
            scope.id()
        )?;
        Ok(())
    }

    /// Adds a token. Only the digest of its secret is stored.
    pub(crate) async fn insert_token(&mut self, token: &Token, secret: Digest) -> Result<()> {
        execute!(
            self,
            "INSERT INTO token (id, account_id, name, secret_sha256, scopes, created_at, expires_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
            &token.id,
            &token.account,
            &token.name,
            secret,
            Json(&token.scopes),
            token.created_at,
            token.expires_at,
        )?;
        Ok(())
    }

    /// All tokens of an account but its sessions, newest first.
    pub async fn tokens_of(&mut self, account: &UserId) -> Result<Vec<Token>> {
        const SQL: &str = "SELECT * FROM token t WHERE account_id = $1
             AND NOT EXISTS (SELECT 1 FROM session s WHERE s.token_id = t.id) ORDER BY created_at DESC, id DESC";
        Ok(fetch!(self, fetch_all, Token, SQL, account)?)
    }

    /// The token with this id.
    pub async fn token(&mut self, id: &TokenId) -> Result<Option<Token>> {
        Ok(fetch!(self, fetch_optional, Token, "SELECT * FROM token WHERE id = $1", id)?)
    }

    /// Revokes a token. It is void at once, as every host reads the row for each request. Returns `false` when it was
    /// revoked already.
    pub async fn revoke_token(&mut self, id: &TokenId, now: Millis) -> Result<bool> {
        Ok(execute!(self, "UPDATE token SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL", id, now)? > 0)
    }
}

impl Tx {
    /// Creates an account and emits the event; `invalid-field` for the name.
    pub async fn create_account(&mut self, actor: &str, new: &NewAccount) -> Result<Account> {
        let now = self.now();
        let account = Account {
            id: UserId::generate(now, self.random()),
            name: text::name("name", &new.name, 64)?,
            created_at: now,
            disabled_at: None,
        };
        self.insert_account(&account).await?;
        self.tell(kind::ACCOUNT_CREATED, &account.id, actor, &account);
        Ok(account)
    }

    /// Gives `account` the role in the scope, in place of the one that it may have there. Giving the same role again
    /// does nothing.
    ///
    /// # Errors
    /// `invalid-field` when scopes of this kind do not have the role; `not-found` when there is no such account.
    pub async fn grant(&mut self, actor: &str, account: &UserId, scope: &Scope, role: Role) -> Result<()> {
        scope.kind().require_role("role", role)?;
        self.account(account).await?.ok_or_else(|| Error::not_found("account", account))?;
        let before = self.role_of(account, scope).await?;
        if !self.set_grant(account, scope, role, self.now()).await? {
            return Ok(());
        }
        let granted = |role| {
            let (scope, id) = (scope.kind(), scope.id().to_owned());
            MemberGranted { account: account.clone(), scope, id, role }
        };
        self.tell(kind::MEMBER_GRANTED, account, actor, &granted(role)).was(before.map(granted).as_ref());
        Ok(())
    }

    /// Takes the role that an account has in a scope, and emits the event.
    ///
    /// # Errors
    /// `not-found` when it has none.
    pub async fn revoke(&mut self, actor: &str, account: &UserId, scope: &Scope) -> Result<()> {
        let role = self.role_of(account, scope).await?.ok_or_else(|| Error::not_found("member", account))?;
        self.delete_grant(account, scope).await?;
        let (kind, id) = (scope.kind(), scope.id().to_owned());
        let data = MemberRemoved { account: account.clone(), scope: kind, id, role };
        self.tell(kind::MEMBER_REMOVED, account, actor, &data);
        Ok(())
    }
}

impl Tx {
    /// Issues a token for `account`, with all scopes when `new` names none.
    ///
    /// # Errors
    /// `invalid-field` for the name, or an expiry that is not in the future.
    pub async fn issue_token(&mut self, account: &UserId, new: NewToken) -> Result<IssuedToken> {
        let now = self.now();
        if new.expires_at.is_some_and(|at| at <= now) {
            return Err(Error::field("expires_at", "must lie in the future."));
        }
        let name = berth_base::text::name("name", &new.name, 64)?;
        let mut scopes = new.scopes.unwrap_or_else(|| TokenScope::ALL.to_vec());
        scopes.sort_unstable();
        scopes.dedup();
        let secret = new_secret(self.random());
        let token = Token {
            id: TokenId::generate(now, self.random()),
            account: account.clone(),
            name,
            scopes,
            created_at: now,
            expires_at: new.expires_at,
            revoked_at: None,
        };
        self.insert_token(&token, Digest::of(secret.as_bytes())).await?;
        Ok(IssuedToken { token, secret })
    }
}
