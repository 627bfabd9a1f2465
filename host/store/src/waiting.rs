//! What waits for people, a statement for each kind. Whether the caller may act at all is asked before; here it is where.
//!
//! Each statement begins at what waits, by an index that has nothing else, and ends after as many as are shown and one.

use berth_base::{clock::Millis, error::Result, ids::WebhookId, sql::Count};
use berth_model::{
    access::{Action, Caller, ScopeKind},
    binding::BindingState,
    event::webhook::WebhookScope,
    settings::PermitKind,
    waiting::{
        DeadDeliveries, ENDS_SOON, EndingTask, FAILS_ON_ONE_OF, FEWEST_FAILED, FailingTask, MOST_COUNTED,
        MOST_OF_A_KIND, ParkedMessages, REJECTED_LATELY, RejectedVersion, SuspendedTask, UnauthorisedChannel, Waiting,
        WaitingAudit, WaitingBinding, WaitingPermit, WaitingVersion, What,
    },
};

use super::{Tx, access::roles, chosen, fetch, fetch_built};

/// How many rows of a kind are read: those that are shown, and one that says that there are more.
const ROWS: i64 = MOST_OF_A_KIND as i64 + 1;

/// A row: since when it waits, and what.
#[derive(sqlx::FromRow)]
struct Row<T> {
    since: Millis,
    #[sqlx(flatten)]
    what: T,
}

fn all<T>(rows: Vec<Row<T>>, what: impl Fn(T) -> What) -> Vec<Waiting> {
    rows.into_iter().map(|row| Waiting { since: row.since, what: what(row.what) }).collect()
}

/// Pushes the condition that `$column` is a scope of this kind in which the roles of the caller allow the action. It is asked
/// of each row, and not a list to begin from: what waits is less than what the caller has.
macro_rules! push_reach {
    ($query:ident, $caller:expr, $action:expr, $kind:expr, $column:expr) => {
        if chosen!(!$caller.is_platform_admin()) {
            $query.push(" AND EXISTS (SELECT 1 FROM role_grant g WHERE g.scope_kind = '").push($kind);
            $query.push("' AND g.role IN (").push(roles($action, $kind)).push(") AND g.scope_id = ").push($column);
            $query.push(" AND g.account_id = ").push_bind(&$caller.account).push(")");
        }
    };
}

impl Tx {
    /// Audits that wait for the decisions of host apps, one for each host app.
    pub async fn audits_waiting(&mut self, caller: &Caller) -> Result<Vec<Waiting>> {
        let rows = fetch_built!(self, Row<WaitingAudit>, |q| {
            q.push(
                "SELECT a.created_at AS since, a.id AS audit, a.mini_app_id AS mini_app, m.name AS mini_app_name,
                    v.number AS version, i.host_app_id AS host_app, h.name AS host_app_name
                 FROM audit a JOIN audit_item i ON i.audit_id = a.id JOIN version v ON v.id = a.version_id
                    JOIN mini_app m ON m.id = a.mini_app_id JOIN host_app h ON h.id = i.host_app_id
                 WHERE a.state = 'deciding' AND i.decision IS NULL",
            );
            push_reach!(q, caller, Action::Decide, ScopeKind::HostApp, "i.host_app_id");
            q.push(" ORDER BY a.created_at, a.id, i.host_app_id LIMIT ").push_bind(ROWS);
        })?;
        Ok(all(rows, What::Audit))
    }

    /// Bindings that wait for this side.
    pub async fn bindings_waiting(&mut self, caller: &Caller, side: BindingState) -> Result<Vec<Waiting>> {
        let (kind, column) = match side {
            BindingState::WaitsForTeam => (ScopeKind::Team, "m.team_id"),
            _ => (ScopeKind::HostApp, "b.host_app_id"),
        };
        let rows = fetch_built!(self, Row<WaitingBinding>, |q| {
            q.push(
                "SELECT b.created_at AS since, b.mini_app_id AS mini_app, m.name AS mini_app_name,
                    b.host_app_id AS host_app, h.name AS host_app_name, b.state
                 FROM binding b JOIN mini_app m ON m.id = b.mini_app_id JOIN host_app h ON h.id = b.host_app_id
                 WHERE b.state <> 'active' AND b.state = ",
            );
            q.push_bind(side);
            push_reach!(q, caller, Action::Configure, kind, column);
            q.push(" ORDER BY b.created_at, b.mini_app_id, b.host_app_id LIMIT ").push_bind(ROWS);
        })?;
        Ok(all(rows, What::Binding))
    }

    /// The greatest approved version of each MiniApp on the shelf, where it is above the online one.
    pub async fn versions_to_publish(&mut self, caller: &Caller) -> Result<Vec<Waiting>> {
        let rows = fetch_built!(self, Row<WaitingVersion>, |q| {
            q.push(
                "SELECT v.updated_at AS since, v.mini_app_id AS mini_app, m.name AS mini_app_name, v.number AS version,
                    EXISTS (SELECT 1 FROM gray_task t WHERE t.mini_app_id = m.id AND t.version_id = v.id
                        AND t.state = 'delivering') AS in_gray
                 FROM version v JOIN mini_app m ON m.id = v.mini_app_id
                 WHERE v.state = 'approved' AND m.on_shelf AND NOT EXISTS (SELECT 1 FROM version o
                    WHERE o.state IN ('approved', 'online') AND o.mini_app_id = v.mini_app_id
                      AND (o.major, o.minor, o.patch) > (v.major, v.minor, v.patch))",
            );
            push_reach!(q, caller, Action::Release, ScopeKind::Team, "m.team_id");
            q.push(" ORDER BY v.updated_at, v.id LIMIT ").push_bind(ROWS);
        })?;
        Ok(all(rows, What::Publish))
    }

    /// Versions that were rejected lately, and after which none of the MiniApp has been uploaded.
    pub async fn versions_rejected(&mut self, caller: &Caller) -> Result<Vec<Waiting>> {
        let lately = self.now().plus_seconds(-REJECTED_LATELY);
        let rows = fetch_built!(self, Row<RejectedVersion>, |q| {
            q.push(
                "SELECT v.updated_at AS since, v.mini_app_id AS mini_app, m.name AS mini_app_name, v.number AS version,
                    (SELECT MAX(a.id) FROM audit a WHERE a.version_id = v.id) AS audit
                 FROM version v JOIN mini_app m ON m.id = v.mini_app_id
                 WHERE v.state = 'rejected' AND NOT EXISTS (SELECT 1 FROM version n
                    WHERE n.state <> 'deleted' AND n.mini_app_id = v.mini_app_id AND n.id > v.id)
                    AND v.updated_at > ",
            );
            q.push_bind(lately);
            push_reach!(q, caller, Action::Develop, ScopeKind::Team, "m.team_id");
            q.push(" ORDER BY v.updated_at, v.id LIMIT ").push_bind(ROWS);
        })?;
        Ok(all(rows, What::Rejected))
    }

    /// Gray tasks that deliver and end soon. They wait since they are so near to their end.
    pub async fn gray_tasks_ending(&mut self, caller: &Caller) -> Result<Vec<Waiting>> {
        let now = self.now();
        let rows = fetch_built!(self, Row<EndingTask>, |q| {
            q.push("SELECT CASE WHEN t.start_at > t.end_at - ").push_bind(ENDS_SOON * 1_000);
            q.push(" THEN t.start_at ELSE t.end_at - ").push_bind(ENDS_SOON * 1_000);
            q.push(
                " END AS since, t.id AS gray_task, t.name, t.mini_app_id AS mini_app, m.name AS mini_app_name,
                    v.number AS version, t.end_at
                 FROM gray_task t JOIN mini_app m ON m.id = t.mini_app_id JOIN version v ON v.id = t.version_id
                 WHERE t.state = 'delivering' AND t.end_at > ",
            );
            q.push_bind(now).push(" AND t.end_at <= ").push_bind(now.plus_seconds(ENDS_SOON));
            push_reach!(q, caller, Action::Release, ScopeKind::Team, "m.team_id");
            q.push(" ORDER BY since, t.id LIMIT ").push_bind(ROWS);
        })?;
        Ok(all(rows, What::GrayEnds))
    }

    /// Gray tasks that are suspended, since their last move into that state.
    pub async fn gray_tasks_suspended(&mut self, caller: &Caller) -> Result<Vec<Waiting>> {
        let now = self.now();
        let rows = fetch_built!(self, Row<SuspendedTask>, |q| {
            q.push(
                "SELECT g.moved_at AS since, t.id AS gray_task, t.name, t.mini_app_id AS mini_app,
                    m.name AS mini_app_name, v.number AS version, g.cause
                 FROM gray_task t JOIN mini_app m ON m.id = t.mini_app_id JOIN version v ON v.id = t.version_id
                    JOIN gray_move g ON g.task_id = t.id AND g.position = (SELECT MAX(s.position) FROM gray_move s
                        WHERE s.task_id = t.id AND s.to_state = 'suspended' AND s.from_state <> 'suspended')
                 WHERE t.state = 'suspended' AND t.end_at > ",
            );
            q.push_bind(now);
            push_reach!(q, caller, Action::Release, ScopeKind::Team, "m.team_id");
            q.push(" ORDER BY g.moved_at, t.id LIMIT ").push_bind(ROWS);
        })?;
        Ok(all(rows, What::GraySuspended))
    }

    /// Gray tasks that deliver a version which fails on many devices, since it failed on the first of those. Only tasks
    /// of which failures were reported are looked at more closely.
    pub async fn gray_tasks_failing(&mut self, caller: &Caller) -> Result<Vec<Waiting>> {
        let now = self.now();
        let rows = fetch_built!(self, Row<FailingTask>, |q| {
            q.push(
                "SELECT f.since, t.id AS gray_task, t.name, t.mini_app_id AS mini_app, m.name AS mini_app_name,
                    v.number AS version, f.failed, t.admitted
                 FROM gray_task t JOIN mini_app m ON m.id = t.mini_app_id JOIN version v ON v.id = t.version_id
                    JOIN (SELECT a.task_id, COUNT(*) AS failed, MIN(a.failed_at) AS since FROM admission a
                          WHERE NOT a.runs AND a.task_id IN (SELECT id FROM gray_task
                              WHERE state = 'delivering' AND failures >= ",
            );
            q.push_bind(FEWEST_FAILED);
            q.push(") GROUP BY a.task_id HAVING COUNT(*) >= ").push_bind(FEWEST_FAILED);
            q.push(") f ON f.task_id = t.id WHERE t.state = 'delivering' AND f.failed * ").push_bind(FAILS_ON_ONE_OF);
            q.push(" > t.admitted AND t.end_at > ").push_bind(now);
            push_reach!(q, caller, Action::Release, ScopeKind::Team, "m.team_id");
            q.push(" ORDER BY f.since, t.id LIMIT ").push_bind(ROWS);
        })?;
        Ok(all(rows, What::GrayFailing))
    }

    /// The parked messages of the order system, as one thing.
    pub async fn fulfilments_waiting(&mut self) -> Result<Vec<Waiting>> {
        let (count, oldest) = fetch!(
            self,
            fetch_one,
            (Count, Option<Millis>),
            "SELECT COUNT(*), MIN(received_at) FROM (SELECT received_at FROM fulfilment WHERE state = 'parked'
                ORDER BY received_at LIMIT $1) oldest",
            MOST_COUNTED
        )?;
        let what = What::FulfilmentParked(ParkedMessages { count: count.0 });
        Ok(oldest.map(|since| Waiting { since, what }).into_iter().collect())
    }

    /// Webhooks with dead deliveries, in whichever scopes their receivers are the caller's to manage.
    pub async fn deliveries_dead(&mut self, caller: &Caller) -> Result<Vec<Waiting>> {
        let rows = fetch_built!(self, DeadRow, |q| {
            q.push(
                "SELECT w.id, w.url, w.scope_kind, w.scope_id,
                    (SELECT MIN(d.updated_at) FROM webhook_delivery d WHERE d.state = 'dead' AND d.webhook_id = w.id)
                        AS since,
                    (SELECT COUNT(*) FROM (SELECT d.updated_at FROM webhook_delivery d
                        WHERE d.state = 'dead' AND d.webhook_id = w.id LIMIT ",
            );
            q.push_bind(MOST_COUNTED).push(
                ") counted) AS dead FROM webhook w
                 WHERE EXISTS (SELECT 1 FROM webhook_delivery d WHERE d.state = 'dead' AND d.webhook_id = w.id)",
            );
            if chosen!(!caller.is_platform_admin()) {
                q.push(" AND EXISTS (SELECT 1 FROM role_grant g WHERE g.scope_kind = w.scope_kind");
                q.push(" AND g.scope_id = w.scope_id AND g.role IN (");
                q.push(roles(Action::Configure, ScopeKind::Team)).push(") AND g.account_id = ");
                q.push_bind(&caller.account).push(")");
            }
            q.push(" ORDER BY since, w.id LIMIT ").push_bind(ROWS);
        })?;
        Ok(rows.into_iter().map(Waiting::from).collect())
    }

    /// Channels whose platform does not let this host act for them any more.
    pub async fn channels_unauthorised(&mut self, caller: &Caller) -> Result<Vec<Waiting>> {
        let rows = fetch_built!(self, Row<UnauthorisedChannel>, |q| {
            q.push(
                "SELECT c.state_at AS since, c.id AS channel, c.name, c.kind AS channel_kind, c.merchant_id AS merchant,
                    b.name AS merchant_name
                 FROM channel c JOIN merchant b ON b.id = c.merchant_id WHERE c.state = 'unauthorised'",
            );
            push_reach!(q, caller, Action::Operate, ScopeKind::Merchant, "c.merchant_id");
            q.push(" ORDER BY c.state_at, c.id LIMIT ").push_bind(ROWS);
        })?;
        Ok(all(rows, What::ChannelUnauthorised))
    }

    /// Applications of this kind that wait for host apps, and of which the time is not over.
    pub async fn permits_waiting(&mut self, caller: &Caller, kind: PermitKind) -> Result<Vec<Waiting>> {
        let now = self.now();
        let rows = fetch_built!(self, Row<WaitingPermit>, |q| {
            q.push(
                "SELECT p.applied_at AS since, p.id AS permit, p.mini_app_id AS mini_app, m.name AS mini_app_name,
                    p.host_app_id AS host_app, h.name AS host_app_name, p.api
                 FROM permit p JOIN mini_app m ON m.id = p.mini_app_id JOIN host_app h ON h.id = p.host_app_id
                 WHERE p.state = 'waiting' AND p.kind = ",
            );
            q.push_bind(kind).push(" AND (p.until IS NULL OR p.until > ").push_bind(now).push(")");
            push_reach!(q, caller, kind.decided_by(), ScopeKind::HostApp, "p.host_app_id");
            q.push(" ORDER BY p.applied_at, p.id LIMIT ").push_bind(ROWS);
        })?;
        Ok(all(rows, |permit| What::permit(kind, permit)))
    }
}

/// A webhook with dead deliveries.
#[derive(sqlx::FromRow)]
struct DeadRow {
    id: WebhookId,
    url: String,
    scope_kind: ScopeKind,
    scope_id: String,
    since: Millis,
    dead: Count,
}

impl From<DeadRow> for Waiting {
    fn from(row: DeadRow) -> Self {
        let what = What::DeliveryDead(DeadDeliveries {
            webhook: row.id,
            host: DeadDeliveries::host_of(&row.url),
            scope: WebhookScope { kind: row.scope_kind, id: row.scope_id },
            count: row.dead.0,
        });
        Self { since: row.since, what }
    }
}
