//! A MiniApp at one look (V3).

use berth_base::{error::Result, ids::MiniAppId};
use berth_model::{
    access::{Action, Caller},
    overview::Overview,
    version::{Force, State, Trial, Version},
};
use berth_store::{Db, Span};

use crate::{audit, mini_app::authorise, rollout};

/// A MiniApp with the present state of its versions and releases (V3), for a caller who may read it.
pub async fn overview(db: &Db, caller: &Caller, id: &MiniAppId) -> Result<Overview> {
    let mut tx = db.read().await?;
    let mini_app = authorise(&mut tx, caller, id, Action::Read).await?;
    let mut auditing = Vec::new();
    for version in tx.versions_in(id, State::Auditing).await? {
        auditing.extend(audit::latest(&mut tx, &version.id).await?);
    }
    let brief = |row| Version::from(row).brief();
    let now = tx.now();
    let forced = tx.forced_in(&Span::one(id)).await?;
    let forced = forced.first().map(|release| &release.version);
    Ok(Overview {
        force: Force::reasons(mini_app.shelf(), mini_app.min_version.as_ref(), forced),
        mini_app,
        online: tx.online_version(id).await?.map(brief),
        trial: tx.trial(id).await?.map(Trial::from),
        auditing,
        approved: tx.versions_in(id, State::Approved).await?.into_iter().map(brief).collect(),
        development: tx.versions_in(id, State::Development).await?.into_iter().map(brief).collect(),
        gray_tasks: rollout::not_ended(&mut tx, id, now).await?,
    })
}
