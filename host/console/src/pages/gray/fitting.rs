//! Devices that the conditions of a gray task take, made up to ask as one of them.

use berth_model::rollout::{
    Conditions, GrayTask, HostAppRange, ObjectKind, ObjectList, Platform, PlatformRange, TaskPolicy,
};

use crate::act::Sent;

/// How many devices are made up for a task that chooses by more than its conditions.
const MOST: usize = 1_000;

/// What these devices say of themselves, one after the other; `host_app` where the task takes all host apps. Where the guid makes no
/// difference there is one.
pub fn devices(task: &GrayTask, host_app: &str) -> Vec<Sent> {
    // Whoever adds a condition is told here that the device must meet it.
    let Conditions { host_apps, platforms, networks, objects } = &task.conditions;
    let mut says = of_host_app(host_apps, host_app);
    says.extend(of_platform(platforms));
    says.push(("network", networks.first().map_or("wifi", String::as_str)));
    let guids: Vec<String> = typed(objects, ObjectKind::Guid).map(str::to_owned).collect();
    let guids = match guids.is_empty() {
        false => guids,
        true => {
            let id = typed(objects, ObjectKind::DeviceId).next().map(|id| ("device_id", id));
            let account = || typed(objects, ObjectKind::Account).next().map(|account| ("account", account));
            let named = id.or_else(account);
            // The members of an uploaded list are told to nobody.
            let is_known = objects.is_empty() || named.is_some();
            says.extend(named);
            let chooses = is_known && !task.policies.iter().all(TaskPolicy::is_standard);
            (1..=if chooses { MOST } else { 1 }).map(|number| format!("phone-{number}")).collect()
        }
    };
    let device = |guid: String| {
        let says = says.iter().map(|(field, value)| ((*field).to_owned(), (*value).to_owned()));
        Sent(std::iter::once(("guid".to_owned(), guid)).chain(says).collect())
    };
    guids.into_iter().map(device).collect()
}

fn of_host_app<'a>(ranges: &'a [HostAppRange], host_app: &'a str) -> Vec<(&'static str, &'a str)> {
    match ranges.first() {
        Some(HostAppRange { id, min_version, max_version }) => {
            vec![("host_app", id.as_str()), ("host_version", within(min_version, max_version))]
        }
        None => vec![("host_app", host_app)],
    }
}

fn of_platform(ranges: &[PlatformRange]) -> Vec<(&'static str, &str)> {
    match ranges.first() {
        Some(PlatformRange { platform, min_os, max_os }) => {
            vec![("platform", platform.as_str()), ("os_version", within(min_os, max_os))]
        }
        None => vec![("platform", Platform::Android.as_str())],
    }
}

/// A version in a range with both ends in it.
fn within<'a>(min: &'a Option<String>, max: &'a Option<String>) -> &'a str {
    min.as_deref().or(max.as_deref()).unwrap_or_default()
}

/// What the lists of a kind hold that were typed.
fn typed(lists: &[ObjectList], kind: ObjectKind) -> impl Iterator<Item = &str> {
    lists.iter().filter(move |list| list.kind == kind).flat_map(|list| list.values.iter().map(String::as_str))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// What the first device says for a task with these conditions, and how many devices there are.
    fn first(conditions: Value, has_share: bool) -> (String, usize) {
        let share = json!({"binding": "pb_00000000000000000000000000", "name": "percentage", "kind": "grayscale",
            "policy": "percentage", "digest": "0".repeat(64), "config": {"percent": 20}, "mode": "enforce",
            "on_error": "closed", "limits": {}});
        let task = json!({"id": "gray_00000000000000000000000000", "mini_app": "coffee", "name": "canary", "version": "1.1.0",
            "state": "delivering", "honoured": false, "start": "2030-01-31T08:00:00.000Z", "end": "2030-02-01T08:00:00.000Z",
            "admitted": 0, "conditions": conditions, "in_words": [], "policies": if has_share { vec![share] } else { vec![] },
            "created_by": "usr_00000000000000000000000000", "created_at": "2030-01-31T08:00:00.000Z", "moves": []});
        let devices = devices(&serde_json::from_value(task).unwrap(), "mall");
        let says = devices[0].0.iter().map(|(field, value)| format!("{field}={value}")).collect::<Vec<_>>().join(" ");
        (says, devices.len())
    }

    #[test]
    fn g4_the_device_meets_each_condition_of_the_task() {
        let list = |kind: &str, values: &[&str]| json!({"objects": [{"kind": kind, "values": values}]});
        let cases = [
            (json!({}), "guid=phone-1 host_app=mall platform=android network=wifi"),
            (
                json!({"host_apps": [{"id": "shop", "max_version": "8.1"}], "platforms": [{"platform": "ios", "min_os": "17"}]}),
                "guid=phone-1 host_app=shop host_version=8.1 platform=ios os_version=17 network=wifi",
            ),
            (json!({"networks": ["5g", "4g"]}), "guid=phone-1 host_app=mall platform=android network=5g"),
            (list("guid", &["a", "b"]), "guid=a host_app=mall platform=android network=wifi"),
            (list("device_id", &["d"]), "guid=phone-1 host_app=mall platform=android network=wifi device_id=d"),
            (list("account", &["ann"]), "guid=phone-1 host_app=mall platform=android network=wifi account=ann"),
        ];
        for (conditions, says) in cases {
            assert_eq!(first(conditions, false).0, says);
        }
    }

    #[test]
    fn g11_many_devices_are_made_up_only_where_the_guid_makes_a_difference() {
        let uploaded = json!({"objects": [{"kind": "guid", "values": [], "cohort": "coh_00000000000000000000000000"}]});
        let typed = json!({"objects": [{"kind": "guid", "values": ["a", "b"]}]});
        let counts = [(json!({}), false, 1), (json!({}), true, MOST), (uploaded, true, 1), (typed, true, 2)];
        for (conditions, has_share, expected) in counts {
            assert_eq!(first(conditions.clone(), has_share).1, expected, "{conditions}");
        }
    }
}
