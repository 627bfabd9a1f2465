//! Logins of users to MiniApps (K5–K7).
//!
//! Who says that this is the user? The public key of a host app is in every copy of it: whoever reads it there could ask
//! for a code for any account, and be logged in to any MiniApp as anybody. So a code is asked for with a token of the host
//! app's server, an account with the role `server` there, which has logged the user in by its own means. The code goes
//! through the user's device, where it can be read. It is of no use there: to exchange it takes the AppSecret, and whoever
//! hands a stolen one to the MiniApp's server must be faster than its owner, within five minutes.
//!
//! A MiniApp learns the user by an OpenID and nothing else. It is a MAC of MiniApp, host app and account under a key that
//! the host makes once and keeps sealed: sealing it anew under another key (`berth admin rotate-secrets`) leaves it as it
//! is, and with it all OpenIDs. The database has only hashes of OpenIDs. Where a team asks for it, its MiniApps also get a name that they
//! share: [`union_id`].

mod code;
pub(crate) mod open_id;
mod session;
pub(crate) mod union_id;

pub use berth_model::user::*;
pub use code::issue_login_code;
pub use session::{check_session, end_session, open_session};
pub use union_id::{set_union, union};

use berth_base::{
    error::{Error, Result},
    ids::{HostAppId, MiniAppId},
};
use berth_model::access::{Action, Caller};
use berth_store::Tx;

use crate::host_app;

/// Refuses a service to users of a MiniApp that has none (A2).
pub(crate) async fn require_service(tx: &mut Tx, id: &MiniAppId) -> Result<()> {
    let mini_app = tx.mini_app(id).await?.ok_or_else(|| Error::not_found("MiniApp", id))?;
    mini_app.shelf().require_for_service()
}

/// The user of a host app for whom its server speaks. What a user has left behind in a MiniApp is theirs to see and to end when it is
/// not bound any more, too.
///
/// # Errors
/// `invalid-field` for the account; `not-found` when the caller may not know about the host app; `missing-grant` for all but the
/// server and the admins of the host app.
pub(crate) async fn spoken_for(tx: &mut Tx, caller: &Caller, host_app: &HostAppId, account: &str) -> Result<User> {
    let user = User::of(host_app, account)?;
    host_app::authorise(tx, caller, host_app, Action::Vouch).await?;
    Ok(user)
}

/// As [`spoken_for`], for something new in a MiniApp, which must be bound to the host app.
///
/// # Errors
/// As for [`spoken_for`]; `not-found` also when the MiniApp is not bound to the host app.
pub(crate) async fn vouched(
    tx: &mut Tx,
    caller: &Caller,
    host_app: &HostAppId,
    mini_app: &MiniAppId,
    account: &str,
) -> Result<User> {
    let user = spoken_for(tx, caller, host_app, account).await?;
    require_bound(tx, host_app, mini_app).await?;
    Ok(user)
}

/// Refuses a MiniApp that is not bound to the host app as one that is not there.
pub(crate) async fn require_bound(tx: &mut Tx, host_app: &HostAppId, mini_app: &MiniAppId) -> Result<()> {
    if tx.bound_host_apps(mini_app).await?.contains(host_app) {
        return Ok(());
    }
    Err(Error::not_found("MiniApp", mini_app))
}
