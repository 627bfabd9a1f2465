//! Members and groups as they are stored, which is as SCIM has them: what a directory says is written into that form and read from it,
//! so that portals, tools and SCIM show the same, whoever keeps the address book.

use serde_json::{Value, json};

use super::book::Person;
use crate::workspace::{
    GroupKind,
    scim::{
        resource::{Attributes, text_of},
        schema::WORKSPACE_GROUP,
    },
};

/// A person as they stand, without the departments.
pub fn known_member(attributes: &Attributes, active: bool) -> Person {
    let told = |name| Some(text_of(attributes, name).to_owned()).filter(|text| !text.is_empty());
    Person {
        id: text_of(attributes, "externalId").to_owned(),
        name: told("displayName"),
        title: told("title"),
        mail: attributes.get("emails").and_then(|list| list[0]["value"].as_str()).map(str::to_owned),
        active,
        ..Person::default()
    }
}

/// What is stored of a person, over what was stored before.
pub fn stored_member(before: Option<&Attributes>, person: &Person) -> Attributes {
    let mut attributes = before.cloned().unwrap_or_default();
    let mut set = |name: &str, value: Value| drop(attributes.insert(name.into(), value));
    set("userName", json!(person.id));
    set("externalId", json!(person.id));
    set("active", json!(person.active));
    for (name, told) in [("displayName", &person.name), ("title", &person.title)] {
        if let Some(told) = told {
            set(name, json!(told));
        }
    }
    if let Some(mail) = &person.mail {
        set("emails", json!([{"value": mail, "type": "work", "primary": true}]));
    }
    attributes
}

/// The name of a department or a tag as it stands; `None` for the one that it has because none was told.
pub fn known_group(kind: GroupKind, attributes: &Attributes) -> Option<String> {
    let name = text_of(attributes, "displayName");
    (name != unnamed(kind, text_of(attributes, "externalId"))).then(|| name.to_owned())
}

/// What is stored of a department or a tag, over what was stored before.
pub fn stored_group(before: Option<&Attributes>, kind: GroupKind, id: &str, name: Option<&str>) -> Attributes {
    let mut attributes = before.cloned().unwrap_or_default();
    let name = name.map_or_else(|| unnamed(kind, id), str::to_owned);
    attributes.insert("displayName".into(), json!(name));
    attributes.insert("externalId".into(), json!(id));
    attributes.insert(WORKSPACE_GROUP.into(), json!({"kind": kind}));
    attributes
}

/// What a department or a tag is called whose name the directory does not tell.
fn unnamed(kind: GroupKind, id: &str) -> String {
    match kind {
        GroupKind::Department => format!("Department {id}"),
        GroupKind::Tag => format!("Tag {id}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn w10_what_is_stored_of_a_person_is_read_as_it_was_told() {
        let bare = Person { id: "ZhangSan".into(), active: true, ..Person::default() };
        let told = Person {
            name: Some("张三".into()),
            title: Some("Clerk".into()),
            mail: Some("zs@acme.example".into()),
            ..bare.clone()
        };
        for person in [&bare, &told] {
            assert_eq!(&known_member(&stored_member(None, person), true), person);
        }
        let kept = stored_member(Some(&stored_member(None, &told)), &Person { active: false, ..bare });
        assert_eq!(known_member(&kept, false), Person { active: false, ..told }, "what is not told stays");
    }

    #[test]
    fn w10_a_group_without_a_name_has_its_id_for_people_to_see_and_no_name() {
        let bare = stored_group(None, GroupKind::Tag, "7", None);
        assert_eq!((text_of(&bare, "displayName"), known_group(GroupKind::Tag, &bare)), ("Tag 7", None));
        let named = stored_group(Some(&bare), GroupKind::Tag, "7", Some("Chess"));
        assert_eq!(known_group(GroupKind::Tag, &named).as_deref(), Some("Chess"));
    }
}
