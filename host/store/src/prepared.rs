//! What the macros of `statement` note of the source, and the test that prepares all of it on both databases.

use std::{cell::RefCell, collections::BTreeSet};

use linkme::distributed_slice;

/// Where something stands in the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub module: &'static str,
    pub file: &'static str,
    pub line: u32,
    pub column: u32,
    /// What tells it from others on the line, as source.
    pub what: &'static str,
}

macro_rules! place {
    ($what:expr) => {
        $crate::prepared::Place { module: module_path!(), file: file!(), line: line!(), column: column!(), what: $what }
    };
}
pub(super) use place;

/// Who understands a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    Both,
    Sqlite,
}

/// A statement whose text is a constant.
pub struct Text {
    pub place: Place,
    pub dialect: Dialect,
    pub text: &'static str,
    /// The values that are bound to it, as source.
    pub bound: &'static [&'static str],
}

/// Every statement whose text is a constant.
#[distributed_slice]
pub(crate) static TEXTS: [Text];

/// Every place where a statement is put together.
#[distributed_slice]
pub static BUILT: [Place];

/// Everything that decides what is pushed onto a statement.
#[distributed_slice]
pub(crate) static CHOICES: [Place];

/// What a test has tried.
#[derive(Default)]
struct Tried {
    built: BTreeSet<(Place, String)>,
    chosen: BTreeSet<(Place, bool)>,
}

thread_local! {
    /// Of the test on this thread, if it wants to know.
    static TRIED: RefCell<Option<Tried>> = const { RefCell::new(None) };
}

fn note(what: impl FnOnce(&mut Tried) -> bool) {
    TRIED.with_borrow_mut(|tried| tried.as_mut().map(what));
}

/// Notes that a statement was put together.
pub fn built(place: &Place, text: &str) {
    note(|tried| tried.built.insert((*place, text.to_owned())));
}

/// Notes how a choice was made.
pub fn chosen(place: &Place, choice: &impl Choice) {
    note(|tried| tried.chosen.insert((*place, choice.made())));
}

/// A truth or an option.
pub(crate) trait Choice {
    fn made(&self) -> bool;
}

impl Choice for bool {
    fn made(&self) -> bool {
        *self
    }
}

impl<T> Choice for Option<T> {
    fn made(&self) -> bool {
        self.is_some()
    }
}

impl<T> Choice for &Option<T> {
    fn made(&self) -> bool {
        self.is_some()
    }
}

#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use std::{collections::BTreeSet, fs, path::Path};

    use serde_json::{Value, json};
    use sqlx::{AssertSqlSafe, Executor, SqlSafeStr, Sqlite, SqlitePool, Statement};

    use super::{BUILT, CHOICES, Dialect, Place, TEXTS, TRIED, Text, Tried};
    use crate::{
        AttemptRow, Backend, Db, DbConfig, EXPIRING, Expiring, PermitsOf, SEALED, endpoint::fulfilment::FulfilmentRow,
    };
    use crate::{access::WhichAccounts, act::Doing, testing};
    use berth_base::{
        clock::{Nature, SystemRandom},
        ids::{
            AttemptId, EndpointAppId, GrayTaskId, GroupId, MerchantId, TeamId, UserId, VersionId, WebhookId,
            WechatAppId,
        },
    };
    use berth_model::testing::{DAWN, person};
    use berth_model::{
        access::{Role, Scope},
        act::Asked,
        binding::BindingState,
        endpoint::{ProductInstance, fulfilment},
        event::{TrialCleared, kind, webhook::DeliveryState},
        policy::registry::{PolicyScope, ScopeKind},
        replay::{RecordedRow, ReplayOver},
        rollout::{Mark, Side},
        settings::{PermitKind, PermitState},
        version::TrialEnd,
        workspace::{
            Subject, SubjectKind,
            scim::{filter::Narrow, schema::Resource},
        },
    };

    fn made<T: serde::de::DeserializeOwned>(json: Value) -> T {
        serde_json::from_value(json).unwrap()
    }

    /// Each call in a transaction of its own. Whether the database likes the values is nothing to this test.
    macro_rules! call {
        ($db:expr, $($method:ident($($arg:expr),*);)*) => {$(
            let _ = $db.begin().await.unwrap().$method($($arg),*).await;
        )*};
    }

    /// Puts every statement together that is put together, with all of its parts or with none.
    async fn build_each(db: &Db, all: bool) {
        let maybe = |json: Value| if all { json } else { json!({}) };
        let grants = if all { Vec::new() } else { vec![(Scope::Platform, Role::Admin)] };
        let caller = &person(UserId::generate(DAWN, &SystemRandom), grants);
        let recorded: RecordedRow =
            made(json!({"stand_in": "a", "asked_at": DAWN, "host_app": "mall", "host_version": "",
            "sdk_version": "", "platform": "ios", "os_version": "", "network": "", "has_device_id": false,
            "has_account": false}));
        let recorded = [("a".to_owned(), recorded)].into();
        let (page, bos) = (&made(json!({})), "bos-1".parse::<MerchantId>().unwrap());
        let wx: WechatAppId = "wxaaaaaaaaaaaaaaaa".parse().unwrap();
        let (task, webhook) = (&GrayTaskId::generate(DAWN, &SystemRandom), WebhookId::generate(DAWN, &SystemRandom));
        let (team, cid) = (TeamId::generate(DAWN, &SystemRandom), EndpointAppId::generate(DAWN, &SystemRandom));
        let row: FulfilmentRow = FulfilmentRow {
            id: "m-1".parse().unwrap(),
            merchant_id: None,
            state: "parked".parse().unwrap(),
            reason: String::new(),
            detail: String::new(),
            body: "{}".into(),
            attempts: 1,
            received_at: DAWN,
            settled_at: None,
            discarded_by: None,
            note: String::new(),
        };
        let taken_up = all.then(|| row.id.clone()).into_iter().collect();
        let instance: ProductInstance = made(json!({"id": "pi-1", "merchant": bos, "product": "mall", "name": "Mall",
            "state": "active", "said_at": DAWN, "said_kind": "purchase", "said_by": "m-1", "created_at": DAWN,
            "updated_at": DAWN}));
        let state = all.then_some(DeliveryState::Waiting);
        let place = all.then(|| fulfilment::Place(DAWN, row.id.clone()));
        let attempt = AttemptRow {
            id: AttemptId::generate(DAWN, &SystemRandom),
            webhook_id: webhook.clone(),
            seq: 1,
            at: DAWN,
            status: Some(204),
            millis: 1,
            error: String::new(),
        };
        call!(
            db,
            accounts(page, &WhichAccounts {
                id: all.then_some(&caller.account), name: all.then_some("name"), is_linked: all.then_some(true) });
            account_names(&[caller.account.clone()].into());
            teams_known_to(caller, page);
            invitations_known_to(caller, page);
            mini_apps_known_to(caller, &made(maybe(json!({"team": team, "search": "a", "shelf": "on"}))), page);
            gray_tasks_called(caller, "a");
            gray_tasks(caller, all.then_some(&"coffee".parse().unwrap()), &made(maybe(json!({"state": "delivering"}))));
            versions_numbered(caller, &"1.0.0".parse().unwrap());
            audits_waiting(caller);
            audit_items(&["aud_00000000000000000000000000".parse().unwrap()]);
            policy_bindings_among(caller, "a", &["pb_00000000000000000000000000".parse().unwrap()]);
            evaluations(&["aud_00000000000000000000000000".parse().unwrap()]);
            versions_to_publish(caller);
            versions_rejected(caller);
            gray_tasks_ending(caller);
            gray_tasks_suspended(caller);
            gray_tasks_failing(caller);
            deliveries_dead(caller);
            channels_unauthorised(caller);
            bindings_waiting(caller, BindingState::WaitsForTeam);
            bindings_waiting(caller, BindingState::WaitsForHostApp);
            permits_waiting(caller, PermitKind::SkipDomains);
            versions_shown_to(&["mall".parse().unwrap()], &"shop".parse().unwrap(), page);
            policy_bindings_known_to(caller, &made(maybe(json!({"policy": "percentage", "limit": 5}))));
            places_of_policies(caller);
            acts(&made(maybe(json!({"mini_app": "shop", "from": DAWN, "until": DAWN, "actor": "usr_1", "address": "::1",
                "outcome": "done", "operation": "versions.*"}))), page);
            acts(&made(maybe(json!({"operation": "versions.publish"}))), page);
            owners(&["shop".parse().unwrap()].into());
            events_of(&made(maybe(json!({"mini_app": "shop", "host_app": "mall", "merchant": bos,
                "workspace": "ws-1", "before": 5}))));
            webhook_deliveries(&webhook, state, 0, 1);
            webhook_attempts(&webhook, &made(maybe(json!({"event": 5, "delivered": false,
                "cursor": attempt.id.to_string()}))));
            insert_attempts(std::slice::from_ref(&attempt));
            move_cursors("host", 1, std::slice::from_ref(&webhook));
            hold_rivals(&[task]);
            upsert_recorded_devices(&"shop".parse().unwrap(), &recorded);
            standing_of(&"shop".parse().unwrap(), task, &["guid"], DAWN);
            merchants_known_to(caller, page);
            hold_merchants(&[&bos].into());
            default_endpoints(&[bos.clone()].into());
            channels_known_to(caller, &made(maybe(json!({"merchant": bos, "endpoint_app": cid, "kind": "h5",
                "app_id": "a"}))), page);
            endpoint_apps_known_to(caller, &made(maybe(json!({"merchant": bos, "product_instance": "pi-1",
                "channel_app_id": "a", "org_node": "vid-1", "default": true}))));
            product_instances_known_to(caller, &made(maybe(json!({"merchant": bos, "product": "mall",
                "state": "active", "endpoint_app": cid, "org_node": "vid-1"}))));
            org_nodes_known_to(caller, &made(maybe(json!({"merchant": bos, "parent": "vid-1", "endpoint_app": cid,
                "product_instance": "pi-1"}))), page);
            official_accounts_known_to(caller, &made(maybe(json!({"merchant": bos}))), page);
            fans_of(&bos, &made(maybe(json!({"member_id": "m1", "app_id": wx}))), page);
            moving_members(&bos, (&wx, &wx), &made(maybe(json!({"came_along": true}))), page);
            template_messages_of(&bos, &made(maybe(json!({"member_id": "m1", "state": "sent"}))), page);
            authorisations_known_to(caller, &made(maybe(json!({"merchant": bos, "state": "bound"}))), page);
            fulfilments(&[row.id.clone()].into());
            product_instances(&[instance.id.clone()].into());
            write_instances(&[&instance]);
            write_fulfilments(&[&row], &taken_up);
            parked_fulfilments(&made(maybe(json!({"merchant": bos, "reason": "merchant-unknown"}))), 1);
            fulfilments_of(&made(maybe(json!({"merchant": bos, "state": "parked", "reason": "merchant-unknown"}))),
                place.as_ref());
            fulfilments_of(&made(maybe(json!({"state": "parked"}))), None);
            fulfilments_of(&made(maybe(json!({"state": "corrected"}))), None);
            fulfilments_of(&made(maybe(json!({"state": "discarded"}))), None);
        );
        let permits = PermitsOf {
            mini_app: all.then(|| "shop".parse().unwrap()),
            host_app: all.then(|| "mall".parse().unwrap()),
            kind: all.then_some(PermitKind::SkipDomains),
            state: all.then_some(PermitState::Waiting),
        };
        call!(db, permits(&permits, page););
        let (ws, who) = ("ws-1".parse().unwrap(), vec![format!("mem_{}", "0".repeat(26))]);
        let (tag, narrow) =
            (GroupId::generate(DAWN, &SystemRandom), [Narrow::Key("a".into()), Narrow::Member("a".into())]);
        let ago = VersionId::generate(DAWN, &SystemRandom);
        for kind in [ScopeKind::Platform, ScopeKind::HostApp, ScopeKind::MiniApp] {
            let place = PolicyScope { kind, id: "mall".into() };
            for over in ReplayOver::ALL {
                call!(db, versions_to_replay(&place, *over, all.then_some(&ago), 1););
            }
        }
        for resource in Resource::ALL {
            for narrow in narrow.iter().map(|narrow| all.then_some(narrow)) {
                call!(db, resources_after(resource, &ws, narrow, "", 1););
            }
            call!(
                db,
                resources_at(resource, &ws, 0, 1);
                count_resources(resource, &ws);
                resource(resource, &ws, "a");
                hold_resource(resource, &ws, "a");
                delete_resource(resource, &ws, "a");
            );
        }
        let subject = Subject { kind: SubjectKind::Everyone, id: String::new() };
        call!(
            db,
            workspaces_known_to(caller, page);
            webhooks_known_to(caller, page);
            workspace_members(&ws, &made(maybe(json!({"user_name": "a", "group": tag}))));
            workspace_groups(&ws, &made(maybe(json!({"kind": "tag", "parent": tag}))));
            touch_groups(&who, DAWN);
            known_members(&ws, &who);
            add_group_members(&tag, &who);
            remove_group_members(&tag, &who);
            set_parent(&who, Some(&tag));
            tag_departments(&tag, &who);
            untag_departments(&tag, &who);
            members_of_groups(&who);
            departments_of_groups(&who);
            memberships(&who);
            contacts(&ws, &made(maybe(json!({"external_id": "a"}))));
            items(&ws, all.then(|| ["a".to_owned()].into()).as_ref());
            give(&ws, "a", std::slice::from_ref(&subject));
            grants(&ws, &["a".to_owned()].into());
        );
        for mark in Mark::ALL {
            call!(
                db,
                mark_devices(Side::Gray, task, *mark, &["guid".to_owned()].into(), DAWN);
                mark_devices(Side::Beside, task, *mark, &["guid".to_owned()].into(), DAWN);
            );
        }
        let (guid, reason) = ("guid".to_owned(), String::new());
        call!(
            db,
            set_running(task, all, &[guid.clone()].into());
            failures_of(task, &["guid"].into());
            insert_failures(task, 0, &[(&guid, &reason)], DAWN);
            insert_fallen_back(task, &["guid"].into(), DAWN);
        );
        for side in [Side::Gray, Side::Beside] {
            call!(
                db,
                devices_of(side, task, &["guid"]);
                insert_devices(side, task, 0, &["guid"], DAWN);
                count_devices(side, task, 1);
                devices_after(side, task.as_str(), 0, 1);
            );
        }
        let visits = [Expiring::ENTRIES, Expiring::VISIT_CODES, Expiring::VISITORS];
        let others = [Expiring::TEMPLATE_MESSAGES, Expiring::MESSAGES, Expiring::INVITATIONS];
        for kind in EXPIRING.iter().chain(&visits).chain(&others) {
            call!(db, forget_expired(kind, 0, 1););
        }
        for column in SEALED {
            call!(db, sealed_rows(column, "", 1); replace_sealed(column, "key", "old", "new"););
        }
        let mut tx = db.begin().await.unwrap();
        let data = TrialCleared { version: "1.0.0".parse().unwrap(), cause: TrialEnd::Hand };
        tx.tell(kind::TRIAL_CLEARED, &"shop", "test", &data).for_mini_app(&"shop".parse().unwrap());
        let act = Doing::begin(db, Asked::default());
        act.by_hand("test");
        act.scope(tx.commit()).await.unwrap();
        call!(db, acts(&made(json!({})), page););
    }

    async fn tried(db: &Db) -> Tried {
        TRIED.set(Some(Tried::default()));
        build_each(db, true).await;
        build_each(db, false).await;
        TRIED.take().unwrap()
    }

    /// How many values the database wants for a statement, or why it does not understand it.
    async fn prepare(db: &Db, text: &str) -> sqlx::Result<usize> {
        let text = AssertSqlSafe(text.to_owned()).into_sql_str();
        let count = |either: Option<sqlx::Either<usize, usize>>| either.map_or(0, sqlx::Either::into_inner);
        Ok(match db.backend() {
            Backend::Sqlite { write, .. } => {
                let statement = write.prepare(text).await?;
                count(statement.parameters().map(|either| either.map_left(<[_]>::len)))
            }
            Backend::Postgres(pool) => {
                let statement = pool.prepare(text).await?;
                count(statement.parameters().map(|either| either.map_left(<[_]>::len)))
            }
        })
    }

    fn complaint(place: &Place, database: &str, text: &str, why: &str) -> String {
        format!("{}:{} on {database}: {why}\n{text}\n", place.file, place.line)
    }

    /// What a test says for itself is tried when it runs.
    fn is_of_the_host(place: &&Place) -> bool {
        !place.module.split("::").any(|part| part == "tests")
    }

    async fn complaints(db: &Db) -> Vec<String> {
        let (database, dialects) = match db.backend() {
            Backend::Sqlite { .. } => ("SQLite", [Dialect::Both, Dialect::Sqlite].as_slice()),
            Backend::Postgres(_) => ("PostgreSQL", [Dialect::Both].as_slice()),
        };
        let mut found = Vec::new();
        for one in TEXTS.iter().filter(|one| dialects.contains(&one.dialect) && is_of_the_host(&&one.place)) {
            let bound = one.bound.len();
            match prepare(db, one.text).await {
                Ok(wanted) if wanted == bound => {}
                Ok(wanted) => {
                    let why = format!("it wants {wanted} values and gets {bound}: {}", one.bound.join(", "));
                    found.push(complaint(&one.place, database, one.text, &why));
                }
                Err(error) => found.push(complaint(&one.place, database, one.text, &error.to_string())),
            }
        }
        let tried = tried(db).await;
        for (place, text) in &tried.built {
            if let Err(error) = prepare(db, text).await {
                found.push(complaint(place, database, text, &error.to_string()));
            }
        }
        let built: BTreeSet<_> = tried.built.iter().map(|(place, _)| place).collect();
        let places: BTreeSet<_> = BUILT.iter().filter(is_of_the_host).collect();
        for place in places.difference(&built) {
            found.push(complaint(
                place,
                database,
                "",
                "build_each in store/src/prepared.rs does not build this statement",
            ));
        }
        let choices: BTreeSet<_> = CHOICES.iter().filter(is_of_the_host).copied().collect();
        let both_ways = choices.into_iter().flat_map(|place| [(place, true), (place, false)]);
        for (place, way) in both_ways.filter(|one| !tried.chosen.contains(one)) {
            found.push(complaint(&place, database, place.what, &format!("build_each never makes this choice {way}")));
        }
        found
    }

    #[tokio::test]
    async fn every_statement_of_the_source_is_understood_by_both_databases() {
        let folder = tempfile::tempdir().unwrap();
        let shared = testing::database().await;
        let mut configs = vec![DbConfig::default()];
        configs.extend(shared.database_url.is_some().then_some(shared));
        let mut found = Vec::new();
        for config in configs {
            let db = Db::open(&config, folder.path(), Nature::default()).await.unwrap();
            found.append(&mut complaints(&db).await);
        }
        assert!(TEXTS.len() > 200 && BUILT.len() > 40, "the macros note too little");
        assert!(found.is_empty(), "{} faults\n\n{}", found.len(), found.join("\n"));
    }

    /// Tables that grow with what people, devices and servers do. What goes through one of them takes no time on a new installation, and
    /// seconds on one that is some years old.
    const GROWING: [&str; 51] = [
        "act",
        "act_place",
        "admission",
        "audit",
        "audit_item",
        "bystander",
        "channel",
        "channel_authorisation",
        "cohort",
        "endpoint_app",
        "endpoint_product",
        "evaluation",
        "event",
        "fan",
        "fulfilment",
        "gray_failure",
        "gray_move",
        "idempotency",
        "identity_link",
        "invitation",
        "login_binding",
        "login_code",
        "member_login_code",
        "member_sign_on",
        "message",
        "mini_app_user",
        "oidc_code",
        "oidc_token",
        "org_node",
        "org_product",
        "permit",
        "permit_move",
        "privacy_consent",
        "product_instance",
        "recognised_user",
        "recorded_device",
        "release_record",
        "server_token",
        "session",
        "sign_on",
        "subscription",
        "template_message",
        "token",
        "tool_code",
        "tool_token",
        "version",
        "visit_code",
        "workspace_contact",
        "workspace_group",
        "workspace_group_member",
        "workspace_member",
    ];

    /// The statements that may go through one all the same, by how they begin, and why.
    const MAY_GO_THROUGH: [(&str, &str); 5] = [
        ("SELECT seq, at FROM event ORDER BY seq LIMIT", "retention: the first ones in the order of the index"),
        (
            "SELECT * FROM fulfilment WHERE 1 = 1 ORDER BY received_at DESC",
            "a page of the last ones in the order of the index",
        ),
        (
            "DELETE FROM token WHERE id IN (SELECT t.id FROM session s",
            "retention: once an hour, and what it finds goes",
        ),
        ("SELECT * FROM version WHERE id IN (SELECT MAX(id)", "a replay over the newest version of every MiniApp"),
        ("SELECT 'version' AS kind", "somebody searches for a number by hand, and has the first ones found"),
    ];

    /// Statements that have met too many rows without going through a table, by a part of their text, and how they find their rows now.
    const FINDS_BY: [(&str, &str); 15] = [
        ("FROM act_place p JOIN mini_app m", "act_place_act (act_id=? AND kind=?)"),
        (
            "SELECT p.host_app_id, p.account FROM identity_link",
            "recognised_user_open_id (open_id_sha256=? AND mini_app_id=?)",
        ),
        ("UPDATE identity_link SET unlinked_at = $4", "(partner_open_id_sha256=? AND mini_app_id=?)"),
        ("DELETE FROM identity_link WHERE mini_app_id = $2", "(partner_open_id_sha256=? AND mini_app_id=?)"),
        (
            "SELECT l.mini_app_id, l.partner_id, l.through_app_id",
            "SEARCH l USING INDEX sqlite_autoindex_identity_link_1",
        ),
        ("id, product FROM product_instance", "product_instance_active (state=? AND merchant_id>? AND merchant_id<?)"),
        ("app_id, endpoint_app_id FROM channel", "channel_kind (kind=? AND merchant_id>? AND merchant_id<?)"),
        ("SELECT DISTINCT merchant_id FROM product_instance", "product_instance_expiry (state=? AND expires_at<?)"),
        ("FROM event WHERE type = 'message.sent'", "event_message_account (<expr>=? AND host_app_id=?)"),
        ("SELECT id FROM permit WHERE state = 'approved'", "permit_due (until<?)"),
        ("EXISTS (SELECT 1 FROM cohort", "cohort_sha256 (sha256=?)"),
        (
            "i.decision IS NULL AND a.state = 'deciding' AND i.audit_id",
            "audit_item_awaited (host_app_id=? AND audit_id>?)",
        ),
        ("a.state = $2 AND i.audit_id < $3", "audit_item_host_app (host_app_id=? AND audit_id<?)"),
        ("created_at FROM audit WHERE state = 'checking'", "audit_open (state=?)"),
        ("DELETE FROM token WHERE id IN (SELECT t.id FROM session s", "session_from_token (from_token_id=?)"),
    ];

    /// An empty database of SQLite, whose plans tables do not change; PostgreSQL plans by what is in them.
    async fn sqlite(folder: &Path) -> (Db, SqlitePool) {
        let db = Db::open(&DbConfig::default(), folder, Nature::default()).await.unwrap();
        let Backend::Sqlite { write, .. } = db.backend().clone() else { unreachable!("it is the default") };
        (db, write)
    }

    /// How SQLite goes about a statement, step by step.
    async fn plan(pool: &SqlitePool, text: &str) -> Vec<String> {
        let explain = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {text}"));
        let steps = sqlx::query_as::<Sqlite, (i64, i64, i64, String)>(explain).fetch_all(pool).await.unwrap();
        steps.into_iter().map(|(.., step)| step).collect()
    }

    /// Indexes of a few rows of their tables; to go through one of those is what they are for.
    async fn partial_indexes(pool: &SqlitePool) -> BTreeSet<String> {
        const SQL: &str = "SELECT name FROM sqlite_master WHERE type = 'index' AND sql LIKE '%WHERE %'";
        sqlx::query_scalar::<Sqlite, String>(SQL).fetch_all(pool).await.unwrap().into_iter().collect()
    }

    /// The growing table that a step goes through, or of which it makes an index for this once. A step has the alias of a table that has
    /// one.
    fn gone_through(step: &str, text: &str, partial: &BTreeSet<String>) -> Option<&'static str> {
        let makes_index = |_: &&str| step.contains(" AUTOMATIC ");
        let of = step.strip_prefix("SCAN ").or_else(|| step.strip_prefix("SEARCH ").filter(makes_index))?;
        let name = of.split(' ').next()?;
        let index = of.split(" INDEX ").nth(1).and_then(|rest| rest.split(' ').next());
        if index.is_some_and(|index| partial.contains(index)) {
            return None;
        }
        GROWING.into_iter().find(|table| name == *table || has_alias(text, table, name))
    }

    fn has_alias(text: &str, table: &str, alias: &str) -> bool {
        let words: Vec<_> = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').collect();
        words.windows(2).any(|pair| pair[0] == table && pair[1] == alias)
    }

    fn texts_of_the_host() -> impl Iterator<Item = &'static Text> {
        TEXTS.iter().filter(|one| one.dialect == Dialect::Both && is_of_the_host(&&one.place))
    }

    #[tokio::test]
    async fn no_statement_goes_through_a_table_that_grows() {
        let folder = tempfile::tempdir().unwrap();
        let (db, pool) = sqlite(folder.path()).await;
        let partial = partial_indexes(&pool).await;
        let mut statements: Vec<_> = texts_of_the_host().map(|one| (one.place, one.text.to_owned())).collect();
        statements.extend(tried(&db).await.built);
        let (mut found, mut allowed) = (Vec::new(), BTreeSet::new());
        for (place, text) in &statements {
            if let Some((begins, _)) = MAY_GO_THROUGH.iter().find(|(begins, _)| text.starts_with(begins)) {
                allowed.insert(*begins);
                continue;
            }
            for step in plan(&pool, text).await {
                let table = gone_through(&step, text, &partial);
                found.extend(table.map(|table| complaint(place, "SQLite", text, &format!("all of {table}: {step}"))));
            }
        }
        assert!(found.is_empty(), "{} statements\n\n{}", found.len(), found.join("\n"));
        assert_eq!(allowed.len(), MAY_GO_THROUGH.len(), "only these are there: {allowed:?}");
    }

    #[tokio::test]
    async fn what_has_met_too_many_rows_finds_them_by_its_index() {
        let folder = tempfile::tempdir().unwrap();
        let (_db, pool) = sqlite(folder.path()).await;
        for (part, step) in FINDS_BY {
            let texts: Vec<_> = texts_of_the_host().filter(|one| one.text.contains(part)).collect();
            assert!(!texts.is_empty(), "{part}");
            for one in texts {
                let plan = plan(&pool, one.text).await.join("; ");
                assert!(plan.contains(step), "{}\n{plan}", one.text);
            }
        }
    }

    #[test]
    fn a_table_is_known_by_its_alias_and_an_index_of_a_few_rows_is_no_table() {
        let partial: BTreeSet<_> = ["fulfilment_waiting".to_owned()].into();
        let text = "SELECT e.* FROM event e JOIN team t ON TRUE";
        assert_eq!(gone_through("SCAN e USING INDEX event_subject", text, &partial), Some("event"));
        assert_eq!(gone_through("SEARCH e USING AUTOMATIC COVERING INDEX (seq=?)", text, &partial), Some("event"));
        assert_eq!(gone_through("SEARCH e USING INDEX event_subject (subject=?)", text, &partial), None);
        assert_eq!(gone_through("SCAN t", text, &partial), None, "teams are few");
        assert_eq!(gone_through("SCAN fulfilment", "", &partial), Some("fulfilment"));
        assert_eq!(gone_through("SCAN fulfilment USING COVERING INDEX fulfilment_waiting", "", &partial), None);
    }

    /// The lines of the macro calls in which statements are put together.
    fn built_lines(source: &str) -> Vec<&str> {
        let mut lines = source.lines();
        let mut inside = Vec::new();
        while let Some(first) = lines.find(|line| line.contains("_built!(")) {
            let indent = first.len() - first.trim_start().len();
            inside.extend(lines.by_ref().take_while(|line| line.len() - line.trim_start().len() > indent));
        }
        inside
    }

    fn sources(folder: &Path, found: &mut Vec<(String, String)>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                sources(&path, found);
            } else if path.extension().is_some_and(|end| end == "rs") {
                found.push((path.display().to_string(), fs::read_to_string(&path).unwrap()));
            }
        }
    }

    #[test]
    fn no_statement_is_run_past_the_macros_and_no_part_is_pushed_without_a_choice_that_is_tried() {
        let mut all = Vec::new();
        sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut all);
        for (path, source) in &all {
            let by_hand = ["query", "query_as", "query_scalar", "raw_sql"].map(|name| format!("sqlx::{name}"));
            let exempt = ["src/statement.rs", "src/prepared.rs", "src/testing.rs"];
            if !exempt.iter().any(|end| path.ends_with(end)) {
                let past = by_hand.iter().find(|by_hand| source.contains(*by_hand));
                assert!(past.is_none() && !source.contains("QueryBuilder"), "{path} runs a statement by hand");
            }
            for line in built_lines(source) {
                let open = ["if ", "match "].iter().any(|word| line.trim_start().starts_with(word));
                assert!(!open || line.contains("chosen!("), "{path}: not a chosen!:\n{line}");
            }
        }
        assert!(all.iter().flat_map(|(_, source)| built_lines(source)).count() > 100, "the lines are not found");
    }
}
