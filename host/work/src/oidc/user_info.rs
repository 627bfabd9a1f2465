//! Who a user is, told for an access token.

use berth_base::ids::Digest;
use berth_model::{
    oidc::{MEMBER_ACCESS_TOKEN, MemberClaims, Refusal, UserInfo, Word},
    user::User,
};
use berth_store::Db;

use super::tool;
use crate::user::{open_id, require_service, union_id};

/// What a client is told.
#[derive(Debug, serde::Serialize)]
#[serde(untagged)]
pub enum Told {
    /// A MiniApp, of a user.
    User(UserInfo),
    /// An internal tool, of a member.
    Member(Box<MemberClaims>),
}

/// What there is to know of the user whom an access token speaks of.
///
/// # Errors
/// `invalid_token` when the token has ended: by time, by a logout, by a second use of its code, by a reset or a freeze of the
/// AppSecret, with the binding, or while the MiniApp is off the shelf; of an internal tool, when the member may not open it.
pub async fn user_info(db: &Db, token: &str) -> Result<Told, Refusal> {
    if token.starts_with(MEMBER_ACCESS_TOKEN) {
        let member = tool::member(db, token).await?.ok_or_else(ended)?;
        return Ok(Told::Member(Box::new(member)));
    }
    let mut tx = db.read().await?;
    let row = tx.access_token(&Digest::of(token.as_bytes())).await?.ok_or_else(ended)?;
    require_service(&mut tx, &row.mini_app_id).await.map_err(|_| ended())?;
    let user = User { host_app: row.host_app_id, account: row.account };
    let sub = open_id::find(&mut tx, &row.mini_app_id, &user).await?.ok_or_else(ended)?;
    let union_id = union_id::find(&mut tx, &row.mini_app_id, &user).await?;
    Ok(Told::User(UserInfo { sub, host_app: user.host_app, union_id }))
}

fn ended() -> Refusal {
    Refusal::new(Word::InvalidToken, "The access token is none of this host, or it has ended. Log the user in again.")
}
