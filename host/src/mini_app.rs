//! MiniApps: created by a team, taken on and off the shelf, never renamed in their id (A1–A4, V11).

use serde::{Deserialize, Serialize};

use crate::{
    access::{Action, Caller, Scope},
    audit::{self, Audit},
    clock::Millis,
    error::{Code, Error, Result},
    event::kind,
    ids::{MiniAppId, TeamId},
    page::{Page, PageQuery},
    rollout,
    store::{Db, Tx, is_unique_violation},
    text,
    version::{State, Trial, Version, VersionNumber},
};

/// A mini-program.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct MiniApp {
    /// Never changes and is never used again.
    pub id: MiniAppId,
    /// Its owner.
    pub team: TeamId,
    /// For people.
    pub name: String,
    /// For people.
    pub description: String,
    /// Off the shelf no host app gets service.
    pub on_shelf: bool,
    /// Why it is off the shelf.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub shelf_note: String,
    /// Devices with an older version must update before they run it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_version: Option<VersionNumber>,
    /// When it was created.
    pub created_at: Millis,
}

/// A MiniApp to create.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewMiniApp {
    /// 1 to 64 characters.
    pub name: String,
    /// The owner; may be absent when the caller works in one team only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<TeamId>,
    /// 3 to 63 characters of a-z, 0-9 and `-`, with single dots between parts, such as `coffee` or
    /// `org.example.coffee`; generated when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<MiniAppId>,
    /// At most 2,000 characters.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
}

/// What may be edited; what is absent stays.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EditMiniApp {
    /// 1 to 64 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// At most 2,000 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// On or off the shelf.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Shelf {
    /// Whether host apps get service.
    pub on: bool,
    /// The reason that downloads are refused with.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

/// The oldest version that may still run.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MinVersion {
    /// Not above the online version; null takes the bound away.
    pub version: Option<VersionNumber>,
}

/// Which MiniApps are wanted.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct MiniAppQuery {
    /// Only those of this team.
    #[serde(default)]
    pub team: Option<TeamId>,
    /// Only those whose name or id contains this text, whatever its case.
    #[serde(default)]
    pub search: Option<String>,
    /// The `next` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
    /// Items at the most, 1 to 200; 50 when absent.
    #[serde(default)]
    pub limit: Option<u32>,
}

impl MiniApp {
    /// Where the roles for it are held.
    pub fn scope(&self) -> Scope {
        Scope::Team(self.team.clone())
    }
}

/// The MiniApp, when the caller may do `action` to it.
///
/// # Errors
/// `not-found` when the caller may not know of it, `missing-grant` when the role or the token is not enough.
pub async fn authorise(tx: &mut Tx, caller: &Caller, id: &MiniAppId, action: Action) -> Result<MiniApp> {
    let mini_app = tx.mini_app(id).await?.filter(|mini_app| caller.knows(&mini_app.scope()));
    let mini_app = mini_app.ok_or_else(|| Error::not_found("MiniApp", id))?;
    caller.require(action, &mini_app.scope())?;
    Ok(mini_app)
}

/// As [`authorise`], and holds the MiniApp for the change.
pub async fn authorise_change(tx: &mut Tx, caller: &Caller, id: &MiniAppId, action: Action) -> Result<MiniApp> {
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
            Err(Error::field("team", "you are in no team. Create one with POST /v1/teams, or ask to be added."))
        }
        _ => Err(Error::field("team", "you are in several teams, so name the one that owns the MiniApp.")),
    }
}

/// Creates a MiniApp (A1).
///
/// # Errors
/// `mini-app-exists` when the id is taken, by whomever.
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
        created_at: db.now(),
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

/// One MiniApp (A4).
pub async fn get(db: &Db, caller: &Caller, id: &MiniAppId) -> Result<MiniApp> {
    authorise(&mut db.read().await?, caller, id, Action::Read).await
}

/// The MiniApps that the caller may know of, by id (A1).
pub async fn list(db: &Db, caller: &Caller, query: &MiniAppQuery) -> Result<Page<MiniApp>> {
    caller.require_scope(crate::access::TokenScope::Read)?;
    let page = PageQuery { cursor: query.cursor.clone(), limit: query.limit };
    let mut tx = db.read().await?;
    let items = tx.mini_apps_known_to(caller, query, &page).await?;
    Ok(Page::of(items, &page, |mini_app| mini_app.id.to_string()))
}

/// Edits what describes it (A1).
#[tracing::instrument(name = "mini_app.edit", skip_all, fields(mini_app = %id))]
pub async fn edit(db: &Db, caller: &Caller, id: &MiniAppId, edit: EditMiniApp) -> Result<MiniApp> {
    let mut tx = db.begin().await?;
    let mut mini_app = authorise_change(&mut tx, caller, id, Action::EditMiniApp).await?;
    if let Some(name) = edit.name {
        mini_app.name = text::name("name", &name, 64)?;
    }
    if let Some(description) = edit.description {
        mini_app.description = text::prose("description", &description, 2000)?;
    }
    tx.set_mini_app_texts(&mini_app).await?;
    tx.tell(kind::MINI_APP_EDITED, id, caller.account.as_str(), &mini_app).for_mini_app(id);
    tx.commit().await?;
    Ok(mini_app)
}

/// Takes the MiniApp off the shelf or puts it back (A2, A3). Off-shelf suspends its running GrayTasks.
#[tracing::instrument(name = "mini_app.shelve", skip_all, fields(mini_app = %id))]
pub async fn shelve(db: &Db, caller: &Caller, id: &MiniAppId, shelf: Shelf) -> Result<MiniApp> {
    let mut tx = db.begin().await?;
    let mut mini_app = authorise_change(&mut tx, caller, id, Action::Release).await?;
    if mini_app.on_shelf == shelf.on {
        return Ok(mini_app);
    }
    mini_app.on_shelf = shelf.on;
    mini_app.shelf_note = if shelf.on { String::new() } else { text::prose("note", &shelf.note, 500)? };
    tx.set_shelf(&mini_app).await?;
    if !shelf.on {
        rollout::suspend_running(&mut tx, caller, id).await?;
    }
    let kind = if shelf.on { kind::MINI_APP_ON_SHELF } else { kind::MINI_APP_OFF_SHELF };
    tx.tell(kind, id, caller.account.as_str(), &mini_app).for_mini_app(id);
    tx.commit().await?;
    Ok(mini_app)
}

/// Sets the minimum usable version (V11).
///
/// # Errors
/// `version-order` when nothing is online, or the online version is older: then no device could satisfy it.
#[tracing::instrument(name = "mini_app.set_min_version", skip_all, fields(mini_app = %id))]
pub async fn set_min_version(db: &Db, caller: &Caller, id: &MiniAppId, min: MinVersion) -> Result<MiniApp> {
    let mut tx = db.begin().await?;
    let mut mini_app = authorise_change(&mut tx, caller, id, Action::Release).await?;
    if let Some(version) = &min.version {
        let online = tx.online_version(id).await?.map(|online| online.number);
        if online.as_ref().is_none_or(|online| online < version) {
            let online = online.map_or("nothing".into(), |online| online.to_string());
            return Err(Error::new(
                Code::VersionOrder,
                format!(
                    "The minimum {version} is above what is online ({online}), so no device could run it. Publish first."
                ),
            ));
        }
    }
    mini_app.min_version = min.version;
    tx.set_min_version(id, mini_app.min_version.as_ref()).await?;
    tx.tell(kind::MINI_APP_MIN_VERSION, id, caller.account.as_str(), &mini_app).for_mini_app(id);
    tx.commit().await?;
    Ok(mini_app)
}

/// All that matters of a MiniApp at one look (V3).
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct Overview {
    /// The MiniApp.
    pub mini_app: MiniApp,
    /// What host apps run.
    pub online: Option<Version>,
    /// What trial accounts get.
    pub trial: Option<Trial>,
    /// What is being judged.
    pub auditing: Vec<Audit>,
    /// What may be published.
    pub approved: Vec<Version>,
    /// What is in development, newest first.
    pub development: Vec<Version>,
    /// The grayscale tasks that have not ended, newest first.
    pub gray_tasks: Vec<rollout::GrayTask>,
}

/// All that matters of a MiniApp at one look (V3).
pub async fn overview(db: &Db, caller: &Caller, id: &MiniAppId) -> Result<Overview> {
    let mut tx = db.read().await?;
    let mini_app = authorise(&mut tx, caller, id, Action::Read).await?;
    let mut auditing = Vec::new();
    for version in tx.versions_in(id, State::Auditing).await? {
        auditing.extend(audit::latest(&mut tx, &version.id).await?);
    }
    let brief = |row| Version::from(row).brief();
    Ok(Overview {
        mini_app,
        online: tx.online_version(id).await?.map(brief),
        trial: tx.trial(id).await?.map(Trial::from),
        auditing,
        approved: tx.versions_in(id, State::Approved).await?.into_iter().map(brief).collect(),
        development: tx.versions_in(id, State::Development).await?.into_iter().map(brief).collect(),
        gray_tasks: rollout::not_ended(&mut tx, id, db.now()).await?,
    })
}
