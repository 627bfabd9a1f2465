//! Faults of the database and of the blob store, on a host in this process.

use std::{
    fs::File,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant, UNIX_EPOCH},
};

use berth::server;
use berth_base::clock::Nature;
use berth_judge::Compiler;
use berth_store::blob::{BlobConfig, collect};
use berth_tests::{
    Answer, Database, Host, Pool, guests, invariants, made, on_both, packed, postgres, postgres_is_there,
    scene::{Scene, text},
};
use berth_work::{
    access::first_admin,
    config::{Config, Storage},
};
use serde_json::{Value, json};

/// Opens the host's database with a connection of the test's own.
async fn pool(host: &Host) -> Pool {
    match &host.database_url {
        Some(url) => Pool::Postgres(sqlx::PgPool::connect(url).await.unwrap()),
        None => {
            Pool::Sqlite(sqlx::SqlitePool::connect(host.folder().join("berth.db").to_str().unwrap()).await.unwrap())
        }
    }
}

async fn blob_of(scene: &Scene, number: &str) -> PathBuf {
    let version = scene.admin.get(&format!("/v1/mini-apps/coffee/versions/{number}")).await.good();
    let sha256 = text(&version["sha256"]);
    scene.host.folder().join("blobs/sha256").join(&sha256[..2]).join(&sha256)
}

/// Sets the time of all files below a folder back to 2020.
fn make_old(folder: &Path) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            make_old(&path);
        } else {
            File::options()
                .write(true)
                .open(path)
                .unwrap()
                .set_modified(UNIX_EPOCH + Duration::from_secs(1_577_836_800))
                .unwrap();
        }
    }
}

async fn replace(scene: &Scene, number: &str, bytes: Vec<u8>) {
    let request = scene.admin.request("PUT", &format!("/v1/packages/coffee_{number}.apkg?replace=true"));
    Answer::of(request.body(bytes), "replace".into()).await.good();
}

on_both! {
    async fn f57_a_torn_blob_is_not_served_and_the_same_upload_heals_it(host) {
        let scene = Scene::set(host).await;
        scene.push("1.0.0", "1.0.0").await.good();
        let blob = blob_of(&scene, "1.0.0").await;
        let whole = std::fs::read(&blob).unwrap();
        for torn in [whole.len() / 2, 0] {
            File::options().write(true).open(&blob).unwrap().set_len(torn as u64).unwrap();
            scene.admin.get("/v1/packages/coffee_1.0.0.apkg").await.refused("package-damaged");
            scene.push("1.0.0", "1.0.0").await.good();
            assert_eq!(scene.admin.get("/v1/packages/coffee_1.0.0.apkg").await.bytes, whole);
        }
    }

    async fn f57_a_policy_whose_bytes_are_lost_is_healed_by_its_installation_and_a_built_in_one_by_a_start(host) {
        let scene = Scene::set(host).await;
        let wasm = guests::grayscale("by-hand", guests::Manner::Agrees);
        let install = async || {
            let request = scene.admin.request("POST", "/v1/policies").header("Content-Type", "application/wasm");
            Answer::of(request.body(wasm.clone()), "install".into()).await.good()
        };
        install().await;
        for name in ["by-hand", "percentage"] {
            let digest = text(&scene.admin.get(&format!("/v1/policies/{name}")).await.good()["digest"]);
            let blob = scene.host.folder().join("blobs/sha256").join(&digest[..2]).join(&digest);
            let bytes = format!("/v1/policies/{name}/wasm");
            let whole = scene.admin.get(&bytes).await.bytes;
            for torn in [whole.len() / 2, 0] {
                File::options().write(true).open(&blob).unwrap().set_len(torn as u64).unwrap();
                scene.admin.get(&bytes).await.refused("package-damaged");
                assert!(!blob.exists(), "it was moved aside");
                if name == "by-hand" {
                    install().await;
                } else {
                    scene.host.beside().await.stop().await;
                }
                assert!(scene.admin.get(&bytes).await.bytes == whole, "{name} {torn}");
            }
        }
    }

    async fn f58_publishers_rollbacks_and_grayscale_at_once_keep_the_history_linear(host) {
        let scene = Scene::set(host).await;
        scene.online("1.0.0").await;
        scene.online("1.1.0").await;
        for number in ["1.2.0", "1.3.0", "1.4.0"] {
            scene.approved(number).await;
        }
        let other = scene.host.beside().await;
        let tasks = [scene.gray("1.3.0", json!({})).await.good(), scene.gray("1.4.0", json!({})).await.good()];
        let ask = |admin: berth_tests::Api, path: String, body: Value| tokio::spawn(async move { admin.post(&path, body).await });
        let mut racing = Vec::new();
        for (admin, number) in [(scene.host.admin(), "1.2.0"), (other.admin(), "1.3.0"), (scene.host.admin(), "1.4.0"), (other.admin(), "1.2.0")] {
            racing.push(ask(admin.clone(), format!("/v1/mini-apps/coffee/versions/{number}/publish"), json!({})));
            racing.push(ask(admin.clone(), "/v1/mini-apps/coffee/rollback".into(), json!({"to": "1.0.0"})));
            racing.push(ask(admin.clone(), "/v1/mini-apps/coffee/shelf".into(), json!({"on": number != "1.3.0"})));
            for task in &tasks {
                for step in ["suspend", "resume", "end"] {
                    racing.push(ask(admin.clone(), format!("/v1/gray-tasks/{}/{step}", text(&task["id"])), json!({})));
                }
            }
        }
        for one in racing {
            let answer = one.await.unwrap();
            assert!(matches!(answer.status, 200 | 409), "{} {}", answer.status, answer.kind());
        }
        let pool = pool(&scene.host).await;
        invariants::hold(&pool).await;
        pool.close().await;
        other.stop().await;
    }

    async fn f64_what_nothing_names_is_removed_when_it_is_old(host) {
        let scene = Scene::set(host).await;
        scene.online("1.0.0").await;
        scene.push("1.1.0", "1.1.0").await.good();
        let replaced = blob_of(&scene, "1.1.0").await;
        replace(&scene, "1.1.0", made::package(1)).await;
        scene.admin.push("coffee_1.2.0.apkg", made::package(2)).await.good();
        let deleted = blob_of(&scene, "1.2.0").await;
        scene.admin.delete("/v1/mini-apps/coffee/versions/1.2.0").await.good();
        std::fs::write(scene.host.folder().join("spool/left-behind"), "scrap").unwrap();
        let nothing = collect(&scene.host.app.db, &scene.host.app.blobs).await.unwrap();
        assert_eq!((nothing.blobs, nothing.scraps), (0, 0), "all of it is young");
        make_old(&scene.host.folder().join("spool"));
        make_old(&scene.host.folder().join("blobs"));
        // The deleted version's bytes come again under another number: they are young now, and named.
        scene.admin.push("coffee_1.3.0.apkg", made::package(2)).await.good();
        let collected = collect(&scene.host.app.db, &scene.host.app.blobs).await.unwrap();
        assert_eq!((collected.blobs, collected.scraps), (1, 1));
        assert!(!replaced.exists() && deleted.exists());
        for number in ["1.0.0", "1.1.0", "1.3.0"] {
            scene.admin.get(&format!("/v1/packages/coffee_{number}.apkg")).await.good();
        }
        // What is named stays, however old: packages, policies, lists.
        make_old(&scene.host.folder().join("blobs"));
        assert_eq!(collect(&scene.host.app.db, &scene.host.app.blobs).await.unwrap().blobs, 0);
        assert_eq!(scene.submit("1.3.0").await["state"], "deciding");
    }

    async fn f64_what_a_killed_collector_had_set_aside_is_brought_back_or_deleted(host) {
        let scene = Scene::set(host).await;
        scene.push("1.0.0", "1.0.0").await.good();
        scene.admin.push("coffee_1.1.0.apkg", made::package(1)).await.good();
        scene.admin.push("coffee_1.2.0.apkg", made::package(2)).await.good();
        let doomed = scene.host.folder().join("blobs/doomed");
        std::fs::create_dir(&doomed).unwrap();
        let named = blob_of(&scene, "1.0.0").await;
        let again = blob_of(&scene, "1.1.0").await;
        let unnamed = blob_of(&scene, "1.2.0").await;
        let aside = |blob: &Path| doomed.join(blob.file_name().unwrap());
        scene.admin.delete("/v1/mini-apps/coffee/versions/1.2.0").await.good();
        for blob in [&named, &unnamed] {
            std::fs::rename(blob, aside(blob)).unwrap();
        }
        // Stored again since then: what is aside is not needed, whatever it is.
        std::fs::write(aside(&again), "torn").unwrap();
        scene.admin.get("/v1/packages/coffee_1.0.0.apkg").await.refused("package-damaged");
        let collected = collect(&scene.host.app.db, &scene.host.app.blobs).await.unwrap();
        assert_eq!((collected.blobs, std::fs::read_dir(&doomed).unwrap().count()), (0, 0));
        assert!(named.exists() && !unnamed.exists());
        for number in ["1.0.0", "1.1.0"] {
            scene.admin.get(&format!("/v1/packages/coffee_{number}.apkg")).await.good();
        }
    }
}

/// The same old bytes are uploaded under one number after the other, beside a collector that never rests
/// and has a short grace time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f64_an_upload_in_flight_keeps_its_bytes() {
    let folder = Arc::new(tempfile::tempdir().unwrap());
    let mut storage = Storage::in_folder(folder.path().to_owned());
    storage.blobs = BlobConfig { blob_grace: Duration::from_secs(4), ..BlobConfig::default() };
    let scene = Scene::set(Host::with(Config::with_defaults(storage), folder).await).await;
    let (app, stop) = (scene.host.app.clone(), Arc::new(AtomicBool::new(false)));
    let collector = tokio::spawn({
        let stop = stop.clone();
        async move {
            let mut collected = 0;
            while !stop.load(Ordering::SeqCst) {
                collected += collect(&app.db, &app.blobs).await.unwrap().blobs;
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            collected
        }
    });
    let began = Instant::now();
    let mut number = 0;
    while began.elapsed() < Duration::from_secs(10) {
        number += 1;
        scene.admin.push(&format!("coffee_1.{number}.0.apkg"), made::package(7)).await.good();
        assert_eq!(scene.admin.get(&format!("/v1/packages/coffee_1.{number}.0.apkg")).await.bytes, made::package(7));
        scene.admin.delete(&format!("/v1/mini-apps/coffee/versions/1.{number}.0")).await.good();
        // Long enough now and then for the bytes to grow old unnamed.
        tokio::time::sleep(Duration::from_millis(if number % 20 == 0 { 4500 } else { 10 })).await;
    }
    stop.store(true, Ordering::SeqCst);
    assert!(collector.await.unwrap() >= 1, "nothing was ever collected");
}

/// Something outside holds SQLite's only writer. Reads go on; a write waits for a while and is then refused.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f61_a_held_writer_is_waited_for_and_then_refused() {
    let scene = Scene::set(Host::start(Database::Sqlite).await).await;
    scene.online("1.0.0").await;
    scene.host.settled().await;
    let Pool::Sqlite(outside) = pool(&scene.host).await else { panic!("SQLite") };
    let held = outside.begin_with("BEGIN IMMEDIATE").await.unwrap();
    let (admin, began) = (scene.admin.clone(), Instant::now());
    let write = tokio::spawn(async move { admin.post("/v1/teams", json!({"name": "late"})).await });
    for _ in 0..20 {
        let read = Instant::now();
        assert_eq!(scene.check_on(&scene.host, "d", None).await["version"], "1.0.0");
        scene.admin.get("/v1/packages/coffee_1.0.0.apkg").await.good();
        assert!(read.elapsed() < Duration::from_secs(5), "{:?}", read.elapsed());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let refused = write.await.unwrap();
    refused.refused("unavailable");
    assert!(refused.header("retry-after").parse::<u32>().is_ok() && began.elapsed() < Duration::from_secs(30));
    held.rollback().await.unwrap();
    scene.admin.post("/v1/teams", json!({"name": "in time"})).await.good();
    outside.close().await;
}

/// Every connection is cut again and again. What fails says that it may be tried again, and afterwards everything works
/// as before.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f60_cut_connections_are_refusals_and_not_failures() {
    if !postgres_is_there() {
        return;
    }
    let scene = Scene::set(Host::start(Database::Postgres).await).await;
    scene.online("1.0.0").await;
    scene.approved("1.1.0").await;
    scene.gray("1.1.0", json!({"max_users": 20})).await.good();
    let url = scene.host.database_url.clone().unwrap();
    let (server, name) = url.rsplit_once('/').unwrap();
    let outside = sqlx::PgPool::connect(&format!("{server}/postgres")).await.unwrap();
    let cut = format!("SELECT COUNT(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = '{name}'");
    let cutting = tokio::spawn(async move {
        for _ in 0..40 {
            sqlx::query(sqlx::AssertSqlSafe(cut.clone())).execute(&outside).await.unwrap();
            tokio::time::sleep(Duration::from_millis(75)).await;
        }
    });
    let mut taken = Vec::new();
    for number in 0..u64::MAX {
        if cutting.is_finished() {
            break;
        }
        let began = Instant::now();
        let upload = scene.admin.push(&format!("coffee_2.{number}.0.apkg"), made::package(number)).await;
        assert!(matches!(upload.status, 201 | 503), "{} {}", upload.status, upload.kind());
        if upload.status == 201 {
            taken.push(number);
        }
        let check = scene.check_on(&scene.host, &format!("d{number}"), None).await;
        assert!(check["version"] == "1.0.0" || check["version"] == "1.1.0");
        assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    }
    cutting.await.unwrap();
    scene.host.settled().await;
    scene.admin.post("/v1/teams", json!({"name": "after"})).await.good();
    for number in taken {
        let bytes = scene.admin.get(&format!("/v1/packages/coffee_2.{number}.0.apkg")).await.bytes;
        assert_eq!(bytes, made::package(number));
    }
    let pool = pool(&scene.host).await;
    invariants::hold(&pool).await;
    pool.close().await;
}

/// PostgreSQL becomes read-only, as a standby is after a failover. What only reads goes on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f56_on_a_read_only_database_downloads_and_checks_work() {
    if !postgres_is_there() {
        return;
    }
    let scene = Scene::set(Host::start(Database::Postgres).await).await;
    scene.online("1.0.0").await;
    scene.host.settled().await;
    let url = scene.host.database_url.clone().unwrap();
    let (server, name) = url.rsplit_once('/').unwrap();
    let outside = sqlx::PgPool::connect(&format!("{server}/postgres")).await.unwrap();
    let set = |state: &str| {
        let sql = format!(
            "ALTER DATABASE {name} SET default_transaction_read_only = {state};
             SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
        );
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&outside)
    };
    set("on").await.unwrap();
    scene.admin.post("/v1/teams", json!({"name": "no"})).await.refused("unavailable");
    scene.push("1.1.0", "1.1.0").await.refused("unavailable");
    assert_eq!(scene.check_on(&scene.host, "d", None).await["version"], "1.0.0");
    let device = scene.host.device(&scene.key);
    assert_eq!(device.get("/v1/packages/coffee_1.0.0.apkg").await.bytes, packed("coffee/1.0.0", "coffee_1.0.0.apkg"));
    set("off").await.unwrap();
    // Some of the host's connections end only now.
    let began = Instant::now();
    let pushed = loop {
        let pushed = scene.push("1.1.0", "1.1.0").await;
        if pushed.status < 500 || began.elapsed() > Duration::from_secs(10) {
            break pushed;
        }
    };
    pushed.good();
}

/// The settings of a host on an empty database.
async fn empty(database: Database, folder: &Path) -> Config {
    let mut storage = Storage::in_folder(folder.to_owned());
    storage.cache_dir = Some(berth_tests::cache());
    if database == Database::Postgres {
        storage.db = postgres().await;
    }
    Config::with_defaults(storage)
}

async fn open(config: &Config) -> berth_base::error::Result<server::Host> {
    server::open(config.clone(), Compiler::InProcess, Nature::default()).await
}

async fn two_hosts_start_at_once(database: Database) {
    for _ in 0..5 {
        let folder = tempfile::tempdir().unwrap();
        let config = empty(database, folder.path()).await;
        let (one, other) = tokio::join!(open(&config), open(&config));
        let (one, other) = (one.unwrap(), other.unwrap());
        let (first, second) = tokio::join!(first_admin(&one.app.db), first_admin(&other.app.db));
        let admins = [first.unwrap(), second.unwrap()].iter().flatten().count();
        assert_eq!(admins, 1, "one of them is the first");
        let mut tx = one.app.db.read().await.unwrap();
        let bound = tx.policy_bindings(berth_model::policy::registry::ScopeKind::Platform, "").await.unwrap();
        let mut names: Vec<_> = bound.iter().map(|one| one.name.as_str()).collect();
        names.dedup();
        assert_eq!((bound.len(), names.len()), (7, 7), "{names:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f62_two_hosts_that_start_at_once_on_nothing_agree_on_sqlite() {
    two_hosts_start_at_once(Database::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f62_two_hosts_that_start_at_once_on_nothing_agree_on_postgres() {
    if postgres_is_there() {
        two_hosts_start_at_once(Database::Postgres).await;
    }
}

on_both! {
    async fn f62_a_database_that_a_newer_berth_has_used_is_left_alone(host) {
        let pool = pool(&host).await;
        let newer = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
                     SELECT 9999, 'of the future', success, checksum, 0 FROM _sqlx_migrations WHERE version = 1";
        match &pool {
            Pool::Sqlite(pool) => drop(sqlx::query(newer).execute(pool).await.unwrap()),
            Pool::Postgres(pool) => drop(sqlx::query(newer).execute(pool).await.unwrap()),
        }
        let refused = open(&host.config).await.err().unwrap();
        assert!(refused.detail.contains("9999") && refused.detail.contains("newer berth"), "{refused}");
        pool.close().await;
    }
}
