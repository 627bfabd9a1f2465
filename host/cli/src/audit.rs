//! `berth audit`: what the built-in auditors find in a folder or a package, here and without a host.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::Args;
use serde_json::{Value, json};

use super::{
    failure::{Done, Failure},
    pack::refused,
    paint::clean,
    parse::{ConfigSource, PolicyChoice},
    sandbox,
    session::Session,
};
use crate::{files, findings, pack, views};
use berth_base::{
    clock::Millis,
    ids::{AuditId, Digest},
};
use berth_judge::{Policy, Subject, admit, builtin, say_if_slow};
use berth_model::{
    audit::{self, Audit, AuditState, Evaluation, Findings, Gate, OutcomeKind},
    policy::{
        Limits, PolicyKind,
        registry::{Mode, OnError},
    },
};
use berth_package::{self as package, Archive, PackOptions, PackReport, PackageName};

/// The arguments of `berth audit`.
#[derive(Args, Debug)]
#[command(after_help = "\
Runs the auditors that every host begins with, after packing and unpacking by the rules of a host. Nothing is uploaded and
no host is asked. A host may have auditors and configs of its own: give those that you have by --policy.

Examples:
  berth audit shop/
  berth audit mp-shop_1.2.0.apkg --sarif > findings.sarif
  berth audit shop/ --policy no-maps/no-maps.wasm --policy size-limits='{\"main_bytes\": 1000000}'")]
pub struct AuditHere {
    /// The folder of a mini-program, or an .apkg
    #[arg(default_value = ".")]
    pub what: PathBuf,
    /// Another auditor (FILE.wasm), or another config of a built-in one (NAME=CONFIG); may be repeated
    #[arg(long = "policy", value_name = "POLICY[=CONFIG]")]
    pub policies: Vec<PolicyChoice>,
    /// As SARIF 2.1.0, for code hosts and editors
    #[arg(long)]
    pub sarif: bool,
}

pub async fn run(args: AuditHere, session: &mut Session) -> Done {
    let asked = asked(&args.policies)?;
    let package = Package::open(&args.what)?;
    package.told.iter().for_each(|line| session.out.note(clean(line)));
    let (engine, _temporary) = sandbox::engine(session.cache.as_deref())?;
    let mut evaluations = Vec::new();
    let of = asked.len();
    for (at, auditor) in asked.into_iter().enumerate() {
        let note = format!("compiling policy {} of {of}: {}", at + 1, auditor.name);
        let compiled = say_if_slow(engine.inspect(auditor.wasm), || session.out.note(note)).await?;
        let (config, now) = (auditor.config, session.clock.now());
        evaluations.push(evaluate(&compiled, config, package.subject.clone(), now).await?);
    }
    let gate = audit::gate(&evaluations);
    let audit = record(package, evaluations, &gate, session);
    if args.sarif {
        let text = serde_json::to_string_pretty(&audit::sarif(&audit)).unwrap_or_default();
        session.out.verbatim(&text)?;
    } else {
        print(&audit, session)?;
    }
    match gate {
        Gate::Open => Ok(()),
        Gate::Rejected(reason) => {
            Err(Failure::refused("would-be-rejected", format!("A host would reject this package. {reason}")))
        }
    }
}

/// The package as a host would open it.
struct Package {
    name: PackageName,
    sha256: Digest,
    subject: Arc<Subject>,
    /// What was packed and what is unusual about it, in words; nothing for a package.
    told: Vec<String>,
    /// Keeps the temporary file into which a folder was packed.
    _packed: Option<tempfile::NamedTempFile>,
}

impl Package {
    fn open(what: &Path) -> Result<Self, Failure> {
        if !what.is_dir() {
            let name = what.file_name().and_then(|name| name.to_str()?.parse().ok());
            if name.is_none() && what.extension().is_none_or(|kind| kind != "apkg" && kind != "zip") && what.is_file() {
                return Err(Failure::usage(format!(
                    "{} is neither the folder of a mini-program nor a package. Name the folder, or an .apkg.",
                    what.display()
                )));
            }
            return Self::of(what, name);
        }
        let name = pack::name_of(what)?;
        let mut packed = tempfile::NamedTempFile::new()
            .map_err(|error| Failure::usage(format!("Cannot make a file to pack into: {error}.")))?;
        let options = PackOptions { name: name.clone(), ..PackOptions::default() };
        let report = package::pack(what, &mut packed, &options).map_err(refused)?;
        let package = Self::of(packed.path(), name)?;
        Ok(Self { told: told(&report), _packed: Some(packed), ..package })
    }

    /// Opens a package. Without a name it is audited under a placeholder, as names are checked on upload.
    fn of(path: &Path, name: Option<PackageName>) -> Result<Self, Failure> {
        let sha256 = files::digest(path)?;
        let archive = Archive::open_path(path, &package::Limits::default()).map_err(refused)?;
        let named = name.is_some();
        let name = name.map_or_else(|| "unnamed_0.0.1.apkg".parse(), Ok)?;
        let subject = Subject::of(archive, &name).map_err(refused)?;
        if named {
            subject.declared().agrees_with(&name).map_err(refused)?;
        }
        Ok(Self { name, sha256, subject: Arc::new(subject), told: Vec::new(), _packed: None })
    }
}

fn told(report: &PackReport) -> Vec<String> {
    let packed = format!("{}: {}", report.root.display(), pack::what(report));
    std::iter::once(packed).chain(report.warnings.iter().map(|warning| format!("warning: {warning}"))).collect()
}

/// An auditor to ask, with its config.
struct Asked {
    name: String,
    wasm: Vec<u8>,
    config: Value,
}

/// The built-in auditors with the configs that were given for them, then the other auditors that were given.
fn asked(choices: &[PolicyChoice]) -> Result<Vec<Asked>, Failure> {
    let mut asked = Vec::new();
    for builtin in builtin::ALL {
        if admit(builtin.wasm)?.1 == PolicyKind::Auditor {
            let choice = choices.iter().rfind(|choice| choice.policy == builtin.name);
            asked.push(Asked { name: builtin.name.into(), wasm: builtin.wasm.to_vec(), config: config(choice)? });
        }
    }
    for choice in choices.iter().filter(|choice| builtin::ALL.iter().all(|builtin| builtin.name != choice.policy)) {
        let path = Path::new(&choice.policy);
        let wasm = fs::read(path).map_err(|error| no_auditor(path, &error))?;
        asked.push(Asked { name: choice.policy.clone(), wasm, config: config(Some(choice))? });
    }
    Ok(asked)
}

/// A file that is not there may be meant as the name of a built-in auditor.
fn no_auditor(path: &Path, error: &io::Error) -> Failure {
    if error.kind() != io::ErrorKind::NotFound {
        return Failure::file("read", path, error);
    }
    let path = path.display();
    let names: Vec<_> = builtin::ALL.iter().map(|builtin| builtin.name).collect();
    Failure::usage(format!("{path} is no file and no built-in policy. Those are {}.", names.join(", ")))
}

fn config(choice: Option<&PolicyChoice>) -> Result<Value, Failure> {
    let given = choice.and_then(|choice| choice.config.as_ref()).map(ConfigSource::load).transpose()?;
    Ok(given.unwrap_or_else(|| json!({})))
}

async fn evaluate(
    policy: &Arc<Policy>,
    config: Value,
    subject: Arc<Subject>,
    at: Millis,
) -> Result<Evaluation, Failure> {
    let about = policy.description();
    if policy.kind() != PolicyKind::Auditor {
        return Err(Failure::usage(format!(
            "{} is of kind {}; only auditors judge packages.",
            about.name,
            policy.kind()
        )));
    }
    let limits = Limits::default_of(PolicyKind::Auditor);
    policy.check_config(&config, &limits).await?;
    let blank = Evaluation {
        binding: None,
        policy: about.name.clone(),
        policy_version: about.version.to_string(),
        digest: policy.digest().clone(),
        config: config.clone(),
        mode: Mode::Enforce,
        on_error: OnError::Closed,
        outcome: OutcomeKind::Failed,
        detail: String::new(),
        findings: Vec::new(),
        log: Vec::new(),
        micros: 0,
        evaluated_at: at,
    };
    Ok(blank.answered(policy.bind_auditor(&config, limits)?.audit(subject).await))
}

/// The audit as a host would record it.
fn record(package: Package, evaluations: Vec<Evaluation>, gate: &Gate, session: &Session) -> Audit {
    let now = session.clock.now();
    let (state, reason) = match gate {
        Gate::Open => (AuditState::Deciding, String::new()),
        Gate::Rejected(reason) => (AuditState::Rejected, reason.clone()),
    };
    Audit {
        id: AuditId::generate(now, &*session.random),
        mini_app: package.name.mini_app_id,
        version: package.name.version,
        state,
        reason,
        sha256: package.sha256,
        submitted_by: String::new(),
        created_at: now,
        closed_at: None,
        items: Vec::new(),
        failed_open: audit::failed_open(&evaluations),
        evaluations,
    }
}

/// Prints the findings as `berth version findings` does, and which policies judged.
fn print(audit: &Audit, session: &mut Session) -> Done {
    let paint = &session.out.paint;
    let found = findings::render(&Findings::of(audit.evaluations.clone()), paint);
    let text = format!("{found}\n\n{}", views::evaluations(&audit.evaluations, paint));
    let document = json!({
        "mini_app": audit.mini_app, "version": audit.version, "sha256": audit.sha256, "reason": audit.reason,
        "rejected": audit.state == AuditState::Rejected, "evaluations": audit.evaluations,
    });
    session.out.done(&document, text)
}
