//! Sessions: a login code becomes an OpenID and a session key.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use berth_base::{
    clock::Random,
    error::{Code, Error, Result},
    ids::Digest,
};
use berth_model::{
    app_secret::MiniAppServer,
    user::{CheckSession, EndSession, OpenId, OpenSession, SessionChecked, UserSession},
};
use berth_store::Db;

use super::{open_id, require_service, union_id};
use crate::app_secret;

/// Exchanges a login code for the user's OpenID and a new session key, in place of the former one. Of many who try a code at
/// once, one succeeds.
///
/// # Errors
/// `invalid-app-secret` and `app-secret-frozen`, which leave the code as it is; `package-off-shelf`; `invalid-login-code`
/// when the code was used, is too old, or is not for this MiniApp, between which no difference is made.
#[tracing::instrument(name = "session.open", skip_all, fields(mini_app = %open.mini_app))]
pub async fn open_session(db: &Db, open: OpenSession) -> Result<UserSession> {
    let OpenSession { mini_app, secret, code } = open;
    app_secret::prove(db, &mini_app, &secret).await?;
    let mut tx = db.begin().await?;
    require_service(&mut tx, &mini_app).await?;
    let user = tx.take_login_code(&Digest::of(code.expose().as_bytes()), &mini_app).await?.ok_or_else(invalid_code)?;
    let open_id = open_id::make(&mut tx, &mini_app, &user).await?;
    let union_id = union_id::make(&mut tx, &mini_app, &user).await?;
    let session_key = new_session_key(tx.random());
    tx.put_session(&open_id, &mini_app, &user, &session_key).await?;
    tx.commit().await?;
    Ok(UserSession { mini_app, host_app: user.host_app, open_id, union_id, session_key })
}

fn invalid_code() -> Error {
    let detail = "The login code was used before, is older than five minutes, or is not for this MiniApp. Have the MiniApp \
                  ask its host app for a new one.";
    Error::new(Code::InvalidLoginCode, detail)
}

/// A fresh session key: the base64 of 16 random bytes.
fn new_session_key(random: &dyn Random) -> String {
    let mut bytes = [0u8; 16];
    random.fill(&mut bytes);
    STANDARD.encode(bytes)
}

/// Says whether the server has the present session key of a user. For users of other MiniApps, and for OpenIDs that there
/// are not, the answer is no (F103).
///
/// # Errors
/// `secret-sealed` when this host cannot open the session key.
pub async fn check_session(db: &Db, server: &MiniAppServer, check: &CheckSession) -> Result<SessionChecked> {
    let key = db.read().await?.session_key(&check.open_id, &server.mini_app).await?;
    let current = key.is_some_and(|key| is_signed_with(&key, &check.open_id, &check.signature));
    Ok(SessionChecked { current })
}

fn is_signed_with(key: &str, open_id: &OpenId, signature: &str) -> bool {
    let (Ok(mut mac), Ok(signature)) = (Hmac::<Sha256>::new_from_slice(key.as_bytes()), hex::decode(signature)) else {
        return false;
    };
    mac.update(open_id.as_str().as_bytes());
    mac.verify_slice(&signature).is_ok()
}

/// Ends the session of a user, as after a log-out: the session key is not the present one any more. Where there is none,
/// nothing is done.
///
/// # Errors
/// Those of the database.
#[tracing::instrument(name = "session.end", skip_all, fields(mini_app = %server.mini_app))]
pub async fn end_session(db: &Db, server: &MiniAppServer, end: &EndSession) -> Result<()> {
    let mut tx = db.begin().await?;
    tx.end_session(&end.open_id, &server.mini_app).await?;
    tx.commit().await
}
