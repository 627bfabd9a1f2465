//! What is masked in logs before they are stored: for one MiniApp, and for all of the host.

use axum::{
    Router,
    extract::{Path, Query},
    http::Method,
    routing::get,
};
use berth_model::{
    access::{Action, Scope},
    log::{LogMasks, Mask, MaskRule, SetLogMasks},
    mini_app::MiniApp,
};
use serde::Deserialize;

use super::super::mini_apps::{self, Tab};
use crate::{
    Console,
    act::{Confirm, Sent},
    frame::{Head, done},
    parts::{Filled, Names},
    path::{at, with_query},
    refused::{Refused, not_found},
    show::quoted,
    texts::Texts,
    visit::{Answer, OrShow, Shown, Visit},
};

/// The address of what is masked in all logs.
const OF_ALL: &str = "/ui/log-masks";

pub fn routes() -> Router<Console> {
    Router::new()
        .route("/ui/mini-apps/{id}/logs/settings", get(of_mini_app).post(sent_for_mini_app))
        .route("/ui/mini-apps/{id}/logs/settings/take", get(confirm_take_of_mini_app).post(take_of_mini_app))
        .route(OF_ALL, get(of_all).post(sent_for_all))
        .route("/ui/log-masks/take", get(confirm_take_of_all).post(take_of_all))
}

/// A name in the language of the visitor.
type Named = fn(Texts) -> &'static str;

/// The kinds of rules, as a form names them and a person calls them.
const KINDS: [(&str, Named); 7] = [
    ("phone", Texts::mask_phone),
    ("id-card", Texts::mask_id_card),
    ("email", Texts::mask_email),
    ("bank-card", Texts::mask_bank_card),
    ("key", Texts::mask_key),
    ("pointer", Texts::mask_pointer),
    ("pattern", Texts::mask_pattern),
];

/// A rule as the command takes it: `phone`, `key=password`.
fn typed(rule: &MaskRule) -> String {
    match rule {
        MaskRule::Phone => "phone".into(),
        MaskRule::IdCard => "id-card".into(),
        MaskRule::Email => "email".into(),
        MaskRule::BankCard => "bank-card".into(),
        MaskRule::Key { name } => format!("key={name}"),
        MaskRule::Pointer { pointer } => format!("pointer={pointer}"),
        MaskRule::Pattern { pattern } => format!("pattern={pattern}"),
    }
}

/// What people call a rule that the command takes so.
fn called(t: Texts, typed: &str) -> String {
    let (kind, text) = typed.split_once('=').unwrap_or((typed, ""));
    let name = KINDS.iter().find(|(one, _)| *one == kind).map_or(kind, |(_, name)| name(t));
    if text.is_empty() { name.to_owned() } else { format!("{name}: {text}") }
}

/// The rule that a form describes.
fn rule(sent: &Sent) -> MaskRule {
    let text = || sent.get("text").to_owned();
    match sent.get("kind") {
        "id-card" => MaskRule::IdCard,
        "email" => MaskRule::Email,
        "bank-card" => MaskRule::BankCard,
        "key" => MaskRule::Key { name: text() },
        "pointer" => MaskRule::Pointer { pointer: text() },
        "pattern" => MaskRule::Pattern { pattern: text() },
        _ => MaskRule::Phone,
    }
}

/// For which logs rules hold: those of a MiniApp, or all.
struct Place {
    app: Option<MiniApp>,
}

impl Place {
    async fn mini_app(visit: &Visit, id: &str) -> Result<Self, Shown> {
        Ok(Self { app: Some(mini_apps::mini_app(visit, id).await?) })
    }

    fn here(&self) -> String {
        self.app.as_ref().map_or_else(|| OF_ALL.to_owned(), |app| at!("/ui/mini-apps/{}/logs/settings", app.id))
    }

    fn path(&self) -> String {
        self.app.as_ref().map_or_else(|| "/v1/log-masks".to_owned(), |app| at!("/v1/mini-apps/{}/log-masks", app.id))
    }

    fn scope(&self) -> Scope {
        self.app.as_ref().map_or(Scope::Platform, MiniApp::scope)
    }

    fn head<'a>(&self, visit: &Visit, title: &'a str) -> Head<'a> {
        match &self.app {
            Some(app) => {
                let mut head = mini_apps::head(visit, title, Some(app));
                head.above.push((visit.t.logs().to_owned(), at!("/ui/mini-apps/{}/logs", app.id)));
                head
            }
            None => Head { title, ..Head::default() },
        }
    }

    /// The command that sets these rules.
    fn command(&self, rules: &[MaskRule]) -> String {
        let app = self.app.as_ref().map(|app| format!(" --app {}", app.id)).unwrap_or_default();
        if rules.is_empty() {
            return format!("berth logs mask{app} --none");
        }
        rules
            .iter()
            .fold(format!("berth logs mask{app}"), |command, rule| format!("{command} --rule {}", quoted(&typed(rule))))
    }
}

#[derive(askama::Template)]
#[template(path = "logs/masks.html")]
struct Page<'a> {
    t: Texts,
    visit: &'a Visit,
    place: &'a Place,
    here: String,
    tabs: Vec<Tab>,
    masks: &'a LogMasks,
    /// What is masked in all logs besides, where the visitor may know.
    of_all: Option<LogMasks>,
    names: &'a Names,
    may_set: bool,
    /// What became of a text that was tried.
    tried: Option<String>,
    command: String,
    filled: &'a Filled,
}

impl Page<'_> {
    /// What is limited: in words, as a setting of the host, and unless it is set.
    fn limits(&self) -> [(&'static str, &'static str, &'static str); 5] {
        let t = self.t;
        [
            (t.log_keep_days(), "--log-keep-days", "7"),
            (t.log_keep_room(), "--log-keep-mib", "20,480"),
            (t.log_day_room(), "--log-day-mib", "8,192"),
            (t.log_day_entries(), "--log-day-entries", "5,000,000"),
            (t.log_entry_bytes(), "--log-entry-bytes", "16,384"),
        ]
    }

    fn called(&self, rule: &MaskRule) -> String {
        called(self.t, &typed(rule))
    }

    /// Where a rule is taken away.
    fn take(&self, rule: &MaskRule) -> String {
        with_query(&format!("{}/take", self.here), [("rule", Some(typed(rule).as_str()))])
    }
}

async fn masks(visit: &Visit, place: &Place) -> Result<LogMasks, Refused> {
    visit.api.get(&place.path()).await
}

async fn show(visit: &Visit, place: &Place, tried: Option<String>, filled: &Filled) -> Answer {
    let masks = masks(visit, place).await.or_show(visit)?;
    let of_all = match &place.app {
        Some(_) if visit.can(Action::Read, &Scope::Platform) => visit.api.find("/v1/log-masks").await.or_show(visit)?,
        _ => None,
    };
    let names = Names::of(&visit.api, masks.set_by.as_deref()).await;
    let page = Page {
        t: visit.t,
        visit,
        place,
        here: place.here(),
        tabs: place.app.as_ref().map(|app| mini_apps::tabs(visit, app, "/logs")).unwrap_or_default(),
        of_all,
        names: &names,
        may_set: visit.can(Action::Configure, &place.scope()),
        tried,
        command: place.command(if masks.rules.is_empty() { &[MaskRule::Phone] } else { &masks.rules }),
        masks: &masks,
        filled,
    };
    visit.page(place.head(visit, visit.t.log_settings()), &page)
}

async fn of_mini_app(visit: Visit, Path(id): Path<String>) -> Answer {
    show(&visit, &Place::mini_app(&visit, &id).await?, None, &Filled::default()).await
}

async fn of_all(visit: Visit) -> Answer {
    show(&visit, &Place { app: None }, None, &Filled::default()).await
}

async fn sent_for_mini_app(visit: Visit, Path(id): Path<String>, sent: Sent) -> Answer {
    sent_for(&visit, &Place::mini_app(&visit, &id).await?, sent).await
}

async fn sent_for_all(visit: Visit, sent: Sent) -> Answer {
    sent_for(&visit, &Place { app: None }, sent).await
}

/// The page has two forms: one tries a text, one adds a rule.
async fn sent_for(visit: &Visit, place: &Place, sent: Sent) -> Answer {
    if sent.is_on("sample") { try_text(visit, place, sent).await } else { add(visit, place, sent).await }
}

async fn add(visit: &Visit, place: &Place, sent: Sent) -> Answer {
    match set_with(visit, place, rule(&sent)).await {
        Ok(()) => done(&place.here(), visit.t.mask_added()),
        Err(refused) => show(visit, place, None, &sent.again(visit, refused)?).await,
    }
}

/// Sets the rules that are there with one more, unless somebody else changes them meanwhile. One that is there already stays
/// where it is.
async fn set_with(visit: &Visit, place: &Place, rule: MaskRule) -> Result<(), Refused> {
    let (masks, tag): (LogMasks, String) = visit.api.tagged(&place.path()).await?;
    let mut rules = masks.rules;
    if !rules.contains(&rule) {
        rules.push(rule);
    }
    visit.api.only_if(&tag).act(Method::PUT, &place.path(), &SetLogMasks { rules }).await
}

/// Shows what the rules make of a text. It is posted, as it may be somebody's data, and addresses are remembered.
async fn try_text(visit: &Visit, place: &Place, sent: Sent) -> Answer {
    let rules = masks(visit, place).await.or_show(visit)?.rules;
    let text = sent.get("sample").to_owned();
    let masked = Mask::new(&rules).masked(&text).unwrap_or(text);
    show(visit, place, Some(masked), &sent.filled()).await
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Which {
    rule: String,
}

async fn confirm_take_of_mini_app(visit: Visit, Path(id): Path<String>, Query(which): Query<Which>) -> Answer {
    confirm_take(&visit, &Place::mini_app(&visit, &id).await?, &which.rule, &Filled::default()).await
}

async fn confirm_take_of_all(visit: Visit, Query(which): Query<Which>) -> Answer {
    confirm_take(&visit, &Place { app: None }, &which.rule, &Filled::default()).await
}

/// The rules without the one that reads like this, and the tag of those with it.
async fn without(visit: &Visit, place: &Place, rule: &str) -> Result<(Vec<MaskRule>, String), Refused> {
    let (masks, tag): (LogMasks, String) = visit.api.tagged(&place.path()).await?;
    let mut rules = masks.rules;
    let before = rules.len();
    rules.retain(|one| typed(one) != rule);
    if rules.len() == before { Err(not_found()) } else { Ok((rules, tag)) }
}

async fn confirm_take(visit: &Visit, place: &Place, rule: &str, filled: &Filled) -> Answer {
    let t = visit.t;
    let (rest, _) = without(visit, place, rule).await.or_show(visit)?;
    let confirm = Confirm {
        act: t.mask_take().into(),
        effects: vec![t.mask_take_effect(called(t, rule))],
        is_dangerous: true,
        hidden: vec![("rule".into(), rule.to_owned())],
        command: place.command(&rest),
        back: place.here(),
        ..Confirm::default()
    };
    confirm.show(visit, place.head(visit, t.mask_take()), filled)
}

async fn take_of_mini_app(visit: Visit, Path(id): Path<String>, sent: Sent) -> Answer {
    take(&visit, &Place::mini_app(&visit, &id).await?, sent).await
}

async fn take_of_all(visit: Visit, sent: Sent) -> Answer {
    take(&visit, &Place { app: None }, sent).await
}

async fn take(visit: &Visit, place: &Place, sent: Sent) -> Answer {
    match set_without(visit, place, sent.get("rule")).await {
        Ok(()) => done(&place.here(), visit.t.mask_taken()),
        Err(refused) => {
            let rule = sent.get("rule").to_owned();
            confirm_take(visit, place, &rule, &sent.again(visit, refused)?).await
        }
    }
}

/// Sets the rules that are there without one, unless somebody else changes them meanwhile.
async fn set_without(visit: &Visit, place: &Place, rule: &str) -> Result<(), Refused> {
    let (rules, tag) = without(visit, place, rule).await?;
    visit.api.only_if(&tag).act(Method::PUT, &place.path(), &SetLogMasks { rules }).await
}
