//! External contacts: people outside of the organisation, with whom it shares MiniApps.

use berth_base::{clock::Millis, ids::ContactId, page::paged};
use serde::{Deserialize, Serialize};

/// An external contact of a workspace.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[cfg_attr(feature = "sql", derive(sqlx::FromRow))]
#[schema(as = WorkspaceContact)]
pub struct Contact {
    /// Id of the contact.
    pub id: ContactId,
    /// The name that people see, 1 to 64 characters.
    pub name: String,
    /// The id by which the organisation knows them; absent when it has not said one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// When they were added.
    pub created_at: Millis,
}

/// An external contact to add.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewWorkspaceContact)]
pub struct NewContact {
    /// The name that people see, 1 to 64 characters.
    pub name: String,
    /// The id by which the organisation knows them, 1 to 256 characters; no two contacts of a workspace have the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
}

/// Which contacts to list.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ContactQuery {
    /// The `next` of the previous page; leave it out for the first page.
    #[serde(default)]
    pub cursor: Option<String>,
    /// How many contacts a page has at most, 1 to 200; 50 when absent.
    #[serde(default)]
    pub limit: Option<u32>,
    /// Only the one with this id at the organisation.
    #[serde(default)]
    pub external_id: Option<String>,
}

paged!(ContactQuery);
