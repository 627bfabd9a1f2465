//! Whether a rollback is possible, and what to do where it is not (V9, V11): a pure look at the release history.

use berth_base::{
    error::{Code, Error, Result},
    ids::MiniAppId,
    version::VersionNumber,
};
use berth_model::{
    mini_app::MiniApp,
    version::{Release, ReleaseKind, State},
};
use berth_store::version::VersionRow;

/// Checks that `target` may be brought back now. `history` is newest first; `lower_min` says that the minimum usable
/// version may be lowered to the target.
///
/// # Errors
/// Those of [`super::roll_back`].
pub(super) fn check(mini_app: &MiniApp, history: &[Release], target: &VersionRow, lower_min: bool) -> Result<()> {
    mini_app.shelf().require_for_release()?;
    let (id, number) = (&mini_app.id, &target.number);
    if let [last, ..] = history
        && last.kind == ReleaseKind::Rollback
        && target.state == State::Online
    {
        // Asked once more, as scripts do: nothing is left to be done, and whoever follows advice must not undo it.
        let detail = format!("{number} is online already: the last release was the rollback to it.");
        return Err(Error::new(Code::VersionState, detail).with("state", target.state));
    }
    if let [last, withdrawn, ..] = history
        && last.kind == ReleaseKind::Rollback
    {
        return Err(twice(id, last, withdrawn));
    }
    match target.state {
        State::Historical => above_minimum(mini_app, number, lower_min),
        State::Online => Err(with_ways(Code::VersionState, format!("{number} is online already."), id, history)),
        _ => Err(with_ways(Code::NeverOnline, format!("{number} was never online."), id, history)),
    }
}

/// The refusal of a second rollback. The way back from a mistaken one is to publish what it withdrew, as forced if it
/// was.
fn twice(id: &MiniAppId, last: &Release, withdrawn: &Release) -> Error {
    let (now, before) = (&last.version, &withdrawn.version);
    let forced = if withdrawn.forced { " --forced" } else { "" };
    let again = format!("berth version publish {id} {before}{forced}");
    let off = off_shelf(id);
    let (mistaken, command) = if before > now {
        (format!("If it was a mistake, publish {before} again: `{again}`. "), &again)
    } else {
        (String::new(), &off)
    };
    let detail = format!(
        "The last release was a rollback, from {before} to {now}, and no rollback follows another one. {mistaken}If {now} is \
         bad, publish a greater version or take it off the shelf: `{off}`."
    );
    Error::new(Code::RollbackTwice, detail).with("online", now).with("rolled_back", before).next(command)
}

fn off_shelf(id: &MiniAppId) -> String {
    format!("berth app shelf {id} off")
}

/// A refusal with what is possible instead: a rollback to the version that was online before, or, where no other ever
/// was, a recall.
fn with_ways(code: Code, why: String, id: &MiniAppId, history: &[Release]) -> Error {
    let online = history.first().map(|last| &last.version);
    let mut others: Vec<_> =
        history.iter().map(|release| &release.version).filter(|one| Some(*one) != online).collect();
    others.sort_unstable();
    others.dedup();
    let Some(online) = online else {
        return Error::new(code, format!("{why} Nothing of {id} was ever online, so there is nothing to roll back."));
    };
    let Some(nearest) = nearest(&others, online) else { return only_one(code, &why, id, online) };
    let command = format!("berth version rollback {id} --to {nearest}");
    let greatest: Vec<_> = others.iter().rev().take(5).map(ToString::to_string).collect();
    let detail = format!(
        "{why} A rollback from {online} leads to a version that was online before, such as {}. The nearest: `{command}`.",
        greatest.join(", ")
    );
    Error::new(code, detail).next(command)
}

/// The greatest of the sorted `others` below the online version, or else the greatest of them.
fn nearest<'a>(others: &[&'a VersionNumber], online: &VersionNumber) -> Option<&'a VersionNumber> {
    others.iter().rfind(|one| **one < online).or(others.last()).copied()
}

/// The refusal where no other version ever was online: a bad one can only be recalled.
fn only_one(code: Code, why: &str, id: &MiniAppId, online: &VersionNumber) -> Error {
    let command = off_shelf(id);
    let detail = format!(
        "{why} No version but {online} ever was online, so there is nothing to roll back to. If {online} is bad, take it off \
         the shelf: `{command}`."
    );
    Error::new(code, detail).next(command)
}

/// Refuses what is below the minimum usable version, unless it may be lowered (V11).
fn above_minimum(mini_app: &MiniApp, number: &VersionNumber, lower_min: bool) -> Result<()> {
    let Some(min) = mini_app.min_version.as_ref().filter(|min| number < *min && !lower_min) else { return Ok(()) };
    let command = format!("berth version rollback {} --to {number} --lower-min", mini_app.id);
    let detail = format!(
        "{number} is below the minimum usable version {min}, so that devices would be offered what must not run. To lower \
         the minimum to {number} with it: `{command}`."
    );
    Err(Error::new(Code::BelowMinVersion, detail).with("min_version", min).next(command))
}
