//! Authorisations of channels in progress and ended.

use super::{push_if, push_known};
use crate::{
    access::Caller,
    clock::Millis,
    endpoint::authorisation::{Authorisation, AuthorisationQuery},
    error::{Code, Error, Result},
    ids::AuthorisationId,
    page::PageQuery,
    store::{
        Lease, Tx, execute, fetch, fetch_built,
        lease::{free, given_back, taken},
    },
};

fn changed_meanwhile() -> Error {
    Error::new(Code::AuthorisationState, "The authorisation has just been changed by somebody else. Look at it again.")
}

impl Tx {
    /// The authorisation with this id.
    pub(crate) async fn authorisation(&mut self, id: &AuthorisationId) -> Result<Option<Authorisation>> {
        Ok(fetch!(self, fetch_optional, Authorisation, "SELECT * FROM channel_authorisation WHERE id = $1", id)?)
    }

    /// The authorisation whose link has the state with this hash.
    pub(crate) async fn authorisation_by_link(&mut self, hash: &str) -> Result<Option<Authorisation>> {
        const SQL: &str = "SELECT * FROM channel_authorisation WHERE link_hash = $1";
        Ok(fetch!(self, fetch_optional, Authorisation, SQL, hash)?)
    }

    /// The authorisation that has received the authorisation code with this hash, or otherwise the one that was begun
    /// with the pre-authorisation code with this hash.
    pub(crate) async fn authorisation_by_code(&mut self, code: &str, pre_auth: &str) -> Result<Option<Authorisation>> {
        const SQL: &str = "SELECT * FROM channel_authorisation WHERE code_hash = $1 OR pre_auth_hash = $2
                   ORDER BY CASE WHEN code_hash = $1 THEN 0 ELSE 1 END LIMIT 1";
        Ok(fetch!(self, fetch_optional, Authorisation, SQL, code, pre_auth)?)
    }

    /// The authorisations that have the grant of this account and wait for the choice of an endpoint application or for
    /// their last step.
    pub(crate) async fn authorisations_with_grant(&mut self, app_id: &str) -> Result<Vec<Authorisation>> {
        const SQL: &str = "SELECT * FROM channel_authorisation WHERE stage -> 'grant' ->> 'app_id' = $1
                   AND stage ->> 'state' IN ('granted', 'choosing') ORDER BY id";
        Ok(fetch!(self, fetch_all, Authorisation, SQL, app_id)?)
    }

    /// Adds an authorisation.
    pub(crate) async fn insert_authorisation(&mut self, flow: &Authorisation) -> Result<()> {
        execute!(
            self,
            "INSERT INTO channel_authorisation (id, merchant_id, kind, stage, target, vouched, code_sealed, code_hash,
                started_by, started_at, changed_at, expires_at, due_at, attempts, revision, lease_until)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 0, 0, 0)",
            &flow.id,
            &flow.merchant,
            flow.kind,
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

    /// Stores an authorisation that has entered another stage, but for its target, if nobody has changed it in the
    /// meantime. In another stage the secrets are new or absent, so that a secret sealed anew in the meantime is not
    /// overwritten by its former text.
    ///
    /// # Errors
    /// `authorisation-state` when somebody has changed it.
    pub(crate) async fn write_authorisation(&mut self, flow: &mut Authorisation) -> Result<()> {
        let written = execute!(
            self,
            "UPDATE channel_authorisation SET stage = $3, link_sealed = $4, link_hash = $5,
                pre_auth_hash = $6, code_sealed = $7, code_hash = $8, changed_at = $9, expires_at = $10, due_at = $11,
                attempts = $12, trouble = $13, revision = revision + 1
             WHERE id = $1 AND revision = $2",
            &flow.id,
            flow.revision,
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

    /// Stores the trouble that an authorisation met, and when it is to be tried again.
    ///
    /// # Errors
    /// `authorisation-state` when somebody has changed it in the meantime.
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

    /// Stores the target of an authorisation. This does not count as a change of it, so that a host that is asking
    /// WeChat goes on.
    pub(crate) async fn set_authorisation_target(&mut self, flow: &Authorisation) -> Result<()> {
        execute!(self, "UPDATE channel_authorisation SET target = $2 WHERE id = $1", &flow.id, &flow.target)?;
        Ok(())
    }

    /// Takes the lease of a run that is open; false when another host has it.
    pub(crate) async fn lease_authorisation(&mut self, id: &AuthorisationId, lease: &Lease) -> Result<bool> {
        const SQL: &str = concat!(
            "UPDATE channel_authorisation SET ",
            taken!("$2", "$3"),
            " WHERE id = $1 AND due_at IS NOT NULL AND ",
            free!("$4")
        );
        Ok(execute!(self, SQL, id, lease.owner(), lease.until(), lease.from())? > 0)
    }

    /// Prolongs the lease between two steps; false when another host has it by now.
    pub(crate) async fn keep_authorisation(&mut self, id: &AuthorisationId, lease: &Lease) -> Result<bool> {
        const SQL: &str = "UPDATE channel_authorisation SET lease_until = $3 WHERE id = $1 AND lease_owner = $2";
        Ok(execute!(self, SQL, id, lease.owner(), lease.until())? > 0)
    }

    /// Gives the lease on an authorisation back.
    pub(crate) async fn release_authorisation(&mut self, id: &AuthorisationId, owner: &str) -> Result<()> {
        const SQL: &str =
            concat!("UPDATE channel_authorisation SET ", given_back!(), " WHERE id = $1 AND lease_owner = $2");
        execute!(self, SQL, id, owner)?;
        Ok(())
    }

    /// The authorisations that are due and on which no host has a lease, at most `limit`.
    pub(crate) async fn due_authorisations(&mut self, now: Millis, limit: i64) -> Result<Vec<AuthorisationId>> {
        const SQL: &str = concat!(
            "SELECT id FROM channel_authorisation WHERE due_at <= $1 AND ",
            free!("$1"),
            " ORDER BY due_at LIMIT $2"
        );
        let rows = fetch!(self, fetch_all, (AuthorisationId,), SQL, now, limit)?;
        Ok(rows.into_iter().map(|(id,)| id).collect())
    }

    /// A page of the authorisations that match `query` and that the caller may know about, oldest first, and one more
    /// than the page holds.
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
            push_if!(q, query.state, " AND a.stage ->> 'state' = ", "");
            q.push(" ORDER BY a.id LIMIT ").push_bind(page.limit() + 1);
        })?)
    }
}
