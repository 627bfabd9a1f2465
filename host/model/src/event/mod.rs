//! Events: what happened, written in the transaction in which it happened (I6).

pub mod catalogue;
mod data;
pub mod stream;
pub mod webhook;

pub use catalogue::{EventType, EventTypeView, Kind, kind};
pub use data::{
    AuditChecked, AuditClosed, AuditDecided, AuditWaits, GrayEdited, GrayFellBack, GrayMoved, MemberGranted,
    MemberRemoved, OfVersion, PolicyReplaced, Submitted, TrialCleared, Unbound,
};

use berth_base::{
    clock::Millis,
    ids::{ActId, EventId, HostAppId, MerchantId, MiniAppId, WorkspaceId},
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

pub use crate::access::BERTH;

/// An event: something that happened on the host.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct Event {
    /// Its number: 1, 2, 3 … in the order of commits, without gaps.
    pub seq: i64,
    /// Its id, unique for ever.
    pub id: EventId,
    /// What happened, such as `version.published`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The id of the object that it happened to.
    pub subject: String,
    /// The MiniApp that it concerns; absent when it concerns none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mini_app: Option<MiniAppId>,
    /// The host app that it concerns; absent when it concerns none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host_app: Option<HostAppId>,
    /// The merchant that it concerns; absent when it concerns none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merchant: Option<MerchantId>,
    /// The workspace that it concerns; absent when it concerns none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace: Option<WorkspaceId>,
    /// The account that did it; `berth` when the host did it by itself, and the MiniApp when its server did.
    pub actor: String,
    /// The act that it is a part of, `GET /v1/acts/{id}`; absent when nobody's request made it happen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub act: Option<ActId>,
    /// When it happened.
    pub at: Millis,
    /// What `data` would have said before the change; absent when there was nothing before, when the type of event does not tell
    /// it, and when `data` says it itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub before: Option<Box<RawValue>>,
    /// What changed. Each type of event has a schema of its own.
    #[schema(value_type = Object)]
    pub data: Box<RawValue>,
}

/// Which events to list. The conditions are ANDed.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct EventQuery {
    /// Only those of this MiniApp.
    #[serde(default)]
    pub mini_app: Option<MiniAppId>,
    /// Only those of this host app.
    #[serde(default)]
    pub host_app: Option<HostAppId>,
    /// Only those of this merchant.
    #[serde(default)]
    pub merchant: Option<MerchantId>,
    /// Only those of this workspace.
    #[serde(default)]
    pub workspace: Option<WorkspaceId>,
    /// Only those after this number: the `last` of the page before. 0 begins with the oldest that is kept.
    #[serde(default)]
    pub after: i64,
    /// Newest first, and only those before this number: the `last` of the page before. 0 begins with the newest.
    #[serde(default)]
    pub before: Option<i64>,
    /// How many events a page has at most, 1 to 1,000; 100 when absent.
    #[serde(default)]
    pub limit: Option<i64>,
}

impl EventQuery {
    /// Below which number a page of newest events ends; `None` for a page of oldest ones.
    pub fn below(&self) -> Option<i64> {
        self.before.map(|before| if before <= 0 { i64::MAX } else { before })
    }

    /// How many events a page has at most.
    pub fn limit(&self) -> i64 {
        self.limit.unwrap_or(100).clamp(1, 1000)
    }
}

/// A page of events: oldest first, or newest first where that was asked for.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct EventPage {
    /// The events of the page.
    pub items: Vec<Event>,
    /// The `after` of the next page. When the page is not full it is the number of the host's last event, whatever that
    /// is about, so that a client that asks now and then gets only what is new. Of a page of newest events it is the
    /// `before` of the next one, and 0 when nothing older is kept.
    pub last: i64,
}
