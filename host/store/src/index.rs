//! Reads what the index of checks is built from. Each query reads one kind of row, for one id or for all.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use sqlx::types::Json;

use berth_base::sql::Count;

use super::{Tx, fetch};
use berth_base::{
    clock::Millis,
    error::Result,
    ids::{Digest, HostAppId, MerchantId, MiniAppId, TeamId},
    version::VersionNumber,
};

use crate::gray_task::TaskRow;
use berth_model::version::{Release, note_rollbacks};

/// A range of ids with both ends included, either one id or all. Unlike a condition "this one or all", a range makes
/// use of the database's indexes.
pub struct Span {
    pub(crate) from: String,
    pub(crate) to: String,
}

impl Span {
    /// The range of all ids: an id has at most 63 characters, and none of them sorts after z.
    pub fn all() -> Self {
        Self { from: String::new(), to: "z".repeat(64) }
    }

    /// The range that has only this id.
    pub fn one(id: &impl ToString) -> Self {
        Self { from: id.to_string(), to: id.to_string() }
    }
}

/// What some events concern.
#[derive(Default)]
pub struct Touched {
    /// The host apps.
    pub host_apps: BTreeSet<HostAppId>,
    /// The MiniApps.
    pub mini_apps: BTreeSet<MiniAppId>,
    /// The merchants, each with whether it has a MiniApp as a channel of an endpoint application.
    pub merchants: BTreeMap<MerchantId, bool>,
}

/// The part of a row of `mini_app` that checks need.
#[derive(sqlx::FromRow)]
#[allow(missing_docs, reason = "the columns are documented in MiniApp")]
pub struct IndexedApp {
    pub id: MiniAppId,
    pub team_id: TeamId,
    pub on_shelf: bool,
    pub shelf_note: String,
    pub min_version: Option<VersionNumber>,
}

/// The part of a row of `version` that checks need.
#[derive(sqlx::FromRow)]
#[allow(missing_docs, reason = "the columns are documented in Version")]
pub struct IndexedVersion {
    pub mini_app_id: MiniAppId,
    pub number: VersionNumber,
    pub sha256: Digest,
    #[sqlx(try_from = "Count")]
    pub size: u64,
}

/// The part of a row of `trial` that checks need.
#[derive(sqlx::FromRow)]
#[allow(missing_docs, reason = "the columns are documented in Trial")]
pub struct IndexedTrial {
    #[sqlx(flatten)]
    pub version: IndexedVersion,
    pub entry_path: String,
    pub accounts: Json<HashSet<String>>,
}

impl Tx {
    /// The host apps in the span, with their public keys.
    pub async fn host_apps_in(&mut self, span: &Span) -> Result<Vec<(HostAppId, String)>> {
        Ok(fetch!(
            self,
            fetch_all,
            (HostAppId, String),
            "SELECT id, public_key FROM host_app WHERE id BETWEEN $1 AND $2",
            &span.from,
            &span.to
        )?)
    }

    /// The former public keys of the host apps in the span that still work at `now`, with their ends.
    pub async fn former_keys_in(&mut self, span: &Span, now: Millis) -> Result<Vec<(HostAppId, String, Millis)>> {
        Ok(fetch!(
            self,
            fetch_all,
            (HostAppId, String, Millis),
            "SELECT host_app_id, public_key, ends_at FROM former_key WHERE host_app_id BETWEEN $1 AND $2 AND ends_at > $3",
            &span.from,
            &span.to,
            now
        )?)
    }

    /// The MiniApps in the span.
    pub async fn mini_apps_in(&mut self, span: &Span) -> Result<Vec<IndexedApp>> {
        Ok(fetch!(
            self,
            fetch_all,
            IndexedApp,
            "SELECT id, team_id, on_shelf, shelf_note, min_version FROM mini_app WHERE id BETWEEN $1 AND $2",
            &span.from,
            &span.to
        )?)
    }

    /// The active bindings of the MiniApps in the span.
    pub async fn bindings_in(&mut self, span: &Span) -> Result<Vec<(MiniAppId, HostAppId)>> {
        Ok(fetch!(
            self,
            fetch_all,
            (MiniAppId, HostAppId),
            "SELECT mini_app_id, host_app_id FROM binding
             WHERE state = 'active' AND mini_app_id BETWEEN $1 AND $2",
            &span.from,
            &span.to
        )?)
    }

    /// The online versions of the MiniApps in the span.
    pub async fn online_in(&mut self, span: &Span) -> Result<Vec<IndexedVersion>> {
        Ok(fetch!(
            self,
            fetch_all,
            IndexedVersion,
            "SELECT mini_app_id, number, sha256, size FROM version
             WHERE state = 'online' AND mini_app_id BETWEEN $1 AND $2",
            &span.from,
            &span.to
        )?)
    }

    /// The forced releases of the MiniApps in the span that were not rolled back (V12), newest first for each MiniApp,
    /// which is also the order of their versions.
    pub async fn forced_in(&mut self, span: &Span) -> Result<Vec<Release>> {
        let mut releases = fetch!(
            self,
            fetch_all,
            Release,
            "SELECT r.*, v.number FROM release_record r JOIN version v ON v.id = r.version_id
             WHERE (r.forced OR r.kind = 'rollback') AND r.mini_app_id BETWEEN $1 AND $2
             ORDER BY r.mini_app_id, r.position DESC",
            &span.from,
            &span.to
        )?;
        releases.chunk_by_mut(|one, next| one.mini_app == next.mini_app).for_each(note_rollbacks);
        releases.retain(|release| release.forced && !release.rolled_back);
        Ok(releases)
    }

    /// The trials of the MiniApps in the span.
    pub async fn trials_in(&mut self, span: &Span) -> Result<Vec<IndexedTrial>> {
        Ok(fetch!(
            self,
            fetch_all,
            IndexedTrial,
            "SELECT t.mini_app_id, v.number, v.sha256, v.size, t.entry_path, t.accounts
             FROM trial t JOIN version v ON v.id = t.version_id
             WHERE v.state <> 'deleted' AND t.mini_app_id BETWEEN $1 AND $2",
            &span.from,
            &span.to
        )?)
    }

    /// The gray tasks of the MiniApps in the span that still have an effect on devices. Tasks of versions that are not
    /// approved are left out, as nothing else may be offered (I4).
    pub async fn live_gray_tasks_in(&mut self, span: &Span) -> Result<Vec<TaskRow>> {
        Ok(fetch!(
            self,
            fetch_all,
            TaskRow,
            "SELECT t.*, v.number, v.sha256, v.size FROM gray_task t JOIN version v ON v.id = t.version_id
             WHERE t.mini_app_id BETWEEN $1 AND $2 AND (t.state <> 'ended' OR t.honoured) AND v.state = 'approved'
             ORDER BY t.id",
            &span.from,
            &span.to
        )?)
    }

    /// What the events after number `after` and up to number `up_to` concern.
    pub async fn touched(&mut self, after: i64, up_to: i64) -> Result<Touched> {
        type Row = (Option<HostAppId>, Option<MiniAppId>, Option<MerchantId>, bool);
        let rows = fetch!(
            self,
            fetch_all,
            Row,
            "SELECT t.host_app_id, t.mini_app_id, t.merchant_id, EXISTS (SELECT 1 FROM channel c
                WHERE c.merchant_id = t.merchant_id AND c.kind = 'mini_app' AND c.endpoint_app_id IS NOT NULL)
             FROM (SELECT DISTINCT host_app_id, mini_app_id, merchant_id FROM event WHERE seq > $1 AND seq <= $2) t",
            after,
            up_to
        )?;
        let mut touched = Touched::default();
        for (host_app, mini_app, merchant, has_channels) in rows {
            touched.host_apps.extend(host_app);
            touched.mini_apps.extend(mini_app);
            touched.merchants.extend(merchant.map(|merchant| (merchant, has_channels)));
        }
        Ok(touched)
    }
}
