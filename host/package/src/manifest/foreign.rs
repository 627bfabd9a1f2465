//! Tells what a `manifest.json` without `app_id` is, as many kinds of apps have a file of that name.

use super::{super::refusal, APP_JSON, Archive, GAME_JSON, W3C, unreadable};
use berth_base::error::{Error, Result};

/// A kind of apps that have a `manifest.json` and are no W3C MiniApps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Foreign {
    /// A quick app: phones run it from an `.rpk`.
    QuickApp,
    /// A quick game, of the same phones.
    QuickGame,
    /// The settings of a uni-app project, which lie beside the source and mostly hold comments.
    UniApp,
    /// An extension of a browser.
    Extension,
    /// A web page that can be installed.
    WebApp,
}

impl Foreign {
    /// What the text of a `manifest.json` says that it is; `None` when it does not tell, or is that of a W3C MiniApp. Most
    /// of these are written with comments, so they are not parsed.
    pub fn of(text: &str) -> Option<Self> {
        let has = |member: &str| text.contains(&format!("\"{member}\""));
        let says = |member: &str, value: &str| {
            let (member, value) = (format!("\"{member}\""), format!("\"{value}\""));
            let values = text.split(&member).skip(1).filter_map(|rest| rest.trim_start().strip_prefix(':'));
            values.map(str::trim_start).any(|rest| rest.starts_with(&value))
        };
        match () {
            () if has("app_id") => None,
            () if has("mp-weixin") || has("app-plus") || text.contains("__UNI__") => Some(Self::UniApp),
            () if has("minPlatformVersion") && (says("type", "game") || says("appType", "fastgame")) => {
                Some(Self::QuickGame)
            }
            () if has("minPlatformVersion") && has("package") => Some(Self::QuickApp),
            () if has("manifest_version") => Some(Self::Extension),
            () if has("start_url") || has("short_name") => Some(Self::WebApp),
            () => None,
        }
    }

    /// What it is, and what to do instead, in sentences that follow the name of the file.
    pub fn told(self) -> String {
        match self {
            Self::QuickApp => {
                "is that of a quick app, which phones run from an .rpk, and a quick app is no mini-program. If its \
                 framework builds for WeChat or another vendor of mini-programs, too, build it for one, and pack the \
                 folder that the build makes."
            }
            Self::QuickGame => {
                "is that of a quick game, which phones run from an .rpk, and a quick game is not a vendor's mini-game. \
                 If its engine builds for WeChat or another vendor of mini-games, too, build it for one, and pack the \
                 folder that then has game.json and game.js."
            }
            Self::UniApp => {
                "holds the settings of a uni-app project and not a mini-program. Build it (npm run build:mp-weixin, or \
                 Publish in HBuilderX), and pack the folder that the build makes: dist/build/mp-weixin or \
                 unpackage/dist/build/mp-weixin."
            }
            Self::Extension => "is that of an extension of a browser, and an extension is no mini-program.",
            Self::WebApp => {
                "is that of a web page and not of a W3C MiniApp, which has an app_id. Pack a mini-program instead."
            }
        }
        .into()
    }
}

/// Refuses a package whose only manifest is of another kind.
pub(super) fn refuse(archive: &Archive) -> Result<()> {
    let Some(file) = archive.file(W3C).filter(|file| file.size <= super::MAX_BYTES) else { return Ok(()) };
    let bytes = archive.read_whole(&file.path).map_err(unreadable)?;
    match Foreign::of(&String::from_utf8_lossy(&bytes)) {
        Some(foreign) => Err(refused(foreign)),
        None => Ok(()),
    }
}

fn refused(foreign: Foreign) -> Error {
    let why = format!(
        "{} Packages have {APP_JSON}, {GAME_JSON} or the {W3C} of a W3C MiniApp at their root.",
        foreign.told()
    );
    refusal::manifest("manifest-foreign", W3C, why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_is_told_by_its_members() {
        for (text, kind) in [
            (r#"{"package": "com.x", "minPlatformVersion": 1070, "router": {}}"#, Some(Foreign::QuickApp)),
            (r#"{"package": "com.x", "minPlatformVersion": "1000", "type" : "game"}"#, Some(Foreign::QuickGame)),
            (r#"{"package": "x", "minPlatformVersion": 1, "appType":"fastgame"}"#, Some(Foreign::QuickGame)),
            (
                "{ // basics\n \"appid\": \"__UNI__123\", \"quickapp\": {\"minPlatformVersion\": 1}}",
                Some(Foreign::UniApp),
            ),
            (r#"{"mp-weixin": {}}"#, Some(Foreign::UniApp)),
            (r#"{"manifest_version": 3, "name": "x"}"#, Some(Foreign::Extension)),
            (r#"{"short_name": "x", "start_url": "."}"#, Some(Foreign::WebApp)),
            (r#"{"app_id": "x", "minPlatformVersion": 1, "package": "y"}"#, None),
            (r#"{"pages": ["a"]}"#, None),
            ("", None),
        ] {
            assert_eq!(Foreign::of(text), kind, "{text}");
        }
    }
}
