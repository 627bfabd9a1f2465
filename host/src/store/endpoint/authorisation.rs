//! Runs of authorising channels.

use super::{push_if, push_known};
use crate::{
    access::Caller,
    clock::Millis,
    endpoint::authorisation::{Authorisation, AuthorisationQuery, StageName},
    error::{Code, Error, Result},
    ids::AuthorisationId,
    page::PageQuery,
    store::{Tx, execute, fetch, fetch_built},
};

fn changed_meanwhile() -> Error {
    Error::new(Code::AuthorisationState, "The authorisation has just been changed by somebody else. Look at it again.")
}

impl Tx {
    /// One run.
    pub(crate) async fn authorisation(&mut self, id: &AuthorisationId) -> Result<Option<Authorisation>> {
        Ok(fetch!(self, fetch_optional, Authorisation, "SELECT * FROM channel_authorisation WHERE id = $1", id)?)
    }

    /// The run whose link has this state.
    pub(crate) async fn authorisation_by_link(&mut self, hash: &str) -> Result<Option<Authorisation>> {
        const SQL: &str = "SELECT * FROM channel_authorisation WHERE link_hash = $1";
        Ok(fetch!(self, fetch_optional, Authorisation, SQL, hash)?)
    }

    /// The run that this authorisation code came to, or else the one of this pre-authorisation code.
    pub(crate) async fn authorisation_by_code(&mut self, code: &str, pre_auth: &str) -> Result<Option<Authorisation>> {
        const SQL: &str = "SELECT * FROM channel_authorisation WHERE code_hash = $1 OR pre_auth_hash = $2
                   ORDER BY CASE WHEN code_hash = $1 THEN 0 ELSE 1 END LIMIT 1";
        Ok(fetch!(self, fetch_optional, Authorisation, SQL, code, pre_auth)?)
    }

    /// Runs that have the grant of this account and wait for an endpoint application or for their last step.
    pub(crate) async fn authorisations_with_grant(&mut self, app_id: &str) -> Result<Vec<Authorisation>> {
        const SQL: &str = "SELECT * FROM channel_authorisation WHERE stage -> 'grant' ->> 'app_id' = $1
                   AND state IN ('granted', 'choosing') ORDER BY id";
        Ok(fetch!(self, fetch_all, Authorisation, SQL, app_id)?)
    }

    /// Adds a run.
    pub(crate) async fn insert_authorisation(&mut self, flow: &Authorisation) -> Result<()> {
        execute!(
            self,
            "INSERT INTO channel_authorisation (id, merchant_id, kind, state, stage, target, vouched, code_sealed, code_hash,
                started_by, started_at, changed_at, expires_at, due_at, attempts, revision, lease_until)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, 0, 0, 0)",
            &flow.id,
            &flow.merchant,
            flow.kind.as_str(),
            flow.stage.name(),
            &flow.stage,
            &flow.target,
            &flow.vouched,
            &flow.code_sealed,
            &flow.code_hash,
            &flow.started_by,
            flow.started_at,
            flow.changed_at,
            flow.expires_at,
            flow.due_at
        )?;
        Ok(())
    }

    /// Writes a run that entered another stage, except for what was chosen, when nobody has changed it meanwhile. Such a run
    /// has new secrets or none, so that none is written back that was sealed anew meanwhile.
    ///
    /// # Errors
    /// `authorisation-state` when somebody has.
    pub(crate) async fn write_authorisation(&mut self, flow: &mut Authorisation) -> Result<()> {
        let written = execute!(
            self,
            "UPDATE channel_authorisation SET state = $3, stage = $4, link_sealed = $5, link_hash = $6,
                pre_auth_hash = $7, code_sealed = $8, code_hash = $9, changed_at = $10, expires_at = $11, due_at = $12,
                attempts = $13, trouble = $14, revision = revision + 1
             WHERE id = $1 AND revision = $2",
            &flow.id,
            flow.revision,
            flow.stage.name(),
            &flow.stage,
            &flow.link_sealed,
            &flow.link_hash,
            &flow.pre_auth_hash,
            &flow.code_sealed,
            &flow.code_hash,
            flow.changed_at,
            flow.expires_at,
            flow.due_at,
            flow.attempts,
            &flow.trouble
        )?;
        if written == 0 {
            return Err(changed_meanwhile());
        }
        flow.revision += 1;
        Ok(())
    }

    /// Writes what is in the way of a run and when it is tried again.
    ///
    /// # Errors
    /// `authorisation-state` when somebody has changed it meanwhile.
    pub(crate) async fn postpone_authorisation(
        &mut self,
        flow: &Authorisation,
        trouble: &str,
        due_at: Millis,
    ) -> Result<()> {
        const SQL: &str = "UPDATE channel_authorisation SET attempts = attempts + 1, trouble = $3, due_at = $4, revision = revision + 1
                   WHERE id = $1 AND revision = $2";
        match execute!(self, SQL, &flow.id, flow.revision, trouble, due_at)? {
            0 => Err(changed_meanwhile()),
            _ => Ok(()),
        }
    }

    /// Writes what was chosen. It does not count as a change of the run: a host that is asking WeChat goes on.
    pub(crate) async fn set_authorisation_target(&mut self, flow: &Authorisation) -> Result<()> {
        execute!(self, "UPDATE channel_authorisation SET target = $2 WHERE id = $1", &flow.id, &flow.target)?;
        Ok(())
    }

    /// Takes the lease of a run that is open; false when another host has it.
    pub(crate) async fn lease_authorisation(
        &mut self,
        id: &AuthorisationId,
        owner: &str,
        now: Millis,
        until: Millis,
    ) -> Result<bool> {
        const SQL: &str = "UPDATE channel_authorisation SET lease_owner = $2, lease_until = $3
                   WHERE id = $1 AND due_at IS NOT NULL AND lease_until <= $4";
        Ok(execute!(self, SQL, id, owner, until, now)? > 0)
    }

    /// Prolongs the lease between two steps; false when another host has it by now.
    pub(crate) async fn keep_authorisation(
        &mut self,
        id: &AuthorisationId,
        owner: &str,
        until: Millis,
    ) -> Result<bool> {
        const SQL: &str = "UPDATE channel_authorisation SET lease_until = $3 WHERE id = $1 AND lease_owner = $2";
        Ok(execute!(self, SQL, id, owner, until)? > 0)
    }

    /// Gives the lease back.
    pub(crate) async fn release_authorisation(&mut self, id: &AuthorisationId, owner: &str) -> Result<()> {
        const SQL: &str = "UPDATE channel_authorisation SET lease_until = 0 WHERE id = $1 AND lease_owner = $2";
        execute!(self, SQL, id, owner)?;
        Ok(())
    }

    /// Runs that have something to do now and are nobody's, at most `limit`.
    pub(crate) async fn due_authorisations(&mut self, now: Millis, limit: i64) -> Result<Vec<AuthorisationId>> {
        const SQL: &str =
            "SELECT id FROM channel_authorisation WHERE due_at <= $1 AND lease_until <= $1 ORDER BY due_at LIMIT $2";
        let rows = fetch!(self, fetch_all, (AuthorisationId,), SQL, now, limit)?;
        Ok(rows.into_iter().map(|(id,)| id).collect())
    }

    /// The runs that the caller may know of and asks for, oldest first, and one more than the page holds.
    pub(crate) async fn authorisations_known_to(
        &mut self,
        caller: &Caller,
        query: &AuthorisationQuery,
        page: &PageQuery,
    ) -> Result<Vec<Authorisation>> {
        Ok(fetch_built!(self, Authorisation, |q| {
            q.push("SELECT * FROM channel_authorisation a WHERE a.id > ").push_bind(page.after());
            push_known!(q, caller, "a.merchant_id");
            push_if!(q, &query.merchant, " AND a.merchant_id = ", "");
            push_if!(q, query.state.map(StageName::as_str), " AND a.state = ", "");
            q.push(" ORDER BY a.id LIMIT ").push_bind(page.limit() + 1);
        })?)
    }
}
