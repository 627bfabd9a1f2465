//! Finding things by names and ids. What is found by its id is read as everybody reads it, so that nobody finds here what
//! they may not see there.

pub use berth_model::search::*;

use berth_base::{
    error::{Kind, Result},
    ids::{MerchantId, MiniAppId, TeamId},
    page::PageQuery,
    version::VersionNumber,
};
use berth_model::{
    access::{Caller, Scope, TokenScope},
    mini_app::MiniAppQuery,
    waiting::DeadDeliveries,
};
use berth_package::PackageName;
use berth_store::{Db, Tx};

use crate::{
    audit,
    endpoint::{app, channel, fulfilment, instance, org},
    event::webhook,
    rollout, settings, version, workspace,
};

/// What the caller may know and the text names: by its id, by the name of a package, by the number of a version, or by a part
/// of the name.
///
/// # Errors
/// `invalid-field` for the text; `missing-grant` when the token is not for reading.
pub async fn search(db: &Db, caller: &Caller, query: &SearchQuery) -> Result<FoundList> {
    caller.require_scope(TokenScope::Read)?;
    let text = query.text()?;
    let by_id = by_id(db, caller, text).await?;
    Ok(FoundList::of(by_id, by_name(&mut db.read().await?, caller, text).await?))
}

async fn by_name(tx: &mut Tx, caller: &Caller, text: &str) -> Result<Vec<Found>> {
    let page = PageQuery { cursor: None, limit: Some(MOST_FOUND as u32) };
    let named = MiniAppQuery { search: Some(text.into()), ..MiniAppQuery::default() };
    let mini_apps = tx.mini_apps_known_to(caller, &named, &page).await?;
    let mut found: Vec<_> =
        mini_apps.into_iter().map(|it| thing(FoundKind::MiniApp, it.mini_app.id, it.mini_app.name)).collect();
    if let Ok(number) = text.parse::<VersionNumber>() {
        found.extend(tx.versions_numbered(caller, &number).await?);
    }
    found.extend(tx.gray_tasks_called(caller, text).await?);
    found.extend(tx.scopes_called(caller, text).await?);
    Ok(found)
}

/// Finds what has this id. Few texts are ids of more than one kind.
async fn by_id(db: &Db, caller: &Caller, text: &str) -> Result<Vec<Found>> {
    let mut found = Vec::new();
    if let Ok(PackageName { mini_app_id, version: number }) = text.parse() {
        let it = known(version::get(db, caller, &mini_app_id, &number).await)?;
        found.extend(it.map(|_| of_mini_app(FoundKind::Version, &number, number.to_string(), &mini_app_id)));
    }
    if let Ok(id) = text.parse() {
        let it = known(audit::get(db, caller, &id).await)?;
        found.extend(it.map(|it| of_mini_app(FoundKind::Audit, &id, it.version.to_string(), &it.mini_app)));
    }
    if let Ok(id) = text.parse() {
        let it = known(rollout::get(db, caller, &id).await)?;
        found.extend(it.map(|it| of_mini_app(FoundKind::GrayTask, &id, it.name, &it.mini_app)));
    }
    if let Ok(id) = text.parse() {
        let it = known(settings::permit(db, caller, &id).await)?;
        found.extend(it.map(|it| of_mini_app(FoundKind::Permit, &id, it.permit.purpose(), &it.permit.mini_app)));
    }
    if let Ok(id) = text.parse::<TeamId>()
        && caller.knows(&Scope::Team(id.clone()))
    {
        found.extend(db.read().await?.team(&id).await?.map(|it| thing(FoundKind::Team, it.id, it.name)));
    }
    if let Ok(id) = text.parse() {
        let it = known(webhook::get(db, caller, &id).await)?;
        found.extend(it.map(|it| thing(FoundKind::Webhook, &id, DeadDeliveries::host_of(&it.webhook.url))));
    }
    if let Ok(id) = text.parse() {
        let it = known(workspace::get(db, caller, &id).await)?;
        found.extend(it.map(|it| thing(FoundKind::Workspace, &id, it.name)));
    }
    found.extend(of_merchants(db, caller, text).await?);
    Ok(found)
}

/// As [`by_id`], of what merchants own.
async fn of_merchants(db: &Db, caller: &Caller, text: &str) -> Result<Vec<Found>> {
    let mut found = Vec::new();
    if let Ok(id) = text.parse() {
        let it = known(app::get(db, caller, &id).await)?;
        found.extend(it.map(|it| of_merchant(FoundKind::EndpointApp, &id, it.app.name, it.app.merchant)));
    }
    if let Ok(id) = text.parse() {
        let it = known(channel::get(db, caller, &id).await)?;
        found.extend(it.map(|it| of_merchant(FoundKind::Channel, &id, it.name, it.merchant)));
    }
    if let Ok(id) = text.parse() {
        let it = known(org::get(db, caller, &id).await)?;
        found.extend(it.map(|it| of_merchant(FoundKind::OrgNode, &id, it.node.name, it.node.merchant)));
    }
    if let Ok(id) = text.parse() {
        let it = known(instance::get(db, caller, &id).await)?;
        found.extend(it.map(|it| of_merchant(FoundKind::ProductInstance, &id, it.name, it.merchant)));
    }
    if let Ok(id) = text.parse() {
        let it = known(fulfilment::get(db, caller, &id).await)?;
        found.extend(it.map(|it| thing(FoundKind::Fulfilment, &id, it.state.to_string())));
    }
    Ok(found)
}

/// What was read; `None` when the caller may not know of it, or may not read it.
fn known<T>(read: Result<T>) -> Result<Option<T>> {
    match read {
        Err(error) if matches!(error.code.kind(), Kind::NotFound | Kind::Forbidden) => Ok(None),
        read => read.map(Some),
    }
}

fn thing(kind: FoundKind, id: impl ToString, name: String) -> Found {
    Found { kind, id: id.to_string(), name, mini_app: None, merchant: None }
}

fn of_mini_app(kind: FoundKind, id: impl ToString, name: String, mini_app: &MiniAppId) -> Found {
    Found { mini_app: Some(mini_app.clone()), ..thing(kind, id, name) }
}

fn of_merchant(kind: FoundKind, id: impl ToString, name: String, merchant: MerchantId) -> Found {
    Found { merchant: Some(merchant), ..thing(kind, id, name) }
}
