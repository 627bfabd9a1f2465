//! Login entries, the users who are logging in there, and who they are.

use berth_base::{
    clock::Millis,
    error::Result,
    ids::{AuthorisedLoginId, Digest, HostAppId, LoginBindingId, LoginEntryId, LoginEntryName, MiniAppId},
    secret::Secret,
};
use berth_model::{
    login_entry::{LoginEntry, LoginStep, UserLoginBinding},
    user::{OpenId, User},
};
use sqlx::types::Json;

use crate::{Count, Tx, execute, fetch};

/// What the sealed secret of a login entry is about.
pub const ABOUT_ENTRY_SECRET: &str = "login-entry-secret";
/// What the sealed subject of an authorised login is about.
pub const ABOUT_LOGIN_SUBJECT: &str = "authorised-login-subject";
/// What the sealed subject of a login binding is about.
pub const ABOUT_BOUND_SUBJECT: &str = "login-binding-subject";

/// A user who is logging in at an entry.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct LoginRow {
    /// Its id.
    pub id: AuthorisedLoginId,
    /// The entry.
    pub entry_id: LoginEntryId,
    /// The hash of the OpenID of the user.
    pub open_id_sha256: Digest,
    /// What the MiniApp wants back.
    pub state: Option<String>,
    /// Who it is, sealed; absent until that is known.
    subject_sealed: Option<String>,
}

/// A binding of a user.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct BindingRow {
    /// Its id.
    pub id: LoginBindingId,
    /// The MiniApp.
    pub mini_app_id: MiniAppId,
    /// The name of the entry.
    pub entry: LoginEntryName,
    /// The hash of the OpenID of the user.
    pub open_id_sha256: Digest,
    /// What finds the subject; absent of one that has ended.
    pub subject_mac: Option<Digest>,
    subject_sealed: Option<String>,
    /// Since when the user is bound.
    pub bound_at: Millis,
    /// When it ended, if it has.
    pub ended_at: Option<Millis>,
}

/// A binding that has ended, and the host app of its user.
pub type EndedBinding = (LoginBindingId, LoginEntryName, HostAppId);

impl Tx {
    /// The login entry of a MiniApp with this name.
    pub async fn login_entry(&mut self, mini_app: &MiniAppId, name: &LoginEntryName) -> Result<Option<LoginEntry>> {
        const SQL: &str = "SELECT * FROM login_entry WHERE mini_app_id = $1 AND name = $2";
        Ok(fetch!(self, fetch_optional, LoginEntry, SQL, mini_app, name)?)
    }

    /// The login entry with this id.
    pub async fn login_entry_by_id(&mut self, id: &LoginEntryId) -> Result<Option<LoginEntry>> {
        Ok(fetch!(self, fetch_optional, LoginEntry, "SELECT * FROM login_entry WHERE id = $1", id)?)
    }

    /// The login entries of a MiniApp, by name.
    pub async fn login_entries(&mut self, mini_app: &MiniAppId) -> Result<Vec<LoginEntry>> {
        const SQL: &str = "SELECT * FROM login_entry WHERE mini_app_id = $1 ORDER BY name";
        Ok(fetch!(self, fetch_all, LoginEntry, SQL, mini_app)?)
    }

    /// How many users are bound at an entry.
    pub async fn bound_at_entry(&mut self, entry: &LoginEntry) -> Result<u64> {
        const SQL: &str =
            "SELECT COUNT(*) FROM login_binding WHERE mini_app_id = $1 AND entry = $2 AND ended_at IS NULL";
        let (count,) = fetch!(self, fetch_one, (Count,), SQL, &entry.mini_app, &entry.name)?;
        Ok(count.0)
    }

    /// Registers a login entry, in place of the one with its id. Without a secret the former one stays.
    pub async fn put_login_entry(&mut self, entry: &LoginEntry, secret: Option<&Secret>) -> Result<()> {
        let about = format!("{ABOUT_ENTRY_SECRET}:{}", entry.id);
        let sealed = secret.map(|secret| self.seal().seal(secret.expose().as_bytes(), &about)).transpose()?;
        execute!(
            self,
            "INSERT INTO login_entry (id, mini_app_id, name, provider, client_id, client_auth, scope, return_url,
                secret_sealed, changed_by, changed_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
             ON CONFLICT (id) DO UPDATE SET client_auth = excluded.client_auth, scope = excluded.scope,
                return_url = excluded.return_url, changed_by = excluded.changed_by, changed_at = excluded.changed_at,
                secret_sealed = COALESCE(excluded.secret_sealed, login_entry.secret_sealed)",
            &entry.id,
            &entry.mini_app,
            &entry.name,
            Json(&entry.provider),
            &entry.client_id,
            entry.client_auth,
            &entry.scope,
            &entry.return_url,
            &sealed,
            &entry.changed_by,
            entry.changed_at
        )?;
        Ok(())
    }

    /// The secret of a login entry, if it has one.
    ///
    /// # Errors
    /// `secret-sealed` when this host cannot open it.
    pub async fn login_entry_secret(&mut self, id: &LoginEntryId) -> Result<Option<Secret>> {
        const SQL: &str = "SELECT secret_sealed FROM login_entry WHERE id = $1";
        let Some((Some(sealed),)) = fetch!(self, fetch_optional, (Option<String>,), SQL, id)? else { return Ok(None) };
        self.seal().open_text(&sealed, &format!("{ABOUT_ENTRY_SECRET}:{id}")).map(Secret::from).map(Some)
    }

    /// Locks a login entry until the transaction ends, so that its users are bound one after the other. Returns `false` when
    /// it is gone.
    pub async fn hold_login_entry(&mut self, id: &LoginEntryId) -> Result<bool> {
        Ok(execute!(self, "UPDATE login_entry SET name = name WHERE id = $1", id)? > 0)
    }

    /// Deletes a login entry, and those who are logging in there.
    pub async fn delete_login_entry(&mut self, id: &LoginEntryId) -> Result<()> {
        execute!(self, "DELETE FROM login_entry WHERE id = $1", id)?;
        Ok(())
    }

    /// Adds a login, which its ticket opens until then.
    pub async fn insert_authorised_login(&mut self, row: &LoginRow, ticket: &Digest, expires_at: Millis) -> Result<()> {
        execute!(
            self,
            "INSERT INTO authorised_login (id, key_sha256, step, entry_id, open_id_sha256, state, expires_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
            &row.id,
            ticket,
            LoginStep::Begun,
            &row.entry_id,
            &row.open_id_sha256,
            &row.state,
            expires_at
        )?;
        Ok(())
    }

    /// Ends the logins of a user, whom this transaction holds, but for the newest `keep`.
    pub async fn end_older_logins(&mut self, open_id: &OpenId, keep: i64) -> Result<()> {
        execute!(
            self,
            "DELETE FROM authorised_login WHERE id IN (SELECT id FROM authorised_login
             WHERE open_id_sha256 = $1 ORDER BY id DESC LIMIT 1000 OFFSET $2)",
            open_id.digest(),
            keep
        )?;
        Ok(())
    }

    /// The login that this ticket opens.
    pub async fn begun_login(&mut self, ticket: &Digest) -> Result<Option<LoginRow>> {
        let now = self.now();
        const SQL: &str = "SELECT id, entry_id, open_id_sha256, state, subject_sealed FROM authorised_login
            WHERE key_sha256 = $1 AND step = $2 AND expires_at > $3";
        Ok(fetch!(self, fetch_optional, LoginRow, SQL, ticket, LoginStep::Begun, now)?)
    }

    /// Lets a browser go with a login that its ticket opens. Of many who try, one does; returns `false` to the others.
    pub async fn send_login(
        &mut self,
        ticket: &Digest,
        state: &Digest,
        browser: &Digest,
        back_until: Millis,
    ) -> Result<bool> {
        let now = self.now();
        let sent = execute!(
            self,
            "UPDATE authorised_login SET key_sha256 = $2, browser_sha256 = $3, expires_at = $4, step = $5
             WHERE key_sha256 = $1 AND step = $6 AND expires_at > $7",
            ticket,
            state,
            browser,
            back_until,
            LoginStep::Sent,
            LoginStep::Begun,
            now
        )?;
        Ok(sent > 0)
    }

    /// Takes the login with which this browser comes back, for the provider to be asked. `code` finishes it later. Of many who
    /// try, one gets it; in another browser it stays for its own.
    pub async fn take_sent_login(
        &mut self,
        entry: &LoginEntryId,
        state: &Digest,
        browser: &Digest,
        code: &Digest,
    ) -> Result<Option<LoginRow>> {
        let now = self.now();
        Ok(fetch!(
            self,
            fetch_optional,
            LoginRow,
            "UPDATE authorised_login SET key_sha256 = $4, step = $5
             WHERE key_sha256 = $2 AND browser_sha256 = $3 AND entry_id = $1 AND step = $6 AND expires_at > $7
             RETURNING id, entry_id, open_id_sha256, state, subject_sealed",
            entry,
            state,
            browser,
            code,
            LoginStep::Asking,
            LoginStep::Sent,
            now
        )?)
    }

    /// Notes who it is that has logged in, until the login is finished. Returns `false` when the login is gone meanwhile.
    pub async fn note_subject(&mut self, id: &AuthorisedLoginId, subject: &str, finish_until: Millis) -> Result<bool> {
        let sealed = self.seal().seal(subject.as_bytes(), &format!("{ABOUT_LOGIN_SUBJECT}:{id}"))?;
        const SQL: &str = "UPDATE authorised_login SET subject_sealed = $2, step = $3, expires_at = $4 WHERE id = $1";
        Ok(execute!(self, SQL, id, &sealed, LoginStep::Arrived, finish_until)? > 0)
    }

    /// Deletes a login that came to nothing.
    pub async fn drop_login(&mut self, id: &AuthorisedLoginId) -> Result<()> {
        execute!(self, "DELETE FROM authorised_login WHERE id = $1", id)?;
        Ok(())
    }

    /// The entry of a login of this user that this code finishes.
    pub async fn entry_of_arrived(&mut self, code: &Digest, open_id: &OpenId) -> Result<Option<LoginEntryId>> {
        let now = self.now();
        const SQL: &str = "SELECT entry_id FROM authorised_login
            WHERE key_sha256 = $1 AND open_id_sha256 = $2 AND step = $3 AND expires_at > $4";
        let found =
            fetch!(self, fetch_optional, (LoginEntryId,), SQL, code, open_id.digest(), LoginStep::Arrived, now)?;
        Ok(found.map(|(entry,)| entry))
    }

    /// Takes a login of this user that this code finishes, and returns who has logged in. Of many who try, one gets it.
    ///
    /// # Errors
    /// `secret-sealed` when this host cannot open who it is.
    pub async fn take_arrived_login(&mut self, code: &Digest, open_id: &OpenId) -> Result<Option<String>> {
        let now = self.now();
        let taken = fetch!(
            self,
            fetch_optional,
            LoginRow,
            "DELETE FROM authorised_login
             WHERE key_sha256 = $1 AND open_id_sha256 = $2 AND step = $3 AND expires_at > $4
             RETURNING id, entry_id, open_id_sha256, state, subject_sealed",
            code,
            open_id.digest(),
            LoginStep::Arrived,
            now
        )?;
        let Some(LoginRow { id, subject_sealed: Some(sealed), .. }) = taken else { return Ok(None) };
        self.seal().open_text(&sealed, &format!("{ABOUT_LOGIN_SUBJECT}:{id}")).map(Some)
    }

    /// Locks a user of a MiniApp until the transaction ends; `None` when there is none, as after an erasure.
    pub async fn hold_user(&mut self, open_id: &OpenId, mini_app: &MiniAppId) -> Result<Option<User>> {
        const SQL: &str = "UPDATE mini_app_user SET account = account WHERE open_id_sha256 = $1 AND mini_app_id = $2
            RETURNING host_app_id, account";
        let held = fetch!(self, fetch_optional, (HostAppId, String), SQL, open_id.digest(), mini_app)?;
        Ok(held.map(|(host_app, account)| User { host_app, account }))
    }

    /// Adds a binding of a user whom this transaction holds, at an entry that it holds.
    pub async fn bind_login(
        &mut self,
        id: &LoginBindingId,
        entry: &LoginEntry,
        open_id: &OpenId,
        (mac, subject): (&Digest, &str),
    ) -> Result<()> {
        let now = self.now();
        let sealed = self.seal().seal(subject.as_bytes(), &format!("{ABOUT_BOUND_SUBJECT}:{id}"))?;
        execute!(
            self,
            "INSERT INTO login_binding (id, mini_app_id, entry, open_id_sha256, subject_mac, subject_sealed, bound_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
            id,
            &entry.mini_app,
            &entry.name,
            open_id.digest(),
            mac,
            &sealed,
            now
        )?;
        Ok(())
    }

    /// The binding of whoever is bound to this subject at an entry.
    pub async fn binding_to(&mut self, entry: &LoginEntry, mac: &Digest) -> Result<Option<BindingRow>> {
        const SQL: &str = "SELECT * FROM login_binding
            WHERE mini_app_id = $1 AND entry = $2 AND subject_mac = $3 AND ended_at IS NULL";
        Ok(fetch!(self, fetch_optional, BindingRow, SQL, &entry.mini_app, &entry.name, mac)?)
    }

    /// The bindings of a user of a MiniApp that hold, by entry.
    pub async fn bindings_of_open_id(&mut self, mini_app: &MiniAppId, open_id: &OpenId) -> Result<Vec<BindingRow>> {
        const SQL: &str = "SELECT * FROM login_binding
            WHERE open_id_sha256 = $1 AND mini_app_id = $2 AND ended_at IS NULL ORDER BY entry";
        Ok(fetch!(self, fetch_all, BindingRow, SQL, open_id.digest(), mini_app)?)
    }

    /// The bindings of a user of a host app, those that ended too, oldest first; in `mini_app` alone if one is named.
    ///
    /// # Errors
    /// `secret-sealed` when this host cannot open a subject.
    pub async fn bindings_of(&mut self, user: &User, mini_app: Option<&MiniAppId>) -> Result<Vec<UserLoginBinding>> {
        let rows = fetch!(
            self,
            fetch_all,
            BindingRow,
            "SELECT b.* FROM login_binding b JOIN mini_app_user u ON u.open_id_sha256 = b.open_id_sha256
             WHERE u.host_app_id = $1 AND u.account = $2 AND b.mini_app_id = COALESCE($3, b.mini_app_id)
             ORDER BY b.bound_at, b.id",
            &user.host_app,
            &user.account,
            mini_app
        )?;
        let shown = |row: BindingRow| {
            let subject = self.subject_of(&row)?;
            let BindingRow { id, mini_app_id: mini_app, entry, bound_at, ended_at, .. } = row;
            Ok(UserLoginBinding { id, mini_app, entry, subject, bound_at, ended_at })
        };
        rows.into_iter().map(shown).collect()
    }

    /// Who the user of a binding is at the provider; `None` of one that has ended.
    ///
    /// # Errors
    /// `secret-sealed` when this host cannot open it.
    pub fn subject_of(&self, row: &BindingRow) -> Result<Option<String>> {
        let open = |sealed: &String| self.seal().open_text(sealed, &format!("{ABOUT_BOUND_SUBJECT}:{}", row.id));
        row.subject_sealed.as_ref().map(open).transpose()
    }

    /// Ends the binding of a user at an entry, or of all users there, and forgets who they were.
    pub async fn end_bindings(
        &mut self,
        mini_app: &MiniAppId,
        entry: &LoginEntryName,
        open_id: Option<&OpenId>,
    ) -> Result<Vec<EndedBinding>> {
        let now = self.now();
        let open_id = open_id.map(OpenId::digest);
        let ended = fetch!(
            self,
            fetch_all,
            EndedBinding,
            "UPDATE login_binding SET ended_at = $4, subject_mac = NULL, subject_sealed = NULL
             WHERE mini_app_id = $1 AND entry = $2 AND open_id_sha256 = COALESCE($3, open_id_sha256) AND ended_at IS NULL
             RETURNING id, entry, (SELECT u.host_app_id FROM mini_app_user u
                WHERE u.open_id_sha256 = login_binding.open_id_sha256) AS host_app_id",
            mini_app,
            entry,
            &open_id,
            now
        )?;
        Ok(ended)
    }

    /// Deletes all that is known of a user at login entries. Returns the number of bindings, of those that ended too.
    pub(crate) async fn erase_bindings(&mut self, open_id: &Digest) -> Result<u64> {
        execute!(self, "DELETE FROM authorised_login WHERE open_id_sha256 = $1", open_id)?;
        Ok(execute!(self, "DELETE FROM login_binding WHERE open_id_sha256 = $1", open_id)?)
    }
}

impl LoginRow {
    /// A login that begins.
    pub fn new(id: AuthorisedLoginId, entry_id: LoginEntryId, open_id: &OpenId, state: Option<String>) -> Self {
        Self { id, entry_id, open_id_sha256: open_id.digest(), state, subject_sealed: None }
    }
}
