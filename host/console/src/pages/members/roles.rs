//! Roles as every place has them: who has which, giving one, and taking it.

use axum::http::Method;
use berth_model::access::{Action, Member, Role, Scope, SetRole};

use crate::{
    act::{Confirm, Sent},
    frame::Head,
    parts::Filled,
    path::at,
    refused::Refused,
    texts::Texts,
    visit::{Answer, OrShow, Shown, Visit},
};

/// A place in which accounts have roles.
pub struct Place {
    pub scope: Scope,
    /// Where the API lists them.
    pub list: String,
    /// Where the console does.
    pub here: String,
    /// What an account loses with its role.
    pub loss: fn(Texts, &str) -> String,
    /// What a role does, where its name does not say it.
    pub does: Option<fn(Texts, &Role) -> &'static str>,
}

/// The table of roles, and the form that gives one.
#[derive(askama::Template)]
#[template(path = "people/roles.html")]
pub struct Roles<'a> {
    t: Texts,
    place: &'a Place,
    members: Vec<Member>,
    may_manage: bool,
    filled: &'a Filled,
}

impl Roles<'_> {
    fn does(&self, role: &Role) -> &'static str {
        self.place.does.map_or("", |does| does(self.t, role))
    }

    fn roles(&self) -> &'static [Role] {
        self.place.scope.kind().roles()
    }

    fn is_chosen(&self, role: &Role) -> bool {
        self.filled.get("role") == role.as_str()
    }
}

impl Place {
    /// The accounts that have a role here.
    pub async fn members(&self, visit: &Visit) -> Result<Vec<Member>, Shown> {
        visit.api.list(&self.list).await.or_show(visit)
    }

    pub async fn roles<'a>(&'a self, visit: &Visit, filled: &'a Filled) -> Result<Roles<'a>, Shown> {
        let may_manage = visit.can(Action::ManageMembers, &self.scope);
        Ok(Roles { t: visit.t, place: self, members: self.members(visit).await?, may_manage, filled })
    }

    fn address(&self, account: &str) -> String {
        self.list.clone() + &at!("/{}", account)
    }

    /// How commands name the place.
    fn in_command(&self) -> String {
        match &self.scope {
            Scope::Platform => "--platform".into(),
            Scope::Team(id) => id.to_string(),
            Scope::HostApp(id) => format!("--host-app {id}"),
            Scope::Merchant(id) => format!("--merchant {id}"),
            Scope::Workspace(id) => format!("--workspace {id}"),
        }
    }

    /// The command that gives a role.
    pub fn command(&self) -> String {
        format!("berth team grant {} ACCOUNT ROLE", self.in_command())
    }

    /// Gives the role that a form names.
    pub async fn give(&self, visit: &Visit, sent: &Sent) -> Result<(), Refused> {
        let role = sent.read("role")?;
        visit.api.act(Method::PUT, &self.address(sent.get("account")), &SetRole { role }).await
    }

    pub async fn take(&self, visit: &Visit, account: &str) -> Result<(), Refused> {
        visit.api.just(Method::DELETE, &self.address(account)).await
    }

    /// Says what taking a role does, below these pages.
    pub async fn show_take(
        &self,
        visit: &Visit,
        above: Vec<(String, String)>,
        menu: &str,
        account: &str,
        filled: &Filled,
    ) -> Answer {
        let members = self.members(visit).await?;
        let found = members.iter().find(|member| member.account.as_str() == account);
        let name = found.map_or(account, |member| &member.name);
        let confirm = Confirm {
            act: visit.t.remove().into(),
            effects: vec![(self.loss)(visit.t, name)],
            is_dangerous: true,
            command: format!("berth team revoke {} {account}", self.in_command()),
            back: self.here.clone(),
            ..Confirm::default()
        };
        let title = format!("{} · {name}", visit.t.remove());
        confirm.show(visit, Head { title: &title, above, place: menu, live: None }, filled)
    }
}
