//! A record of the devices that asked for a MiniApp, which is off unless somebody switches it on (G25). With it a grayscale policy is
//! tried before it decides (G26).
//!
//! Of whom it records it knows nothing: a device has a *stand-in* in place of its guid, made with a key that is thrown away when
//! the record ends. Policies that are replayed see the stand-in as the guid, so that a percentage takes as many devices as it
//! would, though not the same.

use std::collections::{BTreeMap, BTreeSet};

use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use berth_base::{
    clock::Millis,
    error::{Error, Result},
    ids::{CohortId, HostAppId, MiniAppId},
    text::short,
    version::VersionNumber,
};

use super::Device;
use crate::rollout::ObjectKind;

/// For how many days a record is kept up at most.
pub const MOST_DAYS: i64 = 30;
/// For how many days a device stays in the record after it has asked.
pub const KEPT_DAYS: i64 = 30;
/// How many attributes, and how many lists, a record names at most.
pub const MOST_NAMED: usize = 16;

const DAY_SECONDS: i64 = 24 * 3600;
/// Shares are told in percent, and counted in hundredths of it.
const HUNDREDTHS: f64 = 100.0;
/// All devices, in hundredths of a percent.
const WHOLE: u32 = 10_000;

fn one() -> f64 {
    1.0
}

/// How to record the devices that ask for a MiniApp.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetCheckRecord {
    /// How many of the devices, in percent: 0.01 to 100, with two decimals at most; 1 when absent. A device is recorded with all
    /// that it asks or with nothing.
    #[serde(default = "one")]
    pub percent: f64,
    /// When it ends; within 30 days.
    pub ends_at: Millis,
    /// Names of attributes of the host app that are kept, at most 16; no others are. Name none that tells who somebody is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attributes: Vec<String>,
    /// Uploaded lists of which is kept whether a device is in them, at most 16, besides those that grayscale tasks use.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lists: Vec<CohortId>,
}

impl SetCheckRecord {
    /// The share of the devices in hundredths of a percent, when all is in bounds.
    ///
    /// # Errors
    /// `invalid-field`.
    pub fn check(&self, now: Millis) -> Result<Share> {
        let share = (self.percent * HUNDREDTHS).round();
        if !(1.0..=f64::from(WHOLE)).contains(&share) || (share / HUNDREDTHS - self.percent).abs() > 1e-6 {
            return Err(Error::field("percent", "must be 0.01 to 100, with two decimals at most."));
        }
        if self.ends_at <= now || self.ends_at > now.plus_seconds(MOST_DAYS * DAY_SECONDS) {
            return Err(Error::field("ends_at", format!("must be within the next {MOST_DAYS} days.")));
        }
        for (field, count) in [("attributes", self.attributes.len()), ("lists", self.lists.len())] {
            if count > MOST_NAMED {
                return Err(Error::field(field, format!("must be at most {MOST_NAMED}.")));
            }
        }
        self.attributes.iter().try_for_each(|name| short("attributes", name))?;
        Ok(Share(share as u16))
    }
}

/// A share of the devices, in hundredths of a percent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share(pub u16);

impl Share {
    /// The share in percent.
    pub fn percent(self) -> f64 {
        f64::from(self.0) / HUNDREDTHS
    }
}

/// The record of the devices that ask for a MiniApp.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, utoipa::ToSchema)]
pub struct CheckRecord {
    /// Id of the MiniApp.
    pub mini_app: MiniAppId,
    /// Whether devices are recorded now.
    pub recording: bool,
    /// How many of the devices, in percent; absent when there is no record, as all that follows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub percent: Option<f64>,
    /// The attributes that are kept.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attributes: Vec<String>,
    /// The lists that it names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lists: Vec<CohortId>,
    /// When it was begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Millis>,
    /// The account that has begun it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_by: Option<String>,
    /// When it ends, or has ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<Millis>,
    /// How many checks were recorded. A device that asks again takes the place of what it had asked before.
    #[serde(default)]
    pub checks: u64,
    /// How many devices are in the record now.
    #[serde(default)]
    pub devices: u64,
}

impl CheckRecord {
    /// There is no record of this MiniApp.
    pub fn none(mini_app: MiniAppId) -> Self {
        Self {
            mini_app,
            recording: false,
            percent: None,
            attributes: Vec::new(),
            lists: Vec::new(),
            started_at: None,
            started_by: None,
            ends_at: None,
            checks: 0,
            devices: 0,
        }
    }
}

/// Until when a device must have asked to be in a record at `now` no more.
pub fn forgotten_by(now: Millis) -> Millis {
    now.plus_seconds(-KEPT_DAYS * DAY_SECONDS)
}

/// Makes stand-ins for guids. Whoever has the key can find a device that they know by its guid again, so that the key goes when
/// the record ends.
#[derive(Clone)]
pub struct StandIns([u8; 32]);

impl StandIns {
    /// Stand-ins that are made with this key.
    pub fn new(key: [u8; 32]) -> Self {
        Self(key)
    }

    /// The stand-in of a guid, when its device is among the share that is recorded. The share goes by other bytes than the stand-in, whose
    /// buckets would be those of a part otherwise.
    pub fn of(&self, guid: &str, share: Share) -> Option<String> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).ok()?;
        mac.update(guid.as_bytes());
        let bytes: [u8; 32] = mac.finalize().into_bytes().into();
        let (name, lot) = bytes.split_first_chunk::<16>()?;
        let lot = u32::from_be_bytes(*lot.first_chunk()?) % WHOLE;
        (lot < u32::from(share.0)).then(|| format!("{:032x}", u128::from_be_bytes(*name)))
    }
}

/// What is recorded of a device that asked: what policies see of it, without what tells whose it is.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
pub struct RecordedDevice {
    /// Id of the host app.
    pub host_app: HostAppId,
    /// Version of the host app.
    pub host_version: String,
    /// Version of the SDK.
    pub sdk_version: String,
    /// Operating system.
    pub platform: String,
    /// Version of the operating system.
    pub os_version: String,
    /// Network that it used.
    pub network: String,
    /// The version of the MiniApp that it had.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current: Option<VersionNumber>,
    /// Those of the host app's attributes that the record names.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, String>,
    /// Whether it told the id of its hardware.
    pub has_device_id: bool,
    /// Whether somebody was logged in.
    pub has_account: bool,
    /// The lists that were known when it asked, each with what of the device is in it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub lists: BTreeMap<CohortId, BTreeSet<ObjectKind>>,
}

impl RecordedDevice {
    /// What is recorded of a device. Its place in lists is not among it.
    pub fn of(device: &Device, current: Option<&VersionNumber>, attributes: &[String]) -> Self {
        let kept = |name: &String| device.attributes.get(name).map(|value| (name.clone(), value.clone()));
        Self {
            host_app: device.host_app.clone(),
            host_version: device.host_version.clone(),
            sdk_version: device.sdk_version.clone(),
            platform: device.platform.clone(),
            os_version: device.os_version.clone(),
            network: device.network.clone(),
            current: current.cloned(),
            attributes: attributes.iter().filter_map(kept).collect(),
            has_device_id: device.device_id.is_some(),
            has_account: device.account.is_some(),
            lists: BTreeMap::new(),
        }
    }

    /// The device as policies see it in a replay: with texts that are its own in place of whose it is.
    pub fn seen_as(&self, stand_in: &str) -> Device {
        Device {
            host_app: self.host_app.clone(),
            host_version: self.host_version.clone(),
            sdk_version: self.sdk_version.clone(),
            platform: self.platform.clone(),
            os_version: self.os_version.clone(),
            guid: stand_in.to_owned(),
            device_id: self.has_device_id.then(|| format!("device-of-{stand_in}")),
            account: self.has_account.then(|| format!("account-of-{stand_in}")),
            network: self.network.clone(),
            attributes: self.attributes.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::testing::{DAWN, device, v};

    fn set(percent: f64, seconds: i64) -> SetCheckRecord {
        SetCheckRecord { percent, ends_at: DAWN.plus_seconds(seconds), attributes: Vec::new(), lists: Vec::new() }
    }

    #[test]
    fn g25_a_record_has_a_share_and_an_end() {
        for (percent, share) in [(0.01, 1), (0.29, 29), (1.0, 100), (12.5, 1250), (100.0, 10_000)] {
            assert_eq!(set(percent, 60).check(DAWN).expect("in bounds"), Share(share));
            assert_eq!(Share(share).percent(), percent);
        }
        for wrong in [0.0, 0.001, 0.015, -1.0, 100.01, f64::NAN, f64::INFINITY] {
            assert!(set(wrong, 60).check(DAWN).is_err(), "{wrong}");
        }
        let most = MOST_DAYS * DAY_SECONDS;
        assert!(set(1.0, most).check(DAWN).is_ok());
        for wrong in [-1, 0, most + 1] {
            assert_eq!(set(1.0, wrong).check(DAWN).expect_err("out of bounds").fields["field"], "ends_at");
        }
        let many = SetCheckRecord { attributes: vec!["a".into(); MOST_NAMED + 1], ..set(1.0, 60) };
        assert!(many.check(DAWN).is_err());
    }

    #[test]
    fn g25_a_device_keeps_its_stand_in_and_is_recorded_always_or_never() {
        let stand_ins = StandIns::new([7; 32]);
        let guids: Vec<_> = (0..2000).map(|number| format!("device-{number}")).collect();
        let of = |share| guids.iter().filter_map(|guid| stand_ins.of(guid, Share(share))).collect::<Vec<_>>();
        let (all, tenth, more) = (of(10_000), of(1_000), of(2_000));
        assert_eq!((all.len(), &all), (2000, &of(10_000)));
        assert!((120..280).contains(&tenth.len()), "{}", tenth.len());
        assert!(tenth.iter().all(|one| more.contains(one)), "a greater share has those of the smaller one");
        assert_eq!(all.iter().collect::<HashSet<_>>().len(), 2000);
        let others = StandIns::new([8; 32]);
        assert!(guids.iter().all(|guid| others.of(guid, Share(10_000)) != stand_ins.of(guid, Share(10_000))));
    }

    #[test]
    fn g25_nothing_of_a_person_is_kept_and_attributes_are_those_that_are_named() {
        let mut asked = device("guid-canary");
        asked.device_id = Some("hardware-canary".into());
        asked.account = Some("alice-canary".into());
        asked.attributes =
            [("city", "Suzhou"), ("phone", "canary")].map(|(name, value)| (name.into(), value.into())).into();
        let kept = RecordedDevice::of(&asked, Some(&v("1.0.0")), &["city".into(), "model".into()]);
        let text = serde_json::to_string(&kept).expect("JSON");
        assert!(!text.contains("canary") && text.contains("Suzhou"), "{text}");
        let seen = kept.seen_as("ab12");
        assert_eq!((seen.guid.as_str(), seen.account.as_deref()), ("ab12", Some("account-of-ab12")));
        assert_eq!((seen.os_version.as_str(), seen.attributes.len()), ("14", 1));
        let nobody = RecordedDevice::of(&device("g"), None, &[]).seen_as("ab12");
        assert_eq!((nobody.account, nobody.device_id), (None, None), "what was not told is not made up");
    }
}
