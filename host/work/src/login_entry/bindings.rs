//! Who users are at login entries: made, shown and ended (U21, U22).

use berth_base::{
    error::{Code, Error, Result},
    ids::{Digest, HostAppId, LoginBindingId, LoginEntryName, MiniAppId},
};
use berth_model::{
    access::Caller,
    app_secret::MiniAppServer,
    event::kind,
    login_entry::{
        BoundUser, EndLoginBinding, LoginBinding, LoginBindingTold, LoginBindingsQuery, LoginEntry, NamedLoginBinding,
        UserLoginBinding,
    },
    user::{OpenId, User},
};
use berth_store::{Db, Tx};

use crate::user::{
    open_id::{self, of_parts},
    spoken_for,
};

/// The name of the key among those of the host by which subjects are found. To change it would unbind everybody.
const KEY: &str = "login-subject";

/// Binds a user to who they are at an entry; the transaction holds both. Who is bound to the same already has said nothing new, and
/// who was bound to another one is bound to that no more.
///
/// # Errors
/// `login-subject-taken` when another user is bound to it; `secret-sealed`.
pub(super) async fn bind(
    tx: &mut Tx,
    entry: &LoginEntry,
    (open_id, user): (&OpenId, &User),
    subject: String,
) -> Result<LoginBinding> {
    let mac = mac_of(tx, entry, &subject).await?;
    let actor = entry.mini_app.as_str();
    match tx.binding_to(entry, &mac).await? {
        Some(there) if there.open_id_sha256 != open_id.digest() => return Err(taken(entry)),
        Some(there) => {
            let (id, bound_at) = (there.id, there.bound_at);
            return Ok(LoginBinding { id, entry: entry.name.clone(), open_id: open_id.clone(), subject, bound_at });
        }
        None => {}
    }
    end_all(tx, actor, &entry.mini_app, &entry.name, Some(open_id)).await?;
    let id = LoginBindingId::generate(tx.now(), tx.random());
    tx.bind_login(&id, entry, open_id, (&mac, &subject)).await?;
    let told = LoginBindingTold {
        id: id.clone(),
        mini_app: entry.mini_app.clone(),
        entry: entry.name.clone(),
        host_app: user.host_app.clone(),
    };
    tx.tell(kind::LOGIN_BINDING_MADE, &id, actor, &told).for_mini_app(&entry.mini_app).for_host_app(&user.host_app);
    Ok(LoginBinding { id, entry: entry.name.clone(), open_id: open_id.clone(), subject, bound_at: tx.now() })
}

/// What finds a subject. Subjects may be short numbers, of which a bare hash tells everything.
async fn mac_of(tx: &mut Tx, entry: &LoginEntry, subject: &str) -> Result<Digest> {
    let key = tx.host_key(KEY).await?;
    Ok(of_parts(&key, [entry.mini_app.as_str(), entry.name.as_str(), subject])?.digest())
}

fn taken(entry: &LoginEntry) -> Error {
    let detail = format!(
        "Who has logged in at {} is bound to another user of {}. Nobody is taken over: end that binding first.",
        entry.name, entry.mini_app
    );
    Error::new(Code::LoginSubjectTaken, detail)
}

/// Ends the binding of a user at an entry, or those of all users there, and tells of each.
pub(super) async fn end_all(
    tx: &mut Tx,
    actor: &str,
    mini_app: &MiniAppId,
    entry: &LoginEntryName,
    open_id: Option<&OpenId>,
) -> Result<()> {
    for (id, entry, host_app) in tx.end_bindings(mini_app, entry, open_id).await? {
        let told = LoginBindingTold { id, mini_app: mini_app.clone(), entry, host_app };
        let event = tx.tell(kind::LOGIN_BINDING_ENDED, &told.id, actor, &told);
        event.for_mini_app(mini_app).for_host_app(&told.host_app);
    }
    Ok(())
}

/// Who a user is at login entries, for the server of the MiniApp. Of an OpenID that there is not it says the same as of a user
/// who is bound nowhere (F103).
///
/// # Errors
/// `secret-sealed` when this host cannot open a subject.
pub async fn of_open_id(db: &Db, server: &MiniAppServer, who: &BoundUser) -> Result<Vec<LoginBinding>> {
    let mut tx = db.read().await?;
    let mut found = Vec::new();
    for row in tx.bindings_of_open_id(&server.mini_app, &who.open_id).await? {
        let Some(subject) = tx.subject_of(&row)? else { continue };
        let (id, entry, bound_at) = (row.id, row.entry, row.bound_at);
        found.push(LoginBinding { id, entry, open_id: who.open_id.clone(), subject, bound_at });
    }
    Ok(found)
}

/// Ends a binding in the name of the MiniApp's server. Where there is none, nothing is done.
///
/// # Errors
/// Those of the database.
#[tracing::instrument(name = "login_binding.end", skip_all, fields(mini_app = %server.mini_app, entry = %end.entry))]
pub async fn end(db: &Db, server: &MiniAppServer, end: &EndLoginBinding) -> Result<()> {
    let mut tx = db.begin().await?;
    let id = &server.mini_app;
    end_all(&mut tx, id.as_str(), id, &end.entry, Some(&end.open_id)).await?;
    tx.commit().await
}

/// Who a user of a host app is at login entries, and was, oldest first, on the word of its server.
///
/// # Errors
/// `invalid-field` for the account; `not-found` for the host app; `missing-grant` for all but its server and its admins.
pub async fn of_account(
    db: &Db,
    caller: &Caller,
    id: &HostAppId,
    query: &LoginBindingsQuery,
) -> Result<Vec<UserLoginBinding>> {
    let mut tx = db.read().await?;
    let user = spoken_for(&mut tx, caller, id, &query.account).await?;
    tx.bindings_of(&user, None).await
}

/// Ends a binding of a user of a host app, on the word of its server, and returns what is on record of it. Where there is none,
/// nothing is done.
///
/// # Errors
/// As for [`of_account`].
#[tracing::instrument(name = "login_binding.end_of_account", skip_all, fields(host_app = %id, mini_app = %named.mini_app, entry = %named.entry))]
pub async fn end_of_account(
    db: &Db,
    caller: &Caller,
    id: &HostAppId,
    named: NamedLoginBinding,
) -> Result<Vec<UserLoginBinding>> {
    let NamedLoginBinding { account, mini_app, entry } = named;
    let mut tx = db.begin().await?;
    let user = spoken_for(&mut tx, caller, id, &account).await?;
    if let Some(open_id) = open_id::find(&mut tx, &mini_app, &user).await? {
        end_all(&mut tx, caller.account.as_str(), &mini_app, &entry, Some(&open_id)).await?;
    }
    let all = tx.bindings_of(&user, Some(&mini_app)).await?;
    tx.commit().await?;
    Ok(all.into_iter().filter(|binding| binding.entry == entry).collect())
}
