//! An entry as databases hold it: the columns of the table of entries, in their order.

use berth_base::{
    clock::Millis,
    error::{Error, Result},
};
use berth_model::log::{Level, LogEntry, LogId};

/// A row of the table of entries.
#[derive(sqlx::FromRow, serde::Deserialize)]
pub struct Row {
    pub id: i64,
    mini_app: String,
    host_app: String,
    level: i16,
    at: i64,
    version: String,
    host_version: String,
    sdk_version: String,
    platform: String,
    os_version: String,
    guid: String,
    account: Option<String>,
    page: String,
    pub message: String,
    pub filter_msg: String,
}

/// The columns of a [`Row`], in its order.
pub const COLUMNS: &str = "id, mini_app, host_app, level, at, version, host_version, sdk_version, platform, os_version, guid, \
                           account, page, message, filter_msg";

impl TryFrom<Row> for LogEntry {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        let id = LogId(row.id);
        Ok(Self {
            id,
            received_at: id.received_at(),
            at: Millis(row.at),
            level: Level::of_rank(row.level),
            mini_app: row.mini_app.parse()?,
            version: row.version,
            page: row.page,
            message: row.message,
            filter_msg: row.filter_msg,
            host_app: row.host_app.parse()?,
            host_version: row.host_version,
            sdk_version: row.sdk_version,
            platform: row.platform,
            os_version: row.os_version,
            guid: row.guid,
            account: row.account,
        })
    }
}
