//! Forms of the draft: who the developer is, what is collected and why, the SDKs of third parties.

use axum::{
    Router,
    extract::{Path, Query},
    http::Method,
    routing::get,
};
use berth_model::{
    mini_app::MiniApp,
    privacy::{Collected, KindOfInfo, PersonalKind, PrivacyAgreement, PrivacyContact, PrivacyDraft, PrivacySdk, Words},
};
use serde::Deserialize;

use super::{super::super::mini_apps::mini_app, head_of, page_of};
use crate::{
    Console,
    act::Sent,
    frame::done,
    parts::Filled,
    path::at,
    refused::{Refused, invalid, not_found, read},
    texts::Texts,
    visit::{Answer, OrShow, Shown, Visit},
};

pub fn routes() -> Router<Console> {
    Router::new()
        .route("/ui/mini-apps/{id}/privacy/about", get(about).post(set_about))
        .route("/ui/mini-apps/{id}/privacy/collected", get(collected).post(set_collected))
        .route("/ui/mini-apps/{id}/privacy/sdks", get(sdk).post(set_sdk))
}

/// Which item of a list a form is about; a new one where none is named.
#[derive(Clone, Copy, Default, Deserialize)]
#[serde(default)]
struct Item {
    at: Option<usize>,
}

fn path(id: &str) -> String {
    at!("/v1/mini-apps/{}/privacy/draft", id)
}

async fn draft(visit: &Visit, id: &str) -> Result<(PrivacyAgreement, String), Shown> {
    let (draft, tag): (PrivacyDraft, String) = visit.api.tagged(&path(id)).await.or_show(visit)?;
    Ok((draft.agreement, tag))
}

/// Changes the draft that the form was made of. Who was slower than somebody else has to read it again: the place of an item
/// may be another one's by then.
async fn change(
    visit: &Visit,
    id: &str,
    sent: &Sent,
    change: impl FnOnce(&mut PrivacyAgreement) -> Result<(), Refused>,
) -> Result<(), Refused> {
    let mut agreement = visit.api.get::<PrivacyDraft>(&path(id)).await?.agreement;
    change(&mut agreement)?;
    visit.api.only_if(sent.get("tag")).act(Method::PUT, &path(id), &agreement).await
}

/// Puts an item into a list, in the place of the one that was there; takes that out if the form says so.
fn put<T>(list: &mut Vec<T>, item: Item, new: Option<T>) -> Result<(), Refused> {
    match (item.at, new) {
        (None, new) => list.extend(new),
        (Some(at), Some(new)) => *list.get_mut(at).ok_or_else(not_found)? = new,
        (Some(at), None) if at < list.len() => drop(list.remove(at)),
        (Some(_), None) => return Err(not_found()),
    }
    Ok(())
}

/// Words in both languages, from the fields of one name.
fn words(sent: &Sent, name: &str) -> Words {
    Words { en: sent.get(&format!("{name}_en")).into(), zh: sent.get(&format!("{name}_zh")).into() }
}

#[derive(askama::Template)]
#[template(path = "develop/privacy_about.html")]
struct About<'a> {
    t: Texts,
    app: &'a MiniApp,
    agreement: &'a PrivacyAgreement,
    retention_days: String,
    effective_on: &'a str,
    tag: &'a str,
    filled: &'a Filled,
}

impl About<'_> {
    fn wrong(&self, place: &str) -> Option<String> {
        self.filled.wrong_at(&self.t, place)
    }
}

async fn about(visit: Visit, Path(id): Path<String>) -> Answer {
    show_about(&visit, &id, &Filled::default()).await
}

async fn show_about(visit: &Visit, id: &str, filled: &Filled) -> Answer {
    let app = mini_app(visit, id).await?;
    let (agreement, tag) = draft(visit, id).await?;
    let page = About {
        t: visit.t,
        app: &app,
        retention_days: agreement.retention_days.map(|days| days.to_string()).unwrap_or_default(),
        effective_on: agreement.effective_on.as_deref().unwrap_or_default(),
        agreement: &agreement,
        tag: filled.or("tag", &tag),
        filled,
    };
    visit.page(head_of(visit, visit.t.privacy_about(), &app), &page)
}

async fn set_about(visit: Visit, Path(id): Path<String>, sent: Sent) -> Answer {
    let changed = change(&visit, &id, &sent, |agreement| {
        agreement.developer = words(&sent, "developer");
        agreement.contact = PrivacyContact {
            email: sent.get("email").into(),
            phone: sent.get("phone").into(),
            address: sent.get("address").into(),
            web: sent.get("web").into(),
        };
        agreement.effective_on = sent.some("effective_on");
        let days = sent.some("retention_days").map(|days| days.parse()).transpose();
        agreement.retention_days = days.map_err(|_| invalid("retention_days", visit.t.gray_no_number()))?;
        agreement.supplement = words(&sent, "supplement");
        Ok(())
    });
    match changed.await {
        Ok(()) => done(&page_of(&id), visit.t.edited()),
        Err(refused) => show_about(&visit, &id, &sent.again(&visit, refused)?).await,
    }
}

#[derive(askama::Template)]
#[template(path = "develop/privacy_collected.html")]
struct CollectedForm<'a> {
    t: Texts,
    app: &'a MiniApp,
    item: Item,
    /// The item as it is; a fresh one for a new one.
    one: &'a Collected,
    apis: String,
    kinds: &'a [KindOfInfo],
    chosen: &'a str,
    tag: &'a str,
    place: usize,
    filled: &'a Filled,
}

impl CollectedForm<'_> {
    fn wrong(&self, member: &str) -> Option<String> {
        self.filled.wrong_at(&self.t, &format!("collected.{}.{member}", self.place))
    }

    fn wrong_apis(&self) -> Option<String> {
        self.filled.wrong_at(&self.t, "apis").or_else(|| self.wrong("apis"))
    }

    /// The APIs and buttons that use a kind.
    fn uses(&self, kind: &KindOfInfo) -> String {
        let all = kind.reads.iter().chain(&kind.writes).map(|api| api.as_str());
        all.collect::<Vec<_>>().join(", ")
    }
}

async fn collected(visit: Visit, Path(id): Path<String>, Query(item): Query<Item>) -> Answer {
    show_collected(&visit, &id, item, &Filled::default()).await
}

async fn show_collected(visit: &Visit, id: &str, item: Item, filled: &Filled) -> Answer {
    let app = mini_app(visit, id).await?;
    let (agreement, tag) = draft(visit, id).await?;
    let fresh =
        Collected { kind: PersonalKind::Location, name: Words::default(), apis: Vec::new(), purpose: Words::default() };
    let one = match item.at {
        None => &fresh,
        Some(at) => agreement.collected.get(at).ok_or_else(not_found).or_show(visit)?,
    };
    let kinds: Vec<KindOfInfo> = visit.api.list("/v1/privacy-kinds").await.or_show(visit)?;
    let page = CollectedForm {
        t: visit.t,
        app: &app,
        item,
        one,
        apis: one.apis.iter().map(|api| api.as_str()).collect::<Vec<_>>().join(", "),
        kinds: &kinds,
        chosen: filled.or("kind", one.kind.as_str()),
        tag: filled.or("tag", &tag),
        place: item.at.unwrap_or(agreement.collected.len()),
        filled,
    };
    visit.page(head_of(visit, visit.t.privacy_collected(), &app), &page)
}

/// What a form says is collected; nothing when it takes that out.
fn collected_of(sent: &Sent) -> Result<Option<Collected>, Refused> {
    if sent.is_on("remove") {
        return Ok(None);
    }
    let kind = sent.read("kind")?;
    let names = sent.get("apis").split([',', ' ', '，', '、', '\n']).map(str::trim).filter(|name| !name.is_empty());
    let apis = names.map(|name| read("apis", name)).collect::<Result<_, _>>()?;
    let name = if kind == PersonalKind::Other { words(sent, "name") } else { Words::default() };
    Ok(Some(Collected { kind, name, apis, purpose: words(sent, "purpose") }))
}

async fn set_collected(visit: Visit, Path(id): Path<String>, Query(item): Query<Item>, sent: Sent) -> Answer {
    let changed = change(&visit, &id, &sent, |agreement| put(&mut agreement.collected, item, collected_of(&sent)?));
    match changed.await {
        Ok(()) => done(&page_of(&id), visit.t.edited()),
        Err(refused) => show_collected(&visit, &id, item, &sent.again(&visit, refused)?).await,
    }
}

#[derive(askama::Template)]
#[template(path = "develop/privacy_sdk.html")]
struct SdkForm<'a> {
    t: Texts,
    app: &'a MiniApp,
    item: Item,
    sdk: &'a PrivacySdk,
    tag: &'a str,
    place: usize,
    filled: &'a Filled,
}

impl SdkForm<'_> {
    fn wrong(&self, member: &str) -> Option<String> {
        self.filled.wrong_at(&self.t, &format!("sdks.{}.{member}", self.place))
    }

    /// Whether a kind is ticked.
    fn has(&self, kind: &PersonalKind) -> bool {
        if self.filled.is_new() { self.sdk.collects.contains(kind) } else { self.filled.has("collects", kind.as_str()) }
    }
}

async fn sdk(visit: Visit, Path(id): Path<String>, Query(item): Query<Item>) -> Answer {
    show_sdk(&visit, &id, item, &Filled::default()).await
}

async fn show_sdk(visit: &Visit, id: &str, item: Item, filled: &Filled) -> Answer {
    let app = mini_app(visit, id).await?;
    let (agreement, tag) = draft(visit, id).await?;
    let fresh = PrivacySdk {
        name: String::new(),
        provider: String::new(),
        purpose: Words::default(),
        collects: Vec::new(),
        policy_url: String::new(),
    };
    let sdk = match item.at {
        None => &fresh,
        Some(at) => agreement.sdks.get(at).ok_or_else(not_found).or_show(visit)?,
    };
    let place = item.at.unwrap_or(agreement.sdks.len());
    let page = SdkForm { t: visit.t, app: &app, item, sdk, tag: filled.or("tag", &tag), place, filled };
    visit.page(head_of(visit, visit.t.privacy_sdk(), &app), &page)
}

/// What a form says of an SDK; nothing when it takes the SDK out.
fn sdk_of(sent: &Sent) -> Option<PrivacySdk> {
    let sdk = || PrivacySdk {
        name: sent.get("name").into(),
        provider: sent.get("provider").into(),
        purpose: words(sent, "purpose"),
        collects: sent.all("collects").filter_map(|kind| kind.parse().ok()).collect(),
        policy_url: sent.get("policy_url").into(),
    };
    (!sent.is_on("remove")).then(sdk)
}

async fn set_sdk(visit: Visit, Path(id): Path<String>, Query(item): Query<Item>, sent: Sent) -> Answer {
    match change(&visit, &id, &sent, |agreement| put(&mut agreement.sdks, item, sdk_of(&sent))).await {
        Ok(()) => done(&page_of(&id), visit.t.edited()),
        Err(refused) => show_sdk(&visit, &id, item, &sent.again(&visit, refused)?).await,
    }
}
