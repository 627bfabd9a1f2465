//! Whether what a device has must not run any more, and why (A2, V11, V12).

use berth_base::version::VersionNumber;
use berth_model::version::ForceCause;

use super::{Decision, Recorder, index::AppEntry};

/// Whether the device must not run what it has: the MiniApp is off the shelf, or the version `current` is below the
/// minimum usable one or below a forced release that still stands. Never so for a device that has the version of the
/// decision already, or, on the shelf, none.
pub(crate) fn is_forced(app: Option<&AppEntry>, current: Option<&VersionNumber>, decision: &Decision<'_>) -> bool {
    match replaced(app, current, decision) {
        Some((app, current)) => bounds(app).any(|(_, below)| current < below),
        None => matches!(decision, Decision::Removed),
    }
}

/// Tells `trace` of each bound below which a version must not run, and whether the device's version is below it. That the
/// MiniApp is off the shelf was told before.
pub(crate) fn step_on_force(
    app: Option<&AppEntry>,
    current: Option<&VersionNumber>,
    decision: &Decision<'_>,
    trace: &mut impl Recorder,
) {
    let Some((app, current)) = replaced(app, current, decision) else { return };
    for (cause, below) in bounds(app) {
        let forced = current < below;
        trace.step(cause.as_str(), None, !forced, || {
            let (is, then) = if forced { ("is", "; it must not run any more") } else { ("is not", "") };
            format!("{current} {is} below {below}{then}: {}.", cause.of(below))
        });
    }
}

/// The MiniApp and the version that the device has, when the decision gives it another one.
fn replaced<'a>(
    app: Option<&'a AppEntry>,
    current: Option<&'a VersionNumber>,
    decision: &Decision<'_>,
) -> Option<(&'a AppEntry, &'a VersionNumber)> {
    let (answer, current) = (&decision.release()?.version, current?);
    (current != answer).then_some(app?).map(|app| (app, current))
}

/// The versions below which nothing may run, each with where it comes from.
fn bounds(app: &AppEntry) -> impl Iterator<Item = (ForceCause, &VersionNumber)> {
    let min = app.min_version.as_ref().map(|min| (ForceCause::MinVersion, min));
    min.into_iter().chain(app.forced.iter().max().map(|forced| (ForceCause::ForcedRelease, forced)))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::index::Release;
    use berth_base::{
        clock::SystemRandom,
        ids::{Digest, TeamId},
    };
    use berth_model::{
        check::Step,
        testing::{DAWN, mall, no_settings, shop, v},
    };

    fn version(minor: u32) -> VersionNumber {
        v(&format!("1.{minor}.0"))
    }

    /// The MiniApp with the greatest of these versions online.
    fn app(min: Option<u32>, forced: &[u32]) -> AppEntry {
        AppEntry {
            id: shop(),
            team: TeamId::generate(DAWN, &SystemRandom),
            on_shelf: true,
            shelf_note: String::new(),
            min_version: min.map(version),
            online: Some(Release { version: version(9), sha256: Digest::of(b""), size: 1 }),
            forced: forced.iter().copied().map(version).collect(),
            trial: None,
            host_apps: BTreeSet::from([mall()]),
            settings: no_settings(),
            recording: None,
            privacy: None,
            gray: Vec::new(),
        }
    }

    fn online(app: &AppEntry) -> Decision<'_> {
        Decision::Online(app.online.as_ref().expect("online"))
    }

    proptest! {
        #[test]
        fn v11_v12_who_is_below_the_minimum_or_skipped_a_forced_release_is_forced(
            min in proptest::option::of(0u32..10), forced in proptest::collection::vec(0u32..10, 0..4), current in 0u32..10,
        ) {
            let app = app(min, &forced);
            let below = min.is_some_and(|min| current < min) || forced.iter().any(|forced| current < *forced);
            let current = version(current);
            prop_assert_eq!(is_forced(Some(&app), Some(&current), &online(&app)), below);
            prop_assert!(!is_forced(Some(&app), None, &online(&app)), "who has nothing runs nothing");
        }

        #[test]
        fn g14_the_trace_says_why_a_device_is_forced(
            min in proptest::option::of(0u32..10), forced in proptest::collection::vec(0u32..10, 0..4), current in 0u32..9,
        ) {
            let (app, current) = (app(min, &forced), version(current));
            let mut steps: Vec<Step> = Vec::new();
            step_on_force(Some(&app), Some(&current), &online(&app), &mut steps);
            let is_forced = is_forced(Some(&app), Some(&current), &online(&app));
            prop_assert_eq!(steps.iter().any(|step| !step.passed), is_forced);
        }
    }

    #[test]
    fn v11_what_is_removed_must_not_run_whatever_the_device_has() {
        let app = app(None, &[]);
        for current in [None, Some(version(0)), Some(version(9))] {
            assert!(is_forced(Some(&app), current.as_ref(), &Decision::Removed));
            assert!(!is_forced(None, current.as_ref(), &Decision::Unknown));
        }
    }

    #[test]
    fn g14_a_bound_is_named_with_where_it_comes_from() {
        let (app, current) = (app(Some(1), &[2]), version(1));
        let mut steps: Vec<Step> = Vec::new();
        step_on_force(Some(&app), Some(&current), &online(&app), &mut steps);
        let told: Vec<_> = steps.iter().map(|step| (step.rule.as_str(), step.passed, step.says.as_str())).collect();
        assert_eq!(
            told,
            [
                ("min-version", true, "1.1.0 is not below 1.1.0: 1.1.0 is the minimum usable version."),
                (
                    "forced-release",
                    false,
                    "1.1.0 is below 1.2.0; it must not run any more: 1.2.0 was published as forced and not rolled back."
                ),
            ]
        );
    }
}
