//! `berth gray create`: makes the conditions of a task from options.

use clap::{ArgGroup, Args};
use serde::Serialize;
use serde_json::{Value, json};

use super::{
    call::Call,
    client::Client,
    failure::{Done, Failure},
    gray::upload_list,
    gray_view::{Cohort, Task},
    output::read,
    parse::{ListFile, Moment, PolicyChoice, Ranged},
    session::Session,
};
use crate::{gray_view as view, parse};
use berth_base::{clock::Millis, ids::MiniAppId, version::VersionNumber};

/// The arguments of `berth gray create`.
#[derive(Args, Debug)]
#[command(group = ArgGroup::new("until").required(true))]
#[command(after_help = "\
All conditions must hold; one that is not given does not restrict. Options that may be repeated mean any of them.

Examples:
  berth gray create mp-shop --name canary --version 1.3.0 --for 7d --percent 10
  berth gray create mp-shop --name beta --version 1.3.0 --start +1h --for 3d --max-users 500 \\
      --host-app ha-super:3.0.0.. --platform android:12.. --network wifi --list guid=testers.txt
  berth gray create mp-shop --name staged --version 1.3.0 --for 3d --policy percentage=stages.json")]
pub struct Create {
    /// The MiniApp
    pub app: MiniAppId,
    /// The name of the task, 1 to 20 characters
    #[arg(long)]
    pub name: String,
    /// The approved version to release
    #[arg(long = "version", value_name = "VERSION")]
    pub number: VersionNumber,
    /// When it starts: now, +2h, or RFC 3339
    #[arg(long, value_name = "TIME", default_value = "now")]
    pub start: Moment,
    /// When it ends: +7d, or RFC 3339
    #[arg(long, value_name = "TIME", group = "until")]
    pub end: Option<Moment>,
    /// How long it lasts from its start: 7d, 12h
    #[arg(long = "for", value_name = "DURATION", group = "until", value_parser = parse::duration)]
    pub lasting: Option<i64>,
    /// How many devices get it at most
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u64).range(1..))]
    pub max_users: Option<u64>,
    /// Only in this host app, perhaps in some of its versions; may be repeated
    #[arg(long = "host-app", value_name = "ID[:MIN..MAX]", value_parser = parse::ranged_host_app)]
    pub host_apps: Vec<Ranged>,
    /// Only on this platform (android, ios, harmony), perhaps in some versions of the system; may be repeated
    #[arg(long = "platform", value_name = "PLATFORM[:MIN..MAX]", value_parser = parse::ranged_platform)]
    pub platforms: Vec<Ranged>,
    /// Only in this network (wifi, 5g …); may be repeated
    #[arg(long = "network", value_name = "NETWORK")]
    pub networks: Vec<String>,
    /// Only this installation; may be repeated
    #[arg(long = "guid", value_name = "GUID")]
    pub guids: Vec<String>,
    /// Only this device; may be repeated
    #[arg(long = "device-id", value_name = "ID")]
    pub device_ids: Vec<String>,
    /// Only this account; may be repeated
    #[arg(long = "account", value_name = "ACCOUNT")]
    pub accounts: Vec<String>,
    /// Only those in a file with one per line: guid=FILE, device-id=FILE or account=FILE; may be repeated
    #[arg(long = "list", value_name = "KIND=FILE")]
    pub lists: Vec<ListFile>,
    /// Only this share of the devices, sticky (the policy `percentage`)
    #[arg(long, value_name = "PERCENT", value_parser = parse::percent)]
    pub percent: Option<f64>,
    /// Only devices that this policy admits; may be repeated
    #[arg(long = "policy", value_name = "NAME[=CONFIG.json]")]
    pub policies: Vec<PolicyChoice>,
}

/// The task as it is sent to the host.
#[derive(Debug, Serialize)]
pub struct NewTask {
    name: String,
    version: VersionNumber,
    start: Millis,
    end: Millis,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_users: Option<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    host_apps: Vec<Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    platforms: Vec<Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    networks: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    objects: Vec<Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    policies: Vec<Value>,
}

/// Uploads the lists, and creates the task.
pub async fn run(client: &Client, session: &mut Session, mut args: Create) -> Done {
    let lists = std::mem::take(&mut args.lists);
    let app = args.app.clone();
    // Everything that can be wrong on this side is found before anything is uploaded.
    let mut task = new_task(args, session.clock.now())?;
    for list in lists {
        let answer = upload_list(client, session, &app, &list.path, None).await?;
        let cohort: Cohort = read(&answer)?;
        let counted = view::cohort(&cohort, &session.out.paint);
        session.out.note(format!("{counted}\n"));
        task.objects.push(json!({"kind": list.kind, "cohort": cohort.id}));
    }
    let answer = client.value(Call::create(format!("/v1/mini-apps/{app}/gray-tasks")).json(&task)).await?;
    session.out.show(&answer, |task: Task, paint| view::task(&task, paint))
}

/// The task without the lists that are uploaded.
pub fn new_task(args: Create, now: Millis) -> Result<NewTask, Failure> {
    let start = args.start.resolve(now);
    let end = match (args.lasting, args.end) {
        (Some(seconds), _) => start.plus_seconds(seconds),
        (None, Some(end)) => end.resolve(now),
        (None, None) => return Err(Failure::usage("A task needs an end: --end TIME or --for DURATION.")),
    };
    if end <= start {
        return Err(Failure::usage(format!("The end {end} is not after the start {start}.")));
    }
    Ok(NewTask {
        policies: policies(args.percent, &args.policies)?,
        objects: objects([("guid", args.guids), ("device_id", args.device_ids), ("account", args.accounts)]),
        host_apps: ranges(args.host_apps, ["id", "min_version", "max_version"]),
        platforms: ranges(args.platforms, ["platform", "min_os", "max_os"]),
        networks: args.networks,
        name: args.name,
        version: args.number,
        start,
        end,
        max_users: args.max_users,
    })
}

fn ranges(ranges: Vec<Ranged>, [name, min, max]: [&str; 3]) -> Vec<Value> {
    let one = |range: Ranged| {
        let mut condition = json!({ (name): range.name });
        for (key, bound) in [(min, range.min), (max, range.max)] {
            if let Some(bound) = bound {
                condition[key] = bound.into();
            }
        }
        condition
    };
    ranges.into_iter().map(one).collect()
}

fn objects(typed: [(&str, Vec<String>); 3]) -> Vec<Value> {
    let given = typed.into_iter().filter(|(_, values)| !values.is_empty());
    given.map(|(kind, values)| json!({"kind": kind, "values": values})).collect()
}

fn policies(percent: Option<f64>, choices: &[PolicyChoice]) -> Result<Vec<Value>, Failure> {
    let share = percent.map(|percent| json!({"policy": "percentage", "config": {"percent": number(percent)}}));
    let mut policies = Vec::from_iter(share);
    for choice in choices {
        let mut policy = json!({"policy": choice.policy});
        if let Some(config) = &choice.config {
            policy["config"] = config.load()?;
        }
        policies.push(policy);
    }
    Ok(policies)
}

/// A number as JSON, without decimals if it is whole.
fn number(value: f64) -> Value {
    if value.fract() == 0.0 { json!(value as u64) } else { json!(value) }
}
