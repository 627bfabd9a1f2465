//! Audits the good samples in `packages/` with the built-in policies. The bad ones are pushed to a host by the
//! black-box tests.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use serde_json::json;

use crate::policy::subject;
use berth_judge::{Compiler, Engine, EngineConfig, Policy, builtin};
use berth_model::policy::{Finding, Limits, Outcome, PolicyKind};

/// The built-in auditors.
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

    /// The findings of all auditors in a folder, each with the name of the policy.
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

fn folders(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).expect("a folder").map(|entry| entry.expect("an entry").path());
    entries.filter(|path| path.is_dir()).collect()
}

#[tokio::test]
async fn the_good_samples_are_objected_to_in_nothing() {
    let auditors = Auditors::new().await;
    for app in folders(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packages"))
        .iter()
        .filter(|dir| !dir.ends_with("bad"))
    {
        for version in folders(app) {
            assert_eq!(auditors.audit(&version).await, [], "{}", version.display());
        }
    }
}
