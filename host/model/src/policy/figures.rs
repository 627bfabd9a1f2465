//! What a host knows of how its policies run: how their evaluations end, how long they take, and what they need.

use serde::{Deserialize, Serialize};

use berth_base::{
    clock::Millis,
    ids::{Digest, HostAppId, PolicyBindingId},
};

use super::{
    PolicyKind,
    registry::{Mode, OnError, PolicyScope},
};

/// The bounds of the classes by which elapsed times are counted, in microseconds.
pub const BOUNDS_MICROS: [u64; 16] =
    [5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 50_000, 250_000, 1_000_000, 5_000_000, 30_000_000];

/// How many bindings of a policy are told.
pub const MOST_TOLD: usize = 200;

/// How the bindings of a policy ran on one host, since it started. Each host counts for itself.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct PolicyFigures {
    /// Name of the policy.
    pub policy: String,
    /// What kind of policy it is.
    pub kind: PolicyKind,
    /// Since when this host has counted.
    pub since: Millis,
    /// Its bindings that were asked meanwhile, an entry for each version of the policy that one was bound to, those with the
    /// most evaluations first; at most 200.
    pub bindings: Vec<BindingFigures>,
    /// How many more there are.
    #[serde(default)]
    pub others: u64,
}

/// How a binding ran with one version of its policy.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct BindingFigures {
    /// Id of the binding.
    pub binding: PolicyBindingId,
    /// The version of the policy; absent when that version is not installed any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_version: Option<String>,
    /// SHA-256 of the wasm of the policy.
    pub digest: Digest,
    /// Whether the binding uses these bytes now.
    pub is_current: bool,
    /// The place where it is bound.
    pub scope: PolicyScope,
    /// Whether its judgement decides.
    pub mode: Mode,
    /// What it means when it gives no verdict.
    pub on_error: OnError,
    /// How it ran.
    #[serde(flatten)]
    pub figures: Figures,
}

/// How evaluations ended, how long they took, and what they needed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
pub struct Figures {
    /// How many evaluations there were.
    pub evaluations: u64,
    /// Those that ended with a verdict.
    pub verdicts: u64,
    /// Those in which the policy said that it could not judge, or could not be loaded.
    pub failed: u64,
    /// Those in which the policy broke.
    pub trapped: u64,
    /// Those that hit a limit.
    pub limited: u64,
    /// Times of the evaluations, elapsed from the question to the answer; absent before the first one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub elapsed: Option<Elapsed>,
    /// The most memory that an evaluation had, in bytes.
    pub peak_memory_bytes: u64,
    /// The last evaluation without a verdict.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_trouble: Option<Trouble>,
    /// Of a grayscale policy in shadow, how its verdicts stand beside those that decided; absent when it was never asked beside any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shadow: Option<ShadowFigures>,
}

/// How often a grayscale policy in shadow said what was decided, and how often it would have decided otherwise.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
pub struct ShadowFigures {
    /// Checks in which it said what was decided.
    pub same: u64,
    /// Checks in which it would have admitted a device that was refused.
    pub would_admit: u64,
    /// Checks in which it would have refused a device that was admitted: what changes when it decides, too.
    pub would_refuse: u64,
    /// A few of the devices about which they differed, the newest last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub examples: Vec<ShadowExample>,
}

/// A device that a grayscale policy in shadow would have decided about otherwise, without what tells whose it is.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
pub struct ShadowExample {
    /// When it asked.
    pub at: Millis,
    /// Whether the policy would have admitted it, which was refused; `false` for the opposite.
    pub would_admit: bool,
    /// Id of its host app.
    pub host_app: HostAppId,
    /// Version of the host app.
    pub host_version: String,
    /// Operating system.
    pub platform: String,
    /// Version of the operating system.
    pub os_version: String,
    /// Network that it used.
    pub network: String,
}

/// Elapsed times in microseconds. What is told of shares of the evaluations is the bound of the class that they end in, so it
/// is never too small.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
pub struct Elapsed {
    /// The mean.
    pub mean_micros: u64,
    /// Half of the evaluations took at most this long.
    pub p50_micros: u64,
    /// 95 of 100 took at most this long.
    pub p95_micros: u64,
    /// 99 of 100 took at most this long.
    pub p99_micros: u64,
    /// The longest.
    pub max_micros: u64,
    /// How many took how long, without classes that have none.
    pub classes: Vec<Class>,
}

/// How many evaluations took about so long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
pub struct Class {
    /// Longer than the class before, and at most this long, in microseconds; absent for what took longer than all bounds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub up_to_micros: Option<u64>,
    /// How many there were.
    pub evaluations: u64,
}

/// An evaluation without a verdict.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
pub struct Trouble {
    /// When it was.
    pub at: Millis,
    /// Why there was none.
    pub says: String,
}

/// How many evaluations took how long, by [`BOUNDS_MICROS`]; the last class is without a bound.
pub type Classes = [u64; BOUNDS_MICROS.len() + 1];

impl Elapsed {
    /// What the counts of the classes say; `None` before the first evaluation.
    pub fn of(classes: &Classes, sum_micros: u64, max_micros: u64) -> Option<Self> {
        let all: u64 = classes.iter().sum();
        if all == 0 {
            return None;
        }
        let bound = |at: usize| BOUNDS_MICROS.get(at).copied();
        let share = |of_hundred: u64| {
            let wanted = (all * of_hundred).div_ceil(100);
            let mut so_far = 0;
            let reached = classes.iter().position(|count| {
                so_far += count;
                so_far >= wanted
            });
            reached.and_then(bound).unwrap_or(max_micros).min(max_micros)
        };
        let class = |(at, count): (usize, &u64)| Class { up_to_micros: bound(at), evaluations: *count };
        Some(Self {
            mean_micros: sum_micros / all,
            p50_micros: share(50),
            p95_micros: share(95),
            p99_micros: share(99),
            max_micros,
            classes: classes.iter().enumerate().filter(|(_, count)| **count > 0).map(class).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn g21_the_share_of_evaluations_is_told_by_the_class_that_it_ends_in() {
        let mut classes = [0; BOUNDS_MICROS.len() + 1];
        assert_eq!(Elapsed::of(&classes, 0, 0), None);
        classes[1] = 98; // up to 10 µs
        classes[7] = 1; // up to 1 ms
        classes[16] = 1; // longer than all
        let elapsed = Elapsed::of(&classes, 31_001_470, 31_000_000).expect("some");
        let Elapsed { mean_micros, p50_micros, p95_micros, p99_micros, max_micros, classes } = elapsed;
        assert_eq!((mean_micros, p50_micros, p95_micros), (310_014, 10, 10));
        assert_eq!((p99_micros, max_micros), (1_000, 31_000_000));
        assert_eq!(classes.iter().map(|one| one.up_to_micros).collect::<Vec<_>>(), [Some(10), Some(1_000), None]);
    }

    proptest! {
        #[test]
        fn g21_no_share_is_told_shorter_than_it_was(times in prop::collection::vec(0_u64..60_000_000, 1..200)) {
            let mut classes = [0; BOUNDS_MICROS.len() + 1];
            times.iter().for_each(|time| classes[BOUNDS_MICROS.partition_point(|bound| bound < time)] += 1);
            let max = times.iter().copied().max().unwrap_or_default();
            let told = Elapsed::of(&classes, times.iter().sum(), max).expect("some");
            let mut sorted = times;
            sorted.sort_unstable();
            for (told, of_hundred) in [(told.p50_micros, 50), (told.p95_micros, 95), (told.p99_micros, 99)] {
                let real = sorted[(sorted.len() * of_hundred).div_ceil(100) - 1];
                prop_assert!(real <= told && told <= max, "{told} for {real}");
            }
        }
    }
}
