//! Fans: the members of a merchant that are bound at official accounts (S3).

use std::collections::BTreeMap;

use berth_base::{
    error::{Code, Error, Result},
    ids::{MerchantId, ShopMemberId, WechatAppId},
    page::Page,
};
use berth_model::{
    access::{Action, Caller},
    event::{Kind, kind},
    official_account::{AccountOpenId, BindFan, EditFan, Fan, FanOf, FanQuery, FanTold, OfficialAccount},
};
use berth_store::{Db, Tx, official_account::FanRow};

use super::{none, open_id, require_active, serving, visit};
use crate::endpoint::merchant;

/// Binds a member to an OpenID. A member who was bound to another OpenID at this account is bound to the new one.
///
/// # Errors
/// `fan-taken` when the OpenID is another member's; `invalid-visit-code`; `not-found` for the account, and at a shared account
/// for an OpenID that has not visited the merchant; `official-account-retired`; `missing-grant`.
#[tracing::instrument(name = "fan.bind", skip_all, fields(merchant = %id, app_id = %app_id))]
pub async fn bind(
    db: &Db,
    caller: &Caller,
    id: &MerchantId,
    member: &ShopMemberId,
    app_id: &WechatAppId,
    bind: BindFan,
) -> Result<Fan> {
    let of = bind.check()?;
    let mut tx = db.begin().await?;
    merchant::authorise_change(&mut tx, caller, id, Action::Operate).await?;
    let account = serving(&mut tx, id, app_id).await?;
    require_active(&account)?;
    let fan = match of {
        FanOf::Code(code) => visit::open_id_of(&mut tx, id, Some(app_id), &code).await?.fan,
        FanOf::OpenId(open_id) => visitor(&mut tx, id, &account, &open_id).await?,
    };
    match &fan.member_id {
        Some(holder) if holder != member => return Err(taken(holder, app_id)),
        Some(_) => {}
        None => bind_in(&mut tx, caller.account.as_str(), &fan, member, false).await?,
    }
    let fan = tx.fan(&fan.id).await?.ok_or_else(|| unbound(member, app_id))?;
    let shown = view(&mut tx, &account, fan).await?;
    tx.commit().await?;
    Ok(shown)
}

/// Whom the merchant knows by this OpenID. At a private account it may come from elsewhere, and at a shared one it is this
/// host's word, which only a visit gives.
async fn visitor(tx: &mut Tx, id: &MerchantId, account: &OfficialAccount, open_id: &AccountOpenId) -> Result<FanRow> {
    match tx.fan_known_by(id, &account.app_id, &open_id.digest()).await? {
        Some(fan) => Ok(fan),
        None if account.is_shared() => {
            let detail = format!(
                "Nobody with this OpenID has visited {id} by {}, or long ago. Have them open an entry link; OpenIDs of a \
                 shared account come from there only.",
                account.app_id
            );
            Err(Error::new(Code::NotFound, detail).with("what", "visitor").with("pointer", "/open_id"))
        }
        None => tx.see_fan(id, &account.app_id, &open_id.digest(), open_id).await,
    }
}

/// Binds a member to a visitor who is bound to nobody; the transaction holds the merchant. A preference for the account stays.
pub(super) async fn bind_in(tx: &mut Tx, actor: &str, fan: &FanRow, member: &ShopMemberId, moved: bool) -> Result<()> {
    let (merchant, app_id) = (&fan.merchant_id, &fan.app_id);
    let former = tx.bound_fan(merchant, member, app_id).await?;
    if let Some(former) = &former {
        tx.release_fan(&former.id).await?;
        tell(tx, kind::FAN_UNBOUND, actor, former, member, false);
    }
    tx.bind_fan(&fan.id, member).await?;
    if former.is_some_and(|former| former.preferred) {
        tx.prefer_fan(merchant, member, Some(app_id)).await?;
    }
    tell(tx, kind::FAN_BOUND, actor, fan, member, moved);
    Ok(())
}

fn tell(tx: &mut Tx, kind: Kind<FanTold>, actor: &str, fan: &FanRow, member: &ShopMemberId, moved: bool) {
    let (id, merchant) = (fan.id.clone(), fan.merchant_id.clone());
    let told = FanTold { id, merchant, member_id: member.clone(), app_id: fan.app_id.clone(), moved };
    tx.tell(kind, &fan.id, actor, &told).for_merchant(&fan.merchant_id);
}

fn taken(holder: &ShopMemberId, app_id: &WechatAppId) -> Error {
    let detail =
        format!("The OpenID is bound to the member {holder} at {app_id}. Nobody is taken over: unbind there first.");
    Error::new(Code::FanTaken, detail).with("member_id", holder)
}

fn unbound(member: &ShopMemberId, app_id: &WechatAppId) -> Error {
    Error::not_found("binding", format!("of {member} at {app_id}"))
}

async fn view(tx: &mut Tx, account: &OfficialAccount, fan: FanRow) -> Result<Fan> {
    let open_id = tx.open_id_of_fan(&fan)?;
    let open_id = open_id::still_known_as(tx, account, &fan.merchant_id, &open_id).await?;
    let (Some(member_id), Some(bound_at)) = (fan.member_id, fan.bound_at) else {
        return Err(Error::internal(anyhow::anyhow!("the fan {} is shown and bound to nobody", fan.id)));
    };
    let (id, merchant, app_id) = (fan.id, fan.merchant_id, fan.app_id);
    Ok(Fan { id, merchant, member_id, app_id, open_id, preferred: fan.preferred, bound_at })
}

/// The binding of a member at an account.
///
/// # Errors
/// `not-found`; `missing-grant`.
pub async fn fan(
    db: &Db,
    caller: &Caller,
    id: &MerchantId,
    member: &ShopMemberId,
    app_id: &WechatAppId,
) -> Result<Fan> {
    let mut tx = db.read().await?;
    merchant::authorise(&mut tx, caller, id, Action::Operate).await?;
    let account = serving(&mut tx, id, app_id).await?;
    let fan = tx.bound_fan(id, member, app_id).await?.ok_or_else(|| unbound(member, app_id))?;
    view(&mut tx, &account, fan).await
}

/// One page of the members of a merchant that are bound at official accounts, in the order in which they were first seen.
///
/// # Errors
/// `not-found`; `missing-grant`.
pub async fn fans(db: &Db, caller: &Caller, id: &MerchantId, query: &FanQuery) -> Result<Page<Fan>> {
    let mut tx = db.read().await?;
    merchant::authorise(&mut tx, caller, id, Action::Operate).await?;
    let page = query.page();
    let found = Page::of(tx.fans_of(id, query, &page).await?, &page, |fan| fan.id.to_string());
    let mut accounts = BTreeMap::new();
    let mut items = Vec::with_capacity(found.items.len());
    for fan in found.items {
        if !accounts.contains_key(&fan.app_id) {
            let account = tx.official_account(&fan.app_id).await?.ok_or_else(|| none(&fan.app_id))?;
            accounts.insert(fan.app_id.clone(), account);
        }
        let account = &accounts[&fan.app_id];
        items.push(view(&mut tx, account, fan).await?);
    }
    Ok(Page { items, next: found.next })
}

/// Makes a member prefer to get messages by an account, or not prefer it any more.
///
/// # Errors
/// `not-found`; `missing-grant`.
#[tracing::instrument(name = "fan.edit", skip_all, fields(merchant = %id, app_id = %app_id))]
pub async fn edit(
    db: &Db,
    caller: &Caller,
    id: &MerchantId,
    member: &ShopMemberId,
    app_id: &WechatAppId,
    edit: EditFan,
) -> Result<Fan> {
    let mut tx = db.begin().await?;
    merchant::authorise_change(&mut tx, caller, id, Action::Operate).await?;
    let account = serving(&mut tx, id, app_id).await?;
    let fan = tx.bound_fan(id, member, app_id).await?.ok_or_else(|| unbound(member, app_id))?;
    if fan.preferred != edit.preferred {
        tx.prefer_fan(id, member, edit.preferred.then_some(app_id)).await?;
    }
    let shown = view(&mut tx, &account, FanRow { preferred: edit.preferred, ..fan }).await?;
    tx.commit().await?;
    Ok(shown)
}

/// Ends the binding of a member at an account. All that this host knew of the OpenID there is deleted.
///
/// # Errors
/// `not-found`; `missing-grant`.
#[tracing::instrument(name = "fan.unbind", skip_all, fields(merchant = %id, app_id = %app_id))]
pub async fn unbind(
    db: &Db,
    caller: &Caller,
    id: &MerchantId,
    member: &ShopMemberId,
    app_id: &WechatAppId,
) -> Result<()> {
    let mut tx = db.begin().await?;
    merchant::authorise_change(&mut tx, caller, id, Action::Operate).await?;
    let fan = tx.bound_fan(id, member, app_id).await?.ok_or_else(|| unbound(member, app_id))?;
    tx.delete_fan(&fan.id).await?;
    tell(&mut tx, kind::FAN_UNBOUND, caller.account.as_str(), &fan, member, false);
    tx.commit().await
}
