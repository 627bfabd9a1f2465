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
    /// What is given now, or what was ticked before a refusal. What nobody has touched in the form is as it is now, as others
    /// may have given it or taken it away meanwhile: what they have taken away is ticked no more, and a member from whom it
    /// was taken is not there at all.
    pub fn of(
        access: &Access,
        groups: &Groups,
        contacts: &[Contact],
        names: &BTreeMap<String, String>,
        filled: &Filled,
    ) -> Self {
        // Other forms of the page tick nothing here.
        let was_sent = filled.is_on("access");
        let was: Option<Access> = serde_json::from_str(filled.get("access_was")).ok();
        let choice = |field: &str, id: &str, name: &str| {
            let sent = was_sent.then(|| filled.has(field, id));
            let before = was.as_ref().map(|was| is_given(was, field, id));
            let is_on = is_ticked(sent, before, is_given(access, field, id));
            Choice { id: id.to_owned(), name: name.to_owned(), is_on }
        };
        // A form that leaves something out takes it away: what is given stands in it, though pages know the first ones only.
        let unknown = |field: &'static str, ids: Vec<&str>, known: &[Choice]| -> Vec<Choice> {
            let ids = ids.into_iter().filter(|id| !known.iter().any(|choice| choice.id == *id));
            ids.map(|id| choice(field, id, id)).collect()
        };
        let departments = groups.departments().into_iter();
        let mut departments: Vec<_> = departments.map(|(id, path)| choice("departments", id, &path)).collect();
        departments.extend(unknown(
            "departments",
            access.departments.iter().map(|id| id.as_str()).collect(),
            &departments,
        ));
        let mut tags: Vec<_> = groups.tags().map(|tag| choice("tags", tag.id.as_str(), &tag.name)).collect();
        tags.extend(unknown("tags", access.tags.iter().map(|id| id.as_str()).collect(), &tags));
        let members = access.members.iter().map(|member| {
            let id = member.as_str();
            choice("members", id, names.get(id).map_or(id, String::as_str))
        });
        let known = contacts.iter().map(|contact| choice("contacts", contact.id.as_str(), &contact.name));
        let mut contacts: Vec<_> = known.collect();
        contacts.extend(unknown("contacts", access.contacts.iter().map(|id| id.as_str()).collect(), &contacts));
        let everyone = was_sent.then(|| filled.is_on("everyone"));
        Self {
            everyone: is_ticked(everyone, was.as_ref().map(|was| was.everyone), access.everyone),
            members: members.collect(),
            departments,
            tags,
            contacts,
        }
    }
}

/// Whether something is given to one of those whom a field of the form ticks.
fn is_given(access: &Access, field: &str, id: &str) -> bool {
    match field {
        "departments" => access.departments.iter().any(|given| given.as_str() == id),
        "tags" => access.tags.iter().any(|given| given.as_str() == id),
        "members" => access.members.iter().any(|given| given.as_str() == id),
        _ => access.contacts.iter().any(|given| given.as_str() == id),
    }
}

/// Whether a box is ticked that was sent so, in a form in which it was ticked before or not, for what is given now or not.
fn is_ticked(sent: Option<bool>, before: Option<bool>, is_given: bool) -> bool {
    match sent {
        Some(sent) if before != Some(sent) => sent,
        _ => is_given,
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
    visit.api.only_if(sent.get("access_tag")).act(Method::PUT, &(path_of(id, item) + "/access"), &access).await
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::*;

    fn member(last: char) -> String {
        format!("mem_{}{last}", "0".repeat(25))
    }

    fn given(members: &[&str], everyone: bool) -> Access {
        Access { everyone, members: members.iter().map(|id| id.parse().unwrap()).collect(), ..Access::default() }
    }

    /// Who is ticked, and whether everyone is, when this was sent by a form that was made of `was`, and `now` is there.
    fn ticked(now: &Access, was: Option<&Access>, sent: &[(&str, &str)]) -> (Vec<(String, bool)>, bool) {
        let mut values = vec![("access".to_owned(), "set".to_owned())];
        values.extend(was.map(|was| ("access_was".to_owned(), serde_json::to_string(was).unwrap())));
        values.extend(sent.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let choices = Choices::of(now, &Groups::default(), &[], &BTreeMap::new(), &Filled::with(values));
        (choices.members.into_iter().map(|one| (one.id, one.is_on)).collect(), choices.everyone)
    }

    #[test]
    fn p24_what_nobody_has_touched_is_as_it_is_now_and_what_was_ticked_stays() {
        let (ann, bob) = (member('1'), member('2'));
        let was = given(&[&ann], false);
        let kept = [("members", ann.as_str())];
        let both = given(&[&ann, &bob], false);
        assert_eq!(
            ticked(&both, Some(&was), &kept).0,
            [(ann.clone(), true), (bob.clone(), true)],
            "Bob was given it meanwhile"
        );
        assert_eq!(
            ticked(&both, Some(&was), &[]).0,
            [(ann.clone(), false), (bob.clone(), true)],
            "Ann was taken out here"
        );
        assert!(ticked(&given(&[], false), Some(&was), &kept).0.is_empty(), "Ann was taken out meanwhile");
        assert!(ticked(&was, Some(&was), &[("everyone", "")]).1);
        assert!(ticked(&given(&[], true), Some(&was), &[]).1, "everyone was given it meanwhile");
        assert_eq!(
            ticked(&was, None, &[]),
            (vec![(ann, false)], false),
            "a form that does not say what it was made of"
        );
    }
}
