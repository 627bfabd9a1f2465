//! What is done to a member: moved, taken out, suspended, signed out, removed. Each page says first what they lose by it.

use axum::{
    Router,
    extract::{Path, Query},
    http::Method,
    routing::{get, post},
};
use serde::Deserialize;

use berth_model::{
    oidc::{EndMemberSignOns, SignOnsEnded},
    workspace::{Because, Decision, GroupKind, Portal, Workspace},
};

use super::{
    super::{
        book::{Book, Groups, InGroup, replace},
        listed,
        portal::provider,
        workspace,
    },
    Of, below,
    one::portal,
    page_of,
};
use crate::{
    Console,
    act::{Confirm, Sent},
    frame::done,
    parts::Filled,
    path::at,
    refused::{Refused, not_found, read},
    texts::Texts,
    visit::{Answer, OrShow, Shown, Visit},
};

pub fn routes() -> Router<Console> {
    Router::new()
        .route("/ui/workspaces/{id}/members/{member}/move", get(confirm_move).post(move_into))
        .route("/ui/workspaces/{id}/members/{member}/groups/{group}/take", get(confirm_take).post(take))
        .route("/ui/workspaces/{id}/members/{member}/suspend", get(confirm_suspend).post(suspend))
        .route("/ui/workspaces/{id}/members/{member}/resume", post(resume))
        .route("/ui/workspaces/{id}/members/{member}/sign-out", get(confirm_sign_out).post(sign_out))
        .route("/ui/workspaces/{id}/members/{member}/forget", get(confirm_forget).post(forget))
        .route("/ui/workspaces/{id}/members/{member}/remove", get(confirm_remove).post(remove))
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
        hidden: vec![("to".into(), query.to.clone())],
        ..Confirm::default()
    };
    if !query.only.is_empty() && is_department(groups, &query.to) {
        let left = others(visit, (id, member), groups, &query.to).await.or_show(visit)?;
        let left: Vec<&str> = left.iter().map(String::as_str).collect();
        confirm.act = t.ws_move().into();
        confirm.hidden.push(("only".into(), "on".into()));
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

async fn confirm_forget(visit: Visit, Path((id, member)): Of) -> Answer {
    show_forget(&visit, &id, &member, &Filled::default()).await
}

async fn show_forget(visit: &Visit, id: &str, member: &str, filled: &Filled) -> Answer {
    let t = visit.t;
    let about = about(visit, id, member).await?;
    let provider = provider(visit, id).await.or_show(visit)?;
    let Some(provider) = provider else { return Err(visit.refuse(not_found())) };
    let name = &about.portal.name;
    let confirm = Confirm {
        act: t.ws_forget().into(),
        effects: vec![t.ws_forget_sign_ons(name), t.ws_forget_effect(name, provider.provider.name)],
        cautions: vec![t.ws_forget_when().into()],
        is_dangerous: true,
        command: format!("berth workspace provider forget {id} {member}"),
        ..Confirm::default()
    };
    about.show(visit, confirm, filled)
}

async fn forget(visit: Visit, Path((id, member)): Of, sent: Sent) -> Answer {
    let subject = at!("/v1/workspaces/{}/members/{}/provider-subject", id, member);
    match visit.api.just(Method::DELETE, &subject).await {
        Ok(()) => done(&page_of(&id, &member), visit.t.ws_forgotten()),
        Err(refused) => show_forget(&visit, &id, &member, &sent.again(&visit, refused)?).await,
    }
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
