//! What has had its time after a while, and is forgotten then.

use berth_base::error::Result;
use berth_model::oidc::TOKEN_SECONDS;

use crate::{Tx, execute_built};

/// Rows that have had their time from a moment on that a column of theirs says.
pub struct Expiring {
    table: &'static str,
    /// The column that tells a row from all others.
    key: &'static str,
    column: &'static str,
    /// For how many seconds they stay all the same.
    stays: i64,
    /// What else is true of them, as a condition.
    only: &'static str,
}

const fn until(table: &'static str, key: &'static str, column: &'static str, stays: i64) -> Expiring {
    Expiring { table, key, column, stays, only: "" }
}

/// All of logins that expires. Codes that give tokens stay as long as these, so that a second use of one is noticed.
pub const EXPIRING: [Expiring; 12] = [
    until("login_code", "code_sha256", "expires_at", 0),
    until("server_token", "token_sha256", "expires_at", 0),
    until("sign_on", "id", "expires_at", 0),
    until("oidc_code", "code_sha256", "expires_at", TOKEN_SECONDS),
    until("oidc_token", "token_sha256", "expires_at", 0),
    until("oidc_key", "kid", "ends_at", 0),
    until("member_login_code", "code_sha256", "expires_at", 0),
    until("member_sign_on", "id", "expires_at", 0),
    until("tool_code", "code_sha256", "expires_at", TOKEN_SECONDS),
    until("tool_token", "token_sha256", "expires_at", 0),
    until("authorised_login", "id", "expires_at", 0),
    until("member_visit", "state_sha256", "expires_at", 0),
];

impl Expiring {
    /// Visitors of official accounts who did not come back from WeChat.
    pub const ENTRIES: Self = until("entry", "state_sha256", "expires_at", 0);
    /// Codes of visits.
    pub const VISIT_CODES: Self = until("visit_code", "code_sha256", "expires_at", 0);
    /// Visitors who are bound to nobody, since they were last seen.
    pub const VISITORS: Self = Self { only: " AND member_id IS NULL", ..until("fan", "id", "seen_at", 0) };
    /// Template messages, since they were asked for.
    pub const TEMPLATE_MESSAGES: Self = until("template_message", "id", "created_at", 0);
    /// Messages, since they were sent.
    pub const MESSAGES: Self = until("message", "id", "sent_at", 0);
    /// Attempts to deliver an event to a webhook, since they ended.
    pub const ATTEMPTS: Self = until("webhook_attempt", "id", "at", 0);
    /// Invitations, since they could no longer be accepted.
    pub const INVITATIONS: Self = until("invitation", "id", "expires_at", 0);
}

impl Tx {
    /// Deletes of one kind what has had its time for `kept` seconds, at most `limit` rows. Returns how many there were.
    ///
    /// The outer conditions say all of the inner ones again: a host that waited for a row would delete what another one has renewed
    /// meanwhile.
    pub async fn forget_expired(&mut self, kind: &Expiring, kept: i64, limit: i64) -> Result<u64> {
        let before = self.now().plus_seconds(-kind.stays - kept);
        let Expiring { table, key, column, only, .. } = kind;
        Ok(execute_built!(self, |query| {
            query.push(format_args!("DELETE FROM {table} WHERE {key} IN (SELECT {key} FROM {table}"));
            query.push(format_args!(" WHERE {column} <= ")).push_bind(before).push(only);
            query.push(" LIMIT ").push_bind(limit);
            query.push(format_args!(") AND {column} <= ")).push_bind(before).push(only);
        })?)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::*;
    use crate::testing::{fresh, number, run};

    #[tokio::test]
    async fn what_has_had_its_time_is_forgotten_in_batches_and_nothing_else() {
        let fresh = fresh().await;
        let db = &fresh.db;
        run(
            db,
            "INSERT INTO oidc_key (kid, key_sealed, made_at, ends_at)
             VALUES ('a', '', 0, 1), ('b', '', 0, 2), ('c', '', 0, 3), ('late', '', 0, 9000000000000), ('signs', '', 0, NULL)",
        )
        .await;
        for forgotten in [2, 1, 0] {
            let mut tx = db.begin().await.unwrap();
            let kind = until("oidc_key", "kid", "ends_at", 0);
            assert_eq!(tx.forget_expired(&kind, 0, 2).await.unwrap(), forgotten);
            tx.commit().await.unwrap();
        }
        assert_eq!(number(db, "SELECT COUNT(*) FROM oidc_key").await, 2);
    }
}
