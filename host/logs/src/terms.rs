//! What is noted of each block of entries, so that a search can pass over blocks that hold nothing for it: the values of
//! all fields and the words (`terms`), and all runs of three bytes of messages (`grams`), by which texts are found that are
//! no words. Chinese is found from one character on, which has three bytes.

use berth_model::log::{Filter, Level, LogEntry, page_path, tokens};

use crate::bloom::{Filling, hash, may_have};

fn field(kind: u8, text: &str) -> u64 {
    hash(kind, &[text.as_bytes()])
}

fn level(mini_app: Option<&str>, level: Level) -> u64 {
    match mini_app {
        Some(mini_app) => hash(b'L', &[mini_app.as_bytes(), level.as_str().as_bytes()]),
        None => field(b'l', level.as_str()),
    }
}

/// Calls `note` with the hash of every term of an entry.
fn each_term(entry: &LogEntry, note: &mut impl FnMut(u64)) {
    note(field(b'm', entry.mini_app.as_str()));
    note(field(b'h', entry.host_app.as_str()));
    note(level(None, entry.level));
    note(level(Some(entry.mini_app.as_str()), entry.level));
    note(field(b'p', &entry.platform));
    note(field(b'g', &entry.guid));
    note(field(b'P', page_path(&entry.page)));
    note(field(b'v', &entry.version));
    note(field(b'c', &entry.host_version));
    note(field(b's', &entry.sdk_version));
    entry.account.iter().for_each(|account| note(field(b'a', account)));
    tokens(&entry.message).for_each(|word| note(field(b'w', &word)));
    tokens(&entry.filter_msg).for_each(|word| note(field(b'f', &word)));
}

/// What is noted of a block.
pub struct Notes {
    /// The set of terms.
    pub terms: Vec<u8>,
    /// The set of runs of three bytes.
    pub grams: Vec<u8>,
}

/// Notes what is in a block.
pub fn notes(entries: &[LogEntry]) -> Notes {
    let (mut terms, mut grams) = (Filling::new(), Filling::new());
    for entry in entries {
        each_term(entry, &mut |hash| terms.add(hash));
        entry.message.as_bytes().windows(3).for_each(|run| grams.add(hash(b'3', &[run])));
    }
    Notes { terms: terms.bytes(), grams: grams.bytes() }
}

/// What a block must have for a search to look into it.
#[derive(Debug, Default)]
pub struct Wanted {
    /// Of each list one.
    terms: Vec<Vec<u64>>,
    /// All of these.
    grams: Vec<u64>,
}

impl Wanted {
    /// What a filter wants.
    pub fn of(filter: &Filter) -> Self {
        let Filter {
            mini_app,
            host_app,
            level: lowest,
            platform,
            guid,
            account,
            page,
            version,
            host_version,
            sdk_version,
            words,
            contains,
            filter_msg,
        } = filter;
        let mini_app = mini_app.as_ref().map(|id| id.as_str());
        let named = [
            (b'm', mini_app),
            (b'h', host_app.as_ref().map(|id| id.as_str())),
            (b'p', platform.as_deref()),
            (b'g', guid.as_deref()),
            (b'a', account.as_deref()),
            (b'P', page.as_deref()),
            (b'v', version.as_deref()),
            (b'c', host_version.as_deref()),
            (b's', sdk_version.as_deref()),
        ];
        let named = named.into_iter().filter_map(|(kind, text)| Some(vec![field(kind, text?)]));
        let levels = lowest.filter(|lowest| *lowest > Level::Debug);
        let levels = levels.map(|lowest| lowest.and_above().map(|one| level(mini_app, one)).collect());
        let said = |kind, phrases: &[Vec<String>]| -> Vec<_> {
            phrases.iter().flatten().map(|word| vec![field(kind, word)]).collect()
        };
        let terms = named.chain(levels).chain(said(b'w', words)).chain(said(b'f', filter_msg)).collect();
        let grams = contains.iter().flat_map(|text| text.as_bytes().windows(3)).map(|run| hash(b'3', &[run])).collect();
        Self { terms, grams }
    }

    /// Whether grams must be looked at.
    pub fn wants_grams(&self) -> bool {
        !self.grams.is_empty()
    }

    /// Whether a block may hold what is wanted.
    pub fn may_be_in(&self, terms: &[u8], grams: Option<&[u8]>) -> bool {
        self.terms.iter().all(|any| any.iter().any(|hash| may_have(terms, *hash)))
            && grams.is_none_or(|grams| self.grams.iter().all(|hash| may_have(grams, *hash)))
    }
}
