//! What a request wants to see of resources (RFC 7644, §3.9).

use berth_base::error::Result;
use serde_json::{Map, Value, json};

use super::{
    path::AttributePath,
    refusal::{Reason, refuse},
    schema::Resource,
};

/// How many attributes a request names, at most: each is looked for in each resource.
const MOST_NAMES: usize = 200;

/// What a request wants to see of resources (RFC 7644, §3.9).
#[derive(Clone, Debug, Default)]
pub struct View {
    only: Vec<AttributePath>,
    without: Vec<AttributePath>,
}

impl View {
    /// From the parameters `attributes` and `excludedAttributes`.
    ///
    /// # Errors
    /// `scim-value` when there are both, or more than 200 names; `scim-path` for what is no name.
    pub fn of<'a>(only: impl IntoIterator<Item = &'a str>, without: impl IntoIterator<Item = &'a str>) -> Result<Self> {
        let read = |names: &mut dyn Iterator<Item = &'a str>| -> Result<Vec<AttributePath>> {
            let mut names = names.map(str::trim).filter(|name| !name.is_empty());
            let read = names.by_ref().take(MOST_NAMES).map(str::parse).collect();
            match names.next() {
                None => read,
                Some(_) => Err(refuse(Reason::InvalidValue, format!("Name at most {MOST_NAMES} attributes."))),
            }
        };
        let view = Self { only: read(&mut only.into_iter())?, without: read(&mut without.into_iter())? };
        if !view.only.is_empty() && !view.without.is_empty() {
            let detail = "attributes and excludedAttributes exclude each other. Send one of them.";
            return Err(refuse(Reason::InvalidValue, detail));
        }
        Ok(view)
    }

    /// Whether anything of the attribute is wanted. What is costly to read is not read when it is not.
    pub fn wants(&self, name: &str) -> bool {
        let is = |path: &AttributePath| path.name.eq_ignore_ascii_case(name);
        if self.only.is_empty() {
            !self.without.iter().any(|path| is(path) && path.sub.is_none())
        } else {
            self.only.iter().any(is)
        }
    }

    /// Whether `attributes` named what is wanted.
    pub fn is_chosen(&self) -> bool {
        !self.only.is_empty()
    }

    /// The resource with only what is wanted of it. `id` and `schemas` always are.
    pub fn show(&self, resource: Resource, mut whole: Map<String, Value>) -> Map<String, Value> {
        if !self.only.is_empty() {
            let mut shown = Map::new();
            for name in ["id", "schemas"] {
                shown.extend(whole.remove_entry(name));
            }
            for path in &self.only {
                keep(resource, path, &whole, &mut shown);
            }
            return shown;
        }
        for path in &self.without {
            leave_out(resource, path, &mut whole);
        }
        whole
    }
}

fn keep(resource: Resource, path: &AttributePath, whole: &Map<String, Value>, shown: &mut Map<String, Value>) {
    let Some(target) = resource.find(path) else { return };
    let (from, into) = match target.extension {
        None => (whole, shown),
        Some(extension) => {
            let Some(Value::Object(from)) = whole.get(extension) else { return };
            let into = shown.entry(extension).or_insert_with(|| json!({}));
            let Value::Object(into) = into else { return };
            (from, into)
        }
    };
    let Some(attribute) = target.attribute else { return into.extend(from.clone()) };
    let Some(value) = from.get(&attribute.name) else { return };
    let Some(sub) = target.sub else {
        into.insert(attribute.name.clone(), value.clone());
        return;
    };
    let part = |value: &Value| json!({ &sub.name: value.get(&sub.name) });
    let had = into.remove(&attribute.name);
    let kept = match (value, had) {
        (Value::Array(list), Some(Value::Array(had))) => {
            had.into_iter().zip(list).map(|(had, one)| merged(had, part(one))).collect()
        }
        (Value::Array(list), _) => list.iter().map(part).collect(),
        (one, Some(had)) => merged(had, part(one)),
        (one, None) => part(one),
    };
    into.insert(attribute.name.clone(), without_nulls(kept));
}

fn merged(mut one: Value, other: Value) -> Value {
    if let (Value::Object(one), Value::Object(other)) = (&mut one, other) {
        one.extend(other);
    }
    one
}

fn without_nulls(mut value: Value) -> Value {
    let clean = |value: &mut Value| {
        if let Value::Object(object) = value {
            object.retain(|_, value| !value.is_null());
        }
    };
    match &mut value {
        Value::Array(list) => list.iter_mut().for_each(clean),
        one => clean(one),
    }
    value
}

fn leave_out(resource: Resource, path: &AttributePath, whole: &mut Map<String, Value>) {
    let Some(target) = resource.find(path) else { return };
    let Some(attribute) = target.attribute else {
        whole.remove(target.extension.unwrap_or_default());
        return;
    };
    if ["id", "schemas"].contains(&attribute.name.as_str()) {
        return;
    }
    let from = match target.extension {
        None => whole,
        Some(extension) => match whole.get_mut(extension) {
            Some(Value::Object(from)) => from,
            _ => return,
        },
    };
    match (target.sub, from.get_mut(&attribute.name)) {
        (None, _) => drop(from.remove(&attribute.name)),
        (Some(sub), Some(Value::Array(list))) => {
            list.iter_mut().filter_map(Value::as_object_mut).for_each(|one| drop(one.remove(&sub.name)));
        }
        (Some(sub), Some(Value::Object(one))) => drop(one.remove(&sub.name)),
        _ => {}
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::*;

    const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
    const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

    #[test]
    fn w5_a_request_sees_what_it_names_and_always_the_id() {
        let whole = json!({
            "id": "1", "schemas": [USER], "userName": "bob", "emails": [{"value": "a", "type": "work"}, {"value": "b"}],
            ENTERPRISE: {"department": "Sales", "division": "South"},
        });
        let whole = whole.as_object().unwrap();
        let show = |only: &[&str], without: &[&str]| {
            let view = View::of(only.iter().copied(), without.iter().copied()).unwrap();
            Value::Object(view.show(Resource::User, whole.clone()))
        };
        let base = |more: Value| merged(json!({"id": "1", "schemas": [USER]}), more);
        assert_eq!(show(&["USERNAME"], &[]), base(json!({"userName": "bob"})));
        assert_eq!(show(&["emails.value"], &[]), base(json!({"emails": [{"value": "a"}, {"value": "b"}]})));
        let both = json!({"emails": [{"value": "a", "type": "work"}, {"value": "b"}]});
        assert_eq!(show(&["emails.value", "emails.type"], &[]), base(both));
        let department = format!("{ENTERPRISE}:department");
        assert_eq!(show(&[&department], &[]), base(json!({ENTERPRISE: {"department": "Sales"}})));
        let left = show(&[], &["id", "userName", "emails.type", ENTERPRISE]);
        assert_eq!(left, base(json!({"emails": [{"value": "a"}, {"value": "b"}]})));
        assert!(View::of(["a"], ["b"]).is_err());
        assert!(View::of(vec!["a"; 201], []).is_err() && View::of(vec!["a"; 200], []).is_ok());
        let view = View::of([], ["members"]).unwrap();
        assert!(!view.wants("members") && view.wants("displayName"));
    }
}
