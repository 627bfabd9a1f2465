//! What guards have said of a gray task, for people (G13).

use berth_base::{clock::Millis, ids::PolicyBindingId, text::text_enum};
use serde::{Deserialize, Serialize};

use super::{Move, health::Beside};
use crate::policy::{
    Advice, Evaluation, LogLevel, Outcome,
    registry::{Mode, OnError, Watch},
};

text_enum! {
    /// What came of a guard's look at a window.
    GuardSaid {
        /// It was not asked, as fewer devices than the minimum sample have tried the version.
        TooFew = "too-few",
        /// The task should go on.
        CarryOn = "carry-on",
        /// Nobody new should be admitted until a person has looked.
        Suspend = "suspend",
        /// The task should end.
        End = "end",
        /// It said that it could not judge, or could not be loaded.
        Failed = "failed",
        /// It broke while it ran.
        Trapped = "trapped",
        /// It hit a limit.
        Limited = "limited",
    }
}

/// The longest text of a guard that is kept, in characters: as long as a person's note.
const MOST_WORDS: usize = 500;

/// What a guard has said, and its words or the reason why it said nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opinion {
    /// In one word.
    pub said: GuardSaid,
    /// Its words; empty when there are none.
    pub words: String,
}

impl Opinion {
    /// That there are too few devices to ask about.
    pub fn too_few(tried: u64, watch: &Watch) -> Self {
        let words = format!("{tried} of the {} devices that it waits for have tried the version", watch.min_devices);
        Self { said: GuardSaid::TooFew, words }
    }

    /// What the task has to do, and why, in the words of its history; `None` when it goes on. A guard that gave no verdict
    /// and fails closed counts as having objected, so that nobody new is admitted until a person has looked.
    pub fn calls_for(&self, policy: &str, mode: Mode, on_error: OnError) -> Option<(Move, String)> {
        if mode == Mode::Shadow {
            return None;
        }
        let says = |what: &str| cut(&format!("{policy} {what}: {}", self.words));
        match self.said {
            GuardSaid::TooFew | GuardSaid::CarryOn => None,
            GuardSaid::Suspend => Some((Move::Suspend, says("suspends the task"))),
            GuardSaid::End => Some((Move::End, says("ends the task"))),
            GuardSaid::Failed | GuardSaid::Trapped | GuardSaid::Limited => {
                (on_error == OnError::Closed).then(|| (Move::Suspend, says("gave no verdict and fails closed")))
            }
        }
    }
}

impl From<Evaluation<Advice>> for Opinion {
    /// An advice to carry on has no words of its own: the last line of the guard's log stands in for them.
    fn from(Evaluation { outcome, log, .. }: Evaluation<Advice>) -> Self {
        let trouble = outcome.trouble().unwrap_or_default();
        let last = || log.into_iter().rev().find(|line| line.level != LogLevel::Debug).map(|line| line.message);
        let (said, words) = match outcome {
            Outcome::Verdict(Advice::CarryOn) => (GuardSaid::CarryOn, last().unwrap_or_default()),
            Outcome::Verdict(Advice::Suspend(why)) => (GuardSaid::Suspend, why),
            Outcome::Verdict(Advice::End(why)) => (GuardSaid::End, why),
            Outcome::Failed { .. } => (GuardSaid::Failed, trouble),
            Outcome::Trapped { .. } => (GuardSaid::Trapped, trouble),
            Outcome::Limited(_) => (GuardSaid::Limited, trouble),
        };
        Self { said, words: cut(&words) }
    }
}

/// The beginning of a text of a guard, without what a database or a terminal would stumble over.
fn cut(words: &str) -> String {
    let shown = |c: char| if c.is_control() { ' ' } else { c };
    let mut kept: String = words.chars().map(shown).take(MOST_WORDS).collect();
    if words.chars().nth(MOST_WORDS).is_some() {
        kept.pop();
        kept.push('…');
    }
    kept
}

/// A guard of a gray task, with what it has said.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct GuardProgress {
    /// Id of its binding.
    pub binding: PolicyBindingId,
    /// Name of the policy.
    pub policy: String,
    /// Whether its advice decides.
    pub mode: Mode,
    /// How it watches.
    pub watch: Watch,
    /// Since when its windows are counted: since the task began to deliver, or was resumed. Absent before the first look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Millis>,
    /// When the present window is over; absent while the task does not deliver.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_look: Option<Millis>,
    /// How often it has said what, over the whole life of the task.
    pub counts: GuardCounts,
    /// What it has said last, newest first, at most 10.
    pub looks: Vec<GuardLook>,
}

/// One look of a guard: the window that was over, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
pub struct GuardLook {
    /// When it was.
    pub at: Millis,
    /// What came of it.
    pub said: GuardSaid,
    /// The guard's words, or why there was no verdict; absent when there are none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub words: String,
    /// Whether it moved the task.
    pub moved: bool,
    /// The window that was over.
    pub window: Beside,
    /// All windows so far.
    pub total: Beside,
}

/// How often a guard has said what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(default)]
#[allow(missing_docs, reason = "the names are those of GuardSaid")]
pub struct GuardCounts {
    pub too_few: u64,
    pub carry_on: u64,
    pub suspend: u64,
    pub end: u64,
    pub failed: u64,
    pub trapped: u64,
    pub limited: u64,
}

impl GuardCounts {
    /// The count of what was said.
    pub fn of(&mut self, said: GuardSaid) -> &mut u64 {
        match said {
            GuardSaid::TooFew => &mut self.too_few,
            GuardSaid::CarryOn => &mut self.carry_on,
            GuardSaid::Suspend => &mut self.suspend,
            GuardSaid::End => &mut self.end,
            GuardSaid::Failed => &mut self.failed,
            GuardSaid::Trapped => &mut self.trapped,
            GuardSaid::Limited => &mut self.limited,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::policy::{Limit, LogLine};

    fn opinion(outcome: Outcome<Advice>) -> Opinion {
        Evaluation::without_run(outcome, Duration::ZERO).into()
    }

    #[test]
    fn g13_why_a_task_goes_on_is_told_by_the_guards_log() {
        let line = |level, message: &str| LogLine { level, message: message.into() };
        let log = vec![line(LogLevel::Info, "a"), line(LogLevel::Warn, "3 of 90 fail"), line(LogLevel::Debug, "b")];
        let spoken = Evaluation { log, ..Evaluation::without_run(Outcome::Verdict(Advice::CarryOn), Duration::ZERO) };
        assert_eq!(Opinion::from(spoken), Opinion { said: GuardSaid::CarryOn, words: "3 of 90 fail".into() });
    }

    #[test]
    fn g13_what_a_guard_says_and_what_its_binding_makes_of_it() {
        let said = || {
            [
                Outcome::Verdict(Advice::CarryOn),
                Outcome::Verdict(Advice::Suspend("it fails".into())),
                Outcome::Verdict(Advice::End("it burns".into())),
                Outcome::Failed { message: "no idea".into() },
                Outcome::Trapped { reason: "unreachable".into() },
                Outcome::Limited(Limit::Deadline),
            ]
        };
        let moves = |mode, on_error| {
            said().map(|outcome| opinion(outcome).calls_for("own", mode, on_error).map(|(step, _)| step))
        };
        let (suspend, end) = (Some(Move::Suspend), Some(Move::End));
        assert_eq!(moves(Mode::Enforce, OnError::Closed), [None, suspend, end, suspend, suspend, suspend]);
        assert_eq!(moves(Mode::Enforce, OnError::Open), [None, suspend, end, None, None, None]);
        assert_eq!(moves(Mode::Shadow, OnError::Closed), [None; 6]);
        let words = |outcome| {
            opinion(outcome)
                .calls_for("own", Mode::Enforce, OnError::Closed)
                .map(|(_, words)| words)
                .unwrap_or_default()
        };
        assert_eq!(words(Outcome::Verdict(Advice::End("it burns".into()))), "own ends the task: it burns");
        assert_eq!(
            words(Outcome::Trapped { reason: "unreachable".into() }),
            "own gave no verdict and fails closed: The policy broke: unreachable"
        );
    }

    #[test]
    fn g13_too_few_devices_are_no_reason_for_anything() {
        let few = Opinion::too_few(3, &Watch::default());
        assert_eq!(few.calls_for("own", Mode::Enforce, OnError::Closed), None);
        assert_eq!(few.words, "3 of the 50 devices that it waits for have tried the version");
    }

    #[test]
    fn g13_the_words_of_a_guard_are_kept_short_and_clean() {
        let told = opinion(Outcome::Verdict(Advice::Suspend(format!("a\0\n\u{1b}[2J{}", "é".repeat(600)))));
        assert_eq!(told.words.chars().count(), 500);
        assert!(told.words.starts_with("a   [2Jé") && told.words.ends_with('…'), "{}", told.words);
    }
}
