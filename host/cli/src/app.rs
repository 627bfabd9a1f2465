//! `berth app`: MiniApps.

use std::collections::BTreeMap;

use clap::{Subcommand, ValueEnum};

use super::{
    access::team_names,
    call::Call,
    client::Client,
    failure::{Done, Failure},
    handle::team_id,
    host_app::binding_state,
    paint::{Ink, Paint, said, state},
    session::Session,
    table::{Card, Cell, Table},
};
use crate::views;
use berth_base::{
    error::Error,
    ids::{MiniAppId, TeamId},
    text,
    version::VersionNumber,
};
use berth_model::{
    binding::Binding,
    mini_app::{EditMiniApp, ListedMiniApp, MinVersion, MiniApp, NewMiniApp, Shelf, ShelfSide},
    overview::Overview,
    rollout::State,
    shelf::Shelved,
    user::{SetUnion, Union},
    version::{Force, is_above},
};

/// The subcommands of `berth app`.
#[derive(Subcommand, Debug)]
#[command(after_help = "Examples:
  berth app create \"Shop\" --id mp-shop
  berth app show mp-shop
  berth app shelf mp-shop off --note \"the payment is broken\"
  berth app shelf mp-shop on --resume
  berth app min-version mp-shop 1.2.0")]
pub enum App {
    /// Create a MiniApp
    Create {
        /// Its name
        name: String,
        /// Its id, for ever: 3 to 63 of a-z, 0-9 and '-', dots between parts; generated when absent
        #[arg(long)]
        id: Option<MiniAppId>,
        /// The team that owns it, by its id or name; needed when you are in several
        #[arg(long)]
        team: Option<String>,
        /// A description for people
        #[arg(long, default_value = "")]
        description: String,
    },
    /// List MiniApps
    List {
        /// Only those of this team, by its id or name
        #[arg(long)]
        team: Option<String>,
        /// Only those with this text in name or id
        #[arg(long)]
        search: Option<String>,
        /// Only those that are on the shelf, or off it
        #[arg(long)]
        shelf: Option<OnOff>,
    },
    /// Show a MiniApp: what is online, in audit, in development, in grayscale
    Show {
        /// The MiniApp
        app: MiniAppId,
    },
    /// List the host apps that a MiniApp is bound to, and those about to be
    Bindings {
        /// The MiniApp
        app: MiniAppId,
    },
    /// Change name or description
    Edit {
        /// The MiniApp
        app: MiniAppId,
        /// The new name
        #[arg(long, required_unless_present = "description")]
        name: Option<String>,
        /// The new description
        #[arg(long)]
        description: Option<String>,
    },
    /// Take a MiniApp off the shelf, which suspends its grayscale tasks, or put it back
    Shelf {
        /// The MiniApp
        app: MiniAppId,
        /// Whether host apps get service
        state: OnOff,
        /// The reason, told to host apps
        #[arg(long, default_value = "")]
        note: String,
        /// With `on`: let the grayscale tasks go on that a recall suspended
        #[arg(long)]
        resume: bool,
    },
    /// Show or set whether a MiniApp is told the union ids of its users, by which its team knows them in several MiniApps
    UnionIds {
        /// The MiniApp
        app: MiniAppId,
        /// Whether it is
        state: Option<OnOff>,
    },
    /// Set the oldest version that may still run
    MinVersion {
        /// The MiniApp
        app: MiniAppId,
        /// The version
        #[arg(required_unless_present = "none", value_parser = bound)]
        version: Option<VersionNumber>,
        /// Take the bound away
        #[arg(long, conflicts_with = "version")]
        none: bool,
    },
}

/// The version of a bound. Who says that there be none is led to the option that says it.
fn bound(text: &str) -> Result<VersionNumber, String> {
    match text.parse() {
        Err(_) if text.eq_ignore_ascii_case("none") => Err("to take the bound away, give --none".into()),
        parsed => parsed.map_err(|error: Error| error.detail),
    }
}

/// `on` or `off` on the command line
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OnOff {
    /// Host apps get service
    On,
    /// Host apps get no service
    Off,
}

pub async fn run(command: App, session: &mut Session) -> Done {
    let client = session.client()?;
    match command {
        App::Create { name, id, team, description } => {
            let team = owner(&client, team).await?;
            let call = Call::create("/v1/mini-apps").json(&NewMiniApp { name, team, id, description });
            let answer = client.value(call).await.map_err(Failure::about_team)?;
            session.out.show(&answer, view)?;
            session.out.then(&answer, |app: MiniApp| Some(format!("berth init --id {}", app.id)));
            Ok(())
        }
        App::List { team, search, shelf } => {
            let team = owner(&client, team).await?;
            let shelf = shelf.map(|shelf| if shelf == OnOff::On { ShelfSide::On } else { ShelfSide::Off });
            let call = Call::get("/v1/mini-apps").query("team", team).query("search", search).query("shelf", shelf);
            let items = client.items(call).await?;
            let empty = "No MiniApps. Create one with `berth app create NAME`.";
            let teams = if session.out.json { BTreeMap::new() } else { team_names(&client).await };
            let head = ["ID", "NAME", "TEAM", "ONLINE", "NEXT", "CHANGED"];
            session.out.list(items, head, empty, |app: ListedMiniApp, paint| row(app, &teams, paint))
        }
        App::Show { app } => {
            let answer = client.value(Call::get(format!("/v1/mini-apps/{app}/overview"))).await?;
            session.out.show(&answer, |shown: Overview, paint| {
                let own = if shown.through_host_app { TEAMS_OWN } else { "" };
                format!("{}{}{own}", views::overview(&shown, &view, paint), force(&shown.force, paint))
            })
        }
        App::Bindings { app } => {
            let items = client.items(Call::get(format!("/v1/mini-apps/{app}/bindings"))).await?;
            let empty = "It is bound to no host app. Ask for one with `berth host-app bind`.";
            session.out.list(items, ["HOST APP", "STATE", "SINCE"], empty, |binding: Binding, paint| {
                [Cell::strong(binding.host_app), binding_state(binding.state), paint.when(binding.created_at)]
            })
        }
        App::Edit { app, name, description } => {
            let call = Call::patch(format!("/v1/mini-apps/{app}")).json(&EditMiniApp { name, description });
            session.out.show(&client.value(call).await?, view)
        }
        App::Shelf { app, state: on, note, resume } => {
            let shelf = Shelf { on: on == OnOff::On, note, resume };
            if !shelf.on {
                session.confirm(&format!("Take {app} off the shelf, so that it runs in no host app any more?"))?;
            }
            let answer = client.value(Call::post(format!("/v1/mini-apps/{app}/shelf")).json(&shelf)).await?;
            session.out.show(&answer, shelved)?;
            if !shelf.on {
                session.out.next(format!("berth app shelf {app} on"));
            }
            Ok(())
        }
        App::UnionIds { app, state } => {
            let path = format!("/v1/mini-apps/{app}/union-ids");
            let call = match state {
                Some(state) => Call::put(path).json(&SetUnion { on: state == OnOff::On }),
                None => Call::get(path),
            };
            session.out.show(&client.value(call).await?, union_view)
        }
        App::MinVersion { app, version, none } => {
            let version = version.filter(|_| !none);
            let path = format!("/v1/mini-apps/{app}/min-version");
            let answer = client.value(Call::put(path).json(&MinVersion { version })).await?;
            session.out.show(&answer, view)
        }
    }
}

/// What is missing in an overview for members of a host app.
const TEAMS_OWN: &str =
    "\n\nYou see it through a host app: what is in development, on trial and in grayscale is the team's own.";

/// Why checks answer `force: true`, below an overview; nothing when they do not.
fn force(reasons: &[Force], paint: &Paint) -> String {
    let lines = reasons.iter().map(|one| Cell::new(Ink::Warn, &one.says).render(paint));
    lines.map(|line| format!("\n\nforce: {line}")).collect()
}

fn union_view(one: Union, _: &Paint) -> String {
    let is = if one.on { "is" } else { "is not" };
    format!("{} {is} told the union ids of its users.", one.mini_app)
}

/// A MiniApp that was taken off the shelf or put back, with its gray tasks that are suspended or go on.
fn shelved(shelved: Shelved, paint: &Paint) -> String {
    let Shelved { mini_app, suspended, resumed } = shelved;
    let (on, id) = (mini_app.on_shelf, mini_app.id.clone());
    let mut text = view(mini_app, paint);
    if !(suspended.is_empty() && resumed.is_empty()) {
        let mut table = Table::new(["GRAY TASK", "NAME", "VERSION", "STATE", "SUSPENDED BY"]);
        for task in suspended.iter().chain(&resumed) {
            let by = match (task.state, task.by_recall) {
                (State::Suspended, true) => "the recall",
                (State::Suspended, false) => "hand",
                _ => "-",
            };
            let [name, version] = [Cell::of(&task.name), Cell::of(&task.version)];
            table.row([Cell::strong(&task.id), name, version, state(task.state.as_str()), by.into()]);
        }
        text = format!("{text}\n\n{}", table.render(paint));
    }
    if on && suspended.iter().any(|task| task.by_recall) {
        text = format!("{text}\n\nTo let those go on that the recall suspended: berth app shelf {id} on --resume");
    }
    text
}

fn shelf(app: &MiniApp) -> Cell {
    if app.on_shelf { "on".into() } else { Cell::new(Ink::Bad, "off") }
}

/// The team that an option names by its id or name.
async fn owner(client: &Client, team: Option<String>) -> Result<Option<TeamId>, Failure> {
    match team {
        Some(team) => team_id(client, &team).await.map(Some),
        None => Ok(None),
    }
}

fn row(listed: ListedMiniApp, teams: &BTreeMap<TeamId, String>, paint: &Paint) -> [Cell; 6] {
    let app = &listed.mini_app;
    let team = teams.get(&app.team).map_or_else(|| Cell::of(&app.team), Cell::of);
    let online = if app.on_shelf { Cell::any(listed.online.as_ref()) } else { Cell::new(Ink::Bad, "off shelf") };
    let changed = paint.when_any(listed.changed_at);
    [Cell::strong(&app.id), Cell::of(&app.name), team, online, next(&listed).into(), changed]
}

/// What is under way for a MiniApp: `1.2.0 in audit, 1.1.0 approved, 1 gray task, 1 gray task suspended`. An approved version
/// that is not above the online one comes online no more, and waits for nobody.
fn next(listed: &ListedMiniApp) -> String {
    let audit = listed.auditing.as_ref().map(|version| format!("{version} in audit"));
    let approved = listed.approved.as_ref().filter(|version| is_above(version, listed.online.as_ref()));
    let approved = approved.map(|version| format!("{version} approved"));
    let tasks = |number: Option<i64>| {
        number.filter(|tasks| *tasks > 0).map(|tasks| text::count(tasks, "gray task", "gray tasks"))
    };
    let gray = tasks(listed.delivering);
    let suspended = tasks(listed.suspended).map(|tasks| format!("{tasks} suspended"));
    let parts: Vec<_> = [audit, approved, gray, suspended].into_iter().flatten().collect();
    if parts.is_empty() { "-".into() } else { parts.join(", ") }
}

fn view(app: MiniApp, paint: &Paint) -> String {
    Card::default()
        .field("id", Cell::strong(&app.id))
        .field("name", app.name.as_str())
        .maybe("description", said(&app.description))
        .field("team", Cell::of(&app.team))
        .field("shelf", shelf(&app))
        .maybe("shelf note", said(&app.shelf_note))
        .maybe("min version", app.min_version.as_ref().map(Cell::of))
        .field("created", paint.when(app.created_at))
        .render(paint)
}
