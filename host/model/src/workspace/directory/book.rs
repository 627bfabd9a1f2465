//! An address book as a directory has it: people, a tree of departments, tags. What stands in a workspace is told in the same form,
//! so that the two can be compared.

use std::{
    collections::{BTreeMap, BTreeSet, btree_map::Entry},
    fmt,
};

use berth_base::text;

use crate::workspace::scim::resource::user_name;

/// How deep departments are in each other, at most, as for SCIM.
const DEEPEST: usize = 32;
/// How many departments and tags a workspace has, at most, as for SCIM.
const MOST_GROUPS: usize = 20_000;
/// How many members are brought, at most.
const MOST_MEMBERS: usize = 200_000;
/// How many characters of a name are kept.
const LONGEST: usize = 256;

/// A person. What the directory does not tell is `None`, and stays as it was told before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Person {
    /// The id there, which is the name by which the person logs in.
    pub id: String,
    /// The name that people see.
    pub name: Option<String>,
    /// What the person does.
    pub title: Option<String>,
    /// The address of the mailbox that the organisation gave.
    pub mail: Option<String>,
    /// Whether the person may use what the workspace has.
    pub active: bool,
    /// The ids of the departments that list the person.
    pub departments: BTreeSet<String>,
}

/// A department.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Department {
    /// Its name.
    pub name: Option<String>,
    /// The id of the department that it is in.
    pub parent: Option<String>,
}

/// A tag.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tag {
    /// Its name.
    pub name: Option<String>,
    /// The people who have it, by their [`key`]s.
    pub people: BTreeSet<String>,
    /// The ids of the departments that have it.
    pub departments: BTreeSet<String>,
}

/// An address book.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Book {
    /// The people, by their [`key`]s.
    pub people: BTreeMap<String, Person>,
    /// The departments, by their ids.
    pub departments: BTreeMap<String, Department>,
    /// The tags, by their ids.
    pub tags: BTreeMap<String, Tag>,
}

/// Why an answer of a directory is no address book.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// Every organisation has one department at least.
    NoDepartment,
    /// A person is in a department that is not listed.
    MissingDepartment {
        /// The person.
        person: String,
        /// The department.
        department: String,
    },
    /// A department would be in itself.
    Circle(String),
    /// A department is deeper in others than a workspace has them.
    TooDeep(String),
    /// An id that cannot be the name by which somebody logs in.
    Id(String),
    /// There are more than a workspace has.
    TooMany {
        /// How many there are.
        number: usize,
        /// Of what.
        what: &'static str,
        /// How many a workspace may have.
        most: usize,
    },
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoDepartment => f.write_str("it names no department"),
            Self::MissingDepartment { person, department } => {
                write!(f, "it says that {person} is in the department {department}, and does not list that")
            }
            Self::Circle(id) => write!(f, "its department {id} would be in itself"),
            Self::TooDeep(id) => write!(f, "its department {id} is more than {DEEPEST} deep"),
            Self::Id(id) => write!(f, "{id:?} cannot be the name by which a member logs in"),
            Self::TooMany { number, what, most } => {
                write!(f, "it has {number} {what}, and a workspace has {most} at most")
            }
        }
    }
}

/// What a person is found by: ids are the same in upper and lower case.
pub fn key(id: &str) -> String {
    user_name(id).to_lowercase()
}

/// A name as it is kept: without what cannot be shown, and not too long. `None` for nothing.
fn clean(name: &str) -> Option<String> {
    let kept: String = name.chars().filter(|c| !c.is_control()).take(LONGEST).collect();
    Some(kept.trim().to_owned()).filter(|name| !name.is_empty())
}

impl Book {
    /// Adds what a directory says of a person. Who is told of several times is in all the departments that were named.
    pub fn add_person(&mut self, mut person: Person) {
        for told in [&mut person.name, &mut person.title, &mut person.mail] {
            *told = told.as_deref().and_then(clean);
        }
        match self.people.entry(key(&person.id)) {
            Entry::Vacant(entry) => drop(entry.insert(person)),
            Entry::Occupied(mut entry) => entry.get_mut().departments.append(&mut person.departments),
        }
    }

    /// Adds what a directory says of a department.
    pub fn add_department(&mut self, id: String, name: Option<String>, parent: Option<String>) {
        let name = name.as_deref().and_then(clean);
        self.departments.insert(id, Department { name, parent });
    }

    /// Adds what a directory says of a tag.
    pub fn add_tag(&mut self, id: String, mut tag: Tag) {
        tag.name = tag.name.as_deref().and_then(clean);
        self.tags.insert(id, tag);
    }

    /// Takes what was read for a whole address book. A department whose parent the secret may not see is at the top; of a tag remains
    /// what the secret may see.
    ///
    /// # Errors
    /// The [`Flaw`] that shows that the directory did not tell all, or told what cannot be.
    pub fn settled(mut self) -> Result<Self, Flaw> {
        if self.departments.is_empty() {
            return Err(Flaw::NoDepartment);
        }
        let too_many =
            |number, what, most| if number > most { Err(Flaw::TooMany { number, what, most }) } else { Ok(()) };
        too_many(self.people.len(), "members", MOST_MEMBERS)?;
        too_many(self.departments.len() + self.tags.len(), "departments and tags", MOST_GROUPS)?;
        for person in self.people.values() {
            if text::visible_name("id", &user_name(&person.id), LONGEST).is_err() {
                return Err(Flaw::Id(person.id.clone()));
            }
            if let Some(department) = person.departments.iter().find(|id| !self.departments.contains_key(*id)) {
                return Err(Flaw::MissingDepartment { person: person.id.clone(), department: department.clone() });
            }
        }
        let known: BTreeSet<_> = self.departments.keys().cloned().collect();
        for department in self.departments.values_mut() {
            department.parent.take_if(|parent| !known.contains(parent));
        }
        for tag in self.tags.values_mut() {
            tag.people.retain(|key| self.people.contains_key(key));
            tag.departments.retain(|id| known.contains(id));
        }
        self.top_down().map(drop)?;
        Ok(self)
    }

    /// The departments, each after the one that it is in.
    ///
    /// # Errors
    /// [`Flaw::Circle`]; [`Flaw::TooDeep`].
    pub fn top_down(&self) -> Result<Vec<&str>, Flaw> {
        let mut depths = Vec::new();
        for id in self.departments.keys() {
            let above = std::iter::successors(Some(id), |id| self.departments.get(*id)?.parent.as_ref());
            let depth = above.take(self.departments.len() + 1).count();
            if depth > self.departments.len() {
                return Err(Flaw::Circle(id.clone()));
            }
            if depth > DEEPEST {
                return Err(Flaw::TooDeep(id.clone()));
            }
            depths.push((depth, id.as_str()));
        }
        depths.sort_unstable();
        Ok(depths.into_iter().map(|(_, id)| id).collect())
    }

    /// The people whom each department lists, by their keys.
    pub fn listed(&self) -> BTreeMap<&str, BTreeSet<&str>> {
        let mut listed: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (key, person) in &self.people {
            for department in &person.departments {
                listed.entry(department).or_default().insert(key);
            }
        }
        listed
    }

    /// The same book, in which what it does not tell is as `before` tells it.
    #[must_use]
    pub fn filled_from(mut self, before: &Self) -> Self {
        fn fill(told: &mut Option<String>, before: &Option<String>) {
            if told.is_none() {
                told.clone_from(before);
            }
        }
        for (key, person) in &mut self.people {
            if let Some(before) = before.people.get(key) {
                fill(&mut person.name, &before.name);
                fill(&mut person.title, &before.title);
                fill(&mut person.mail, &before.mail);
            }
        }
        for (id, department) in &mut self.departments {
            if let Some(before) = before.departments.get(id) {
                fill(&mut department.name, &before.name);
            }
        }
        for (id, tag) in &mut self.tags {
            if let Some(before) = before.tags.get(id) {
                fill(&mut tag.name, &before.name);
            }
        }
        self
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::*;

    fn departments(tree: &[(&str, Option<&str>)]) -> Book {
        let mut book = Book::default();
        for (id, parent) in tree {
            book.add_department((*id).into(), Some(format!("D{id}")), parent.map(str::to_owned));
        }
        book
    }

    fn person(id: &str, departments: &[&str]) -> Person {
        let departments = departments.iter().map(|id| (*id).to_owned()).collect();
        Person { id: id.into(), active: true, departments, ..Person::default() }
    }

    #[test]
    fn w10_who_is_told_of_twice_is_one_in_both_departments() {
        let mut book = departments(&[("1", None), ("2", Some("1"))]);
        book.add_person(person("ZhangSan", &["1"]));
        book.add_person(person("zhangsan", &["2"]));
        let book = book.settled().unwrap();
        assert_eq!(book.people["zhangsan"].id, "ZhangSan");
        assert_eq!(
            book.listed(),
            BTreeMap::from([("1", BTreeSet::from(["zhangsan"])), ("2", BTreeSet::from(["zhangsan"]))])
        );
    }

    #[test]
    fn w11_an_answer_that_cannot_be_an_address_book_is_none() {
        assert_eq!(Book::default().settled(), Err(Flaw::NoDepartment));
        let mut book = departments(&[("1", None)]);
        book.add_person(person("a", &["1", "7"]));
        let missing = Flaw::MissingDepartment { person: "a".into(), department: "7".into() };
        assert_eq!(book.settled(), Err(missing));
        assert!(matches!(departments(&[("1", Some("2")), ("2", Some("1"))]).settled(), Err(Flaw::Circle(_))));
        assert!(matches!(departments(&[("1", Some("1"))]).settled(), Err(Flaw::Circle(_))));
        let ids: Vec<_> = (0..40).map(|number| format!("{number:02}")).collect();
        let chain: Vec<_> = ids
            .iter()
            .enumerate()
            .map(|(at, id)| (id.as_str(), at.checked_sub(1).map(|at| ids[at].as_str())))
            .collect();
        assert_eq!(departments(&chain).settled(), Err(Flaw::TooDeep("32".into())));
        for id in ["", "a\u{200b}"] {
            let mut book = departments(&[("1", None)]);
            book.add_person(person(id, &["1"]));
            assert_eq!(book.settled(), Err(Flaw::Id(id.into())));
        }
    }

    #[test]
    fn w10_what_the_secret_may_not_see_is_left_out() {
        let mut book = departments(&[("7", Some("1")), ("8", Some("7"))]);
        let people = ["a", "b"].map(str::to_owned).into();
        book.add_person(person("a", &["8"]));
        book.add_tag(
            "3".into(),
            Tag { name: Some(" Chess\u{7} ".into()), people, departments: ["1".into(), "8".into()].into() },
        );
        let book = book.settled().unwrap();
        assert_eq!(book.top_down().unwrap(), ["7", "8"]);
        assert_eq!(book.departments["7"].parent, None);
        let seen = Tag { name: Some("Chess".into()), people: ["a".into()].into(), departments: ["8".into()].into() };
        assert_eq!(book.tags["3"], seen);
    }

    #[test]
    fn w10_a_name_that_is_not_told_stays() {
        let mut before = departments(&[("1", None)]);
        before.add_person(Person { name: Some("Zhang San".into()), ..person("a", &["1"]) });
        let mut after = Book::default();
        after.add_department("1".into(), None, None);
        after.add_person(person("a", &["1"]));
        assert_eq!(after.filled_from(&before), before);
    }
}
