//! Which entries somebody looks for.

use berth_base::{
    clock::Millis,
    error::{Error, Result},
    ids::{HostAppId, MiniAppId},
    page::{PageQuery, paged},
};
use serde::{Deserialize, Serialize};

use super::{Level, LogEntry, LogId, Phrase, is_said, phrases};

macro_rules! queries {
    ($($(#[$doc:meta])* $name:ident { $($(#[$own_doc:meta])* $own:ident: $own_type:ty,)* })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::IntoParams)]
        #[into_params(parameter_in = Query)]
        pub struct $name {
            /// Only those of this MiniApp. This or `host_app` is required.
            #[serde(default)]
            pub mini_app: Option<MiniAppId>,
            /// Only those that came from this host app.
            #[serde(default)]
            pub host_app: Option<HostAppId>,
            /// Only those at this level and above: `debug`, `info`, `warn`, `error`.
            #[serde(default)]
            pub level: Option<Level>,
            /// Only those from this operating system, such as `android`.
            #[serde(default)]
            pub platform: Option<String>,
            /// Only those of this installation of the host app.
            #[serde(default)]
            pub guid: Option<String>,
            /// Only those of this account. For members of the host app, which must be named by `host_app`, and of the platform.
            #[serde(default)]
            pub account: Option<String>,
            /// Only those of this page, whatever its parameters.
            #[serde(default)]
            pub page: Option<String>,
            /// Only those of this version of the MiniApp.
            #[serde(default)]
            pub version: Option<String>,
            /// Only those of this version of the host app.
            #[serde(default)]
            pub host_version: Option<String>,
            /// Only those of this version of the SDK.
            #[serde(default)]
            pub sdk_version: Option<String>,
            /// Only those whose message has all of these words, in any case. Words that are not parted by a space must
            /// stand one after the other.
            #[serde(default)]
            pub words: Option<String>,
            /// Only those whose message contains this text, exactly.
            #[serde(default)]
            pub contains: Option<String>,
            /// Only those whose `filter_msg` has all of these words.
            #[serde(default)]
            pub filter_msg: Option<String>,
            $($(#[$own_doc])* #[serde(default)] pub $own: $own_type,)*
        }

        impl $name {
            /// What entries must be like.
            ///
            /// # Errors
            /// `invalid-field` when no MiniApp and no host app is named, or something is asked for that has no letter.
            pub fn filter(&self) -> Result<Filter> {
                let Self {
                    mini_app, host_app, level, platform, guid, account, page, version, host_version, sdk_version,
                    words, contains, filter_msg, ..
                } = self.clone();
                if mini_app.is_none() && host_app.is_none() {
                    return Err(Error::parameter("mini_app", "name the MiniApp, or the host app by host_app."));
                }
                let (words, filter_msg) = (said("words", words)?, said("filter_msg", filter_msg)?);
                let contains = contains.filter(|text| !text.is_empty());
                Ok(Filter {
                    mini_app, host_app, level, platform, guid, account, page, version, host_version, sdk_version,
                    words, contains, filter_msg,
                })
            }
        }
    )*};
}

queries! {
    /// Which entries to list. The conditions are ANDed.
    LogQuery {
        /// Only those that arrived at this moment or later.
        from: Option<Millis>,
        /// Only those that arrived before this moment.
        until: Option<Millis>,
        /// The `next` of the page before.
        cursor: Option<String>,
        /// How many entries a page has at most, 1 to 200; 50 when absent.
        limit: Option<u32>,
    }
    /// Which entries a stream has. The conditions are ANDed.
    LogStreamQuery {
        /// Only those after the entry with this id. When absent the stream begins with what arrives next. The header
        /// `Last-Event-ID` takes precedence.
        after: Option<LogId>,
    }
}

paged!(LogQuery);

fn said(name: &str, typed: Option<String>) -> Result<Vec<Phrase>> {
    let Some(typed) = typed.filter(|typed| !typed.trim().is_empty()) else { return Ok(Vec::new()) };
    let found = phrases(&typed);
    if found.is_empty() {
        let rule = "has no letter and no digit. Look for signs in messages by `contains`.";
        return Err(Error::parameter(name, rule));
    }
    Ok(found)
}

/// What entries must be like. All that is told must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the members of `LogQuery`")]
pub struct Filter {
    pub mini_app: Option<MiniAppId>,
    pub host_app: Option<HostAppId>,
    pub level: Option<Level>,
    pub platform: Option<String>,
    pub guid: Option<String>,
    pub account: Option<String>,
    pub page: Option<String>,
    pub version: Option<String>,
    pub host_version: Option<String>,
    pub sdk_version: Option<String>,
    pub words: Vec<Phrase>,
    pub contains: Option<String>,
    pub filter_msg: Vec<Phrase>,
}

impl Filter {
    /// Whether an entry is one of those.
    pub fn takes(&self, entry: &LogEntry) -> bool {
        let is = |wanted: &Option<String>, text: &str| wanted.as_ref().is_none_or(|wanted| wanted == text);
        self.mini_app.as_ref().is_none_or(|wanted| *wanted == entry.mini_app)
            && self.host_app.as_ref().is_none_or(|wanted| *wanted == entry.host_app)
            && self.level.is_none_or(|wanted| wanted <= entry.level)
            && is(&self.platform, &entry.platform)
            && is(&self.guid, &entry.guid)
            && self.account.as_ref().is_none_or(|wanted| entry.account.as_ref() == Some(wanted))
            && is(&self.page, page_path(&entry.page))
            && is(&self.version, &entry.version)
            && is(&self.host_version, &entry.host_version)
            && is(&self.sdk_version, &entry.sdk_version)
            && self.contains.as_ref().is_none_or(|wanted| entry.message.contains(wanted.as_str()))
            && self.says(&entry.message, &entry.filter_msg)
    }

    /// Whether a message and a `filter_msg` say what is looked for, as far as words go.
    pub fn says(&self, message: &str, filter_msg: &str) -> bool {
        is_said(message, &self.words) && is_said(filter_msg, &self.filter_msg)
    }
}

/// The path of a page, without its parameters.
pub fn page_path(page: &str) -> &str {
    page.split('?').next().unwrap_or_default()
}

/// Which part of the log: ids from `from` to below `below`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The smallest id.
    pub from: LogId,
    /// Above the greatest id.
    pub below: LogId,
}

impl LogQuery {
    /// The part of the log that is asked for.
    ///
    /// # Errors
    /// `invalid-cursor`; `invalid-field` for a time that ends before it begins.
    pub fn span(&self) -> Result<Span> {
        let from = self.from.map_or(LogId(0), LogId::at);
        let until = self.until.map_or(LogId(i64::MAX), LogId::at);
        if until < from {
            return Err(Error::parameter("until", "must not be before from."));
        }
        let cursor = self.cursor.as_deref().map(str::parse::<LogId>).transpose();
        let cursor = cursor.map_err(|_| {
            let text = "The cursor is not one of this list. Leave it out for the first page.";
            Error::new(berth_base::error::Code::InvalidCursor, text)
        })?;
        Ok(Span { from, below: cursor.map_or(until, |cursor| cursor.min(until)) })
    }

    /// How many entries a page has at most.
    pub fn most(&self) -> usize {
        PageQuery { cursor: None, limit: self.limit }.limit() as usize
    }
}

/// A page of entries, newest first.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct LogPage {
    /// The entries of the page.
    pub items: Vec<LogEntry>,
    /// Send it as `cursor` to get what follows; absent when everything was looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// A search ends after a time (`--log-search`), and the page is then shorter than its limit, or empty. It has looked
    /// at everything that arrived at this moment or later; `next` goes on before it. Absent when the page is full or the
    /// last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub searched_to: Option<Millis>,
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::*;
    use crate::log::entry::tests::arrived;
    use serde_json::{Value, json};

    fn filter(query: Value) -> Filter {
        serde_json::from_value::<LogQuery>(query).unwrap().filter().unwrap()
    }

    #[test]
    fn d4_each_condition_takes_what_it_names_and_nothing_else() {
        let mut entry = LogEntry::of(LogId(7), &arrived("shop", "支付 timed out, code=504"));
        (entry.level, entry.page, entry.filter_msg) = (Level::Warn, "pages/pay?id=7".into(), "order-77".into());
        (entry.platform, entry.version, entry.account) = ("ios".into(), "1.0.0".into(), Some("alice".into()));
        (entry.sdk_version, entry.host_version) = ("2.1".into(), "3.2.1".into());
        for (name, hit, miss) in [
            ("mini_app", "shop", "tea"),
            ("host_app", "mall", "other"),
            ("level", "info", "error"),
            ("level", "warn", "error"),
            ("platform", "ios", "android"),
            ("guid", "g", "h"),
            ("account", "alice", "bob"),
            ("page", "pages/pay", "pages/pay?id=7"),
            ("page", "pages/pay", "pages"),
            ("version", "1.0.0", "1.0"),
            ("host_version", "3.2.1", "3.2"),
            ("sdk_version", "2.1", "2"),
            ("words", "TIMED 支付", "time"),
            ("contains", "med out, c", "Timed"),
            ("filter_msg", "order", "ord"),
        ] {
            let with = |value: &str| {
                let mut query = json!({"host_app": "mall"});
                query[name] = json!(value);
                filter(query)
            };
            assert!(with(hit).takes(&entry) && !with(miss).takes(&entry), "{name}");
        }
        entry.account = None;
        assert!(!filter(json!({"host_app": "mall", "account": ""})).takes(&entry), "no account is not an empty one");
    }

    #[test]
    fn d4_a_query_says_whose_logs_and_what_can_be_found() {
        let refused = |query: Value| {
            let query: LogQuery = serde_json::from_value(query).unwrap();
            query.filter().map(drop).and_then(|()| query.span().map(drop)).unwrap_err().fields["field"].clone()
        };
        assert_eq!(refused(json!({"level": "warn"})), "mini_app");
        assert_eq!(refused(json!({"mini_app": "shop", "words": "!?"})), "words");
        assert_eq!(refused(json!({"mini_app": "shop", "filter_msg": "--"})), "filter_msg");
        let (from, until) = ("2030-01-02T00:00:00Z", "2030-01-01T00:00:00Z");
        assert_eq!(refused(json!({"mini_app": "shop", "from": from, "until": until})), "until");
        assert_eq!(
            filter(json!({"mini_app": "shop", "words": " ", "contains": ""})),
            filter(json!({"mini_app": "shop"}))
        );
    }

    #[test]
    fn d4_the_next_page_begins_below_the_last_entry() {
        let query = |more: Value| {
            let mut query = json!({"from": "2030-01-01T00:00:00Z", "until": "2030-01-02T00:00:00Z"});
            query.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            serde_json::from_value::<LogQuery>(query).unwrap().span()
        };
        let whole = query(json!({})).unwrap();
        assert_eq!(whole.from.received_at().to_string(), "2030-01-01T00:00:00.000Z");
        let middle = LogId(whole.from.0 + 5);
        assert_eq!(query(json!({"cursor": middle})).unwrap(), Span { below: middle, ..whole });
        assert_eq!(query(json!({"cursor": LogId(i64::MAX)})).unwrap(), whole, "a cursor widens nothing");
        assert_eq!(query(json!({"cursor": "x"})).unwrap_err().code, berth_base::error::Code::InvalidCursor);
    }
}
