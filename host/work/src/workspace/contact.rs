//! External contacts of a workspace.

use berth_base::{
    error::{Code, Error, Result},
    ids::{ContactId, WorkspaceId},
    page::Page,
    sql::is_unique_violation,
    text,
};
use berth_model::{
    access::{Action, Caller},
    event::kind,
    workspace::{Contact, ContactQuery, ContactTold, NewContact},
};
use berth_store::Db;

use super::authorise;

/// Adds an external contact.
///
/// # Errors
/// `contact-exists` for an external id that another contact has; `invalid-field`; `not-found`; `missing-grant`.
#[tracing::instrument(name = "workspace.add_contact", skip_all, fields(workspace = %id))]
pub async fn add_contact(db: &Db, caller: &Caller, id: &WorkspaceId, new: NewContact) -> Result<Contact> {
    let mut tx = db.begin().await?;
    authorise(&mut tx, caller, id, Action::Configure).await?;
    let external_id = new.external_id.map(|own| text::name("external_id", &own, 256)).transpose()?;
    let name = text::name("name", &new.name, 64)?;
    let contact = Contact { id: ContactId::generate(tx.now(), tx.random()), name, external_id, created_at: tx.now() };
    match tx.insert_contact(id, &contact).await {
        Err(error) if is_unique_violation(&error) => {
            let detail =
                "The workspace has a contact with this external_id. Find it by ?external_id=… and use that one.";
            return Err(Error::new(Code::ContactExists, detail).with("pointer", "/external_id"));
        }
        inserted => inserted?,
    }
    let told = ContactTold { workspace: id.clone(), contact: contact.id.clone() };
    tx.tell(kind::WORKSPACE_CONTACT_ADDED, &contact.id, caller.account.as_str(), &told).for_workspace(id);
    tx.commit().await?;
    Ok(contact)
}

/// A page of the external contacts, oldest first.
///
/// # Errors
/// `not-found`; `missing-grant`.
pub async fn contacts(db: &Db, caller: &Caller, id: &WorkspaceId, query: &ContactQuery) -> Result<Page<Contact>> {
    let mut tx = db.read().await?;
    authorise(&mut tx, caller, id, Action::Read).await?;
    let items = tx.contacts(id, query).await?;
    Ok(Page::of(items, &query.page(), |contact| contact.id.to_string()))
}

/// Removes an external contact, and what was shared with them.
///
/// # Errors
/// `not-found`; `missing-grant`.
#[tracing::instrument(name = "workspace.remove_contact", skip_all, fields(workspace = %id, contact = %contact))]
pub async fn remove_contact(db: &Db, caller: &Caller, id: &WorkspaceId, contact: &ContactId) -> Result<()> {
    let mut tx = db.begin().await?;
    authorise(&mut tx, caller, id, Action::Configure).await?;
    tx.hold_workspace(id).await?; // nothing may be shared with them meanwhile
    tx.contact(id, contact).await?.ok_or_else(|| Error::not_found("external contact", contact))?;
    tx.delete_contact(id, contact).await?;
    let told = ContactTold { workspace: id.clone(), contact: contact.clone() };
    tx.tell(kind::WORKSPACE_CONTACT_REMOVED, contact, caller.account.as_str(), &told).for_workspace(id);
    tx.commit().await
}
