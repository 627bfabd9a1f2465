//! A caller of something that lasts, looked at again while it does (F84).

use std::time::Duration;

use tokio::time::Instant;

use berth_base::error::Result;
use berth_model::access::Caller;
use berth_store::Db;

use super::look_again;

/// How old what is known of a token and its roles may be: as old as what hosts know of each other.
pub const FRESH: Duration = Duration::from_secs(1);

/// A caller, and when the token and the roles were looked at.
pub struct Watch {
    caller: Caller,
    looked_at: Instant,
}

impl Watch {
    /// For a caller whose token was just found good.
    pub fn of(caller: &Caller) -> Self {
        Self { caller: caller.clone(), looked_at: Instant::now() }
    }

    /// The caller, with the roles that the account has now or had a second ago.
    ///
    /// # Errors
    /// `invalid-token`, `expired-token` when the token is good no more. The next call looks again.
    pub async fn caller(&mut self, db: &Db) -> Result<Caller> {
        if self.looked_at.elapsed() >= FRESH {
            self.caller = look_again(db, &self.caller).await?;
            self.looked_at = Instant::now();
        }
        Ok(self.caller.clone())
    }
}
