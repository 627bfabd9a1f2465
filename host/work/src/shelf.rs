//! Takes MiniApps off the shelf and back (A2, A3): what follows for their gray tasks is part of it.

use berth_base::{
    error::{Error, Result},
    ids::MiniAppId,
    text,
};
use berth_model::{
    access::{Action, Caller},
    event::kind,
    mini_app::Shelf,
    shelf::Shelved,
};
use berth_store::Db;

use crate::{binding, mini_app::authorise_change, rollout};

/// Takes a MiniApp off the shelf, which suspends its gray tasks that deliver or wait for their start, or puts it back
/// (A2, A3). They stay suspended then, unless `resume` lets those go on that a recall suspended; that may be asked for
/// later, too. The caller must be allowed to release versions of the MiniApp.
///
/// # Errors
/// `invalid-field` for the note, and for `resume` without `on`; `not-found` and `missing-grant`.
#[tracing::instrument(name = "mini_app.shelve", skip_all, fields(mini_app = %id))]
pub async fn shelve(db: &Db, caller: &Caller, id: &MiniAppId, shelf: Shelf) -> Result<Shelved> {
    if shelf.resume && !shelf.on {
        return Err(Error::field("resume", "goes with on: true; off the shelf no gray task goes on."));
    }
    let note = text::prose("note", &shelf.note, 500)?;
    let actor = caller.account.as_str();
    let mut tx = db.begin().await?;
    let mut mini_app = authorise_change(&mut tx, caller, id, Action::Release).await?;
    // While it is where it was: off the shelf the clock starts no task.
    let mut tasks = rollout::settle(&mut tx, id).await?;
    let changes = mini_app.on_shelf != shelf.on;
    if changes {
        mini_app.on_shelf = shelf.on;
        mini_app.shelf_note = if shelf.on { String::new() } else { note };
        tx.set_shelf(&mini_app).await?;
    }
    let mut resumed = Vec::new();
    if !shelf.on {
        tasks.recall(&mut tx, actor, &mini_app.shelf_note).await?;
    } else if shelf.resume {
        resumed = tasks.resume_recalled(&mut tx, actor).await?;
    }
    if changes {
        let (of_team, of_host_apps) = if shelf.on {
            (kind::MINI_APP_ON_SHELF, kind::BINDING_ON_SHELF)
        } else {
            (kind::MINI_APP_OFF_SHELF, kind::BINDING_OFF_SHELF)
        };
        tx.tell(of_team, id, actor, &mini_app).for_mini_app(id);
        binding::tell_host_apps(&mut tx, of_host_apps, id, actor, &mini_app).await?;
    }
    let suspended = tasks.suspended(&mut tx).await?;
    tx.commit().await?;
    Ok(Shelved { mini_app, suspended, resumed })
}
