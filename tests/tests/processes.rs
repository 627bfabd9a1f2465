//! The real binary: how it starts and ends, and how it copes with full disks, large packages and restored backups.

use std::{fs::File, os::unix::fs::OpenOptionsExt as _, path::Path, time::Duration};

use berth_base::clock::{Clock as _, SystemClock};
use berth_tests::{
    Api, Database, Pool,
    browser::Browser,
    invariants, made, postgres_is_there,
    process::{Installation, Process, berth},
    shop::Shop,
};
use serde_json::json;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines},
    net::{TcpListener, TcpStream},
    process::{Child, ChildStdout},
    sync::oneshot,
};

/// Opens a connection of its own, and sends the head of a request on it.
async fn connection(process: &Process, head: &str) -> TcpStream {
    let mut stream = TcpStream::connect(process.address()).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    stream
}

async fn to_the_end(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

/// At the signal, a download and an upload are under way and one client is stuck. The download and the upload are
/// finished, and the stuck client is cut off at the deadline.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f75_what_is_under_way_is_finished_and_the_stuck_are_cut_at_the_deadline() {
    let mut berth = Installation::new(Database::Sqlite).await;
    berth.args = vec!["--http-drain".into(), "4s".into()];
    let process = berth.start().await;
    let admin = berth.admin(&process);
    Shop::open(&admin).await;
    let (big, late) = (made::with_noise(1, 8 << 20), made::package(2));
    admin.push("coffee_1.0.0.apkg", big.clone()).await.good();
    let bearer = format!("Host: berth\r\nAuthorization: Bearer {}\r\nConnection: close", berth.token.clone().unwrap());
    let mut download =
        connection(&process, &format!("GET /v1/packages/coffee_1.0.0.apkg HTTP/1.1\r\n{bearer}\r\n\r\n")).await;
    let (begun, has_begun) = oneshot::channel();
    let reading = tokio::spawn(async move {
        let (mut seen, mut part) = (0, vec![0; 64 << 10]);
        begun.send(()).unwrap();
        loop {
            let read = download.read(&mut part).await.unwrap();
            if read == 0 {
                return seen;
            }
            seen += read;
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    has_begun.await.unwrap();
    let head =
        format!("PUT /v1/packages/coffee_1.1.0.apkg HTTP/1.1\r\n{bearer}\r\nContent-Length: {}\r\n\r\n", late.len());
    let mut upload = connection(&process, &head).await;
    upload.write_all(&late[..100]).await.unwrap();
    let _stuck = connection(&process, "POST /v1/teams HTTP/1.1\r\nHost: berth\r\nContent-Le").await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    process.terminate();
    tokio::time::sleep(Duration::from_millis(500)).await;
    upload.write_all(&late[100..]).await.unwrap();
    let answer = to_the_end(&mut upload).await;
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    assert!(reading.await.unwrap() > big.len(), "the head and all bytes");
    let (well, took) = process.ended().await;
    assert!(well && took < Duration::from_secs(10), "{took:?}");
    let process = berth.start().await;
    assert_eq!(berth.admin(&process).get("/v1/packages/coffee_1.1.0.apkg").await.bytes, late);
}

/// Marks of devices are written behind, and the last ones not a moment before the signal.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g8_f75_what_devices_said_last_is_kept_by_a_host_that_stops() {
    let mut berth = Installation::new(Database::Sqlite).await;
    let process = berth.start().await;
    let admin = berth.admin(&process);
    let shop = Shop::open(&admin).await;
    let device = process.device(&shop.key);
    shop.until(&admin, &device, "1.0.0", "online").await;
    shop.until(&admin, &device, "1.1.0", "approved").await;
    let now = SystemClock.now();
    let new = json!({"name": "canary", "version": "1.1.0", "start": now, "end": now.plus_seconds(3600)});
    let task = admin.post("/v1/mini-apps/coffee/gray-tasks", new).await.good();
    for guid in 0..10 {
        for has in [json!(null), json!("1.1.0")] {
            let asks = json!({"host_app": "super-app", "guid": guid.to_string(), "apps": [{"mini_app": "coffee", "version": has}]});
            // The index hears of the task within a second.
            while device.post("/v1/check", asks.clone()).await.good()["results"][0]["version"] != "1.1.0" {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
    process.terminate();
    assert!(process.ended().await.0);
    let process = berth.start().await;
    let path = format!("/v1/gray-tasks/{}/progress", task["id"].as_str().unwrap());
    assert_eq!(berth.admin(&process).get(&path).await.good()["running"], 10);
}

/// Kills the first start at one moment after the other, and checks that the next start makes a whole installation of
/// what is there.
async fn begins_on_what_a_killed_start_left(database: Database) {
    for wait in [0, 20, 60, 120, 200, 300, 450, 700] {
        let mut berth = Installation::new(database).await;
        let mut first = berth
            .command(&["serve", "--listen", "127.0.0.1:0"])
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        tokio::time::sleep(Duration::from_millis(wait)).await;
        first.kill().await.unwrap();
        let process = berth.start().await;
        let printed = berth.command(&["admin", "token"]).output().await.unwrap();
        assert!(printed.status.success(), "{printed:?}");
        berth.token = Some(String::from_utf8(printed.stdout).unwrap().trim().to_owned());
        let admin = berth.admin(&process);
        let bound = admin.get("/v1/policy-bindings?scope_kind=platform").await.good();
        assert_eq!(bound["items"].as_array().unwrap().len(), 7, "killed after {wait} ms: {bound}");
        Shop::open(&admin).await;
        process.kill().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f62_f74_a_start_goes_on_where_a_killed_one_ended_on_sqlite() {
    begins_on_what_a_killed_start_left(Database::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f62_f74_a_start_goes_on_where_a_killed_one_ended_on_postgres() {
    if postgres_is_there() {
        begins_on_what_a_killed_start_left(Database::Postgres).await;
    }
}

/// 30 MiB go in and out through a host whose memory never grows by 32 MiB.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f68_f71_a_large_package_passes_in_small_parts() {
    let mut berth = Installation::new(Database::Sqlite).await;
    let process = berth.start().await;
    let admin = berth.admin(&process);
    Shop::open(&admin).await;
    admin.push("coffee_0.1.0.apkg", made::package(1)).await.good();
    let bytes = made::with_noise(2, 30 << 20);
    // From here on the high-water mark is that of now.
    std::fs::write(format!("/proc/{}/clear_refs", process.id()), "5").unwrap();
    let before = process.memory("VmHWM");
    admin.push("coffee_1.0.0.apkg", bytes.clone()).await.good();
    assert_eq!(admin.get("/v1/packages/coffee_1.0.0.apkg").await.bytes, bytes);
    let more = process.memory("VmHWM") - before;
    assert!(more <= 32 << 10, "{more} KiB more than the {before} KiB before");
}

/// Whether this machine lets tests mount file systems. Prints a note when it does not.
fn may_mount() -> bool {
    let tried = std::process::Command::new("unshare").args(["-rm", "mount", "-t", "tmpfs", "none", "/mnt"]).output();
    let may = tried.is_ok_and(|done| done.status.success());
    if !may {
        eprintln!("=== SKIPPED: full and read-only disks. This user may not mount. ===");
    }
    may
}

/// Fills the disk of a process to the last byte with a file, and returns the file's path.
fn fill(process: &Process, berth: &Installation) -> std::path::PathBuf {
    let filler = process.inside(berth.folder.path()).join("filler");
    let mut file = std::fs::File::create(&filler).unwrap();
    for size in [1 << 20, 4096, 512, 1] {
        while std::io::Write::write_all(&mut file, &vec![7; size]).is_ok() {}
    }
    filler
}

async fn reads_go_on(admin: &Api, process: &Process, shop: &Shop, bytes: &[u8]) {
    assert_eq!(admin.get("/v1/packages/coffee_1.0.0.apkg").await.bytes, bytes);
    admin.get("/v1/mini-apps/coffee/versions").await.good();
    let check = json!({"host_app": "super-app", "guid": "d", "apps": [{"mini_app": "coffee"}]});
    process.device(&shop.key).post("/v1/check", check).await.good();
}

/// Blobs, the database and its log are all on a disk without room. Writes are answered 507 and reads go on; with room
/// again, everything goes on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f55_on_a_full_disk_writes_are_507_and_reads_go_on() {
    if !may_mount() {
        return;
    }
    let mut berth = Installation::new(Database::Sqlite).await;
    let mount = format!("mount -t tmpfs -o size=24m none '{}' && exec \"$0\" \"$@\"", berth.folder.path().display());
    berth.wrapper = ["unshare", "-rm", "sh", "-c", &mount].map(str::to_owned).to_vec();
    let process = berth.start().await;
    let admin = berth.admin(&process);
    let shop = Shop::open(&admin).await;
    let bytes = made::with_noise(1, 1 << 20);
    admin.push("coffee_1.0.0.apkg", bytes.clone()).await.good();
    for round in 2..5_u64 {
        let filler = fill(&process, &berth);
        let name = format!("coffee_{round}.0.0.apkg");
        let refused = admin.push(&name, made::with_noise(round, 1 << 20)).await;
        assert_eq!(refused.status, 507, "{}", refused.kind());
        refused.refused("storage-full");
        // A team needs no blob; the database may have a free page for it, but not for many.
        let mut full = false;
        for _ in 0..200 {
            let answer = admin.post("/v1/teams", json!({"name": "x".repeat(60)})).await;
            assert!(matches!(answer.status, 201 | 507), "{} {}", answer.status, answer.kind());
            full |= answer.status == 507;
        }
        assert!(full, "the database never ran out of room");
        reads_go_on(&admin, &process, &shop, &bytes).await;
        std::fs::remove_file(filler).unwrap();
        admin.push(&name, made::with_noise(round, 1 << 20)).await.good();
        admin.post("/v1/teams", json!({"name": "room"})).await.good();
    }
    // SQLite resolves paths and cannot follow this one, so it looks at a copy.
    let copy = tempfile::tempdir().unwrap();
    for name in ["berth.db", "berth.db-wal"] {
        std::fs::copy(process.inside(&berth.folder.path().join(name)), copy.path().join(name)).unwrap();
    }
    let pool = Pool::Sqlite(sqlx::SqlitePool::connect(copy.path().join("berth.db").to_str().unwrap()).await.unwrap());
    invariants::hold(&pool).await;
}

/// The file system becomes read-only under a running host, as Linux does when a disk fails.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f56_on_a_disk_that_turned_read_only_downloads_and_checks_work() {
    if !rustix::process::geteuid().is_root() || !may_mount() {
        return eprintln!("=== SKIPPED: a disk that turns read-only. Only root may mount an image. ===");
    }
    let mut berth = Installation::new(Database::Sqlite).await;
    let image = tempfile::NamedTempFile::new().unwrap();
    image.as_file().set_len(64 << 20).unwrap();
    let (folder, path) = (berth.folder.path().display().to_string(), image.path().display().to_string());
    let mount = format!("mkfs.ext4 -q -F '{path}' && mount -o loop '{path}' '{folder}' && exec \"$0\" \"$@\"");
    berth.wrapper = ["unshare", "-m", "sh", "-c", &mount].map(str::to_owned).to_vec();
    let process = berth.start().await;
    let admin = berth.admin(&process);
    let shop = Shop::open(&admin).await;
    let bytes = made::package(1);
    admin.push("coffee_1.0.0.apkg", bytes.clone()).await.good();
    let pid = process.id().to_string();
    let abort = std::process::Command::new("nsenter")
        .args(["-t", &pid, "-m", "mount", "-o", "remount,abort", &folder])
        .status();
    assert!(abort.unwrap().success());
    for _ in 0..3 {
        reads_go_on(&admin, &process, &shop, &bytes).await;
        admin.post("/v1/teams", json!({"name": "no"})).await.refused("unavailable");
        let upload = admin.push("coffee_2.0.0.apkg", made::package(2)).await;
        assert_eq!((upload.status, upload.kind().as_str()), (503, "unavailable"));
    }
}

/// A backup as `host/docs/operate.md` describes it, taken while the host works.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f65_a_backup_taken_while_the_host_works_is_whole() {
    let mut berth = Installation::new(Database::Sqlite).await;
    let process = berth.start().await;
    let admin = berth.admin(&process);
    let shop = Shop::open(&admin).await;
    let work = tokio::spawn({
        let (shop, admin, device) = (shop.clone(), admin.clone(), process.device(&shop.key));
        async move { shop.work(admin, device).await }
    });
    tokio::time::sleep(Duration::from_secs(3)).await;
    let acknowledged: Vec<_> = shop.ledger().uploads.clone().into_iter().collect();
    let mut restored = Installation::new(Database::Sqlite).await;
    let copied =
        berth.command(&["admin", "backup", "--to", restored.folder.path().to_str().unwrap()]).output().await.unwrap();
    assert!(copied.status.success(), "{}", String::from_utf8_lossy(&copied.stderr));
    tokio::time::sleep(Duration::from_millis(300)).await;
    process.kill().await;
    work.await.unwrap();
    restored.token = berth.token.clone();
    let process = restored.start().await;
    let admin = restored.admin(&process);
    assert!(acknowledged.len() > 3);
    for (name, _) in &acknowledged {
        assert_eq!(admin.get(&format!("/v1/packages/{name}")).await.status, 200, "{name}");
    }
    let pool = restored.pool().await;
    invariants::hold(&pool).await;
    pool.close().await;
    admin.post("/v1/teams", json!({"name": "after"})).await.good();
}

/// Waits until somebody reads from a pipe, who then waits until what is returned is dropped.
async fn read_from(pipe: &Path) -> File {
    const O_NONBLOCK: i32 = 0o4000; // opening fails while nobody reads
    for _ in 0..1200 {
        if let Ok(writer) = File::options().write(true).custom_flags(O_NONBLOCK).open(pipe) {
            return writer;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("nobody reads from {}", pipe.display())
}

/// A pipe among the blobs holds the backup up: once while the blobs are copied, and once more after the database, as the copy of
/// a pipe is never as long as the pipe. There a version is deleted, and its bytes are collected.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f65_a_backup_has_what_is_deleted_after_its_database_was_copied() {
    let mut berth = Installation::new(Database::Sqlite).await;
    let process = berth.start().await;
    let admin = berth.admin(&process);
    Shop::open(&admin).await;
    admin.push("coffee_1.0.0.apkg", made::package(1)).await.good();
    let pipe = berth.folder.path().join("blobs/sha256/pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let mut restored = Installation::new(Database::Sqlite).await;
    let to = restored.folder.path().to_owned();
    let mut command = berth.command(&["admin", "backup", "--to", to.to_str().unwrap()]);
    let backup = tokio::spawn(async move { command.output().await.unwrap() });
    let mut first = read_from(&pipe).await;
    std::io::Write::write_all(&mut first, b"x").unwrap();
    drop(first);
    while !to.join("berth.next.db").exists() && !backup.is_finished() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let second = read_from(&pipe).await;
    admin.delete("/v1/mini-apps/coffee/versions/1.0.0").await.good();
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let (done, said) = ran(&berth, &["doctor", "--collect", "--blob-grace", "1s"]).await;
    assert!(done && said.contains("removed 1 blob of"), "{said}");
    drop(second);
    let backup = backup.await.unwrap();
    assert!(backup.status.success(), "{}", String::from_utf8_lossy(&backup.stderr));
    process.kill().await;
    restored.token = berth.token.clone();
    let process = restored.start().await;
    let package = restored.admin(&process).get("/v1/packages/coffee_1.0.0.apkg").await;
    assert_eq!((package.status, package.bytes), (200, made::package(1)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f65_no_host_starts_from_a_backup_that_is_not_whole() {
    let berth = with_a_secret().await;
    let mut restored = Installation::new(Database::Sqlite).await;
    let to = restored.folder.path().to_owned();
    let backup = ["admin", "backup", "--to", to.to_str().unwrap()];
    let (done, said) = ran(&berth, &backup).await;
    assert!(done, "{said}");
    let files = || ["berth-backup.json", "berth.db"].map(|name| std::fs::read(to.join(name)).unwrap());
    let whole = files();
    // One that breaks off before it has all leaves the earlier one as it is.
    let in_the_way = to.join("berth.next.part");
    std::fs::create_dir(&in_the_way).unwrap();
    assert!(!ran(&berth, &backup).await.0);
    assert!(files() == whole, "the earlier backup has changed");
    std::fs::remove_dir(&in_the_way).unwrap();

    let mut mark: serde_json::Value = serde_json::from_slice(&whole[0]).unwrap();
    mark["whole_at"] = json!(null);
    std::fs::write(to.join("berth-backup.json"), mark.to_string()).unwrap();
    let serve = ["serve", "--listen", "127.0.0.1:0"];
    let refused = tokio::time::timeout(Duration::from_secs(60), ran(&restored, &serve)).await;
    let (done, said) = refused.expect("it does not start");
    assert!(!done && said.contains("unfinished-backup") && said.contains("berth admin backup --to"), "{said}");
    let elsewhere = tempfile::tempdir().unwrap();
    for command in [
        &["admin", "token"][..],
        &["admin", "invite"],
        &["admin", "rotate-secrets"],
        &["admin", "rotate-oidc-key"],
        &["admin", "backup", "--to", elsewhere.path().to_str().unwrap()],
        &["doctor"],
    ] {
        let (done, said) = ran(&restored, command).await;
        assert!(!done && said.contains("unfinished-backup"), "{command:?}: {said}");
    }
    let (done, said) = ran(&berth, &backup).await;
    assert!(done, "it is known as a backup of the host still, and becomes whole: {said}");
    let (done, said) = ran(&restored, &["doctor"]).await;
    assert!(done, "{said}");
    restored.start().await.kill().await;
}

/// Somebody looks into a backup, and is killed: SQLite's log of its database stays there. It must not come into the next one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f65_nothing_of_an_earlier_backup_comes_into_the_next_one() {
    let mut berth = Installation::new(Database::Sqlite).await;
    let process = berth.start().await;
    let mut copy = Installation::new(Database::Sqlite).await;
    let to = copy.folder.path().to_owned();
    let backup = ["admin", "backup", "--to", to.to_str().unwrap()];
    let (done, said) = ran(&berth, &backup).await;
    assert!(done, "{said}");
    let (done, said) = ran(&copy, &["admin", "token"]).await;
    assert!(done, "{said}");
    let log = to.join("berth.db-wal");
    assert!(!log.exists(), "a command closes the database");
    let pool = sqlx::SqlitePool::connect(copy.file().to_str().unwrap()).await.unwrap();
    sqlx::query("CREATE TABLE left_behind (x)").execute(&pool).await.unwrap();
    let left = std::fs::read(&log).unwrap();
    pool.close().await;
    std::fs::write(&log, left).unwrap();

    berth.admin(&process).post("/v1/teams", json!({"name": "Since then"})).await.good();
    let (done, said) = ran(&berth, &backup).await;
    assert!(done, "{said}");
    process.kill().await;
    let (done, said) = ran(&copy, &["doctor"]).await;
    assert!(done, "{said}");
    copy.token = berth.token.clone();
    let process = copy.start().await;
    let teams = copy.admin(&process).get("/v1/teams").await.good();
    assert_eq!(teams["items"][0]["name"], "Since then", "{teams}");
    let pool = copy.pool().await;
    assert_eq!(pool.texts("PRAGMA integrity_check").await, ["ok"]);
    assert_eq!(pool.number("SELECT count(*) FROM sqlite_master WHERE name = 'left_behind'").await, 0);
    pool.close().await;
    process.kill().await;
}

/// What a command answers: whether it was done, and what it said.
async fn ran(berth: &Installation, arguments: &[&str]) -> (bool, String) {
    let done = berth.command(arguments).output().await.unwrap();
    let said = [done.stdout, done.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    (done.status.success(), said.concat())
}

/// A host with a sealed secret, which has ended.
async fn with_a_secret() -> Installation {
    let mut berth = Installation::new(Database::Sqlite).await;
    let process = berth.start().await;
    let hook = json!({"url": "https://example.com/", "scope": {"kind": "platform"}, "types": ["host_app.created"]});
    berth.admin(&process).post("/v1/webhooks", hook).await.good();
    process.terminate();
    assert!(process.ended().await.0, "{}", berth.said());
    berth
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f65_a_backup_writes_over_nothing_but_a_backup_of_the_same_host() {
    let (mut berth, other) = (with_a_secret().await, with_a_secret().await);
    let (data, theirs) = (berth.folder.path().to_owned(), other.folder.path().to_owned());
    let elsewhere = tempfile::tempdir().unwrap();
    let link = elsewhere.path().join("link");
    std::os::unix::fs::symlink(&data, &link).unwrap();
    let notes = elsewhere.path().join("notes");
    std::fs::create_dir(&notes).unwrap();
    std::fs::write(notes.join("todo.txt"), "milk").unwrap();
    let keys = || [&data, &theirs].map(|folder| std::fs::read(folder.join("secret.key")).unwrap());
    let before = keys();
    let refused = [
        data.clone(),
        data.join("."),
        data.join("blobs/.."),
        link.clone(),
        data.join("blobs"),
        link.join("blobs/sha256/new"),
        theirs.clone(),
        notes.clone(),
        elsewhere.path().to_owned(),
    ];
    for to in &refused {
        let (done, said) = ran(&berth, &["admin", "backup", "--to", to.to_str().unwrap()]).await;
        assert!(!done && said.contains("new folder of its own"), "{}: {said}", to.display());
    }
    assert_eq!(keys(), before);
    assert!(!notes.join("berth.db").exists() && !data.join("berth-backup.json").exists());

    let copy = elsewhere.path().join("copy");
    let to = copy.to_str().unwrap().to_owned();
    for _ in 0..2 {
        let (done, said) = ran(&berth, &["admin", "backup", "--to", &to]).await;
        assert!(done, "{said}");
    }
    assert_eq!(std::fs::read(copy.join("secret.key")).unwrap(), before[0]);
    let mark: serde_json::Value =
        serde_json::from_slice(&std::fs::read(copy.join("berth-backup.json")).unwrap()).unwrap();
    assert!(mark["whole_at"].is_string() && mark["backup_of"].is_string(), "{mark}");
    let (done, said) = ran(&other, &["admin", "backup", "--to", &to]).await;
    assert!(!done && said.contains("is a backup of"), "{said}");

    // A key that was lost here never takes the place of the one in the copy, and nobody is told to make a new one.
    for content in ["", "not a key"] {
        std::fs::write(data.join("secret.key"), content).unwrap();
        for command in [&["admin", "backup", "--to", &to][..], &["doctor"]] {
            let (done, said) = ran(&berth, command).await;
            assert!(!done && said.contains(mark["key"].as_str().unwrap()), "{command:?}: {said}");
            assert!(said.contains("berth-backup.json") && !said.contains("openssl"), "{command:?}: {said}");
        }
    }
    assert_eq!(std::fs::read(copy.join("secret.key")).unwrap(), before[0]);
    std::fs::copy(copy.join("secret.key"), data.join("secret.key")).unwrap();
    let process = berth.start().await;
    process.kill().await;

    // A host that starts from the copy has it for its own from then on.
    let mut moved = Installation::new(Database::Sqlite).await;
    let (done, said) = ran(&berth, &["admin", "backup", "--to", moved.folder.path().to_str().unwrap()]).await;
    assert!(done, "{said}");
    let process = moved.start().await;
    process.kill().await;
    let (done, said) = ran(&berth, &["admin", "backup", "--to", moved.folder.path().to_str().unwrap()]).await;
    assert!(!done && said.contains("data of a host"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f65_what_has_a_backup_of_its_own_is_refused_before_a_folder_is_made() {
    if !postgres_is_there() {
        return;
    }
    let mut berth = Installation::new(Database::Postgres).await;
    let process = berth.start().await;
    process.kill().await;
    let to = berth.folder.path().with_extension("copy");
    let (done, said) = ran(&berth, &["admin", "backup", "--to", to.to_str().unwrap()]).await;
    assert!(!done && said.contains("pg_dump"), "{said}");
    assert!(!to.exists());
}

/// The demo makes teams and MiniApps, so it never starts on the data of a host.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_demo_leaves_the_data_of_a_host_alone() {
    let mut berth = Installation::new(Database::Sqlite).await;
    let process = berth.start().await;
    let admin = berth.admin(&process);
    admin.post("/v1/teams", json!({"name": "Mine"})).await.good();
    let (done, said) = ran(&berth, &["demo", "--listen", "127.0.0.1:0"]).await;
    assert!(!done && said.contains("berth serve --data-dir") && said.contains("Nothing was written"), "{said}");
    let teams = admin.get("/v1/teams").await.good();
    assert_eq!(teams["items"].as_array().unwrap().len(), 1, "{teams}");
    admin.get("/v1/host-apps/demo-app").await.refused("not-found");
    let foreign = Installation::new(Database::Sqlite).await;
    std::fs::write(foreign.folder.path().join("todo.txt"), "milk").unwrap();
    let (done, said) = ran(&foreign, &["demo", "--listen", "127.0.0.1:0"]).await;
    assert!(!done && said.contains("todo.txt"), "{said}");
    assert_eq!(std::fs::read_dir(foreign.folder.path()).unwrap().count(), 1);
    process.kill().await;
}

/// The link that a demo prints is for whoever has no account yet.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_link_that_a_demo_prints_signs_in() {
    let installation = Installation::new(Database::Sqlite).await;
    let demo = installation.demo().await;
    let path = demo.link.strip_prefix(&demo.process.url).unwrap_or_else(|| panic!("no link: {:?}", demo.link));
    let browser = Browser::at(&demo.process.url);
    let page = browser.get(path).await;
    assert!(page.says("This link signs in as") && page.faults().is_empty(), "{:?} {}", page.faults(), page.html);
    let fields = [("sign_in_name", "demo"), ("password", "a horse that eats batteries")];
    let page = browser.send(path, &fields).await;
    assert_eq!((page.address.as_str(), page.status), ("/ui", 200), "{}", page.html);
    let page = browser.get("/ui/mini-apps/coffee").await;
    assert!(page.says("1.1.0") && page.says("Loyalty card, 50 %"), "{}", page.html);
    assert_eq!(Browser::at(&demo.process.url).get(path).await.status, 404, "it works once");
    let page = Browser::at(&demo.process.url).send("/ui/sign-in", &fields).await;
    assert_eq!(page.address, "/ui", "the name and the password work from then on");
    let issuer = demo.admin.get("/.well-known/openid-configuration").await.good()["issuer"].clone();
    assert_eq!(issuer, *demo.process.url, "it knows its address, so users can log in by OpenID Connect");
    demo.process.kill().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_demo_that_was_broken_off_before_it_was_made_says_so() {
    let installation = Installation::new(Database::Sqlite).await;
    installation.demo().await.process.kill().await;
    let mark = installation.folder.path().join("berth-demo.json");
    let made = std::fs::read_to_string(&mark).unwrap();
    assert!(!made.contains("unfinished"), "{made}");
    std::fs::write(&mark, json!({"demo": "", "unfinished": true}).to_string()).unwrap();
    let (done, said) = ran(&installation, &["demo", "--listen", "127.0.0.1:0"]).await;
    assert!(!done && said.contains("unfinished-demo") && said.contains("start again"), "{said}");
}

/// A command that goes on, the rest of what it prints, and the document that it prints with `--json` when it is ready.
async fn announced(
    berth: &Installation,
    arguments: &[&str],
) -> (Child, Lines<BufReader<ChildStdout>>, serde_json::Value) {
    let mut command = berth.command(arguments);
    let command = command.arg("--json").stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::null());
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut said = String::new();
    while let Some(line) = lines.next_line().await.unwrap() {
        said.push_str(&line);
        if let Ok(document) = serde_json::from_str(&said) {
            return (child, lines, document);
        }
    }
    panic!("it ended before it was ready: {said}")
}

/// Ends what goes on, and asserts that it has printed nothing more.
async fn ended_silently(mut child: Child, mut lines: Lines<BufReader<ChildStdout>>) {
    child.kill().await.unwrap();
    assert_eq!(lines.next_line().await.unwrap(), None, "it prints one document");
}

/// Links lead to a host that listens at all addresses by one that there is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p6_a_host_tells_programs_where_it_is_and_how_its_admin_gets_in() {
    let berth = Installation::new(Database::Sqlite).await;
    let serve = ["serve", "--listen", "127.0.0.1:0"];
    let (child, lines, first) = announced(&berth, &serve).await;
    let url = first["url"].as_str().unwrap().to_owned();
    assert_eq!(url, format!("http://{}", first["listen"].as_str().unwrap()));
    let path = first["link"].as_str().unwrap().strip_prefix(&url).unwrap().to_owned();
    assert!(Browser::at(&url).get(&path).await.says("This link signs in as"), "{first}");
    let admin = Api::at(&url).with_token(first["token"].as_str().unwrap());
    admin.get("/v1/me").await.good();
    ended_silently(child, lines).await;
    let (child, lines, again) = announced(&berth, &serve).await;
    let members: Vec<_> = again.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(members, ["listen", "url"]);
    ended_silently(child, lines).await;
    let (done, said) = ran(&berth, &["admin", "invite"]).await;
    assert!(done && said.contains(again["url"].as_str().unwrap()), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_demo_tells_programs_how_it_is_tried() {
    let berth = Installation::new(Database::Sqlite).await;
    let (child, lines, told) = announced(&berth, &["demo", "--listen", "127.0.0.1:0"]).await;
    let text = |name: &str| told[name].as_str().unwrap_or_else(|| panic!("{name}: {told}")).to_owned();
    assert!(text("link").starts_with(&text("url")), "{told}");
    let admin = Api::at(&text("url")).with_token(&text("token"));
    admin.get("/v1/mini-apps/coffee").await.good();
    let device = Api::at(&text("url")).with_key(&text("host_app_key"));
    let check = json!({"host_app": text("host_app"), "guid": "d", "apps": [{"mini_app": "coffee"}]});
    device.post("/v1/check", check).await.good();
    ended_silently(child, lines).await;
}

/// An invitation that nobody gives an address has that of the host's last start.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p6_an_invitation_leads_to_where_the_host_listened() {
    let mut berth = Installation::new(Database::Sqlite).await;
    let process = berth.start().await;
    let (done, said) = ran(&berth, &["admin", "invite"]).await;
    assert!(done && said.contains(&process.url) && said.contains("--public-url"), "{said}");
    std::fs::remove_file(berth.folder.path().join("berth-host.json")).unwrap();
    let (done, said) = ran(&berth, &["admin", "invite"]).await;
    assert!(done && said.contains("is guessed") && said.contains("--public-url"), "{said}");
    process.kill().await;
}

/// `berth doctor --collect` says what it has removed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f64_the_doctor_collects() {
    let mut berth = Installation::new(Database::Sqlite).await;
    let process = berth.start().await;
    let admin = berth.admin(&process);
    Shop::open(&admin).await;
    admin.push("coffee_1.0.0.apkg", made::package(1)).await.good();
    admin.delete("/v1/mini-apps/coffee/versions/1.0.0").await.good();
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let doctor = berth.command(&["doctor", "--collect", "--blob-grace", "1s"]).output().await.unwrap();
    let said = String::from_utf8_lossy(&doctor.stdout).into_owned();
    assert!(doctor.status.success() && said.contains("removed 1 blob of"), "{said} {doctor:?}");
}

/// A bundle is told to end while the host that it asks is silent.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn o4_a_bundle_that_is_told_to_end_leaves_nothing_behind() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let (api, folder) = (Api::at(&url).with_token("berth_secret"), tempfile::tempdir().unwrap());
    let out = folder.path().join("assets");
    let mut command = berth(&api, &["bundle", "--host-app", "ha-super", "--out", out.to_str().unwrap()]);
    let command = command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::piped());
    let bundle = command.spawn().unwrap();
    let _asked = silent.accept().await.unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "what it stages");
    let id = rustix::process::Pid::from_raw(bundle.id().unwrap() as i32).unwrap();
    rustix::process::kill_process(id, rustix::process::Signal::TERM).unwrap();
    let ended = tokio::time::timeout(Duration::from_secs(60), bundle.wait_with_output()).await.unwrap().unwrap();
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.code() == Some(1) && said.contains("interrupted"), "{:?} {said}", ended.status);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn o4_a_bundle_replaces_no_folder_in_which_it_runs() {
    let folder = tempfile::tempdir().unwrap();
    let nobody = Api::at("http://127.0.0.1:9");
    let mut command = berth(&nobody, &["bundle", "--host-app", "ha-super", "--out", "."]);
    let done = command.current_dir(folder.path()).output().await.unwrap();
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.code() == Some(2) && said.contains("The command runs in"), "{:?} {said}", done.status);
}
