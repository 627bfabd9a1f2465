//! What is stored of an authorisation, and what is shown of it.

use crate::event;
use serde::{Deserialize, Serialize};
use sqlx::types::Json;

use super::stage::{Grant, Stage};
use crate::{
    clock::Millis,
    endpoint::channel::ChannelKind,
    error::Result,
    event::{Kind, kind},
    ids::{AuthorisationId, ChannelId, EndpointAppId, InstanceId, MerchantId},
    store::Tx,
};

/// The endpoint application that a channel is authorised for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Target {
    /// An existing one, by its CID.
    Id(EndpointAppId),
    /// A new one, created in the same transaction as the binding.
    New(NewTarget),
}

/// An endpoint application that is created in the same transaction as the binding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTarget {
    /// The name that people read, 1 to 64 characters.
    pub name: String,
    /// The product instances that it holds, at least one.
    pub products: Vec<InstanceId>,
}

/// A channel for which the merchant vouches, as its platform gives this host no authorisation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Vouched {
    /// The id that the channel has on its platform.
    pub app_id: String,
    /// The name that people read, 1 to 64 characters.
    pub name: String,
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

/// One run of authorising a channel.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct AuthorisationView {
    /// The id of the run. It never changes.
    pub id: AuthorisationId,
    /// The merchant that the channel is to belong to.
    pub merchant: MerchantId,
    /// The kind of the channel.
    pub kind: ChannelKind,
    /// `started`, `authorised`, `granted`, `choosing`, `bound`, `abandoned` or `failed`.
    pub state: String,
    /// The page at which the merchant authorises this host, while the run is `started`. Shown only to those who may
    /// change the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The endpoint application that was asked for; absent until somebody chooses one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Target>,
    /// The id of the channel on its platform, once it is granted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app_id: Option<String>,
    /// The name of the channel on its platform, once it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The categories of functions that the merchant granted, by the platform's numbers.
    #[serde(default)]
    pub categories: Vec<i64>,
    /// What should be known and does not stop the run: one warning for each needed category that was not granted.
    #[serde(default)]
    pub warnings: Vec<String>,
    /// The channel, once it is bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<ChannelId>,
    /// The endpoint application (CID) that it is bound to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint_app: Option<EndpointAppId>,
    /// Why the run failed: a stable word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Why the run failed, in words, or who abandoned it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// What kept the last step from succeeding; the host tries it again by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
    /// When the step is tried again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_at: Option<Millis>,
    /// When the run is abandoned unless it goes on before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Millis>,
    /// The account that started the run; `wechat` when the merchant renewed the authorisation there.
    pub started_by: String,
    /// When the run was started.
    pub started_at: Millis,
    /// When the state of the run last changed.
    pub changed_at: Millis,
}

impl Authorisation {
    /// Makes a run in its first stage, due at once; it is not stored yet.
    pub(super) fn new(tx: &Tx, merchant: &MerchantId, kind: ChannelKind, actor: &str) -> Self {
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
    pub(super) fn enter(&mut self, stage: Stage, now: Millis) {
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
    pub(super) fn is_over(&self, now: Millis) -> bool {
        self.stage.is_open() && self.expires_at.is_some_and(|end| end <= now)
    }

    /// The run as it is shown, without its link.
    pub(super) fn view(&self) -> AuthorisationView {
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
    pub(super) fn tell_stage(&self, tx: &mut Tx, actor: &str) {
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
    pub(super) fn tell(&self, tx: &mut Tx, kind: Kind<AuthorisationView>, actor: &str) {
        tx.tell(kind, &self.id, actor, &self.view()).for_merchant(&self.merchant);
    }
}

/// Seconds that the steps which the host does by itself may take in all, retries included.
const WORKING: i64 = 24 * 3600;
/// Seconds within which an endpoint application must be chosen.
const CHOOSING: i64 = 7 * 24 * 3600;

fn warnings(grant: &Grant) -> Vec<String> {
    grant.missing.iter().map(|id| super::needs::warning(*id)).collect()
}

impl Tx {
    /// Enters a new stage, writes the run, and emits the event of the stage.
    ///
    /// # Errors
    /// `authorisation-state` when the run was changed by somebody else in the meantime.
    pub(super) async fn move_authorisation(
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
