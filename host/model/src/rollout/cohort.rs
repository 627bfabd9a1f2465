//! Cohorts: lists of devices or accounts, uploaded as text with one member on each line (G4).
//!
//! Such files come from Excel, Notepad and shell scripts. A byte order mark, CRLF, blank lines, surrounding spaces and
//! duplicates are therefore tolerated, and blank lines and duplicates are counted.

use berth_base::{
    clock::Millis,
    ids::{CohortId, Digest},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Calls `note` with every text in a config, wherever it stands: any of them may name a list.
pub fn each_text(config: &Value, note: &mut impl FnMut(&str)) {
    match config {
        Value::String(text) => note(text),
        Value::Array(items) => items.iter().for_each(|item| each_text(item, note)),
        Value::Object(members) => members.values().for_each(|item| each_text(item, note)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// An uploaded list of devices or accounts.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[cfg_attr(feature = "sql", derive(sqlx::FromRow))]
pub struct Cohort {
    /// Id by which conditions and configs of policies name the list.
    pub id: CohortId,
    /// Display name, at most 64 characters.
    pub name: String,
    /// How many distinct members it has.
    #[cfg_attr(feature = "sql", sqlx(try_from = "berth_base::sql::Count"))]
    pub members: u64,
    /// How many lines the file had, blank ones included.
    #[cfg_attr(feature = "sql", sqlx(try_from = "berth_base::sql::Count"))]
    pub lines: u64,
    /// How many of the lines were blank.
    #[cfg_attr(feature = "sql", sqlx(try_from = "berth_base::sql::Count"))]
    pub blanks: u64,
    /// How many of the lines repeated a member.
    #[cfg_attr(feature = "sql", sqlx(try_from = "berth_base::sql::Count"))]
    pub duplicates: u64,
    /// SHA-256 of the members, sorted, one on each line. Lists with the same members have the same digest.
    pub sha256: Digest,
    /// The account that uploaded it.
    pub created_by: String,
    /// When it was uploaded.
    pub created_at: Millis,
}
