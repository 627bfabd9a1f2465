//! Authorisations of channels in progress and ended.

use super::{push_if, push_known};
use berth_base::{
    clock::Millis,
    error::{Code, Error, Result},
    ids::AuthorisationId,
    page::PageQuery,
};
use berth_model::{access::Caller, endpoint::authorisation::AuthorisationQuery};

use crate::{
    Lease, Tx, execute, fetch, fetch_built,
    lease::{free, given_back, taken},
};
use berth_base::ids::MerchantId;
use berth_model::{
    endpoint::{
        authorisation::{AuthorisationView, CHOOSING, Stage, Target, Vouched, WORKING, warnings},
        channel::ChannelKind,
    },
    event::{self, Kind, kind},
};
use sqlx::types::Json;

fn changed_meanwhile() -> Error {
    Error::new(Code::AuthorisationState, "The authorisation has just been changed by somebody else. Look at it again.")
}

impl Tx {
    /// The authorisation with this id.
    pub async fn authorisation(&mut self, id: &AuthorisationId) -> Result<Option<Authorisation>> {
        Ok(fetch!(self, fetch_optional, Authorisation, "SELECT * FROM channel_authorisation WHERE id = $1", id)?)
    }

    /// The authorisation whose link has the state with this hash.
    pub async fn authorisation_by_link(&mut self, hash: &str) -> Result<Option<Authorisation>> {
        const SQL: &str = "SELECT * FROM channel_authorisation WHERE link_hash = $1";
        Ok(fetch!(self, fetch_optional, Authorisation, SQL, hash)?)
    }

    /// The authorisation that has received the authorisation code with this hash, or otherwise the one that was begun
    /// with the pre-authorisation code with this hash.
    pub async fn authorisation_by_code(&mut self, code: &str, pre_auth: &str) -> Result<Option<Authorisation>> {
        const SQL: &str = "SELECT * FROM channel_authorisation WHERE code_hash = $1 OR pre_auth_hash = $2
                   ORDER BY CASE WHEN code_hash = $1 THEN 0 ELSE 1 END LIMIT 1";
        Ok(fetch!(self, fetch_optional, Authorisation, SQL, code, pre_auth)?)
    }

    /// The authorisations that have the grant of this account and wait for the choice of an endpoint application or for
    /// their last step.
    pub async fn authorisations_with_grant(&mut self, app_id: &str) -> Result<Vec<Authorisation>> {
        const SQL: &str = "SELECT * FROM channel_authorisation WHERE stage -> 'grant' ->> 'app_id' = $1
                   AND stage ->> 'state' IN ('granted', 'choosing') ORDER BY id";
        Ok(fetch!(self, fetch_all, Authorisation, SQL, app_id)?)
    }

    /// The authorisations of a merchant that failed after they had the grant of this channel.
    pub async fn failed_authorisations(
        &mut self,
        merchant: &MerchantId,
        kind: ChannelKind,
        app_id: &str,
    ) -> Result<Vec<Authorisation>> {
        const SQL: &str = "SELECT * FROM channel_authorisation WHERE merchant_id = $1 AND kind = $2
                   AND stage -> 'grant' ->> 'app_id' = $3 AND stage ->> 'state' = 'failed' ORDER BY id";
        Ok(fetch!(self, fetch_all, Authorisation, SQL, merchant, kind, app_id)?)
    }

    /// Adds an authorisation.
    pub async fn insert_authorisation(&mut self, flow: &Authorisation) -> Result<()> {
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
    pub async fn write_authorisation(&mut self, flow: &mut Authorisation) -> Result<()> {
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
    pub async fn postpone_authorisation(&mut self, flow: &Authorisation, trouble: &str, due_at: Millis) -> Result<()> {
        const SQL: &str = "UPDATE channel_authorisation SET attempts = attempts + 1, trouble = $3, due_at = $4, revision = revision + 1
                   WHERE id = $1 AND revision = $2";
        match execute!(self, SQL, &flow.id, flow.revision, trouble, due_at)? {
            0 => Err(changed_meanwhile()),
            _ => Ok(()),
        }
    }

    /// Stores the target of an authorisation. This does not count as a change of it, so that a host that is asking
    /// WeChat goes on.
    pub async fn set_authorisation_target(&mut self, flow: &Authorisation) -> Result<()> {
        execute!(self, "UPDATE channel_authorisation SET target = $2 WHERE id = $1", &flow.id, &flow.target)?;
        Ok(())
    }

    /// Takes the lease of a run that is open; false when another host has it.
    pub async fn lease_authorisation(&mut self, id: &AuthorisationId, lease: &Lease) -> Result<bool> {
        const SQL: &str = concat!(
            "UPDATE channel_authorisation SET ",
            taken!("$2", "$3"),
            " WHERE id = $1 AND due_at IS NOT NULL AND ",
            free!("$4")
        );
        Ok(execute!(self, SQL, id, lease.owner(), lease.until(), lease.from())? > 0)
    }

    /// Prolongs the lease between two steps; false when another host has it by now.
    pub async fn keep_authorisation(&mut self, id: &AuthorisationId, lease: &Lease) -> Result<bool> {
        const SQL: &str = "UPDATE channel_authorisation SET lease_until = $3 WHERE id = $1 AND lease_owner = $2";
        Ok(execute!(self, SQL, id, lease.owner(), lease.until())? > 0)
    }

    /// Gives the lease on an authorisation back.
    pub async fn release_authorisation(&mut self, id: &AuthorisationId, owner: &str) -> Result<()> {
        const SQL: &str =
            concat!("UPDATE channel_authorisation SET ", given_back!(), " WHERE id = $1 AND lease_owner = $2");
        execute!(self, SQL, id, owner)?;
        Ok(())
    }

    /// The authorisations that are due and on which no host has a lease, at most `limit`.
    pub async fn due_authorisations(&mut self, now: Millis, limit: i64) -> Result<Vec<AuthorisationId>> {
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
    pub async fn authorisations_known_to(
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

/// One run of authorising a channel, as stored.
#[derive(Clone, Debug, sqlx::FromRow)]
#[allow(missing_docs, reason = "the columns, which the migration explains")]
pub struct Authorisation {
    pub id: AuthorisationId,
    #[sqlx(rename = "merchant_id")]
    pub merchant: MerchantId,
    pub kind: ChannelKind,
    pub stage: Json<Stage>,
    pub target: Option<Json<Target>>,
    pub vouched: Option<Json<Vouched>>,
    pub link_sealed: Option<String>,
    pub link_hash: Option<String>,
    pub pre_auth_hash: Option<String>,
    pub code_sealed: Option<String>,
    pub code_hash: Option<String>,
    pub started_by: String,
    pub started_at: Millis,
    pub changed_at: Millis,
    pub expires_at: Option<Millis>,
    pub due_at: Option<Millis>,
    pub attempts: i64,
    pub trouble: Option<String>,
    pub revision: i64,
}

impl Authorisation {
    /// Makes a run in its first stage, due at once; it is not stored yet.
    pub fn new(tx: &Tx, merchant: &MerchantId, kind: ChannelKind, actor: &str) -> Self {
        let now = tx.now();
        let mut new = Self {
            id: AuthorisationId::generate(now, tx.random()),
            merchant: merchant.clone(),
            kind,
            stage: Json(Stage::begin()),
            target: None,
            vouched: None,
            link_sealed: None,
            link_hash: None,
            pre_auth_hash: None,
            code_sealed: None,
            code_hash: None,
            started_by: actor.to_owned(),
            started_at: now,
            changed_at: now,
            expires_at: None,
            due_at: None,
            attempts: 0,
            trouble: None,
            revision: 0,
        };
        new.enter(Stage::begin(), now);
        new
    }

    /// Enters a stage: sets when the run is due and when it expires, and drops the sealed link and code that the stage
    /// no longer needs.
    pub fn enter(&mut self, stage: Stage, now: Millis) {
        (self.expires_at, self.due_at) = match &stage {
            Stage::Started { link_until: Some(until) } => (Some(*until), Some(*until)),
            Stage::Choosing { .. } => (Some(now.plus_seconds(CHOOSING)), Some(now.plus_seconds(CHOOSING))),
            Stage::Started { .. } | Stage::Authorised { .. } | Stage::Granted { .. } => {
                (Some(now.plus_seconds(WORKING)), Some(now))
            }
            Stage::Bound { .. } | Stage::Abandoned { .. } | Stage::Failed { .. } => (None, None),
        };
        match stage {
            // A link that was given out before is void.
            Stage::Started { link_until: None } => {
                (self.link_sealed, self.link_hash, self.pre_auth_hash) = (None, None, None);
            }
            Stage::Started { .. } => {}
            _ => self.link_sealed = None,
        }
        if !matches!(stage, Stage::Authorised { .. }) {
            self.code_sealed = None;
        }
        (self.attempts, self.trouble, self.changed_at) = (0, None, now);
        self.stage = Json(stage);
    }

    /// Whether the run is open and its time is over.
    pub fn is_over(&self, now: Millis) -> bool {
        self.stage.is_open() && self.expires_at.is_some_and(|end| end <= now)
    }

    /// The run as it is shown, without its link.
    pub fn view(&self) -> AuthorisationView {
        let grant = self.stage.grant();
        let (mut channel, mut endpoint_app, mut reason, mut detail) = (None, None, None, None);
        match &*self.stage {
            Stage::Bound { channel: id, endpoint_app: cid, .. } => {
                (channel, endpoint_app) = (Some(id.clone()), Some(cid.clone()));
            }
            Stage::Failed { reason: why, detail: words, .. } => {
                (reason, detail) = (Some(why.clone()), Some(words.clone()));
            }
            Stage::Abandoned { by, .. } if by == event::BERTH => detail = Some("Its time was over.".into()),
            Stage::Abandoned { by, .. } => detail = Some(format!("{by} gave it up.")),
            _ => {}
        }
        AuthorisationView {
            id: self.id.clone(),
            merchant: self.merchant.clone(),
            kind: self.kind,
            state: self.stage.name().to_owned(),
            url: None,
            target: self.target.as_ref().map(|target| target.0.clone()),
            app_id: grant.map(|grant| grant.app_id.clone()),
            name: grant.and_then(|grant| grant.name.clone()),
            categories: grant.map(|grant| grant.categories.clone()).unwrap_or_default(),
            warnings: grant.map(warnings).unwrap_or_default(),
            channel,
            endpoint_app,
            reason,
            detail,
            trouble: self.trouble.clone(),
            retry_at: self.trouble.as_ref().and(self.due_at),
            expires_at: self.expires_at,
            started_by: self.started_by.clone(),
            started_at: self.started_at,
            changed_at: self.changed_at,
        }
    }

    /// Emits the event of the run's present stage.
    pub fn tell_stage(&self, tx: &mut Tx, actor: &str) {
        let kind = match &*self.stage {
            Stage::Started { .. } => kind::CHANNEL_AUTHORISATION_STARTED,
            Stage::Authorised { .. } => kind::CHANNEL_AUTHORISATION_AUTHORISED,
            Stage::Granted { .. } => kind::CHANNEL_AUTHORISATION_GRANTED,
            Stage::Choosing { .. } => kind::CHANNEL_AUTHORISATION_CHOOSING,
            Stage::Bound { .. } => kind::CHANNEL_AUTHORISATION_BOUND,
            Stage::Abandoned { .. } => kind::CHANNEL_AUTHORISATION_ABANDONED,
            Stage::Failed { .. } => kind::CHANNEL_AUTHORISATION_FAILED,
        };
        self.tell(tx, kind, actor);
    }

    /// Emits an event of this kind with the run as it is now.
    pub fn tell(&self, tx: &mut Tx, kind: Kind<AuthorisationView>, actor: &str) {
        tx.tell(kind, &self.id, actor, &self.view()).for_merchant(&self.merchant);
    }
}

impl Tx {
    /// Enters a new stage, writes the run, and emits the event of the stage.
    ///
    /// # Errors
    /// `authorisation-state` when the run was changed by somebody else in the meantime.
    pub async fn move_authorisation(
        &mut self,
        actor: &str,
        mut flow: Authorisation,
        stage: Stage,
    ) -> Result<Authorisation> {
        flow.enter(stage, self.now());
        self.write_authorisation(&mut flow).await?;
        flow.tell_stage(self, actor);
        Ok(flow)
    }
}
