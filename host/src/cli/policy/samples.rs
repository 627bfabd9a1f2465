//! The samples in `packages/`, before the policies that the host carries.

use std::{fs, path::Path, sync::Arc};

use serde_json::{Value, json};

use super::subject;
use crate::{
    package::tests::samples::{folders, prepare, samples},
    policy::{Compiler, Engine, EngineConfig, Finding, Limits, Outcome, Policy, PolicyKind, Severity, builtin},
};

/// The auditors that the host carries.
struct Auditors(Vec<Arc<Policy>>, #[expect(dead_code, reason = "holds the compiled code")] tempfile::TempDir);

impl Auditors {
    async fn new() -> Self {
        let cache = tempfile::tempdir().expect("a folder");
        let engine = Engine::new(EngineConfig::new(cache.path().into(), Compiler::InProcess)).expect("an engine");
        let mut policies = Vec::new();
        for builtin in builtin::ALL {
            policies.push(engine.inspect(builtin.wasm.to_vec()).await.expect(builtin.name));
        }
        policies.retain(|policy| policy.kind() == PolicyKind::Auditor);
        Self(policies, cache)
    }

    /// What they find in a folder, each with the policy's name.
    async fn audit(&self, dir: &Path) -> Vec<(String, Finding)> {
        let package = Arc::new(subject::of_folder(dir).expect("a package"));
        let mut found = Vec::new();
        for policy in &self.0 {
            let bound = policy.bind_auditor(&json!({}), Limits::default_of(PolicyKind::Auditor)).expect("an auditor");
            match bound.audit(package.clone()).await.outcome {
                Outcome::Verdict(findings) => {
                    found.extend(findings.into_iter().map(|finding| (policy.description().name.clone(), finding)));
                }
                other => unreachable!("{}: {other:?}", policy.description().name),
            }
        }
        found
    }
}

#[tokio::test]
async fn the_bad_samples_are_objected_to_as_they_say_and_by_nobody_else() {
    let auditors = Auditors::new().await;
    let mut seen = 0;
    for sample in folders(&samples().join("bad")) {
        let text = fs::read_to_string(sample.join("expected.json")).expect("expected.json");
        let expected: Value = serde_json::from_str(&text).expect("JSON");
        if expected["policy"].is_null() {
            continue;
        }
        let dir = prepare(&sample, &expected);
        let found = auditors.audit(dir.path()).await;
        let errors: Vec<_> = found.iter().filter(|(_, finding)| finding.severity == Severity::Error).collect();
        let Some((policy, finding)) = errors.first() else { unreachable!("{}: {found:?}", sample.display()) };
        assert!(errors.iter().all(|(other, _)| other == policy), "{}: {found:?}", sample.display());
        let place = finding.place.as_ref();
        assert_eq!(
            (policy.as_str(), finding.rule.as_str()),
            (text_of(&expected, "policy"), text_of(&expected, "rule"))
        );
        if let Some(path) = expected["path"].as_str() {
            assert_eq!(place.map(|place| place.path.as_str()), Some(path), "{}", sample.display());
        }
        if let Some(line) = expected["line"].as_u64() {
            assert_eq!(place.map(|place| u64::from(place.line)), Some(line), "{}", sample.display());
        }
        seen += 1;
    }
    assert_eq!(seen, 7);
}

fn text_of<'v>(expected: &'v Value, member: &str) -> &'v str {
    expected[member].as_str().unwrap_or_default()
}

#[tokio::test]
async fn the_good_samples_are_objected_to_in_nothing() {
    let auditors = Auditors::new().await;
    for app in folders(&samples()).iter().filter(|dir| !dir.ends_with("bad")) {
        for version in folders(app) {
            assert_eq!(auditors.audit(&version).await, [], "{}", version.display());
        }
    }
}
