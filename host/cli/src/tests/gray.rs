//! `berth gray create`: from options to the conditions of a task.

use axum::{
    Json, Router,
    body::Bytes,
    extract::RawQuery,
    http::StatusCode,
    routing::{get, post},
};
use serde_json::{Value, json};

use super::{Desk, Seen, ulid};

/// A task as a host answers it.
pub fn task(body: &Value) -> Value {
    json!({"id": ulid("gray"), "mini_app": "mp-shop", "name": body["name"], "version": body["version"], "state": "pending",
        "honoured": false, "start": body["start"], "end": body["end"], "max_users": body["max_users"], "admitted": 0,
        "conditions": {}, "in_words": ["in ha-super from 3.0.0"], "policies": [], "created_by": "usr_1",
        "created_at": body["start"],
        "moves": [{"from": "pending", "to": "delivering", "cause": "time", "by": "berth", "at": body["start"]}]})
}

fn cohort() -> Value {
    json!({"id": ulid("coh"), "name": "testers", "members": 2, "lines": 3, "blanks": 1, "duplicates": 0,
        "sha256": "0".repeat(64), "created_by": "usr_1", "created_at": "2030-01-31T08:00:00Z",
        "read": {"column": 2, "heading": "guid", "first": ["a", "b"], "more_odd": 0}})
}

fn host(asked: Seen<Value>) -> Router {
    let lists = asked.clone();
    let create = move |Json(body): Json<Value>| {
        asked.note(body.clone());
        async move { (StatusCode::CREATED, Json(task(&body))) }
    };
    let upload = move |RawQuery(query): RawQuery, body: Bytes| {
        lists.note(json!({"query": query, "body": String::from_utf8_lossy(&body)}));
        async { (StatusCode::CREATED, Json(cohort())) }
    };
    Router::new()
        .route("/v1/mini-apps/mp-shop/gray-tasks", post(create))
        .route("/v1/mini-apps/mp-shop/cohorts", post(upload))
}

#[tokio::test]
async fn g4_options_become_conditions() {
    let asked = Seen::new();
    let desk = Desk::before(host(asked.clone())).await;
    let list = desk.write("testers.txt", "a\n\nb\n");
    let stages = desk.write("stages.json", r#"{"hours": 2}"#);
    let line = format!(
        "gray create mp-shop --name beta --version 1.3.0 --start +1h --for 3d --max-users 500 \
         --host-app ha-super:3.0.0.. --host-app ha-lite --platform android:12..14 --network wifi --guid g1 --guid g2 \
         --account ann --list guid={list} --percent 12.5 --policy stages={stages}"
    );
    let ran = desk.run(&line).await.good();
    let [upload, task] = asked.all().try_into().unwrap();
    assert_eq!(upload, json!({"query": "name=testers", "body": "a\n\nb\n"}));
    assert_eq!(
        task,
        json!({
            "name": "beta", "version": "1.3.0", "max_users": 500,
            "start": "2030-01-31T09:00:00.000Z", "end": "2030-02-03T09:00:00.000Z",
            "host_apps": [{"id": "ha-super", "min_version": "3.0.0"}, {"id": "ha-lite"}],
            "platforms": [{"platform": "android", "min_os": "12", "max_os": "14"}],
            "networks": ["wifi"],
            "objects": [{"kind": "guid", "values": ["g1", "g2"]}, {"kind": "account", "values": ["ann"]}, {"kind": "guid", "cohort": ulid("coh")}],
            "policies": [{"policy": "percentage", "config": {"percent": 12.5}}, {"policy": "stages", "config": {"hours": 2}}],
        })
    );
    insta::assert_snapshot!(ran.out, @r"
    id        gray_00000000000000000000000000
    name      beta
    version   1.3.0
    state     pending
    start     2030-01-31T09:00:00Z (in 1 h)
    end       2030-02-03T09:00:00Z (in 3 d)
    admitted  0 of 500
    only      in ha-super from 3.0.0

    WHEN                           TO          CAUSE  BY     NOTE
    2030-01-31T09:00:00Z (in 1 h)  delivering  time   berth  -
    ");
    assert!(ran.err.contains("3 lines, 1 blank, 0 duplicate"), "{}", ran.err);
}

#[tokio::test]
async fn g4_a_condition_that_is_not_given_is_not_sent() {
    let asked = Seen::new();
    let desk = Desk::before(host(asked.clone())).await;
    desk.run("gray create mp-shop --name a --version 1.3.0 --for 1h --percent 10").await.good();
    let mut names: Vec<_> = asked.all()[0].as_object().unwrap().keys().cloned().collect();
    names.sort();
    assert_eq!(names, ["end", "name", "policies", "start", "version"]);
    assert_eq!(asked.all()[0]["policies"][0]["config"].to_string(), r#"{"percent":10}"#);
}

#[tokio::test]
async fn g3_the_end_is_needed_and_lies_after_the_start() {
    let desk = Desk::before(host(Seen::new())).await;
    for line in [
        "gray create mp-shop --name a --version 1.3.0",
        "gray create mp-shop --name a --version 1.3.0 --for 1h --end +1h",
        "gray create mp-shop --name a --version 1.3.0 --start +2h --end +1h",
        "gray create mp-shop --name a --version 1.3.0 --for 1h --max-users 0",
    ] {
        assert_eq!(desk.run(line).await.code, 2, "{line}");
    }
}

#[tokio::test]
async fn g8_progress_shows_one_state_for_each_device_and_why_the_version_failed() {
    let at = "2030-01-31T08:00:00.000Z";
    let progress = json!({
        "offered": 100, "downloaded": 98, "waiting": 5, "running": 90, "failed": 5, "fell_back": 2, "max_failures": 3,
        "max_users": 500, "other_reasons": 1,
        "reasons": [
            {"reason": "timeout after … ms", "devices": 4, "failures": 9, "last": at},
            {"reason": "", "devices": 1, "failures": 1, "last": at},
        ],
        "over_time": [{"from": at, "offered": 100, "downloaded": 98, "running": 93, "failed": 5}],
    });
    let host = Router::new().route("/v1/gray-tasks/{id}/progress", get(async move || Json(progress)));
    let desk = Desk::before(host).await;
    let ran = desk.run(&format!("gray progress gray_{}", "0".repeat(26))).await.good();
    for line in [
        "offered     100 of 500",
        "downloaded  98 (98 %)",
        "waiting     5 (5 %)",
        "running     90 (90 %)",
        "failed      5 (5 %); 2 not offered it again, after 3 failures",
        "WHY IT FAILED",
        "timeout after … ms",
        "(the devices gave no reason)",
        "and 1 other reason",
        "FIRST SEEN",
    ] {
        assert!(ran.out.contains(line), "{line:?} is missing in\n{}", ran.out);
    }
    assert!(ran.out.lines().all(|line| line.chars().count() <= 80), "{}", ran.out);
}

#[tokio::test]
async fn g17_a_list_that_was_uploaded_is_named_by_its_id_and_a_column_is_taken() {
    let asked = Seen::new();
    let desk = Desk::before(host(asked.clone())).await;
    let table = desk.write("customers.csv", "name,guid\nAnn,a\n");
    let line = format!(
        "gray create mp-shop --name a --version 1.3.0 --for 1h --list account={} --list guid={table} --column guid",
        ulid("coh")
    );
    let ran = desk.run(&line).await.good();
    let [upload, task] = asked.all().try_into().unwrap();
    assert_eq!(upload["query"], "name=customers&column=guid");
    let list = |kind: &str| json!({"kind": kind, "cohort": ulid("coh")});
    assert_eq!(task["objects"], json!([list("account"), list("guid")]));
    assert!(ran.err.contains("2, guid") && ran.err.contains("a, b"), "{}", ran.err);
}

#[tokio::test]
async fn g17_a_table_is_told_with_the_command_that_takes_a_column() {
    let refusal =
        json!({"type": "/problems/cohort-invalid", "status": 422, "detail": "These lines look wrong.", "lines": []});
    let refuse = move || async move { (StatusCode::UNPROCESSABLE_ENTITY, Json(refusal)) };
    let desk = Desk::before(Router::new().route("/v1/mini-apps/mp-shop/cohorts", post(refuse))).await;
    let table = desk.write("customers.csv", "name,guid\nAnn,a\n");
    let ran = desk.run(&format!("gray upload-list mp-shop {table}")).await;
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains(&format!("berth gray upload-list mp-shop {table} --column 1")), "{}", ran.err);
}

#[tokio::test]
async fn g11_g12_options_say_how_policies_judge() {
    let asked = Seen::new();
    let desk = Desk::before(host(asked.clone())).await;
    let limits = desk.write("limits.json", r#"{"deadline_ms": 9}"#);
    let line = format!(
        "gray create mp-shop --name a --version 1.3.0 --for 9d --stages 10,50@24h,100@3d --bucket-key spring \
         --policy own --mode own=shadow --on-error percentage=open --limits own={limits}"
    );
    desk.run(&line).await.good();
    let stage = |percent: u8, hours: u8| json!({"percent": percent, "after_hours": hours});
    let stages = json!([stage(10, 0), stage(50, 24), stage(100, 72)]);
    assert_eq!(
        asked.all()[0]["policies"],
        json!([
            {"policy": "percentage", "config": {"stages": stages, "bucket_key": "spring"}, "on_error": "open"},
            {"policy": "own", "config": {}, "mode": "shadow", "limits": {"deadline_ms": 9}},
        ])
    );
    let line = format!(
        "gray create mp-shop --name a --version 1.3.0 --for 9d --percent 10 --policy vip:own={limits} --policy sha256:{} --mode vip=shadow \
         --admits percentage",
        "0".repeat(64)
    );
    desk.run(&line).await.good();
    let body = asked.all().pop().unwrap();
    assert_eq!(body["admits"], "percentage");
    assert_eq!(
        body["policies"],
        json!([
            {"policy": "percentage", "config": {"percent": 10}},
            {"name": "vip", "policy": "own", "config": {"deadline_ms": 9}, "mode": "shadow"},
            {"policy": format!("sha256:{}", "0".repeat(64)), "config": {}},
        ])
    );
    for wrong in ["--bucket-key x", "--mode own=shadow", "--percent 10 --mode percentage=perhaps", "--stages 10,50@90m"]
    {
        assert_eq!(
            desk.run(&format!("gray create mp-shop --name a --version 1.3.0 --for 1h {wrong}")).await.code,
            2,
            "{wrong}"
        );
    }
}

#[tokio::test]
async fn g13_a_guard_is_not_taken_for_a_policy_of_devices_nor_the_other_way_round() {
    let asked = Seen::new();
    let kind = |axum::extract::Path(name): axum::extract::Path<String>| async move {
        Json(json!({"kind": if name.starts_with("error-rate") { "guard" } else { "grayscale" }}))
    };
    let desk = Desk::before(host(asked.clone()).route("/v1/policies/{name}", get(kind))).await;
    let create = async |options: &str| {
        desk.run(&format!("gray create mp-shop --name a --version 1.3.0 --for 1h {options}")).await
    };
    for (options, cure) in [
        ("--guard own", "Give it as --policy own"),
        ("--policy error-rate", "Give it as --guard error-rate"),
        ("--guard error-rate --watch error-rat={}", "error-rat is no policy of this task, which has error-rate."),
    ] {
        let ran = create(options).await;
        assert!(ran.code == 2 && ran.err.contains(cure), "{options}: {}", ran.err);
    }
    create("--policy own@1.0.0 --mode own=shadow --guard error-rate").await.good();
    assert_eq!(asked.all()[0]["policies"][0], json!({"policy": "own@1.0.0", "config": {}, "mode": "shadow"}));
}

#[tokio::test]
async fn g8_a_new_task_is_told_with_which_its_devices_add_up() {
    let known = || async {
        let (start, end) = ("2030-01-31T08:00:00Z", "2030-02-03T08:00:00Z");
        let mut other = task(&json!({"name": "b", "version": "1.3.0", "start": start, "end": end}));
        other["id"] = json!(ulid("gray").replace("gray_0", "gray_1"));
        Json(json!({"items": [other]}))
    };
    let desk = Desk::before(host(Seen::new()).route("/v1/mini-apps/mp-shop/gray-tasks", get(known))).await;
    let ran = desk.run("gray create mp-shop --name a --version 1.3.0 --for 1h --percent 10").await.good();
    assert!(ran.err.contains("note: 1.3.0 is in grayscale by gray_1"), "{}", ran.err);
}

/// A host with a task for android on wifi, a tenth of all by a key, and a policy of its own.
fn host_with_task(asked: Seen<Value>) -> Router {
    let binding = |last: u8| format!("pb_{}{last}", "0".repeat(25));
    let policy = |at, name: &str, config: Value| json!({"binding": binding(at), "name": name, "policy": name, "kind": "grayscale", "digest": "0".repeat(64), "config": config, "mode": "enforce", "on_error": "closed"});
    let mut known = task(
        &json!({"name": "canary", "version": "1.3.0", "start": "2030-01-31T08:00:00Z", "end": "2030-02-03T08:00:00Z"}),
    );
    known["conditions"] = json!({"networks": ["wifi"], "platforms": [{"platform": "android"}]});
    known["policies"] = json!([
        policy(1, "percentage", json!({"percent": 10, "bucket_key": "spring"})),
        policy(2, "own", json!({"level": 3})),
    ]);
    known["policies"][1]["limits"] = json!({"memory_bytes": 65536});
    let read = known.clone();
    let change = move |Json(body): Json<Value>| {
        asked.note(body);
        let mut after = known.clone();
        let change = json!({"field": "percentage.config", "from": {"percent": 10}, "to": {"percent": 30}});
        after["moves"] = json!([{"from": "delivering", "to": "delivering", "cause": "hand", "note": "calm", "by": "usr_1",
            "at": "2030-01-31T08:00:00Z", "changes": [change]}]);
        async { Json(after) }
    };
    let path = format!("/v1/gray-tasks/{}", ulid("gray"));
    Router::new().route(&path, axum::routing::get(|| async { Json(read) }).patch(change))
}

#[tokio::test]
async fn g16_options_say_what_changes_of_a_task() {
    let asked = Seen::new();
    let desk = Desk::before(host_with_task(asked.clone())).await;
    let edit = async |options: &str| {
        let ran = desk.run(&format!("gray edit {} {options}", ulid("gray"))).await.good();
        (asked.all().pop().unwrap(), ran.out)
    };
    let binding = |last: u8| format!("pb_{}{last}", "0".repeat(25));
    let (body, out) = edit("--percent 30 --note calm").await;
    let config = json!({"percent": 30, "bucket_key": "spring"});
    assert_eq!(body, json!({"policies": [{"binding": binding(1), "config": config}], "note": "calm"}));
    assert!(
        out.contains("edited") && out.contains(r#"calm: percentage.config: {"percent":10} → {"percent":30}"#),
        "{out}"
    );
    let (body, _) = edit("--max-users 9 --end +2d --name wide --network 5g --platform android --platform ios").await;
    let platforms = json!([{"platform": "android"}, {"platform": "ios"}]);
    assert_eq!(
        body,
        json!({"name": "wide", "end": "2030-02-02T08:00:00.000Z", "max_users": 9, "networks": ["wifi", "5g"], "platforms": platforms})
    );
    let (body, _) = edit("--no-max-users --any network").await;
    assert_eq!(body, json!({"max_users": null, "networks": []}));
    let (body, _) = edit(&format!("--mode own=shadow --on-error {}=open", binding(2))).await;
    assert_eq!(body, json!({"policies": [{"binding": binding(2), "mode": "shadow", "on_error": "open"}]}));
    let (body, _) = edit(r#"--limits own={"deadline_ms":9}"#).await;
    let limits = json!({"deadline_ms": 9, "memory_bytes": 65536});
    assert_eq!(body["policies"][0]["limits"], limits, "what is not named stays");
    let (body, _) = edit("--mode own=enforce --admits percentage||own").await;
    let admits = json!({"any": ["percentage", "own"]});
    assert_eq!(body, json!({"policies": [{"binding": binding(2), "mode": "enforce"}], "admits": admits}));
    assert_eq!(edit("--no-admits").await.0, json!({"admits": null}));
    for wrong in ["--admits percentage,own", "--admits own --no-admits"] {
        assert_eq!(desk.run(&format!("gray edit {} {wrong}", ulid("gray"))).await.code, 2, "{wrong}");
    }
    for wrong in ["", "--note why", "--mode other=shadow", "--policy own", "--max-users 3 --no-max-users"] {
        assert_eq!(desk.run(&format!("gray edit {} {wrong}", ulid("gray"))).await.code, 2, "{wrong}");
    }
}
