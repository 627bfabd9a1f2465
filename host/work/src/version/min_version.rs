//! The minimum usable version: what is older must not run any more (V11).

use berth_base::{
    error::{Code, Error, Result},
    ids::MiniAppId,
    version::VersionNumber,
};
use berth_model::{
    access::{Action, Caller},
    event::kind,
    mini_app::{MinVersion, MiniApp},
    version::TrialEnd,
};
use berth_store::Db;

use super::trial;
use crate::mini_app;

/// Sets, lowers or removes the minimum usable version (V11), and ends the trial of a version below it. The caller must be
/// allowed to release versions of the MiniApp.
///
/// # Errors
/// `version-order` when nothing is online, or the online version is below the minimum, since no device could have a
/// version that may run; `not-found` and `missing-grant`.
#[tracing::instrument(name = "mini_app.set_min_version", skip_all, fields(mini_app = %id))]
pub async fn set_min_version(db: &Db, caller: &Caller, id: &MiniAppId, min: MinVersion) -> Result<MiniApp> {
    let actor = caller.account.as_str();
    let mut tx = db.begin().await?;
    let mut mini_app = mini_app::authorise_change(&mut tx, caller, id, Action::Release).await?;
    if mini_app.min_version == min.version {
        return Ok(mini_app);
    }
    if let Some(version) = &min.version {
        let online = tx.online_version(id).await?.map(|online| online.number);
        let exists = tx.version(id, version).await?.is_some();
        may_be_least(id, online.as_ref(), version, exists)?;
        trial::end(&mut tx, actor, id, TrialEnd::MinVersion, |trial| trial < version).await?;
    }
    let before = mini_app.clone();
    mini_app.min_version = min.version;
    tx.set_min_version(id, mini_app.min_version.as_ref()).await?;
    tx.tell(kind::MINI_APP_MIN_VERSION, id, actor, &mini_app).for_mini_app(id).was(Some(&before));
    tx.commit().await?;
    Ok(mini_app)
}

fn may_be_least(id: &MiniAppId, online: Option<&VersionNumber>, version: &VersionNumber, exists: bool) -> Result<()> {
    if online.is_some_and(|online| version <= online) {
        return Ok(());
    }
    let online = online.map_or("nothing".into(), ToString::to_string);
    let command =
        if exists { format!("berth version publish {id} {version}") } else { format!("berth version list {id}") };
    let detail = format!("The minimum {version} is above what is online ({online}), so no device could run it.");
    let first = if exists { "Publish it first" } else { "There is no such version. See what there is" };
    Err(Error::new(Code::VersionOrder, format!("{detail} {first}: `{command}`.")).next(command))
}
