//! Partners: MiniApps whose servers may learn who their users are in another MiniApp. Both teams must agree, by the same call.

use berth_base::{clock::Millis, ids::MiniAppId, text::text_enum};
use serde::{Deserialize, Serialize};

text_enum! {
    /// How far two teams have agreed that one MiniApp is the partner of the other.
    PartnerState {
        /// Both teams have agreed.
        Active = "active",
        /// The partner's team has asked. An admin of the MiniApp's team agrees by the same call.
        WaitsForMiniApp = "waits_for_mini_app",
        /// The MiniApp's team has offered it. An admin of the partner's team agrees by the same call.
        WaitsForPartner = "waits_for_partner",
    }
}

/// That a MiniApp is the partner of another one, agreed or asked for. It goes one way: for the other way it takes an agreement of
/// its own.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
#[cfg_attr(feature = "sql", derive(sqlx::FromRow))]
pub struct Partner {
    /// Id of the MiniApp, by whose OpenIDs the partner may learn its users.
    #[cfg_attr(feature = "sql", sqlx(rename = "mini_app_id"))]
    pub mini_app: MiniAppId,
    /// Id of the partner, whose server may swap OpenIDs.
    #[cfg_attr(feature = "sql", sqlx(rename = "partner_id"))]
    pub partner: MiniAppId,
    /// How far it is agreed; only an `active` one has an effect.
    pub state: PartnerState,
    /// When it came to this state. Links of users that are older do not hold: who agrees anew asks the users anew.
    pub created_at: Millis,
}
