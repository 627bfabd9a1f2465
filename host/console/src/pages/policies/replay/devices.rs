//! How many devices of a record a grayscale policy changes, and a few of each change.

use std::time::{Duration, Instant};

use axum::http::Method;
use berth_model::{
    check::RecordedDevice,
    replay::{DeviceChange, DeviceCounts, NewReplay, ReplayedDevice, ReplayedDevices},
};

use crate::{
    act::Sent,
    parts::{Badge, Shown, Tone},
    refused::Refused,
    texts::Texts,
    visit::Visit,
};

/// When counting has taken so long, the page shows what is counted, and where it goes on. The API counts in parts.
const ENOUGH: Duration = Duration::from_secs(3);
/// How many devices are shown of each change.
const EXAMPLES: usize = 5;
/// The member of the address that has what was counted on the pages before.
const COUNTED: &str = "counted";

/// What was counted.
pub struct Devices {
    /// All that was counted for this question, also on the pages before.
    pub counts: DeviceCounts,
    /// Devices that this page has counted, those first that matter most.
    pub items: Vec<ReplayedDevice>,
    /// Where it goes on.
    pub next: Option<String>,
}

/// One line of what was counted.
pub struct Line {
    pub name: &'static str,
    pub count: u64,
}

/// Of one change a few devices.
pub struct Examples<'a> {
    pub change: DeviceChange,
    pub devices: Vec<&'a ReplayedDevice>,
}

impl Shown for DeviceChange {
    fn badge(&self, t: &Texts) -> Badge {
        let (tone, mark) = match self {
            Self::Same => (Tone::Neutral, "＝"),
            Self::NewlyAdmitted => (Tone::Ok, "+"),
            Self::NewlyRefused => (Tone::Bad, "−"),
            Self::Failed => (Tone::Warn, "!"),
        };
        Badge { tone, mark, word: name(*t, *self) }
    }
}

fn name(t: Texts, change: DeviceChange) -> &'static str {
    match change {
        DeviceChange::Same => t.replay_unchanged(),
        DeviceChange::NewlyAdmitted => t.replay_newly_admitted(),
        DeviceChange::NewlyRefused => t.replay_newly_refused(),
        DeviceChange::Failed => t.replay_no_judgement(),
    }
}

/// What matters most comes first.
const CHANGES: [DeviceChange; 4] =
    [DeviceChange::NewlyRefused, DeviceChange::NewlyAdmitted, DeviceChange::Failed, DeviceChange::Same];

impl Devices {
    pub fn lines(&self, t: Texts) -> Vec<Line> {
        CHANGES.map(|change| Line { name: name(t, change), count: self.counts.of(change) }).into()
    }

    /// The changes of which there are devices on this page.
    pub fn examples(&self) -> Vec<Examples<'_>> {
        let of = |change| Examples {
            change,
            devices: self.items.iter().filter(|one| one.change == change).take(EXAMPLES).collect(),
        };
        CHANGES.map(of).into_iter().filter(|one| !one.devices.is_empty()).collect()
    }
}

/// Asks part by part until there is no more, or it has taken long enough.
pub async fn count(
    visit: &Visit,
    mut ask: NewReplay,
    sent: &Sent,
    here: impl Fn(&[(&str, String)]) -> Option<String>,
) -> Result<Devices, Refused> {
    let began = Instant::now();
    let mut told = ReplayedDevices { counts: before(sent.get(COUNTED)), ..ReplayedDevices::default() };
    let mut is_first = true;
    loop {
        let part: ReplayedDevices = match visit.api.tell(Method::POST, "/v1/policy-replays", &ask).await {
            Ok(part) => part,
            Err(refused) if is_first => return Err(refused),
            // What was counted is shown: somebody else may have taken the turn.
            Err(_) => break,
        };
        is_first = false;
        told.counts = told.counts + part.counts;
        told.items.extend(part.items);
        ask.cursor = part.next;
        if ask.cursor.is_none() || began.elapsed() >= ENOUGH {
            break;
        }
    }
    let next = ask.cursor.and_then(|cursor| here(&[("cursor", cursor), (COUNTED, so_far(&told.counts))]));
    Ok(Devices { counts: told.counts, items: told.items, next })
}

/// What was counted, as addresses have it.
fn so_far(counts: &DeviceCounts) -> String {
    let DeviceCounts { devices, admitted, same, newly_admitted, newly_refused, failed } = counts;
    [devices, admitted, same, newly_admitted, newly_refused, failed].map(u64::to_string).join(".")
}

/// What an address has of it; nothing where it was written by hand.
fn before(counted: &str) -> DeviceCounts {
    let numbers: Vec<u64> = counted.split('.').filter_map(|number| number.parse::<u32>().ok().map(u64::from)).collect();
    match numbers[..] {
        [devices, admitted, same, newly_admitted, newly_refused, failed] => {
            DeviceCounts { devices, admitted, same, newly_admitted, newly_refused, failed }
        }
        _ => DeviceCounts::default(),
    }
}

fn with(name: &str, version: &str) -> String {
    format!("{name} {version}").trim().to_owned()
}

/// The host app of a device, with its version.
pub fn host_app(device: &RecordedDevice) -> String {
    with(device.host_app.as_str(), &device.host_version)
}

/// What else a device told of itself, in one line.
pub fn told(t: Texts, device: &RecordedDevice) -> String {
    let mut parts = vec![with(&device.platform, &device.os_version), device.network.clone()];
    parts.extend(device.current.iter().map(|version| t.replay_has_version(version)));
    parts.extend(device.attributes.iter().map(|(name, value)| format!("{name}: {value}")));
    parts.retain(|part| !part.is_empty());
    parts.join(", ")
}

/// What a revision said of a device: in a word, and in the words of the policy.
pub fn said(t: Texts, said: &str) -> (&'static str, &str) {
    match said.split_once(": ") {
        Some(("refuses", why)) => (t.replay_said_refuses(), why),
        Some(("gave no judgement", why)) => (t.replay_no_judgement(), why),
        _ => (t.replay_said_admits(), ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::texts::Language;

    #[test]
    fn g26_what_was_counted_goes_on_from_page_to_page() {
        let counts =
            DeviceCounts { devices: 21, admitted: 6, same: 5, newly_admitted: 1, newly_refused: 12, failed: 3 };
        assert_eq!(before(&so_far(&counts)), counts);
        for odd in ["", "1.2.3", "1.2.3.4.5.x", "1.2.3.4.5.-6", "1.2.3.4.5.99999999999999999999"] {
            assert_eq!(before(odd), DeviceCounts::default(), "{odd}");
        }
    }

    #[test]
    fn g26_what_is_said_of_a_device_is_a_word_and_the_reason_of_the_policy() {
        let t = Texts(Language::English);
        assert_eq!(said(t, "admits"), ("admits", ""));
        assert_eq!(said(t, "refuses: 7: too old"), ("refuses", "7: too old"));
        assert_eq!(said(t, "gave no judgement: It broke."), ("No judgement", "It broke."));
    }
}
