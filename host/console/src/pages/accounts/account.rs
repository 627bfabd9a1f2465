//! One account: the ways in which its person signs in, and what admins of the platform may take away of them.

use axum::{Router, extract::Path, http::Method, routing::get};
use berth_model::access::{AccountWithWays, Action, Scope, SignInProvider};

use super::PLACE;
use crate::{
    Console,
    act::{Confirm, Sent, Tick},
    frame::{Head, done},
    pages::sign_in::provider::provider,
    parts::Filled,
    path::{at, with_query},
    show::quoted,
    texts::Texts,
    visit::{Answer, OrShow, Visit},
};

pub fn routes() -> Router<Console> {
    Router::new()
        .route("/ui/accounts/{id}", get(show))
        .route("/ui/accounts/{id}/second-factor", get(confirm_second_factor).post(remove_second_factor))
        .route("/ui/accounts/{id}/disable", get(confirm_disable).post(disable))
        .route("/ui/accounts/{id}/enable", get(confirm_enable).post(enable))
        .route("/ui/accounts/{id}/provider-link", get(confirm_unlink).post(unlink))
}

/// How somebody signs in to an account, in a few words.
pub fn ways(t: Texts, account: &AccountWithWays) -> String {
    let ways = [
        account.sign_in_name.is_some().then_some(t.password()),
        account.second_factor.is_some().then_some(t.second_factor()),
        account.provider_link.is_some().then_some(t.provider_link()),
    ];
    let ways: Vec<_> = ways.into_iter().flatten().collect();
    if ways.is_empty() { t.ways_none().into() } else { ways.join(t.ways_between()) }
}

fn address(id: &str) -> String {
    at!("/ui/accounts/{}", id)
}

async fn found(visit: &Visit, id: &str) -> Result<AccountWithWays, crate::visit::Shown> {
    visit.api.get(&at!("/v1/accounts/{}", id)).await.or_show(visit)
}

/// The way back to the list, and to the account.
fn above(visit: &Visit, account: Option<&AccountWithWays>) -> Vec<(String, String)> {
    let list = (visit.t.accounts().to_owned(), PLACE.to_owned());
    let one = account.map(|one| (one.account.name.clone(), address(one.account.id.as_str())));
    std::iter::once(list).chain(one).collect()
}

#[derive(askama::Template)]
#[template(path = "people/account.html")]
struct Page<'a> {
    t: Texts,
    visit: &'a Visit,
    one: &'a AccountWithWays,
    provider: Option<SignInProvider>,
    /// Whether the visitor may take ways in away from somebody else.
    may_take: bool,
    may_administer: bool,
    reads_acts: bool,
}

async fn show(visit: Visit, Path(id): Path<String>) -> Answer {
    let one = found(&visit, &id).await?;
    let page = Page {
        t: visit.t,
        visit: &visit,
        one: &one,
        provider: provider(&visit.api).await,
        may_take: visit.can(Action::Administer, &Scope::Platform) && one.account.id != visit.me.account.id,
        may_administer: visit.can(Action::Administer, &Scope::Platform),
        reads_acts: visit.can(Action::ReadActs, &Scope::Platform),
    };
    visit.page(Head { title: &one.account.name, above: above(&visit, None), place: PLACE, ..Head::default() }, &page)
}

/// Says what it means to remove the second factor of an account.
async fn confirm_second_factor(visit: Visit, Path(id): Path<String>) -> Answer {
    show_second_factor(&visit, &id, &Filled::default()).await
}

async fn show_second_factor(visit: &Visit, id: &str, filled: &Filled) -> Answer {
    let (t, one) = (visit.t, found(visit, id).await?);
    let confirm = Confirm {
        act: t.second_factor_turn_off().into(),
        effects: vec![t.account_whose(&one.account.name, id), t.second_factor_remove_effect().into()],
        is_dangerous: true,
        command: format!("berth account remove-second-factor {}", quoted(id)),
        back: address(id),
        ..Confirm::default()
    };
    let above = above(visit, Some(&one));
    let title = t.second_factor_remove_of(&one.account.name);
    confirm.show(visit, Head { title: &title, above, place: PLACE, ..Head::default() }, filled)
}

async fn remove_second_factor(visit: Visit, Path(id): Path<String>, sent: Sent) -> Answer {
    match visit.api.just(Method::DELETE, &at!("/v1/accounts/{}/second-factor", id)).await {
        Ok(()) => done(&address(&id), visit.t.second_factor_removed()),
        Err(refused) => show_second_factor(&visit, &id, &sent.again(&visit, refused)?).await,
    }
}

/// Says what it means to take the link of an account away.
async fn confirm_unlink(visit: Visit, Path(id): Path<String>) -> Answer {
    show_unlink(&visit, &id, &Filled::default()).await
}

async fn show_unlink(visit: &Visit, id: &str, filled: &Filled) -> Answer {
    let (t, one) = (visit.t, found(visit, id).await?);
    let is_last = one.sign_in_name.is_none();
    let all_the_same =
        || Tick { name: "even_last", label: t.unlink_even_last().into(), hint: t.unlink_even_last_hint().into() };
    let confirm = Confirm {
        act: t.provider_unlink().into(),
        effects: vec![t.account_whose(&one.account.name, id), t.unlink_effect().into()],
        cautions: if is_last { vec![t.unlink_last().into()] } else { Vec::new() },
        is_dangerous: true,
        ticks: if is_last { vec![all_the_same()] } else { Vec::new() },
        command: format!("berth account unlink {}{}", quoted(id), if is_last { " --even-last" } else { "" }),
        back: address(id),
        ..Confirm::default()
    };
    let above = above(visit, Some(&one));
    confirm.show(visit, Head { title: t.unlink_of(), above, place: PLACE, ..Head::default() }, filled)
}

async fn unlink(visit: Visit, Path(id): Path<String>, sent: Sent) -> Answer {
    let even_last = sent.is_on("even_last").then_some("true");
    let path = with_query(&at!("/v1/accounts/{}/provider-link", id), [("even_last", even_last)]);
    match visit.api.just(Method::DELETE, &path).await {
        Ok(()) => done(&address(&id), visit.t.provider_unlinked()),
        Err(refused) => show_unlink(&visit, &id, &sent.again(&visit, refused)?).await,
    }
}

/// Says what it means to disable an account.
async fn confirm_disable(visit: Visit, Path(id): Path<String>) -> Answer {
    show_use(&visit, &id, Use::Disable, &Filled::default()).await
}

async fn disable(visit: Visit, Path(id): Path<String>, sent: Sent) -> Answer {
    set_use(&visit, &id, Use::Disable, sent).await
}

/// Says what it means to let an account be used again.
async fn confirm_enable(visit: Visit, Path(id): Path<String>) -> Answer {
    show_use(&visit, &id, Use::Enable, &Filled::default()).await
}

async fn enable(visit: Visit, Path(id): Path<String>, sent: Sent) -> Answer {
    set_use(&visit, &id, Use::Enable, sent).await
}

/// Whether an account may be used.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Use {
    Disable,
    Enable,
}

impl Use {
    /// How the API and the command call it.
    fn as_str(self) -> &'static str {
        match self {
            Self::Disable => "disable",
            Self::Enable => "enable",
        }
    }
}

async fn show_use(visit: &Visit, id: &str, how: Use, filled: &Filled) -> Answer {
    let (t, one) = (visit.t, found(visit, id).await?);
    let (act, effect, title) = match how {
        Use::Disable => (t.disable(), t.disable_effect(), t.disable_of(&one.account.name)),
        Use::Enable => (t.enable(), t.enable_effect(), t.enable_of(&one.account.name)),
    };
    let confirm = Confirm {
        act: act.into(),
        effects: vec![t.account_whose(&one.account.name, id), effect.into()],
        is_dangerous: how == Use::Disable,
        command: format!("berth account {} {}", how.as_str(), quoted(id)),
        back: address(id),
        ..Confirm::default()
    };
    let above = above(visit, Some(&one));
    confirm.show(visit, Head { title: &title, above, place: PLACE, ..Head::default() }, filled)
}

async fn set_use(visit: &Visit, id: &str, how: Use, sent: Sent) -> Answer {
    match visit.api.just(Method::POST, &at!("/v1/accounts/{}/{}", id, how.as_str())).await {
        Ok(()) => done(&address(id), visit.t.edited()),
        Err(refused) => show_use(visit, id, how, &sent.again(visit, refused)?).await,
    }
}
