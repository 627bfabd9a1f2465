//! Uploaded lists in memory, 16 bytes for each member. They are loaded when a gray task needs them, and tasks that use
//! the same list share it.

use std::{collections::HashMap, io::BufRead, sync::Arc};

use berth_model::check::Key;

use super::judge::Cohorts;
use berth_base::ids::CohortId;

/// The members of one uploaded list, as sorted keys.
pub struct Members(Box<[Key]>);

impl Members {
    /// Reads the members, one from each line; a line that occurs twice counts once.
    pub fn from_lines(lines: impl BufRead) -> std::io::Result<Self> {
        let mut keys =
            lines.lines().map(|line| line.map(|line| Key::of(&line))).collect::<std::io::Result<Vec<_>>>()?;
        keys.sort_unstable();
        keys.dedup();
        Ok(Self(keys.into()))
    }

    /// Whether `key`, a guid, device id or account, is a member.
    pub fn contains(&self, key: &str) -> bool {
        self.has(Key::of(key))
    }

    /// Whether the guid, device id or account with this key is a member.
    pub fn has(&self, key: Key) -> bool {
        self.0.binary_search(&key).is_ok()
    }

    /// The number of members.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether the list has no members.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The uploaded lists that the policies of one task name in their configs. The policies cannot ask about other lists
/// (I7).
#[derive(Default)]
pub struct TaskCohorts(pub HashMap<CohortId, Arc<Members>>);

impl Cohorts for TaskCohorts {
    fn contains(&self, name: &str, key: &str) -> bool {
        self.0.get(name).is_some_and(|members| members.contains(key))
    }
}
