//! From where the address book of a workspace is pulled.

use std::time::Duration;

use clap::{Args, Subcommand};
use serde_json::json;

use super::path;
use crate::{
    answer::read,
    call::Call,
    failure::{Done, Failure},
    paint::{Ink, Paint},
    parse::{one_of, seconds},
    session::Session,
    table::{Card, Cell},
};
use berth_base::{ids::WorkspaceId, secret::Secret, text::count};
use berth_model::workspace::directory::{
    AskSync, Directory as View, DirectoryKind, DirectoryReads, SyncCounts, SyncState,
};

/// How often it is looked whether a sync has ended.
const LOOK: Duration = Duration::from_millis(500);

/// The subcommands of `berth workspace directory`.
#[derive(Subcommand, Debug)]
#[command(after_help = "Examples:
  BERTH_DIRECTORY_SECRET=… berth workspace directory set acme --corp-id ww0123456789abcdef
  berth workspace directory show acme
  berth workspace directory sync acme --wait
host/docs/workspaces.md says where WeCom shows what is asked for.")]
pub enum Directory {
    /// Set from where the address book is pulled; the first sync begins at once
    Set(Box<Set>),
    /// Show from where the address book is pulled, and how the last sync went
    Show {
        /// The workspace
        workspace: WorkspaceId,
    },
    /// Sync now
    Sync {
        /// The workspace
        workspace: WorkspaceId,
        /// Take away as much as the directory says, even where that looks like a mistake
        #[arg(long)]
        force: bool,
        /// Wait until it has ended, and fail if it has not succeeded
        #[arg(long)]
        wait: bool,
        /// How long to wait
        #[arg(long, default_value = "30m", value_name = "DURATION", value_parser = seconds, requires = "wait")]
        timeout: i64,
    },
    /// Pull the address book no more; what came stays, and SCIM may go on with it
    Remove {
        /// The workspace
        workspace: WorkspaceId,
    },
}

/// What is set.
#[derive(Args, Debug)]
pub struct Set {
    /// The workspace
    workspace: WorkspaceId,
    /// What keeps the address book
    #[arg(long, default_value = "wecom", value_parser = one_of!(DirectoryKind))]
    kind: DirectoryKind,
    /// The id of the organisation there (企业ID)
    #[arg(long, value_name = "WW…")]
    corp_id: String,
    /// The secret; the former one stays without. Better in the variable, as arguments show in lists of processes
    #[arg(long, env = "BERTH_DIRECTORY_SECRET", value_name = "SECRET", hide_env_values = true)]
    secret: Option<Secret>,
    /// What the secret may read: members with their names, or ids only (the secret of the contact sync)
    #[arg(long, value_parser = one_of!(DirectoryReads))]
    reads: Option<DirectoryReads>,
    /// The address of the API, where it is not WeCom's own, such as a proxy
    #[arg(long, value_name = "URL")]
    base_url: Option<String>,
    /// The hours between two syncs, 1 to 168; 6 when not given
    #[arg(long, value_name = "HOURS")]
    every: Option<i64>,
    /// The token of callbacks (接收事件服务器), which say that something has changed
    #[arg(
        long,
        env = "BERTH_DIRECTORY_CALLBACK_TOKEN",
        value_name = "TOKEN",
        hide_env_values = true,
        requires = "callback_key"
    )]
    callback_token: Option<Secret>,
    /// The EncodingAESKey of callbacks
    #[arg(
        long,
        env = "BERTH_DIRECTORY_CALLBACK_KEY",
        value_name = "KEY",
        hide_env_values = true,
        requires = "callback_token"
    )]
    callback_key: Option<Secret>,
}

pub async fn run(command: Directory, session: &mut Session) -> Done {
    let client = session.client()?;
    match command {
        Directory::Set(set) => {
            let callback = set.callback_token.as_ref().zip(set.callback_key.as_ref());
            let callback = callback.map(|(token, key)| json!({"token": token.expose(), "aes_key": key.expose()}));
            let body = json!({
                "kind": set.kind, "corp_id": set.corp_id, "secret": set.secret.as_ref().map(Secret::expose),
                "reads": set.reads, "base_url": set.base_url, "every_hours": set.every, "callback": callback,
            });
            let answer = client.value(Call::put(path(&set.workspace, "/directory")).json(&body)).await?;
            session.out.show(&answer, view)?;
            session.out.then(&answer, |one: View| {
                Some(format!("berth workspace directory sync {} --wait", one.settings.workspace))
            });
            Ok(())
        }
        Directory::Show { workspace } => {
            session.out.show(&client.value(Call::get(path(&workspace, "/directory"))).await?, view)
        }
        Directory::Sync { workspace, force, wait, timeout } => {
            let call = Call::ask(path(&workspace, "/directory/sync")).json(&AskSync { force });
            let mut answer = client.value(call).await?;
            let until = session.clock.now().plus_seconds(timeout);
            while wait && is_under_way(read::<View>(&answer)?.sync.state) && session.clock.now() < until {
                tokio::time::sleep(LOOK).await;
                answer = client.value(Call::get(path(&workspace, "/directory"))).await?;
            }
            session.out.show(&answer, view)?;
            if wait { verdict(read(&answer)?) } else { Ok(()) }
        }
        Directory::Remove { workspace } => {
            session.confirm(&format!("Pull the address book of {workspace} no more? Its members stay as they are."))?;
            client.value(Call::delete(path(&workspace, "/directory"))).await?;
            session.out.done(
                &json!({"workspace": workspace, "removed": true}),
                format!("The address book of {workspace} is not pulled any more. SCIM may go on with it."),
            )
        }
    }
}

/// The outcome of a sync that was waited for.
fn verdict(one: View) -> Done {
    let again = format!("berth workspace directory show {}", one.settings.workspace);
    let (kind, text) = match one.sync.state {
        SyncState::Done => return Ok(()),
        SyncState::Refused | SyncState::Failed => (one.sync.problem, one.sync.detail.unwrap_or_default()),
        SyncState::Waiting | SyncState::Running => (Some("still-waiting".into()), "The sync goes on.".into()),
    };
    Err(Failure::refused(&kind.unwrap_or_else(|| "sync-failed".into()), text).followed_by(again))
}

fn is_under_way(state: SyncState) -> bool {
    matches!(state, SyncState::Waiting | SyncState::Running)
}

fn view(one: View, paint: &Paint) -> String {
    let View { settings, callback_url, sync } = one;
    let ink = match sync.state {
        SyncState::Done => Ink::Good,
        SyncState::Refused | SyncState::Failed => Ink::Bad,
        SyncState::Waiting | SyncState::Running => Ink::Faint,
    };
    let every = count(settings.every_hours, "hour", "hours");
    let callbacks = callback_url.filter(|_| settings.callback).unwrap_or_else(|| "not set".into());
    let card = Card::default()
        .field("from", Cell::strong(format!("{} {}", settings.kind, settings.corp_id)))
        .field("at", settings.base_url.as_str())
        .field("reads", Cell::of(settings.reads))
        .field("every", every)
        .field("callbacks", callbacks)
        .field("sync", Cell::new(ink, sync.state.as_str()))
        .maybe("in step", sync.synced_at.map(|at| paint.when(at)))
        .maybe("tried", sync.tried_at.map(|at| paint.when(at)))
        .field("next", paint.when(sync.next_at))
        .maybe("has", sync.counts.map(|counts| has(&counts)))
        .maybe("changed", sync.counts.map(|counts| changed(&counts)))
        .maybe("problem", sync.problem)
        .maybe("why", sync.detail);
    card.render(paint)
}

fn has(counts: &SyncCounts) -> String {
    let SyncCounts { members, departments, tags, .. } = *counts;
    let (members, tags) = (count(members, "member", "members"), count(tags, "tag", "tags"));
    format!("{members}, {}, {tags}", count(departments, "department", "departments"))
}

fn changed(counts: &SyncCounts) -> String {
    if !counts.has_changed() {
        return "nothing".into();
    }
    let members = format!(
        "members: {} came, {} changed, {} lost access",
        counts.members_created, counts.members_changed, counts.members_deactivated
    );
    let groups = format!(
        "departments and tags: {} came, {} changed, {} went",
        counts.groups_created, counts.groups_changed, counts.groups_deleted
    );
    format!("{members}; {groups}")
}
