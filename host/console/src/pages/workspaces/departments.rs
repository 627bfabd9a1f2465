//! The departments of a workspace as a tree, and its tags.

use axum::{
    Router,
    extract::{Path, Query},
    routing::get,
};
use serde::Deserialize;

use berth_base::page::Page as ListPage;
use berth_model::{
    access::Action,
    workspace::{GroupKind, Workspace, WorkspaceGroup, WorkspaceMember},
};

use super::{
    Tab, apps,
    book::{Book, Groups, department_by_request, may_keep, replace},
    head, listed, scope, tabs, workspace,
};
use crate::{
    Console,
    act::{Confirm, Sent},
    api::MOST,
    frame::{Head, done},
    parts::Filled,
    path::{at, with_query},
    refused::{Refused, invalid, not_found},
    texts::Texts,
    tree::{Piece, pieces},
    visit::{Answer, OrShow, Shown, Visit},
};

pub fn routes() -> Router<Console> {
    Router::new()
        .route("/ui/workspaces/{id}/departments", get(tree))
        .route("/ui/workspaces/{id}/departments/new", get(new).post(create))
        .route("/ui/workspaces/{id}/departments/{group}", get(one).post(rename))
        .route("/ui/workspaces/{id}/departments/{group}/members", axum::routing::post(add_member))
        .route("/ui/workspaces/{id}/departments/{group}/departments", axum::routing::post(mark))
        .route("/ui/workspaces/{id}/departments/{group}/departments/{below}/take", get(confirm_unmark).post(unmark))
        .route("/ui/workspaces/{id}/departments/{group}/move", get(confirm_move).post(move_below))
        .route("/ui/workspaces/{id}/departments/{group}/remove", get(confirm_remove).post(remove))
}

/// The workspace and the department or tag of an address.
type Of = Path<(String, String)>;

fn page_of(id: &str, group: &str) -> String {
    at!("/ui/workspaces/{}/departments/{}", id, group)
}

/// The tree of departments, with siblings by name.
fn departments(groups: &Groups) -> Vec<Piece<'_, WorkspaceGroup>> {
    let departments = groups.of_kind(GroupKind::Department);
    pieces(departments, |group| group.id.as_str(), |group| group.parent.as_ref().map(|parent| parent.as_str()))
}

#[derive(askama::Template)]
#[template(path = "workspaces/departments.html")]
struct Tree<'a> {
    t: Texts,
    it: &'a Workspace,
    tabs: Vec<Tab>,
    groups: &'a Groups,
    pieces: Vec<Piece<'a, WorkspaceGroup>>,
    may_keep: bool,
}

async fn tree(visit: Visit, Path(id): Path<String>) -> Answer {
    let it = workspace(&visit, &id).await?;
    let groups = Groups::of(&visit, &id).await.or_show(&visit)?;
    let page = Tree {
        t: visit.t,
        tabs: tabs(visit.t, &id, "/departments"),
        pieces: departments(&groups),
        groups: &groups,
        may_keep: may_keep(&visit, &it).await,
        it: &it,
    };
    visit.page(head(&visit, visit.t.ws_departments_and_tags(), Some(&it)), &page)
}

#[derive(askama::Template)]
#[template(path = "workspaces/new_department.html")]
struct New<'a> {
    t: Texts,
    it: &'a Workspace,
    departments: Vec<(&'a str, String)>,
    parent: &'a str,
    is_tag: bool,
    command: String,
    filled: &'a Filled,
}

impl New<'_> {
    fn is_parent(&self, id: &str) -> bool {
        self.parent == id
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct NewQuery {
    parent: String,
    kind: String,
}

async fn new(visit: Visit, Path(id): Path<String>, Query(query): Query<NewQuery>) -> Answer {
    show_new(&visit, &id, &query, &Filled::default()).await
}

async fn show_new(visit: &Visit, id: &str, query: &NewQuery, filled: &Filled) -> Answer {
    let it = workspace(visit, id).await?;
    let groups = Groups::of(visit, id).await.or_show(visit)?;
    let page = New {
        t: visit.t,
        it: &it,
        departments: groups.departments(),
        parent: filled.or("parent", &query.parent),
        is_tag: filled.or("kind", &query.kind) == GroupKind::Tag.as_str(),
        command: department_by_request(&visit.origin, id),
        filled,
    };
    visit.page(below(visit, visit.t.ws_new_department(), &it), &page)
}

/// The head of a page below the tree.
fn below<'a>(visit: &Visit, title: &'a str, it: &Workspace) -> Head<'a> {
    let mut head = head(visit, title, Some(it));
    head.above.push((visit.t.ws_departments().to_owned(), at!("/ui/workspaces/{}/departments", it.id)));
    head
}

async fn create(visit: Visit, Path(id): Path<String>, sent: Sent) -> Answer {
    let book = Book::of(&visit, &id);
    let made = match create_of(&book, &sent).await {
        Ok(made) => made,
        Err(refused) => return show_new(&visit, &id, &NewQuery::default(), &sent.again(&visit, refused)?).await,
    };
    let put = match (sent.get("kind"), sent.get("parent")) {
        ("tag", _) | (_, "") => Ok(()),
        (_, parent) => book.put_into(parent, &made, true).await,
    };
    // It is there already: what stands against its place is said on its page.
    match put {
        Ok(()) => done(&page_of(&id, &made), &visit.t.ws_department_created(sent.get("name"))),
        Err(refused) => show(&visit, &id, &made, &Filled::default().refused(refused).or_show(&visit)?).await,
    }
}

async fn create_of(book: &Book<'_>, sent: &Sent) -> Result<String, Refused> {
    book.add_group(sent.read("kind")?, sent.get("name")).await
}

#[derive(askama::Template)]
#[template(path = "workspaces/department.html")]
struct One<'a> {
    t: Texts,
    it: &'a Workspace,
    here: &'a str,
    group: &'a WorkspaceGroup,
    groups: &'a Groups,
    departments: Vec<(&'a str, String)>,
    /// The departments that have this tag.
    marked: Vec<String>,
    members: Vec<WorkspaceMember>,
    has_more: bool,
    /// What is given to it, or to one that it is in.
    given: Vec<(String, String)>,
    may_keep: bool,
    filled: &'a Filled,
}

impl One<'_> {
    fn is_tag(&self) -> bool {
        self.group.kind == GroupKind::Tag
    }

    fn is_below(&self, id: &str) -> bool {
        self.group.parent.as_ref().is_some_and(|parent| parent.as_str() == id)
    }

    fn is_itself(&self, id: &str) -> bool {
        self.group.id.as_str() == id
    }
}

/// A department or a tag among those of a workspace.
fn found<'a>(visit: &Visit, groups: &'a Groups, group: &str) -> Result<&'a WorkspaceGroup, Shown> {
    groups.get(group).ok_or_else(|| visit.refuse(not_found()))
}

async fn one(visit: Visit, Path((id, group)): Of) -> Answer {
    show(&visit, &id, &group, &Filled::default()).await
}

async fn show(visit: &Visit, id: &str, group: &str, filled: &Filled) -> Answer {
    let it = workspace(visit, id).await?;
    let groups = Groups::of(visit, id).await.or_show(visit)?;
    let one = found(visit, &groups, group)?;
    let path = with_query(&at!("/v1/workspaces/{}/members", id), [("group", Some(group))]);
    let members: ListPage<WorkspaceMember> = visit.api.page(&path).await.or_show(visit)?;
    let marked = if one.kind == GroupKind::Tag && visit.can(Action::Provision, &scope(&it)) {
        Book::of(visit, id).departments_of_tag(group).await.or_show(visit)?
    } else {
        Vec::new()
    };
    let page = One {
        t: visit.t,
        here: &page_of(id, group),
        group: one,
        departments: groups.departments(),
        marked,
        has_more: members.next.is_some(),
        members: members.items,
        given: given(visit, &it, &groups, group).await.or_show(visit)?,
        may_keep: may_keep(visit, &it).await,
        filled,
        groups: &groups,
        it: &it,
    };
    visit.page(below(visit, &one.name, &it), &page)
}

/// What is given to a department or a tag, to a department that it is in, or to a tag that one of these has: id and name.
async fn given(visit: &Visit, it: &Workspace, groups: &Groups, group: &str) -> Result<Vec<(String, String)>, Refused> {
    let upwards: Vec<&str> = groups.upwards(group).into_iter().map(|group| group.id.as_str()).collect();
    given_to(visit, it, groups, &upwards).await
}

/// What is given to one of these, or to a tag that one of these has.
async fn given_to(
    visit: &Visit,
    it: &Workspace,
    groups: &Groups,
    these: &[&str],
) -> Result<Vec<(String, String)>, Refused> {
    let mut by: Vec<String> = these.iter().map(|group| (*group).to_owned()).collect();
    for group in these {
        by.extend(tags_of(visit, it, groups, group).await?);
    }
    let held = apps::held(visit, it.id.as_str()).await;
    let given = held.into_iter().filter(|held| by.iter().any(|group| held.is_given_to(group)));
    Ok(given.map(|held| (held.item.id, held.item.name)).collect())
}

/// The tags that a department has, as far as the visitor may know: the address book tells them to who keeps it.
async fn tags_of(visit: &Visit, it: &Workspace, groups: &Groups, group: &str) -> Result<Vec<String>, Refused> {
    let is_department = groups.get(group).is_some_and(|one| one.kind == GroupKind::Department);
    if !is_department || !visit.can(Action::Provision, &scope(it)) {
        return Ok(Vec::new());
    }
    Book::of(visit, it.id.as_str()).tags_of_department(groups, group).await
}

/// What comes after an act: the page of the department or tag, which says so or shows what stands against it.
async fn after(visit: &Visit, (id, group): (&str, &str), result: Result<(), Refused>, sent: Sent) -> Answer {
    match result {
        Ok(()) => done(&page_of(id, group), visit.t.edited()),
        Err(refused) => show(visit, id, group, &sent.again(visit, refused)?).await,
    }
}

async fn rename(visit: Visit, Path((id, group)): Of, sent: Sent) -> Answer {
    let result = Book::of(&visit, &id).change_group(&group, vec![replace("displayName", sent.get("name"))]).await;
    after(&visit, (&id, &group), result, sent).await
}

async fn add_member(visit: Visit, Path((id, group)): Of, sent: Sent) -> Answer {
    let result = add_member_of(&visit, &id, &group, sent.get("user_name")).await;
    after(&visit, (&id, &group), result, sent).await
}

async fn add_member_of(visit: &Visit, id: &str, group: &str, user_name: &str) -> Result<(), Refused> {
    let member = by_user_name(visit, id, "user_name", user_name).await?;
    Book::of(visit, id).put_into(group, member.id.as_str(), false).await
}

/// The member who logs in by a name.
///
/// # Errors
/// That nobody does, about the field in which the name was typed.
pub async fn by_user_name(visit: &Visit, id: &str, field: &str, name: &str) -> Result<WorkspaceMember, Refused> {
    let path = with_query(&at!("/v1/workspaces/{}/members", id), [("user_name", Some(name))]);
    let found: Option<WorkspaceMember> = match name {
        "" => None,
        _ => visit.api.page(&path).await?.items.into_iter().next(),
    };
    found.ok_or_else(|| invalid(visit.t, field, &visit.t.ws_no_such_member(name)))
}

/// Gives a tag to a department.
async fn mark(visit: Visit, Path((id, group)): Of, sent: Sent) -> Answer {
    let result = Book::of(&visit, &id).put_into(&group, sent.get("department"), true).await;
    after(&visit, (&id, &group), result, sent).await
}

/// What pages about an act on a department or a tag begin with.
struct About {
    it: Workspace,
    groups: Groups,
    back: String,
}

async fn about(visit: &Visit, id: &str, group: &str) -> Result<About, Shown> {
    let it = workspace(visit, id).await?;
    Ok(About { it, groups: Groups::of(visit, id).await.or_show(visit)?, back: page_of(id, group) })
}

impl About {
    fn show(&self, visit: &Visit, name: &str, confirm: Confirm, filled: &Filled) -> Answer {
        let title = format!("{} · {name}", confirm.act);
        let mut head = below(visit, &title, &self.it);
        head.above.push((name.to_owned(), self.back.clone()));
        Confirm { back: self.back.clone(), ..confirm }.show(visit, head, filled)
    }
}

type OfMarked = Path<(String, String, String)>;

async fn confirm_unmark(visit: Visit, Path((id, group, below)): OfMarked) -> Answer {
    show_unmark(&visit, (&id, &group, &below), &Filled::default()).await
}

async fn show_unmark(visit: &Visit, (id, group, below): (&str, &str, &str), filled: &Filled) -> Answer {
    let t = visit.t;
    let about = about(visit, id, group).await?;
    let tag = found(visit, &about.groups, group)?;
    let names = given(visit, &about.it, &about.groups, group).await.or_show(visit)?;
    let mut effects = vec![t.ws_taken_out_effect(about.groups.name(below), &tag.name)];
    if !names.is_empty() {
        effects.push(t.ws_group_lost(listed(t, names.iter().map(|(_, name)| name.as_str()))));
    }
    let confirm = Confirm { act: t.ws_take_out().into(), effects, is_dangerous: true, ..Confirm::default() };
    about.show(visit, &tag.name, confirm, filled)
}

async fn unmark(visit: Visit, Path((id, group, below)): OfMarked, sent: Sent) -> Answer {
    match Book::of(&visit, &id).take_out(&group, &below).await {
        Ok(()) => done(&page_of(&id, &group), visit.t.edited()),
        Err(refused) => show_unmark(&visit, (&id, &group, &below), &sent.again(&visit, refused)?).await,
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct MoveQuery {
    parent: String,
}

async fn confirm_move(visit: Visit, Path((id, group)): Of, Query(MoveQuery { parent }): Query<MoveQuery>) -> Answer {
    show_move(&visit, &id, &group, &parent, &Filled::default()).await
}

async fn show_move(visit: &Visit, id: &str, group: &str, parent: &str, filled: &Filled) -> Answer {
    let t = visit.t;
    let about = about(visit, id, group).await?;
    let one = found(visit, &about.groups, group)?;
    let place = if parent.is_empty() { t.ws_top().to_owned() } else { about.groups.path(parent) };
    let mut effects = vec![t.ws_move_effect(about.groups.path(group), place)];
    let lost = lost_by_move(visit, &about, one, parent).await.or_show(visit)?;
    if !lost.is_empty() {
        effects.push(t.ws_group_lost(listed(t, lost.iter().map(String::as_str))));
    }
    let confirm = Confirm {
        act: t.ws_move().into(),
        effects,
        is_dangerous: !lost.is_empty(),
        hidden: vec![("parent".into(), parent.to_owned())],
        ..Confirm::default()
    };
    about.show(visit, &one.name, confirm, filled)
}

/// The names of what is given to a department now, and will not be below another parent.
async fn lost_by_move(
    visit: &Visit,
    about: &About,
    one: &WorkspaceGroup,
    parent: &str,
) -> Result<Vec<String>, Refused> {
    let About { it, groups, .. } = about;
    let before = match &one.parent {
        Some(parent) => given(visit, it, groups, parent.as_str()).await?,
        None => return Ok(Vec::new()),
    };
    let mut kept = given_to(visit, it, groups, &[one.id.as_str()]).await?;
    kept.extend(given(visit, it, groups, parent).await?);
    let is_lost = |(id, _): &(String, String)| kept.iter().all(|(kept, _)| kept != id);
    Ok(before.into_iter().filter(is_lost).map(|(_, name)| name).collect())
}

async fn move_below(visit: Visit, Path((id, group)): Of, sent: Sent) -> Answer {
    match move_of(&visit, &id, &group, sent.get("parent")).await {
        Ok(()) => done(&page_of(&id, &group), visit.t.ws_moved()),
        Err(refused) => {
            let parent = sent.get("parent").to_owned();
            show_move(&visit, &id, &group, &parent, &sent.again(&visit, refused)?).await
        }
    }
}

async fn move_of(visit: &Visit, id: &str, group: &str, parent: &str) -> Result<(), Refused> {
    let book = Book::of(visit, id);
    if !parent.is_empty() {
        // A department is in one other at most, so this takes it out of the one before.
        return book.put_into(parent, group, true).await;
    }
    let groups = Groups::of(visit, id).await?;
    match groups.get(group).and_then(|one| one.parent.as_ref()) {
        Some(before) => book.take_out(before.as_str(), group).await,
        None => Ok(()),
    }
}

async fn confirm_remove(visit: Visit, Path((id, group)): Of) -> Answer {
    show_remove(&visit, &id, &group, &Filled::default()).await
}

async fn show_remove(visit: &Visit, id: &str, group: &str, filled: &Filled) -> Answer {
    let t = visit.t;
    let about = about(visit, id, group).await?;
    let one = found(visit, &about.groups, group)?;
    let mut effects = vec![t.ws_remove_department_effect(&one.name)];
    let names = given(visit, &about.it, &about.groups, group).await.or_show(visit)?;
    if !names.is_empty() {
        effects.push(t.ws_group_lost(listed(t, names.iter().map(|(_, name)| name.as_str()))));
    }
    let below: Vec<&str> = about.groups.below(group).map(|group| group.name.as_str()).collect();
    if !below.is_empty() {
        effects.push(t.ws_below_at_top(listed(t, below)));
    }
    let confirm = Confirm { act: t.remove().into(), effects, is_dangerous: true, ..Confirm::default() };
    about.show(visit, &one.name, confirm, filled)
}

async fn remove(visit: Visit, Path((id, group)): Of, sent: Sent) -> Answer {
    match Book::of(&visit, &id).remove_group(&group).await {
        Ok(()) => done(&at!("/ui/workspaces/{}/departments", id), visit.t.ws_department_removed()),
        Err(refused) => show_remove(&visit, &id, &group, &sent.again(&visit, refused)?).await,
    }
}
