//! Limits the size of the main package, of each subpackage, of all together and, optionally, of each file.
//!
//! The defaults are WeChat's: 2 MiB for the main package and for each subpackage of an app, 4 MiB for the main package of a
//! game, whose subpackages have no limit of their own, and 30 MiB in all. A size is that of the files after inflating, as that is
//! what a device has to keep and load. Every finding names the biggest files, as that is where to begin.
//!
//! Tools of vendors minify what is uploaded, WeChat's as its project file says. Berth keeps the bytes that it is given, and so
//! these count; a finding says how much of them a build would leave out.
//!
//! Sources: developers.weixin.qq.com, "Subpackages" of mini-programs and of mini-games.

mod slack;

use berth_policy::{
    Auditor, Description, File, Finding, Package, Place, Policy,
    manifest::{Manifest, Subpackage},
    package::Bytes,
    serde::Deserialize,
};
use berth_policy_layout::{Kind, Layout};

const MIB: u64 = 1 << 20;
/// How many of the biggest files a finding names.
const TOLD: usize = 5;

/// Minifying is spoken of when it makes up for one part in this many of what is too much.
const WORTH: u64 = 4;

/// The policy, which is its config. All sizes are in bytes, after inflating.
#[derive(Deserialize)]
#[serde(crate = "berth_policy::serde", deny_unknown_fields, default)]
pub struct SizeLimits {
    /// Absent for what the kind of the package has by default.
    main_bytes: Option<u64>,
    /// As `main_bytes`.
    subpackage_bytes: Option<u64>,
    total_bytes: u64,
    file_bytes: Option<u64>,
    file_count: Option<u64>,
}

impl Default for SizeLimits {
    fn default() -> Self {
        Self { main_bytes: None, subpackage_bytes: None, total_bytes: 30 * MIB, file_bytes: None, file_count: None }
    }
}

/// The limits of the parts of a package.
struct PartLimits {
    main: u64,
    /// Of each subpackage; absent for none of its own.
    subpackage: Option<u64>,
}

impl PartLimits {
    const APP: Self = Self { main: 2 * MIB, subpackage: Some(2 * MIB) };
    const GAME: Self = Self { main: 4 * MIB, subpackage: None };
}

impl Policy for SizeLimits {
    type Config = Self;

    const DESCRIPTION: Description = Description {
        name: "size-limits",
        version: env!("CARGO_PKG_VERSION"),
        summary: "Limits the size of the main package, of each subpackage and of all together.",
        config_schema: include_str!("../config.schema.json"),
    };

    fn configure(config: Self) -> Result<Self, String> {
        Ok(config)
    }
}

impl Auditor for SizeLimits {
    fn audit(&self, package: &dyn Package) -> Result<Vec<Finding>, String> {
        let files = package.files();
        let subpackages = Manifest::of(package).map(|manifest| parts(&manifest)).unwrap_or_default();
        let manifest = package.manifest_path();
        let limits = self.part_limits(manifest.ends_with("game.json"));
        let at = Place::file(&manifest);
        let parts = self.parts(&limits, &files, &subpackages);
        let mut findings: Vec<_> =
            parts.iter().filter_map(|part| part.finding(package)).map(|finding| finding.at(at.clone())).collect();
        findings.extend(self.file_count(&files).map(|finding| finding.at(at)));
        findings.extend(self.big_files(&files));
        Ok(findings)
    }
}

/// The parts that are loaded by themselves: the subpackages, and the workers if they are one.
fn parts(manifest: &Manifest) -> Vec<Subpackage> {
    manifest.subpackages().into_iter().chain(manifest.worker_subpackage()).collect()
}

/// Files that share a limit.
struct Part<'f> {
    rule: &'static str,
    name: String,
    limit: u64,
    files: Vec<&'f File>,
    fix: &'static str,
}

impl Part<'_> {
    fn finding(&self, package: &dyn Package) -> Option<Finding> {
        let size: u64 = self.files.iter().map(|file| file.size).sum();
        (size > self.limit).then(|| {
            let over = size - self.limit;
            let (size, limit) = Bytes(size).beside(Bytes(self.limit));
            let message = format!(
                "{} has {size}, {} over the limit of {limit}. The biggest files: {}.",
                self.name,
                Bytes(over),
                biggest(&self.files)
            );
            Finding::error(self.rule, message).fix(self.remedy(package, over))
        })
    }

    /// What to do. Where it makes a difference, minifying is the least.
    fn remedy(&self, package: &dyn Package, over: u64) -> String {
        let slack: u64 = self.files.iter().map(|file| slack::of(package, file)).sum();
        if slack * WORTH < over {
            return self.fix.into();
        }
        let enough = if slack >= over { "which is enough" } else { "which is not enough alone" };
        format!(
            "Let the build minify scripts, style sheets and markup: some {} are indentation and comments, {enough}. {}; here \
             the files count as they are. {}",
            Bytes(slack),
            minified(package),
            self.fix
        )
    }
}

/// What is known of how the vendor's tool minifies. The files of a game do not tell its vendor.
fn minified(package: &dyn Package) -> String {
    match Layout::of(package) {
        Ok(layout) if layout.kind == Kind::App && layout.strange.is_none() => match layout.dialect.name {
            "WeChat" => "WeChat's tool does so as it uploads (minified, minifyWXSS and minifyWXML in \
                         project.config.json)"
                .into(),
            name => format!("{name}'s tool may do so as it uploads"),
        },
        _ => "Tools of vendors may do so as they upload".into(),
    }
}

fn biggest(files: &[&File]) -> String {
    let mut files = files.to_vec();
    files.sort_by(|a, b| b.size.cmp(&a.size).then_with(|| a.path.cmp(&b.path)));
    let told = files.iter().take(TOLD).map(|file| format!("{} ({})", file.path, Bytes(file.size)));
    told.collect::<Vec<_>>().join(", ")
}

impl SizeLimits {
    fn part_limits(&self, is_game: bool) -> PartLimits {
        let default = if is_game { PartLimits::GAME } else { PartLimits::APP };
        PartLimits {
            main: self.main_bytes.unwrap_or(default.main),
            subpackage: self.subpackage_bytes.or(default.subpackage),
        }
    }

    fn parts<'f>(&self, limits: &PartLimits, files: &'f [File], subpackages: &[Subpackage]) -> Vec<Part<'f>> {
        let in_main = |file: &&File| !subpackages.iter().any(|sub| sub.holds(&file.path));
        let main = Part {
            rule: "main-package-too-big",
            name: "The main package".into(),
            limit: limits.main,
            files: files.iter().filter(in_main).collect(),
            fix: "Move pages that are not needed at the start into subpackages, and pictures to a server.",
        };
        let total = Part {
            rule: "total-too-big",
            name: "The package".into(),
            limit: self.total_bytes,
            files: files.iter().collect(),
            fix: "Remove what is not used, and serve big files from a server.",
        };
        let limited = subpackages.iter().filter_map(|sub| Some((sub, limits.subpackage?)));
        let subpackages = limited.map(|(sub, limit)| Part {
            rule: "subpackage-too-big",
            name: format!("The subpackage {}", sub.root),
            limit,
            files: files.iter().filter(|file| sub.holds(&file.path)).collect(),
            fix: "Split the subpackage, and move pictures to a server.",
        });
        [main].into_iter().chain(subpackages).chain([total]).collect()
    }

    fn big_files(&self, files: &[File]) -> Vec<Finding> {
        let Some(limit) = self.file_bytes else { return Vec::new() };
        let finding = |file: &File| {
            let (size, limit) = Bytes(file.size).beside(Bytes(limit));
            let message = format!("{} has {size}; the limit for one file is {limit}.", file.path);
            Finding::error("file-too-big", message)
                .at(Place::file(&file.path))
                .fix("Shrink the file or serve it from a server.")
        };
        files.iter().filter(|file| file.size > limit).map(finding).collect()
    }

    fn file_count(&self, files: &[File]) -> Option<Finding> {
        let (count, limit) = (files.len() as u64, self.file_count?);
        let message = || format!("The package has {count} files; the limit is {limit}.");
        (count > limit)
            .then(|| Finding::error("too-many-files", message()).fix("Bundle scripts and combine small pictures."))
    }
}

berth_policy::auditor!(SizeLimits);

#[cfg(test)]
mod tests;
