//! Exports and erases a user, on the word of the host app's server (D13).

use std::time::Duration;

use berth_base::{error::Result, ids::HostAppId};
use berth_logs::LogStore;
use berth_model::{
    access::Caller,
    event::kind,
    identity::UserLink,
    log::{Filter, LogEntry, LogId, Span},
    privacy::{NamedUser, UserErased, UserErasedIn, UserExport, UserOfMiniApp},
    user::User,
};
use berth_store::{Db, KnownUser, Tx};

use crate::{log::Logs, user::spoken_for};

/// How many entries of real-time logs an export has at most, and how many are erased at a time.
const ENTRIES: usize = 1000;
/// How long one search of the logs takes at most.
const PATIENCE: Duration = Duration::from_secs(10);

/// Everything that is held about a user of the host app.
///
/// # Errors
/// `invalid-field` for the account; `not-found` for the host app; `missing-grant` for all but its server and its admins;
/// `unavailable` when the log store does not answer.
pub async fn export(db: &Db, logs: &Logs, caller: &Caller, id: &HostAppId, who: NamedUser) -> Result<UserExport> {
    let mut tx = db.read().await?;
    let user = spoken_for(&mut tx, caller, id, &who.account).await?;
    let mut mini_apps = Vec::new();
    for known in tx.known_users(&user, who.mini_app.as_ref()).await? {
        mini_apps.push(of_mini_app(&mut tx, known).await?);
    }
    let is_meant =
        |link: &UserLink| who.mini_app.as_ref().is_none_or(|id| [&link.mini_app, &link.partner].contains(&id));
    let links = tx.links_of(&user).await?.into_iter().filter(is_meant).collect();
    let recognitions = tx.recognitions_of(&user, who.mini_app.as_ref()).await?;
    let login_bindings = tx.bindings_of(&user, who.mini_app.as_ref()).await?;
    let told = tx.messages_told(&user, who.mini_app.as_ref()).await?;
    let sign_ons = tx.sign_ons_held(&user).await?;
    let exported_at = tx.now();
    drop(tx);
    let (mut log_entries, stopped_at) = entries(&*logs.store, &user, &who, ALL.below, ENTRIES + 1).await?;
    let more_log_entries = log_entries.len() > ENTRIES || stopped_at.is_some();
    log_entries.truncate(ENTRIES);
    let messages = told.into_iter().map(|(_, message)| message).collect();
    let User { host_app, account } = user;
    Ok(UserExport {
        host_app,
        account,
        exported_at,
        mini_apps,
        links,
        recognitions,
        login_bindings,
        sign_ons,
        messages,
        log_entries,
        more_log_entries,
    })
}

async fn of_mini_app(tx: &mut Tx, known: KnownUser) -> Result<UserOfMiniApp> {
    Ok(UserOfMiniApp {
        privacy_consents: tx.privacy_consents(&known.open_id_sha256).await?,
        subscriptions: tx.subscriptions_held(&known).await?,
        messages: tx.messages_held(&known).await?,
        has_union_id: tx.union_of(&known.mini_app_id).await?.is_some(),
        mini_app: known.mini_app_id,
        known_since: known.created_at,
        logged_in_at: Some(known.session_at).filter(|at| at.0 > 0),
        has_session: known.has_session,
    })
}

/// Erases a user of the host app: what is stored of them is deleted, and events that named them do not any more. Doing it
/// twice does nothing the second time. Who uses a MiniApp again afterwards is a new user, who has agreed to nothing.
///
/// # Errors
/// As for [`export`]. When the log store does not answer, the rest is erased, and doing it again erases what is left.
#[tracing::instrument(name = "user.erase", skip_all, fields(host_app = %id))]
pub async fn erase(db: &Db, logs: &Logs, caller: &Caller, id: &HostAppId, who: NamedUser) -> Result<UserErased> {
    let user = User::of(id, &who.account)?;
    let mut erased = UserErased::default();
    // Until there is nothing: who was linked in this moment may have become the user of one MiniApp more. A transaction that
    // looked again itself would wait for such a link, and that for it.
    while erased.add(erase_once(db, caller, id, &who).await?) {}
    erased.log_entries = erase_entries(&*logs.store, &user, &who).await?;
    Ok(erased)
}

/// Erases what the user has left behind up to now, but for entries of logs.
async fn erase_once(db: &Db, caller: &Caller, id: &HostAppId, who: &NamedUser) -> Result<UserErased> {
    let mut tx = db.begin().await?;
    let user = spoken_for(&mut tx, caller, id, &who.account).await?;
    let erased = tx.erase_user(&user, who.mini_app.as_ref()).await?;
    for mini_app in &erased.mini_apps {
        let data = UserErasedIn { mini_app: mini_app.clone(), host_app: id.clone() };
        let event = tx.tell(kind::USER_ERASED, mini_app, caller.account.as_str(), &data);
        event.for_mini_app(mini_app).for_host_app(id);
    }
    tx.commit().await?;
    Ok(erased)
}

const ALL: Span = Span { from: LogId(0), below: LogId(i64::MAX) };

/// The newest entries below an id that name the user, and how far the search came if it ended before its end.
async fn entries(
    store: &dyn LogStore,
    user: &User,
    who: &NamedUser,
    below: LogId,
    most: usize,
) -> Result<(Vec<LogEntry>, Option<LogId>)> {
    let filter = Filter {
        host_app: Some(user.host_app.clone()),
        mini_app: who.mini_app.clone(),
        account: Some(user.account.clone()),
        ..Filter::default()
    };
    let found = store.search(&filter, Span { below, ..ALL }, most, PATIENCE).await?;
    Ok((found.entries, found.stopped_at))
}

/// Erases the entries that name the user, from the newest to the oldest.
async fn erase_entries(store: &dyn LogStore, user: &User, who: &NamedUser) -> Result<u64> {
    let (mut erased, mut below) = (0, ALL.below);
    loop {
        let (found, stopped_at) = entries(store, user, who, below, ENTRIES).await?;
        let ids: Vec<_> = found.iter().map(|entry| entry.id).collect();
        erased += store.erase(&ids).await?;
        match (ids.last(), stopped_at) {
            (_, Some(stopped_at)) => below = stopped_at,
            (Some(last), None) => below = *last,
            (None, None) => return Ok(erased),
        }
    }
}
