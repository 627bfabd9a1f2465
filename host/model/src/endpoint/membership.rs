//! Which endpoint application holds which product instances. A custom one holds what was chosen for it (E3), until the
//! instance is unsubscribed (E4). The default one holds all that are active (E2), which is computed and not stored.

use berth_base::{
    ids::{EndpointAppId, InstanceId, ProductCode},
    text::text_enum,
};
use serde::Serialize;

text_enum! {
    /// Why a product instance was added to an endpoint application or removed from it.
    MoveCause {
        /// Somebody added or removed it.
        Chosen = "chosen",
        /// It became active.
        Active = "active",
        /// It expired.
        Expired = "expired",
        /// It was unsubscribed.
        Unsubscribed = "unsubscribed",
    }
}

/// The `data` of `endpoint.product_added` and `endpoint.product_removed`: a product instance and the endpoint
/// application that it was added to or removed from.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[allow(missing_docs, reason = "the names say it")]
pub struct ProductMoved {
    pub endpoint_app: EndpointAppId,
    /// Whether the endpoint application is the merchant's default one.
    pub default: bool,
    pub product_instance: InstanceId,
    pub product: ProductCode,
    pub cause: MoveCause,
}
