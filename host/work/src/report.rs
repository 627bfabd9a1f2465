//! Reports of devices about the versions that they got (G8).

pub use berth_model::report::*;

use std::sync::Arc;

use berth_base::{error::Result, ids::GrayTaskId, text::short};
use berth_check::{Checks, index::GrayEntry};
use berth_model::{
    check::Key,
    rollout::{Mark, reason},
};
use berth_package::PackageName;

/// Takes a report of a device. It counts for the gray tasks of this version that have admitted the device; about the online
/// version, for those whose guards compare with it. All others, as about a version that the device was never offered, are
/// accepted and have no effect.
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
    for known in bound.iter().filter(|known| known.online.as_ref().is_some_and(|it| it.version == report.version)) {
        note_bystander(checks, &known.gray, report);
    }
    Ok(())
}

/// A report about the online version counts where a guard compares it with the version of a gray task (G13).
fn note_bystander(checks: &Checks, tasks: &[Arc<GrayEntry>], report: &Report) {
    let news = |task: &&Arc<GrayEntry>| {
        task.bystanders.as_ref().is_some_and(|beside| beside.mark(Key::of(&report.guid), report.kind))
    };
    for task in tasks.iter().filter(news) {
        checks.marker.note_bystander(&task.id, &report.guid, Some(report.kind));
    }
}

/// Marks an admitted device as having downloaded `package`, when that is what the gray task delivers. The download
/// address that a check answers with names both: `?gray={task}&guid={guid}`. To be called once the last byte was sent.
pub fn downloaded(checks: &Checks, package: &PackageName, task: &GrayTaskId, guid: &str) {
    let index = checks.live.current();
    let delivers =
        |task: &&Arc<GrayEntry>| task.mini_app == package.mini_app_id && task.release.version == package.version;
    let Some(task) = index.task(task.as_str()).filter(delivers) else { return };
    if task.admitted.mark(Key::of(guid), Mark::Downloaded) {
        checks.marker.mark(&task.id, guid, Mark::Downloaded, String::new());
    }
}
