//! Users of MiniApps: login codes that wait for their exchange, and the users who have logged in.

use super::{Tx, execute, fetch};
use berth_base::{
    clock::Millis,
    error::Result,
    ids::{Digest, HostAppId, MiniAppId},
};
use berth_model::user::{OpenId, User};

/// What a sealed session key is about.
pub const ABOUT_SESSION_KEY: &str = "session-key";

impl Tx {
    /// Adds a login code, of which only the hash is stored.
    pub async fn insert_login_code(
        &mut self,
        code: &Digest,
        mini_app: &MiniAppId,
        user: &User,
        expires_at: Millis,
    ) -> Result<()> {
        execute!(
            self,
            "INSERT INTO login_code (code_sha256, mini_app_id, host_app_id, account, expires_at)
             VALUES ($1, $2, $3, $4, $5)",
            code,
            mini_app,
            &user.host_app,
            &user.account,
            expires_at
        )?;
        Ok(())
    }

    /// Takes a login code that is valid for this MiniApp, and returns its user. Of many who try, one gets it. A code of
    /// another MiniApp stays, and so does one whose host app is not bound any more.
    pub async fn take_login_code(&mut self, code: &Digest, mini_app: &MiniAppId) -> Result<Option<User>> {
        let now = self.now();
        let taken = fetch!(
            self,
            fetch_optional,
            (HostAppId, String),
            "DELETE FROM login_code WHERE code_sha256 = $1 AND mini_app_id = $2 AND expires_at > $3
             AND EXISTS (SELECT 1 FROM binding b WHERE b.host_app_id = login_code.host_app_id
                AND b.mini_app_id = login_code.mini_app_id AND b.state = 'active')
             RETURNING host_app_id, account",
            code,
            mini_app,
            now
        )?;
        Ok(taken.map(|(host_app, account)| User { host_app, account }))
    }

    /// Deletes the login codes of a user that wait for their exchange; with `mini_app`, only those for that one. Returns the MiniApp of
    /// each. Who exchanges one now has it, and is waited for.
    pub async fn end_login_codes(&mut self, user: &User, mini_app: Option<&MiniAppId>) -> Result<Vec<MiniAppId>> {
        let ended = fetch!(
            self,
            fetch_all,
            (MiniAppId,),
            "DELETE FROM login_code WHERE host_app_id = $1 AND account = $2 AND mini_app_id = COALESCE($3, mini_app_id)
             RETURNING mini_app_id",
            &user.host_app,
            &user.account,
            mini_app
        )?;
        Ok(ended.into_iter().map(|(mini_app,)| mini_app).collect())
    }

    /// Makes a user known in a MiniApp, if they are not yet, and holds them.
    ///
    /// A user has two unique names, the OpenID and the account. PostgreSQL's upsert looks at one of them, and fails by the other one
    /// when two make the same user known at once; `DO NOTHING` looks at both. Who erases the user in between is waited for by
    /// the second statement, and then it begins anew.
    pub async fn note_user(&mut self, open_id: &OpenId, mini_app: &MiniAppId, user: &User) -> Result<()> {
        let (now, digest) = (self.now(), open_id.digest());
        loop {
            execute!(
                self,
                "INSERT INTO mini_app_user (open_id_sha256, mini_app_id, host_app_id, account, session_at, created_at)
                 VALUES ($1, $2, $3, $4, 0, $5) ON CONFLICT DO NOTHING",
                &digest,
                mini_app,
                &user.host_app,
                &user.account,
                now
            )?;
            const HOLD: &str = "UPDATE mini_app_user SET account = account WHERE open_id_sha256 = $1";
            if execute!(self, HOLD, &digest)? > 0 {
                return Ok(());
            }
        }
    }

    /// Records that a user has logged in to a MiniApp, with the new session key in place of the one that there may be.
    pub async fn put_session(
        &mut self,
        open_id: &OpenId,
        mini_app: &MiniAppId,
        user: &User,
        session_key: &str,
    ) -> Result<()> {
        self.note_user(open_id, mini_app, user).await?;
        let (now, digest) = (self.now(), open_id.digest());
        let sealed = self.seal().seal(session_key.as_bytes(), &about_session(&digest))?;
        execute!(
            self,
            "UPDATE mini_app_user SET session_key_sealed = $2, session_at = $3 WHERE open_id_sha256 = $1",
            &digest,
            &sealed,
            now
        )?;
        Ok(())
    }

    /// Records that a user has logged in to a MiniApp by unified authentication, which leaves the session key as it is.
    pub async fn note_login(&mut self, open_id: &OpenId, mini_app: &MiniAppId, user: &User) -> Result<()> {
        self.note_user(open_id, mini_app, user).await?;
        let now = self.now();
        const SQL: &str = "UPDATE mini_app_user SET session_at = $2 WHERE open_id_sha256 = $1";
        execute!(self, SQL, open_id.digest(), now)?;
        Ok(())
    }

    /// The present session key of a user of this MiniApp; `None` when there is no such user, or no session.
    ///
    /// # Errors
    /// `secret-sealed` when this host cannot open it.
    pub async fn session_key(&mut self, open_id: &OpenId, mini_app: &MiniAppId) -> Result<Option<String>> {
        let digest = open_id.digest();
        let row = fetch!(
            self,
            fetch_optional,
            (Option<String>,),
            "SELECT session_key_sealed FROM mini_app_user WHERE open_id_sha256 = $1 AND mini_app_id = $2",
            &digest,
            mini_app
        )?;
        let Some((Some(sealed),)) = row else { return Ok(None) };
        self.seal().open_text(&sealed, &about_session(&digest)).map(Some)
    }

    /// Deletes the session key of a user of this MiniApp, if there is one.
    pub async fn end_session(&mut self, open_id: &OpenId, mini_app: &MiniAppId) -> Result<()> {
        execute!(
            self,
            "UPDATE mini_app_user SET session_key_sealed = NULL WHERE open_id_sha256 = $1 AND mini_app_id = $2",
            open_id.digest(),
            mini_app
        )?;
        Ok(())
    }
}

fn about_session(open_id: &Digest) -> String {
    format!("{ABOUT_SESSION_KEY}:{open_id}")
}
