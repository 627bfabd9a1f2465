//! `berth version publish`, `rollback` and `releases`.

use super::{
    call::Call,
    client::Client,
    failure::Done,
    paint::{Paint, said},
    session::Session,
    table::{Card, Cell},
    version::Which,
};
use berth_base::ids::MiniAppId;
use berth_model::version::{Publish, Release, ReleaseKind, Released, Rollback};

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
            paint.who(&release.released_by),
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
