//! Host apps: the apps in which MiniApps run.

pub use berth_model::host_app::*;

use berth_base::{
    clock::Random,
    error::{Code, Error, Result},
    ids::HostAppId,
    page::{Page, PageQuery},
    sql::is_unique_violation,
    text,
};
use berth_model::{
    access::{Action, Caller, Role, Scope, TokenScope},
    event::{Kind, kind},
};
use berth_store::{Db, Tx};

/// A random key: `pk_` and 32 hexadecimal characters.
fn new_public_key(random: &dyn Random) -> String {
    let mut bytes = [0u8; 16];
    random.fill(&mut bytes);
    format!("pk_{}", hex::encode(bytes))
}

/// Reads the host app.
///
/// # Errors
/// `not-found` when there is none or the caller may not know about it; `missing-grant` when the caller's roles or token
/// do not allow `action` there.
pub async fn authorise(tx: &mut Tx, caller: &Caller, id: &HostAppId, action: Action) -> Result<HostApp> {
    let scope = Scope::HostApp(id.clone());
    let host_app = tx.host_app(id).await?.filter(|_| caller.knows(&scope));
    let host_app = host_app.ok_or_else(|| Error::not_found("host app", id))?;
    caller.require(action, &scope)?;
    Ok(host_app)
}

/// Creates a host app. Only admins of the platform may; the caller becomes the first admin of the host app.
///
/// # Errors
/// `host-app-exists` when the id is taken; `invalid-field`; `missing-grant`.
#[tracing::instrument(name = "host_app.create", skip_all)]
pub async fn create(db: &Db, caller: &Caller, new: NewHostApp) -> Result<HostApp> {
    caller.require(Action::Administer, &Scope::Platform)?;
    let mut tx = db.begin().await?;
    let host_app = HostApp {
        id: new.id.unwrap_or_else(|| HostAppId::generate(db.random())),
        name: text::name("name", &new.name, 64)?,
        public_key: new_public_key(db.random()),
        former_keys: Vec::new(),
        created_at: tx.now(),
    };
    let inserted = tx.insert_host_app(&host_app).await;
    match inserted {
        Err(error) if is_unique_violation(&error) => {
            return Err(Error::new(
                Code::HostAppExists,
                format!("The id {} is taken. Choose another one.", host_app.id),
            ));
        }
        inserted => inserted?,
    };
    tx.tell(kind::HOST_APP_CREATED, &host_app.id, caller.account.as_str(), &host_app).for_host_app(&host_app.id);
    tx.grant(caller.account.as_str(), &caller.account, &Scope::HostApp(host_app.id.clone()), Role::Admin).await?;
    tx.commit().await?;
    Ok(host_app)
}

/// One host app, for a caller who may read it.
pub async fn get(db: &Db, caller: &Caller, id: &HostAppId) -> Result<HostApp> {
    authorise(&mut db.read().await?, caller, id, Action::Read).await
}

/// A page of the host apps that the caller may know about, ordered by id.
pub async fn list(db: &Db, caller: &Caller, query: &PageQuery) -> Result<Page<HostApp>> {
    caller.require_scope(TokenScope::Read)?;
    let mut tx = db.read().await?;
    let items = tx.host_apps_known_to(caller, query).await?;
    Ok(Page::of(items, query, |host_app| host_app.id.to_string()))
}

/// Replaces the public key of a host app, as when it has leaked. Builds that send the old one are served until it ends.
///
/// # Errors
/// `invalid-field` for the time; `not-found`; `missing-grant`.
#[tracing::instrument(name = "host_app.rotate_key", skip_all, fields(host_app = %id))]
pub async fn rotate_key(db: &Db, caller: &Caller, id: &HostAppId, how: &RotateKey) -> Result<HostApp> {
    let mut tx = db.begin().await?;
    authorise(&mut tx, caller, id, Action::Configure).await?;
    let before = held(&mut tx, id).await?;
    let (now, key) = (tx.now(), new_public_key(tx.random()));
    let old = FormerKey {
        public_key: before.public_key,
        replaced_at: now,
        replaced_by: caller.account.clone(),
        ends_at: how.old_ends_at(now)?,
    };
    tx.replace_key(id, &key, &old).await?;
    tell_of_keys(tx, caller, id, kind::HOST_APP_KEY_ROTATED).await
}

/// Sets when a former key of a host app ends: sooner, as when it is misused, or later, as when many devices still send it.
///
/// # Errors
/// `invalid-field` for the time, and for the key that the host app has now; `not-found`; `missing-grant`.
#[tracing::instrument(name = "host_app.end_key", skip_all, fields(host_app = %id))]
pub async fn end_key(db: &Db, caller: &Caller, id: &HostAppId, key: &str, end: &EndKey) -> Result<HostApp> {
    let mut tx = db.begin().await?;
    authorise(&mut tx, caller, id, Action::Configure).await?;
    if held(&mut tx, id).await?.public_key == key {
        let text = format!("is the key that {id} has now. Replace it, then end it.");
        return Err(Error::parameter("public_key", text).next(format!("berth host-app rotate-key {id}")));
    }
    let ends_at = end.at(tx.now())?;
    if !tx.end_key(id, key, ends_at).await? {
        return Err(Error::not_found("former key", key));
    }
    tell_of_keys(tx, caller, id, kind::HOST_APP_KEY_ENDS).await
}

async fn tell_of_keys(mut tx: Tx, caller: &Caller, id: &HostAppId, told: Kind<HostApp>) -> Result<HostApp> {
    let host_app = held(&mut tx, id).await?;
    tx.tell(told, id, caller.account.as_str(), &host_app).for_host_app(id);
    tx.commit().await?;
    Ok(host_app)
}

/// The host app, which the transaction holds until it ends: its keys change one after the other.
async fn held(tx: &mut Tx, id: &HostAppId) -> Result<HostApp> {
    tx.hold_host_app(id).await?;
    tx.host_app(id).await?.ok_or_else(|| Error::not_found("host app", id))
}
