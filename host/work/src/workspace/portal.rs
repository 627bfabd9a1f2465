//! What somebody may open, and why (W3).

use std::collections::{BTreeMap, BTreeSet};

use berth_base::{
    error::{Error, Result},
    ids::WorkspaceId,
};
use berth_model::{
    access::{Action, Caller},
    workspace::{Decision, Grant, Membership, Portal, PortalQuery, Who, decide},
};
use berth_store::{Db, Tx};

use super::authorise;

/// The portal of a member or an external contact: what they may open, by name, with each reason. With `all` it also has what
/// they may not open, and why not.
///
/// # Errors
/// `not-found` for the workspace, the member or the contact; `invalid-field` unless exactly one of both is named;
/// `missing-grant`.
pub async fn portal(db: &Db, caller: &Caller, id: &WorkspaceId, query: &PortalQuery) -> Result<Portal> {
    let whose = query.whose()?;
    let mut tx = db.read().await?;
    authorise(&mut tx, caller, id, Action::Read).await?;
    let all = query.all == Some(true);
    let (name, items) = match whose {
        Ok(member) => {
            let found = tx.workspace_member(id, member).await?.ok_or_else(|| Error::not_found("member", member))?;
            let rows = tx.memberships(&[member.to_string()]).await?;
            let groups: Vec<Membership> = rows.into_iter().map(|(_, membership)| membership).collect();
            let own = groups.iter().map(|group| group.group_id.clone());
            let subjects = own.chain([String::new(), member.to_string()]).collect();
            let who = Who::Member { id: member, active: found.active, groups: &groups };
            (found.name, decided(&mut tx, id, &subjects, &who, all).await?)
        }
        Err(contact) => {
            let found = tx.contact(id, contact).await?.ok_or_else(|| Error::not_found("external contact", contact))?;
            let subjects = [contact.to_string()].into();
            (found.name, decided(&mut tx, id, &subjects, &Who::Contact(contact), all).await?)
        }
    };
    let whose = whose.map_or_else(ToString::to_string, ToString::to_string);
    Ok(Portal { whose, name, items })
}

async fn decided(
    tx: &mut Tx,
    id: &WorkspaceId,
    subjects: &BTreeSet<String>,
    who: &Who<'_>,
    all: bool,
) -> Result<Vec<berth_model::workspace::PortalItem>> {
    let grants = tx.grants(id, subjects).await?;
    let mut by_item = BTreeMap::<&str, Vec<&Grant>>::new();
    for grant in &grants {
        by_item.entry(&grant.item_id).or_default().push(grant);
    }
    let only: BTreeSet<String> = by_item.keys().map(|item| (*item).to_owned()).collect();
    let items = tx.items(id, (!all).then_some(&only)).await?;
    let none = Vec::new();
    let items = items.iter().map(|item| decide(item, by_item.get(item.id.as_str()).unwrap_or(&none), who));
    Ok(items.filter(|item| all || item.decision == Decision::Open).collect())
}
