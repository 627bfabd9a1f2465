//! Checks the invariants of a database by queries to the database itself.

use crate::Pool;

/// Asserts what must hold of any database at any time (I1, I3, I4, I6).
pub async fn hold(pool: &Pool) {
    for (what, sql) in NOTHING {
        assert_eq!(pool.number(sql).await, 0, "{what}");
    }
    for (what, one, other) in EQUAL {
        assert_eq!(pool.number(one).await, pool.number(other).await, "{what}");
    }
}

/// Queries that must all count nothing, each with what is wrong when they do.
const NOTHING: [(&str, &str); 17] = [
    (
        "an event is a part of an act that is not there, or of one that was refused (P9)",
        "SELECT COUNT(*) FROM event e LEFT JOIN act a ON a.id = e.act_id
         WHERE e.act_id IS NOT NULL AND (a.id IS NULL OR a.refused IS NOT NULL)",
    ),
    (
        "the versions of a privacy agreement have gaps (D5)",
        "SELECT COUNT(*) FROM (SELECT mini_app_id FROM privacy_version GROUP BY mini_app_id
         HAVING COUNT(*) <> MAX(version)) t",
    ),
    (
        "a user was sent more messages than they allowed (M3)",
        "SELECT COUNT(*) FROM subscription WHERE allowed < 0 OR pushes > 5",
    ),
    (
        "more than one version of a MiniApp is online (I1)",
        "SELECT COUNT(*) FROM (SELECT mini_app_id FROM version WHERE state = 'online' GROUP BY mini_app_id HAVING COUNT(*) > 1) t",
    ),
    (
        "what is online is not what the release history says last (I1)",
        "SELECT COUNT(*) FROM release_record r JOIN version v ON v.id = r.version_id WHERE v.state <> 'online'
         AND r.position = (SELECT MAX(position) FROM release_record o WHERE o.mini_app_id = r.mini_app_id)",
    ),
    (
        "a release history has gaps (V9)",
        "SELECT COUNT(*) FROM (SELECT mini_app_id FROM release_record GROUP BY mini_app_id
         HAVING COUNT(*) <> MAX(position) - MIN(position) + 1) t",
    ),
    (
        "a trial is below what everybody gets (V11)",
        "SELECT COUNT(*) FROM trial t JOIN version v ON v.id = t.version_id
         JOIN version o ON o.mini_app_id = t.mini_app_id AND o.state = 'online'
         WHERE (v.major, v.minor, v.patch) < (o.major, o.minor, o.patch)",
    ),
    (
        "a task has admitted more than its cap (I3)",
        "SELECT COUNT(*) FROM gray_task WHERE max_users IS NOT NULL AND admitted > max_users",
    ),
    (
        "a task counts other than what it admitted (I3)",
        "SELECT COUNT(*) FROM gray_task t WHERE admitted <> (SELECT COUNT(*) FROM admission a WHERE a.task_id = t.id)",
    ),
    (
        "a task counts other failures than it has, or failures of a device that it never admitted (G15)",
        "SELECT COUNT(*) FROM gray_task t
         WHERE failures <> (SELECT COUNT(*) FROM gray_failure f JOIN admission a ON a.task_id = f.task_id AND a.guid = f.guid
                            WHERE f.task_id = t.id)",
    ),
    (
        "a task counts other devices that fell back than it has (G15)",
        "SELECT COUNT(*) FROM gray_task t WHERE fell_back <>
         (SELECT COUNT(*) FROM admission a WHERE a.task_id = t.id AND a.fell_back_at IS NOT NULL)",
    ),
    (
        "that devices fell back was not told, or more often than at the first, the 10th, the 100th … (G15)",
        "SELECT COUNT(*) FROM (SELECT t.fell_back, COUNT(e.seq) AS told FROM gray_task t
             LEFT JOIN event e ON e.subject = t.id AND e.type = 'gray_task.fell_back' GROUP BY t.id, t.fell_back) n
         WHERE (fell_back > 0 AND told = 0) OR told > CASE WHEN fell_back > 0 THEN LENGTH(CAST(fell_back AS TEXT)) ELSE 0 END",
    ),
    (
        "a version went further than its audit (I4)",
        "SELECT COUNT(*) FROM version v WHERE state IN ('approved', 'online', 'historical')
         AND NOT EXISTS (SELECT 1 FROM audit a WHERE a.version_id = v.id AND a.state = 'approved')",
    ),
    (
        "a task offers what was never approved (I4)",
        "SELECT COUNT(*) FROM gray_task t JOIN version v ON v.id = t.version_id
         WHERE v.state NOT IN ('approved', 'online', 'historical')",
    ),
    (
        "a message waits, and the last event of it does not say so (I6)",
        "SELECT COUNT(*) FROM fulfilment f WHERE state = 'parked' AND NOT EXISTS (SELECT 1 FROM event e
         WHERE e.subject = f.id AND e.type = 'fulfilment.parked' AND e.seq =
            (SELECT MAX(seq) FROM event l WHERE l.subject = f.id AND l.type LIKE 'fulfilment.%'))",
    ),
    (
        "the last event of a message says that it waits, and it does not (I6)",
        "SELECT COUNT(*) FROM event e WHERE type = 'fulfilment.parked'
         AND NOT EXISTS (SELECT 1 FROM event l WHERE l.subject = e.subject AND l.seq > e.seq AND l.type LIKE 'fulfilment.%')
         AND NOT EXISTS (SELECT 1 FROM fulfilment f WHERE f.id = e.subject AND f.state = 'parked')",
    ),
    (
        "a message is discarded, and its last event does not say so, or nobody did it or said why (E12, I6)",
        "SELECT COUNT(*) FROM fulfilment f WHERE state = 'discarded' AND (discarded_by IS NULL OR note = ''
         OR NOT EXISTS (SELECT 1 FROM event e WHERE e.subject = f.id AND e.type = 'fulfilment.discarded' AND e.seq =
            (SELECT MAX(seq) FROM event l WHERE l.subject = f.id AND l.type LIKE 'fulfilment.%')))",
    ),
];

/// Pairs of queries that must count the same: things, and the events that tell of them (I6).
const EQUAL: [(&str, &str, &str); 13] = [
    (
        "subscription messages (I6)",
        "SELECT COUNT(*) FROM message",
        "SELECT COUNT(*) FROM event WHERE type = 'message.sent' AND data ->> 'erased' IS NULL",
    ),
    (
        "product instances (I6)",
        "SELECT COUNT(*) FROM product_instance",
        "SELECT COUNT(*) FROM event WHERE type = 'product_instance.created'",
    ),
    (
        "endpoint applications (E1, I6)",
        "SELECT COUNT(*) FROM endpoint_app",
        "SELECT COALESCE(SUM(CASE type WHEN 'endpoint.created' THEN 1 WHEN 'endpoint.deleted' THEN -1 ELSE 0 END), 0) FROM event",
    ),
    (
        "channels that are bound (E5, I6)",
        "SELECT COUNT(*) FROM channel WHERE endpoint_app_id IS NOT NULL",
        "SELECT COALESCE(SUM(CASE type WHEN 'channel.bound' THEN 1 WHEN 'channel.unbound' THEN -1 ELSE 0 END), 0) FROM event",
    ),
    ("the sequence of events has gaps (I6)", "SELECT COUNT(*) FROM event", "SELECT COALESCE(MAX(seq), 0) FROM event"),
    ("the head is not the last event (I6)", "SELECT last FROM event_head", "SELECT COALESCE(MAX(seq), 0) FROM event"),
    ("uploads (I6)", "SELECT COUNT(*) FROM version", "SELECT COUNT(*) FROM event WHERE type = 'version.uploaded'"),
    ("audits (I6)", "SELECT COUNT(*) FROM audit", "SELECT COUNT(*) FROM event WHERE type = 'version.submitted'"),
    (
        "approvals (I6)",
        "SELECT COUNT(*) FROM audit WHERE state = 'approved'",
        "SELECT COUNT(*) FROM event WHERE type = 'version.approved'",
    ),
    (
        "publications (I6)",
        "SELECT COUNT(*) FROM release_record WHERE kind = 'publish'",
        "SELECT COUNT(*) FROM event WHERE type = 'version.published'",
    ),
    (
        "rollbacks (I6)",
        "SELECT COUNT(*) FROM release_record WHERE kind = 'rollback'",
        "SELECT COUNT(*) FROM event WHERE type = 'version.rolled_back'",
    ),
    ("tasks (I6)", "SELECT COUNT(*) FROM gray_task", "SELECT COUNT(*) FROM event WHERE type = 'gray_task.created'"),
    (
        "moves of tasks (I6)",
        "SELECT COUNT(*) FROM gray_move",
        "SELECT COUNT(*) FROM event WHERE type IN
         ('gray_task.started', 'gray_task.suspended', 'gray_task.resumed', 'gray_task.ended', 'gray_task.recalled')",
    ),
];
