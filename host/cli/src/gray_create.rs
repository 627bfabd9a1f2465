//! `berth gray create`: makes a task from options.

use clap::{ArgGroup, Args};

use super::{
    answer::read,
    call::Call,
    client::Client,
    failure::{Done, Failure},
    gray_lists::{self, ListChoice, Take},
    gray_policies::Policies,
    parse::{Moment, Ranged},
    session::Session,
};
use crate::{gray_view as view, parse};
use berth_base::{
    clock::Millis,
    ids::{HostAppId, MiniAppId},
    version::VersionNumber,
};
use berth_model::rollout::{
    self, Admits, GrayTask, HostAppRange, NewGrayTask, ObjectKind, ObjectList, Platform, PlatformRange, State, share,
};

/// The arguments of `berth gray create`.
#[derive(Args, Debug)]
#[command(group = ArgGroup::new("until").required(true))]
#[command(after_help = "\
All conditions must hold; one that is not given does not restrict. Options that may be repeated mean any of them. All policies
must admit a device, unless --admits says which.

Examples:
  berth gray create mp-shop --name canary --version 1.3.0 --for 7d --percent 10
  berth gray create mp-shop --name beta --version 1.3.0 --start +1h --for 3d --max-users 500 \\
      --host-app ha-super:3.0.0.. --platform android:12.. --network wifi --list guid=testers.txt
  berth gray create mp-shop --name staged --version 1.3.0 --for 7d --stages 10,50@24h,100@72h
  berth gray create mp-shop --name tried --version 1.3.0 --for 3d --policy no-tablets --mode no-tablets=shadow
  berth gray create mp-shop --name beta --version 1.3.0 --for 7d --list guid=testers.txt --percent 10 \
      --admits 'conditions or percentage'")]
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
    #[command(flatten)]
    pub conditions: Conditions,
    #[command(flatten)]
    pub policies: Policies,
    /// Which policies have to admit a device, by their names, with and, or, not and parentheses; `conditions` are the conditions
    #[arg(long, value_name = "EXPRESSION")]
    pub admits: Option<Admits>,
}

/// The conditions of a task.
#[derive(Args, Debug, Default)]
pub struct Conditions {
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
    /// Only those in a list: guid=FILE with one per line, or guid=coh_… that was uploaded before; also device-id=… and
    /// account=…; may be repeated
    #[arg(long = "list", value_name = "KIND=FILE|coh_…")]
    pub lists: Vec<ListChoice>,
    #[command(flatten)]
    pub take: Take,
}

impl Conditions {
    /// The conditions that were typed, without the lists.
    pub fn typed(&self) -> rollout::Conditions {
        let typed = [
            (ObjectKind::Guid, &self.guids),
            (ObjectKind::DeviceId, &self.device_ids),
            (ObjectKind::Account, &self.accounts),
        ];
        let given = typed.into_iter().filter(|(_, values)| !values.is_empty());
        rollout::Conditions {
            host_apps: self.host_apps.iter().map(host_app).collect(),
            platforms: self.platforms.iter().map(platform).collect(),
            networks: self.networks.clone(),
            objects: given.map(|(kind, values)| ObjectList { kind, values: values.clone(), cohort: None }).collect(),
        }
    }
}

/// Uploads the lists, and creates the task.
pub async fn run(client: &Client, session: &mut Session, mut args: Create) -> Done {
    let (lists, take) = (std::mem::take(&mut args.conditions.lists), args.conditions.take.clone());
    let app = args.app.clone();
    // Everything that can be wrong on this side is found before anything is uploaded.
    args.policies.check_kinds(client).await?;
    let mut task = new_task(args, session.clock.now())?;
    task.objects.extend(gray_lists::objects(client, session, &app, lists, &take).await?);
    let answer = client.value(Call::create(format!("/v1/mini-apps/{app}/gray-tasks")).json(&task)).await?;
    session.out.show(&answer, |task: GrayTask, paint| view::task(&task, paint))?;
    let made: GrayTask = read(&answer)?;
    for remark in never_reached(&made).into_iter().chain(beside(client, &made).await) {
        session.out.note(remark);
    }
    session.out.then(&answer, |task: GrayTask| Some(format!("berth gray progress {}", task.id)));
    Ok(())
}

/// That stages of the task never come, as it is over by then.
pub(crate) fn never_reached(task: &GrayTask) -> Option<String> {
    let lasts = u64::try_from(task.end.0 - task.start.0).unwrap_or(0);
    let plans = task.policies.iter().filter(|policy| policy.policy == share::POLICY);
    let stages: Vec<_> = plans.flat_map(|policy| share::never_reached(&policy.config, lasts)).collect();
    let says = || format!("note: the task ends before {} of the devices would get it.", stages.join(", "));
    (!stages.is_empty()).then(says)
}

/// That other tasks deliver the same version, whose shares add to this one's. Nothing when they cannot be read: the task is
/// there.
async fn beside(client: &Client, made: &GrayTask) -> Option<String> {
    let items = client.items(Call::get(format!("/v1/mini-apps/{}/gray-tasks", made.mini_app))).await.ok()?;
    let tasks: Vec<GrayTask> = items.iter().filter_map(|item| read(item).ok()).collect();
    let others = tasks.iter().filter(|task| task.id != made.id && task.version == made.version);
    let others: Vec<_> = others.filter(|task| task.state != State::Ended).map(|task| task.id.to_string()).collect();
    let says =
        || format!("note: {} is in grayscale by {}, too; their devices add up.", made.version, others.join(", "));
    (!others.is_empty()).then(says)
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
    let rollout::Conditions { host_apps, platforms, networks, objects } = args.conditions.typed();
    Ok(NewGrayTask {
        policies: args.policies.create()?,
        host_apps,
        platforms,
        networks,
        objects,
        name: args.name,
        version: args.number,
        start,
        end,
        max_users: args.max_users,
        admits: args.admits,
    })
}

fn host_app(Ranged { name, min, max }: &Ranged<HostAppId>) -> HostAppRange {
    HostAppRange { id: name.clone(), min_version: min.clone(), max_version: max.clone() }
}

fn platform(Ranged { name, min, max }: &Ranged<Platform>) -> PlatformRange {
    PlatformRange { platform: *name, min_os: min.clone(), max_os: max.clone() }
}
