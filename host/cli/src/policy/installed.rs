//! `berth policy push`, `list`, `inspect` and `remove`: the policies that are installed on a host.

use std::path::PathBuf;

use clap::Args;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Kind, moved::Elsewhere, word};
use crate::policy::moved;
use berth_base::clock::Millis;

use crate::{
    call::{Call, escape},
    client::Client,
    failure::{Done, Failure},
    output::read,
    paint::{Paint, bytes, clean, clean_lines},
    push::progress,
    session::Session,
    table::{Card, Cell},
};

/// The arguments of `berth policy push`.
#[derive(Args, Debug)]
pub struct Push {
    /// The wasm component, or a core module with a WIT section
    pub file: PathBuf,
    /// Also move all bindings of other versions to it; a binding whose config its new schema refuses stays as it is
    #[arg(long)]
    pub rebind: bool,
}

/// A policy that is installed on the host.
#[derive(Deserialize)]
pub struct Installed {
    pub digest: String,
    kind: String,
    pub name: String,
    pub version: String,
    #[serde(default)]
    summary: String,
    #[serde(default)]
    config_schema: Option<Value>,
    #[serde(default)]
    size: u64,
    #[serde(default)]
    installed_at: Option<Millis>,
}

/// Asks for a policy by its name, `NAME@VERSION` or digest.
pub fn call(which: &str) -> Call {
    Call::get(format!("/v1/policies/{}", escape(which)))
}

/// Runs `berth policy push`.
pub async fn push(args: Push, session: &mut Session) -> Done {
    let client = session.client()?;
    let bar = progress(session, &args.file.display().to_string());
    let mut answer = client.value(Call::ask("/v1/policies").file(&args.file, "application/wasm", bar)).await?;
    let policy: Installed = read(&answer)?;
    if args.rebind {
        let moved = moved::move_all(&client, &policy).await?;
        answer["rebound"] = moved.document(&policy)["bindings"].take();
        let words = moved.words(&policy);
        session.out.show(&answer, |policy, paint| format!("{}\n\n{words}", view(policy, paint)))?;
        return moved.settle(&policy);
    }
    let older = Elsewhere::than(&client, &policy).await?;
    answer["bound_to_other_versions"] = older.document();
    let words = older.words(&policy).map(|words| format!("\n\n{words}")).unwrap_or_default();
    session.out.show(&answer, |policy, paint| format!("{}{words}", view(policy, paint)))
}

/// Runs `berth policy list`.
pub async fn list(kind: Option<Kind>, session: &mut Session) -> Done {
    let items = session.client()?.items(Call::get("/v1/policies").query("kind", kind.map(word))).await?;
    let head = ["NAME", "VERSION", "KIND", "SIZE", "DIGEST", "INSTALLED"];
    session.out.list(items, head, "No policies. Install one with `berth policy push`.", row)
}

/// Runs `berth policy inspect` for a policy on the host.
pub async fn inspect(which: &str, session: &mut Session) -> Done {
    session.out.show(&session.client()?.value(call(which)).await?, view)
}

/// Runs `berth policy remove`.
pub async fn remove(which: &str, session: &mut Session) -> Done {
    let client = session.client()?;
    let found: Installed = read(&client.value(call(which)).await?)?;
    if which == found.name {
        only_one(&client, which).await?;
    }
    client.value(Call::delete(format!("/v1/policies/{}", escape(&found.digest)))).await?;
    let sentence = format!("{} {} ({}) is removed.", found.name, found.version, found.digest);
    session.out.done(&json!({"digest": found.digest, "removed": true}), clean(&sentence))
}

/// Refuses a name alone when the host has several versions of the policy.
async fn only_one(client: &Client, name: &str) -> Done {
    let all = client.items(Call::get("/v1/policies")).await?;
    let all: Vec<Installed> = all.iter().map(read).collect::<Result<_, _>>()?;
    let versions: Vec<_> =
        all.iter().filter(|one| one.name == name).map(|one| format!("{name}@{}", one.version)).collect();
    if versions.len() < 2 {
        return Ok(());
    }
    Err(Failure::usage(clean(&format!(
        "{name} has several versions. Name the one to remove: {}.",
        versions.join(", ")
    ))))
}

fn row(policy: Installed, paint: &Paint) -> [Cell; 6] {
    [
        Cell::strong(policy.name),
        Cell::of(policy.version),
        Cell::of(policy.kind),
        bytes(policy.size).into(),
        Cell::of(policy.digest),
        paint.when_any(policy.installed_at),
    ]
}

fn view(policy: Installed, paint: &Paint) -> String {
    let card = Card::default()
        .field("name", Cell::strong(&policy.name))
        .field("version", policy.version)
        .field("kind", policy.kind)
        .field("summary", policy.summary)
        .field("digest", policy.digest)
        .field("size", bytes(policy.size))
        .maybe("installed", policy.installed_at.map(|at| paint.when(at)))
        .render(paint);
    let schema = match policy.config_schema {
        None | Some(Value::Null) => return format!("{card}\n\nIt takes no config."),
        Some(Value::String(text)) => text,
        Some(schema) => serde_json::to_string_pretty(&schema).unwrap_or_default(),
    };
    format!("{card}\n\nIts config satisfies:\n{}", clean_lines(&schema))
}
