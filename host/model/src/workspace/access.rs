//! To whom an application or a linked MiniApp is given (W2, W4).

use std::collections::BTreeSet;

use berth_base::{
    error::{Code, Error, Result},
    ids::{ContactId, GroupId, MemberId, WorkspaceId},
    text::text_enum,
};
use serde::{Deserialize, Serialize};

use super::ItemKind;

/// How many departments, tags, members and contacts an item may be given to, together.
pub const MOST_SUBJECTS: usize = 1000;

text_enum! {
    /// To what an item may be given.
    SubjectKind {
        /// All members of the workspace.
        Everyone = "everyone",
        /// The members of a department, and of those in it, at any depth.
        Department = "department",
        /// Those who have a tag, themselves or by a department.
        Tag = "tag",
        /// One member.
        Member = "member",
        /// One external contact.
        Contact = "contact",
    }
}

/// One of those to whom an item is given.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Subject {
    /// What it is.
    pub kind: SubjectKind,
    /// Its id; empty for everyone.
    pub id: String,
}

/// To whom an application or a linked MiniApp is given, as a whole. Nobody opens what is given to nobody.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = WorkspaceAccess)]
pub struct Access {
    /// Whether all members may open it.
    #[serde(default)]
    pub everyone: bool,
    /// The departments whose members may, with those of the departments in them.
    #[serde(default)]
    pub departments: BTreeSet<GroupId>,
    /// The tags whose members may.
    #[serde(default)]
    pub tags: BTreeSet<GroupId>,
    /// The members who may.
    #[serde(default)]
    pub members: BTreeSet<MemberId>,
    /// The external contacts with whom it is shared. Only MiniApps are.
    #[serde(default)]
    pub contacts: BTreeSet<ContactId>,
}

/// The access to an item changed.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = WorkspaceAccessChanged)]
pub struct AccessChanged {
    /// The workspace.
    pub workspace: WorkspaceId,
    /// The id of the application or the MiniApp.
    pub item: String,
    /// To whom it is given that it was not given to before.
    pub given: Access,
    /// From whom it was taken.
    pub taken: Access,
}

impl Access {
    /// Those to whom the item is given, one by one.
    pub fn subjects(&self) -> BTreeSet<Subject> {
        let of = |kind, id: &dyn ToString| Subject { kind, id: id.to_string() };
        let everyone = self.everyone.then(|| of(SubjectKind::Everyone, &""));
        let departments = self.departments.iter().map(|id| of(SubjectKind::Department, id));
        let tags = self.tags.iter().map(|id| of(SubjectKind::Tag, id));
        let members = self.members.iter().map(|id| of(SubjectKind::Member, id));
        let contacts = self.contacts.iter().map(|id| of(SubjectKind::Contact, id));
        everyone.into_iter().chain(departments).chain(tags).chain(members).chain(contacts).collect()
    }

    /// The whole of single ones.
    ///
    /// # Errors
    /// `invalid-id` for an id of another form.
    pub fn of(subjects: impl IntoIterator<Item = Subject>) -> Result<Self> {
        let mut access = Self::default();
        for Subject { kind, id } in subjects {
            match kind {
                SubjectKind::Everyone => access.everyone = true,
                SubjectKind::Department => drop(access.departments.insert(id.parse()?)),
                SubjectKind::Tag => drop(access.tags.insert(id.parse()?)),
                SubjectKind::Member => drop(access.members.insert(id.parse()?)),
                SubjectKind::Contact => drop(access.contacts.insert(id.parse()?)),
            }
        }
        Ok(access)
    }

    /// Refuses what no item of this kind is given.
    ///
    /// # Errors
    /// `workspace-internal` when an application would be shared with external contacts (W4); `invalid-field` for too many.
    pub fn check(&self, kind: ItemKind) -> Result<()> {
        if kind == ItemKind::Application && !self.contacts.is_empty() {
            let detail =
                "An application is for members of the workspace only. Link a MiniApp, and share that with contacts.";
            return Err(Error::new(Code::WorkspaceInternal, detail).with("pointer", "/contacts"));
        }
        let number = self.subjects().len();
        if number > MOST_SUBJECTS {
            let rule = format!("at most {MOST_SUBJECTS} together, not {number}. Use a department or a tag.");
            return Err(Error::field("members", rule));
        }
        Ok(())
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::*;

    fn id(prefix: &str) -> String {
        format!("{prefix}_{}", "0".repeat(26))
    }

    fn access() -> Access {
        Access {
            everyone: true,
            departments: [id("grp").parse().unwrap()].into(),
            tags: [id("grp").parse().unwrap()].into(),
            members: [id("mem").parse().unwrap()].into(),
            contacts: [id("ext").parse().unwrap()].into(),
        }
    }

    #[test]
    fn w2_access_is_the_same_as_its_parts() {
        assert_eq!(access().subjects().len(), 5);
        assert_eq!(Access::of(access().subjects()).unwrap(), access());
    }

    #[test]
    fn w4_an_application_is_shared_with_no_contact_and_a_mini_app_may_be() {
        assert_eq!(access().check(ItemKind::Application).unwrap_err().code, Code::WorkspaceInternal);
        assert!(access().check(ItemKind::MiniApp).is_ok());
    }
}
