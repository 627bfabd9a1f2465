//! HostApps and the MiniApps bound to them.

use serde::{Deserialize, Serialize};

use crate::{
    access::{Action, Caller, Role, Scope, TokenScope},
    app::App,
    clock::{Millis, Random},
    error::{Code, Error, Result},
    event,
    ids::{HostAppId, MiniAppId},
    page::{Page, PageQuery},
    store::{Tx, execute, fetch, is_unique_violation},
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

impl Tx {
    /// One host app.
    pub async fn host_app(&mut self, id: &HostAppId) -> Result<Option<HostApp>> {
        Ok(fetch!(self, fetch_optional, HostApp, "SELECT * FROM host_app WHERE id = $1", id)?)
    }

    /// The host app with this public key.
    pub async fn host_app_by_key(&mut self, key: &str) -> Result<Option<HostApp>> {
        Ok(fetch!(self, fetch_optional, HostApp, "SELECT * FROM host_app WHERE public_key = $1", key)?)
    }

    /// The MiniApps bound to a host app, by id.
    pub async fn mini_apps_bound_to(&mut self, host_app: &HostAppId) -> Result<Vec<MiniAppId>> {
        let rows = fetch!(
            self,
            fetch_all,
            (MiniAppId,),
            "SELECT mini_app_id FROM binding WHERE host_app_id = $1 ORDER BY mini_app_id",
            host_app
        )?;
        Ok(rows.into_iter().map(|(id,)| id).collect())
    }

    /// The host apps that a MiniApp is bound to, by id.
    pub async fn bound_host_apps(&mut self, mini_app: &MiniAppId) -> Result<Vec<HostAppId>> {
        let rows = fetch!(
            self,
            fetch_all,
            (HostAppId,),
            "SELECT host_app_id FROM binding WHERE mini_app_id = $1 ORDER BY host_app_id",
            mini_app
        )?;
        Ok(rows.into_iter().map(|(id,)| id).collect())
    }
}

async fn authorise(tx: &mut Tx, caller: &Caller, id: &HostAppId, action: Action) -> Result<HostApp> {
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
    let inserted = execute!(
        tx,
        "INSERT INTO host_app (id, name, public_key, created_at) VALUES ($1, $2, $3, $4)",
        &host_app.id,
        &host_app.name,
        &host_app.public_key,
        host_app.created_at
    );
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
    let items = fetch!(
        tx,
        fetch_all,
        HostApp,
        "SELECT * FROM host_app h WHERE h.id > $1 AND ($2 OR h.id IN
            (SELECT scope_id FROM role_grant WHERE account_id = $3 AND scope_kind = 'host_app'))
         ORDER BY h.id LIMIT $4",
        query.after(),
        caller.is_platform_admin(),
        &caller.account,
        query.limit() + 1
    )?;
    Ok(Page::of(items, query, |host_app| host_app.id.to_string()))
}

/// The MiniApps bound to a host app.
pub async fn bindings(app: &App, caller: &Caller, id: &HostAppId) -> Result<Vec<Binding>> {
    let mut tx = app.db.read().await?;
    authorise(&mut tx, caller, id, Action::Read).await?;
    Ok(fetch!(tx, fetch_all, Binding, "SELECT * FROM binding WHERE host_app_id = $1 ORDER BY mini_app_id", id)?)
}

/// Binds a MiniApp to a host app. Doing it twice is no work.
pub async fn bind(app: &App, caller: &Caller, id: &HostAppId, mini_app: &MiniAppId) -> Result<Binding> {
    let mut tx = app.db.begin().await?;
    authorise(&mut tx, caller, id, Action::Configure).await?;
    tx.hold_mini_app(mini_app).await?;
    let now = app.clock.now();
    let added = execute!(
        tx,
        "INSERT INTO binding (host_app_id, mini_app_id, created_at) VALUES ($1, $2, $3)
         ON CONFLICT (host_app_id, mini_app_id) DO NOTHING",
        id,
        mini_app,
        now
    )?;
    let binding = fetch!(
        tx,
        fetch_one,
        Binding,
        "SELECT * FROM binding WHERE host_app_id = $1 AND mini_app_id = $2",
        id,
        mini_app
    )?;
    if added > 0 {
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
    let gone = execute!(tx, "DELETE FROM binding WHERE host_app_id = $1 AND mini_app_id = $2", id, mini_app)?;
    if gone == 0 {
        return Err(Error::not_found("binding of", mini_app));
    }
    let data = serde_json::json!({"host_app": id, "mini_app": mini_app});
    let event = event::new(app, "binding.removed", mini_app, caller.account.as_str(), &data);
    tx.emit(event.for_mini_app(mini_app).for_host_app(id));
    tx.commit().await
}
