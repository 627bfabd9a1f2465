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

/// Pushes a list of ids in parentheses. The last id is repeated until their number is a power of two, so that there are
/// few statements to prepare. The list must not be empty.
macro_rules! push_ids {
    ($query:ident, $ids:expr) => {
        let filled = $ids.iter().chain($ids.iter().next_back().into_iter().cycle());
        $query.push("(");
        let mut list = $query.separated(", ");
        for id in filled.take($ids.len().next_power_of_two()) {
            list.push_bind(id);
        }
        $query.push(")");
    };
}

use super::push_if;
use push_ids;
use push_known;
