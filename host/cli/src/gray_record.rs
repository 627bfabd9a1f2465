//! `berth gray record`: a record of the devices that ask, on which grayscale policies are replayed.

use clap::Args;
use serde_json::json;

use super::{
    call::Call,
    client::Client,
    failure::Done,
    paint::Paint,
    parse::duration,
    session::Session,
    table::{Card, Cell},
};
use berth_base::{
    ids::{CohortId, MiniAppId},
    text,
};
use berth_model::check::{CheckRecord, SetCheckRecord};

/// The arguments of `berth gray record`.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  berth gray record mp-shop --for 7d --percent 5 --attribute city
  berth gray record mp-shop
  berth gray record mp-shop --delete

Without --for and --delete: shows what is recorded. Guids, device ids and accounts are not, and of the host app's attributes only those
that are named. A record that is begun takes the place of the one before. Then: berth policy replay POLICY --scope app:mp-shop")]
pub struct Record {
    /// The MiniApp
    pub app: MiniAppId,
    /// Record for so long from now, at most 30d
    #[arg(long = "for", value_name = "DURATION", value_parser = duration)]
    pub lasting: Option<i64>,
    /// How many of the devices are recorded, in percent: 0.01 to 100
    #[arg(long, value_name = "PERCENT", default_value_t = 1.0, requires = "lasting")]
    pub percent: f64,
    /// Keep this attribute of the host app; may be repeated. Name none that tells who somebody is
    #[arg(long = "attribute", value_name = "NAME", requires = "lasting")]
    pub attributes: Vec<String>,
    /// Keep whether a device is in this uploaded list; may be repeated. Those that grayscale tasks use are kept anyway
    #[arg(long = "list", value_name = "coh_…", requires = "lasting")]
    pub lists: Vec<CohortId>,
    /// End the record and delete all that was recorded
    #[arg(long, conflicts_with = "lasting")]
    pub delete: bool,
}

/// Runs `berth gray record`.
pub async fn run(client: &Client, session: &mut Session, args: Record) -> Done {
    let Record { app, lasting, percent, attributes, lists, delete } = args;
    let path = format!("/v1/mini-apps/{app}/check-record");
    if delete {
        session.confirm(&format!("Delete what is recorded of the devices that ask for {app}?"))?;
        client.value(Call::delete(path)).await?;
        return session.out.done(&json!({"mini_app": app, "recording": false}), "Nothing is recorded any more.");
    }
    let Some(seconds) = lasting else { return session.out.show(&client.value(Call::get(path)).await?, view) };
    let ends_at = session.clock.now().plus_seconds(seconds);
    let set = SetCheckRecord { percent, ends_at, attributes, lists };
    session.out.show(&client.value(Call::put(path).json(&set)).await?, view)?;
    session.out.next(format!("berth policy replay percentage --config '{{\"percent\": 10}}' --scope app:{app}"));
    Ok(())
}

fn view(record: CheckRecord, paint: &Paint) -> String {
    let card = Card::default().field("record of", Cell::strong(&record.mini_app));
    let Some(percent) = record.percent else { return card.field("records", "nothing").render(paint) };
    let ends = if record.recording { "ends" } else { "ended" };
    card.field("records", format!("{percent} % of the devices"))
        .maybe("attributes", listed(&record.attributes))
        .maybe("lists", listed(&record.lists))
        .field("has", text::count(record.devices, "device", "devices"))
        .field("noted", text::count(record.checks, "check", "checks"))
        .maybe("begun by", record.started_by.map(|id| paint.who(id)))
        .maybe("begun", record.started_at.map(|at| paint.when(at)))
        .maybe(ends, record.ends_at.map(|at| paint.when(at)))
        .render(paint)
}

fn listed(all: &[impl ToString]) -> Option<String> {
    let all: Vec<_> = all.iter().map(ToString::to_string).collect();
    (!all.is_empty()).then(|| all.join(", "))
}
