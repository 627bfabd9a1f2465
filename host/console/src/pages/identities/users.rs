//! What one user of a host app has agreed to, and ending it when the user asks: in the name of the host app's server.
//! Accounts of users stand in no address.

use axum::{
    Router,
    extract::Path,
    http::Method,
    routing::{get, post},
};
use berth_model::{
    host_app::HostApp,
    identity::{LinkUser, UserLink},
    login_entry::{NamedLoginBinding, UserLoginBinding},
    message::{Subscription, Withdraw},
    oidc::{EndSignOns, SignOnsEnded},
};

use super::super::host_apps::{head, host_app};
use crate::{
    Console,
    act::{Confirm, Sent},
    parts::{Badge, Filled, Tone},
    path::{at, with_query},
    refused::Refused,
    show::quoted,
    texts::Texts,
    visit::{Answer, OrShow, Visit},
};

pub fn routes() -> Router<Console> {
    Router::new()
        .route("/ui/host-apps/{id}/logins", get(form).post(look))
        .route("/ui/host-apps/{id}/logins/end-link", post(end_link))
        .route("/ui/host-apps/{id}/logins/end-login", post(end_login))
        .route("/ui/host-apps/{id}/logins/withdraw", post(withdraw))
        .route("/ui/host-apps/{id}/logins/end-sign-ons", post(end_sign_ons))
}

/// Who is asked about. It goes from page to page by forms.
#[derive(Default)]
struct Who {
    account: String,
    mini_app: String,
}

impl Who {
    fn of(sent: &Sent) -> Self {
        Self { account: sent.get("account").into(), mini_app: sent.get("mini_app").into() }
    }
}

/// What a user has agreed to.
#[derive(Default)]
struct Held {
    links: Vec<UserLink>,
    logins: Vec<UserLoginBinding>,
    subscriptions: Vec<Subscription>,
}

#[derive(askama::Template)]
#[template(path = "identities/user.html")]
struct Page<'a> {
    t: Texts,
    visit: &'a Visit,
    host: &'a HostApp,
    who: &'a Who,
    held: &'a Held,
    command: String,
    filled: &'a Filled,
}

impl Page<'_> {
    /// Whether something holds still.
    fn holds(&self, holds: bool) -> Badge {
        match holds {
            true => Badge { tone: Tone::Ok, mark: "●", word: self.t.user_holds() },
            false => Badge { tone: Tone::Neutral, mark: "–", word: self.t.user_holds_not() },
        }
    }
}

async fn held(visit: &Visit, host: &str, who: &Who) -> Result<Held, Refused> {
    if who.account.is_empty() {
        return Ok(Held::default());
    }
    let account = [("account", Some(who.account.as_str()))];
    let of = |what: &str| with_query(&(at!("/v1/host-apps/{}/", host) + what), account);
    let mut held = Held {
        links: visit.api.list(&of("links")).await?,
        logins: visit.api.list(&of("login-bindings")).await?,
        subscriptions: Vec::new(),
    };
    if !who.mini_app.is_empty() {
        let members = account.into_iter().chain([("mini_app", Some(who.mini_app.as_str()))]);
        held.subscriptions = visit.api.list(&with_query(&at!("/v1/host-apps/{}/subscriptions", host), members)).await?;
    }
    Ok(held)
}

async fn form(visit: Visit, Path(id): Path<String>) -> Answer {
    show(visit, &id, Who::default()).await
}

async fn look(visit: Visit, Path(id): Path<String>, sent: Sent) -> Answer {
    show(visit, &id, Who::of(&sent)).await
}

/// The page of the user after an act, which says what was done.
async fn after(visit: Visit, id: &str, sent: &Sent, said: &str) -> Answer {
    show(Visit { said: Some(said.into()), ..visit }, id, Who::of(sent)).await
}

async fn show(visit: Visit, id: &str, who: Who) -> Answer {
    // Whoever changes the language comes back to the form: there is no page where an act was done.
    let visit = Visit { address: at!("/ui/host-apps/{}/logins", id), ..visit };
    let host = host_app(&visit, id).await?;
    let asked = vec![("account".to_owned(), who.account.clone()), ("mini_app".to_owned(), who.mini_app.clone())];
    let (held, filled) = match held(&visit, id, &who).await {
        Ok(held) => (held, Filled::with(asked)),
        Err(refused) => (Held::default(), Filled::with(asked).refused(refused).or_show(&visit)?),
    };
    let account = if who.account.is_empty() { "ACCOUNT".into() } else { quoted(&who.account) };
    let command = format!("berth user links {id} --account {account}\nberth user logins {id} --account {account}");
    let page = Page { t: visit.t, visit: &visit, host: &host, who: &who, held: &held, command, filled: &filled };
    visit.page(head(&visit, visit.t.users(), &host), &page)
}

/// An act on what a user has agreed to: what it is called, what it does, and the command for it. Its account stands in no
/// address, so the page that tells what will happen is the answer to a form.
struct Ending {
    act: &'static str,
    effect: String,
    command: String,
}

async fn told(visit: &Visit, id: &str, sent: Sent, ending: Ending) -> Answer {
    let host = host_app(visit, id).await?;
    let back = at!("/ui/host-apps/{}/logins", id);
    let Ending { act, effect, command } = ending;
    let confirm = Confirm {
        act: act.into(),
        effects: vec![visit.t.user_whose(sent.get("account"), &host.name), effect],
        is_dangerous: true,
        hidden: sent.into_hidden(),
        command,
        back: back.clone(),
        ..Confirm::default()
    };
    let mut head = head(visit, act, &host);
    head.above.push((visit.t.users().to_owned(), back));
    confirm.show(visit, head, &Filled::default())
}

async fn end_link(visit: Visit, Path(id): Path<String>, sent: Sent) -> Answer {
    if !sent.is_sure() {
        let (app, partner) = (sent.get("of"), sent.get("partner"));
        let through = sent.some("through").map(|through| format!(" --through {through}")).unwrap_or_default();
        let account = quoted(sent.get("account"));
        let command = format!("berth user unlink {id} {app} --partner {partner} --account {account}{through}");
        let effect = visit.t.user_link_effect(partner, app);
        return told(&visit, &id, sent, Ending { act: visit.t.user_end_link(), effect, command }).await;
    }
    end_link_of(&visit, &id, &sent).await.or_show(&visit)?;
    let said = visit.t.user_link_ended();
    after(visit, &id, &sent, said).await
}

async fn end_link_of(visit: &Visit, id: &str, sent: &Sent) -> Result<(), Refused> {
    let link = LinkUser {
        account: sent.get("account").into(),
        mini_app: sent.read("of")?,
        partner: sent.read("partner")?,
        through: sent.read_some("through")?,
    };
    visit.api.act(Method::POST, &at!("/v1/host-apps/{}/links/end", id), &link).await
}

async fn end_login(visit: Visit, Path(id): Path<String>, sent: Sent) -> Answer {
    if !sent.is_sure() {
        let (app, entry) = (sent.get("of"), sent.get("entry"));
        let account = quoted(sent.get("account"));
        let command = format!("berth user unbind {id} {app} {entry} --account {account}");
        let effect = visit.t.user_login_effect(app, entry);
        return told(&visit, &id, sent, Ending { act: visit.t.user_end_login(), effect, command }).await;
    }
    end_login_of(&visit, &id, &sent).await.or_show(&visit)?;
    let said = visit.t.user_login_ended();
    after(visit, &id, &sent, said).await
}

async fn end_login_of(visit: &Visit, id: &str, sent: &Sent) -> Result<(), Refused> {
    let (mini_app, entry) = (sent.read("of")?, sent.read("entry")?);
    let named = NamedLoginBinding { account: sent.get("account").into(), mini_app, entry };
    visit.api.act(Method::POST, &at!("/v1/host-apps/{}/login-bindings/end", id), &named).await
}

async fn withdraw(visit: Visit, Path(id): Path<String>, sent: Sent) -> Answer {
    if !sent.is_sure() {
        let (app, template) = (sent.get("mini_app"), sent.get("template"));
        let account = quoted(sent.get("account"));
        let command = format!("berth message withdraw {id} {app} --account {account} --template {template}");
        let effect = visit.t.user_withdraw_effect(app);
        return told(&visit, &id, sent, Ending { act: visit.t.user_withdraw_consent(), effect, command }).await;
    }
    withdraw_of(&visit, &id, &sent).await.or_show(&visit)?;
    let said = visit.t.user_withdrawn();
    after(visit, &id, &sent, said).await
}

async fn withdraw_of(visit: &Visit, id: &str, sent: &Sent) -> Result<(), Refused> {
    let (mini_app, template) = (sent.read("mini_app")?, Some(sent.read("template")?));
    let withdraw = Withdraw { mini_app, account: sent.get("account").into(), template };
    visit.api.act(Method::POST, &at!("/v1/host-apps/{}/subscriptions/withdraw", id), &withdraw).await
}

async fn end_sign_ons(visit: Visit, Path(id): Path<String>, sent: Sent) -> Answer {
    if !sent.is_sure() {
        let command = format!("berth oidc end {id} --account {}", quoted(sent.get("account")));
        let effect = visit.t.user_sign_ons_effect().to_owned();
        return told(&visit, &id, sent, Ending { act: visit.t.user_end_sign_ons(), effect, command }).await;
    }
    let who = EndSignOns { account: sent.get("account").into() };
    let path = at!("/v1/host-apps/{}/sign-ons/end", id);
    let SignOnsEnded { ended } = visit.api.tell(Method::POST, &path, &who).await.or_show(&visit)?;
    let said = visit.t.user_sign_ons_ended(ended);
    after(visit, &id, &sent, &said).await
}
