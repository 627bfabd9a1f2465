//! What is void by the clock after a while, and forgotten then.

use berth_base::error::Result;
use berth_model::oidc::TOKEN_SECONDS;

use crate::{Tx, execute_built};

/// Rows that are void from a moment on that a column of theirs says.
pub struct Expiring {
    table: &'static str,
    column: &'static str,
    /// For how many seconds they stay all the same.
    stays: i64,
}

const fn until(table: &'static str, column: &'static str, stays: i64) -> Expiring {
    Expiring { table, column, stays }
}

/// All of logins that expires. Codes that give tokens stay as long as these, so that a second use of one is noticed.
pub const EXPIRING: [Expiring; 12] = [
    until("login_code", "expires_at", 0),
    until("server_token", "expires_at", 0),
    until("sign_on", "expires_at", 0),
    until("oidc_code", "expires_at", TOKEN_SECONDS),
    until("oidc_token", "expires_at", 0),
    until("oidc_key", "ends_at", 0),
    until("member_login_code", "expires_at", 0),
    until("member_sign_on", "expires_at", 0),
    until("tool_code", "expires_at", TOKEN_SECONDS),
    until("tool_token", "expires_at", 0),
    until("authorised_login", "expires_at", 0),
    until("member_visit", "expires_at", 0),
];

impl Tx {
    /// Deletes what has expired of one kind.
    pub async fn forget_expired(&mut self, kind: &Expiring) -> Result<u64> {
        let before = self.now().plus_seconds(-kind.stays);
        Ok(execute_built!(self, |query| {
            query
                .push("DELETE FROM ")
                .push(kind.table)
                .push(" WHERE ")
                .push(kind.column)
                .push(" <= ")
                .push_bind(before);
        })?)
    }
}
