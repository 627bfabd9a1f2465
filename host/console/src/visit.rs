//! One request of somebody who is signed in.

use askama::Template;
use axum::{
    extract::{FromRequestParts, OriginalUri},
    http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Redirect, Response},
};
use berth_base::clock::Millis;
use berth_model::{
    access::{Action, Caller, Me, Role, Scope, ScopeKind},
    mini_app::MiniApp,
};

use crate::{
    Console,
    api::Api,
    frame::{self, Around, Entry, Head},
    path::at,
    refused::{Refused, invalid},
    show::{self, When},
    texts::Texts,
    visitor::{Taste, cookie, session_cookie},
};

/// Somebody who is signed in, and what they asked for.
pub struct Visit {
    pub api: Api,
    pub me: Me,
    /// What the visitor may do.
    pub caller: Caller,
    pub taste: Taste,
    /// The texts in the language of the visitor.
    pub t: Texts,
    /// The address that was asked for, to which forms and signing in lead back.
    pub address: String,
    /// What the page before has to say, such as that it did what it was asked.
    pub said: Option<String>,
    /// When it was asked for.
    pub now: Millis,
    /// The address of the host for browsers, without a slash at the end.
    pub origin: String,
}

/// A page, or why there is none.
pub type Answer = Result<Response, Shown>;

/// A refusal, shown in the taste of the visitor.
pub struct Shown(Box<Response>);

impl IntoResponse for Shown {
    fn into_response(self) -> Response {
        *self.0
    }
}

impl FromRequestParts<Console> for Visit {
    type Rejection = Shown;

    async fn from_request_parts(parts: &mut Parts, console: &Console) -> Result<Self, Shown> {
        let taste = Taste::of(&parts.headers);
        let OriginalUri(uri) =
            OriginalUri::from_request_parts(parts, console).await.unwrap_or_else(|never| match never {});
        let address = uri.path_and_query().map_or("/ui", |path| path.as_str()).to_owned();
        let token = token(&parts.headers, console.is_secure());
        let shown = |refused: Refused| Shown(Box::new(refused.show(&taste)));
        let Some(token) = token else { return Err(shown(Refused::NotSignedIn(address))) };
        let api = Api::new(console.api.clone(), Some(token), &parts.extensions).by(&parts.headers);
        let me = match api.me().await {
            Ok(me) => me,
            Err(Refused::ByApi(refusal)) if refusal.status == 401 => return Err(shown(Refused::NotSignedIn(address))),
            Err(refused) => return Err(shown(refused)),
        };
        if me.owes_second_factor && !may_come_first(uri.path()) {
            return Err(Shown(Box::new(Redirect::to(SET_UP).into_response())));
        }
        let said = cookie(&parts.headers, frame::SAID).and_then(frame::read_said);
        let caller = caller(&me);
        let (now, origin) = (console.clock.now(), console.origin(&parts.headers));
        Ok(Self { api, me, caller, t: taste.t, taste, address, said, now, origin })
    }
}

/// Where a second factor is set up.
const SET_UP: &str = "/ui/me/second-factor";

/// Whether a page is for somebody who has yet to set up the second factor that the host requires (P22).
fn may_come_first(path: &str) -> bool {
    path.starts_with(SET_UP) || path == "/ui/sign-out"
}

fn caller(me: &Me) -> Caller {
    let grants = me.grants.iter().filter_map(|grant| Some((Scope::parse(grant.scope, &grant.id).ok()?, grant.role)));
    let (account, token) = (me.account.id.clone(), me.token.id.clone());
    Caller { account, token, token_scopes: me.token.scopes.clone(), grants: grants.collect() }
}

/// The token of the session of the browser, as the API takes it.
fn token(headers: &HeaderMap, is_secure: bool) -> Option<HeaderValue> {
    let token = cookie(headers, session_cookie(is_secure)).filter(|token| !token.is_empty())?;
    let mut value = HeaderValue::from_str(&format!("Bearer {token}")).ok()?;
    value.set_sensitive(true);
    Some(value)
}

impl Visit {
    /// A page with this body.
    pub fn page(&self, head: Head<'_>, body: &impl Template) -> Answer {
        Ok(page(self, &head, body))
    }

    /// A refusal as the visitor sees it: below the menu, by which they can go on.
    pub fn refuse(&self, refused: Refused) -> Shown {
        let response = refused.show_in(&self.taste, |status, title, body| {
            frame::framed(&self.taste, status, &Head { title, ..Head::default() }, self.around(""), body)
        });
        Shown(Box::new(response))
    }

    /// What stands around a page at this place of the menu.
    fn around(&self, place: &str) -> Around<'_> {
        Around {
            menu: menu(self, place),
            name: Some(&self.me.account.name),
            address: &self.address,
            said: self.said.as_deref(),
        }
    }

    /// Whether the visitor may do this there, by the rule of the API.
    pub fn can(&self, action: Action, scope: &Scope) -> bool {
        self.caller.can(action, scope)
    }

    /// The address of the events of all places, for those who may read them; others would be refused.
    pub fn live_everywhere(&self, address: &str) -> Option<String> {
        self.caller.reads_everything().then(|| address.to_owned())
    }

    /// The address of the events of a MiniApp, for those who may read them.
    pub fn live_of(&self, app: &MiniApp) -> Option<String> {
        self.can(Action::Read, &app.scope()).then(|| at!("/ui/live?mini_app={}", app.id))
    }

    /// Whether there is anything whose acts the visitor may read.
    pub fn reads_acts(&self) -> bool {
        self.can(Action::ReadActs, &Scope::Platform)
            || ScopeKind::ALL.iter().any(|kind| self.caller.can_somewhere(Action::ReadActs, *kind))
    }

    /// The ids of the scopes of a kind in which the visitor has a role.
    pub fn scopes(&self, kind: ScopeKind) -> impl Iterator<Item = &str> {
        self.me.grants.iter().filter(move |grant| grant.scope == kind).map(|grant| grant.id.as_str())
    }
}

impl Visit {
    /// The moment that a field says in the zone of the visitor; `None` for one that is left empty.
    ///
    /// # Errors
    /// What to fill in, for what is no moment.
    pub fn moment(&self, field: &str, text: &str) -> Result<Option<Millis>, Refused> {
        if text.is_empty() {
            return Ok(None);
        }
        let at = show::from_field(text, &self.taste.zone);
        at.map(Some).ok_or_else(|| invalid(self.t, field, self.t.no_moment()))
    }

    /// A moment in the zone of the visitor.
    pub fn when(&self, at: &Millis) -> When {
        show::when(*at, &self.taste.zone)
    }
}

/// The places that an account with these roles has something to do at.
fn menu(visit: &Visit, place: &str) -> Vec<Entry> {
    let t = visit.t;
    let caller = &visit.caller;
    let has = |kind| caller.reads_everything() || visit.scopes(kind).next().is_some();
    let decides = caller
        .grants
        .iter()
        .any(|(scope, role)| matches!(scope, Scope::HostApp(_)) && matches!(role, Role::Admin | Role::Auditor));
    let invites = caller.grants.iter().any(|(scope, _)| caller.can(Action::ManageMembers, scope));
    let places = [
        (t.home(), "/ui", true),
        (t.mini_apps(), "/ui/mini-apps", has(ScopeKind::Team) || has(ScopeKind::HostApp)),
        (t.audits(), "/ui/audits", caller.reads_everything() || decides),
        (t.host_apps(), "/ui/host-apps", has(ScopeKind::HostApp)),
        (t.merchants(), "/ui/merchants", has(ScopeKind::Merchant)),
        (t.official_accounts(), "/ui/official-accounts", has(ScopeKind::Merchant)),
        (t.workspaces(), "/ui/workspaces", has(ScopeKind::Workspace)),
        (t.policies(), "/ui/policies", true),
        (t.events(), "/ui/events", true),
        (t.acts(), "/ui/acts", visit.reads_acts()),
        (t.webhooks(), "/ui/webhooks", true),
        (t.accounts(), "/ui/accounts", caller.can(Action::Read, &Scope::Platform) || invites),
    ];
    let entry = |(name, address, _)| Entry { name, address, is_here: address == place };
    places.into_iter().filter(|(.., is_offered)| *is_offered).map(entry).collect()
}

/// A page for somebody who is signed in.
fn page(visit: &Visit, head: &Head<'_>, body: &impl Template) -> Response {
    let mut response = frame::framed(&visit.taste, StatusCode::OK, head, visit.around(head.place), body);
    if visit.said.is_some() {
        let forget = HeaderValue::from_static("berth_said=; Path=/ui; Max-Age=0; HttpOnly; SameSite=Lax");
        response.headers_mut().append(header::SET_COOKIE, forget);
    }
    response
}

/// Turns what the API refused into what the visitor sees: `api.get(…).await.or_show(&visit)?`.
pub trait OrShow<T> {
    fn or_show(self, visit: &Visit) -> Result<T, Shown>;
}

impl<T> OrShow<T> for Result<T, Refused> {
    fn or_show(self, visit: &Visit) -> Result<T, Shown> {
        self.map_err(|refused| visit.refuse(refused))
    }
}
