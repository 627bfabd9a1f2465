//! Merchants: the owners of product instances and endpoint applications. A merchant's id is its BosID.

use berth_base::{clock::Millis, ids::MerchantId};
use serde::{Deserialize, Serialize};

/// The owner of product instances and endpoint applications.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
#[cfg_attr(feature = "sql", derive(sqlx::FromRow))]
pub struct Merchant {
    /// The BosID. Never changes and is never used again.
    pub id: MerchantId,
    /// The name that people read.
    pub name: String,
    /// Whether user data is unified across its endpoint applications; inside one it always is (E6).
    pub unify_users: bool,
    /// When it was created.
    pub created_at: Millis,
}

/// A merchant to create.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewMerchant {
    /// The name that people read, 1 to 64 characters.
    pub name: String,
    /// The BosID by which the order system knows the merchant, `[a-z0-9][a-z0-9-]{2,62}`; generated when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<MerchantId>,
    /// Whether user data is unified across its endpoint applications (E6); false when absent.
    #[serde(default)]
    pub unify_users: bool,
}

/// What may be edited of a merchant. Absent members stay as they are.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EditMerchant {
    /// The new name, 1 to 64 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Whether user data is unified across its endpoint applications (E6).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unify_users: Option<bool>,
}
