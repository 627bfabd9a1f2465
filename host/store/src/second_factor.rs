//! Second factors of accounts, and the recovery codes that go with them.

use berth_base::{
    clock::Millis,
    error::Result,
    ids::{Digest, UserId},
    secret::Secret,
};
use berth_model::access::{FactorKey, SecondFactor, WrongCodes, bare_recovery_code};

use crate::{Count, Tx, execute, fetch};

/// What the sealed key of a second factor is about.
pub const ABOUT_SECOND_FACTOR: &str = "second-factor";

/// The second factor of an account, confirmed or not.
pub struct SecondFactorRow {
    /// The key that it shares with the app.
    pub key: FactorKey,
    /// Since when it is asked for; absent until it is confirmed.
    pub confirmed_at: Option<Millis>,
    /// The last step whose code was used.
    pub used_step: i64,
    /// The wrong codes that were typed for the account.
    pub wrong: WrongCodes,
}

impl Tx {
    /// The second factor of an account, confirmed or not.
    ///
    /// # Errors
    /// `secret-sealed` when this host cannot open the key.
    pub async fn second_factor(&mut self, account: &UserId) -> Result<Option<SecondFactorRow>> {
        const SQL: &str =
            "SELECT secret_sealed, confirmed_at, used_step, wrong_until FROM second_factor WHERE account_id = $1";
        let row = fetch!(self, fetch_optional, (String, Option<Millis>, i64, Millis), SQL, account)?;
        let Some((sealed, confirmed_at, used_step, until)) = row else { return Ok(None) };
        let key = Secret::from(self.seal().open_text(&sealed, &about(account))?);
        let wrong = WrongCodes { until };
        Ok(Some(SecondFactorRow { key: FactorKey::written(key), confirmed_at, used_step, wrong }))
    }

    /// What is told of the second factor of an account, if it is confirmed.
    pub async fn shown_second_factor(&mut self, account: &UserId) -> Result<Option<SecondFactor>> {
        const SQL: &str = "SELECT f.confirmed_at, COUNT(r.code_sha256)
             FROM second_factor f LEFT JOIN recovery_code r ON r.account_id = f.account_id
             WHERE f.account_id = $1 AND f.confirmed_at IS NOT NULL GROUP BY f.confirmed_at";
        let row = fetch!(self, fetch_optional, (Millis, Count), SQL, account)?;
        Ok(row.map(|(since, left)| SecondFactor { since, recovery_codes: few(left) }))
    }

    /// Stores a key that is not confirmed yet, in place of another such one.
    pub async fn begin_second_factor(&mut self, account: &UserId, key: &FactorKey) -> Result<()> {
        let sealed = self.seal().seal(key.expose().as_bytes(), &about(account))?;
        execute!(
            self,
            "INSERT INTO second_factor (account_id, secret_sealed, used_step) VALUES ($1, $2, -1)
             ON CONFLICT (account_id) DO UPDATE SET secret_sealed = excluded.secret_sealed, used_step = -1",
            account,
            &sealed
        )?;
        Ok(())
    }

    /// Notes that the app has the key, and which codes get in without it.
    pub async fn confirm_second_factor(&mut self, account: &UserId, recovery_codes: &[String]) -> Result<()> {
        let now = self.now();
        execute!(self, "UPDATE second_factor SET confirmed_at = $2 WHERE account_id = $1", account, now)?;
        for code in recovery_codes {
            let digest = Digest::of(bare_recovery_code(code).as_bytes());
            execute!(self, "INSERT INTO recovery_code (account_id, code_sha256) VALUES ($1, $2)", account, digest)?;
        }
        Ok(())
    }

    /// Notes that the code of a step was used. Returns `false` when it, or a later one, was before.
    pub async fn use_step(&mut self, account: &UserId, step: i64) -> Result<bool> {
        const SQL: &str = "UPDATE second_factor SET used_step = $2 WHERE account_id = $1 AND used_step < $2";
        Ok(execute!(self, SQL, account, step)? > 0)
    }

    /// Notes the wrong codes of an account.
    pub async fn put_wrong_codes(&mut self, account: &UserId, wrong: WrongCodes) -> Result<()> {
        execute!(self, "UPDATE second_factor SET wrong_until = $2 WHERE account_id = $1", account, wrong.until)?;
        Ok(())
    }

    /// Uses a recovery code up. Returns how many are left; `None` when it is none of the account's. The look-up is by digest, so
    /// its time tells nothing of the code.
    pub async fn use_recovery_code(&mut self, account: &UserId, bare: &str) -> Result<Option<u32>> {
        let digest = Digest::of(bare.as_bytes());
        const SQL: &str = "DELETE FROM recovery_code WHERE account_id = $1 AND code_sha256 = $2";
        if execute!(self, SQL, account, digest)? == 0 {
            return Ok(None);
        }
        const LEFT: &str = "SELECT COUNT(*) FROM recovery_code WHERE account_id = $1";
        Ok(Some(few(fetch!(self, fetch_one, (Count,), LEFT, account)?.0)))
    }

    /// Removes the second factor of an account with its recovery codes. Returns `false` when there is none that is confirmed.
    pub async fn remove_second_factor(&mut self, account: &UserId) -> Result<bool> {
        const SQL: &str = "DELETE FROM second_factor WHERE account_id = $1 AND confirmed_at IS NOT NULL";
        Ok(execute!(self, SQL, account)? > 0)
    }
}

fn about(account: &UserId) -> String {
    format!("{ABOUT_SECOND_FACTOR}:{account}")
}

/// The number of recovery codes, of which there are ten at most.
pub(crate) fn few(count: Count) -> u32 {
    u32::try_from(u64::from(count)).unwrap_or(u32::MAX)
}
