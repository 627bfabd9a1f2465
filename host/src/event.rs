//! Events: what happened, told in the transaction in which it happened (invariant I6).

use serde::Serialize;

use crate::{
    app::App,
    ids::{EventId, HostAppId, MiniAppId},
    store::NewEvent,
};

/// What Berth calls itself where it acts by its own: a task that ends by the clock.
pub const BERTH: &str = "berth";

/// An event of `kind` about `subject`, done by `actor`.
pub fn new(app: &App, kind: &'static str, subject: &impl ToString, actor: &str, data: &impl Serialize) -> NewEvent {
    let now = app.clock.now();
    NewEvent {
        id: EventId::generate(now, &*app.random),
        kind,
        subject: subject.to_string(),
        mini_app: None,
        host_app: None,
        actor: actor.to_owned(),
        at: now,
        data: serde_json::to_value(data).unwrap_or_default(),
    }
}

impl NewEvent {
    /// The answers for this MiniApp may change.
    pub fn for_mini_app(mut self, id: &MiniAppId) -> Self {
        self.mini_app = Some(id.clone());
        self
    }

    /// The answers for this host app may change.
    pub fn for_host_app(mut self, id: &HostAppId) -> Self {
        self.host_app = Some(id.clone());
        self
    }
}
