//! Measures how soon a portal is answered in a workspace of 100,000 members and 5,000 departments, and how soon SCIM lists
//! and finds members there, over HTTP, on SQLite, and on PostgreSQL too when `BERTH_TEST_POSTGRES` names one. The portal must
//! be answered within 20 ms in the median.
//!
//! `bench-workspace [MEMBERS] [DEPARTMENTS]`

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "its output is its purpose, and a failure is its end")]

use std::time::{Duration, Instant};

use berth_tests::{
    Database, Host,
    many::{id, insert, sql_id},
    postgres_is_there,
    scene::{Scene, text},
};
use serde_json::json;

const READINGS: usize = 200;
const OPERATIONS: usize = 1000;
const APPLICATIONS: usize = 100;
const BUDGET: Duration = Duration::from_millis(20);

struct Bench {
    scene: Scene,
    members: usize,
}

impl Bench {
    /// Fills an address book behind the host's back, which takes seconds: a tree in which each department has 8 in it, and
    /// the members spread evenly over it.
    async fn set(database: Database, members: usize, departments: usize) -> Self {
        let scene = Scene::set(Host::start(database).await).await;
        scene.admin.post("/v1/workspaces", json!({"name": "Acme", "id": "acme"})).await.good();
        let json = |text: &str| {
            if database == Database::Postgres { format!("CAST({text} AS JSONB)") } else { text.to_owned() }
        };
        let name = "'user' || CAST(i AS TEXT) || '@acme.example'";
        let told = json(&format!(
            "'{{\"userName\":\"' || {name} || '\",\"name\":{{\"familyName\":\"N' || CAST(i AS TEXT) || '\"}}}}'"
        ));
        let member = sql_id("mem", "i");
        let select = format!("{member}, 'acme', {name}, {name}, NULL, {name}, TRUE, {told}, 1, 0, 0");
        let columns = "(id, workspace_id, user_key, user_name, external_id, name, active, attributes, version, created_at, updated_at)";
        insert(&scene.host, &format!("workspace_member {columns}"), members, &select).await;
        let told = json("'{\"displayName\":\"D' || CAST(i AS TEXT) || '\"}'");
        let (group, parent) = (sql_id("grp", "i"), sql_id("grp", "((i - 1) / 8)"));
        let parent = format!("CASE WHEN i = 0 THEN NULL ELSE {parent} END");
        let name = "'D' || CAST(i AS TEXT)";
        let select = format!("{group}, 'acme', 'department', {parent}, LOWER({name}), {name}, NULL, {told}, 1, 0, 0");
        let columns = "(id, workspace_id, kind, parent_id, name_key, name, external_id, attributes, version, created_at, updated_at)";
        insert(&scene.host, &format!("workspace_group {columns}"), departments, &select).await;
        let of = sql_id("grp", &format!("(i % {departments})"));
        insert(&scene.host, "workspace_group_member", members, &format!("{of}, {member}")).await;
        let bench = Self { scene, members };
        bench.bulk(database).await;
        for number in 0..APPLICATIONS {
            let new = json!({"kind": "link", "name": format!("A{number}"), "url": "https://a.example.com/"});
            let application = text(&bench.scene.admin.post("/v1/workspaces/acme/applications", new).await.good()["id"]);
            let own = id("grp", number * departments / APPLICATIONS);
            let access = json!({"everyone": number % 10 == 0, "departments": [own, id("grp", number % 9)]});
            bench
                .scene
                .admin
                .put(&format!("/v1/workspaces/acme/applications/{application}/access"), access)
                .await
                .good();
        }
        bench
    }

    /// Makes members as a directory does, and says how many a second.
    async fn bulk(&self, database: Database) {
        let user = |number: usize| {
            let data =
                json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": format!("new{number}")});
            json!({"method": "POST", "path": "/Users", "bulkId": format!("u{number}"), "data": data})
        };
        let body = json!({"Operations": (0..OPERATIONS).map(user).collect::<Vec<_>>()});
        let start = Instant::now();
        let done = self.scene.admin.post("/scim/v2/acme/Bulk", body).await.good();
        let rate = OPERATIONS as f64 / start.elapsed().as_secs_f64();
        assert!(done["Operations"].as_array().unwrap().iter().all(|one| one["status"] == "201"));
        println!("{database:?} SCIM: {rate:.0} members a second by bulk requests of {OPERATIONS}");
    }

    /// The median and the 99th percentile of the times in which `path` of some members is answered.
    async fn readings(&self, path: impl Fn(usize, &str) -> String) -> (Duration, Duration) {
        let mut times = Vec::new();
        for reading in 0..READINGS + 10 {
            let number = (reading * 7919) % self.members;
            let path = path(number, &id("mem", number));
            let start = Instant::now();
            self.scene.admin.get(&path).await.good();
            times.push(start.elapsed());
        }
        let mut times = times.split_off(10); // the first ones fill caches
        times.sort_unstable();
        (times[READINGS / 2], times[READINGS * 99 / 100])
    }
}

async fn measure(database: Database, members: usize, departments: usize) -> Duration {
    let bench = Bench::set(database, members, departments).await;
    let mut portal = Duration::ZERO;
    type Path = fn(usize, &str) -> String;
    let asked: [(&str, Path); 5] = [
        ("portal", |_, id| format!("/v1/workspaces/acme/portal?member={id}")),
        ("SCIM: a member", |_, id| format!("/scim/v2/acme/Users/{id}")),
        ("SCIM: userName eq", |number, _| {
            format!("/scim/v2/acme/Users?filter=userName+eq+%22user{number}%40acme.example%22")
        }),
        ("SCIM: a page of 100", |number, _| format!("/scim/v2/acme/Users?startIndex={}&count=100", number + 1)),
        ("SCIM: a department of a member", |_, id| {
            format!("/scim/v2/acme/Groups?filter=members+eq+%22{id}%22&excludedAttributes=members")
        }),
    ];
    for (name, path) in asked {
        let (median, p99) = bench.readings(path).await;
        println!("{database:?} {name}: {:.2} ms, 99 of 100 within {:.2} ms", millis(median), millis(p99));
        portal = portal.max(if name == "portal" { median } else { Duration::ZERO });
    }
    let start = Instant::now();
    let found = bench.scene.admin.get("/scim/v2/acme/Users?filter=name.familyName+eq+%22n77%22").await.good();
    println!("{database:?} SCIM: a filter without an index: {:.0} ms", millis(start.elapsed()));
    assert_eq!(found["totalResults"], 1);
    portal
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

#[tokio::main]
async fn main() {
    let mut numbers = std::env::args().skip(1).map(|number| number.parse().unwrap());
    let (members, departments) = (numbers.next().unwrap_or(100_000), numbers.next().unwrap_or(5_000));
    let mut slowest = measure(Database::Sqlite, members, departments).await;
    if postgres_is_there() {
        slowest = slowest.max(measure(Database::Postgres, members, departments).await);
    }
    assert!(slowest <= BUDGET, "a portal takes {slowest:?}");
}
