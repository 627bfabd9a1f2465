//! `berth events`: what happened, and what happens.

use std::time::Duration;

use clap::Args;
use serde::Deserialize;
use serde_json::Value;

use super::{
    call::Call,
    client::Client,
    failure::{Done, Failure},
    output::read,
    paint::Paint,
    session::Session,
    table::Cell,
};
use crate::{
    clock::Millis,
    ids::{HostAppId, MiniAppId},
};

const PAGE: u32 = 200;
const POLL: Duration = Duration::from_secs(1);

/// `berth events`
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  berth events --app mp-shop
  berth events --follow --json | jq .type")]
pub struct Events {
    /// Only those of this MiniApp
    #[arg(long)]
    pub app: Option<MiniAppId>,
    /// Only those of this host app
    #[arg(long)]
    pub host_app: Option<HostAppId>,
    /// Only those after this sequence number
    #[arg(long, value_name = "SEQ", default_value_t = 0)]
    pub after: u64,
    /// Go on with what happens
    #[arg(long, short)]
    pub follow: bool,
}

/// One page.
#[derive(Deserialize)]
struct Answer {
    items: Vec<Value>,
}

#[derive(Deserialize)]
struct Event {
    seq: u64,
    #[serde(rename = "type")]
    kind: String,
    subject: String,
    #[serde(default)]
    actor: String,
    at: Millis,
}

/// Runs it.
pub async fn run(args: Events, session: &mut Session) -> Done {
    let client = session.client()?;
    if args.follow { follow(&client, session, args).await } else { list(&client, session, args).await }
}

async fn list(client: &Client, session: &mut Session, args: Events) -> Done {
    let (mut items, mut after) = (Vec::new(), args.after);
    loop {
        let page = page(client, &args, after).await?;
        let Some(last) = last(&page)? else { break };
        after = last;
        items.extend(page);
    }
    let head = ["SEQ", "AT", "TYPE", "SUBJECT", "ACTOR"];
    session.out.list(items, head, "Nothing has happened.", |event: Event, paint| {
        [
            Cell::of(event.seq),
            paint.when(event.at),
            Cell::strong(event.kind),
            Cell::of(event.subject),
            Cell::of(event.actor),
        ]
    })
}

/// Prints events for ever; a host that is away for a while is asked again.
async fn follow(client: &Client, session: &mut Session, args: Events) -> Done {
    let mut after = args.after;
    loop {
        let items = match page(client, &args, after).await {
            Err(Failure::Unreachable(reason)) => {
                session.out.note(reason);
                Vec::new()
            }
            items => items?,
        };
        for item in &items {
            print(session, item)?;
        }
        match last(&items)? {
            Some(last) => after = last,
            None => tokio::time::sleep(POLL).await,
        }
    }
}

async fn page(client: &Client, args: &Events, after: u64) -> Result<Vec<Value>, Failure> {
    let call = Call::get("/v1/events").query("after", Some(after)).query("limit", Some(PAGE));
    let call = call.query("mini_app", args.app.as_ref()).query("host_app", args.host_app.as_ref());
    Ok(read::<Answer>(&client.value(call).await?)?.items)
}

/// The sequence number of the last item; none on an empty page.
fn last(items: &[Value]) -> Result<Option<u64>, Failure> {
    items.last().map(|item| read::<Event>(item).map(|event| event.seq)).transpose()
}

fn print(session: &mut Session, item: &Value) -> Done {
    if session.out.json {
        return session.out.stream(item);
    }
    let event: Event = read(item)?;
    let text = line(&event, &session.out.paint);
    session.out.line(text)
}

fn line(event: &Event, paint: &Paint) -> String {
    let kind = Cell::strong(&event.kind).render(paint);
    let rest = Cell::of(format!("{}  by {}", event.subject, event.actor)).render(paint);
    format!("{:>6}  {}  {kind}  {rest}", event.seq, event.at)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_followed_event_is_one_line() {
        let event = json!({"seq": 7, "type": "version.online", "subject": "mp-shop", "actor": "usr_1", "at": "2030-01-31T08:00:00Z", "data": {}});
        let event: Event = read(&event).expect("an event");
        let text = line(&event, &Paint { styled: false, now: Millis(0) });
        assert_eq!(text, "     7  2030-01-31T08:00:00.000Z  version.online  mp-shop  by usr_1");
    }
}
