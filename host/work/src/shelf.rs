//! Takes MiniApps off the shelf and back (A2, A3): what follows for their gray tasks is part of it.

use berth_base::{error::Result, ids::MiniAppId, text};
use berth_model::{
    access::{Action, Caller},
    event::kind,
    mini_app::{MiniApp, Shelf},
};
use berth_store::Db;

use crate::{mini_app::authorise_change, rollout};

/// Takes a MiniApp off the shelf, which suspends its gray tasks that deliver, or puts it back (A2, A3). The caller must
/// be allowed to release versions of it.
#[tracing::instrument(name = "mini_app.shelve", skip_all, fields(mini_app = %id))]
pub async fn shelve(db: &Db, caller: &Caller, id: &MiniAppId, shelf: Shelf) -> Result<MiniApp> {
    let mut tx = db.begin().await?;
    let mut mini_app = authorise_change(&mut tx, caller, id, Action::Release).await?;
    if mini_app.on_shelf == shelf.on {
        return Ok(mini_app);
    }
    mini_app.on_shelf = shelf.on;
    mini_app.shelf_note = if shelf.on { String::new() } else { text::prose("note", &shelf.note, 500)? };
    tx.set_shelf(&mini_app).await?;
    if !shelf.on {
        rollout::suspend_running(&mut tx, caller, id).await?;
    }
    let kind = if shelf.on { kind::MINI_APP_ON_SHELF } else { kind::MINI_APP_OFF_SHELF };
    tx.tell(kind, id, caller.account.as_str(), &mini_app).for_mini_app(id);
    tx.commit().await?;
    Ok(mini_app)
}
