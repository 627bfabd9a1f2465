//! What a policy would change before it decides. An auditor judges versions that are stored, and its findings are compared with
//! those of another revision, or of none (G20); a grayscale policy judges devices that are recorded (G26). Nothing of it is stored.

mod devices;

use std::{cmp::Reverse, collections::HashMap, iter::Sum, ops::Add};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use berth_base::{
    error::{Error, Result},
    ids::{Digest, MiniAppId},
    page::Page,
    text::text_enum,
    version::VersionNumber,
};

use crate::{
    audit::{MOST_FINDINGS, capped},
    policy::{self, Finding, LimitOverrides, Severity, registry::PolicyScope},
    version::State,
};

pub use devices::{DeviceChange, DeviceCounts, DeviceSaid, RecordedRow, ReplayedDevice, ReplayedDevices};

/// How many versions one answer has at most, and how many examples of each change for devices.
pub const MOST_VERSIONS: u32 = 10;

/// How many findings of each kind are named for one version.
const MOST_NAMED: usize = 5;

text_enum! {
    /// Which versions are judged.
    #[derive(Default)]
    ReplayOver {
        /// Of each MiniApp the newest upload of those that are online, approved or under audit.
        #[default]
        Newest = "newest",
        /// All that were ever submitted and are not deleted.
        Submitted = "submitted",
    }
}

text_enum! {
    /// What a revision changes for one version.
    ReplayChange {
        /// Nothing: the findings are the same.
        Same = "same",
        /// It would reject the version, which was not rejected.
        NewlyRejected = "newly_rejected",
        /// It would not reject the version, which was rejected.
        NoLongerRejected = "no_longer_rejected",
        /// It finds something else, and whether the version is rejected stays as it is.
        OtherFindings = "other_findings",
        /// One of the two gave no verdict, or the package could not be opened, so that there is nothing to compare.
        Failed = "failed",
    }
}

fn no_config() -> Value {
    Value::Object(Default::default())
}

/// An auditor or a grayscale policy as it might be bound. It need not be bound anywhere.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ReplayRevision)]
pub struct Revision {
    /// The policy: its digest, `NAME@VERSION`, or its name, which means the newest version.
    pub policy: String,
    /// The config to give it; `{}` when absent.
    #[serde(default = "no_config")]
    #[schema(value_type = Object)]
    pub config: Value,
    /// The limits that are to differ from the defaults.
    #[serde(default)]
    pub limits: LimitOverrides,
}

/// What to judge, and with what to compare it.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewReplay {
    /// The revision to try.
    pub new: Revision,
    /// The revision to compare it with, of the same kind; when absent it is compared with nothing: every finding is a new one,
    /// and every device had passed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub against: Option<Revision>,
    /// The place whose versions are judged: the platform, a host app or a MiniApp. For a grayscale policy the MiniApp whose record
    /// of checks is gone through, or one of its gray tasks, of which the policy is told then.
    pub scope: PolicyScope,
    /// Which versions there; `newest` when absent. Grayscale policies judge none.
    #[serde(default)]
    pub versions: ReplayOver,
    /// How many versions this answer has at most, 1 to 10; 10 when absent. It has fewer when they take long. For a grayscale policy
    /// it is how many devices are named for each change; the answer counts many more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// The `next` of the answer before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

impl NewReplay {
    /// How many versions the answer has at most.
    ///
    /// # Errors
    /// `invalid-field` for a number out of bounds.
    pub fn limit(&self) -> Result<u32> {
        let limit = self.limit.unwrap_or(MOST_VERSIONS);
        if (1..=MOST_VERSIONS).contains(&limit) {
            return Ok(limit);
        }
        Err(Error::field(
            "limit",
            format!("{limit} is outside 1 to {MOST_VERSIONS}; send `next` as `cursor` for more."),
        ))
    }
}

/// What a replay answers: one version after the other, or how many devices change.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[serde(untagged)]
pub enum Replayed {
    /// Of an auditor.
    Versions(Page<ReplayedVersion>),
    /// Of a grayscale policy.
    Devices(ReplayedDevices),
}

/// What a revision said about a version: its findings, or why there is no verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said(std::result::Result<Vec<Finding>, String>);

impl Said {
    /// What the revision to compare with said when there is none.
    pub fn nothing() -> Self {
        Self(Ok(Vec::new()))
    }

    /// No verdict, for this reason.
    pub fn no_verdict(reason: impl Into<String>) -> Self {
        Self(Err(reason.into()))
    }

    /// What a policy answered, with as many findings as an audit keeps.
    pub fn of(asked: policy::Evaluation<Vec<Finding>>) -> Self {
        Self(match asked.outcome.trouble() {
            Some(trouble) => Err(trouble),
            None => Ok(capped(asked.outcome.verdict().unwrap_or_default(), MOST_FINDINGS)),
        })
    }
}

/// What a revision would change for one version.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
pub struct ReplayedVersion {
    /// Id of the MiniApp.
    pub mini_app: MiniAppId,
    /// Number of the version.
    pub version: VersionNumber,
    /// State of the version.
    pub state: State,
    /// SHA-256 of the package.
    pub sha256: Digest,
    /// What changes.
    pub change: ReplayChange,
    /// How many findings the new revision has and the other one has not. Findings are the same when rule, severity and place
    /// are; the words do not count.
    pub more: u64,
    /// How many findings the other revision has and the new one has not.
    pub less: u64,
    /// At most 5 of the findings that are more, the gravest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub found: Vec<Finding>,
    /// At most 5 of the findings that are less, the gravest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gone: Vec<Finding>,
    /// Why there is nothing to compare; absent otherwise.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
}

/// What tells two findings apart.
type Mark<'a> = (&'a str, Severity, Option<(&'a str, u32, u32)>);

fn mark(finding: &Finding) -> Mark<'_> {
    let place = finding.place.as_ref().map(|place| (place.path.as_str(), place.line, place.column));
    (&finding.rule, finding.severity, place)
}

/// The findings that are not among `others`, each of which makes up for one, the gravest first.
fn beyond<'a>(findings: &'a [Finding], others: &'a [Finding]) -> Vec<&'a Finding> {
    let mut there: HashMap<Mark<'a>, usize> = HashMap::new();
    for other in others {
        *there.entry(mark(other)).or_default() += 1;
    }
    let mut beyond = Vec::new();
    for finding in findings {
        match there.get_mut(&mark(finding)) {
            Some(left) if *left > 0 => *left -= 1,
            _ => beyond.push(finding),
        }
    }
    beyond.sort_by_key(|finding| Reverse(finding.severity));
    beyond
}

fn rejects(findings: &[Finding]) -> bool {
    findings.iter().any(|finding| finding.severity == Severity::Error)
}

impl ReplayedVersion {
    /// What the new revision says about a version, compared with what the other one says.
    pub fn compare(
        mini_app: MiniAppId,
        version: VersionNumber,
        state: State,
        sha256: Digest,
        new: &Said,
        against: &Said,
    ) -> Self {
        let blank = Self {
            mini_app,
            version,
            state,
            sha256,
            change: ReplayChange::Failed,
            more: 0,
            less: 0,
            found: Vec::new(),
            gone: Vec::new(),
            detail: String::new(),
        };
        match (&new.0, &against.0) {
            (Err(reason), _) => Self { detail: format!("The new revision gave no verdict. {reason}"), ..blank },
            (_, Err(reason)) => Self { detail: format!("The other revision gave no verdict. {reason}"), ..blank },
            (Ok(new), Ok(old)) => blank.differing(new, old),
        }
    }

    fn differing(self, new: &[Finding], old: &[Finding]) -> Self {
        let (found, gone) = (beyond(new, old), beyond(old, new));
        let change = match (rejects(old), rejects(new)) {
            (false, true) => ReplayChange::NewlyRejected,
            (true, false) => ReplayChange::NoLongerRejected,
            _ if found.is_empty() && gone.is_empty() => ReplayChange::Same,
            _ => ReplayChange::OtherFindings,
        };
        let named = |findings: &[&Finding]| findings.iter().take(MOST_NAMED).map(|one| (*one).clone()).collect();
        Self {
            change,
            more: found.len() as u64,
            less: gone.len() as u64,
            found: named(&found),
            gone: named(&gone),
            ..self
        }
    }
}

/// How many versions a revision changes, and in which way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct ReplayCounts {
    /// All versions that were judged.
    pub versions: u64,
    /// Those for which nothing changes.
    pub same: u64,
    /// Those that would be rejected and were not.
    pub newly_rejected: u64,
    /// Those that were rejected and would not be.
    pub no_longer_rejected: u64,
    /// Those with other findings.
    pub other_findings: u64,
    /// Those on which one revision gave no verdict.
    pub failed: u64,
    /// The findings that are more, of all versions together.
    pub more: u64,
    /// The findings that are less.
    pub less: u64,
}

impl From<&ReplayedVersion> for ReplayCounts {
    fn from(one: &ReplayedVersion) -> Self {
        let mut counts = Self { versions: 1, more: one.more, less: one.less, ..Self::default() };
        let count = match one.change {
            ReplayChange::Same => &mut counts.same,
            ReplayChange::NewlyRejected => &mut counts.newly_rejected,
            ReplayChange::NoLongerRejected => &mut counts.no_longer_rejected,
            ReplayChange::OtherFindings => &mut counts.other_findings,
            ReplayChange::Failed => &mut counts.failed,
        };
        *count = 1;
        counts
    }
}

impl Add for ReplayCounts {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            versions: self.versions + other.versions,
            same: self.same + other.same,
            newly_rejected: self.newly_rejected + other.newly_rejected,
            no_longer_rejected: self.no_longer_rejected + other.no_longer_rejected,
            other_findings: self.other_findings + other.other_findings,
            failed: self.failed + other.failed,
            more: self.more + other.more,
            less: self.less + other.less,
        }
    }
}

impl Sum for ReplayCounts {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), Self::add)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::policy::Place;

    fn finding(rule: &str, severity: Severity, line: u32) -> Finding {
        let place = (line > 0).then(|| Place { path: "app.js".into(), line, column: 1 });
        Finding { rule: rule.into(), severity, message: format!("line {line}"), place, fix: None }
    }

    fn compared(new: &Said, against: &Said) -> ReplayedVersion {
        let (id, number) = ("shop".parse().expect("an id"), "1.0.0".parse().expect("a number"));
        ReplayedVersion::compare(id, number, State::Online, Digest::of(b""), new, against)
    }

    fn said(findings: &[Finding]) -> Said {
        Said(Ok(findings.to_vec()))
    }

    #[test]
    fn g20_what_changes_is_told_by_verdicts_first_and_by_findings_then() {
        type Row<'a> = (&'a [Finding], &'a [Finding], ReplayChange, u64, u64);
        let (grave, light) = (finding("r", Severity::Error, 3), finding("r", Severity::Note, 4));
        let table: [Row<'_>; 8] = [
            (&[], &[], ReplayChange::Same, 0, 0),
            (std::slice::from_ref(&grave), &[], ReplayChange::NewlyRejected, 1, 0),
            (&[], std::slice::from_ref(&grave), ReplayChange::NoLongerRejected, 0, 1),
            (std::slice::from_ref(&light), std::slice::from_ref(&grave), ReplayChange::NoLongerRejected, 1, 1),
            (&[grave.clone(), light.clone()], &[light.clone(), grave.clone()], ReplayChange::Same, 0, 0),
            (&[grave.clone(), grave.clone()], std::slice::from_ref(&grave), ReplayChange::OtherFindings, 1, 0),
            (std::slice::from_ref(&light), &[], ReplayChange::OtherFindings, 1, 0),
            (&[finding("r", Severity::Note, 5)], std::slice::from_ref(&light), ReplayChange::OtherFindings, 1, 1),
        ];
        for (new, old, change, more, less) in table {
            let got = compared(&said(new), &said(old));
            assert_eq!((got.change, got.more, got.less), (change, more, less), "{new:?} against {old:?}");
        }
        let other_words = Finding { message: "Otherwise said.".into(), fix: Some("Mend it.".into()), ..grave.clone() };
        assert_eq!(compared(&said(&[other_words]), &said(&[grave])).change, ReplayChange::Same);
    }

    #[test]
    fn g20_without_a_verdict_nothing_is_compared_and_the_reason_is_told() {
        let (broken, fine) = (Said::no_verdict("It broke."), said(&[finding("r", Severity::Error, 1)]));
        for (new, old, says) in
            [(&broken, &fine, "The new"), (&fine, &broken, "The other"), (&broken, &broken, "The new")]
        {
            let got = compared(new, old);
            assert_eq!((got.change, got.more, got.less), (ReplayChange::Failed, 0, 0));
            assert!(got.detail.starts_with(says) && got.detail.ends_with("It broke."), "{}", got.detail);
        }
    }

    #[test]
    fn g20_the_gravest_findings_are_named() {
        let mut many: Vec<_> = (1..9).map(|line| finding("r", Severity::Note, line)).collect();
        many.push(finding("r", Severity::Error, 9));
        let got = compared(&said(&many), &Said::nothing());
        assert_eq!((got.more, got.found.len(), got.found[0].severity), (9, MOST_NAMED, Severity::Error));
    }

    fn any_said() -> impl Strategy<Value = Said> {
        let severity = prop_oneof![Just(Severity::Note), Just(Severity::Warning), Just(Severity::Error)];
        let any = ("[ab]", severity, 0..3u32).prop_map(|(rule, severity, line)| finding(&rule, severity, line));
        prop_oneof![
            9 => proptest::collection::vec(any, 0..8).prop_map(|findings| Said(Ok(findings))),
            1 => Just(Said::no_verdict("It broke.")),
        ]
    }

    proptest! {
        #[test]
        fn g20_to_swap_the_revisions_swaps_what_changes(one in any_said(), other in any_said()) {
            let (there, back) = (compared(&one, &other), compared(&other, &one));
            prop_assert_eq!((there.more, there.less), (back.less, back.more));
            let swapped = match there.change {
                ReplayChange::NewlyRejected => ReplayChange::NoLongerRejected,
                ReplayChange::NoLongerRejected => ReplayChange::NewlyRejected,
                same => same,
            };
            prop_assert_eq!(back.change, swapped);
            prop_assert_eq!(compared(&one, &one).more, 0);
        }

        #[test]
        fn g20_counts_add_up(pairs in proptest::collection::vec((any_said(), any_said()), 0..8)) {
            let all: Vec<_> = pairs.iter().map(|(new, old)| compared(new, old)).collect();
            let counts: ReplayCounts = all.iter().map(ReplayCounts::from).sum();
            let ReplayCounts { versions, same, newly_rejected, no_longer_rejected, other_findings, failed, more, .. } = counts;
            prop_assert_eq!(versions, all.len() as u64);
            prop_assert_eq!(versions, same + newly_rejected + no_longer_rejected + other_findings + failed);
            prop_assert_eq!(more, all.iter().map(|one| one.more).sum::<u64>());
        }
    }
}
