//! The domains with which a MiniApp may communicate (D1).

use berth_base::{error::Result, ids::MiniAppId};
use berth_model::{
    access::{Action, Caller},
    event::kind,
    settings::{DomainSettings, DomainsChanged, SetDomains},
};
use berth_store::Db;

use super::Precondition;
use crate::mini_app;

/// The domains of a MiniApp, for a caller who may read it, or may read a host app that it is bound to: who decides about
/// skipping the verification sees what would be verified.
///
/// # Errors
/// `not-found` when the caller may not know about the MiniApp; `missing-grant` for the token.
pub async fn get(db: &Db, caller: &Caller, id: &MiniAppId) -> Result<DomainSettings> {
    let mut tx = db.read().await?;
    mini_app::readable(&mut tx, caller, id).await?;
    tx.domain_settings(id).await
}

/// Sets the domains of a MiniApp in place of all that it has. Setting what is set already changes nothing.
///
/// # Errors
/// `invalid-field` with all places that break a rule; what `still` refuses; `not-found`; `missing-grant`.
#[tracing::instrument(name = "domains.set", skip_all, fields(mini_app = %id))]
pub async fn set(
    db: &Db,
    caller: &Caller,
    id: &MiniAppId,
    set: &SetDomains,
    still: &Precondition<'_, DomainSettings>,
) -> Result<DomainSettings> {
    let mut tx = db.begin().await?;
    mini_app::authorise_change(&mut tx, caller, id, Action::Develop).await?;
    let before = tx.domain_settings(id).await?;
    still(&before)?;
    let domains = set.read()?;
    let changes = before.domains.changes(&domains);
    if changes.is_empty() {
        return Ok(before);
    }
    let actor = caller.account.as_str();
    tx.set_domains(id, &domains, actor).await?;
    let data = DomainsChanged { mini_app: id.clone(), changes, domains };
    tx.tell(kind::DOMAINS_CHANGED, id, actor, &data).for_mini_app(id);
    let after = tx.domain_settings(id).await?;
    tx.commit().await?;
    Ok(after)
}
