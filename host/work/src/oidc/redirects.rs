//! What a MiniApp has registered as a client (U11).

use berth_base::{error::Result, ids::MiniAppId};
use berth_model::{
    access::{Action, Caller},
    event::kind,
    oidc::{OidcClient, SetOidcClient},
};
use berth_store::Db;

use crate::{mini_app, settings::Precondition};

/// What a MiniApp has registered, for members of its team.
///
/// # Errors
/// `not-found`; `missing-grant`.
pub async fn get(db: &Db, caller: &Caller, id: &MiniAppId) -> Result<OidcClient> {
    let mut tx = db.read().await?;
    mini_app::authorise(&mut tx, caller, id, Action::Read).await?;
    tx.oidc_client(id).await
}

/// Sets what a MiniApp has registered, in place of all that it has. Setting what is set already changes nothing. This is for
/// admins of the team: whoever names an address gets codes there.
///
/// # Errors
/// `invalid-field` with all places that break a rule; what `still` refuses; `not-found`; `missing-grant`.
#[tracing::instrument(name = "oidc_client.set", skip_all, fields(mini_app = %id))]
pub async fn set(
    db: &Db,
    caller: &Caller,
    id: &MiniAppId,
    set: &SetOidcClient,
    still: &Precondition<'_, OidcClient>,
) -> Result<OidcClient> {
    let mut tx = db.begin().await?;
    mini_app::authorise_change(&mut tx, caller, id, Action::Configure).await?;
    let before = tx.oidc_client(id).await?;
    still(&before)?;
    set.check()?;
    let Some(change) = before.change(set) else { return Ok(before) };
    let actor = caller.account.as_str();
    tx.set_oidc_client(id, set, actor).await?;
    tx.tell(kind::OIDC_CLIENT_CHANGED, id, actor, &change).for_mini_app(id);
    let after = tx.oidc_client(id).await?;
    tx.commit().await?;
    Ok(after)
}
