//! Binding a policy to a place, changing how it judges there, and ending that.

use axum::{
    Router,
    extract::Path,
    http::Method,
    routing::{get, post},
};
use serde_json::Value;

use berth_model::{
    audit::{BindingSummary, RejectionExample},
    policy::{
        PolicyKind,
        registry::{
            Mode, NewPolicyBinding, OnError, PolicyBinding, PolicyBindingPatch, PolicyScope, ScopeKind,
            ScopedPolicyBinding,
        },
    },
};

use super::{head, policy, show_one};
use crate::{
    Console,
    act::{Confirm, Sent},
    frame::done,
    parts::{Filled, Shown},
    path::at,
    refused::{Refused, read},
    schema::{self, Field},
    show,
    texts::Texts,
    visit::{Answer, OrShow, Visit},
};

pub fn routes() -> Router<Console> {
    Router::new()
        .route("/ui/policies/{policy}/bind", post(bind))
        .route("/ui/policy-bindings/{id}", get(one).post(change))
        .route("/ui/policy-bindings/{id}/unbind", get(confirm_unbind).post(unbind))
}

async fn bind(visit: Visit, Path(which): Path<String>, sent: Sent) -> Answer {
    let schema = policy(&visit, &which).await?.config_schema;
    match bind_to(&visit, &which, schema.as_ref(), &sent).await {
        Ok(()) => done(&at!("/ui/policies/{}", which), visit.t.policy_bound()),
        Err(refused) => show_one(&visit, &which, &sent.again(&visit, refused)?).await,
    }
}

async fn bind_to(visit: &Visit, which: &str, schema: Option<&Value>, sent: &Sent) -> Result<(), Refused> {
    let binding = NewPolicyBinding {
        policy: which.to_owned(),
        config: schema::config(visit.t, schema, &Value::Null, sent, "config")?,
        mode: sent.read("mode")?,
        on_error: sent.read("on_error")?,
        limits: Default::default(),
        watch: None,
        name: None,
    };
    let bound = ScopedPolicyBinding { scope: scope(sent)?, binding };
    visit.api.act(Method::POST, "/v1/policy-bindings", &bound).await
}

/// The place that was chosen: its kind, and its id after a colon.
pub fn scope(sent: &Sent) -> Result<PolicyScope, Refused> {
    let (kind, id) = sent.get("scope").split_once(':').unwrap_or((sent.get("scope"), ""));
    let kind: ScopeKind = read("scope", kind)?;
    Ok(PolicyScope { kind, id: id.to_owned() })
}

async fn binding(visit: &Visit, id: &str) -> Result<PolicyBinding, crate::visit::Shown> {
    visit.api.get(&at!("/v1/policy-bindings/{}", id)).await.or_show(visit)
}

#[derive(askama::Template)]
#[template(path = "policies/binding.html")]
struct Page<'a> {
    t: Texts,
    visit: &'a Visit,
    it: &'a PolicyBinding,
    place: &'static str,
    fields: Vec<Field>,
    /// Whether another config can be tried before it decides; of guards none can.
    may_try: bool,
    /// What it has said; `None` for policies that are no auditors, and for visitors who may not know.
    summary: Option<BindingSummary>,
    filled: &'a Filled,
}

impl Page<'_> {
    fn is_mode(&self, mode: &Mode) -> bool {
        if self.filled.is_new() { self.it.mode == *mode } else { self.filled.has("mode", mode.as_str()) }
    }

    fn is_on_error(&self, on_error: &OnError) -> bool {
        if self.filled.is_new() {
            self.it.on_error == *on_error
        } else {
            self.filled.has("on_error", on_error.as_str())
        }
    }

    /// What the numbers of rejected versions are called: in shadow nothing is rejected.
    fn rejected(&self) -> &'static str {
        match self.it.mode {
            Mode::Shadow => self.t.would_reject(),
            Mode::Enforce => self.t.did_reject(),
        }
    }

    /// Where the finding is.
    fn spot(&self, example: &RejectionExample) -> Option<String> {
        Some(example.finding.as_ref()?.place.as_ref()?.to_string())
    }
}

async fn one(visit: Visit, Path(id): Path<String>) -> Answer {
    show(&visit, &id, &Filled::default()).await
}

async fn show(visit: &Visit, id: &str, filled: &Filled) -> Answer {
    let it = binding(visit, id).await?;
    let place = visit.t.policy_place(&it.scope.kind);
    let policy = policy(visit, &it.digest.to_string()).await?;
    let fields = schema::fields(visit.t, policy.config_schema.as_ref(), &it.config, "config");
    let may_try = policy.kind != PolicyKind::Guard;
    let summary = visit.api.get(&at!("/v1/policy-bindings/{}/summary", id)).await.ok();
    let page = Page { t: visit.t, visit, place, fields, may_try, summary, filled, it: &it };
    visit.page(head(visit, visit.t.change_binding(), Some(&it.policy)), &page)
}

async fn change(visit: Visit, Path(id): Path<String>, sent: Sent) -> Answer {
    let before = binding(&visit, &id).await?;
    if before.mode == Mode::Shadow && sent.get("mode") == Mode::Enforce.as_str() && !sent.is_sure() {
        return show_enforce(&visit, &before, sent).await;
    }
    let schema = policy(&visit, &before.digest.to_string()).await?.config_schema;
    match change_to(&visit, &before, schema.as_ref(), &sent).await {
        Ok(binding) => done(&at!("/ui/policies/{}", binding.policy), visit.t.edited()),
        Err(refused) => show(&visit, &id, &sent.again(&visit, refused)?).await,
    }
}

/// Tells what it means that a policy begins to decide, and what it would have done until now.
async fn show_enforce(visit: &Visit, it: &PolicyBinding, sent: Sent) -> Answer {
    let t = visit.t;
    let summary: Option<BindingSummary> = visit.api.get(&at!("/v1/policy-bindings/{}/summary", it.id)).await.ok();
    let would = summary.map(|so_far| match so_far.versions {
        0 => t.said_nothing().to_owned(),
        versions => t.would_have_rejected(show::grouped(so_far.rejected), show::grouped(versions)),
    });
    let place = t.policy_place(&it.scope.kind);
    let confirm = Confirm {
        act: t.enforce_it().into(),
        effects: std::iter::once(t.enforce_effect(&it.policy, place, &it.scope.id)).chain(would).collect(),
        is_dangerous: true,
        hidden: sent.into_hidden(),
        command: format!("berth policy edit {} --mode enforce", it.id),
        back: at!("/ui/policy-bindings/{}", it.id),
        ..Confirm::default()
    };
    confirm.show(visit, head(visit, t.enforce_it(), Some(&it.policy)), &Filled::default())
}

async fn change_to(
    visit: &Visit,
    before: &PolicyBinding,
    schema: Option<&Value>,
    sent: &Sent,
) -> Result<PolicyBinding, Refused> {
    let patch = PolicyBindingPatch {
        policy: None,
        config: Some(schema::config(visit.t, schema, &before.config, sent, "config")?),
        mode: Some(sent.read("mode")?),
        on_error: Some(sent.read("on_error")?),
        limits: None,
    };
    visit.api.tell(Method::PUT, &at!("/v1/policy-bindings/{}", before.id), &patch).await
}

async fn confirm_unbind(visit: Visit, Path(id): Path<String>) -> Answer {
    show_unbind(&visit, &id, &Filled::default()).await
}

async fn show_unbind(visit: &Visit, id: &str, filled: &Filled) -> Answer {
    let it = binding(visit, id).await?;
    let t = visit.t;
    let confirm = Confirm {
        act: t.unbind_policy().into(),
        effects: vec![t.unbind_policy_effect(&it.policy, t.policy_place(&it.scope.kind), &it.scope.id)],
        is_dangerous: true,
        command: format!("berth policy unbind {id}"),
        back: at!("/ui/policies/{}", it.policy),
        ..Confirm::default()
    };
    confirm.show(visit, head(visit, t.unbind_policy(), Some(&it.policy)), filled)
}

async fn unbind(visit: Visit, Path(id): Path<String>, sent: Sent) -> Answer {
    let it = binding(&visit, &id).await?;
    match visit.api.just(Method::DELETE, &at!("/v1/policy-bindings/{}", id)).await {
        Ok(()) => done(&at!("/ui/policies/{}", it.policy), visit.t.policy_unbound()),
        Err(refused) => show_unbind(&visit, &id, &sent.again(&visit, refused)?).await,
    }
}
