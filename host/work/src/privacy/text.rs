//! The text of an agreement, for devices without an account and for people.

use berth_base::{
    error::{Error, Result},
    ids::{HostAppId, MiniAppId},
};
use berth_model::{
    access::{Action, Caller},
    privacy::{Language, PrivacyDraftTextQuery, PrivacyTextQuery, TextFormat, texts},
};
use berth_store::{Db, Tx};

use super::agreement::{no_version, present};
use crate::{
    download::Fetcher,
    mini_app::{self, readable},
};

/// The text of a version, for devices of a host app that the MiniApp is bound to, for its team, and for whoever may read such
/// a host app. It is there whether the MiniApp is on the shelf or not: users keep their rights.
///
/// # Errors
/// `not-found` for a version that there is not, and for who may not know about the MiniApp.
pub async fn text(db: &Db, who: &Fetcher, id: &MiniAppId, query: &PrivacyTextQuery) -> Result<(TextFormat, String)> {
    let mut tx = db.read().await?;
    match who {
        Fetcher::Caller(caller) => readable(&mut tx, caller, id).await.map(drop)?,
        Fetcher::Device(host_app) => require_bound(&mut tx, &host_app.id, id).await?,
    }
    let texts = tx.privacy_texts(id, query.version).await?.ok_or_else(|| no_version(id, query.version))?;
    let format = query.format.unwrap_or(TextFormat::Html);
    Ok((format, texts.text(query.language.unwrap_or(Language::En), format)))
}

async fn require_bound(tx: &mut Tx, host_app: &HostAppId, id: &MiniAppId) -> Result<()> {
    if tx.bound_host_apps(id).await?.contains(host_app) { Ok(()) } else { Err(Error::not_found("MiniApp", id)) }
}

/// The text of the draft as it would be published now, for a caller who may read the MiniApp.
pub async fn draft_text(
    db: &Db,
    caller: &Caller,
    id: &MiniAppId,
    query: &PrivacyDraftTextQuery,
) -> Result<(TextFormat, String)> {
    let mut tx = db.read().await?;
    let app = mini_app::authorise(&mut tx, caller, id, Action::Read).await?;
    let draft = present(&mut tx, id).await?.agreement;
    let texts = texts(&app.name, None, &draft.effective_day(tx.now()).to_string(), &draft);
    let format = query.format.unwrap_or(TextFormat::Html);
    Ok((format, texts.text(query.language.unwrap_or(Language::En), format)))
}
