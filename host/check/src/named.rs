//! Whom gray tasks and trials name: the devices and accounts in their lists. A limit that holds for everybody must not
//! lock these out (F110).

use std::{collections::HashSet, sync::Arc};

use berth_model::check::{Device, Key};

use super::Members;

/// The devices and accounts that a gray task names, in typed lists and in uploaded ones.
#[derive(Default)]
pub struct Named {
    typed: HashSet<Key>,
    uploaded: Vec<Arc<Members>>,
}

impl Named {
    /// Those that are typed, and the members of the uploaded lists.
    pub fn new<'a>(typed: impl IntoIterator<Item = &'a String>, uploaded: Vec<Arc<Members>>) -> Self {
        Self { typed: typed.into_iter().map(|one| Key::of(one)).collect(), uploaded }
    }

    /// Whether the task has no lists.
    pub fn is_empty(&self) -> bool {
        self.typed.is_empty() && self.uploaded.is_empty()
    }

    fn contains(&self, key: Key) -> bool {
        self.typed.contains(&key) || self.uploaded.iter().any(|list| list.has(key))
    }

    /// The key of what the client claims and the lists name.
    pub fn find(&self, claims: &Claims<'_>) -> Option<Key> {
        claims.keys().find(|key| self.contains(*key))
    }
}

/// What a client says of itself that lists can name. Nothing of it is proved.
#[derive(Clone, Copy, Debug, Default)]
pub struct Claims<'a> {
    /// Id of the installation.
    pub guid: Option<&'a str>,
    /// Id of the hardware.
    pub device_id: Option<&'a str>,
    /// The account that is logged in.
    pub account: Option<&'a str>,
}

impl<'a> From<&'a Device> for Claims<'a> {
    fn from(device: &'a Device) -> Self {
        Self { guid: Some(&device.guid), device_id: device.device_id.as_deref(), account: device.account.as_deref() }
    }
}

impl Claims<'_> {
    fn keys(&self) -> impl Iterator<Item = Key> + use<'_> {
        [self.guid, self.device_id, self.account].into_iter().flatten().map(Key::of)
    }
}
