//! Refuses packages with files that do not belong into a release.

use berth_policy::{Auditor, Description, Finding, Package, Place, Policy, serde::Deserialize};

/// The policy, which is its config.
#[derive(Deserialize)]
#[serde(crate = "berth_policy::serde", deny_unknown_fields, default)]
pub struct {{Type}} {
    endings: Vec<String>,
}

impl Default for {{Type}} {
    fn default() -> Self {
        Self { endings: vec![".psd".into(), ".mp4".into()] }
    }
}

impl Policy for {{Type}} {
    type Config = Self;

    const DESCRIPTION: Description = Description {
        name: "{{name}}",
        version: env!("CARGO_PKG_VERSION"),
        summary: "Refuses packages with files that do not belong into a release.",
        config_schema: include_str!("../config.schema.json"),
    };

    fn configure(config: Self) -> Result<Self, String> {
        Ok(config)
    }
}

impl Auditor for {{Type}} {
    fn audit(&self, package: &dyn Package) -> Result<Vec<Finding>, String> {
        let unwanted = |path: &str| self.endings.iter().any(|ending| path.ends_with(&**ending));
        let finding = |path: &str| {
            Finding::error("unwanted-file", format!("{path} does not belong into a release."))
                .at(Place::file(path))
                .fix(format!("Remove {path} from the package."))
        };
        let files = package.files();
        Ok(files.iter().filter(|file| unwanted(&file.path)).map(|file| finding(&file.path)).collect())
    }
}

berth_policy::auditor!({{Type}});

#[cfg(test)]
mod tests {
    use super::*;
    use berth_policy::testing::MemoryPackage;

    #[test]
    fn the_source_of_a_picture_is_found() {
        let policy = {{Type}}::from_json("{}").unwrap();
        let findings = policy.audit(&MemoryPackage::default().with("images/logo.psd", "")).unwrap();
        assert_eq!(findings[0].rule, "unwanted-file");
    }
}
