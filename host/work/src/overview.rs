//! A MiniApp at one look (V3).

use berth_base::{
    error::Result,
    ids::{HostAppId, MiniAppId},
    page::PageQuery,
};
use berth_model::{
    access::Caller,
    mini_app::MiniApp,
    overview::Overview,
    version::{Force, State, Trial, Version},
};
use berth_store::{Db, Span, Tx, version::VersionRow};

use crate::{
    audit,
    mini_app::{self, Reader},
    rollout,
};

/// How many versions an overview looks at for members of a host app.
const MOST_SHOWN: u32 = 200;

/// A MiniApp with the present state of its versions and releases (V3), for a caller who may read it, or a host app that it
/// is bound to (A5).
pub async fn overview(db: &Db, caller: &Caller, id: &MiniAppId) -> Result<Overview> {
    let mut tx = db.read().await?;
    let (mini_app, reader) = mini_app::readable(&mut tx, caller, id).await?;
    let common = common(&mut tx, mini_app).await?;
    match reader {
        Reader::Team => for_team(&mut tx, common).await,
        Reader::HostApps(own) => for_host_apps(&mut tx, common, &own).await,
    }
}

/// What everybody sees who may see the MiniApp.
async fn common(tx: &mut Tx, mini_app: MiniApp) -> Result<Overview> {
    let forced = tx.forced_in(&Span::one(&mini_app.id)).await?;
    let forced = forced.first().map(|release| &release.version);
    Ok(Overview {
        force: Force::reasons(mini_app.shelf(), mini_app.min_version.as_ref(), forced),
        online: tx.online_version(&mini_app.id).await?.map(brief),
        through_host_app: false,
        trial: None,
        auditing: Vec::new(),
        approved: Vec::new(),
        rejected: Vec::new(),
        development: Vec::new(),
        gray_tasks: Vec::new(),
        mini_app,
    })
}

async fn for_team(tx: &mut Tx, common: Overview) -> Result<Overview> {
    let id = &common.mini_app.id;
    let (now, auditing) = (tx.now(), tx.versions_in(id, State::Auditing).await?);
    let mut rejected = tx.versions_in(id, State::Rejected).await?;
    rejected.retain(|row| common.online.as_ref().is_none_or(|online| row.number > online.version));
    Ok(Overview {
        trial: tx.trial(id).await?.map(Trial::from),
        auditing: audits_of(tx, auditing).await?,
        approved: tx.versions_in(id, State::Approved).await?.into_iter().map(brief).collect(),
        rejected: rejected.into_iter().map(brief).collect(),
        development: tx.versions_in(id, State::Development).await?.into_iter().map(brief).collect(),
        gray_tasks: rollout::not_ended(tx, id, now).await?,
        ..common
    })
}

async fn for_host_apps(tx: &mut Tx, common: Overview, own: &[HostAppId]) -> Result<Overview> {
    let page = PageQuery { cursor: None, limit: Some(MOST_SHOWN) };
    let shown = tx.versions_shown_to(own, &common.mini_app.id, &page).await?;
    let (auditing, rest): (Vec<_>, Vec<_>) = shown.into_iter().partition(|row| row.state == State::Auditing);
    let approved = rest.into_iter().filter(|row| row.state == State::Approved);
    Ok(Overview {
        through_host_app: true,
        approved: approved.map(brief).collect(),
        auditing: audits_of(tx, auditing).await?,
        ..common
    })
}

/// The newest audit of each version.
async fn audits_of(tx: &mut Tx, versions: Vec<VersionRow>) -> Result<Vec<audit::Audit>> {
    let mut audits = Vec::with_capacity(versions.len());
    for version in versions {
        audits.extend(audit::latest(tx, &version.id).await?);
    }
    Ok(audits)
}

fn brief(row: VersionRow) -> Version {
    Version::from(row).brief()
}
