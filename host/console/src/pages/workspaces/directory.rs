//! From where the address book of a workspace comes, by SCIM or from WeCom, and where its members sign on.

mod wecom;

use axum::{Router, extract::Path, http::Method, routing::get};

use berth_base::error::Code;
use berth_model::{
    access::{Account, Action, IssueToken, IssuedToken, Member, NewAccount, Role, Scope, SetRole, TokenScope},
    oidc::{SetSignIn, SignIn},
    workspace::{
        Workspace,
        directory::{Directory, DirectoryReads, SyncState},
    },
};

use super::{
    Tab, accounts,
    apps::{self, Item},
    head, scope, tabs, workspace,
};
use crate::{
    Console,
    act::Sent,
    frame::done,
    parts::{Badge, Filled, Names, Shown as _, Tone},
    path::at,
    refused::Refused,
    texts::{Texts, grouped},
    visit::{Answer, OrShow, Visit},
};

pub use wecom::{Stuck, stuck};

pub fn routes() -> Router<Console> {
    Router::new()
        .route("/ui/workspaces/{id}/directory", get(one))
        .route("/ui/workspaces/{id}/directory/tokens", axum::routing::post(issue))
        .route("/ui/workspaces/{id}/directory/sign-in", axum::routing::post(set_sign_in))
        .merge(wecom::routes())
}

fn page_of(id: &str) -> String {
    at!("/ui/workspaces/{}/directory", id)
}

impl crate::parts::Shown for SyncState {
    fn badge(&self, t: &Texts) -> Badge {
        let (tone, mark, word) = match self {
            Self::Waiting => (Tone::Info, "◷", t.ws_sync_waiting()),
            Self::Running => (Tone::Info, "◔", t.ws_sync_running()),
            Self::Done => (Tone::Ok, "✓", t.ws_sync_done()),
            Self::Refused => (Tone::Bad, "✕", t.ws_sync_refused()),
            Self::Failed => (Tone::Bad, "!", t.ws_sync_failed()),
        };
        Badge { tone, mark, word }
    }
}

#[derive(askama::Template)]
#[template(path = "workspaces/directory.html")]
struct Page<'a> {
    t: Texts,
    visit: &'a Visit,
    it: &'a Workspace,
    tabs: Vec<Tab>,
    here: &'a str,
    directory: Option<Directory>,
    provisioners: Vec<Member>,
    issued: Option<&'a IssuedToken>,
    sign_in: SignIn,
    tools: Vec<Item>,
    names: &'a Names,
    may_edit: bool,
    may_issue: bool,
    makes_accounts: bool,
    filled: &'a Filled,
}

impl Page<'_> {
    fn has(&self, directory: &Directory) -> Option<String> {
        let counts = directory.sync.counts?;
        let [members, departments, tags] = [counts.members, counts.departments, counts.tags].map(grouped);
        Some(self.t.ws_sync_has(members, departments, tags))
    }

    fn changed(&self, directory: &Directory) -> Option<String> {
        let counts = directory.sync.counts.filter(|counts| counts.has_changed())?;
        let members = [counts.members_created, counts.members_changed, counts.members_deactivated].map(grouped);
        let groups = [counts.groups_created, counts.groups_changed, counts.groups_deleted].map(grouped);
        let ([came, changed, left], [new, other, gone]) = (members, groups);
        Some(self.t.ws_sync_changed(came, changed, left, new, other, gone))
    }

    /// Why the last sync changed nothing, in the language of the page.
    fn problem(&self, directory: &Directory) -> String {
        let code = directory.sync.problem.as_deref().and_then(Code::of);
        code.map_or("", |code| self.t.problem(code).heading).to_owned()
    }

    /// What a field of the form for WeCom holds at first.
    fn first(&self, of: impl Fn(&Directory) -> String) -> String {
        self.directory.as_ref().map(of).unwrap_or_default()
    }

    fn corp_id(&self) -> String {
        self.first(|directory| directory.settings.corp_id.clone())
    }

    fn base_url(&self) -> String {
        self.first(|directory| directory.settings.base_url.clone())
    }

    fn every_hours(&self) -> String {
        match &self.directory {
            Some(directory) => directory.settings.every_hours.to_string(),
            None => "6".into(),
        }
    }

    fn reads(&self, reads: &str) -> bool {
        let first = self.directory.as_ref().map_or(DirectoryReads::Members, |directory| directory.settings.reads);
        self.filled.or("reads", first.as_str()) == reads
    }
}

async fn one(visit: Visit, Path(id): Path<String>) -> Answer {
    show(&visit, &id, None, &Filled::default()).await
}

async fn show(visit: &Visit, id: &str, issued: Option<&IssuedToken>, filled: &Filled) -> Answer {
    let it = workspace(visit, id).await?;
    let directory: Option<Directory> = visit.api.find(&at!("/v1/workspaces/{}/directory", id)).await.or_show(visit)?;
    let mut provisioners = accounts::with_role(visit, id).await?;
    provisioners.retain(|member| member.role == Role::Provisioner);
    let sign_in: SignIn = visit.api.get(&at!("/v1/workspaces/{}/sign-in", id)).await.or_show(visit)?;
    let mut tools = apps::items(visit, id).await.or_show(visit)?;
    tools.retain(Item::is_tool);
    let by = directory.iter().map(|directory| directory.settings.changed_by.as_str());
    let page = Page {
        t: visit.t,
        visit,
        tabs: tabs(visit.t, id, "/directory"),
        here: &page_of(id),
        names: &Names::of(&visit.api, by).await,
        directory,
        provisioners,
        issued,
        sign_in,
        tools,
        may_edit: visit.can(Action::Configure, &scope(&it)),
        may_issue: visit.can(Action::Provision, &scope(&it)),
        makes_accounts: visit.can(Action::Administer, &Scope::Platform),
        filled,
        it: &it,
    };
    let mut head = head(visit, visit.t.ws_directory(), Some(&it));
    head.live = issued.is_none().then(|| at!("/ui/live?workspace={}", id));
    visit.page(head, &page)
}

/// Issues a token for SCIM, and shows its secret: the page cannot be asked for again.
async fn issue(visit: Visit, Path(id): Path<String>, sent: Sent) -> Answer {
    match issue_of(&visit, &id, &sent).await {
        Ok(issued) => show(&visit, &id, Some(&issued), &Filled::default()).await,
        Err(refused) => show(&visit, &id, None, &sent.again(&visit, refused)?).await,
    }
}

/// A token that keeps the address book and does nothing else: of an account of its own where the visitor may make one, else of
/// the visitor.
async fn issue_of(visit: &Visit, id: &str, sent: &Sent) -> Result<IssuedToken, Refused> {
    let name = sent.get("token_name").to_owned();
    let account = match sent.get("account") {
        "new" => {
            let new = NewAccount { name: name.clone() };
            let account: Account = visit.api.tell(Method::POST, "/v1/accounts", &new).await?;
            let path = at!("/v1/workspaces/{}/accounts/{}", id, account.id);
            visit.api.act(Method::PUT, &path, &SetRole { role: Role::Provisioner }).await?;
            Some(account.id)
        }
        _ => sent.read_some("account")?,
    };
    let issue = IssueToken { account, name, scopes: Some(vec![TokenScope::Provision]), expires_at: None };
    visit.api.tell(Method::POST, "/v1/tokens", &issue).await
}

async fn set_sign_in(visit: Visit, Path(id): Path<String>, sent: Sent) -> Answer {
    let set = SetSignIn { url: sent.get("url").into(), help: sent.get("help").into() };
    match visit.api.act(Method::PUT, &at!("/v1/workspaces/{}/sign-in", id), &set).await {
        Ok(()) => done(&page_of(&id), visit.t.edited()),
        Err(refused) => show(&visit, &id, None, &sent.again(&visit, refused)?).await,
    }
}
