//! Moving from one official account to another, mostly from a shared to a private one, without losing a member (S9).

use berth_base::{
    clock::Millis,
    ids::{MerchantId, ShopMemberId, WechatAppId},
    page::paged,
};
use serde::{Deserialize, Serialize};

/// The accounts of a move.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MoveOfficialAccount {
    /// The account that members are bound at. They stay bound there.
    pub from: WechatAppId,
    /// The account that the merchant prefers from now on.
    pub to: WechatAppId,
}

/// The move of a merchant; a later one takes its place.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
#[cfg_attr(feature = "sql", derive(sqlx::FromRow))]
pub struct AccountMove {
    /// The merchant.
    #[cfg_attr(feature = "sql", sqlx(rename = "merchant_id"))]
    pub merchant: MerchantId,
    /// The account that members come from.
    #[cfg_attr(feature = "sql", sqlx(rename = "from_app_id"))]
    pub from: WechatAppId,
    /// The account that the merchant prefers.
    #[cfg_attr(feature = "sql", sqlx(rename = "to_app_id"))]
    pub to: WechatAppId,
    /// Who moved.
    pub moved_by: String,
    /// When.
    pub moved_at: Millis,
}

/// How many of the members of a move have come along.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
#[cfg_attr(feature = "sql", derive(sqlx::FromRow))]
pub struct MoveCounts {
    /// The members that are bound at the account `from`.
    pub members: i64,
    /// Those of them that are bound at the account `to` as well.
    pub came_along: i64,
}

/// A member of a move.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[cfg_attr(feature = "sql", derive(sqlx::FromRow))]
pub struct MovingMember {
    /// The member.
    pub member_id: ShopMemberId,
    /// When the member was bound at the account `to`; absent as long as they have not come along.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub came_along_at: Option<Millis>,
}

/// Who has come along with a move, and who has not.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct MoveReport {
    /// The move.
    #[serde(flatten)]
    pub account_move: AccountMove,
    /// How many have come along.
    #[serde(flatten)]
    pub counts: MoveCounts,
    /// The members of this page, by their ids.
    pub items: Vec<MovingMember>,
    /// Send it as `cursor` to get what follows; absent on the last page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// Which members of a move to list.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct MoveQuery {
    /// Only those who have come along, or with `false` only those who have not.
    #[serde(default)]
    pub came_along: Option<bool>,
    /// The `next` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
    /// How many items a page has at most, 1 to 200; 50 when absent.
    #[serde(default)]
    pub limit: Option<u32>,
}

paged!(MoveQuery);
