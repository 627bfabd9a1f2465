//! Cursor pagination: a page is its items and, when there are more, the cursor of the next page.

use serde::{Deserialize, Serialize};

/// One page of a list.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// Send it as `cursor` to get what follows; absent on the last page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// Which page is wanted.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// The `next` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
    /// Items at the most, 1 to 200; 50 when absent.
    #[serde(default)]
    pub limit: Option<u32>,
}

/// Tells which page a query of this type wants, by its members `cursor` and `limit`: they cannot be flattened into it, as
/// serde does not carry numbers in a query string through that.
#[macro_export]
macro_rules! paged {
    ($query:ty) => {
        impl $query {
            /// Which page is wanted.
            pub fn page(&self) -> $crate::page::PageQuery {
                $crate::page::PageQuery { cursor: self.cursor.clone(), limit: self.limit }
            }
        }
    };
}
pub use paged;

impl PageQuery {
    /// Items at the most.
    pub fn limit(&self) -> i64 {
        i64::from(self.limit.unwrap_or(50).clamp(1, 200))
    }

    /// The key after which the page starts; empty, so before all keys, on the first page.
    pub fn after(&self) -> String {
        self.cursor.clone().unwrap_or_default()
    }

    /// The key below which a page of newest-first items starts; on the first page above all generated ids, in the
    /// collation of any database.
    pub fn before(&self) -> String {
        self.cursor.clone().unwrap_or_else(|| "z".into())
    }
}

impl<T> Page<T> {
    /// From up to `limit + 1` items: the one too many only says that there are more.
    pub fn of(mut items: Vec<T>, query: &PageQuery, key: impl Fn(&T) -> String) -> Self {
        let limit = query.limit() as usize;
        let more = items.len() > limit;
        items.truncate(limit);
        let next = if more { items.last().map(key) } else { None };
        Self { items, next }
    }
}
