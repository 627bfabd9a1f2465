//! A stand-in for WeChat: of its third-party platform tickets, tokens, pre-authorisation codes, the page on which merchants
//! authorise, grants and their renewal, pushes; of official accounts what `official` says; and faults in all of them.

pub mod official;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::{
        Arc, LazyLock, Mutex, MutexGuard,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use axum::{
    Json, Router,
    extract::{Path, Query, State},
    routing::post,
};
use berth_work::{config::Config, wechat::Crypt};
use reqwest::Url;
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinHandle};

use crate::{Answer, Api, HTTP, Host, scene::text};

/// The app id of the third-party platform. It and the secrets below are canaries, which must not turn up in anything
/// that the host stores or writes.
pub const PLATFORM: &str = "wx1234567890abcdef";
/// The third-party platform's app secret, a canary.
pub const APP_SECRET: &str = "canary-app-secret-0123456789abcdef";
/// The third-party platform's token for the signatures of pushes, a canary.
pub const TOKEN: &str = "canary-token";
/// The third-party platform's key for the encryption of pushes, a canary.
pub const AES_KEY: &str = "canaryAESkey0123456789abcdefghijklmnopqrstA";
/// The public address in the host's settings. The tests replace it with the real one before they open a link.
const PUBLIC: &str = "http://berth.test";

/// What goes wrong at the next call of some name.
#[derive(Clone, Copy, Debug)]
pub enum Fault {
    /// WeChat answers with this error code, and nothing is done.
    Refuse(i64),
    /// WeChat does not answer, and nothing is done.
    Silence,
    /// WeChat does not answer, but the call is done.
    LostAnswer,
    /// The call is done, and answered without the first and with an empty second member of its information.
    Instead(&'static str, &'static str),
    /// The call is done, and answered so late that a browser may be gone, but before the host gives up.
    Late,
}

/// An account of a merchant at WeChat.
#[derive(Clone, Debug)]
pub struct Account {
    /// The name that people see.
    pub name: String,
    /// Whether the account is a mini-program.
    pub mini_program: bool,
    /// The permission sets that the merchant grants.
    pub categories: Vec<i64>,
    refresh: String,
}

#[derive(Default)]
struct World {
    ticket: String,
    component_tokens: Vec<String>,
    accounts: BTreeMap<String, Account>,
    codes: BTreeMap<String, String>,
    faults: BTreeMap<String, VecDeque<Fault>>,
    calls: Vec<String>,
    secrets: Vec<String>,
    token_life: i64,
    link_life: i64,
    /// The tokens of accounts that have authorised the platform, each with its account.
    access_tokens: BTreeMap<String, String>,
    official: BTreeMap<String, official::Official>,
    /// The codes of silent OAuth: of which account, for whom, and for which platform.
    visits: BTreeMap<String, (String, String, String)>,
    open_ids: BTreeSet<String>,
    taken: Vec<official::Taken>,
}

/// The stand-in for WeChat, which ends when this value is dropped.
pub struct Wechat {
    /// The address of its API.
    pub url: String,
    world: Arc<Mutex<World>>,
    serving: JoinHandle<()>,
    http: reqwest::Client,
}

impl Drop for Wechat {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// How long `Fault::Silence` lasts: longer than the host waits.
const SILENCE: Duration = Duration::from_secs(20);

/// How late `Fault::Late` is: late for a browser, but not for the host.
const LATE: Duration = Duration::from_millis(600);

fn locked(world: &Mutex<World>) -> MutexGuard<'_, World> {
    world.lock().unwrap()
}

impl World {
    /// Makes a new secret, and remembers that it was given out.
    fn fresh(&mut self, what: &str) -> String {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let secret = format!("canary-{what}-{}", NEXT.fetch_add(1, Ordering::SeqCst));
        self.secrets.push(secret.clone());
        secret
    }

    fn answer(&mut self, call: &str, token: Option<&String>, body: &Value) -> Result<Value, i64> {
        let field = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
        if field("component_appid") != PLATFORM {
            return Err(40013);
        }
        if call == "api_component_token" {
            if field("component_appsecret") != APP_SECRET {
                return Err(40125);
            }
            return self.component_token(&field("component_verify_ticket"));
        }
        if !token.is_some_and(|token| self.component_tokens.contains(token)) {
            return Err(42001);
        }
        match call {
            "api_create_preauthcode" => {
                Ok(json!({"pre_auth_code": self.fresh("preauth"), "expires_in": self.link_life}))
            }
            "api_query_auth" => self.query_auth(&field("authorization_code")),
            "api_authorizer_token" => self.refresh(&field("authorizer_appid"), &field("authorizer_refresh_token")),
            "api_get_authorizer_info" => self.info(&field("authorizer_appid")),
            _ => Err(48001),
        }
    }

    fn component_token(&mut self, ticket: &str) -> Result<Value, i64> {
        if ticket != self.ticket {
            return Err(61006);
        }
        let token = self.fresh("component");
        self.component_tokens.push(token.clone());
        Ok(json!({"component_access_token": token, "expires_in": self.token_life}))
    }

    fn query_auth(&mut self, code: &str) -> Result<Value, i64> {
        let id = self.codes.remove(code).ok_or(61010)?;
        let (access, refresh) = (self.fresh("access"), self.fresh("refresh"));
        let life = self.token_life;
        self.access_tokens.insert(access.clone(), id.clone());
        let account = self.accounts.get_mut(&id).ok_or(61003)?;
        account.refresh.clone_from(&refresh);
        let granted: Vec<_> = account.categories.iter().map(|id| json!({"funcscope_category": {"id": id}})).collect();
        Ok(json!({"authorization_info": {
            "authorizer_appid": id, "authorizer_access_token": access, "expires_in": life,
            "authorizer_refresh_token": refresh, "func_info": granted,
        }}))
    }

    fn refresh(&mut self, id: &str, refresh: &str) -> Result<Value, i64> {
        let (access, life) = (self.fresh("access"), self.token_life);
        let account = self.accounts.get(id).ok_or(61003)?;
        if account.refresh.is_empty() {
            return Err(61003);
        }
        if account.refresh != refresh {
            return Err(61023);
        }
        self.access_tokens.insert(access.clone(), id.to_owned());
        Ok(json!({"authorizer_access_token": access, "expires_in": life, "authorizer_refresh_token": refresh}))
    }

    fn info(&self, id: &str) -> Result<Value, i64> {
        let account = self.accounts.get(id).ok_or(61003)?;
        let mut info = json!({"nick_name": account.name, "user_name": "gh_0"});
        if account.mini_program {
            info["MiniProgramInfo"] = json!({"network": {}});
        }
        Ok(json!({"authorizer_info": info, "authorization_info": {"authorizer_appid": id}}))
    }
}

async fn call(
    State(world): State<Arc<Mutex<World>>>,
    Path(call): Path<String>,
    Query(query): Query<BTreeMap<String, String>>,
    Json(body): Json<Value>,
) -> Json<Value> {
    meet(&world, &call, |world| world.answer(&call, query.get("component_access_token"), &body)).await
}

/// Answers a call, unless a fault waits for one of its name.
async fn meet(world: &Mutex<World>, call: &str, answer: impl Fn(&mut World) -> Result<Value, i64>) -> Json<Value> {
    let fault = {
        let mut world = locked(world);
        world.calls.push(call.to_owned());
        world.faults.get_mut(call).and_then(VecDeque::pop_front)
    };
    let refusal = |errcode: i64| json!({"errcode": errcode, "errmsg": "refused by the stand-in"});
    let answer = || answer(&mut locked(world)).unwrap_or_else(refusal);
    match fault {
        None => Json(answer()),
        Some(Fault::Refuse(errcode)) => Json(refusal(errcode)),
        Some(Fault::Instead(without, empty)) => {
            let mut answer = answer();
            if let Some(info) = answer["authorization_info"].as_object_mut() {
                info.remove(without);
                info.insert(empty.into(), json!(""));
            }
            Json(answer)
        }
        Some(Fault::Late) => {
            let answer = answer();
            tokio::time::sleep(LATE).await;
            Json(answer)
        }
        Some(fault) => {
            if matches!(fault, Fault::LostAnswer) {
                answer();
            }
            tokio::time::sleep(SILENCE).await;
            Json(refusal(-1))
        }
    }
}

impl Wechat {
    /// Starts the stand-in, with no accounts, on any free port of loopback.
    pub async fn start() -> Self {
        LazyLock::force(&HTTP);
        let world = Arc::new(Mutex::new(World { token_life: 7200, link_life: 1800, ..World::default() }));
        let routes = Router::new().route("/cgi-bin/component/{call}", post(call)).merge(official::routes());
        let routes = routes.with_state(world.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let serving = tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { url, world, serving, http }
    }

    /// Changes the settings of a host so that it uses the stand-in.
    pub fn configure(&self, config: &mut Config) {
        config.public_url = Some(PUBLIC.into());
        let wechat = &mut config.wechat;
        wechat.wechat_app_id = Some(PLATFORM.into());
        wechat.wechat_app_secret = Some(APP_SECRET.parse().unwrap());
        wechat.wechat_token = Some(TOKEN.parse().unwrap());
        wechat.wechat_aes_key = Some(AES_KEY.parse().unwrap());
        wechat.wechat_base_url.clone_from(&self.url);
        wechat.wechat_open_url.clone_from(&self.url);
        wechat.wechat_timeout = 1;
    }

    /// Adds an account of a merchant.
    pub fn account(&self, id: &str, mini_program: bool, categories: &[i64]) {
        let account = Account {
            name: format!("Shop {id}"),
            mini_program,
            categories: categories.to_vec(),
            refresh: String::new(),
        };
        locked(&self.world).accounts.insert(id.into(), account);
    }

    /// Makes the next call of this name meet a fault. Several faults of one name are met one after the other.
    pub fn fault(&self, call: &str, fault: Fault) {
        locked(&self.world).faults.entry(call.into()).or_default().push_back(fault);
    }

    /// How often a call was made.
    pub fn calls(&self, name: &str) -> usize {
        locked(&self.world).calls.iter().filter(|call| *call == name).count()
    }

    /// All secrets that it has given out, and the secrets of the third-party platform.
    pub fn secrets(&self) -> Vec<String> {
        let own = [APP_SECRET, TOKEN, AES_KEY].map(str::to_owned);
        locked(&self.world).secrets.iter().cloned().chain(own).collect()
    }

    /// Sets for how many seconds new tokens and new links are valid.
    pub fn lives(&self, token: i64, link: i64) {
        let mut world = locked(&self.world);
        (world.token_life, world.link_life) = (token, link);
    }

    /// Ends all tokens of the third-party platform.
    pub fn forget_tokens(&self) {
        locked(&self.world).component_tokens.clear();
    }

    /// Pushes a new ticket, as WeChat does every ten minutes.
    pub async fn push_ticket(&self, host: &Host) {
        let ticket = locked(&self.world).fresh("ticket");
        locked(&self.world).ticket.clone_from(&ticket);
        let message = format!(
            "<InfoType>component_verify_ticket</InfoType><ComponentVerifyTicket>{ticket}</ComponentVerifyTicket>"
        );
        self.push(host, &message).await.heard();
    }

    /// Pushes that the merchant authorised, with the authorisation code.
    pub async fn push_code(&self, host: &Host, kind: &str, visit: &Visit) -> Pushed {
        let message = format!(
            "<InfoType>{kind}</InfoType><AuthorizerAppid>{}</AuthorizerAppid><AuthorizationCode><![CDATA[{}]]></AuthorizationCode>\
             <AuthorizationCodeExpiredTime>0</AuthorizationCodeExpiredTime><PreAuthCode>{}</PreAuthCode>",
            visit.account, visit.code, visit.pre_auth
        );
        self.push(host, &message).await
    }

    /// The merchant takes the authorisation back, and WeChat pushes that it happened `ago` seconds ago.
    pub async fn revoke(&self, host: &Host, account: &str, ago: i64) -> Pushed {
        if let Some(known) = locked(&self.world).accounts.get_mut(account) {
            known.refresh.clear();
        }
        let message = format!("<InfoType>unauthorized</InfoType><AuthorizerAppid>{account}</AuthorizerAppid>");
        self.push_at(host, &message, now() - ago).await
    }

    /// WeChat sends a message that somebody wrote to `account` to the message URL.
    pub async fn message(&self, host: &Host, account: &str) -> Pushed {
        let (query, body) = envelope("<MsgType>text</MsgType><Content>hello</Content>", now());
        Pushed::of(self.http.post(format!("{}/v1/wechat/messages/{account}?{query}", host.url)).body(body)).await
    }

    /// The merchant takes the authorisation back, and WeChat does not push it.
    pub fn revoke_silently(&self, account: &str) {
        if let Some(known) = locked(&self.world).accounts.get_mut(account) {
            known.refresh.clear();
        }
    }

    async fn push(&self, host: &Host, message: &str) -> Pushed {
        self.push_at(host, message, now()).await
    }

    async fn push_at(&self, host: &Host, message: &str, at: i64) -> Pushed {
        let (query, body) = envelope(message, at);
        Pushed::of(self.http.post(format!("{}/v1/wechat/push?{query}", host.url)).body(body)).await
    }

    /// A merchant opens the host's link, goes on to WeChat and agrees, for which WeChat makes a code.
    pub async fn agree(&self, host: &Host, link: &str, account: &str) -> Visit {
        let page = self.http.get(local(host, link)).send().await.unwrap();
        assert_eq!(page.status().as_u16(), 200);
        let page = page.text().await.unwrap();
        let href = page.split("href=\"").nth(1).unwrap().split('"').next().unwrap().replace("&amp;", "&");
        let login: BTreeMap<_, _> = Url::parse(&href).unwrap().query_pairs().into_owned().collect();
        assert_eq!(login["component_appid"], PLATFORM);
        let code = self.new_code(account);
        Visit {
            account: account.into(),
            code,
            pre_auth: login["pre_auth_code"].clone(),
            back: login["redirect_uri"].clone(),
        }
    }

    /// A merchant agrees on WeChat's own pages, without a link of the host.
    pub fn agree_elsewhere(&self, account: &str) -> Visit {
        let code = self.new_code(account);
        Visit { account: account.into(), code, pre_auth: String::new(), back: String::new() }
    }

    fn new_code(&self, account: &str) -> String {
        let mut world = locked(&self.world);
        let code = world.fresh("code");
        world.codes.insert(code.clone(), account.into());
        code
    }

    /// The merchant's browser comes back to the host. Returns the status and the page.
    pub async fn come_back(&self, host: &Host, visit: &Visit) -> (u16, String) {
        let back = format!("{}&auth_code={}&expires_in=600", local(host, &visit.back), visit.code);
        let answer = self.http.get(back).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    /// The merchant's browser comes back, and is closed before the page is there.
    pub async fn come_back_and_leave(&self, host: &Host, visit: &Visit) {
        let before = self.calls("api_query_auth");
        let coming = self.come_back(host, visit);
        let asked = async {
            while self.calls("api_query_auth") == before {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::select! {
            (status, page) = coming => panic!("the page is there: {status} {page}"),
            () = asked => {}
        }
    }
}

/// What a merchant did on WeChat's page.
#[derive(Clone)]
pub struct Visit {
    /// The app id of the account that the merchant authorised.
    pub account: String,
    /// The authorisation code that WeChat made.
    pub code: String,
    /// The pre-authorisation code of the link; empty when the merchant came without one.
    pub pre_auth: String,
    back: String,
}

/// The host's answer to a push: the status and the body.
pub struct Pushed(pub u16, pub String);

impl Pushed {
    async fn of(request: reqwest::RequestBuilder) -> Self {
        let answer = request.send().await.unwrap();
        Self(answer.status().as_u16(), answer.text().await.unwrap())
    }

    /// Asserts that the host took the push.
    pub fn heard(&self) {
        assert_eq!((self.0, self.1.as_str()), (200, "success"));
    }
}

fn now() -> i64 {
    #[expect(clippy::disallowed_methods, reason = "the stand-in's own clock")]
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    now.as_secs() as i64
}

/// Makes the query and the body of a push with these fields, signed now, about something that happened at `at`.
fn envelope(fields: &str, at: i64) -> (String, String) {
    let crypt = Crypt::new(TOKEN.parse().unwrap(), &AES_KEY.parse().unwrap(), PLATFORM).unwrap();
    let message = format!("<xml><AppId>{PLATFORM}</AppId><CreateTime>{at}</CreateTime>{fields}</xml>");
    let encrypted = crypt.encrypt([7; 16], message.as_bytes());
    let (timestamp, nonce) = (now().to_string(), "4711");
    let signature = crypt.sign(&timestamp, nonce, &encrypted);
    let query = format!("timestamp={timestamp}&nonce={nonce}&encrypt_type=aes&msg_signature={signature}");
    (query, format!("<xml><AppId>{PLATFORM}</AppId><Encrypt><![CDATA[{encrypted}]]></Encrypt></xml>"))
}

/// Sends a push whose signature is wrong, as somebody who does not know the secrets would.
pub async fn forged(host: &Host) -> Pushed {
    let (query, body) = envelope("<InfoType>unauthorized</InfoType>", now());
    let query = query.replace("nonce=4711", "nonce=4712");
    Pushed::of(crate::http().post(format!("{}/v1/wechat/push?{query}", host.url)).body(body)).await
}

fn local(host: &Host, address: &str) -> String {
    assert!(address.starts_with(PUBLIC), "{address}");
    address.replacen(PUBLIC, &host.url, 1)
}

/// A host that uses WeChat, with the merchant `bos-1`. The merchant has two product instances, and a custom endpoint
/// application of one of them.
pub struct Stage {
    /// The stand-in for WeChat that the host uses.
    pub wechat: Wechat,
    /// The host, which knows WeChat's address and has a ticket.
    pub host: Host,
    /// A client that acts as the admin of everything.
    pub admin: Api,
    /// The CID of the custom endpoint application.
    pub cid: String,
}

/// The app id of the merchant's account in all tests.
pub const SHOP: &str = "wxaaaaaaaaaaaaaaaa";

impl Stage {
    /// Restarts `host` with the settings of a stand-in for WeChat, and creates the merchant on it.
    pub async fn set(host: Host) -> Self {
        let wechat = Wechat::start().await;
        wechat.account(SHOP, true, &[17, 18, 25]);
        let host = host.again(|config| wechat.configure(config)).await;
        wechat.push_ticket(&host).await;
        let admin = host.admin();
        admin.post("/v1/merchants", json!({"name": "Merchant", "id": "bos-1"})).await.good();
        for instance in ["pi-1", "pi-2"] {
            let message = json!({
                "id": format!("m-{instance}"), "merchant": "bos-1", "instance": instance, "product": "mall",
                "kind": "purchase", "at": "2026-01-01T00:00:00Z", "name": instance,
            });
            admin.post("/v1/fulfilments", message).await.good();
        }
        let new = json!({"merchant": "bos-1", "name": "Shop", "products": ["pi-1"]});
        let cid = text(&admin.post("/v1/endpoint-apps", new).await.good()["id"]);
        Self { wechat, host, admin, cid }
    }

    /// Stops the host, and starts it again on its data.
    pub async fn restart(self) -> Self {
        let host = self.host.again(|_| {}).await;
        Self { admin: host.admin(), host, ..self }
    }

    /// Begins a channel authorisation, whose request `more` adds members to, and returns it.
    pub async fn begin(&self, more: Value) -> Value {
        let mut body = json!({"merchant": "bos-1", "kind": "wechat_mini_program"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.admin.post("/v1/channel-authorisations", body).await.good()
    }

    /// Begins a channel authorisation, to which the merchant agrees with the account [`SHOP`]. Returns its id and the
    /// visit.
    pub async fn agreed(&self, more: Value) -> (String, Visit) {
        let run = self.begin(more).await;
        let visit = self.wechat.agree(&self.host, &text(&run["url"]), SHOP).await;
        (text(&run["id"]), visit)
    }

    /// Reads a channel authorisation.
    pub async fn run(&self, id: &str) -> Value {
        self.admin.get(&format!("/v1/channel-authorisations/{id}")).await.good()
    }

    /// Waits until a channel authorisation has come to a state, and returns it. Some steps go on by themselves.
    pub async fn reaches(&self, id: &str, state: &str) -> Value {
        for _ in 0..400 {
            let run = self.run(id).await;
            if run["state"] == state {
                return run;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("not {state} in 20 s: {}", self.run(id).await);
    }

    /// Waits until there is an event of this type about the subject.
    pub async fn tells(&self, subject: &str, kind: &str) {
        for _ in 0..400 {
            if self.told(subject).await.iter().any(|told| told == kind) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("no {kind} in 20 s: {}", self.run(subject).await);
    }

    /// Has the merchant authorise [`SHOP`] once more, on WeChat's own pages, and waits for the channel, which it returns.
    pub async fn given_anew(&self) -> Value {
        let visit = self.wechat.agree_elsewhere(SHOP);
        self.wechat.push_code(&self.host, "authorized", &visit).await.heard();
        for _ in 0..200 {
            let channel = self.channels().await.swap_remove(0);
            if channel["state"] == "authorised" {
                return channel;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("not authorised in 10 s: {:?}", self.channels().await);
    }

    /// Posts to an action of a channel authorisation, such as `abandon`.
    pub async fn act(&self, id: &str, verb: &str, body: Value) -> Answer {
        self.admin.post(&format!("/v1/channel-authorisations/{id}/{verb}"), body).await
    }

    /// Returns the channels of the merchant.
    pub async fn channels(&self) -> Vec<Value> {
        self.admin.get("/v1/channels?merchant=bos-1").await.good()["items"].as_array().unwrap().clone()
    }

    /// Counts the endpoint applications of the merchant.
    pub async fn endpoint_apps(&self) -> usize {
        self.admin.get("/v1/endpoint-apps?merchant=bos-1").await.good()["items"].as_array().unwrap().len()
    }

    /// Returns the types of the events about a subject, in order.
    pub async fn told(&self, subject: &str) -> Vec<String> {
        let events = self.admin.get("/v1/events?limit=1000").await.good();
        let about = events["items"].as_array().unwrap().iter().filter(|event| event["subject"] == subject);
        about.map(|event| text(&event["type"])).collect()
    }
}
