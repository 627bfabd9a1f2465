//! Trials: a version for named accounts, before it is published or beside what is online (V10).

use berth_base::{
    error::{Code, Error, Result},
    ids::MiniAppId,
    text,
    version::VersionNumber,
};
use berth_model::{
    access::{Action, Caller},
    event::{TrialCleared, kind},
    mini_app::MiniApp,
    version::{State, Trial, TrialEnd},
};
use berth_store::Json;
use berth_store::{Db, Tx, version::TrialRow};

use crate::{mini_app, settings::Precondition};

/// How many accounts a trial may name.
const MAX_ACCOUNTS: usize = 200;

/// The entry path, when it names a page of the package; refused with `trial-entry` otherwise.
fn entry_path(path: &str, number: &VersionNumber, pages: &[String]) -> Result<String> {
    let page = path.split(['?', '#']).next().unwrap_or_default();
    if pages.iter().any(|one| one == page) {
        return text::prose("entry_path", path, 1000);
    }
    let known = pages.iter().take(5).map(String::as_str).collect::<Vec<_>>().join(", ");
    Err(Error::new(
        Code::TrialEntry,
        format!("{page:?} is not a page of {number}: the path is relative and names a page such as {known}."),
    ))
}

fn accounts(accounts: Vec<String>) -> Result<Vec<String>> {
    let mut named = accounts.iter().map(|one| text::name("accounts", one, 128)).collect::<Result<Vec<_>>>()?;
    named.sort_unstable();
    named.dedup();
    match named.len() {
        1..=MAX_ACCOUNTS => Ok(named),
        count => Err(Error::field("accounts", format!("name 1 to {MAX_ACCOUNTS} accounts; these are {count}."))),
    }
}

/// Refuses a version on trial that is older than what its accounts may run, or than what everybody gets (V11).
fn not_outdated(mini_app: &MiniApp, online: Option<&VersionNumber>, number: &VersionNumber) -> Result<()> {
    if let Some(min) = mini_app.min_version.as_ref().filter(|min| number < *min) {
        let detail = format!("{number} is below the minimum usable version {min} and must not run. Try a greater one.");
        return Err(Error::new(Code::BelowMinVersion, detail).with("min_version", min));
    }
    if let Some(online) = online.filter(|online| number < *online) {
        let detail = format!("{number} is below {online}, which everybody gets. Try a greater one.");
        return Err(Error::new(Code::VersionOrder, detail).with("online", online));
    }
    Ok(())
}

/// Sets the trial of a MiniApp, in place of the one that it may have (V10).
///
/// # Errors
/// `version-state` when the version was rejected; `below-min-version` and `version-order` when it is below the minimum
/// usable version or what everybody gets (V11); `trial-entry` when the entry path is not one of its pages;
/// `invalid-field` for the accounts; what `still` refuses; `not-found` and `missing-grant`.
#[tracing::instrument(name = "trial.set", skip_all, fields(mini_app = %id, version = %trial.version))]
pub async fn set(
    db: &Db,
    caller: &Caller,
    id: &MiniAppId,
    trial: Trial,
    still: &Precondition<'_, Option<Trial>>,
) -> Result<Trial> {
    let mut tx = db.begin().await?;
    let mini_app = mini_app::authorise_change(&mut tx, caller, id, Action::Develop).await?;
    still(&tx.trial(id).await?.map(Trial::from))?;
    let version = tx.require_version(id, &trial.version).await?;
    let online = tx.online_version(id).await?.map(|online| online.number);
    not_outdated(&mini_app, online.as_ref(), &version.number)?;
    if version.state == State::Rejected {
        return Err(Error::new(Code::VersionState, format!("{} was rejected and cannot be tried.", version.number)));
    }
    let row = TrialRow {
        mini_app_id: id.clone(),
        entry_path: entry_path(&trial.entry_path, &version.number, &version.manifest.0.pages)?,
        accounts: Json(accounts(trial.accounts)?),
        version_id: version.id,
        number: version.number,
        set_by: caller.account.to_string(),
        set_at: tx.now(),
    };
    tx.set_trial(&row).await?;
    let trial = Trial::from(row);
    tx.tell(kind::TRIAL_SET, id, caller.account.as_str(), &trial).for_mini_app(id);
    tx.commit().await?;
    Ok(trial)
}

/// The trial of a MiniApp. `not-found` when it has none.
pub async fn get(db: &Db, caller: &Caller, id: &MiniAppId) -> Result<Trial> {
    let mut tx = db.read().await?;
    mini_app::authorise(&mut tx, caller, id, Action::Read).await?;
    tx.trial(id).await?.map(Trial::from).ok_or_else(|| Error::not_found("trial of", id))
}

/// Ends the trial of a MiniApp. `not-found` when it has none.
#[tracing::instrument(name = "trial.clear", skip_all, fields(mini_app = %id))]
pub async fn clear(db: &Db, caller: &Caller, id: &MiniAppId) -> Result<()> {
    let mut tx = db.begin().await?;
    mini_app::authorise_change(&mut tx, caller, id, Action::Develop).await?;
    if end(&mut tx, caller.account.as_str(), id, TrialEnd::Hand, |_| true).await?.is_none() {
        return Err(Error::not_found("trial of", id));
    }
    tx.commit().await
}

/// Ends the trial of a MiniApp when `applies` to its version. Returns the version whose trial it ended.
pub(crate) async fn end(
    tx: &mut Tx,
    actor: &str,
    id: &MiniAppId,
    cause: TrialEnd,
    applies: impl FnOnce(&VersionNumber) -> bool,
) -> Result<Option<VersionNumber>> {
    let Some(trial) = tx.trial(id).await?.filter(|trial| applies(&trial.number)) else { return Ok(None) };
    tx.clear_trial(id).await?;
    let data = TrialCleared { version: trial.number.clone(), cause };
    tx.tell(kind::TRIAL_CLEARED, id, actor, &data).for_mini_app(id);
    Ok(Some(trial.number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn v10_an_entry_path_leads_to_a_page() {
        let (number, pages) = ("1.0.0".parse().expect("a number"), ["pages/index", "shop/cart"].map(String::from));
        assert_eq!(entry_path("shop/cart?table=7", &number, &pages).expect("a page"), "shop/cart?table=7");
        for path in
            ["", "/pages/index", "pages/nowhere", "../pages/index", "pages/index/", "https://example.com/pages/index"]
        {
            assert_eq!(entry_path(path, &number, &pages).expect_err(path).code, Code::TrialEntry);
        }
    }
}
