//! A stand-in for WeCom (企业微信): the address book of one organisation as its API documents it, read by the secret of an application or
//! by that of the contact sync, with callbacks, and with faults on demand.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, LazyLock, Mutex, MutexGuard},
    time::{SystemTime, UNIX_EPOCH},
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Path, Query, State},
    http::Method,
    response::{IntoResponse, Response},
    routing::any,
};
use berth_work::wechat::Crypt;
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinHandle};

use crate::{HTTP, Host, http};

/// The id of the organisation.
pub const CORP: &str = "ww0123456789abcdef";
/// The secret of an application of the organisation, a canary.
pub const SECRET: &str = "canary-wecom-application-secret";
/// The secret of the contact sync, which reads ids only, a canary.
pub const SYNC_SECRET: &str = "canary-wecom-contact-sync-secret";
/// The token of callbacks, a canary.
pub const CALLBACK_TOKEN: &str = "canaryCallbackToken";
/// The EncodingAESKey of callbacks, a canary.
pub const CALLBACK_KEY: &str = "canaryCallbackKey0123456789abcdefghijklmnop";

/// What goes wrong at the next call of some name.
#[derive(Clone, Copy, Debug)]
pub enum Fault {
    /// It is refused with this error code.
    Refuse(i64),
    /// All access tokens end before it is answered.
    Expired,
    /// The connection breaks off in the middle of the answer.
    Cut,
    /// The answer is a page of somebody else.
    Page,
}

#[derive(Clone, Debug)]
struct Person {
    departments: Vec<i64>,
    told: Value,
}

#[derive(Default)]
struct World {
    departments: BTreeMap<i64, (String, i64)>,
    /// Departments that are there, and that the list of them leaves out.
    unlisted: Vec<i64>,
    people: BTreeMap<String, Person>,
    tags: BTreeMap<i64, (String, Vec<String>, Vec<i64>)>,
    tokens: Vec<(String, bool)>,
    faults: BTreeMap<String, VecDeque<Fault>>,
    calls: Vec<String>,
    /// Who is in no list of a department though they are there, as who moves while the lists are read.
    moving: Vec<String>,
}

/// The stand-in for WeCom, which ends when this value is dropped.
pub struct Wecom {
    /// The address of its API.
    pub url: String,
    world: Arc<Mutex<World>>,
    serving: JoinHandle<()>,
}

impl Drop for Wecom {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

fn locked(world: &Mutex<World>) -> MutexGuard<'_, World> {
    world.lock().unwrap()
}

type Asked = BTreeMap<String, String>;

impl World {
    fn answer(&mut self, call: &str, query: &Asked, body: &Value) -> Result<Value, i64> {
        let asked = |name: &str| query.get(name).cloned().unwrap_or_default();
        if call == "gettoken" {
            return self.token(&asked("corpid"), &asked("corpsecret"));
        }
        let token = asked("access_token");
        let (_, is_sync) = *self.tokens.iter().find(|(known, _)| *known == token).ok_or(42001)?;
        let number = |name: &str| asked(name).parse::<i64>().map_err(|_| 40035);
        match call {
            "department/list" | "user/list" | "user/get" if is_sync => Err(48002),
            "department/list" => Ok(json!({"department": self.listed(|id, name, parent| {
                json!({"id": id, "name": name, "name_en": "", "parentid": parent, "order": 1, "department_leader": []})
            })})),
            "department/simplelist" => Ok(
                json!({"department_id": self.listed(|id, _, parent| json!({"id": id, "parentid": parent, "order": 1}))}),
            ),
            "user/list" => self.of_department(number("department_id")?),
            "user/get" => self.people.get(&asked("userid")).map(|person| person.told.clone()).ok_or(60111),
            "user/list_id" if !is_sync => Err(48002),
            "user/list_id" => Ok(self.ids(body)),
            "tag/list" => {
                let tags = self.tags.iter().map(|(id, (name, ..))| json!({"tagid": id, "tagname": name}));
                Ok(json!({"taglist": tags.collect::<Vec<_>>()}))
            }
            "tag/get" => {
                let (name, people, parties) = self.tags.get(&number("tagid")?).ok_or(40068)?;
                let people: Vec<_> = people.iter().map(|id| json!({"userid": id, "name": id})).collect();
                Ok(json!({"tagname": name, "userlist": people, "partylist": parties}))
            }
            _ => Err(40066),
        }
    }

    fn token(&mut self, corp: &str, secret: &str) -> Result<Value, i64> {
        let is_sync = match (corp, secret) {
            (CORP, SECRET) => false,
            (CORP, SYNC_SECRET) => true,
            (CORP, _) => return Err(40001),
            _ => return Err(40013),
        };
        // While one is good, the same is given again.
        let token = match self.tokens.iter().find(|(_, of)| *of == is_sync) {
            Some((token, _)) => token.clone(),
            None => {
                let token = format!("canary-wecom-access-{}", self.calls.len());
                self.tokens.push((token.clone(), is_sync));
                token
            }
        };
        Ok(json!({"access_token": token, "expires_in": 7200}))
    }

    fn listed(&self, tell: impl Fn(i64, &str, i64) -> Value) -> Vec<Value> {
        let listed = self.departments.iter().filter(|(id, _)| !self.unlisted.contains(id));
        listed.map(|(id, (name, parent))| tell(*id, name, *parent)).collect()
    }

    fn of_department(&self, id: i64) -> Result<Value, i64> {
        self.departments.get(&id).ok_or(60003)?;
        let of = self.people.iter().filter(|(_, person)| person.departments.contains(&id));
        let of = of.filter(|(id, _)| !self.moving.contains(id));
        Ok(json!({"userlist": of.map(|(_, person)| person.told.clone()).collect::<Vec<_>>()}))
    }

    /// Pages of ids, small ones, so that there are several.
    fn ids(&self, body: &Value) -> Value {
        let all = self
            .people
            .iter()
            .flat_map(|(id, person)| person.departments.iter().map(move |department| (id, *department)));
        let from: usize = body["cursor"].as_str().unwrap_or_default().parse().unwrap_or(0);
        let page: Vec<_> =
            all.skip(from).take(3).map(|(id, department)| json!({"userid": id, "department": department})).collect();
        let next = if page.len() == 3 { (from + 3).to_string() } else { String::new() };
        json!({"next_cursor": next, "dept_user": page})
    }
}

async fn call(
    State(world): State<Arc<Mutex<World>>>,
    Path(call): Path<String>,
    method: Method,
    Query(query): Query<Asked>,
    body: Bytes,
) -> Response {
    let mut world = locked(&world);
    world.calls.push(call.clone());
    assert_eq!(method == Method::POST, call == "user/list_id", "{method} {call}");
    let fault = world.faults.get_mut(&call).and_then(VecDeque::pop_front);
    let refusal = |errcode: i64| json!({"errcode": errcode, "errmsg": "not allowed, from ip: 203.0.113.7"});
    let body = serde_json::from_slice(&body).unwrap_or_default();
    if matches!(fault, Some(Fault::Expired)) {
        world.tokens.clear();
    }
    let answer = match fault {
        Some(Fault::Refuse(errcode)) => refusal(errcode),
        Some(Fault::Page) => return "<html>canary of a proxy</html>".into_response(),
        _ => match world.answer(&call, &query, &body) {
            Ok(mut answer) => {
                answer["errcode"] = 0.into();
                answer["errmsg"] = "ok".into();
                answer
            }
            Err(errcode) => refusal(errcode),
        },
    };
    let text = answer.to_string();
    if matches!(fault, Some(Fault::Cut)) {
        let half = Bytes::from(text.as_bytes()[..text.len() / 2].to_vec());
        let parts = [Ok(half), Err(std::io::Error::other("cut"))];
        return Body::from_stream(futures_util::stream::iter(parts)).into_response();
    }
    ([("content-type", "application/json; charset=UTF-8")], text).into_response()
}

impl Wecom {
    /// Starts the stand-in on any free port of loopback. The organisation has its department at the top, and nobody.
    pub async fn start() -> Self {
        LazyLock::force(&HTTP);
        let world = World { departments: BTreeMap::from([(1, ("Acme".into(), 0))]), ..World::default() };
        let world = Arc::new(Mutex::new(world));
        let routes = Router::new().route("/cgi-bin/{*call}", any(call)).with_state(world.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let serving = tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        Self { url, world, serving }
    }

    /// Adds or changes a department.
    pub fn department(&self, id: i64, name: &str, parent: i64) {
        locked(&self.world).departments.insert(id, (name.into(), parent));
    }

    /// Takes a department away.
    pub fn close(&self, id: i64) {
        locked(&self.world).departments.remove(&id);
    }

    /// Leaves departments out of the list of them, though they are there.
    pub fn unlist(&self, ids: &[i64]) {
        locked(&self.world).unlisted = ids.to_vec();
    }

    /// Adds or changes a person, of whom also `more` is told.
    pub fn person(&self, id: &str, departments: &[i64], more: Value) {
        let mut told = json!({"userid": id, "department": departments, "status": 1, "isleader": 0, "main_department": departments[0]});
        told.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        locked(&self.world).people.insert(id.into(), Person { departments: departments.to_vec(), told });
    }

    /// Adds people `u00000` and so on, each in this department.
    pub fn people(&self, number: usize, department: i64) {
        for number in 0..number {
            self.person(&format!("u{number:05}"), &[department], json!({"name": format!("Person {number}")}));
        }
    }

    /// Takes a person away.
    pub fn leave(&self, id: &str) {
        locked(&self.world).people.remove(id);
    }

    /// Leaves people out of the lists of their departments, though they are there.
    pub fn moving(&self, ids: &[&str]) {
        locked(&self.world).moving = ids.iter().map(|id| (*id).to_owned()).collect();
    }

    /// Adds or changes a tag.
    pub fn tag(&self, id: i64, name: &str, people: &[&str], departments: &[i64]) {
        let people = people.iter().map(|id| (*id).to_owned()).collect();
        locked(&self.world).tags.insert(id, (name.into(), people, departments.to_vec()));
    }

    /// Takes a tag away.
    pub fn untag(&self, id: i64) {
        locked(&self.world).tags.remove(&id);
    }

    /// Makes the next call of this name meet a fault. Several faults of one name are met one after the other.
    pub fn fault(&self, call: &str, fault: Fault) {
        locked(&self.world).faults.entry(call.into()).or_default().push_back(fault);
    }

    /// How often a call was made.
    pub fn calls(&self, name: &str) -> usize {
        locked(&self.world).calls.iter().filter(|call| *call == name).count()
    }

    /// What a workspace is told about the organisation.
    pub fn settings(&self) -> Value {
        json!({"kind": "wecom", "corp_id": CORP, "secret": SECRET, "base_url": self.url})
    }
}

fn now() -> i64 {
    #[expect(clippy::disallowed_methods, reason = "the stand-in's own clock")]
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    now.as_secs() as i64
}

fn crypt() -> Crypt {
    Crypt::new(CALLBACK_TOKEN.parse().unwrap(), &CALLBACK_KEY.parse().unwrap(), CORP).unwrap()
}

/// The query of a push: the signature, the time and the nonce.
pub type Signed = Vec<(&'static str, String)>;

/// The query that signs an encrypted text.
fn signed(encrypted: &str) -> Signed {
    let (timestamp, nonce) = (now().to_string(), "380320359");
    let signature = crypt().sign(&timestamp, nonce, encrypted);
    vec![("msg_signature", signature), ("timestamp", timestamp), ("nonce", nonce.into())]
}

/// WeCom tries an address of callbacks by a text. Returns status and answer.
pub async fn try_address(host: &Host, workspace: &str, text: &str) -> (u16, String) {
    let encrypted = crypt().encrypt([7; 16], text.as_bytes());
    let mut query = signed(&encrypted);
    query.push(("echostr", encrypted));
    let url = reqwest::Url::parse_with_params(&format!("{}/v1/wecom/directory/{workspace}", host.url), query).unwrap();
    let answer = http().get(url).send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

/// WeCom tells an event. `forge` changes the query before it is sent. Returns status and answer.
pub async fn push(host: &Host, workspace: &str, fields: &str, forge: impl Fn(&mut Signed)) -> (u16, String) {
    let message = format!(
        "<xml><ToUserName><![CDATA[{CORP}]]></ToUserName><FromUserName><![CDATA[sys]]></FromUserName>\
         <CreateTime>{}</CreateTime><MsgType><![CDATA[event]]></MsgType>{fields}</xml>",
        now()
    );
    let encrypted = crypt().encrypt([7; 16], message.as_bytes());
    let mut query = signed(&encrypted);
    forge(&mut query);
    let url = reqwest::Url::parse_with_params(&format!("{}/v1/wecom/directory/{workspace}", host.url), query).unwrap();
    let body = format!(
        "<xml><ToUserName><![CDATA[{CORP}]]></ToUserName><AgentID><![CDATA[]]></AgentID><Encrypt><![CDATA[{encrypted}]]></Encrypt></xml>"
    );
    let answer = http().post(url).body(body).send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}
