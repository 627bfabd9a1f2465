//! Sign-ons: what the browser of a user has with this host, so that the next MiniApp need not ask.

use berth_base::{
    clock::Millis,
    ids::{HostAppId, SignOnId},
};
use serde::{Deserialize, Serialize};

use crate::user::User;

/// A sign-on: the browser that has its secret is that of the user.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "sql", derive(sqlx::FromRow))]
pub struct SignOn {
    /// Its id, by which codes and tokens know where they came from.
    pub id: SignOnId,
    /// The host app of the user.
    pub host_app_id: HostAppId,
    /// The account there.
    pub account: String,
    /// When the host app vouched for the user.
    pub signed_on_at: Millis,
    /// When it stops being good.
    pub expires_at: Millis,
}

impl SignOn {
    /// The user.
    pub fn user(&self) -> User {
        User { host_app: self.host_app_id.clone(), account: self.account.clone() }
    }
}

/// What is held about a sign-on of a user.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[cfg_attr(feature = "sql", derive(sqlx::FromRow))]
pub struct SignOnHeld {
    /// When the host app vouched for the user.
    pub signed_on_at: Millis,
    /// When it stops being good.
    pub expires_at: Millis,
}

/// Ends the sign-ons of a user of a host app, in whatever browser, as after a logout from the host app.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EndSignOns {
    /// The account that is logged in to the host app.
    pub account: String,
}

/// How many sign-ons were ended.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
pub struct SignOnsEnded {
    /// The number.
    pub ended: u64,
}
