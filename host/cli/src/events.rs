//! `berth events`: past events, and events as they happen.

use std::{collections::VecDeque, time::Duration};

use clap::{Args, Subcommand};
use futures_util::StreamExt;
use serde_json::{Value, json};
use sse_stream::{Sse, SseByteStream};

use super::{
    answer::read,
    call::Call,
    client::Client,
    failure::{Done, Failure},
    paint::{Paint, clean_lines},
    session::Session,
    table::Cell,
};
use berth_base::{
    ids::{HostAppId, MerchantId, MiniAppId, WebhookId, WorkspaceId},
    page::Page,
};
use berth_model::event::{
    Event,
    webhook::{Replay, check_types, wants},
};

const PAGE: u32 = 200;
/// The pause before a lost stream is opened again.
const PAUSE: Duration = Duration::from_secs(1);
/// How long a stream may be silent until it counts as dead. The host sends a heartbeat every 15 seconds.
const SILENCE: Duration = Duration::from_secs(45);

/// The subcommands of `berth events`.
#[derive(Subcommand, Debug)]
#[command(after_help = "Examples:
  berth events list --app mp-shop --types 'version.*' --last 10
  berth events tail --types 'version.*' --json | jq .type
  berth events replay wh_01… --after 1200")]
pub enum Events {
    /// List what happened, oldest first
    List {
        #[command(flatten)]
        which: Which,
        /// Only those after this sequence number
        #[arg(long, value_name = "SEQ", default_value_t = 0)]
        after: i64,
        /// Only those of these types, exact or with a star: version.*
        #[arg(long, value_name = "TYPE", value_delimiter = ',')]
        types: Vec<String>,
        /// Only the newest so many
        #[arg(long, value_name = "COUNT")]
        last: Option<usize>,
    },
    /// Print what happens, as it happens; a lost connection is opened again and nothing is missed
    Tail {
        #[command(flatten)]
        which: Which,
        /// Begin after this sequence number; with what happens next when absent
        #[arg(long, value_name = "SEQ")]
        after: Option<i64>,
        /// Only those of these types, exact or with a star: version.*
        #[arg(long, value_name = "TYPE", value_delimiter = ',')]
        types: Vec<String>,
    },
    /// Deliver events to a webhook again
    Replay {
        /// The webhook
        webhook: WebhookId,
        /// Everything after this sequence number
        #[arg(long, value_name = "SEQ")]
        after: i64,
    },
}

/// Whose events to read.
#[derive(Args, Debug)]
pub struct Which {
    /// Only those of this MiniApp
    #[arg(long)]
    pub app: Option<MiniAppId>,
    /// Only those of this host app
    #[arg(long)]
    pub host_app: Option<HostAppId>,
    /// Only those of this merchant
    #[arg(long)]
    pub merchant: Option<MerchantId>,
    /// Only those of this workspace
    #[arg(long)]
    pub workspace: Option<WorkspaceId>,
}

impl Which {
    fn of(&self, call: Call) -> Call {
        let call = call.query("mini_app", self.app.as_ref()).query("host_app", self.host_app.as_ref());
        call.query("merchant", self.merchant.as_ref()).query("workspace", self.workspace.as_ref())
    }
}

pub async fn run(command: Events, session: &mut Session) -> Done {
    let client = session.client()?;
    match command {
        Events::List { which, after, types, last } => {
            let types = check_types(types)?; // the host lists all, and what is wanted is picked out here
            let items = read_all(&client, &which, after, &types, last.unwrap_or(usize::MAX)).await?;
            let head = ["SEQ", "AT", "TYPE", "VERSION", "SUBJECT", "ACTOR"];
            session.out.list(items, head, "Nothing has happened.", row)
        }
        Events::Tail { which, after, types } => tail(&client, session, &which, after, &types).await,
        Events::Replay { webhook, after } => replay(&client, session, &webhook, after).await,
    }
}

/// Lets a host deliver everything after an event to a webhook again.
pub async fn replay(client: &Client, session: &mut Session, webhook: &WebhookId, after: i64) -> Done {
    client.value(Call::ask(format!("/v1/webhooks/{webhook}/replay")).json(&Replay { after })).await?;
    let document = json!({"webhook": webhook, "after": after});
    session.out.done(&document, format!("Everything after event {after} is queued for {webhook}: `berth webhook show {webhook}` tells how far it is."))
}

/// The newest `most` of the wanted events, oldest first.
async fn read_all(
    client: &Client,
    which: &Which,
    mut after: i64,
    types: &[String],
    most: usize,
) -> Result<Vec<Value>, Failure> {
    let mut items = VecDeque::new();
    loop {
        let page = page(client, which, after).await?;
        let Some(last) = page.last().map(read::<Event>).transpose()? else { return Ok(items.into()) };
        after = last.seq;
        let kind = |item: &Value| item.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
        items.extend(page.into_iter().filter(|item| wants(types, &kind(item))));
        items.drain(..items.len().saturating_sub(most));
    }
}

fn row(event: Event, paint: &Paint) -> [Cell; 6] {
    let data: Value = serde_json::from_str(event.data.get()).unwrap_or_default();
    let version = data.get("version").and_then(Value::as_str);
    [
        Cell::of(event.seq),
        paint.when(event.at),
        Cell::strong(&event.kind),
        Cell::any(version),
        Cell::of(&event.subject),
        paint.who(&event.actor),
    ]
}

async fn page(client: &Client, which: &Which, after: i64) -> Result<Vec<Value>, Failure> {
    let call = Call::get("/v1/events").query("after", Some(after)).query("limit", Some(PAGE));
    Ok(read::<Page<Value>>(&client.value(which.of(call)).await?)?.items)
}

/// Prints events in an endless loop. When the host cannot be reached for a while, it is asked again.
async fn tail(client: &Client, session: &mut Session, which: &Which, mut after: Option<i64>, types: &[String]) -> Done {
    let types = (!types.is_empty()).then(|| types.join(","));
    session.out.note("Waiting for events. Ctrl-C ends it.");
    loop {
        let call = which.of(Call::get("/v1/events/stream")).query("types", types.as_ref()).query("after", after);
        match follow(client, session, &call, &mut after).await {
            Err(Failure::Unreachable(reason)) => session.out.note(clean_lines(&reason)),
            Err(Failure::Refused(problem)) if problem.status >= 500 || problem.status == 429 => {
                session.out.note(clean_lines(&problem.detail));
            }
            ended => ended?,
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Prints a stream to its end. `after` becomes the number of the last event that was printed.
async fn follow(client: &Client, session: &mut Session, call: &Call, after: &mut Option<i64>) -> Done {
    let lost = |why: &str| Failure::Unreachable(format!("The stream of {} {why}; opening it again.", client.base()));
    let mut events = SseByteStream::new(client.send(call).await?.bytes_stream());
    loop {
        let event = tokio::time::timeout(SILENCE, events.next()).await.map_err(|_| lost("went silent"))?;
        let Some(event) = event.transpose().map_err(|_| lost("was lost"))? else { return Ok(()) };
        take(client, session, event, after).await?;
    }
}

/// Prints an event. One without data only says where to go on.
async fn take(client: &Client, session: &mut Session, event: Sse, after: &mut Option<i64>) -> Done {
    if let Some(data) = &event.data {
        print(client, session, data).await?;
    }
    *after = event.id.and_then(|id| id.parse().ok()).or(*after);
    Ok(())
}

async fn print(client: &Client, session: &mut Session, data: &str) -> Done {
    let wrong = |_| Failure::refused("unexpected-answer", "The host sent an event that is not JSON.");
    let item: Value = serde_json::from_str(data).map_err(wrong)?;
    if session.out.json {
        return session.out.stream(&item);
    }
    client.look_up_names(&item).await;
    let event: Event = read(&item)?;
    let text = line(&event, &session.out.paint);
    session.out.line(text)
}

fn line(event: &Event, paint: &Paint) -> String {
    let kind = Cell::strong(&event.kind).render(paint);
    let rest = Cell::of(format!("{}  by {}", event.subject, paint.names.of(&event.actor))).render(paint);
    format!("{:>6}  {}  {kind}  {rest}", event.seq, event.at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_followed_event_is_one_line() {
        let event = json!({"seq": 7, "id": format!("evt_{}", "0".repeat(26)), "type": "version.online", "subject": "mp-shop", "actor": "usr_1", "at": "2030-01-31T08:00:00Z", "data": {}});
        let event: Event = read(&event).expect("an event");
        let text = line(&event, &Paint::plain());
        assert_eq!(text, "     7  2030-01-31T08:00:00.000Z  version.online  mp-shop  by usr_1");
    }
}
