//! Acts: the requests by which people and machines changed something, or were refused. Events say what became different;
//! an act says who did it, by which token, from where, and holds together what one request has changed.

use berth_base::{
    clock::Millis,
    error::{Code, Error, Kind, Result},
    ids::{ActId, HostAppId, MerchantId, MiniAppId, TeamId, TokenId, UserId, WorkspaceId},
    page::paged,
    text::text_enum,
};
use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{
    access::{Grant, Origin, ScopeKind},
    event::{Event, webhook::WebhookScope},
    nearest::did_you_mean,
};

/// Of how many characters a path is kept at most.
const LONGEST_PATH: usize = 512;

text_enum! {
    /// What kind of thing an act was about.
    PlaceKind {
        /// A team.
        Team = "team",
        /// A MiniApp.
        MiniApp = "mini_app",
        /// A host app.
        HostApp = "host_app",
        /// A merchant.
        Merchant = "merchant",
        /// A workspace.
        Workspace = "workspace",
    }
}

/// A thing that an act was about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize, utoipa::ToSchema)]
#[schema(as = ActPlace)]
pub struct Place {
    /// What kind of thing it is.
    pub kind: PlaceKind,
    /// Its id.
    pub id: String,
}

impl Place {
    /// The place of this kind with this id.
    pub fn new(kind: PlaceKind, id: &impl ToString) -> Self {
        Self { kind, id: id.to_string() }
    }

    /// The thing that an address of the API names first, such as the MiniApp of `/v1/mini-apps/{id}/shelf`. A refused act has
    /// no events that would say it.
    pub fn of_path(path: &str) -> Option<Self> {
        let (kind, rest) = PATHS.iter().find_map(|(start, kind)| Some((*kind, path.strip_prefix(start)?)))?;
        let segment = rest.split('/').next().filter(|id| !id.is_empty())?;
        // Handlers get what an address says without its encoding, so what was encoded needlessly is the same place.
        let id = percent_decode_str(segment).decode_utf8().ok()?;
        Some(Self::new(kind, &id))
    }

    fn of_scope(kind: ScopeKind, id: &str) -> Option<Self> {
        let kind = match kind {
            ScopeKind::Platform => return None,
            ScopeKind::Team => PlaceKind::Team,
            ScopeKind::HostApp => PlaceKind::HostApp,
            ScopeKind::Merchant => PlaceKind::Merchant,
            ScopeKind::Workspace => PlaceKind::Workspace,
        };
        Some(Self::new(kind, &id))
    }
}

/// Where the addresses begin of what is in a place.
const PATHS: [(&str, PlaceKind); 6] = [
    ("/v1/teams/", PlaceKind::Team),
    ("/v1/mini-apps/", PlaceKind::MiniApp),
    ("/v1/host-apps/", PlaceKind::HostApp),
    ("/v1/merchants/", PlaceKind::Merchant),
    ("/v1/workspaces/", PlaceKind::Workspace),
    ("/scim/v2/", PlaceKind::Workspace),
];

/// What an event says of where it belongs.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs, reason = "the fields are those of an event")]
pub struct Concern<'a> {
    pub kind: &'a str,
    pub subject: &'a str,
    pub mini_app: Option<&'a MiniAppId>,
    pub host_app: Option<&'a HostAppId>,
    pub merchant: Option<&'a MerchantId>,
    pub workspace: Option<&'a WorkspaceId>,
    pub data: &'a RawValue,
}

/// The members of the data of events about roles, invitations and webhooks that name a scope.
#[derive(Deserialize)]
struct InRole {
    scope: ScopeKind,
    id: String,
}

#[derive(Deserialize)]
struct Granting {
    grant: Option<Grant>,
}

#[derive(Deserialize)]
struct OfScope {
    scope: WebhookScope,
}

impl Concern<'_> {
    /// The things that the event is about.
    pub fn places(&self) -> Vec<Place> {
        let mut places: Vec<Place> = Vec::new();
        places.extend(self.mini_app.map(|id| Place::new(PlaceKind::MiniApp, id)));
        places.extend(self.host_app.map(|id| Place::new(PlaceKind::HostApp, id)));
        places.extend(self.merchant.map(|id| Place::new(PlaceKind::Merchant, id)));
        places.extend(self.workspace.map(|id| Place::new(PlaceKind::Workspace, id)));
        places.extend(self.scope());
        places
    }

    /// The scope that only the data names.
    fn scope(&self) -> Option<Place> {
        let data = self.data.get();
        match self.kind.split('.').next()? {
            "team" => Some(Place::new(PlaceKind::Team, &self.subject)),
            "member" => serde_json::from_str(data).ok().and_then(|InRole { scope, id }| Place::of_scope(scope, &id)),
            "invitation" => {
                let Granting { grant } = serde_json::from_str(data).ok()?;
                grant.and_then(|grant| Place::of_scope(grant.scope, &grant.id))
            }
            "webhook" => {
                let OfScope { scope } = serde_json::from_str(data).ok()?;
                Place::of_scope(scope.kind, &scope.id)
            }
            _ => None,
        }
    }
}

impl Event {
    /// What it says of where it belongs.
    pub fn concern(&self) -> Concern<'_> {
        Concern {
            kind: &self.kind,
            subject: &self.subject,
            mini_app: self.mini_app.as_ref(),
            host_app: self.host_app.as_ref(),
            merchant: self.merchant.as_ref(),
            workspace: self.workspace.as_ref(),
            data: &self.data,
        }
    }
}

text_enum! {
    /// How an act ended.
    Outcome {
        /// It was done.
        Done = "done",
        /// It was refused; `refused` says why.
        Refused = "refused",
    }
}

/// Whether a refusal for this reason is kept as an act: that somebody may not do it, or that what they asked about was not there
/// or not in a state for it. What was no proper request, came too often or met a fault of the host tells nothing of what somebody
/// wanted to change. A wrong password or code is kept where it is known whose it should have been: of who has a session, or knows the
/// password already (P20).
pub fn is_kept(refusal: Code) -> bool {
    let is_kept =
        matches!(refusal.kind(), Kind::Forbidden | Kind::NotFound | Kind::Gone | Kind::Conflict | Kind::Precondition);
    is_kept || refusal == Code::WrongCredentials
}

/// What is asked for: known before anybody knows who asks.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// Its name: the operation id of the API, or the command on the host's own machine.
    pub operation: String,
    /// The method; empty for a command.
    pub method: String,
    /// The path without its query, which may hold anything; empty for a command.
    pub path: String,
    /// Where it comes from.
    pub origin: Origin,
    /// The id of the request.
    pub request_id: Option<String>,
}

impl Asked {
    /// The path as it is kept.
    pub fn shown_path(&self) -> String {
        self.path.chars().take(LONGEST_PATH).collect()
    }
}

/// One request that was made to change something.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct Act {
    /// Its id. Acts sort by it, the oldest first.
    pub id: ActId,
    /// When it was asked for.
    pub at: Millis,
    /// The account that did it; `berth` for what was done by a command on the host's own machine.
    pub actor: String,
    /// The token or session that was used; absent where there was none yet, as when somebody signs in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<TokenId>,
    /// What was asked for: the operation id of the API, such as `versions.publish`, or a command such as `admin.token`.
    pub operation: String,
    /// The method of the request; absent for a command.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub method: String,
    /// The path of the request, without its query; absent for a command.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub path: String,
    /// The address that it came from; absent when it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// What the client said of itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// The id of the request, which is in the access log and in the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// How it ended. An act that has changed something is `done`, whatever was answered in the end.
    pub outcome: Outcome,
    /// The `type` of the refusal, such as `missing-grant`; absent when it was done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
    /// What it was about.
    pub places: Vec<Place>,
    /// What it changed: the types of its events, and how many there are of each.
    pub changes: Vec<Changes>,
}

/// Events of one type that an act has.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
pub struct Changes {
    /// The type of the events, such as `member.granted`.
    #[serde(rename = "type")]
    pub kind: String,
    /// How many there are.
    pub count: i64,
}

impl Act {
    /// The act as those know it who may read these events of it alone: it is about what they are about and what `reads` names, and
    /// changed what they tell. From where it came is for those who may read the acts of the place that was asked for, and for whoever
    /// did it.
    #[must_use]
    pub fn told(mut self, to: &UserId, events: &[Event], reads: impl Fn(&Place) -> bool) -> Self {
        let is_theirs = match Place::of_path(&self.path) {
            _ if self.actor == to.as_str() => true,
            Some(place) => reads(&place),
            None => self.places.iter().all(&reads),
        };
        if !is_theirs {
            (self.token, self.address, self.agent, self.request_id) = (None, None, None, None);
        }
        let told: Vec<Place> = events.iter().flat_map(|event| event.concern().places()).collect();
        self.places.retain(|place| told.contains(place) || reads(place));
        for changes in &mut self.changes {
            let count = events.iter().filter(|event| event.kind == changes.kind).count();
            changes.count = i64::try_from(count).unwrap_or(i64::MAX);
        }
        self.changes.retain(|changes| changes.count > 0);
        self
    }
}

/// An act with its events.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct ActDetail {
    /// The act; its fields are part of this object.
    #[serde(flatten)]
    pub act: Act,
    /// The events that the caller may read, in the order in which they happened, at most 1,000. Their data says what was before
    /// and what is now. Events that are not kept any more are not here.
    pub events: Vec<Event>,
}

/// How many events of an act are shown at most.
pub const MOST_EVENTS: i64 = 1000;

/// Which acts to list. The conditions are ANDed.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ActQuery {
    /// The `next` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
    /// How many acts a page has at most, 1 to 200; 50 when absent. An export has all of them.
    #[serde(default)]
    pub limit: Option<u32>,
    /// Only those of this account; `berth` for commands on the host's own machine.
    #[serde(default)]
    pub actor: Option<String>,
    /// Only those of this operation, exact or with a star: `versions.publish`, `gray-tasks.*`.
    #[serde(default)]
    pub operation: Option<String>,
    /// Only those about this MiniApp.
    #[serde(default)]
    pub mini_app: Option<MiniAppId>,
    /// Only those about this team and its MiniApps.
    #[serde(default)]
    pub team: Option<TeamId>,
    /// Only those about this host app.
    #[serde(default)]
    pub host_app: Option<HostAppId>,
    /// Only those about this merchant.
    #[serde(default)]
    pub merchant: Option<MerchantId>,
    /// Only those about this workspace.
    #[serde(default)]
    pub workspace: Option<WorkspaceId>,
    /// Only those of this moment and later.
    #[serde(default)]
    pub from: Option<Millis>,
    /// Only those before this moment.
    #[serde(default)]
    pub until: Option<Millis>,
    /// Only those that ended so.
    #[serde(default)]
    pub outcome: Option<Outcome>,
    /// Only those from this address.
    #[serde(default)]
    pub address: Option<String>,
}

paged!(ActQuery);

/// Which operations are meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operations {
    /// This one.
    Exactly(String),
    /// All that begin so.
    Beginning(String),
}

/// The operations of commands on the host's own machine, which are no operations of the API.
pub const COMMANDS: [&str; 5] =
    ["admin.token", "admin.invite", "admin.rotate-secrets", "admin.rotate-oidc-key", "admin.backup"];

impl Operations {
    /// Refuses operations of which there is none among those that are kept as acts, `known` and [`COMMANDS`].
    ///
    /// # Errors
    /// `invalid-field` for `operation`.
    pub fn require_known<'a>(&self, known: impl Iterator<Item = &'a str>) -> Result<()> {
        let known: Vec<&str> = known.chain(COMMANDS).collect();
        let (asked, is_known) = match self {
            Self::Exactly(asked) => (asked, known.contains(&asked.as_str())),
            Self::Beginning(asked) => (asked, known.iter().any(|one| one.starts_with(asked.as_str()))),
        };
        if is_known {
            return Ok(());
        }
        let near = did_you_mean(asked, known);
        let text =
            format!("nothing that changes anything is called {asked:?}.{near} Operations are those of /openapi.json.");
        Err(Error::parameter("operation", text))
    }
}

impl ActQuery {
    /// The operations that are asked for.
    pub fn operations(&self) -> Option<Operations> {
        let asked = self.operation.as_deref().filter(|asked| !asked.is_empty())?;
        Some(match asked.strip_suffix('*') {
            Some(start) => Operations::Beginning(start.to_owned()),
            None => Operations::Exactly(asked.to_owned()),
        })
    }

    /// The things that acts must be about, all of them.
    pub fn places(&self) -> Vec<Place> {
        let mut places: Vec<Place> = Vec::new();
        places.extend(self.mini_app.as_ref().map(|id| Place::new(PlaceKind::MiniApp, id)));
        places.extend(self.team.as_ref().map(|id| Place::new(PlaceKind::Team, id)));
        places.extend(self.host_app.as_ref().map(|id| Place::new(PlaceKind::HostApp, id)));
        places.extend(self.merchant.as_ref().map(|id| Place::new(PlaceKind::Merchant, id)));
        places.extend(self.workspace.as_ref().map(|id| Place::new(PlaceKind::Workspace, id)));
        places
    }

    /// Refuses a span of time that ends before it begins.
    ///
    /// # Errors
    /// `invalid-field` for `until`.
    pub fn check(&self) -> Result<()> {
        match (self.from, self.until) {
            (Some(from), Some(until)) if until < from => Err(Error::parameter("until", "must not be before from.")),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use serde_json::{Value, json, value::to_raw_value};

    use super::*;

    fn places(kind: &str, subject: &str, data: Value) -> Vec<String> {
        let data = to_raw_value(&data).unwrap();
        let (mini_app, host_app, merchant, workspace) = (None, None, None, None);
        let concern = Concern { kind, subject, mini_app, host_app, merchant, workspace, data: &data };
        concern.places().iter().map(|place| format!("{}:{}", place.kind, place.id)).collect()
    }

    #[test]
    fn p10_an_event_about_a_role_belongs_to_the_scope_of_the_role() {
        let of = |data| places("member.granted", "usr_1", data);
        assert_eq!(of(json!({"account": "usr_1", "scope": "team", "id": "t1", "role": "admin"})), ["team:t1"]);
        assert_eq!(of(json!({"account": "usr_1", "scope": "platform", "id": "", "role": "admin"})), [""; 0]);
        assert_eq!(of(json!({"odd": true})), [""; 0]);
        let invited = json!({"grant": {"scope": "host_app", "id": "mall", "role": "auditor"}, "id": "inv_1"});
        assert_eq!(places("invitation.issued", "inv_1", invited), ["host_app:mall"]);
        assert_eq!(places("invitation.issued", "inv_1", json!({"id": "inv_1"})), [""; 0]);
        assert_eq!(places("webhook.created", "wh_1", json!({"scope": {"kind": "team", "id": "t1"}})), ["team:t1"]);
        assert_eq!(places("team.created", "t1", json!({})), ["team:t1"]);
    }

    #[test]
    fn p10_a_refused_act_belongs_to_what_its_address_names() {
        for (path, place) in [
            ("/v1/mini-apps/shop/versions/1.0.0/publish", Some((PlaceKind::MiniApp, "shop"))),
            ("/v1/mini-apps/%73hop/shelf", Some((PlaceKind::MiniApp, "shop"))),
            ("/v1/teams/team_1/members/usr_1", Some((PlaceKind::Team, "team_1"))),
            ("/v1/host-apps/mall", Some((PlaceKind::HostApp, "mall"))),
            ("/scim/v2/ws-1/Users", Some((PlaceKind::Workspace, "ws-1"))),
            ("/v1/mini-apps/", None),
            ("/v1/mini-apps", None),
            ("/v1/gray-tasks/gray_1", None),
        ] {
            assert_eq!(Place::of_path(path), place.map(|(kind, id)| Place::new(kind, &id)), "{path}");
        }
    }

    #[test]
    fn p9_refusals_of_form_are_not_kept() {
        for kept in [Code::MissingGrant, Code::NotFound, Code::LastAdmin, Code::VersionState, Code::WrongCredentials] {
            assert!(is_kept(kept), "{kept:?}");
        }
        for not in [Code::InvalidField, Code::BadRequest, Code::TooManyRequests, Code::Internal, Code::InvalidToken] {
            assert!(!is_kept(not), "{not:?}");
        }
    }

    #[test]
    fn a_star_ends_the_name_of_operations() {
        let of = |operation: &str| ActQuery { operation: Some(operation.into()), ..Default::default() }.operations();
        assert_eq!(of("versions.*"), Some(Operations::Beginning("versions.".into())));
        assert_eq!(of("versions.publish"), Some(Operations::Exactly("versions.publish".into())));
        assert_eq!(of(""), None);
    }

    #[test]
    fn p10_operations_that_do_not_exist_are_refused_and_the_nearest_is_named() {
        let asks = |operation: &str| {
            let query = ActQuery { operation: Some(operation.into()), ..Default::default() };
            query.operations().unwrap().require_known(["versions.publish", "grayscale.create"].into_iter())
        };
        for known in ["versions.publish", "versions.*", "*", "admin.backup", "admin.*"] {
            asks(known).unwrap();
        }
        for (unknown, near) in
            [("publish", "versions.publish"), ("version.publish", "versions.publish"), ("gray.*", "")]
        {
            let said = asks(unknown).unwrap_err();
            assert_eq!(said.code, Code::InvalidField);
            assert!(said.detail.contains(near), "{said}");
        }
    }
}
