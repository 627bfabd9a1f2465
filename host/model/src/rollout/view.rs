//! Gray tasks as the API shows them (G8).

use berth_base::{
    clock::Millis,
    ids::{Digest, GrayTaskId, MiniAppId, PolicyBindingId},
    page::paged,
    version::VersionNumber,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Admits, Cause, Change, Conditions, State};
use crate::policy::{
    LimitOverrides, PolicyKind,
    registry::{Mode, OnError, Watch},
};

/// Which gray tasks to list.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct GrayTaskQuery {
    /// Only tasks in this state, as it is stored: a task whose time has come is moved a moment later.
    #[serde(default)]
    pub state: Option<State>,
    /// The `next` of the previous page; leave it out for the first page.
    #[serde(default)]
    pub cursor: Option<String>,
    /// How many tasks a page has at most, 1 to 200; 50 when absent.
    #[serde(default)]
    pub limit: Option<u32>,
}

paged!(GrayTaskQuery);

/// A gray task: a grayscale release of one version.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct GrayTask {
    /// Id of the task.
    pub id: GrayTaskId,
    /// The MiniApp whose version it delivers.
    pub mini_app: MiniAppId,
    /// Display name, 1 to 20 characters.
    pub name: String,
    /// The version in grayscale.
    pub version: VersionNumber,
    /// State by the clock, even where the move is not stored yet.
    pub state: State,
    /// Why it ended; absent until then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_by: Option<Cause>,
    /// `true` when its cap has ended it and the devices that it had admitted keep the version.
    pub honoured: bool,
    /// When it begins to deliver.
    pub start: Millis,
    /// When it ends.
    pub end: Millis,
    /// The cap: how many distinct devices it admits at most; absent for no cap.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_users: Option<u64>,
    /// How many devices it has admitted.
    pub admitted: u64,
    /// The standard conditions that restrict whom it admits.
    pub conditions: Conditions,
    /// The conditions, the policies and the cap in words, a phrase for each. When several must hold, the first phrase
    /// says so.
    pub in_words: Vec<String>,
    /// Its policies, in the order in which they judge.
    pub policies: Vec<TaskPolicy>,
    /// Which of its policies have to admit a device (G24); all that decide when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub admits: Option<Admits>,
    /// The account that created it.
    pub created_by: String,
    /// When it was created.
    pub created_at: Millis,
    /// Everything that has moved it, oldest first.
    pub moves: Vec<MoveView>,
}

/// A policy that is bound to a task.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, utoipa::ToSchema)]
#[allow(missing_docs, reason = "the words are those of PolicyBinding")]
pub struct TaskPolicy {
    pub binding: PolicyBindingId,
    /// The name by which `admits` means it: the one that the task gives it, or its own. That of the conditions is `conditions`.
    pub name: String,
    /// What it judges: a grayscale policy whom the task admits, a guard whether it goes on.
    pub kind: PolicyKind,
    pub policy: String,
    pub digest: Digest,
    pub config: Value,
    pub mode: Mode,
    pub on_error: OnError,
    #[serde(default)]
    pub limits: LimitOverrides,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watch: Option<Watch>,
}

/// One move of a task: who or what caused it, and when (G5). An edit is a move, too (G16).
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[cfg_attr(feature = "sql", derive(sqlx::FromRow))]
pub struct MoveView {
    /// The state before the move.
    #[cfg_attr(feature = "sql", sqlx(rename = "from_state"))]
    pub from: State,
    /// The state after the move. Equal to `from` when the task was edited, and when devices lost a version that they had
    /// kept after the end of the task.
    #[cfg_attr(feature = "sql", sqlx(rename = "to_state"))]
    pub to: State,
    /// Why the task moved.
    pub cause: Cause,
    /// The note that came with the move; absent when there was none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// The account that moved the task, `berth` for the host itself, or the id of the binding of the guard that did.
    #[cfg_attr(feature = "sql", sqlx(rename = "moved_by"))]
    pub by: String,
    /// When it moved.
    #[cfg_attr(feature = "sql", sqlx(rename = "moved_at"))]
    pub at: Millis,
    /// What an edit changed; absent for other moves.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "sql", sqlx(json))]
    pub changes: Vec<Change>,
}

/// What the guard said that has suspended or ended a task with these moves, oldest first, unless somebody has resumed it. That it
/// ended in another way afterwards is no answer to the guard (V14).
pub fn stopped_by_guard(moves: &[MoveView]) -> Option<&str> {
    let speaks = |one: &&MoveView| one.from != one.to && (one.cause == Cause::Guard || one.to != State::Ended);
    moves.iter().rev().find(speaks).filter(|last| last.cause == Cause::Guard).map(|last| last.note.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::DAWN;

    #[test]
    fn v14_a_guard_has_stopped_a_task_until_somebody_resumes_it() {
        use State::{Delivering, Ended, Suspended};
        let moves = |steps: &[(State, State, Cause)]| {
            let one = |(from, to, cause): &(State, State, Cause)| MoveView {
                from: *from,
                to: *to,
                cause: *cause,
                note: cause.to_string(),
                by: String::new(),
                at: DAWN,
                changes: Vec::new(),
            };
            steps.iter().map(one).collect::<Vec<_>>()
        };
        let (suspended, resumed) = ((Delivering, Suspended, Cause::Guard), (Suspended, Delivering, Cause::Hand));
        for (steps, stopped) in [
            (vec![], false),
            (vec![(Delivering, Ended, Cause::Hand)], false),
            (vec![suspended], true),
            (vec![suspended, (Suspended, Suspended, Cause::Hand)], true),
            (vec![suspended, (Suspended, Ended, Cause::Time)], true),
            (vec![suspended, (Suspended, Ended, Cause::Hand)], true),
            (vec![(Delivering, Ended, Cause::Guard)], true),
            (vec![suspended, resumed], false),
            (vec![suspended, resumed, (Delivering, Ended, Cause::Time)], false),
            (vec![suspended, resumed, suspended], true),
        ] {
            assert_eq!(stopped_by_guard(&moves(&steps)).is_some(), stopped, "{steps:?}");
        }
    }
}
