//! Partners: whose servers may swap OpenIDs.

use berth_base::{
    error::{Error, Result},
    ids::MiniAppId,
};
use berth_model::{
    access::{Action, Caller},
    event::{Kind, kind},
    identity::{Partner, PartnerState},
};
use berth_store::{Db, Tx};

use crate::{
    agreement::{Sides, States},
    mini_app,
};

/// How it is agreed: the team of the MiniApp is the first side, that of the partner the second.
const STATES: States<PartnerState> = States {
    active: PartnerState::Active,
    waits_for_first: PartnerState::WaitsForMiniApp,
    waits_for_second: PartnerState::WaitsForPartner,
};

/// The sides for which the caller may speak.
///
/// # Errors
/// `invalid-field` for a MiniApp with itself; `not-found` when the caller may know about neither side, or one is not there;
/// `missing-grant` when the caller is an admin of neither.
async fn sides(tx: &mut Tx, caller: &Caller, id: &MiniAppId, partner: &MiniAppId) -> Result<Sides> {
    if id == partner {
        return Err(Error::parameter("partner", "must be another MiniApp."));
    }
    let missing = |id| Error::not_found("MiniApp", id);
    let scopes = [tx.mini_app(id).await?, tx.mini_app(partner).await?].map(|found| found.map(|one| one.scope()));
    if !scopes.iter().flatten().any(|scope| caller.knows(scope)) {
        return Err(missing(id));
    }
    let [first, second] = scopes;
    let (first, second) = (first.ok_or_else(|| missing(id))?, second.ok_or_else(|| missing(partner))?);
    let action = Action::Configure;
    let sides = Sides { first: caller.can(action, &first), second: caller.can(action, &second) };
    if !sides.first && !sides.second {
        caller.require(action, if caller.knows(&first) { &first } else { &second })?;
    }
    Ok(sides)
}

fn tell(tx: &mut Tx, kind: Kind<Partner>, caller: &Caller, partner: &Partner) {
    for side in [&partner.mini_app, &partner.partner] {
        tx.tell(kind, side, caller.account.as_str(), partner).for_mini_app(side);
    }
}

/// Lets a MiniApp be the partner of another one: asks for it in the name of one team, or agrees in the name of the other. Asking
/// again in the name of the same team does nothing.
///
/// # Errors
/// `invalid-field` for a MiniApp with itself; `not-found` when the caller may know about neither side, or one is not there;
/// `missing-grant` when the caller is an admin of neither.
#[tracing::instrument(name = "partner.agree", skip_all, fields(mini_app = %id, %partner))]
pub async fn agree(db: &Db, caller: &Caller, id: &MiniAppId, partner: &MiniAppId) -> Result<Partner> {
    let mut tx = db.begin().await?;
    let by = sides(&mut tx, caller, id, partner).await?;
    tx.hold_mini_app(id).await?;
    let before = tx.partner(id, partner).await?;
    let state = STATES.after(before.as_ref().map(|before| before.state), by);
    if let Some(before) = before.filter(|before| before.state == state) {
        return Ok(before);
    }
    let agreed = Partner { mini_app: id.clone(), partner: partner.clone(), state, created_at: tx.now() };
    tx.put_partner(&agreed).await?;
    let kind = if state == PartnerState::Active { kind::PARTNER_AGREED } else { kind::PARTNER_ASKED };
    tell(&mut tx, kind, caller, &agreed);
    tx.commit().await?;
    Ok(agreed)
}

/// Ends an agreement, active or not, in the name of either team, and with it all links of users that stand on it.
///
/// # Errors
/// As for [`agree`]; `not-found` also when there is none.
#[tracing::instrument(name = "partner.end", skip_all, fields(mini_app = %id, %partner))]
pub async fn end(db: &Db, caller: &Caller, id: &MiniAppId, partner: &MiniAppId) -> Result<()> {
    let mut tx = db.begin().await?;
    sides(&mut tx, caller, id, partner).await?;
    tx.hold_mini_app(id).await?;
    let before = tx.partner(id, partner).await?.ok_or_else(|| Error::not_found("partner", partner))?;
    tx.delete_partner(id, partner).await?;
    tell(&mut tx, kind::PARTNER_ENDED, caller, &before);
    tx.commit().await
}

/// The agreements in which a MiniApp has a part, for a caller who may read it.
///
/// # Errors
/// `not-found` and `missing-grant` for the MiniApp.
pub async fn of_mini_app(db: &Db, caller: &Caller, id: &MiniAppId) -> Result<Vec<Partner>> {
    let mut tx = db.read().await?;
    mini_app::authorise(&mut tx, caller, id, Action::Read).await?;
    tx.partners_of(id).await
}
