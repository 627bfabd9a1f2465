//! What a grayscale policy would change for the devices of a record (G26).

use std::{iter::Sum, ops::Add};

use serde::{Deserialize, Serialize};

use berth_base::{clock::Millis, text::text_enum};

use crate::{
    check::RecordedDevice,
    policy::{Evaluation, GrayVerdict, Outcome},
};

text_enum! {
    /// What a revision changes for one device.
    DeviceChange {
        /// Nothing: both admit it, or both refuse it.
        Same = "same",
        /// It would admit the device, which was refused.
        NewlyAdmitted = "newly_admitted",
        /// It would refuse the device, which was admitted.
        NewlyRefused = "newly_refused",
        /// One of the two gave no judgement, or asked what is not recorded, so that there is nothing to compare.
        Failed = "failed",
    }
}

/// A device of a record.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
pub struct RecordedRow {
    /// What stands for its guid. It cannot be traced back once the record has ended.
    pub stand_in: String,
    /// When it asked last.
    pub asked_at: Millis,
    /// What is recorded of it.
    #[serde(flatten)]
    pub device: RecordedDevice,
}

/// What a revision said about a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeviceSaid {
    /// It may have the version.
    Admits,
    /// It may not, for this reason.
    Refuses(String),
    /// Nothing, for this reason.
    Nothing(String),
}

impl DeviceSaid {
    /// What a policy answered. When it asked for what is not recorded, its answer says nothing, whatever it is.
    pub fn of(asked: Evaluation<GrayVerdict>, unknown: Option<String>) -> Self {
        match (asked.outcome, unknown) {
            (_, Some(unknown)) => Self::Nothing(unknown),
            (Outcome::Verdict(GrayVerdict::Admit), None) => Self::Admits,
            (Outcome::Verdict(GrayVerdict::Refuse(reason)), None) => Self::Refuses(reason),
            (broken, None) => Self::Nothing(broken.trouble().unwrap_or_default()),
        }
    }

    fn in_words(&self) -> String {
        match self {
            Self::Admits => "admits".into(),
            Self::Refuses(reason) => format!("refuses: {reason}"),
            Self::Nothing(reason) => format!("gave no judgement: {reason}"),
        }
    }
}

/// What a revision would change for one device.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
pub struct ReplayedDevice {
    /// What changes.
    pub change: DeviceChange,
    /// What the new revision says.
    pub new: String,
    /// What the other one says; absent when there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub against: Option<String>,
    /// The device.
    #[serde(flatten)]
    pub row: RecordedRow,
}

/// How many devices a revision changes, and in which way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
pub struct DeviceCounts {
    /// All devices that were judged.
    pub devices: u64,
    /// Those that the new revision admits.
    pub admitted: u64,
    /// Those for which nothing changes.
    pub same: u64,
    /// Those that would be admitted and were not.
    pub newly_admitted: u64,
    /// Those that would be refused and were not.
    pub newly_refused: u64,
    /// Those about which one revision gave no judgement.
    pub failed: u64,
}

impl DeviceCounts {
    /// How many there are of a change.
    pub fn of(&self, change: DeviceChange) -> u64 {
        match change {
            DeviceChange::Same => self.same,
            DeviceChange::NewlyAdmitted => self.newly_admitted,
            DeviceChange::NewlyRefused => self.newly_refused,
            DeviceChange::Failed => self.failed,
        }
    }

    fn one(change: DeviceChange, new: &DeviceSaid) -> Self {
        let is = |one| u64::from(change == one);
        Self {
            devices: 1,
            admitted: u64::from(*new == DeviceSaid::Admits),
            same: is(DeviceChange::Same),
            newly_admitted: is(DeviceChange::NewlyAdmitted),
            newly_refused: is(DeviceChange::NewlyRefused),
            failed: is(DeviceChange::Failed),
        }
    }
}

impl Add for DeviceCounts {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            devices: self.devices + other.devices,
            admitted: self.admitted + other.admitted,
            same: self.same + other.same,
            newly_admitted: self.newly_admitted + other.newly_admitted,
            newly_refused: self.newly_refused + other.newly_refused,
            failed: self.failed + other.failed,
        }
    }
}

impl Sum for DeviceCounts {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), Self::add)
    }
}

/// A part of what a revision would change for the devices of a record.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
pub struct ReplayedDevices {
    /// The numbers of this part; those of all parts add up.
    pub counts: DeviceCounts,
    /// Of each change the first devices of this part.
    pub items: Vec<ReplayedDevice>,
    /// The cursor of the next part; absent after the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

impl ReplayedDevices {
    /// Counts a device, and names it unless nothing changes for it or `most` are named for the same change. Without `against`
    /// every device had passed.
    pub fn add(&mut self, row: RecordedRow, new: &DeviceSaid, against: Option<&DeviceSaid>, most: usize) {
        let change = change(new, against.unwrap_or(&DeviceSaid::Admits));
        self.counts = self.counts + DeviceCounts::one(change, new);
        if change != DeviceChange::Same && self.counts.of(change) <= most as u64 {
            let (new, against) = (new.in_words(), against.map(DeviceSaid::in_words));
            self.items.push(ReplayedDevice { change, new, against, row });
        }
    }
}

fn change(new: &DeviceSaid, old: &DeviceSaid) -> DeviceChange {
    match (old, new) {
        (DeviceSaid::Nothing(_), _) | (_, DeviceSaid::Nothing(_)) => DeviceChange::Failed,
        (DeviceSaid::Refuses(_), DeviceSaid::Admits) => DeviceChange::NewlyAdmitted,
        (DeviceSaid::Admits, DeviceSaid::Refuses(_)) => DeviceChange::NewlyRefused,
        (DeviceSaid::Admits, DeviceSaid::Admits) | (DeviceSaid::Refuses(_), DeviceSaid::Refuses(_)) => {
            DeviceChange::Same
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{DAWN, device};

    fn row(stand_in: &str) -> RecordedRow {
        let device = RecordedDevice::of(&device("g"), None, &[]);
        RecordedRow { stand_in: stand_in.into(), asked_at: DAWN, device }
    }

    fn refuses(why: &str) -> DeviceSaid {
        DeviceSaid::Refuses(why.into())
    }

    #[test]
    fn g26_what_changes_for_a_device_is_whether_it_is_admitted() {
        let (admits, nothing) = (DeviceSaid::Admits, DeviceSaid::Nothing("It broke.".into()));
        let (one, other) = (refuses("one"), refuses("other"));
        for (old, new, expected) in [
            (Some(&admits), &admits, DeviceChange::Same),
            (Some(&one), &other, DeviceChange::Same),
            (Some(&one), &admits, DeviceChange::NewlyAdmitted),
            (Some(&admits), &one, DeviceChange::NewlyRefused),
            (Some(&nothing), &admits, DeviceChange::Failed),
            (Some(&admits), &nothing, DeviceChange::Failed),
            (None, &admits, DeviceChange::Same),
            (None, &one, DeviceChange::NewlyRefused),
            (None, &nothing, DeviceChange::Failed),
        ] {
            let mut told = ReplayedDevices::default();
            told.add(row("a"), new, old, 5);
            assert_eq!((told.counts.of(expected), told.counts.devices), (1, 1), "{old:?} {new:?}");
            assert_eq!(told.counts.admitted, u64::from(*new == admits));
            let named: Vec<_> = told.items.iter().map(|one| one.change).collect();
            assert_eq!(named, if expected == DeviceChange::Same { vec![] } else { vec![expected] });
        }
    }

    #[test]
    fn g26_all_are_counted_and_a_few_of_each_change_are_named() {
        let mut told = ReplayedDevices::default();
        for number in 0..9 {
            told.add(row(&format!("{number}")), &refuses("why"), None, 2);
        }
        told.add(row("x"), &DeviceSaid::Admits, Some(&refuses("why")), 2);
        let named: Vec<_> = told.items.iter().map(|one| one.row.stand_in.as_str()).collect();
        assert_eq!((told.counts.newly_refused, named), (9, vec!["0", "1", "x"]));
        assert_eq!((told.items[0].new.as_str(), &told.items[0].against), ("refuses: why", &None));
        assert_eq!(told.items[2].against.as_deref(), Some("refuses: why"));
        let double: DeviceCounts = [told.counts, told.counts].into_iter().sum();
        assert_eq!((double.devices, double.newly_refused, double.newly_admitted), (20, 18, 2));
    }

    #[test]
    fn g26_what_asked_for_something_unknown_has_said_nothing() {
        let asked = || Evaluation::without_run(Outcome::Verdict(GrayVerdict::Admit), Default::default());
        assert_eq!(DeviceSaid::of(asked(), None), DeviceSaid::Admits);
        assert_eq!(DeviceSaid::of(asked(), Some("why".into())), DeviceSaid::Nothing("why".into()));
        assert_eq!(
            DeviceSaid::of(Evaluation::failed("why".into()), None),
            DeviceSaid::Nothing(Outcome::<GrayVerdict>::Failed { message: "why".into() }.trouble().expect("trouble"))
        );
    }
}
