//! `berth version`: the versions of a MiniApp, from submission to release.

use std::path::{Path, PathBuf};

use clap::{ArgGroup, Args, Subcommand};
use serde_json::json;

use super::{
    answer::read,
    call::{Call, escape},
    client::Client,
    failure::{Done, Failure},
    paint::{Paint, bytes as size, state},
    session::Session,
    table::Cell,
};
use crate::{compare, findings, push, release, trial, views};
use berth_base::{
    ids::{HostAppId, MiniAppId},
    page::Page,
    version::VersionNumber,
};
use berth_model::{
    audit::{self, Audit, Findings},
    version::{Publish, Rollback, Version as View, VersionDetail, VersionFile, is_text},
};
use berth_package::PackageName;

/// The subcommands of `berth version`.
#[derive(Subcommand, Debug)]
#[command(after_help = "Examples:
  berth version submit mp-shop 1.2.0 --wait
  berth version decide mp-shop 1.2.0 --host-app ha-super --approve
  berth version publish mp-shop 1.2.0
  berth version compare mp-shop 1.1.0 1.2.0
  berth version file mp-shop 1.2.0 pages/index/index.js
  berth version rollback mp-shop --to 1.1.0 --note \"crash at start\"")]
pub enum Version {
    /// List the versions of a MiniApp
    List {
        /// The MiniApp
        app: MiniAppId,
    },
    /// Show a version and its audit
    Show(Which),
    /// Submit a version for audit: its bytes are frozen
    Submit {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        wait: push::Wait,
    },
    /// Withdraw a version from its audit
    Withdraw(Which),
    /// Print what the policies found, as path:line:column
    Findings {
        #[command(flatten)]
        which: Which,
        /// As SARIF 2.1.0, for code hosts and editors
        #[arg(long)]
        sarif: bool,
    },
    /// List the files in the package of a version, with their sizes
    Files(Which),
    /// Print a file of the package of a version, as it is
    File {
        #[command(flatten)]
        which: Which,
        /// The path of the file in the package
        path: String,
        /// The file to write to; needed for what is no text, when this is a terminal
        #[arg(short, long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Compare two versions: files, pages, the manifest, and what the auditors say of one of them alone
    Compare {
        /// The MiniApp
        app: MiniAppId,
        /// The version to begin with
        from: VersionNumber,
        /// The version that is compared with it
        to: VersionNumber,
    },
    /// List every audit of a version
    Audits(Which),
    /// Approve or reject a version on behalf of a host app
    Decide(Decide),
    /// Put a version online in all bound host apps: an approved one, or again one that was rolled back
    Publish {
        #[command(flatten)]
        which: Which,
        /// Mark it as forced: older packages must not run any more
        #[arg(long)]
        forced: bool,
        /// Publish it although a guard has stopped a gray task of it
        #[arg(long)]
        despite_guard: bool,
        /// Why, for the history
        #[arg(long, default_value = "")]
        note: String,
    },
    /// Bring back a version that was online before
    Rollback {
        /// The MiniApp
        app: MiniAppId,
        /// The version to bring back
        #[arg(long, value_name = "VERSION")]
        to: VersionNumber,
        /// Lower the minimum usable version to it, if that is above it
        #[arg(long)]
        lower_min: bool,
        /// Why, for the history
        #[arg(long, default_value = "")]
        note: String,
    },
    /// List what went online, newest first
    Releases {
        /// The MiniApp
        app: MiniAppId,
    },
    /// Show, set or clear the trial version
    Trial(trial::TrialArgs),
    /// Delete a development version; its number never comes back with other bytes
    Delete(Which),
}

/// A version of a MiniApp.
#[derive(Args, Clone, Debug)]
pub struct Which {
    /// The MiniApp
    pub app: MiniAppId,
    /// The version
    pub version: VersionNumber,
}

impl Which {
    /// The path of the version on the host.
    pub fn path(&self) -> String {
        format!("/v1/mini-apps/{}/versions/{}", self.app, self.version)
    }
}

/// The arguments of `berth version decide`.
#[derive(Args, Debug)]
#[command(group = ArgGroup::new("decision").required(true))]
pub struct Decide {
    #[command(flatten)]
    pub which: Which,
    /// The host app that decides
    #[arg(long, value_name = "ID")]
    pub host_app: HostAppId,
    /// Approve it
    #[arg(long, group = "decision")]
    pub approve: bool,
    /// Reject it; needs a note
    #[arg(long, group = "decision", requires = "note")]
    pub reject: bool,
    /// The reason
    #[arg(long, default_value = "")]
    pub note: String,
}

pub async fn run(command: Version, session: &mut Session) -> Done {
    let client = session.client()?;
    match command {
        Version::List { app } => list(&client, session, &app).await,
        Version::Show(which) => session.out.show(&client.value(Call::get(which.path())).await?, views::version_detail),
        Version::Submit { which, wait } => {
            let name = PackageName { mini_app_id: which.app, version: which.version };
            push::submit(&client, session, &name, &wait).await
        }
        Version::Withdraw(which) => {
            let answer = client.value(Call::post(format!("{}/withdraw", which.path()))).await?;
            session.out.show(&answer, |version: View, paint| views::version(&version, paint))
        }
        Version::Findings { which, sarif } => print_findings(&client, session, &which, sarif).await,
        Version::Files(which) => files(&client, session, &which).await,
        Version::File { which, path, out } => file(&client, session, &which, &path, out.as_deref()).await,
        Version::Compare { app, from, to } => {
            let call =
                Call::get(format!("/v1/mini-apps/{app}/compare")).query("from", Some(from)).query("to", Some(to));
            session.out.show(&client.value(call).await?, compare::view)
        }
        Version::Audits(which) => {
            let items = client.items(Call::get(format!("{}/audits", which.path()))).await?;
            let document = json!({ "items": items });
            session.out.show(&document, audits)
        }
        Version::Decide(args) => decide(&client, session, args).await,
        Version::Publish { which, forced, despite_guard, note } => {
            session.confirm(&format!("Put {} of {} online for everybody?", which.version, which.app))?;
            release::publish(&client, session, &which, &Publish { forced, despite_guard, note }).await
        }
        Version::Rollback { app, to, lower_min, note } => {
            session.confirm(&format!("Bring {app} back to {to} for everybody?"))?;
            release::rollback(&client, session, &app, &Rollback { to, lower_min, note }).await
        }
        Version::Releases { app } => release::list(&client, session, &app).await,
        Version::Trial(args) => trial::trial(&client, session, args).await,
        Version::Delete(which) => {
            session.confirm(&format!("Delete {} {}? Its number never comes back.", which.app, which.version))?;
            client.value(Call::delete(which.path())).await?;
            let document = json!({"mini_app": which.app, "version": which.version, "deleted": true});
            session.out.done(&document, format!("{} {} is deleted.", which.app, which.version))
        }
    }
}

async fn list(client: &Client, session: &mut Session, app: &MiniAppId) -> Done {
    let items = client.items(Call::get(format!("/v1/mini-apps/{app}/versions"))).await?;
    let head = ["VERSION", "STATE", "SIZE", "FILES", "UPLOADED", "ONLINE SINCE"];
    session.out.list(items, head, "No versions. Upload one with `berth push`.", |version: View, paint| {
        [
            Cell::strong(&version.version),
            state(version.state.as_str()),
            size(version.size).into(),
            Cell::of(version.files),
            paint.when(version.created_at),
            paint.when_any(version.online_at),
        ]
    })
}

async fn files(client: &Client, session: &mut Session, which: &Which) -> Done {
    let items = client.items(Call::get(format!("{}/files", which.path()))).await?;
    session.out.list(items, ["PATH", "SIZE"], "The package has no files.", |file: VersionFile, _| {
        [Cell::strong(&file.path), size(file.size).into()]
    })
}

/// Prints a file, or writes it where it is told to. What is no text is not printed on a terminal, which might obey it.
async fn file(client: &Client, session: &mut Session, which: &Which, path: &str, out: Option<&Path>) -> Done {
    let segments: Vec<_> = path.split('/').map(escape).collect();
    let bytes = client.bytes(Call::get(format!("{}/files/{}", which.path(), segments.join("/")))).await?;
    if let Some(out) = out {
        std::fs::write(out, &bytes).map_err(|error| Failure::file("write", out, &error))?;
        let document = json!({"file": out, "path": path, "size": bytes.len()});
        return session.out.done(&document, format!("{}  {}", out.display(), size(bytes.len() as u64)));
    }
    if session.out.is_on_terminal() && !is_text(&bytes) {
        let text = format!("{path} is no text, and a terminal might obey it. Write it to a file with --out.");
        return Err(Failure::usage(text));
    }
    session.out.raw(&bytes)
}

fn audits(page: Page<Audit>, paint: &Paint) -> String {
    if page.items.is_empty() {
        return "It was never submitted.".into();
    }
    page.items.iter().map(|audit| views::audit(audit, paint)).collect::<Vec<_>>().join("\n\n\n")
}

async fn print_findings(client: &Client, session: &mut Session, which: &Which, sarif: bool) -> Done {
    let call = Call::get(format!("{}/findings", which.path()));
    if sarif {
        return session.out.verbatim(&client.text(call.header("accept", "application/sarif+json")).await?);
    }
    let answer = client.value(call).await?;
    session.out.show(&answer, |found: Findings, paint| findings::render(&found, paint))
}

async fn decide(client: &Client, session: &mut Session, args: Decide) -> Done {
    let version: VersionDetail = read(&client.value(Call::get(args.which.path())).await?)?;
    let Which { app, version: number } = &args.which;
    let audit = version.audit.ok_or_else(|| {
        Failure::refused("no-audit", format!("{app} {number} was never submitted, so there is nothing to decide."))
    })?;
    let decision = audit::Decide { host_app: args.host_app, approve: args.approve, note: args.note };
    let answer = client.value(Call::post(format!("/v1/audits/{}/decisions", audit.id)).json(&decision)).await;
    let answer = answer.map_err(|failure| failure.with_audit_of(app, number))?;
    session.out.show(&answer, |audit: Audit, paint| views::audit(&audit, paint))?;
    session.out.then(&answer, views::after_audit);
    Ok(())
}
