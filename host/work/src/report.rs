//! Reports of devices about the versions that they got (G8).

pub use berth_model::report::*;

use berth_base::{error::Result, ids::GrayTaskId, text::short};
use berth_check::{Checks, index::GrayEntry};
use berth_model::{
    check::Key,
    rollout::{Mark, reason},
};
use berth_package::PackageName;

/// Takes a report of a device. It counts for the gray tasks of this version that have admitted the device. Without one,
/// as for the online version and for a version that the device was never offered, it is accepted and has no effect.
///
/// # Errors
/// `invalid-host-app-key` when `key` is not that of the host app; `invalid-field` for what is too long.
pub fn take(checks: &Checks, key: &str, report: &Report) -> Result<()> {
    short("guid", &report.guid)?;
    let index = checks.live.current();
    index.require_key(key, &report.host_app, checks.clock.now())?;
    let bound = index.mini_app(&report.mini_app).filter(|known| known.host_apps.contains(&report.host_app));
    for task in bound.iter().flat_map(|known| &known.gray).filter(|task| task.release.version == report.version) {
        if task.admitted.mark(Key::of(&report.guid), report.kind) {
            if report.kind == Mark::Failed {
                tracing::info!(task = %task.id, detail = ?report.detail, "a device reports that the gray version fails");
            }
            let reason = reason(report.detail.as_deref().filter(|_| report.kind == Mark::Failed).unwrap_or_default());
            checks.marker.mark(&task.id, &report.guid, report.kind, reason);
        }
    }
    Ok(())
}

/// Marks an admitted device as having downloaded `package`, when that is what the gray task delivers. The download
/// address that a check answers with names both: `?gray={task}&guid={guid}`. To be called once the last byte was sent.
pub fn downloaded(checks: &Checks, package: &PackageName, task: &GrayTaskId, guid: &str) {
    let index = checks.live.current();
    let delivers = |task: &&std::sync::Arc<GrayEntry>| {
        task.mini_app == package.mini_app_id && task.release.version == package.version
    };
    let Some(task) = index.task(task.as_str()).filter(delivers) else { return };
    if task.admitted.mark(Key::of(guid), Mark::Downloaded) {
        checks.marker.mark(&task.id, guid, Mark::Downloaded, String::new());
    }
}
