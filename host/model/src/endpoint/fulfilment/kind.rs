//! The kinds of fulfilment messages.

use berth_base::text::text_enum;

text_enum! {
    /// What a fulfilment message says. Of two messages of the same time, the one whose kind stands later here is newer.
    MessageKind {
        /// The merchant bought the product.
        Purchase = "purchase",
        /// The merchant prolonged the product, or bought it again.
        Renew = "renew",
        /// The merchant gave the product up.
        Unsubscribe = "unsubscribe",
    }
}
