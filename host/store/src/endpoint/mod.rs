//! Merchants and what they own.

mod app;
pub mod authorisation;
mod channel;
mod ending;
pub mod fulfilment;
mod holdings;
mod instance;
mod merchant;
mod org;

/// Pushes the condition that `$column` is a merchant that the caller may know about.
macro_rules! push_known {
    ($query:ident, $caller:expr, $column:literal) => {
        if $crate::chosen!(!$caller.reads_everything()) {
            $query.push(concat!(
                " AND ",
                $column,
                " IN (SELECT scope_id FROM role_grant WHERE scope_kind = 'merchant' AND account_id = "
            ));
            $query.push_bind(&$caller.account).push(")");
        }
    };
}

use super::{push_ids, push_if};
use push_known;
