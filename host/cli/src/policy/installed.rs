//! `berth policy push`, `list`, `inspect` and `remove`: the policies that are installed on a host.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::moved::Elsewhere;
use crate::policy::moved;
use berth_model::policy::{PolicyKind, registry::InstalledPolicy};

use crate::{
    answer::read,
    call::{Call, escape},
    client::Client,
    failure::{Done, Failure},
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

/// Asks for a policy by its name, `NAME@VERSION` or digest.
pub fn call(which: &str) -> Call {
    Call::get(format!("/v1/policies/{}", escape(which)))
}

/// Runs `berth policy push`.
pub async fn push(args: Push, session: &mut Session) -> Done {
    let client = session.client()?;
    let bar = progress(session, &args.file.display().to_string());
    let mut answer = client.value(Call::ask("/v1/policies").file(&args.file, "application/wasm", bar)).await?;
    let policy: InstalledPolicy = read(&answer)?;
    if args.rebind {
        let moved = moved::move_all(&client, &policy).await?;
        answer["rebound"] = moved.document(&policy)["bindings"].take();
        let words = moved.words(&policy);
        session.out.show(&answer, |policy: InstalledPolicy, paint| format!("{}\n\n{words}", view(policy, paint)))?;
        return moved.settle(&policy);
    }
    let older = Elsewhere::than(&client, &policy).await?;
    answer["bound_to_other_versions"] = older.document();
    let words = older.words(&policy).map(|words| format!("\n\n{words}")).unwrap_or_default();
    session.out.show(&answer, |policy: InstalledPolicy, paint| format!("{}{words}", view(policy, paint)))
}

/// Runs `berth policy list`.
pub async fn list(kind: Option<PolicyKind>, session: &mut Session) -> Done {
    let items = session.client()?.items(Call::get("/v1/policies").query("kind", kind)).await?;
    let head = ["NAME", "VERSION", "KIND", "SIZE", "INSTALLED"];
    session.out.list(items, head, "No policies. Install one with `berth policy push`.", row)
}

/// Runs `berth policy inspect` for a policy on the host.
pub async fn inspect(which: &str, session: &mut Session) -> Done {
    session.out.show(&session.client()?.value(call(which)).await?, view)
}

/// Runs `berth policy remove`.
pub async fn remove(which: &str, session: &mut Session) -> Done {
    let client = session.client()?;
    let found: InstalledPolicy = read(&client.value(call(which)).await?)?;
    if which == found.name {
        only_one(&client, which).await?;
    }
    session.confirm(&format!("Remove {} {}?", found.name, found.version))?;
    client.value(Call::delete(format!("/v1/policies/{}", found.digest))).await?;
    let sentence = format!("{} {} ({}) is removed.", found.name, found.version, found.digest);
    session.out.done(&json!({"digest": found.digest, "removed": true}), clean(&sentence))
}

/// Refuses a name alone when the host has several versions of the policy.
async fn only_one(client: &Client, name: &str) -> Done {
    let all = client.items(Call::get("/v1/policies")).await?;
    let all: Vec<InstalledPolicy> = all.iter().map(read).collect::<Result<_, _>>()?;
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

fn row(policy: InstalledPolicy, paint: &Paint) -> [Cell; 5] {
    [
        Cell::strong(policy.name),
        Cell::of(policy.version),
        Cell::of(policy.kind),
        bytes(policy.size).into(),
        paint.when(policy.installed_at),
    ]
}

fn view(policy: InstalledPolicy, paint: &Paint) -> String {
    let card = Card::default()
        .field("name", Cell::strong(&policy.name))
        .field("version", policy.version)
        .field("kind", policy.kind.as_str())
        .field("summary", policy.summary)
        .field("digest", Cell::of(&policy.digest))
        .field("size", bytes(policy.size))
        .field("installed", paint.when(policy.installed_at))
        .render(paint);
    let Some(schema) = policy.config_schema else { return format!("{card}\n\nIt takes no config.") };
    let schema = serde_json::to_string_pretty(&schema).unwrap_or_default();
    format!("{card}\n\nIts config satisfies:\n{}", clean_lines(&schema))
}
