//! The codes of visits, by which the server of a merchant learns who has come.

use berth_base::{
    error::{Code, Error, Result},
    ids::{Digest, MerchantId, WechatAppId},
    secret::{self, Secret},
};
use berth_model::{
    access::{Action, Caller},
    official_account::{AccountOpenId, ExchangeVisit, VISIT_CODE, VISIT_SECONDS, Visitor},
};
use berth_store::{Db, Tx, official_account::FanRow};

use super::{open_id, serving};
use crate::endpoint::merchant;

/// Who has come, as this host knows them.
#[derive(Debug)]
pub struct Seen {
    /// Whom the merchant knows.
    pub fan: FanRow,
    /// WeChat's OpenID of them, which holds at the account of the fan only.
    pub open_id: AccountOpenId,
}

/// Issues the code of a visit.
pub(super) async fn issue(tx: &mut Tx, fan: &FanRow) -> Result<String> {
    let code = secret::generate(VISIT_CODE, tx.random());
    let expires_at = tx.now().plus_seconds(VISIT_SECONDS);
    tx.insert_visit_code(&Digest::of(code.as_bytes()), &fan.id, expires_at).await?;
    Ok(code)
}

/// Uses the code of a visit to a merchant up, and returns who has come; with `app_id` only a visit by that account. Of many
/// who try a code at once, one succeeds.
///
/// # Errors
/// `invalid-visit-code` when the code was used, is too old, or is for another merchant or account, between which no difference
/// is made; `secret-sealed`.
pub async fn open_id_of(
    tx: &mut Tx,
    merchant: &MerchantId,
    app_id: Option<&WechatAppId>,
    code: &Secret,
) -> Result<Seen> {
    let taken = tx.take_visit_code(&Digest::of(code.expose().as_bytes()), merchant, app_id).await?;
    let fan = tx.fan(&taken.ok_or_else(invalid_code)?).await?.ok_or_else(invalid_code)?;
    let open_id = tx.open_id_of_fan(&fan)?;
    Ok(Seen { fan, open_id })
}

fn invalid_code() -> Error {
    let detail = "The code was used before, is older than five minutes, or is for another merchant or official account. Have \
                  the visitor open the entry link again.";
    Error::new(Code::InvalidVisitCode, detail)
}

/// Exchanges the code of a visit for the account, the visitor's OpenID and the member that is bound to it.
///
/// # Errors
/// `invalid-visit-code`; `not-found`; `missing-grant`.
#[tracing::instrument(name = "visit.exchange", skip_all, fields(merchant = %id))]
pub async fn exchange(db: &Db, caller: &Caller, id: &MerchantId, exchange: ExchangeVisit) -> Result<Visitor> {
    let mut tx = db.begin().await?;
    merchant::authorise(&mut tx, caller, id, Action::Operate).await?;
    let Seen { fan, open_id } = open_id_of(&mut tx, id, None, &exchange.code).await?;
    let account = serving(&mut tx, id, &fan.app_id).await?;
    let open_id = open_id::known_as(&mut tx, &account, id, &open_id).await?;
    tx.commit().await?;
    Ok(Visitor { app_id: fan.app_id, open_id, member_id: fan.member_id })
}
