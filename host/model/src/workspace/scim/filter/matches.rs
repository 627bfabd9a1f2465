//! Whether a resource satisfies a filter. A filter is made ready once and asked of many resources, so that what it wants is read
//! and put into lower case once, and resources are looked at where they are.

use std::cmp::Ordering;

use berth_base::{clock::Millis, error::Result};
use serde_json::{Map, Value};

use super::{Filter, Operator};
use crate::workspace::scim::{
    path::AttributePath,
    refusal::{Reason, refuse},
    resource::{composed, user_name},
    schema::{Attribute, Resource, Target, Type},
};

/// What becomes of a filter that names an attribute which the type of resource does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// It is refused: one type is asked about.
    Demanded,
    /// The attribute counts as having no value: several types are asked about.
    Absent,
}

/// A filter, made ready for one type of resource.
#[derive(Clone, Debug)]
pub enum Matcher {
    /// Both hold.
    And(Box<Matcher>, Box<Matcher>),
    /// One of both holds.
    Or(Box<Matcher>, Box<Matcher>),
    /// It does not hold.
    Not(Box<Matcher>),
    /// There is a value; `None` for an attribute that is not there.
    Present(Option<Target>),
    /// A value compares with the other like this.
    Compare(Option<Target>, Operator, Wanted),
    /// One value satisfies the filter.
    Has(Option<Target>, Box<Matcher>),
}

/// What values are compared with.
#[derive(Clone, Debug, PartialEq)]
pub enum Wanted {
    /// No value.
    Null,
    /// What no value of the attribute is like.
    Nothing,
    /// One of both.
    Bool(bool),
    /// A number.
    Number(f64),
    /// A moment.
    Moment(Millis),
    /// A text, exactly.
    Exact(String),
    /// A text in upper or lower case; here in lower case.
    Folded(String),
}

impl Wanted {
    fn of(attribute: &Attribute, operator: Operator, wanted: &Value) -> Self {
        match wanted {
            Value::Null => Self::Null,
            Value::Bool(wanted) => Self::Bool(*wanted),
            Value::Number(wanted) => wanted.as_f64().map_or(Self::Nothing, Self::Number),
            Value::String(text) => Self::text(attribute, operator, text),
            Value::Array(_) | Value::Object(_) => Self::Nothing,
        }
    }

    fn text(attribute: &Attribute, operator: Operator, text: &str) -> Self {
        let moment = || text.parse().map_or_else(|_| Self::Exact(text.to_owned()), Self::Moment);
        match attribute.kind {
            Type::DateTime => moment(),
            Type::Boolean if text.eq_ignore_ascii_case("true") => Self::Bool(true),
            Type::Boolean if text.eq_ignore_ascii_case("false") => Self::Bool(false),
            Type::Boolean => Self::Nothing,
            _ if attribute.case_exact => Self::Exact(text.to_owned()),
            _ if attribute.name == "userName" => match operator {
                Operator::Eq | Operator::Ne => Self::Folded(user_name(text).to_lowercase()),
                _ => Self::Folded(composed(text).to_lowercase()),
            },
            _ => Self::Folded(text.to_lowercase()),
        }
    }

    /// Whether a value compares with it like this.
    fn is(&self, value: &Value, operator: Operator) -> bool {
        match (self, value) {
            (Self::Bool(wanted), Value::Bool(value)) => operator == Operator::Eq && value == wanted,
            (Self::Number(wanted), Value::Number(value)) => {
                let order = value.as_f64().and_then(|value| value.partial_cmp(wanted));
                order.is_some_and(|order| ordered(order, operator))
            }
            (Self::Moment(wanted), Value::String(value)) => {
                value.parse::<Millis>().is_ok_and(|value| ordered(value.cmp(wanted), operator))
            }
            (Self::Exact(wanted), Value::String(value)) => texts(value, operator, wanted),
            (Self::Folded(wanted), Value::String(value)) => texts(&value.to_lowercase(), operator, wanted),
            _ => false,
        }
    }
}

/// Where names are looked up.
#[derive(Clone, Copy)]
enum Scope {
    Resource(Resource, Known),
    Value(&'static Attribute),
}

impl Scope {
    fn find(self, path: &AttributePath) -> Result<Option<Target>> {
        let (found, demanded) = match self {
            Self::Resource(resource, known) => (resource.find(path), known == Known::Demanded),
            Self::Value(_) if path.schema.is_some() || path.sub.is_some() => (None, true),
            Self::Value(attribute) => {
                let sub = attribute.sub(&path.name);
                (sub.map(|sub| Target { extension: None, attribute: Some(sub), sub: None }), true)
            }
        };
        match found {
            None if demanded => Err(refuse(Reason::InvalidFilter, format!("There is no attribute {path} here."))),
            found => Ok(found),
        }
    }
}

impl Matcher {
    /// Makes a filter of resources ready.
    ///
    /// # Errors
    /// `scim-filter` for an attribute that is not there, unless that is the same as one without a value; for a comparison
    /// that the type of the attribute does not have.
    pub fn of_resources(filter: &Filter, resource: Resource, known: Known) -> Result<Self> {
        Self::make(filter, Scope::Resource(resource, known))
    }

    /// Makes a filter of the values of one attribute ready.
    ///
    /// # Errors
    /// As for resources.
    pub fn of_values(filter: &Filter, attribute: &'static Attribute) -> Result<Self> {
        Self::make(filter, Scope::Value(attribute))
    }

    fn make(filter: &Filter, scope: Scope) -> Result<Self> {
        let both = |one: &Filter, other: &Filter| -> Result<(Box<Self>, Box<Self>)> {
            Ok((Box::new(Self::make(one, scope)?), Box::new(Self::make(other, scope)?)))
        };
        Ok(match filter {
            Filter::And(one, other) => both(one, other).map(|(one, other)| Self::And(one, other))?,
            Filter::Or(one, other) => both(one, other).map(|(one, other)| Self::Or(one, other))?,
            Filter::Not(inner) => Self::Not(Box::new(Self::make(inner, scope)?)),
            Filter::Present(path) => Self::Present(scope.find(path)?),
            Filter::Compare(path, operator, value) => {
                let target = scope.find(path)?.map(|target| comparable(target, path, *operator)).transpose()?;
                let attribute = target.and_then(|target| target.sub.or(target.attribute));
                let wanted = match value {
                    Value::Null => Wanted::Null,
                    _ => attribute.map_or(Wanted::Nothing, |attribute| Wanted::of(attribute, *operator, value)),
                };
                Self::Compare(target, *operator, wanted)
            }
            Filter::Has(path, inner) => match scope.find(path)? {
                Some(target @ Target { attribute: Some(attribute), sub: None, .. })
                    if attribute.kind == Type::Complex =>
                {
                    Self::Has(Some(target), Box::new(Self::make(inner, Scope::Value(attribute))?))
                }
                None => Self::Has(None, Box::new(Self::Present(None))),
                Some(_) => return Err(refuse(Reason::InvalidFilter, format!("{path} has no parts to choose by."))),
            },
        })
    }

    /// Whether an object satisfies the filter: a value of a complex attribute; or a resource, whose members may stand in several
    /// parts, as what is stored and what follows from it.
    pub fn fits(&self, parts: &[&Map<String, Value>]) -> bool {
        match self {
            Self::And(one, other) => one.fits(parts) && other.fits(parts),
            Self::Or(one, other) => one.fits(parts) || other.fits(parts),
            Self::Not(inner) => !inner.fits(parts),
            Self::Present(target) => values(parts, target.as_ref()).into_iter().any(is_present),
            Self::Compare(target, operator, wanted) => compare(parts, target.as_ref(), *operator, wanted),
            Self::Has(target, inner) => {
                let values = values(parts, target.as_ref());
                values.into_iter().filter_map(Value::as_object).any(|value| inner.fits(&[value]))
            }
        }
    }
}

/// The target itself, or its part `value` for a complex attribute, when the operator can be asked of it.
fn comparable(target: Target, path: &AttributePath, operator: Operator) -> Result<Target> {
    let no = |why: &str| refuse(Reason::InvalidFilter, format!("{path} {}: {why}", operator.as_str()));
    let Some(attribute) = target.sub.or(target.attribute) else {
        return Err(no("an extension as a whole is not compared; name an attribute of it."));
    };
    let target = match attribute.kind {
        Type::Complex => {
            let value = attribute.sub("value").ok_or_else(|| no("name the part that is compared."))?;
            Target { sub: Some(value), ..target }
        }
        _ => target,
    };
    let kind = target.sub.or(target.attribute).map(|attribute| attribute.kind);
    let ordered = matches!(operator, Operator::Gt | Operator::Ge | Operator::Lt | Operator::Le);
    let texts = matches!(operator, Operator::Co | Operator::Sw | Operator::Ew);
    match kind {
        Some(Type::Boolean) if ordered || texts => Err(no("true and false are only equal or not.")),
        Some(Type::Binary) if ordered => Err(no("bytes have no order.")),
        Some(Type::Integer) if texts => Err(no("a number has no beginning and no end.")),
        _ => Ok(target),
    }
}

/// The values that a target has in an object; of a list each by itself.
fn values<'a>(parts: &[&'a Map<String, Value>], target: Option<&Target>) -> Vec<&'a Value> {
    let member = |name: &str| parts.iter().find_map(|part| part.get(name));
    let Some(target) = target else { return Vec::new() };
    let found = match (target.extension.map(member), target.attribute) {
        (Some(extension), None) => {
            return extension.and_then(Value::as_object).map_or_else(Vec::new, |own| own.values().collect());
        }
        (Some(extension), Some(attribute)) => extension.and_then(|own| own.get(&attribute.name)),
        (None, Some(attribute)) => member(&attribute.name),
        (None, None) => return Vec::new(), // there is no such target
    };
    let found = match found {
        Some(Value::Array(list)) => list.iter().collect(),
        Some(one) => vec![one],
        None => Vec::new(),
    };
    match target.sub {
        Some(sub) => found.into_iter().filter_map(|value| value.get(&sub.name)).collect(),
        None => found,
    }
}

fn is_present(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(list) => !list.is_empty(),
        Value::Object(members) => !members.is_empty(),
        Value::Bool(_) | Value::Number(_) => true,
    }
}

fn compare(parts: &[&Map<String, Value>], target: Option<&Target>, operator: Operator, wanted: &Wanted) -> bool {
    let found = values(parts, target);
    let is = |operator| match wanted {
        Wanted::Null => operator == Operator::Eq && !found.iter().any(|value| is_present(value)),
        _ => found.iter().any(|value| wanted.is(value, operator)),
    };
    if operator == Operator::Ne { !is(Operator::Eq) } else { is(operator) }
}

fn texts(value: &str, operator: Operator, wanted: &str) -> bool {
    match operator {
        Operator::Co => value.contains(wanted),
        Operator::Sw => value.starts_with(wanted),
        Operator::Ew => value.ends_with(wanted),
        _ => ordered(value.cmp(wanted), operator),
    }
}

fn ordered(order: Ordering, operator: Operator) -> bool {
    match operator {
        Operator::Eq => order.is_eq(),
        Operator::Gt => order.is_gt(),
        Operator::Ge => order.is_ge(),
        Operator::Lt => order.is_lt(),
        Operator::Le => order.is_le(),
        Operator::Ne | Operator::Co | Operator::Sw | Operator::Ew => false,
    }
}
