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
use serde::{Deserialize, Serialize, de::DeserializeOwned};

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
    let (draft, tag): (PrivacyDraft, String) = visit.api.tagged(&path(id)).await?;
    let (mut agreement, seen) = (draft.agreement, sent.get("tag"));
    // The API says that the form was overtaken: no place of an item is looked up before.
    if seen.is_empty() || seen == tag {
        change(&mut agreement)?;
    }
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

/// Where the item of a form is now: others may have moved it. One that they have changed is known by what does not change of
/// it; one that is gone will be a new one.
fn found<T: DeserializeOwned + PartialEq>(
    list: &[T],
    item: Item,
    filled: &Filled,
    is_same: impl Fn(&T, &T) -> bool,
) -> Item {
    let was = serde_json::from_str::<T>(filled.get("was"));
    match (item.at, was) {
        (Some(_), Ok(was)) if filled.is_overtaken() => {
            let at = list.iter().position(|one| *one == was);
            Item { at: at.or_else(|| list.iter().position(|one| is_same(one, &was))) }
        }
        _ => item,
    }
}

/// The item that a form is about; a fresh one for a new one, and for one that others have taken out while somebody typed.
fn item_of<'a, T>(list: &'a [T], item: Item, fresh: &'a T, filled: &Filled) -> Result<&'a T, Refused> {
    match item.at.map(|at| list.get(at)) {
        None => Ok(fresh),
        Some(Some(one)) => Ok(one),
        Some(None) if !filled.is_new() => Ok(fresh),
        Some(None) => Err(not_found()),
    }
}

/// An item as the form sends it along, so that it is found again where others have changed the list.
fn as_sent(one: &impl Serialize) -> String {
    serde_json::to_string(one).unwrap_or_default()
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
        tag: filled.tag(&tag),
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
        agreement.retention_days = days.map_err(|_| invalid(visit.t, "retention_days", visit.t.no_number()))?;
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
    was: &'a str,
    is_gone: bool,
    place: usize,
    filled: &'a Filled,
}

impl CollectedForm<'_> {
    /// The place of a member in the draft.
    fn at(&self, member: &str) -> String {
        format!("collected.{}.{member}", self.place)
    }

    /// The name of the kind that it has now.
    fn kind_now(&self) -> &str {
        let found = self.kinds.iter().find(|one| one.kind == self.one.kind);
        found.map_or(self.one.kind.as_str(), |one| self.t.local(&one.name))
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
    let asked = item;
    let item = found(&agreement.collected, asked, filled, |a, b| (a.kind, &a.name) == (b.kind, &b.name));
    let one = item_of(&agreement.collected, item, &fresh, filled).or_show(visit)?;
    let was = as_sent(one);
    let kinds: Vec<KindOfInfo> = visit.api.list("/v1/privacy-kinds").await.or_show(visit)?;
    let page = CollectedForm {
        t: visit.t,
        app: &app,
        item,
        one,
        apis: one.apis.iter().map(|api| api.as_str()).collect::<Vec<_>>().join(", "),
        kinds: &kinds,
        chosen: filled.or("kind", one.kind.as_str()),
        tag: filled.tag(&tag),
        was: filled.made_of("was", &was),
        is_gone: item.at != asked.at && item.at.is_none(),
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
    was: &'a str,
    is_gone: bool,
    place: usize,
    filled: &'a Filled,
}

impl SdkForm<'_> {
    /// The place of a member in the draft.
    fn at(&self, member: &str) -> String {
        format!("sdks.{}.{member}", self.place)
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
    let asked = item;
    let item = found(&agreement.sdks, asked, filled, |a, b| a.name == b.name);
    let sdk = item_of(&agreement.sdks, item, &fresh, filled).or_show(visit)?;
    let was = as_sent(sdk);
    let page = SdkForm {
        t: visit.t,
        app: &app,
        item,
        sdk,
        tag: filled.tag(&tag),
        was: filled.made_of("was", &was),
        is_gone: item.at != asked.at && item.at.is_none(),
        place: item.at.unwrap_or(agreement.sdks.len()),
        filled,
    };
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

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::*;
    use crate::refused::Refusal;

    fn overtaken(was: &str) -> Filled {
        let refusal =
            serde_json::json!({"type": "/problems/precondition-failed", "title": "", "status": 412, "detail": ""});
        Filled::with(vec![("was".into(), was.into())]).said(serde_json::from_value::<Refusal>(refusal).unwrap())
    }

    #[test]
    fn an_item_is_found_where_others_have_moved_it() {
        let list = ["b2".to_owned(), "a1".to_owned(), "c3".to_owned()];
        let at = |was: &str| found(&list, Item { at: Some(0) }, &overtaken(was), |a, b| a[..1] == b[..1]).at;
        assert_eq!([at("\"a1\""), at("\"c9\""), at("\"d4\"")], [Some(1), Some(2), None]);
        let untouched = Filled::with(vec![("was".into(), "\"a1\"".into())]);
        assert_eq!(found(&list, Item { at: Some(0) }, &untouched, |_, _| true).at, Some(0));
    }
}
