//! The address book of a workspace by SCIM 2.0 (W5): what the directory of an organisation asks of it, each request in a
//! transaction.

mod bulk;
mod chosen;
mod list;
mod members;
mod shown;
mod write;

pub use bulk::{Done, bulk};
pub use list::{list, search};
pub use shown::Shown;
pub use write::{Ask, create, delete, fresh_id, patch, replace};

use berth_base::{
    error::{Error, Result},
    ids::WorkspaceId,
};
use berth_model::{
    access::{Action, Caller},
    workspace::scim::{schema::Resource, view::View},
};
use berth_store::{Db, Tx};

use super::{authorise, directory::require_unpulled};

/// The address book of a workspace, as a caller works with it.
#[derive(Clone, Copy)]
pub struct Directory<'a> {
    /// The database.
    pub db: &'a Db,
    /// Who asks.
    pub caller: &'a Caller,
    /// Whose address book it is.
    pub workspace: &'a WorkspaceId,
    /// The address of the address book, without a slash at the end: `https://berth.example/scim/v2/acme`.
    pub base: &'a str,
}

impl Directory<'_> {
    /// Begins to read, for a caller who may.
    async fn read(&self) -> Result<Tx> {
        let mut tx = self.db.read().await?;
        authorise(&mut tx, self.caller, self.workspace, Action::Provision).await?;
        Ok(tx)
    }

    /// Begins to change, for a caller who may, unless the address book is pulled.
    async fn begin(&self) -> Result<Tx> {
        let mut tx = self.db.begin().await?;
        authorise(&mut tx, self.caller, self.workspace, Action::Provision).await?;
        require_unpulled(&mut tx, self.workspace).await?;
        Ok(tx)
    }

    /// As [`Self::begin`], to add a User or a Group. The workspace is held before it is looked at, so that nobody has the address book
    /// pulled from elsewhere in between.
    async fn begin_adding(&self) -> Result<Tx> {
        let mut tx = self.db.begin().await?;
        authorise(&mut tx, self.caller, self.workspace, Action::Provision).await?;
        tx.hold_workspace(self.workspace).await?;
        require_unpulled(&mut tx, self.workspace).await?;
        Ok(tx)
    }

    /// Lets pass whoever may ask for something that does not depend on what is in the address book.
    ///
    /// # Errors
    /// `not-found`; `missing-grant`.
    pub async fn enter(&self) -> Result<()> {
        self.read().await.map(drop)
    }
}

fn no_such(resource: Resource, id: &str) -> Error {
    Error::not_found(resource.name(), id)
}

/// One User or Group.
///
/// # Errors
/// `not-found`; `missing-grant`.
pub async fn get(of: &Directory<'_>, resource: Resource, id: &str, view: &View) -> Result<Shown> {
    let mut tx = of.read().await?;
    let row = tx.resource(resource, of.workspace, id).await?.ok_or_else(|| no_such(resource, id))?;
    shown::one(&mut tx, of, resource, row, view).await
}
