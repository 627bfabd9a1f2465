//! Admits the devices for which an expression is true (G18), so that a rule of one's own needs no compiler.
//!
//! The config is `{"admit": "device.platform == 'ios' && semver(device.host_version) >= semver('8.2') && bucket('wave-1') < 20"}`.
//! The language is [CEL](https://cel.dev); the crate `cel` parses and evaluates it. It has no types before it runs, so this
//! policy adds what must be said when a task is created and not at its first device: [`check`] knows every variable and every
//! function, and refuses what cannot be meant.
//!
//! **What a device did not tell** is the empty text, for fields and attributes alike, and `has(…)` says whether it told it.
//! So an expression never fails for a device that has no account.
//!
//! **Versions** are compared as conditions compare them (G4). A version that is written in the expression stands for all that begin
//! with it, where it is an upper end: `semver(device.os_version) <= semver('17')` takes 17.4.1, and `== semver('17')` is any 17. What a
//! device told and is no version is on no side of anything.
//!
//! **Buckets** are those of `percentage`, as a percentage: `bucket('wave-1') < 20` takes the devices that `percentage` takes
//! with `{"percent": 20, "bucket_key": "wave-1"}`, and `bucket(task.id)` is the bucket that it uses without a key.

mod bounds;
mod check;
mod facts;
mod functions;
mod parts;
mod types;

use std::collections::BTreeMap;

use berth_policy::{Description, Device, Grayscale, Policy, Task, Verdict, serde::Deserialize};
use parts::Part;

/// The config.
#[derive(Deserialize)]
#[serde(crate = "berth_policy::serde", deny_unknown_fields)]
pub struct Config {
    admit: String,
    /// The ids of the host's lists, by the names that the expression has for them.
    #[serde(default)]
    lists: BTreeMap<String, String>,
}

/// The policy, made from its config: the operands of `&&`, all of which must be true.
pub struct Expression {
    parts: Vec<Part>,
    functions: functions::Functions,
}

impl Policy for Expression {
    type Config = Config;

    const DESCRIPTION: Description = Description {
        name: "expression",
        version: env!("CARGO_PKG_VERSION"),
        summary: "Admits the devices for which an expression in CEL is true.",
        config_schema: include_str!("../config.schema.json"),
    };

    fn configure(config: Config) -> Result<Self, String> {
        let mut functions = functions::Functions::new();
        let parts = parts::read(&config.admit, &config.lists, &mut functions)?;
        Ok(Self { parts, functions })
    }
}

impl Grayscale for Expression {
    fn decide(&self, device: &Device, task: &Task) -> Result<Verdict, String> {
        let facts = facts::Facts { device, task };
        let context = self.functions.context(&facts);
        let said: Vec<_> = self.parts.iter().map(|part| part.ask(&context)).collect();
        if said.contains(&Ok(false)) {
            let told = self.parts.iter().zip(&said).map(|(part, said)| part.tell(said, &facts));
            return Ok(Verdict::Refuse(format!("The expression is false: {}", told.collect::<Vec<_>>().join(", "))));
        }
        // What is not false decides nothing while anything is unknown, as in CEL.
        match said.into_iter().find_map(Result::err) {
            Some(error) => Err(error),
            None => Ok(Verdict::Admit),
        }
    }
}

berth_policy::grayscale!(Expression);

#[cfg(test)]
mod tests;
