//! Official accounts at WeChat: shared ones of the platform, private ones of merchants, and the names of their templates.

use axum::{
    Router,
    extract::{Path, Query},
    http::Method,
    routing::{get, post},
};
use berth_base::{ids::MerchantId, page::Page as ListPage};
use berth_model::{
    access::{Action, Scope, ScopeKind},
    official_account::{AccountTemplate, ActsThrough, OfficialAccount, OfficialAccountState, PutAccountTemplate},
};
use serde::Deserialize;
use serde_json::json;

use crate::{
    Console,
    act::{Confirm, Sent},
    frame::{Head, done},
    parts::{Badge, Filled, Names, Shown, Tone},
    path::{at, with_query},
    refused::{Refused, invalid},
    show::quoted,
    texts::Texts,
    visit::{Answer, OrShow, Visit},
};

/// The place of these pages in the menu.
const PLACE: &str = "/ui/official-accounts";

pub fn routes() -> Router<Console> {
    Router::new()
        .route(PLACE, get(list))
        .route("/ui/official-accounts/new", get(new).post(create))
        .route("/ui/official-accounts/{app_id}", get(one).post(edit))
        .route("/ui/official-accounts/{app_id}/state", get(confirm_state).post(set_state))
        .route("/ui/official-accounts/{app_id}/remove", get(confirm_remove).post(remove))
        .route("/ui/official-accounts/{app_id}/templates", post(set_template))
        .route(
            "/ui/official-accounts/{app_id}/templates/{name}/remove",
            get(confirm_remove_template).post(remove_template),
        )
}

impl Shown for OfficialAccountState {
    fn badge(&self, t: &Texts) -> Badge {
        let (tone, mark, word) = match self {
            Self::Active => (Tone::Ok, "●", t.oa_active()),
            Self::Retired => (Tone::Neutral, "–", t.oa_retired()),
        };
        Badge { tone, mark, word }
    }
}

/// Whether the visitor may change an account: admins of the platform the shared ones, admins of a merchant its own.
fn may_change(visit: &Visit, merchant: Option<&MerchantId>) -> bool {
    match merchant {
        None => visit.can(Action::Administer, &Scope::Platform),
        Some(merchant) => visit.can(Action::Configure, &Scope::Merchant(merchant.clone())),
    }
}

/// Whether the visitor may add an account of any kind.
fn may_add(visit: &Visit) -> bool {
    let own = visit.caller.grants.iter().map(|(scope, _)| scope);
    let mut merchants = own.filter(|scope| scope.kind() == ScopeKind::Merchant);
    may_change(visit, None) || merchants.any(|scope| visit.can(Action::Configure, scope))
}

fn head<'a>(visit: &Visit, title: &'a str, account: Option<&OfficialAccount>) -> Head<'a> {
    let mut above = vec![(visit.t.official_accounts().to_owned(), PLACE.to_owned())];
    above.extend(account.map(|account| (account.name.clone(), at!("/ui/official-accounts/{}", account.app_id))));
    Head { title, above, place: PLACE, live: None }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ListQuery {
    cursor: String,
}

#[derive(askama::Template)]
#[template(path = "identities/accounts.html")]
struct List<'a> {
    t: Texts,
    visit: &'a Visit,
    accounts: &'a [OfficialAccount],
    next: Option<String>,
    may_add: bool,
}

async fn list(visit: Visit, Query(ListQuery { cursor }): Query<ListQuery>) -> Answer {
    let path = with_query("/v1/official-accounts", [("cursor", Some(cursor.as_str()))]);
    let page: ListPage<OfficialAccount> = visit.api.page(&path).await.or_show(&visit)?;
    let next = page.next.as_deref().map(|next| with_query(PLACE, [("cursor", Some(next))]));
    let may_add = may_add(&visit);
    let body = List { t: visit.t, visit: &visit, accounts: &page.items, next, may_add };
    visit.page(Head { title: visit.t.official_accounts(), place: PLACE, ..Head::default() }, &body)
}

#[derive(askama::Template)]
#[template(path = "identities/new_account.html")]
struct New<'a> {
    t: Texts,
    /// The merchant whose account it will be, at first.
    merchant: &'a str,
    may_share: bool,
    filled: &'a Filled,
}

impl New<'_> {
    /// The command that adds an account of this merchant, or a shared one.
    fn command(&self) -> String {
        let of =
            if self.merchant.is_empty() { String::new() } else { format!(" --merchant {}", quoted(self.merchant)) };
        format!("berth official-account add wx0123456789abcdef \"Shop\"{of}")
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct NewQuery {
    merchant: String,
}

async fn new(visit: Visit, Query(NewQuery { merchant }): Query<NewQuery>) -> Answer {
    if !may_add(&visit) {
        return Err(visit.refuse(Refused::Forbidden));
    }
    let own = visit.scopes(ScopeKind::Merchant).next().unwrap_or_default().to_owned();
    let may_share = may_change(&visit, None);
    let merchant = if merchant.is_empty() && !may_share { own } else { merchant };
    show_new(&visit, &merchant, &Filled::default()).await
}

async fn show_new(visit: &Visit, merchant: &str, filled: &Filled) -> Answer {
    let body = New { t: visit.t, merchant, may_share: may_change(visit, None), filled };
    visit.page(head(visit, visit.t.oa_new(), None), &body)
}

async fn create(visit: Visit, sent: Sent) -> Answer {
    let new = json!({
        "app_id": sent.get("app_id"),
        "name": sent.get("name"),
        "merchant": sent.some("merchant"),
        "secret": sent.typed("secret"),
    });
    match visit.api.tell::<OfficialAccount>(Method::POST, "/v1/official-accounts", &new).await {
        Ok(account) => done(&at!("/ui/official-accounts/{}", account.app_id), visit.t.oa_added()),
        Err(refused) => show_new(&visit, "", &sent.again(&visit, refused)?).await,
    }
}

#[derive(askama::Template)]
#[template(path = "identities/account.html")]
struct One<'a> {
    t: Texts,
    visit: &'a Visit,
    it: &'a OfficialAccount,
    templates: &'a [AccountTemplate],
    names: &'a Names,
    may_change: bool,
    filled: &'a Filled,
}

impl One<'_> {
    /// Whether the visitor may see the page of a merchant.
    fn knows(&self, merchant: &MerchantId) -> bool {
        self.visit.caller.knows(&Scope::Merchant(merchant.clone()))
    }
}

async fn account(visit: &Visit, app_id: &str) -> Result<OfficialAccount, crate::visit::Shown> {
    visit.api.get(&at!("/v1/official-accounts/{}", app_id)).await.or_show(visit)
}

async fn one(visit: Visit, Path(app_id): Path<String>) -> Answer {
    show(&visit, &app_id, &Filled::default()).await
}

async fn show(visit: &Visit, app_id: &str, filled: &Filled) -> Answer {
    let it = account(visit, app_id).await?;
    let templates: Vec<AccountTemplate> =
        visit.api.list(&at!("/v1/official-accounts/{}/templates", app_id)).await.or_show(visit)?;
    let names = Names::of(&visit.api, [it.created_by.as_str()]).await;
    let may_change = may_change(visit, it.merchant.as_ref());
    let page = One { t: visit.t, visit, it: &it, templates: &templates, names: &names, may_change, filled };
    visit.page(head(visit, &it.name, None), &page)
}

async fn edit(visit: Visit, Path(app_id): Path<String>, sent: Sent) -> Answer {
    let edit = json!({"name": sent.get("name"), "secret": sent.typed("secret")});
    let edited = visit.api.act(Method::PATCH, &at!("/v1/official-accounts/{}", app_id), &edit).await;
    settled(&visit, &app_id, edited, sent, visit.t.edited()).await
}

/// The page of an account after one of its forms.
async fn settled(visit: &Visit, app_id: &str, result: Result<(), Refused>, sent: Sent, said: &str) -> Answer {
    match result {
        Ok(()) => done(&at!("/ui/official-accounts/{}", app_id), said),
        Err(refused) => show(visit, app_id, &sent.again(visit, refused)?).await,
    }
}

async fn confirm_state(visit: Visit, Path(app_id): Path<String>) -> Answer {
    show_state(&visit, &app_id, &Filled::default()).await
}

async fn show_state(visit: &Visit, app_id: &str, filled: &Filled) -> Answer {
    let it = account(visit, app_id).await?;
    let t = visit.t;
    let (act, effect, state) = match it.state {
        OfficialAccountState::Active => (t.oa_retire(), t.oa_retire_effect(), OfficialAccountState::Retired),
        OfficialAccountState::Retired => (t.oa_use(), t.oa_use_effect(), OfficialAccountState::Active),
    };
    let confirm = Confirm {
        act: act.into(),
        effects: vec![effect.into()],
        is_dangerous: state == OfficialAccountState::Retired,
        hidden: vec![("state".into(), state.to_string())],
        command: format!("berth official-account edit {app_id} --state {state}"),
        back: at!("/ui/official-accounts/{}", app_id),
        ..Confirm::default()
    };
    confirm.show(visit, head(visit, act, Some(&it)), filled)
}

async fn set_state(visit: Visit, Path(app_id): Path<String>, sent: Sent) -> Answer {
    let edit = json!({"state": sent.get("state")});
    match visit.api.act(Method::PATCH, &at!("/v1/official-accounts/{}", app_id), &edit).await {
        Ok(()) => done(&at!("/ui/official-accounts/{}", app_id), visit.t.edited()),
        Err(refused) => show_state(&visit, &app_id, &sent.again(&visit, refused)?).await,
    }
}

async fn confirm_remove(visit: Visit, Path(app_id): Path<String>) -> Answer {
    show_remove(&visit, &app_id, &Filled::default()).await
}

async fn show_remove(visit: &Visit, app_id: &str, filled: &Filled) -> Answer {
    let it = account(visit, app_id).await?;
    let t = visit.t;
    let confirm = Confirm {
        act: t.oa_remove().into(),
        effects: vec![t.oa_remove_effect().into()],
        cautions: it.is_active().then(|| t.oa_remove_caution().into()).into_iter().collect(),
        is_dangerous: true,
        typed: Some(app_id.to_owned()),
        command: format!("berth official-account remove {app_id}"),
        back: at!("/ui/official-accounts/{}", app_id),
        ..Confirm::default()
    };
    confirm.show(visit, head(visit, t.oa_remove(), Some(&it)), filled)
}

async fn remove(visit: Visit, Path(app_id): Path<String>, sent: Sent) -> Answer {
    let removed = if sent.get("typed") == app_id {
        visit.api.just(Method::DELETE, &at!("/v1/official-accounts/{}", app_id)).await
    } else {
        Err(invalid(visit.t, "typed", &visit.t.type_to_confirm(&app_id)))
    };
    match removed {
        Ok(()) => done(PLACE, visit.t.oa_removed()),
        Err(refused) => show_remove(&visit, &app_id, &sent.again(&visit, refused)?).await,
    }
}

async fn set_template(visit: Visit, Path(app_id): Path<String>, sent: Sent) -> Answer {
    let set = match sent.get("template") {
        "" => Err(invalid(visit.t, "template", visit.t.must_be_filled())),
        name => {
            let path = at!("/v1/official-accounts/{}/templates/{}", app_id, name);
            let put = PutAccountTemplate { template_id: sent.get("template_id").into() };
            visit.api.act(Method::PUT, &path, &put).await
        }
    };
    settled(&visit, &app_id, set, sent, visit.t.oa_template_set()).await
}

async fn confirm_remove_template(visit: Visit, Path((app_id, name)): Path<(String, String)>) -> Answer {
    show_remove_template(&visit, &app_id, &name, &Filled::default()).await
}

async fn show_remove_template(visit: &Visit, app_id: &str, name: &str, filled: &Filled) -> Answer {
    let it = account(visit, app_id).await?;
    let t = visit.t;
    let confirm = Confirm {
        act: t.oa_template_remove().into(),
        effects: vec![t.oa_template_remove_effect(name, &it.name)],
        command: format!("berth official-account remove-template {app_id} {name}"),
        back: at!("/ui/official-accounts/{}", app_id),
        ..Confirm::default()
    };
    confirm.show(visit, head(visit, t.oa_template_remove(), Some(&it)), filled)
}

async fn remove_template(visit: Visit, Path((app_id, name)): Path<(String, String)>, sent: Sent) -> Answer {
    let path = at!("/v1/official-accounts/{}/templates/{}", app_id, name);
    match visit.api.just(Method::DELETE, &path).await {
        Ok(()) => done(&at!("/ui/official-accounts/{}", app_id), visit.t.oa_template_removed()),
        Err(refused) => show_remove_template(&visit, &app_id, &name, &sent.again(&visit, refused)?).await,
    }
}
