//! `berth demo`: a host with sample data.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use clap::Args;
use include_dir::{Dir, include_dir};

use super::{
    folder::{self, Found},
    listen, log, open,
    reached::reached_at,
};
use berth_api::serve::{ServeConfig, stop_signal};
use berth_base::{
    error::{Code, Error, Result},
    ids::{HostAppId, MiniAppId},
    version::VersionNumber,
};
use berth_check::Asker;
use berth_cli::{Done, Failure, Session};
use berth_model::{
    access::{Caller, NewTeam},
    audit::{AuditState, Decide},
    check::CheckRequest,
    endpoint::{
        app::NewEndpointApp,
        channel::{BindChannel, ChannelKind, NewChannel},
        merchant::NewMerchant,
    },
    host_app::NewHostApp,
    mini_app::NewMiniApp,
    report::Report,
    rollout::{Mark, NewGrayTask},
    version::Publish,
};
use berth_package::{PackOptions, PackageName, pack};
use berth_work::{
    access,
    app::App,
    audit, binding, check,
    config::{Config, Storage},
    endpoint::{self, channel, fulfilment, merchant},
    event::deliver::WebhookConfig,
    host_app, mini_app, report, rollout,
    version::{self, upload},
};

use crate::settings::DEFAULT_LISTEN;

static COFFEE: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../packages/coffee");
static WEATHER: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../packages/weather");

const HOST_APP: &str = "demo-app";

const MERCHANT: &str = "demo-merchant";

/// How many devices have started coffee when the demo begins.
const DEVICES: usize = 60;

/// The arguments of `berth demo`.
#[derive(Args, Clone, Debug)]
#[command(
    after_help = "Everything is real: the sample packages are packed, uploaded, audited by the built-in policies, approved,\n\
    published and released in grayscale through the same code as everybody's."
)]
pub struct Demo {
    /// The address to listen on
    #[arg(long, env = "BERTH_LISTEN", default_value = DEFAULT_LISTEN, value_name = "ADDR")]
    pub listen: SocketAddr,
    /// The folder of the demo's data, which must not be that of `berth serve`; what is in it is kept
    #[arg(long, env = "BERTH_DATA_DIR", default_value = "berth-demo", value_name = "DIR")]
    pub data_dir: PathBuf,
    /// The address by which browsers reach the demo; the one at which it listens when absent
    #[arg(long, env = "BERTH_PUBLIC_URL", value_name = "URL")]
    pub public_url: Option<String>,
    /// Where the demo may connect besides public addresses.
    #[command(flatten)]
    pub webhooks: WebhookConfig,
}

/// Runs a host with a seeded team, sample packages, a release and a grayscale task.
pub async fn demo(args: Demo, session: &mut Session) -> Done {
    log("warn,berth::compiling=info");
    let (listener, bound) = listen(args.listen).await?;
    let found = require_demo(&args.data_dir)?;
    let defaults = Config::with_defaults(Storage::in_folder(args.data_dir.clone()));
    let url = args.public_url.unwrap_or_else(|| reached_at(bound)).trim_end_matches('/').to_owned();
    let host = open(Config { webhooks: args.webhooks, public_url: Some(url.clone()), ..defaults }).await?;
    folder::leave(&args.data_dir, &folder::Host { url: url.clone() })?;
    let app = host.app.clone();
    let token = access::admin_token(&app.db).await?.secret;
    let link = access::invite_admin(&app.db, Some(&url)).await?.link.unwrap_or_default();
    let http = ServeConfig::default();
    let serving = host.run(listener, &http, async { drop(stop_signal().await) });
    let introduce = async {
        let caller = app.people.authenticate(&token).await?;
        let key = match known_key(&app, &caller).await? {
            Some(_) if found.unfinished => return Err(unfinished(&args.data_dir)),
            Some(key) => key,
            None => {
                let key = seed(&app, &caller).await?;
                folder::leave(&args.data_dir, &folder::Demo::new(false))?;
                key
            }
        };
        let ready = serde_json::json!({
            "url": url, "token": token, "link": link, "host_app": HOST_APP, "host_app_key": key,
        });
        session.out.done(&ready, lines_to_try(&url, &link, &token, &key))
    };
    let mut serving = std::pin::pin!(serving);
    tokio::select! {
        introduced = introduce => {
            introduced?;
            serving.await?;
        }
        ended = &mut serving => drop(ended?),
    }
    Ok(())
}

/// Makes the folder of a demo, or finds it. Refuses every other folder in which there is anything, such as that of a host,
/// whose data the demo's would be mixed with.
fn require_demo(folder: &Path) -> Result<folder::Demo, Failure> {
    let name = folder.display();
    let why = match folder::look::<folder::Demo>(folder)? {
        Found::Marked(mark) => return Ok(mark),
        Found::Nothing => {
            std::fs::create_dir_all(folder).map_err(|error| Failure::file("make", folder, &error))?;
            let mark = folder::Demo::new(true);
            folder::leave(folder, &mark)?;
            return Ok(mark);
        }
        Found::Foreign(_) if folder.join("berth.db").exists() => {
            format!("{name} holds the data of a host that is no demo. `berth serve --data-dir {name}` goes on with it;")
        }
        Found::Foreign(entry) => format!("{name} holds {:?}, which is of no demo:", entry.to_string_lossy()),
    };
    let text = format!(
        "{why} for a demo, give --data-dir a new folder (and delete that of a demo of an older berth). Nothing was written."
    );
    Err(Failure::refused("foreign-folder", text))
}

fn unfinished(folder: &Path) -> Failure {
    let name = folder.display();
    let text = format!(
        "The demo in {name} was stopped while its MiniApps were being made, so some are missing. Delete {name} and start again."
    );
    Failure::refused("unfinished-demo", text)
}

/// The public key of the demo's host app, which is made first of all; `None` when nothing is made yet.
async fn known_key(app: &App, caller: &Caller) -> Result<Option<String>> {
    match host_app::get(&app.db, caller, &HOST_APP.parse()?).await {
        Ok(known) => Ok(Some(known.public_key)),
        Err(error) if error.code == Code::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Creates the sample data, and returns the public key of the demo's host app.
async fn seed(app: &Arc<App>, caller: &Caller) -> Result<String> {
    let id: HostAppId = HOST_APP.parse()?;
    let host_app =
        host_app::create(&app.db, caller, NewHostApp { name: "Demo app".into(), id: Some(id.clone()) }).await?;
    let team = access::create_team(&app.db, caller, &NewTeam { name: "Demo team".into() }).await?;
    for (name, about, id) in [("Coffee", "Order a coffee", "coffee"), ("Weather", "Today and this week", "weather")] {
        let new = NewMiniApp {
            name: name.into(),
            team: Some(team.id.clone()),
            id: Some(id.parse()?),
            description: about.into(),
        };
        let mini_app = mini_app::create(&app.db, caller, new).await?;
        binding::bind(&app.db, caller, &host_app.id, &mini_app.id).await?;
    }
    for (id, number) in [("weather", "1.0.0"), ("coffee", "1.0.0"), ("coffee", "1.1.0")] {
        approve(app, caller, id, number).await?;
        version::publish(&app.db, caller, &id.parse()?, &number.parse()?, Publish::default()).await?;
    }
    merchant(app, caller).await?;
    approve(app, caller, "coffee", "1.2.0").await?;
    half_of_the_devices(app, caller, "coffee", "1.2.0").await?;
    app.follower.settled().await?;
    for number in 1..=DEVICES {
        device_starts(app, &host_app.public_key, number).await?;
    }
    Ok(host_app.public_key)
}

/// A merchant that has bought a mall, in an endpoint application that is reached by coffee.
async fn merchant(app: &App, caller: &Caller) -> Result<()> {
    let new = NewMerchant { name: "Demo merchant".into(), id: Some(MERCHANT.parse()?), unify_users: false };
    let merchant = merchant::create(&app.db, caller, new).await?.id;
    let bought = serde_json::json!({
        "id": "demo-order-1", "merchant": merchant, "instance": "demo-mall", "product": "mall", "kind": "purchase",
        "at": app.db.now(), "name": "Mall",
    });
    fulfilment::deliver(&app.intake, caller, &[bought]).await?;
    let products = vec!["demo-mall".parse()?];
    let shop = NewEndpointApp { merchant: merchant.clone(), name: "Coffee shop".into(), products };
    let endpoint_app = endpoint::app::create(&app.db, caller, shop).await?.app.id;
    let (kind, app_id) = (ChannelKind::MiniApp, "coffee".into());
    let channel = NewChannel { merchant, kind, app_id, name: "Coffee".into() };
    let channel = channel::create(&app.db, caller, channel).await?;
    let bind = BindChannel { endpoint_app, take: false };
    channel::bind(&app.db, caller, &channel.id, &bind).await.map(drop)
}

/// Packs a sample, uploads it, waits for its policies, and approves it.
async fn approve(app: &Arc<App>, caller: &Caller, id: &str, number: &str) -> Result<()> {
    let (id, number): (MiniAppId, VersionNumber) = (id.parse()?, number.parse()?);
    let name = PackageName { mini_app_id: id.clone(), version: number.clone() };
    let package = packed(&name)?;
    let body = futures_util::stream::iter([Ok::<_, Error>(package)]);
    upload::upload(&app.db, &app.blobs, &app.config.package, caller, &name, false, body).await?;
    let mut audit = audit::submit(&app.audits, caller, &id, &number).await?;
    while audit.state == AuditState::Checking {
        tokio::time::sleep(Duration::from_millis(20)).await;
        audit = audit::get(&app.db, caller, &audit.id).await?;
    }
    let decide = Decide { host_app: HOST_APP.parse()?, approve: true, note: "Demo".into() };
    audit::decide(&app.db, caller, &audit.id, decide).await.map(|_| ())
}

fn packed(name: &PackageName) -> Result<Bytes> {
    let samples = if name.mini_app_id.as_str() == "coffee" { &COFFEE } else { &WEATHER };
    let folder = tempfile::tempdir().map_err(Error::internal)?;
    samples.extract(folder.path()).map_err(Error::internal)?;
    let options = PackOptions { name: Some(name.clone()), ..PackOptions::default() };
    let mut bytes = Vec::new();
    pack(&folder.path().join(name.version.to_string()), &mut bytes, &options)?;
    Ok(bytes.into())
}

async fn half_of_the_devices(app: &App, caller: &Caller, id: &str, number: &str) -> Result<()> {
    let now = app.db.now();
    let task: NewGrayTask = serde_json::from_value(serde_json::json!({
        "name": "Loyalty card, 50 %",
        "version": number,
        "start": now,
        "end": now.plus_seconds(30 * 24 * 3600),
        "policies": [{"policy": "percentage", "config": {"percent": 50}}],
    }))
    .map_err(Error::internal)?;
    rollout::create(&app.db, &*app.judges, caller, &id.parse()?, task).await.map(|_| ())
}

/// A device starts coffee. Those that are given the grayscale version mostly run it; on a few it fails, and of some nothing is heard.
async fn device_starts(app: &App, key: &str, number: usize) -> Result<()> {
    let guid = format!("device-{number}");
    let platform = ["android", "ios", "harmony"][number % 3];
    let asked = serde_json::json!({
        "host_app": HOST_APP, "guid": guid, "platform": platform, "apps": [{"mini_app": "coffee", "version": "1.1.0"}],
    });
    let request: CheckRequest = serde_json::from_value(asked).map_err(Error::internal)?;
    let answer = check::check(&app.checks, &Asker::Key(key), &request, &|_| true).await?;
    let Some(given) = answer.results.into_iter().find(|given| given.gray_task.is_some()) else { return Ok(()) };
    let Some(version) = given.version else { return Ok(()) };
    let marks: &[Mark] = match number % 10 {
        0 => &[],
        1 => &[Mark::Downloaded],
        2 => &[Mark::Downloaded, Mark::Failed],
        _ => &[Mark::Downloaded, Mark::Running],
    };
    for kind in marks {
        let report = Report {
            host_app: HOST_APP.parse()?,
            guid: guid.clone(),
            mini_app: given.mini_app.clone(),
            version: version.clone(),
            kind: *kind,
            detail: (*kind == Mark::Failed).then(|| "TypeError: card is undefined".into()),
        };
        report::take(&app.checks, key, &report)?;
    }
    Ok(())
}

fn lines_to_try(url: &str, link: &str, token: &str, key: &str) -> String {
    format!(
        "Berth serves a demo on {url}: coffee 1.1.0 online with 1.2.0 in grayscale for half of the devices, weather 1.0.0 online, and the merchant {MERCHANT}, whose shop is in coffee.

Sign in as its admin, once, within a day:

  {link}

Ask as devices do (some get 1.1.0, some 1.2.0):

  curl -s {url}/v1/check -H 'X-Host-App-Key: {key}' -H 'Content-Type: application/json' \\
    -d '{{\"host_app\": \"{HOST_APP}\", \"guid\": \"device-1\", \"platform\": \"android\", \"apps\": [{{\"mini_app\": \"coffee\"}}]}}'

Work with it, in another terminal (berth is target/debug/berth after `make run`):

  export BERTH_SERVER={url} BERTH_TOKEN={token}
  berth app show coffee
  berth check --host-app {HOST_APP} --app coffee --guid device-1 --explain
  berth bundle --host-app {HOST_APP} --out assets/miniapps
  berth pack packages/weather/1.1.0 && berth push weather_1.1.0.apkg --submit --wait

Stop it with Ctrl-C. Its data stays where it is; starting again goes on with it."
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_body_to_try_is_a_check_of_coffee() {
        let lines = lines_to_try("http://127.0.0.1:7070", "link", "token", "key");
        let body = lines.split("-d '").nth(1).and_then(|rest| rest.split('\'').next()).unwrap_or_default();
        let asked = serde_json::from_str::<CheckRequest>(body).map(|asked| asked.apps.len());
        assert!(matches!(asked, Ok(1)), "{asked:?}: {body}");
    }
}
