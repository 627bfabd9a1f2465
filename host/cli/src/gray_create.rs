//! `berth gray create`: makes the conditions of a task from options.

use clap::{ArgGroup, Args};
use serde_json::{Value, json};

use super::{
    answer::read,
    call::Call,
    client::Client,
    failure::{Done, Failure},
    gray::upload_list,
    parse::{ConfigSource, ListFile, Moment, PolicyChoice, Ranged},
    session::Session,
};
use crate::{gray_view as view, parse};
use berth_base::{
    clock::Millis,
    ids::{HostAppId, MiniAppId},
    version::VersionNumber,
};
use berth_model::{
    policy::{
        LimitOverrides,
        registry::{Mode, NewPolicyBinding, OnError},
    },
    rollout::{Cohort, GrayTask, HostAppRange, NewGrayTask, ObjectKind, ObjectList, Platform, PlatformRange},
};

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
    #[arg(long = "host-app", value_name = "ID[:MIN..MAX]")]
    pub host_apps: Vec<Ranged<HostAppId>>,
    /// Only on this platform (android, ios, harmony), perhaps in some versions of the system; may be repeated
    #[arg(long = "platform", value_name = "PLATFORM[:MIN..MAX]")]
    pub platforms: Vec<Ranged<Platform>>,
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
        task.objects.push(ObjectList { kind: list.kind, values: Vec::new(), cohort: Some(cohort.id) });
    }
    let answer = client.value(Call::create(format!("/v1/mini-apps/{app}/gray-tasks")).json(&task)).await?;
    session.out.show(&answer, |task: GrayTask, paint| view::task(&task, paint))?;
    session.out.then(&answer, |task: GrayTask| Some(format!("berth gray progress {}", task.id)));
    Ok(())
}

/// The task without the lists that are uploaded.
pub fn new_task(args: Create, now: Millis) -> Result<NewGrayTask, Failure> {
    let start = args.start.resolve(now);
    let end = match (args.lasting, args.end) {
        (Some(seconds), _) => start.plus_seconds(seconds),
        (None, Some(end)) => end.resolve(now),
        (None, None) => return Err(Failure::usage("A task needs an end: --end TIME or --for DURATION.")),
    };
    if end <= start {
        return Err(Failure::usage(format!("The end {end} is not after the start {start}.")));
    }
    Ok(NewGrayTask {
        policies: policies(args.percent, &args.policies)?,
        objects: objects([
            (ObjectKind::Guid, args.guids),
            (ObjectKind::DeviceId, args.device_ids),
            (ObjectKind::Account, args.accounts),
        ]),
        host_apps: args.host_apps.into_iter().map(host_app).collect(),
        platforms: args.platforms.into_iter().map(platform).collect(),
        networks: args.networks,
        name: args.name,
        version: args.number,
        start,
        end,
        max_users: args.max_users,
    })
}

fn host_app(Ranged { name: id, min: min_version, max: max_version }: Ranged<HostAppId>) -> HostAppRange {
    HostAppRange { id, min_version, max_version }
}

fn platform(Ranged { name: platform, min: min_os, max: max_os }: Ranged<Platform>) -> PlatformRange {
    PlatformRange { platform, min_os, max_os }
}

fn objects(typed: [(ObjectKind, Vec<String>); 3]) -> Vec<ObjectList> {
    let given = typed.into_iter().filter(|(_, values)| !values.is_empty());
    given.map(|(kind, values)| ObjectList { kind, values, cohort: None }).collect()
}

fn policies(percent: Option<f64>, choices: &[PolicyChoice]) -> Result<Vec<NewPolicyBinding>, Failure> {
    let share = percent.map(|percent| binding("percentage", json!({"percent": number(percent)})));
    let mut policies = Vec::from_iter(share);
    for choice in choices {
        let config = choice.config.as_ref().map(ConfigSource::load).transpose()?;
        policies.push(binding(&choice.policy, config.unwrap_or_else(|| json!({}))));
    }
    Ok(policies)
}

/// A policy of the task with the host's defaults for everything but its config.
fn binding(policy: &str, config: Value) -> NewPolicyBinding {
    let (mode, on_error, limits) = (Mode::default(), OnError::default(), LimitOverrides::default());
    NewPolicyBinding { policy: policy.into(), config, mode, on_error, limits }
}

/// A number as JSON, without decimals if it is whole.
fn number(value: f64) -> Value {
    if value.fract() == 0.0 { json!(value as u64) } else { json!(value) }
}
