//! Versions of MiniApps: their numbers, their states, and how they come online (V1–V12).

pub mod files;
mod may_roll_back;
mod min_version;
pub(crate) mod release;
#[cfg(test)]
mod tests;
pub mod trial;
pub mod upload;
mod view;

pub use berth_model::version::*;
pub use min_version::set_min_version;
pub use release::{publish, releases, roll_back};
pub use view::{get, list};

use berth_base::{
    error::{Error, Result},
    ids::MiniAppId,
    version::VersionNumber,
};
use berth_model::access::{Action, Caller, Scope};
use berth_store::{Tx, version::VersionRow};

use crate::mini_app;

/// Reads a version for a caller who may read its MiniApp, or has a role in a host app that was asked for its decision on
/// the version: who decides sees what they decide on (V5).
///
/// # Errors
/// `not-found` when there is none or the caller may not know about it; `missing-grant` for the token.
pub(crate) async fn readable(
    tx: &mut Tx,
    caller: &Caller,
    id: &MiniAppId,
    number: &VersionNumber,
) -> Result<VersionRow> {
    if mini_app::authorise(tx, caller, id, Action::Read).await.is_ok() {
        return tx.require_version(id, number).await;
    }
    match tx.version(id, number).await? {
        Some(row) if is_submitted_to(tx, caller, &row).await? => Ok(row),
        _ => {
            mini_app::readable(tx, caller, id).await?;
            Err(Error::not_found("version", format!("{number} of {id}")))
        }
    }
}

/// Whether a host app of the caller was asked for its decision on the version.
pub(crate) async fn is_submitted_to(tx: &mut Tx, caller: &Caller, row: &VersionRow) -> Result<bool> {
    let asked = tx.host_apps_asked_about(&row.id).await?;
    Ok(asked.into_iter().any(|host_app| caller.can(Action::Read, &Scope::HostApp(host_app))))
}
