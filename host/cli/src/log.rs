//! `berth logs`: real-time logs, and what is masked in them.

use std::{str::FromStr, time::Duration};

use clap::{Args, Subcommand};
use futures_util::StreamExt;
use serde_json::{Value, json};
use sse_stream::SseByteStream;

use super::{
    answer::read,
    call::Call,
    client::Client,
    failure::{Done, Failure},
    paint::{Ink, Paint, clean_lines},
    parse::{Past, duration, one_of},
    session::Session,
    table::{Card, Cell},
};
use berth_base::ids::{HostAppId, MiniAppId};
use berth_model::log::{Level, LogEntry, LogMasks, LogPage, Mask, MaskRule, SetLogMasks};

/// The pause before a lost stream is opened again.
const PAUSE: Duration = Duration::from_secs(1);
/// How long a stream may be silent until it counts as dead. The host sends a heartbeat every 15 seconds.
const SILENCE: Duration = Duration::from_secs(45);

/// The subcommands of `berth logs`.
#[derive(Subcommand, Debug)]
#[command(after_help = "Examples:
  berth logs list --app mp-shop --level warn --since 2h
  berth logs list --app mp-shop --words 'pay timeout' --guid device-1 --last 200
  berth logs follow --app mp-shop --level error --json | jq -r .message
  berth logs mask --app mp-shop --rule phone --rule key=password")]
pub enum Logs {
    /// List entries, the newest last
    List {
        #[command(flatten)]
        which: Which,
        /// Only those that arrived in this time: 2h, 3d
        #[arg(long, value_name = "TIME", value_parser = duration, conflicts_with = "from")]
        since: Option<i64>,
        /// Only those that arrived at this moment or later: 2h (ago), or RFC 3339
        #[arg(long, value_name = "TIME")]
        from: Option<Past>,
        /// Only those that arrived before this moment: 2h (ago), or RFC 3339
        #[arg(long, value_name = "TIME")]
        until: Option<Past>,
        /// How many of the newest
        #[arg(long, value_name = "COUNT", default_value_t = 50)]
        last: usize,
    },
    /// Print entries as they arrive; a lost connection is opened again and nothing is missed
    Follow {
        #[command(flatten)]
        which: Which,
    },
    /// Show or set what is masked in messages before they are stored
    Mask(MaskArgs),
}

/// Which entries.
#[derive(Args, Debug)]
pub struct Which {
    /// Only those of this MiniApp
    #[arg(long, required_unless_present = "host_app")]
    pub app: Option<MiniAppId>,
    /// Only those that came from this host app
    #[arg(long)]
    pub host_app: Option<HostAppId>,
    /// Only those at this level and above
    #[arg(long, value_parser = one_of!(Level))]
    pub level: Option<Level>,
    /// Only those from this operating system: android, ios, harmony
    #[arg(long)]
    pub platform: Option<String>,
    /// Only those of this installation of the host app
    #[arg(long)]
    pub guid: Option<String>,
    /// Only those of this account; for members of the host app, with --host-app
    #[arg(long)]
    pub account: Option<String>,
    /// Only those of this page, whatever its parameters
    #[arg(long)]
    pub page: Option<String>,
    /// Only those of this version of the MiniApp
    #[arg(long = "app-version", value_name = "VERSION")]
    pub version: Option<String>,
    /// Only those of this version of the host app
    #[arg(long, value_name = "VERSION")]
    pub host_version: Option<String>,
    /// Only those of this version of the SDK
    #[arg(long, value_name = "VERSION")]
    pub sdk_version: Option<String>,
    /// Only those whose message has all of these words, in any case
    #[arg(long)]
    pub words: Option<String>,
    /// Only those whose message contains this text, exactly
    #[arg(long, value_name = "TEXT")]
    pub contains: Option<String>,
    /// Only those whose filter message has all of these words
    #[arg(long, value_name = "WORDS")]
    pub filter_msg: Option<String>,
}

impl Which {
    fn of(&self, path: &str) -> Call {
        Call::get(path)
            .query("mini_app", self.app.as_ref())
            .query("host_app", self.host_app.as_ref())
            .query("level", self.level)
            .query("platform", self.platform.as_ref())
            .query("guid", self.guid.as_ref())
            .query("account", self.account.as_ref())
            .query("page", self.page.as_ref())
            .query("version", self.version.as_ref())
            .query("host_version", self.host_version.as_ref())
            .query("sdk_version", self.sdk_version.as_ref())
            .query("words", self.words.as_ref())
            .query("contains", self.contains.as_ref())
            .query("filter_msg", self.filter_msg.as_ref())
    }
}

/// The arguments of `berth logs mask`.
#[derive(Args, Debug)]
#[command(after_help = "Without --rule, --none and --try: shows the rules.
A rule is phone, id-card, email, bank-card, key=NAME, pointer=/a/b or pattern=REGEX. They replace all that are there.")]
pub struct MaskArgs {
    /// The rules of this MiniApp; those of the whole host when absent
    #[arg(long)]
    pub app: Option<MiniAppId>,
    /// A rule to set, once for each
    #[arg(long = "rule", value_name = "RULE")]
    pub rules: Vec<RuleChoice>,
    /// Set no rules: mask nothing
    #[arg(long, conflicts_with = "rules")]
    pub none: bool,
    /// Set nothing, and show what becomes of this text: by --rule, or by the rules that are set
    #[arg(long = "try", value_name = "TEXT", conflicts_with = "none")]
    pub text: Option<String>,
}

/// A rule, as typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleChoice(MaskRule);

impl FromStr for RuleChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let rule = match text.split_once('=') {
            None => match text {
                "phone" => MaskRule::Phone,
                "id-card" => MaskRule::IdCard,
                "email" => MaskRule::Email,
                "bank-card" => MaskRule::BankCard,
                _ => {
                    let known = "phone, id-card, email, bank-card, key=NAME, pointer=/a/b or pattern=REGEX";
                    return Err(format!("{text:?} is no rule: expected {known}"));
                }
            },
            Some(("key", name)) => MaskRule::Key { name: name.into() },
            Some(("pointer", pointer)) => MaskRule::Pointer { pointer: pointer.into() },
            Some(("pattern", pattern)) => MaskRule::Pattern { pattern: pattern.into() },
            Some((kind, _)) => return Err(format!("{kind:?} takes no value: expected key=, pointer= or pattern=")),
        };
        let set = SetLogMasks { rules: vec![rule.clone()] };
        set.check().map_err(|error| error.detail.replace("rules.0.", ""))?;
        Ok(Self(rule))
    }
}

pub async fn run(command: Logs, session: &mut Session) -> Done {
    let client = session.client()?;
    match command {
        Logs::List { which, since, from, until, last } => {
            let now = session.clock.now();
            let from = from.map(|at| at.resolve(now)).or(since.map(|seconds| now.plus_seconds(-seconds)));
            let until = until.map(|at| at.resolve(now));
            let call = which.of("/v1/logs").query("from", from).query("until", until);
            let mut items = newest(&client, call, last).await?;
            items.reverse();
            let head = ["RECEIVED", "LEVEL", "MINI APP", "GUID", "PAGE", "MESSAGE"];
            session.out.list(items, head, "No such entries.", row)
        }
        Logs::Follow { which } => follow(&client, session, &which).await,
        Logs::Mask(args) => mask(&client, session, args).await,
    }
}

/// The newest `most` entries, newest first. A search that ended by its time is gone on with.
async fn newest(client: &Client, call: Call, most: usize) -> Result<Vec<Value>, Failure> {
    let (mut items, mut cursor) = (Vec::new(), None::<String>);
    loop {
        let limit = (most - items.len()).min(200);
        let answer = client.value(call.clone().query("limit", Some(limit)).query("cursor", cursor.as_ref())).await?;
        let page = answer.get("items").and_then(Value::as_array).cloned().unwrap_or_default();
        cursor = read::<LogPage>(&answer)?.next;
        items.extend(page);
        if cursor.is_none() || items.len() >= most {
            return Ok(items);
        }
    }
}

fn row(entry: LogEntry, paint: &Paint) -> [Cell; 6] {
    [
        paint.when(entry.received_at),
        level(entry.level),
        Cell::of(entry.mini_app),
        Cell::of(entry.guid),
        Cell::of(entry.page),
        Cell::of(entry.message),
    ]
}

fn level(level: Level) -> Cell {
    let ink = match level {
        Level::Error => Ink::Bad,
        Level::Warn => Ink::Warn,
        Level::Debug | Level::Info => Ink::Plain,
    };
    Cell::new(ink, level.as_str())
}

/// Prints entries in an endless loop. When the host cannot be reached for a while, it is asked again.
async fn follow(client: &Client, session: &mut Session, which: &Which) -> Done {
    let mut after = None::<String>;
    loop {
        let call = which.of("/v1/logs/stream").query("after", after.as_ref());
        match read_stream(client, session, &call, &mut after).await {
            Err(Failure::Unreachable(reason)) => session.out.note(clean_lines(&reason)),
            Err(Failure::Refused(problem)) if problem.status >= 500 || problem.status == 429 => {
                session.out.note(clean_lines(&problem.detail));
            }
            ended => ended?,
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Prints a stream to its end. `after` becomes the id of the last entry that was printed.
async fn read_stream(client: &Client, session: &mut Session, call: &Call, after: &mut Option<String>) -> Done {
    let lost = |why: &str| Failure::Unreachable(format!("The stream of {} {why}; opening it again.", client.base()));
    let mut messages = SseByteStream::new(client.send(call).await?.bytes_stream());
    loop {
        let message = tokio::time::timeout(SILENCE, messages.next()).await.map_err(|_| lost("went silent"))?;
        let Some(message) = message.transpose().map_err(|_| lost("was lost"))? else { return Ok(()) };
        if let Some(data) = &message.data {
            print(session, data)?;
        }
        *after = message.id.or(after.take());
    }
}

fn print(session: &mut Session, data: &str) -> Done {
    let wrong = |_| Failure::refused("unexpected-answer", "The host sent an entry that is not JSON.");
    let item: Value = serde_json::from_str(data).map_err(wrong)?;
    if session.out.json {
        return session.out.stream(&item);
    }
    let text = line(read(&item)?, &session.out.paint);
    session.out.line(text)
}

fn line(entry: LogEntry, paint: &Paint) -> String {
    let at = entry.received_at;
    let rest = Cell::of(format!("{}  {}  {}", entry.mini_app, entry.guid, entry.message)).render(paint);
    format!("{at}  {:<5}  {rest}", level(entry.level).render(paint))
}

/// The rules that act on what a MiniApp logs, which are those of the whole host before its own; or those of the whole host.
async fn rules_in_force(
    client: &Client,
    session: &mut Session,
    app: Option<&MiniAppId>,
) -> Result<Vec<MaskRule>, Failure> {
    let of_all = client.value(Call::get("/v1/log-masks")).await;
    let Some(app) = app else { return Ok(read::<LogMasks>(&of_all?)?.rules) };
    let mut rules = match of_all {
        Ok(masks) => read::<LogMasks>(&masks)?.rules,
        Err(Failure::Refused(_)) => {
            session.out.note("The rules of the whole host, which you may not read, mask the text before these.");
            Vec::new()
        }
        Err(failure) => return Err(failure),
    };
    let own: LogMasks = read(&client.value(Call::get(format!("/v1/mini-apps/{app}/log-masks"))).await?)?;
    rules.extend(own.rules);
    Ok(rules)
}

async fn mask(client: &Client, session: &mut Session, args: MaskArgs) -> Done {
    let MaskArgs { app, rules, none, text } = args;
    let path = match &app {
        Some(app) => format!("/v1/mini-apps/{app}/log-masks"),
        None => "/v1/log-masks".to_owned(),
    };
    let rules: Vec<_> = rules.into_iter().map(|RuleChoice(rule)| rule).collect();
    if let Some(text) = text {
        let rules = if rules.is_empty() { rules_in_force(client, session, app.as_ref()).await? } else { rules };
        let masked = Mask::new(&rules).masked(&text).unwrap_or(text);
        return session.out.done(&json!({"masked": masked}), masked);
    }
    let call = if none || !rules.is_empty() { Call::put(path).json(&SetLogMasks { rules }) } else { Call::get(path) };
    session.out.show(&client.value(call).await?, view)
}

fn view(masks: LogMasks, paint: &Paint) -> String {
    let of = masks.mini_app.map_or("the whole host".to_owned(), |app| app.to_string());
    let mut card = Card::default().field("masks of", Cell::strong(of));
    for rule in &masks.rules {
        card = card.field("rule", Cell::of(typed(rule)));
    }
    if masks.rules.is_empty() {
        card = card.field("rule", "none");
    }
    card.maybe("set by", masks.set_by.map(|id| paint.who(id)))
        .maybe("set", masks.set_at.map(|at| paint.when(at)))
        .render(paint)
}

/// A rule, as one types it.
fn typed(rule: &MaskRule) -> String {
    match rule {
        MaskRule::Phone => "phone".into(),
        MaskRule::IdCard => "id-card".into(),
        MaskRule::Email => "email".into(),
        MaskRule::BankCard => "bank-card".into(),
        MaskRule::Key { name } => format!("key={name}"),
        MaskRule::Pointer { pointer } => format!("pointer={pointer}"),
        MaskRule::Pattern { pattern } => format!("pattern={pattern}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d4_a_rule_reads_as_it_is_typed() {
        for text in
            ["phone", "id-card", "email", "bank-card", "key=password", "pointer=/user/phone", "pattern=ORD-[0-9]+"]
        {
            assert_eq!(text.parse::<RuleChoice>().map(|rule| typed(&rule.0)).as_deref(), Ok(text));
        }
        for (text, says) in
            [("fax", "pattern=REGEX"), ("email=x", "takes no value"), ("pattern=(", "regular expression")]
        {
            let said = text.parse::<RuleChoice>().expect_err("it is no rule");
            assert!(said.contains(says), "{text}: {said}");
        }
    }
}
