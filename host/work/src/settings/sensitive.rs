//! The APIs that a host app has marked as sensitive, and where a MiniApp stands with them (D3).

use std::collections::BTreeMap;

use berth_base::{
    error::Result,
    ids::{HostAppId, MiniAppId},
};
use berth_model::{
    access::{Action, Caller, TokenScope},
    event::kind,
    settings::{ApiStanding, Preset, SensitiveApis, SensitiveApisOf, SetSensitiveApis},
};
use berth_store::{Db, Tx};

use super::Precondition;
use crate::{host_app, mini_app};

/// What a host app has marked as sensitive, for a caller who may read it.
pub async fn get(db: &Db, caller: &Caller, id: &HostAppId) -> Result<SensitiveApis> {
    let mut tx = db.read().await?;
    host_app::authorise(&mut tx, caller, id, Action::Read).await?;
    tx.sensitive_apis(id).await
}

/// Sets what a host app marks as sensitive, in place of all that it has marked. Permits stay as they are: one for an API
/// that is not sensitive any more has no effect, until the API is marked again.
///
/// # Errors
/// `invalid-field`; what `still` refuses; `not-found`; `missing-grant`.
#[tracing::instrument(name = "sensitive_apis.set", skip_all, fields(host_app = %id))]
pub async fn set(
    db: &Db,
    caller: &Caller,
    id: &HostAppId,
    set: SetSensitiveApis,
    still: &Precondition<'_, SensitiveApis>,
) -> Result<SensitiveApis> {
    let mut tx = db.begin().await?;
    host_app::authorise(&mut tx, caller, id, Action::Configure).await?;
    tx.hold_host_app(id).await?;
    let before = tx.sensitive_apis(id).await?;
    still(&before)?;
    let apis = set.read()?;
    if before.apis == apis {
        return Ok(before);
    }
    let actor = caller.account.as_str();
    tx.set_sensitive_apis(id, &apis, actor).await?;
    tx.tell(kind::SENSITIVE_APIS_CHANGED, id, actor, &before.changed(apis)).for_host_app(id);
    let after = tx.sensitive_apis(id).await?;
    tx.commit().await?;
    Ok(after)
}

/// The presets that a host app may begin with. Any token that may read anything may ask.
pub fn presets(caller: &Caller) -> Result<Vec<Preset>> {
    caller.require_scope(TokenScope::Read)?;
    Ok(Preset::all())
}

/// Where a MiniApp stands with the sensitive APIs of each host app that it is bound to, for a caller who may read it. A
/// host app without sensitive APIs is left out.
pub async fn of_mini_app(db: &Db, caller: &Caller, id: &MiniAppId) -> Result<Vec<SensitiveApisOf>> {
    let mut tx = db.read().await?;
    mini_app::authorise(&mut tx, caller, id, Action::Read).await?;
    let mut all = Vec::new();
    for host_app in tx.bound_host_apps(id).await? {
        let apis = standings(&mut tx, id, &host_app).await?;
        if !apis.is_empty() {
            all.push(SensitiveApisOf { host_app, apis });
        }
    }
    Ok(all)
}

async fn standings(tx: &mut Tx, mini_app: &MiniAppId, host_app: &HostAppId) -> Result<Vec<ApiStanding>> {
    let permits = tx.last_api_permits(mini_app, host_app).await?;
    let permits: BTreeMap<_, _> =
        permits.into_iter().filter_map(|permit| Some((permit.api.clone()?, permit))).collect();
    let marked = tx.sensitive_apis(host_app).await?.apis;
    let standing = |one: berth_model::settings::SensitiveApi| {
        let last = permits.get(&one.api);
        ApiStanding {
            state: last.map(|permit| permit.state),
            permit: last.map(|permit| permit.id.clone()),
            api: one.api,
            name: one.name,
        }
    };
    Ok(marked.into_iter().map(standing).collect())
}
