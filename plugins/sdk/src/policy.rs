//! What every policy has, whatever its world.

use std::{marker::PhantomData, sync::OnceLock};

use serde::{Deserialize, de::DeserializeOwned};

use crate::bindings::exports::berth::policy::{about, configure};

/// The description of a policy.
#[derive(Clone, Copy, Debug)]
pub struct Description {
    /// The name: kebab-case, 1 to 64 characters, unique in an installation.
    pub name: &'static str,
    /// The policy's own version, `MAJOR.MINOR.PATCH`; usually `env!("CARGO_PKG_VERSION")`.
    pub version: &'static str,
    /// One sentence for the people who choose a policy.
    pub summary: &'static str,
    /// The JSON Schema (2020-12) of the config as JSON text; empty when the policy takes no config.
    ///
    /// The host validates every config against it and makes its forms from it, so give each property a `title`, a
    /// `description` and a `default`. Keep it in a file of its own: `include_str!("config.schema.json")`.
    pub config_schema: &'static str,
}

/// A policy: its description, and how it is made from its config. It also needs the trait of its world.
pub trait Policy: Sized + Send + Sync + 'static {
    /// The type that the config is deserialised to; [`NoConfig`] when there is no config.
    type Config: DeserializeOwned;

    /// The description of the policy.
    const DESCRIPTION: Description;

    /// Makes the policy from its config. It is called once per instance, before anything else. Refuse here what the
    /// schema cannot express, and say what to change.
    fn configure(config: Self::Config) -> Result<Self, String>;

    /// Makes the policy from a config as JSON text, as the host does. For tests.
    fn from_json(config: &str) -> Result<Self, String> {
        let config = serde_json::from_str(config).map_err(|error| format!("The config does not fit: {error}."))?;
        Self::configure(config)
    }
}

/// The config of a policy that takes none.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoConfig {}

/// The place where an instance keeps its configured policy.
#[doc(hidden)]
pub type Slot<P> = OnceLock<P>;

/// Gives a policy its slot. The export macros implement it.
#[doc(hidden)]
pub trait Exported: Policy {
    fn slot() -> &'static Slot<Self>;

    fn configured() -> Result<&'static Self, String> {
        Self::slot().get().ok_or_else(|| "The host called the policy before it configured it.".into())
    }
}

/// Implements the exported interfaces for the policy `P`.
#[doc(hidden)]
pub struct Exports<P>(PhantomData<P>);

impl<P: Exported> about::Guest for Exports<P> {
    fn describe() -> about::Description {
        #[cfg(target_arch = "wasm32")]
        crate::panic::tell_the_host();
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
        // It is called before every judgement.
        #[cfg(target_arch = "wasm32")]
        crate::panic::tell_the_host();
        let policy = P::from_json(&config)?;
        P::slot().set(policy).map_err(|_| "The host configured the policy twice.".into())
    }
}
