//! `berth policy publish`: puts a policy into an OCI registry, from the machine of who has built it.

use std::{path::PathBuf, time::Duration};

use clap::Args;
use reqwest::{Client, Url, redirect};
use serde_json::json;

use berth_base::ids::Digest;
use berth_judge::exports;
use berth_oci::{About, Dial, Logins, Manifest, Reference, Registry, sign_artefact};

use super::local::Local;
use crate::{
    failure::{Done, Failure},
    session::Session,
    table::{Card, Cell},
};

/// How long a registry may be silent.
const PATIENCE: Duration = Duration::from_secs(60);

/// The arguments of `berth policy publish`.
#[derive(Args, Debug)]
#[command(after_help = "\
The registry is asked with the login that `docker login` has written to config.json.

Examples:
  berth policy publish no-eval.wasm oci://ghcr.io/example/no-eval:1.2.0
  cosign sign --key cosign.key ghcr.io/example/no-eval@sha256:…
  berth policy push oci://ghcr.io/example/no-eval@sha256:…")]
pub struct Publish {
    /// The wasm component, or a core module with a WIT section
    pub file: PathBuf,
    /// Where to put it: oci://REGISTRY/NAME:TAG; its version is the tag when there is none
    pub reference: Reference,
    /// Reach the registry without TLS, as one on this machine is reached anyway
    #[arg(long)]
    pub plain_http: bool,
    /// The file with the logins, in place of Docker's config.json
    #[arg(long, env = "BERTH_REGISTRY_AUTH", value_name = "FILE")]
    pub auth: Option<PathBuf>,
}

/// Connects wherever the user says.
struct Freely(Client);

impl Dial for Freely {
    fn to(&self, _: &Url) -> Result<Client, String> {
        Ok(self.0.clone())
    }
}

impl Freely {
    fn new() -> Result<Self, Failure> {
        // Fails only when a provider is installed already, which is then the one that is used.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .user_agent(concat!("berth/", env!("CARGO_PKG_VERSION"), " (cli)"))
            .connect_timeout(Duration::from_secs(10))
            .redirect(redirect::Policy::none())
            .build();
        client.map(Self).map_err(|error| Failure::refused("tls", format!("Cannot prepare connections: {error}.")))
    }
}

/// Runs `berth policy publish`.
pub async fn run(args: Publish, session: &mut Session) -> Done {
    if args.reference.digest.is_some() {
        return Err(Failure::usage("Name a tag and no digest: the digest is what comes of publishing."));
    }
    let local = Local::open(&args.file, session).await?;
    let described = local.policy.description();
    let (version, created) = (described.version.to_string(), session.clock.now().to_string());
    let reference = Reference { tag: args.reference.tag.or_else(|| Some(version.clone())), ..args.reference };
    let (manifest, config) = Manifest::of(
        &local.wasm,
        &About {
            name: &described.name,
            version: &version,
            summary: &described.summary,
            metadata: &local.metadata,
            imports: &local.imports,
            exports: &exports(&local.wasm)?,
            created: &created,
        },
    );
    let logins = args.auth.or_else(of_docker).as_deref().map(Logins::read).transpose()?.unwrap_or_default();
    let (dial, plain) = (Freely::new()?, args.plain_http || reference.is_loopback());
    let mut registry = Registry::new(&dial, &reference, &logins, plain, PATIENCE);
    let digest = registry.publish(local.wasm.clone().into(), &manifest, config).await?;
    let pinned = reference.pinned(&digest);
    let document = json!({
        "name": described.name,
        "version": version,
        "reference": reference.to_string(),
        "pinned": pinned.to_string(),
        "manifest": digest,
        "digest": Digest::of(&local.wasm),
    });
    let card = Card::default()
        .field("name", Cell::strong(format!("{} {version}", described.name)))
        .field("reference", reference.to_string())
        .field("pinned", pinned.to_string())
        .field("sign it", sign_artefact(&pinned))
        .render(&session.out.paint);
    session.out.done(&document, card)?;
    session.out.next(format!("berth policy push {pinned}"));
    Ok(())
}

/// Docker's config.json.
fn of_docker() -> Option<PathBuf> {
    let folder = std::env::var_os("DOCKER_CONFIG").map(PathBuf::from);
    let folder = folder.or_else(|| Some(etcetera::home_dir().ok()?.join(".docker")));
    folder.map(|folder| folder.join("config.json"))
}
