//! Resources as they are stored: the members that a schema has, by the names that it gives them. What no schema has is left
//! aside, as what only the host may set; what a schema has comes back as it was sent, whether Berth uses it or not.

use std::collections::BTreeSet;

use berth_base::{
    error::Result,
    text::{self, text_enum},
};
use serde_json::{Map, Value, json};
use unicode_normalization::UnicodeNormalization;

use super::{
    refusal::{Reason, refuse, unfit},
    schema::{Attribute, Mutability, Resource, Schema, Type, WORKSPACE_GROUP},
};

/// How many characters a text of a resource has, at most.
const LONGEST: usize = 65_536;
/// How many values an attribute has, at most, other than the members of a group.
const MOST_VALUES: usize = 200;
/// How many bytes of JSON a resource has, at most, without the members of a group.
const MOST_BYTES: usize = 128 * 1024;

text_enum! {
    /// What a Group is.
    GroupKind {
        /// A part of the organisation. It is in one other department at most, and has the members of those in it.
        Department = "department",
        /// A mark on members and departments. It is in nothing.
        Tag = "tag",
    }
}

/// The members of a resource that the client may set.
pub type Attributes = Map<String, Value>;

/// A reference to a User or a Group in the `members` of a Group.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reference {
    /// The id.
    pub value: String,
    /// The type, if the client has said it.
    pub resource: Option<Resource>,
}

/// Reads a resource that a client sends. The members of a group are apart.
///
/// # Errors
/// `scim-syntax` for what is no object or does not name its schema; `scim-value` for a value that its attribute does not take.
pub fn read(resource: Resource, body: &Value) -> Result<(Attributes, Vec<Reference>)> {
    let body = body.as_object().ok_or_else(|| refuse(Reason::InvalidSyntax, "The body must be a JSON object."))?;
    require_schema(resource, body)?;
    let (mut attributes, mut members) = (Attributes::new(), Vec::new());
    for (name, value) in body {
        if resource == Resource::Group && name.eq_ignore_ascii_case("members") {
            members = references(value)?;
        } else {
            set_named(resource, &mut attributes, name, value)?;
        }
    }
    settle(resource, &mut attributes)?;
    Ok((attributes, members))
}

fn require_schema(resource: Resource, body: &Map<String, Value>) -> Result<()> {
    let core = &resource.core().id;
    let named = body.iter().find(|(name, _)| name.eq_ignore_ascii_case("schemas")).map(|(_, value)| value);
    let has = |list: &Vec<Value>| list.iter().any(|one| one.as_str().is_some_and(|one| one.eq_ignore_ascii_case(core)));
    match named {
        Some(Value::Array(list)) if has(list) => Ok(()),
        _ => Err(refuse(Reason::InvalidSyntax, format!("`schemas` must be a list that has {core}."))),
    }
}

/// Sets a member of a body, unless no schema has it or only the host may set it.
fn set_named(resource: Resource, attributes: &mut Attributes, name: &str, value: &Value) -> Result<()> {
    let extension = resource.extension();
    if name.eq_ignore_ascii_case(&extension.id) {
        let parts = extension_values(extension, value)?;
        if !parts.is_empty() {
            attributes.insert(extension.id.clone(), Value::Object(parts));
        }
        return Ok(());
    }
    let Some(attribute) = resource.attribute(name).filter(|one| one.mutability != Mutability::ReadOnly) else {
        return Ok(());
    };
    if let Some(value) = fitting(attribute, value, &attribute.name)? {
        attributes.insert(attribute.name.clone(), value);
    }
    Ok(())
}

/// The members of an extension.
pub(super) fn extension_values(extension: &Schema, value: &Value) -> Result<Map<String, Value>> {
    let Some(object) = value.as_object() else {
        return if value.is_null() { Ok(Map::new()) } else { Err(unfit(&extension.id, "expected an object.")) };
    };
    parts(&extension.attributes, object, &extension.id)
}

/// The members that the attributes have, of an object.
fn parts(attributes: &[Attribute], object: &Map<String, Value>, at: &str) -> Result<Map<String, Value>> {
    let mut kept = Map::new();
    for (name, value) in object {
        let attribute = attributes.iter().find(|one| one.name.eq_ignore_ascii_case(name));
        let Some(attribute) = attribute.filter(|one| one.mutability != Mutability::ReadOnly) else { continue };
        if let Some(value) = fitting(attribute, value, &format!("{at}.{}", attribute.name))? {
            kept.insert(attribute.name.clone(), value);
        }
    }
    Ok(kept)
}

/// A value as the attribute takes it; `None` for no value.
///
/// # Errors
/// `scim-value`.
pub(super) fn fitting(attribute: &Attribute, value: &Value, at: &str) -> Result<Option<Value>> {
    if value.is_null() {
        return Ok(None);
    }
    if !attribute.multi_valued {
        return single(attribute, value, at);
    }
    let list = value.as_array().ok_or_else(|| unfit(at, "expected a list."))?;
    few(list.len(), at)?;
    let values = list.iter().map(|one| single(attribute, one, at)).collect::<Result<Vec<_>>>()?;
    let values: Vec<_> = values.into_iter().flatten().collect();
    Ok((!values.is_empty()).then_some(Value::Array(values)))
}

/// One value as the attribute takes it; `None` for no value.
pub(super) fn single(attribute: &Attribute, value: &Value, at: &str) -> Result<Option<Value>> {
    let expected = |what: &str| Err(unfit(at, format!("expected {what}.")));
    match (attribute.kind, value) {
        (_, Value::Null) => Ok(None),
        (Type::Complex, Value::Object(object)) => {
            let kept = parts(&attribute.sub_attributes, object, at)?;
            Ok((!kept.is_empty()).then_some(Value::Object(kept)))
        }
        // Some clients give one of the values of a list, or the value of a complex attribute, as a text.
        (Type::Complex, Value::String(text)) if attribute.sub("value").is_some() => {
            Ok(Some(json!({"value": string(at, text)?})))
        }
        (Type::Complex, _) => expected("an object"),
        (Type::Boolean, Value::Bool(_)) => Ok(Some(value.clone())),
        (Type::Boolean, Value::String(text)) if text.eq_ignore_ascii_case("true") => Ok(Some(true.into())),
        (Type::Boolean, Value::String(text)) if text.eq_ignore_ascii_case("false") => Ok(Some(false.into())),
        (Type::Boolean, _) => expected("true or false"),
        (Type::Integer, Value::Number(number)) if number.is_i64() => Ok(Some(value.clone())),
        (Type::Integer, _) => expected("a whole number"),
        (Type::String | Type::DateTime | Type::Reference | Type::Binary, Value::String(text)) => {
            Ok(Some(string(at, text)?.into()))
        }
        (Type::String | Type::DateTime | Type::Reference | Type::Binary, _) => expected("a text"),
    }
}

fn string<'a>(at: &str, text: &'a str) -> Result<&'a str> {
    if text.len() > LONGEST {
        return Err(unfit(at, format!("has at most {LONGEST} bytes, not {}.", text.len())));
    }
    if text.contains('\0') {
        return Err(unfit(at, "must not have the character NUL."));
    }
    Ok(text)
}

/// The members of a group, each once, in the order in which they were named.
///
/// # Errors
/// `scim-value`.
pub(super) fn references(value: &Value) -> Result<Vec<Reference>> {
    let list = match value {
        Value::Null => return Ok(Vec::new()),
        Value::Array(list) => list.iter().collect(),
        one => vec![one],
    };
    let mut seen = BTreeSet::new();
    let mut found = list.into_iter().map(reference).collect::<Result<Vec<_>>>()?;
    found.retain(|one| seen.insert(one.value.clone()));
    Ok(found)
}

fn reference(value: &Value) -> Result<Reference> {
    if let Value::String(id) = value {
        return Ok(Reference { value: string("members", id)?.to_owned(), resource: None });
    }
    let object = value.as_object().ok_or_else(|| unfit("members", "expected a list of objects with `value`."))?;
    let part = |name: &str| object.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value);
    let id = part("value").and_then(Value::as_str).ok_or_else(|| unfit("members.value", "is missing."))?;
    let resource = match part("type").and_then(Value::as_str) {
        Some(name) => {
            let known = Resource::ALL.into_iter().find(|one| one.name().eq_ignore_ascii_case(name));
            Some(known.ok_or_else(|| unfit("members.type", "is User or Group."))?)
        }
        None => None,
    };
    Ok(Reference { value: string("members.value", id)?.to_owned(), resource })
}

/// Checks what concerns the resource as a whole: what it must have, one primary value, its size. Its name becomes what is kept of
/// it.
///
/// # Errors
/// `scim-value`.
pub(super) fn settle(resource: Resource, attributes: &mut Attributes) -> Result<()> {
    let required = resource.core().attributes.iter().filter(|one| one.required);
    for attribute in required {
        let Some(text) = attributes.get(&attribute.name).and_then(Value::as_str) else {
            return Err(unfit(&attribute.name, "is missing."));
        };
        if let Some(name) = required_name(&attribute.name, text)? {
            attributes.insert(attribute.name.clone(), name.into());
        }
    }
    if let Some(kind) = stored_kind(attributes) {
        kind.parse::<GroupKind>().map_err(|error| unfit("kind", error.detail))?;
    }
    for (name, value) in &*attributes {
        let primary = |value: &&Value| value["primary"] == true;
        if value.as_array().is_some_and(|list| list.iter().filter(primary).count() > 1) {
            return Err(unfit(name, "only one value is primary."));
        }
    }
    let bytes = serde_json::to_vec(attributes).unwrap_or_default().len();
    if bytes > MOST_BYTES {
        return Err(refuse(Reason::InvalidValue, format!("The resource has {bytes} bytes, more than {MOST_BYTES}.")));
    }
    Ok(())
}

/// What is kept of a name that a resource must have; `None` for what is no name.
fn required_name(attribute: &str, text: &str) -> Result<Option<String>> {
    let name = match attribute {
        "userName" => text::visible_name(attribute, &user_name(text), 256),
        "displayName" => text::name(attribute, text, 256),
        _ => return Ok(None),
    };
    name.map(Some).map_err(|error| refuse(Reason::InvalidValue, error.detail))
}

/// A `userName` as it is kept and looked for: composed (NFC), without blanks around it. What reads the same is the same then, but
/// for letters of other scripts.
pub fn user_name(text: &str) -> String {
    composed(text.trim())
}

/// A text in which letters with marks are each one character (NFC).
pub fn composed(text: &str) -> String {
    text.nfc().collect()
}

fn stored_kind(attributes: &Attributes) -> Option<&str> {
    attributes.get(WORKSPACE_GROUP)?.get("kind")?.as_str()
}

/// Refuses with `scim-value` an attribute with more values than one may have.
pub(super) fn few(values: usize, at: &str) -> Result<()> {
    if values <= MOST_VALUES {
        return Ok(());
    }
    Err(unfit(at, format!("has at most {MOST_VALUES} values, not {values}.")))
}

/// What a group is said to be.
pub fn said_kind(attributes: &Attributes) -> Option<GroupKind> {
    stored_kind(attributes)?.parse().ok()
}

/// A text among the attributes; empty when it is not there.
pub fn text_of<'a>(attributes: &'a Attributes, name: &str) -> &'a str {
    attributes.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// The name that people see of a User: what is displayed, else the formatted name, else what the parts of the name give,
/// else the `userName`.
pub fn display_name(attributes: &Attributes) -> String {
    let name = |part: &str| attributes.get("name").and_then(|name| name.get(part)).and_then(Value::as_str);
    let parts = [name("givenName"), name("familyName")].into_iter().flatten().collect::<Vec<_>>().join(" ");
    let shown = [text_of(attributes, "displayName"), name("formatted").unwrap_or_default(), &parts];
    let shown = shown.into_iter().map(str::trim).find(|name| !name.is_empty());
    shown.unwrap_or(text_of(attributes, "userName")).to_owned()
}

/// Keeps what decides who may open what, when a replacement leaves it out: whether a User is active, and what a Group is. RFC
/// 7644, §3.5.1, lets a host keep what a replacement does not say; otherwise a client that knows nothing of it would not see any
/// more that somebody is suspended, or that a group is a tag.
pub fn keep_what_decides(before: &Attributes, after: &mut Attributes) {
    if let (Some(active), None) = (before.get("active"), after.get("active")) {
        after.insert("active".into(), active.clone());
    }
    if let (Some(kind), None) = (stored_kind(before), stored_kind(after)) {
        let extension = after.entry(WORKSPACE_GROUP).or_insert_with(|| json!({}));
        if let Some(parts) = extension.as_object_mut() {
            parts.insert("kind".into(), kind.into());
        }
    }
}

/// Whether a User is said to be active.
pub fn said_active(attributes: &Attributes) -> Option<bool> {
    attributes.get("active")?.as_bool()
}

/// The `schemas` of a stored resource.
pub fn schemas_of(resource: Resource, attributes: &Attributes) -> Value {
    let extension = &resource.extension().id;
    let has = attributes.contains_key(extension);
    std::iter::once(&resource.core().id).chain(has.then_some(extension)).cloned().collect()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::*;
    use berth_base::error::Code;

    const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
    const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

    fn user(more: Value) -> Value {
        let mut body = json!({"schemas": [USER, ENTERPRISE], "userName": "bob"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    }

    #[test]
    fn w5_what_is_not_used_survives_and_what_nobody_knows_or_may_set_does_not() {
        let body = user(json!({
            "NAME": {"FamilyName": "Jensen", "secret": 1}, "emails": [{"value": "b@x.example", "primary": true}],
            "x509Certificates": [{"value": "AAAA"}], "active": "False", "nickName": null, "photos": [],
            "password": "hunter2", "id": "mine", "meta": {"version": "1"}, "groups": [{"value": "grp_1"}], "shoe": 43,
            ENTERPRISE.to_uppercase(): {"department": "Sales", "manager": {"value": "m", "displayName": "Boss"}},
        }));
        let (attributes, _) = read(Resource::User, &body).unwrap();
        let expected = json!({
            "userName": "bob", "name": {"familyName": "Jensen"}, "emails": [{"value": "b@x.example", "primary": true}],
            "x509Certificates": [{"value": "AAAA"}], "active": false,
            ENTERPRISE: {"department": "Sales", "manager": {"value": "m"}},
        });
        assert_eq!(Value::Object(attributes.clone()), expected);
        assert_eq!(schemas_of(Resource::User, &attributes), json!([USER, ENTERPRISE]));
        assert_eq!(said_active(&attributes), Some(false));
    }

    #[test]
    fn w5_a_value_that_does_not_fit_is_refused_with_its_name() {
        for (more, at) in [
            (json!({"active": 7}), "active"),
            (json!({"emails": {"value": "x"}}), "emails"),
            (json!({"emails": [7]}), "emails"),
            (json!({"name": []}), "name"),
            (json!({"name": {"givenName": 7}}), "name.givenName"),
            (json!({"emails": [{"value": "a", "primary": true}, {"value": "b", "primary": true}]}), "emails"),
            (json!({"title": "a\u{0}b"}), "title"),
            (json!({"userName": ""}), "userName"),
            (json!({"userName": "b\u{200b}ob"}), "userName"),
            (json!({"userName": "bob\u{202e}"}), "userName"),
            (json!({"userName": "bob\u{fe0f}"}), "userName"),
            (json!({"userName": null}), "userName"),
        ] {
            let refused = read(Resource::User, &user(more.clone())).unwrap_err();
            assert!(refused.code == Code::ScimValue && refused.detail.contains(at), "{more}: {refused}");
        }
        for body in [json!([]), json!({"userName": "bob"}), json!({"schemas": ["urn:x"], "userName": "bob"})] {
            assert_eq!(read(Resource::User, &body).unwrap_err().code, Code::ScimSyntax, "{body}");
        }
    }

    #[test]
    fn w5_what_decides_about_access_is_kept_unless_it_is_said() {
        let after = |before: Value, after: Value| {
            let (before, mut after) = (before.as_object().unwrap().clone(), after.as_object().unwrap().clone());
            keep_what_decides(&before, &mut after);
            Value::Object(after)
        };
        let group = |kind: &str| json!({WORKSPACE_GROUP: {"kind": kind}});
        for (before, said, expected) in [
            (json!({"active": false}), json!({"title": "x"}), json!({"title": "x", "active": false})),
            (json!({"active": false}), json!({"active": true}), json!({"active": true})),
            (json!({"active": true}), json!({"active": false}), json!({"active": false})),
            (json!({"title": "x"}), json!({}), json!({})),
            (group("tag"), json!({}), group("tag")),
            (group("tag"), group("department"), group("department")),
            (json!({}), json!({}), json!({})),
        ] {
            assert_eq!(after(before.clone(), said.clone()), expected, "{before} {said}");
        }
    }

    #[test]
    fn w5_the_members_of_a_group_are_apart_and_each_is_there_once() {
        let body = json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "Sales",
            "members": [{"value": "mem_1", "type": "user"}, {"value": "grp_1", "type": "Group"}, {"value": "mem_1"}],
        });
        let (attributes, members) = read(Resource::Group, &body).unwrap();
        assert_eq!(said_kind(&attributes), None);
        let of = |value: &str, resource| Reference { value: value.into(), resource: Some(resource) };
        assert_eq!(members, [of("mem_1", Resource::User), of("grp_1", Resource::Group)]);
        assert_eq!(references(&json!([{"value": "a", "type": "Robot"}])).unwrap_err().code, Code::ScimValue);
        assert_eq!(references(&json!([{"type": "User"}])).unwrap_err().code, Code::ScimValue);
    }

    #[test]
    fn w3_the_name_that_people_see_is_the_best_that_there_is() {
        let name = |more: Value| display_name(user(more).as_object().unwrap());
        assert_eq!(name(json!({})), "bob");
        assert_eq!(name(json!({"name": {"givenName": "Bob", "familyName": "Ray"}})), "Bob Ray");
        assert_eq!(name(json!({"name": {"formatted": "Mr Ray", "givenName": "Bob"}})), "Mr Ray");
        assert_eq!(name(json!({"displayName": "Bobby", "name": {"formatted": "Mr Ray"}})), "Bobby");
    }
}
