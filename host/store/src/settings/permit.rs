//! Permits of MiniApps in host apps.

use berth_base::{
    clock::Millis,
    error::{Error, Result},
    ids::{HostAppId, MiniAppId, PermitId},
    page::PageQuery,
};
use berth_model::{
    event::{Kind, kind},
    settings::{InForce, Permit, PermitAt, PermitKind, PermitMove, PermitState, PermitStep},
};

use crate::{Span, Tx, execute, fetch, fetch_built, push_if};

/// Which permits are asked for.
#[derive(Clone, Debug, Default)]
pub struct PermitsOf {
    /// Only those of this MiniApp.
    pub mini_app: Option<MiniAppId>,
    /// Only those in this host app.
    pub host_app: Option<HostAppId>,
    /// Only those of this kind.
    pub kind: Option<PermitKind>,
    /// Only those in this state.
    pub state: Option<PermitState>,
}

/// The part of an approved permit that devices need.
#[derive(sqlx::FromRow)]
struct InForceRow {
    mini_app_id: MiniAppId,
    host_app_id: HostAppId,
    kind: PermitKind,
    api: Option<berth_model::settings::ApiName>,
    until: Option<Millis>,
}

/// The kind of event that tells of a step.
fn told_as(step: PermitStep) -> Kind<Permit> {
    match step {
        PermitStep::Apply => kind::PERMIT_APPLIED,
        PermitStep::Approve => kind::PERMIT_APPROVED,
        PermitStep::Refuse => kind::PERMIT_REFUSED,
        PermitStep::Revoke => kind::PERMIT_REVOKED,
        PermitStep::Withdraw => kind::PERMIT_WITHDRAWN,
        PermitStep::Expire => kind::PERMIT_EXPIRED,
    }
}

impl Tx {
    /// The permit with this id.
    pub async fn permit(&mut self, id: &PermitId) -> Result<Option<Permit>> {
        Ok(fetch!(self, fetch_optional, Permit, "SELECT * FROM permit WHERE id = $1", id)?)
    }

    /// Locks a permit until the transaction ends. `not-found` when there is none.
    pub async fn hold_permit(&mut self, id: &PermitId) -> Result<Permit> {
        const SQL: &str = "UPDATE permit SET state = state WHERE id = $1 RETURNING *";
        let row = fetch!(self, fetch_optional, Permit, SQL, id)?;
        row.ok_or_else(|| Error::not_found("permit", id))
    }

    /// The steps of a permit, oldest first.
    pub async fn permit_moves(&mut self, id: &PermitId) -> Result<Vec<PermitMove>> {
        const SQL: &str =
            "SELECT step, state, until, actor, note, at FROM permit_move WHERE permit_id = $1 ORDER BY position";
        Ok(fetch!(self, fetch_all, PermitMove, SQL, id)?)
    }

    /// The live permit of a MiniApp in a host app for the same purpose as `like`: waiting, or approved.
    pub async fn live_permit_like(&mut self, like: &Permit) -> Result<Option<Permit>> {
        Ok(fetch!(
            self,
            fetch_optional,
            Permit,
            "SELECT * FROM permit WHERE mini_app_id = $1 AND host_app_id = $2 AND kind = $3 AND COALESCE(api, '') = $4
                AND state IN ('waiting', 'approved')",
            &like.mini_app,
            &like.host_app,
            like.kind,
            like.api.as_ref().map(ToString::to_string).unwrap_or_default()
        )?)
    }

    /// Locks the live permits of a MiniApp in a host app, in the order of their ids.
    pub async fn hold_live_permits(&mut self, mini_app: &MiniAppId, host_app: &HostAppId) -> Result<Vec<Permit>> {
        let rows = fetch!(
            self,
            fetch_all,
            (PermitId,),
            "SELECT id FROM permit WHERE mini_app_id = $1 AND host_app_id = $2 AND state IN ('waiting', 'approved')
             ORDER BY id",
            mini_app,
            host_app
        )?;
        let mut held = Vec::with_capacity(rows.len());
        for (id,) in rows {
            held.push(self.hold_permit(&id).await?);
        }
        held.retain(|permit| permit.state.is_live());
        Ok(held)
    }

    /// Adds the permit for which somebody has just applied, with its first step, and emits the event.
    pub async fn insert_permit(&mut self, permit: &Permit) -> Result<()> {
        execute!(
            self,
            "INSERT INTO permit (id, mini_app_id, host_app_id, kind, api, state, reason, until, applied_by, applied_at,
                                 note, changed_by, changed_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
            &permit.id,
            &permit.mini_app,
            &permit.host_app,
            permit.kind,
            permit.api.as_ref(),
            permit.state,
            &permit.reason,
            permit.until,
            &permit.applied_by,
            permit.applied_at,
            &permit.note,
            &permit.changed_by,
            permit.changed_at
        )?;
        self.write_permit_move(permit, permit.last_move(PermitStep::Apply)).await
    }

    /// Takes a step of a permit that this transaction holds, records it and emits the event.
    ///
    /// # Errors
    /// Those of [`Permit::take`].
    pub async fn move_permit(&mut self, permit: &mut Permit, at: &PermitAt<'_>) -> Result<()> {
        let moved = permit.take(at)?;
        execute!(
            self,
            "UPDATE permit SET state = $2, until = $3, note = $4, changed_by = $5, changed_at = $6 WHERE id = $1",
            &permit.id,
            permit.state,
            permit.until,
            &permit.note,
            &permit.changed_by,
            permit.changed_at
        )?;
        self.write_permit_move(permit, moved).await
    }

    async fn write_permit_move(&mut self, permit: &Permit, moved: PermitMove) -> Result<()> {
        execute!(
            self,
            "INSERT INTO permit_move (permit_id, position, step, state, until, actor, note, at)
             SELECT $1, COUNT(*) + 1, $2, $3, $4, $5, $6, $7 FROM permit_move WHERE permit_id = $1",
            &permit.id,
            moved.step,
            moved.state,
            moved.until,
            &moved.actor,
            &moved.note,
            moved.at
        )?;
        let event = self.tell(told_as(moved.step), &permit.id, &moved.actor, permit);
        event.for_mini_app(&permit.mini_app).for_host_app(&permit.host_app);
        Ok(())
    }

    /// A page of permits, newest first, and one more than the page holds.
    pub async fn permits(&mut self, of: &PermitsOf, page: &PageQuery) -> Result<Vec<Permit>> {
        let (kind, state) = (of.kind.map(PermitKind::as_str), of.state.map(PermitState::as_str));
        Ok(fetch_built!(self, Permit, |q| {
            q.push("SELECT * FROM permit WHERE id < ").push_bind(page.before());
            push_if!(q, of.mini_app.as_ref(), " AND mini_app_id = ", "");
            push_if!(q, of.host_app.as_ref(), " AND host_app_id = ", "");
            push_if!(q, kind, " AND kind = ", "");
            push_if!(q, state, " AND state = ", "");
            q.push(" ORDER BY id DESC LIMIT ").push_bind(page.limit() + 1);
        })?)
    }

    /// The last permit of a MiniApp in a host app for each API, whatever its state.
    pub async fn last_api_permits(&mut self, mini_app: &MiniAppId, host_app: &HostAppId) -> Result<Vec<Permit>> {
        Ok(fetch!(
            self,
            fetch_all,
            Permit,
            "SELECT * FROM permit WHERE id IN (SELECT MAX(id) FROM permit
                WHERE mini_app_id = $1 AND host_app_id = $2 AND api IS NOT NULL GROUP BY api)",
            mini_app,
            host_app
        )?)
    }

    /// The approved permits of the MiniApps in the span.
    pub async fn permits_in_force_in(&mut self, span: &Span) -> Result<Vec<(MiniAppId, InForce)>> {
        let rows = fetch!(
            self,
            fetch_all,
            InForceRow,
            "SELECT mini_app_id, host_app_id, kind, api, until FROM permit
             WHERE state = 'approved' AND mini_app_id BETWEEN $1 AND $2",
            &span.from,
            &span.to
        )?;
        let permit = |row: InForceRow| {
            let InForceRow { mini_app_id, host_app_id, kind, api, until } = row;
            (mini_app_id, InForce { host_app: host_app_id, kind, api, until })
        };
        Ok(rows.into_iter().map(permit).collect())
    }

    /// The permits whose time is over by now, in the order of their ends, so that no database goes through all permits because those
    /// come in the right order.
    pub async fn due_permits(&mut self, now: Millis) -> Result<Vec<PermitId>> {
        const SQL: &str = "SELECT id FROM permit WHERE state = 'approved' AND until <= $1 ORDER BY until";
        let rows = fetch!(self, fetch_all, (PermitId,), SQL, now)?;
        Ok(rows.into_iter().map(|(id,)| id).collect())
    }
}
