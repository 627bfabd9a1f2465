//! The policies of a task, by the names that an expression has for them.

use berth_base::{
    error::{Error, Result},
    text::is_kebab,
};

use super::{Admits, CONDITIONS, MOST_DEEP};
use crate::policy::{PolicyKind, registry::Mode};

/// The words of expressions, which are no names.
const WORDS: [&str; 5] = ["all", "any", "not", "and", "or"];

/// The longest name, as of policies.
const LONGEST: usize = 64;

/// A policy of a task, as far as expressions go.
#[derive(Clone, Copy, Debug)]
pub struct Member<'a> {
    /// The name that the task gives it; `None` for the policy's own.
    pub given: Option<&'a str>,
    /// The policy's own name.
    pub policy: &'a str,
    /// Its kind: guards judge no device.
    pub kind: PolicyKind,
    /// Whether it decides.
    pub mode: Mode,
}

impl<'a> Member<'a> {
    /// The name by which expressions know it.
    pub fn name(&self) -> &'a str {
        self.given.unwrap_or(self.policy)
    }

    fn decides(&self) -> bool {
        self.kind == PolicyKind::Grayscale && self.mode == Mode::Enforce
    }
}

/// Checks the names of the policies of a task, and what the task admits. `has_conditions` is whether the task has conditions,
/// whose policy is not among the members.
///
/// # Errors
/// `invalid-field`, with the place as a JSON pointer.
pub fn check(admits: Option<&Admits>, members: &[Member<'_>], has_conditions: bool) -> Result<()> {
    check_names(members, admits.is_some())?;
    let Some(admits) = admits else { return Ok(()) };
    check_part(admits, "admits", 0, &Known { members, has_conditions })?;
    let names = admits.policies();
    if let Some(twice) = names.iter().enumerate().find(|(at, name)| names[..*at].contains(name)) {
        let rule = format!("{} is named twice. Name each policy once, or bind it twice under two names.", twice.1);
        return Err(Error::field("admits", rule));
    }
    match members.iter().find(|member| member.decides() && !admits.names(member.name())) {
        None => Ok(()),
        Some(unused) => {
            let rule = format!(
                "{} is never named. Name every policy that decides, or put it into mode shadow, in which it is recorded only.",
                unused.name()
            );
            Err(Error::field("admits", rule))
        }
    }
}

/// What names an expression may have.
struct Known<'a> {
    members: &'a [Member<'a>],
    has_conditions: bool,
}

fn check_names(members: &[Member<'_>], composed: bool) -> Result<()> {
    for (at, member) in members.iter().enumerate() {
        let wrong = |rule: String| Err(Error::field(&format!("policies.{at}.name"), rule));
        let name = member.name();
        if member.given.is_some() && !is_kebab(name) {
            return wrong("expected kebab-case of 1 to 64 characters, such as beta-list.".into());
        }
        let is_reserved = WORDS.contains(&name) || name == CONDITIONS;
        if is_reserved && (composed || member.given.is_some()) {
            return wrong(format!("{name} means something else in expressions; give the policy another name."));
        }
        let same = members[..at].iter().find(|other| other.name() == name);
        if same.is_some_and(|same| composed || member.given.is_some() || same.given.is_some()) {
            return wrong(format!("there is another policy of the name {name}; give one of them a name of its own."));
        }
    }
    Ok(())
}

fn check_part(admits: &Admits, place: &str, depth: usize, known: &Known<'_>) -> Result<()> {
    if depth > MOST_DEEP {
        return Err(Error::field(place, format!("it nests deeper than {MOST_DEEP} levels.")));
    }
    let each = |name: &str, parts: &[Admits]| {
        if parts.is_empty() {
            return Err(Error::field(&format!("{place}.{name}"), "expected at least one."));
        }
        let mut parts = parts.iter().enumerate();
        parts.try_for_each(|(at, part)| check_part(part, &format!("{place}.{name}.{at}"), depth + 1, known))
    };
    match admits {
        Admits::All(parts) => each("all", parts),
        Admits::Any(parts) => each("any", parts),
        Admits::Not(part) => check_part(part, &format!("{place}.not"), depth + 1, known),
        Admits::Policy(name) => known.check(name, place),
    }
}

impl Known<'_> {
    fn check(&self, name: &str, place: &str) -> Result<()> {
        let wrong = |rule: String| Err(Error::field(place, rule));
        if name == CONDITIONS {
            return match self.has_conditions {
                true => Ok(()),
                false => wrong("the task has no conditions: no host apps, platforms, networks or objects.".into()),
            };
        }
        let Some(member) = self.members.iter().find(|member| member.name() == name) else {
            let cut: String = name.chars().take(LONGEST).collect();
            return wrong(format!("the task has no policy {cut}. It has {}.", self.told()));
        };
        match (member.kind, member.mode) {
            (PolicyKind::Guard, _) => wrong(format!("{name} is a guard, which judges the task and no device.")),
            (_, Mode::Shadow) => wrong(format!("{name} is in mode shadow, in which a policy decides nothing.")),
            _ => Ok(()),
        }
    }

    /// The names that there are.
    fn told(&self) -> String {
        let conditions = self.has_conditions.then_some(CONDITIONS);
        let members = self.members.iter().filter(|member| member.decides()).map(Member::name);
        let names: Vec<_> = conditions.into_iter().chain(members).collect();
        if names.is_empty() { "none that decides".into() } else { names.join(", ") }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn member<'a>(given: Option<&'a str>, policy: &'a str) -> Member<'a> {
        Member { given, policy, kind: PolicyKind::Grayscale, mode: Mode::Enforce }
    }

    fn refused(admits: Option<Value>, members: &[Member<'_>], has_conditions: bool) -> Option<(Value, String)> {
        let admits: Option<Admits> = admits.map(|told| serde_json::from_value(told).expect("expression"));
        let error = check(admits.as_ref(), members, has_conditions).err()?;
        Some((error.fields["pointer"].clone(), error.detail))
    }

    #[test]
    fn g24_an_expression_names_every_policy_that_decides_once() {
        let members = [
            member(Some("ios"), "expression"),
            member(Some("tablets"), "expression"),
            Member { mode: Mode::Shadow, ..member(None, "newcomers") },
            Member { kind: PolicyKind::Guard, ..member(None, "error-rate") },
        ];
        let good = json!({"any": ["conditions", {"all": ["ios", {"not": "tablets"}]}]});
        assert_eq!(refused(Some(good), &members, true), None);
        assert_eq!(refused(Some(json!({"all": ["tablets", "ios"]})), &members, true), None, "conditions need no name");
        assert_eq!(refused(None, &members, false), None);
        for (told, at, says) in [
            (json!({"any": ["ios", "phones"]}), "/admits/any/1", "no policy phones. It has ios, tablets."),
            (json!({"any": ["ios", {"not": "conditions"}]}), "/admits/any/1/not", "has no conditions"),
            (json!({"any": ["ios", "error-rate"]}), "/admits/any/1", "is a guard"),
            (json!({"any": ["ios", "newcomers"]}), "/admits/any/1", "in mode shadow"),
            (json!({"any": ["ios", {"all": []}]}), "/admits/any/1/all", "at least one"),
            (json!({"any": ["ios", {"not": "ios"}, "tablets"]}), "/admits", "ios is named twice"),
            (json!("ios"), "/admits", "tablets is never named"),
            (
                (0..9).fold(json!("ios"), |inner, _| json!({ "not": inner })),
                "/admits/not/not/not/not/not/not/not/not/not",
                "nests deeper",
            ),
        ] {
            let (pointer, detail) = refused(Some(told.clone()), &members, false).expect("refused");
            assert!(pointer == at && detail.contains(says), "{told}: {pointer} {detail}");
        }
    }

    #[test]
    fn g24_a_name_is_for_one_policy_and_no_word_of_expressions() {
        let twice = [member(None, "expression"), member(None, "expression")];
        assert_eq!(refused(None, &twice, false), None, "as long as nothing names them");
        for (admits, members) in [
            (Some(json!("expression")), twice.to_vec()),
            (None, vec![member(None, "expression"), member(Some("expression"), "percentage")]),
            (None, vec![member(None, "expression"), member(Some("conditions"), "percentage")]),
            (None, vec![member(None, "expression"), member(Some("or"), "percentage")]),
            (None, vec![member(None, "expression"), member(Some("Beta list"), "percentage")]),
            (None, vec![member(None, "expression"), member(Some(""), "percentage")]),
        ] {
            assert_eq!(refused(admits, &members, false).expect("refused").0, "/policies/1/name", "{members:?}");
        }
    }
}
