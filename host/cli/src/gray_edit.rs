//! `berth gray edit`: changes a task before its start, and widens it afterwards.

use clap::{Args, ValueEnum};

use super::{
    answer::read,
    call::Call,
    client::Client,
    failure::{Done, Failure},
    gray_create::{Conditions, never_reached},
    gray_lists,
    gray_policies::Policies,
    handle::task_id,
    parse::Moment,
    session::Session,
};
use crate::gray_view as view;
use berth_base::clock::Millis;
use berth_model::rollout::{self, Admits, EditGrayTask, GrayTask};

/// The arguments of `berth gray edit`.
#[derive(Args, Debug)]
#[command(after_help = "\
A task that has started can only be widened: whoever it admitted before, it admits afterwards. Conditions are added to those
that the task has (--platform ios beside android); --any PLATFORM first takes a condition away.

Examples:
  berth gray edit gray_01… --percent 30 --note \"no crashes for a day\"
  berth gray edit gray_01… --stages 30,60@48h,100@96h
  berth gray edit gray_01… --max-users 2000 --end +7d --network 5g
  berth gray edit gray_01… --mode no-tablets=enforce
  berth gray edit gray_01… --mode vip=enforce --admits 'percentage or vip'")]
pub struct Edit {
    /// The grayscale task: its id, or MINI_APP/NAME
    pub task: String,
    /// Why, for the history
    #[arg(long, default_value = "", hide_default_value = true)]
    pub note: String,
    /// The new name, 1 to 20 characters
    #[arg(long)]
    pub name: Option<String>,
    /// Another start, of a task that has not started: +2h, or RFC 3339
    #[arg(long, value_name = "TIME")]
    pub start: Option<Moment>,
    /// Another end: +7d from now, or RFC 3339
    #[arg(long, value_name = "TIME")]
    pub end: Option<Moment>,
    /// Another cap of devices
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u64).range(1..))]
    pub max_users: Option<u64>,
    /// No cap any more
    #[arg(long, conflicts_with = "max_users")]
    pub no_max_users: bool,
    /// Take a condition away, so that it does not restrict any more; may be repeated
    #[arg(long = "any", value_name = "CONDITION")]
    pub any: Vec<Condition>,
    #[command(flatten)]
    pub conditions: Conditions,
    #[command(flatten)]
    pub policies: Policies,
    /// Which policies have to admit a device from now on, such as 'beta-list or (ios and not tablets)'
    #[arg(long, value_name = "EXPRESSION")]
    pub admits: Option<Admits>,
    /// All policies have to admit a device again
    #[arg(long, conflicts_with = "admits")]
    pub no_admits: bool,
}

/// A condition that is taken away
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Condition {
    /// In which host apps
    HostApp,
    /// On which platforms
    Platform,
    /// In which networks
    Network,
    /// Which devices or accounts
    Object,
}

/// Reads the task, uploads the lists, and edits the task.
pub async fn run(client: &Client, session: &mut Session, mut args: Edit) -> Done {
    let path = format!("/v1/gray-tasks/{}", task_id(client, &args.task).await?);
    let task: GrayTask = read(&client.value(Call::get(&path)).await?)?;
    let (lists, take) = (std::mem::take(&mut args.conditions.lists), args.conditions.take.clone());
    let names_lists = !lists.is_empty();
    // Everything that can be wrong on this side is found before anything is uploaded.
    let mut edit = edit(&args, &task, session.clock.now())?;
    if !names_lists && edit == (EditGrayTask { note: edit.note.clone(), ..EditGrayTask::default() }) {
        return Err(Failure::usage("Nothing to change. `berth gray edit --help` lists what may be changed."));
    }
    if names_lists {
        let uploaded = gray_lists::objects(client, session, &task.mini_app, lists, &take).await?;
        edit.objects.get_or_insert_with(|| task.conditions.objects.clone()).extend(uploaded);
    }
    let answer = client.value(Call::patch(path).json(&edit)).await?;
    session.out.show(&answer, |task: GrayTask, paint| view::task(&task, paint))?;
    if let Some(remark) = never_reached(&read(&answer)?) {
        session.out.note(remark);
    }
    Ok(())
}

/// The edit without the lists that are uploaded.
pub fn edit(args: &Edit, task: &GrayTask, now: Millis) -> Result<EditGrayTask, Failure> {
    let rollout::Conditions { host_apps, platforms, networks, objects } = args.conditions.typed();
    let cap = args.max_users.map(Some).or(args.no_max_users.then_some(None));
    let known = &task.conditions;
    let any = |condition| args.any.contains(&condition);
    Ok(EditGrayTask {
        name: args.name.clone(),
        start: args.start.map(|start| start.resolve(now)),
        end: args.end.map(|end| end.resolve(now)),
        max_users: cap,
        host_apps: added(&known.host_apps, host_apps, any(Condition::HostApp)),
        platforms: added(&known.platforms, platforms, any(Condition::Platform)),
        networks: added(&known.networks, networks, any(Condition::Network)),
        objects: added(&known.objects, objects, any(Condition::Object)),
        policies: args.policies.edit(task)?,
        admits: args.admits.clone().map(Some).or(args.no_admits.then_some(None)),
        note: args.note.clone(),
    })
}

/// The alternatives of a condition, with more of them; `None` when it stays as it is.
fn added<T: Clone + PartialEq>(known: &[T], more: Vec<T>, any: bool) -> Option<Vec<T>> {
    if more.is_empty() && !any {
        return None;
    }
    let mut all = if any { Vec::new() } else { known.to_vec() };
    let new: Vec<_> = more.into_iter().filter(|one| !all.contains(one)).collect();
    all.extend(new);
    Some(all)
}
