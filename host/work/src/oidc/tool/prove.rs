//! The proof by a client secret that the server of an internal tool is asking.

use subtle::ConstantTimeEq;

use berth_base::{
    error::{Code, Error, Result},
    ids::{ApplicationId, Digest},
    secret::Secret,
};
use berth_store::Db;

use crate::app_secret::Proved;

/// Checks the client secret of an internal tool.
///
/// # Errors
/// `invalid-app-secret` when it is another one, there is none, or there is no such tool, between which no difference is made, in the
/// answer or in time (F87).
pub async fn prove(db: &Db, tool: &ApplicationId, secret: &Secret) -> Result<Proved> {
    let row = db.tool_secret(tool).await?;
    let given = Digest::of(secret.expose().as_bytes()).to_bytes();
    // What is compared where there is none is the hash of no text that anybody knows.
    let kept = row.as_ref().and_then(|row| row.secret_sha256.as_ref()).map_or([0; 32], Digest::to_bytes);
    let same = bool::from(given.ct_eq(&kept));
    row.filter(|_| same).map(|row| Proved { generation: row.generation }).ok_or_else(|| {
        let detail = "There is no such internal tool, or this is not its client secret. After a reset the old one is not valid any \
                      more.";
        Error::new(Code::InvalidAppSecret, detail)
    })
}
