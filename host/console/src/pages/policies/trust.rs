//! Whose signatures of policies are trusted at a place, and whether policies have to be signed there.

use axum::{
    Router,
    extract::{Path, Query},
    http::Method,
    routing::get,
};
use serde::Deserialize;

use berth_model::{
    access::{Action, Scope, ScopeKind},
    host_app::HostApp,
    policy::registry::{
        Algorithm, Identity, Level, NewTrustedKey, RemovedKey, SetSigningRule, SigningRule, TrustScope, TrustedKey,
    },
};

use super::PLACE;
use crate::{
    Console,
    act::{Confirm, Sent},
    frame::{Head, done},
    parts::{Badge, Filled, Names, Tone},
    path::{at, with_query},
    refused::{Refused, not_found, read},
    texts::Texts,
    visit::{Answer, OrShow, Shown, Visit},
};

const HERE: &str = "/ui/policy-trust";

pub fn routes() -> Router<Console> {
    Router::new()
        .route(HERE, get(one).post(trust))
        .route("/ui/policy-trust/require", get(confirm_require).post(require))
        .route("/ui/policy-trust/keys/{key}/remove", get(confirm_remove).post(remove))
}

/// The address of the page about a host app or a team.
pub fn address(level: Level, id: impl ToString) -> String {
    Place(TrustScope { level, id: id.to_string() }).at(HERE)
}

/// The place of an address; the platform where it names none.
#[derive(Default, Deserialize)]
#[serde(default)]
struct At {
    level: String,
    id: String,
}

impl At {
    fn place(self, visit: &Visit) -> Result<Place, Shown> {
        if self.level.is_empty() {
            return Ok(Place(TrustScope::platform()));
        }
        Ok(Place(TrustScope { level: read("level", &self.level).or_show(visit)?, id: self.id }))
    }
}

/// Where keys are trusted and signatures are required.
struct Place(TrustScope);

impl Place {
    /// An address, of the API or of the console, that is about this place.
    fn at(&self, path: &str) -> String {
        with_query(path, [("level", Some(self.0.level.as_str())), ("id", Some(&self.0.id))])
    }

    fn scope(&self) -> Result<Scope, Refused> {
        let kind = match self.0.level {
            Level::Platform => ScopeKind::Platform,
            Level::HostApp => ScopeKind::HostApp,
            Level::Team => ScopeKind::Team,
        };
        Scope::parse(kind, &self.0.id).map_err(|_| not_found())
    }

    /// What people call it.
    async fn name(&self, visit: &Visit) -> Result<String, Refused> {
        let id = &self.0.id;
        Ok(match self.0.level {
            Level::Platform => visit.t.scope_platform().into(),
            Level::HostApp => visit.api.get::<HostApp>(&at!("/v1/host-apps/{}", id)).await?.name,
            Level::Team => visit.api.team(id).await?.map_or_else(|| id.clone(), |team| team.name),
        })
    }

    /// How a command names it.
    fn option(&self) -> String {
        match self.0.level {
            Level::Platform => String::new(),
            Level::HostApp => format!(" --host-app {}", self.0.id),
            Level::Team => format!(" --team {}", self.0.id),
        }
    }

    async fn keys(&self, visit: &Visit) -> Result<Vec<TrustedKey>, Refused> {
        visit.api.list(&self.at("/v1/policy-keys")).await
    }

    async fn rule(&self, visit: &Visit) -> Result<SigningRule, Refused> {
        visit.api.get(&self.at("/v1/policy-signing")).await
    }
}

#[derive(askama::Template)]
#[template(path = "policies/trust.html")]
struct Page<'a> {
    t: Texts,
    visit: &'a Visit,
    title: &'a str,
    place: &'a Place,
    keys: &'a [TrustedKey],
    rule: &'a SigningRule,
    /// Whether there is a key by which a requirement could be met.
    could_sign: bool,
    names: &'a Names,
    may_change: bool,
    filled: &'a Filled,
}

impl Page<'_> {
    fn badge(&self) -> Badge {
        let t = self.t;
        match self.rule.required {
            true => Badge { tone: Tone::Ok, mark: "✓", word: t.signing_required() },
            false => Badge { tone: Tone::Neutral, mark: "–", word: t.signing_not_required() },
        }
    }

    /// How a key signs. The names of algorithms are the same in all languages.
    fn algorithm(&self, key: &TrustedKey) -> &'static str {
        match key.algorithm {
            Algorithm::EcdsaP256 => "ECDSA P-256",
            Algorithm::Ed25519 => "Ed25519",
            Algorithm::Identity => self.t.key_by_certificate(),
        }
    }

    fn remove(&self, key: &TrustedKey) -> String {
        self.place.at(&at!("/ui/policy-trust/keys/{}/remove", key.id))
    }

    fn command(&self) -> String {
        let at = self.place.option();
        format!(
            "berth policy trust add NAME --key cosign.pub{at}\nberth policy trust list{at}\nberth policy trust show{at}"
        )
    }
}

/// The head of a page about a place.
fn head<'a>(visit: &Visit, title: &'a str) -> Head<'a> {
    let above = vec![(visit.t.policies().to_owned(), PLACE.to_owned())];
    Head { title, above, place: PLACE, live: None }
}

/// The head of a page about an act at a place.
fn below<'a>(visit: &Visit, title: &'a str, place: &Place) -> Head<'a> {
    let mut head = head(visit, title);
    head.above.push((visit.t.policy_keys().to_owned(), place.at(HERE)));
    head
}

async fn one(visit: Visit, Query(at): Query<At>) -> Answer {
    let place = at.place(&visit)?;
    show_page(&visit, &place, &Filled::default()).await
}

async fn show_page(visit: &Visit, place: &Place, filled: &Filled) -> Answer {
    let (keys, rule) = (place.keys(visit).await.or_show(visit)?, place.rule(visit).await.or_show(visit)?);
    let title = visit.t.policy_keys_of(place.name(visit).await.or_show(visit)?);
    let people = keys.iter().map(|key| key.added_by.as_str()).chain(rule.set_by.as_deref());
    let page = Page {
        t: visit.t,
        visit,
        title: &title,
        place,
        could_sign: could_sign(visit, place, &keys).await.or_show(visit)?,
        keys: &keys,
        rule: &rule,
        names: &Names::of(&visit.api, people).await,
        may_change: visit.can(Action::Configure, &place.scope().or_show(visit)?),
        filled,
    };
    visit.page(head(visit, &title), &page)
}

/// Whether there is a key by which a requirement could be met: one of the platform meets that of every place.
async fn could_sign(visit: &Visit, place: &Place, keys: &[TrustedKey]) -> Result<bool, Refused> {
    if !keys.is_empty() || place.0.level == Level::Platform {
        return Ok(!keys.is_empty());
    }
    Ok(!Place(TrustScope::platform()).keys(visit).await?.is_empty())
}

async fn trust(visit: Visit, Query(at): Query<At>, sent: Sent) -> Answer {
    let place = at.place(&visit)?;
    let [issuer, subject] = ["issuer", "subject"].map(|field| sent.get(field).trim().to_owned());
    let new = NewTrustedKey {
        scope: place.0.clone(),
        name: sent.get("name").into(),
        key: sent.get("key").into(),
        identity: [&issuer, &subject].iter().any(|said| !said.is_empty()).then_some(Identity { issuer, subject }),
    };
    match visit.api.act(Method::POST, "/v1/policy-keys", &new).await {
        Ok(()) => done(&place.at(HERE), &visit.t.key_trusted(&new.name)),
        Err(refused) => show_page(&visit, &place, &sent.again(&visit, refused)?).await,
    }
}

async fn confirm_require(visit: Visit, Query(at): Query<At>) -> Answer {
    let place = at.place(&visit)?;
    show_require(&visit, &place, &Filled::default()).await
}

async fn show_require(visit: &Visit, place: &Place, filled: &Filled) -> Answer {
    let t = visit.t;
    let is_on = place.rule(visit).await.or_show(visit)?.required;
    let (act, effects, command) = match (is_on, place.0.level) {
        (true, _) => (t.signing_end(), vec![t.signing_end_effect()], "require --off"),
        (false, Level::Platform) => {
            (t.signing_begin(), vec![t.signing_platform_effect(), t.signing_goes_on()], "require")
        }
        (false, _) => (t.signing_begin(), vec![t.signing_place_effect(), t.signing_goes_on()], "require"),
    };
    let confirm = Confirm {
        act: act.into(),
        effects: effects.into_iter().map(str::to_owned).collect(),
        is_dangerous: is_on,
        // What is sent is what the page says, also where somebody else was faster.
        hidden: if is_on { Vec::new() } else { vec![("required".into(), "on".into())] },
        command: format!("berth policy trust {command}{}", place.option()),
        back: place.at(HERE),
        ..Confirm::default()
    };
    confirm.show(visit, below(visit, act, place), filled)
}

async fn require(visit: Visit, Query(at): Query<At>, sent: Sent) -> Answer {
    let place = at.place(&visit)?;
    let set = SetSigningRule { scope: place.0.clone(), required: sent.is_on("required") };
    match visit.api.act(Method::PUT, "/v1/policy-signing", &set).await {
        Ok(()) if set.required => done(&place.at(HERE), visit.t.signing_begun()),
        Ok(()) => done(&place.at(HERE), visit.t.signing_ended()),
        Err(refused) => show_require(&visit, &place, &sent.again(&visit, refused)?).await,
    }
}

async fn confirm_remove(visit: Visit, Path(id): Path<String>, Query(at): Query<At>) -> Answer {
    let place = at.place(&visit)?;
    show_remove(&visit, &place, &id, &Filled::default()).await
}

async fn show_remove(visit: &Visit, place: &Place, id: &str, filled: &Filled) -> Answer {
    let t = visit.t;
    let keys = place.keys(visit).await.or_show(visit)?;
    let Some(key) = keys.iter().find(|key| key.id.as_str() == id) else { return Err(visit.refuse(not_found())) };
    let others: Vec<_> = keys.iter().filter(|other| other.id != key.id).cloned().collect();
    let is_last = !could_sign(visit, place, &others).await.or_show(visit)?;
    let is_required = place.rule(visit).await.or_show(visit)?.required;
    let confirm = Confirm {
        act: t.key_remove().into(),
        effects: vec![t.key_remove_effect(&key.name), t.signing_goes_on().into()],
        cautions: (is_last && is_required).then(|| t.key_is_last().into()).into_iter().collect(),
        is_dangerous: true,
        command: format!("berth policy trust remove {id}"),
        back: place.at(HERE),
        ..Confirm::default()
    };
    let title = format!("{} · {}", t.key_remove(), key.name);
    confirm.show(visit, below(visit, &title, place), filled)
}

async fn remove(visit: Visit, Path(id): Path<String>, Query(at): Query<At>, sent: Sent) -> Answer {
    let place = at.place(&visit)?;
    match visit.api.tell::<RemovedKey>(Method::DELETE, &at!("/v1/policy-keys/{}", id), &()).await {
        Ok(removed) if removed.unsigned.is_empty() => done(&place.at(HERE), visit.t.key_removed()),
        Ok(removed) => done(&place.at(HERE), &visit.t.key_removed_unsigned(removed.unsigned.len())),
        Err(refused) => show_remove(&visit, &place, &id, &sent.again(&visit, refused)?).await,
    }
}
