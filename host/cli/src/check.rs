//! `berth check`: asks the host as a device would.

use clap::Args;

use super::{
    call::Call,
    failure::{Done, Failure},
    paint::{Ink, Paint, bytes, several, state},
    session::Session,
    table::{Card, Cell},
};
use berth_base::{
    ids::{HostAppId, MiniAppId},
    version::VersionNumber,
};
use berth_model::check::{
    Branch, CheckRequest, CheckResponse, CheckResult, Device, Explanation, Had, Having, Outcome, Reason, Step,
};

/// The arguments of `berth check`.
#[derive(Args, Debug)]
#[command(after_help = "\
A check counts like a device's: it may be admitted to a capped grayscale task. --explain only explains.

Examples:
  berth check --host-app ha-super --app mp-shop --guid my-phone --platform android --os-version 14
  berth check --host-app ha-super --app mp-shop --current 1.2.0 --guid my-phone --explain
  berth check --host-app ha-super --app mp-shop --guid my-phone --attribute city=shanghai --attribute vip=true")]
pub struct Check {
    /// The host app that the device runs
    #[arg(long, value_name = "ID")]
    pub host_app: HostAppId,
    /// The MiniApp, perhaps with the version that the device has; may be repeated
    #[arg(long = "app", value_name = "APP[@VERSION]", required = true)]
    pub apps: Vec<AppAt>,
    /// The version that the device has, when there is one --app
    #[arg(long, value_name = "V")]
    pub current: Option<VersionNumber>,
    /// The guid of the installation, by which grayscale counts devices
    #[arg(long)]
    pub guid: String,
    /// The id of the hardware
    #[arg(long, value_name = "ID")]
    pub device_id: Option<String>,
    /// The account that is logged in
    #[arg(long)]
    pub account: Option<String>,
    /// android, ios or harmony
    #[arg(long, default_value = "android")]
    pub platform: String,
    /// Version of the system
    #[arg(long, default_value = "")]
    pub os_version: String,
    /// Version of the host app
    #[arg(long, default_value = "")]
    pub host_version: String,
    /// Version of the SDK
    #[arg(long, default_value = "1.0.0")]
    pub sdk_version: String,
    /// The network: wifi, 5g …
    #[arg(long, default_value = "wifi")]
    pub network: String,
    /// An attribute that the host app knows of the device, for policies; may be repeated
    #[arg(long = "attribute", value_name = "NAME=VALUE", value_parser = attribute)]
    pub attributes: Vec<(String, String)>,
    /// Ask with the host app's public key instead of your token
    #[arg(long, value_name = "PK")]
    pub key: Option<String>,
    /// Print every rule that was tried and what it said
    #[arg(long)]
    pub explain: bool,
}

fn attribute(text: &str) -> Result<(String, String), String> {
    let (name, value) = text
        .split_once('=')
        .filter(|(name, _)| !name.is_empty())
        .ok_or_else(|| format!("{text:?} is not an attribute: expected NAME=VALUE, such as city=shanghai"))?;
    Ok((name.into(), value.into()))
}

/// A MiniApp, and the version that the device has of it.
#[derive(Clone, Debug)]
pub struct AppAt {
    id: MiniAppId,
    version: Option<VersionNumber>,
}

impl std::str::FromStr for AppAt {
    type Err = berth_base::error::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once('@') {
            Some((id, version)) => Ok(Self { id: id.parse()?, version: Some(version.parse()?) }),
            None => Ok(Self { id: text.parse()?, version: None }),
        }
    }
}

pub async fn run(args: Check, session: &mut Session) -> Done {
    let client = session.client_as(args.key.as_deref())?;
    if args.explain {
        let answer = client.value(Call::ask("/v1/check/explain").json(&question(args)?)).await?;
        return session.out.show(&answer, |answer: Explanation, paint| {
            let views =
                answer.results.iter().map(|one| format!("{}\n\n{}", view(&one.result, paint), tree(&one.steps, paint)));
            views.collect::<Vec<_>>().join("\n\n")
        });
    }
    let answer = client.value(Call::ask("/v1/check").json(&question(args)?)).await?;
    session.out.show(&answer, |answer: CheckResponse, paint| {
        answer.results.iter().map(|one| view(one, paint)).collect::<Vec<_>>().join("\n\n")
    })
}

fn question(args: Check) -> Result<CheckRequest, Failure> {
    let mut apps = args.apps;
    match (args.current, &mut apps[..]) {
        (Some(current), [only]) => only.version = Some(current),
        (Some(_), _) => return Err(Failure::usage("With several --app, write the versions as --app APP@VERSION.")),
        (None, _) => {}
    }
    let device = Device {
        host_app: args.host_app,
        host_version: args.host_version,
        sdk_version: args.sdk_version,
        platform: args.platform,
        os_version: args.os_version,
        guid: args.guid,
        device_id: args.device_id,
        account: args.account,
        network: args.network,
        attributes: args.attributes.into_iter().collect(),
    };
    let apps = apps
        .into_iter()
        .map(|AppAt { id, version }| Having { mini_app: id.to_string(), version: version.map(Had::Version) });
    Ok(CheckRequest { device, apps: apps.collect() })
}

fn view(outcome: &CheckResult, paint: &Paint) -> String {
    let package = outcome.package.as_ref();
    let runtime = outcome.runtime.as_ref();
    let endpoint = runtime.and_then(|runtime| runtime.endpoint.as_deref());
    Card::default()
        .field("mini app", Cell::strong(&outcome.mini_app))
        .field("status", state(outcome.status.as_str()))
        .maybe("version", outcome.version.as_ref().map(Cell::of))
        .maybe("reason", outcome.reason.map(Reason::as_str))
        .maybe("gray task", outcome.gray_task.as_ref().map(Cell::of))
        .maybe("force", outcome.force.then(|| Cell::new(Ink::Warn, "yes: what the device has must not run")))
        .maybe("min version", outcome.min_version.as_ref().map(Cell::of))
        .maybe("warning", outcome.warning.as_deref().map(|text| Cell::new(Ink::Warn, text)))
        .maybe("entry path", outcome.entry_path.as_deref())
        .maybe("package", package.map(|package| package.url.as_str()))
        .maybe("size", package.map(|package| bytes(package.size)))
        .maybe("sha256", package.map(|package| Cell::of(&package.sha256)))
        .maybe("endpoint app", endpoint.map(|endpoint| format!("{} of {}", endpoint.cid, endpoint.bos_id)))
        .maybe("products", endpoint.map(|endpoint| several(&endpoint.products, "none")))
        .maybe(
            "org nodes",
            endpoint.and_then(|endpoint| endpoint.org_nodes.as_deref()).map(|nodes| several(nodes, "none")),
        )
        .maybe("domains", runtime.and_then(|runtime| runtime.domains.as_ref()).map(|domains| domains.in_words()))
        .maybe(
            "granted apis",
            runtime.and_then(|runtime| runtime.granted_apis.as_ref()).map(|apis| several(apis, "none")),
        )
        .maybe("privacy", runtime.and_then(|runtime| runtime.privacy.as_ref()).map(|privacy| privacy.in_words()))
        .render(paint)
}

/// The explanation as a tree, in which the rules of one task are the branches of that task.
fn tree(steps: &[Step], paint: &Paint) -> String {
    let groups: Vec<_> = steps.chunk_by(|a, b| a.gray_task.is_some() && a.gray_task == b.gray_task).collect();
    let mut lines = Vec::new();
    for (index, group) in groups.iter().enumerate() {
        let last = index + 1 == groups.len();
        let (branch, stem) = if last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
        match group[0].gray_task.as_ref() {
            None => lines.push(format!("{branch}{}", step(&group[0], paint))),
            Some(task) => {
                lines.push(format!("{branch}{}", Cell::strong(format!("gray task {task}")).render(paint)));
                for (at, one) in group.iter().enumerate() {
                    let (twig, leaf) = if at + 1 == group.len() { ("└─ ", "   ") } else { ("├─ ", "│  ") };
                    lines.push(format!("{stem}{twig}{}", step(one, paint)));
                    grow(one.tree.as_slice(), &format!("{stem}{leaf}"), paint, &mut lines);
                }
            }
        }
    }
    lines.join("\n")
}

/// The parts of what a task admits, each below the group to which it belongs.
fn grow(branches: &[Branch], stem: &str, paint: &Paint, lines: &mut Vec<String>) {
    for (at, one) in branches.iter().enumerate() {
        let (twig, deeper) = if at + 1 == branches.len() { ("└─ ", "   ") } else { ("├─ ", "│  ") };
        lines.push(format!("{stem}{twig}{}", branch(one, paint)));
        grow(&one.of, &format!("{stem}{deeper}"), paint, lines);
    }
}

fn branch(branch: &Branch, paint: &Paint) -> String {
    let (mark, says) = match branch.outcome {
        Outcome::Admitted => (Cell::new(Ink::Good, "✓"), branch.says.as_str()),
        Outcome::Refused => (Cell::new(Ink::Bad, "✗"), branch.says.as_str()),
        Outcome::Failed => (Cell::new(Ink::Warn, "!"), branch.says.as_str()),
        Outcome::NotAsked => (Cell::from("·"), "not asked"),
    };
    let what = Cell::strong(&branch.what).render(paint);
    format!("{} {what}  {}", mark.render(paint), Cell::of(says).render(paint)).trim_end().to_owned()
}

fn step(step: &Step, paint: &Paint) -> String {
    let mark = if step.passed { Cell::new(Ink::Good, "✓") } else { Cell::new(Ink::Bad, "✗") };
    let rule = Cell::strong(&step.rule).render(paint);
    format!("{} {rule}  {}", mark.render(paint), Cell::of(&step.says).render(paint)).trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::answer::read;

    #[test]
    fn e11_the_endpoint_application_is_shown_with_what_it_has() {
        let endpoint = json!({"bos_id": "bos-1", "cid": "cid_00000000000000000000000001", "org_nodes": ["vid-a", "vid-b"],
            "products": ["crm", "mall"], "unify_users": false, "digest": "0".repeat(64)});
        let answer = json!({"mini_app": "coffee", "status": "current", "force": false, "version": "1.2.0", "runtime": {"endpoint": endpoint}});
        let outcome: CheckResult = read(&answer).expect("answer");
        insta::assert_snapshot!(view(&outcome, &Paint::plain()), @r"
        mini app      coffee
        status        current
        version       1.2.0
        endpoint app  cid_00000000000000000000000001 of bos-1
        products      crm, mall
        org nodes     vid-a, vid-b
        ");
    }

    #[test]
    fn g14_the_trace_reads_as_a_tree() {
        let task = format!("gray_{}", "0".repeat(26));
        let answer = json!({"results": [{"mini_app": "mp-shop", "status": "current", "force": false, "version": "1.2.0", "reason": "online", "steps": [
            {"rule": "binding", "passed": true, "says": "Bound to ha-super."},
            {"rule": "period", "gray_task": task, "passed": true, "says": "Delivering."},
            {"rule": "percentage", "gray_task": task, "passed": false, "says": "Bucket 7001 of 10000."},
            {"rule": "online", "passed": true, "says": "1.2.0"},
        ]}]});
        let answer: Explanation = read(&answer).expect("answer");
        let text = tree(&answer.results[0].steps, &Paint::plain());
        insta::assert_snapshot!(text, @r"
        ├─ ✓ binding  Bound to ha-super.
        ├─ gray task gray_00000000000000000000000000
        │  ├─ ✓ period  Delivering.
        │  └─ ✗ percentage  Bucket 7001 of 10000.
        └─ ✓ online  1.2.0
        ");
    }

    #[test]
    fn g24_what_a_task_admits_reads_as_a_tree_below_its_rule() {
        let (task, branch) =
            (format!("gray_{}", "0".repeat(26)), |what: &str, outcome: &str| json!({"what": what, "outcome": outcome}));
        let mut list = branch("beta-list", "refused");
        list["says"] = json!("The object is guid g; the list has others.");
        let mut tablets = branch("not", "not-asked");
        tablets["of"] = json!([branch("tablets", "not-asked")]);
        let mut slow = branch("ios", "failed");
        slow["says"] = json!("It took too long.");
        let mut both = branch("all", "failed");
        both["of"] = json!([slow, tablets]);
        let mut any = branch("any", "failed");
        any["of"] = json!([list, both]);
        let steps: Vec<Step> = read(&json!([
            {"rule": "admits", "gray_task": task, "passed": false, "says": "beta-list or (ios and not tablets) does not hold.", "tree": any},
            {"rule": "online", "passed": true, "says": "1.2.0"},
        ])).expect("steps");
        insta::assert_snapshot!(tree(&steps, &Paint::plain()), @r"
        ├─ gray task gray_00000000000000000000000000
        │  └─ ✗ admits  beta-list or (ios and not tablets) does not hold.
        │     └─ ! any
        │        ├─ ✗ beta-list  The object is guid g; the list has others.
        │        └─ ! all
        │           ├─ ! ios  It took too long.
        │           └─ · not  not asked
        │              └─ · tablets  not asked
        └─ ✓ online  1.2.0
        ");
    }
}
