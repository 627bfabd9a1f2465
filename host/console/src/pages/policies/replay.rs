//! What an auditor would say of versions that are stored, before it is bound.

use axum::{
    Router,
    extract::{Path, Query},
    http::Method,
    routing::get,
};
use serde_json::Value;

use berth_base::page::Page as ListPage;
use berth_model::{
    policy::{Finding, registry::InstalledPolicy},
    replay::{NewReplay, ReplayChange, ReplayOver, ReplayedVersion, Revision},
};

use super::{Place, bindings::scope, head, places, policy};
use crate::{
    Console,
    act::Sent,
    parts::{Badge, Filled, Shown, Tone},
    path::at,
    refused::Refused,
    schema::{self, Field},
    texts::Texts,
    visit::{Answer, OrShow, Visit},
};

pub fn routes() -> Router<Console> {
    Router::new().route("/ui/policies/{policy}/replay", get(replay))
}

#[derive(askama::Template)]
#[template(path = "policies/replay.html")]
struct Page<'a> {
    t: Texts,
    it: &'a InstalledPolicy,
    /// Other versions of the policy, with which it can be compared.
    others: Vec<&'a InstalledPolicy>,
    places: &'a [Place],
    fields: Vec<Field>,
    /// What came of it, once somebody has asked, and where it goes on.
    found: Option<(Vec<ReplayedVersion>, Option<String>)>,
    filled: &'a Filled,
}

impl Shown for ReplayChange {
    fn badge(&self, t: &Texts) -> Badge {
        let (tone, mark, word) = match self {
            Self::Same => (Tone::Neutral, "＝", t.replay_same()),
            Self::NewlyRejected => (Tone::Bad, "✕", t.replay_newly_rejected()),
            Self::NoLongerRejected => (Tone::Ok, "✓", t.replay_no_longer_rejected()),
            Self::OtherFindings => (Tone::Info, "i", t.replay_other_findings()),
            Self::Failed => (Tone::Warn, "!", t.replay_failed()),
        };
        Badge { tone, mark, word }
    }
}

impl Page<'_> {
    fn over(&self, over: &ReplayOver) -> &'static str {
        match over {
            ReplayOver::Newest => self.t.replay_newest(),
            ReplayOver::Submitted => self.t.replay_submitted(),
        }
    }

    fn is_against(&self, other: &InstalledPolicy) -> bool {
        self.filled.has("against", &other.digest.to_string())
    }

    /// Where a finding is.
    fn spot(&self, finding: &Finding) -> String {
        finding.place.as_ref().map(ToString::to_string).unwrap_or_default()
    }
}

/// The address says what is asked, so that the answer can be shown to others. Nothing is stored.
async fn replay(visit: Visit, Path(which): Path<String>, Query(asked): Query<Vec<(String, String)>>) -> Answer {
    let it = policy(&visit, &which).await?;
    let sent = Sent::in_address(asked);
    let (found, filled) = match asked_of(&visit, &it, &sent).await {
        Ok(found) => (found, sent.filled()),
        Err(refused) => (None, sent.again(&visit, refused)?),
    };
    let versions: Vec<InstalledPolicy> = visit.api.list("/v1/policies").await.or_show(&visit)?;
    let others = versions.iter().filter(|other| other.name == it.name && other.digest != it.digest).collect();
    let page = Page {
        t: visit.t,
        it: &it,
        others,
        places: &places(&visit).await,
        fields: schema::fields(visit.t, it.config_schema.as_ref(), &Value::Null, "config"),
        found,
        filled: &filled,
    };
    visit.page(head(&visit, visit.t.replay_title(), Some(&it.name)), &page)
}

type Found = Option<(Vec<ReplayedVersion>, Option<String>)>;

/// What the API finds, with the address of what follows; nothing where nobody has asked yet.
async fn asked_of(visit: &Visit, it: &InstalledPolicy, sent: &Sent) -> Result<Found, Refused> {
    if sent.get("scope").is_empty() {
        return Ok(None);
    }
    let config = schema::config(visit.t, it.config_schema.as_ref(), &Value::Null, sent, "config")?;
    let revision = |policy: String| Revision { policy, config: config.clone(), limits: Default::default() };
    let replay = NewReplay {
        new: revision(it.digest.to_string()),
        against: sent.some("against").map(revision),
        scope: scope(sent)?,
        versions: sent.read("versions")?,
        limit: None,
        cursor: sent.some("cursor"),
    };
    let page: ListPage<ReplayedVersion> = visit.api.tell(Method::POST, "/v1/policy-replays", &replay).await?;
    let next = page.next.and_then(|next| {
        let mut asked = sent.0.clone();
        asked.retain(|(name, _)| name != "cursor");
        asked.push(("cursor".into(), next));
        Sent(asked).as_address(&at!("/ui/policies/{}/replay", it.digest))
    });
    Ok(Some((page.items, next)))
}
