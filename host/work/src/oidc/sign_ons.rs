//! Sign-ons, as the host app ends them.

use berth_base::{error::Result, ids::HostAppId};
use berth_model::{
    access::Caller,
    oidc::{EndSignOns, SignOnsEnded},
};
use berth_store::Db;

use crate::user::spoken_for;

/// Ends all sign-ons of a user, in whatever browser, and the codes and access tokens that came from them: the user has
/// logged out of the host app, or a device was lost. Login codes that wait go first, as whoever has one would begin the next sign-on.
///
/// # Errors
/// `invalid-field` for the account; `not-found` for the host app; `missing-grant` for all but its server and its admins.
#[tracing::instrument(name = "sign_ons.end", skip_all, fields(host_app = %id))]
pub async fn end(db: &Db, caller: &Caller, id: &HostAppId, who: &EndSignOns) -> Result<SignOnsEnded> {
    let mut tx = db.begin().await?;
    let user = spoken_for(&mut tx, caller, id, &who.account).await?;
    tx.end_login_codes(&user, None).await?;
    let (ended, _) = tx.end_sign_ons(&user, None).await?;
    tx.commit().await?;
    Ok(SignOnsEnded { ended })
}
