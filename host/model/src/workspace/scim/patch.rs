//! Changes of a resource (RFC 7644, §3.5.2). Those of the members of a group are apart, as a group may have 100,000 and a
//! change names few.

use berth_base::error::Result;
use serde_json::{Map, Value};

use super::{
    filter::{Filter, Matcher, Operator, Patched},
    refusal::{Reason, refuse, unfit},
    resource::{self, Attributes, Reference},
    schema::{Attribute, Mutability, Resource, Type},
};

/// How many operations a change has, at most.
const MOST: usize = 1000;

/// A change of the members of a group.
#[derive(Clone, Debug, PartialEq)]
pub enum MemberChange {
    /// These come.
    Add(Vec<Reference>),
    /// These go.
    Remove(Vec<String>),
    /// Those go that the filter chooses.
    RemoveWhere(Filter),
    /// These are the members, and nobody else.
    Set(Vec<Reference>),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Op {
    Add,
    Replace,
    Remove,
}

/// Applies a change to the attributes of a resource, and returns what it says of the members of a group, in its order.
///
/// # Errors
/// `scim-syntax` for what is no change; `scim-path`, `scim-no-target`, `scim-mutability`, `scim-value`, as the RFC has them.
/// The attributes are then half changed, and must not be stored.
pub fn apply(resource: Resource, attributes: &mut Attributes, body: &Value) -> Result<Vec<MemberChange>> {
    let operations = member(body, "operations").and_then(Value::as_array);
    let operations = operations.filter(|list| !list.is_empty() && list.len() <= MOST).ok_or_else(|| {
        refuse(Reason::InvalidSyntax, format!("`Operations` must be a list of 1 to {MOST} operations."))
    })?;
    let mut change = Change { resource, attributes, members: Vec::new() };
    for operation in operations {
        change.one(operation)?;
    }
    let members = change.members;
    resource::check(resource, attributes)?;
    Ok(members)
}

/// The member of an object, whose name is in any case.
fn member<'a>(object: &'a Value, name: &str) -> Option<&'a Value> {
    let found = object.as_object()?.iter().find(|(own, _)| own.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value).filter(|value| !value.is_null())
}

struct Change<'a> {
    resource: Resource,
    attributes: &'a mut Attributes,
    members: Vec<MemberChange>,
}

impl Change<'_> {
    fn one(&mut self, operation: &Value) -> Result<()> {
        let op = match member(operation, "op").and_then(Value::as_str).unwrap_or_default().to_ascii_lowercase().as_str()
        {
            "add" => Op::Add,
            "replace" => Op::Replace,
            "remove" => Op::Remove,
            _ => return Err(refuse(Reason::InvalidSyntax, "`op` must be add, replace or remove.")),
        };
        let value = member(operation, "value");
        match (member(operation, "path"), op) {
            (Some(Value::String(path)), _) => self.at(op, path, value),
            (Some(_), _) => Err(refuse(Reason::InvalidPath, "`path` must be a text.")),
            (None, Op::Remove) => Err(refuse(Reason::NoTarget, "A remove needs a `path`.")),
            (None, _) => {
                let object = value.and_then(Value::as_object);
                let object = object.ok_or_else(|| unfit("value", "without a `path` an object is expected."))?;
                object.iter().try_for_each(|(path, value)| self.at_known(op, path, value))
            }
        }
    }

    /// A member of the value of an operation without a path, which may be a path. What no schema has is left aside, and what
    /// only the host may set, as in a body.
    fn at_known(&mut self, op: Op, path: &str, value: &Value) -> Result<()> {
        let Ok(patched) = path.parse::<Patched>() else { return Ok(()) };
        let target = self.resource.find(&patched.path);
        let settable = target.is_some_and(|target| {
            target.attribute.is_none_or(|attribute| attribute.mutability != Mutability::ReadOnly)
        });
        if settable { self.at(op, path, Some(value)) } else { Ok(()) }
    }

    fn at(&mut self, op: Op, path: &str, value: Option<&Value>) -> Result<()> {
        let patched: Patched = path.parse()?;
        let unknown = || refuse(Reason::InvalidPath, format!("No schema of a {} has {path}.", self.resource.name()));
        let target = self.resource.find(&patched.path).ok_or_else(unknown)?;
        let needed = || value.ok_or_else(|| unfit("value", "is missing."));
        let object = match target.extension {
            None => &mut *self.attributes,
            Some(extension) => below(self.attributes, extension)?,
        };
        let Some(attribute) = target.attribute else {
            let extension = self.resource.extension();
            match op {
                Op::Remove => object.clear(),
                Op::Add | Op::Replace => object.extend(resource::extension_values(extension, needed()?)?),
            }
            return self.tidy();
        };
        if attribute.name == "schemas" {
            return Ok(()); // they follow from what the resource has
        }
        if attribute.mutability == Mutability::ReadOnly {
            return Err(refuse(Reason::Mutability, format!("{path} is the host's to set.")));
        }
        if self.resource == Resource::Group && attribute.name == "members" {
            let sub = target.sub.is_some() || patched.sub.is_some();
            let change = of_members(op, patched.filter, sub, value)?;
            self.members.push(change);
            return Ok(());
        }
        let sub = match (&patched.sub, target.sub) {
            (Some(name), None) => Some(attribute.sub(name).ok_or_else(unknown)?),
            (Some(_), Some(_)) => return Err(unknown()),
            (None, sub) => sub,
        };
        let place = Place { object, attribute, sub, path };
        match (patched.filter, op) {
            (Some(filter), _) => place.chosen(op, &filter, value)?,
            (None, Op::Remove) => place.remove()?,
            (None, Op::Add) => place.add(needed()?)?,
            (None, Op::Replace) => place.replace(value.unwrap_or(&Value::Null))?,
        }
        self.tidy()
    }

    /// An extension without members is not there.
    fn tidy(&mut self) -> Result<()> {
        let extension = &self.resource.extension().id;
        if self.attributes.get(extension).and_then(Value::as_object).is_some_and(Map::is_empty) {
            self.attributes.remove(extension);
        }
        Ok(())
    }
}

fn below<'a>(attributes: &'a mut Attributes, extension: &str) -> Result<&'a mut Map<String, Value>> {
    let object = attributes.entry(extension).or_insert_with(|| Value::Object(Map::new()));
    object.as_object_mut().ok_or_else(|| unfit(extension, "expected an object."))
}

/// What an operation says of the members of a group.
fn of_members(op: Op, filter: Option<Filter>, sub: bool, value: Option<&Value>) -> Result<MemberChange> {
    if sub {
        return Err(refuse(
            Reason::Mutability,
            "The parts of a member of a group do not change. Remove it, and add another.",
        ));
    }
    let value = value.unwrap_or(&Value::Null);
    Ok(match (op, filter) {
        (Op::Add, None) => MemberChange::Add(resource::references(value)?),
        (Op::Replace, None) => MemberChange::Set(resource::references(value)?),
        (Op::Remove, None) if value.is_null() => MemberChange::Set(Vec::new()),
        // Not in the RFC, but what widespread clients send.
        (Op::Remove, None) => {
            MemberChange::Remove(resource::references(value)?.into_iter().map(|one| one.value).collect())
        }
        (Op::Remove, Some(Filter::Compare(path, Operator::Eq, Value::String(id))))
            if path.schema.is_none() && path.sub.is_none() && path.name.eq_ignore_ascii_case("value") =>
        {
            MemberChange::Remove(vec![id])
        }
        (Op::Remove, Some(filter)) => MemberChange::RemoveWhere(filter),
        (Op::Add | Op::Replace, Some(_)) => {
            return Err(refuse(Reason::Mutability, "A member of a group does not change. Remove it, and add another."));
        }
    })
}

/// Where an operation acts: an attribute of an object, or a part of it.
struct Place<'a> {
    object: &'a mut Map<String, Value>,
    attribute: &'static Attribute,
    sub: Option<&'static Attribute>,
    path: &'a str,
}

impl Place<'_> {
    fn remove(self) -> Result<()> {
        if self.attribute.required && self.sub.is_none() {
            return Err(refuse(Reason::Mutability, format!("{} must have a value.", self.path)));
        }
        match (self.sub, self.object.get_mut(&self.attribute.name)) {
            (_, None) => return Ok(()),
            (None, Some(_)) => drop(self.object.remove(&self.attribute.name)),
            (Some(sub), Some(value)) => {
                each(value, |one| drop(one.remove(&sub.name)));
                self.forget_empty();
            }
        }
        Ok(())
    }

    /// Drops values that have no parts any more, and the attribute when it has no values any more.
    fn forget_empty(self) {
        let name = &self.attribute.name;
        let is_empty = |value: &Value| value.as_object().is_some_and(Map::is_empty);
        if let Some(Value::Array(list)) = self.object.get_mut(name) {
            list.retain(|one| !is_empty(one));
        }
        let gone =
            self.object.get(name).is_some_and(|value| is_empty(value) || value.as_array().is_some_and(Vec::is_empty));
        if gone {
            self.object.remove(name);
        }
    }

    fn add(self, value: &Value) -> Result<()> {
        if self.sub.is_some() || !self.attribute.multi_valued {
            return self.replace(value);
        }
        let name = self.attribute.name.clone();
        let many = match value {
            Value::Array(_) => value.clone(),
            one => Value::Array(vec![one.clone()]),
        };
        let Some(Value::Array(new)) = resource::fitting(self.attribute, &many, self.path)? else { return Ok(()) };
        let had = self.object.entry(name).or_insert_with(|| Value::Array(Vec::new()));
        let Value::Array(had) = had else { return Ok(()) };
        if new.iter().any(is_primary) {
            had.iter_mut().for_each(not_primary);
        }
        for one in new {
            if !had.contains(&one) {
                had.push(one);
            }
        }
        Ok(())
    }

    fn replace(self, value: &Value) -> Result<()> {
        let name = self.attribute.name.clone();
        if let Some(sub) = self.sub {
            let part = resource::single(sub, value, self.path)?;
            let empty = if self.attribute.multi_valued { Value::Array(Vec::new()) } else { Value::Object(Map::new()) };
            let had = self.object.entry(name).or_insert(empty);
            if let Value::Array(list) = had
                && list.is_empty()
            {
                list.push(Value::Object(Map::new()));
            }
            each(had, |one| set(one, sub, part.clone()));
            self.forget_empty();
            return Ok(());
        }
        match (resource::fitting(self.attribute, value, self.path)?, self.object.get_mut(&name)) {
            (None, _) => return self.remove(),
            // The parts that are named are replaced, the others stay.
            (Some(Value::Object(new)), Some(Value::Object(had))) => had.extend(new),
            (Some(new), _) => drop(self.object.insert(name, new)),
        }
        Ok(())
    }

    /// An operation on the values that a filter chooses.
    fn chosen(self, op: Op, filter: &Filter, value: Option<&Value>) -> Result<()> {
        let attribute = self.attribute;
        if attribute.kind != Type::Complex || !attribute.multi_valued {
            return Err(refuse(Reason::InvalidPath, format!("{} has no values to choose from.", attribute.name)));
        }
        let matcher = Matcher::of_values(filter, attribute)?;
        let list = self.object.entry(&attribute.name).or_insert_with(|| Value::Array(Vec::new()));
        let Value::Array(list) = list else { return Ok(()) };
        let chosen = |one: &Value| one.as_object().is_some_and(|one| matcher.fits(one));
        if !list.iter().any(chosen) {
            return self.none_chosen(op, filter, value);
        }
        match (op, self.sub) {
            (Op::Remove, None) => list.retain(|one| !chosen(one)),
            (Op::Remove, Some(sub)) => {
                list.iter_mut().filter(|one| chosen(one)).for_each(|one| each(one, |one| drop(one.remove(&sub.name))));
            }
            (_, sub) => {
                let value = value.ok_or_else(|| unfit("value", "is missing."))?;
                let new = resource::single(sub.unwrap_or(attribute), value, self.path)?;
                if new
                    .as_ref()
                    .is_some_and(|new| is_primary(new) || sub.is_some_and(|sub| sub.name == "primary") && *new == true)
                {
                    list.iter_mut().filter(|one| !chosen(one)).for_each(not_primary);
                }
                for one in list.iter_mut().filter(|one| chosen(one)) {
                    let Value::Object(one) = one else { continue };
                    match (sub, &new) {
                        (Some(sub), new) => set(one, sub, new.clone()),
                        (None, Some(Value::Object(new))) if op == Op::Add => one.extend(new.clone()),
                        (None, Some(Value::Object(new))) => *one = new.clone(),
                        (None, _) => one.clear(),
                    }
                }
            }
        }
        self.forget_empty();
        Ok(())
    }

    /// No value is as the filter says: nothing to remove or to replace; what is added is a value that is like that.
    fn none_chosen(self, op: Op, filter: &Filter, value: Option<&Value>) -> Result<()> {
        let mut made = Map::new();
        let makes = op == Op::Add && describe(filter, self.attribute, &mut made);
        if !makes {
            self.forget_empty();
            return Err(refuse(Reason::NoTarget, "No value is as the filter of the path says."));
        }
        let value = value.ok_or_else(|| unfit("value", "is missing."))?;
        match (self.sub, resource::single(self.sub.unwrap_or(self.attribute), value, self.path)?) {
            (Some(sub), part) => set(&mut made, sub, part),
            (None, Some(Value::Object(new))) => made.extend(new),
            (None, _) => {}
        }
        let place = Place { sub: None, ..self };
        place.add(&Value::Object(made))
    }
}

/// Writes down the value that a filter describes by `part eq value`, joined by `and`; `false` for other filters.
fn describe(filter: &Filter, attribute: &Attribute, made: &mut Map<String, Value>) -> bool {
    match filter {
        Filter::And(one, other) => describe(one, attribute, made) && describe(other, attribute, made),
        Filter::Compare(path, Operator::Eq, value) if !value.is_null() => {
            let sub = attribute.sub(&path.name);
            sub.is_some_and(|sub| {
                made.insert(sub.name.clone(), value.clone());
                true
            })
        }
        _ => false,
    }
}

fn each(value: &mut Value, mut act: impl FnMut(&mut Map<String, Value>)) {
    match value {
        Value::Array(list) => list.iter_mut().filter_map(Value::as_object_mut).for_each(act),
        Value::Object(one) => act(one),
        _ => {}
    }
}

fn set(object: &mut Map<String, Value>, sub: &Attribute, value: Option<Value>) {
    match value {
        Some(value) => drop(object.insert(sub.name.clone(), value)),
        None => drop(object.remove(&sub.name)),
    }
}

fn is_primary(value: &Value) -> bool {
    value["primary"] == true
}

fn not_primary(value: &mut Value) {
    if is_primary(value) {
        value["primary"] = false.into();
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use serde_json::json;

    use super::*;
    use berth_base::error::Code;

    const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

    fn user() -> Value {
        json!({
            "userName": "bob", "title": "Clerk", "name": {"givenName": "Bob", "familyName": "Ray"},
            "emails": [{"value": "a@x", "type": "work", "primary": true}, {"value": "b@x", "type": "home"}],
            ENTERPRISE: {"department": "Sales"},
        })
    }

    fn patched(operations: Value) -> Result<Value> {
        let mut attributes = user().as_object().unwrap().clone();
        apply(Resource::User, &mut attributes, &json!({"Operations": operations}))?;
        Ok(Value::Object(attributes))
    }

    fn changed(operation: Value, at: &str) -> Value {
        patched(json!([operation.clone()]))
            .unwrap_or_else(|error| json!({"refused": error.to_string()}))
            .pointer(at)
            .cloned()
            .unwrap_or_default()
    }

    #[test]
    fn w5_operations_do_what_the_rfc_says() {
        let work = json!({"value": "a@x", "type": "work", "primary": true});
        let home = json!({"value": "b@x", "type": "home"});
        let department = format!("/{ENTERPRISE}/department");
        for (operation, at, expected) in [
            (json!({"op": "Replace", "path": "title", "value": "Chief"}), "/title", json!("Chief")),
            (json!({"op": "add", "path": "nickName", "value": "B"}), "/nickName", json!("B")),
            (json!({"op": "remove", "path": "title"}), "/title", json!(null)),
            (json!({"op": "replace", "path": "title", "value": null}), "/title", json!(null)),
            (
                json!({"op": "replace", "path": "name", "value": {"givenName": "Rob"}}),
                "/name",
                json!({"givenName": "Rob", "familyName": "Ray"}),
            ),
            (json!({"op": "remove", "path": "name.givenName"}), "/name", json!({"familyName": "Ray"})),
            (json!({"op": "add", "path": "emails", "value": [home]}), "/emails", json!([work, home])),
            (
                json!({"op": "add", "path": "emails", "value": [{"value": "c@x", "primary": true}]}),
                "/emails/0/primary",
                json!(false),
            ),
            (json!({"op": "replace", "path": "emails", "value": [home]}), "/emails", json!([home])),
            (json!({"op": "remove", "path": "emails[type eq \"home\"]"}), "/emails", json!([work])),
            (json!({"op": "remove", "path": "emails[value pr]"}), "/emails", json!(null)),
            (
                json!({"op": "replace", "path": "emails[type eq \"home\"].value", "value": "n@x"}),
                "/emails/1/value",
                json!("n@x"),
            ),
            (
                json!({"op": "replace", "path": "emails[type eq \"home\"]", "value": {"value": "n@x"}}),
                "/emails/1",
                json!({"value": "n@x"}),
            ),
            (
                json!({"op": "replace", "path": "emails[type eq \"home\"].primary", "value": "True"}),
                "/emails/0/primary",
                json!(false),
            ),
            (
                json!({"op": "add", "path": "emails[type eq \"other\"].value", "value": "o@x"}),
                "/emails/2",
                json!({"type": "other", "value": "o@x"}),
            ),
            (
                json!({"op": "replace", "path": format!("{ENTERPRISE}:department"), "value": "HR"}),
                &department,
                json!("HR"),
            ),
            (json!({"op": "remove", "path": ENTERPRISE}), &format!("/{ENTERPRISE}"), json!(null)),
            (
                json!({"op": "remove", "path": format!("{ENTERPRISE}:department")}),
                &format!("/{ENTERPRISE}"),
                json!(null),
            ),
            (json!({"op": "add", "path": ENTERPRISE, "value": {"division": "South"}}), &department, json!("Sales")),
            (json!({"op": "add", "value": {"title": "Chief", "shoe": 43, "id": "x"}}), "/title", json!("Chief")),
            (json!({"op": "replace", "value": {"name.givenName": "Rob"}}), "/name/givenName", json!("Rob")),
            (json!({"op": "replace", "value": {format!("{ENTERPRISE}:department"): "HR"}}), &department, json!("HR")),
            (json!({"op": "replace", "value": {ENTERPRISE: {"department": "HR"}}}), &department, json!("HR")),
            (json!({"op": "replace", "path": "active", "value": "False"}), "/active", json!(false)),
        ] {
            assert_eq!(changed(operation.clone(), at), expected, "{operation}");
        }
    }

    #[test]
    fn w5_operations_that_cannot_be_done_are_refused_by_the_word_of_the_rfc() {
        for (operation, code) in [
            (json!({"op": "move", "path": "title"}), Code::ScimSyntax),
            (json!({"op": "remove"}), Code::ScimNoTarget),
            (json!({"op": "replace", "path": "emails[type eq \"x\"].value", "value": "y"}), Code::ScimNoTarget),
            (json!({"op": "remove", "path": "emails[type eq \"x\"]"}), Code::ScimNoTarget),
            (json!({"op": "add", "path": "shoe", "value": 43}), Code::ScimPath),
            (json!({"op": "add", "path": "name[givenName eq \"Bob\"]", "value": {}}), Code::ScimPath),
            (json!({"op": "add", "path": "emails[", "value": {}}), Code::ScimPath),
            (json!({"op": "add", "path": 7, "value": {}}), Code::ScimPath),
            (json!({"op": "replace", "path": "id", "value": "x"}), Code::ScimMutability),
            (json!({"op": "replace", "path": "groups", "value": []}), Code::ScimMutability),
            (json!({"op": "remove", "path": "userName"}), Code::ScimMutability),
            (json!({"op": "replace", "path": "active", "value": "maybe"}), Code::ScimValue),
            (json!({"op": "add", "path": "title"}), Code::ScimValue),
            (json!({"op": "add", "value": "x"}), Code::ScimValue),
        ] {
            assert_eq!(patched(json!([operation.clone()])).unwrap_err().code, code, "{operation}");
        }
        assert_eq!(patched(json!([])).unwrap_err().code, Code::ScimSyntax);
    }

    #[test]
    fn w5_what_is_said_of_the_members_of_a_group_is_apart() {
        let say = |operation: Value| {
            let mut attributes = json!({"displayName": "Sales"}).as_object().unwrap().clone();
            let body = json!({"Operations": [operation]});
            apply(Resource::Group, &mut attributes, &body).map(|mut changes| changes.remove(0))
        };
        let one = vec![Reference { value: "mem_1".into(), resource: None }];
        let value = json!([{"value": "mem_1"}]);
        for (operation, expected) in [
            (json!({"op": "add", "path": "members", "value": value}), MemberChange::Add(one.clone())),
            (json!({"op": "add", "value": {"members": value}}), MemberChange::Add(one.clone())),
            (json!({"op": "replace", "path": "members", "value": value}), MemberChange::Set(one)),
            (json!({"op": "remove", "path": "members"}), MemberChange::Set(vec![])),
            (json!({"op": "remove", "path": "members", "value": value}), MemberChange::Remove(vec!["mem_1".into()])),
            (
                json!({"op": "remove", "path": "members[value eq \"mem_1\"]"}),
                MemberChange::Remove(vec!["mem_1".into()]),
            ),
        ] {
            assert_eq!(say(operation.clone()).unwrap(), expected, "{operation}");
        }
        let by_type = say(json!({"op": "remove", "path": "members[type eq \"Group\"]"})).unwrap();
        assert!(matches!(by_type, MemberChange::RemoveWhere(_)));
        let refused = say(json!({"op": "replace", "path": "members[value eq \"a\"].type", "value": "User"}));
        assert_eq!(refused.unwrap_err().code, Code::ScimMutability);
    }
}
