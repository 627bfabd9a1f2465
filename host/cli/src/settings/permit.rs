//! `berth permit`: what a MiniApp applies for in a host app, and what the host app decides.

use clap::{ArgGroup, Args, Subcommand};

use super::typed;
use crate::{
    call::Call,
    failure::Done,
    paint::{Ink, Paint},
    parse::{Moment, one_of},
    session::Session,
    table::{Card, Cell, Table},
};
use berth_base::{
    clock::Millis,
    ids::{HostAppId, MiniAppId, PermitId},
};
use berth_model::settings::{
    Approve, NewPermit, Permit as View, PermitDetail, PermitKind, PermitMove, PermitState, Reason,
};

/// The subcommands of `berth permit`.
#[derive(Subcommand, Debug)]
#[command(after_help = "Examples:
  berth permit apply mp-shop --host-app ha-super --skip-domains --reason \"one domain for each shop\" --until +30d
  berth permit apply mp-shop --host-app ha-super --api getLocation --reason \"to find the next shop\"
  berth permit list --host-app ha-super --state waiting
  berth permit approve prm_01… --until +90d
  berth permit refuse prm_01… --note \"say which shops\"")]
pub enum Permit {
    /// Apply for a permit of a MiniApp in a host app
    Apply(Apply),
    /// List the permits of a MiniApp or in a host app, newest first
    List(List),
    /// Show a permit with everything that happened to it
    Show {
        /// The permit
        permit: PermitId,
    },
    /// Approve a permit, or approve it again for another time
    Approve {
        /// The permit
        permit: PermitId,
        /// When it ends: +90d from now, or RFC 3339; what was applied for when absent
        #[arg(long, value_name = "TIME")]
        until: Option<Moment>,
        /// It has no end, whatever was applied for or approved before
        #[arg(long, conflicts_with = "until")]
        no_end: bool,
        /// What is to be said with it
        #[arg(long, default_value = "", hide_default_value = true)]
        note: String,
    },
    /// Refuse an application
    Refuse {
        /// The permit
        permit: PermitId,
        /// Why; the team reads it
        #[arg(long)]
        note: String,
    },
    /// Take an approved permit back
    Revoke {
        /// The permit
        permit: PermitId,
        /// Why; the team reads it
        #[arg(long)]
        note: String,
    },
    /// Withdraw an application, or give a permit up
    Withdraw {
        /// The permit
        permit: PermitId,
        /// What is to be said with it
        #[arg(long, default_value = "", hide_default_value = true)]
        note: String,
    },
}

/// The arguments of `berth permit apply`.
#[derive(Args, Debug)]
#[command(group = ArgGroup::new("what").required(true))]
pub struct Apply {
    /// The MiniApp
    pub app: MiniAppId,
    /// The host app in which it is to hold
    #[arg(long)]
    pub host_app: HostAppId,
    /// To communicate with any domain
    #[arg(long, group = "what")]
    pub skip_domains: bool,
    /// To call an API that the host app has marked as sensitive, such as getLocation
    #[arg(long, group = "what", value_name = "API")]
    pub api: Option<String>,
    /// Why it is needed; people of the host app decide by it
    #[arg(long)]
    pub reason: String,
    /// Until when: +30d from now, or RFC 3339; without end when absent
    #[arg(long, value_name = "TIME")]
    pub until: Option<Moment>,
}

/// The arguments of `berth permit list`.
#[derive(Args, Debug)]
#[command(group = ArgGroup::new("whose").required(true).multiple(true))]
pub struct List {
    /// The MiniApp
    #[arg(long, group = "whose")]
    pub app: Option<MiniAppId>,
    /// The host app
    #[arg(long, group = "whose")]
    pub host_app: Option<HostAppId>,
    /// Only those of this kind
    #[arg(long, value_parser = one_of!(PermitKind))]
    pub kind: Option<PermitKind>,
    /// Only those in this state
    #[arg(long, value_parser = one_of!(PermitState))]
    pub state: Option<PermitState>,
}

pub async fn run(command: Permit, session: &mut Session) -> Done {
    let (client, now) = (session.client()?, session.clock.now());
    let call = match command {
        Permit::Apply(args) => apply(args, now)?,
        Permit::List(args) => {
            let items = client.items(list(&args)).await?;
            let head = ["ID", "MINI APP", "HOST APP", "FOR", "STATE", "UNTIL", "REASON"];
            return session.out.list(items, head, "No permits.", row);
        }
        Permit::Show { permit } => {
            let answer = client.value(Call::get(format!("/v1/permits/{permit}"))).await?;
            return session.out.show(&answer, detail);
        }
        Permit::Approve { permit, until, no_end, note } => {
            let until = until.map(|until| until.resolve(now));
            Call::post(format!("/v1/permits/{permit}/approve")).json(&Approve { note, until, no_end })
        }
        Permit::Refuse { permit, note } => step(&permit, "refuse", note),
        Permit::Revoke { permit, note } => step(&permit, "revoke", note),
        Permit::Withdraw { permit, note } => step(&permit, "withdraw", note),
    };
    session.out.show(&client.value(call).await?, |permit: View, paint| card(&permit, paint).render(paint))
}

fn apply(args: Apply, now: Millis) -> Result<Call, crate::failure::Failure> {
    let api = args.api.as_deref().map(typed).transpose()?;
    let kind = if api.is_some() { PermitKind::SensitiveApi } else { PermitKind::SkipDomains };
    let until = args.until.map(|until| until.resolve(now));
    let new = NewPermit { host_app: args.host_app, kind, api, reason: args.reason, until };
    Ok(Call::create(format!("/v1/mini-apps/{}/permits", args.app)).json(&new))
}

fn list(args: &List) -> Call {
    let call = match (&args.app, &args.host_app) {
        (Some(app), host_app) => Call::get(format!("/v1/mini-apps/{app}/permits")).query("host_app", host_app.as_ref()),
        (None, host_app) => {
            let host_app = host_app.as_ref().map(ToString::to_string).unwrap_or_default();
            Call::get(format!("/v1/host-apps/{host_app}/permits"))
        }
    };
    call.query("kind", args.kind).query("state", args.state)
}

fn step(permit: &PermitId, step: &str, note: String) -> Call {
    Call::post(format!("/v1/permits/{permit}/{step}")).json(&Reason { note })
}

fn state(state: PermitState) -> Cell {
    let ink = match state {
        PermitState::Approved => Ink::Good,
        PermitState::Waiting => Ink::Warn,
        PermitState::Refused | PermitState::Revoked => Ink::Bad,
        PermitState::Withdrawn | PermitState::Expired => Ink::Faint,
    };
    Cell::new(ink, state.as_str())
}

fn until(permit: &View, paint: &Paint) -> Cell {
    permit.until.map_or_else(|| "no end".into(), |until| paint.when(until))
}

fn row(permit: View, paint: &Paint) -> [Cell; 7] {
    let until = until(&permit, paint);
    let (mini_app, host_app) = (Cell::of(&permit.mini_app), Cell::of(&permit.host_app));
    [
        Cell::strong(&permit.id),
        mini_app,
        host_app,
        permit.purpose().into(),
        state(permit.state),
        until,
        permit.reason.into(),
    ]
}

fn card(permit: &View, paint: &Paint) -> Card {
    let note = (!permit.note.is_empty()).then_some(permit.note.as_str());
    Card::default()
        .field("id", Cell::strong(&permit.id))
        .field("mini app", Cell::of(&permit.mini_app))
        .field("host app", Cell::of(&permit.host_app))
        .field("for", permit.purpose())
        .field("state", state(permit.state))
        .field("until", until(permit, paint))
        .field("reason", permit.reason.as_str())
        .maybe("note", note)
}

fn detail(detail: PermitDetail, paint: &Paint) -> String {
    let mut table = Table::new(["STEP", "STATE", "BY", "AT", "NOTE"]);
    for PermitMove { step, state: then, actor, at, note, .. } in detail.moves {
        table.row([Cell::of(step), state(then), paint.who(&actor), paint.when(at), note.into()]);
    }
    format!("{}\n\n{}", card(&detail.permit, paint).render(paint), table.render(paint))
}
