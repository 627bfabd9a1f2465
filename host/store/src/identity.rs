//! Partners of MiniApps, and the links of users between them.

use super::{Tx, execute, fetch};
use berth_base::{
    clock::Millis,
    error::Result,
    ids::{Digest, HostAppId, MiniAppId, WechatAppId},
};
use berth_model::{
    identity::{Partner, RecognitionHeld, UserLink, Way},
    user::{OpenId, User},
};

/// How the user in the MiniApp is known.
pub enum Here {
    /// By the OpenID.
    OpenId(OpenId),
    /// As the same person at this official account, whoever that is at the time.
    Through(WechatAppId),
}

/// The users of a link: the same person in two MiniApps.
pub struct LinkedUsers<'a> {
    /// Of the agreement between the two.
    pub partner: &'a Partner,
    /// The user in the partner.
    pub there: &'a OpenId,
    /// The user in the MiniApp.
    pub here: &'a Here,
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

/// The statement that finds the user of one end of a link through an official account by the other end. `p` is the partner's, `u` that of
/// the MiniApp.
macro_rules! linked_through {
    ($wanted:literal, $known:literal) => {
        concat!(
            "SELECT ",
            $wanted,
            ".host_app_id, ",
            $wanted,
            ".account FROM identity_link l
             JOIN recognised_user t ON t.open_id_sha256 = l.partner_open_id_sha256 AND t.app_id = l.through_app_id
             JOIN recognised_user h ON h.mini_app_id = l.mini_app_id AND h.app_id = t.app_id AND h.person = t.person
             JOIN mini_app_user p ON p.open_id_sha256 = t.open_id_sha256
             JOIN mini_app_user u ON u.open_id_sha256 = h.open_id_sha256
             WHERE ",
            $known,
            ".open_id_sha256 = $1 AND l.mini_app_id = $2 AND l.partner_id = $3 AND l.unlinked_at IS NULL AND l.linked_at >= $4
              AND EXISTS (SELECT 1 FROM binding b WHERE b.host_app_id = u.host_app_id AND b.mini_app_id = l.mini_app_id
                AND b.state = 'active')
              AND EXISTS (SELECT 1 FROM binding b WHERE b.host_app_id = p.host_app_id AND b.mini_app_id = l.partner_id
                AND b.state = 'active')"
        )
    };
}

/// That a link goes through an official account at which the user with this OpenID is the person of whom it tells. It begins with the
/// user, so that no database looks at all links.
macro_rules! tells_of {
    ($open_id:literal) => {
        concat!(
            "(partner_open_id_sha256, through_app_id) IN (SELECT t.open_id_sha256, t.app_id FROM recognised_user h
                JOIN recognised_user t ON t.app_id = h.app_id AND t.person = h.person WHERE h.open_id_sha256 = ",
            $open_id,
            ")"
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
        let (_, through) = users.here.columns();
        let row = fetch!(
            self,
            fetch_optional,
            (Millis,),
            "SELECT linked_at FROM identity_link
             WHERE partner_open_id_sha256 = $1 AND mini_app_id = $2 AND unlinked_at IS NULL
                AND COALESCE(through_app_id, '') = COALESCE($3, '')",
            users.there.digest(),
            &users.partner.mini_app,
            through
        )?;
        Ok(row.map(|(at,)| at))
    }

    /// Links a user, whom this transaction holds in both MiniApps and who is not linked.
    pub async fn link(&mut self, users: &LinkedUsers<'_>) -> Result<()> {
        let now = self.now();
        let (open_id, through) = users.here.columns();
        execute!(
            self,
            "INSERT INTO identity_link (partner_open_id_sha256, mini_app_id, position, partner_id, open_id_sha256,
                through_app_id, linked_at)
             SELECT $1, $2, COUNT(*) + 1, $3, $4, $5, $6 FROM identity_link
             WHERE partner_open_id_sha256 = $1 AND mini_app_id = $2",
            users.there.digest(),
            &users.partner.mini_app,
            &users.partner.partner,
            open_id,
            through,
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

    /// Ends the links through official accounts that tell a partner of a user of the MiniApp. The user may not be one of the
    /// partner's host app, and takes it back all the same.
    pub async fn unlink_recognised(&mut self, here: &OpenId, mini_app: &MiniAppId, partner: &MiniAppId) -> Result<()> {
        let now = self.now();
        execute!(
            self,
            concat!(
                "UPDATE identity_link SET unlinked_at = $4
                 WHERE mini_app_id = $2 AND partner_id = $3 AND unlinked_at IS NULL AND ",
                tells_of!("$1")
            ),
            here.digest(),
            mini_app,
            partner,
            now
        )?;
        Ok(())
    }

    /// Deletes the links through official accounts that tell partners of a user of the MiniApp, as long as the user is recognised.
    /// Returns how many there were.
    pub(crate) async fn erase_links_through(&mut self, here: &Digest, mini_app: &MiniAppId) -> Result<u64> {
        Ok(execute!(
            self,
            concat!("DELETE FROM identity_link WHERE mini_app_id = $2 AND ", tells_of!("$1")),
            here,
            mini_app
        )?)
    }

    /// All links of a user of a host app, those that ended too, oldest first: those of the user in partners, and those through official
    /// accounts that tell of the user. The first condition follows from the others: by it no database looks at the links of everybody.
    pub async fn links_of(&mut self, user: &User) -> Result<Vec<UserLink>> {
        Ok(fetch!(
            self,
            fetch_all,
            UserLink,
            "SELECT l.mini_app_id, l.partner_id, l.through_app_id, l.linked_at, l.unlinked_at,
                l.unlinked_at IS NULL AND EXISTS (SELECT 1 FROM partner p WHERE p.mini_app_id = l.mini_app_id
                    AND p.partner_id = l.partner_id AND p.state = 'active' AND p.created_at <= l.linked_at) AS holds
             FROM identity_link l
             WHERE l.partner_open_id_sha256 IN (
                    SELECT u.open_id_sha256 FROM mini_app_user u WHERE u.host_app_id = $1 AND u.account = $2
                    UNION SELECT t.open_id_sha256 FROM mini_app_user u
                        JOIN recognised_user h ON h.open_id_sha256 = u.open_id_sha256
                        JOIN recognised_user t ON t.app_id = h.app_id AND t.person = h.person
                        WHERE u.host_app_id = $1 AND u.account = $2)
                AND (EXISTS (SELECT 1 FROM mini_app_user u WHERE u.open_id_sha256 = l.partner_open_id_sha256
                    AND u.host_app_id = $1 AND u.account = $2)
                OR EXISTS (SELECT 1 FROM recognised_user t
                    JOIN recognised_user h ON h.mini_app_id = l.mini_app_id AND h.app_id = t.app_id AND h.person = t.person
                    JOIN mini_app_user u ON u.open_id_sha256 = h.open_id_sha256
                    WHERE t.open_id_sha256 = l.partner_open_id_sha256 AND t.app_id = l.through_app_id
                    AND u.host_app_id = $1 AND u.account = $2))
             ORDER BY l.linked_at, l.mini_app_id, l.partner_id",
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
        let found = match (found, way) {
            (None, Way::To) => self.recognised_user_here(partner, &digest).await?,
            (None, Way::From) => self.recognised_user_there(partner, &digest).await?,
            (found, _) => found,
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

    async fn recognised_user_here(&mut self, partner: &Partner, there: &Digest) -> Result<Option<(HostAppId, String)>> {
        const SQL: &str = linked_through!("u", "t");
        let Partner { mini_app, partner, created_at, .. } = partner;
        Ok(fetch!(self, fetch_optional, (HostAppId, String), SQL, there, mini_app, partner, created_at)?)
    }

    async fn recognised_user_there(&mut self, partner: &Partner, here: &Digest) -> Result<Option<(HostAppId, String)>> {
        const SQL: &str = linked_through!("p", "h");
        let Partner { mini_app, partner, created_at, .. } = partner;
        Ok(fetch!(self, fetch_optional, (HostAppId, String), SQL, here, mini_app, partner, created_at)?)
    }

    /// As whom a user is recognised at an account, and since when.
    pub async fn recognition(&mut self, open_id: &OpenId, app_id: &WechatAppId) -> Result<Option<(Digest, Millis)>> {
        const SQL: &str = "SELECT person, recognised_at FROM recognised_user WHERE open_id_sha256 = $1 AND app_id = $2";
        Ok(fetch!(self, fetch_optional, (Digest, Millis), SQL, open_id.digest(), app_id)?)
    }

    /// Notes that a user, whom this transaction holds, is this person at an account. Returns `false` when another user of the
    /// MiniApp is.
    pub async fn insert_recognition(
        &mut self,
        open_id: &OpenId,
        mini_app: &MiniAppId,
        app_id: &WechatAppId,
        person: &Digest,
    ) -> Result<bool> {
        let now = self.now();
        let added = execute!(
            self,
            "INSERT INTO recognised_user (open_id_sha256, app_id, mini_app_id, person, recognised_at)
             VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
            open_id.digest(),
            app_id,
            mini_app,
            person,
            now
        )?;
        Ok(added > 0)
    }

    /// Deletes as whom a user of a MiniApp is recognised at an account.
    pub async fn delete_recognition(&mut self, id: &MiniAppId, open_id: &OpenId, app_id: &WechatAppId) -> Result<()> {
        const SQL: &str = "DELETE FROM recognised_user WHERE mini_app_id = $1 AND open_id_sha256 = $2 AND app_id = $3";
        execute!(self, SQL, id, open_id.digest(), app_id)?;
        Ok(())
    }

    /// At which official accounts an account is recognised as a user of MiniApps, oldest first; of `mini_app` alone if one is named.
    pub async fn recognitions_of(&mut self, user: &User, mini_app: Option<&MiniAppId>) -> Result<Vec<RecognitionHeld>> {
        Ok(fetch!(
            self,
            fetch_all,
            RecognitionHeld,
            "SELECT r.mini_app_id, r.app_id, r.recognised_at FROM recognised_user r
             JOIN mini_app_user u ON u.open_id_sha256 = r.open_id_sha256
             WHERE u.host_app_id = $1 AND u.account = $2 AND r.mini_app_id = COALESCE($3, r.mini_app_id)
             ORDER BY r.recognised_at, r.mini_app_id, r.app_id",
            &user.host_app,
            &user.account,
            mini_app
        )?)
    }

    /// Deletes as whom a user is recognised anywhere. Returns at how many accounts that was.
    pub(crate) async fn erase_recognitions(&mut self, open_id: &Digest) -> Result<u64> {
        Ok(execute!(self, "DELETE FROM recognised_user WHERE open_id_sha256 = $1", open_id)?)
    }
}

impl Here {
    /// What the columns `open_id_sha256` and `through_app_id` are.
    fn columns(&self) -> (Option<Digest>, Option<&WechatAppId>) {
        match self {
            Self::OpenId(open_id) => (Some(open_id.digest()), None),
            Self::Through(app_id) => (None, Some(app_id)),
        }
    }
}
