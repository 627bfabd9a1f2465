//! Address books that are pulled from where the organisation keeps them (W9–W12).
//!
//! A sync reads the whole address book of the [`source`], compares it with what stands in the workspace, and writes what is
//! different. One host at a time does, by a lease. What could not be read as a whole changes nothing, and what would take away too
//! much is refused until somebody says so. The source may tell that something has changed; that brings the next sync forward.

mod apply;
mod callback;
mod manage;
mod source;
mod sync;
mod wecom;

pub use berth_model::workspace::directory::*;
pub use callback::{echo, hear};
pub use manage::{ask_for_sync, get, put, remove};
pub use sync::{release, run, sync_due};

use berth_base::{
    error::{Code, Error, Result},
    ids::WorkspaceId,
};
use berth_store::{Db, Tx};
use tokio::sync::Notify;

use crate::outbound::{Guard, Outbound};

/// What pulls address books.
pub struct Directories {
    /// Where workspaces are kept.
    pub db: Db,
    outbound: Outbound,
    public_url: Option<String>,
    /// Wakes a worker.
    wake: Notify,
}

impl Directories {
    /// Pulls from where `guard` permits. `public_url` is the address at which directories reach this host.
    ///
    /// # Errors
    /// `internal` when the HTTP client cannot be built.
    pub fn new(db: Db, guard: Guard, public_url: Option<&str>) -> Result<Self> {
        let public_url = public_url.map(|url| url.trim_end_matches('/').to_owned());
        Ok(Self { db, outbound: Outbound::new(guard, "directory")?, public_url, wake: Notify::new() })
    }

    /// The address to which the directory of a workspace tells that something has changed.
    fn callback_url(&self, workspace: &WorkspaceId) -> Option<String> {
        self.public_url.as_ref().map(|url| format!("{url}/v1/wecom/directory/{workspace}"))
    }
}

/// Refuses what SCIM would write into an address book that is pulled (W9).
///
/// # Errors
/// `address-book-kept`.
pub(super) async fn require_unpulled(tx: &mut Tx, workspace: &WorkspaceId) -> Result<()> {
    let Some(row) = tx.directory(workspace).await? else { return Ok(()) };
    let detail = format!(
        "The address book of {workspace} is pulled from {}, where people are changed. SCIM reads it, and writes nothing into it.",
        named(row.settings.kind)
    );
    Err(Error::new(Code::AddressBookKept, detail).next(format!("berth workspace directory show {workspace}")))
}

/// A kind of directory, as people call it.
fn named(kind: DirectoryKind) -> &'static str {
    match kind {
        DirectoryKind::Wecom => "WeCom",
    }
}
