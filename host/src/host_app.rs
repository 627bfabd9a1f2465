//! HostApps and the MiniApps bound to them.

use serde::{Deserialize, Serialize};

use crate::{
    access::{Action, Caller, Role, Scope, TokenScope},
    app::App,
    clock::{Millis, Random},
    error::{Code, Error, Result},
    event::{self, Unbound},
    ids::{HostAppId, MiniAppId},
    page::{Page, PageQuery},
    store::{Tx, is_unique_violation},
    text,
};

/// An app that runs MiniApps.
#[derive(Clone, Debug, Deserialize, Serialize, sqlx::FromRow, utoipa::ToSchema)]
pub struct HostApp {
    /// Never changes.
    pub id: HostAppId,
    /// For people.
    pub name: String,
    /// What its SDK sends in `X-Host-App-Key`. It ships inside an app, so it names and does not prove.
    pub public_key: String,
    /// When it was created.
    pub created_at: Millis,
}

/// A host app to create.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewHostApp {
    /// 1 to 64 characters.
    pub name: String,
    /// `[a-z0-9][a-z0-9-]{2,62}`; generated when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<HostAppId>,
}

/// A MiniApp associated with a host app.
#[derive(Clone, Debug, Deserialize, Serialize, sqlx::FromRow, utoipa::ToSchema)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Binding {
    #[sqlx(rename = "host_app_id")]
    pub host_app: HostAppId,
    #[sqlx(rename = "mini_app_id")]
    pub mini_app: MiniAppId,
    pub created_at: Millis,
}

/// `pk_` and 32 hexadecimal characters.
fn new_public_key(random: &dyn Random) -> String {
    let mut bytes = [0u8; 16];
    random.fill(&mut bytes);
    format!("pk_{}", hex::encode(bytes))
}

/// The host app, when the caller may do `action` to it.
///
/// # Errors
/// `not-found` when the caller may not know of it, `missing-grant` when the role or the token is not enough.
pub async fn authorise(tx: &mut Tx, caller: &Caller, id: &HostAppId, action: Action) -> Result<HostApp> {
    let scope = Scope::HostApp(id.clone());
    let host_app = tx.host_app(id).await?.filter(|_| caller.knows(&scope));
    let host_app = host_app.ok_or_else(|| Error::not_found("host app", id))?;
    caller.require(action, &scope)?;
    Ok(host_app)
}

/// Creates a host app; only an admin of the platform may, and becomes its first admin.
pub async fn create(app: &App, caller: &Caller, new: NewHostApp) -> Result<HostApp> {
    caller.require(Action::Administer, &Scope::Platform)?;
    let host_app = HostApp {
        id: new.id.unwrap_or_else(|| HostAppId::generate(&*app.random)),
        name: text::name("name", &new.name, 64)?,
        public_key: new_public_key(&*app.random),
        created_at: app.clock.now(),
    };
    let mut tx = app.db.begin().await?;
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
    tx.emit(
        event::new(app, "host_app.created", &host_app.id, caller.account.as_str(), &host_app)
            .for_host_app(&host_app.id),
    );
    tx.grant(app, caller.account.as_str(), &caller.account, &Scope::HostApp(host_app.id.clone()), Role::Admin).await?;
    tx.commit().await?;
    Ok(host_app)
}

/// One host app.
pub async fn get(app: &App, caller: &Caller, id: &HostAppId) -> Result<HostApp> {
    authorise(&mut app.db.read().await?, caller, id, Action::Read).await
}

/// The host apps that the caller may know of, by id.
pub async fn list(app: &App, caller: &Caller, query: &PageQuery) -> Result<Page<HostApp>> {
    caller.require_scope(TokenScope::Read)?;
    let mut tx = app.db.read().await?;
    let items = tx.host_apps_known_to(caller, query).await?;
    Ok(Page::of(items, query, |host_app| host_app.id.to_string()))
}

/// The MiniApps bound to a host app.
pub async fn bindings(app: &App, caller: &Caller, id: &HostAppId) -> Result<Vec<Binding>> {
    let mut tx = app.db.read().await?;
    authorise(&mut tx, caller, id, Action::Read).await?;
    tx.bindings_of_host_app(id).await
}

/// Binds a MiniApp to a host app. Doing it twice is no work.
pub async fn bind(app: &App, caller: &Caller, id: &HostAppId, mini_app: &MiniAppId) -> Result<Binding> {
    let mut tx = app.db.begin().await?;
    authorise(&mut tx, caller, id, Action::Configure).await?;
    tx.hold_mini_app(mini_app).await?;
    let now = app.clock.now();
    let added = tx.insert_binding(id, mini_app, now).await?;
    let binding = tx.binding(id, mini_app).await?;
    if added {
        let event = event::new(app, "binding.created", mini_app, caller.account.as_str(), &binding);
        tx.emit(event.for_mini_app(mini_app).for_host_app(id));
    }
    tx.commit().await?;
    Ok(binding)
}

/// Takes the binding away: devices in this host app get no service for the MiniApp any more.
pub async fn unbind(app: &App, caller: &Caller, id: &HostAppId, mini_app: &MiniAppId) -> Result<()> {
    let mut tx = app.db.begin().await?;
    authorise(&mut tx, caller, id, Action::Configure).await?;
    tx.hold_mini_app(mini_app).await?;
    let gone = tx.delete_binding(id, mini_app).await?;
    if !gone {
        return Err(Error::not_found("binding of", mini_app));
    }
    let data = Unbound { host_app: id.clone(), mini_app: mini_app.clone() };
    let event = event::new(app, "binding.removed", mini_app, caller.account.as_str(), &data);
    tx.emit(event.for_mini_app(mini_app).for_host_app(id));
    tx.commit().await
}
