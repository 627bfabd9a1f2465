//! Where an organisation keeps its address book, when this host pulls it from there (W9–W12): what is set, how the last sync
//! went, and the decision what a sync changes. SCIM is the other way, by which a directory pushes.

mod attributes;
mod book;
mod plan;
mod wecom;

pub use attributes::{known_group, known_member, stored_group, stored_member};
pub use book::{Book, Department, Flaw, Person, Tag, key};
pub use plan::{Plan, Step, TooMuch, plan};
pub use wecom::{CORP_ID_LONGEST, PutWecomCallback, WECOM_BASE_URL};

use berth_base::{
    clock::Millis,
    error::{Error, Result},
    ids::WorkspaceId,
    secret::Secret,
    text::{self, text_enum},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How many hours lie between two syncs, when nothing is said.
const EVERY_HOURS: i64 = 6;
/// How many hours may lie between two syncs.
const HOURS: std::ops::RangeInclusive<i64> = 1..=168;

text_enum! {
    /// What keeps the address book of an organisation.
    DirectoryKind {
        /// WeCom (企业微信).
        Wecom = "wecom",
    }
}

text_enum! {
    /// What the secret may read.
    DirectoryReads {
        /// Members with their names, departments and tags with theirs: the secret of an application of the organisation.
        Members = "members",
        /// Ids only, and names of tags: the secret of the contact sync (通讯录同步), to which WeCom gives no names since August 2022.
        Ids = "ids",
    }
}

text_enum! {
    /// How far a sync is.
    SyncState {
        /// The next one begins in a moment.
        Waiting = "waiting",
        /// A host is at it.
        Running = "running",
        /// The address book was as the directory says.
        Done = "done",
        /// It would have taken away too much, and changed nothing.
        Refused = "refused",
        /// The directory could not be read, and nothing has changed.
        Failed = "failed",
    }
}

/// From where the address book of a workspace is pulled. The secrets are never shown.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[cfg_attr(feature = "sql", derive(sqlx::FromRow))]
#[schema(as = WorkspaceDirectorySettings)]
pub struct DirectorySettings {
    /// The workspace.
    #[cfg_attr(feature = "sql", sqlx(rename = "workspace_id"))]
    pub workspace: WorkspaceId,
    /// What keeps the address book.
    pub kind: DirectoryKind,
    /// The id of the organisation there.
    pub corp_id: String,
    /// What the secret may read.
    pub reads: DirectoryReads,
    /// The address of the API.
    pub base_url: String,
    /// The hours between two syncs.
    pub every_hours: i64,
    /// Whether the directory can tell this host that something has changed.
    pub callback: bool,
    /// Who set it last.
    pub changed_by: String,
    /// When.
    pub changed_at: Millis,
}

impl DirectorySettings {
    /// What the rows of the address book that came from here are marked by.
    pub fn source(&self) -> String {
        format!("{}:{}", self.kind, self.corp_id)
    }
}

/// From where the address book of a workspace is pulled, and how that goes.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[schema(as = WorkspaceDirectory)]
pub struct Directory {
    /// What is set.
    #[serde(flatten)]
    pub settings: DirectorySettings,
    /// The address that is entered in the directory, to which it tells that something has changed; absent while the host does not know
    /// its own address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub callback_url: Option<String>,
    /// How the last sync went.
    pub sync: DirectorySync,
}

/// How the last sync went, and when the next one is.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct DirectorySync {
    /// How far it is.
    pub state: SyncState,
    /// When the address book was last as the directory said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub synced_at: Option<Millis>,
    /// When the last one ended, however it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tried_at: Option<Millis>,
    /// When the next one begins.
    pub next_at: Millis,
    /// Why the last one was refused or failed: the type of the problem, which has a page at `/problems/{type}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// The same in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// What the last one that was done has found and changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counts: Option<SyncCounts>,
}

/// What a sync has found and changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct SyncCounts {
    /// The members that the directory has.
    pub members: u64,
    /// Its departments.
    pub departments: u64,
    /// Its tags.
    pub tags: u64,
    /// Members who came.
    pub members_created: u64,
    /// Members of whom something changed, or who came back.
    pub members_changed: u64,
    /// Members who may use nothing any more.
    pub members_deactivated: u64,
    /// Departments and tags that came.
    pub groups_created: u64,
    /// Departments and tags that changed, or who is in them.
    pub groups_changed: u64,
    /// Departments and tags that are gone.
    pub groups_deleted: u64,
}

impl SyncCounts {
    /// Whether anything changed.
    pub fn has_changed(&self) -> bool {
        let members = self.members_created + self.members_changed + self.members_deactivated;
        members + self.groups_created + self.groups_changed + self.groups_deleted > 0
    }
}

/// Sets from where the address book of a workspace is pulled.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PutWorkspaceDirectory)]
pub struct PutDirectory {
    /// What keeps the address book.
    pub kind: DirectoryKind,
    /// The id of the organisation there (企业ID).
    pub corp_id: String,
    /// The secret by which the address book is read. It is kept sealed and never shown; the former one stays when it is absent, as long
    /// as it is the same organisation at the same address.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub secret: Option<Secret>,
    /// What the secret may read; `members` when absent.
    #[serde(default)]
    pub reads: Option<DirectoryReads>,
    /// The address of the API; that of WeCom when absent. A proxy of the organisation may stand there.
    #[serde(default)]
    pub base_url: Option<String>,
    /// The hours between two syncs, 1 to 168; 6 when absent.
    #[serde(default)]
    pub every_hours: Option<i64>,
    /// By what the directory tells that something has changed; what was said last stays when it is absent.
    #[serde(default)]
    pub callback: Option<PutWecomCallback>,
}

impl PutDirectory {
    /// Refuses what breaks a rule that needs no look at the directory.
    ///
    /// # Errors
    /// `invalid-field`.
    pub fn check(&self) -> Result<()> {
        wecom::corp_id(&self.corp_id)?;
        if let Some(hours) = self.every_hours.filter(|hours| !HOURS.contains(hours)) {
            return Err(Error::field("every_hours", format!("is 1 to 168, not {hours}.")));
        }
        if let Some(secret) = &self.secret {
            text::name("secret", secret.expose(), 256)?;
        }
        self.callback.as_ref().map_or(Ok(()), PutWecomCallback::check)
    }

    /// The address of the API, without a slash at its end.
    pub fn base_url(&self) -> &str {
        self.base_url.as_deref().unwrap_or(WECOM_BASE_URL).trim().trim_end_matches('/')
    }

    /// The hours between two syncs.
    pub fn every_hours(&self) -> i64 {
        self.every_hours.unwrap_or(EVERY_HOURS)
    }
}

/// Asks for a sync now.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AskSync {
    /// Whether it may take away as much as the directory says, even where that looks like a mistake.
    #[serde(default)]
    pub force: bool,
}

/// A sync changed the address book of a workspace.
#[derive(Serialize, ToSchema)]
#[schema(as = WorkspaceDirectorySynced)]
pub struct DirectorySynced {
    /// The workspace.
    pub workspace: WorkspaceId,
    /// What keeps the address book.
    pub kind: DirectoryKind,
    /// What was found and changed.
    pub counts: SyncCounts,
}

/// A sync changed nothing, as it was refused or the directory could not be read.
#[derive(Serialize, ToSchema)]
#[schema(as = WorkspaceDirectoryStuck)]
pub struct DirectoryStuck {
    /// The workspace.
    pub workspace: WorkspaceId,
    /// What keeps the address book.
    pub kind: DirectoryKind,
    /// The type of the problem.
    pub problem: String,
    /// Why, in words.
    pub detail: String,
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn put(more: Value) -> Result<PutDirectory> {
        let mut body = json!({"kind": "wecom", "corp_id": "ww0123456789abcdef"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let put: PutDirectory = serde_json::from_value(body).unwrap();
        put.check().map(|()| put)
    }

    #[test]
    fn w9_what_is_set_is_checked_before_anybody_is_asked() {
        let defaults = put(json!({})).unwrap();
        assert_eq!((defaults.base_url(), defaults.every_hours()), (WECOM_BASE_URL, 6));
        assert_eq!(
            put(json!({"base_url": "https://proxy.acme.example/wecom/"})).unwrap().base_url(),
            "https://proxy.acme.example/wecom"
        );
        for (more, at) in [
            (json!({"corp_id": ""}), "corp_id"),
            (json!({"corp_id": "ww 1"}), "corp_id"),
            (json!({"corp_id": "w".repeat(65)}), "corp_id"),
            (json!({"every_hours": 0}), "every_hours"),
            (json!({"every_hours": 169}), "every_hours"),
            (json!({"secret": ""}), "secret"),
            (json!({"callback": {"token": "a b", "aes_key": "k".repeat(43)}}), "callback.token"),
            (json!({"callback": {"token": "t", "aes_key": "short"}}), "callback.aes_key"),
        ] {
            let refused = put(more.clone()).unwrap_err();
            assert!(refused.detail.starts_with(at), "{more}: {refused}");
        }
        let canary =
            put(json!({"secret": "canary", "callback": {"token": "canary", "aes_key": "canary".repeat(7) + "k"}}));
        assert!(!format!("{:?}", canary.unwrap()).contains("canary"));
    }
}
