//! Which MiniApps are told union ids (K10). The ids themselves are nowhere.

use berth_base::{
    error::Result,
    ids::{MiniAppId, TeamId},
};

use crate::{Tx, execute, fetch};

impl Tx {
    /// The team of a MiniApp that is told union ids; `None` of one that is not, or that there is not.
    pub async fn union_of(&mut self, mini_app: &MiniAppId) -> Result<Option<TeamId>> {
        const SQL: &str = "SELECT team_id FROM mini_app WHERE id = $1 AND union_ids";
        Ok(fetch!(self, fetch_optional, (TeamId,), SQL, mini_app)?.map(|(team,)| team))
    }

    /// Sets whether a MiniApp is told union ids.
    pub async fn set_union(&mut self, mini_app: &MiniAppId, on: bool) -> Result<()> {
        execute!(self, "UPDATE mini_app SET union_ids = $2 WHERE id = $1", mini_app, on)?;
        Ok(())
    }
}
