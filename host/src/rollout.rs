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
