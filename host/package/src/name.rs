//! The file name of a package.

use std::{fmt, path::Path, str::FromStr};

use berth_base::{
    error::{Code, Error, Result},
    ids::MiniAppId,
    version::VersionNumber,
};

/// The file name of a package, `{mini_app_id}_{version}.apkg`, which says which version of which MiniApp it is (O1).
///
/// Neither an id nor a version contains an underscore, so a name can be split in one way only.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PackageName {
    /// The id of the MiniApp.
    pub mini_app_id: MiniAppId,
    /// The number of the version.
    pub version: VersionNumber,
}

impl PackageName {
    /// The name that a folder such as `coffee/1.1.0` suggests, by its own name and that of the folder around it; `None`
    /// when these are not an id and a version.
    pub fn of_folder(dir: &Path) -> Option<Self> {
        let name = |dir: &Path| dir.file_name()?.to_str().map(str::to_owned);
        let (id, version) = (name(dir.parent()?)?, name(dir)?);
        Some(Self { mini_app_id: id.parse().ok()?, version: version.parse().ok()? })
    }
}

impl fmt::Display for PackageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}.apkg", self.mini_app_id, self.version)
    }
}

impl FromStr for PackageName {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let stem = text.strip_suffix(".apkg").ok_or_else(|| refused(text, "it does not end in .apkg"))?;
        let (id, version) = stem.split_once('_').ok_or_else(|| refused(text, "it has no underscore"))?;
        Ok(Self {
            mini_app_id: id.parse().map_err(|e: Error| refused(text, &e.detail))?,
            version: version.parse().map_err(|e: Error| refused(text, &e.detail))?,
        })
    }
}

fn refused(text: &str, why: &str) -> Error {
    let why = why.trim_end_matches('.');
    Error::new(
        Code::PackageName,
        format!("{text:?} is not a package name: {why}. Expected {{mini_app_id}}_{{version}}.apkg, such as coffee_1.2.0.apkg."),
    )
    .with("rule", "package-name")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn o1_a_package_name_is_id_underscore_version() {
        for text in [
            "coffee_1.0.0.apkg",
            "mp0123456789abcdef_10.0.3-rc.1.apkg",
            "a-b_0.0.0.apkg",
            "org.example.miniapp_1.0.0.apkg",
        ] {
            assert_eq!(text.parse::<PackageName>().expect(text).to_string(), text);
        }
    }

    #[test]
    fn o1_any_other_name_is_refused_with_the_expected_form() {
        for text in [
            "",
            "coffee.apkg",
            "coffee_1.0.apkg",
            "coffee_1.0.0.zip",
            "Coffee_1.0.0.apkg",
            "a_b_1.0.0.apkg",
            "org..example_1.0.0.apkg",
            ".example_1.0.0.apkg",
            "coffee_1.0.0.apkg/",
            "x/coffee_1.0.0.apkg",
        ] {
            let error = text.parse::<PackageName>().expect_err(text);
            assert_eq!(error.code, Code::PackageName, "{text}");
            assert!(error.detail.contains("{mini_app_id}_{version}.apkg"), "{error}");
        }
    }

    #[test]
    fn a_folder_within_a_folder_suggests_a_name() {
        let suggested = |dir: &str| PackageName::of_folder(Path::new(dir)).map(|name| name.to_string());
        assert_eq!(suggested("packages/coffee/1.1.0").as_deref(), Some("coffee_1.1.0.apkg"));
        assert_eq!(suggested("org.example.tea/1.1.0").as_deref(), Some("org.example.tea_1.1.0.apkg"));
        assert_eq!(
            [suggested("coffee"), suggested("1.1.0"), suggested("/"), suggested("a_b/1.0.0")],
            [None, None, None, None]
        );
    }
}
