//! Partners of MiniApps, and the links of users between them.

use super::{Tx, execute, fetch};
use berth_base::{
    clock::Millis,
    error::Result,
    ids::{Digest, HostAppId, MiniAppId},
};
use berth_model::{
    identity::{Partner, UserLink, Way},
    user::{OpenId, User},
};

/// The users of a link: the same person in two MiniApps.
pub struct LinkedUsers<'a> {
    /// Of the agreement between the two.
    pub partner: &'a Partner,
    /// The user in the partner.
    pub there: &'a OpenId,
    /// The user in the MiniApp.
    pub here: &'a OpenId,
}

/// The statement that finds the user of one end of a link by the other end.
macro_rules! linked_user {
    ($wanted:literal, $known:literal) => {
        concat!(
            "SELECT u.host_app_id, u.account FROM identity_link l JOIN mini_app_user u ON u.open_id_sha256 = l.",
            $wanted,
            " WHERE l.",
            $known,
            " = $1 AND l.mini_app_id = $2 AND l.partner_id = $3 AND l.unlinked_at IS NULL AND l.linked_at >= $4
              AND (SELECT COUNT(*) FROM binding b WHERE b.host_app_id = u.host_app_id AND b.state = 'active'
                AND b.mini_app_id IN (l.mini_app_id, l.partner_id)) = 2"
        )
    };
}

impl Tx {
    /// That a MiniApp is the partner of another one.
    pub async fn partner(&mut self, mini_app: &MiniAppId, partner: &MiniAppId) -> Result<Option<Partner>> {
        const SQL: &str = "SELECT * FROM partner WHERE mini_app_id = $1 AND partner_id = $2";
        Ok(fetch!(self, fetch_optional, Partner, SQL, mini_app, partner)?)
    }

    /// The agreements in which a MiniApp has a part, by the ids of both.
    pub async fn partners_of(&mut self, id: &MiniAppId) -> Result<Vec<Partner>> {
        const SQL: &str =
            "SELECT * FROM partner WHERE mini_app_id = $1 OR partner_id = $1 ORDER BY mini_app_id, partner_id";
        Ok(fetch!(self, fetch_all, Partner, SQL, id)?)
    }

    /// Adds or replaces an agreement.
    pub async fn put_partner(&mut self, new: &Partner) -> Result<()> {
        execute!(
            self,
            "INSERT INTO partner (mini_app_id, partner_id, state, created_at) VALUES ($1, $2, $3, $4)
             ON CONFLICT (mini_app_id, partner_id) DO UPDATE SET state = excluded.state, created_at = excluded.created_at",
            &new.mini_app,
            &new.partner,
            new.state,
            new.created_at
        )?;
        Ok(())
    }

    /// Deletes an agreement. Returns `false` when there was none.
    pub async fn delete_partner(&mut self, mini_app: &MiniAppId, partner: &MiniAppId) -> Result<bool> {
        const SQL: &str = "DELETE FROM partner WHERE mini_app_id = $1 AND partner_id = $2";
        Ok(execute!(self, SQL, mini_app, partner)? > 0)
    }

    /// Since when a user is linked, if the user has not taken it back. Whether it holds is for the agreement to say.
    pub async fn linked_since(&mut self, users: &LinkedUsers<'_>) -> Result<Option<Millis>> {
        let row = fetch!(
            self,
            fetch_optional,
            (Millis,),
            "SELECT linked_at FROM identity_link
             WHERE partner_open_id_sha256 = $1 AND mini_app_id = $2 AND unlinked_at IS NULL",
            users.there.digest(),
            &users.partner.mini_app
        )?;
        Ok(row.map(|(at,)| at))
    }

    /// Links a user, whom this transaction holds in both MiniApps and who is not linked.
    pub async fn link(&mut self, users: &LinkedUsers<'_>) -> Result<()> {
        let now = self.now();
        execute!(
            self,
            "INSERT INTO identity_link (partner_open_id_sha256, mini_app_id, position, partner_id, open_id_sha256, linked_at)
             SELECT $1, $2, COUNT(*) + 1, $3, $4, $5 FROM identity_link
             WHERE partner_open_id_sha256 = $1 AND mini_app_id = $2",
            users.there.digest(),
            &users.partner.mini_app,
            &users.partner.partner,
            users.here.digest(),
            now
        )?;
        Ok(())
    }

    /// Ends the link of a user of a partner, if there is one.
    pub async fn unlink(&mut self, there: &OpenId, mini_app: &MiniAppId) -> Result<()> {
        let now = self.now();
        execute!(
            self,
            "UPDATE identity_link SET unlinked_at = $3
             WHERE partner_open_id_sha256 = $1 AND mini_app_id = $2 AND unlinked_at IS NULL",
            there.digest(),
            mini_app,
            now
        )?;
        Ok(())
    }

    /// All links of a user of a host app, those that ended too, oldest first.
    pub async fn links_of(&mut self, user: &User) -> Result<Vec<UserLink>> {
        Ok(fetch!(
            self,
            fetch_all,
            UserLink,
            "SELECT l.mini_app_id, l.partner_id, l.linked_at, l.unlinked_at,
                l.unlinked_at IS NULL AND EXISTS (SELECT 1 FROM partner p WHERE p.mini_app_id = l.mini_app_id
                    AND p.partner_id = l.partner_id AND p.state = 'active' AND p.created_at <= l.linked_at) AS holds
             FROM identity_link l JOIN mini_app_user u ON u.open_id_sha256 = l.partner_open_id_sha256
             WHERE u.host_app_id = $1 AND u.account = $2 ORDER BY l.linked_at, l.mini_app_id, l.partner_id",
            &user.host_app,
            &user.account
        )?)
    }

    /// The user in the one MiniApp who is linked with an OpenID in the other one, by an agreement that is active. Both MiniApps
    /// must be bound to the user's host app still.
    pub async fn linked_user(&mut self, partner: &Partner, way: Way, open_id: &OpenId) -> Result<Option<User>> {
        let digest = open_id.digest();
        let found = match way {
            Way::To => self.linked_user_here(partner, &digest).await?,
            Way::From => self.linked_user_there(partner, &digest).await?,
        };
        Ok(found.map(|(host_app, account)| User { host_app, account }))
    }

    async fn linked_user_here(&mut self, partner: &Partner, there: &Digest) -> Result<Option<(HostAppId, String)>> {
        const SQL: &str = linked_user!("open_id_sha256", "partner_open_id_sha256");
        let Partner { mini_app, partner, created_at, .. } = partner;
        Ok(fetch!(self, fetch_optional, (HostAppId, String), SQL, there, mini_app, partner, created_at)?)
    }

    async fn linked_user_there(&mut self, partner: &Partner, here: &Digest) -> Result<Option<(HostAppId, String)>> {
        const SQL: &str = linked_user!("partner_open_id_sha256", "open_id_sha256");
        let Partner { mini_app, partner, created_at, .. } = partner;
        Ok(fetch!(self, fetch_optional, (HostAppId, String), SQL, here, mini_app, partner, created_at)?)
    }
}
