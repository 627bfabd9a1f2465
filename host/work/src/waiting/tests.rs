//! What waits for whom, in a database that has one of everything, and how long it takes to find it among many.

use std::time::{Duration, Instant};

use berth_base::clock::SystemRandom;
use berth_base::ids::{TeamId, UserId};
use berth_model::{
    access::{Role, Scope, Team, TokenScope},
    testing::{DAWN, person},
};
use berth_store::{
    Db,
    testing::{Fresh, fresh, run},
};

use super::*;

/// What a number of seven digits lacks to be the 26 characters of an id.
const ULID: &str = "'0000000000000000000'";

/// A database with a team that the tests speak of.
struct World {
    fresh: Fresh,
    own: TeamId,
}

impl World {
    async fn make() -> Self {
        let fresh = fresh().await;
        let mut tx = fresh.db.begin().await.unwrap();
        let team = Team { id: TeamId::generate(DAWN, &SystemRandom), name: "Own".into(), created_at: DAWN };
        tx.insert_team(&team).await.unwrap();
        tx.commit().await.unwrap();
        Self { fresh, own: team.id }
    }

    fn db(&self) -> &Db {
        &self.fresh.db
    }

    /// Runs a statement in which words in braces stand for what is often said.
    async fn run(&self, sql: &str) {
        let now = DAWN.0;
        let sql = sql
            .replace("{own}", self.own.as_str())
            .replace("{now}", &now.to_string())
            .replace("{lately}", &(now - 60_000).to_string())
            .replace("{soon}", &(now + 3_600_000).to_string())
            .replace("{later}", &(now + 7 * 86_400_000).to_string())
            .replace("{ulid}", ULID);
        run(self.db(), Box::leak(sql.into_boxed_str())).await;
    }

    /// The MiniApps `app1000001` to `app{1000000 + count}`, half of them the own team's, with a host app and a merchant. Each
    /// has a binding and an online version, and of a hundred MiniApps one or two wait in each way.
    async fn fill(&self, count: u32) {
        let last = 1_000_000 + count;
        let each = format!("WITH RECURSIVE n(i) AS (SELECT 1000001 UNION ALL SELECT i + 1 FROM n WHERE i < {last})");
        self.run("INSERT INTO team (id, name, created_at) VALUES ('team_00000000000000000000000000', 'Other', 0)")
            .await;
        self.run("INSERT INTO host_app (id, name, public_key, created_at) VALUES ('mall', 'Mall', 'pk', 0)").await;
        self.run("INSERT INTO merchant (id, name, created_at) VALUES ('bos-1', 'Store', 0)").await;
        self.run(&format!(
            "INSERT INTO mini_app (id, team_id, name, description, on_shelf, shelf_note, revision, created_at)
             {each} SELECT 'app' || CAST(i AS TEXT), CASE WHEN i % 2 = 0 THEN '{{own}}'
                ELSE 'team_00000000000000000000000000' END, 'App ' || CAST(i AS TEXT), '', TRUE, '', 0, 0 FROM n"
        ))
        .await;
        self.run(&format!(
            "INSERT INTO binding (host_app_id, mini_app_id, state, created_at) {each}
             SELECT 'mall', 'app' || CAST(i AS TEXT),
                CASE i % 100 WHEN 1 THEN 'waits_for_team' WHEN 2 THEN 'waits_for_host_app' ELSE 'active' END, {{lately}}
             FROM n"
        ))
        .await;
        // A version that was rejected at some time in the last three years, one that is online, and one in some state.
        for (major, state) in [
            (1, "'rejected'"),
            (2, "'online'"),
            (
                3,
                "CASE i % 100 WHEN 3 THEN 'rejected' WHEN 4 THEN 'rejected' WHEN 5 THEN 'approved' WHEN 6 THEN 'approved'
                    WHEN 7 THEN 'auditing' WHEN 8 THEN 'auditing' ELSE 'development' END",
            ),
        ] {
            self.run(&format!(
                "INSERT INTO version (id, mini_app_id, number, major, minor, patch, state, submitted_once, forced, sha256,
                    size, files, manifest, uploaded_by, created_at, updated_at)
                 {each} SELECT 'ver_' || substr({{ulid}}, 2) || '{major}' || CAST(i AS TEXT), 'app' || CAST(i AS TEXT),
                    '{major}.0.0', {major}, 0, 0, {state}, TRUE, FALSE, '', 1, 1, '{{}}', 'test', 0,
                    {{lately}} - CASE {major} WHEN 3 THEN 0 ELSE (i % 1000) * CAST(86400000 AS BIGINT) END FROM n"
            ))
            .await;
            self.run(&format!(
                "INSERT INTO audit (id, mini_app_id, version_id, state, sha256, reason, submitted_by, created_at, attempts,
                    closed_at)
                 {each} SELECT 'aud_' || substr({{ulid}}, 2) || '{major}' || CAST(i AS TEXT), 'app' || CAST(i AS TEXT),
                    'ver_' || substr({{ulid}}, 2) || '{major}' || CAST(i AS TEXT),
                    CASE WHEN {major} = 3 AND i % 100 IN (7, 8) THEN 'deciding' ELSE 'rejected' END, '', '', 'test',
                    {{lately}}, 1, CASE WHEN {major} = 3 AND i % 100 IN (7, 8) THEN NULL ELSE {{lately}} END FROM n"
            ))
            .await;
            self.run(&format!(
                "INSERT INTO audit_item (audit_id, host_app_id, note, decision) {each}
                 SELECT 'aud_' || substr({{ulid}}, 2) || '{major}' || CAST(i AS TEXT), 'mall', '',
                    CASE WHEN {major} = 3 AND i % 100 IN (7, 8) THEN NULL ELSE 'rejected' END FROM n"
            ))
            .await;
        }
        for (kind, api, odd) in [("sensitive_api", "'scanCode'", 9), ("skip_domains", "NULL", 11)] {
            self.run(&format!(
                "INSERT INTO permit (id, mini_app_id, host_app_id, kind, api, state, reason, applied_by, applied_at, note,
                    changed_by, changed_at)
                 {each} SELECT 'prm_' || substr({{ulid}}, 3) || '{odd:02}' || CAST(i AS TEXT), 'app' || CAST(i AS TEXT),
                    'mall', '{kind}', {api}, CASE i % 100 WHEN {odd} THEN 'waiting' ELSE 'approved' END, '', 'test',
                    {{lately}}, '', 'test', {{lately}} FROM n"
            ))
            .await;
        }
        self.run(&format!(
            "INSERT INTO gray_task (id, mini_app_id, version_id, name, state, honoured, start_at, end_at, admitted,
                conditions, created_by, created_at, failures)
             {each} SELECT 'gray_' || {{ulid}} || CAST(i AS TEXT), 'app' || CAST(i AS TEXT),
                'ver_' || substr({{ulid}}, 2) || '3' || CAST(i AS TEXT), 'canary',
                CASE WHEN i % 100 IN (12, 13) THEN 'suspended' WHEN i % 10 = 4 THEN 'delivering' ELSE 'ended' END, FALSE,
                {{lately}}, CASE WHEN i % 100 = 14 THEN {{soon}} ELSE {{later}} END, 40, '{{}}', 'test', {{lately}},
                CASE WHEN i % 100 = 24 THEN 6 ELSE 0 END FROM n"
        ))
        .await;
        self.run(&format!(
            "INSERT INTO gray_move (task_id, position, from_state, to_state, cause, note, moved_by, moved_at)
             {each} SELECT 'gray_' || {{ulid}} || CAST(i AS TEXT), 1, 'delivering', 'suspended', 'hand', '', 'test',
                {{lately}} FROM n WHERE i % 100 IN (12, 13)"
        ))
        .await;
        self.run(&format!(
            "INSERT INTO admission (task_id, guid, ordinal, admitted_at, failed_at, runs)
             {each} SELECT t.id, 'g' || CAST(d.i AS TEXT), d.i, 0, {{lately}}, d.i % 10 > 5
             FROM gray_task t JOIN n d ON d.i <= 1000010 WHERE t.failures > 0 ORDER BY t.id, d.i"
        ))
        .await;
        self.run(
            "INSERT INTO channel (id, merchant_id, kind, app_id, name, state, authorised_by, authorised_at, state_at)
             VALUES ('chn_00000000000000000000000000', 'bos-1', 'h5', 'h', 'Web', 'unauthorised', 'wechat', 0, {lately})",
        )
        .await;
        self.run(
            "INSERT INTO fulfilment (id, state, reason, detail, body, attempts, received_at) VALUES
                ('m-1', 'parked', 'merchant-unknown', '', '{}', 1, {lately}), ('m-2', 'applied', '', '', '{}', 1, 0)",
        )
        .await;
        self.run(
            "INSERT INTO webhook (id, scope_kind, scope_id, url, types, description, enabled, disabled_why, created_by,
                created_at, updated_at) VALUES ('wh_00000000000000000000000000', 'team', '{own}',
                'https://hooks.example.com/secret', '[]', '', TRUE, '', 'test', 0, 0)",
        )
        .await;
        self.run(
            "INSERT INTO webhook_delivery (webhook_id, seq, subject, state, attempts, next_at, error, updated_at) VALUES
                ('wh_00000000000000000000000000', 1, 's', 'dead', 10, 0, '', {lately}),
                ('wh_00000000000000000000000000', 2, 's', 'waiting', 1, 0, '', 0)",
        )
        .await;
    }

    /// Somebody with these roles, which are stored as well.
    async fn with(&self, roles: &[(Scope, Role)]) -> Caller {
        let mut tx = self.db().begin().await.unwrap();
        let name = berth_model::access::NewAccount { name: "somebody".into() };
        let account = tx.create_account("test", &name).await.unwrap().id;
        for (scope, role) in roles {
            tx.grant("test", &account, scope, *role).await.unwrap();
        }
        tx.commit().await.unwrap();
        person(account, roles.to_vec())
    }

    /// The kinds of what waits for somebody, each with how many there are, in the order of the names.
    async fn kinds(&self, caller: &Caller) -> Vec<(String, usize)> {
        let mut kinds = std::collections::BTreeMap::new();
        for one in list(self.db(), caller).await.unwrap().items {
            let kind = serde_json::to_value(&one).unwrap()["kind"].as_str().unwrap().to_owned();
            *kinds.entry(kind).or_default() += 1;
        }
        kinds.into_iter().collect()
    }
}

fn counted(kinds: &[(&str, usize)]) -> Vec<(String, usize)> {
    kinds.iter().map(|(kind, count)| ((*kind).into(), *count)).collect()
}

#[tokio::test]
async fn a7_each_sees_what_they_may_do_something_about() {
    let world = World::make().await;
    world.fill(100).await;
    let (team, mall) = (Scope::Team(world.own.clone()), Scope::HostApp("mall".parse().unwrap()));
    let admin = world.with(&[(Scope::Platform, Role::Admin)]).await;
    let all = counted(&[
        ("audit", 2),
        ("binding", 2),
        ("channel_unauthorised", 1),
        ("delivery_dead", 1),
        ("fulfilment_parked", 1),
        ("gray_ends", 1),
        ("gray_failing", 1),
        ("gray_suspended", 2),
        ("permit", 1),
        ("publish", 2),
        ("rejected", 2),
        ("skip", 1),
    ]);
    assert_eq!(world.kinds(&admin).await, all);
    let developer = world.with(&[(team.clone(), Role::Developer)]).await;
    assert_eq!(world.kinds(&developer).await, counted(&[("rejected", 1)]));
    let operator = world.with(&[(team.clone(), Role::Operator)]).await;
    let releases = [("gray_ends", 1), ("gray_failing", 1), ("gray_suspended", 1), ("publish", 1), ("rejected", 1)];
    assert_eq!(world.kinds(&operator).await, counted(&releases));
    let auditor = world.with(&[(mall.clone(), Role::Auditor)]).await;
    assert_eq!(world.kinds(&auditor).await, counted(&[("audit", 2), ("permit", 1)]));
    let of_mall = world.with(&[(mall.clone(), Role::Admin)]).await;
    let decides = counted(&[("audit", 2), ("binding", 1), ("permit", 1), ("skip", 1)]);
    assert_eq!(world.kinds(&of_mall).await, decides);
    let merchant = world.with(&[(Scope::Merchant("bos-1".parse().unwrap()), Role::Operator)]).await;
    assert_eq!(world.kinds(&merchant).await, counted(&[("channel_unauthorised", 1)]));
    let orders = world.with(&[(Scope::Platform, Role::Fulfiller)]).await;
    assert_eq!(world.kinds(&orders).await, counted(&[("fulfilment_parked", 1)]));
    for roles in [vec![], vec![(Scope::Platform, Role::Viewer)], vec![(team, Role::Viewer)], vec![(mall, Role::Server)]]
    {
        let idle = world.with(&roles).await;
        assert_eq!(world.kinds(&idle).await, [], "{roles:?}");
    }
    let reader = Caller { token_scopes: vec![TokenScope::Read, TokenScope::Fulfil], ..admin };
    assert_eq!(world.kinds(&reader).await, counted(&[("fulfilment_parked", 1)]));
}

#[tokio::test]
async fn a7_a_token_that_may_not_read_learns_nothing() {
    let world = World::make().await;
    let blind =
        Caller { token_scopes: vec![TokenScope::Fulfil], ..person(UserId::generate(DAWN, &SystemRandom), vec![]) };
    assert_eq!(list(world.db(), &blind).await.unwrap_err().code.slug(), "missing-grant");
}

/// Each MiniApp has three versions, and one in a hundred waits in each way. It takes a few milliseconds; the bound is for a
/// busy machine.
#[tokio::test]
async fn a7_what_waits_is_found_soon_among_10000_mini_apps() {
    let world = World::make().await;
    world.fill(10_000).await;
    run(world.db(), "ANALYZE").await;
    let team = world.with(&[(Scope::Team(world.own.clone()), Role::Admin)]).await;
    let admin = world.with(&[(Scope::Platform, Role::Admin)]).await;
    for (who, caller) in [("admin of the platform", &admin), ("admin of a team", &team)] {
        let mut best = Duration::MAX;
        for _ in 0..5 {
            let started = Instant::now();
            let found = list(world.db(), caller).await.unwrap();
            best = best.min(started.elapsed());
            assert!(found.more && found.items.len() >= 80, "{} things", found.items.len());
        }
        eprintln!("{who}: {best:?}");
        assert!(best < Duration::from_millis(200), "{who}: {best:?}");
    }
}
