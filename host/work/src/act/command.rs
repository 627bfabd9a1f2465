//! Acts of whoever has the host's own machine.

use berth_base::error::{Error, Result};
use berth_model::{
    access::{BERTH, Origin},
    act::{Asked, is_kept},
};
use berth_store::{Db, act::Doing};

/// Runs a command of the host's own machine as an act. `name` is as people type it, such as `admin token`, and `by` says who has
/// typed it, as far as the machine knows.
///
/// # Errors
/// Those of the work, and of the database when the act cannot be written.
pub async fn by_command<T>(db: &Db, name: &str, by: &str, work: impl Future<Output = Result<T>>) -> Result<T> {
    let asked = Asked { operation: name.replace(' ', "."), origin: Origin::new(None, Some(by)), ..Asked::default() };
    let act = Doing::begin(db, asked);
    act.by_hand(BERTH);
    let done = act.clone().scope(work).await;
    let refused = done.as_ref().err().map(|error: &Error| error.code);
    if refused.is_none_or(is_kept) {
        db.note_act(&act, refused).await?;
    }
    done
}
