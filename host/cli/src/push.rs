//! `berth push`: uploads a package, and may submit it at once.

use std::{path::PathBuf, time::Duration};

use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::Value;

use super::{
    answer::read,
    call::Call,
    client::Client,
    failure::{Done, Failure},
    paint::{Paint, said},
    session::Session,
};
use crate::{findings, parse, views};
use berth_base::ids::AuditId;
use berth_model::{
    audit::{Audit, AuditState, Findings},
    version::{State, Version, VersionDetail},
};
use berth_package::PackageName;

/// The arguments of `berth push`.
#[derive(Args, Debug)]
#[command(after_help = "\
The same bytes again are no new upload. Other bytes for the same version are refused, unless --replace and the
version was never submitted. --wait submits, too.

Examples:
  berth push mp-shop_1.2.0.apkg
  berth push mp-shop_1.2.0.apkg --submit --wait    exit code 1 when the audit rejects it")]
pub struct Push {
    /// The package, named {mini_app_id}_{version}.apkg
    pub file: PathBuf,
    /// Replace a development version that was never submitted
    #[arg(long)]
    pub replace: bool,
    /// Submit it for audit
    #[arg(long)]
    pub submit: bool,
    #[command(flatten)]
    pub wait: Wait,
}

/// Options for waiting until the policies have judged.
#[derive(Args, Clone, Debug)]
pub struct Wait {
    /// Wait until the policies have judged, and print their findings
    #[arg(long)]
    pub wait: bool,
    /// How long to wait at most
    #[arg(long, value_name = "DURATION", default_value = "10m", value_parser = parse::duration)]
    pub timeout: i64,
}

pub async fn run(args: Push, session: &mut Session) -> Done {
    let name = package_name(&args.file)?;
    let client = session.client()?;
    let call = Call::put(format!("/v1/packages/{name}")).query("replace", args.replace.then_some("true")).file(
        &args.file,
        "application/zip",
        progress(session, &name.to_string()),
    );
    let response = client.send(&call).await?;
    let fresh = response.status() == reqwest::StatusCode::CREATED;
    let body = response.bytes().await.map_err(|error| super::reach::explain(client.base(), &error))?;
    let answer: Value = serde_json::from_slice(&body).map_err(|_| super::reach::not_berth(client.base()))?;
    client.look_up_names(&answer).await;
    let PackageName { mini_app_id: app, version: number } = &name;
    if !args.submit && !args.wait.wait {
        session.out.show(&answer, |version: Version, paint| uploaded(&version, fresh, paint))?;
        session.out.then(&answer, |version: Version| {
            version.state.may_be_submitted().then(|| format!("berth version submit {app} {number} --wait"))
        });
        return Ok(());
    }
    let version: Version = read(&answer)?;
    match version.state {
        // It is where it was to go, so that a build that runs again is no failure.
        State::Approved | State::Online | State::Historical => {
            session.out.show(&answer, |version: Version, paint| uploaded(&version, fresh, paint))?;
            if version.state == State::Approved {
                session.out.next(format!("berth version publish {app} {number}"));
            }
            Ok(())
        }
        State::Auditing => {
            let detail = client.value(Call::get(format!("/v1/mini-apps/{app}/versions/{number}"))).await?;
            match read::<VersionDetail>(&detail)?.audit {
                Some(audit) => follow(&client, session, &name, &audit.id, &args.wait).await,
                None => submit(&client, session, &name, &args.wait).await,
            }
        }
        _ => {
            let text = uploaded(&version, fresh, &session.out.paint);
            session.out.line(text)?;
            submit(&client, session, &name, &args.wait).await
        }
    }
}

fn uploaded(version: &Version, fresh: bool, paint: &Paint) -> String {
    let remark = if fresh { "" } else { "\n\nThe host had these bytes already." };
    format!("{}{remark}", views::version(version, paint))
}

/// The name of the package in the file's name; otherwise the failure says what to do.
fn package_name(file: &std::path::Path) -> Result<PackageName, Failure> {
    let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    if file.is_dir() {
        return Err(Failure::usage(format!(
            "{name:?} is a folder. Make a package of it: berth pack {}",
            file.display()
        )));
    }
    name.parse().map_err(|error: berth_base::error::Error| {
        Failure::usage(format!("{} `berth pack DIR` makes such a file.", error.detail))
    })
}

/// A progress bar on stderr; hidden with `--json` or when stderr is no terminal.
pub fn progress(session: &Session, what: &str) -> ProgressBar {
    let target = if session.out.json { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
    let style = ProgressStyle::with_template(
        "{msg} {bar:30} {binary_bytes} of {binary_total_bytes} {binary_bytes_per_sec} {eta}",
    );
    let bar = ProgressBar::with_draw_target(None, target).with_message(what.to_owned());
    style.map_or(bar.clone(), |style| bar.with_style(style))
}

/// Submits a version, waits if asked to, and prints the audit.
pub async fn submit(client: &Client, session: &mut Session, name: &PackageName, wait: &Wait) -> Done {
    let at = format!("/v1/mini-apps/{}/versions/{}", name.mini_app_id, name.version);
    let answer = client.value(Call::post(format!("{at}/submit"))).await?;
    if wait.wait {
        return follow(client, session, name, &read::<Audit>(&answer)?.id, wait).await;
    }
    session.out.show(&answer, |audit: Audit, paint| views::audit(&audit, paint))?;
    session.out.then(&answer, views::after_audit);
    Ok(())
}

/// Prints an audit, after its policies have judged if the caller waits for that.
async fn follow(client: &Client, session: &mut Session, name: &PackageName, id: &AuditId, wait: &Wait) -> Done {
    if !wait.wait {
        let answer = client.value(Call::get(format!("/v1/audits/{id}"))).await?;
        return session.out.show(&answer, |audit: Audit, paint| views::audit(&audit, paint));
    }
    let answer = judged(client, session, id, wait.timeout).await?;
    session.out.show(&answer, |audit: Audit, paint| judgement(&audit, paint))?;
    session.out.then(&answer, views::after_audit);
    let audit: Audit = read(&answer)?;
    if audit.state == AuditState::Rejected {
        let reason = said(&audit.reason).unwrap_or("Mend the findings and upload a new version.");
        let refused = Failure::refused("version-rejected", format!("The audit rejected {name}. {reason}"));
        return Err(refused.followed_by(format!("berth version findings {} {}", name.mini_app_id, name.version)));
    }
    Ok(())
}

/// Polls the audit until its policies have judged.
async fn judged(client: &Client, session: &Session, id: &AuditId, timeout: i64) -> Result<Value, Failure> {
    let until = session.clock.now().plus_seconds(timeout);
    let mut pause = Duration::from_millis(200);
    loop {
        let answer = client.value(Call::get(format!("/v1/audits/{id}"))).await?;
        if read::<Audit>(&answer)?.state != AuditState::Checking {
            return Ok(answer);
        }
        if session.clock.now() >= until {
            return Err(Failure::refused(
                "still-checking",
                format!("The policies still judge audit {id}. Look again with `berth version findings`."),
            ));
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_secs(2));
    }
}

/// The findings of all policies, and the audit.
fn judgement(audit: &Audit, paint: &Paint) -> String {
    let found = findings::render(&Findings::of(audit.evaluations.clone()), paint);
    format!("{found}\n\n{}", views::audit(audit, paint))
}
