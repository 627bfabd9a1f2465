//! The privacy agreement of a MiniApp: its draft, what users would be asked anew for, and its versions.

mod edit;

use axum::{
    Router,
    extract::{Path, Query},
    http::Method,
    routing::get,
};
use berth_model::{
    access::Action,
    mini_app::MiniApp,
    privacy::{
        Collected, Language, NewPrivacyVersion, PrivacyAgreement, PrivacyChange, PrivacyChangeOf, PrivacyChanges,
        PrivacyDraft, PrivacyFault, PrivacyHead, PrivacyHow, PrivacyVersion, TextFormat,
    },
};
use serde::Deserialize;

use super::{
    super::mini_apps::{Tab, mini_app},
    TAB, head, sections, tabs,
};
use crate::{
    Console,
    act::{Confirm, Sent, Tick},
    frame::{Head, done},
    parts::{Filled, Names},
    path::{at, with_query},
    refused::not_found,
    texts::Texts,
    visit::{Answer, OrShow, Shown, Visit},
};

pub fn routes() -> Router<Console> {
    Router::new()
        .route("/ui/mini-apps/{id}/privacy", get(show))
        .route("/ui/mini-apps/{id}/privacy/text", get(text))
        .route("/ui/mini-apps/{id}/privacy/publish", get(confirm_publish).post(publish))
        .route("/ui/mini-apps/{id}/privacy/versions/{number}", get(version))
        .merge(edit::routes())
}

/// A change of an agreement in words.
struct Change<'a> {
    of: &'static str,
    how: &'static str,
    about: &'a str,
    before: &'a str,
    after: &'a str,
    renews: bool,
}

fn in_words(t: Texts, changes: &[PrivacyChange]) -> Vec<Change<'_>> {
    changes.iter().map(|one| change_in_words(t, one)).collect()
}

fn change_in_words(t: Texts, one: &PrivacyChange) -> Change<'_> {
    Change {
        of: part(t, one.of),
        how: how_it_changed(t, one.how),
        about: t.words(&one.about),
        before: t.words(&one.before),
        after: t.words(&one.after),
        renews: one.renews,
    }
}

fn part(t: Texts, of: PrivacyChangeOf) -> &'static str {
    match of {
        PrivacyChangeOf::Developer => t.privacy_developer(),
        PrivacyChangeOf::Contact => t.privacy_contact(),
        PrivacyChangeOf::EffectiveOn => t.privacy_effective_on(),
        PrivacyChangeOf::Retention => t.privacy_retention(),
        PrivacyChangeOf::Collected => t.privacy_collected(),
        PrivacyChangeOf::Sdk => t.privacy_sdk(),
        PrivacyChangeOf::Supplement => t.privacy_supplement(),
    }
}

fn how_it_changed(t: Texts, how: PrivacyHow) -> &'static str {
    match how {
        PrivacyHow::Added => t.added(),
        PrivacyHow::Removed => t.removed(),
        PrivacyHow::Changed => t.privacy_reworded(),
        PrivacyHow::Corrected => t.privacy_corrected(),
    }
}

/// What a draft lacks, in words.
fn lacks(t: Texts, draft: &PrivacyAgreement, fault: &PrivacyFault) -> String {
    let mut places = fault.pointer.trim_start_matches('/').split('/');
    let (list, at, member) = (places.next().unwrap_or_default(), places.next(), places.next().unwrap_or_default());
    let at = at.and_then(|at| at.parse::<usize>().ok());
    let collected = || at.and_then(|at| draft.collected.get(at)).map(|one| t.words(&one.what()).to_owned());
    let sdk = || at.and_then(|at| draft.sdks.get(at)).map(|sdk| sdk.name.clone());
    match (list, member) {
        ("developer", _) => t.privacy_lacks_developer().into(),
        ("contact", _) => t.privacy_lacks_contact().into(),
        ("effective_on", _) => t.privacy_day_passed().into(),
        ("collected", "purpose") => t.privacy_lacks_purpose(collected().unwrap_or_default()),
        ("collected", _) => t.privacy_lacks_name().into(),
        ("sdks", "purpose") => t.privacy_lacks_purpose(sdk().unwrap_or_default()),
        ("sdks", _) => t.privacy_lacks_provider(sdk().unwrap_or_default()),
        _ => fault.rule.clone(),
    }
}

#[derive(askama::Template)]
#[template(path = "develop/privacy.html")]
struct Page<'a> {
    t: Texts,
    visit: &'a Visit,
    app: &'a MiniApp,
    tabs: Vec<Tab>,
    sections: Vec<Tab>,
    agreement: &'a PrivacyAgreement,
    missing: Vec<String>,
    changes: Vec<Change<'a>>,
    renews: bool,
    versions: &'a [PrivacyHead],
    names: &'a Names,
    may_edit: bool,
    may_publish: bool,
}

impl Page<'_> {
    /// What is collected, in words.
    fn what(&self, one: &Collected) -> String {
        self.t.words(&one.what()).to_owned()
    }
}

async fn show(visit: Visit, Path(id): Path<String>) -> Answer {
    let app = mini_app(&visit, &id).await?;
    let t = visit.t;
    let draft: PrivacyDraft = visit.api.get(&at!("/v1/mini-apps/{}/privacy/draft", id)).await.or_show(&visit)?;
    let changes = changes(&visit, &id).await?;
    let versions: Vec<PrivacyHead> =
        visit.api.list(&at!("/v1/mini-apps/{}/privacy/versions", id)).await.or_show(&visit)?;
    let scope = app.scope();
    let page = Page {
        t,
        visit: &visit,
        app: &app,
        tabs: tabs(&visit, &app, TAB),
        sections: sections(&visit, &app, "/privacy"),
        missing: draft.missing.iter().map(|fault| lacks(t, &draft.agreement, fault)).collect(),
        agreement: &draft.agreement,
        changes: in_words(t, &changes.changes),
        renews: changes.renews,
        names: &Names::of(&visit.api, versions.iter().map(|one| one.published_by.as_str())).await,
        versions: &versions,
        may_edit: visit.can(Action::Develop, &scope),
        may_publish: visit.can(Action::Release, &scope) && draft.missing.is_empty() && !changes.changes.is_empty(),
    };
    visit.page(head(&visit, t.privacy(), Some(&app)), &page)
}

/// How the draft differs from the version that holds.
async fn changes(visit: &Visit, id: &str) -> Result<PrivacyChanges, Shown> {
    visit.api.get(&at!("/v1/mini-apps/{}/privacy/changes", id)).await.or_show(visit)
}

fn page_of(id: &str) -> String {
    at!("/ui/mini-apps/{}/privacy", id)
}

fn head_of<'a>(visit: &Visit, title: &'a str, app: &MiniApp) -> Head<'a> {
    let mut head = head(visit, title, Some(app));
    head.above.push((visit.t.privacy().to_owned(), page_of(app.id.as_str())));
    head
}

async fn confirm_publish(visit: Visit, Path(id): Path<String>) -> Answer {
    show_publish(&visit, &id, &Filled::default()).await
}

/// What the page says was decided on the draft that it has seen: its tag goes with the form.
async fn show_publish(visit: &Visit, id: &str, filled: &Filled) -> Answer {
    let app = mini_app(visit, id).await?;
    let t = visit.t;
    let path = at!("/v1/mini-apps/{}/privacy/draft", id);
    let (_, tag): (PrivacyDraft, String) = visit.api.tagged(&path).await.or_show(visit)?;
    let changes = changes(visit, id).await?;
    let asks = |one: &Change| {
        let about = if one.about.is_empty() { one.of } else { one.about };
        t.privacy_asks_for(about, one.how)
    };
    let mut effects = vec![t.privacy_publish_effect().to_owned()];
    effects.push(if changes.renews { t.privacy_renews().into() } else { t.privacy_renews_not().into() });
    effects.extend(in_words(t, &changes.changes).iter().filter(|one| one.renews).map(asks));
    let renew = Tick { name: "renew", label: t.privacy_renew().into(), hint: t.privacy_renew_hint().into() };
    let confirm = Confirm {
        act: t.publish_it().into(),
        effects,
        ticks: if changes.renews { Vec::new() } else { vec![renew] },
        note: Some(t.note()),
        hidden: vec![("tag".into(), tag)],
        command: format!("berth privacy publish {id} --note '…'"),
        back: page_of(id),
        ..Confirm::default()
    };
    confirm.show(visit, head_of(visit, t.privacy_publish(), &app), filled)
}

async fn publish(visit: Visit, Path(id): Path<String>, sent: Sent) -> Answer {
    let new = NewPrivacyVersion { note: sent.get("note").into(), renew: sent.is_on("renew") };
    let api = visit.api.only_if(sent.get("tag"));
    let path = at!("/v1/mini-apps/{}/privacy/versions", id);
    match api.tell::<PrivacyVersion>(Method::POST, &path, &new).await {
        Ok(version) => done(&page_of(&id), &visit.t.privacy_published(version.head.version)),
        Err(refused) => show_publish(&visit, &id, &sent.again(&visit, refused)?).await,
    }
}

#[derive(askama::Template)]
#[template(path = "develop/privacy_version.html")]
struct One<'a> {
    t: Texts,
    visit: &'a Visit,
    app: &'a MiniApp,
    head: &'a PrivacyHead,
    changes: Vec<Change<'a>>,
    names: &'a Names,
    title: &'a str,
}

async fn version(visit: Visit, Path((id, number)): Path<(String, String)>) -> Answer {
    let app = mini_app(&visit, &id).await?;
    let t = visit.t;
    let path = at!("/v1/mini-apps/{}/privacy/versions/{}", id, number);
    let version: PrivacyVersion = visit.api.get(&path).await.or_show(&visit)?;
    let title = t.privacy_version(version.head.version);
    let page = One {
        t,
        visit: &visit,
        app: &app,
        head: &version.head,
        changes: in_words(t, &version.changes),
        names: &Names::of(&visit.api, [version.head.published_by.as_str()]).await,
        title: &title,
    };
    visit.page(head_of(&visit, &title, &app), &page)
}

/// Which text: of a version, or of the draft where none is named; in the language of the page where none is named.
#[derive(Default, Deserialize)]
#[serde(default)]
struct TextQuery {
    version: String,
    language: String,
}

#[derive(askama::Template)]
#[template(path = "develop/privacy_text.html")]
struct TextPage<'a> {
    t: Texts,
    app: &'a MiniApp,
    title: &'a str,
    query: &'a TextQuery,
    language: Language,
    text: &'a str,
    command: String,
}

impl TextPage<'_> {
    /// The language of the text, as HTML names it.
    fn tag(&self) -> &'static str {
        match self.language {
            Language::En => crate::texts::Language::English.tag(),
            Language::Zh => crate::texts::Language::Chinese.tag(),
        }
    }

    fn is_here(&self, language: &Language) -> bool {
        self.language == *language
    }

    /// The same text in a language.
    fn address(&self, language: &Language) -> String {
        let members = [("version", Some(self.query.version.as_str())), ("language", Some(language.as_str()))];
        with_query(&at!("/ui/mini-apps/{}/privacy/text", self.app.id), members)
    }
}

async fn text(visit: Visit, Path(id): Path<String>, Query(query): Query<TextQuery>) -> Answer {
    let app = mini_app(&visit, &id).await?;
    let t = visit.t;
    let language = if query.language.is_empty() { Ok(t.of_agreements()) } else { query.language.parse() };
    let language = language.map_err(|_| not_found()).or_show(&visit)?;
    let (path, title, which) = match query.version.as_str() {
        "" => (at!("/v1/mini-apps/{}/privacy/draft/text", id), t.privacy_draft().to_owned(), "--draft".to_owned()),
        version => {
            let path = at!("/v1/mini-apps/{}/privacy/text", id);
            (path, t.privacy_version(version), format!("--version {version}"))
        }
    };
    let members = [
        ("version", Some(query.version.as_str())),
        ("language", Some(language.as_str())),
        ("format", Some(TextFormat::Markdown.as_str())),
    ];
    let text = visit.api.text(&with_query(&path, members)).await.or_show(&visit)?;
    let page = TextPage {
        t,
        app: &app,
        title: &title,
        query: &query,
        language,
        text: &text,
        command: format!("berth privacy text {id} {which} --language {language}"),
    };
    visit.page(head_of(&visit, &title, &app), &page)
}
