//! Resources as they are shown: what is stored, with what follows from it.

use std::collections::BTreeMap;

use berth_base::error::Result;
use berth_model::workspace::{
    Membership,
    scim::{message::etag, resource::schemas_of, schema::Resource, view::View},
};
use berth_store::{ResourceRow, Tx};
use serde_json::{Map, Value, json};

use super::Directory;

/// A resource as it is shown, and its version.
#[derive(Clone, Debug)]
pub struct Shown {
    /// Its version.
    pub version: i64,
    /// Its address.
    pub location: String,
    /// What the request wants to see of it.
    pub body: Map<String, Value>,
}

/// What is not in the rows of Users and Groups: who is in what.
#[derive(Default)]
pub(super) struct Around {
    memberships: BTreeMap<String, Vec<Membership>>,
    members: BTreeMap<String, Vec<(Resource, String)>>,
}

impl Around {
    /// Reads the groups of these Users, or the members of these Groups.
    pub(super) async fn of(tx: &mut Tx, resource: Resource, rows: &[ResourceRow]) -> Result<Self> {
        let ids: Vec<_> = rows.iter().map(|row| row.id.clone()).collect();
        let mut around = Self::default();
        match resource {
            Resource::User => {
                for (member, membership) in tx.memberships(&ids).await? {
                    around.memberships.entry(member).or_default().push(membership);
                }
            }
            Resource::Group => {
                let members = tx.members_of_groups(&ids).await?.into_iter().map(|pair| (Resource::User, pair));
                let departments = tx.departments_of_groups(&ids).await?.into_iter().map(|pair| (Resource::Group, pair));
                for (kind, (group, id)) in members.chain(departments) {
                    around.members.entry(group).or_default().push((kind, id));
                }
            }
        }
        Ok(around)
    }

    /// The whole of a resource.
    fn whole(&self, of: &Directory<'_>, resource: Resource, row: ResourceRow) -> Map<String, Value> {
        let own = self.of_host(of, resource, &row);
        let mut whole = row.attributes.0;
        whole.extend(own);
        whole
    }

    /// The members of a resource that are the host's to set.
    pub(super) fn of_host(&self, of: &Directory<'_>, resource: Resource, row: &ResourceRow) -> Map<String, Value> {
        let mut own = Map::new();
        own.insert("schemas".into(), schemas_of(resource, &row.attributes.0));
        let (name, list) = match resource {
            Resource::User => ("groups", self.groups(of, &row.id)),
            Resource::Group => ("members", self.members(of, &row.id)),
        };
        if !list.is_empty() {
            own.insert(name.into(), list.into());
        }
        let meta = json!({
            "resourceType": resource.name(), "created": row.created_at, "lastModified": row.updated_at,
            "version": etag(row.version), "location": location(of, resource, &row.id),
        });
        own.insert("meta".into(), meta);
        own.insert("id".into(), row.id.clone().into());
        own
    }

    /// The groups of a User: each once, `direct` when it lists them itself.
    fn groups(&self, of: &Directory<'_>, id: &str) -> Vec<Value> {
        let mut groups = BTreeMap::<&str, (&Membership, bool)>::new();
        for one in self.memberships.get(id).into_iter().flatten() {
            let direct = one.through_id == one.group_id;
            groups.entry(&one.group_id).and_modify(|(_, had)| *had |= direct).or_insert((one, direct));
        }
        let shown = |(id, (one, direct)): (&str, (&Membership, bool))| {
            let kind = if direct { "direct" } else { "indirect" };
            json!({"value": id, "$ref": location(of, Resource::Group, id), "display": one.name, "type": kind})
        };
        groups.into_iter().map(shown).collect()
    }

    fn members(&self, of: &Directory<'_>, id: &str) -> Vec<Value> {
        let shown = |(kind, id): &(Resource, String)| json!({"value": id, "$ref": location(of, *kind, id), "type": kind.name()});
        self.members.get(id).into_iter().flatten().map(shown).collect()
    }
}

/// The address of a resource.
pub(super) fn location(of: &Directory<'_>, resource: Resource, id: &str) -> String {
    format!("{}/{}/{id}", of.base, resource.endpoint())
}

/// The attribute that is not in the rows.
pub(super) fn around_name(resource: Resource) -> &'static str {
    match resource {
        Resource::User => "groups",
        Resource::Group => "members",
    }
}

/// Resources as they are shown. Who is in what is read only when it is wanted: a group may have 100,000 members.
pub(super) async fn all(
    tx: &mut Tx,
    of: &Directory<'_>,
    resource: Resource,
    rows: Vec<ResourceRow>,
    view: &View,
) -> Result<Vec<Map<String, Value>>> {
    let around =
        if view.wants(around_name(resource)) { Around::of(tx, resource, &rows).await? } else { Around::default() };
    Ok(rows.into_iter().map(|row| view.show(resource, around.whole(of, resource, row))).collect())
}

/// One resource as it is shown.
pub(super) async fn one(
    tx: &mut Tx,
    of: &Directory<'_>,
    resource: Resource,
    row: ResourceRow,
    view: &View,
) -> Result<Shown> {
    let (version, location) = (row.version, location(of, resource, &row.id));
    let body = all(tx, of, resource, vec![row], view).await?.pop().unwrap_or_default();
    Ok(Shown { version, location, body })
}
