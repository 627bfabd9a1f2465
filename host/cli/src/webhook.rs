//! `berth webhook`: webhooks and their deliveries.

use std::time::Duration;

use clap::{Args, Subcommand};
use serde_json::json;

use super::{
    answer::read,
    call::Call,
    client::Client,
    events::replay,
    failure::{Done, Failure},
    handle::team_id,
    paint::{Ink, Paint, said},
    parse::seconds,
    session::Session,
    table::{Card, Cell},
};
use berth_base::{
    clock::in_words,
    ids::{HostAppId, MerchantId, WebhookId, WorkspaceId},
};
use berth_model::{
    access::ScopeKind,
    event::webhook::{
        Attempt, Delivery, DeliveryState, EditWebhook, NewWebhook, Ping, RotateSecret, Webhook as View, WebhookDetail,
        WebhookScope, WebhookWithSecret,
    },
};

/// The subcommands of `berth webhook`.
#[derive(Subcommand, Debug)]
#[command(after_help = "Examples:
  berth webhook create https://example.com/hook --platform --types 'version.*'
  berth webhook test wh_01…
  berth webhook deliveries wh_01… --state dead
  berth webhook attempts wh_01… --event 1207
  berth webhook replay wh_01… --delivery 1207")]
pub enum Webhook {
    /// Create a webhook, which gets the events from now on; its secret is shown only now
    #[command(
        after_help = "Its first message may be its own `webhook.created`, before you have stored the secret: answer anything\n\
        but 2xx until you have it, and it comes again."
    )]
    Create {
        /// The address to which events are POSTed
        url: String,
        #[command(flatten)]
        place: Place,
        /// Only these types, exact or with a star: version.*
        #[arg(long, value_name = "TYPE", value_delimiter = ',')]
        types: Vec<String>,
        /// A description for people
        #[arg(long, default_value = "")]
        description: String,
    },
    /// List the webhooks that you may know of
    List,
    /// Show a webhook and the progress of its deliveries
    Show {
        /// The webhook
        webhook: WebhookId,
    },
    /// Change, disable or enable a webhook
    Edit {
        /// The webhook
        webhook: WebhookId,
        /// The new address
        #[arg(long)]
        url: Option<String>,
        /// The new types
        #[arg(long, value_name = "TYPE", value_delimiter = ',')]
        types: Option<Vec<String>>,
        /// The new description for people
        #[arg(long)]
        description: Option<String>,
        /// Whether events are delivered: true or false; those that happen while it is disabled are delivered later
        #[arg(long)]
        enabled: Option<bool>,
    },
    /// Delete a webhook and the deliveries that wait for it
    Delete {
        /// The webhook
        webhook: WebhookId,
    },
    /// Replace the secret; messages are signed with the old one too for a while
    Rotate {
        /// The webhook
        webhook: WebhookId,
        /// For how long messages are signed with the old one too: 2d, 0; a day when absent
        #[arg(long, value_name = "DURATION", value_parser = seconds)]
        keep_old: Option<i64>,
    },
    /// Send a message at once and show what the receiver answered
    Test {
        /// The webhook
        webhook: WebhookId,
    },
    /// List the deliveries that wait for their next try, and those that were given up
    Deliveries {
        /// The webhook
        webhook: WebhookId,
        /// Only those in this state: waiting or dead
        #[arg(long)]
        state: Option<DeliveryState>,
    },
    /// List what the receiver answered to the attempts of the last week, newest first
    Attempts {
        /// The webhook
        webhook: WebhookId,
        /// Only those for the event with this number
        #[arg(long, value_name = "SEQ")]
        event: Option<i64>,
        /// Only those that failed
        #[arg(long)]
        failed: bool,
    },
    /// Deliver again: one delivery, or everything after an event
    Replay {
        /// The webhook
        webhook: WebhookId,
        #[command(flatten)]
        what: What,
    },
}

/// The scope whose events a webhook gets.
#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
pub struct Place {
    /// Those of a team's MiniApps; the team by its id or name
    #[arg(long, value_name = "TEAM")]
    pub team: Option<String>,
    /// Those of a host app
    #[arg(long, value_name = "ID")]
    pub host_app: Option<HostAppId>,
    /// Those of a merchant
    #[arg(long, value_name = "ID")]
    pub merchant: Option<MerchantId>,
    /// Those of a workspace
    #[arg(long, value_name = "ID")]
    pub workspace: Option<WorkspaceId>,
    /// All of them (platform admins)
    #[arg(long)]
    pub platform: bool,
}

/// What to deliver again.
#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
pub struct What {
    /// The delivery of this event
    #[arg(long, value_name = "SEQ")]
    pub delivery: Option<i64>,
    /// Everything after this event
    #[arg(long, value_name = "SEQ")]
    pub after: Option<i64>,
}

impl Place {
    async fn scope(&self, client: &Client) -> Result<WebhookScope, Failure> {
        let of = |kind, id: &dyn ToString| WebhookScope { kind, id: id.to_string() };
        Ok(match self {
            Self { team: Some(team), .. } => of(ScopeKind::Team, &team_id(client, team).await?),
            Self { host_app: Some(id), .. } => of(ScopeKind::HostApp, id),
            Self { merchant: Some(id), .. } => of(ScopeKind::Merchant, id),
            Self { workspace: Some(id), .. } => of(ScopeKind::Workspace, id),
            _ => of(ScopeKind::Platform, &""),
        })
    }
}

fn path(webhook: &WebhookId) -> String {
    format!("/v1/webhooks/{webhook}")
}

pub async fn run(command: Webhook, session: &mut Session) -> Done {
    let client = session.client()?;
    match command {
        Webhook::Create { url, place, types, description } => {
            let new = NewWebhook { url, scope: place.scope(&client).await?, types, description };
            let answer = client.value(Call::create("/v1/webhooks").json(&new)).await?;
            session.out.show(&answer, secret_view)?;
            session.out.then(&answer, |one: WebhookWithSecret| Some(format!("berth webhook test {}", one.webhook.id)));
            Ok(())
        }
        Webhook::List => {
            let items = client.items(Call::get("/v1/webhooks")).await?;
            let empty = "No webhooks. Create one with `berth webhook create URL`.";
            session.out.list(items, ["ID", "SCOPE", "URL", "TYPES", "STATE"], empty, row)
        }
        Webhook::Show { webhook } => session.out.show(&client.value(Call::get(path(&webhook))).await?, detail_view),
        Webhook::Edit { webhook, url, types, description, enabled } => {
            let edit = EditWebhook { url, types, enabled, description };
            let answer = client.value(Call::patch(path(&webhook)).json(&edit)).await?;
            session.out.show(&answer, |one: View, paint| card(&one).render(paint))
        }
        Webhook::Delete { webhook } => {
            session.confirm(&format!("Delete {webhook} and the deliveries that wait for it?"))?;
            client.value(Call::delete(path(&webhook))).await?;
            session.out.done(&json!({"id": webhook, "deleted": true}), format!("{webhook} is deleted."))
        }
        Webhook::Rotate { webhook, keep_old } => {
            let call = Call::post(format!("{}/rotate-secret", path(&webhook)));
            let answer = client.value(call.json(&RotateSecret { keep_old_seconds: keep_old })).await?;
            let old = match keep_old {
                None => "The old one is valid for a day more (--keep-old DURATION changes that).".to_owned(),
                Some(0) => "The old one is not valid any more.".to_owned(),
                Some(seconds) => {
                    format!("The old one is valid for {} more.", in_words(Duration::from_secs(seconds.unsigned_abs())))
                }
            };
            session.out.show(&answer, |one, paint| format!("{} {old}", secret_view(one, paint)))
        }
        Webhook::Test { webhook } => {
            let answer = client.value(Call::ask(format!("{}/test", path(&webhook)))).await?;
            session.out.show(&answer, ping_view)?;
            let ping: Ping = read(&answer)?;
            let why = said(&ping.error).unwrap_or("the receiver did not accept the message");
            if ping.delivered {
                Ok(())
            } else {
                Err(Failure::refused("not-delivered", format!("Not delivered: {}.", why.trim_end_matches('.'))))
            }
        }
        Webhook::Deliveries { webhook, state } => deliveries(&client, session, &webhook, state).await,
        Webhook::Attempts { webhook, event, failed } => attempts(&client, session, &webhook, event, failed).await,
        Webhook::Replay { webhook, what } => match what {
            What { after: Some(after), .. } => replay(&client, session, &webhook, after).await,
            What { delivery, .. } => replay_one(&client, session, &webhook, delivery.unwrap_or_default()).await,
        },
    }
}

async fn deliveries(client: &Client, session: &mut Session, webhook: &WebhookId, state: Option<DeliveryState>) -> Done {
    let items = client.items(Call::get(format!("{}/deliveries", path(webhook))).query("state", state)).await?;
    let head = ["SEQ", "TYPE", "SUBJECT", "STATE", "TRIES", "NEXT", "WHY"];
    session.out.list(items, head, "Nothing waits and nothing was given up.", |one: Delivery, paint| {
        let dead = one.state == DeliveryState::Dead;
        [
            Cell::of(one.seq),
            Cell::strong(one.kind),
            Cell::of(one.subject),
            Cell::new(if dead { Ink::Bad } else { Ink::Plain }, one.state.as_str()),
            Cell::of(one.attempts),
            match (one.next_at, one.behind) {
                (_, Some(earlier)) => format!("after {earlier}").into(),
                (Some(at), None) => paint.when(at),
                (None, None) => "-".into(),
            },
            match one.behind {
                Some(_) if one.error.is_empty() => "it waits for an earlier one of its subject".into(),
                _ => Cell::of(one.error),
            },
        ]
    })
}

async fn attempts(
    client: &Client,
    session: &mut Session,
    webhook: &WebhookId,
    event: Option<i64>,
    failed: bool,
) -> Done {
    let call = Call::get(format!("{}/attempts", path(webhook))).query("event", event);
    let items = client.items(call.query("delivered", failed.then_some(false))).await?;
    let head = ["SEQ", "TYPE", "AT", "ANSWER", "TOOK", "WHY"];
    session.out.list(items, head, "Nothing was attempted within the last week.", |one: Attempt, paint| {
        let ink = if one.delivered { Ink::Good } else { Ink::Bad };
        [
            Cell::of(one.seq),
            Cell::strong(one.kind.unwrap_or_else(|| "-".into())),
            paint.when(one.at),
            Cell::new(ink, one.status.map_or("none".into(), |status| status.to_string())),
            format!("{} ms", one.millis).into(),
            one.error.into(),
        ]
    })
}

async fn replay_one(client: &Client, session: &mut Session, webhook: &WebhookId, seq: i64) -> Done {
    client.value(Call::ask(format!("{}/deliveries/{seq}/replay", path(webhook)))).await?;
    session.out.done(
        &json!({"webhook": webhook, "delivery": seq}),
        format!("Event {seq} is queued, and delivered as soon as the receiver takes it."),
    )
}

fn scope(one: &View) -> String {
    format!("{} {}", one.scope.kind, one.scope.id).trim_end().to_owned()
}

fn types(one: &View) -> String {
    if one.types.is_empty() { "all".into() } else { one.types.join(",") }
}

fn state(one: &View) -> Cell {
    if one.enabled { Cell::new(Ink::Good, "enabled") } else { Cell::new(Ink::Faint, "disabled") }
}

fn row(one: View, _: &Paint) -> [Cell; 5] {
    [Cell::strong(&one.id), scope(&one).into(), one.url.as_str().into(), types(&one).into(), state(&one)]
}

fn card(one: &View) -> Card {
    Card::default()
        .field("id", Cell::strong(&one.id))
        .field("url", one.url.as_str())
        .field("scope", scope(one))
        .field("types", types(one))
        .field("state", state(one))
        .maybe("why", said(&one.disabled_why))
        .maybe("for", said(&one.description))
}

fn detail_view(one: WebhookDetail, paint: &Paint) -> String {
    card(&one.webhook)
        .field("up to event", Cell::of(format!("{} of {}", one.up_to, one.last)))
        .field("waiting", Cell::of(one.waiting))
        .field("given up", Cell::of(one.dead))
        .render(paint)
}

fn secret_view(one: WebhookWithSecret, paint: &Paint) -> String {
    let card = card(&one.webhook).field("secret", Cell::strong(&one.secret));
    format!("{}\n\nThe secret is shown this once. Receivers verify messages with it.", card.render(paint))
}

fn ping_view(one: Ping, paint: &Paint) -> String {
    let (ink, word) = if one.delivered { (Ink::Good, "delivered") } else { (Ink::Bad, "not delivered") };
    Card::default()
        .field("result", Cell::new(ink, word))
        .field("status", Cell::any(one.status))
        .field("took", Cell::of(format!("{} ms", one.millis)))
        .maybe("why", said(&one.error))
        .maybe("answer", said(&one.body))
        .render(paint)
}
