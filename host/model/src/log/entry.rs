//! What an SDK sends, what is kept of it, and what it is told.

use std::{fmt, marker::PhantomData, sync::Arc};

use berth_base::{
    clock::Millis,
    error::{Error, Result},
    ids::{HostAppId, MiniAppId},
    text::{short, text_enum},
};
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{IgnoredAny, SeqAccess, Visitor},
};

use super::{Level, LogId};

/// How many entries a batch has, at most.
pub const MAX_ENTRIES: usize = 1000;

/// Length in bytes of a page with its parameters, at most.
const MAX_PAGE: usize = 1024;

/// A batch of entries of one device. Members that a check has too mean the same here.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct NewLogs<E = NewEntry> {
    /// Id of the host app in which the MiniApps run.
    pub host_app: HostAppId,
    /// Version of the host app, which is the client.
    #[serde(default)]
    pub host_version: String,
    /// Version of the SDK, which is the base library.
    #[serde(default)]
    pub sdk_version: String,
    /// Operating system: `android`, `ios` or `harmony`.
    #[serde(default)]
    pub platform: String,
    /// Version of the operating system.
    #[serde(default)]
    pub os_version: String,
    /// Id of this installation of the host app. Required, at most 256 bytes.
    pub guid: String,
    /// Id of the account that is logged in to the host app, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The entries, oldest first; at most 1,000.
    #[serde(deserialize_with = "not_many_more", bound(deserialize = "E: Deserialize<'de>"))]
    pub entries: Vec<E>,
}

/// Reads a list up to one more than a batch may have. What follows is passed over, so that it takes no memory.
fn not_many_more<'de, D: Deserializer<'de>, E: Deserialize<'de>>(list: D) -> std::result::Result<Vec<E>, D::Error> {
    struct List<E>(PhantomData<E>);
    impl<'de, E: Deserialize<'de>> Visitor<'de> for List<E> {
        type Value = Vec<E>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a sequence")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> std::result::Result<Vec<E>, A::Error> {
            let mut entries = Vec::new();
            while entries.len() <= MAX_ENTRIES {
                let Some(entry) = list.next_element()? else { return Ok(entries) };
                entries.push(entry);
            }
            while list.next_element::<IgnoredAny>()?.is_some() {}
            Ok(entries)
        }
    }
    list.deserialize_seq(List(PhantomData))
}

/// An entry, as an SDK sends it.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct NewEntry {
    /// Id of the MiniApp that wrote it.
    pub mini_app: String,
    /// The version that ran.
    #[serde(default)]
    pub version: String,
    /// When it was written, by the clock of the device.
    pub at: Millis,
    /// How serious it is.
    pub level: Level,
    /// The page that was open, such as `pages/index/index?id=7`; at most 1,024 bytes.
    #[serde(default)]
    pub page: String,
    /// What is said.
    pub message: String,
    /// What the MiniApp set to find its entries by (`setFilterMsg`).
    #[serde(default)]
    pub filter_msg: String,
}

/// The device that sent a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the members of `NewLogs`")]
pub struct Sender {
    pub host_app: HostAppId,
    pub host_version: String,
    pub sdk_version: String,
    pub platform: String,
    pub os_version: String,
    pub guid: String,
    pub account: Option<String>,
}

/// An entry that has arrived and whose id is still to be given.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the members of `NewEntry`")]
pub struct Arrived {
    /// The device that sent it.
    pub sender: Arc<Sender>,
    pub mini_app: MiniAppId,
    pub version: String,
    pub at: Millis,
    pub level: Level,
    pub page: String,
    pub message: String,
    pub filter_msg: String,
}

impl Arrived {
    /// What it counts for against limits: the bytes of its texts.
    pub fn bytes(&self) -> u64 {
        let Sender { host_app, host_version, sdk_version, platform, os_version, guid, account } = &*self.sender;
        let of_sender = [host_app.as_str(), host_version, sdk_version, platform, os_version, guid];
        let own = [self.mini_app.as_str(), &self.version, &self.page, &self.message, &self.filter_msg];
        let account = account.as_deref().unwrap_or_default();
        of_sender.iter().chain(&own).chain([&account]).map(|text| text.len() as u64).sum()
    }
}

text_enum! {
    /// Why an entry was not kept.
    Refusal {
        /// It is not an entry: a member is missing or of the wrong form.
        Unreadable = "unreadable",
        /// It has more bytes than an entry may have.
        TooLarge = "too-large",
        /// No such MiniApp is bound to the host app.
        MiniAppUnknown = "mini-app-unknown",
        /// The MiniApp has sent as many entries today as it may.
        MiniAppDayFull = "mini-app-day-full",
        /// The host takes no more logs today.
        DayFull = "day-full",
    }
}

/// An entry that was not kept.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
pub struct Refused {
    /// Its place in the batch, from 0.
    pub entry: usize,
    /// Why it was not kept.
    pub reason: Refusal,
    /// The same for people, and what to do about it.
    pub detail: String,
}

/// What became of a batch: all entries are kept that are not among the refused.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
pub struct Taken {
    /// How many entries are kept. They are stored.
    pub kept: usize,
    /// Those that are not, in their order.
    pub refused: Vec<Refused>,
}

/// An entry of the log.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
pub struct LogEntry {
    /// Its id. Entries that arrived later have greater ones.
    pub id: LogId,
    /// When it arrived at the host.
    pub received_at: Millis,
    /// When it was written, by the clock of the device, which may be wrong.
    pub at: Millis,
    /// How serious it is.
    pub level: Level,
    /// The MiniApp that wrote it.
    pub mini_app: MiniAppId,
    /// The version that ran; may be empty.
    pub version: String,
    /// The page that was open; may be empty.
    pub page: String,
    /// What is said. What rules mask is masked.
    pub message: String,
    /// What the MiniApp set to find it by; may be empty.
    pub filter_msg: String,
    /// The host app in which the MiniApp ran.
    pub host_app: HostAppId,
    /// Version of the host app; may be empty.
    pub host_version: String,
    /// Version of the SDK; may be empty.
    pub sdk_version: String,
    /// Operating system; may be empty.
    pub platform: String,
    /// Version of the operating system; may be empty.
    pub os_version: String,
    /// The installation of the host app.
    pub guid: String,
    /// The account that was logged in, if any. Absent for callers without a role in the host app, such as the MiniApp's team.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
}

impl LogEntry {
    /// The entry that has arrived, under its id.
    pub fn of(id: LogId, arrived: &Arrived) -> Self {
        let Sender { host_app, host_version, sdk_version, platform, os_version, guid, account } =
            (*arrived.sender).clone();
        let Arrived { mini_app, version, at, level, page, message, filter_msg, .. } = arrived.clone();
        Self {
            id,
            received_at: id.received_at(),
            at,
            level,
            mini_app,
            version,
            page,
            message,
            filter_msg,
            host_app,
            host_version,
            sdk_version,
            platform,
            os_version,
            guid,
            account,
        }
    }
}

/// A batch whose device was checked.
#[derive(Debug)]
pub struct Batch<E> {
    /// The device.
    pub sender: Arc<Sender>,
    /// The entries.
    pub entries: Vec<E>,
}

impl<E> NewLogs<E> {
    /// Checks what is said of the device, and how many entries there are.
    ///
    /// # Errors
    /// `invalid-field`, naming the field.
    pub fn checked(self) -> Result<Batch<E>> {
        let Self { host_app, host_version, sdk_version, platform, os_version, guid, account, entries } = self;
        if guid.trim().is_empty() {
            return Err(Error::field("guid", "must name the installation."));
        }
        if entries.len() > MAX_ENTRIES {
            let rule = format!("at most {MAX_ENTRIES} in one batch. Send them in several.");
            return Err(Error::field("entries", rule));
        }
        for (name, text) in [
            ("host_version", &host_version),
            ("sdk_version", &sdk_version),
            ("platform", &platform),
            ("os_version", &os_version),
            ("guid", &guid),
            ("account", account.as_ref().unwrap_or(&String::new())),
        ] {
            short(name, text)?;
        }
        let sender = Sender { host_app, host_version, sdk_version, platform, os_version, guid, account };
        Ok(Batch { sender: Arc::new(sender), entries })
    }
}

impl NewEntry {
    /// The entry as one that has arrived from `sender`, for a MiniApp that is known. NUL, which no database stores,
    /// becomes U+FFFD.
    ///
    /// # Errors
    /// `Unreadable` or `TooLarge`, with the reason in words.
    pub fn arrived(
        self,
        sender: &Arc<Sender>,
        mini_app: MiniAppId,
        max_bytes: u64,
    ) -> std::result::Result<Arrived, (Refusal, String)> {
        let plain = |text: String| if text.contains('\0') { text.replace('\0', "\u{fffd}") } else { text };
        let Self { version, at, level, page, message, filter_msg, .. } = self;
        short("version", &version).map_err(|error| (Refusal::Unreadable, error.detail))?;
        if page.len() > MAX_PAGE {
            let text = format!("The page has {} bytes; {MAX_PAGE} are allowed.", page.len());
            return Err((Refusal::TooLarge, text));
        }
        let (page, message, filter_msg) = (plain(page), plain(message), plain(filter_msg));
        let entry = Arrived { sender: sender.clone(), mini_app, version, at, level, page, message, filter_msg };
        match entry.bytes() {
            bytes if bytes > max_bytes => {
                let text = format!("The entry has {bytes} bytes; {max_bytes} are allowed. Say less, or cut it.");
                Err((Refusal::TooLarge, text))
            }
            _ => Ok(entry),
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
pub(super) mod tests {
    use serde_json::json;

    use super::*;

    /// An entry of a MiniApp that says this.
    pub fn arrived(mini_app: &str, message: &str) -> Arrived {
        entry(mini_app, message).arrived(&batch(0).checked().unwrap().sender, mini_app.parse().unwrap(), 4096).unwrap()
    }

    fn entry(mini_app: &str, message: &str) -> NewEntry {
        let at = "2030-03-17T17:46:40Z";
        serde_json::from_value(json!({"mini_app": mini_app, "at": at, "level": "info", "message": message})).unwrap()
    }

    fn batch(entries: usize) -> NewLogs {
        let entries: Vec<_> = (0..entries).map(|_| serde_json::to_value(entry("shop", "a")).unwrap()).collect();
        serde_json::from_value(json!({"host_app": "mall", "guid": "g", "entries": entries})).unwrap()
    }

    #[test]
    fn d4_a_batch_names_its_device_and_keeps_its_limits() {
        assert_eq!(batch(1000).checked().unwrap().entries.len(), 1000);
        assert!(batch(1001).checked().unwrap_err().detail.contains("at most 1000"));
        for (name, text) in [("guid", " ".to_owned()), ("guid", "g".repeat(257)), ("platform", "a\0b".into())] {
            let mut one = serde_json::to_value(batch(1)).unwrap();
            one[name] = json!(text);
            let error = serde_json::from_value::<NewLogs>(one).unwrap().checked().unwrap_err();
            assert_eq!(error.fields["pointer"], format!("/{name}"));
        }
    }

    #[test]
    fn d4_an_entry_that_is_too_large_says_how_large_it_may_be() {
        let sender = batch(0).checked().unwrap().sender;
        let take = |entry: NewEntry, max| entry.arrived(&sender, "shop".parse().unwrap(), max);
        assert_eq!(take(entry("shop", "a\0b"), 99).unwrap().message, "a\u{fffd}b");
        let (reason, detail) = take(entry("shop", &"x".repeat(100)), 99).unwrap_err();
        assert_eq!((reason, detail.contains("99 are allowed")), (Refusal::TooLarge, true), "{detail}");
        let page = "p".repeat(1025);
        assert_eq!(take(NewEntry { page, ..entry("shop", "") }, 9999).unwrap_err().0, Refusal::TooLarge);
        let version = "1".repeat(257);
        assert_eq!(take(NewEntry { version, ..entry("shop", "") }, 9999).unwrap_err().0, Refusal::Unreadable);
    }
}
