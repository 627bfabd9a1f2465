//! Decides what a device should run: a pure function of index, device and clock (G4–G6, G9, G10, G12, V10–V12).
//!
//! Nothing here waits or writes. For a device that newly passes the policies of a task the decision is
//! [`Decision::Admit`]. The caller then has it admitted, and decides again without that task when the admission is
//! refused.

use std::sync::Arc;

use berth_model::check::{Device, Key};

use super::{
    index::{AppEntry, BoundJudge, GrayEntry, Release, TrialEntry},
    judge::{Opinion, TaskFacts},
    trace::Recorder,
};
use berth_base::{clock::Millis, ids::GrayTaskId, version::VersionNumber};
use berth_model::rollout::Standing;

/// One device that asks about one MiniApp at one moment.
#[derive(Clone, Copy)]
pub struct Question<'a> {
    /// The device that asks.
    pub device: &'a Device,
    /// The key of the device's guid.
    pub key: Key,
    /// The version of the MiniApp that the device has; `None` when it has none.
    pub current: Option<&'a VersionNumber>,
    /// The moment of the check.
    pub now: Millis,
    /// Gray tasks that have just refused to admit the device, for example because their cap was reached.
    pub refused: &'a [GrayTaskId],
    /// Whether the request has used up the time that policies get in it. No policy is asked then, and no device is
    /// newly admitted (F77).
    pub tired: &'a dyn Fn() -> bool,
}

/// What the device should run.
#[derive(Clone)]
pub enum Decision<'a> {
    /// Nothing: the MiniApp is not bound to the host app, or has no version that this device could get.
    Unknown,
    /// Nothing: the MiniApp is off the shelf, and what the device has must not run.
    Removed,
    /// The online version, which everyone gets.
    Online(&'a Release),
    /// The version of this gray task, which has admitted the device.
    Gray(&'a Arc<GrayEntry>),
    /// The version of this gray task, once the task has admitted the device; the device passes its policies.
    Admit(&'a Arc<GrayEntry>),
    /// The version on trial: the device's account is named in the trial.
    Trial(&'a TrialEntry),
}

impl<'a> Decision<'a> {
    /// The version to run; `None` when there is nothing to run.
    pub fn release(&self) -> Option<&'a Release> {
        match self {
            Self::Unknown | Self::Removed => None,
            Self::Online(release) => Some(release),
            Self::Gray(task) | Self::Admit(task) => Some(&task.release),
            Self::Trial(trial) => Some(&trial.release),
        }
    }
}

/// Decides what the device should run, and tells `trace` every rule that it tries. `app` is the MiniApp's entry in the
/// index; `None` when the index has none.
pub fn decide<'a>(app: Option<&'a AppEntry>, question: &Question<'_>, trace: &mut impl Recorder) -> Decision<'a> {
    let Some(app) = app.filter(|app| app.host_apps.contains(&question.device.host_app)) else {
        trace.step("binding", None, false, || "The MiniApp is not bound to this host app.".into());
        return Decision::Unknown;
    };
    if app.online.is_none() && app.trial.is_none() {
        trace.step("online", None, false, || "No version was ever published.".into());
        return Decision::Unknown;
    }
    if !app.shelf().is() {
        trace.step("shelf", None, false, || app.shelf().why_not());
        return Decision::Removed;
    }
    if let Some(trial) = trial(app, question, trace) {
        return Decision::Trial(trial);
    }
    let Some(online) = &app.online else {
        trace.step("online", None, false, || "No version was ever published.".into());
        return Decision::Unknown;
    };
    app.gray.iter().find_map(|task| try_task(task, online, question, trace)).unwrap_or_else(|| {
        trace.step("online", None, true, || format!("{} is what everyone gets.", online.version));
        Decision::Online(online)
    })
}

fn trial<'a>(app: &'a AppEntry, question: &Question<'_>, trace: &mut impl Recorder) -> Option<&'a TrialEntry> {
    let trial = app.trial.as_ref()?;
    let named = question.device.account.as_ref().is_some_and(|account| trial.accounts.contains(account));
    trace.step("trial", None, named, || {
        let whether = if named { "is" } else { "is not" };
        format!("The account {whether} named in the trial of {}.", trial.release.version)
    });
    named.then_some(trial)
}

/// What the task means for the device; `None` when the next task is to be tried.
fn try_task<'a>(
    task: &'a Arc<GrayEntry>,
    online: &Release,
    question: &Question<'_>,
    trace: &mut impl Recorder,
) -> Option<Decision<'a>> {
    let id = Some(&task.id);
    if task.release.version <= online.version {
        trace.step("order", id, false, || format!("{} is not above {}.", task.release.version, online.version));
        return None;
    }
    let standing = task.standing(question.now);
    if matches!(standing, Standing::Waiting | Standing::Over) {
        trace.step("gray-task", id, false, || format!("The task is {}.", task.life.state_at(question.now)));
        return None;
    }
    if task.admitted.contains(question.key) {
        trace.step("admitted", id, true, || format!("The device is admitted and keeps {}.", task.release.version));
        return Some(Decision::Gray(task));
    }
    if standing == Standing::AdmittedOnly || question.refused.contains(&task.id) {
        trace.step("admitted", id, false, || "The task admits nobody new.".into());
        return None;
    }
    if (question.tired)() {
        trace.step("time", id, false, || "Policies have used up the time that one request gives them.".into());
        return None;
    }
    passes(task, online, question, trace).then_some(Decision::Admit(task))
}

/// Whether all enforced policies admit the device (G12). Shadow policies are asked too, and decide nothing.
fn passes(task: &GrayEntry, online: &Release, question: &Question<'_>, trace: &mut impl Recorder) -> bool {
    let facts = TaskFacts {
        id: &task.id,
        mini_app: &task.mini_app,
        version: &task.release.version,
        online: &online.version,
        current: question.current,
        started: task.life.start,
        now: question.now,
    };
    if task.judges.is_empty() {
        trace.step("conditions", Some(&task.id), true, || "The task has no conditions.".into());
    }
    let mut pass = |bound: &BoundJudge| {
        let opinion = bound.judge.judge(question.device, &facts, &task.cohorts);
        let passed = passed(&opinion, bound.spec.open_on_error);
        trace.judged(bound, &opinion);
        trace.step("policy", Some(&task.id), passed, || in_words(bound, &opinion));
        passed
    };
    let enforced = task.judges.iter().filter(|bound| bound.spec.enforce).all(&mut pass);
    task.judges.iter().filter(|bound| !bound.spec.enforce).for_each(|bound| {
        pass(bound);
    });
    enforced
}

fn passed(opinion: &Opinion, open_on_error: bool) -> bool {
    match opinion {
        Opinion::Admit => true,
        Opinion::Refuse(_) => false,
        Opinion::Broken { .. } => open_on_error,
    }
}

fn in_words(bound: &BoundJudge, opinion: &Opinion) -> String {
    let mode = if bound.spec.enforce { "" } else { " (shadow: it decides nothing)" };
    let says = match opinion {
        Opinion::Admit => "admits.".into(),
        Opinion::Refuse(why) => format!("refuses: {why}"),
        Opinion::Broken { why, .. } => {
            let then = if bound.spec.open_on_error { "passes" } else { "does not pass" };
            format!("gave no judgement, so the device {then}: {why}")
        }
    };
    format!("{}{mode} {says}", bound.spec.policy)
}

/// Whether a device that has the version `current` must update before it may run the MiniApp (V11, V12): its version is
/// below the minimum, or below a forced release that is still in effect. Never so for a device that has the version
/// `answer` already, or none.
pub fn is_forced(app: &AppEntry, current: Option<&VersionNumber>, answer: &VersionNumber) -> bool {
    let (Some(current), Some(online)) = (current.filter(|current| *current != answer), &app.online) else {
        return false;
    };
    let too_old = app.min_version.as_ref().is_some_and(|min| current < min);
    too_old || app.forced.iter().any(|forced| current < forced && *forced <= online.version)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeSet, HashSet};

    use proptest::prelude::*;

    use super::*;
    use crate::{Admitted, Counting, judge::Unready, members::TaskCohorts};
    use berth_base::{
        clock::SystemRandom,
        ids::{Digest, PolicyBindingId, TeamId},
    };
    use berth_model::{
        rollout::{Life, State},
        testing::{DAWN, device, mall, shop, v},
    };

    const END: i64 = 1000;

    fn release(minor: u32) -> Release {
        let version = v(&format!("1.{minor}.0"));
        Release { sha256: Digest::of(version.to_string().as_bytes()), version, size: 1 }
    }

    /// What a device that has no version asks at a moment.
    fn question(device: &Device, now: i64) -> Question<'_> {
        Question { device, key: Key::of("g"), current: None, now: Millis(now), refused: &[], tired: &|| false }
    }

    /// A task with one policy that never judges; open on error, it admits everybody.
    fn task(minor: u32, state: State, honoured: bool, open: bool, admitted: bool) -> Arc<GrayEntry> {
        let spec = crate::judge::JudgeSpec {
            id: PolicyBindingId::generate(DAWN, &SystemRandom),
            digest: Digest::of(b""),
            policy: "test".into(),
            config: serde_json::Value::Null,
            enforce: true,
            open_on_error: open,
            limits: Default::default(),
        };
        let members = Admitted::default();
        if admitted {
            members.add(Key::of("g"));
        }
        Arc::new(GrayEntry {
            id: GrayTaskId::generate(DAWN, &SystemRandom),
            mini_app: shop(),
            release: release(minor),
            life: Life { state, honoured: honoured && state == State::Ended, start: Millis(0), end: Millis(END) },
            judges: vec![BoundJudge {
                spec,
                judge: Arc::new(Unready(String::new())),
                ready: true,
                tally: Arc::default(),
            }],
            cohorts: Arc::new(TaskCohorts::default()),
            admitted: Arc::new(members),
        })
    }

    fn tasks() -> impl Strategy<Value = Vec<Arc<GrayEntry>>> {
        let one = (0u32..6, 0usize..4, any::<bool>(), any::<bool>(), any::<bool>());
        let one = one.prop_map(|(minor, state, honoured, open, admitted)| {
            task(minor, State::ALL[state], honoured, open, admitted)
        });
        proptest::collection::vec(one, 0..5)
    }

    prop_compose! {
        fn app()(
            on_shelf: bool, bound: bool, online in proptest::option::of(0u32..6), trial in proptest::option::of(0u32..6),
            gray in tasks(), forced in proptest::collection::btree_set(0u32..6, 0..3),
        ) -> AppEntry {
            let accounts = HashSet::from(["alice".to_owned()]);
            AppEntry {
                id: shop(),
                team: TeamId::generate(DAWN, &SystemRandom),
                on_shelf,
                shelf_note: String::new(),
                min_version: None,
                online: online.map(release),
                forced: forced.into_iter().map(|minor| release(minor).version).collect(),
                trial: trial.map(|minor| TrialEntry { release: release(minor), entry_path: "p".into(), accounts }),
                host_apps: if bound { BTreeSet::from([mall()]) } else { BTreeSet::new() },
                gray,
            }
        }
    }

    proptest! {
        /// What is offered is the online version, or that of a task (the index holds approved ones only) that the
        /// device is in or may enter, or the trial, and the trial only to a named account.
        #[test]
        fn i4_nothing_but_the_online_a_gray_or_a_named_trial_version_is_offered(
            app in app(), alice: bool, now in 0..2 * END,
        ) {
            let asker = Device { account: alice.then(|| "alice".into()), ..device("g") };
            let question = question(&asker, now);
            let bound = !app.host_apps.is_empty();
            match decide(Some(&app), &question, &mut Counting) {
                Decision::Unknown => prop_assert!(!bound || app.online.is_none()),
                Decision::Removed => prop_assert!(bound && !app.on_shelf),
                Decision::Online(online) => prop_assert_eq!(Some(online), app.online.as_ref()),
                Decision::Trial(_) => prop_assert!(alice && app.on_shelf && bound),
                Decision::Gray(task) => {
                    prop_assert!(task.admitted.contains(question.key));
                    prop_assert!(matches!(task.standing(question.now), Standing::Open | Standing::AdmittedOnly));
                    prop_assert!(Some(&task.release.version) > app.online.as_ref().map(|online| &online.version));
                }
                Decision::Admit(task) => {
                    prop_assert!(!task.admitted.contains(question.key));
                    prop_assert_eq!(task.standing(question.now), Standing::Open);
                    prop_assert!(task.judges[0].spec.open_on_error);
                }
            }
        }

        /// The index orders tasks newest first, and the first that means something to the device wins.
        #[test]
        fn g9_no_newer_task_would_have_taken_the_device(app in app(), now in 0..2 * END) {
            let asker = device("g");
            let question = question(&asker, now);
            let decision = decide(Some(&app), &question, &mut Counting);
            if let Decision::Gray(chosen) | Decision::Admit(chosen) = decision {
                for newer in app.gray.iter().take_while(|task| task.id != chosen.id) {
                    let alone = AppEntry { gray: vec![newer.clone()], ..app.clone() };
                    prop_assert!(matches!(decide(Some(&alone), &question, &mut Counting), Decision::Online(_)));
                }
            }
        }

        /// Explaining says what a check does.
        #[test]
        fn g14_recording_changes_no_decision(app in app(), now in 0..2 * END) {
            let asker = device("g");
            let question = question(&asker, now);
            let mut steps = Vec::new();
            let explained = decide(Some(&app), &question, &mut steps).release().cloned();
            prop_assert_eq!(explained.as_ref(), decide(Some(&app), &question, &mut Counting).release());
            prop_assert!(!steps.is_empty());
        }

        #[test]
        fn v12_forced_is_cumulative_up_to_the_online_version(app in app(), current in 0u32..6) {
            let Some(online) = app.online.clone() else { return Ok(()) };
            let current = release(current).version;
            let skipped = app.forced.iter().any(|forced| current < *forced && *forced <= online.version);
            let forced = is_forced(&app, Some(&current), &online.version);
            prop_assert_eq!(forced, skipped && current != online.version);
            prop_assert!(!is_forced(&app, None, &online.version));
        }
    }

    /// The MiniApp with 1.0.0 online and these tasks.
    fn with_tasks(gray: Vec<Arc<GrayEntry>>) -> AppEntry {
        AppEntry {
            id: shop(),
            team: TeamId::generate(DAWN, &SystemRandom),
            on_shelf: true,
            shelf_note: String::new(),
            min_version: None,
            online: Some(release(0)),
            forced: Vec::new(),
            trial: None,
            host_apps: BTreeSet::from([mall()]),
            gray,
        }
    }

    #[test]
    fn f77_when_policies_have_had_their_time_nobody_new_is_admitted_and_the_admitted_stay() {
        let asker = device("g");
        let question = Question { tired: &|| true, ..question(&asker, 1) };
        let open = with_tasks(vec![task(1, State::Delivering, false, true, false)]);
        assert!(matches!(decide(Some(&open), &question, &mut Counting), Decision::Online(_)));
        let admitted = with_tasks(vec![task(1, State::Delivering, false, true, true)]);
        assert!(matches!(decide(Some(&admitted), &question, &mut Counting), Decision::Gray(_)));
    }

    #[test]
    fn g10_a_task_that_has_just_refused_is_not_asked_again() {
        let entry = task(1, State::Delivering, false, true, false);
        let app = with_tasks(vec![entry.clone()]);
        let asker = device("g");
        let question = question(&asker, 1);
        assert!(matches!(decide(Some(&app), &question, &mut Counting), Decision::Admit(_)));
        let refused = [entry.id.clone()];
        let question = Question { refused: &refused, ..question };
        assert!(matches!(decide(Some(&app), &question, &mut Counting), Decision::Online(_)));
    }
}
