//! `berth acts`: who did what, and from where.

use clap::{Args, Subcommand, ValueEnum};
use futures_util::StreamExt;
use serde_json::Value;

use super::{
    answer::read,
    call::Call,
    client::Client,
    failure::{Done, Failure},
    handle::{account_id, team_id},
    paint::{Ink, Paint},
    parse::{Past, one_of},
    session::Session,
    table::{Card, Cell},
};
use berth_base::{
    clock::Millis,
    ids::{ActId, HostAppId, MerchantId, MiniAppId, WorkspaceId},
    page::Page,
};
use berth_model::{
    access::{BERTH, Me},
    act::{Act, ActDetail, Changes, Outcome, Place},
    event::Event,
};

/// The subcommands of `berth acts`.
#[derive(Subcommand, Debug)]
#[command(after_help = "Examples:
  berth acts list --app mp-shop --last 20
  berth acts list --by me --outcome refused
  berth acts list --by ann --outcome refused --from 2030-01-31T00:00:00Z
  berth acts show act_01…
  berth acts export --operation 'access.*' > acts.csv")]
pub enum Acts {
    /// List what people and machines did, newest first
    #[command(visible_alias = "ls")]
    List {
        #[command(flatten)]
        which: Which,
        /// How many of the newest
        #[arg(long, value_name = "COUNT", default_value_t = 50)]
        last: usize,
    },
    /// Show one act, with what it changed
    Show {
        /// The act
        id: ActId,
    },
    /// Print all of them for a spreadsheet or a program
    Export {
        #[command(flatten)]
        which: Which,
        /// csv: a table; ndjson: one act with its events per line
        #[arg(long, value_enum, default_value_t = Form::Csv)]
        format: Form,
    },
}

/// The form of an export.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Form {
    /// A table.
    Csv,
    /// One act with its events per line.
    Ndjson,
}

/// Which acts.
#[derive(Args, Debug)]
pub struct Which {
    /// Only those of this account, by its id or name; `me` for your own, `berth` for commands on the host's own machine
    #[arg(long)]
    by: Option<String>,
    /// Only those of this operation, exact or with a star: versions.publish, 'grayscale.*'
    #[arg(long)]
    operation: Option<String>,
    /// Only those about this MiniApp
    #[arg(long)]
    app: Option<MiniAppId>,
    /// Only those about this team and its MiniApps, by its id or name
    #[arg(long)]
    team: Option<String>,
    /// Only those about this host app
    #[arg(long)]
    host_app: Option<HostAppId>,
    /// Only those about this merchant
    #[arg(long)]
    merchant: Option<MerchantId>,
    /// Only those about this workspace
    #[arg(long)]
    workspace: Option<WorkspaceId>,
    /// Only those of this moment or later: 7d (ago), or RFC 3339
    #[arg(long, value_name = "TIME")]
    from: Option<Past>,
    /// Only those before this moment: 7d (ago), or RFC 3339
    #[arg(long, value_name = "TIME")]
    until: Option<Past>,
    /// Only those that ended so
    #[arg(long, value_parser = one_of!(Outcome))]
    outcome: Option<Outcome>,
    /// Only those from this address
    #[arg(long)]
    address: Option<String>,
}

impl Which {
    async fn call(&self, client: &Client, now: Millis) -> Result<Call, Failure> {
        let actor = match self.by.as_deref() {
            Some(BERTH) => Some(BERTH.to_owned()),
            Some("me") => Some(read::<Me>(&client.value(Call::get("/v1/me")).await?)?.account.id.to_string()),
            Some(account) => Some(account_id(client, account).await?.to_string()),
            None => None,
        };
        let team = match &self.team {
            Some(team) => Some(team_id(client, team).await?),
            None => None,
        };
        Ok(Call::get("/v1/acts")
            .query("actor", actor)
            .query("operation", self.operation.as_ref())
            .query("mini_app", self.app.as_ref())
            .query("team", team)
            .query("host_app", self.host_app.as_ref())
            .query("merchant", self.merchant.as_ref())
            .query("workspace", self.workspace.as_ref())
            .query("from", self.from.map(|at| at.resolve(now)))
            .query("until", self.until.map(|at| at.resolve(now)))
            .query("outcome", self.outcome)
            .query("address", self.address.as_ref()))
    }
}

/// Runs `berth acts`.
pub async fn run(command: Acts, session: &mut Session) -> Done {
    let client = session.client()?;
    match command {
        Acts::List { which, last } => {
            let items = newest(&client, which.call(&client, session.clock.now()).await?, last).await?;
            let head = ["AT", "ID", "BY", "OPERATION", "ABOUT", "OUTCOME", "FROM"];
            session.out.list(items, head, "Nobody has done anything of that kind.", row)
        }
        Acts::Show { id } => {
            let answer = client.value(Call::get(format!("/v1/acts/{id}"))).await?;
            session.out.show(&answer, |act: ActDetail, paint| view(&act, paint))
        }
        Acts::Export { which, format } => {
            let accept = match format {
                Form::Csv => "text/csv",
                Form::Ndjson => "application/x-ndjson",
            };
            let call = which.call(&client, session.clock.now()).await?.header("accept", accept);
            export(&client, session, &call).await
        }
    }
}

/// The newest `most`, fetched page by page.
async fn newest(client: &Client, call: Call, most: usize) -> Result<Vec<Value>, Failure> {
    let mut items = Vec::new();
    let mut cursor = None;
    loop {
        let left = most.saturating_sub(items.len()).min(200);
        let page = client.value(call.clone().query("limit", Some(left.max(1))).query("cursor", cursor)).await?;
        let page: Page<Value> = read(&page)?;
        items.extend(page.items);
        items.truncate(most);
        cursor = page.next.filter(|_| items.len() < most);
        if cursor.is_none() {
            return Ok(items);
        }
    }
}

/// Prints an export as it comes.
async fn export(client: &Client, session: &mut Session, call: &Call) -> Done {
    let mut pieces = client.send(call).await?.bytes_stream();
    while let Some(piece) = pieces.next().await {
        let lost =
            |_| Failure::Unreachable(format!("The export of {} broke off: what is printed is a part.", client.base()));
        session.out.raw(&piece.map_err(lost)?)?;
    }
    Ok(())
}

fn about(places: &[Place]) -> Cell {
    let ids: Vec<_> = places.iter().map(|place| place.id.as_str()).collect();
    Cell::any((!ids.is_empty()).then(|| ids.join(" ")))
}

fn outcome(act: &Act) -> Cell {
    match &act.refused {
        Some(refused) => Cell::new(Ink::Bad, refused),
        None => Cell::new(Ink::Good, act.outcome.as_str()),
    }
}

fn row(act: Act, paint: &Paint) -> [Cell; 7] {
    let (about, outcome) = (about(&act.places), outcome(&act));
    let by = paint.who(&act.actor);
    [paint.when(act.at), Cell::of(act.id), by, Cell::strong(act.operation), about, outcome, Cell::any(act.address)]
}

fn view(ActDetail { act, events }: &ActDetail, paint: &Paint) -> String {
    let request = (!act.path.is_empty()).then(|| format!("{} {}", act.method, act.path));
    let changes = |Changes { kind, count }: &Changes| format!("{kind} ×{count}");
    let changes: Vec<_> = act.changes.iter().map(changes).collect();
    let card = Card::default()
        .field("id", Cell::strong(&act.id))
        .field("at", paint.when(act.at))
        .field("by", paint.who(&act.actor))
        .maybe("token", act.token.as_ref().map(Cell::of))
        .field("operation", Cell::strong(&act.operation))
        .maybe("request", request.as_deref())
        .field("outcome", outcome(act))
        .maybe("address", act.address.as_deref())
        .maybe("agent", act.agent.as_deref())
        .maybe("request id", act.request_id.as_deref())
        .field("about", about(&act.places))
        .maybe("changed", (!changes.is_empty()).then(|| changes.join(", ")));
    let told = |event: &Event| format!("{:>6}  {}  {}  {}", event.seq, event.kind, event.subject, event.data);
    let events: Vec<_> = events.iter().map(|event| super::paint::clean(&told(event))).collect();
    if events.is_empty() { card.render(paint) } else { format!("{}\n\n{}", card.render(paint), events.join("\n")) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_act_shows_who_what_and_what_it_changed() {
        let ulid = "0".repeat(26);
        let act = json!({"id": format!("act_{ulid}"), "at": "1970-01-01T00:00:00Z", "actor": "berth",
            "operation": "admin.token", "outcome": "done", "places": [{"kind": "team", "id": "t1"}],
            "changes": [{"type": "token.issued", "count": 1}],
            "events": [{"seq": 7, "id": format!("evt_{ulid}"), "type": "token.issued", "subject": "tok_1",
                "actor": "berth", "at": "1970-01-01T00:00:00Z", "data": {"name": "admin"}}]});
        let text = view(&read(&act).expect("an act"), &Paint::plain());
        for part in [
            "berth",
            "admin.token",
            "done",
            "t1",
            "token.issued ×1",
            "     7  token.issued  tok_1  {\"name\":\"admin\"}",
        ] {
            assert!(text.contains(part), "{part} in\n{text}");
        }
    }
}
