//! Parses what people type on a command line: durations, moments, ranges, lists, places of policies.

use std::{path::PathBuf, str::FromStr};

use jiff::{Span, SpanRelativeTo};
use serde_json::Value;

use berth_base::{
    clock::Millis,
    error::Error,
    ids::{GrayTaskId, HostAppId, MiniAppId},
};
use berth_model::policy::registry::{PolicyScope, ScopeKind};

/// The seconds of a duration: `7d`, `12h`, `30m`, `90s`, `2w`, or several of them with the largest first (`1d12h`), with a plus
/// before it or without. A day has 24 hours.
pub fn duration(text: &str) -> Result<i64, String> {
    let span = text
        .strip_prefix('+')
        .unwrap_or(text)
        .parse::<Span>()
        .and_then(|span| span.to_duration(SpanRelativeTo::days_are_24_hours()));
    let seconds = span.ok().filter(|span| span.subsec_nanos() == 0).map_or(0, |span| span.as_secs());
    if seconds > 0 {
        Ok(seconds)
    } else {
        Err(format!("{text:?} is not a duration: expected such as 7d, 12h, 30m or 1d12h"))
    }
}

/// The seconds of a duration, or their number; 0 is one.
pub fn seconds(text: &str) -> Result<i64, String> {
    match text.parse::<i64>() {
        Ok(seconds) if seconds >= 0 => Ok(seconds),
        _ => duration(text).map_err(|why| format!("{why}, or a number of seconds")),
    }
}

pub fn assigned(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("expected FIELD=VALUE, such as thing2=Latte")?;
    Ok((name.into(), value.into()))
}

/// A moment: `now`, a time from now (`2h` or `+2h`), or RFC 3339.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    FromNow(i64),
    At(Millis),
}

impl Moment {
    pub fn resolve(self, now: Millis) -> Millis {
        match self {
            Self::FromNow(seconds) => now.plus_seconds(seconds),
            Self::At(at) => at,
        }
    }
}

impl FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "now" {
            return Ok(Self::FromNow(0));
        }
        if let Ok(seconds) = duration(text) {
            return Ok(Self::FromNow(seconds));
        }
        text.parse().map(Self::At).map_err(|_| {
            format!(
                "{text:?} is not a time: expected now, 2h or 90d from now, or RFC 3339 such as 2030-01-31T08:00:00Z"
            )
        })
    }
}

/// A moment that has been: `now`, a time ago (`2h`), or RFC 3339.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Past(Moment);

impl Past {
    pub fn resolve(self, now: Millis) -> Millis {
        self.0.resolve(now)
    }
}

impl FromStr for Past {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.parse::<Moment>() {
            Ok(Moment::FromNow(_)) if text.starts_with('+') => {
                Err(format!("{text:?} is yet to come: expected a time ago such as 2h or 90d"))
            }
            Ok(Moment::FromNow(seconds)) => Ok(Self(Moment::FromNow(-seconds))),
            Ok(at) => Ok(Self(at)),
            Err(_) => Err(format!(
                "{text:?} is not a time: expected now, 2h or 90d ago, or RFC 3339 such as 2030-01-31T08:00:00Z"
            )),
        }
    }
}

/// A name with an optional range of versions, which includes both ends: `android`, `android:12..`,
/// `ha-shop:3.0.0..3.9.9`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ranged<T> {
    /// What is before the colon.
    pub name: T,
    /// The smallest version, if there is one.
    pub min: Option<String>,
    /// The greatest version, if there is one.
    pub max: Option<String>,
}

impl<T: FromStr<Err = Error>> FromStr for Ranged<T> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, range) = text.split_once(':').map_or((text, None), |(name, range)| (name, Some(range)));
        let name = name.parse().map_err(|error: Error| error.detail)?;
        let Some(range) = range else { return Ok(Self { name, min: None, max: None }) };
        let (min, max) = range.split_once("..").ok_or_else(|| {
            format!("{range:?} is not a range: expected MIN..MAX, MIN.. or ..MAX, such as 3.0.0..3.9.9")
        })?;
        let bound = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        if min.is_empty() && max.is_empty() {
            return Err(format!("{text:?}: a range needs at least one end"));
        }
        Ok(Self { name, min: bound(min), max: bound(max) })
    }
}

/// A policy with a config: `percentage`, `percentage={"percent":10}` or `stages=plan.json`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyChoice {
    /// The name that a gray task gives it, if one was given.
    pub name: Option<String>,
    /// The name or the digest.
    pub policy: String,
    /// The config, if one was given.
    pub config: Option<ConfigSource>,
}

/// A config that was typed or is in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConfigSource {
    /// Typed JSON, which begins with `{`.
    Inline(Value),
    File(PathBuf),
}

impl FromStr for ConfigSource {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.trim_start().starts_with('{') {
            return serde_json::from_str(text).map(Self::Inline).map_err(|error| format!("not JSON: {error}"));
        }
        if text.is_empty() { Err("expected a JSON file, or JSON".into()) } else { Ok(Self::File(text.into())) }
    }
}

impl FromStr for PolicyChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (policy, config) = text.split_once('=').map_or((text, None), |(policy, config)| (policy, Some(config)));
        if policy.is_empty() {
            return Err("expected NAME or NAME=CONFIG.json".into());
        }
        // A digest may be written with its algorithm before it.
        let named = policy.split_once(':').filter(|(name, policy)| *name != "sha256" && !policy.is_empty());
        let (name, policy) = named.map_or((None, policy), |(name, policy)| (Some(name.into()), policy));
        Ok(Self { name, policy: policy.into(), config: config.map(str::parse).transpose()? })
    }
}

impl ConfigSource {
    pub fn load(&self) -> Result<Value, super::failure::Failure> {
        match self {
            Self::Inline(value) => Ok(value.clone()),
            Self::File(path) if !path.exists() => Err(super::failure::Failure::usage(format!(
                "{} is neither a file nor JSON. Give a config as a file, or as JSON in quotes, such as '{{\"percent\": 10}}'; `berth policy \
                 inspect NAME` shows its members.",
                path.display()
            ))),
            Self::File(path) => super::files::read_json(path),
        }
    }
}

/// A percentage between 0 and 100.
pub fn percent(text: &str) -> Result<f64, String> {
    let number = text.trim_end_matches('%').parse::<f64>().ok().filter(|number| (0.0..=100.0).contains(number));
    number.ok_or_else(|| format!("{text:?} is not a percentage between 0 and 100"))
}

/// A parser of an enum that is a text on the wire. Help and completions list its texts.
macro_rules! one_of {
    ($name:ty) => {{
        use clap::builder::{PossibleValuesParser, TypedValueParser};
        let texts = <$name>::ALL.iter().map(|one| one.as_str());
        PossibleValuesParser::new(texts).try_map(|text| text.parse::<$name>())
    }};
}
pub(crate) use one_of;
/// Parses a scope: `platform`, `host-app:ID`, `app:ID` or `gray-task:ID`.
pub fn scope(text: &str) -> Result<PolicyScope, String> {
    let id = |parsed: Result<String, Error>| parsed.map_err(|error| error.detail);
    let (kind, id) = match text.split_once(':') {
        None if text == "platform" => (ScopeKind::Platform, String::new()),
        Some(("host-app", of)) => (ScopeKind::HostApp, id(of.parse().map(|id: HostAppId| id.to_string()))?),
        Some(("app", of)) => (ScopeKind::MiniApp, id(of.parse().map(|id: MiniAppId| id.to_string()))?),
        Some(("gray-task", of)) => (ScopeKind::GrayTask, id(of.parse().map(|id: GrayTaskId| id.to_string()))?),
        _ => {
            return Err(format!(
                "{text:?} is not a scope: expected platform, host-app:ID or app:ID (and gray-task:ID, to list)"
            ));
        }
    };
    Ok(PolicyScope { kind, id })
}

/// The scope as `--scope` takes it.
pub fn place(scope: &PolicyScope) -> String {
    match scope.kind {
        ScopeKind::Platform => "platform".into(),
        ScopeKind::HostApp => format!("host-app:{}", scope.id),
        ScopeKind::MiniApp => format!("app:{}", scope.id),
        ScopeKind::GrayTask => format!("gray-task:{}", scope.id),
    }
}
