//! A guard that panics, with the id of the task as its message. Tests of the host learn from it what a panic tells.

use berth_policy::{Advice, Description, Guard, Health, NoConfig, Policy};

struct Breaks;

impl Policy for Breaks {
    type Config = NoConfig;

    const DESCRIPTION: Description =
        Description { name: "breaks", version: "1.0.0", summary: "Panics.", config_schema: "" };

    fn configure(_: NoConfig) -> Result<Self, String> {
        Ok(Self)
    }
}

impl Guard for Breaks {
    #[expect(clippy::panic, reason = "this is what it is for")]
    fn judge(&self, health: &Health) -> Result<Advice, String> {
        panic!("{}", health.task_id)
    }
}

berth_policy::guard!(Breaks);
