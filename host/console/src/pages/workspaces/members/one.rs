//! The page of a member: what they are in, what they may open and why.

use axum::{Router, extract::Path, routing::get};

use berth_model::{
    access::Action,
    workspace::{Because, Decision, GroupKind, Portal, PortalItem, Workspace},
};

use super::{
    super::{
        book::{Book, Groups, User, may_keep, replace, set, set_email},
        departments::by_user_name,
        portal::provider,
        scope, workspace,
    },
    Of, below, page_of,
};
use crate::{
    Console,
    act::Sent,
    frame::done,
    parts::Filled,
    path::at,
    refused::Refused,
    texts::Texts,
    visit::{Answer, OrShow, Shown, Visit},
};

pub fn routes() -> Router<Console> {
    Router::new().route("/ui/workspaces/{id}/members/{member}", get(one).post(edit))
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
    /// Whether members sign in at a provider, and the visitor may have it forgotten who this one is there.
    may_forget: bool,
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
fn reason(t: Texts, groups: &Groups, because: &Because) -> String {
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
pub async fn portal(visit: &Visit, id: &str, member: &str) -> Result<Portal, Shown> {
    visit.api.get(&at!("/v1/workspaces/{}/portal?all=true&member={}", id, member)).await.or_show(visit)
}

async fn one(visit: Visit, Path((id, member)): Of) -> Answer {
    show(&visit, &id, &member, &Filled::default()).await
}

pub async fn show(visit: &Visit, id: &str, member: &str, filled: &Filled) -> Answer {
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
    let may_forget = visit.can(Action::Configure, &scope(&it)) && provider(visit, id).await.or_show(visit)?.is_some();
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
        may_forget,
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
    let operations = [
        changed("user_name", &before.user_name).map(|name| replace("userName", name)),
        changed("name", &before.name()).map(|name| set("displayName", &name)),
        changed("external_id", &before.external_id).map(|id| set("externalId", &id)),
        changed("title", &before.title).map(|title| set("title", &title)),
        changed("email", before.email()).map(|email| set_email(before.email(), &email)),
    ];
    let operations: Vec<_> = operations.into_iter().flatten().collect();
    if operations.is_empty() {
        return Ok(());
    }
    book.change_user(member, operations).await
}
