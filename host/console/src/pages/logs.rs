//! Real-time logs: what MiniApps say on devices, a second later. The team of a MiniApp sees what it wrote, members of a host
//! app what came from it.

mod live;
mod masks;

use axum::{
    Router,
    extract::{Path, Query},
    response::{IntoResponse, Redirect},
    routing::get,
};
use berth_base::clock::Millis;
use berth_model::log::{Level, LogEntry, LogId, LogPage};

use super::{
    host_apps,
    mini_apps::{self, Tab},
};
use crate::{
    Console,
    act::Sent,
    frame::Head,
    parts::{Badge, Filled, Shown, Tone},
    path::{at, with_query},
    refused::Refused,
    show::{self, When, quoted},
    texts::Texts,
    visit::{Answer, OrShow, Visit},
};

pub fn routes() -> Router<Console> {
    Router::new()
        .route("/ui/mini-apps/{id}/logs", get(of_mini_app))
        .route("/ui/mini-apps/{id}/logs/live", get(live::of_mini_app))
        .route("/ui/host-apps/{id}/logs", get(of_host_app).post(asked_of_host_app))
        .route("/ui/host-apps/{id}/logs/live", get(live::of_host_app))
        .merge(masks::routes())
}

/// What entries may be asked for by, as the API and the command call it. Those after the third are the rarer ones.
const FIELDS: [(&str, &str); 13] = [
    ("level", "--level"),
    ("words", "--words"),
    ("platform", "--platform"),
    ("guid", "--guid"),
    ("account", "--account"),
    ("page", "--page"),
    ("version", "--app-version"),
    ("host_version", "--host-version"),
    ("sdk_version", "--sdk-version"),
    ("contains", "--contains"),
    ("filter_msg", "--filter-msg"),
    ("mini_app", "--app"),
    ("host_app", "--host-app"),
];

/// How many of [`FIELDS`] are asked for always; the others are folded away until one is filled.
const ALWAYS: usize = 3;

/// Times of arrival between which entries may be asked for.
const TIMES: [&str; 2] = ["from", "until"];

impl Shown for Level {
    fn badge(&self, t: &Texts) -> Badge {
        let (tone, mark, word) = match self {
            Self::Debug => (Tone::Neutral, "·", t.log_debug()),
            Self::Info => (Tone::Info, "i", t.log_info()),
            Self::Warn => (Tone::Warn, "!", t.log_warn()),
            Self::Error => (Tone::Bad, "✕", t.log_error()),
        };
        Badge { tone, mark, word }
    }
}

/// Whose log it is.
struct Whose {
    /// The member of a query that names it.
    member: &'static str,
    id: String,
    name: String,
    /// The address of the page.
    here: String,
    /// Tabs of a MiniApp.
    tabs: Vec<Tab>,
}

impl Whose {
    /// Whether it is a host app. Its members are told who was logged in.
    fn is_host(&self) -> bool {
        self.member == "host_app"
    }

    /// What the API is asked: what is filled in, with moments in place of times of day.
    fn members(&self, visit: &Visit, asked: &Sent) -> Result<Vec<(&'static str, String)>, Refused> {
        let mut members = vec![(self.member, self.id.clone())];
        let fields = FIELDS.iter().filter(|(field, _)| *field != self.member);
        members.extend(fields.filter_map(|(field, _)| Some((*field, asked.some(field)?))));
        for field in TIMES {
            members.extend(asked.moment(visit, field)?.map(|at| (field, at.to_string())));
        }
        Ok(members)
    }

    /// The same question as a command.
    fn command(&self, visit: &Visit, asked: &Sent) -> String {
        let members = self.members(visit, asked).unwrap_or_default();
        let option = |name: &str| FIELDS.iter().find(|(field, _)| *field == name).map(|(_, option)| *option);
        members.iter().fold("berth logs list".to_owned(), |command, (name, value)| {
            let option = option(name).map_or_else(|| format!("--{name}"), str::to_owned);
            format!("{command} {option} {}", quoted(value))
        })
    }
}

/// A path of the API or the console with these members.
fn with(path: &str, members: &[(&'static str, String)]) -> String {
    with_query(path, members.iter().map(|(name, value)| (*name, Some(value.as_str()))))
}

/// An entry, folded to a line.
#[derive(askama::Template)]
#[template(path = "logs/entry.html")]
struct Row<'a> {
    t: Texts,
    visit: &'a Visit,
    entry: &'a LogEntry,
    /// The address of the page, whose questions by one thing an entry links to.
    here: &'a str,
}

/// How many characters of a message its line shows.
const LINE: usize = 160;

impl Row<'_> {
    /// The beginning of the message.
    fn line(&self) -> String {
        let mut line: String = self.entry.message.chars().take(LINE).collect();
        if line.len() < self.entry.message.len() {
            line.push('…');
        }
        line
    }

    fn exactly(&self, at: &Millis) -> When {
        show::when_exactly(*at, &self.visit.taste.zone)
    }

    /// Where entries are that have this in common.
    fn only(&self, field: &str, value: &str) -> String {
        with_query(self.here, [(field, Some(value))])
    }

    /// Where entries of the same page are, whatever its parameters.
    fn same_page(&self) -> String {
        self.only("page", berth_model::log::page_path(&self.entry.page))
    }
}

#[derive(askama::Template)]
#[template(path = "logs/list.html")]
struct List<'a> {
    t: Texts,
    visit: &'a Visit,
    whose: &'a Whose,
    filled: &'a Filled,
    rows: Vec<Row<'a>>,
    /// Whether it is asked about an account, which stands in no address: forms ask on, and nothing is told by itself.
    is_private: bool,
    /// Where what arrives next is told, after which entry.
    stream: Option<String>,
    newest: LogId,
    /// What is asked to go on with what is older; nothing at the end.
    older: Vec<(&'static str, String)>,
    searched_to: Option<Millis>,
    /// Whether one of the rarer conditions is set.
    is_narrow: bool,
    may_set_masks: bool,
    command: String,
}

impl List<'_> {
    /// The address of the page that goes on.
    fn older_address(&self) -> String {
        with(&self.whose.here, &self.older)
    }

    /// What is asked for by a text, each with its label.
    fn first(&self) -> [(&'static str, &'static str); 2] {
        [("words", self.t.log_words()), ("platform", self.t.log_platform())]
    }

    fn times(&self) -> [(&'static str, &'static str); 2] {
        [("from", self.t.log_from()), ("until", self.t.log_until())]
    }

    /// What is asked for less often. Accounts are known to the host app alone.
    fn rarer(&self) -> Vec<(&'static str, &'static str)> {
        let t = self.t;
        let mut fields = vec![
            ("contains", t.log_contains()),
            ("filter_msg", t.log_filter_msg()),
            ("guid", t.log_guid()),
            ("page", t.log_page()),
            ("version", t.version()),
            ("host_version", t.log_host_version()),
            ("sdk_version", t.log_sdk_version()),
        ];
        match self.whose.is_host() {
            true => fields.extend([("mini_app", t.mini_app()), ("account", t.log_account())]),
            false => fields.push(("host_app", t.scope_host_app())),
        }
        fields
    }
}

async fn of_mini_app(visit: Visit, Path(id): Path<String>, Query(asked): Query<Vec<(String, String)>>) -> Answer {
    let app = mini_apps::mini_app(&visit, &id).await?;
    let head = mini_apps::head(&visit, visit.t.logs(), Some(&app));
    let tabs = mini_apps::tabs(&visit, &app, "/logs");
    let here = at!("/ui/mini-apps/{}/logs", id);
    show(&visit, &Whose { member: "mini_app", id, name: app.name, here, tabs }, head, Sent::in_address(asked)).await
}

async fn of_host_app(visit: Visit, Path(id): Path<String>, Query(asked): Query<Vec<(String, String)>>) -> Answer {
    show_host_app(&visit, id, Sent::in_address(asked)).await
}

/// What the form asks: only members of a host app ask about accounts, so only their form is sent.
async fn asked_of_host_app(visit: Visit, Path(id): Path<String>, sent: Sent) -> Answer {
    match sent.as_address(&at!("/ui/host-apps/{}/logs", id)) {
        Some(address) => Ok(Redirect::to(&address).into_response()),
        None => show_host_app(&visit, id, sent).await,
    }
}

async fn show_host_app(visit: &Visit, id: String, asked: Sent) -> Answer {
    let host = host_apps::host_app(visit, &id).await?;
    let head = host_apps::head(visit, visit.t.logs(), &host);
    let here = at!("/ui/host-apps/{}/logs", id);
    show(visit, &Whose { member: "host_app", id, name: host.name, here, tabs: Vec::new() }, head, asked).await
}

/// The page of entries that is asked for.
async fn found(visit: &Visit, whose: &Whose, asked: &Sent) -> Result<LogPage, Refused> {
    let mut members = whose.members(visit, asked)?;
    members.extend(asked.some("cursor").map(|cursor| ("cursor", cursor)));
    visit.api.get(&with("/v1/logs", &members)).await
}

/// After which entry the page goes on to be told: what arrives from the moment on in which it was asked for, and is not on it.
fn newest(visit: &Visit, page: &LogPage) -> LogId {
    let before = LogId(LogId::at(visit.now).0 - 1);
    page.items.first().map_or(before, |entry| entry.id.max(before))
}

/// What is asked to go on after a page.
fn older(whose: &Whose, asked: &Sent, next: &str) -> Vec<(&'static str, String)> {
    let fields = FIELDS.iter().map(|(field, _)| *field).chain(TIMES).filter(|field| *field != whose.member);
    let members = fields.filter_map(|field| Some((field, asked.some(field)?)));
    members.chain([("cursor", next.to_owned())]).collect()
}

async fn show(visit: &Visit, whose: &Whose, head: Head<'_>, asked: Sent) -> Answer {
    let (page, refused) = match found(visit, whose, &asked).await {
        Ok(page) => (page, None),
        Err(refused) => (LogPage { items: Vec::new(), next: None, searched_to: None }, Some(refused)),
    };
    let is_private = !asked.get("account").is_empty();
    let is_newest = refused.is_none() && !is_private && asked.get("until").is_empty() && asked.get("cursor").is_empty();
    let stream = if is_newest { Some(live::address(visit, whose, &asked).or_show(visit)?) } else { None };
    let older = page.next.as_deref().map(|next| older(whose, &asked, next)).unwrap_or_default();
    let command = whose.command(visit, &asked);
    let rare = FIELDS.iter().skip(ALWAYS).filter(|(field, _)| *field != whose.member);
    let is_narrow = rare.clone().any(|(field, _)| !asked.get(field).is_empty());
    let filled = match refused {
        Some(refused) => asked.again(visit, refused)?,
        None => asked.filled(),
    };
    let row = |entry| Row { t: visit.t, visit, entry, here: &whose.here };
    let list = List {
        t: visit.t,
        visit,
        whose,
        filled: &filled,
        rows: page.items.iter().map(row).collect(),
        is_private,
        stream,
        newest: newest(visit, &page),
        older,
        searched_to: page.searched_to,
        is_narrow,
        may_set_masks: !whose.is_host(),
        command,
    };
    visit.page(head, &list)
}
