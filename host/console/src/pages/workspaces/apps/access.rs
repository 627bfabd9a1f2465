//! To whom something is given, as a form that says it as a whole.

use std::collections::BTreeMap;

use axum::{Router, extract::Path, http::Method, routing::post};

use berth_model::workspace::{Access, Contact};

use super::{Of, page_of, path_of, show};
use crate::{
    Console,
    act::Sent,
    frame::done,
    pages::workspaces::{book::Groups, departments::by_user_name},
    parts::Filled,
    refused::{Refused, read},
    visit::{Answer, Visit},
};

pub fn routes() -> Router<Console> {
    Router::new().route("/ui/workspaces/{id}/apps/{item}/access", post(give))
}

/// Somebody to whom it may be given.
pub struct Choice {
    pub id: String,
    pub name: String,
    pub is_on: bool,
}

/// All to whom it may be given, as boxes to tick. Members are many: only those are here to whom it is given already.
pub struct Choices {
    pub everyone: bool,
    pub departments: Vec<Choice>,
    pub tags: Vec<Choice>,
    pub members: Vec<Choice>,
    pub contacts: Vec<Choice>,
}

impl Choices {
    /// What is given now, or what was ticked before a refusal.
    pub fn of(
        access: &Access,
        groups: &Groups,
        contacts: &[Contact],
        names: &BTreeMap<String, String>,
        filled: &Filled,
    ) -> Self {
        // Other forms of the page tick nothing here.
        let was_sent = filled.is_on("access");
        let choice = |field: &str, id: &str, name: &str, given: bool| {
            let is_on = if was_sent { filled.has(field, id) } else { given };
            Choice { id: id.to_owned(), name: name.to_owned(), is_on }
        };
        // A form that leaves something out takes it away: what is given stands in it, though pages know the first ones only.
        let unknown = |field: &'static str, ids: Vec<&str>, known: &[Choice]| -> Vec<Choice> {
            let ids = ids.into_iter().filter(|id| !known.iter().any(|choice| choice.id == *id));
            ids.map(|id| choice(field, id, id, true)).collect()
        };
        let given = |group: &str| access.departments.iter().any(|given| given.as_str() == group);
        let departments = groups.departments().into_iter();
        let mut departments: Vec<_> =
            departments.map(|(id, path)| choice("departments", id, &path, given(id))).collect();
        departments.extend(unknown(
            "departments",
            access.departments.iter().map(|id| id.as_str()).collect(),
            &departments,
        ));
        let tags = groups.tags().map(|tag| choice("tags", tag.id.as_str(), &tag.name, access.tags.contains(&tag.id)));
        let mut tags: Vec<_> = tags.collect();
        tags.extend(unknown("tags", access.tags.iter().map(|id| id.as_str()).collect(), &tags));
        let members = access.members.iter().map(|member| {
            let id = member.as_str();
            choice("members", id, names.get(id).map_or(id, String::as_str), true)
        });
        let known = contacts.iter().map(|contact| {
            choice("contacts", contact.id.as_str(), &contact.name, access.contacts.contains(&contact.id))
        });
        let mut contacts: Vec<_> = known.collect();
        contacts.extend(unknown("contacts", access.contacts.iter().map(|id| id.as_str()).collect(), &contacts));
        Self {
            everyone: if was_sent { filled.is_on("everyone") } else { access.everyone },
            members: members.collect(),
            departments,
            tags,
            contacts,
        }
    }
}

async fn give(visit: Visit, Path((id, item)): Of, sent: Sent) -> Answer {
    match give_of(&visit, &id, &item, &sent).await {
        Ok(()) => done(&page_of(&id, &item), visit.t.ws_given()),
        Err(refused) => show(&visit, &id, &item, None, &sent.again(&visit, refused)?).await,
    }
}

async fn give_of(visit: &Visit, id: &str, item: &str, sent: &Sent) -> Result<(), Refused> {
    let mut access = Access { everyone: sent.is_on("everyone"), ..Access::default() };
    for group in sent.all("departments") {
        access.departments.insert(read("departments", group)?);
    }
    for group in sent.all("tags") {
        access.tags.insert(read("tags", group)?);
    }
    for member in sent.all("members") {
        access.members.insert(read("members", member)?);
    }
    for contact in sent.all("contacts") {
        access.contacts.insert(read("contacts", contact)?);
    }
    for name in sent.lines("more") {
        access.members.insert(by_user_name(visit, id, "more", name).await?.id);
    }
    visit.api.act(Method::PUT, &(path_of(id, item) + "/access"), &access).await
}
