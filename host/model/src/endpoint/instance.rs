//! Product instances: what a merchant bought, as the messages of the order system say.

use berth_base::{
    clock::Millis,
    ids::{EndpointAppId, InstanceId, MerchantId, MessageId, OrgNodeId, ProductCode},
    page::paged,
    text::text_enum,
};
use serde::{Deserialize, Serialize};

use super::{
    fulfilment::MessageKind,
    register::{Register, Said},
};

text_enum! {
    /// Whether a merchant has a product instance.
    InstanceState {
        /// The merchant has it.
        Active = "active",
        /// Its time is over; a renewal makes it active again.
        Expired = "expired",
        /// The merchant gave it up.
        Unsubscribed = "unsubscribed",
    }
}

/// A purchased product of a merchant. Only fulfilment messages and the clock change it.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, utoipa::ToSchema)]
#[cfg_attr(feature = "sql", derive(sqlx::FromRow))]
pub struct ProductInstance {
    /// Its id in the order system.
    pub id: InstanceId,
    /// The merchant that bought it. Never changes.
    #[cfg_attr(feature = "sql", sqlx(rename = "merchant_id"))]
    pub merchant: MerchantId,
    /// The code of the product, such as `mall` or `crm`. Never changes.
    pub product: ProductCode,
    /// The name that people read; the product's code while no message gave one.
    pub name: String,
    /// Whether the merchant has it now.
    pub state: InstanceState,
    /// When it expires; never when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Millis>,
    /// The time of the newest message about it, by the sender's clock.
    pub said_at: Millis,
    /// The kind of that message.
    pub said_kind: MessageKind,
    /// The id of that message.
    pub said_by: MessageId,
    /// When it was last unsubscribed, by the sender's clock, whatever came after.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_at: Option<Millis>,
    /// The newest message that gave it a name.
    #[serde(skip)]
    #[schema(ignore)]
    #[cfg_attr(feature = "sql", sqlx(json(nullable)))]
    pub named: Option<Said>,
    /// When the first message about it was applied.
    pub created_at: Millis,
    /// When a message or the clock last changed it.
    pub updated_at: Millis,
}

impl ProductInstance {
    /// Its state as a register of all messages so far.
    pub fn register(&self) -> Register {
        Register {
            newest: Said { at: self.said_at, kind: self.said_kind, by: self.said_by.clone() },
            expires_at: self.expires_at,
            name: self.named.clone().map(|said| (said, self.name.clone())),
            left_at: self.left_at,
        }
    }

    /// The product instance with what `register` says. `now` becomes its time of change, and decides whether it is
    /// expired.
    pub fn with(mut self, register: Register, now: Millis) -> Self {
        self.state = register.state(now);
        let Register { newest, expires_at, name, left_at } = register;
        (self.said_at, self.said_kind, self.said_by) = (newest.at, newest.kind, newest.by);
        (self.expires_at, self.left_at) = (expires_at, left_at);
        if let Some((said, name)) = name {
            (self.named, self.name) = (Some(said), name);
        }
        self.updated_at = now;
        self
    }

    /// Whether the merchant has it now.
    pub fn is_active(&self) -> bool {
        self.state == InstanceState::Active
    }
}

/// Which product instances to list. The conditions are ANDed.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct InstanceQuery {
    /// Only those of this merchant (BosID).
    #[serde(default)]
    pub merchant: Option<MerchantId>,
    /// Only those of this product.
    #[serde(default)]
    pub product: Option<ProductCode>,
    /// Only those in this state.
    #[serde(default)]
    pub state: Option<InstanceState>,
    /// Only those that this endpoint application (CID) holds.
    #[serde(default)]
    pub endpoint_app: Option<EndpointAppId>,
    /// Only those that are open on this organisation node (VID).
    #[serde(default)]
    pub org_node: Option<OrgNodeId>,
    /// The `next` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
    /// How many items a page has at most, 1 to 200; 50 when absent.
    #[serde(default)]
    pub limit: Option<u32>,
}

paged!(InstanceQuery);
