//! `berth policy replay`: what a policy would change before it decides.

use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget};
use serde_json::{Value, json};

use super::binding::{find, overrides};
use berth_base::{ids::PolicyBindingId, page::Page, text};
use berth_model::{
    policy::{Finding, registry::PolicyScope},
    replay::{
        DeviceChange, DeviceCounts, MOST_VERSIONS, NewReplay, ReplayChange, ReplayCounts, ReplayOver, ReplayedDevice,
        ReplayedDevices, ReplayedVersion, Revision,
    },
};

use crate::{
    answer::read,
    call::Call,
    client::Client,
    failure::{Done, Failure},
    findings,
    paint::{Paint, clean, state},
    parse::{ConfigSource, one_of, scope},
    session::Session,
    table::{Card, Cell},
};

/// How many versions are shown with what changes for them.
const MOST_SHOWN: usize = 10;
/// How many devices are shown of each change.
const FEW_DEVICES: usize = 3;

/// The arguments of `berth policy replay`.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  berth policy replay no-maps@0.2.0 --against no-maps@0.1.0
  berth policy replay size-limits --config stricter.json --against pb_01…
  berth policy replay no-maps --scope app:mp-shop --versions submitted
  berth policy replay expression --config new.json --against pb_01… --scope app:mp-shop
  berth policy replay percentage --config '{\"percent\": 20}' --scope gray-task:gray_01…

An auditor judges versions. A grayscale policy judges devices, all that berth gray record has of a MiniApp; without --against every
device counts as admitted before. NEW need not be bound. Nothing is stored, and no audit waits for it. Of a binding, --against takes the config and the limits, too; NEW
gets the same unless --config or --limits says otherwise.")]
pub struct Replay {
    /// The auditor or grayscale policy to try: its name (for the newest version), NAME@VERSION or digest
    #[arg(value_name = "NEW")]
    pub new: String,
    /// Compare it with this one: NAME, NAME@VERSION, digest, or a binding; without it every finding counts as new,
    /// and every device as admitted before
    #[arg(long, value_name = "OLD")]
    pub against: Option<String>,
    /// The config of NEW: a JSON file, or JSON text
    #[arg(long, value_name = "CONFIG")]
    pub config: Option<ConfigSource>,
    /// The config of OLD, when it is not that of NEW
    #[arg(long, value_name = "CONFIG", requires = "against")]
    pub against_config: Option<ConfigSource>,
    /// Limits in place of the default ones, of both: a JSON file, or JSON text such as {"deadline_ms": 60000}
    #[arg(long, value_name = "LIMITS")]
    pub limits: Option<ConfigSource>,
    /// Whose versions are judged: platform, host-app:ID or app:ID. For a grayscale policy whose devices: app:ID, or gray-task:ID to
    /// tell it of that task
    #[arg(long, value_parser = scope, default_value = "platform")]
    pub scope: PolicyScope,
    /// Of each MiniApp the newest version that is online, approved or under audit, or all that were ever submitted
    #[arg(long, value_parser = one_of!(ReplayOver), default_value = "newest")]
    pub versions: ReplayOver,
    /// How many versions are judged at most, the newest first; devices are judged all
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub limit: u32,
}

/// Runs `berth policy replay`.
pub async fn run(args: Replay, session: &mut Session) -> Done {
    let client = session.client()?;
    let (limit, names) = (args.limit, (args.new.clone(), args.against.clone()));
    let mut ask = question(args, &client).await?;
    let target = if session.out.json { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
    let bar = ProgressBar::with_draw_target(Some(limit.into()), target);
    let mut items: Vec<Value> = Vec::new();
    loop {
        let left = limit.saturating_sub(items.len() as u32);
        ask.limit = Some(left.min(MOST_VERSIONS));
        let answer = client.value(Call::ask("/v1/policy-replays").json(&ask)).await?;
        if answer.get("counts").is_some() {
            bar.finish_and_clear();
            return devices(&client, session, &names, ask, answer).await;
        }
        let page: Page<Value> = read(&answer)?;
        items.extend(page.items);
        bar.set_position(items.len() as u64);
        ask.cursor = page.next;
        if ask.cursor.is_none() || items.len() as u32 >= limit {
            break;
        }
    }
    bar.finish_and_clear();
    let all: Vec<ReplayedVersion> = items.iter().map(read).collect::<Result<_, _>>()?;
    let counts: ReplayCounts = all.iter().map(ReplayCounts::from).sum();
    let document = json!({"counts": counts, "more_versions": ask.cursor.is_some(), "items": items});
    session.out.show(&document, |_: Value, paint| view(&names, &counts, &all, ask.cursor.is_some(), paint))
}

/// Asks for all devices of a record after the first answer, and shows what a grayscale policy changes for them.
async fn devices(client: &Client, session: &mut Session, names: &Names, mut ask: NewReplay, first: Value) -> Done {
    let mut told: ReplayedDevices = read(&first)?;
    while let Some(next) = told.next.take() {
        ask.cursor = Some(next);
        let more: ReplayedDevices = read(&client.value(Call::ask("/v1/policy-replays").json(&ask)).await?)?;
        told.counts = told.counts + more.counts;
        told.items.extend(more.items);
        told.next = more.next;
    }
    told.items.sort_by_key(|one| device_rank(one.change));
    let document = json!({"counts": told.counts, "items": told.items});
    session.out.show(&document, |_: Value, paint| view_devices(names, &told.counts, &told.items, paint))
}

/// What to ask the host. A binding is looked up: it has a config and limits.
async fn question(args: Replay, client: &Client) -> Result<NewReplay, Failure> {
    let load = |source: Option<ConfigSource>| source.map(|source| source.load()).transpose();
    let (config, against_config) = (load(args.config)?, load(args.against_config)?);
    let limits = load(args.limits)?.as_ref().map(overrides).transpose()?;
    let bound = match args.against.as_deref().map(str::parse::<PolicyBindingId>) {
        Some(Ok(id)) => Some(find(client, &id).await?),
        _ => None,
    };
    let told = |config: Option<Value>| {
        config.or_else(|| bound.as_ref().map(|bound| bound.config.clone())).unwrap_or_else(|| json!({}))
    };
    let limits = limits.or_else(|| bound.as_ref().map(|bound| bound.limits.clone())).unwrap_or_default();
    let new = Revision { policy: args.new, config: told(config), limits: limits.clone() };
    let against = match (&bound, args.against) {
        (Some(bound), _) => Some(Revision {
            policy: bound.digest.to_string(),
            config: against_config.unwrap_or_else(|| bound.config.clone()),
            limits: bound.limits.clone(),
        }),
        (None, Some(policy)) => {
            Some(Revision { policy, config: against_config.unwrap_or_else(|| new.config.clone()), limits })
        }
        (None, None) => None,
    };
    let (scope, versions) = (args.scope, args.versions);
    Ok(NewReplay { new, against, scope, versions, limit: None, cursor: None })
}

/// NEW, and OLD if there is one.
type Names = (String, Option<String>);

fn compared((new, against): &Names) -> String {
    let against = against.as_ref().map(|old| format!(" against {old}")).unwrap_or_default();
    format!("{new}{against}")
}

/// The numbers, and of each change a few devices.
fn view_devices(names: &Names, counts: &DeviceCounts, named: &[ReplayedDevice], paint: &Paint) -> String {
    let title = format!("{}: {}", compared(names), text::count(counts.devices, "device", "devices"));
    let share = match counts.devices {
        0 => String::new(),
        all => format!(" ({:.1} %)", counts.admitted as f64 * 100.0 / all as f64),
    };
    let card = Card::default()
        .field("newly admitted", Cell::strong(counts.newly_admitted))
        .field("newly refused", Cell::strong(counts.newly_refused))
        .field("same", Cell::of(counts.same))
        .field("failed", Cell::of(counts.failed))
        .field("admitted now", format!("{}{share}", counts.admitted))
        .render(paint);
    let mut parts = vec![clean(&title), card];
    let few = named.chunk_by(|one, next| one.change == next.change).flat_map(|same| same.iter().take(FEW_DEVICES));
    parts.extend(few.map(|one| device(one, paint)));
    parts.join("\n\n")
}

/// What matters most comes first.
fn device_rank(change: DeviceChange) -> u8 {
    match change {
        DeviceChange::NewlyRefused => 0,
        DeviceChange::NewlyAdmitted => 1,
        DeviceChange::Failed => 2,
        DeviceChange::Same => 3,
    }
}

fn device(one: &ReplayedDevice, paint: &Paint) -> String {
    let seen = &one.row.device;
    let words = one.change.as_str().replace('_', " ");
    let own: String = seen.attributes.iter().map(|(name, value)| format!(", {name}: {value}")).collect();
    let system = format!("{} {}", seen.platform, seen.os_version);
    let told =
        [system.trim(), &seen.network].map(|text| if text.is_empty() { String::new() } else { format!(", {text}") });
    let told = told.concat() + &own;
    let title = Cell::strong(format!("{} {}", seen.host_app, seen.host_version).trim_end()).render(paint);
    let mut lines = vec![format!("{title}{}: {words}", clean(&told)), format!("  + {}", clean(&one.new))];
    lines.extend(one.against.iter().map(|old| format!("  - {}", clean(old))));
    lines.join("\n")
}

/// The numbers, and the versions for which most changes.
fn view(names: &Names, counts: &ReplayCounts, all: &[ReplayedVersion], more: bool, paint: &Paint) -> String {
    let older = if more { ", the newest of more" } else { "" };
    let title = format!("{}: {}{older}", compared(names), text::count(counts.versions, "version", "versions"));
    let card = Card::default()
        .field("newly rejected", Cell::strong(counts.newly_rejected))
        .field("no longer rejected", Cell::of(counts.no_longer_rejected))
        .field("other findings", Cell::of(counts.other_findings))
        .field("same", Cell::of(counts.same))
        .field("failed", Cell::of(counts.failed))
        .field("findings", format!("{} more, {} less", counts.more, counts.less))
        .render(paint);
    let mut changed: Vec<_> = all.iter().filter(|one| one.change != ReplayChange::Same).collect();
    changed.sort_by_key(|one| rank(one.change));
    let mut parts = vec![clean(&title), card];
    parts.extend(changed.iter().take(MOST_SHOWN).map(|one| example(one, paint)));
    if let Some(left) = changed.len().checked_sub(MOST_SHOWN).filter(|left| *left > 0) {
        parts.push(format!("… and {} that change; --json has all.", text::count(left as u64, "more", "more")));
    }
    parts.join("\n\n")
}

/// What matters most comes first.
fn rank(change: ReplayChange) -> u8 {
    match change {
        ReplayChange::NewlyRejected => 0,
        ReplayChange::NoLongerRejected => 1,
        ReplayChange::Failed => 2,
        ReplayChange::OtherFindings => 3,
        ReplayChange::Same => 4,
    }
}

fn example(one: &ReplayedVersion, paint: &Paint) -> String {
    let words = one.change.as_str().replace('_', " ");
    let version = Cell::strong(format!("{} {}", one.mini_app, one.version)).render(paint);
    let mut lines = vec![format!("{version} ({}): {words}", state(one.state.as_str()).render(paint))];
    if !one.detail.is_empty() {
        lines.push(format!("  {}", clean(&one.detail)));
    }
    lines.extend(findings_of("+", &one.found, one.more, paint));
    lines.extend(findings_of("-", &one.gone, one.less, paint));
    lines.join("\n")
}

fn findings_of(sign: &str, named: &[Finding], count: u64, paint: &Paint) -> Vec<String> {
    let mut lines: Vec<_> = named.iter().map(|one| format!("  {sign} {}", findings::words(one, paint))).collect();
    if count > named.len() as u64 {
        lines.push(format!("  {sign} … {} more", count - named.len() as u64));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn g26_a_replay_shows_how_many_devices_change_and_a_few_of_each_change() {
        let replayed = |change: &str, new: &str, network: &str| {
            read::<ReplayedDevice>(
                &json!({"change": change, "new": new, "against": "admits", "stand_in": "0".repeat(32),
                "asked_at": "2030-01-31T08:00:00Z", "host_app": "mall", "host_version": "8.1", "sdk_version": "",
                "platform": "ios", "os_version": "17.1", "network": network, "attributes": {"city": "Suzhou"},
                "has_device_id": false, "has_account": true}),
            )
            .expect("a device")
        };
        let mut named: Vec<_> = (0..5).map(|_| replayed("newly_refused", "refuses: No.", "wifi")).collect();
        named.push(replayed("failed", "gave no judgement: It broke.", ""));
        let counts =
            DeviceCounts { devices: 40, admitted: 10, same: 33, newly_admitted: 0, newly_refused: 6, failed: 1 };
        let names = ("expression".into(), Some("pb_1".into()));
        let text = view_devices(&names, &counts, &named, &Paint::plain());
        assert!(text.starts_with("expression against pb_1: 40 devices\n"), "{text}");
        assert!(text.contains("newly refused   6\n") && text.contains("admitted now    10 (25.0 %)"), "{text}");
        let one = "mall 8.1, ios 17.1, wifi, city: Suzhou: newly refused\n  + refuses: No.\n  - admits";
        assert_eq!(text.matches(one).count(), FEW_DEVICES, "{text}");
        let last = "mall 8.1, ios 17.1, city: Suzhou: failed\n  + gave no judgement: It broke.\n  - admits";
        assert!(text.ends_with(last), "{text}");
        assert!(view_devices(&names, &DeviceCounts::default(), &[], &Paint::plain()).contains("0 devices"));
    }

    #[test]
    fn g20_a_replay_shows_the_numbers_and_first_what_is_newly_rejected() {
        let replayed = |version: &str, change: &str, more: u64| {
            let finding = json!({"rule": "r", "severity": "error", "message": "M.", "place": {"path": "a.js", "line": 3, "column": 14}});
            let found = if more > 0 { json!([finding]) } else { json!([]) };
            read::<ReplayedVersion>(
                &json!({"mini_app": "mp-shop", "version": version, "state": "online", "sha256": "0".repeat(64),
                "change": change, "more": more, "less": 0, "found": found}),
            )
            .expect("a version")
        };
        let all = [
            replayed("1.3.0", "same", 0),
            replayed("1.2.0", "other_findings", 1),
            replayed("1.1.0", "newly_rejected", 3),
        ];
        let counts = all.iter().map(ReplayCounts::from).sum();
        let names = ("no-maps@0.2.0".into(), Some("no-maps@0.1.0".into()));
        let text = view(&names, &counts, &all, true, &Paint::plain());
        let lines: Vec<_> = text.lines().map(str::trim_end).collect();
        assert_eq!(lines[0], "no-maps@0.2.0 against no-maps@0.1.0: 3 versions, the newest of more");
        assert!(
            text.contains("newly rejected      1\n") && text.contains("findings            4 more, 0 less"),
            "{text}"
        );
        let examples = "mp-shop 1.1.0 (online): newly rejected\n  + a.js:3:14: error r M.\n  + … 2 more\n\n\
                        mp-shop 1.2.0 (online): other findings\n  + a.js:3:14: error r M.";
        assert!(text.ends_with(examples), "{text}");
    }
}
