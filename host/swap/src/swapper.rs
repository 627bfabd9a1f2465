//! Swaps OpenIDs: by what is remembered, and by asking the host for the rest.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use reqwest::{Client, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use berth_base::{ids::MiniAppId, secret::Secret};
use berth_model::{
    app_secret::SERVER_TOKEN_SECONDS,
    identity::{MOST_SWAPPED, Swap, Swapped, Way},
    user::OpenId,
};

use crate::{Asker, refusal::Refusal, remember::Remembered};

/// How long the host may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long before its end a server token is not used any more.
const EARLY: Duration = Duration::from_secs(300);

/// For each OpenID the other one; `None` where there is none to be told.
pub(crate) type Swaps = HashMap<OpenId, Option<OpenId>>;

/// Swaps the OpenIDs of one MiniApp and those of its partner.
pub(crate) struct Swapper {
    http: Client,
    asker: Asker,
    /// The partner, in whose name the host is asked.
    app: MiniAppId,
    other: MiniAppId,
    remembered: Remembered,
    aging: Mutex<Aging>,
    token: tokio::sync::Mutex<Option<Token>>,
}

/// What is remembered for a little while yet, and was just asked for.
#[derive(Default)]
struct Aging {
    open_ids: HashSet<(Way, OpenId)>,
    /// Whether somebody renews them.
    is_renewed: bool,
}

#[derive(Clone)]
struct Token {
    secret: Arc<Secret>,
    until: Instant,
}

#[derive(Deserialize)]
struct Issued {
    token: Secret,
}

/// Why the host did not answer what it was asked.
enum Failure {
    /// The server token is not valid any more.
    Token,
    Other(Refusal),
}

impl Swapper {
    pub(crate) fn new(http: Client, asker: Asker, app: MiniAppId, other: MiniAppId, remember: Duration) -> Self {
        let remembered = Remembered::new(remember);
        Self { http, asker, app, other, remembered, aging: Mutex::default(), token: Default::default() }
    }

    /// Swaps OpenIDs. Those that are remembered and soon forgotten are renewed meanwhile, so that a user who goes on waits for the
    /// host only once.
    ///
    /// # Errors
    /// [`Refusal::Host`] when the host does not answer, or refuses.
    pub(crate) async fn swap(
        self: &Arc<Self>,
        way: Way,
        open_ids: impl IntoIterator<Item = OpenId>,
    ) -> Result<Swaps, Refusal> {
        let now = Instant::now();
        let (mut swaps, mut unknown, mut aging) = (Swaps::new(), Vec::new(), Vec::new());
        for open_id in open_ids.into_iter().collect::<HashSet<_>>() {
            let Some(known) = self.remembered.get(way, &open_id, now) else {
                unknown.push(open_id);
                continue;
            };
            if known.is_aging {
                aging.push((way, open_id.clone()));
            }
            swaps.insert(open_id, known.other);
        }
        self.renew(aging);
        for some in unknown.chunks(MOST_SWAPPED) {
            swaps.extend(some.iter().cloned().zip(self.learn(way, some).await?));
        }
        Ok(swaps)
    }

    /// Asks the host, and remembers what it says.
    async fn learn(&self, way: Way, open_ids: &[OpenId]) -> Result<Vec<Option<OpenId>>, Refusal> {
        let asked = Instant::now();
        let others = self.ask(way, open_ids).await?;
        for (open_id, other) in open_ids.iter().zip(&others) {
            self.remembered.put(way, open_id.clone(), other.clone(), asked);
        }
        Ok(others)
    }

    /// Has these OpenIDs renewed, by one question at a time: those that come during one are in the next.
    fn renew(self: &Arc<Self>, open_ids: Vec<(Way, OpenId)>) {
        if open_ids.is_empty() {
            return;
        }
        let mut aging = self.aging();
        aging.open_ids.extend(open_ids);
        if std::mem::replace(&mut aging.is_renewed, true) {
            return;
        }
        let swapper = self.clone();
        tokio::spawn(async move {
            while let Some((way, some)) = swapper.next_to_renew() {
                // What cannot be renewed is forgotten in time; then the request that needs it is told why.
                let _ = swapper.learn(way, &some).await;
            }
        });
    }

    /// OpenIDs for one question; `None` at the end.
    fn next_to_renew(&self) -> Option<(Way, Vec<OpenId>)> {
        let mut aging = self.aging();
        let Some((way, _)) = aging.open_ids.iter().next().cloned() else {
            aging.is_renewed = false;
            return None;
        };
        let mut some = Vec::new();
        aging.open_ids.retain(|(its_way, open_id)| {
            let is_now = *its_way == way && some.len() < MOST_SWAPPED;
            if is_now {
                some.push(open_id.clone());
            }
            !is_now
        });
        Some((way, some))
    }

    fn aging(&self) -> MutexGuard<'_, Aging> {
        self.aging.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks the host, and once more with a new server token when the one at hand was ended by a reset or a restart.
    async fn ask(&self, way: Way, open_ids: &[OpenId]) -> Result<Vec<Option<OpenId>>, Refusal> {
        let token = self.token().await?;
        match self.ask_with(&token, way, open_ids).await {
            Err(Failure::Token) => {}
            Err(Failure::Other(refusal)) => return Err(refusal),
            Ok(swapped) => return Ok(swapped),
        }
        self.token.lock().await.take_if(|kept| Arc::ptr_eq(&kept.secret, &token.secret));
        let token = self.token().await?;
        self.ask_with(&token, way, open_ids).await.map_err(|failure| match failure {
            Failure::Token => Refusal::Host("The host refuses the server token that it has just issued.".into()),
            Failure::Other(refusal) => refusal,
        })
    }

    async fn ask_with(&self, token: &Token, way: Way, open_ids: &[OpenId]) -> Result<Vec<Option<OpenId>>, Failure> {
        let (to, from) = match way {
            Way::To => (Some(self.other.clone()), None),
            Way::From => (None, Some(self.other.clone())),
        };
        let request = self.http.post(format!("{}/v1/swap", self.asker.server)).bearer_auth(token.secret.expose());
        let body = Swap { to, from, open_ids: open_ids.to_vec() };
        let answer = sent(request.json(&body)).await?;
        let swapped: Swapped = answer.json().await.map_err(|_| strange())?;
        if swapped.open_ids.len() == open_ids.len() { Ok(swapped.open_ids) } else { Err(strange()) }
    }

    /// A server token that is valid for a while. Of many who need a new one at once, one asks for it.
    async fn token(&self) -> Result<Token, Refusal> {
        let mut kept = self.token.lock().await;
        let now = Instant::now();
        if let Some(token) = kept.as_ref().filter(|token| token.until > now) {
            return Ok(token.clone());
        }
        let body = json!({"mini_app": self.app, "secret": self.asker.secret.expose()});
        let request = self.http.post(format!("{}/v1/server-tokens", self.asker.server)).json(&body);
        let issued = match sent(request).await {
            Ok(answer) => answer.json::<Issued>().await.map_err(|_| strange()),
            Err(failure) => Err(failure),
        };
        let issued = issued.map_err(|failure| match failure {
            Failure::Token => Refusal::Host("The host does not take the AppSecret of the partner.".into()),
            Failure::Other(refusal) => refusal,
        })?;
        let lasts = Duration::from_secs(u64::try_from(SERVER_TOKEN_SECONDS).unwrap_or_default()).saturating_sub(EARLY);
        let token = Token { secret: Arc::new(issued.token), until: now + lasts };
        *kept = Some(token.clone());
        Ok(token)
    }

    /// Asks the host whether it would swap, so that what is set up wrong is told at the start.
    ///
    /// # Errors
    /// As for [`Swapper::swap`].
    pub(crate) async fn try_out(&self) -> Result<(), Refusal> {
        self.ask(Way::To, &[OpenId::of_mac(&[0; 32])]).await.map(drop)
    }
}

fn strange() -> Failure {
    Failure::Other(Refusal::Host("The host answered something else than was asked. Is --server a Berth host?".into()))
}

/// The answer of the host, if it is a good one.
async fn sent(request: reqwest::RequestBuilder) -> Result<reqwest::Response, Failure> {
    let unreachable =
        |_| Failure::Other(Refusal::Host("The host cannot be reached, or did not answer in time.".into()));
    let answer = request.timeout(PATIENCE).send().await.map_err(unreachable)?;
    if answer.status().is_success() {
        return Ok(answer);
    }
    if answer.status() == StatusCode::UNAUTHORIZED {
        return Err(Failure::Token);
    }
    let problem: Value = answer.json().await.map_err(|_| strange())?;
    let said = problem["detail"].as_str().unwrap_or("The host refuses, and does not say why.");
    Err(Failure::Other(Refusal::Host(said.to_owned())))
}
