//! MiniApps: a team creates them, edits them, and takes them off the shelf and back. An id never changes (A1–A4, V11).

pub use berth_model::mini_app::*;

use berth_base::{
    error::{Code, Error, Result},
    ids::{HostAppId, MiniAppId, TeamId},
    page::{Page, PageQuery},
    sql::is_unique_violation,
    text,
};
use berth_model::{
    access::{Action, Caller, Scope},
    event::kind,
};
use berth_store::{Db, Tx};

/// Reads the MiniApp.
///
/// # Errors
/// `not-found` when there is none or the caller may not know about it; `missing-grant` when the caller's roles or token
/// do not allow `action` there, as those of a bound host app do not, whose members read the MiniApp.
pub async fn authorise(tx: &mut Tx, caller: &Caller, id: &MiniAppId, action: Action) -> Result<MiniApp> {
    let found = tx.mini_app(id).await?;
    let knows = match &found {
        Some(mini_app) => caller.knows(&mini_app.scope()) || !read_through(tx, caller, id).await?.is_empty(),
        None => false,
    };
    allowed(found.filter(|_| knows), caller, id, action)
}

/// Reads the MiniApp for the sake of something of it that is the team's own and was named by an id, such as a gray task.
///
/// # Errors
/// As for [`authorise`], but `not-found` for the members of a bound host app, too: a `missing-grant` would tell them that the
/// id is one.
pub(crate) async fn authorise_own(tx: &mut Tx, caller: &Caller, id: &MiniAppId, action: Action) -> Result<MiniApp> {
    let known = tx.mini_app(id).await?.filter(|mini_app| caller.knows(&mini_app.scope()));
    allowed(known, caller, id, action)
}

fn allowed(known: Option<MiniApp>, caller: &Caller, id: &MiniAppId, action: Action) -> Result<MiniApp> {
    let mini_app = known.ok_or_else(|| Error::not_found("MiniApp", id))?;
    caller.require(action, &mini_app.scope())?;
    Ok(mini_app)
}

/// The host apps through which the roles of the caller allow to read the MiniApp, whatever the token is for.
async fn read_through(tx: &mut Tx, caller: &Caller, id: &MiniAppId) -> Result<Vec<HostAppId>> {
    let mut own = tx.bound_host_apps(id).await?;
    own.retain(|host_app| caller.reads(&Scope::HostApp(host_app.clone())));
    Ok(own)
}

/// Through what a caller reads a MiniApp.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reader {
    /// Through its team or the whole platform: they read everything.
    Team,
    /// Through these host apps, to which it is bound: they see what a host app runs and decides on. What is in development,
    /// on trial and in grayscale is the team's own.
    HostApps(Vec<HostAppId>),
}

/// Reads the MiniApp for a caller who may read it, or may read a host app to which it is bound.
///
/// # Errors
/// As for [`authorise`].
pub(crate) async fn readable(tx: &mut Tx, caller: &Caller, id: &MiniAppId) -> Result<(MiniApp, Reader)> {
    let refusal = match authorise(tx, caller, id, Action::Read).await {
        Ok(mini_app) => return Ok((mini_app, Reader::Team)),
        Err(refusal) => refusal,
    };
    let own = read_through(tx, caller, id).await?;
    match tx.mini_app(id).await? {
        Some(mini_app) if !own.is_empty() => {
            caller.require_scope(Action::Read.token_scope())?;
            Ok((mini_app, Reader::HostApps(own)))
        }
        _ => Err(refusal),
    }
}

/// Does what [`authorise`] does, and locks the MiniApp until the transaction ends.
pub(crate) async fn authorise_change(tx: &mut Tx, caller: &Caller, id: &MiniAppId, action: Action) -> Result<MiniApp> {
    authorise(tx, caller, id, action).await?;
    tx.hold_mini_app(id).await
}

fn only_team(caller: &Caller) -> Result<TeamId> {
    let mut teams = caller.grants.iter().filter_map(|(scope, _)| match scope {
        Scope::Team(id) => Some(id),
        _ => None,
    });
    match (teams.next(), teams.next()) {
        (Some(team), None) => Ok(team.clone()),
        (None, _) => {
            let text = "you are in no team. Create one with POST /v1/teams, or ask to be added.";
            Err(Error::field("team", text).next("berth team create NAME"))
        }
        _ => Err(Error::field("team", "you are in several teams, so name the one that owns the MiniApp.")),
    }
}

/// Creates a MiniApp that is on the shelf (A1). The caller must be a developer, an operator or an admin of the team.
///
/// # Errors
/// `mini-app-exists` when any team has the id; `invalid-field`; `not-found` for the team; `missing-grant`.
#[tracing::instrument(name = "mini_app.create", skip_all)]
pub async fn create(db: &Db, caller: &Caller, new: NewMiniApp) -> Result<MiniApp> {
    let team = new.team.clone().map_or_else(|| only_team(caller), Ok)?;
    let scope = Scope::Team(team.clone());
    let mut tx = db.begin().await?;
    if !caller.knows(&scope) || tx.team(&team).await?.is_none() {
        return Err(Error::not_found("team", team));
    }
    caller.require(Action::EditMiniApp, &scope)?;
    let mini_app = MiniApp {
        id: new.id.unwrap_or_else(|| MiniAppId::generate(db.random())),
        team,
        name: text::name("name", &new.name, 64)?,
        description: text::prose("description", &new.description, 2000)?,
        on_shelf: true,
        shelf_note: String::new(),
        min_version: None,
        created_at: tx.now(),
    };
    let inserted = tx.insert_mini_app(&mini_app).await;
    match inserted {
        Err(error) if is_unique_violation(&error) => {
            return Err(Error::new(
                Code::MiniAppExists,
                format!("The id {} is taken. Choose another one.", mini_app.id),
            ));
        }
        inserted => inserted?,
    };
    tx.tell(kind::MINI_APP_CREATED, &mini_app.id, caller.account.as_str(), &mini_app).for_mini_app(&mini_app.id);
    tx.commit().await?;
    Ok(mini_app)
}

/// One MiniApp, for a caller who may read it or a host app that it is bound to (A4, A5).
pub async fn get(db: &Db, caller: &Caller, id: &MiniAppId) -> Result<MiniApp> {
    Ok(readable(&mut db.read().await?, caller, id).await?.0)
}

/// A page of the MiniApps that the caller may know about, ordered by id, each with what is next for it (A1).
pub async fn list(db: &Db, caller: &Caller, query: &MiniAppQuery) -> Result<Page<ListedMiniApp>> {
    caller.require_scope(berth_model::access::TokenScope::Read)?;
    let page = PageQuery { cursor: query.cursor.clone(), limit: query.limit };
    let mut tx = db.read().await?;
    let items = tx.mini_apps_known_to(caller, query, &page).await?;
    Ok(Page::of(items, &page, |listed| listed.mini_app.id.to_string()))
}

/// Edits the name and the description of a MiniApp (A1).
#[tracing::instrument(name = "mini_app.edit", skip_all, fields(mini_app = %id))]
pub async fn edit(db: &Db, caller: &Caller, id: &MiniAppId, edit: EditMiniApp) -> Result<MiniApp> {
    let mut tx = db.begin().await?;
    let mut mini_app = authorise_change(&mut tx, caller, id, Action::EditMiniApp).await?;
    let before = mini_app.clone();
    if let Some(name) = edit.name {
        mini_app.name = text::name("name", &name, 64)?;
    }
    if let Some(description) = edit.description {
        mini_app.description = text::prose("description", &description, 2000)?;
    }
    tx.set_mini_app_texts(&mini_app).await?;
    tx.tell(kind::MINI_APP_EDITED, id, caller.account.as_str(), &mini_app).for_mini_app(id).was(Some(&before));
    tx.commit().await?;
    Ok(mini_app)
}
