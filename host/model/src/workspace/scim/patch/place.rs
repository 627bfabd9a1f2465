//! Where an operation of a change acts, and what it does there.

use std::collections::HashSet;

use berth_base::error::Result;
use serde_json::{Map, Value};

use super::{
    super::{
        filter::{Filter, Matcher, Operator},
        refusal::{Reason, refuse, unfit},
        resource,
        schema::{Attribute, Type},
    },
    Op,
};

/// Where an operation acts: an attribute of an object, or a part of it.
pub(super) struct Place<'a> {
    pub object: &'a mut Map<String, Value>,
    pub attribute: &'static Attribute,
    pub sub: Option<&'static Attribute>,
    pub path: &'a str,
}

impl Place<'_> {
    pub fn remove(self) -> Result<()> {
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

    pub fn add(self, value: &Value) -> Result<()> {
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
        // A list of 200 is compared with 200 for each of 1,000 operations, so what is there is looked up.
        let mut known: HashSet<_> = had.iter().map(Value::to_string).collect();
        had.extend(new.into_iter().filter(|one| known.insert(one.to_string())));
        resource::few(had.len(), self.path)
    }

    pub fn replace(self, value: &Value) -> Result<()> {
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
    pub fn chosen(self, op: Op, filter: &Filter, value: Option<&Value>) -> Result<()> {
        let attribute = self.attribute;
        if attribute.kind != Type::Complex || !attribute.multi_valued {
            return Err(refuse(Reason::InvalidPath, format!("{} has no values to choose from.", attribute.name)));
        }
        let matcher = Matcher::of_values(filter, attribute)?;
        let list = self.object.entry(&attribute.name).or_insert_with(|| Value::Array(Vec::new()));
        let Value::Array(list) = list else { return Ok(()) };
        let chosen = |one: &Value| one.as_object().is_some_and(|one| matcher.fits(&[one]));
        if !list.iter().any(chosen) {
            return self.none_chosen(op, filter, value);
        }
        match (op, self.sub) {
            (Op::Remove, None) => list.retain(|one| !chosen(one)),
            (Op::Remove, Some(sub)) => {
                list.iter_mut().filter(|one| chosen(one)).for_each(|one| each(one, |one| drop(one.remove(&sub.name))));
            }
            _ => {
                let value = value.ok_or_else(|| unfit("value", "is missing."))?;
                let new = resource::single(self.sub.unwrap_or(attribute), value, self.path)?;
                set_chosen(list, chosen, op, self.sub, new.as_ref());
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

/// Sets the values that are chosen, or a part of each. When that makes them the primary ones, no other is.
fn set_chosen(
    list: &mut [Value],
    chosen: impl Fn(&Value) -> bool,
    op: Op,
    sub: Option<&Attribute>,
    new: Option<&Value>,
) {
    let becomes_primary = |new: &Value| is_primary(new) || sub.is_some_and(|sub| sub.name == "primary") && *new == true;
    if new.is_some_and(becomes_primary) {
        list.iter_mut().filter(|one| !chosen(one)).for_each(not_primary);
    }
    for one in list.iter_mut().filter(|one| chosen(one)).filter_map(Value::as_object_mut) {
        match (sub, new) {
            (Some(sub), new) => set(one, sub, new.cloned()),
            (None, Some(Value::Object(new))) if op == Op::Add => one.extend(new.clone()),
            (None, Some(Value::Object(new))) => *one = new.clone(),
            (None, _) => one.clear(),
        }
    }
}
