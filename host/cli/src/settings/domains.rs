//! `berth domains`: with which domains a MiniApp may communicate.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::{
    call::Call,
    client::Client,
    etag::{only_if, tagged},
    failure::{Done, Failure},
    files,
    paint::Paint,
    session::Session,
    table::{Card, Cell, Table},
};
use berth_base::ids::MiniAppId;
use berth_model::settings::{Domain, DomainKind, DomainSettings, SetDomains};

/// The subcommands of `berth domains`.
#[derive(Subcommand, Debug)]
#[command(after_help = "Examples:
  berth domains add mp-shop --request https://api.example.com --socket wss://push.example.com
  berth domains remove mp-shop --request https://old.example.com
  berth domains set mp-shop --file domains.json
  berth domains show mp-shop")]
pub enum Domains {
    /// Show the domains of a MiniApp by kind
    Show {
        /// The MiniApp
        app: MiniAppId,
    },
    /// Add domains to those that are set
    Add {
        /// The MiniApp
        app: MiniAppId,
        #[command(flatten)]
        domains: Named,
    },
    /// Remove domains from those that are set
    Remove {
        /// The MiniApp
        app: MiniAppId,
        #[command(flatten)]
        domains: Named,
    },
    /// Set all domains anew; what is not named is removed
    Set {
        /// The MiniApp
        app: MiniAppId,
        /// A JSON file with a list for each kind, as `domains show --json` prints under `domains`
        #[arg(long, value_name = "FILE")]
        file: Option<PathBuf>,
        #[command(flatten)]
        domains: Named,
    },
}

/// Domains by kind.
#[derive(Args, Debug, Default)]
pub struct Named {
    /// For requests, such as https://api.example.com; may be repeated
    #[arg(long, value_name = "DOMAIN")]
    pub request: Vec<String>,
    /// For uploads of files; may be repeated
    #[arg(long, value_name = "DOMAIN")]
    pub upload: Vec<String>,
    /// For downloads of files; may be repeated
    #[arg(long, value_name = "DOMAIN")]
    pub download: Vec<String>,
    /// For WebSockets, such as wss://push.example.com; may be repeated
    #[arg(long, value_name = "DOMAIN")]
    pub socket: Vec<String>,
    /// For UDP, such as udp://game.example.com:9000; may be repeated
    #[arg(long, value_name = "DOMAIN")]
    pub udp: Vec<String>,
    /// For TCP, such as tcp://game.example.com; may be repeated
    #[arg(long, value_name = "DOMAIN")]
    pub tcp: Vec<String>,
    /// Business domains, whose pages a web-view may show; may be repeated
    #[arg(long, value_name = "DOMAIN")]
    pub business: Vec<String>,
}

impl From<Named> for SetDomains {
    fn from(named: Named) -> Self {
        let Named { request, upload, download, socket, udp, tcp, business } = named;
        Self { request, upload, download, socket, udp, tcp, business }
    }
}

pub async fn run(command: Domains, session: &mut Session) -> Done {
    let client = session.client()?;
    match command {
        Domains::Show { app } => session.out.show(&client.value(Call::get(at(&app))).await?, view),
        Domains::Add { app, domains } => change(&client, session, &app, domains, add).await,
        Domains::Remove { app, domains } => change(&client, session, &app, domains, remove).await,
        Domains::Set { app, file, domains } => {
            let set = match file {
                Some(file) => serde_json::from_value(files::read_json(&file)?).map_err(|error| {
                    Failure::usage(format!("{} is no list of domains by kind: {error}.", file.display()))
                })?,
                None => some(domains)?,
            };
            put(&client, session, &app, &set, None).await
        }
    }
}

fn at(app: &MiniAppId) -> String {
    format!("/v1/mini-apps/{app}/domains")
}

fn some(named: Named) -> Result<SetDomains, Failure> {
    let set = SetDomains::from(named);
    if set == SetDomains::default() {
        return Err(Failure::usage("Name at least one domain, such as --request https://api.example.com."));
    }
    Ok(set)
}

/// Changes the domains of one kind by those that were named.
type Change = fn(&mut Vec<String>, DomainKind, &[String]) -> Result<(), Failure>;

/// Changes what is set, unless somebody else changes it meanwhile.
async fn change(client: &Client, session: &mut Session, app: &MiniAppId, named: Named, change: Change) -> Done {
    let named = some(named)?;
    let (present, tag): (DomainSettings, _) = tagged(client, &at(app)).await?;
    let mut set = SetDomains::from(present.domains);
    for kind in DomainKind::ALL {
        change(set.of_mut(*kind), *kind, named.of(*kind))?;
    }
    put(client, session, app, &set, tag).await
}

async fn put(client: &Client, session: &mut Session, app: &MiniAppId, set: &SetDomains, tag: Option<String>) -> Done {
    let call = only_if(Call::put(at(app)).json(set), tag);
    session.out.show(&client.value(call).await?, view)
}

/// The domain in the one spelling that the host keeps; what is none stays as it is, for the host to refuse.
fn spelt(kind: DomainKind, text: &str) -> String {
    Domain::read(kind, text).map_or_else(|_| text.to_owned(), |domain| domain.to_string())
}

fn add(all: &mut Vec<String>, kind: DomainKind, more: &[String]) -> Result<(), Failure> {
    for domain in more.iter().map(|text| spelt(kind, text)) {
        if !all.contains(&domain) {
            all.push(domain);
        }
    }
    Ok(())
}

fn remove(all: &mut Vec<String>, kind: DomainKind, less: &[String]) -> Result<(), Failure> {
    for domain in less.iter().map(|text| spelt(kind, text)) {
        let known = all.iter().position(|one| *one == domain);
        let known =
            known.ok_or_else(|| Failure::usage(format!("{domain} is none of the {kind} domains that are set.")))?;
        all.remove(known);
    }
    Ok(())
}

fn view(settings: DomainSettings, paint: &Paint) -> String {
    let DomainSettings { mini_app, domains, changed_at, changed_by } = settings;
    if domains.count() == 0 {
        return format!("{mini_app} has no domains: it may communicate with nobody.");
    }
    let mut table = Table::new(["KIND", "DOMAIN"]);
    for kind in DomainKind::ALL {
        for domain in domains.of(*kind) {
            table.row([Cell::of(kind), Cell::strong(domain)]);
        }
    }
    let changed = changed_at.map(|at| paint.when(at));
    let about = Card::default().maybe("changed", changed).maybe("by", changed_by.map(|id| paint.who(id)));
    format!("{}\n\n{}", table.render(paint), about.render(paint))
}
