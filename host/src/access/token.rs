//! API tokens. A secret is shown once, stored as its SHA-256, and valid until it expires or is revoked.

use serde::{Deserialize, Serialize};

use super::{Action, Caller, Role, Scope, TokenScope};
use crate::{
    clock::{Millis, Random},
    error::{Code, Error, Result},
    event::kind,
    ids::{Digest, TokenId, UserId},
    store::{Db, Tx},
};

/// A token to issue.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewToken {
    /// What the token is for, 1 to 64 characters, such as `ci` or `laptop`.
    pub name: String,
    /// What the token may be used for; everything that the caller's own token may be used for when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Vec<TokenScope>>,
    /// When the token stops being valid; never when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Millis>,
}

/// An API token, without its secret.
#[derive(Clone, Debug, Deserialize, Serialize, sqlx::FromRow, utoipa::ToSchema)]
#[allow(missing_docs, reason = "the fields are those of NewToken")]
pub struct Token {
    pub id: TokenId,
    #[sqlx(rename = "account_id")]
    pub account: UserId,
    pub name: String,
    #[sqlx(json)]
    pub scopes: Vec<TokenScope>,
    pub created_at: Millis,
    pub expires_at: Option<Millis>,
    pub revoked_at: Option<Millis>,
}

/// A new token with its secret, which is shown only now.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct IssuedToken {
    /// The token; its fields are part of this object.
    #[serde(flatten)]
    pub token: Token,
    /// The secret: `berth_` and 32 characters. It is not stored and cannot be shown again.
    pub secret: String,
}

/// A secret with 160 random bits, without letters that look like digits.
fn new_secret(random: &dyn Random) -> String {
    const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
    let mut bytes = [0u8; 32];
    random.fill(&mut bytes);
    let text: String = bytes.iter().map(|b| char::from(ALPHABET[usize::from(b % 32)])).collect();
    format!("berth_{text}")
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
        let name = crate::text::name("name", &new.name, 64)?;
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

/// The caller whose token has this secret.
///
/// # Errors
/// `invalid-token` for an unknown or revoked token, between which no difference is made; `expired-token`.
pub async fn authenticate(db: &Db, secret: &str) -> Result<Caller> {
    caller_of(db, db.holder_of(secret).await?)
}

/// The caller with the roles that the account has now. Long-lasting requests call it to see whether token and roles are
/// still there.
///
/// # Errors
/// As for [`authenticate`].
pub async fn look_again(db: &Db, caller: &Caller) -> Result<Caller> {
    caller_of(db, db.holder_by_id(&caller.token).await?)
}

fn caller_of(db: &Db, holder: Option<(Token, Vec<(Scope, Role)>)>) -> Result<Caller> {
    let invalid = || {
        Error::new(
            Code::InvalidToken,
            "The token is unknown or revoked. Create one with `berth admin token`, or ask for one.",
        )
    };
    let (token, grants) = holder.filter(|(token, _)| token.revoked_at.is_none()).ok_or_else(invalid)?;
    if token.expires_at.is_some_and(|at| at <= db.now()) {
        return Err(Error::new(Code::ExpiredToken, "The token has expired. Create a new one."));
    }
    Ok(Caller { account: token.account, token: token.id, token_scopes: token.scopes, grants })
}

/// Issues a token for the caller, or for another account when the caller is an admin of the platform. The token gets at
/// most the scopes of the caller's own token (F83).
///
/// # Errors
/// `missing-grant` also when a scope is wanted that the caller's token lacks; `not-found` for the account;
/// `invalid-field`.
#[tracing::instrument(name = "token.issue", skip_all)]
pub async fn issue_token(db: &Db, caller: &Caller, account: Option<UserId>, mut new: NewToken) -> Result<IssuedToken> {
    caller.require_scope(TokenScope::Manage)?;
    let account = account.unwrap_or_else(|| caller.account.clone());
    if account != caller.account {
        caller.require(Action::Administer, &Scope::Platform)?;
    }
    let scopes = new.scopes.get_or_insert_with(|| caller.token_scopes.clone());
    if let Some(extra) = scopes.iter().find(|scope| !caller.token_scopes.contains(scope)) {
        return Err(Error::new(
            Code::MissingGrant,
            format!("Your own token lacks the scope {extra}, so it cannot give it."),
        ));
    }
    let mut tx = db.begin().await?;
    tx.account(&account).await?.ok_or_else(|| Error::not_found("account", &account))?;
    let issued = tx.issue_token(&account, new).await?;
    tx.tell(kind::TOKEN_ISSUED, &issued.token.id, caller.account.as_str(), &issued.token);
    tx.commit().await?;
    Ok(issued)
}

/// All tokens of the caller's account, without their secrets.
pub async fn tokens(db: &Db, caller: &Caller) -> Result<Vec<Token>> {
    caller.require_scope(TokenScope::Read)?;
    db.read().await?.tokens_of(&caller.account).await
}

/// Revokes a token of the caller's account; an admin of the platform may revoke any. Revoking it again does nothing.
/// `not-found` for a token of somebody else.
#[tracing::instrument(name = "token.revoke", skip_all, fields(token = %id))]
pub async fn revoke_token(db: &Db, caller: &Caller, id: &TokenId) -> Result<()> {
    let mut tx = db.begin().await?;
    let token = tx.token(id).await?.filter(|token| token.account == caller.account || caller.is_platform_admin());
    let token = token.ok_or_else(|| Error::not_found("token", id))?;
    // A token may always end itself, whatever its scopes.
    if token.id != caller.token {
        caller.require_scope(TokenScope::Manage)?;
    }
    if !tx.revoke_token(id, db.now()).await? {
        return Ok(());
    }
    tx.tell(kind::TOKEN_REVOKED, id, caller.account.as_str(), &token);
    tx.commit().await
}
