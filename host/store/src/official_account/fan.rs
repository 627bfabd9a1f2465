//! Fans: visitors of official accounts, and the members of merchants that are bound to them.

use berth_base::{
    clock::Millis,
    error::Result,
    ids::{Digest, FanId, MerchantId, ShopMemberId, WechatAppId},
    page::PageQuery,
};
use berth_model::official_account::{AccountOpenId, FanQuery, MoveCounts, MoveQuery, MovingMember};

use crate::{Tx, execute, fetch, fetch_built, push_if};

/// What the sealed OpenID of a fan is about.
pub const ABOUT_OPEN_ID: &str = "fan-open-id";

/// Whom a merchant knows at an account.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct FanRow {
    /// The id of the fan.
    pub id: FanId,
    /// The merchant.
    pub merchant_id: MerchantId,
    /// The account.
    pub app_id: WechatAppId,
    /// WeChat's OpenID, sealed.
    pub open_id_sealed: String,
    /// The member; `None` for a visitor who is bound to nobody.
    pub member_id: Option<ShopMemberId>,
    /// Whether the member prefers this account.
    pub preferred: bool,
    /// When the member was bound.
    pub bound_at: Option<Millis>,
}

impl Tx {
    /// Records that a visitor was seen at an account, and returns who it is. `known` is the SHA-256 of the OpenID that the
    /// merchant knows them by, `open_id` is WeChat's.
    pub async fn see_fan(
        &mut self,
        merchant: &MerchantId,
        app_id: &WechatAppId,
        known: &Digest,
        open_id: &AccountOpenId,
    ) -> Result<FanRow> {
        let now = self.now();
        let id = FanId::generate(now, self.random());
        let sealed = self.seal().seal(open_id.as_str().as_bytes(), &format!("{ABOUT_OPEN_ID}:{id}"))?;
        Ok(fetch!(
            self,
            fetch_one,
            FanRow,
            "INSERT INTO fan (id, merchant_id, app_id, open_id_sha256, open_id_sealed, preferred, seen_at)
             VALUES ($1, $2, $3, $4, $5, FALSE, $6)
             ON CONFLICT (merchant_id, app_id, open_id_sha256) DO UPDATE SET seen_at = excluded.seen_at
             RETURNING *",
            &id,
            merchant,
            app_id,
            known,
            &sealed,
            now
        )?)
    }

    /// WeChat's OpenID of a fan.
    ///
    /// # Errors
    /// `secret-sealed` when this host cannot open it.
    pub fn open_id_of_fan(&self, fan: &FanRow) -> Result<AccountOpenId> {
        self.seal().open_text(&fan.open_id_sealed, &format!("{ABOUT_OPEN_ID}:{}", fan.id))?.parse()
    }

    /// The fan with this id.
    pub async fn fan(&mut self, id: &FanId) -> Result<Option<FanRow>> {
        Ok(fetch!(self, fetch_optional, FanRow, "SELECT * FROM fan WHERE id = $1", id)?)
    }

    /// The fan of a merchant at an account whose OpenID, as the merchant knows it, has this SHA-256.
    pub async fn fan_known_by(
        &mut self,
        merchant: &MerchantId,
        app_id: &WechatAppId,
        known: &Digest,
    ) -> Result<Option<FanRow>> {
        const SQL: &str = "SELECT * FROM fan WHERE merchant_id = $1 AND app_id = $2 AND open_id_sha256 = $3";
        Ok(fetch!(self, fetch_optional, FanRow, SQL, merchant, app_id, known)?)
    }

    /// The binding of a member at an account.
    pub async fn bound_fan(
        &mut self,
        merchant: &MerchantId,
        member: &ShopMemberId,
        app_id: &WechatAppId,
    ) -> Result<Option<FanRow>> {
        const SQL: &str = "SELECT * FROM fan WHERE merchant_id = $1 AND member_id = $2 AND app_id = $3";
        Ok(fetch!(self, fetch_optional, FanRow, SQL, merchant, member, app_id)?)
    }

    /// Binds a member to a fan that is bound to nobody. The caller holds the merchant.
    pub async fn bind_fan(&mut self, id: &FanId, member: &ShopMemberId) -> Result<()> {
        let now = self.now();
        const SQL: &str = "UPDATE fan SET member_id = $2, bound_at = $3, seen_at = $3 WHERE id = $1";
        execute!(self, SQL, id, member, now)?;
        Ok(())
    }

    /// Ends the binding of a fan, who is a visitor again.
    pub async fn release_fan(&mut self, id: &FanId) -> Result<()> {
        let now = self.now();
        const SQL: &str =
            "UPDATE fan SET member_id = NULL, bound_at = NULL, preferred = FALSE, seen_at = $2 WHERE id = $1";
        execute!(self, SQL, id, now)?;
        Ok(())
    }

    /// Deletes a fan with all that is known of them.
    pub async fn delete_fan(&mut self, id: &FanId) -> Result<()> {
        execute!(self, "DELETE FROM fan WHERE id = $1", id)?;
        Ok(())
    }

    /// Makes a member prefer one account, or none.
    pub async fn prefer_fan(
        &mut self,
        merchant: &MerchantId,
        member: &ShopMemberId,
        app_id: Option<&WechatAppId>,
    ) -> Result<()> {
        execute!(
            self,
            "UPDATE fan SET preferred = (app_id = COALESCE($3, '')) WHERE merchant_id = $1 AND member_id = $2",
            merchant,
            member,
            app_id
        )?;
        Ok(())
    }

    /// A page of the bound fans of a merchant that match, oldest first, and one more than the page holds.
    pub async fn fans_of(&mut self, merchant: &MerchantId, query: &FanQuery, page: &PageQuery) -> Result<Vec<FanRow>> {
        Ok(fetch_built!(self, FanRow, |q| {
            q.push("SELECT * FROM fan f WHERE f.member_id IS NOT NULL AND f.merchant_id = ").push_bind(merchant);
            q.push(" AND f.id > ").push_bind(page.after());
            push_if!(q, &query.member_id, " AND f.member_id = ", "");
            push_if!(q, &query.app_id, " AND f.app_id = ", "");
            q.push(" ORDER BY f.id LIMIT ").push_bind(page.limit() + 1);
        })?)
    }

    /// How many members are bound at the account `from`, and how many of them at `to` as well.
    pub async fn count_moving(
        &mut self,
        merchant: &MerchantId,
        from: &WechatAppId,
        to: &WechatAppId,
    ) -> Result<MoveCounts> {
        Ok(fetch!(
            self,
            fetch_one,
            MoveCounts,
            "SELECT COUNT(*) AS members, COUNT(t.id) AS came_along FROM fan f
             LEFT JOIN fan t ON t.merchant_id = f.merchant_id AND t.member_id = f.member_id AND t.app_id = $3
             WHERE f.merchant_id = $1 AND f.app_id = $2 AND f.member_id IS NOT NULL",
            merchant,
            from,
            to
        )?)
    }

    /// Whether a member is bound at the account `from` and not yet at `to`.
    pub async fn somebody_stays_behind(
        &mut self,
        merchant: &MerchantId,
        from: &WechatAppId,
        to: &WechatAppId,
    ) -> Result<bool> {
        let some = fetch!(
            self,
            fetch_optional,
            (FanId,),
            "SELECT f.id FROM fan f WHERE f.merchant_id = $1 AND f.app_id = $2 AND f.member_id IS NOT NULL
             AND NOT EXISTS (SELECT 1 FROM fan t WHERE t.merchant_id = f.merchant_id AND t.member_id = f.member_id
                AND t.app_id = $3) LIMIT 1",
            merchant,
            from,
            to
        )?;
        Ok(some.is_some())
    }

    /// A page of the members that are bound at the account `from`, by their ids, each with when they were bound at `to`, and
    /// one more than the page holds.
    pub async fn moving_members(
        &mut self,
        merchant: &MerchantId,
        (from, to): (&WechatAppId, &WechatAppId),
        query: &MoveQuery,
        page: &PageQuery,
    ) -> Result<Vec<MovingMember>> {
        Ok(fetch_built!(self, MovingMember, |q| {
            q.push(
                "SELECT f.member_id, t.bound_at AS came_along_at FROM fan f
                 LEFT JOIN fan t ON t.merchant_id = f.merchant_id AND t.member_id = f.member_id AND t.app_id = ",
            );
            q.push_bind(to).push(" WHERE f.merchant_id = ").push_bind(merchant);
            q.push(" AND f.app_id = ").push_bind(from).push(" AND f.member_id > ").push_bind(page.after());
            push_if!(q, query.came_along, " AND (t.id IS NOT NULL) = ", "");
            q.push(" ORDER BY f.member_id LIMIT ").push_bind(page.limit() + 1);
        })?)
    }
}
