//! What of a filter an index can answer, so that one member of 100,000 is found without a look at the others.

use serde_json::Value;

use super::{Filter, Operator};
use crate::workspace::scim::{path::AttributePath, resource::user_name, schema::Resource};

/// A condition that every match satisfies and that an index answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Narrow {
    /// The id is this.
    Id(String),
    /// The `userName` of a User or the `displayName` of a Group is this, in lower case.
    Key(String),
    /// The `externalId` is this.
    ExternalId(String),
    /// The Group has this User or Group in it.
    Member(String),
}

impl Narrow {
    /// The condition that tells most, if the filter has one.
    pub fn of(filter: &Filter, resource: Resource) -> Option<Self> {
        match filter {
            Filter::And(one, other) => Self::of(one, resource).or_else(|| Self::of(other, resource)),
            Filter::Compare(path, Operator::Eq, Value::String(text)) => Self::equal(path, text, resource),
            Filter::Has(path, inner) if is(path, resource, "members") => match &**inner {
                Filter::Compare(part, Operator::Eq, Value::String(text)) if part.name.eq_ignore_ascii_case("value") => {
                    Some(Self::Member(text.clone()))
                }
                _ => None,
            },
            _ => None,
        }
    }

    fn equal(path: &AttributePath, text: &str, resource: Resource) -> Option<Self> {
        let (key, wanted) = match resource {
            Resource::User => ("userName", user_name(text)),
            Resource::Group => ("displayName", text.to_owned()),
        };
        match () {
            () if is(path, resource, "id") => Some(Self::Id(text.to_owned())),
            () if is(path, resource, key) => Some(Self::Key(wanted.to_lowercase())),
            () if is(path, resource, "externalId") => Some(Self::ExternalId(text.to_owned())),
            () if resource == Resource::Group && is(path, resource, "members") => Some(Self::Member(text.to_owned())),
            () => None,
        }
    }
}

/// Whether the path leads to this attribute of the resource, whole or to its part `value`.
fn is(path: &AttributePath, resource: Resource, name: &str) -> bool {
    let Some(target) = resource.find(path) else { return false };
    let part = target.sub.is_none_or(|sub| sub.name == "value");
    part && target.extension.is_none() && target.attribute.is_some_and(|attribute| attribute.name == name)
}
