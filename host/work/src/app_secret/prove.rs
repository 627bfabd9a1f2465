//! The proof by an AppSecret that the server of a MiniApp is asking.

use subtle::ConstantTimeEq;

use berth_base::{
    error::{Code, Error, Result},
    ids::{Digest, MiniAppId},
    secret::Secret,
};
use berth_store::Db;

/// That a request came with the AppSecret of a MiniApp.
#[derive(Clone, Copy, Debug)]
pub struct Proved {
    /// The generation of the AppSecret.
    pub generation: i64,
}

/// Checks the AppSecret of a MiniApp.
///
/// # Errors
/// `invalid-app-secret` when it is another one, there is none, or there is no such MiniApp, between which no difference is
/// made, in the answer or in time (F87); `app-secret-frozen` for whoever has the right one.
pub async fn prove(db: &Db, mini_app: &MiniAppId, secret: &Secret) -> Result<Proved> {
    let row = db.app_secret(mini_app).await?;
    let given = Digest::of(secret.expose().as_bytes()).to_bytes();
    // What is compared where there is none is the hash of no text that anybody knows.
    let kept = row.as_ref().map_or([0; 32], |row| row.secret_sha256.to_bytes());
    let same = bool::from(given.ct_eq(&kept));
    let row = row.filter(|_| same).ok_or_else(invalid)?;
    if row.frozen_at.is_some() {
        return Err(frozen(mini_app));
    }
    Ok(Proved { generation: row.generation })
}

fn invalid() -> Error {
    let detail =
        "There is no such MiniApp, or this is not its AppSecret. After a reset the old one is not valid any more.";
    Error::new(Code::InvalidAppSecret, detail)
}

/// That the AppSecret is frozen. Only those are told who have it, or a token that came from it.
pub(super) fn frozen(mini_app: &MiniAppId) -> Error {
    let detail = format!(
        "The AppSecret of {mini_app} is frozen. An admin of its team can put another one into use by `berth secret reset \
         {mini_app}`, or the same again by `berth secret unfreeze {mini_app}`."
    );
    Error::new(Code::AppSecretFrozen, detail)
}
