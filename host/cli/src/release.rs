//! `berth version publish`, `rollback`, `releases` and `trial`.

use clap::Args;
use serde_json::json;

use super::{
    call::Call,
    client::Client,
    failure::Done,
    paint::{Paint, said},
    session::Session,
    table::{Card, Cell},
    version::Which,
};
use crate::views;
use berth_base::{ids::MiniAppId, version::VersionNumber};
use berth_model::version::{Publish, Release, ReleaseKind, Released, Rollback, Trial};

pub async fn publish(client: &Client, session: &mut Session, which: &Which, how: &Publish) -> Done {
    let answer = client.value(Call::post(format!("{}/publish", which.path())).json(how)).await;
    let answer = answer.map_err(|failure| failure.about_version(&which.app, &which.version))?;
    session.out.show(&answer, released)
}

pub async fn rollback(client: &Client, session: &mut Session, app: &MiniAppId, how: &Rollback) -> Done {
    let answer = client.value(Call::post(format!("/v1/mini-apps/{app}/rollback")).json(how)).await?;
    session.out.show(&answer, released)
}

/// The card of a release that was just made, with what else it changed.
fn released(released: Released, paint: &Paint) -> String {
    let Released { release, ended_tasks, ended_trial, lowered_min_from } = released;
    let ended: Vec<_> = ended_tasks.iter().map(ToString::to_string).collect();
    Card::default()
        .field("online", Cell::strong(&release.version))
        .field("by", Cell::of(release.kind))
        .maybe("forced", release.forced.then_some("yes: devices with an older version must update"))
        .maybe("note", said(&release.note))
        .field("at", paint.when(release.released_at))
        .maybe("ended tasks", (!ended.is_empty()).then(|| ended.join(", ")))
        .maybe("ended trial", ended_trial.map(|version| format!("that of {version}")))
        .maybe("min version", lowered_min_from.map(|before| format!("{}, lowered from {before}", release.version)))
        .render(paint)
}

/// Lists the releases of a MiniApp.
pub async fn list(client: &Client, session: &mut Session, app: &MiniAppId) -> Done {
    let items = client.items(Call::get(format!("/v1/mini-apps/{app}/releases"))).await?;
    let head = ["VERSION", "HOW", "FORCES", "BY", "WHEN", "NOTE"];
    session.out.list(items, head, "Nothing was ever published.", |release: Release, paint| {
        [
            Cell::strong(&release.version),
            Cell::from(how(&release)),
            Cell::from(forces(&release)),
            Cell::of(&release.released_by),
            paint.when(release.released_at),
            Cell::any(said(&release.note)),
        ]
    })
}

fn how(release: &Release) -> &'static str {
    match (release.kind, release.rolled_back) {
        (ReleaseKind::Publish, false) => "publish",
        (ReleaseKind::Publish, true) => "publish, rolled back",
        (ReleaseKind::Rollback, false) => "rollback",
        (ReleaseKind::Rollback, true) => "rollback, rolled back",
    }
}

/// Whether older versions must not run because of the release (V12).
fn forces(release: &Release) -> &'static str {
    match (release.forced, release.rolled_back) {
        (true, false) => "yes",
        (true, true) => "no longer",
        (false, _) => "-",
    }
}

/// The arguments of `berth version trial`.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  berth version trial mp-shop
  berth version trial mp-shop 1.3.0 --entry pages/index/index --account alice --account bob
  berth version trial mp-shop --clear")]
pub struct TrialArgs {
    /// The MiniApp
    pub app: MiniAppId,
    /// The version to try; when absent the present trial is shown
    #[arg(requires_all = ["entry", "accounts"])]
    pub version: Option<VersionNumber>,
    /// The page with which it opens
    #[arg(long, requires = "version", value_name = "PATH")]
    pub entry: Option<String>,
    /// An account that gets it; may be repeated
    #[arg(long = "account", requires = "version", value_name = "ACCOUNT")]
    pub accounts: Vec<String>,
    /// End the trial
    #[arg(long, conflicts_with = "version")]
    pub clear: bool,
}

/// Shows, sets or clears the trial.
pub async fn trial(client: &Client, session: &mut Session, args: TrialArgs) -> Done {
    let path = format!("/v1/mini-apps/{}/trial", args.app);
    if args.clear {
        client.value(Call::delete(path)).await?;
        return session.out.done(&json!({"mini_app": args.app, "trial": null}), "There is no trial any more.");
    }
    let call = match (args.version, args.entry) {
        (Some(version), Some(entry_path)) => {
            Call::put(path).json(&Trial { version, entry_path, accounts: args.accounts })
        }
        _ => Call::get(path),
    };
    session.out.show(&client.value(call).await?, |trial: Trial, paint| views::trial(trial, paint))
}
