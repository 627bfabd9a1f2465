//! The columns that hold sealed secrets. Their names end in `_sealed`, and a test compares this list with the schema.

use super::{Tx, execute_built, fetch_built};
use berth_base::error::Result;

use crate::{
    host_key::ABOUT_HOST_KEY,
    login_entry::{ABOUT_BOUND_SUBJECT, ABOUT_ENTRY_SECRET, ABOUT_LOGIN_SUBJECT},
    member_portal::ABOUT_PROVIDER_SECRET,
    official_account::{ABOUT_ACCOUNT_ACCESS, ABOUT_ACCOUNT_SECRET, ABOUT_OPEN_ID},
    oidc::ABOUT_SIGNING_KEY,
    second_factor::ABOUT_SECOND_FACTOR,
    user::ABOUT_SESSION_KEY,
    wechat::{ABOUT_ACCESS, ABOUT_GRANT},
    workspace::directory::{ABOUT_CALLBACK_KEY, ABOUT_CALLBACK_TOKEN, ABOUT_DIRECTORY_ACCESS, ABOUT_DIRECTORY_SECRET},
};

/// A column that holds sealed secrets.
#[derive(Clone, Copy, Debug)]
pub struct SealedColumn {
    /// Name of the table.
    pub table: &'static str,
    /// Name of the primary key of the table, whose type is text.
    pub key: &'static str,
    /// Name of the column. It is NULL in rows without a secret.
    pub column: &'static str,
    /// The kind of secret, such as `webhook`. Sealing binds each secret to this word and the key of its row.
    pub about: &'static str,
}

impl SealedColumn {
    /// What the secret in one row is bound to, such as `webhook:wh_…`.
    pub fn about(&self, key: &str) -> String {
        format!("{}:{key}", self.about)
    }
}

/// All sealed columns. Secrets in other columns would not be sealed anew when keys are rotated.
pub const SEALED: &[SealedColumn] = &[
    SealedColumn { table: "wechat_account", key: "app_id", column: "grant_sealed", about: ABOUT_GRANT },
    SealedColumn { table: "wechat_account", key: "app_id", column: "access_sealed", about: ABOUT_ACCESS },
    SealedColumn { table: "channel_authorisation", key: "id", column: "link_sealed", about: ABOUT_LINK },
    SealedColumn { table: "channel_authorisation", key: "id", column: "code_sealed", about: ABOUT_CODE },
    SealedColumn { table: "webhook_secret", key: "id", column: "secret_sealed", about: "webhook_secret" },
    SealedColumn { table: "host_key", key: "name", column: "key_sealed", about: ABOUT_HOST_KEY },
    SealedColumn { table: "oidc_key", key: "kid", column: "key_sealed", about: ABOUT_SIGNING_KEY },
    SealedColumn { table: "second_factor", key: "account_id", column: "secret_sealed", about: ABOUT_SECOND_FACTOR },
    SealedColumn {
        table: "mini_app_user",
        key: "open_id_sha256",
        column: "session_key_sealed",
        about: ABOUT_SESSION_KEY,
    },
    SealedColumn { table: "official_account", key: "app_id", column: "secret_sealed", about: ABOUT_ACCOUNT_SECRET },
    SealedColumn { table: "official_account", key: "app_id", column: "access_sealed", about: ABOUT_ACCOUNT_ACCESS },
    SealedColumn { table: "fan", key: "id", column: "open_id_sealed", about: ABOUT_OPEN_ID },
    SealedColumn { table: "login_entry", key: "id", column: "secret_sealed", about: ABOUT_ENTRY_SECRET },
    SealedColumn { table: "authorised_login", key: "id", column: "subject_sealed", about: ABOUT_LOGIN_SUBJECT },
    SealedColumn { table: "login_binding", key: "id", column: "subject_sealed", about: ABOUT_BOUND_SUBJECT },
    SealedColumn {
        table: "workspace_directory",
        key: "workspace_id",
        column: "secret_sealed",
        about: ABOUT_DIRECTORY_SECRET,
    },
    SealedColumn {
        table: "workspace_directory",
        key: "workspace_id",
        column: "callback_token_sealed",
        about: ABOUT_CALLBACK_TOKEN,
    },
    SealedColumn {
        table: "workspace_directory",
        key: "workspace_id",
        column: "callback_key_sealed",
        about: ABOUT_CALLBACK_KEY,
    },
    SealedColumn {
        table: "workspace_directory",
        key: "workspace_id",
        column: "access_sealed",
        about: ABOUT_DIRECTORY_ACCESS,
    },
    SealedColumn {
        table: "workspace_provider",
        key: "workspace_id",
        column: "secret_sealed",
        about: ABOUT_PROVIDER_SECRET,
    },
];

impl Tx {
    /// Up to `limit` rows of a column, each with its key and secret, ordered by key, from the one after the key `after`
    /// on.
    pub(crate) async fn sealed_rows(
        &mut self,
        SealedColumn { table, key, column, .. }: &SealedColumn,
        after: &str,
        limit: i64,
    ) -> Result<Vec<(String, String)>> {
        Ok(fetch_built!(self, (String, String), |q| {
            q.push(format_args!("SELECT {key}, {column} FROM {table} WHERE {column} IS NOT NULL AND {key} > "));
            q.push_bind(after).push(format_args!(" ORDER BY {key} LIMIT ")).push_bind(limit);
        })?)
    }

    /// Replaces the sealed secret `old` of a row by `new`. Returns `false` when the row has another one by now.
    pub(crate) async fn replace_sealed(
        &mut self,
        SealedColumn { table, key, column, .. }: &SealedColumn,
        row: &str,
        old: &str,
        new: &str,
    ) -> Result<bool> {
        let changed = execute_built!(self, |q| {
            q.push(format_args!("UPDATE {table} SET {column} = ")).push_bind(new);
            q.push(format_args!(" WHERE {key} = ")).push_bind(row);
            q.push(format_args!(" AND {column} = ")).push_bind(old);
        })?;
        Ok(changed > 0)
    }
}

/// What each sealed secret is bound to; see [`crate::SEALED`].
pub const ABOUT_LINK: &str = "authorisation-link";

/// What a sealed authorisation code is about.
pub const ABOUT_CODE: &str = "authorisation-code";

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::{Db, DbConfig, execute, fetch};
    use berth_base::clock::Nature;

    impl SealedColumn {
        /// A column that tests make for themselves.
        pub(crate) const PROBE: Self = Self { table: "probe", key: "id", column: "secret_sealed", about: "probe" };
    }

    impl Tx {
        /// Makes [`SealedColumn::PROBE`] with these secrets, and a row without one.
        pub(crate) async fn insert_probes(&mut self, rows: impl Iterator<Item = (String, String)>) -> Result<()> {
            execute!(self, "CREATE TABLE probe (id TEXT PRIMARY KEY, secret_sealed TEXT)")?;
            for (id, sealed) in rows {
                execute!(self, "INSERT INTO probe (id, secret_sealed) VALUES ($1, $2)", id, sealed)?;
            }
            execute!(self, "INSERT INTO probe (id, secret_sealed) VALUES ('none', NULL)")?;
            Ok(())
        }
    }

    #[tokio::test]
    async fn f99_every_sealed_column_of_the_schema_is_listed() {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::open(&DbConfig::default(), folder.path(), Nature::default()).await.unwrap();
        let mut tx = db.read().await.unwrap();
        let found = fetch!(
            tx,
            fetch_all,
            (String, String),
            "SELECT t.name, c.name FROM sqlite_master t JOIN pragma_table_info(t.name) c ON TRUE
             WHERE t.type = 'table' AND c.name LIKE '%sealed'"
        )
        .unwrap();
        let found: BTreeSet<_> = found.into_iter().collect();
        let listed: BTreeSet<_> = SEALED.iter().map(|one| (one.table.to_owned(), one.column.to_owned())).collect();
        assert_eq!(found, listed, "in the schema, or in store/sealed.rs");
    }

    #[test]
    fn i8_no_two_columns_share_what_their_secrets_are_about() {
        let abouts: BTreeSet<_> = SEALED.iter().map(|one| one.about).collect();
        assert_eq!(abouts.len(), SEALED.len(), "a secret could be moved from one column to the other");
    }
}
