//! What a sync changes: what stands in the workspace against what the directory says (W10, W11). All of it is decided before anything
//! is written.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use berth_base::text::count;

use super::{
    SyncCounts,
    book::{Book, Flaw},
};
use crate::workspace::GroupKind;

/// How many may go at once without a question, of whatever size the organisation is.
const FEW: usize = 10;
/// Of so many one may go at once without a question: a fifth.
const OF: usize = 5;

/// One change. People are named by their keys, departments and tags by their ids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step<'a> {
    /// A person may use nothing any more.
    Deactivate(&'a str),
    /// A department or a tag comes, or has another name or place.
    Group {
        /// What it is.
        kind: GroupKind,
        /// Its id.
        id: &'a str,
        /// Whether it comes.
        is_new: bool,
    },
    /// A person comes, comes back, or has another name.
    Person {
        /// The person.
        key: &'a str,
        /// Whether they come.
        is_new: bool,
    },
    /// A department or a tag lists others.
    List {
        /// What it is.
        kind: GroupKind,
        /// Its id.
        id: &'a str,
        /// The people whom it lists more.
        people: Difference<'a>,
        /// The departments that have the tag more.
        departments: Difference<'a>,
    },
    /// A department or a tag is gone, and with it what was given to it.
    Drop {
        /// What it is.
        kind: GroupKind,
        /// Its id.
        id: &'a str,
    },
}

/// What a list has more and less than before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference<'a> {
    /// What it has more.
    pub more: Vec<&'a str>,
    /// What it has less.
    pub less: Vec<&'a str>,
}

impl<'a> Difference<'a> {
    fn of(before: &BTreeSet<&'a str>, after: &BTreeSet<&'a str>) -> Self {
        Self { more: after.difference(before).copied().collect(), less: before.difference(after).copied().collect() }
    }

    /// Whether the list is as before.
    pub fn is_empty(&self) -> bool {
        self.more.is_empty() && self.less.is_empty()
    }
}

/// What a sync changes, in an order in which each part of it leaves an address book that holds together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan<'a> {
    /// The changes.
    pub steps: Vec<Step<'a>>,
    /// How many there are.
    pub counts: SyncCounts,
    loss: Option<TooMuch>,
}

/// A sync that would take away so much that it looks like a mistake of the directory, or of who may read what there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TooMuch {
    /// How many would go.
    pub going: usize,
    /// Of how many.
    pub of: usize,
    /// Of what.
    pub what: &'static str,
}

impl fmt::Display for TooMuch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { going, of, what } = self;
        write!(f, "{going} of {} would lose their access", count(*of as u64, what, &format!("{what}s")))
    }
}

impl Plan<'_> {
    /// Refuses what takes away more than a fifth, and more than ten, or everybody.
    ///
    /// # Errors
    /// [`TooMuch`].
    pub fn guard(&self) -> Result<(), TooMuch> {
        self.loss.clone().map_or(Ok(()), Err)
    }
}

/// What becomes of `before` when it is to be as `after`. What `after` does not tell should have been filled in.
///
/// # Errors
/// A [`Flaw`] of the tree of departments.
pub fn plan<'a>(before: &'a Book, after: &'a Book) -> Result<Plan<'a>, Flaw> {
    let mut making = Making { before, after, steps: Vec::new(), counts: SyncCounts::default() };
    let members = making.deactivate();
    let renamed = making.groups()?;
    making.people();
    making.lists(&renamed);
    let groups = making.drops();
    let (counts, steps) = (making.counted(), making.steps);
    Ok(Plan { steps, counts, loss: members.or(groups) })
}

struct Making<'a> {
    before: &'a Book,
    after: &'a Book,
    steps: Vec<Step<'a>>,
    counts: SyncCounts,
}

type Named<'a> = BTreeSet<(GroupKind, &'a str)>;

impl<'a> Making<'a> {
    /// Those who are gone, or suspended there, come first: whatever else happens, they lose their access.
    fn deactivate(&mut self) -> Option<TooMuch> {
        let stays = |key: &String| self.after.people.get(key).is_some_and(|person| person.active);
        let active: Vec<_> =
            self.before.people.iter().filter(|(_, person)| person.active).map(|(key, _)| key).collect();
        let going: Vec<&str> = active.iter().filter(|key| !stays(key)).map(|key| key.as_str()).collect();
        self.counts.members_deactivated = going.len() as u64;
        self.steps.extend(going.iter().map(|key| Step::Deactivate(key)));
        too_much(going.len(), active.len(), "member")
    }

    /// Departments from the top, so that what one is moved into is in its place already, then tags.
    fn groups(&mut self) -> Result<Named<'a>, Flaw> {
        let (before, after) = (self.before, self.after);
        let mut named = Named::new();
        for id in after.top_down()? {
            let (was, is) = (before.departments.get(id), after.departments.get(id));
            self.group(&mut named, GroupKind::Department, id, was.is_none(), was != is);
        }
        for (id, tag) in &after.tags {
            let was = before.tags.get(id);
            self.group(&mut named, GroupKind::Tag, id, was.is_none(), was.is_none_or(|was| was.name != tag.name));
        }
        Ok(named)
    }

    fn group(&mut self, named: &mut Named<'a>, kind: GroupKind, id: &'a str, is_new: bool, differs: bool) {
        if !differs {
            return;
        }
        self.steps.push(Step::Group { kind, id, is_new });
        named.insert((kind, id));
        if is_new {
            self.counts.groups_created += 1;
        } else {
            self.counts.groups_changed += 1;
        }
    }

    fn people(&mut self) {
        for (key, person) in &self.after.people {
            let Some(was) = self.before.people.get(key) else {
                self.steps.push(Step::Person { key, is_new: true });
                self.counts.members_created += 1;
                continue;
            };
            let told = |one: &'a super::Person| (&one.id, &one.name, &one.title, &one.mail);
            let is_back = person.active && !was.active;
            if is_back || told(person) != told(was) {
                self.steps.push(Step::Person { key, is_new: false });
                self.counts.members_changed += u64::from(person.active || !was.active);
            }
        }
    }

    /// Who is in which department, and who has which tag.
    fn lists(&mut self, named: &Named<'a>) {
        let (before, after) = (self.before.listed(), self.after.listed());
        let none = BTreeSet::new();
        for id in self.after.departments.keys() {
            let of = |listed: &BTreeMap<&'a str, BTreeSet<&'a str>>| listed.get(id.as_str()).unwrap_or(&none).clone();
            let people = Difference::of(&of(&before), &of(&after));
            self.list(named, GroupKind::Department, id, people, Difference::default());
        }
        for (id, tag) in &self.after.tags {
            let was = self.before.tags.get(id);
            let texts = |set: &'a BTreeSet<String>| set.iter().map(String::as_str).collect::<BTreeSet<_>>();
            let people = Difference::of(&was.map(|was| texts(&was.people)).unwrap_or_default(), &texts(&tag.people));
            let had = was.map(|was| texts(&was.departments)).unwrap_or_default();
            let departments = Difference::of(&had, &texts(&tag.departments));
            self.list(named, GroupKind::Tag, id, people, departments);
        }
    }

    fn list(
        &mut self,
        named: &Named<'a>,
        kind: GroupKind,
        id: &'a str,
        people: Difference<'a>,
        departments: Difference<'a>,
    ) {
        if people.is_empty() && departments.is_empty() {
            return;
        }
        self.counts.groups_changed += u64::from(!named.contains(&(kind, id)));
        self.steps.push(Step::List { kind, id, people, departments });
    }

    /// Departments and tags that are gone come last, when nothing is in them any more.
    fn drops(&mut self) -> Option<TooMuch> {
        let (before, after) = (self.before, self.after);
        let departments = before.departments.keys().filter(|id| !after.departments.contains_key(*id));
        let departments: Vec<_> = departments.map(|id| Step::Drop { kind: GroupKind::Department, id }).collect();
        let tags = before.tags.keys().filter(|id| !after.tags.contains_key(*id));
        let tags: Vec<_> = tags.map(|id| Step::Drop { kind: GroupKind::Tag, id }).collect();
        self.counts.groups_deleted = (departments.len() + tags.len()) as u64;
        let lost = too_much(departments.len(), before.departments.len(), "department");
        let lost = lost.or_else(|| too_much(tags.len(), before.tags.len(), "tag"));
        self.steps.extend(departments.into_iter().chain(tags));
        lost
    }

    fn counted(&self) -> SyncCounts {
        SyncCounts {
            members: self.after.people.len() as u64,
            departments: self.after.departments.len() as u64,
            tags: self.after.tags.len() as u64,
            ..self.counts
        }
    }
}

fn too_much(going: usize, of: usize, what: &'static str) -> Option<TooMuch> {
    let is_much = going > FEW && going * OF > of;
    let is_all = going > 0 && going == of && what == "member";
    (is_much || is_all).then_some(TooMuch { going, of, what })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::workspace::directory::{Department, Person, Tag};

    fn person(id: &str, departments: &[&str]) -> Person {
        let departments = departments.iter().map(|id| (*id).to_owned()).collect();
        Person { id: id.into(), active: true, departments, ..Person::default() }
    }

    /// An organisation of `number` people in one department.
    fn organisation(number: usize) -> Book {
        let mut book = Book::default();
        book.add_department("1".into(), Some("Acme".into()), None);
        for number in 0..number {
            book.add_person(person(&format!("u{number}"), &["1"]));
        }
        book
    }

    /// The same without the last ones.
    fn without(book: &Book, number: usize) -> Book {
        let mut book = book.clone();
        for _ in 0..number {
            book.people.pop_last();
        }
        book
    }

    #[test]
    fn w10_what_is_the_same_changes_nothing() {
        let book = organisation(3);
        let plan = plan(&book, &book).unwrap();
        assert_eq!((plan.steps, plan.counts.has_changed(), plan.counts.members), (vec![], false, 3));
    }

    #[test]
    fn w10_a_first_sync_brings_departments_from_the_top_then_people_then_who_is_in_what() {
        let mut book = organisation(1);
        book.add_department("0".into(), Some("South".into()), Some("1".into()));
        book.add_tag(
            "9".into(),
            Tag { name: Some("Chess".into()), people: ["u0".into()].into(), departments: ["0".into()].into() },
        );
        let nothing = Book::default();
        let plan = plan(&nothing, &book).unwrap();
        let (department, tag) = (GroupKind::Department, GroupKind::Tag);
        let expected = [
            Step::Group { kind: department, id: "1", is_new: true },
            Step::Group { kind: department, id: "0", is_new: true },
            Step::Group { kind: tag, id: "9", is_new: true },
            Step::Person { key: "u0", is_new: true },
            Step::List {
                kind: department,
                id: "1",
                people: Difference { more: vec!["u0"], less: vec![] },
                departments: Difference::default(),
            },
            Step::List {
                kind: tag,
                id: "9",
                people: Difference { more: vec!["u0"], less: vec![] },
                departments: Difference { more: vec!["0"], less: vec![] },
            },
        ];
        assert_eq!(plan.steps, expected);
        assert_eq!((plan.counts.groups_created, plan.counts.members_created, plan.counts.groups_changed), (3, 1, 0));
        plan.guard().unwrap();
    }

    #[test]
    fn w10_who_is_gone_loses_access_first_and_who_is_back_has_it_again() {
        let before = organisation(12);
        let after = without(&before, 1);
        let gone = plan(&before, &after).unwrap();
        assert_eq!(gone.steps[0], Step::Deactivate("u9"));
        let mut suspended = before.clone();
        suspended.people.get_mut("u9").unwrap().active = false;
        suspended.people.get_mut("u9").unwrap().departments.clear();
        let back = plan(&suspended, &before).unwrap();
        assert_eq!(back.steps[0], Step::Person { key: "u9", is_new: false });
        let still = plan(&suspended, &after).unwrap();
        assert!(still.steps.is_empty(), "who is gone already is left alone");
    }

    #[test]
    fn w10_two_departments_that_change_places_are_never_in_each_other() {
        let mut before = organisation(1);
        before.add_department("a".into(), None, Some("1".into()));
        before.add_department("b".into(), None, Some("a".into()));
        let mut after = organisation(1);
        after.add_department("b".into(), None, Some("1".into()));
        after.add_department("a".into(), None, Some("b".into()));
        let moved: Vec<_> = plan(&before, &after).unwrap().steps;
        let moved =
            moved.iter().map(|step| if let Step::Group { id, .. } = step { *id } else { "" }).collect::<Vec<_>>();
        assert_eq!(moved, ["b", "a"]);
    }

    #[test]
    fn w11_more_than_a_fifth_and_more_than_ten_do_not_go_unasked() {
        for (number, going, is_refused) in [
            (100, 20, false),
            (100, 21, true),
            (40, 10, false),
            (40, 11, true),
            (1000, 200, false),
            (5, 4, false),
            (5, 5, true),
        ] {
            let before = organisation(number);
            let after = without(&before, going);
            let plan = plan(&before, &after).unwrap();
            assert_eq!(plan.guard().is_err(), is_refused, "{going} of {number}");
        }
        let mut before = organisation(1);
        for number in 10..30 {
            before.add_department(number.to_string(), None, Some("1".into()));
        }
        let after = organisation(1);
        let lost = plan(&before, &after).unwrap().guard().unwrap_err();
        assert_eq!((lost.going, lost.of, lost.what), (20, 21, "department"));
    }

    fn books() -> impl Strategy<Value = Book> {
        let people = proptest::collection::btree_map(
            0..12_u8,
            (any::<bool>(), proptest::collection::btree_set(0..6_u8, 0..3)),
            0..12,
        );
        let parents = proptest::collection::vec(0..6_u8, 6);
        let tags = proptest::collection::btree_map(0..3_u8, proptest::collection::btree_set(0..12_u8, 0..4), 0..3);
        (people, parents, tags).prop_map(|(people, parents, tags)| {
            let mut book = Book::default();
            for (id, parent) in parents.iter().enumerate() {
                // Into one with a smaller number only, so that none is in itself.
                let parent = (usize::from(*parent) < id).then(|| parent.to_string());
                book.departments.insert(id.to_string(), Department { name: Some(format!("D{}", id % 2)), parent });
            }
            for (number, (active, departments)) in people {
                let departments = departments.iter().map(u8::to_string).collect();
                book.add_person(Person { id: format!("u{number}"), active, departments, ..Person::default() });
            }
            for (number, people) in tags {
                let people = people.iter().map(|number| format!("u{number}")).collect();
                book.add_tag(number.to_string(), Tag { name: None, people, departments: BTreeSet::new() });
            }
            book.settled().unwrap()
        })
    }

    /// What becomes of a book when the steps are done.
    fn done(before: &Book, after: &Book, steps: &[Step<'_>]) -> Book {
        let mut book = before.clone();
        let mut lists = BTreeMap::<(GroupKind, String), BTreeSet<String>>::new();
        for (id, people) in before.listed() {
            lists.insert((GroupKind::Department, id.into()), people.into_iter().map(str::to_owned).collect());
        }
        for step in steps {
            match step {
                Step::Deactivate(key) => book.people.get_mut(*key).unwrap().active = false,
                Step::Group { kind: GroupKind::Department, id, .. } => {
                    let department = after.departments[*id].clone();
                    assert!(department.parent.as_ref().is_none_or(|parent| book.departments.contains_key(parent)));
                    book.departments.insert((*id).into(), department);
                }
                Step::Group { kind: GroupKind::Tag, id, .. } => {
                    book.tags.entry((*id).into()).or_default().name.clone_from(&after.tags[*id].name);
                }
                Step::Person { key, .. } => drop(book.people.insert((*key).into(), after.people[*key].clone())),
                Step::List { kind, id, people, .. } => {
                    assert!(
                        people.more.iter().all(|key| book.people.contains_key(*key)),
                        "nobody is listed before they are there"
                    );
                    let list = lists.entry((*kind, (*id).into())).or_default();
                    list.extend(people.more.iter().map(|key| (*key).to_owned()));
                    list.retain(|key| !people.less.contains(&key.as_str()));
                    if *kind == GroupKind::Tag {
                        let tag = book.tags.get_mut(*id).unwrap();
                        tag.people.extend(people.more.iter().map(|key| (*key).to_owned()));
                        tag.people.retain(|key| !people.less.contains(&key.as_str()));
                    }
                }
                Step::Drop { kind, id } => {
                    lists.remove(&(*kind, (*id).into()));
                    match kind {
                        GroupKind::Department => drop(book.departments.remove(*id)),
                        GroupKind::Tag => drop(book.tags.remove(*id)),
                    }
                }
            }
        }
        for person in book.people.values_mut() {
            person.departments.clear();
        }
        for ((kind, id), people) in lists {
            for key in people.iter().filter(|_| kind == GroupKind::Department) {
                book.people.get_mut(key).unwrap().departments.insert(id.clone());
            }
        }
        book
    }

    proptest! {
        #[test]
        fn w10_when_the_steps_are_done_the_address_book_is_as_the_directory_says(before in books(), after in books()) {
            let plan = plan(&before, &after).unwrap();
            let mut expected = after.clone();
            // Who is gone is kept, without access and in nothing.
            for (key, person) in &before.people {
                if !after.people.contains_key(key) {
                    let gone = Person { active: false, departments: BTreeSet::new(), ..person.clone() };
                    expected.people.insert(key.clone(), gone);
                }
            }
            prop_assert_eq!(done(&before, &after, &plan.steps), expected);
        }
    }
}
