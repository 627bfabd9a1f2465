//! The address book of a workspace: read as the API lists it, and for whoever keeps it read and written by SCIM.

use std::collections::BTreeMap;

use axum::http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use berth_base::clock::Millis;
use berth_model::{
    access::Action,
    workspace::{GroupKind, Workspace, WorkspaceGroup, WorkspaceMember, directory::Directory},
};

use super::scope;
use crate::{
    path::{at, with_query},
    refused::Refused,
    visit::Visit,
};

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
const KIND: &str = "urn:berth:params:scim:schemas:extension:workspace:2.0:Group";
const PATCH: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// The request that adds a member or a group. The address book is written by SCIM alone, which no command speaks.
fn by_request(origin: &str, workspace: &str, what: &str, document: &Value) -> String {
    format!(
        "curl {origin}/scim/v2/{workspace}/{what} -H \"Authorization: Bearer $BERTH_TOKEN\" \\\n  \
         -H 'Content-Type: application/scim+json' -d '{document}'"
    )
}

/// The request that adds a member.
pub fn member_by_request(origin: &str, workspace: &str) -> String {
    by_request(origin, workspace, "Users", &json!({"schemas": [USER], "userName": "ann@example.com"}))
}

/// The request that adds a department.
pub fn department_by_request(origin: &str, workspace: &str) -> String {
    by_request(origin, workspace, "Groups", &json!({"schemas": [GROUP], "displayName": "Sales"}))
}

/// A member, as far as pages show them.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct User {
    pub id: String,
    pub user_name: String,
    display_name: String,
    name: Name,
    active: Option<bool>,
    pub external_id: String,
    pub title: String,
    pub emails: Vec<Email>,
    pub groups: Vec<InGroup>,
    meta: Meta,
}

#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Name {
    formatted: String,
    given_name: String,
    family_name: String,
}

/// An address of a member.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub struct Email {
    pub value: String,
    primary: bool,
}

/// A department or a tag that a member is in.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub struct InGroup {
    pub value: String,
    pub display: String,
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Meta {
    last_modified: Option<Millis>,
}

/// A group, as far as pages show it.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Group {
    id: String,
    members: Vec<InGroup>,
}

/// A list, as SCIM sends it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", bound = "T: Deserialize<'de>")]
pub struct Found<T> {
    #[serde(default)]
    pub total_results: usize,
    #[serde(rename = "Resources", default = "Vec::new")]
    pub resources: Vec<T>,
}

impl InGroup {
    /// Whether the member is in it themselves, and not by another one.
    pub fn is_direct(&self) -> bool {
        self.kind == "direct"
    }
}

impl User {
    /// The name that people see, by the rule of the address book.
    pub fn name(&self) -> String {
        let Name { formatted, given_name, family_name } = &self.name;
        let parts = [given_name, family_name].map(|part| part.trim()).join(" ");
        let names = [self.display_name.trim(), formatted.trim(), parts.trim()];
        names.into_iter().find(|name| !name.is_empty()).unwrap_or(&self.user_name).to_owned()
    }

    /// Whether they may use what the workspace has. Who is not said to be active or not is active.
    pub fn is_active(&self) -> bool {
        self.active.unwrap_or(true)
    }

    /// When they last changed.
    pub fn changed_at(&self) -> Option<Millis> {
        self.meta.last_modified
    }

    /// The address that is theirs first.
    pub fn email(&self) -> &str {
        let first = self.emails.iter().find(|email| email.primary).or(self.emails.first());
        first.map_or("", |email| &email.value)
    }
}

/// The address book of a workspace, by SCIM.
pub struct Book<'a> {
    visit: &'a Visit,
    id: &'a str,
}

/// A text as filters of SCIM have it, which is one of JSON.
pub fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

/// The change that puts an address in the place of the one that is shown, or takes that out: further ones stay as they are.
pub fn set_email(before: &str, email: &str) -> Value {
    let shown = || format!("emails[value eq {}]", quoted(before));
    match (before, email) {
        ("", email) => json!({"op": "add", "path": "emails", "value": [work_email(email)]}),
        (_, "") => json!({"op": "remove", "path": shown()}),
        (_, email) => replace(&(shown() + ".value"), email),
    }
}

/// The first address of a member.
pub fn work_email(email: &str) -> Value {
    json!({"value": email, "type": "work", "primary": true})
}

/// A change that adds a value, replaces one, or removes it when there is none to say.
pub fn set(path: &str, value: &str) -> Value {
    if value.is_empty() { json!({"op": "remove", "path": path}) } else { replace(path, value) }
}

/// A change that puts a value in the place of another one.
pub fn replace(path: &str, value: impl Into<Value>) -> Value {
    json!({"op": "replace", "path": path, "value": value.into()})
}

impl<'a> Book<'a> {
    pub fn of(visit: &'a Visit, id: &'a str) -> Self {
        Self { visit, id }
    }

    fn path(&self, rest: &str) -> String {
        at!("/scim/v2/{}/", self.id) + rest
    }

    /// How many members there are.
    pub async fn count_members(&self) -> Result<usize, Refused> {
        Ok(self.visit.api.get::<Found<User>>(&self.path("Users?count=0")).await?.total_results)
    }

    /// A member with the departments and tags that they are in.
    pub async fn user(&self, member: &str) -> Result<User, Refused> {
        self.visit.api.get(&self.path(&at!("Users/{}", member))).await
    }

    /// A part of the members that a filter chooses, from a place in the list, which begins with 1.
    pub async fn users(&self, filter: &str, from: usize, count: usize) -> Result<Found<User>, Refused> {
        let (from, count) = (from.to_string(), count.to_string());
        let members = [("filter", filter), ("startIndex", &from), ("count", &count), ("excludedAttributes", "groups")];
        let members = members.into_iter().map(|(name, value)| (name, Some(value)));
        self.visit.api.get(&with_query(&self.path("Users"), members)).await
    }

    /// Adds a member.
    pub async fn add_user(&self, said: Vec<(&str, Value)>) -> Result<User, Refused> {
        let mut body = json!({"schemas": [USER], "active": true});
        for (name, value) in said {
            body[name] = value;
        }
        self.visit.api.tell(Method::POST, &self.path("Users"), &body).await
    }

    /// Adds a department or a tag, and returns its id.
    pub async fn add_group(&self, kind: GroupKind, name: &str) -> Result<String, Refused> {
        let mut body = json!({"schemas": [GROUP, KIND], "displayName": name});
        body[KIND] = json!({"kind": kind});
        Ok(self.visit.api.tell::<Group>(Method::POST, &self.path("Groups"), &body).await?.id)
    }

    /// Changes a member.
    pub async fn change_user(&self, member: &str, operations: Vec<Value>) -> Result<(), Refused> {
        self.change(&at!("Users/{}", member), operations).await
    }

    /// Changes a department or a tag.
    pub async fn change_group(&self, group: &str, operations: Vec<Value>) -> Result<(), Refused> {
        self.change(&at!("Groups/{}", group), operations).await
    }

    async fn change(&self, what: &str, operations: Vec<Value>) -> Result<(), Refused> {
        let body = json!({"schemas": [PATCH], "Operations": operations});
        self.visit.api.act(Method::PATCH, &self.path(what), &body).await
    }

    /// Puts a member, or a department, into a department or a tag.
    pub async fn put_into(&self, group: &str, one: &str, is_group: bool) -> Result<(), Refused> {
        let kind = if is_group { "Group" } else { "User" };
        let value = json!([{"value": one, "type": kind}]);
        self.change_group(group, vec![json!({"op": "add", "path": "members", "value": value})]).await
    }

    /// Takes a member, or a department, out of a department or a tag.
    pub async fn take_out(&self, group: &str, one: &str) -> Result<(), Refused> {
        let value = json!([{"value": one}]);
        self.change_group(group, vec![json!({"op": "remove", "path": "members", "value": value})]).await
    }

    /// The departments that have a tag themselves.
    pub async fn departments_of_tag(&self, tag: &str) -> Result<Vec<String>, Refused> {
        let group: Group = self.visit.api.get(&self.path(&at!("Groups/{}?attributes=members", tag))).await?;
        Ok(group.members.into_iter().filter(|one| one.kind == "Group").map(|one| one.value).collect())
    }

    /// The tags that a department has itself.
    pub async fn tags_of_department(&self, groups: &Groups, department: &str) -> Result<Vec<String>, Refused> {
        let filter = format!("members.value eq {}", quoted(department));
        let members = [("filter", Some(filter.as_str())), ("excludedAttributes", Some("members"))];
        let found: Found<Group> = self.visit.api.get(&with_query(&self.path("Groups"), members)).await?;
        let is_tag = |id: &str| groups.get(id).is_none_or(|group| group.kind == GroupKind::Tag);
        Ok(found.resources.into_iter().map(|group| group.id).filter(|id| is_tag(id)).collect())
    }

    /// Removes a member.
    pub async fn remove_user(&self, member: &str) -> Result<(), Refused> {
        self.visit.api.just(Method::DELETE, &self.path(&at!("Users/{}", member))).await
    }

    /// Removes a department or a tag.
    pub async fn remove_group(&self, group: &str) -> Result<(), Refused> {
        self.visit.api.just(Method::DELETE, &self.path(&at!("Groups/{}", group))).await
    }
}

/// Whether the visitor may change the address book here: not while it is pulled from where the organisation keeps it.
pub async fn may_keep(visit: &Visit, of: &Workspace) -> bool {
    visit.can(Action::Provision, &scope(of)) && !is_pulled(visit, of).await
}

/// Whether the address book is pulled.
pub async fn is_pulled(visit: &Visit, of: &Workspace) -> bool {
    let found: Result<Option<Directory>, _> = visit.api.find(&at!("/v1/workspaces/{}/directory", of.id)).await;
    found.is_ok_and(|found| found.is_some())
}

/// The names of the first members, by their ids.
pub async fn member_names(visit: &Visit, id: &str) -> BTreeMap<String, String> {
    let found = visit.api.first::<WorkspaceMember>(&at!("/v1/workspaces/{}/members", id), None).await;
    let members = found.map(|(members, _)| members).unwrap_or_default();
    members.into_iter().map(|member| (member.id.to_string(), member.name)).collect()
}

/// The departments and tags of a workspace.
#[derive(Default)]
pub struct Groups {
    pub all: Vec<WorkspaceGroup>,
    /// Whether there are more than pages look at.
    pub has_more: bool,
}

/// How deep the tree of departments is at most.
const DEEPEST: usize = 32;

impl Groups {
    pub async fn of(visit: &Visit, id: &str) -> Result<Self, Refused> {
        let (mut all, has_more) = visit.api.first::<WorkspaceGroup>(&at!("/v1/workspaces/{}/groups", id), None).await?;
        all.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(Self { all, has_more })
    }

    pub fn get(&self, id: &str) -> Option<&WorkspaceGroup> {
        self.all.iter().find(|group| group.id.as_str() == id)
    }

    /// The name of a department or a tag, or its id where it is not known.
    pub fn name<'a>(&'a self, id: &'a str) -> &'a str {
        self.get(id).map_or(id, |group| &group.name)
    }

    /// A department and those that it is in, from itself upwards.
    pub fn upwards<'a>(&'a self, id: &'a str) -> Vec<&'a WorkspaceGroup> {
        let first = self.get(id);
        let above = |group: &&'a WorkspaceGroup| self.get(group.parent.as_ref()?.as_str());
        std::iter::successors(first, above).take(DEEPEST).collect()
    }

    /// The name of a department with those that it is in, from the top.
    pub fn path(&self, id: &str) -> String {
        let mut names: Vec<&str> = self.upwards(id).into_iter().map(|group| group.name.as_str()).collect();
        names.reverse();
        names.join(" / ")
    }

    /// Choices of departments, in the order of the tree.
    pub fn departments(&self) -> Vec<(&str, String)> {
        let mut choices: Vec<_> = self
            .of_kind(GroupKind::Department)
            .map(|group| (group.id.as_str(), self.path(group.id.as_str())))
            .collect();
        choices.sort_by(|a, b| a.1.cmp(&b.1));
        choices
    }

    /// Departments or tags, by name.
    pub fn of_kind(&self, kind: GroupKind) -> impl Iterator<Item = &WorkspaceGroup> {
        self.all.iter().filter(move |group| group.kind == kind)
    }

    /// The tags, by name.
    pub fn tags(&self) -> impl Iterator<Item = &WorkspaceGroup> {
        self.of_kind(GroupKind::Tag)
    }

    /// The departments that are in this one.
    pub fn below<'a>(&'a self, id: &'a str) -> impl Iterator<Item = &'a WorkspaceGroup> {
        self.all.iter().filter(move |group| group.parent.as_ref().is_some_and(|parent| parent.as_str() == id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_changed_and_further_ones_stay() {
        let shown = "emails[value eq \"a\\\"@x\"]";
        assert_eq!(set_email("a\"@x", ""), json!({"op": "remove", "path": shown}));
        assert_eq!(
            set_email("a\"@x", "b@x"),
            json!({"op": "replace", "path": format!("{shown}.value"), "value": "b@x"})
        );
        assert_eq!(set_email("", "b@x"), json!({"op": "add", "path": "emails", "value": [work_email("b@x")]}));
    }
}
