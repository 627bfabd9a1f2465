//! Grayscale releases.

use crate::{access::Caller, app::App, error::Result, ids::MiniAppId, store::Tx, version::VersionNumber};

/// Suspends what runs, because the MiniApp goes off the shelf (A2).
pub async fn suspend_running(_tx: &mut Tx, _app: &App, _caller: &Caller, _mini_app: &MiniAppId) -> Result<()> {
    Ok(())
}

/// Ends every task with `published` or a smaller version (V8).
pub async fn end_superseded(
    _tx: &mut Tx,
    _app: &App,
    _actor: &str,
    _mini_app: &MiniAppId,
    _published: &VersionNumber,
) -> Result<()> {
    Ok(())
}

/// stub
#[derive(Clone, Debug, serde::Deserialize, serde::Serialize, utoipa::ToSchema)]
pub struct GrayTask {}

/// stub
pub async fn running(_tx: &mut Tx, _id: &MiniAppId) -> Result<Vec<GrayTask>> {
    Ok(vec![])
}

impl Tx {
    /// stub
    pub async fn in_grayscale(&mut self, _id: &crate::ids::VersionId) -> Result<bool> {
        Ok(false)
    }
}
