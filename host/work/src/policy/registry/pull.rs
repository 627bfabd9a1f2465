//! Fetches policies from OCI registries. The host itself does, so that what is installed is what the reference leads to, pinned by
//! digest, and the record tells from where it came (G22).

use std::{fs, path::PathBuf, time::Duration};

use berth_base::{
    clock::duration,
    error::{Code, Error, Result},
};
use berth_model::{
    access::{Action, Caller, Scope},
    policy::registry::{InstalledPolicy, PolicyOrigin, PolicyPull, SignedWhat},
};
use berth_oci::{Dial, Logins, Reference, Registry, Signatures, Sigstore};
use bytes::Bytes;
use reqwest::{Client, Url};
use tokio::time::timeout;

use super::{
    MAX_POLICY_BYTES, Policies,
    install::{Shipped, install_shipped},
    trust,
};
use crate::outbound::{Guard, Outbound};

/// How long fetching one policy and verifying its signatures may take, in all.
const PATIENCE: Duration = Duration::from_secs(300);

/// Settings of OCI registries.
#[derive(Clone, Debug, clap::Args)]
pub struct RegistryConfig {
    /// The file with the logins at registries from which policies are pulled: config.json, as `docker login` writes it. It is read for each pull
    #[arg(long, env = "BERTH_REGISTRY_AUTH", value_name = "FILE")]
    pub registry_auth: Option<PathBuf>,
    /// Registries that are reached without TLS, such as registry.internal:5000; --webhook-allow has to name their addresses, too
    #[arg(long, env = "BERTH_REGISTRY_PLAIN_HTTP", value_delimiter = ',', value_name = "HOST[:PORT]")]
    pub registry_plain_http: Vec<String>,
    /// How long a registry may be silent
    #[arg(long, env = "BERTH_REGISTRY_TIMEOUT", default_value = "15s", value_parser = duration)]
    pub registry_timeout: Duration,
    /// The Sigstore whose certificates say who has signed a policy: its trusted_root.json. The public one as of this build, if left out
    #[arg(long, env = "BERTH_SIGSTORE_ROOT", value_name = "FILE")]
    pub sigstore_root: Option<PathBuf>,
}

impl Default for RegistryConfig {
    /// The defaults of the command line.
    fn default() -> Self {
        Self {
            registry_auth: None,
            registry_plain_http: Vec::new(),
            registry_timeout: Duration::from_secs(15),
            sigstore_root: None,
        }
    }
}

impl RegistryConfig {
    /// The Sigstore by which signatures with certificates are verified.
    ///
    /// # Errors
    /// `invalid-field` when the file cannot be read, or is none.
    pub(crate) fn sigstore(&self) -> Result<Sigstore> {
        let Some(file) = &self.sigstore_root else { return Sigstore::public() };
        let text = fs::read_to_string(file).map_err(|error| {
            Error::parameter("sigstore-root", format!("{} could not be read: {error}.", file.display()))
        })?;
        Sigstore::read(&text)
    }
}

/// Reaches OCI registries.
pub struct Registries {
    outbound: Outbound,
    config: RegistryConfig,
}

impl Dial for Outbound {
    fn to(&self, url: &Url) -> Result<Client, String> {
        Outbound::to(self, url).cloned().map_err(|refused| refused.to_string())
    }
}

impl Registries {
    /// Reaches registries where the guard permits.
    ///
    /// # Errors
    /// `internal` when the HTTP client cannot be built.
    pub fn new(config: RegistryConfig, guard: Guard) -> Result<Self> {
        Ok(Self { outbound: Outbound::new(guard, "policies")?, config })
    }

    /// Fetches an artefact and its signatures, and finds who has made them.
    async fn fetch(&self, policies: &Policies, reference: &Reference) -> Result<(Bytes, Shipped)> {
        let logins = self.config.registry_auth.as_deref().map(Logins::read).transpose()?.unwrap_or_default();
        let plain = reference.is_loopback() || self.config.registry_plain_http.contains(&reference.registry);
        let registry = Registry::new(&self.outbound, reference, &logins, plain, self.config.registry_timeout);
        let pulled = registry.pull(MAX_POLICY_BYTES).await?;
        let Signatures { proofs, mut wrong, unread, .. } = registry.signatures(&pulled).await;
        let keys = policies.db.read().await?.all_trusted_keys().await?;
        let found = proofs.len();
        let makers = trust::makers(policies, keys, SignedWhat::Artefact, proofs).await?;
        let signatures = found - makers.wrong.len();
        wrong.extend(makers.wrong);
        let origin = Some(PolicyOrigin { reference: reference.to_string(), manifest: pulled.manifest });
        Ok((pulled.wasm, Shipped { origin, signers: makers.signers, signatures, wrong, unread }))
    }
}

/// Fetches a policy from a registry and installs it, as [`super::install`] does, with the signatures that are found there. Only
/// admins of the platform may.
///
/// # Errors
/// `invalid-field` for what is no reference; `registry-missing`, `registry-denied`, `registry-unreachable`, `registry-wrong`; those of
/// installing.
#[tracing::instrument(name = "policy.pull", skip_all, fields(reference = %asked.reference))]
pub async fn pull(
    registries: &Registries,
    policies: &Policies,
    caller: &Caller,
    asked: PolicyPull,
) -> Result<InstalledPolicy> {
    caller.require(Action::Administer, &Scope::Platform)?;
    let reference: Reference = asked.reference.parse()?;
    let fetched = timeout(PATIENCE, registries.fetch(policies, &reference)).await;
    let slow = |_| {
        let text = format!("{} did not bring the policy within {} seconds.", reference.registry, PATIENCE.as_secs());
        Error::new(Code::RegistryUnreachable, text)
    };
    let (wasm, shipped) = fetched.map_err(slow)??;
    install_shipped(policies, caller.account.as_str(), wasm, shipped).await
}
