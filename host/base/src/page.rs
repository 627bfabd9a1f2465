//! Pagination by cursor: a page is its items and, when there are more, the cursor of the next page.

use serde::{Deserialize, Serialize};

/// One page of a list.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct Page<T> {
    /// The items of this page.
    pub items: Vec<T>,
    /// Send it as `cursor` to get what follows; absent on the last page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// Which page of a list to return.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// The `next` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
    /// How many items a page has at most, 1 to 200; 50 when absent.
    #[serde(default)]
    pub limit: Option<u32>,
}

/// Gives a query type a method `page`, which reads its members `cursor` and `limit`. A `PageQuery` cannot be
/// flattened into a query instead, as serde then fails to read numbers from a query string.
#[macro_export]
macro_rules! paged {
    ($query:ty) => {
        impl $query {
            /// Which page of the list is asked for.
            pub fn page(&self) -> $crate::page::PageQuery {
                $crate::page::PageQuery { cursor: self.cursor.clone(), limit: self.limit }
            }
        }
    };
}
pub use paged;

impl PageQuery {
    /// How many items a page has at most: 1 to 200, and 50 when the query does not say.
    pub fn limit(&self) -> i64 {
        i64::from(self.limit.unwrap_or(50).clamp(1, 200))
    }

    /// How many items of a list are read that has all of them on one page unless a limit is given: those of the page, and one
    /// that says that there are more.
    pub fn most(&self) -> i64 {
        self.limit.map_or(i64::MAX, |_| self.limit() + 1)
    }

    /// The key after which the page starts: the cursor, or the empty text, which is before all keys, on the first page.
    pub fn after(&self) -> String {
        self.cursor.clone().unwrap_or_default()
    }

    /// The key below which a page of a newest-first list starts: the cursor, or on the first page a text that is above
    /// all generated ids in the collation of any database.
    pub fn before(&self) -> String {
        self.cursor.clone().unwrap_or_else(|| "z".into())
    }
}

impl<T> Page<T> {
    /// Makes a page from up to `limit + 1` items. The additional item is dropped and only shows that there are more.
    pub fn of(mut items: Vec<T>, query: &PageQuery, key: impl Fn(&T) -> String) -> Self {
        let limit = query.limit() as usize;
        let more = items.len() > limit;
        items.truncate(limit);
        let next = if more { items.last().map(key) } else { None };
        Self { items, next }
    }

    /// Makes a page from the items that were read as [`PageQuery::most`] says.
    pub fn of_most(items: Vec<T>, query: &PageQuery, key: impl Fn(&T) -> String) -> Self {
        match query.limit {
            Some(_) => Self::of(items, query, key),
            None => Self { items, next: None },
        }
    }
}
