//! Whether conditions are at least as wide as others: whatever device the old ones admit, the new ones admit as well.
//! A running task may only be widened, as nobody who could get the version is to lose that chance unawares (G16).
//!
//! The judgement is on the safe side: it compares an alternative with one alternative, so that a range that only two
//! others cover together counts as lost, and it does not look into uploaded lists.

use std::{cmp::Ordering, fmt::Display};

use super::{Conditions, HostAppRange, ObjectList, PlatformRange};

/// What the old conditions admit and the new ones do not, a phrase for each; empty when the new ones are as wide.
pub fn lost(old: &Conditions, new: &Conditions) -> Vec<String> {
    let host_apps = alternatives("host_apps", &old.host_apps, &new.host_apps, host_app_within);
    let platforms = alternatives("platforms", &old.platforms, &new.platforms, platform_within);
    let networks = alternatives("networks", &old.networks, &new.networks, |old, new| old.eq_ignore_ascii_case(new));
    host_apps.into_iter().chain(platforms).chain(networks).chain(objects(&old.objects, &new.objects)).collect()
}

/// The alternatives of one condition that are within none of the new ones. Without new ones everybody is admitted, and
/// without old ones everybody was.
fn alternatives<T: Display>(name: &str, old: &[T], new: &[T], within: impl Fn(&T, &T) -> bool) -> Vec<String> {
    if new.is_empty() {
        return Vec::new();
    }
    if old.is_empty() {
        return vec![format!("{name}: everybody is admitted now")];
    }
    let is_lost = |one: &&T| !new.iter().any(|wider| within(one, wider));
    old.iter().filter(is_lost).map(|one| format!("{name}: {one}")).collect()
}

fn host_app_within(old: &HostAppRange, new: &HostAppRange) -> bool {
    let (old_range, new_range) =
        (Range::of(&old.min_version, &old.max_version), Range::of(&new.min_version, &new.max_version));
    old.id == new.id && old_range.within(&new_range)
}

fn platform_within(old: &PlatformRange, new: &PlatformRange) -> bool {
    let (old_range, new_range) = (Range::of(&old.min_os, &old.max_os), Range::of(&new.min_os, &new.max_os));
    old.platform == new.platform && old_range.within(&new_range)
}

fn objects(old: &[ObjectList], new: &[ObjectList]) -> Vec<String> {
    if new.is_empty() {
        return Vec::new();
    }
    if old.is_empty() {
        return vec!["objects: everybody is admitted now".into()];
    }
    old.iter().filter_map(|list| objects_lost(list, new)).collect()
}

fn objects_lost(old: &ObjectList, new: &[ObjectList]) -> Option<String> {
    let same_kind = || new.iter().filter(|list| list.kind == old.kind);
    if old.cohort.is_some() {
        let kept = same_kind().any(|list| list.cohort == old.cohort);
        return (!kept).then(|| format!("objects: {old}"));
    }
    let kept = |value: &&String| same_kind().any(|list| list.values.contains(value));
    let gone: Vec<_> = old.values.iter().filter(|value| !kept(value)).collect();
    let first = gone.first()?;
    let more = if gone.len() > 1 { format!(" and {} more", gone.len() - 1) } else { String::new() };
    Some(format!("objects: {} {first}{more}", old.kind))
}

/// A range of versions, both ends included. An upper end covers its whole family: up to `17` is up to 17.*.
struct Range<'a> {
    from: Option<&'a str>,
    to: Option<&'a str>,
}

impl<'a> Range<'a> {
    fn of(from: &'a Option<String>, to: &'a Option<String>) -> Self {
        Self { from: from.as_deref(), to: to.as_deref() }
    }

    /// Whether `wider` has every version of this range. A device that tells no readable version is in a range without
    /// ends only, and in each of these.
    fn within(&self, wider: &Self) -> bool {
        let from = match (self.from, wider.from) {
            (_, None) => true,
            (None, Some(_)) => false,
            (Some(narrow), Some(wide)) => is_at_most(wide, narrow, 0),
        };
        let to = match (self.to, wider.to) {
            (_, None) => true,
            (None, Some(_)) => false,
            (Some(narrow), Some(wide)) => is_at_most(narrow, wide, u64::MAX),
        };
        from && to
    }
}

/// Whether the version `a` is not above `b`, where parts that are missing count as `padding`. Texts that are no versions
/// are at most themselves.
fn is_at_most(a: &str, b: &str, padding: u64) -> bool {
    match (parts(a), parts(b)) {
        (Some(a), Some(b)) => compare(&a, &b, padding).is_le(),
        _ => a == b,
    }
}

fn parts(text: &str) -> Option<Vec<u64>> {
    let number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse().ok())?;
    text.split('.').map(number).collect()
}

fn compare(a: &[u64], b: &[u64], padding: u64) -> Ordering {
    let part = |parts: &[u64], at: usize| parts.get(at).copied().unwrap_or(padding);
    let differs = (0..a.len().max(b.len())).map(|at| part(a, at).cmp(&part(b, at))).find(|order| order.is_ne());
    differs.unwrap_or(Ordering::Equal)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::check::Device;
    use crate::rollout::ObjectKind;
    use crate::testing::device;

    fn conditions(value: Value) -> Conditions {
        serde_json::from_value(value).expect("conditions")
    }

    /// What `..17` means, written anew: a version is in a range when it is not below the lower end and, cut to the length
    /// of the upper end, not above that.
    fn in_range(told: &str, from: Option<&str>, to: Option<&str>) -> bool {
        if from.is_none() && to.is_none() {
            return true;
        }
        let Some(told) = parts(told) else { return false };
        let above = |from: &str| compare(&parts(from).expect("range"), &told, 0).is_le();
        let below = |to: &str| {
            let to = parts(to).expect("range");
            let cut: Vec<_> = (0..to.len()).map(|at| told.get(at).copied().unwrap_or(0)).collect();
            cut <= to
        };
        from.is_none_or(above) && to.is_none_or(below)
    }

    /// The conditions as README tells them (G4). An uploaded list has everybody whose key ends as its id does.
    fn admits(conditions: &Conditions, device: &Device) -> bool {
        let Conditions { host_apps, platforms, networks, objects } = conditions;
        let host_app = |one: &HostAppRange| {
            one.id == device.host_app
                && in_range(&device.host_version, one.min_version.as_deref(), one.max_version.as_deref())
        };
        let platform = |one: &PlatformRange| {
            one.platform.as_str().eq_ignore_ascii_case(&device.platform)
                && in_range(&device.os_version, one.min_os.as_deref(), one.max_os.as_deref())
        };
        let object = |list: &ObjectList| {
            let key = match list.kind {
                ObjectKind::Guid => Some(&device.guid),
                ObjectKind::DeviceId => device.device_id.as_ref(),
                ObjectKind::Account => device.account.as_ref(),
            };
            key.is_some_and(|key| {
                list.values.contains(key) || list.cohort.as_ref().is_some_and(|id| id.as_str().ends_with(key.as_str()))
            })
        };
        (host_apps.is_empty() || host_apps.iter().any(host_app))
            && (platforms.is_empty() || platforms.iter().any(platform))
            && (networks.is_empty() || networks.iter().any(|one| one.eq_ignore_ascii_case(&device.network)))
            && (objects.is_empty() || objects.iter().any(object))
    }

    fn version() -> impl Strategy<Value = String> {
        prop::collection::vec(0u8..4, 1..4)
            .prop_map(|parts| parts.iter().map(u8::to_string).collect::<Vec<_>>().join("."))
    }

    fn end() -> impl Strategy<Value = Option<String>> {
        prop::option::of(version())
    }

    fn some_conditions() -> impl Strategy<Value = Conditions> {
        let host_app = ("ha-(one|two)", end(), end()).prop_map(|(id, min_version, max_version)| HostAppRange {
            id: id.parse().expect("id"),
            min_version,
            max_version,
        });
        let platform = (0usize..3, end(), end()).prop_map(|(at, min_os, max_os)| PlatformRange {
            platform: crate::rollout::Platform::ALL[at],
            min_os,
            max_os,
        });
        let object =
            (0usize..3, prop::collection::vec("[a-c]", 1..3), any::<bool>()).prop_map(|(at, values, typed)| {
                let cohort = (!typed).then(|| format!("coh_{}{}", "0".repeat(25), values[0]).parse().expect("id"));
                ObjectList { kind: ObjectKind::ALL[at], values: if typed { values } else { Vec::new() }, cohort }
            });
        let some = |most: usize| 0..=most;
        (
            prop::collection::vec(host_app, some(2)),
            prop::collection::vec(platform, some(2)),
            prop::collection::vec("(wifi|WIFI|5g|4g)", some(2)),
            prop::collection::vec(object, some(2)),
        )
            .prop_map(|(host_apps, platforms, networks, objects)| Conditions {
                host_apps,
                platforms,
                networks,
                objects,
            })
    }

    /// Other conditions, or the same ones with something more or less.
    fn pair() -> impl Strategy<Value = (Conditions, Conditions)> {
        (some_conditions(), some_conditions(), any::<[bool; 4]>()).prop_map(|(old, other, keep)| {
            let mut new = old.clone();
            let merge = [keep[0], keep[1]];
            if merge[0] && !new.host_apps.is_empty() {
                new.host_apps.extend(other.host_apps.clone());
            }
            if merge[1] && !new.objects.is_empty() {
                new.objects.extend(other.objects.clone());
            }
            if keep[2] {
                new.platforms = other.platforms.clone();
            }
            if keep[3] {
                new.networks = other.networks.clone();
            }
            (old, new)
        })
    }

    fn some_device() -> impl Strategy<Value = Device> {
        let told = || prop_oneof![4 => version(), 1 => Just(String::new())];
        ("ha-(one|two)", told(), 0usize..3, told(), "(wifi|5g|4g)", "[a-c]", prop::option::of("[a-c]")).prop_map(
            |(host_app, host_version, at, os_version, network, guid, account)| Device {
                host_app: host_app.parse().expect("id"),
                host_version,
                platform: crate::rollout::Platform::ALL[at].to_string(),
                os_version,
                network,
                account,
                ..device(&guid)
            },
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4000))]

        #[test]
        fn g16_whoever_the_old_conditions_admit_the_wider_ones_admit((old, new) in pair(), device in some_device()) {
            if lost(&old, &new).is_empty() && admits(&old, &device) {
                prop_assert!(admits(&new, &device), "{old:?} {new:?}");
            }
        }

        #[test]
        fn g16_conditions_are_as_wide_as_themselves_and_none_are_the_widest(some in some_conditions()) {
            prop_assert!(lost(&some, &some).is_empty());
            prop_assert!(lost(&some, &Conditions::default()).is_empty());
            prop_assert_eq!(lost(&Conditions::default(), &some).is_empty(), some.is_empty());
        }
    }

    #[test]
    fn g16_what_is_lost_is_named() {
        let old = conditions(json!({
            "host_apps": [{"id": "ha-shop", "min_version": "3.2", "max_version": "3.9"}],
            "platforms": [{"platform": "android"}],
            "networks": ["wifi", "5g"],
            "objects": [{"kind": "guid", "values": ["a", "b", "c"]}],
        }));
        let new = conditions(json!({
            "host_apps": [{"id": "ha-shop", "min_version": "3.3"}],
            "platforms": [{"platform": "android", "min_os": "12"}],
            "networks": ["WIFI"],
            "objects": [{"kind": "guid", "values": ["b"]}],
        }));
        let lost = lost(&old, &new);
        let starts = ["host_apps: ha-shop 3.2", "platforms: android", "networks: 5g", "objects: guid a and 1 more"];
        assert_eq!(lost.len(), starts.len(), "{lost:?}");
        assert!(lost.iter().zip(starts).all(|(lost, start)| lost.starts_with(start)), "{lost:?}");
    }

    #[test]
    fn g16_a_range_widens_at_its_ends() {
        let platform = |range: Value| {
            let mut one = json!({"platform": "ios"});
            one.as_object_mut().expect("object").extend(range.as_object().expect("object").clone());
            conditions(json!({"platforms": [one]}))
        };
        let old = platform(json!({"min_os": "12.1", "max_os": "17"}));
        for wider in [json!({"min_os": "12"}), json!({"min_os": "12.1.0", "max_os": "17"}), json!({"max_os": "18.0"})] {
            assert!(lost(&old, &platform(wider.clone())).is_empty(), "{wider}");
        }
        for narrower in [json!({"min_os": "12.2"}), json!({"max_os": "17.4"}), json!({"max_os": "16"})] {
            assert!(!lost(&old, &platform(narrower.clone())).is_empty(), "{narrower}");
        }
    }
}
