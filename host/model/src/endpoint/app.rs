//! Endpoint applications: combinations of a merchant's product instances. Their id is the CID.

use berth_base::{
    clock::Millis,
    ids::{EndpointAppId, InstanceId, MerchantId, OrgNodeId},
    page::paged,
};
use serde::{Deserialize, Serialize};

use super::{Channel, ProductInstance};

/// A combination of a merchant's product instances.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, utoipa::ToSchema)]
#[cfg_attr(feature = "sql", derive(sqlx::FromRow))]
pub struct EndpointApp {
    /// The CID. Never changes and is never used again.
    pub id: EndpointAppId,
    /// The merchant that owns it.
    #[cfg_attr(feature = "sql", sqlx(rename = "merchant_id"))]
    pub merchant: MerchantId,
    /// The name that people read.
    pub name: String,
    /// Whether it is the merchant's default one, which holds all active product instances (E2).
    #[serde(rename = "default")]
    pub is_default: bool,
    /// The account that created it; for the default one, the sender of the first purchase.
    pub created_by: String,
    /// When it was created.
    pub created_at: Millis,
    /// When its name last changed.
    pub updated_at: Millis,
}

/// How many items of each list an [`EndpointAppView`] has at most.
pub const SHOWN: usize = 200;

/// An endpoint application with its first 200 product instances, channels and organisation nodes. Their own lists have
/// all of them, page by page.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct EndpointAppView {
    /// The endpoint application.
    #[serde(flatten)]
    pub app: EndpointApp,
    /// The product instances that it holds: for a custom one the chosen ones, whatever their state (E3); for the
    /// default one all active ones of the merchant (E2).
    pub products: Vec<ProductInstance>,
    /// The channels that share its CID (E5).
    pub channels: Vec<Channel>,
    /// The organisation nodes that it is assigned to (E9).
    pub org_nodes: Vec<OrgNodeId>,
    /// Whether at least one of the three lists was cut off at 200 items.
    pub more: bool,
}

/// An endpoint application to create.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewEndpointApp {
    /// The merchant that is to own it.
    pub merchant: MerchantId,
    /// The name that people read, 1 to 64 characters.
    pub name: String,
    /// The product instances that it holds: 1 to 200 of the merchant's that are not unsubscribed.
    pub products: Vec<InstanceId>,
}

/// What may be edited of an endpoint application. Absent members stay as they are.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EditEndpointApp {
    /// The new name, 1 to 64 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// Which endpoint applications to list (E7). The conditions are ANDed.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct EndpointAppQuery {
    /// Only those of this merchant (BosID).
    #[serde(default)]
    pub merchant: Option<MerchantId>,
    /// Only those that hold this product instance.
    #[serde(default)]
    pub product_instance: Option<InstanceId>,
    /// Only the one whose channel has this id on its platform: a WeChat appid, a MiniApp's id, the address of an H5
    /// page.
    #[serde(default)]
    pub channel_app_id: Option<String>,
    /// Only those that may be used at this organisation node (VID).
    #[serde(default)]
    pub org_node: Option<OrgNodeId>,
    /// Only the default ones when true, only the custom ones when false.
    #[serde(default)]
    pub default: Option<bool>,
    /// The `next` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
    /// How many items a page has at most, 1 to 200; 50 when absent.
    #[serde(default)]
    pub limit: Option<u32>,
}

paged!(EndpointAppQuery);
