//! A policy in a local file, in the same sandbox as on a host.

use std::{fs, path::Path, sync::Arc};

use serde_json::{Value, json};

use berth_base::{ids::Digest, text::count};
use berth_judge::{Policy, imports, metadata, say_if_slow};
use berth_model::policy::{Limits, PolicyMetadata};

use crate::{
    failure::{Done, Failure},
    paint::{Paint, bytes, clean_lines},
    sandbox,
    session::Session,
    table::{Card, Cell},
};

/// A policy that runs in this process.
pub struct Local {
    pub policy: Arc<Policy>,
    /// The bytes that a host would get.
    pub wasm: Vec<u8>,
    /// The names of what its component imports.
    pub imports: Vec<String>,
    /// What its makers say of it.
    pub metadata: PolicyMetadata,
    /// The folder of the compiled code, if it is one that is deleted when this is dropped.
    _cache: Option<tempfile::TempDir>,
}

impl Local {
    /// Reads, checks and compiles a file as a host would.
    pub async fn open(path: &Path, session: &mut Session) -> Result<Self, Failure> {
        if path.is_dir() {
            let built = path.join(path.file_name().unwrap_or_default()).with_added_extension("wasm");
            let (path, built) = (path.display(), built.display());
            return Err(Failure::usage(format!(
                "{path} is a folder. Name the policy that `berth policy build {path}` makes: {built}."
            )));
        }
        let wasm = fs::read(path).map_err(|error| Failure::file("read", path, &error))?;
        Self::of(wasm, session).await
    }

    /// As [`Local::open`], from bytes.
    pub async fn of(wasm: Vec<u8>, session: &mut Session) -> Result<Self, Failure> {
        let imports = imports(&wasm)?;
        let note = format!("Compiling {}, which takes a while.", bytes(wasm.len() as u64));
        let (engine, cache) = sandbox::engine(session.cache.as_deref())?;
        let policy = say_if_slow(engine.inspect(wasm.clone()), || session.out.note(note)).await?;
        let metadata = metadata(&wasm);
        Ok(Self { policy, wasm, imports, metadata, _cache: cache })
    }

    fn document(&self, path: &Path) -> Value {
        let about = self.policy.description();
        json!({
            "file": path,
            "name": about.name,
            "version": about.version,
            "kind": self.policy.kind(),
            "summary": about.summary,
            "config_schema": about.config_schema,
            "metadata": self.metadata,
            "digest": Digest::of(&self.wasm),
            "size": self.wasm.len(),
            "imports": self.imports,
            "limits": Limits::default_of(self.policy.kind()),
            "largest_limits": Limits::largest_of(self.policy.kind()),
        })
    }

    fn card(&self, path: &Path, paint: &Paint) -> String {
        let (about, kind) = (self.policy.description(), self.policy.kind());
        let imports = if self.imports.is_empty() { "nothing".into() } else { self.imports.join(", ") };
        let card = Card::default()
            .field("name", Cell::strong(&about.name))
            .field("version", about.version.to_string())
            .field("kind", kind.as_str())
            .field("summary", about.summary.clone());
        let card = said(card, &self.metadata)
            .field("file", path.display().to_string())
            .field("size", bytes(self.wasm.len() as u64))
            .field("digest", Digest::of(&self.wasm).to_string())
            .field("imports", imports)
            .field("limits", limits(&Limits::default_of(kind)))
            .field("at most", limits(&Limits::largest_of(kind)))
            .render(paint);
        match &about.config_schema {
            None => format!("{card}\n\nIt takes no config."),
            Some(schema) => {
                let schema = serde_json::to_string_pretty(schema).unwrap_or_default();
                format!("{card}\n\nIts config satisfies:\n{}", clean_lines(&schema))
            }
        }
    }
}

/// Adds what the makers of a policy say of it, but for the version, which the policy says itself.
pub fn said(card: Card, metadata: &PolicyMetadata) -> Card {
    let PolicyMetadata { authors, description, licenses, source, homepage, revision, version: _ } = metadata.clone();
    card.maybe("description", description)
        .maybe("authors", authors)
        .maybe("licence", licenses)
        .maybe("source", source)
        .maybe("homepage", homepage)
        .maybe("revision", revision)
}

fn limits(limits: &Limits) -> String {
    format!(
        "{} ms of CPU, {} of memory, {} of output, {} lines of log, {} per instance",
        limits.deadline_ms,
        bytes(limits.memory_bytes),
        bytes(limits.output_bytes),
        limits.log_lines,
        count(limits.judgements_per_instance as i64, "judgement", "judgements"),
    )
}

/// Runs `berth policy inspect FILE.wasm`.
pub async fn inspect(path: &Path, session: &mut Session) -> Done {
    let local = Local::open(path, session).await?;
    show(&local, path, session)
}

/// Prints the description of a policy.
pub fn show(local: &Local, path: &Path, session: &mut Session) -> Done {
    let text = local.card(path, &session.out.paint);
    session.out.done(&local.document(path), text)
}
