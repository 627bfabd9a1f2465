//! One user in two MiniApps (U3–U9).
//!
//! What a partner is told follows from three yeses: of the team whose OpenIDs they are, of the partner's team, and of the user,
//! on the word of the host app's server, which has asked them. Each can be taken back, and then nothing is told any more. A link
//! goes one way and between two MiniApps only: who is linked from a to b and from b to c is not from a to c. The database has no
//! OpenIDs here either, only their hashes: the one that is told is computed.

mod link;
mod partner;
mod recognise;
mod swap;

pub use berth_model::identity::*;
pub use link::{link, links, unlink};
pub use partner::{agree, end, of_mini_app};
pub use recognise::{end_recognition, recognise};
pub use swap::swap;

use berth_base::{
    error::{Code, Error, Result},
    ids::MiniAppId,
};
use berth_store::Tx;

/// The agreement by which `partner` is told OpenIDs of `mini_app`.
///
/// # Errors
/// `not-partners` when there is none that is active; also when there is no such MiniApp.
async fn active(tx: &mut Tx, mini_app: &MiniAppId, partner: &MiniAppId) -> Result<Partner> {
    let found = tx.partner(mini_app, partner).await?.filter(|found| found.state == PartnerState::Active);
    found.ok_or_else(|| {
        let detail = format!(
            "{partner} is no partner of {mini_app}, whose OpenIDs it would be told. An admin of each team agrees with \
             `berth partner agree {mini_app} {partner}`."
        );
        Error::new(Code::NotPartners, detail)
    })
}
