//! Consents of users to agreements, as the host app's server tells them (D12).

use berth_base::{
    error::{Error, Result},
    ids::{HostAppId, MiniAppId},
};
use berth_model::{
    access::Caller,
    app_secret::MiniAppServer,
    privacy::{
        self, AgreeToPrivacy, CheckPrivacyConsent, PrivacyChecked, PrivacyConsentQuery, PrivacyConsentStep,
        PrivacyConsents, PrivacyRuntime, WithdrawPrivacy,
    },
    user::OpenId,
};
use berth_store::{Db, Tx};

use crate::user::{open_id, vouched};

/// The agreement of a MiniApp that holds.
async fn holds(tx: &mut Tx, id: &MiniAppId) -> Result<Option<PrivacyRuntime>> {
    Ok(tx.privacy_version(id, None).await?.map(|version| version.head.runtime(id)))
}

/// Where the user with this OpenID stands; one who is not known has said nothing.
async fn stand(tx: &mut Tx, id: &MiniAppId, open_id: Option<&OpenId>) -> Result<PrivacyConsents> {
    let records = match open_id {
        Some(open_id) => tx.privacy_consents(&open_id.digest()).await?,
        None => Vec::new(),
    };
    Ok(privacy::consents(holds(tx, id).await?.as_ref(), records))
}

/// Records that a user agrees to a version. Who agrees to it already has said nothing new.
///
/// # Errors
/// `invalid-field` for a version that there is not; otherwise as for a login code.
#[tracing::instrument(name = "privacy_consent.agree", skip_all, fields(host_app = %id, mini_app = %said.mini_app))]
pub async fn agree(db: &Db, caller: &Caller, id: &HostAppId, said: AgreeToPrivacy) -> Result<PrivacyConsents> {
    let mut tx = db.begin().await?;
    let mini_app = &said.mini_app;
    let user = vouched(&mut tx, caller, id, mini_app, &said.account).await?;
    if tx.privacy_version(mini_app, Some(said.version)).await?.is_none() {
        let rule = format!("{mini_app} has published no version {} of its privacy agreement.", said.version);
        return Err(Error::field("version", rule));
    }
    let open_id = open_id::make(&mut tx, mini_app, &user).await?;
    tx.note_user(&open_id, mini_app, &user).await?;
    let before = stand(&mut tx, mini_app, Some(&open_id)).await?;
    if before.agreed_version == Some(said.version) {
        return Ok(before);
    }
    tx.add_privacy_consent(&open_id.digest(), PrivacyConsentStep::Agreed, said.version).await?;
    let after = stand(&mut tx, mini_app, Some(&open_id)).await?;
    tx.commit().await?;
    Ok(after)
}

/// Records that a user takes the consent back. Who agrees to nothing has nothing to take back.
///
/// # Errors
/// As for a login code.
#[tracing::instrument(name = "privacy_consent.withdraw", skip_all, fields(host_app = %id, mini_app = %said.mini_app))]
pub async fn withdraw(db: &Db, caller: &Caller, id: &HostAppId, said: WithdrawPrivacy) -> Result<PrivacyConsents> {
    let mut tx = db.begin().await?;
    let mini_app = &said.mini_app;
    let user = vouched(&mut tx, caller, id, mini_app, &said.account).await?;
    let Some(open_id) = open_id::find(&mut tx, mini_app, &user).await? else {
        return stand(&mut tx, mini_app, None).await;
    };
    if tx.user_of(&open_id, mini_app).await?.is_none() {
        return stand(&mut tx, mini_app, None).await;
    }
    tx.note_user(&open_id, mini_app, &user).await?;
    let before = stand(&mut tx, mini_app, Some(&open_id)).await?;
    let Some(version) = before.agreed_version else { return Ok(before) };
    tx.add_privacy_consent(&open_id.digest(), PrivacyConsentStep::Withdrawn, version).await?;
    let after = stand(&mut tx, mini_app, Some(&open_id)).await?;
    tx.commit().await?;
    Ok(after)
}

/// Where a user stands with the agreement of a MiniApp, with all that they have said.
///
/// # Errors
/// As for a login code.
pub async fn consents(
    db: &Db,
    caller: &Caller,
    id: &HostAppId,
    query: &PrivacyConsentQuery,
) -> Result<PrivacyConsents> {
    let mut tx = db.read().await?;
    let user = vouched(&mut tx, caller, id, &query.mini_app, &query.account).await?;
    let open_id = open_id::find(&mut tx, &query.mini_app, &user).await?;
    stand(&mut tx, &query.mini_app, open_id.as_ref()).await
}

/// Says to the server of a MiniApp whether a user agrees. Of users of other MiniApps, and OpenIDs that there are not, the
/// answer is that of one who has said nothing (F103).
pub async fn check(db: &Db, server: &MiniAppServer, check: &CheckPrivacyConsent) -> Result<PrivacyChecked> {
    let mut tx = db.read().await?;
    let known = tx.user_of(&check.open_id, &server.mini_app).await?;
    let own = known.map(|_| &check.open_id);
    Ok(stand(&mut tx, &server.mini_app, own).await?.into())
}
