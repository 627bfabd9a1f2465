//! What devices tell of the versions that they got (G8).

use serde::{Deserialize, Serialize};

use crate::{
    check::Checks,
    check::{Key, short},
    error::{Code, Error, Result},
    ids::{GrayTaskId, HostAppId},
    rollout::Mark,
    version::VersionNumber,
};

/// A device tells what became of a version.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct Report {
    /// The host app that it asks from.
    pub host_app: HostAppId,
    /// The installation.
    pub guid: String,
    /// Id of the MiniApp.
    pub app: String,
    /// Which version.
    pub version: VersionNumber,
    /// What became of it.
    pub kind: Mark,
    /// In the SDK's words, for the log; at most 256 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// Takes a report. It counts for the GrayTasks that have admitted the device to this version; every other report is
/// taken and forgotten.
///
/// # Errors
/// `invalid-host-app-key`, `invalid-field`.
pub fn take(checks: &Checks, key: &str, report: &Report) -> Result<()> {
    short("guid", &report.guid)?;
    short("detail", report.detail.as_deref().unwrap_or_default())?;
    let index = checks.live.current();
    let host_app = index.host_app_by_key(key).filter(|known| known.id == report.host_app);
    host_app.ok_or_else(|| {
        let detail = format!("The key in X-Host-App-Key is not the one of {}.", report.host_app);
        Error::new(Code::InvalidHostAppKey, detail)
    })?;
    let bound = index.mini_app(&report.app).filter(|known| known.host_apps.contains(&report.host_app));
    for task in bound.iter().flat_map(|known| &known.gray).filter(|task| task.release.version == report.version) {
        if task.admitted.mark(Key::of(&report.guid), report.kind) {
            if report.kind == Mark::Failed {
                tracing::info!(task = %task.id, detail = ?report.detail, "a device reports that the gray version fails");
            }
            checks.marker.mark(&task.id, &report.guid, report.kind);
        }
    }
    Ok(())
}

/// Notes that a device fetched the package that a check had named: `?gray={task}&guid={guid}`.
pub fn downloaded(checks: &Checks, task: &GrayTaskId, guid: &str) {
    let index = checks.live.current();
    let Some(task) = index.task(task.as_str()) else { return };
    if task.admitted.mark(Key::of(guid), Mark::Downloaded) {
        checks.marker.mark(&task.id, guid, Mark::Downloaded);
    }
}
