//! Tells what a folder is that holds no mini-program yet: the source of a framework, which a build turns into one, or a
//! project of another kind of apps.

use std::{collections::BTreeSet, fs, path::Path};

use serde_json::Value;

use super::super::manifest::{Foreign, W3C};

/// A framework whose source has to be built.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Source {
    /// The name that people know.
    pub name: &'static str,
    /// npm packages of which its projects depend on one.
    npm: &'static [&'static str],
    /// Files or folders of which its projects have one.
    files: &'static [&'static str],
    /// How to build it for mini-programs.
    build: &'static str,
    /// The folder that the build makes, as it is by default.
    folder: &'static str,
}

/// The frameworks that are known. Their npm packages are looked for first, as their files are alike.
const SOURCES: [Source; 16] = [
    Source {
        name: "uni-app",
        npm: &["@dcloudio/uni-app", "@dcloudio/uni-mp-weixin", "@dcloudio/vue-cli-plugin-uni"],
        files: &["pages.json", "src/pages.json"],
        build: "npm run build:mp-weixin, or Publish in HBuilderX",
        folder: "dist/build/mp-weixin or unpackage/dist/build/mp-weixin",
    },
    Source {
        name: "Remax",
        npm: &["remax", "@remax/cli", "@remax/wechat", "@remax/one"],
        files: &["remax.config.js", "remax.config.ts"],
        build: "npx remax build -t wechat",
        folder: "dist or dist/wechat",
    },
    Source {
        name: "Taro",
        npm: &["@tarojs/taro", "@tarojs/cli"],
        files: &["src/app.config.ts", "src/app.config.js"],
        build: "npx taro build --type weapp",
        folder: "dist",
    },
    Source { name: "mpvue", npm: &["mpvue"], files: &[], build: "npm run build", folder: "dist/wx or dist" },
    Source {
        name: "WePY",
        npm: &["wepy", "@wepy/core"],
        files: &["src/app.wpy"],
        build: "npx wepy build",
        folder: "dist",
    },
    Source {
        name: "Mpx",
        npm: &["@mpxjs/core"],
        files: &["src/app.mpx"],
        build: "npm run build",
        folder: "dist/wx or dist",
    },
    Source {
        name: "kbone",
        npm: &["mp-webpack-plugin", "miniprogram-render"],
        files: &[],
        build: "npm run mp",
        folder: "dist/mp",
    },
    Source {
        name: "Chameleon",
        npm: &["chameleon-runtime"],
        files: &["chameleon.config.js"],
        build: "cml wx build",
        folder: "dist/wx",
    },
    Source {
        name: "Megalo",
        npm: &["megalo", "@megalo/target"],
        files: &[],
        build: "npm run build:wechat",
        folder: "dist-wechat",
    },
    Source {
        name: "Rax",
        npm: &["rax", "rax-app"],
        files: &[],
        build: "npm run build, with wechat-miniprogram among the targets of build.json",
        folder: "build/wechat-miniprogram",
    },
    Source {
        name: "Nanachi",
        npm: &["nanachi", "nanachi-cli", "schnee-ui"],
        files: &[],
        build: "npx nanachi build",
        folder: "dist",
    },
    Source { name: "Okam", npm: &["okam-core", "okam-build"], files: &[], build: "npm run prod:wx", folder: "wx_dist" },
    Source {
        name: "Cocos Creator",
        npm: &[],
        files: &["creator.d.ts", "settings/project.json", ".creator"],
        build: "in the panel Build, for WeChat Game or another vendor",
        folder: "build/wechatgame or build/wechat",
    },
    Source {
        name: "Egret",
        npm: &[],
        files: &["egretProperties.json"],
        build: "egret publish --target wxgame",
        folder: "the folder of its name with _wxgame, beside the project",
    },
    Source {
        name: "LayaAir",
        npm: &[],
        files: &[".laya"],
        build: "in the editor, Publish for WeChat or another vendor",
        folder: "release/wxgame",
    },
    Source {
        name: "Unity",
        npm: &[],
        files: &["ProjectSettings/ProjectVersion.txt"],
        build: "by the vendor's plugin for Unity",
        folder: "the one that has game.json, such as minigame",
    },
];

impl Source {
    /// The framework of the source in `dir`; `None` when it is no source of one that is known.
    pub fn of(dir: &Path) -> Option<&'static Self> {
        let npm = npm_packages(dir);
        let has = |file: &&str| dir.join(file).exists();
        let by_npm = SOURCES.iter().find(|source| source.npm.iter().any(|name| npm.contains(*name)));
        by_npm.or_else(|| SOURCES.iter().find(|source| source.files.iter().any(has)))
    }

    /// What to do with it, in sentences.
    pub fn advice(&self) -> String {
        format!(
            "This is a project of {}, which is not built yet: build it for a vendor of mini-programs ({}), then pack the folder \
             that the build makes ({}).",
            self.name, self.build, self.folder
        )
    }
}

/// What to do with a folder that holds no mini-program, in sentences: build it, or look elsewhere.
pub(super) fn advice(dir: &Path) -> Option<String> {
    Source::of(dir).map(Source::advice).or_else(|| foreign(dir)).or_else(|| harmony(dir))
}

/// The advice about a `manifest.json` that is no W3C MiniApp's.
fn foreign(dir: &Path) -> Option<String> {
    [W3C, "src/manifest.json"].into_iter().find_map(|file| {
        let text = fs::read_to_string(dir.join(file)).ok()?;
        Some(format!("{file} {}", Foreign::of(&text)?.told()))
    })
}

fn harmony(dir: &Path) -> Option<String> {
    let files = ["build-profile.json5", "AppScope/app.json5", "oh-package.json5", "src/main/module.json5"];
    let file = files.into_iter().find(|file| dir.join(file).is_file())?;
    Some(format!(
        "{file} is that of an app or atomic service of HarmonyOS, which is no mini-program. If its framework builds for a \
         vendor of mini-programs, too, build it for one, and pack the folder that the build makes."
    ))
}

/// The names of the npm packages that the project in `dir` depends on.
fn npm_packages(dir: &Path) -> BTreeSet<String> {
    let npm: Value =
        fs::read(dir.join("package.json")).ok().and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default();
    let lists = ["dependencies", "devDependencies"].into_iter().filter_map(|list| npm.get(list)?.as_object());
    lists.flat_map(|list| list.keys().cloned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(files: &[(&str, &str)]) -> String {
        let dir = tempfile::tempdir().expect("a folder");
        for (path, text) in files {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
            fs::write(path, text).expect("a file");
        }
        advice(dir.path()).unwrap_or_default()
    }

    #[test]
    fn sources_are_told_by_what_they_depend_on_and_then_by_their_files() {
        for source in &SOURCES {
            for name in source.npm {
                let npm = format!(r#"{{"devDependencies": {{"{name}": "1"}}}}"#);
                let text = told(&[("package.json", &npm)]);
                assert!(text.contains(source.name) && text.contains(source.build), "{text}");
            }
            for file in source.files {
                assert!(told(&[(file, "")]).contains(source.name), "{file}");
            }
        }
        let remax = ("package.json", r#"{"dependencies": {"remax": "2"}}"#);
        assert!(told(&[remax, ("src/app.config.ts", "")]).contains("Remax"), "Taro has the same file");
        assert_eq!(told(&[("package.json", r#"{"dependencies": {"vue": "3"}}"#)]), "");
    }

    #[test]
    fn projects_of_other_kinds_are_told() {
        let quick = r#"{"package": "com.x", "minPlatformVersion": 1070}"#;
        assert!(told(&[("src/manifest.json", quick)]).starts_with("src/manifest.json is that of a quick app"));
        assert!(told(&[("manifest.json", "{ // x\n \"mp-weixin\": {}}")]).contains("uni-app"));
        assert!(told(&[("AppScope/app.json5", "{}")]).contains("HarmonyOS"));
        assert_eq!(told(&[("manifest.json", "{}")]), "");
    }
}
