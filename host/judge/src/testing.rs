//! Guests written by hand for tests: a core module in text form with a WIT section, as an upload would be.

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};
use tempfile::TempDir;
use wit_component::{StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

use berth_model::{interface_version, policy::*};

use crate::*;

/// A guest whose parts a test replaces. Unchanged it describes itself, accepts every config and answers yes.
#[derive(Clone)]
pub struct Guest {
    pub kind: PolicyKind,
    pub name: String,
    /// Must have five characters.
    pub version: String,
    pub schema: String,
    pub memory: String,
    pub imports: String,
    pub realloc: String,
    pub describe: String,
    pub configure: String,
    pub call: String,
    pub extra: String,
    /// WIT text in place of the host's own, and the name of the world in it.
    pub wit: Option<(String, String)>,
}

/// The address at which the answer of the call is written. Zeros are `ok` with the first case, or with an empty list.
pub const ANSWER: i32 = 80;

const BUMP: &str = "(global.get $heap)
    (global.set $heap (i32.and (i32.add (i32.add (global.get $heap) (local.get 3)) (i32.const 15)) (i32.const -16)))";

const CONTENTS: &str = r#"
  (import "berth:policy/contents@VERSION" "[resource-drop]archive" (func $drop (param i32)))
  (import "berth:policy/contents@VERSION" "[method]archive.read" (func $read (param i32 i32 i32 i64 i32 i32)))
  (import "berth:policy/log@VERSION" "write" (func $log (param i32 i32 i32)))"#;

const COHORT: &str = r#"
  (import "berth:policy/cohort@VERSION" "contains" (func $contains (param i32 i32 i32 i32) (result i32)))
  (import "berth:policy/log@VERSION" "write" (func $log (param i32 i32 i32)))"#;

impl Guest {
    pub fn of(kind: PolicyKind) -> Self {
        let (imports, call) = match kind {
            PolicyKind::Auditor => (CONTENTS, "(call $drop (local.get 0)) (i32.const 80)"),
            PolicyKind::Grayscale => (COHORT, "(i32.const 80)"),
            PolicyKind::Guard => ("", "(i32.const 80)"),
        };
        Self {
            kind,
            name: "by-hand".into(),
            version: "1.0.0".into(),
            schema: String::new(),
            memory: "2".into(),
            imports: imports.into(),
            realloc: BUMP.into(),
            describe: "(i32.const 16)".into(),
            configure: "(i32.const 64)".into(),
            call: call.into(),
            extra: String::new(),
            wit: None,
        }
    }

    pub fn gray() -> Self {
        Self::of(PolicyKind::Grayscale)
    }

    pub fn auditor() -> Self {
        Self::of(PolicyKind::Auditor)
    }

    pub fn guard() -> Self {
        Self::of(PolicyKind::Guard)
    }

    pub fn call(mut self, body: &str) -> Self {
        self.call = body.into();
        self
    }

    pub fn extra(mut self, items: &str) -> Self {
        self.extra = items.into();
        self
    }

    pub fn memory(mut self, pages: &str) -> Self {
        self.memory = pages.into();
        self
    }

    pub fn name(mut self, name: &str) -> Self {
        self.name = name.into();
        self
    }

    pub fn version(mut self, version: &str) -> Self {
        self.version = version.into();
        self
    }

    /// Code that refuses (or suspends) with the text at `pointer`, which may lie outside the memory.
    #[cfg(test)]
    pub(crate) fn refuse_with(pointer: i32, length: i32) -> String {
        format!(
            "(i32.store8 (i32.const 84) (i32.const 1)) (i32.store (i32.const 88) (i32.const {pointer}))
             (i32.store (i32.const 92) (i32.const {length})) (i32.const {ANSWER})"
        )
    }

    fn wat(&self) -> String {
        let Self { name, version, schema, memory, imports, realloc, describe, configure, call, extra, .. } = self;
        let (export, params) = match self.kind {
            PolicyKind::Auditor => ("audit@VERSION#audit", "i32"),
            PolicyKind::Grayscale => ("gray@VERSION#decide", "i32"),
            PolicyKind::Guard => ("watch@VERSION#judge", "i32 i32 i32 i32 i32 i32 i64 i64 i32 i32 i32 i32"),
        };
        let bytes = |bytes: &[u8]| bytes.iter().map(|b| format!("\\{b:02x}")).collect::<String>();
        let strings: Vec<u8> = [(256, name.len()), (400, 5), (416, 4), (1024, schema.len())]
            .iter()
            .flat_map(|(at, len)| [*at, *len as u32])
            .flat_map(u32::to_le_bytes)
            .collect();
        let text = format!(
            r#"(module {imports}
  (memory (export "memory") {memory})
  (global $heap (mut i32) (i32.const 8192))
  (data (i32.const 16) "{}") (data (i32.const 256) "{}") (data (i32.const 400) "{}")
  (data (i32.const 416) "Test") (data (i32.const 1024) "{}")
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) {realloc})
  (func (export "berth:policy/about@VERSION#describe") (result i32) {describe})
  (func (export "berth:policy/configure@VERSION#configure") (param i32 i32) (result i32) {configure})
  (func $call (export "berth:policy/{export}") (param {params}) (result i32) {call})
  {extra})"#,
            bytes(&strings),
            bytes(name.as_bytes()),
            bytes(version.as_bytes()),
            bytes(schema.as_bytes()),
        );
        text.replace("@VERSION", concat!("@", interface_version!()))
    }

    /// The bytes of the upload.
    pub fn wasm(&self) -> Vec<u8> {
        let world = match self.kind {
            PolicyKind::Auditor => "auditor",
            PolicyKind::Grayscale => "grayscale",
            PolicyKind::Guard => "guard",
        };
        let mut module = wat::parse_str(self.wat()).expect("the guest's text is wasm");
        let mut resolve = Resolve::default();
        let (package, world) = match &self.wit {
            None => (resolve.push_path(concat!(env!("CARGO_MANIFEST_DIR"), "/../../wit")).expect("our wit/").0, world),
            Some((wit, world)) => (resolve.push_str("test.wit", wit).expect("the guest's WIT"), world.as_str()),
        };
        let world = resolve.select_world(&[package], Some(world)).expect("the guest's world");
        embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).expect("a WIT section");
        module
    }
}

/// An engine with a temporary folder of its own.
pub struct Lab {
    pub engine: Engine,
    pub folder: TempDir,
}

impl Lab {
    pub fn new() -> Self {
        Self::with(|_| ())
    }

    pub fn with(change: impl FnOnce(&mut EngineConfig)) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut config = EngineConfig::new(folder.path().into(), Compiler::InProcess);
        config.grayscale_slots = 8;
        change(&mut config);
        Self { engine: Engine::new(config).expect("an engine"), folder }
    }

    pub async fn install(&self, guest: &Guest) -> Arc<Policy> {
        self.engine.inspect(guest.wasm()).await.expect("a policy")
    }

    /// Installs the guest, binds it with changed limits, and lets it decide.
    pub(crate) async fn gray_with(&self, guest: &Guest, change: impl FnOnce(&mut Limits)) -> Evaluation<GrayVerdict> {
        decide(&self.bind_gray(guest, change).await)
    }

    pub async fn gray(&self, guest: &Guest) -> Outcome<GrayVerdict> {
        self.gray_with(guest, |_| ()).await.outcome
    }

    pub async fn bind_gray(&self, guest: &Guest, change: impl FnOnce(&mut Limits)) -> BoundGrayscale {
        let mut limits = Limits::default_of(PolicyKind::Grayscale);
        // A busy machine that runs the tests must not be what ends an evaluation, unless the test is about that.
        limits.deadline_ms = 250;
        change(&mut limits);
        self.install(guest).await.bind_gray(&json!({}), limits).expect("a grayscale policy")
    }

    pub async fn bind_auditor(&self, guest: &Guest, deadline: Duration) -> BoundAuditor {
        let mut limits = Limits::default_of(PolicyKind::Auditor);
        limits.deadline_ms = deadline.as_millis() as u64;
        self.install(guest).await.bind_auditor(&json!({}), limits).expect("an auditor")
    }

    pub async fn audit(&self, guest: &Guest) -> Outcome<Vec<Finding>> {
        self.bind_auditor(guest, Duration::from_secs(2)).await.audit(Arc::new(Shelf::default())).await.outcome
    }

    /// The error with which the gate refuses an upload.
    pub async fn refusal(&self, wasm: Vec<u8>) -> berth_base::error::Error {
        match self.engine.inspect(wasm).await {
            Ok(policy) => unreachable!("{} was let in", policy.description().name),
            Err(refusal) => refusal,
        }
    }
}

/// Lets the policy decide about a device with a value in every field.
pub fn decide(binding: &BoundGrayscale) -> Evaluation<GrayVerdict> {
    binding.decide(&device(), &task(), &(Arc::new(NoCohorts) as Arc<dyn Cohorts>))
}

pub fn device() -> GrayDevice<'static> {
    serde_json::from_value(json!({
        "guid": "0b54b0a1-7a4e-4c2e-9d3c-2f1f5f6c7a11", "device_id": "d-1", "account": "a-1", "platform": "android",
        "os_version": "14", "host_app": "ha-shop", "host_version": "3.2.1", "sdk_version": "1.0.0", "network": "wifi",
        "attributes": [{"name": "city", "value": "Hangzhou"}],
    }))
    .expect("a device")
}

pub fn task() -> GrayTask<'static> {
    serde_json::from_value::<GrayTask>(json!({
        "id": "gray_1", "mini_app_id": "mp-shop", "version": "1.1.0", "online": "1.0.0", "current": "1.0.0",
        "started": 1_700_000_000_000_u64, "now": 1_700_000_100_000_u64, "attributes": [],
    }))
    .expect("a task")
}

/// A package in memory, which may be slow to read.
#[derive(Default)]
pub struct Shelf {
    pub files: Vec<PackageFile>,
    pub bytes: Vec<u8>,
    pub delay: Duration,
}

impl Contents for Shelf {
    fn mini_app_id(&self) -> &str {
        "mp-shop"
    }
    fn version(&self) -> &str {
        "1.1.0"
    }
    fn size(&self) -> u64 {
        self.bytes.len() as u64
    }
    fn manifest_path(&self) -> &str {
        "app.json"
    }
    fn manifest(&self) -> &str {
        "{}"
    }
    fn files(&self) -> &[PackageFile] {
        &self.files
    }
    fn read(&self, path: &str, offset: u64, length: u32) -> Result<Vec<u8>, ReadError> {
        std::thread::sleep(self.delay);
        if path != "app.js" {
            return Err(ReadError::NoSuchFile);
        }
        let start = self.bytes.len().min(offset as usize);
        let end = self.bytes.len().min(start + length as usize);
        Ok(self.bytes[start..end].to_vec())
    }
}

/// The reason of the trap in which an evaluation ended.
pub fn trap<V: std::fmt::Debug>(outcome: Outcome<V>) -> String {
    match outcome {
        Outcome::Trapped { reason } => reason,
        other => unreachable!("expected a trap, got {other:?}"),
    }
}

pub fn empty() -> Value {
    json!({})
}
