//! How a guard is bound: the setting that only its kind has.

use berth_base::error::{Error, Result};
use serde::{Deserialize, Serialize};

use crate::policy::PolicyKind;

/// The longest window: a day.
const MOST_MINUTES: u32 = 1_440;

/// How often a guard looks at its gray task, and from how many devices on (G13).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Watch {
    /// The length of a window in minutes, 1 to 1,440; the guard is asked when one is over. 5 when absent.
    pub window_minutes: u32,
    /// The minimum sample: before the version has run or failed on so many devices the guard is not asked, and the task goes
    /// on. 1 or more; 50 when absent.
    pub min_devices: u64,
}

impl Default for Watch {
    fn default() -> Self {
        Self { window_minutes: 5, min_devices: 50 }
    }
}

impl Watch {
    /// The length of a window in milliseconds.
    pub fn window_millis(&self) -> i64 {
        i64::from(self.window_minutes) * 60_000
    }

    /// The setting of a binding of a policy of this kind: guards have one, others none.
    ///
    /// # Errors
    /// `invalid-field` for values out of bounds, and for a policy that is no guard.
    pub fn of(asked: Option<Self>, kind: PolicyKind) -> Result<Option<Self>> {
        match (kind, asked) {
            (PolicyKind::Guard, asked) => asked.unwrap_or_default().checked().map(Some),
            (_, None) => Ok(None),
            (kind, Some(_)) => Err(Error::field("watch", format!("is for guards, and this policy is of kind {kind}."))),
        }
    }

    fn checked(self) -> Result<Self> {
        if !(1..=MOST_MINUTES).contains(&self.window_minutes) {
            let rule = format!("{} is outside 1 to {MOST_MINUTES}.", self.window_minutes);
            return Err(Error::field("watch.window_minutes", rule));
        }
        if self.min_devices == 0 || i64::try_from(self.min_devices).is_err() {
            return Err(Error::field("watch.min_devices", "must be at least 1."));
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use berth_base::error::Code;

    use super::*;

    #[test]
    fn g13_guards_watch_as_they_are_told_and_others_do_not() {
        let watch = |window_minutes, min_devices| Some(Watch { window_minutes, min_devices });
        let code = |asked, kind| Watch::of(asked, kind).map_err(|error| error.code);
        assert_eq!(code(None, PolicyKind::Guard), Ok(watch(5, 50)));
        assert_eq!(code(watch(1_440, 1), PolicyKind::Guard), Ok(watch(1_440, 1)));
        for wrong in [watch(0, 1), watch(1_441, 1), watch(1, 0), watch(1, u64::MAX)] {
            assert_eq!(code(wrong, PolicyKind::Guard), Err(Code::InvalidField), "{wrong:?}");
        }
        assert_eq!(code(None, PolicyKind::Grayscale), Ok(None));
        assert_eq!(code(watch(5, 50), PolicyKind::Grayscale), Err(Code::InvalidField));
    }
}
