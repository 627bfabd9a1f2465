//! Adds, edits and removes official accounts.

use berth_base::{
    error::{Code, Error, Result},
    ids::{MerchantId, WechatAppId},
    page::Page,
    secret::Secret,
};
use berth_model::{
    access::{Action, Caller, TokenScope},
    endpoint::channel::{ChannelKind, ChannelState, Proof},
    event::{Kind, kind},
    official_account::{ActsThrough, EditOfficialAccount, NewOfficialAccount, OfficialAccount, OfficialAccountQuery},
};
use berth_store::{Db, NewEvent, Tx};

use super::{OfficialAccounts, changeable, readable, refused, require_change};
use crate::endpoint::merchant;

/// Adds an official account. WeChat is asked whether the secret is right, which also shows that the account is the caller's.
///
/// # Errors
/// `official-account-exists`; `wechat-refused` for a wrong secret, `wechat-unreachable`; `invalid-field` for the name, and when
/// there is neither a secret nor an authorised channel; `not-found` and `missing-grant`.
#[tracing::instrument(name = "official_account.create", skip_all, fields(app_id = %new.app_id))]
pub async fn create(accounts: &OfficialAccounts, caller: &Caller, new: NewOfficialAccount) -> Result<OfficialAccount> {
    let mut tx = accounts.db.read().await?;
    authorise_new(&mut tx, caller, new.merchant.as_ref()).await?;
    let checked = new.check(caller.account.as_str(), tx.now())?;
    require_free(&mut tx, &checked.app_id).await?;
    drop(tx);
    if let Some(secret) = &new.secret {
        prove(accounts, &checked.app_id, secret).await?;
    }
    let mut tx = accounts.db.begin().await?;
    authorise_new(&mut tx, caller, new.merchant.as_ref()).await?;
    let account = OfficialAccount { created_at: tx.now(), ..checked };
    if account.through == ActsThrough::Platform {
        require_channel(&mut tx, &account).await?;
    }
    if !tx.insert_official_account(&account, new.secret.as_ref()).await? {
        return Err(exists(&account.app_id));
    }
    tell(&mut tx, kind::OFFICIAL_ACCOUNT_ADDED, caller, &account);
    tx.commit().await?;
    Ok(account)
}

async fn authorise_new(tx: &mut Tx, caller: &Caller, merchant: Option<&MerchantId>) -> Result<()> {
    match merchant {
        Some(id) => merchant::authorise(tx, caller, id, Action::Configure).await.map(drop),
        None => require_change(caller, None),
    }
}

async fn require_free(tx: &mut Tx, app_id: &WechatAppId) -> Result<()> {
    if tx.official_account(app_id).await?.is_some() { Err(exists(app_id)) } else { Ok(()) }
}

fn exists(app_id: &WechatAppId) -> Error {
    let detail = format!("{app_id} is an official account here already, of the platform or of a merchant.");
    Error::new(Code::OfficialAccountExists, detail).next("berth official-account list")
}

/// Refuses a secret that is not the account's.
async fn prove(accounts: &OfficialAccounts, app_id: &WechatAppId, secret: &Secret) -> Result<()> {
    let given = accounts.client.stable_token(app_id.as_str(), secret).await;
    given.map(drop).map_err(|refusal| refused(&refusal).with("pointer", "/secret"))
}

/// Refuses an account that its merchant has not authorised to the third-party platform. What another merchant has, it does
/// not act by.
///
/// # Errors
/// `invalid-field`.
pub(super) async fn require_channel(tx: &mut Tx, account: &OfficialAccount) -> Result<()> {
    let channel = tx.channel_by_app_id(ChannelKind::WechatOfficialAccount, account.app_id.as_str()).await?;
    let is_own = channel.is_some_and(|channel| {
        Some(&channel.merchant) == account.merchant.as_ref()
            && channel.proof == Proof::Platform
            && channel.state == ChannelState::Authorised
    });
    if is_own {
        return Ok(());
    }
    let merchant = account.merchant.as_ref().map(MerchantId::as_str).unwrap_or_default();
    let rule = "send the account's secret, or have the merchant authorise the account as a channel of the kind \
                wechat_official_account first.";
    let next = format!("berth channel authorise --merchant {merchant} --kind wechat_official_account");
    Err(Error::field("secret", rule).next(next))
}

/// Edits an official account. When nothing changes, nothing is written.
///
/// # Errors
/// `wechat-refused` for a wrong secret, `wechat-unreachable`; `invalid-field` for the name; `not-found`; `missing-grant`.
#[tracing::instrument(name = "official_account.edit", skip_all, fields(app_id = %app_id))]
pub async fn edit(
    accounts: &OfficialAccounts,
    caller: &Caller,
    app_id: &WechatAppId,
    edit: EditOfficialAccount,
) -> Result<OfficialAccount> {
    let before = readable(&mut accounts.db.read().await?, caller, app_id).await?;
    require_change(caller, before.merchant.as_ref())?;
    edit.apply(before)?;
    if let Some(secret) = &edit.secret {
        prove(accounts, app_id, secret).await?;
    }
    let mut tx = accounts.db.begin().await?;
    let before = changeable(&mut tx, caller, app_id).await?;
    let account = edit.apply(before.clone())?;
    if let Some(secret) = &edit.secret {
        tx.set_official_account_secret(app_id, secret).await?;
        tell(&mut tx, kind::OFFICIAL_ACCOUNT_SECRET_CHANGED, caller, &account);
    }
    if account != before {
        tx.update_official_account(&account).await?;
        tell(&mut tx, kind::OFFICIAL_ACCOUNT_EDITED, caller, &account).was(Some(&before));
    }
    tx.commit().await?;
    Ok(account)
}

/// Removes an official account. One that is in use and has fans is not removed; a retired one is, with its bindings.
///
/// # Errors
/// `official-account-in-use`; `not-found`; `missing-grant`.
#[tracing::instrument(name = "official_account.remove", skip_all, fields(app_id = %app_id))]
pub async fn remove(db: &Db, caller: &Caller, app_id: &WechatAppId) -> Result<()> {
    let mut tx = db.begin().await?;
    let account = changeable(&mut tx, caller, app_id).await?;
    let fans = tx.count_bound_fans(app_id).await?;
    if fans > 0 && account.is_active() {
        let bound = berth_base::text::count(fans, "member is", "members are");
        let detail = format!("{bound} bound at {app_id} and would be lost. Retire it first.");
        let refused = Error::new(Code::OfficialAccountInUse, detail).with("fans", fans);
        return Err(refused.next(format!("berth official-account edit {app_id} --state retired")));
    }
    tx.delete_official_account(app_id).await?;
    tell(&mut tx, kind::OFFICIAL_ACCOUNT_REMOVED, caller, &account);
    tx.commit().await
}

/// Tells of an account: its merchant of a private one, and the platform alone of a shared one.
fn tell<'a>(
    tx: &'a mut Tx,
    kind: Kind<OfficialAccount>,
    caller: &Caller,
    account: &OfficialAccount,
) -> &'a mut NewEvent {
    let event = tx.tell(kind, &account.app_id, caller.account.as_str(), account);
    match &account.merchant {
        Some(merchant) => event.for_merchant(merchant),
        None => event,
    }
}

/// One official account.
///
/// # Errors
/// `not-found`, also for a private one of a merchant that the caller may not know; `missing-grant`.
pub async fn get(db: &Db, caller: &Caller, app_id: &WechatAppId) -> Result<OfficialAccount> {
    readable(&mut db.read().await?, caller, app_id).await
}

/// One page of the official accounts that the caller may know of and that the query asks for, by app id.
///
/// # Errors
/// `not-found` for a merchant that the caller may not know; `missing-grant`.
pub async fn list(db: &Db, caller: &Caller, query: &OfficialAccountQuery) -> Result<Page<OfficialAccount>> {
    caller.require_scope(TokenScope::Read)?;
    let page = query.page();
    let mut tx = db.read().await?;
    if let Some(id) = &query.merchant {
        merchant::authorise(&mut tx, caller, id, Action::Read).await?;
    }
    let items = tx.official_accounts_known_to(caller, query, &page).await?;
    Ok(Page::of(items, &page, |account| account.app_id.to_string()))
}
