//! Names of templates at official accounts.

use berth_base::{
    error::{Code, Error, Result},
    ids::{AccountTemplateName, WechatAppId},
};
use berth_model::{
    access::Caller,
    event::{Kind, kind},
    official_account::{AccountTemplate, OfficialAccount, PutAccountTemplate},
};
use berth_store::{Db, Tx};

use super::{changeable, readable};

/// How many templates an account has under a name, at most. WeChat allows 25.
const MOST: usize = 50;

/// The templates of an official account that have a name, by name.
///
/// # Errors
/// `not-found`; `missing-grant`.
pub async fn templates(db: &Db, caller: &Caller, app_id: &WechatAppId) -> Result<Vec<AccountTemplate>> {
    let mut tx = db.read().await?;
    readable(&mut tx, caller, app_id).await?;
    tx.account_templates(app_id).await
}

/// Makes a name stand for a template of an official account. When nothing changes, nothing is written.
///
/// # Errors
/// `official-account-limit`; `invalid-field` for the id; `not-found`; `missing-grant`.
#[tracing::instrument(name = "account_template.put", skip_all, fields(app_id = %app_id, template = %name))]
pub async fn put_template(
    db: &Db,
    caller: &Caller,
    app_id: &WechatAppId,
    name: AccountTemplateName,
    put: PutAccountTemplate,
) -> Result<AccountTemplate> {
    let template_id = put.check()?;
    let mut tx = db.begin().await?;
    let account = changeable(&mut tx, caller, app_id).await?;
    let template = AccountTemplate { app_id: app_id.clone(), name, template_id };
    let there = tx.account_templates(app_id).await?;
    if there.contains(&template) {
        return Ok(template);
    }
    if there.len() >= MOST && there.iter().all(|one| one.name != template.name) {
        let detail = format!("{app_id} has {MOST} templates under a name. Remove one that is not in use.");
        let refused = Error::new(Code::OfficialAccountLimit, detail).with("limit", MOST);
        return Err(refused.next(format!("berth official-account templates {app_id}")));
    }
    tx.put_account_template(&template).await?;
    tell(&mut tx, kind::OFFICIAL_ACCOUNT_TEMPLATE_SET, caller, &account, &template);
    tx.commit().await?;
    Ok(template)
}

/// Removes the name of a template.
///
/// # Errors
/// `not-found`; `missing-grant`.
#[tracing::instrument(name = "account_template.remove", skip_all, fields(app_id = %app_id, template = %name))]
pub async fn remove_template(db: &Db, caller: &Caller, app_id: &WechatAppId, name: &AccountTemplateName) -> Result<()> {
    let mut tx = db.begin().await?;
    let account = changeable(&mut tx, caller, app_id).await?;
    let gone = tx.delete_account_template(app_id, name).await?.ok_or_else(|| Error::not_found("template", name))?;
    tell(&mut tx, kind::OFFICIAL_ACCOUNT_TEMPLATE_REMOVED, caller, &account, &gone);
    tx.commit().await
}

fn tell(tx: &mut Tx, kind: Kind<AccountTemplate>, caller: &Caller, account: &OfficialAccount, data: &AccountTemplate) {
    let event = tx.tell(kind, &account.app_id, caller.account.as_str(), data);
    if let Some(merchant) = &account.merchant {
        event.for_merchant(merchant);
    }
}
