//! The worker that keeps address books as their directories say (W10–W12).

use std::{sync::Arc, time::Duration};

use berth_base::{
    clock::Millis,
    error::{Code, Error, Result},
};
use berth_model::{
    event::{self, kind},
    workspace::directory::{
        Book, DirectoryKind, DirectorySettings, DirectoryStuck, DirectorySynced, Flaw, Plan, Step, SyncCounts,
        SyncState, plan,
    },
};
use berth_store::{Db, DirectoryRow, Lease, SyncEnd};
use futures_util::future::{join, join_all};
use tokio::time::timeout;

use super::{
    Directories,
    apply::{Standing, apply},
    source::{Source, Trouble, pull},
    wecom::Wecom,
};
use crate::beat;

/// How often it is looked whether a sync is due.
const BEAT: Duration = Duration::from_secs(1);
/// How many syncs run at once on a host, of different workspaces.
const AT_ONCE: usize = 4;
/// How long the reading of an address book may take.
const PULL: Duration = Duration::from_secs(600);
/// Seconds for which a host has a sync: as long as the reading may take, and some to write. When a host dies, another one goes on after
/// this time at the latest.
const LEASE_SECONDS: i64 = 720;
/// Seconds after which a sync that failed is tried again; after each further failure twice as long.
const FIRST_PAUSE: i64 = 60;
/// Whoever would lose access because the directory does not name them any more is asked for by name, if they are so many at most. Of
/// more of them somebody has said by hand that they are to go.
const ASKED_FOR: usize = 200;

/// Syncs address books for ever, several at once; failures are told with the address book and tried again.
pub async fn run(directories: Arc<Directories>) {
    let trouble = "address books could not be synced; trying again";
    let workers = (0..AT_ONCE).map(|_| beat::woken(&directories.wake, trouble, || sync_due(&directories)));
    join(beat::look(BEAT, &directories.wake, trouble, || is_due(&directories.db)), join_all(workers)).await;
}

/// Syncs every address book that is due and that no other host has. Returns how many.
#[tracing::instrument(name = "directory.sync_due", skip_all)]
pub async fn sync_due(directories: &Directories) -> Result<usize> {
    let mut synced = 0;
    while let Some(row) = claim(&directories.db).await? {
        directories.wake.notify_one(); // there may be more than this one
        sync(directories, &row).await?;
        synced += 1;
    }
    Ok(synced)
}

/// Gives up the syncs of a host that stops, so that others can take them at once.
pub async fn release(db: &Db) -> Result<()> {
    let mut tx = db.begin().await?;
    tx.release_directories(db.host(), None).await?;
    tx.commit().await
}

/// Whether a sync is due. Most of the time none is, and to see that takes no lock.
async fn is_due(db: &Db) -> Result<bool> {
    db.read().await?.has_due_directory(db.now()).await
}

async fn claim(db: &Db) -> Result<Option<DirectoryRow>> {
    if !is_due(db).await? {
        return Ok(None);
    }
    let mut tx = db.begin().await?;
    let claimed = tx.claim_directory(&Lease::of(db, LEASE_SECONDS)).await?;
    tx.commit().await?;
    Ok(claimed)
}

/// How a sync went.
enum Went {
    /// The address book is as the directory says.
    Done(SyncCounts),
    /// It would have taken away too much, or writes where something else does.
    Refused(Error),
    /// The directory could not be read, or this host failed.
    Failed(Error),
    /// The directory was set anew or removed meanwhile.
    Lost,
}

#[tracing::instrument(name = "directory.sync", skip_all, fields(workspace = %row.settings.workspace))]
async fn sync(directories: &Directories, row: &DirectoryRow) -> Result<()> {
    let went = match attempt(directories, row).await {
        Ok(went) => went,
        Err(trouble) => Went::Failed(trouble.into()),
    };
    end(&directories.db, row, went).await
}

async fn attempt(directories: &Directories, row: &DirectoryRow) -> Result<Went, Trouble> {
    let settings = &row.settings;
    let secret = directories.db.read().await?.directory_secret(&settings.workspace).await?;
    let Some(secret) = secret else { return Ok(Went::Lost) };
    match settings.kind {
        DirectoryKind::Wecom => follow(directories, row, &Wecom::new(directories, settings, secret)).await,
    }
}

/// Makes the address book as the source says.
async fn follow(directories: &Directories, row: &DirectoryRow, source: &impl Source) -> Result<Went, Trouble> {
    let settings = &row.settings;
    let late =
        |_| Trouble::Unreachable(format!("The address book was not read within {} minutes.", PULL.as_secs() / 60));
    let told = timeout(PULL, pull(source)).await.map_err(late)??;
    let mut tx = directories.db.read().await?;
    let standing = match Standing::read(&mut tx, settings).await {
        Err(error) if error.code == Code::AddressBookKept => return Ok(Went::Refused(error)),
        standing => standing?,
    };
    drop(tx);
    let (before, after) = (standing.book.clone(), told.filled_from(&standing.book));
    let flawed = |flaw: Flaw| Trouble::Wrong(format!("The directory's answer is no address book: {flaw}."));
    let plan = plan(&before, &after).map_err(flawed)?;
    if let (Err(too_much), false) = (plan.guard(), row.forced) {
        return Ok(Went::Refused(refusal(settings, &too_much.to_string())));
    }
    require_gone(source, &before, &after, &plan).await?;
    let is_done = apply(directories, settings, standing, &after, &plan.steps).await?;
    Ok(if is_done { Went::Done(plan.counts) } else { Went::Lost })
}

fn refusal(settings: &DirectorySettings, too_much: &str) -> Error {
    let id = &settings.workspace;
    let detail = format!(
        "{too_much}, as the directory does not name them any more. Nothing has changed. Look there whether the secret still sees all; \
         when they are to go, sync with force."
    );
    Error::new(Code::DirectoryTooMuch, detail).next(format!("berth workspace directory sync {id} --force"))
}

/// Asks for those by name who would lose access because the directory did not name them.
async fn require_gone(source: &impl Source, before: &Book, after: &Book, plan: &Plan<'_>) -> Result<(), Trouble> {
    let going = plan.steps.iter().filter_map(|step| match step {
        Step::Deactivate(key) if !after.people.contains_key(*key) => {
            before.people.get(*key).map(|person| person.id.as_str())
        }
        _ => None,
    });
    let going: Vec<_> = going.collect();
    if going.len() > ASKED_FOR {
        return Ok(());
    }
    match source.still_has(&going).await? {
        Some(id) => Err(Trouble::Wrong(format!(
            "The address book changed while it was read: {id} was in no list, and is there."
        ))),
        None => Ok(()),
    }
}

/// Notes how a sync went, and when the next one is.
async fn end(db: &Db, row: &DirectoryRow, went: Went) -> Result<()> {
    let settings = &row.settings;
    let workspace = &settings.workspace;
    let mut tx = db.begin().await?;
    let end = match went {
        Went::Lost => {
            tx.release_directories(db.host(), Some(workspace)).await?;
            return tx.commit().await;
        }
        Went::Done(counts) => {
            SyncEnd { outcome: SyncState::Done, problem: None, counts: Some(counts), next_at: row.due_at }
        }
        Went::Refused(error) => stuck(SyncState::Refused, &error, row.due_at),
        Went::Failed(error) => stuck(SyncState::Failed, &error, next_try(row, tx.now())),
    };
    if !tx.end_directory_sync(row, db.host(), &end).await? {
        tx.release_directories(db.host(), Some(workspace)).await?;
        return tx.commit().await;
    }
    if let Some(counts) = end.counts.filter(SyncCounts::has_changed) {
        let told = DirectorySynced { workspace: workspace.clone(), kind: settings.kind, counts };
        tx.tell(kind::WORKSPACE_DIRECTORY_SYNCED, workspace, event::BERTH, &told).for_workspace(workspace);
    }
    if let Some((problem, detail)) = end.problem.filter(|(problem, _)| row.problem.as_ref() != Some(problem)) {
        let told = DirectoryStuck { workspace: workspace.clone(), kind: settings.kind, problem, detail };
        tx.tell(kind::WORKSPACE_DIRECTORY_STUCK, workspace, event::BERTH, &told).for_workspace(workspace);
    }
    tx.commit().await
}

fn stuck(outcome: SyncState, error: &Error, next_at: Millis) -> SyncEnd {
    tracing::warn!(?error, "an address book was not synced");
    let problem = (error.code.slug().to_owned(), error.detail.clone());
    SyncEnd { outcome, problem: Some(problem), counts: None, next_at }
}

/// When a sync that failed is tried again: later after each failure, and not later than it would be anyway.
fn next_try(row: &DirectoryRow, now: Millis) -> Millis {
    let pause = FIRST_PAUSE << row.attempts.clamp(0, 12);
    row.due_at.min(now.plus_seconds(pause))
}
