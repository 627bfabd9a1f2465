#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use serde_json::{Value, json};

use super::*;
use berth_base::{
    error::Code,
    ids::{Digest, PolicyBindingId, UserId},
};
use berth_judge::testing::Guest;
use berth_model::access::{Caller, TokenScope};

use crate::testing::{DAWN, TestHost, host, person};

const ANY: &str = r#"{"type":"object"}"#;
const NEEDS_N: &str = r#"{"type":"object","required":["n"]}"#;

/// Installs an auditor that is called `name`. Auditors of different versions differ in their bytes.
async fn push(host: &TestHost, name: &str, version: &str) -> InstalledPolicy {
    push_with(host, name, version, ANY).await
}

async fn push_with(host: &TestHost, name: &str, version: &str, schema: &str) -> InstalledPolicy {
    // The newest is the one that was installed last.
    host.clock.advance_seconds(1);
    let guest = Guest { schema: schema.into(), ..Guest::auditor().name(name).version(version) };
    install(&host.app.policies, &host.caller, guest.wasm().into(), &PolicyUpload::default()).await.unwrap()
}

fn platform(policy: &str) -> ScopedPolicyBinding {
    serde_json::from_value(json!({"policy": policy, "scope": {"kind": "platform"}})).unwrap()
}

fn patch(members: Value) -> PolicyBindingPatch {
    serde_json::from_value(members).unwrap()
}

async fn now(host: &TestHost, id: &PolicyBindingId) -> PolicyBinding {
    host.app.db.read().await.unwrap().policy_binding(id).await.unwrap().unwrap().into()
}

async fn told(host: &TestHost) -> i64 {
    host.app.db.read().await.unwrap().last_event().await.unwrap()
}

#[tokio::test]
async fn g12_the_same_policy_is_bound_once_to_a_place() {
    let host = host().await;
    push(&host, "no-maps", "1.0.0").await;
    push(&host, "no-maps", "1.1.0").await;
    let first = bind(&host.app.policies, &host.caller, platform("no-maps@1.0.0")).await.unwrap();
    let again = bind(&host.app.policies, &host.caller, platform("no-maps")).await.unwrap_err();
    assert_eq!((again.code, &again.fields["binding"]), (Code::PolicyBound, &json!(first.id)));
    let elsewhere = json!({"policy": "no-maps", "scope": {"kind": "mini_app", "id": "shop"}});
    bind(&host.app.policies, &host.caller, serde_json::from_value(elsewhere).unwrap()).await.unwrap();
    unbind(&host.app.db, &host.caller, &first.id).await.unwrap();
    assert_eq!(bind(&host.app.policies, &host.caller, platform("no-maps")).await.unwrap().policy_version, "1.1.0");
}

#[tokio::test]
async fn g12_a_policy_comes_after_those_that_are_bound_also_when_others_were_unbound() {
    let host = host().await;
    let mut bound = Vec::new();
    for name in ["no-maps", "no-eval"] {
        push(&host, name, "1.0.0").await;
        bound.push(bind(&host.app.policies, &host.caller, platform(name)).await.unwrap().id);
    }
    unbind(&host.app.db, &host.caller, &bound[0]).await.unwrap();
    push(&host, "no-ads", "1.0.0").await;
    bind(&host.app.policies, &host.caller, platform("no-ads")).await.unwrap();
    let rows = host.app.db.read().await.unwrap().policy_bindings(ScopeKind::Platform, "").await.unwrap();
    let places: Vec<_> = rows.iter().map(|row| (row.name.as_str(), row.position)).collect();
    assert_eq!(places, [("no-eval", 1), ("no-ads", 2)]);
}

/// A build of Berth, a newer one, and each of them again: what judges is what the running one has.
#[tokio::test]
async fn after_a_rollback_of_berth_its_own_bindings_are_at_the_build_that_it_has() {
    let host = host().await;
    let guest = |extra: &str| Guest { schema: ANY.into(), ..Guest::auditor().name("no-maps").extra(extra) };
    let builds = ["", "(func)"].map(|extra| guest(extra).wasm());
    let digests = builds.each_ref().map(|wasm| Digest::of(wasm));
    let run = async |build: usize| {
        host.clock.advance_seconds(1);
        let before = told(&host).await;
        install::ensure(&host.app.policies, "no-maps", builds[build].clone().into()).await.unwrap();
        told(&host).await - before
    };
    let at = async || {
        let mut rows = host.app.db.read().await.unwrap().policy_bindings(ScopeKind::Platform, "").await.unwrap();
        assert_eq!(rows.len(), 1);
        PolicyBinding::from(rows.remove(0))
    };
    // Installed and bound; installed and replaced; then replaced, and nothing when it starts once more.
    for (build, events) in [(0, 2), (0, 0), (1, 2), (0, 1), (1, 1), (1, 0), (0, 1)] {
        assert_eq!((run(build).await, at().await.digest), (events, digests[build].clone()));
    }
    rebind(&host.app.policies, &host.caller, &at().await.id, patch(json!({"mode": "shadow"}))).await.unwrap();
    assert_eq!((run(1).await, at().await.digest), (0, digests[0].clone()), "an admin has changed it");
}

#[tokio::test]
async fn g12_of_many_who_bind_a_policy_at_once_one_does() {
    let host = host().await;
    push(&host, "no-maps", "1.0.0").await;
    let tries = (0..8).map(|_| bind(&host.app.policies, &host.caller, platform("no-maps")));
    let outcomes = futures_util::future::join_all(tries).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    assert!(outcomes.iter().filter_map(|outcome| outcome.as_ref().err()).all(|error| error.code == Code::PolicyBound));
}

#[tokio::test]
async fn i6_changes_of_different_members_at_once_all_survive() {
    let host = host().await;
    let second = host.beside().await;
    push(&host, "no-maps", "1.0.0").await;
    push(&host, "no-maps", "1.1.0").await;
    let id = bind(&host.app.policies, &host.caller, platform("no-maps@1.0.0")).await.unwrap().id;
    for round in 0..10 {
        let (mode, on_error) = if round % 2 == 0 { ("shadow", "open") } else { ("enforce", "closed") };
        let version = if round % 2 == 0 { "no-maps@1.1.0" } else { "no-maps@1.0.0" };
        let changes = [
            json!({"mode": mode}),
            json!({"on_error": on_error}),
            json!({"config": {"round": round}}),
            json!({"limits": {"deadline_ms": 100 + round}}),
            json!({"policy": version}),
        ];
        let hosts = [&host, &second];
        let all = changes.into_iter().enumerate().map(|(index, change)| {
            let host = hosts[index % 2];
            rebind(&host.app.policies, &host.caller, &id, patch(change))
        });
        for outcome in futures_util::future::join_all(all).await {
            outcome.unwrap();
        }
        let bound = now(&host, &id).await;
        assert_eq!((bound.mode.as_str(), bound.on_error.as_str()), (mode, on_error), "round {round}");
        assert_eq!((&bound.config["round"], bound.limits.deadline_ms), (&json!(round), Some(100 + round)));
        assert!(version.ends_with(&bound.policy_version), "round {round}: {}", bound.policy_version);
    }
}

#[tokio::test]
async fn i6_what_is_unbound_is_not_rebound_and_nothing_tells_of_it() {
    let host = host().await;
    push(&host, "no-maps", "1.0.0").await;
    for round in 0..6 {
        let id = bind(&host.app.policies, &host.caller, platform("no-maps")).await.unwrap().id;
        let change = rebind(&host.app.policies, &host.caller, &id, patch(json!({"config": {"round": round}})));
        let (changed, gone) = tokio::join!(change, unbind(&host.app.db, &host.caller, &id));
        gone.unwrap();
        assert!(changed.is_ok() || changed.unwrap_err().code == Code::NotFound);
        let before = told(&host).await;
        let late = rebind(&host.app.policies, &host.caller, &id, patch(json!({"mode": "shadow"}))).await.unwrap_err();
        assert_eq!((late.code, told(&host).await), (Code::NotFound, before));
        assert_eq!(unbind(&host.app.db, &host.caller, &id).await.unwrap_err().code, Code::NotFound);
    }
}

#[tokio::test]
async fn i6_a_change_that_changes_nothing_is_not_told() {
    let host = host().await;
    push(&host, "no-maps", "1.0.0").await;
    let bound = bind(&host.app.policies, &host.caller, platform("no-maps")).await.unwrap();
    let before = told(&host).await;
    for change in [json!({}), json!({"mode": "enforce"}), json!({"policy": "no-maps", "config": {}})] {
        let same = rebind(&host.app.policies, &host.caller, &bound.id, patch(change)).await.unwrap();
        assert_eq!((same.bound_at, told(&host).await), (bound.bound_at, before));
    }
}

#[tokio::test]
async fn a_version_that_refuses_the_config_leaves_the_older_one_serving() {
    let host = host().await;
    push(&host, "no-maps", "1.0.0").await;
    let id = bind(&host.app.policies, &host.caller, platform("no-maps")).await.unwrap().id;
    push_with(&host, "no-maps", "2.0.0", NEEDS_N).await;
    let refused = rebind(&host.app.policies, &host.caller, &id, patch(json!({"policy": "no-maps"}))).await.unwrap_err();
    assert_eq!((refused.code, now(&host, &id).await.policy_version.as_str()), (Code::PolicyConfig, "1.0.0"));
    let both = patch(json!({"policy": "no-maps@2.0.0", "config": {"n": 1}}));
    assert_eq!(rebind(&host.app.policies, &host.caller, &id, both).await.unwrap().policy_version, "2.0.0");
}

#[tokio::test]
async fn a_binding_stays_one_of_its_policy() {
    let host = host().await;
    push(&host, "no-maps", "1.0.0").await;
    push(&host, "no-eval", "1.0.0").await;
    let id = bind(&host.app.policies, &host.caller, platform("no-maps")).await.unwrap().id;
    let other = rebind(&host.app.policies, &host.caller, &id, patch(json!({"policy": "no-eval"}))).await.unwrap_err();
    assert_eq!(other.code, Code::InvalidField);
}

#[tokio::test]
async fn i2_a_version_of_a_policy_has_one_content() {
    let host = host().await;
    let first = push(&host, "no-maps", "1.0.0").await;
    assert_eq!(push(&host, "no-maps", "1.0.0").await.digest, first.digest);
    let other = Guest::auditor().name("no-maps").extra("(func)").wasm();
    let refused =
        install(&host.app.policies, &host.caller, other.clone().into(), &PolicyUpload::default()).await.unwrap_err();
    assert_eq!(refused.code, Code::PolicyExists);
    remove(&host.app.policies, &host.caller, &first.digest).await.unwrap();
    install(&host.app.policies, &host.caller, other.into(), &PolicyUpload::default()).await.unwrap();
}

#[tokio::test]
async fn i9_without_a_place_a_caller_is_told_of_the_bindings_that_it_may_know() {
    let host = host().await;
    push(&host, "no-maps", "1.0.0").await;
    push(&host, "no-eval", "1.0.0").await;
    for scope in [
        json!({"kind": "platform"}),
        json!({"kind": "host_app", "id": "mall"}),
        json!({"kind": "mini_app", "id": "shop"}),
    ] {
        let new = json!({"policy": "no-maps", "scope": scope});
        bind(&host.app.policies, &host.caller, serde_json::from_value(new).unwrap()).await.unwrap();
    }
    bind(&host.app.policies, &host.caller, platform("no-eval")).await.unwrap();
    let query = PolicyBindingQuery { policy: Some("no-maps".into()), ..PolicyBindingQuery::default() };
    let places = async |caller: &Caller, query: &PolicyBindingQuery| {
        let all = bindings(&host.app.db, caller, query).await.unwrap().items;
        let mut all: Vec<_> = all.into_iter().map(|bound| format!("{} {}", bound.policy, bound.scope.kind)).collect();
        all.sort(); // made in the same moment, they are in no order
        all
    };
    assert_eq!(places(&host.caller, &query).await, ["no-maps host_app", "no-maps mini_app", "no-maps platform"]);
    let stranger = person(UserId::generate(DAWN, host.app.db.random()), vec![]);
    assert_eq!(places(&stranger, &PolicyBindingQuery::default()).await, ["no-eval platform", "no-maps platform"]);
    // Each by itself is known to the same callers, and the numbers of places are those of the lists.
    for bound in bindings(&host.app.db, &host.caller, &PolicyBindingQuery::default()).await.unwrap().items {
        assert_eq!(binding(&host.app.db, &host.caller, &bound.id).await.unwrap().scope, bound.scope);
        let known = binding(&host.app.db, &stranger, &bound.id).await.map_err(|error| error.code);
        match bound.scope.kind {
            ScopeKind::Platform => assert_eq!(known.unwrap().id, bound.id),
            _ => assert_eq!(known.unwrap_err(), Code::NotFound),
        }
    }
    let counted = PolicyQuery { places: true, ..PolicyQuery::default() };
    for (caller, places) in [(&host.caller, [1, 3]), (&stranger, [1, 1])] {
        let mut all = list(&host.app.db, caller, &counted).await.unwrap();
        all.retain(|policy| policy.name.starts_with("no-"));
        all.sort_by(|one, other| one.name.cmp(&other.name));
        assert_eq!(all.iter().map(|policy| policy.places.unwrap()).collect::<Vec<_>>(), places);
    }
    assert!(list(&host.app.db, &stranger, &PolicyQuery::default()).await.unwrap()[0].places.is_none());
    let blind = Caller { token_scopes: vec![TokenScope::Develop], ..stranger };
    assert_eq!(bindings(&host.app.db, &blind, &query).await.unwrap_err().code, Code::MissingGrant);
}

#[tokio::test]
async fn i9_the_id_of_a_place_without_its_kind_lists_no_bindings() {
    let host = host().await;
    for scope_kind in [None, Some(ScopeKind::Platform)] {
        let query = PolicyBindingQuery { scope_kind, scope_id: "shop".into(), ..PolicyBindingQuery::default() };
        let refused = bindings(&host.app.db, &host.caller, &query).await.unwrap_err();
        assert_eq!((refused.code, &refused.fields["field"]), (Code::InvalidField, &json!("scope_id")));
    }
    let query = PolicyBindingQuery { scope_kind: Some(ScopeKind::Platform), ..PolicyBindingQuery::default() };
    bindings(&host.app.db, &host.caller, &query).await.unwrap();
}

#[tokio::test]
async fn i9_the_bindings_of_all_places_come_in_pages() {
    let host = host().await;
    push(&host, "no-maps", "1.0.0").await;
    let mut made = Vec::new();
    for at in 0..5 {
        host.clock.advance_seconds(1);
        let kiosk = host.of_another_team(&format!("kiosk-{at}")).await;
        let new = json!({"policy": "no-maps", "scope": {"kind": "mini_app", "id": kiosk}});
        made.push(bind(&host.app.policies, &host.caller, serde_json::from_value(new).unwrap()).await.unwrap().id);
    }
    let (mut seen, mut cursor) = (Vec::new(), None);
    for full in [true, true, false] {
        let query = PolicyBindingQuery { policy: Some("no-maps".into()), limit: Some(2), cursor, ..Default::default() };
        let page = bindings(&host.app.db, &host.caller, &query).await.unwrap();
        assert_eq!((page.items.len() == 2, page.next.is_some()), (full, full));
        seen.extend(page.items.into_iter().map(|binding| binding.id));
        cursor = page.next;
    }
    assert_eq!(seen, made);
}
