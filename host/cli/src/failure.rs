//! The failures of commands, and the exit codes that scripts see.

use std::{fmt, path::Path};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use berth_base::{ids::MiniAppId, version::VersionNumber};
use berth_package::PackageName;

/// The result of a command that has printed its answer itself.
pub type Done = Result<(), Failure>;

/// A refusal in the words of the host (RFC 9457), or one of the CLI itself in the same form.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Problem {
    /// The stable reason, such as `version-exists`. On the wire it is an address, of which this is the last segment.
    #[serde(rename = "type")]
    pub kind: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub title: String,
    /// The HTTP status; 0 for a refusal of the CLI itself.
    #[serde(default)]
    pub status: u16,
    #[serde(default)]
    pub detail: String,
    /// The id by which the host's log has the cause.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    #[serde(flatten)]
    pub fields: Map<String, Value>,
    /// The command to try next, if the command that was refused knows a better one than the host names (the member
    /// `next` in [`Problem::fields`]) and than the reason tells.
    #[serde(skip)]
    pub next: Option<String>,
    /// The ids of the call that was refused, by the word that stands for each in advice: `APP`, `VERSION` …
    #[serde(skip)]
    pub known: Vec<(&'static str, String)>,
}

/// The word that stands in advice for an id, by the collection that precedes the id in a path.
const WORDS: [(&str, &str); 13] = [
    ("mini-apps", "APP"),
    ("bindings", "APP"),
    ("versions", "VERSION"),
    ("host-apps", "HOST_APP"),
    ("gray-tasks", "TASK"),
    ("merchants", "BOS_ID"),
    ("endpoint-apps", "CID"),
    ("channels", "CHANNEL"),
    ("org-nodes", "VID"),
    ("policy-bindings", "BINDING"),
    ("webhooks", "WEBHOOK"),
    ("permits", "PERMIT"),
    ("fulfilments", "MESSAGE"),
];

/// The ids in the path of a call, by the words that stand for them.
fn ids_in(path: &str) -> Vec<(&'static str, String)> {
    let path = path.split('?').next().unwrap_or_default();
    let segments: Vec<_> = path.split('/').collect();
    let mut known = Vec::new();
    for pair in segments.windows(2) {
        if pair[0] == "packages"
            && let Ok(name) = pair[1].parse::<PackageName>()
        {
            known.extend([("APP", name.mini_app_id.to_string()), ("VERSION", name.version.to_string())]);
        }
        let word = WORDS.iter().find(|(collection, _)| *collection == pair[0]);
        known.extend(word.map(|(_, word)| (*word, pair[1].to_owned())));
    }
    known
}

/// Why a command did not do what it was asked to.
#[derive(Debug)]
pub enum Failure {
    /// It was refused: exit code 1.
    Refused(Box<Problem>),
    /// It was used in a wrong way: exit code 2.
    Usage(String),
    /// The host could not be reached: exit code 3.
    Unreachable(String),
    /// The program that reads the output has stopped reading: exit code 0, as with `head`.
    ReaderGone,
}

impl Failure {
    /// A refusal of the CLI itself.
    pub fn refused(kind: &str, detail: impl Into<String>) -> Self {
        Self::Refused(Box::new(Problem {
            kind: kind.into(),
            title: String::new(),
            status: 0,
            detail: detail.into(),
            request_id: None,
            fields: Map::new(),
            next: None,
            known: Vec::new(),
        }))
    }

    /// Names the command to try next.
    pub(crate) fn followed_by(mut self, command: String) -> Self {
        if let Self::Refused(problem) = &mut self {
            problem.next = Some(command);
        }
        self
    }

    /// Lets advice name what a call to this path was about.
    pub(crate) fn of_call(mut self, path: &str) -> Self {
        if let Self::Refused(problem) = &mut self {
            problem.known = ids_in(path);
        }
        self
    }

    /// Points to the audit of a version, whose policies and people say why, if it was refused because that rejected it.
    pub(crate) fn with_audit_of(mut self, app: &MiniAppId, version: &VersionNumber) -> Self {
        if let Self::Refused(problem) = &mut self
            && problem.fields.get("state") == Some(&"rejected".into())
        {
            problem.next = Some(format!("berth version show {app} {version}"));
        }
        self
    }

    /// Points to the decision that a version waits for, or to its audit.
    pub(crate) fn about_version(mut self, app: &MiniAppId, version: &VersionNumber) -> Self {
        if let Self::Refused(problem) = &mut self
            && let Some(host_app) = problem.fields.get("waits_for").and_then(|all| all.get(0)).and_then(Value::as_str)
        {
            problem.next = Some(format!("berth version decide {app} {version} --host-app {host_app} --approve"));
        }
        self.with_audit_of(app, version)
    }

    /// Points to the list of teams, if a team has to be named and the host knows no better command.
    pub(crate) fn about_team(mut self) -> Self {
        if let Self::Refused(problem) = &mut self
            && problem.fields.get("field") == Some(&"team".into())
            && problem.fields.get("next").is_none_or(Value::is_null)
        {
            problem.next = Some("berth team list, then add --team ID".into());
        }
        self
    }

    /// Points to the binding that exists already.
    pub(crate) fn with_binding(mut self) -> Self {
        if let Self::Refused(problem) = &mut self
            && let Some(id) = problem.fields.get("binding").and_then(Value::as_str)
        {
            problem.next = Some(format!("berth policy edit {id} --mode enforce (or --config, --on-error, --limits)"));
        }
        self
    }

    /// The failure of a command line that cannot be meant; `detail` says what to write instead.
    pub fn usage(detail: impl Into<String>) -> Self {
        Self::Usage(detail.into())
    }

    /// The failure of a file that cannot be read or written. `doing` is a verb: `read`, `write`.
    pub fn file(doing: &str, path: &Path, error: &std::io::Error) -> Self {
        let path = path.display();
        match error.kind() {
            std::io::ErrorKind::NotFound => Self::Usage(format!("There is no file {path}.")),
            _ => Self::Usage(format!("Cannot {doing} {path}: {error}.")),
        }
    }

    /// 0 when whoever read our output is gone, 1 for a refusal, 2 for wrong use, 3 when the host could not be reached.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::ReaderGone => 0,
            Self::Refused(_) => 1,
            Self::Usage(_) => 2,
            Self::Unreachable(_) => 3,
        }
    }

    /// The failure as a problem document, for `--json`.
    pub fn document(&self) -> Value {
        let own = |kind: &str, detail: &str| serde_json::json!({"type": kind, "status": 0, "detail": detail});
        match self {
            Self::Refused(problem) => serde_json::to_value(problem).unwrap_or_default(),
            Self::Usage(detail) => own("wrong-use", detail),
            Self::Unreachable(detail) => own("unreachable", detail),
            Self::ReaderGone => Value::Null,
        }
    }

    /// The stable reason, if it is a refusal.
    pub fn kind(&self) -> Option<&str> {
        match self {
            Self::Refused(problem) => Some(&problem.kind),
            _ => None,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(problem) => problem.fmt(f),
            Self::Usage(detail) | Self::Unreachable(detail) => f.write_str(detail),
            Self::ReaderGone => Ok(()),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let detail = if self.detail.is_empty() { &self.title } else { &self.detail };
        write!(f, "{}: {detail}", self.kind)?;
        if let Some(advice) = self.advice() {
            write!(f, "\n  try: {advice}")?;
        }
        match &self.request_id {
            Some(id) => write!(f, "\n  request id: {id}"),
            None => Ok(()),
        }
    }
}

impl Problem {
    /// What to do next. A refusal while packing does not advise to pack.
    fn advice(&self) -> Option<String> {
        let local = self.status == 0 && self.kind.starts_with("package-");
        let named = self.next.clone().or_else(|| Some(self.fields.get("next")?.as_str()?.to_owned()));
        let known = self.fields.get("what").and_then(Value::as_str).and_then(look_for);
        named.or_else(|| known.or_else(|| advice(&self.kind)).filter(|_| !local).map(|advice| self.filled(advice)))
    }

    /// Advice with the ids that are known in place of the words that stand for them.
    fn filled(&self, advice: &str) -> String {
        let fill = |word: &str| {
            let bare = word.trim_end_matches(',');
            let id = self.known.iter().find(|(name, _)| *name == bare).map(|(_, id)| id);
            id.map_or_else(|| word.to_owned(), |id| word.replacen(bare, id, 1))
        };
        advice.split(' ').map(fill).collect::<Vec<_>>().join(" ")
    }
}

/// Where to look for what was not found, in the words of the refusal.
fn look_for(what: &str) -> Option<&'static str> {
    Some(match what {
        "MiniApp" => "berth app list, or berth app create NAME --id APP",
        "version" => "berth version list APP",
        "trial of" => "berth version trial APP VERSION --entry PATH --account ACCOUNT",
        "audit of" => "berth version submit APP VERSION",
        "host app" => "berth host-app list",
        "binding of" => "berth host-app bindings HOST_APP",
        "grayscale task" | "GrayTask" => "berth gray list",
        "policy" => "berth policy list",
        "policy binding" => "berth policy bindings",
        "trusted key" => "berth policy trust list",
        "webhook" => "berth webhook list",
        "team" => "berth team list",
        "invitation" => "berth invitation list",
        "session" => "berth session list",
        "merchant" => "berth merchant list",
        "product instance" => "berth product list",
        "workspace" => "berth workspace list",
        "endpoint application" => "berth endpoint list",
        "official account" => "berth official-account list",
        "entry page" => "berth official-account pages MERCHANT",
        "template" => "berth official-account templates APP_ID",
        "binding" => "berth fan list MERCHANT",
        "template message" => "berth official-account messages MERCHANT",
        "organisation node" => "berth org-node list",
        _ => return None,
    })
}

/// What to do next after a refusal with this reason, where a command helps and the host cannot know it.
fn advice(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "missing-token" | "invalid-token" | "expired-token" => "berth login --server URL",
        "account-disabled" => "berth account enable ACCOUNT (by an admin of the platform)",
        "invitation-limit" => "berth invitation list, then berth invitation withdraw INVITATION",
        "missing-grant" => "berth whoami (it shows your roles and what your token may do)",
        "version-exists" => "berth init DIR --version NEXT (it raises the version in berth.json), then berth pack DIR",
        "no-host-app" => "berth host-app bind HOST_APP APP",
        "mini-app-off-shelf" | "package-off-shelf" => "berth app shelf APP on",
        "version-order" => "berth version list APP (it shows what is online)",
        "note-required" => "add --note \"the reason\"",
        "package-archive" | "package-path" | "package-manifest" => "berth pack DIR (it packs by the host's rules)",
        "package-mismatch" => {
            "berth pack DIR (it takes id and version from the manifest and names the file after them)"
        }
        "channel-bound" => "berth channel bind CHANNEL CID --move",
        "version-state" => "berth version list APP (it shows the state of each)",
        "gray-state" => "berth gray show TASK (it shows the state, and who moved it)",
        "gray-first-release" => "berth version publish APP VERSION",
        "not-online" => "berth version list APP, then berth version publish APP VERSION",
        "audit-closed" => "berth version show APP VERSION (it shows the audit)",
        "never-online" | "rollback-twice" => "berth version releases APP (it shows what went online)",
        "below-min-version" => "berth app show APP (it shows the minimum and what is online)",
        "second-factor-owed" => "berth second-factor set-up",
        "last-way-in" => "berth account invite --account ACCOUNT, or the same command with --even-last",
        "last-admin" => "berth team grant … ACCOUNT admin, for another account",
        "not-found" => "berth whoami (it shows what you may see)",
        "no-data" => "berth serve --data-dir DIR (it makes the folder), or the folder of a host that is there",
        "fulfilment-settled" => "berth fulfilment show MESSAGE (it shows what became of it)",
        "product-unsubscribed" => "berth product list --merchant ID --state active",
        "endpoint-default" => "berth endpoint create NAME --merchant BOS_ID --product INSTANCE",
        "endpoint-in-use" => "berth channel list --endpoint-app CID, then berth channel unbind CHANNEL",
        "endpoint-empty" => "berth endpoint delete CID, or add another product first",
        "org-node-in-use" => "berth org-node list, then berth org-node edit CHILD --root (or --parent ANOTHER)",
        "org-node-not-open" => "berth org-node open VID PRODUCT_INSTANCE",
        "permit-state" => "berth permit show PERMIT (it shows what happened to it)",
        "precondition-failed" => "the same command again: somebody else changed it meanwhile",
        "policy-in-use" => "berth policy bindings, then berth policy unbind ID or berth policy rebind NAME",
        "policy-bound" => "berth policy bindings, then berth policy edit ID --mode enforce",
        "policy-exists" => "raise the version in the policy's own files, then berth policy build and push",
        "policy-config" => "berth policy inspect NAME (it prints the schema of the config)",
        _ => return None,
    })
}

/// An error about something that was typed is wrong use. Any other error is a refusal, shown with its cause, as the
/// person at the command line is also the one who reads the log.
impl From<berth_base::error::Error> for Failure {
    fn from(error: berth_base::error::Error) -> Self {
        use berth_base::error::Kind;
        match (error.code.kind(), error.source) {
            (Kind::Malformed | Kind::Invalid, _) => Self::Usage(error.detail),
            (_, Some(source)) => Self::refused(error.code.slug(), format!("{} ({source:#})", error.detail)),
            (_, None) => Self::refused(error.code.slug(), error.detail),
        }
    }
}
