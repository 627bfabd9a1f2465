//! The portal of the members of a workspace: people of an organisation, who have no account and no role here.
//!
//! They sign in at the identity provider of their organisation, and the browser keeps the sign-on that internal tools take as well.
//! These pages have a frame of their own, without a word of the console, and no script at all.

mod items;
mod refusal;
mod sign_in;

use askama::Template;
use axum::{
    Router,
    extract::{Path, Query, State},
    http::{Extensions, HeaderMap, StatusCode, header},
    response::{Html, IntoResponse, Redirect, Response},
    routing::get,
};
use berth_model::{
    member_portal::{OwnPortal, PortalDoor},
    oidc::member_cookie,
};
use serde::Deserialize;

use crate::{
    Console,
    act::Sent,
    api::Api,
    assets,
    path::at,
    refused::{Refused, not_found},
    texts::{Language, Texts},
    visitor::{self, Taste, Theme, cookie, remember_at},
};

/// Where the portals are.
const ROOT: &str = "/portal";

pub fn routes() -> Router<Console> {
    Router::new()
        .route("/portal/{id}", get(show))
        .route("/portal/{id}/mini-apps/{app}", get(items::mini_app))
        .route("/portal/{id}/taste", axum::routing::post(change_taste))
        .merge(sign_in::routes())
}

/// What a portal says where it has no page.
pub async fn nothing(console: &Console, id: String, headers: &HeaderMap, extensions: &Extensions) -> Response {
    refusal::show(&Guest::of(console, id, headers, extensions), &not_found()).await
}

/// Where the portal of a workspace is.
fn home(id: &str) -> String {
    at!("/portal/{}", id)
}

/// A request to the portal of a workspace.
struct Guest {
    id: String,
    taste: Taste,
    t: Texts,
    /// The API for whoever has no token.
    api: Api,
    /// What the browser keeps of the sign-on of a member.
    sign_on: Option<String>,
    is_secure: bool,
}

impl Guest {
    fn of(console: &Console, id: String, headers: &HeaderMap, extensions: &Extensions) -> Self {
        let taste = Taste::of(headers);
        let is_secure = console.is_secure();
        let sign_on = cookie(headers, member_cookie(is_secure)).filter(|it| !it.is_empty()).map(str::to_owned);
        let api = Api::new(console.api.clone(), None, extensions).by(headers);
        Self { id, t: taste.t, taste, api, sign_on, is_secure }
    }

    fn home(&self) -> String {
        home(&self.id)
    }

    fn path(&self, rest: &str) -> String {
        at!("/v1/workspaces/{}/portal", self.id) + rest
    }

    /// The API for the member who is signed on in this browser, if one is.
    fn member(&self) -> Option<Api> {
        self.sign_on.as_deref().map(|secret| self.api.with_token(secret))
    }

    /// The portal of the member who is signed on; `None` when nobody is.
    async fn own(&self) -> Result<Option<OwnPortal>, Refused> {
        let Some(member) = self.member() else { return Ok(None) };
        match member.get(&self.path("/own")).await {
            Ok(own) => Ok(Some(own)),
            Err(Refused::ByApi(refusal)) if refusal.status == 401 => Ok(None),
            Err(refused) => Err(refused),
        }
    }

    /// What the portal shows to whoever comes; `None` where there is none.
    async fn door(&self) -> Option<PortalDoor> {
        self.api.find(&self.path("/door")).await.ok().flatten()
    }

    /// What the portal shows to a browser that is signed on at another workspace; `None` where it is not, or nobody can sign in here.
    async fn elsewhere(&self) -> Result<Option<PortalDoor>, Refused> {
        let Some(member) = self.member() else { return Ok(None) };
        let door: Option<PortalDoor> = member.find(&self.path("/door")).await?;
        Ok(door.filter(|door| door.provider.is_some() && door.signed_on_at.is_some()))
    }

    /// The name of the workspace, and whom its members ask; both empty where there is no portal.
    async fn names(&self) -> (String, String) {
        self.door().await.map(|door| (door.workspace, door.help)).unwrap_or_default()
    }

    /// Shows a page of the portal.
    fn page(&self, page: Page<'_>, body: &impl Template) -> Response {
        let home = self.home();
        let address = page.address.unwrap_or(&home);
        let rendered = body.render().and_then(|body| {
            Frame {
                t: self.t,
                taste: &self.taste,
                title: page.title,
                workspace: page.workspace,
                home: &home,
                address,
                name: page.name,
                style: assets::STYLE.address(),
                icon: assets::ICON.address(),
                body,
            }
            .render()
        });
        match rendered {
            Ok(html) => (page.status, Html(html)).into_response(),
            Err(error) => {
                tracing::error!(%error, "a page of a portal could not be written");
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            }
        }
    }

    /// Whom to ask, in a sentence.
    fn ask(&self, help: &str) -> String {
        if help.is_empty() {
            return self.t.portal_ask_somebody().into();
        }
        self.t.portal_ask(help.trim_end_matches(['.', '。']))
    }
}

/// What stands around the body of a page.
#[derive(Default)]
struct Page<'a> {
    status: StatusCode,
    title: &'a str,
    /// The name of the workspace; empty where there is none.
    workspace: &'a str,
    /// The member who is signed on.
    name: Option<&'a str>,
    /// Where the choice of a language leads back to; the portal where nothing is said.
    address: Option<&'a str>,
}

#[derive(Template)]
#[template(path = "portal/frame.html")]
struct Frame<'a> {
    t: Texts,
    taste: &'a Taste,
    title: &'a str,
    workspace: &'a str,
    home: &'a str,
    address: &'a str,
    name: Option<&'a str>,
    style: &'static str,
    icon: &'static str,
    body: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Wanted {
    q: String,
}

/// The portal of the member who is signed on; whoever is not is led to where members sign in.
async fn show(
    State(console): State<Console>,
    Path(id): Path<String>,
    Query(Wanted { q }): Query<Wanted>,
    headers: HeaderMap,
    extensions: Extensions,
) -> Response {
    let guest = Guest::of(&console, id, &headers, &extensions);
    match guest.own().await {
        Ok(Some(own)) => items::show(&guest, &own, q.trim()),
        Ok(None) => at_the_door(&guest).await,
        Err(refused) => refusal::show(&guest, &refused).await,
    }
}

#[derive(Template)]
#[template(path = "portal/door.html")]
struct Door<'a> {
    t: Texts,
    heading: &'a str,
    text: &'a str,
    /// Where the portal is.
    elsewhere: &'a str,
}

async fn at_the_door(guest: &Guest) -> Response {
    let t = guest.t;
    match guest.door().await {
        Some(door) if door.provider.is_some() => Redirect::to(&format!("{}/sign-in", guest.home())).into_response(),
        Some(door) => {
            let body = Door { t, heading: &door.workspace, text: t.portal_elsewhere(), elsewhere: &door.url };
            let page = Page { title: &door.workspace, workspace: &door.workspace, ..Page::default() };
            guest.page(page, &body)
        }
        None => {
            let body = Door { t, heading: t.portal_nowhere(), text: t.portal_nowhere_text(), elsewhere: "" };
            guest.page(Page { status: StatusCode::NOT_FOUND, title: t.portal_nowhere(), ..Page::default() }, &body)
        }
    }
}

/// Remembers language and theme in the browser, for the portals alone.
async fn change_taste(Path(id): Path<String>, sent: Sent) -> Response {
    let language = Language::of_tag(sent.get("language")).unwrap_or_default();
    let theme = Theme::ALL.into_iter().find(|theme| theme.as_str() == sent.get("theme")).unwrap_or_default();
    let mut response = Redirect::to(&safe(&id, sent.get("back"))).into_response();
    let kept = [(visitor::LANGUAGE, language.tag()), (visitor::THEME, theme.as_str())];
    for (name, value) in kept {
        response.headers_mut().append(header::SET_COOKIE, remember_at(ROOT, name, value));
    }
    response
}

/// The address to go back to: a page of this portal, never of another host.
fn safe(id: &str, back: &str) -> String {
    let home = home(id);
    let rest = back.strip_prefix(&home);
    let is_ours = rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']));
    if is_ours && !back.contains("//") && !back.contains('\\') { back.to_owned() } else { home }
}

#[cfg(test)]
mod tests {
    use super::safe;

    #[test]
    fn w15_the_choice_of_a_language_leads_back_to_the_same_portal_only() {
        for back in ["//evil.example", "/portal/acme//evil.example", "https://evil.example", "/portal/acmex", "/ui", ""]
        {
            assert_eq!(safe("acme", back), "/portal/acme", "{back}");
        }
        for back in ["/portal/acme", "/portal/acme?q=wiki", "/portal/acme/signed-out"] {
            assert_eq!(safe("acme", back), back);
        }
    }
}
