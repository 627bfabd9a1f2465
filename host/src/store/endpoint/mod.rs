//! Merchants and what they own.

mod app;
mod authorisation;
mod channel;
mod ending;
mod fulfilment;
mod holdings;
mod instance;
mod merchant;
mod org;

/// Pushes the condition that `$column` is a merchant that the caller may know of.
macro_rules! push_known {
    ($query:ident, $caller:expr, $column:literal) => {
        if !$caller.reads_everything() {
            $query.push(concat!(
                " AND ",
                $column,
                " IN (SELECT scope_id FROM role_grant WHERE scope_kind = 'merchant' AND account_id = "
            ));
            $query.push_bind(&$caller.account).push(")");
        }
    };
}

/// Pushes a condition on `$value`, when there is one.
macro_rules! push_if {
    ($query:ident, $value:expr, $before:expr, $after:expr) => {
        if let Some(value) = $value {
            $query.push($before).push_bind(value).push($after);
        }
    };
}

use push_if;
use push_known;
