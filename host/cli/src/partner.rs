//! `berth partner`: which MiniApp's server may learn who its users are in another MiniApp.

use clap::Subcommand;
use serde_json::json;

use super::{
    call::Call,
    failure::Done,
    paint::{Ink, Paint},
    session::Session,
    table::Cell,
};
use berth_base::ids::MiniAppId;
use berth_model::identity::{Partner as View, PartnerState};

/// The subcommands of `berth partner`.
#[derive(Subcommand, Debug)]
#[command(after_help = "Examples:
  berth partner agree mp-shop mp-mall
  berth partner list mp-shop
  berth partner end mp-shop mp-mall")]
pub enum Partner {
    /// Let a MiniApp be the partner of another one; when the other team has to agree, this asks for it
    Agree {
        /// The MiniApp whose OpenIDs of users who agree the partner is told
        app: MiniAppId,
        /// The partner
        partner: MiniAppId,
    },
    /// End a partnership, and with it the links of users that stand on it
    End {
        /// The MiniApp
        app: MiniAppId,
        /// The partner
        partner: MiniAppId,
    },
    /// List the partners of a MiniApp, and the MiniApps whose partner it is
    List {
        /// The MiniApp
        app: MiniAppId,
    },
}

pub async fn run(command: Partner, session: &mut Session) -> Done {
    let client = session.client()?;
    let path = |app: &MiniAppId, partner: &MiniAppId| format!("/v1/mini-apps/{app}/partners/{partner}");
    match command {
        Partner::Agree { app, partner } => {
            session.out.show(&client.value(Call::put(path(&app, &partner))).await?, agreement)
        }
        Partner::End { app, partner } => {
            session.confirm(&format!(
                "End it that {partner} is told who agrees to it in {app}? All who agreed are asked anew."
            ))?;
            client.value(Call::delete(path(&app, &partner))).await?;
            let document = json!({"mini_app": app, "partner": partner, "ended": true});
            session.out.done(&document, format!("{partner} is no partner of {app} any more."))
        }
        Partner::List { app } => {
            let items = client.items(Call::get(format!("/v1/mini-apps/{app}/partners"))).await?;
            let empty = "No partners. Ask for one with `berth partner agree`.";
            session.out.list(items, ["MINI APP", "PARTNER", "STATE", "SINCE"], empty, row)
        }
    }
}

fn agreement(one: View, _: &Paint) -> String {
    let View { mini_app, partner, state, .. } = one;
    let agrees = format!("agrees with: berth partner agree {mini_app} {partner}");
    match state {
        PartnerState::Active => format!("{partner} is a partner of {mini_app}, for users who agree."),
        PartnerState::WaitsForMiniApp => format!("{partner} asks for it. An admin of the team of {mini_app} {agrees}"),
        PartnerState::WaitsForPartner => format!("{mini_app} offers it. An admin of the team of {partner} {agrees}"),
    }
}

fn row(one: View, paint: &Paint) -> [Cell; 4] {
    let state = match one.state {
        PartnerState::Active => Cell::new(Ink::Good, "active"),
        PartnerState::WaitsForMiniApp => Cell::new(Ink::Warn, format!("waits for {}", one.mini_app)),
        PartnerState::WaitsForPartner => Cell::new(Ink::Warn, format!("waits for {}", one.partner)),
    };
    [Cell::strong(one.mini_app), Cell::of(one.partner), state, paint.when(one.created_at)]
}
