//! What changed between two versions of a MiniApp: their files, their manifests, and what the auditors say of them.

use std::collections::{BTreeMap, BTreeSet};

use berth_base::{
    ids::{Digest, MiniAppId},
    version::VersionNumber,
};
use serde::{Deserialize, Serialize};

use super::{ManifestChange, VersionFile, manifest_change};
use crate::audit::{Findings, NamedFinding};

/// Which two versions to compare.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct CompareQuery {
    /// The version to begin with, such as the one that was audited last.
    pub from: VersionNumber,
    /// The version that is compared with it.
    pub to: VersionNumber,
}

/// What changed from one version of a MiniApp to another one. Lists of files are ordered by path.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct Comparison {
    /// Id of the MiniApp.
    pub mini_app: MiniAppId,
    /// The version to begin with.
    pub from: VersionNumber,
    /// The version that is compared with it.
    pub to: VersionNumber,
    /// Whether the packages have the same bytes.
    pub same_bytes: bool,
    /// The files that only `to` has.
    pub added: Vec<VersionFile>,
    /// The files that only `from` has.
    pub removed: Vec<VersionFile>,
    /// The files that both have, with different contents.
    pub changed: Vec<ChangedFile>,
    /// How many files are the same in both.
    pub unchanged: u64,
    /// The pages that only `to` has, in its order.
    pub pages_added: Vec<String>,
    /// The pages that only `from` has, in its order.
    pub pages_removed: Vec<String>,
    /// What else changed in the manifest: permissions, plugins, subpackages, windows; at most 500 members, by their places.
    pub manifest: Vec<ManifestChange>,
    /// What the auditors say of one of the two versions alone; absent unless policies have judged both.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub findings: Option<FindingChange>,
    /// The bytes of the packages, which devices download.
    pub packed: SizeChange,
    /// The bytes of all files after inflating.
    pub inflated: SizeChange,
}

/// The findings that are not the same in the newest audits of two versions: domains that are asked now, sensitive APIs that are
/// not called any more. Where in the files something is, and how often, makes no difference.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct FindingChange {
    /// Those in `to` alone.
    pub added: Vec<NamedFinding>,
    /// Those in `from` alone.
    pub removed: Vec<NamedFinding>,
}

/// A file with different contents in two versions.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
pub struct ChangedFile {
    /// The path: relative, with `/` between its parts.
    pub path: String,
    /// Its size in bytes in both versions.
    #[serde(flatten)]
    pub size: SizeChange,
}

/// A number of bytes in two versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
pub struct SizeChange {
    /// In the version to begin with.
    pub before: u64,
    /// In the version that is compared with it.
    pub after: u64,
    /// By how much it grew; negative when it shrank.
    pub by: i64,
}

/// One of two versions that are compared.
#[derive(Clone, Debug)]
pub struct Side {
    /// Its number.
    pub version: VersionNumber,
    /// SHA-256 of its package.
    pub sha256: Digest,
    /// Size of its package in bytes.
    pub size: u64,
    /// The pages of its manifest.
    pub pages: Vec<String>,
    /// Its manifest; null when it cannot be read.
    pub manifest: serde_json::Value,
    /// What the policies of its newest audit found; `None` before they have judged.
    pub findings: Option<Findings>,
    /// Its files.
    pub files: Vec<VersionFile>,
}

impl SizeChange {
    fn new(before: u64, after: u64) -> Self {
        Self { before, after, by: i64::try_from(i128::from(after) - i128::from(before)).unwrap_or(i64::MAX) }
    }
}

impl Side {
    fn inflated(&self) -> u64 {
        self.files.iter().map(|file| file.size).sum()
    }

    /// The pages that `other` does not have.
    fn pages_besides(&self, other: &Self) -> Vec<String> {
        let known: BTreeSet<_> = other.pages.iter().collect();
        self.pages.iter().filter(|page| !known.contains(page)).cloned().collect()
    }
}

impl FindingChange {
    fn of(from: Findings, to: Findings) -> Self {
        let (before, after) = (said(&from.findings), said(&to.findings));
        let besides = |findings: Vec<NamedFinding>, known: &BTreeSet<Said>| {
            findings.into_iter().filter(|named| !known.contains(&about(named))).collect()
        };
        Self { added: besides(to.findings, &before), removed: besides(from.findings, &after) }
    }
}

/// What makes a finding the same in two versions: the policy, its rule, and what it says.
type Said = (String, String, String);

fn said(findings: &[NamedFinding]) -> BTreeSet<Said> {
    findings.iter().map(about).collect()
}

fn about(NamedFinding { policy, finding, .. }: &NamedFinding) -> Said {
    // First-party auditors say at the end how often there is the same.
    let message = finding.message.split(" The same in ").next().unwrap_or_default();
    (policy.clone(), finding.rule.clone(), message.to_owned())
}

impl Comparison {
    /// What changed from one side to the other.
    pub fn of(mini_app: MiniAppId, from: Side, to: Side) -> Self {
        let mut comparison = Self {
            mini_app,
            same_bytes: from.sha256 == to.sha256,
            packed: SizeChange::new(from.size, to.size),
            inflated: SizeChange::new(from.inflated(), to.inflated()),
            pages_added: to.pages_besides(&from),
            pages_removed: from.pages_besides(&to),
            manifest: manifest_change::changes(&from.manifest, &to.manifest),
            findings: from.findings.zip(to.findings).map(|(from, to)| FindingChange::of(from, to)),
            from: from.version,
            to: to.version,
            added: Vec::new(),
            removed: Vec::new(),
            changed: Vec::new(),
            unchanged: 0,
        };
        let mut before: BTreeMap<_, _> = from.files.into_iter().map(|file| (file.path.clone(), file)).collect();
        for file in to.files {
            match before.remove(&file.path) {
                None => comparison.added.push(file),
                Some(old) if old.sha256 == file.sha256 => comparison.unchanged += 1,
                Some(old) => {
                    let size = SizeChange::new(old.size, file.size);
                    comparison.changed.push(ChangedFile { path: file.path, size });
                }
            }
        }
        comparison.removed = before.into_values().collect();
        comparison.added.sort_by(|a, b| a.path.cmp(&b.path));
        comparison.changed.sort_by(|a, b| a.path.cmp(&b.path));
        comparison
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn file(path: &str, content: &str) -> VersionFile {
        VersionFile { path: path.into(), size: content.len() as u64, sha256: Digest::of(content.as_bytes()) }
    }

    fn side(version: &str, pages: &[&str], files: &[(&str, &str)]) -> Side {
        let files: Vec<_> = files.iter().map(|(path, content)| file(path, content)).collect();
        Side {
            version: version.parse().expect("a version"),
            sha256: Digest::of(format!("{files:?}").as_bytes()),
            size: 100 * files.len() as u64,
            pages: pages.iter().map(|page| (*page).into()).collect(),
            manifest: serde_json::Value::Null,
            findings: None,
            files,
        }
    }

    fn compare(from: Side, to: Side) -> Comparison {
        Comparison::of("coffee".parse().expect("an id"), from, to)
    }

    #[test]
    fn v13_each_file_is_added_removed_changed_or_the_same() {
        let from = side("1.0.0", &["a", "b"], &[("a.js", "1"), ("b.js", "long"), ("same.js", "=")]);
        let to = side("1.1.0", &["c", "a"], &[("same.js", "="), ("d.js", "new"), ("a.js", "22"), ("c.js", "")]);
        let found = compare(from, to);
        assert_eq!(found.added, [file("c.js", ""), file("d.js", "new")]);
        assert_eq!(found.removed, [file("b.js", "long")]);
        assert_eq!(
            found.changed,
            [ChangedFile { path: "a.js".into(), size: SizeChange { before: 1, after: 2, by: 1 } }]
        );
        assert_eq!((found.unchanged, found.same_bytes), (1, false));
        assert_eq!((found.pages_added, found.pages_removed), (vec!["c".to_owned()], vec!["b".to_owned()]));
        assert_eq!(found.inflated, SizeChange { before: 6, after: 6, by: 0 });
        assert_eq!(found.packed, SizeChange { before: 300, after: 400, by: 100 });
    }

    #[test]
    fn v13_a_version_beside_itself_has_not_changed() {
        let one = side("1.0.0", &["a"], &[("a.js", "1")]);
        let found = compare(one.clone(), one);
        assert!(found.same_bytes && found.added.is_empty() && found.removed.is_empty() && found.changed.is_empty());
        assert_eq!(found.unchanged, 1);
    }

    #[test]
    fn v13_a_finding_is_the_same_wherever_and_however_often_it_is() {
        let finding = |message: &str, line: u32| {
            let place = serde_json::json!({"path": "a.js", "line": line, "column": 1});
            serde_json::json!({"policy": "server-domains", "mode": "enforce", "severity": "warning",
                "rule": "domain-not-set", "message": message, "place": place})
        };
        let findings = |all: &[serde_json::Value]| -> Option<Findings> {
            serde_json::from_value(serde_json::json!({"findings": all})).ok()
        };
        let (a, b, c) = (finding("It asks a.", 1), finding("It asks b.", 2), finding("It asks c.", 3));
        let again = finding("It asks a. The same in 2 more places.", 9);
        let from = Side { findings: findings(&[a, b]), ..side("1.0.0", &[], &[]) };
        let to = Side { findings: findings(&[again, c]), ..side("1.1.0", &[], &[]) };
        assert!(from.findings.is_some() && to.findings.is_some());
        let told = compare(from.clone(), to).findings.expect("both were judged");
        let messages = |all: &[NamedFinding]| all.iter().map(|one| one.finding.message.clone()).collect::<Vec<_>>();
        assert_eq!(
            (messages(&told.added), messages(&told.removed)),
            (vec!["It asks c.".into()], vec!["It asks b.".into()])
        );
        assert!(compare(from, side("1.1.0", &[], &[])).findings.is_none(), "one was not judged");
    }

    proptest! {
        #[test]
        fn v13_the_way_back_adds_what_the_way_there_removed(
            from in prop::collection::btree_map("[a-d]", "[xy]{0,2}", 0..4),
            to in prop::collection::btree_map("[a-d]", "[xy]{0,2}", 0..4),
        ) {
            let made = |files: &BTreeMap<String, String>| {
                let files: Vec<_> = files.iter().map(|(path, content)| (path.as_str(), content.as_str())).collect();
                side("1.0.0", &[], &files)
            };
            let (there, back) = (compare(made(&from), made(&to)), compare(made(&to), made(&from)));
            prop_assert_eq!(&there.added, &back.removed);
            prop_assert_eq!(&there.removed, &back.added);
            prop_assert_eq!(there.inflated.by, -back.inflated.by);
            let told = there.added.len() + there.changed.len() + there.unchanged as usize;
            prop_assert_eq!(told, to.len());
        }
    }
}
