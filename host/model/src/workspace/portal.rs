//! What a member or an external contact may open, and why: one decision for all who ask (W2–W4). Pure.

use berth_base::{
    error::{Error, Result},
    ids::{ContactId, GroupId, MemberId},
    text::text_enum,
};
use serde::{Deserialize, Serialize};

use super::{ApplicationKind, GroupKind, Item, ItemKind, SubjectKind};

/// A department or a tag that a member is in.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "sql", derive(sqlx::FromRow))]
pub struct Membership {
    /// The department or tag.
    pub group_id: String,
    /// What it is.
    pub kind: GroupKind,
    /// Its name.
    pub name: String,
    /// The one that lists the member, by which they are in this one: another one, or this one itself.
    pub through_id: String,
    /// The name of that.
    pub through_name: String,
}

/// Who asks what they may open.
#[derive(Clone, Debug)]
pub enum Who<'a> {
    /// A member, and every department and tag that they are in, themselves or by another one.
    Member {
        /// Id of the member.
        id: &'a MemberId,
        /// Whether they may use what the workspace has.
        active: bool,
        /// What they are in.
        groups: &'a [Membership],
    },
    /// An external contact.
    Contact(&'a ContactId),
}

/// That an item is given to somebody.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "sql", derive(sqlx::FromRow))]
pub struct Grant {
    /// The application or MiniApp.
    pub item_id: String,
    /// To what it is given.
    pub subject_kind: SubjectKind,
    /// The id of that; empty for everyone.
    pub subject_id: String,
}

/// One reason why somebody may open an item.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
#[schema(as = WorkspaceBecause)]
pub struct Because {
    /// To what the item is given.
    pub kind: SubjectKind,
    /// The id of the department, tag, member or contact; absent for everyone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The name of the department or tag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The department that lists the member and is in that one, at any depth, or has that tag; absent when they are listed
    /// there themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub through: Option<GroupId>,
    /// The name of that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub through_name: Option<String>,
    /// The reason in words.
    pub words: String,
}

text_enum! {
    /// Whether somebody may open an item, and if not, why not.
    #[schema(as = AccessDecision)]
    Decision {
        /// They may.
        Open = "open",
        /// It is given to nothing that they are, or are in.
        NotGiven = "not_given",
        /// They are not active.
        Inactive = "inactive",
        /// The MiniApp has no online version, or is off the shelf.
        NotOnline = "not_online",
        /// It is an application, and they are no member (W4).
        MembersOnly = "members_only",
    }
}

/// Whose portal is asked for: of a member or of an external contact.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PortalQuery {
    /// The member, by their id.
    #[serde(default)]
    pub member: Option<MemberId>,
    /// The external contact, by their id.
    #[serde(default)]
    pub contact: Option<ContactId>,
    /// Also what they may not open, and why not.
    #[serde(default)]
    pub all: Option<bool>,
}

impl PortalQuery {
    /// Whose portal it is.
    ///
    /// # Errors
    /// `invalid-field` unless it names exactly one.
    pub fn whose(&self) -> Result<Result<&MemberId, &ContactId>> {
        match (&self.member, &self.contact) {
            (Some(member), None) => Ok(Ok(member)),
            (None, Some(contact)) => Ok(Err(contact)),
            _ => Err(Error::parameter("member", "name a member or a contact, and not both.")),
        }
    }
}

/// What somebody may open in a workspace.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[schema(as = WorkspacePortal)]
pub struct Portal {
    /// The id of the member or the contact.
    pub whose: String,
    /// The name that people see.
    pub name: String,
    /// What they may open, by name; with `all` also what not.
    pub items: Vec<PortalItem>,
}

/// An application or a MiniApp in a portal.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[schema(as = WorkspacePortalItem)]
pub struct PortalItem {
    /// Id of the application or the MiniApp.
    pub id: String,
    /// Which of both it is.
    pub kind: ItemKind,
    /// What an application is; absent for a MiniApp.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub form: Option<ApplicationKind>,
    /// The name that people see.
    pub name: String,
    /// What it is for; absent when nobody has said it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// The address that an application opens; absent for a MiniApp, which the host app opens by its id.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub url: String,
    /// Whether they may open it.
    pub decision: Decision,
    /// Each reason why they may; empty when they may not.
    pub why: Vec<Because>,
}

/// Decides about one item, to which `grants` give access.
pub fn decide(item: &Item, grants: &[&Grant], who: &Who<'_>) -> PortalItem {
    let why: Vec<_> = grants.iter().flat_map(|grant| reasons(grant, who)).collect();
    let decision = match who {
        Who::Contact(_) if item.kind == ItemKind::Application => Decision::MembersOnly,
        Who::Member { active: false, .. } => Decision::Inactive,
        _ if why.is_empty() => Decision::NotGiven,
        _ if !item.online => Decision::NotOnline,
        _ => Decision::Open,
    };
    PortalItem {
        id: item.id.clone(),
        kind: item.kind,
        form: item.form,
        name: item.name.clone(),
        description: item.description.clone(),
        url: if decision == Decision::Open { item.url.clone() } else { String::new() },
        decision,
        why: if decision == Decision::Open { why } else { Vec::new() },
    }
}

/// Why a grant is about somebody. A member may be in a department by several others; one reason each.
fn reasons(grant: &Grant, who: &Who<'_>) -> Vec<Because> {
    let is = |own: &str| grant.subject_id == own;
    let plain = |words: &str| {
        let id = (!grant.subject_id.is_empty()).then(|| grant.subject_id.clone());
        vec![Because {
            kind: grant.subject_kind,
            id,
            name: None,
            through: None,
            through_name: None,
            words: words.into(),
        }]
    };
    match (grant.subject_kind, who) {
        (SubjectKind::Everyone, Who::Member { .. }) => plain("it is for everyone in the workspace"),
        (SubjectKind::Member, Who::Member { id, .. }) if is(id.as_str()) => plain("it is given to them by name"),
        (SubjectKind::Contact, Who::Contact(id)) if is(id.as_str()) => plain("it is shared with them"),
        (SubjectKind::Department | SubjectKind::Tag, Who::Member { groups, .. }) => {
            let own = groups.iter().filter(|group| is(&group.group_id) && fits(grant.subject_kind, group.kind));
            own.map(|group| by_group(grant.subject_kind, group)).collect()
        }
        _ => Vec::new(),
    }
}

fn fits(subject: SubjectKind, group: GroupKind) -> bool {
    (subject == SubjectKind::Department) == (group == GroupKind::Department)
}

fn by_group(kind: SubjectKind, group: &Membership) -> Because {
    let (name, through) = (&group.name, &group.through_name);
    let is_listed = group.through_id == group.group_id;
    let words = match (group.kind, is_listed) {
        (GroupKind::Department, true) => format!("they are in {name}"),
        (GroupKind::Department, false) => format!("they are in {through}, which is in {name}"),
        (GroupKind::Tag, true) => format!("they have the tag {name}"),
        (GroupKind::Tag, false) => format!("they are in {through}, which has the tag {name}"),
    };
    let other = (!is_listed).then(|| through.clone());
    let through = if is_listed { None } else { group.through_id.parse().ok() };
    Because { kind, id: Some(group.group_id.clone()), name: Some(name.clone()), through, through_name: other, words }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::*;
    use berth_base::clock::Millis;

    fn id(prefix: &str, digit: u8) -> String {
        format!("{prefix}_{}", digit.to_string().repeat(26))
    }

    fn item(kind: ItemKind, online: bool) -> Item {
        let (id, url) = ("coffee".to_owned(), "https://wiki.example.com/".to_owned());
        let form = (kind == ItemKind::Application).then_some(ApplicationKind::Link);
        let text = String::new();
        Item { id, kind, form, name: "Coffee".into(), description: text, url, online, added_at: Millis(0) }
    }

    fn group(own: u8, kind: GroupKind, through: u8) -> Membership {
        let name = |digit: u8| format!("G{digit}");
        let (group_id, through_id) = (id("grp", own), id("grp", through));
        Membership { group_id, kind, name: name(own), through_id, through_name: name(through) }
    }

    fn grant(subject_kind: SubjectKind, subject_id: &str) -> Grant {
        Grant { item_id: "coffee".into(), subject_kind, subject_id: subject_id.into() }
    }

    fn decided(item: &Item, grants: &[Grant], who: &Who<'_>) -> (Decision, Vec<String>) {
        let answer = decide(item, &grants.iter().collect::<Vec<_>>(), who);
        (answer.decision, answer.why.into_iter().map(|because| because.words).collect())
    }

    #[test]
    fn w2_w3_access_by_department_tag_and_member_is_explained() {
        let member: MemberId = id("mem", 1).parse().unwrap();
        let groups = [
            group(1, GroupKind::Department, 1),
            group(2, GroupKind::Department, 1),
            group(3, GroupKind::Tag, 3),
            group(4, GroupKind::Tag, 1),
        ];
        let who = Who::Member { id: &member, active: true, groups: &groups };
        let wiki = item(ItemKind::Application, true);
        use SubjectKind::{Department, Everyone, Member, Tag};
        for (grant, expected) in [
            (grant(Everyone, ""), Some("it is for everyone in the workspace")),
            (grant(Member, &id("mem", 1)), Some("it is given to them by name")),
            (grant(Member, &id("mem", 2)), None),
            (grant(Department, &id("grp", 1)), Some("they are in G1")),
            (grant(Department, &id("grp", 2)), Some("they are in G1, which is in G2")),
            (grant(Department, &id("grp", 9)), None),
            (grant(Department, &id("grp", 3)), None),
            (grant(Tag, &id("grp", 3)), Some("they have the tag G3")),
            (grant(Tag, &id("grp", 4)), Some("they are in G1, which has the tag G4")),
            (grant(Tag, &id("grp", 1)), None),
        ] {
            let (decision, why) = decided(&wiki, std::slice::from_ref(&grant), &who);
            assert_eq!(why, expected.map(str::to_owned).into_iter().collect::<Vec<_>>(), "{grant:?}");
            assert_eq!(decision == Decision::Open, expected.is_some(), "{grant:?}");
        }
        let all = [grant(Everyone, ""), grant(Department, &id("grp", 2))];
        assert_eq!(decided(&wiki, &all, &who).1.len(), 2, "each reason is told");
    }

    #[test]
    fn w1_w4_what_is_not_online_nobody_opens_and_applications_no_contact() {
        let (member, contact): (MemberId, ContactId) = (id("mem", 1).parse().unwrap(), id("ext", 1).parse().unwrap());
        let active = Who::Member { id: &member, active: true, groups: &[] };
        let left = Who::Member { id: &member, active: false, groups: &[] };
        let outside = Who::Contact(&contact);
        let all = [grant(SubjectKind::Everyone, ""), grant(SubjectKind::Contact, &id("ext", 1))];
        let (wiki, coffee, gone) =
            (item(ItemKind::Application, true), item(ItemKind::MiniApp, true), item(ItemKind::MiniApp, false));
        assert_eq!(decided(&coffee, &all, &active).0, Decision::Open);
        assert_eq!(decided(&gone, &all, &active).0, Decision::NotOnline);
        assert_eq!(decided(&coffee, &all, &left), (Decision::Inactive, vec![]));
        assert_eq!(decided(&coffee, &all, &outside), (Decision::Open, vec!["it is shared with them".into()]));
        assert_eq!(decided(&coffee, &all[..1], &outside).0, Decision::NotGiven, "everyone means every member");
        assert_eq!(decided(&wiki, &all, &outside), (Decision::MembersOnly, vec![]));
        assert!(decide(&wiki, &[], &active).url.is_empty(), "whoever may not open it is not told its address");
    }
}
