//! Moves of merchants from one official account to another (S9).

use berth_base::{
    error::{Error, Result},
    ids::MerchantId,
    page::Page,
};
use berth_model::{
    access::{Action, Caller},
    event::kind,
    official_account::{AccountMove, MoveOfficialAccount, MoveQuery, MoveReport},
};
use berth_store::Db;

use super::{require_active, serving};
use crate::endpoint::merchant;

/// Moves a merchant from one account to another, which the merchant prefers from now on. Nobody loses a binding; entry links
/// of the former account let in by the new one, and bring the members along who open them.
///
/// # Errors
/// `invalid-field` for the same account twice; `official-account-retired`; `not-found`; `missing-grant`.
#[tracing::instrument(name = "official_account.move", skip_all, fields(merchant = %id))]
pub async fn move_to(db: &Db, caller: &Caller, id: &MerchantId, ask: MoveOfficialAccount) -> Result<AccountMove> {
    if ask.from == ask.to {
        return Err(Error::field("to", "must be another account than from."));
    }
    let mut tx = db.begin().await?;
    merchant::authorise_change(&mut tx, caller, id, Action::Configure).await?;
    serving(&mut tx, id, &ask.from).await?;
    require_active(&serving(&mut tx, id, &ask.to).await?)?;
    if let Some(there) = tx.account_move(id).await?.filter(|there| (&there.from, &there.to) == (&ask.from, &ask.to)) {
        return Ok(there);
    }
    let (moved_by, moved_at) = (caller.account.to_string(), tx.now());
    let moved = AccountMove { merchant: id.clone(), from: ask.from, to: ask.to, moved_by, moved_at };
    tx.put_account_move(&moved).await?;
    tx.tell(kind::OFFICIAL_ACCOUNT_MOVED, id, caller.account.as_str(), &moved).for_merchant(id);
    tx.commit().await?;
    Ok(moved)
}

/// Who has come along with the move of a merchant, and who has not.
///
/// # Errors
/// `not-found`, also when the merchant has not moved; `missing-grant`.
pub async fn report(db: &Db, caller: &Caller, id: &MerchantId, query: &MoveQuery) -> Result<MoveReport> {
    let mut tx = db.read().await?;
    merchant::authorise(&mut tx, caller, id, Action::Read).await?;
    let missing = || {
        let command = format!("berth official-account move {id} --from APP_ID --to APP_ID");
        Error::not_found("move", format!("of {id}")).next(command)
    };
    let account_move = tx.account_move(id).await?.ok_or_else(missing)?;
    let (from, to) = (&account_move.from, &account_move.to);
    let counts = tx.count_moving(id, from, to).await?;
    let page = query.page();
    let members = tx.moving_members(id, (from, to), query, &page).await?;
    let Page { items, next } = Page::of(members, &page, |member| member.member_id.to_string());
    Ok(MoveReport { account_move, counts, items, next })
}
