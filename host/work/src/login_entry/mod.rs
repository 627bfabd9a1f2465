//! Authorised login: a user of a MiniApp logs in at a merchant's own provider (U1, U19–U22).
//!
//! The MiniApp's server **begins** a login for one of its users and gets an address. The MiniApp opens it in a web-view; this host
//! sends the browser to the provider, receives it back, asks the provider who it is, and sends it on to the MiniApp with a code. The
//! server **finishes** the login by the code, for the user in whose session the browser came back: only then is that user bound.
//! So whoever makes somebody else open an address, or come back with a code, has them refused, and binds nobody.
//!
//! Each step takes a secret of its own, once; the database has only hashes of them. What the exchange with the provider
//! needs, verifier and nonce, follows from the browser's cookie. Who a user is at a provider is stored sealed, and found by a MAC.

mod bindings;
mod login;
mod manage;
mod visit;

pub use crate::login_provider::Fault;
pub use berth_model::login_entry::*;
pub use bindings::{end, end_of_account, of_account, of_open_id};
pub use login::{begin, finish};
pub use manage::{list, put, remove};
pub use visit::{Back, NoLogin, Sent, come_back, open};

use berth_base::{
    error::{Code, Error, Result},
    ids::{Digest, MiniAppId},
    secret::Secret,
};
use berth_model::user::{OpenId, User};
use berth_store::{Db, Tx};

use crate::{login_provider::Providers, outbound::Guard};

/// What login entries need.
pub struct LoginEntries {
    /// Where they are kept.
    pub db: Db,
    providers: Providers,
    public_url: Option<String>,
}

impl LoginEntries {
    /// Login entries whose providers are where `guard` permits. `public_url` is the address at which browsers reach this host.
    ///
    /// # Errors
    /// `internal` when the HTTP client cannot be built.
    pub fn new(db: Db, guard: Guard, public_url: Option<&str>) -> Result<Self> {
        let public_url = public_url.map(|url| url.trim_end_matches('/').to_owned());
        Ok(Self { db, providers: Providers::new(guard)?, public_url })
    }

    /// The address of this host, to which browsers go and come back.
    fn public_url(&self) -> Result<&str> {
        self.public_url.as_deref().ok_or_else(|| {
            let detail = "Browsers go from this host to a provider and come back, and it does not know its own address. Its \
                          operator gives it by --public-url.";
            Error::new(Code::Unavailable, detail)
        })
    }

    /// Where browsers come back to from the provider of an entry. Each entry has its own address, so that no provider can answer
    /// for another one.
    fn redirect_uri(&self, entry: &LoginEntry) -> Result<String> {
        Ok(format!("{}/l/back/{}/{}", self.public_url()?, entry.mini_app, entry.name))
    }
}

fn digest(secret: &Secret) -> Digest {
    Digest::of(secret.expose().as_bytes())
}

/// The user of a MiniApp, whom this transaction holds from now on. One whose host app does not run the MiniApp any more is as
/// unknown as one that there never was.
async fn held_user(tx: &mut Tx, mini_app: &MiniAppId, open_id: &OpenId) -> Result<Option<User>> {
    let bound = tx.bound_host_apps(mini_app).await?;
    Ok(tx.hold_user(open_id, mini_app).await?.filter(|user| bound.contains(&user.host_app)))
}
