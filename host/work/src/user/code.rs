//! Login codes, by which the server of a host app vouches for a user.

use berth_base::{
    error::Result,
    ids::{Digest, HostAppId},
    secret,
};
use berth_model::{
    access::Caller,
    user::{AskLoginCode, LOGIN_CODE, LOGIN_CODE_SECONDS, LoginCode},
};
use berth_store::Db;

use super::{require_service, vouched};

/// Issues a login code for a user of a host app, which the server of the MiniApp can exchange once, within five minutes.
///
/// # Errors
/// `not-found` when the caller may not know about the host app, or the MiniApp is not bound to it; `missing-grant` for all
/// but the server and the admins of the host app; `package-off-shelf`; `invalid-field` for the account.
#[tracing::instrument(name = "login_code.issue", skip_all, fields(host_app = %id, mini_app = %ask.mini_app))]
pub async fn issue_login_code(db: &Db, caller: &Caller, id: &HostAppId, ask: AskLoginCode) -> Result<LoginCode> {
    let mut tx = db.begin().await?;
    let user = vouched(&mut tx, caller, id, &ask.mini_app, &ask.account).await?;
    require_service(&mut tx, &ask.mini_app).await?;
    let code = secret::generate(LOGIN_CODE, tx.random());
    let expires_at = tx.now().plus_seconds(LOGIN_CODE_SECONDS);
    tx.insert_login_code(&Digest::of(code.as_bytes()), &ask.mini_app, &user, expires_at).await?;
    tx.commit().await?;
    Ok(LoginCode { mini_app: ask.mini_app, host_app: user.host_app, code, expires_at })
}
