//! Measures every page of the console on a host with 10,000 MiniApps, their versions, audits, gray tasks and events: how soon it
//! is made, how large it is, and how many statements it takes, on SQLite, and on PostgreSQL too when `BERTH_TEST_POSTGRES` names
//! one. A page has 100 kB at the most, and a release build makes it within 50 ms in the median, the result of a replay within 250 ms.
//!
//! `bench-console [MINI_APPS] [PART]`: `PART` picks the pages whose address contains it.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "its output is its purpose, and a failure is its end")]

use std::{
    collections::HashMap,
    fmt::Debug,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use berth_tests::{
    Database, Host,
    bench::median,
    browser::Browser,
    many::{execute, insert, numbers, sql_id},
    postgres_is_there,
    scene::Scene,
    tour::{all_pages, furnished},
};
use serde_json::json;
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    level_filters::LevelFilter,
    span::{Attributes, Id, Record},
};

const READINGS: usize = 7;
const MOST_MILLIS: f64 = 50.0;
/// The same for the result of a replay, which asks a policy about a hundred stored versions.
const MOST_MILLIS_OF_REPLAYS: f64 = 250.0;
const MOST_BYTES: usize = 100_000;

/// The statements that were run since somebody asked: their texts, and how many microseconds each took.
#[derive(Default)]
struct Statements {
    next: AtomicU64,
    begun: Mutex<HashMap<u64, String>>,
    run: Mutex<Vec<(u64, String)>>,
}

static STATEMENTS: std::sync::LazyLock<Statements> = std::sync::LazyLock::new(Statements::default);

impl Statements {
    fn take(&self) -> Vec<(u64, String)> {
        std::mem::take(&mut *self.run.lock().unwrap())
    }
}

/// What is told of a statement: its text first, and how long it took at its end.
#[derive(Default)]
struct Told {
    text: Option<String>,
    micros: Option<u64>,
}

impl Visit for Told {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "text" {
            self.text = Some(value.to_owned());
        }
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        if field.name() == "micros" {
            self.micros = Some(value);
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn Debug) {}
}

/// Hears of every statement, as whoever turns their log on.
struct Ear;

impl Subscriber for Ear {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "berth::sql" && metadata.is_span()
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(LevelFilter::DEBUG)
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let id = STATEMENTS.next.fetch_add(1, Ordering::Relaxed) + 1;
        let mut told = Told::default();
        span.record(&mut told);
        STATEMENTS.begun.lock().unwrap().insert(id, told.text.unwrap_or_default());
        Id::from_u64(id)
    }

    fn record(&self, span: &Id, values: &Record<'_>) {
        let mut told = Told::default();
        values.record(&mut told);
        if let Some(micros) = told.micros {
            let text = STATEMENTS.begun.lock().unwrap().remove(&span.into_u64()).unwrap_or_default();
            STATEMENTS.run.lock().unwrap().push((micros, text));
        }
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, _: &Event<'_>) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

/// The MiniApp, as SQL, of a number. Digits alone are a name for the tour, which looks at some pages of each kind.
fn app(number: &str) -> String {
    format!("CAST(100000 + {number} AS TEXT)")
}

/// A column of the first version of the scene's MiniApp, as SQL.
fn of_coffee(column: &str) -> String {
    format!("(SELECT {column} FROM version WHERE mini_app_id = 'coffee' AND number = '1.0.0')")
}

/// A host on which many teams have worked for years.
async fn town(database: Database, apps: usize) -> Scene {
    let scene = furnished(Host::start(database).await).await;
    let hooks = scene.admin.get("/v1/webhooks").await.good();
    let hook = format!("/v1/webhooks/{}", hooks["items"][0]["id"].as_str().unwrap());
    // Its receiver is not there, and the host would try all day.
    scene.admin.send("PATCH", &hook, Some(&json!({"enabled": false}))).await.good();
    let (host, now) = (&scene.host, scene.host.app.db.now().0);
    let (someone, teams, quarter) = (of_coffee("uploaded_by"), apps / 10, apps / 4);
    let team = |number: &str| sql_id("team", number);

    insert(host, "team", teams, &format!("{}, 'Team ' || CAST(i AS TEXT), {now} - i", team("i"))).await;
    let person = format!("{}, 'Person ' || CAST(i AS TEXT), {now} - i", sql_id("usr", "i"));
    insert(host, "account (id, name, created_at)", apps / 2, &person).await;
    let role = format!("{}, 'team', {}, 'developer', {now}", sql_id("usr", "i"), team(&format!("(i % {teams})")));
    insert(host, "role_grant", apps / 2, &role).await;
    let host_app =
        format!("CAST(900000 + i AS TEXT), 'Host app ' || CAST(i AS TEXT), 'key-' || CAST(i AS TEXT), {now}");
    insert(host, "host_app", 100, &host_app).await;
    let merchant = format!("CAST(500000 + i AS TEXT), 'Merchant ' || CAST(i AS TEXT), {now} - i");
    insert(host, "merchant (id, name, created_at)", teams, &merchant).await;

    let columns = "mini_app (id, team_id, name, description, on_shelf, shelf_note, revision, created_at, changed_at)";
    let (id, of) = (app("i"), team(&format!("(i % {teams})")));
    let select =
        format!("{id}, {of}, 'MiniApp ' || CAST(i AS TEXT), 'Sells things', TRUE, '', 1, {now} - i, {now} - i");
    insert(host, columns, apps, &select).await;
    let columns = "binding (host_app_id, mini_app_id, created_at, state)";
    insert(host, columns, apps, &format!("'super-app', {id}, {now} - i, 'active'")).await;
    let state = "CASE WHEN i % 50 = 0 THEN 'waits_for_team' ELSE 'active' END";
    insert(host, columns, apps, &format!("CAST(900000 + i % 100 AS TEXT), {id}, {now} - i, {state}")).await;

    let columns =
        "version (id, mini_app_id, number, major, minor, patch, state, submitted_once, forced, sha256, size, files,
        manifest, uploaded_by, created_at, updated_at, online_at)";
    let copied = ["sha256", "size", "files", "manifest"].map(of_coffee).join(", ");
    let newest =
        "CASE i % 4 WHEN 0 THEN 'approved' WHEN 1 THEN 'auditing' WHEN 2 THEN 'rejected' ELSE 'development' END";
    for (minor, state) in [(0, "'historical'"), (1, "'online'"), (2, newest)] {
        let (version, online) = (sql_id("ver", &format!("(i * 4 + {minor})")), if minor < 2 { "1" } else { "NULL" });
        let select = format!(
            "{version}, {id}, '1.{minor}.0', 1, {minor}, 0, {state}, TRUE, FALSE, {copied}, {someone}, {now} - i, {now} - i, {online}"
        );
        insert(host, columns, apps, &select).await;
        if minor < 2 {
            let record = sql_id("rel", &format!("(i * 2 + {minor})"));
            let select =
                format!("{record}, {id}, {minor} + 1, {version}, 'publish', FALSE, '', {someone}, {now} - i + {minor}");
            insert(host, "release_record", apps, &select).await;
        }
    }

    let audits =
        "audit (id, mini_app_id, version_id, state, sha256, reason, submitted_by, created_at, closed_at, attempts)";
    for (rest, state, decision) in
        [(0, "approved", "'approved'"), (1, "deciding", "NULL"), (2, "rejected", "'rejected'")]
    {
        let number = format!("(i * 4 + {rest})");
        let (audit, closed) = (sql_id("aud", &number), if rest == 1 { "NULL".into() } else { now.to_string() });
        let version = sql_id("ver", &format!("({number} * 4 + 2)"));
        let (sha256, of) = (of_coffee("sha256"), app(&number));
        let select = format!("{audit}, {of}, {version}, '{state}', {sha256}, '', {someone}, {now} - i, {closed}, 1");
        insert(host, audits, quarter, &select).await;
        insert(host, "audit_item", quarter, &format!("{audit}, 'super-app', {decision}, '', NULL, NULL")).await;
        let said =
            "e.position, e.policy, e.policy_version, e.digest, e.config, e.mode, e.on_error, e.outcome, e.detail,
            e.findings, e.log, e.micros, e.evaluated_at";
        let of_first = "(SELECT * FROM evaluation WHERE audit_id = (SELECT MIN(audit_id) FROM evaluation)) e";
        execute(
            host,
            format!(
                "INSERT INTO evaluation (audit_id, position, policy, policy_version, digest, config, mode, on_error, outcome,
                    detail, findings, log, micros, evaluated_at) {} SELECT {audit}, {said} FROM n CROSS JOIN {of_first}",
                numbers(quarter)
            ),
        )
        .await;
    }

    let number = "(i * 4)";
    let columns =
        "gray_task (id, mini_app_id, version_id, name, state, honoured, start_at, end_at, max_users, admitted,
        conditions, created_by, created_at)";
    let (of, version) = (app(number), sql_id("ver", &format!("({number} * 4 + 2)")));
    let (end, conditions) = (now + 40_000_000, "(SELECT conditions FROM gray_task ORDER BY id LIMIT 1)");
    let select = format!(
        "{}, {of}, {version}, 'canary', 'delivering', FALSE, {now} - i, {end} + i * 100000, NULL, 7, {conditions}, {someone}, {now} - i",
        sql_id("gray", "i")
    );
    insert(host, columns, quarter, &select).await;
    let columns =
        "policy_binding (id, digest, scope_kind, scope_id, position, config, mode, on_error, limits, bound_by,
        bound_at, level)";
    let select = format!(
        "{}, (SELECT digest FROM policy WHERE name = 'size-limits'), 'mini_app', {of}, 1, b.config, 'shadow', 'closed', b.limits,
            {someone}, {now} - i, 'team' FROM n CROSS JOIN (SELECT * FROM policy_binding ORDER BY id LIMIT 1) b",
        sql_id("pb", "i")
    );
    execute(host, format!("INSERT INTO {columns} {} SELECT {select}", numbers(quarter))).await;
    let columns =
        "permit (id, mini_app_id, host_app_id, kind, api, state, reason, applied_by, applied_at, note, changed_by,
        changed_at)";
    let select = format!(
        "{}, {id}, 'super-app', 'sensitive_api', 'scanCode', 'waiting', 'to scan', {someone}, {now} - i, '', {someone}, {now} - i",
        sql_id("prm", "i")
    );
    insert(host, columns, teams, &select).await;
    let columns = "event (seq, id, type, subject, mini_app_id, actor, at, data)";
    let select = format!(
        "h.last + 1 + i, {}, e.type, e.subject, {}, e.actor, {now} - 5 * {apps} + i, e.data
         FROM n CROSS JOIN (SELECT last FROM event_head) h
            CROSS JOIN (SELECT * FROM event WHERE type = 'version.published' ORDER BY seq LIMIT 1) e",
        sql_id("evt", "i"),
        app(&format!("(i % {apps})"))
    );
    execute(host, format!("INSERT INTO {columns} {} SELECT {select}", numbers(5 * apps))).await;
    execute(host, "UPDATE event_head SET last = (SELECT MAX(seq) FROM event)".into()).await;
    let select = format!("{}, {now} - i, {someone}, 'mini_apps.create', 'POST', '/v1/mini-apps'", sql_id("act", "i"));
    insert(host, "act (id, at, actor, operation, method, path)", 5 * apps, &select).await;
    let select = format!("'mini_app', {}, {}", app(&format!("(i % {apps})")), sql_id("act", "i"));
    insert(host, "act_place", 5 * apps, &select).await;
    // The index of checks is made of what is there.
    Scene { host: scene.host.again(|_| ()).await, ..scene }
}

/// What was measured of a page.
struct Measured {
    address: String,
    millis: f64,
    bytes: usize,
    statements: usize,
    slowest: (u64, String),
}

async fn measure(browser: &Browser, address: String) -> Measured {
    let (mut times, mut statements, mut slowest, mut bytes) = (Vec::new(), usize::MAX, (0, String::new()), 0);
    for reading in 0..=READINGS {
        STATEMENTS.take();
        let start = Instant::now();
        let page = browser.get(&address).await;
        let time = start.elapsed().as_secs_f64() * 1000.0;
        assert_eq!(page.status, 200, "{address}: {}", page.html);
        let run = STATEMENTS.take();
        // Workers of the host run statements besides: the fewest are the page's own.
        statements = statements.min(run.len());
        slowest = run.into_iter().fold(slowest, Ord::max);
        bytes = page.html.len();
        if reading > 0 {
            times.push(time); // the first one fills caches
        }
    }
    Measured { address, millis: median(&times), bytes, statements, slowest }
}

/// Prints the pages, the slowest first, and tells those that are over a limit.
async fn report(database: Database, apps: usize, part: &str) -> Vec<String> {
    let scene = town(database, apps).await;
    println!("{database:?}: {apps} MiniApps are there");
    let browser = Browser::signed_in(&scene.host, &scene.host.admin_token).await;
    let mut measured = Vec::new();
    for page in all_pages(&browser).await {
        if page.address.contains(part) {
            measured.push(measure(&browser, page.address).await);
        }
    }
    measured.sort_by(|one, other| other.millis.total_cmp(&one.millis));
    let mut over = Vec::new();
    for Measured { address, millis, bytes, statements, slowest: (micros, text) } in &measured {
        println!(
            "{database:?} {address}: {millis:.1} ms, {:.1} kB, {statements} statements, the slowest {:.1} ms: {:.90}",
            *bytes as f64 / 1000.0,
            *micros as f64 / 1000.0,
            text.split_whitespace().collect::<Vec<_>>().join(" ")
        );
        let most = if address.contains("/replay?") { MOST_MILLIS_OF_REPLAYS } else { MOST_MILLIS };
        let is_slow = *millis > most && !cfg!(debug_assertions);
        if is_slow || *bytes > MOST_BYTES {
            over.push(format!("{database:?} {address}: {millis:.1} ms, {bytes} bytes"));
        }
    }
    scene.host.stop().await;
    over
}

#[tokio::main]
async fn main() {
    tracing::subscriber::set_global_default(Ear).unwrap();
    let mut args = std::env::args().skip(1);
    let apps = args.next().map_or(10_000, |apps| apps.parse().unwrap());
    let part = args.next().unwrap_or_default();
    let mut over = report(Database::Sqlite, apps, &part).await;
    if postgres_is_there() {
        over.extend(report(Database::Postgres, apps, &part).await);
    }
    assert!(over.is_empty(), "pages over a limit:\n{}", over.join("\n"));
}
