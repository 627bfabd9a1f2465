//! Changes of a resource (RFC 7644, §3.5.2). Those of the members of a group are apart, as a group may have 100,000 and a
//! change names few.

mod place;
#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests;

use berth_base::error::Result;
use serde_json::{Map, Value};

use self::place::Place;
use super::{
    filter::{Filter, Operator, Patched},
    refusal::{Reason, refuse, unfit},
    resource::{self, Attributes, Reference},
    schema::{Mutability, Resource},
};

/// How many operations a change has, at most.
const MOST: usize = 1000;
/// How many comparisons the filters of a change have together, at most: each may look at all that a resource has.
const MOST_COMPARISONS: usize = 2000;

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
    let mut change = Change { resource, attributes, members: Vec::new(), comparisons: 0 };
    for operation in operations {
        change.one(operation)?;
    }
    let members = change.members;
    resource::settle(resource, attributes)?;
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
    comparisons: usize,
}

impl Change<'_> {
    /// Counts the comparisons of a filter, and refuses those that are too many.
    fn count(&mut self, filter: &Filter) -> Result<()> {
        self.comparisons += filter.comparisons();
        if self.comparisons <= MOST_COMPARISONS {
            return Ok(());
        }
        let detail =
            format!("The filters of a change have at most {MOST_COMPARISONS} comparisons. Send it in several.");
        Err(refuse(Reason::InvalidPath, detail))
    }

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
        if let Some(filter) = &patched.filter {
            self.count(filter)?;
        }
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
            self.tidy();
            return Ok(());
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
        self.tidy();
        Ok(())
    }

    /// An extension without members is not there.
    fn tidy(&mut self) {
        let extension = &self.resource.extension().id;
        if self.attributes.get(extension).and_then(Value::as_object).is_some_and(Map::is_empty) {
            self.attributes.remove(extension);
        }
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
