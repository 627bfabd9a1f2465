//! What a policy would change before it decides: an auditor for versions that are stored (G20), a grayscale policy for devices that
//! are recorded (G26).

mod devices;
mod question;

use axum::{
    Router,
    extract::{Path, Query},
    http::Method,
    routing::get,
};
use serde_json::Value;

use berth_base::{error::Code, ids::PolicyBindingId, page::Page as ListPage};
use berth_model::{
    access::Action,
    policy::{
        Finding, PolicyKind,
        registry::{InstalledPolicy, PolicyBinding, ScopeKind},
    },
    replay::{ReplayChange, ReplayOver, ReplayedVersion},
    rollout::GrayTask,
};

use super::{
    super::{gray::record, mini_apps::mini_app},
    Place, bound_at, head, places, policy, value_of,
};
use crate::{
    Console,
    act::Sent,
    parts::{Badge, Filled, Shown, Tone},
    path::at,
    refused::{Refusal, Refused},
    schema::{self, Field},
    show,
    texts::Texts,
    visit::{Answer, OrShow, Visit},
};
use devices::{Devices, Line};
use question::{AGAINST, AGAINST_CONFIG, CONFIG, Question, SCOPE};

pub fn routes() -> Router<Console> {
    Router::new().route("/ui/policies/{policy}/replay", get(replay))
}

/// Something to compare with.
struct Other {
    value: String,
    name: String,
}

/// The record of a MiniApp in which there is no device to judge.
struct Record {
    address: String,
    /// Why there is none.
    says: String,
    /// Whether it is off, and the visitor may begin it.
    may_begin: bool,
}

/// What came of a question.
enum Found {
    /// Nobody has asked yet.
    Nothing,
    /// Of an auditor: versions, and where it goes on.
    Versions(Vec<ReplayedVersion>, Option<String>),
    /// Of a grayscale policy.
    Devices(Devices),
    /// There is no device to judge.
    NoDevices(Record),
}

#[derive(askama::Template)]
#[template(path = "policies/replay.html")]
struct Page<'a> {
    t: Texts,
    visit: &'a Visit,
    it: &'a InstalledPolicy,
    others: Vec<Other>,
    places: &'a [Place],
    fields: Vec<Field>,
    /// The fields for the config to compare with.
    other_fields: Vec<Field>,
    /// What the form says before anybody has asked.
    first: &'a First,
    found: Found,
    /// The same question as a command.
    command: String,
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
    fn is_of_devices(&self) -> bool {
        self.it.kind == PolicyKind::Grayscale
    }

    fn over(&self, over: &ReplayOver) -> &'static str {
        match over {
            ReplayOver::Newest => self.t.replay_newest(),
            ReplayOver::Submitted => self.t.replay_submitted(),
        }
    }

    fn is_place(&self, place: &Place) -> bool {
        self.filled.or(SCOPE, &self.first.place) == place.value
    }

    fn is_against(&self, other: &Other) -> bool {
        self.filled.or(AGAINST, &self.first.against) == other.value
    }

    /// Whether the config to compare with is shown at once.
    fn is_other_config_open(&self) -> bool {
        self.other_fields
            .iter()
            .any(|field| !self.filled.or(&field.name, &field.value).is_empty() || self.filled.is_wrong(&field.name))
    }

    fn is_answered(&self) -> bool {
        !matches!(self.found, Found::Nothing)
    }

    /// Whether there is something that was said before.
    fn is_compared(&self) -> bool {
        !self.filled.get(AGAINST).is_empty()
    }

    /// The share of the devices that a line counts.
    fn share(&self, found: &Devices, line: &Line) -> String {
        show::percent(line.count, found.counts.devices, self.t)
    }

    /// How many of the devices are admitted.
    fn admits(&self, found: &Devices) -> String {
        let (admitted, devices) = (found.counts.admitted, found.counts.devices);
        let share = show::percent(admitted, devices, self.t);
        let (admitted, devices) = (show::grouped(admitted), show::grouped(devices));
        match found.next {
            Some(_) => self.t.replay_admits_so_far(admitted, devices, share),
            None => self.t.replay_admits(admitted, devices, share),
        }
    }

    /// Where a finding is.
    fn spot(&self, finding: &Finding) -> String {
        finding.place.as_ref().map(ToString::to_string).unwrap_or_default()
    }
}

/// What the form says at first: nothing, or what a binding is, which another config is compared with.
struct First {
    place: String,
    against: String,
    config: Value,
    /// The gray task at whose page it began.
    task: Option<GrayTask>,
}

impl First {
    /// By the address: `binding` names a binding, `place` a place. Who has asked has said all by the form.
    async fn of(visit: &Visit, bindings: &[PolicyBinding], sent: &Sent) -> Self {
        let scope = sent.get(SCOPE);
        let is_meant = |binding: &&PolicyBinding| scope.is_empty() && binding.id.as_str() == sent.get("binding");
        let about = bindings.iter().find(is_meant);
        let place = match about {
            Some(binding) => value_of(&binding.scope),
            None if scope.is_empty() => sent.get("place").to_owned(),
            None => scope.to_owned(),
        };
        let task = match place.split_once(':') {
            Some((kind, id)) if kind == ScopeKind::GrayTask.as_str() => {
                visit.api.get(&at!("/v1/gray-tasks/{}", id)).await.ok()
            }
            _ => None,
        };
        Self {
            place,
            against: about.map(|binding| binding.id.to_string()).unwrap_or_default(),
            config: about.map(|binding| binding.config.clone()).unwrap_or_default(),
            task,
        }
    }
}

/// The address says what is asked, so that the answer can be shown to others. Nothing is stored.
async fn replay(visit: Visit, Path(which): Path<String>, Query(asked): Query<Vec<(String, String)>>) -> Answer {
    let t = visit.t;
    let it = policy(&visit, &which).await?;
    let sent = Sent::in_address(asked);
    let bindings = bindings_for(&visit, &it, &sent).await?;
    let first = First::of(&visit, &bindings, &sent).await;
    let question = Question::read(t, &it, &bindings, &sent);
    let command =
        question.as_ref().ok().and_then(Option::as_ref).map_or_else(|| example(&it), |asked| asked.command(&it));
    let found = match question {
        Ok(Some(question)) => found(&visit, &it, question, &first, &sent).await,
        Ok(None) => Ok(Found::Nothing),
        Err(refused) => Err(refused),
    };
    let (found, filled) = match found {
        Ok(Found::Nothing) => (Found::Nothing, Filled::default()),
        Ok(found) => (found, sent.filled()),
        Err(refused) => none(&visit, sent, refused).await?,
    };
    let versions: Vec<InstalledPolicy> = visit.api.list("/v1/policies").await.or_show(&visit)?;
    let schema = it.config_schema.as_ref();
    let page = Page {
        t,
        visit: &visit,
        others: others(t, &it, &versions, &bindings, &first),
        places: &places_of(&visit, &it, &first).await,
        fields: schema::fields(t, schema, &first.config, CONFIG),
        other_fields: schema::fields(t, schema, &Value::Null, AGAINST_CONFIG),
        first: &first,
        found,
        command,
        filled: &filled,
        it: &it,
    };
    visit.page(head(&visit, t.replay_title(&it.kind), Some(&it.name)), &page)
}

/// What is shown after a refusal. That nothing is recorded is none: the page says where that is begun.
async fn none(visit: &Visit, sent: Sent, refused: Refused) -> Result<(Found, Filled), crate::visit::Shown> {
    let is_off = |refusal: &Refusal| refusal.code() == Code::NoCheckRecord.slug();
    let id = match &refused {
        Refused::ByApi(refusal) if is_off(refusal) => refusal.more.get("mini_app").and_then(Value::as_str),
        _ => None,
    };
    let Some(id) = id else { return Ok((Found::Nothing, sent.again(visit, refused)?)) };
    let app = mini_app(visit, id).await?;
    let says = visit.t.replay_no_record(&app.name);
    let may_begin = visit.can(Action::Configure, &app.scope());
    let record = Record { address: record::address(id), says, may_begin };
    Ok((Found::NoDevices(record), sent.filled()))
}

/// What the API finds.
async fn found(
    visit: &Visit,
    it: &InstalledPolicy,
    question: Question,
    first: &First,
    sent: &Sent,
) -> Result<Found, Refused> {
    let here = |more: &[(&str, String)]| address(it, sent, more);
    if it.kind == PolicyKind::Grayscale {
        let mini_app = first.task.as_ref().map_or(question.asked.scope.id.clone(), |task| task.mini_app.to_string());
        let devices = devices::count(visit, question.asked, sent, here).await?;
        let says = visit.t.replay_no_devices().to_owned();
        return Ok(match devices.counts.devices {
            0 => Found::NoDevices(Record { address: record::address(mini_app), says, may_begin: false }),
            _ => Found::Devices(devices),
        });
    }
    let page: ListPage<ReplayedVersion> = visit.api.tell(Method::POST, "/v1/policy-replays", &question.asked).await?;
    let next = page.next.and_then(|next| here(&[("cursor", next)]));
    Ok(Found::Versions(page.items, next))
}

/// The address of the same question with other members.
fn address(it: &InstalledPolicy, sent: &Sent, more: &[(&str, String)]) -> Option<String> {
    let mut asked = sent.0.clone();
    asked.retain(|(name, _)| more.iter().all(|(other, _)| other != name));
    asked.extend(more.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
    Sent(asked).as_address(&at!("/ui/policies/{}/replay", it.digest))
}

/// The places that the form offers.
async fn places_of(visit: &Visit, it: &InstalledPolicy, first: &First) -> Vec<Place> {
    let mut all = places(visit).await;
    if it.kind != PolicyKind::Grayscale {
        return all;
    }
    all.retain(Place::has_record);
    if let Some(task) = &first.task {
        let name = format!("{} · {}", visit.t.place_gray_task(), task.name);
        all.insert(0, Place { value: first.place.clone(), name });
    }
    all
}

/// The bindings that the form offers to compare with: the first ones of the policy, and those that the address names.
async fn bindings_for(
    visit: &Visit,
    it: &InstalledPolicy,
    sent: &Sent,
) -> Result<Vec<PolicyBinding>, crate::visit::Shown> {
    let mut bindings = bound_at(visit, &it.name, "").await.or_show(visit)?.items;
    for id in [sent.get("binding"), sent.get(AGAINST)] {
        if id.parse::<PolicyBindingId>().is_err() || bindings.iter().any(|binding| binding.id.as_str() == id) {
            continue;
        }
        let named: Result<PolicyBinding, _> = visit.api.get(&at!("/v1/policy-bindings/{}", id)).await;
        match named {
            Ok(binding) if binding.policy == it.name => bindings.push(binding),
            // One that is gone, or of another policy, is none to compare with.
            Ok(_) => {}
            Err(Refused::ByApi(refusal)) if refusal.code() == Code::NotFound.slug() => {}
            Err(refused) => return Err(visit.refuse(refused)),
        }
    }
    Ok(bindings)
}

/// What the form offers to compare with: this policy with another config, its other versions, and where it is bound.
fn others(
    t: Texts,
    it: &InstalledPolicy,
    versions: &[InstalledPolicy],
    bindings: &[PolicyBinding],
    first: &First,
) -> Vec<Other> {
    let mut all = vec![Other { value: it.digest.to_string(), name: t.replay_against_itself(&it.name, &it.version) }];
    let same = versions.iter().filter(|other| other.name == it.name && other.digest != it.digest);
    all.extend(same.map(|one| Other { value: one.digest.to_string(), name: format!("{} {}", one.name, one.version) }));
    let is_first = |binding: &&PolicyBinding| binding.id.as_str() == first.against;
    let bound = bindings.iter().filter(is_first).chain(bindings.iter().filter(|one| !is_first(one)));
    all.extend(bound.map(|one| bound_as(t, one, first)));
    all
}

fn bound_as(t: Texts, binding: &PolicyBinding, first: &First) -> Other {
    let task = first.task.as_ref().filter(|task| task.id.as_str() == binding.scope.id);
    let id = task.map_or(binding.scope.id.as_str(), |task| &task.name);
    let name = t.replay_against_bound(t.policy_place(&binding.scope.kind), id, &binding.policy_version);
    Other { value: binding.id.to_string(), name: name.trim_end().to_owned() }
}

/// A command for who has not asked yet.
fn example(it: &InstalledPolicy) -> String {
    let policy = format!("{}@{}", it.name, it.version);
    match it.kind {
        PolicyKind::Grayscale => format!("berth policy replay {policy} --config config.json --scope app:MINI_APP"),
        PolicyKind::Auditor | PolicyKind::Guard => format!("berth policy replay {policy} --scope platform"),
    }
}
