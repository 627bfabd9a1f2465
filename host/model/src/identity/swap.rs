//! Swap: the OpenID of a user in one MiniApp for the one in another.

use berth_base::{
    error::{Error, Result},
    ids::MiniAppId,
};
use serde::{Deserialize, Serialize};

use crate::user::OpenId;

/// How many OpenIDs one request may swap.
pub const MOST_SWAPPED: usize = 100;

/// Swaps OpenIDs, in the name of the server of a MiniApp that is the partner of another one. Either `to` or `from` names the
/// other one.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Swap {
    /// The OpenIDs are those of the asking MiniApp, and are swapped for the ones in this MiniApp.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<MiniAppId>,
    /// The OpenIDs are those of this MiniApp, and are swapped for the ones in the asking MiniApp.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<MiniAppId>,
    /// The OpenIDs, 1 to 100.
    pub open_ids: Vec<OpenId>,
}

/// The OpenIDs for which others were swapped.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct Swapped {
    /// For each OpenID of the request, in its order, the one in the other MiniApp. It is null when there is no such user, and when the
    /// user has not agreed, between which no difference is made.
    pub open_ids: Vec<Option<OpenId>>,
}

/// In which way OpenIDs are swapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Way {
    /// From the asking MiniApp to the other one.
    To,
    /// From the other MiniApp to the asking one.
    From,
}

impl Swap {
    /// The other MiniApp, and the way.
    ///
    /// # Errors
    /// `invalid-field` when not exactly one of `to` and `from` is said, and for no OpenIDs or too many.
    pub fn checked(&self) -> Result<(&MiniAppId, Way)> {
        if self.open_ids.is_empty() || self.open_ids.len() > MOST_SWAPPED {
            let rule = format!("must have 1 to {MOST_SWAPPED} OpenIDs, has {}.", self.open_ids.len());
            return Err(Error::field("open_ids", rule));
        }
        match (&self.to, &self.from) {
            (Some(to), None) => Ok((to, Way::To)),
            (None, Some(from)) => Ok((from, Way::From)),
            (Some(_), Some(_)) => Err(Error::field("from", "is for the other way than `to`: say one of them.")),
            (None, None) => Err(Error::field(
                "to",
                "must name the MiniApp whose OpenIDs are wanted, or `from` the one whose OpenIDs these are.",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn u4_a_swap_goes_one_way_and_has_a_bound() {
        let id = || "coffee".parse().ok();
        let swap = |to, from, count| Swap { to, from, open_ids: vec![OpenId::of_mac(&[1; 32]); count] };
        assert_eq!(swap(id(), None, 1).checked().map(|(_, way)| way).ok(), Some(Way::To));
        assert_eq!(swap(None, id(), MOST_SWAPPED).checked().map(|(_, way)| way).ok(), Some(Way::From));
        for (wrong, pointer) in [
            (swap(None, None, 1), "/to"),
            (swap(id(), id(), 1), "/from"),
            (swap(id(), None, 0), "/open_ids"),
            (swap(id(), None, MOST_SWAPPED + 1), "/open_ids"),
        ] {
            assert_eq!(wrong.checked().err().map(|error| error.fields["pointer"].clone()), Some(pointer.into()));
        }
    }
}
