//! What a directory tells this host by itself: that something has changed (W12). What has changed is not taken from there, as pushes
//! may be lost and come in any order: the next sync is brought forward, and reads all of it.

use berth_base::{
    error::{Code, Error, Result},
    ids::WorkspaceId,
};

use super::Directories;
use crate::wechat::{Crypt, CryptError, Envelope};

/// Seconds after a push in which further ones come. They lead to one sync.
const SOON: i64 = 5;

/// Answers the question by which WeCom tries the address of callbacks: the text that it has encrypted.
///
/// # Errors
/// `directory-push`.
pub async fn echo(directories: &Directories, id: &WorkspaceId, envelope: &Envelope, asked: &str) -> Result<String> {
    let crypt = crypt(directories, id).await?;
    crypt.open(envelope, asked, directories.db.now()).map_err(|error| refused(id, error))
}

/// Takes a push of WeCom. A change of the address book brings the next sync forward; others have no effect here.
///
/// # Errors
/// `directory-push`, with WeCom's own error code, when it is not signed as was agreed.
#[tracing::instrument(name = "directory.hear", skip_all, fields(workspace = %id))]
pub async fn hear(directories: &Directories, id: &WorkspaceId, envelope: &Envelope, body: &str) -> Result<()> {
    let crypt = crypt(directories, id).await?;
    let fields = crypt.read(envelope, body, directories.db.now()).map_err(|error| refused(id, error))?;
    if fields.get("Event").is_none_or(|event| event != "change_contact") {
        return Ok(());
    }
    let mut tx = directories.db.begin().await?;
    let soon = tx.now().plus_seconds(SOON);
    tx.ask_for_sync(id, soon, false).await?;
    tx.commit().await
}

/// Token and key of a workspace. Of one that has none, or that there is not, the same is said as of a wrong signature.
async fn crypt(directories: &Directories, id: &WorkspaceId) -> Result<Crypt> {
    let found = directories.db.read().await?.directory_callback(id).await?;
    let (corp_id, token, key) = found.ok_or_else(|| refused(id, CryptError::Signature))?;
    Crypt::new(token, &key, &corp_id)
}

/// The error of a push that is refused. It is logged as well, as a wrong token or key shows here first.
fn refused(id: &WorkspaceId, error: CryptError) -> Error {
    tracing::warn!(workspace = %id, %error, "a push of a directory was refused");
    Error::new(Code::DirectoryPush, format!("The push is refused. {error}.")).with("errcode", error.code())
}
