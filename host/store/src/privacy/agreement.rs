//! Drafts and versions of privacy agreements.

use sqlx::types::Json;

use berth_base::{clock::Millis, error::Result, ids::MiniAppId};
use berth_model::privacy::{PrivacyAgreement, PrivacyChange, PrivacyHead, PrivacyTexts, PrivacyVersion};

use crate::{Span, Tx, execute, fetch};

/// A row of `privacy_version`.
#[derive(sqlx::FromRow)]
struct VersionRow {
    mini_app_id: MiniAppId,
    #[sqlx(flatten)]
    head: PrivacyHead,
    agreement: Json<PrivacyAgreement>,
    changes: Json<Vec<PrivacyChange>>,
}

impl From<VersionRow> for PrivacyVersion {
    fn from(row: VersionRow) -> Self {
        let VersionRow { mini_app_id, head, agreement, changes } = row;
        Self { mini_app: mini_app_id, head, agreement: agreement.0, changes: changes.0 }
    }
}

/// The version of a MiniApp that holds.
#[derive(sqlx::FromRow)]
struct SpanRow {
    mini_app_id: MiniAppId,
    #[sqlx(flatten)]
    head: PrivacyHead,
}

impl Tx {
    /// The draft of a MiniApp's agreement, with when it was changed and by whom; `None` when it never was.
    pub async fn privacy_draft(&mut self, id: &MiniAppId) -> Result<Option<(PrivacyAgreement, Millis, String)>> {
        const SQL: &str = "SELECT agreement, changed_at, changed_by FROM privacy_draft WHERE mini_app_id = $1";
        let row = fetch!(self, fetch_optional, (Json<PrivacyAgreement>, Millis, String), SQL, id)?;
        Ok(row.map(|(agreement, at, by)| (agreement.0, at, by)))
    }

    /// Stores the draft of a MiniApp that this transaction holds.
    pub async fn set_privacy_draft(&mut self, id: &MiniAppId, agreement: &PrivacyAgreement, by: &str) -> Result<()> {
        let now = self.now();
        execute!(
            self,
            "INSERT INTO privacy_draft (mini_app_id, agreement, changed_by, changed_at) VALUES ($1, $2, $3, $4)
             ON CONFLICT (mini_app_id) DO UPDATE SET agreement = excluded.agreement, changed_by = excluded.changed_by,
                changed_at = excluded.changed_at",
            id,
            Json(agreement),
            by,
            now
        )?;
        Ok(())
    }

    /// A version of a MiniApp's agreement; the newest one without a number.
    pub async fn privacy_version(&mut self, id: &MiniAppId, version: Option<i64>) -> Result<Option<PrivacyVersion>> {
        let Some(version) = self.privacy_number(id, version).await? else { return Ok(None) };
        const SQL: &str = "SELECT * FROM privacy_version WHERE mini_app_id = $1 AND version = $2";
        Ok(fetch!(self, fetch_optional, VersionRow, SQL, id, version)?.map(PrivacyVersion::from))
    }

    /// The texts of a version of a MiniApp's agreement; of the newest one without a number.
    pub async fn privacy_texts(&mut self, id: &MiniAppId, version: Option<i64>) -> Result<Option<PrivacyTexts>> {
        let Some(version) = self.privacy_number(id, version).await? else { return Ok(None) };
        const SQL: &str = "SELECT texts FROM privacy_version WHERE mini_app_id = $1 AND version = $2";
        let row = fetch!(self, fetch_optional, (Json<PrivacyTexts>,), SQL, id, version)?;
        Ok(row.map(|(texts,)| texts.0))
    }

    /// The number itself, or that of the newest version.
    async fn privacy_number(&mut self, id: &MiniAppId, version: Option<i64>) -> Result<Option<i64>> {
        if version.is_some() {
            return Ok(version);
        }
        const SQL: &str = "SELECT MAX(version) FROM privacy_version WHERE mini_app_id = $1";
        let (newest,) = fetch!(self, fetch_one, (Option<i64>,), SQL, id)?;
        Ok(newest)
    }

    /// The versions of a MiniApp's agreement, newest first, without what they say.
    pub async fn privacy_heads(&mut self, id: &MiniAppId) -> Result<Vec<PrivacyHead>> {
        const SQL: &str = "SELECT * FROM privacy_version WHERE mini_app_id = $1 ORDER BY version DESC";
        Ok(fetch!(self, fetch_all, PrivacyHead, SQL, id)?)
    }

    /// Adds a version to the agreement of a MiniApp that this transaction holds.
    pub async fn insert_privacy_version(&mut self, version: &PrivacyVersion, texts: &PrivacyTexts) -> Result<()> {
        let PrivacyVersion { mini_app, head, agreement, changes } = version;
        execute!(
            self,
            "INSERT INTO privacy_version (mini_app_id, version, agreement, changes, texts, digest, effective_on, renews,
                needs_consent_since, note, published_by, published_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
            mini_app,
            head.version,
            Json(agreement),
            Json(changes),
            Json(texts),
            &head.digest,
            &head.effective_on,
            head.renews,
            head.needs_consent_since,
            &head.note,
            &head.published_by,
            head.published_at
        )?;
        Ok(())
    }

    /// The versions that hold of the MiniApps in the span that have published any.
    pub async fn privacy_in(&mut self, span: &Span) -> Result<Vec<(MiniAppId, PrivacyHead)>> {
        let rows = fetch!(
            self,
            fetch_all,
            SpanRow,
            "SELECT * FROM privacy_version p WHERE mini_app_id BETWEEN $1 AND $2
                AND version = (SELECT MAX(version) FROM privacy_version l WHERE l.mini_app_id = p.mini_app_id)",
            &span.from,
            &span.to
        )?;
        Ok(rows.into_iter().map(|row| (row.mini_app_id, row.head)).collect())
    }
}
