//! Finding things by what people know of them: a name, a part of it, or an id that Berth has printed.

use berth_base::{
    error::{Error, Result},
    ids::{MerchantId, MiniAppId},
    text::text_enum,
};
use serde::{Deserialize, Serialize};

/// How many things a search finds at most.
pub const MOST_FOUND: usize = 20;

/// How long the text may be, in characters.
const LONGEST: usize = 100;

/// What to search for.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct SearchQuery {
    /// A part of a name, in upper or lower case, the number of a version, the name of a package, or an id: 1 to 100
    /// characters.
    pub q: String,
}

text_enum! {
    /// What was found.
    FoundKind {
        /// A MiniApp.
        MiniApp = "mini_app",
        /// A version of a MiniApp; its id is its number.
        Version = "version",
        /// A gray task.
        GrayTask = "gray_task",
        /// An audit.
        Audit = "audit",
        /// A host app.
        HostApp = "host_app",
        /// A permit, or the application for one.
        Permit = "permit",
        /// A team.
        Team = "team",
        /// A merchant.
        Merchant = "merchant",
        /// A product instance of a merchant.
        ProductInstance = "product_instance",
        /// An endpoint application.
        EndpointApp = "endpoint_app",
        /// A channel.
        Channel = "channel",
        /// An organisation node.
        OrgNode = "org_node",
        /// A message of the order system.
        Fulfilment = "fulfilment",
        /// A webhook.
        Webhook = "webhook",
        /// A workspace.
        Workspace = "workspace",
    }
}

/// What a search found.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
pub struct FoundList {
    /// At most 20 things: what has the text as its id first, then by kind and name.
    pub items: Vec<Found>,
}

/// One thing that a search found.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
#[cfg_attr(feature = "sql", derive(sqlx::FromRow))]
pub struct Found {
    /// What it is.
    pub kind: FoundKind,
    /// Its id; the number of a version.
    pub id: String,
    /// Its name, or what people call it who have no name for it.
    pub name: String,
    /// The MiniApp that it belongs to; absent for what belongs to none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "sql", sqlx(default))]
    pub mini_app: Option<MiniAppId>,
    /// The merchant that it belongs to; absent for what belongs to none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "sql", sqlx(default))]
    pub merchant: Option<MerchantId>,
}

impl SearchQuery {
    /// The text to search for.
    ///
    /// # Errors
    /// `invalid-field` when there is none, or it is too long.
    pub fn text(&self) -> Result<&str> {
        let text = self.q.trim();
        if text.is_empty() || text.chars().count() > LONGEST || text.contains('\0') {
            return Err(Error::parameter("q", format!("name what to search for, by 1 to {LONGEST} characters.")));
        }
        Ok(text)
    }
}

impl FoundList {
    /// What was found by its id, and then what was found by its name; everything once.
    pub fn of(by_id: Vec<Found>, by_name: Vec<Found>) -> Self {
        let mut items = by_id;
        for one in by_name {
            let known = |other: &Found| other.kind == one.kind && other.id == one.id && other.mini_app == one.mini_app;
            if items.len() < MOST_FOUND && !items.iter().any(known) {
                items.push(one);
            }
        }
        items.truncate(MOST_FOUND);
        Self { items }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(id: &str) -> Found {
        Found { kind: FoundKind::MiniApp, id: id.into(), name: id.into(), mini_app: None, merchant: None }
    }

    #[test]
    fn a8_what_has_the_id_comes_first_and_nothing_twice() {
        let list = FoundList::of(vec![found("tea")], vec![found("green-tea"), found("tea")]);
        assert_eq!(list.items, [found("tea"), found("green-tea")]);
        let many = (0..30).map(|number| found(&number.to_string())).collect();
        assert_eq!(FoundList::of(vec![found("tea")], many).items.len(), MOST_FOUND);
    }

    #[test]
    fn a8_a_search_is_for_something() {
        for (text, good) in
            [("", false), ("  ", false), (" tea ", true), (&"茶".repeat(100), true), (&"a".repeat(101), false)]
        {
            assert_eq!(SearchQuery { q: text.into() }.text().is_ok(), good, "{text:?}");
        }
    }
}
