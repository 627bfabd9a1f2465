//! How a merchant reaches its members: the official accounts that serve it, the pages to which entry links lead, and its move
//! from one account to another.

use axum::{
    Router,
    extract::{Path, Query},
    http::Method,
    routing::{get, post},
};
use berth_base::page::Page as ListPage;
use berth_model::{
    access::Action,
    endpoint::Merchant,
    official_account::{EntryPage, MoveOfficialAccount, MoveReport, OfficialAccount, PutEntryPage},
};
use serde::Deserialize;

use super::super::{
    merchants::{head, merchant, scope, tabs},
    mini_apps::Tab,
};
use crate::{
    Console,
    act::{Confirm, Sent},
    frame::{Head, done},
    parts::{Filled, Names, Shown},
    path::{at, with_query},
    refused::{Refused, invalid, read},
    show::quoted,
    texts::Texts,
    visit::{Answer, OrShow, Visit},
};

pub fn routes() -> Router<Console> {
    Router::new()
        .route("/ui/merchants/{id}/official-accounts", get(show))
        .route("/ui/merchants/{id}/official-accounts/move", get(confirm_move).post(move_to))
        .route("/ui/merchants/{id}/official-accounts/moved", get(moved))
        .route("/ui/merchants/{id}/official-accounts/entry-pages", post(set_page))
        .route("/ui/merchants/{id}/entry-pages/{page}/remove", get(confirm_remove_page).post(remove_page))
}

/// The address of the page of a merchant.
fn here(id: &str) -> String {
    at!("/ui/merchants/{}/official-accounts", id)
}

/// The head of a page below the one of a merchant.
pub fn below<'a>(visit: &Visit, title: &'a str, merchant: &Merchant) -> Head<'a> {
    let mut head = head(visit, title, Some(merchant));
    head.above.push((visit.t.official_accounts().to_owned(), here(merchant.id.as_str())));
    head
}

#[derive(askama::Template)]
#[template(path = "identities/reach.html")]
struct Page<'a> {
    t: Texts,
    visit: &'a Visit,
    merchant: &'a Merchant,
    tabs: Vec<Tab>,
    accounts: Vec<OfficialAccount>,
    pages: Vec<EntryPage>,
    report: Option<MoveReport>,
    names: &'a Names,
    may_operate: bool,
    may_configure: bool,
    filled: &'a Filled,
}

impl Page<'_> {
    /// The accounts by which visitors come in.
    fn active(&self) -> Vec<&OfficialAccount> {
        self.accounts.iter().filter(|account| account.is_active()).collect()
    }

    /// The link by which visitors come to a page.
    fn link(&self, account: &OfficialAccount, page: &EntryPage) -> String {
        self.visit.origin.clone() + &at!("/w/{}/{}/{}", account.app_id, self.merchant.id, page.name)
    }
}

async fn show(visit: Visit, Path(id): Path<String>) -> Answer {
    show_with(&visit, &id, &Filled::default()).await
}

async fn accounts(visit: &Visit, id: &str) -> Result<Vec<OfficialAccount>, crate::visit::Shown> {
    let members = [("merchant", Some(id)), ("limit", Some("200"))];
    let page: ListPage<OfficialAccount> =
        visit.api.page(&with_query("/v1/official-accounts", members)).await.or_show(visit)?;
    Ok(page.items)
}

async fn show_with(visit: &Visit, id: &str, filled: &Filled) -> Answer {
    let merchant = merchant(visit, id).await?;
    let pages: Vec<EntryPage> = visit.api.list(&at!("/v1/merchants/{}/entry-pages", id)).await.or_show(visit)?;
    let report: Option<MoveReport> =
        visit.api.find(&at!("/v1/merchants/{}/official-accounts/move?limit=1", id)).await.or_show(visit)?;
    let people = pages.iter().map(|page| page.changed_by.as_str());
    let people = people.chain(report.as_ref().map(|report| report.account_move.moved_by.as_str()));
    let names = Names::of(&visit.api, people).await;
    let page = Page {
        t: visit.t,
        visit,
        tabs: tabs(visit.t, id, "/official-accounts"),
        accounts: accounts(visit, id).await?,
        report,
        names: &names,
        may_operate: visit.can(Action::Operate, &scope(&merchant)),
        may_configure: visit.can(Action::Configure, &scope(&merchant)),
        pages,
        merchant: &merchant,
        filled,
    };
    visit.page(head(visit, visit.t.official_accounts(), Some(&merchant)), &page)
}

async fn set_page(visit: Visit, Path(id): Path<String>, sent: Sent) -> Answer {
    let set = match sent.get("page") {
        "" => Err(invalid(visit.t, "page", visit.t.must_be_filled())),
        name => {
            let put = PutEntryPage { url: sent.get("url").into() };
            visit.api.act(Method::PUT, &at!("/v1/merchants/{}/entry-pages/{}", id, name), &put).await
        }
    };
    match set {
        Ok(()) => done(&here(&id), visit.t.entry_page_set()),
        Err(refused) => show_with(&visit, &id, &sent.again(&visit, refused)?).await,
    }
}

async fn confirm_remove_page(visit: Visit, Path((id, page)): Path<(String, String)>) -> Answer {
    show_remove_page(&visit, &id, &page, &Filled::default()).await
}

async fn show_remove_page(visit: &Visit, id: &str, page: &str, filled: &Filled) -> Answer {
    let merchant = merchant(visit, id).await?;
    let t = visit.t;
    let confirm = Confirm {
        act: t.entry_page_remove().into(),
        effects: vec![t.entry_page_remove_effect(page)],
        is_dangerous: true,
        command: format!("berth official-account remove-page {id} {}", quoted(page)),
        back: here(id),
        ..Confirm::default()
    };
    confirm.show(visit, below(visit, t.entry_page_remove(), &merchant), filled)
}

async fn remove_page(visit: Visit, Path((id, page)): Path<(String, String)>, sent: Sent) -> Answer {
    match visit.api.just(Method::DELETE, &at!("/v1/merchants/{}/entry-pages/{}", id, page)).await {
        Ok(()) => done(&here(&id), visit.t.entry_page_removed()),
        Err(refused) => show_remove_page(&visit, &id, &page, &sent.again(&visit, refused)?).await,
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct MoveQuery {
    from: String,
    to: String,
}

async fn confirm_move(visit: Visit, Path(id): Path<String>, Query(MoveQuery { from, to }): Query<MoveQuery>) -> Answer {
    show_move(&visit, &id, (from, to), &Filled::default()).await
}

/// Says what a move does before it is done: which accounts was chosen on the page before.
async fn show_move(visit: &Visit, id: &str, (from, to): (String, String), filled: &Filled) -> Answer {
    let merchant = merchant(visit, id).await?;
    let t = visit.t;
    let accounts = accounts(visit, id).await?;
    let name = |app_id: &str| {
        let found = accounts.iter().find(|account| account.app_id.as_str() == app_id);
        found.map_or_else(|| app_id.to_owned(), |account| account.name.clone())
    };
    let confirm = Confirm {
        act: t.oa_move().into(),
        effects: vec![t.oa_move_effect(name(&from), name(&to)), t.oa_move_keeps().into()],
        command: format!("berth official-account move {id} --from {} --to {}", quoted(&from), quoted(&to)),
        hidden: vec![("from".into(), from), ("to".into(), to)],
        back: here(id),
        ..Confirm::default()
    };
    confirm.show(visit, below(visit, t.oa_move(), &merchant), filled)
}

async fn move_to(visit: Visit, Path(id): Path<String>, sent: Sent) -> Answer {
    match moved_to(&visit, &id, &sent).await {
        Ok(()) => done(&here(&id), visit.t.oa_moved()),
        Err(refused) => {
            let chosen = (sent.get("from").to_owned(), sent.get("to").to_owned());
            show_move(&visit, &id, chosen, &sent.again(&visit, refused)?).await
        }
    }
}

async fn moved_to(visit: &Visit, id: &str, sent: &Sent) -> Result<(), Refused> {
    let chosen = MoveOfficialAccount { from: read("from", sent.get("from"))?, to: read("to", sent.get("to"))? };
    visit.api.act(Method::POST, &at!("/v1/merchants/{}/official-accounts/move", id), &chosen).await
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct MovedQuery {
    came_along: String,
    cursor: String,
}

#[derive(askama::Template)]
#[template(path = "identities/moved.html")]
struct Moved<'a> {
    t: Texts,
    visit: &'a Visit,
    merchant: &'a Merchant,
    report: &'a MoveReport,
    query: &'a MovedQuery,
    next: Option<String>,
}

/// Who has come along with a move, and who has not.
async fn moved(visit: Visit, Path(id): Path<String>, Query(query): Query<MovedQuery>) -> Answer {
    let merchant = merchant(&visit, &id).await?;
    let members = [("came_along", Some(query.came_along.as_str())), ("cursor", Some(query.cursor.as_str()))];
    let path = with_query(&at!("/v1/merchants/{}/official-accounts/move", id), members);
    let report: MoveReport = visit.api.get(&path).await.or_show(&visit)?;
    let next = report.next.as_deref().map(|next| {
        let members = [("came_along", Some(query.came_along.as_str())), ("cursor", Some(next))];
        with_query(&format!("{}/moved", here(&id)), members)
    });
    let page = Moved { t: visit.t, visit: &visit, merchant: &merchant, report: &report, query: &query, next };
    visit.page(below(&visit, visit.t.oa_moved_who(), &merchant), &page)
}
