//! Accounts, and invitations to people.

mod account;

use axum::{
    Router,
    extract::{Path, Query},
    http::Method,
    routing::{get, post},
};
use berth_base::page::Page as ListPage;
use berth_model::access::{
    AccountWithWays, Action, Invitation, IssuedInvitation, NewGrant, NewInvitation, Role, Scope, ScopeKind,
};

use crate::{
    Console,
    act::{Confirm, Sent},
    frame::{Head, done},
    parts::Filled,
    path::{Cursor, at, at_cursor},
    refused::{Refused, read},
    show::quoted,
    texts::Texts,
    visit::{Answer, OrShow, Visit},
};

/// The place of these pages in the menu.
const PLACE: &str = "/ui/accounts";

pub fn routes() -> Router<Console> {
    Router::new()
        .route(PLACE, get(list))
        .route("/ui/accounts/invitations", post(invite))
        .route("/ui/invitations/{id}/withdraw", get(confirm_withdraw).post(withdraw))
        .merge(account::routes())
}

/// A scope to choose.
pub struct Choice {
    pub value: String,
    pub name: String,
}

#[derive(askama::Template)]
#[template(path = "people/accounts.html")]
struct Page<'a> {
    t: Texts,
    visit: &'a Visit,
    accounts: Option<&'a ListPage<AccountWithWays>>,
    invitations: &'a [Invitation],
    scopes: Vec<Choice>,
    roles: Vec<Role>,
    issued: Option<&'a IssuedInvitation>,
    may_administer: bool,
    reads_acts: bool,
    filled: &'a Filled,
}

impl Page<'_> {
    fn ways(&self, account: &AccountWithWays) -> String {
        account::ways(self.t, account)
    }
}

async fn list(visit: Visit, Query(Cursor { cursor }): Query<Cursor>) -> Answer {
    show(&visit, &cursor, None, &Filled::default()).await
}

async fn show(visit: &Visit, cursor: &str, issued: Option<&IssuedInvitation>, filled: &Filled) -> Answer {
    let accounts: Option<ListPage<AccountWithWays>> = if visit.can(Action::Read, &Scope::Platform) {
        Some(visit.api.page(&at_cursor("/v1/accounts", cursor)).await.or_show(visit)?)
    } else {
        None
    };
    let invitations: Result<ListPage<Invitation>, Refused> = visit.api.page("/v1/invitations").await;
    let mut invitations = invitations.map(|page| page.items).unwrap_or_default();
    invitations.retain(|invitation| invitation.used_at.is_none());
    let scopes = scopes(visit, Action::ManageMembers).await;
    let kinds = scopes.iter().filter_map(|choice| choice.value.split('/').next()?.parse::<ScopeKind>().ok());
    let roles: std::collections::BTreeSet<_> = kinds.flat_map(ScopeKind::roles).map(|role| role.as_str()).collect();
    let roles = Role::ALL.iter().copied().filter(|role| roles.contains(role.as_str())).collect();
    let page = Page {
        t: visit.t,
        visit,
        accounts: accounts.as_ref(),
        invitations: &invitations,
        scopes,
        roles,
        issued,
        may_administer: visit.can(Action::Administer, &Scope::Platform),
        reads_acts: visit.can(Action::ReadActs, &Scope::Platform),
        filled,
    };
    visit.page(Head { title: visit.t.accounts(), place: PLACE, ..Head::default() }, &page)
}

/// The scopes in which the visitor may do something: the platform, the teams that they may know, and what they have roles in.
pub async fn scopes(visit: &Visit, action: Action) -> Vec<Choice> {
    let t = visit.t;
    let choice = |scope: &Scope, name: &str| Choice {
        value: format!("{}/{}", scope.kind().as_str(), scope.id()),
        name: format!("{} {name}", t.scope_name(scope.kind())),
    };
    let mut choices = Vec::new();
    if visit.can(action, &Scope::Platform) {
        choices.push(choice(&Scope::Platform, ""));
    }
    for team in visit.api.teams().await.unwrap_or_default() {
        let scope = Scope::Team(team.id);
        if visit.can(action, &scope) {
            choices.push(choice(&scope, &team.name));
        }
    }
    let others = visit.caller.grants.iter().map(|(scope, _)| scope);
    let others = others.filter(|scope| !matches!(scope, Scope::Team(_) | Scope::Platform));
    choices.extend(others.filter(|scope| visit.can(action, scope)).map(|scope| choice(scope, scope.id())));
    choices
}

async fn invite(visit: Visit, sent: Sent) -> Answer {
    match invited(&visit, &sent).await {
        Ok(issued) => show(&visit, "", Some(&issued), &Filled::default()).await,
        Err(refused) => show(&visit, "", None, &sent.again(&visit, refused)?).await,
    }
}

async fn invited(visit: &Visit, sent: &Sent) -> Result<IssuedInvitation, Refused> {
    let grant = match sent.get("scope").split_once('/') {
        None => None,
        Some((kind, id)) => Some(NewGrant {
            scope: read("scope", kind)?,
            id: Some(id.to_owned()).filter(|id| !id.is_empty()),
            role: sent.read("role")?,
        }),
    };
    let account = sent.read_some("account")?;
    let name = sent.some("name").filter(|_| account.is_none());
    let new = NewInvitation { account, name, grant, expires_in_hours: None };
    visit.api.tell(Method::POST, "/v1/invitations", &new).await
}

/// Says what it means to withdraw an invitation.
async fn confirm_withdraw(visit: Visit, Path(id): Path<String>) -> Answer {
    show_withdraw(&visit, &id, &Filled::default()).await
}

async fn show_withdraw(visit: &Visit, id: &str, filled: &Filled) -> Answer {
    let t = visit.t;
    let invitations: ListPage<Invitation> = visit.api.page("/v1/invitations").await.or_show(visit)?;
    let invitation = invitations.items.into_iter().find(|invitation| invitation.id.as_str() == id);
    let confirm = Confirm {
        act: t.withdraw_invitation().into(),
        effects: invitation.map(|it| t.withdraw_invitation_effect(it.name)).into_iter().collect(),
        is_dangerous: true,
        command: format!("berth invitation withdraw {}", quoted(id)),
        back: PLACE.into(),
        ..Confirm::default()
    };
    let above = vec![(t.accounts().to_owned(), PLACE.to_owned())];
    confirm.show(visit, Head { title: t.withdraw_the_invitation(), above, place: PLACE, ..Head::default() }, filled)
}

async fn withdraw(visit: Visit, Path(id): Path<String>, sent: Sent) -> Answer {
    match visit.api.just(Method::DELETE, &at!("/v1/invitations/{}", id)).await {
        Ok(()) => done(PLACE, visit.t.invitation_withdrawn()),
        Err(refused) => show_withdraw(&visit, &id, &sent.again(&visit, refused)?).await,
    }
}
