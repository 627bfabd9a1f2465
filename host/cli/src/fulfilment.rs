//! `berth fulfil` and `berth fulfilment`: messages of the order system.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{
    answer::read,
    call::Call,
    client::Client,
    failure::{Done, Failure},
    paint::{Paint, clean, state, word},
    session::Session,
    table::{Card, Cell, Table},
};
use crate::files;
use berth_base::ids::{MerchantId, MessageId};
use berth_model::endpoint::fulfilment::{
    Discard, Fulfilment as View, FulfilmentState, MOST, Receipt, ReceiptOutcome, Receipts, Replay, ReplayAll,
    message::Reason,
};

/// The arguments of `berth fulfil`.
#[derive(Args, Debug)]
#[command(after_help = "A message, in JSON:
  {\"id\": \"order-17\", \"merchant\": \"bos-coffee\", \"instance\": \"mall-1\", \"product\": \"mall\", \"kind\": \"purchase\",
   \"at\": \"2026-01-31T08:00:00Z\", \"expires_at\": \"2027-01-31T08:00:00Z\", \"name\": \"Mall\"}
The kind is purchase, renew or unsubscribe; expires_at and name may be absent. Exit code 1 when a message was parked: it
is kept, and waits for its reason to go. A file that is not JSON is refused with the line, and nothing of it is sent.

Examples:
  berth fulfil orders.jsonl
  tail -n 1 orders.jsonl | berth fulfil -")]
pub struct Fulfil {
    /// One message, an array of messages, or one message per line; `-` reads them from stdin
    file: PathBuf,
}

/// The subcommands of `berth fulfilment`.
#[derive(Subcommand, Debug)]
#[command(after_help = "Examples:
  berth fulfilment list --state parked
  berth fulfilment replay order-17 --message corrected.json
  berth fulfilment discard order-17 --note \"the order was cancelled\"
  berth fulfilment replay --all --reason malformed")]
pub enum Fulfilment {
    /// List the messages that were sent, newest first; members of a merchant say which one
    List {
        /// Only those in this state: applied, parked, corrected or discarded
        #[arg(long)]
        state: Option<FulfilmentState>,
        /// Only those that are parked for this reason
        #[arg(long)]
        reason: Option<Reason>,
        /// Only those that name this merchant (BosID)
        #[arg(long, value_name = "BOS_ID")]
        merchant: Option<MerchantId>,
    },
    /// Show a message and what became of it
    Show {
        /// The id of the message
        message: MessageId,
    },
    /// Discard a parked message: it is not to be applied, and does not wait any more
    Discard {
        /// The id of the message
        message: MessageId,
        /// Why it is not to be applied, for whoever asks later
        #[arg(long)]
        note: String,
    },
    /// Try a parked or discarded message again, or all that are parked
    Replay {
        /// The id of the message
        #[arg(required_unless_present = "all")]
        message: Option<MessageId>,
        /// A file with the corrected message
        #[arg(long = "message", value_name = "FILE", conflicts_with = "all")]
        corrected: Option<PathBuf>,
        /// All parked messages, 1,000 at most, those with the fewest attempts first
        #[arg(long, conflicts_with = "message")]
        all: bool,
        /// Only those that are parked for this reason
        #[arg(long, requires = "all")]
        reason: Option<Reason>,
        /// Only those that name this merchant (BosID)
        #[arg(long, requires = "all", value_name = "BOS_ID")]
        merchant: Option<MerchantId>,
    },
}

/// How many bytes a file of messages may have.
const MOST_OF_FILE: u64 = 64 << 20;
/// How many bytes of messages one request has at most, which is half of what a host takes.
const MOST_OF_REQUEST: usize = 1 << 20;
/// How deep lists and objects of a message may be nested, so that a host reads the request that it is in.
const DEEPEST: usize = 60;

/// Runs `berth fulfil`. Everything is read before the first message is sent, so that what is broken is not half sent.
pub async fn fulfil(args: Fulfil, session: &mut Session) -> Done {
    let requests = read_all(&args.file, session).map_err(nothing_sent)?;
    let client = session.client()?;
    let mut results = Vec::new();
    for messages in requests {
        // Repeating a message does no harm, so a lost answer is no reason to fail.
        let call = Call::ask("/v1/fulfilments").json(&json!({"messages": messages}));
        results.extend(results_of(&client, call).await?);
    }
    show(&json!({"results": results}), session)
}

fn read_all(file: &Path, session: &mut Session) -> Result<Vec<Vec<Value>>, Failure> {
    let (name, text) = match file.as_os_str() == "-" {
        true => ("stdin".to_owned(), files::text_of(&mut session.input, "stdin", MOST_OF_FILE)?),
        false => (file.display().to_string(), files::read_text_up_to(file, MOST_OF_FILE)?),
    };
    requests(messages(&name, &text)?)
}

/// The failure of something that is broken, with the word that nothing of it was sent.
fn nothing_sent(failure: Failure) -> Failure {
    match failure {
        Failure::Usage(text) => Failure::usage(format!("{text} Nothing was sent.")),
        other => other,
    }
}

/// Prints receipts. Fails when a message was parked, so that scripts notice it.
fn show(answer: &Value, session: &mut Session) -> Done {
    session.out.show(answer, receipts)?;
    settle(&read::<Receipts>(answer)?.results)
}

fn settle(results: &[Receipt]) -> Done {
    match results.iter().filter(|one| one.outcome == ReceiptOutcome::Parked).count() {
        0 => Ok(()),
        1 => Err(Failure::refused("parked", "1 message was parked; it is kept and waits.")),
        many => Err(Failure::refused("parked", format!("{many} messages were parked; they are kept and wait."))),
    }
}

/// The messages in one JSON document, or in one per line.
fn messages(name: &str, text: &str) -> Result<Vec<Value>, Failure> {
    let messages = match serde_json::from_str(text) {
        Ok(Value::Array(messages)) => messages,
        Ok(one) => vec![one],
        Err(_) if has_lines(text) => lines(text)?,
        Err(error) => return Err(Failure::usage(format!("{name} is not JSON: {}.", files::why_not_json(&error)))),
    };
    if messages.is_empty() {
        return Err(Failure::usage("There are no messages. See `berth fulfil --help` for what one looks like."));
    }
    Ok(messages)
}

/// Whether a text that is not JSON is meant as one message per line. If not, it is a broken document over several lines:
/// its first line is only the beginning of something, and the second one is no message.
fn has_lines(text: &str) -> bool {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let read = |line: &str| serde_json::from_str::<Value>(line);
    match lines.next().map(read) {
        Some(Err(error)) if error.is_eof() => {
            !text.trim_start().starts_with('[') && lines.next().is_some_and(|line| read(line).is_ok())
        }
        _ => true,
    }
}

fn lines(text: &str) -> Result<Vec<Value>, Failure> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let wrong = |number: usize, error: &serde_json::Error| {
        let why = if error.is_eof() { "it ends too early".into() } else { format!("see column {}", error.column()) };
        Failure::usage(format!("Line {} is not JSON: {why}.", number + 1))
    };
    lines.map(|(number, line)| serde_json::from_str(line).map_err(|error| wrong(number, &error))).collect()
}

/// The messages in as many requests as they need.
fn requests(messages: Vec<Value>) -> Result<Vec<Vec<Value>>, Failure> {
    let (mut requests, mut room) = (Vec::<Vec<Value>>::new(), 0);
    for (number, message) in (1..).zip(messages) {
        let size = message.to_string().len() + 1;
        if size > MOST_OF_REQUEST {
            return Err(Failure::usage(format!("Message {number} has more than {} MiB.", MOST_OF_REQUEST >> 20)));
        }
        if levels(&message) > DEEPEST {
            return Err(Failure::usage(format!("Message {number} is nested deeper than {DEEPEST} levels.")));
        }
        match requests.last_mut().filter(|request| request.len() < MOST && size <= room) {
            Some(request) => {
                request.push(message);
                room -= size;
            }
            None => {
                requests.push(vec![message]);
                room = MOST_OF_REQUEST - size;
            }
        }
    }
    Ok(requests)
}

/// How deep lists and objects of a value are nested. Values that were parsed have 128 levels at most.
fn levels(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(levels).max().unwrap_or(0),
        Value::Object(members) => 1 + members.values().map(levels).max().unwrap_or(0),
        _ => 0,
    }
}

async fn results_of(client: &Client, call: Call) -> Result<Vec<Value>, Failure> {
    let mut answer = client.value(call).await?;
    Ok(answer["results"].as_array_mut().map(std::mem::take).unwrap_or_default())
}

/// Runs `berth fulfilment`.
pub async fn run(command: Fulfilment, session: &mut Session) -> Done {
    let client = session.client()?;
    match command {
        Fulfilment::List { state, reason, merchant } => {
            let call = Call::get("/v1/fulfilments").query("state", state).query("reason", reason);
            let items = client.items(call.query("merchant", merchant)).await?;
            session.out.list(items, ["MESSAGE", "MERCHANT", "STATE", "REASON", "TRIED", "CAME"], "No messages.", row)
        }
        Fulfilment::Show { message } => {
            session.out.show(&client.value(Call::get(format!("/v1/fulfilments/{message}"))).await?, view)
        }
        Fulfilment::Discard { message, note } => {
            let call = Call::create(format!("/v1/fulfilments/{message}/discard")).json(&Discard { note });
            session
                .out
                .show(&client.value(call).await?, |one: View, _| format!("Discarded {}: {}", one.id, clean(&one.note)))
        }
        Fulfilment::Replay { message: Some(message), corrected, .. } => {
            let message_of = |path: PathBuf| files::read_json(&path);
            let replay = Replay { message: corrected.map(message_of).transpose()? };
            let call = Call::ask(format!("/v1/fulfilments/{message}/replay")).json(&replay);
            let answer = client.value(call).await?;
            session.out.show(&answer, |one: Receipt, paint| receipts(Receipts { results: vec![one] }, paint))?;
            settle(&[read(&answer)?])
        }
        Fulfilment::Replay { reason, merchant, .. } => {
            let call = Call::ask("/v1/fulfilments/replay").json(&ReplayAll { reason, merchant });
            show(&client.value(call).await?, session)
        }
    }
}

/// How many messages that need nothing are told one by one; `--json` has all of them.
const MOST_TOLD: usize = 10;

/// The number of messages by outcome, why those that were parked wait, and what else is worth to know.
fn receipts(receipts: Receipts, paint: &Paint) -> String {
    let results = receipts.results;
    let count = |outcome: &ReceiptOutcome| results.iter().filter(|one| one.outcome == *outcome).count();
    let counts = ReceiptOutcome::ALL.iter().map(|outcome| (count(outcome), outcome)).filter(|(count, _)| *count > 0);
    let counts: Vec<_> = counts.map(|(count, outcome)| format!("{count} {outcome}")).collect();
    let summary = if counts.is_empty() { "Nothing waits.".into() } else { format!("{}.", counts.join(", ")) };
    let parts = [Some(summary), told(&results), waiting(&results, paint)];
    parts.into_iter().flatten().collect::<Vec<_>>().join("\n\n")
}

/// Messages that were overtaken or are discarded, a line each.
fn told(results: &[Receipt]) -> Option<String> {
    let line = |one: &Receipt| match (&one.overtaken_by, one.outcome) {
        (Some(by), _) => Some(format!("{} was overtaken: {by} is newer, and what it says counts.", one.id)),
        (None, ReceiptOutcome::Discarded) => {
            Some(format!("{}: {}", one.kept(), one.detail.as_deref().unwrap_or("discarded.")))
        }
        _ => None,
    };
    let mut lines: Vec<_> = results.iter().filter_map(line).map(|line| clean(&line)).collect();
    let more = lines.len().saturating_sub(MOST_TOLD);
    lines.truncate(MOST_TOLD);
    lines.extend((more > 0).then(|| format!("… and {more} more (--json has all).")));
    (!lines.is_empty()).then(|| lines.join("\n"))
}

/// Why messages that were parked wait, by the ids under which they are kept, and how each reason is dealt with.
fn waiting(results: &[Receipt], paint: &Paint) -> Option<String> {
    let mut table = Table::new(["MESSAGE", "REASON", "DETAIL"]);
    let mut hints = std::collections::BTreeMap::new();
    for one in results.iter().filter(|one| one.outcome == ReceiptOutcome::Parked) {
        hints.entry(one.reason).or_insert_with(|| hint(one.kept(), one.reason));
        table.row([Cell::strong(one.kept()), Cell::any(one.reason), Cell::any(one.detail.as_deref())]);
    }
    let hints: Vec<_> = hints.into_values().collect();
    (!hints.is_empty()).then(|| format!("{}\n\n{}", table.render(paint), hints.join("\n")))
}

/// How to deal with a message that is parked: one whose reason never goes away is corrected or discarded.
fn hint(id: &MessageId, reason: Option<Reason>) -> String {
    let id = word(id.as_str());
    match reason {
        Some(Reason::MerchantUnknown) => {
            "Merchant unknown: berth merchant create NAME --id BOS_ID applies it by itself.".into()
        }
        Some(reason) if !reason.may_pass() => format!(
            "{reason}: berth fulfilment replay {id} --message CORRECTED.json, or berth fulfilment discard {id} --note WHY"
        ),
        _ => format!("When the reason is gone: berth fulfilment replay {id}"),
    }
}

fn row(one: View, paint: &Paint) -> [Cell; 6] {
    let (word, came) = (state(one.state.as_str()), paint.when(one.received_at));
    [Cell::strong(one.id), Cell::any(one.merchant), word, Cell::any(one.reason), Cell::of(one.attempts), came]
}

fn view(one: View, paint: &Paint) -> String {
    let parked = one.state == FulfilmentState::Parked;
    let hint = if parked { format!("\n\n{}", hint(&one.id, one.reason)) } else { String::new() };
    let card = Card::default()
        .field("message", Cell::strong(one.id))
        .maybe("merchant", one.merchant.map(Cell::of))
        .field("state", state(one.state.as_str()))
        .maybe("reason", one.reason.map(Cell::of))
        .maybe("detail", Some(one.detail).filter(|text| !text.is_empty()))
        .field("tried", Cell::of(one.attempts))
        .field("came", paint.when(one.received_at))
        .maybe("settled", one.settled_at.map(|at| paint.when(at)))
        .maybe("discarded by", one.discarded_by.map(|id| paint.who(id)))
        .maybe("note", Some(one.note).filter(|text| !text.is_empty()));
    let sent = serde_json::to_string_pretty(&one.message).unwrap_or_default();
    format!("{}\n\n{}{hint}", card.render(paint), super::paint::clean_lines(&sent))
}
