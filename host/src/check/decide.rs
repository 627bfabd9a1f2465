//! What a device should run: a pure function of the index, the device and the clock (rules G4–G6, G9, G10, G12, V10–V12).
//!
//! Nothing here waits or writes. A device that newly passes the policies of a task comes out as
//! [`Decision::Admit`]; whoever asked has it admitted, and asks again without that task when the cap was faster.

use std::sync::Arc;

use super::{
    Device, Key,
    index::{AppEntry, BoundJudge, GrayEntry, Release, TrialEntry},
    judge::{Opinion, TaskFacts},
    trace::Recorder,
};
use crate::{clock::Millis, ids::GrayTaskId, rollout::Standing, version::VersionNumber};

/// One question: a device, a moment, one MiniApp.
#[derive(Clone, Copy)]
pub struct Question<'a> {
    /// Who asks.
    pub device: &'a Device,
    /// The key of its guid.
    pub key: Key,
    /// What it has of the MiniApp.
    pub current: Option<&'a VersionNumber>,
    /// The moment.
    pub now: Millis,
    /// Tasks that have just refused the device: their cap was reached, or they moved.
    pub refused: &'a [GrayTaskId],
}

/// The answer.
#[derive(Clone)]
pub enum Decision<'a> {
    /// This host app does not run the MiniApp, or nothing of it is online.
    Unknown,
    /// Off the shelf: what the device has must not run.
    Removed,
    /// What everyone gets.
    Online(&'a Release),
    /// The device is admitted to this task.
    Gray(&'a Arc<GrayEntry>),
    /// The device passes the policies of this task, and is to be admitted before it gets the version.
    Admit(&'a Arc<GrayEntry>),
    /// The account is named in the trial.
    Trial(&'a TrialEntry),
}

impl<'a> Decision<'a> {
    /// The version to run, if any.
    pub fn release(&self) -> Option<&'a Release> {
        match self {
            Self::Unknown | Self::Removed => None,
            Self::Online(release) => Some(release),
            Self::Gray(task) | Self::Admit(task) => Some(&task.release),
            Self::Trial(trial) => Some(&trial.release),
        }
    }
}

/// Decides. `app` is what the index knows of the MiniApp.
pub fn decide<'a>(app: Option<&'a AppEntry>, question: &Question<'_>, trace: &mut impl Recorder) -> Decision<'a> {
    let Some(app) = app.filter(|app| app.host_apps.contains(&question.device.host_app)) else {
        trace.step("binding", None, false, || "The MiniApp is not bound to this host app.".into());
        return Decision::Unknown;
    };
    if app.online.is_none() && app.trial.is_none() {
        trace.step("online", None, false, || "No version was ever published.".into());
        return Decision::Unknown;
    }
    if !app.on_shelf {
        trace.step("shelf", None, false, || format!("The MiniApp is off the shelf. {}", app.shelf_note));
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

/// What the task means for the device; nothing when the next one is to be tried.
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
    passes(task, online, question, trace).then_some(Decision::Admit(task))
}

/// Whether all enforced policies let the device pass (G12). Shadow ones are asked and decide nothing.
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

/// Whether a device with `current` must update before it runs (V11, V12). Forced is cumulative: a skipped forced
/// release counts. A device that has the answer already, or has nothing yet, is not forced.
pub fn is_forced(app: &AppEntry, current: Option<&VersionNumber>, answer: &VersionNumber) -> bool {
    let (Some(current), Some(online)) = (current.filter(|current| *current != answer), &app.online) else {
        return false;
    };
    let too_old = app.min_version.as_ref().is_some_and(|min| current < min);
    too_old || app.forced.iter().any(|forced| current < forced && *forced <= online.version)
}
