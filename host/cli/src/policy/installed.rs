//! `berth policy push`, `list`, `inspect` and `remove`: the policies that are installed on a host.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use clap::Args;
use serde_json::json;

use super::moved::Elsewhere;
use crate::policy::{local, moved};
use berth_model::policy::{
    PolicyKind,
    registry::{InstalledPolicy, PolicyPull, PolicyUpload, Signer},
};
use berth_oci::Reference;

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

/// How long a host may need for a policy in a registry: it gives up fetching after five minutes, and compiles afterwards.
const FETCHING: Duration = Duration::from_secs(480);

/// The arguments of `berth policy push`.
#[derive(Args, Debug)]
pub struct Push {
    /// The wasm component, or a core module with a WIT section; or oci://REGISTRY/NAME:TAG, with @sha256:… to pin it
    pub file: PathBuf,
    /// The file with a signature of the wasm, as `cosign sign-blob` or `openssl` writes it, or a Sigstore bundle
    #[arg(long, value_name = "FILE")]
    pub signature: Option<PathBuf>,
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
    let mut answer = client.value(source(&args, session)?).await?;
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

/// The call that brings a policy to a host: its bytes, or the reference by which the host fetches it.
fn source(args: &Push, session: &Session) -> Result<Call, Failure> {
    let text = args.file.display().to_string();
    if !text.starts_with("oci://") {
        let signature = args.signature.as_deref().map(upload).transpose()?.and_then(|upload| upload.signature);
        let bar = progress(session, &text);
        return Ok(Call::ask("/v1/policies").query("signature", signature).file(&args.file, "application/wasm", bar));
    }
    if args.signature.is_some() {
        return Err(Failure::usage("The signatures of a policy in a registry are found there. Leave out --signature."));
    }
    let reference: Reference = text.parse()?;
    let asked = PolicyPull { reference: reference.to_string() };
    Ok(Call::ask("/v1/policy-pulls").json(&asked).within(FETCHING))
}

/// What goes with a policy whose signature is in this file.
fn upload(signature: &Path) -> Result<PolicyUpload, Failure> {
    let file = std::fs::read(signature).map_err(|error| Failure::file("read", signature, &error))?;
    Ok(PolicyUpload::signed_by(&file))
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

/// Who has signed it, each once.
fn signers(signed_by: &[Signer]) -> Option<String> {
    let of = |signer: &Signer| {
        let who = signer.identity.as_ref().map_or(&signer.fingerprint.as_str()[..12], |identity| &identity.subject);
        format!("{} ({}, {who})", signer.name, signer.scope.in_words())
    };
    let mut words: Vec<_> = signed_by.iter().map(of).collect();
    words.dedup();
    (!words.is_empty()).then(|| words.join(", "))
}

fn view(policy: InstalledPolicy, paint: &Paint) -> String {
    let card = Card::default()
        .field("name", Cell::strong(&policy.name))
        .field("version", policy.version)
        .field("kind", policy.kind.as_str())
        .field("summary", policy.summary);
    let card = local::said(card, &policy.metadata)
        .field("digest", Cell::of(&policy.digest))
        .field("size", bytes(policy.size))
        .maybe("from", policy.origin.as_ref().map(|origin| origin.reference.clone()))
        .maybe("manifest", policy.origin.as_ref().map(|origin| format!("sha256:{}", origin.manifest)))
        .maybe("signed by", signers(&policy.signed_by))
        .field("installed", paint.when(policy.installed_at))
        .render(paint);
    let Some(schema) = policy.config_schema else { return format!("{card}\n\nIt takes no config.") };
    let schema = serde_json::to_string_pretty(&schema).unwrap_or_default();
    format!("{card}\n\nIts config satisfies:\n{}", clean_lines(&schema))
}
