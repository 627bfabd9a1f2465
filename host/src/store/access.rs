//! Accounts, teams, roles and tokens.

use sqlx::types::Json;

use super::{Db, Tx, chosen, execute, fetch, fetch_alone, fetch_built, push_if};
use crate::{
    access::{Account, Caller, Member, Role, Scope, ScopeKind, Team, Token, TokenScope},
    clock::Millis,
    error::Result,
    ids::{Digest, TeamId, TokenId, UserId},
    page::PageQuery,
};

#[derive(sqlx::FromRow)]
struct TokenRow {
    id: TokenId,
    account_id: UserId,
    name: String,
    scopes: Json<Vec<TokenScope>>,
    created_at: Millis,
    expires_at: Option<Millis>,
    revoked_at: Option<Millis>,
}

impl From<TokenRow> for Token {
    fn from(row: TokenRow) -> Self {
        Self {
            id: row.id,
            account: row.account_id,
            name: row.name,
            scopes: row.scopes.0,
            created_at: row.created_at,
            expires_at: row.expires_at,
            revoked_at: row.revoked_at,
        }
    }
}

/// A token and one of the roles of its account; no role when there is none.
#[derive(sqlx::FromRow)]
struct HolderRow {
    #[sqlx(flatten)]
    token: TokenRow,
    scope_kind: Option<String>,
    scope_id: Option<String>,
    role: Option<String>,
}

impl HolderRow {
    fn grant(&self) -> Result<Option<(Scope, Role)>> {
        let (Some(kind), Some(id), Some(role)) = (&self.scope_kind, &self.scope_id, &self.role) else {
            return Ok(None);
        };
        Ok(Some((Scope::parse(kind, id)?, role.parse()?)))
    }
}

/// A token, and the roles of its account.
type Holder = (Token, Vec<(Scope, Role)>);

/// The token that a condition names, whatever its state, and the roles of its account. One statement is a snapshot by
/// itself; a transaction around it would cost each request one round trip.
macro_rules! holder {
    ($db:expr, $condition:literal, $value:expr) => {
        holder(fetch_alone!(
            $db,
            HolderRow,
            concat!(
                "SELECT t.*, g.scope_kind, g.scope_id, g.role FROM token t
                 LEFT JOIN role_grant g ON g.account_id = t.account_id WHERE ",
                $condition
            ),
            $value
        )?)
    };
}

fn holder(rows: Vec<HolderRow>) -> Result<Option<Holder>> {
    let grants = rows.iter().filter_map(|row| row.grant().transpose()).collect::<Result<_>>()?;
    Ok(rows.into_iter().next().map(|row| (row.token.into(), grants)))
}

impl Db {
    /// The token with this secret, whatever its state, and the roles of its account. The look-up is by digest, so its time
    /// tells nothing of the secret.
    pub(crate) async fn holder_of(&self, secret: &str) -> Result<Option<Holder>> {
        holder!(self, "t.secret_sha256 = $1", Digest::of(secret.as_bytes()).as_str())
    }

    /// As [`Db::holder_of`], by the token's id.
    pub(crate) async fn holder_by_id(&self, id: &TokenId) -> Result<Option<Holder>> {
        holder!(self, "t.id = $1", id.as_str())
    }
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

    /// One account.
    pub async fn account(&mut self, id: &UserId) -> Result<Option<Account>> {
        Ok(fetch!(self, fetch_optional, Account, "SELECT * FROM account WHERE id = $1", id)?)
    }

    /// A page of the accounts, newest first, perhaps only those of a name.
    pub(crate) async fn accounts(&mut self, page: &PageQuery, name: Option<&str>) -> Result<Vec<Account>> {
        Ok(fetch_built!(self, Account, |query| {
            query.push("SELECT * FROM account WHERE id < ").push_bind(page.before());
            push_if!(query, name, " AND name = ", "");
            query.push(" ORDER BY id DESC LIMIT ").push_bind(page.limit() + 1);
        })?)
    }

    /// Adds a team.
    pub(crate) async fn insert_team(&mut self, team: &Team) -> Result<()> {
        execute!(
            self,
            "INSERT INTO team (id, name, created_at) VALUES ($1, $2, $3)",
            &team.id,
            &team.name,
            team.created_at
        )?;
        Ok(())
    }

    /// One team.
    pub async fn team(&mut self, id: &TeamId) -> Result<Option<Team>> {
        Ok(fetch!(self, fetch_optional, Team, "SELECT * FROM team WHERE id = $1", id)?)
    }

    /// The teams that the caller may know of, by id, and one more than the page holds.
    pub(crate) async fn teams_known_to(&mut self, caller: &Caller, page: &PageQuery) -> Result<Vec<Team>> {
        Ok(fetch_built!(self, Team, |q| {
            q.push("SELECT * FROM team WHERE id > ").push_bind(page.after());
            if chosen!(!caller.reads_everything()) {
                q.push(" AND id IN (SELECT scope_id FROM role_grant WHERE scope_kind = 'team' AND account_id = ");
                q.push_bind(&caller.account).push(")");
            }
            q.push(" ORDER BY id LIMIT ").push_bind(page.limit() + 1);
        })?)
    }

    /// Whether what the scope covers is there.
    pub(crate) async fn scope_exists(&mut self, scope: &Scope) -> Result<bool> {
        let id = scope.id().to_owned();
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
        })
    }

    /// Writes a role, instead of the one that the account may have in the scope; false when it has it already.
    pub(crate) async fn set_grant(&mut self, account: &UserId, scope: &Scope, role: Role, now: Millis) -> Result<bool> {
        let changed = execute!(
            self,
            "INSERT INTO role_grant (account_id, scope_kind, scope_id, role, created_at) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (account_id, scope_kind, scope_id) DO UPDATE SET role = excluded.role
             WHERE role_grant.role <> excluded.role",
            account,
            scope.kind().as_str(),
            scope.id().to_owned(),
            role.as_str(),
            now
        )?;
        Ok(changed > 0)
    }

    /// Takes away the role that the account has in the scope.
    pub(crate) async fn delete_grant(&mut self, account: &UserId, scope: &Scope) -> Result<()> {
        execute!(
            self,
            "DELETE FROM role_grant WHERE account_id = $1 AND scope_kind = $2 AND scope_id = $3",
            account,
            scope.kind().as_str(),
            scope.id().to_owned()
        )?;
        Ok(())
    }

    /// Who holds a role in the scope.
    pub async fn members(&mut self, scope: &Scope) -> Result<Vec<Member>> {
        let rows = fetch!(
            self,
            fetch_all,
            (UserId, String, String),
            "SELECT g.account_id, a.name, g.role FROM role_grant g JOIN account a ON a.id = g.account_id
             WHERE g.scope_kind = $1 AND g.scope_id = $2 ORDER BY g.created_at, g.account_id",
            scope.kind().as_str(),
            scope.id().to_owned()
        )?;
        rows.into_iter().map(|(account, name, role)| Ok(Member { account, name, role: role.parse()? })).collect()
    }

    /// Holds the grants of a scope, so that two changes of its admins cannot pass each other.
    pub(crate) async fn hold_grants(&mut self, scope: &Scope) -> Result<()> {
        execute!(
            self,
            "UPDATE role_grant SET role = role WHERE scope_kind = $1 AND scope_id = $2",
            scope.kind().as_str(),
            scope.id().to_owned()
        )?;
        Ok(())
    }

    /// Adds a token; of its secret, only the digest.
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

    /// The tokens of an account, newest first.
    pub async fn tokens_of(&mut self, account: &UserId) -> Result<Vec<Token>> {
        let rows = fetch!(
            self,
            fetch_all,
            TokenRow,
            "SELECT * FROM token WHERE account_id = $1 ORDER BY created_at DESC, id DESC",
            account
        )?;
        Ok(rows.into_iter().map(Token::from).collect())
    }

    /// One token.
    pub async fn token(&mut self, id: &TokenId) -> Result<Option<Token>> {
        let row = fetch!(self, fetch_optional, TokenRow, "SELECT * FROM token WHERE id = $1", id)?;
        Ok(row.map(Token::from))
    }

    /// Ends a token now, as every host reads the row on every request; false when it had ended already.
    pub async fn revoke_token(&mut self, id: &TokenId, now: Millis) -> Result<bool> {
        Ok(execute!(self, "UPDATE token SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL", id, now)? > 0)
    }
}
