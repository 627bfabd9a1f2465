//! Decides what a device should run: a pure function of index, device and clock (G4–G6, G9, G10, G12, G15, V10, V11).
//!
//! Nothing here waits or writes. For a device that newly passes the policies of a task the decision is
//! [`Decision::Admit`]. The caller then has it admitted, and decides again without that task when the admission is
//! refused.

use std::sync::Arc;

use berth_model::check::{Device, Key};

use super::{
    composed,
    index::{AppEntry, BoundJudge, GrayEntry, Release, TrialEntry},
    judge::{JudgeSpec, Opinion, Pair, TaskFacts},
    trace::Recorder,
};
use berth_base::{clock::Millis, ids::GrayTaskId, version::VersionNumber};
use berth_model::rollout::{Standing, admits::CONDITIONS};

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
    let gray = match owner(app, online, question) {
        Some(owner) => Some(stays(app, owner, question, trace)),
        None => app.gray.iter().find_map(|task| try_task(app, task, online, question, trace)),
    };
    gray.unwrap_or_else(|| {
        trace.step("online", None, true, || format!("{} is what everyone gets.", online.version));
        Decision::Online(online)
    })
}

/// The task that has admitted the device and still honours it (G9), unless the device fell back (G15).
fn owner<'a>(app: &'a AppEntry, online: &Release, question: &Question<'_>) -> Option<&'a Arc<GrayEntry>> {
    app.gray.iter().find(|task| {
        task.release.version > online.version
            && task.standing(question.now).honours()
            && task.admitted.contains(question.key)
            && !fell_back(task, failures(app, &task.release.version, question.key), question)
    })
}

/// The device stays with its owner, and newer tasks are not asked.
fn stays<'a>(
    app: &AppEntry,
    owner: &'a Arc<GrayEntry>,
    question: &Question<'_>,
    trace: &mut impl Recorder,
) -> Decision<'a> {
    for newer in app.gray.iter().take_while(|task| task.id != owner.id) {
        trace.step("owner", Some(&newer.id), false, || format!("The device stays with {}.", owner.id));
    }
    let failures = failures(app, &owner.release.version, question.key);
    trace.step("admitted", Some(&owner.id), true, || kept(owner, failures));
    Decision::Gray(owner)
}

fn trial<'a>(app: &'a AppEntry, question: &Question<'_>, trace: &mut impl Recorder) -> Option<&'a TrialEntry> {
    let trial = app.trial.as_ref()?;
    if let Some(above) = app.floor().filter(|floor| trial.release.version < **floor) {
        trace.step("trial", None, false, || {
            format!("The trial of {} is below {above} and over.", trial.release.version)
        });
        return None;
    }
    let named = question.device.account.as_ref().is_some_and(|account| trial.accounts.contains(account));
    trace.step("trial", None, named, || {
        let whether = if named { "is" } else { "is not" };
        format!("The account {whether} named in the trial of {}.", trial.release.version)
    });
    named.then_some(trial)
}

/// What the task means for a device that no task has; `None` when the next task is to be tried.
fn try_task<'a>(
    app: &AppEntry,
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
    if !standing.honours() {
        trace.step("gray-task", id, false, || format!("The task is {}.", task.life.state_at(question.now)));
        return None;
    }
    let failures = failures(app, &task.release.version, question.key);
    if fell_back(task, failures, question) {
        trace.step("failures", id, false, || fallen(task, failures, question.current));
        return None;
    }
    if standing == Standing::AdmittedOnly || question.refused.contains(&task.id) {
        trace.step("admitted", id, false, || admits_nobody(task));
        return None;
    }
    if (question.tired)() {
        trace.step("time", id, false, || "Policies have used up the time that one request gives them.".into());
        return None;
    }
    passes(task, online, question, trace).then_some(Decision::Admit(task))
}

fn admits_nobody(task: &GrayEntry) -> String {
    let why = task.suspended_by_guard.as_ref().map(|why| format!(" Its guard {why}.")).unwrap_or_default();
    format!("The task admits nobody new.{why}")
}

/// How many times the version failed on the device, as counted by the task of this version that has admitted it.
fn failures(app: &AppEntry, version: &VersionNumber, device: Key) -> u8 {
    let same = app.gray.iter().filter(|task| task.release.version == *version);
    same.filter_map(|task| task.admitted.failures(device)).max().unwrap_or_default()
}

/// Whether the device has fallen back from the version (G15): it has another one, or none, after so many failures that
/// no task offers it this version any more. A device that has the version runs it, whatever it reported before.
fn fell_back(task: &GrayEntry, failures: u8, question: &Question<'_>) -> bool {
    (1..=failures).contains(&task.max_failures) && question.current != Some(&task.release.version)
}

fn times(failures: u8) -> String {
    if failures == 1 { "once".into() } else { format!("{failures} times") }
}

fn fallen(task: &GrayEntry, failures: u8, current: Option<&VersionNumber>) -> String {
    let (version, failed, most) = (&task.release.version, times(failures), task.max_failures);
    let has = current.map_or("no version".into(), ToString::to_string);
    format!(
        "{version} failed {failed} on this device, which has {has} now. It is not offered again once it failed {} \
         (the setting --gray-max-failures).",
        times(most)
    )
}

fn kept(task: &GrayEntry, failures: u8) -> String {
    let keeps = format!("The device is admitted and keeps {}.", task.release.version);
    match (failures, task.max_failures) {
        (0, _) => keeps,
        (_, 0) => format!("{keeps} It failed here {}.", times(failures)),
        (_, most) => format!(
            "{keeps} It failed here {}; a device that has another version is not offered it again once it failed {} \
             (the setting --gray-max-failures).",
            times(failures),
            times(most)
        ),
    }
}

/// Whether all enforced policies admit the device (G12), or what the task says by an expression over them holds (G24). Shadow
/// policies are asked too, and decide nothing.
fn passes<R: Recorder>(task: &GrayEntry, online: &Release, question: &Question<'_>, trace: &mut R) -> bool {
    let facts = TaskFacts {
        id: &task.id,
        mini_app: &task.mini_app,
        version: &task.release.version,
        online: &online.version,
        current: question.current,
        started: task.life.start,
        now: question.now,
    };
    if !task.judges.iter().any(|bound| bound.spec.enforce) {
        trace.step("conditions", Some(&task.id), true, || match task.judges.is_empty() {
            true => "The task has no conditions.".into(),
            false => "No policy of the task decides, so every device may have its version.".into(),
        });
    }
    let judge = |bound: &BoundJudge| R::ask(bound, question.device, &facts, &task.cohorts);
    let hear = |bound: &BoundJudge, trace: &mut R| {
        let opinion = judge(bound);
        let passed = passed(&opinion, bound.spec.open_on_error);
        trace.judged(bound, &opinion);
        trace.step("policy", Some(&task.id), passed, || in_words(bound, &opinion));
        (passed, opinion)
    };
    let decided = match &task.admits {
        None => task.judges.iter().filter(|bound| bound.spec.enforce).all(|bound| hear(bound, trace).0),
        Some(admits) => composed::passes(task, admits, judge, trace),
    };
    for bound in task.judges.iter().filter(|bound| !bound.spec.enforce) {
        let (_, opinion) = hear(bound, trace);
        if !matches!(opinion, Opinion::Broken { .. }) {
            let pair = Pair { decided, shadow: opinion == Opinion::Admit };
            trace.shadowed(bound, question.device, pair, question.now);
        }
    }
    decided
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
    format!("{}{mode} {says}", called(&bound.spec))
}

/// A policy as people know it, with the name that the task gives it.
fn called(spec: &JudgeSpec) -> String {
    let JudgeSpec { name, policy, .. } = spec;
    if name == policy || name == CONDITIONS { policy.clone() } else { format!("{name} ({policy})") }
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
        testing::{DAWN, device, mall, no_settings, shop, v},
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
            name: "test".into(),
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
            admits: None,
            cohorts: Arc::new(TaskCohorts::default()),
            named: Arc::default(),
            admitted: Arc::new(members),
            bystanders: None,
            suspended_by_guard: None,
            max_failures: 3,
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
                settings: no_settings(),
                recording: None,
                privacy: None,
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
                Decision::Trial(trial) => {
                    prop_assert!(alice && app.on_shelf && bound);
                    let online = app.online.as_ref().map(|online| &online.version);
                    prop_assert!(online.is_none_or(|online| *online <= trial.release.version), "(V11)");
                }
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

        /// A device that tasks honour stays, with the newest of them. Others are offered to the newest task that
        /// takes them: the index orders tasks newest first.
        #[test]
        fn g9_a_device_stays_with_its_task_and_others_go_to_the_newest(app in app(), now in 0..2 * END) {
            let asker = device("g");
            let question = question(&asker, now);
            let alone = |task: &Arc<GrayEntry>| {
                let app = AppEntry { gray: vec![task.clone()], ..app.clone() };
                match decide(Some(&app), &question, &mut Counting) {
                    Decision::Gray(_) => Some(true),
                    Decision::Admit(_) => Some(false),
                    _ => None,
                }
            };
            let means: Vec<_> = app.gray.iter().map(|task| (alone(task), &task.id)).collect();
            let first = |wanted| means.iter().find(|(meaning, _)| *meaning == Some(wanted)).map(|(_, id)| *id);
            let chosen = match decide(Some(&app), &question, &mut Counting) {
                Decision::Gray(task) | Decision::Admit(task) => Some(&task.id),
                _ => None,
            };
            prop_assert_eq!(chosen, first(true).or(first(false)));
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
            settings: no_settings(),
            recording: None,
            privacy: None,
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

    /// The task has admitted the device, and its version failed there so many times.
    fn failed(minor: u32, failures: usize) -> Arc<GrayEntry> {
        let entry = task(minor, State::Delivering, false, true, true);
        for _ in 0..failures {
            entry.admitted.mark(Key::of("g"), berth_model::rollout::Mark::Failed);
        }
        entry
    }

    fn version_for(app: &AppEntry, current: Option<&str>) -> String {
        let (asker, current) = (device("g"), current.map(v));
        let question = Question { current: current.as_ref(), ..question(&asker, 1) };
        decide(Some(app), &question, &mut Counting)
            .release()
            .map(|release| release.version.to_string())
            .unwrap_or_default()
    }

    #[test]
    fn g15_a_device_that_fell_back_is_not_offered_the_version_again_and_one_that_has_it_keeps_it() {
        for (failures, current, expected) in [
            (0, Some("1.0.0"), "1.1.0"),
            (2, Some("1.0.0"), "1.1.0"),
            (3, Some("1.0.0"), "1.0.0"),
            (3, None, "1.0.0"),
            (3, Some("1.1.0"), "1.1.0"),
            (9, Some("1.0.0"), "1.0.0"),
        ] {
            let app = with_tasks(vec![failed(1, failures)]);
            assert_eq!(version_for(&app, current), expected, "{failures} failures, has {current:?}");
        }
    }

    #[test]
    fn g15_another_task_of_the_version_offers_it_no_more_either_and_one_of_another_version_does() {
        let (fallen, same) = (failed(1, 3), task(1, State::Delivering, false, true, false));
        assert_eq!(version_for(&with_tasks(vec![same, fallen.clone()]), Some("1.0.0")), "1.0.0");
        let mended = task(2, State::Delivering, false, true, false);
        assert_eq!(version_for(&with_tasks(vec![mended, fallen.clone()]), Some("1.0.0")), "1.2.0");
        let suspended = task(2, State::Suspended, false, true, false);
        assert_eq!(version_for(&with_tasks(vec![suspended, fallen]), Some("1.0.0")), "1.0.0");
    }

    #[test]
    fn g15_with_the_setting_0_a_version_is_offered_whatever_failed() {
        let mut entry = failed(1, 9);
        Arc::get_mut(&mut entry).expect("nobody else has it").max_failures = 0;
        assert_eq!(version_for(&with_tasks(vec![entry]), Some("1.0.0")), "1.1.0");
    }

    #[test]
    fn g9_a_newer_task_does_not_take_a_device_over() {
        let newer = task(1, State::Delivering, false, true, false);
        let owner = task(4, State::Suspended, false, true, true);
        let app = with_tasks(vec![newer.clone(), owner.clone()]);
        let asker = device("g");
        let mut steps = Vec::new();
        let decision = decide(Some(&app), &question(&asker, 1), &mut steps);
        assert!(matches!(decision, Decision::Gray(task) if task.id == owner.id));
        let told: Vec<_> =
            steps.iter().map(|step| (step.rule.as_str(), step.gray_task.as_ref(), step.passed)).collect();
        assert_eq!(told, [("owner", Some(&newer.id), false), ("admitted", Some(&owner.id), true)]);
        let ended = question(&asker, END);
        assert!(matches!(decide(Some(&app), &ended, &mut Counting), Decision::Online(_)));
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
