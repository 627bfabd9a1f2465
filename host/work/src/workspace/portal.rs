//! What somebody may open, and why (W3).

use std::collections::{BTreeMap, BTreeSet};

use berth_base::{
    error::{Error, Result},
    ids::{MemberId, WorkspaceId},
};
use berth_model::{
    access::{Action, Caller, Scope},
    workspace::{Decision, Grant, Membership, Portal, PortalItem, PortalQuery, Who, WorkspaceMember, decide},
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
    // The server of a portal says who asks, so it may as well ask.
    let vouches = caller.can(Action::Vouch, &Scope::Workspace(id.clone()));
    authorise(&mut tx, caller, id, if vouches { Action::Vouch } else { Action::Read }).await?;
    let all = query.all == Some(true);
    let (name, items) = match whose {
        Ok(member) => {
            let found = tx.workspace_member(id, member).await?.ok_or_else(|| Error::not_found("member", member))?;
            let items = of_member(&mut tx, id, &found, all).await?;
            (found.name, items)
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

/// What a member may open, by name, with each reason.
pub(crate) async fn opened_by(tx: &mut Tx, id: &WorkspaceId, member: &WorkspaceMember) -> Result<Vec<PortalItem>> {
    of_member(tx, id, member, false).await
}

async fn of_member(tx: &mut Tx, id: &WorkspaceId, member: &WorkspaceMember, all: bool) -> Result<Vec<PortalItem>> {
    let groups = groups_of(tx, &member.id).await?;
    let subjects = subjects_of(&member.id, &groups);
    let who = Who::Member { id: &member.id, active: member.active, groups: &groups };
    decided(tx, id, &subjects, &who, all).await
}

async fn groups_of(tx: &mut Tx, member: &MemberId) -> Result<Vec<Membership>> {
    let rows = tx.memberships(&[member.to_string()]).await?;
    Ok(rows.into_iter().map(|(_, membership)| membership).collect())
}

/// All to which something may be given so that this member has it.
fn subjects_of(member: &MemberId, groups: &[Membership]) -> BTreeSet<String> {
    let own = groups.iter().map(|group| group.group_id.clone());
    own.chain([String::new(), member.to_string()]).collect()
}

/// A member, what they are in, and whether they may open one item.
pub(crate) struct Opening {
    /// The member.
    pub member: WorkspaceMember,
    /// What they are in.
    pub groups: Vec<Membership>,
    /// The decision.
    pub item: PortalItem,
}

/// Decides about one item as the portal does; `None` when there is no such member or item.
pub(crate) async fn opening(tx: &mut Tx, id: &WorkspaceId, member: &MemberId, item: &str) -> Result<Option<Opening>> {
    let Some(found) = tx.workspace_member(id, member).await? else { return Ok(None) };
    let Some(item) = tx.item(id, item).await? else { return Ok(None) };
    let groups = groups_of(tx, member).await?;
    let grants = tx.grants(id, &subjects_of(member, &groups)).await?;
    let grants: Vec<_> = grants.iter().filter(|grant| grant.item_id == item.id).collect();
    let decided = decide(&item, &grants, &Who::Member { id: member, active: found.active, groups: &groups });
    Ok(Some(Opening { member: found, groups, item: decided }))
}

async fn decided(
    tx: &mut Tx,
    id: &WorkspaceId,
    subjects: &BTreeSet<String>,
    who: &Who<'_>,
    all: bool,
) -> Result<Vec<PortalItem>> {
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
