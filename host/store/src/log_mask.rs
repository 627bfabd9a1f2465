//! What is masked in real-time logs.

use berth_base::{clock::Millis, error::Result, ids::MiniAppId};
use berth_model::log::{LogMasks, MaskRule, MaskScope};
use sqlx::types::Json;

use super::{Tx, execute, fetch};

#[derive(sqlx::FromRow)]
struct MaskRow {
    scope: MaskScope,
    scope_id: String,
    rules: Json<Vec<MaskRule>>,
    set_by: String,
    set_at: Millis,
}

impl TryFrom<MaskRow> for LogMasks {
    type Error = berth_base::error::Error;

    fn try_from(row: MaskRow) -> Result<Self> {
        let MaskRow { scope, scope_id, rules, set_by, set_at } = row;
        let mini_app = (scope == MaskScope::MiniApp).then(|| scope_id.parse()).transpose()?;
        Ok(Self { scope, mini_app, rules: rules.0, set_by: Some(set_by), set_at: Some(set_at) })
    }
}

impl Tx {
    /// The rules of every place that has some.
    pub async fn log_masks(&mut self) -> Result<Vec<LogMasks>> {
        let rows = fetch!(self, fetch_all, MaskRow, "SELECT * FROM log_mask ORDER BY scope, scope_id")?;
        rows.into_iter().map(LogMasks::try_from).collect()
    }

    /// The rules of a place: of a MiniApp, or of the whole host.
    pub async fn log_masks_of(&mut self, mini_app: Option<&MiniAppId>) -> Result<Option<LogMasks>> {
        let (scope, id) = place(mini_app);
        let row = fetch!(
            self,
            fetch_optional,
            MaskRow,
            "SELECT * FROM log_mask WHERE scope = $1 AND scope_id = $2",
            scope,
            id
        )?;
        row.map(LogMasks::try_from).transpose()
    }

    /// Locks the rules of a place until the transaction ends, and returns them. Where nobody has set any, a row without rules is
    /// locked, as no database locks what is not there: the caller fills it by [`Tx::set_log_masks`], or ends without a commit.
    pub async fn hold_log_masks(&mut self, mini_app: Option<&MiniAppId>) -> Result<Option<LogMasks>> {
        let (scope, id) = place(mini_app);
        let added = execute!(
            self,
            "INSERT INTO log_mask (scope, scope_id, rules, set_by, set_at) VALUES ($1, $2, '[]', '', 0)
             ON CONFLICT (scope, scope_id) DO NOTHING",
            scope,
            id
        )?;
        if added > 0 {
            return Ok(None);
        }
        let row = fetch!(
            self,
            fetch_optional,
            MaskRow,
            "UPDATE log_mask SET set_by = set_by WHERE scope = $1 AND scope_id = $2 RETURNING *",
            scope,
            id
        )?;
        row.map(LogMasks::try_from).transpose()
    }

    /// Sets the rules of a place.
    pub async fn set_log_masks(&mut self, masks: &LogMasks) -> Result<()> {
        let (scope, id) = place(masks.mini_app.as_ref());
        execute!(
            self,
            "INSERT INTO log_mask (scope, scope_id, rules, set_by, set_at) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (scope, scope_id)
             DO UPDATE SET rules = excluded.rules, set_by = excluded.set_by, set_at = excluded.set_at",
            scope,
            id,
            Json(&masks.rules),
            masks.set_by.as_deref().unwrap_or_default(),
            masks.set_at
        )?;
        Ok(())
    }
}

fn place(mini_app: Option<&MiniAppId>) -> (MaskScope, &str) {
    mini_app.map_or((MaskScope::Platform, ""), |id| (MaskScope::MiniApp, id.as_str()))
}
