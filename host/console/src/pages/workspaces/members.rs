//! The members of a workspace: who they are, what they are in, and what they may open.

use std::borrow::Borrow;

use axum::{
    Router,
    extract::{Path, Query},
    http::Method,
    routing::{get, post},
};
use serde::Deserialize;
use serde_json::json;

use berth_base::{clock::Millis, page::Page as ListPage};
use berth_model::{
    access::Action,
    oidc::{EndMemberSignOns, SignOnsEnded},
    workspace::{Because, Decision, GroupKind, Portal, PortalItem, Workspace, WorkspaceMember},
};

use super::{
    Tab,
    book::{Book, Groups, InGroup, User, may_keep, replace, set},
    departments::by_user_name,
    head, listed, scope, tabs, workspace,
};
use crate::{
    Console,
    act::{Confirm, Sent},
    frame::{Head, done},
    parts::{Badge, Filled, Tone},
    path::{at, with_query},
    refused::{Refused, read},
    texts::Texts,
    visit::{Answer, OrShow, Shown, Visit},
};

pub fn routes() -> Router<Console> {
    Router::new()
        .route("/ui/workspaces/{id}/members", get(list))
        .route("/ui/workspaces/{id}/members/new", get(new).post(create))
        .route("/ui/workspaces/{id}/members/{member}", get(one).post(edit))
        .route("/ui/workspaces/{id}/members/{member}/move", get(confirm_move).post(move_into))
        .route("/ui/workspaces/{id}/members/{member}/groups/{group}/take", get(confirm_take).post(take))
        .route("/ui/workspaces/{id}/members/{member}/suspend", get(confirm_suspend).post(suspend))
        .route("/ui/workspaces/{id}/members/{member}/resume", post(resume))
        .route("/ui/workspaces/{id}/members/{member}/sign-out", get(confirm_sign_out).post(sign_out))
        .route("/ui/workspaces/{id}/members/{member}/remove", get(confirm_remove).post(remove))
}

/// The workspace and the member of an address.
type Of = Path<(String, String)>;

fn page_of(id: &str, member: &str) -> String {
    at!("/ui/workspaces/{}/members/{}", id, member)
}

/// Whether somebody may use what the workspace has, as a badge.
pub fn state(t: &Texts, is_active: impl Borrow<bool>) -> Badge {
    if *is_active.borrow() {
        Badge { tone: Tone::Ok, mark: "●", word: t.ws_active() }
    } else {
        Badge { tone: Tone::Warn, mark: "‖", word: t.ws_suspended() }
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ListQuery {
    q: String,
    state: String,
    group: String,
    cursor: String,
    from: String,
}

impl ListQuery {
    fn is_of(&self, group: &str) -> bool {
        self.group == group
    }

    fn is_filtered(&self) -> bool {
        [&self.q, &self.state, &self.group].iter().any(|value| !value.is_empty())
    }

    /// The address of another part of the list.
    fn page(&self, id: &str, place: (&'static str, &str)) -> String {
        let members = [("q", &*self.q), ("state", &self.state), ("group", &self.group), place];
        let members = members.into_iter().map(|(name, value)| (name, Some(value)));
        with_query(&at!("/ui/workspaces/{}/members", id), members)
    }
}

/// A member in the list.
struct Row {
    id: String,
    name: String,
    user_name: String,
    external_id: String,
    is_active: bool,
    changed_at: Option<Millis>,
}

impl From<WorkspaceMember> for Row {
    fn from(one: WorkspaceMember) -> Self {
        let (id, changed_at) = (one.id.to_string(), Some(one.updated_at));
        let external_id = one.external_id.unwrap_or_default();
        Self { id, name: one.name, user_name: one.user_name, external_id, is_active: one.active, changed_at }
    }
}

impl From<User> for Row {
    fn from(one: User) -> Self {
        let (name, is_active, changed_at) = (one.name(), one.is_active(), one.changed_at());
        Self { id: one.id, name, user_name: one.user_name, external_id: one.external_id, is_active, changed_at }
    }
}

#[derive(askama::Template)]
#[template(path = "workspaces/members.html")]
struct List<'a> {
    t: Texts,
    visit: &'a Visit,
    it: &'a Workspace,
    tabs: Vec<Tab>,
    query: &'a ListQuery,
    groups: &'a Groups,
    rows: Vec<Row>,
    next: Option<String>,
    /// Whether the address book answers for a part of a name and for a state.
    searches: bool,
    may_keep: bool,
}

/// How many members a page shows.
const PAGE: usize = 50;

async fn list(visit: Visit, Path(id): Path<String>, Query(query): Query<ListQuery>) -> Answer {
    let it = workspace(&visit, &id).await?;
    let searches = visit.can(Action::Provision, &scope(&it));
    let (rows, next) = if searches && !(query.q.is_empty() && query.state.is_empty()) {
        search(&visit, &id, &query).await
    } else {
        plain(&visit, &id, &query).await
    }
    .or_show(&visit)?;
    let page = List {
        t: visit.t,
        visit: &visit,
        tabs: tabs(visit.t, &id, "/members"),
        groups: &Groups::of(&visit, &id).await.or_show(&visit)?,
        may_keep: may_keep(&visit, &it).await,
        it: &it,
        query: &query,
        rows,
        next,
        searches,
    };
    visit.page(head(&visit, visit.t.ws_members(), Some(&it)), &page)
}

/// Members as the API lists them.
async fn plain(visit: &Visit, id: &str, query: &ListQuery) -> Result<(Vec<Row>, Option<String>), Refused> {
    let members = [("user_name", &query.q), ("group", &query.group), ("cursor", &query.cursor)];
    let members = members.into_iter().map(|(name, value)| (name, Some(value.as_str())));
    let path = with_query(&at!("/v1/workspaces/{}/members", id), members);
    let page: ListPage<WorkspaceMember> = visit.api.page(&path).await?;
    let next = page.next.as_deref().map(|next| query.page(id, ("cursor", next)));
    Ok((page.items.into_iter().map(Row::from).collect(), next))
}

/// Members whom the address book finds by a part of their name, or by their state.
async fn search(visit: &Visit, id: &str, query: &ListQuery) -> Result<(Vec<Row>, Option<String>), Refused> {
    let from = query.from.parse().unwrap_or(1);
    let found = Book::of(visit, id).users(&filter(query), from, PAGE).await?;
    let after = from + found.resources.len();
    let has_more = !found.resources.is_empty() && after <= found.total_results;
    let next = has_more.then(|| query.page(id, ("from", &after.to_string())));
    Ok((found.resources.into_iter().map(Row::from).collect(), next))
}

/// The filter of SCIM for those who may use nothing. Who is not said to be active or not is active.
const SUSPENDED: &str = "active eq false";

/// What was asked for, as a filter of SCIM.
fn filter(query: &ListQuery) -> String {
    // A text of SCIM is one of JSON.
    let text = |text: &str| serde_json::Value::from(text).to_string();
    let names = ["userName", "displayName", "name.formatted", "name.givenName", "name.familyName", "externalId"];
    let named = || names.map(|name| format!("{name} co {}", text(query.q.trim()))).join(" or ");
    let parts = [
        (!query.q.is_empty()).then(|| format!("({})", named())),
        (!query.state.is_empty())
            .then(|| if query.state == "suspended" { SUSPENDED.to_owned() } else { format!("not ({SUSPENDED})") }),
        (!query.group.is_empty()).then(|| format!("groups.value eq {}", text(&query.group))),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" and ")
}

#[derive(askama::Template)]
#[template(path = "workspaces/new_member.html")]
struct New<'a> {
    t: Texts,
    it: &'a Workspace,
    departments: Vec<(&'a str, String)>,
    filled: &'a Filled,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Into {
    group: String,
}

async fn new(visit: Visit, Path(id): Path<String>, Query(Into { group }): Query<Into>) -> Answer {
    let filled = if group.is_empty() { Filled::default() } else { Filled::with(vec![("group".into(), group)]) };
    show_new(&visit, &id, &filled).await
}

async fn show_new(visit: &Visit, id: &str, filled: &Filled) -> Answer {
    let it = workspace(visit, id).await?;
    let groups = Groups::of(visit, id).await.or_show(visit)?;
    let page = New { t: visit.t, it: &it, departments: groups.departments(), filled };
    visit.page(below(visit, visit.t.ws_add_member(), &it), &page)
}

/// The head of a page below the list of members.
fn below<'a>(visit: &Visit, title: &'a str, it: &Workspace) -> Head<'a> {
    let mut head = head(visit, title, Some(it));
    head.above.push((visit.t.ws_members().to_owned(), at!("/ui/workspaces/{}/members", it.id)));
    head
}

async fn create(visit: Visit, Path(id): Path<String>, sent: Sent) -> Answer {
    let book = Book::of(&visit, &id);
    let made = match book.add_user(said(&sent)).await {
        Ok(made) => made,
        Err(refused) => return show_new(&visit, &id, &sent.again(&visit, refused)?).await,
    };
    let put = match sent.get("group") {
        "" => Ok(()),
        group => book.put_into(group, &made.id, false).await,
    };
    // The member is there already: what stands against the department is said on their page.
    match put {
        Ok(()) => done(&page_of(&id, &made.id), &visit.t.ws_member_added(made.name())),
        Err(refused) => show(&visit, &id, &made.id, &Filled::default().refused(refused).or_show(&visit)?).await,
    }
}

/// What a form says of a member.
fn said(sent: &Sent) -> Vec<(&'static str, serde_json::Value)> {
    let fields =
        [("userName", "user_name"), ("displayName", "name"), ("externalId", "external_id"), ("title", "title")];
    let texts = fields.into_iter().map(|(attribute, field)| (attribute, sent.get(field)));
    let mut said: Vec<_> = texts.filter(|(_, text)| !text.is_empty()).map(|(name, text)| (name, text.into())).collect();
    if let Some(email) = sent.some("email") {
        said.push(("emails", json!([{"value": email, "type": "work", "primary": true}])));
    }
    said
}

#[derive(askama::Template)]
#[template(path = "workspaces/member.html")]
struct One<'a> {
    t: Texts,
    visit: &'a Visit,
    it: &'a Workspace,
    here: &'a str,
    name: &'a str,
    /// What the address book has of them, for whoever may ask it.
    user: Option<&'a User>,
    is_active: bool,
    groups: &'a Groups,
    departments: Vec<(&'a str, String)>,
    portal: &'a Portal,
    may_keep: bool,
    may_end: bool,
    filled: &'a Filled,
}

impl One<'_> {
    fn because(&self, item: &PortalItem) -> String {
        let t = self.t;
        item.why.iter().map(|because| reason(t, self.groups, because)).collect::<Vec<_>>().join(t.comma())
    }

    fn decision(&self, decision: &Decision) -> &'static str {
        let t = self.t;
        match decision {
            Decision::Open => t.ws_may_open(),
            Decision::NotGiven => t.ws_not_given(),
            Decision::Inactive => t.ws_is_suspended(),
            Decision::NotOnline => t.ws_not_online(),
            Decision::MembersOnly => t.ws_members_only(),
        }
    }

    fn open(&self) -> impl Iterator<Item = &PortalItem> {
        self.portal.items.iter().filter(|item| item.decision == Decision::Open)
    }

    fn closed(&self) -> impl Iterator<Item = &PortalItem> {
        self.portal.items.iter().filter(|item| item.decision != Decision::Open)
    }

    fn is_tag(&self, id: &str) -> bool {
        self.groups.get(id).is_some_and(|group| group.kind == GroupKind::Tag)
    }
}

/// One reason why somebody may open something, in the language of the page.
pub fn reason(t: Texts, groups: &Groups, because: &Because) -> String {
    use berth_model::workspace::SubjectKind;
    let name = because.name.as_deref().unwrap_or_default();
    match (because.kind, &because.through) {
        (SubjectKind::Everyone, _) => t.ws_because_everyone().into(),
        (SubjectKind::Member, _) => t.ws_because_member().into(),
        (SubjectKind::Contact, _) => t.ws_because_contact().into(),
        (SubjectKind::Department, None) => t.ws_because_in(name),
        (SubjectKind::Department, Some(through)) => t.ws_because_in_through(groups.name(through.as_str()), name),
        (SubjectKind::Tag, None) => t.ws_because_tag(name),
        (SubjectKind::Tag, Some(through)) => t.ws_because_tag_through(groups.name(through.as_str()), name),
    }
}

/// What a member may open, and what not.
async fn portal(visit: &Visit, id: &str, member: &str) -> Result<Portal, Shown> {
    visit.api.get(&at!("/v1/workspaces/{}/portal?all=true&member={}", id, member)).await.or_show(visit)
}

/// What a portal has for somebody only because they are in these departments and tags themselves.
fn only_by<'a>(portal: &'a Portal, groups: &[&str]) -> Vec<&'a str> {
    let by = |because: &Because| {
        let through = because.through.as_ref().map(|through| through.as_str()).or(because.id.as_deref());
        through.is_some_and(|group| groups.contains(&group))
    };
    let open = portal.items.iter().filter(|item| item.decision == Decision::Open);
    open.filter(|item| item.why.iter().all(by)).map(|item| item.name.as_str()).collect()
}

async fn one(visit: Visit, Path((id, member)): Of) -> Answer {
    show(&visit, &id, &member, &Filled::default()).await
}

async fn show(visit: &Visit, id: &str, member: &str, filled: &Filled) -> Answer {
    let it = workspace(visit, id).await?;
    let portal = portal(visit, id, member).await?;
    let user = if visit.can(Action::Provision, &scope(&it)) {
        Some(Book::of(visit, id).user(member).await.or_show(visit)?)
    } else {
        None
    };
    let groups = Groups::of(visit, id).await.or_show(visit)?;
    let is_active = match &user {
        Some(user) => by_user_name(visit, id, "user_name", &user.user_name).await.or_show(visit)?.active,
        None => true,
    };
    let page = One {
        t: visit.t,
        visit,
        here: &page_of(id, member),
        name: &portal.name,
        user: user.as_ref(),
        is_active,
        departments: groups.departments(),
        groups: &groups,
        portal: &portal,
        may_keep: may_keep(visit, &it).await,
        may_end: visit.can(Action::Vouch, &scope(&it)),
        filled,
        it: &it,
    };
    visit.page(below(visit, &portal.name, &it), &page)
}

async fn edit(visit: Visit, Path((id, member)): Of, sent: Sent) -> Answer {
    match edit_of(&visit, &id, &member, &sent).await {
        Ok(()) => done(&page_of(&id, &member), visit.t.edited()),
        Err(refused) => show(&visit, &id, &member, &sent.again(&visit, refused)?).await,
    }
}

async fn edit_of(visit: &Visit, id: &str, member: &str, sent: &Sent) -> Result<(), Refused> {
    let book = Book::of(visit, id);
    let before = book.user(member).await?;
    // What was not touched stays as the directory has told it: a name of two parts, or several addresses.
    let changed = |field: &str, before: &str| Some(sent.get(field)).filter(|now| *now != before).map(str::to_owned);
    let email = |email: String| match email.as_str() {
        "" => set("emails", ""),
        _ => replace("emails", json!([{"value": email, "type": "work", "primary": true}])),
    };
    let operations = [
        changed("user_name", &before.user_name).map(|name| replace("userName", name)),
        changed("name", &before.name()).map(|name| set("displayName", &name)),
        changed("external_id", &before.external_id).map(|id| set("externalId", &id)),
        changed("title", &before.title).map(|title| set("title", &title)),
        changed("email", before.email()).map(email),
    ];
    let operations: Vec<_> = operations.into_iter().flatten().collect();
    if operations.is_empty() {
        return Ok(());
    }
    book.change_user(member, operations).await
}

/// What pages about an act on a member begin with.
struct About {
    it: Workspace,
    portal: Portal,
    groups: Groups,
    back: String,
}

async fn about(visit: &Visit, id: &str, member: &str) -> Result<About, Shown> {
    let it = workspace(visit, id).await?;
    let portal = portal(visit, id, member).await?;
    Ok(About { it, portal, groups: Groups::of(visit, id).await.or_show(visit)?, back: page_of(id, member) })
}

impl About {
    fn show(&self, visit: &Visit, confirm: Confirm, filled: &Filled) -> Answer {
        let title = format!("{} · {}", confirm.act, self.portal.name);
        let mut head = below(visit, &title, &self.it);
        head.above.push((self.portal.name.clone(), self.back.clone()));
        Confirm { back: self.back.clone(), ..confirm }.show(visit, head, filled)
    }

    /// What they may open now, in a sentence.
    fn open(&self, t: Texts) -> String {
        let open = self.portal.items.iter().filter(|item| item.decision == Decision::Open);
        listed(t, open.map(|item| item.name.as_str()))
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct MoveQuery {
    to: String,
    only: String,
}

async fn confirm_move(visit: Visit, Path((id, member)): Of, Query(query): Query<MoveQuery>) -> Answer {
    show_move(&visit, &id, &member, &query, &Filled::default()).await
}

/// The departments that list a member themselves, other than one.
async fn others(
    visit: &Visit,
    (id, member): (&str, &str),
    groups: &Groups,
    than: &str,
) -> Result<Vec<String>, Refused> {
    let user = Book::of(visit, id).user(member).await?;
    let direct = user.groups.into_iter().filter(InGroup::is_direct).map(|group| group.value);
    Ok(direct.filter(|group| group != than && is_department(groups, group)).collect())
}

/// Whether members can be moved there: into a tag they are only put, and stay in their departments.
fn is_department(groups: &Groups, id: &str) -> bool {
    groups.get(id).is_some_and(|group| group.kind == GroupKind::Department)
}

async fn show_move(visit: &Visit, id: &str, member: &str, query: &MoveQuery, filled: &Filled) -> Answer {
    let t = visit.t;
    let about = about(visit, id, member).await?;
    let (name, groups) = (&about.portal.name, &about.groups);
    let mut confirm = Confirm {
        act: t.ws_put_into().into(),
        effects: vec![t.ws_put_into_effect(name, groups.path(&query.to))],
        hidden: vec![("to", query.to.clone())],
        ..Confirm::default()
    };
    if !query.only.is_empty() && is_department(groups, &query.to) {
        let left = others(visit, (id, member), groups, &query.to).await.or_show(visit)?;
        let left: Vec<&str> = left.iter().map(String::as_str).collect();
        confirm.act = t.ws_move().into();
        confirm.hidden.push(("only", "on".into()));
        if !left.is_empty() {
            confirm.effects.push(t.ws_taken_out_effect(name, listed(t, left.iter().map(|id| groups.name(id)))));
        }
        let lost = only_by(&about.portal, &left);
        if !lost.is_empty() {
            confirm.cautions.push(t.ws_lost_unless(listed(t, lost), groups.name(&query.to)));
        }
    }
    about.show(visit, confirm, filled)
}

async fn move_into(visit: Visit, Path((id, member)): Of, sent: Sent) -> Answer {
    match moved(&visit, &id, &member, &sent).await {
        Ok(()) => done(&page_of(&id, &member), visit.t.ws_moved()),
        Err(refused) => {
            let query = MoveQuery { to: sent.get("to").into(), only: sent.get("only").into() };
            show_move(&visit, &id, &member, &query, &sent.again(&visit, refused)?).await
        }
    }
}

/// Puts a member into a department before they leave the others: at no moment are they in none.
async fn moved(visit: &Visit, id: &str, member: &str, sent: &Sent) -> Result<(), Refused> {
    let (book, to) = (Book::of(visit, id), sent.get("to"));
    book.put_into(to, member, false).await?;
    let groups = Groups::of(visit, id).await?;
    if sent.is_on("only") && is_department(&groups, to) {
        for group in others(visit, (id, member), &groups, to).await? {
            book.take_out(&group, member).await?;
        }
    }
    Ok(())
}

type OfGroup = Path<(String, String, String)>;

async fn confirm_take(visit: Visit, Path((id, member, group)): OfGroup) -> Answer {
    show_take(&visit, (&id, &member, &group), &Filled::default()).await
}

async fn show_take(visit: &Visit, (id, member, group): (&str, &str, &str), filled: &Filled) -> Answer {
    let t = visit.t;
    let about = about(visit, id, member).await?;
    let lost = only_by(&about.portal, &[group]);
    let effect = match lost.as_slice() {
        [] => t.ws_nothing_lost().to_owned(),
        _ => t.ws_lost(listed(t, lost)),
    };
    let confirm = Confirm {
        act: t.ws_take_out().into(),
        effects: vec![t.ws_taken_out_effect(&about.portal.name, about.groups.name(group)), effect],
        is_dangerous: true,
        ..Confirm::default()
    };
    about.show(visit, confirm, filled)
}

async fn take(visit: Visit, Path((id, member, group)): OfGroup, sent: Sent) -> Answer {
    match Book::of(&visit, &id).take_out(&group, &member).await {
        Ok(()) => done(&page_of(&id, &member), visit.t.ws_moved()),
        Err(refused) => show_take(&visit, (&id, &member, &group), &sent.again(&visit, refused)?).await,
    }
}

async fn confirm_suspend(visit: Visit, Path((id, member)): Of) -> Answer {
    show_suspend(&visit, &id, &member, &Filled::default()).await
}

async fn show_suspend(visit: &Visit, id: &str, member: &str, filled: &Filled) -> Answer {
    let t = visit.t;
    let about = about(visit, id, member).await?;
    let mut effects = vec![t.ws_suspend_effect(&about.portal.name), t.ws_suspend_stays().into()];
    let open = about.open(t);
    if !open.is_empty() {
        effects.insert(1, t.ws_lost(open));
    }
    let confirm = Confirm { act: t.ws_suspend().into(), effects, is_dangerous: true, ..Confirm::default() };
    about.show(visit, confirm, filled)
}

async fn suspend(visit: Visit, Path((id, member)): Of, sent: Sent) -> Answer {
    match Book::of(&visit, &id).change_user(&member, vec![replace("active", false)]).await {
        Ok(()) => done(&page_of(&id, &member), visit.t.ws_suspended_now()),
        Err(refused) => show_suspend(&visit, &id, &member, &sent.again(&visit, refused)?).await,
    }
}

async fn resume(visit: Visit, Path((id, member)): Of) -> Answer {
    Book::of(&visit, &id).change_user(&member, vec![replace("active", true)]).await.or_show(&visit)?;
    done(&page_of(&id, &member), visit.t.ws_resumed())
}

async fn confirm_sign_out(visit: Visit, Path((id, member)): Of) -> Answer {
    show_sign_out(&visit, &id, &member, &Filled::default()).await
}

async fn show_sign_out(visit: &Visit, id: &str, member: &str, filled: &Filled) -> Answer {
    let t = visit.t;
    let about = about(visit, id, member).await?;
    let confirm = Confirm {
        act: t.ws_sign_out().into(),
        effects: vec![t.ws_sign_out_effect(&about.portal.name)],
        is_dangerous: true,
        command: format!("berth workspace end-sign-ons {id} {member}"),
        ..Confirm::default()
    };
    about.show(visit, confirm, filled)
}

async fn sign_out(visit: Visit, Path((id, member)): Of, sent: Sent) -> Answer {
    match sign_out_of(&visit, &id, &member).await {
        Ok(SignOnsEnded { ended }) => done(&page_of(&id, &member), &visit.t.ws_signed_out(ended)),
        Err(refused) => show_sign_out(&visit, &id, &member, &sent.again(&visit, refused)?).await,
    }
}

async fn sign_out_of(visit: &Visit, id: &str, member: &str) -> Result<SignOnsEnded, Refused> {
    let who = EndMemberSignOns { member: read("member", member)? };
    visit.api.tell(Method::POST, &at!("/v1/workspaces/{}/sign-ons/end", id), &who).await
}

async fn confirm_remove(visit: Visit, Path((id, member)): Of) -> Answer {
    show_remove(&visit, &id, &member, &Filled::default()).await
}

async fn show_remove(visit: &Visit, id: &str, member: &str, filled: &Filled) -> Answer {
    let t = visit.t;
    let about = about(visit, id, member).await?;
    let user = Book::of(visit, id).user(member).await.or_show(visit)?;
    let direct = user.groups.iter().filter(|group| group.is_direct()).map(|group| group.display.as_str());
    let direct: Vec<&str> = direct.collect();
    let mut effects = vec![t.ws_remove_effect(&about.portal.name)];
    if !direct.is_empty() {
        effects.push(t.ws_taken_out_effect(&about.portal.name, listed(t, direct)));
    }
    let open = about.open(t);
    if !open.is_empty() {
        effects.push(t.ws_lost(open));
    }
    let cautions = vec![t.ws_remove_or_suspend().into()];
    let confirm = Confirm { act: t.remove().into(), effects, cautions, is_dangerous: true, ..Confirm::default() };
    about.show(visit, confirm, filled)
}

async fn remove(visit: Visit, Path((id, member)): Of, sent: Sent) -> Answer {
    match Book::of(&visit, &id).remove_user(&member).await {
        Ok(()) => done(&at!("/ui/workspaces/{}/members", id), visit.t.ws_member_removed()),
        Err(refused) => show_remove(&visit, &id, &member, &sent.again(&visit, refused)?).await,
    }
}
