//! Whether a resource satisfies a filter.

use std::cmp::Ordering;

use berth_base::{clock::Millis, error::Result};
use serde_json::{Map, Value};

use super::{Filter, Operator};
use crate::workspace::scim::{
    path::AttributePath,
    refusal::{Reason, refuse},
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
    Compare(Option<Target>, Operator, Value),
    /// One value satisfies the filter.
    Has(Option<Target>, Box<Matcher>),
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
                Self::Compare(target, *operator, value.clone())
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

    /// Whether a resource, or a value of a complex attribute, satisfies the filter.
    pub fn fits(&self, object: &Map<String, Value>) -> bool {
        match self {
            Self::And(one, other) => one.fits(object) && other.fits(object),
            Self::Or(one, other) => one.fits(object) || other.fits(object),
            Self::Not(inner) => !inner.fits(object),
            Self::Present(target) => values(object, target.as_ref()).into_iter().any(is_present),
            Self::Compare(target, operator, wanted) => compare(object, target.as_ref(), *operator, wanted),
            Self::Has(target, inner) => {
                let values = values(object, target.as_ref());
                values.into_iter().filter_map(Value::as_object).any(|value| inner.fits(value))
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
fn values<'a>(object: &'a Map<String, Value>, target: Option<&Target>) -> Vec<&'a Value> {
    let Some(target) = target else { return Vec::new() };
    let base = match target.extension {
        Some(extension) => object.get(extension).and_then(Value::as_object),
        None => Some(object),
    };
    let Some(base) = base else { return Vec::new() };
    let Some(attribute) = target.attribute else { return base.values().collect() };
    let found = match base.get(&attribute.name) {
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

fn compare(object: &Map<String, Value>, target: Option<&Target>, operator: Operator, wanted: &Value) -> bool {
    let found = values(object, target);
    let is = |operator| {
        let attribute = target.and_then(|target| target.sub.or(target.attribute));
        match wanted {
            Value::Null => operator == Operator::Eq && !found.iter().any(|value| is_present(value)),
            _ => found.iter().any(|value| attribute.is_some_and(|attribute| holds(attribute, value, operator, wanted))),
        }
    };
    if operator == Operator::Ne { !is(Operator::Eq) } else { is(operator) }
}

fn holds(attribute: &Attribute, value: &Value, operator: Operator, wanted: &Value) -> bool {
    match (attribute.kind, value, wanted) {
        (Type::DateTime, Value::String(value), Value::String(wanted)) => {
            match (value.parse::<Millis>(), wanted.parse::<Millis>()) {
                (Ok(value), Ok(wanted)) => ordered(value.cmp(&wanted), operator),
                _ => texts(value, operator, wanted),
            }
        }
        (Type::Boolean, Value::Bool(value), Value::String(wanted)) => {
            operator == Operator::Eq && value.to_string().eq_ignore_ascii_case(wanted)
        }
        (_, Value::Bool(value), Value::Bool(wanted)) => operator == Operator::Eq && value == wanted,
        (_, Value::Number(value), Value::Number(wanted)) => {
            let order = value.as_f64().zip(wanted.as_f64()).and_then(|(value, wanted)| value.partial_cmp(&wanted));
            order.is_some_and(|order| ordered(order, operator))
        }
        (_, Value::String(value), Value::String(wanted)) if attribute.case_exact => texts(value, operator, wanted),
        (_, Value::String(value), Value::String(wanted)) => {
            texts(&value.to_lowercase(), operator, &wanted.to_lowercase())
        }
        _ => false,
    }
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
