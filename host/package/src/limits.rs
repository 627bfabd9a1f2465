//! How large a package may be.

use super::refusal;
use berth_base::error::Result;

const MIB: u64 = 1 << 20;

/// A file may inflate to this many bytes beyond the highest ratio: a small blank image is no bomb.
const RATIO_FREE: u64 = 64 << 10;

/// The limits of a package, which protect the host. The platform's own rules of size (2 MiB for a subpackage …) are for
/// policies to check.
#[derive(Clone, Debug, PartialEq, Eq, clap::Args)]
pub struct Limits {
    /// Largest package, in bytes.
    #[arg(id = "package_max_bytes", long = "package-max-bytes", env = "BERTH_PACKAGE_MAX_BYTES", value_name = "BYTES", default_value_t = Limits::DEFAULT.max_bytes)]
    pub max_bytes: u64,
    /// Most entries (files and folders) in a package.
    #[arg(id = "package_max_entries", long = "package-max-entries", env = "BERTH_PACKAGE_MAX_ENTRIES", value_name = "COUNT", default_value_t = Limits::DEFAULT.max_entries)]
    pub max_entries: u64,
    /// Largest file in a package, in bytes after inflating, which also bounds the memory of one reader
    #[arg(id = "package_max_file_bytes", long = "package-max-file-bytes", env = "BERTH_PACKAGE_MAX_FILE_BYTES", value_name = "BYTES", default_value_t = Limits::DEFAULT.max_file_bytes)]
    pub max_file_bytes: u64,
    /// Largest sum of all files of a package, in bytes after inflating
    #[arg(id = "package_max_total_bytes", long = "package-max-total-bytes", env = "BERTH_PACKAGE_MAX_TOTAL_BYTES", value_name = "BYTES", default_value_t = Limits::DEFAULT.max_total_bytes)]
    pub max_total_bytes: u64,
    /// How many times its packed size a file may inflate to; its first 64 KiB are not counted
    #[arg(id = "package_max_ratio", long = "package-max-ratio", env = "BERTH_PACKAGE_MAX_RATIO", value_name = "TIMES", default_value_t = Limits::DEFAULT.max_ratio)]
    pub max_ratio: u64,
    /// Longest path in a package, in bytes of UTF-8
    #[arg(id = "package_max_path_bytes", long = "package-max-path-bytes", env = "BERTH_PACKAGE_MAX_PATH_BYTES", value_name = "BYTES", default_value_t = Limits::DEFAULT.max_path_bytes)]
    pub max_path_bytes: usize,
    /// How deep folders of a package may be nested
    #[arg(id = "package_max_depth", long = "package-max-depth", env = "BERTH_PACKAGE_MAX_DEPTH", value_name = "COUNT", default_value_t = Limits::DEFAULT.max_depth)]
    pub max_depth: usize,
}

impl Limits {
    /// The defaults: more than other platforms allow (30 MiB in all), and little for a host.
    pub(crate) const DEFAULT: Limits = Limits {
        max_bytes: 64 * MIB,
        max_entries: 10_000,
        max_file_bytes: 32 * MIB,
        max_total_bytes: 256 * MIB,
        max_ratio: 200,
        max_path_bytes: 255,
        max_depth: 24,
    };

    /// Checks the size of the package itself.
    pub(super) fn check_bytes(&self, bytes: u64) -> Result<()> {
        let max = self.max_bytes;
        refuse_over("package-bytes", bytes, max, || format!("The package is {bytes} bytes; {max} are allowed."))
    }

    /// Checks the declared number of entries.
    pub(super) fn check_entries(&self, entries: u64) -> Result<()> {
        let max = self.max_entries;
        refuse_over("entries", entries, max, || format!("The package declares {entries} entries; {max} are allowed."))
    }

    /// Checks the declared size of one file, alone and in proportion to its packed size.
    pub(super) fn check_file(&self, path: &str, size: u64, packed: u64) -> Result<()> {
        let max = self.max_file_bytes;
        refuse_over("file-bytes", size, max, || format!("{path:?} is {size} bytes; {max} are allowed in one file."))
            .map_err(|e| e.with("path", path))?;
        let max = self.max_ratio;
        let allowed = packed.saturating_mul(max).saturating_add(RATIO_FREE);
        let detail = || {
            format!(
                "{path:?} inflates from {packed} to {size} bytes; {max} times is allowed. Store it instead of deflating it."
            )
        };
        refuse_over("ratio", size, allowed, detail).map_err(|e| e.with("path", path).with("limit", max))
    }

    /// Checks the sum of the declared sizes of all files.
    pub(super) fn check_total(&self, total: u64) -> Result<()> {
        let max = self.max_total_bytes;
        refuse_over("total-bytes", total, max, || format!("The files are {total} bytes together; {max} are allowed."))
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

fn refuse_over(rule: &'static str, found: u64, max: u64, detail: impl FnOnce() -> String) -> Result<()> {
    if found > max { Err(refusal::limit(rule, max, detail())) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use clap::{Args, FromArgMatches};

    use super::*;

    fn parse(args: &[&str]) -> Limits {
        let command = Limits::augment_args(clap::Command::new("berth").no_binary_name(true));
        Limits::from_arg_matches(&command.get_matches_from(args)).expect("arguments")
    }

    #[test]
    fn limits_are_on_by_default_and_each_can_be_set() {
        assert_eq!(parse(&[]), Limits::default());
        assert_eq!(parse(&["--package-max-ratio", "7"]), Limits { max_ratio: 7, ..Limits::default() });
    }

    #[test]
    fn f7_a_ratio_counts_only_beyond_the_first_64_kib() {
        let limits = Limits::default();
        assert!(limits.check_file("blank.png", RATIO_FREE, 100).is_ok());
        assert!(limits.check_file("bomb", 10 * MIB, 10 * MIB / 1000).is_err());
    }
}
