//! `berth channel authorise`: from the merchant's link to the binding. A run can be resumed by its id.

use std::time::Duration;

use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget};
use serde_json::Value;

use super::{
    answer::read,
    call::Call,
    client::Client,
    failure::{Done, Failure},
    paint::{Paint, clean, state},
    parse::seconds,
    session::Session,
    table::{Card, Cell},
};
use berth_base::{
    error::Code,
    ids::{AuthorisationId, EndpointAppId, InstanceId, MerchantId},
    text::count,
};
use berth_model::endpoint::{
    authorisation::{AuthorisationView as View, NewAuthorisation, NewTarget, Restart, Target, Vouched},
    channel::ChannelKind,
};

const RUNS: &str = "/v1/channel-authorisations";

/// The arguments of `berth channel authorise`.
#[derive(Args, Debug)]
#[command(after_help = "\
Prints the address at which the merchant authorises, and waits until the channel is bound. Broken off, it goes on with the
id of the run: nothing is lost, and what failed starts again.

Examples:
  berth channel authorise --merchant bos-1 --new \"Shop\" --product pi-1 --product pi-2
  berth channel authorise --merchant bos-1 --kind h5 --app-id https://shop.example/ --name Shop --endpoint cid_01…
  berth channel authorise auth_01… --endpoint cid_01…
  berth channel authorise auth_01… --move")]
pub struct Authorise {
    /// Go on with this run
    #[arg(required_unless_present = "merchant", conflicts_with = "merchant")]
    pub run: Option<AuthorisationId>,
    /// The merchant that the channel is to belong to (BosID)
    #[arg(long, value_name = "BOS_ID")]
    pub merchant: Option<MerchantId>,
    /// The kind of the channel
    #[arg(long, default_value = "wechat_mini_program")]
    pub kind: ChannelKind,
    /// The endpoint application to bind it to
    #[arg(long, value_name = "CID", conflicts_with = "new")]
    pub endpoint: Option<EndpointAppId>,
    /// Create an endpoint application with this name for it
    #[arg(long, value_name = "NAME", requires = "products")]
    pub new: Option<String>,
    /// A product instance of the new endpoint application; may be repeated
    #[arg(long = "product", value_name = "INSTANCE", requires = "new")]
    pub products: Vec<InstanceId>,
    /// Take the channel from the endpoint application that it is bound to now, to that of the run
    #[arg(long = "move", requires = "run", conflicts_with_all = ["endpoint", "new"])]
    pub take: bool,
    /// The channel's id on its platform: needed for all kinds but those of WeChat, which tells it where this host is registered
    #[arg(long, value_name = "ID", requires = "name")]
    pub app_id: Option<String>,
    /// The channel's name, beside --app-id
    #[arg(long, requires = "app_id")]
    pub name: Option<String>,
    /// Do not wait for the merchant
    #[arg(long)]
    pub no_wait: bool,
    /// How long to wait
    #[arg(long, default_value = "30m", value_name = "DURATION", value_parser = seconds)]
    pub timeout: i64,
}

impl Authorise {
    fn target(&self) -> Option<Target> {
        let new = self.new.clone().map(|name| Target::New(NewTarget { name, products: self.products.clone() }));
        self.endpoint.clone().map(Target::Id).or(new)
    }

    fn vouched(&self) -> Option<Vouched> {
        Some(Vouched { app_id: self.app_id.clone()?, name: self.name.clone()? })
    }
}

/// Starts a run or resumes one, and waits for its end.
pub async fn run(args: Authorise, session: &mut Session) -> Done {
    let client = session.client()?;
    let answer = match (&args.run, &args.merchant) {
        (None, Some(merchant)) => {
            let (merchant, endpoint_app, vouched) = (merchant.clone(), args.target(), args.vouched());
            let new = NewAuthorisation { merchant, kind: args.kind, endpoint_app, vouched };
            client.value(Call::create(RUNS).json(&new)).await?
        }
        (Some(id), _) => go_on(&client, id, args.target(), args.take).await?,
        (None, None) => return Err(Failure::usage("Name a run, or a merchant with --merchant.")),
    };
    let answer = if args.no_wait { answer } else { wait(&client, session, answer, args.timeout).await? };
    session.out.show(&answer, view)?;
    let run: View = read(&answer)?;
    if !args.no_wait && is_going(&run) {
        let text = format!(
            "The merchant has not authorised within {}. The run goes on.",
            count(args.timeout, "second", "seconds")
        );
        let again = format!("berth channel authorise {}", run.id);
        return Err(Failure::refused("still-waiting", text).followed_by(again));
    }
    verdict(&run)
}

/// Whether the run waits for the merchant, or for their platform.
fn is_going(run: &View) -> bool {
    ["started", "authorised", "granted"].contains(&run.state.as_str())
}

/// Does what can be done for a run now: sets its target, or starts it again.
async fn go_on(client: &Client, id: &AuthorisationId, target: Option<Target>, take: bool) -> Result<Value, Failure> {
    let at = format!("{RUNS}/{id}");
    if let Some(target) = target {
        return client.value(Call::post(format!("{at}/endpoint-app")).json(&target)).await;
    }
    if take {
        return client.value(Call::post(format!("{at}/restart")).json(&Restart { take })).await;
    }
    let answer = client.value(Call::get(&at)).await?;
    match read::<View>(&answer)?.state.as_str() {
        "failed" | "abandoned" => client.value(Call::post(format!("{at}/restart"))).await,
        _ => Ok(answer),
    }
}

/// Shows the link and the state of the run, until it ends or somebody has to act.
async fn wait(client: &Client, session: &mut Session, mut answer: Value, timeout: i64) -> Result<Value, Failure> {
    let until = session.clock.now().plus_seconds(timeout);
    let target = if session.out.json { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
    let spinner = ProgressBar::with_draw_target(None, target);
    let mut shown = None;
    loop {
        let run: View = read(&answer)?;
        if !is_going(&run) || session.clock.now() >= until {
            spinner.finish_and_clear();
            return Ok(answer);
        }
        if run.url.is_some() && run.url != shown {
            shown.clone_from(&run.url);
            let link = clean(run.url.as_deref().unwrap_or_default());
            spinner.suspend(|| {
                session.out.note(format!(
                    "The merchant authorises at\n\n  {link}\n\nGo on later with `berth channel authorise {}`.",
                    run.id
                ));
            });
        }
        spinner.set_message(format!("{} {}", run.state, clean(run.trouble.as_deref().unwrap_or_default())));
        spinner.tick();
        tokio::time::sleep(Duration::from_millis(500)).await;
        answer = client.value(Call::get(format!("{RUNS}/{}", run.id))).await?;
    }
}

/// The outcome of a run that has ended, or that somebody has to act on: a failure unless the channel is bound or may be.
fn verdict(run: &View) -> Done {
    let detail = run.detail.as_deref().unwrap_or_default();
    match run.state.as_str() {
        "failed" => {
            let reason = run.reason.as_deref().unwrap_or("failed");
            let again = format!("berth channel authorise {}", run.id);
            let is_elsewhere = reason == Code::ChannelBound.slug();
            let next = if is_elsewhere { format!("{again} --move") } else { again };
            Err(Failure::refused(reason, detail).followed_by(next))
        }
        "abandoned" => Err(Failure::refused(
            "abandoned",
            format!("{detail} Start again with `berth channel authorise {}`.", run.id),
        )),
        _ => Ok(()),
    }
}

/// Gives a run up.
pub async fn abandon(run: &AuthorisationId, session: &mut Session) -> Done {
    let answer = session.client()?.value(Call::post(format!("{RUNS}/{run}/abandon"))).await?;
    session.out.show(&answer, view)
}

/// The arguments of `berth channel authorisations`.
#[derive(Args, Debug)]
pub struct Authorisations {
    /// Only those of this merchant
    #[arg(long, value_name = "BOS_ID")]
    pub merchant: Option<MerchantId>,
    /// Only those in this state
    #[arg(long)]
    pub state: Option<String>,
}

/// Lists runs of authorising channels.
pub async fn list(args: Authorisations, session: &mut Session) -> Done {
    let call = Call::get(RUNS).query("merchant", args.merchant).query("state", args.state);
    let items = session.client()?.items(call).await?;
    let head = ["ID", "MERCHANT", "KIND", "STATE", "APP ID", "CHANGED"];
    session.out.list(items, head, "No authorisations. Begin one with `berth channel authorise`.", |run: View, paint| {
        [
            Cell::strong(&run.id),
            Cell::of(&run.merchant),
            Cell::of(run.kind),
            state(&run.state),
            Cell::any(run.app_id),
            paint.when(run.changed_at),
        ]
    })
}

fn view(run: View, paint: &Paint) -> String {
    let mut card = Card::default()
        .field("id", Cell::strong(&run.id))
        .field("merchant", Cell::of(&run.merchant))
        .field("kind", Cell::of(run.kind))
        .field("state", state(&run.state))
        .maybe("link", run.url.map(Cell::of))
        .maybe("app id", run.app_id.map(Cell::of))
        .maybe("name", run.name.map(Cell::of))
        .maybe("channel", run.channel.map(Cell::of))
        .maybe("endpoint app", run.endpoint_app.map(Cell::of))
        .maybe("waits", run.trouble.map(Cell::of))
        .maybe("why", run.detail.map(Cell::of));
    for warning in run.warnings {
        card = card.field("warning", Cell::of(warning));
    }
    card = card.maybe("given up", run.expires_at.map(|at| paint.when(at)));
    if run.state == "choosing" {
        let next = format!("berth channel authorise {} --endpoint CID", run.id);
        card = card.field("next", Cell::of(next));
    }
    card.render(paint)
}
