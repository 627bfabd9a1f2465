//! What the stand-in knows of official accounts: silent OAuth, their tokens, and template messages.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

use axum::{
    Json, Router,
    extract::{Query, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use berth_base::ids::Digest;
use reqwest::Url;
use serde_json::{Value, json};

use super::{PLATFORM, Wechat, World, locked, meet};
use crate::Host;

/// The header by which a browser tells the stand-in who looks at its page.
const PERSON: &str = "x-person";

/// An official account at WeChat.
#[derive(Default)]
pub(super) struct Official {
    secret: String,
    templates: BTreeSet<String>,
    blocked_by: BTreeSet<String>,
    token: String,
}

/// A message that WeChat has taken.
#[derive(Clone, Debug)]
pub struct Taken {
    /// The account that sent it.
    pub app_id: String,
    /// The whole of it.
    pub body: Value,
}

/// The OpenID of a person at an account.
pub fn open_id(app_id: &str, person: &str) -> String {
    format!("o{}", &Digest::of(format!("{app_id} {person}").as_bytes()).as_str()[..27])
}

pub(super) fn routes() -> Router<Arc<Mutex<World>>> {
    Router::new()
        .route("/connect/oauth2/authorize", get(authorise))
        .route("/sns/oauth2/access_token", get(oauth))
        .route("/sns/oauth2/component/access_token", get(component_oauth))
        .route("/cgi-bin/stable_token", post(stable_token))
        .route("/cgi-bin/message/template/send", post(send))
}

type Parameters = Query<BTreeMap<String, String>>;
type Worlds = State<Arc<Mutex<World>>>;

/// The page that asks nothing: it sends the browser of a person straight back, with a code.
async fn authorise(State(world): Worlds, Query(query): Parameters, headers: HeaderMap) -> Response {
    let given = |name: &str| query.get(name).cloned().unwrap_or_default();
    let (app_id, state) = (given("appid"), given("state"));
    let is_plain = !state.is_empty() && state.len() <= 128 && state.bytes().all(|b| b.is_ascii_alphanumeric());
    if given("response_type") != "code" || given("scope") != "snsapi_base" || !is_plain {
        return StatusCode::BAD_REQUEST.into_response();
    }
    let person = headers.get(PERSON).and_then(|name| name.to_str().ok()).unwrap_or("visitor").to_owned();
    let code = {
        let mut world = locked(&world);
        let code = world.fresh("oauth");
        world.visits.insert(code.clone(), (app_id.clone(), person, given("component_appid")));
        code
    };
    let back = Url::parse_with_params(&given("redirect_uri"), [("code", code), ("state", state)]).unwrap();
    (StatusCode::FOUND, [(header::LOCATION, back.to_string())]).into_response()
}

fn named(world: &mut World, query: &BTreeMap<String, String>, component: &str) -> Result<Value, i64> {
    let code = query.get("code").cloned().unwrap_or_default();
    let app_id = query.get("appid").cloned().unwrap_or_default();
    match world.visits.get(&code) {
        Some((of, _, by)) if *of == app_id && by == component => {}
        _ => return Err(40029),
    }
    let Some((_, person, _)) = world.visits.remove(&code) else { return Err(40163) };
    let (access, refresh) = (world.fresh("visit-access"), world.fresh("visit-refresh"));
    let mut answer = json!({"access_token": access, "expires_in": 7200, "refresh_token": refresh,
        "openid": open_id(&app_id, &person), "scope": "snsapi_base"});
    world.open_ids.insert(open_id(&app_id, &person));
    if person == "snapshot" {
        answer["is_snapshotuser"] = json!(1);
    }
    Ok(answer)
}

async fn oauth(State(world): Worlds, Query(query): Parameters) -> Json<Value> {
    meet(&world, "oauth2/access_token", |world| {
        let official = query.get("appid").and_then(|id| world.official.get(id)).ok_or(40013)?;
        if query.get("secret") != Some(&official.secret) {
            return Err(40125);
        }
        named(world, &query, "")
    })
    .await
}

async fn component_oauth(State(world): Worlds, Query(query): Parameters) -> Json<Value> {
    meet(&world, "oauth2/component/access_token", |world| {
        if !query.get("component_access_token").is_some_and(|token| world.component_tokens.contains(token)) {
            return Err(42001);
        }
        let account = query.get("appid").and_then(|id| world.accounts.get(id)).ok_or(61003)?;
        if account.refresh.is_empty() {
            return Err(61003);
        }
        named(world, &query, PLATFORM)
    })
    .await
}

async fn stable_token(State(world): Worlds, Json(body): Json<Value>) -> Json<Value> {
    meet(&world, "stable_token", |world| {
        let app_id = body["appid"].as_str().unwrap_or_default();
        let (life, fresh) = (world.token_life, world.fresh("stable"));
        let official = world.official.get_mut(app_id).ok_or(40013)?;
        if body["secret"] != official.secret {
            return Err(40125);
        }
        if official.token.is_empty() {
            official.token = fresh;
        }
        Ok(json!({"access_token": official.token, "expires_in": life}))
    })
    .await
}

async fn send(State(world): Worlds, Query(query): Parameters, Json(body): Json<Value>) -> Json<Value> {
    meet(&world, "template/send", |world| {
        let token = query.get("access_token").cloned().unwrap_or_default();
        let own = world.official.iter().find(|(_, official)| !token.is_empty() && official.token == token);
        let app_id = own.map(|(id, _)| id.clone()).or_else(|| world.access_tokens.get(&token).cloned());
        let app_id = app_id.ok_or(40001)?;
        let official = world.official.get(&app_id).ok_or(40013)?;
        if !official.templates.contains(body["template_id"].as_str().unwrap_or_default()) {
            return Err(40037);
        }
        if official.blocked_by.contains(body["touser"].as_str().unwrap_or_default()) {
            return Err(43004);
        }
        // WeChat takes a message with the same id once.
        if !world.taken.iter().any(|taken| taken.body["client_msg_id"] == body["client_msg_id"]) {
            world.taken.push(Taken { app_id, body: body.clone() });
        }
        Ok(json!({"errcode": 0, "errmsg": "ok", "msgid": 200_228_332}))
    })
    .await
}

impl Wechat {
    /// Adds an official account, or changes its secret. Its templates are called `tmpl-` and the last letter of its app id.
    pub fn official(&self, app_id: &str, secret: &str) {
        let mut world = locked(&self.world);
        world.secrets.push(secret.to_owned());
        let official = world.official.entry(app_id.to_owned()).or_default();
        official.secret = secret.to_owned();
        official.token.clear();
        official.templates.insert(template_of(app_id));
    }

    /// Ends the access tokens of all official accounts.
    pub fn forget_stable_tokens(&self) {
        locked(&self.world).official.values_mut().for_each(|official| official.token.clear());
    }

    /// A person does not follow an account any more, or follows it again.
    pub fn follows(&self, app_id: &str, person: &str, follows: bool) {
        let mut world = locked(&self.world);
        let blocked = &mut world.official.get_mut(app_id).unwrap().blocked_by;
        let open_id = open_id(app_id, person);
        blocked.retain(|one| *one != open_id);
        blocked.extend((!follows).then_some(open_id));
    }

    /// The template messages that it has taken.
    pub fn taken(&self) -> Vec<Taken> {
        locked(&self.world).taken.clone()
    }

    /// All OpenIDs that it has named.
    pub fn open_ids(&self) -> Vec<String> {
        locked(&self.world).open_ids.iter().cloned().collect()
    }
}

/// The id of the template of an official account.
pub fn template_of(app_id: &str) -> String {
    format!("tmpl-{}", &app_id[app_id.len() - 1..])
}

/// The browser of a person, with its cookies.
pub struct Browser {
    person: String,
    cookies: BTreeMap<String, String>,
    http: reqwest::Client,
}

/// Where a browser has come to.
#[derive(Debug)]
pub struct Stop {
    /// The status of the answer.
    pub status: u16,
    /// Where it leads to; empty when it is a page.
    pub to: String,
    /// What the page says.
    pub page: String,
}

impl Browser {
    /// The browser of a person, without cookies.
    pub fn of(person: &str) -> Self {
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { person: person.into(), cookies: BTreeMap::new(), http }
    }

    /// Opens an address, without following where it leads.
    pub async fn open(&mut self, address: &str) -> Stop {
        self.ask(self.http.get(address)).await
    }

    /// Sends a form without fields from a page of the same host, without following where it leads.
    pub async fn press(&mut self, address: &str) -> Stop {
        self.ask(self.http.post(address).header("sec-fetch-site", "same-origin")).await
    }

    async fn ask(&mut self, request: reqwest::RequestBuilder) -> Stop {
        let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = request.header(PERSON, &self.person).header("cookie", cookies.join("; "));
        let answer = request.send().await.unwrap();
        for line in answer.headers().get_all("set-cookie") {
            let (name, value) = line.to_str().unwrap().split(';').next().unwrap().split_once('=').unwrap();
            self.cookies.insert(name.into(), value.into());
        }
        let led = |name: &str| answer.headers().get(name).map(|to| to.to_str().unwrap().to_owned());
        let refreshed = || led("refresh").and_then(|to| to.strip_prefix("0; url=").map(str::to_owned));
        let to = led("location").or_else(refreshed).unwrap_or_default();
        Stop { status: answer.status().as_u16(), to, page: answer.text().await.unwrap() }
    }

    /// Opens an entry link of the host, and follows it by WeChat and back, until it leads to a page of a merchant or no
    /// further. Returns where it stopped, and how often it was at WeChat.
    pub async fn enter(&mut self, host: &Host, path: &str) -> (Stop, usize) {
        let mut stop = self.open(&format!("{}{path}", host.url)).await;
        let mut at_wechat = 0;
        while stop.to.contains("/connect/oauth2/authorize") || stop.to.starts_with(super::PUBLIC) {
            at_wechat += usize::from(stop.to.contains("/connect/oauth2/authorize"));
            let to = stop.to.replacen(super::PUBLIC, &host.url, 1);
            stop = self.open(&to).await;
        }
        (stop, at_wechat)
    }
}

impl Stop {
    /// A member of the query of the page that it leads to.
    pub fn query(&self, name: &str) -> Option<String> {
        let url = Url::parse(&self.to).ok()?;
        url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }
}
