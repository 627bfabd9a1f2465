//! What a member may open: the applications, the links and the MiniApps, and why they are there.

use askama::Template;
use axum::{
    extract::{Path, State},
    http::{Extensions, HeaderMap, StatusCode},
    response::{IntoResponse, Redirect, Response},
};
use berth_model::{
    member_portal::OwnPortal,
    workspace::{ApplicationKind, Because, ItemKind, PortalItem, SubjectKind},
};

use super::{Guest, Page, refusal};
use crate::{Console, pages::mini_apps::open_address, parts::Tone, path::at, qr::Qr, texts::Texts};

/// Something that the member may open, as it is shown.
struct Shown<'a> {
    item: &'a PortalItem,
    /// Where it opens.
    address: String,
    /// What stands in the place of an icon.
    initial: String,
    tone: Tone,
    why: Vec<String>,
}

impl<'a> Shown<'a> {
    fn of(guest: &Guest, item: &'a PortalItem) -> Self {
        let address = match item.kind {
            ItemKind::Application => item.url.clone(),
            ItemKind::MiniApp => at!("/portal/{}/mini-apps/{}", guest.id, item.id),
        };
        let why = item.why.iter().map(|because| reason(guest.t, because)).collect();
        Self { item, address, initial: initial(&item.name), tone: tone(&item.name), why }
    }
}

/// The first letter of a name that is one, as a capital.
fn initial(name: &str) -> String {
    let first = name.chars().find(|c| c.is_alphanumeric()).or_else(|| name.chars().next());
    first.map(|first| first.to_uppercase().to_string()).unwrap_or_default()
}

/// A colour that stays with the name.
fn tone(name: &str) -> Tone {
    const TONES: [Tone; 5] = [Tone::Info, Tone::Ok, Tone::Gray, Tone::Warn, Tone::Neutral];
    let sum = name.bytes().fold(0_usize, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
    TONES[sum % TONES.len()]
}

/// A reason in the language of the member, to whom it speaks.
fn reason(t: Texts, because: &Because) -> String {
    let name = because.name.as_deref().unwrap_or_default();
    match (because.kind, because.through_name.as_deref()) {
        (SubjectKind::Everyone, _) => t.portal_why_everyone().into(),
        (SubjectKind::Member | SubjectKind::Contact, _) => t.portal_why_you().into(),
        (SubjectKind::Department, None) => t.portal_why_department(name),
        (SubjectKind::Department, Some(through)) => t.portal_why_through(through, name),
        (SubjectKind::Tag, None) => t.portal_why_tag(name),
        (SubjectKind::Tag, Some(through)) => t.portal_why_tag_through(through, name),
    }
}

/// Items of one kind.
struct Group<'a> {
    id: &'static str,
    name: &'static str,
    items: Vec<Shown<'a>>,
}

fn groups<'a>(guest: &Guest, items: &[&'a PortalItem]) -> Vec<Group<'a>> {
    let of = |id, name, is_in: fn(&PortalItem) -> bool| {
        let items = items.iter().filter(|item| is_in(item)).map(|item| Shown::of(guest, item)).collect();
        Group { id, name, items }
    };
    let t = guest.t;
    let all = [
        of("tools", t.portal_tools(), |item| item.form == Some(ApplicationKind::InternalTool)),
        of("mini-apps", t.portal_mini_apps(), |item| item.kind == ItemKind::MiniApp),
        of("links", t.portal_links(), |item| item.form == Some(ApplicationKind::Link)),
    ];
    all.into_iter().filter(|group| !group.items.is_empty()).collect()
}

/// Whether an item has each word that is searched for, in its name or in what it is for.
fn fits(item: &PortalItem, wanted: &str) -> bool {
    let text = format!("{} {}", item.name, item.description).to_lowercase();
    wanted.to_lowercase().split_whitespace().all(|word| text.contains(word))
}

#[derive(Template)]
#[template(path = "portal/items.html")]
struct Body<'a> {
    t: Texts,
    home: String,
    hello: String,
    wanted: &'a str,
    found: usize,
    has_any: bool,
    groups: Vec<Group<'a>>,
    ask: String,
}

pub(super) fn show(guest: &Guest, own: &OwnPortal, wanted: &str) -> Response {
    let items: Vec<_> = own.items.iter().filter(|item| fits(item, wanted)).collect();
    let hello = guest.t.portal_hello(&own.name);
    let body = Body {
        t: guest.t,
        home: guest.home(),
        wanted,
        found: items.len(),
        has_any: !own.items.is_empty(),
        groups: groups(guest, &items),
        ask: guest.ask(&own.help),
        hello: hello.clone(),
    };
    let address = (!wanted.is_empty()).then(|| crate::path::with_query(&guest.home(), [("q", Some(wanted))]));
    let page = Page { title: &hello, address: address.as_deref(), ..of_member(own) };
    guest.page(page, &body)
}

fn of_member(own: &OwnPortal) -> Page<'_> {
    Page { workspace: &own.workspace, name: Some(&own.name), ..Page::default() }
}

#[derive(Template)]
#[template(path = "portal/mini_app.html")]
struct MiniApp<'a> {
    t: Texts,
    home: String,
    shown: Shown<'a>,
    open: String,
    qr: Option<Qr>,
}

#[derive(Template)]
#[template(path = "portal/not_theirs.html")]
struct NotTheirs {
    t: Texts,
    home: String,
    ask: String,
}

/// How a MiniApp is opened: by a code that the app reads in which it runs.
pub(super) async fn mini_app(
    State(console): State<Console>,
    Path((id, app)): Path<(String, String)>,
    headers: HeaderMap,
    extensions: Extensions,
) -> Response {
    let guest = Guest::of(&console, id, &headers, &extensions);
    let own = match guest.own().await {
        Ok(Some(own)) => own,
        Ok(None) => return Redirect::to(&guest.home()).into_response(),
        Err(refused) => return refusal::show(&guest, &refused).await,
    };
    let t = guest.t;
    let address = at!("/portal/{}/mini-apps/{}", guest.id, app);
    let page = Page { address: Some(&address), ..of_member(&own) };
    let Some(item) = own.items.iter().find(|item| item.kind == ItemKind::MiniApp && item.id == app) else {
        let body = NotTheirs { t, home: guest.home(), ask: guest.ask(&own.help) };
        return guest.page(Page { status: StatusCode::NOT_FOUND, title: t.portal_not_yours(), ..page }, &body);
    };
    let open = open_address(&console.origin(&headers), &item.id);
    let body = MiniApp { t, home: guest.home(), shown: Shown::of(&guest, item), qr: Qr::of(&open), open };
    guest.page(Page { title: &item.name, ..page }, &body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn w15_the_place_of_an_icon_has_the_first_letter() {
        for (name, letter) in [("wiki", "W"), ("“Élan”", "É"), ("请假", "请"), ("7zip", "7"), ("…", "…"), ("", "")]
        {
            assert_eq!(initial(name), letter, "{name}");
        }
        assert_eq!(tone("Wiki"), tone("Wiki"));
    }
}
