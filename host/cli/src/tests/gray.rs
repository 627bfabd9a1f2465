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

fn host(asked: Seen<Value>) -> Router {
    let lists = asked.clone();
    let create = move |Json(body): Json<Value>| {
        asked.note(body.clone());
        async move {
            let task = json!({"id": ulid("gray"), "mini_app": "mp-shop", "honoured": false, "conditions": {}, "policies": [],
                "created_by": "usr_1", "created_at": body["start"], "name": body["name"], "version": body["version"], "state": "pending",
                "start": body["start"], "end": body["end"], "max_users": body["max_users"],
                "admitted": 0, "in_words": ["in ha-super from 3.0.0"], "moves": [{"from": "pending", "to": "delivering", "cause": "time", "by": "berth", "at": body["start"]}]});
            (StatusCode::CREATED, Json(task))
        }
    };
    let upload = move |RawQuery(query): RawQuery, body: Bytes| {
        lists.note(json!({"query": query, "body": String::from_utf8_lossy(&body)}));
        async {
            (
                StatusCode::CREATED,
                Json(
                    json!({"id": ulid("coh"), "name": "testers", "members": 2, "lines": 3, "blanks": 1, "duplicates": 0,
                    "sha256": "0".repeat(64), "created_by": "usr_1", "created_at": "2030-01-31T08:00:00Z"}),
                ),
            )
        }
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
