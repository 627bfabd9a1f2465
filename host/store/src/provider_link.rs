//! Who people are at the identity provider, and browsers that are away there.

use berth_base::{
    clock::Millis,
    error::Result,
    ids::{Digest, InvitationId, UserId},
};
use berth_model::access::ProviderLink;

use crate::{Tx, execute, fetch};

/// What a browser is away for.
#[derive(Debug, Default, sqlx::FromRow)]
pub struct VisitRow {
    /// The account that is linked.
    pub account_id: Option<UserId>,
    /// The invitation that is accepted.
    pub invitation_id: Option<InvitationId>,
}

impl Tx {
    /// Who the person of an account is at the provider.
    pub async fn provider_link(&mut self, account: &UserId) -> Result<Option<ProviderLink>> {
        const SQL: &str = "SELECT issuer, subject, linked_at FROM provider_link WHERE account_id = $1";
        Ok(fetch!(self, fetch_optional, ProviderLink, SQL, account)?)
    }

    /// The account of a person at the provider.
    pub async fn account_of_subject(&mut self, issuer: &str, subject: &str) -> Result<Option<UserId>> {
        const SQL: &str = "SELECT account_id FROM provider_link WHERE issuer = $1 AND subject = $2";
        Ok(fetch!(self, fetch_optional, (UserId,), SQL, issuer, subject)?.map(|(account,)| account))
    }

    /// Links an account, in place of the link that there may be.
    ///
    /// # Errors
    /// A violation of a unique index when the person has another account.
    pub async fn put_provider_link(&mut self, account: &UserId, link: &ProviderLink) -> Result<()> {
        execute!(
            self,
            "INSERT INTO provider_link (account_id, issuer, subject, linked_at) VALUES ($1, $2, $3, $4)
             ON CONFLICT (account_id) DO UPDATE SET issuer = excluded.issuer, subject = excluded.subject,
                linked_at = excluded.linked_at",
            account,
            &link.issuer,
            &link.subject,
            link.linked_at
        )?;
        Ok(())
    }

    /// Deletes the link of an account.
    pub async fn delete_provider_link(&mut self, account: &UserId) -> Result<()> {
        execute!(self, "DELETE FROM provider_link WHERE account_id = $1", account)?;
        Ok(())
    }

    /// Notes that a browser goes to the provider, and forgets those that have not come back in time.
    pub async fn begin_visit(
        &mut self,
        state: Digest,
        browser: Digest,
        visit: &VisitRow,
        expires_at: Millis,
    ) -> Result<()> {
        let now = self.now();
        execute!(self, "DELETE FROM provider_visit WHERE expires_at <= $1", now)?;
        execute!(
            self,
            "INSERT INTO provider_visit (state_sha256, browser_sha256, account_id, invitation_id, expires_at)
             VALUES ($1, $2, $3, $4, $5)",
            state,
            browser,
            visit.account_id.as_ref(),
            visit.invitation_id.as_ref(),
            expires_at
        )?;
        Ok(())
    }

    /// Takes the visit of a browser that has come back: once, and not that of another browser.
    pub async fn take_visit(&mut self, state: Digest, browser: Digest) -> Result<Option<VisitRow>> {
        let now = self.now();
        const SQL: &str =
            "DELETE FROM provider_visit WHERE state_sha256 = $1 AND browser_sha256 = $2 AND expires_at > $3
             RETURNING account_id, invitation_id";
        Ok(fetch!(self, fetch_optional, VisitRow, SQL, state, browser, now)?)
    }
}
