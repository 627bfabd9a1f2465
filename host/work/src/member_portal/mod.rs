//! Members sign in at the identity provider of their organisation, and see the portal that this host has for them (W13–W16).
//!
//! A visit of the provider begins here and ends here: in the browser in which it began, once, for the workspace for which it was
//! begun. What the provider says is read as at login entries, by [`crate::login_provider`]. Who that is in the address book begins a
//! sign-on, the same that internal tools take: there is no second kind of session that could outlive a member.

mod door;
mod manage;
mod visit;

pub use berth_model::member_portal::*;
pub use door::{door, own, sign_out};
pub use manage::{forget, get, put, remove};
pub use visit::{begin, end};

use berth_base::{
    error::{Code, Error, Result},
    ids::{Digest, WorkspaceId},
    secret::Secret,
};
use berth_store::{Db, Tx};

use crate::{login_provider::Providers, outbound::Guard, workspace::portal_url};

/// What signs members in at the providers of their organisations.
pub struct MemberProviders {
    /// Where workspaces are kept.
    pub db: Db,
    providers: Providers,
    public_url: Option<String>,
}

impl MemberProviders {
    /// Providers that are where `guard` permits. `public_url` is the address at which browsers reach this host.
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
            let detail = "Browsers go from this host to the provider and come back, and it does not know its own address. Its \
                          operator gives it by --public-url.";
            Error::new(Code::Unavailable, detail)
        })
    }

    /// Where the portal of a workspace is.
    fn portal_url(&self, workspace: &WorkspaceId) -> Result<String> {
        Ok(portal_url(self.public_url()?, workspace))
    }

    /// Where browsers come back to. Each workspace has its own address, so that no provider can answer for another one.
    fn redirect_uri(&self, workspace: &WorkspaceId) -> Result<String> {
        Ok(format!("{}/back", self.portal_url(workspace)?))
    }
}

fn digest(secret: &Secret) -> Digest {
    Digest::of(secret.expose().as_bytes())
}

async fn required(tx: &mut Tx, id: &WorkspaceId) -> Result<MemberProvider> {
    tx.member_provider(id).await?.ok_or_else(|| {
        let detail =
            format!("{id} has no identity provider at which its members sign in, or there is no such workspace.");
        let refused = Error::new(Code::NotFound, detail).with("what", "identity provider");
        refused.next(format!("berth workspace provider set {id} --issuer https://… --client-id …"))
    })
}
