//! What every policy has, whatever its world.

use std::{marker::PhantomData, sync::OnceLock};

use serde::{Deserialize, de::DeserializeOwned};

use crate::bindings::exports::berth::policy::{about, configure};

/// What a policy says of itself.
#[derive(Clone, Copy, Debug)]
pub struct Description {
    /// Kebab-case, 1 to 64 characters, unique in an installation.
    pub name: &'static str,
    /// The policy's own version (semver); usually `env!("CARGO_PKG_VERSION")`.
    pub version: &'static str,
    /// One sentence for the people who choose a policy.
    pub summary: &'static str,
    /// JSON Schema (2020-12) of the config as JSON text; empty when the policy takes none.
    ///
    /// The host validates every config against it and draws its forms from it, so give each property a `title`, a
    /// `description` and a `default`. Keep it in a file of its own: `include_str!("config.schema.json")`.
    pub config_schema: &'static str,
}

/// A policy: what it is, and how it comes out of its config. Beside it stands the trait of its world.
pub trait Policy: Sized + Send + Sync + 'static {
    /// What the config is read into; [`NoConfig`] when there is none.
    type Config: DeserializeOwned;

    /// What the policy says of itself.
    const DESCRIPTION: Description;

    /// Makes the policy. Called once per instance, before anything else; refuse here what the schema cannot express,
    /// and say what to change.
    fn configure(config: Self::Config) -> Result<Self, String>;

    /// The policy with this config as JSON text, as the host would make it. For tests.
    fn from_json(config: &str) -> Result<Self, String> {
        let config = serde_json::from_str(config).map_err(|error| format!("The config does not fit: {error}."))?;
        Self::configure(config)
    }
}

/// The config of a policy that takes none.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoConfig {}

/// Where an instance keeps its configured policy.
#[doc(hidden)]
pub type Slot<P> = OnceLock<P>;

/// Gives a policy its slot. Implemented by the export macros.
#[doc(hidden)]
pub trait Exported: Policy {
    fn slot() -> &'static Slot<Self>;

    fn configured() -> Result<&'static Self, String> {
        Self::slot().get().ok_or_else(|| "The host called the policy before it configured it.".into())
    }
}

/// Answers the host in the name of `P`.
#[doc(hidden)]
pub struct Exports<P>(PhantomData<P>);

impl<P: Exported> about::Guest for Exports<P> {
    fn describe() -> about::Description {
        let Description { name, version, summary, config_schema } = P::DESCRIPTION;
        about::Description {
            name: name.into(),
            version: version.into(),
            summary: summary.into(),
            config_schema: config_schema.into(),
        }
    }
}

impl<P: Exported> configure::Guest for Exports<P> {
    fn configure(config: String) -> Result<(), String> {
        let policy = P::from_json(&config)?;
        P::slot().set(policy).map_err(|_| "The host configured the policy twice.".into())
    }
}
