//! Uploaded lists in memory: 16 bytes a member, loaded when a task first needs them, shared by digest.

use std::{collections::HashMap, io::BufRead, sync::Arc};

use super::{Key, judge::Cohorts};
use crate::ids::CohortId;

/// The members of one list.
pub struct Members(Box<[Key]>);

impl Members {
    /// From lines of text; a line that comes twice counts once.
    pub fn from_lines(lines: impl BufRead) -> std::io::Result<Self> {
        let mut keys =
            lines.lines().map(|line| line.map(|line| Key::of(&line))).collect::<std::io::Result<Vec<_>>>()?;
        keys.sort_unstable();
        keys.dedup();
        Ok(Self(keys.into()))
    }

    /// Whether `key` is a member.
    pub fn contains(&self, key: &str) -> bool {
        self.0.binary_search(&Key::of(key)).is_ok()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The lists that the policies of one task name in their configs; of others they learn nothing (I7).
#[derive(Default)]
pub struct TaskCohorts(pub HashMap<CohortId, Arc<Members>>);

impl Cohorts for TaskCohorts {
    fn contains(&self, name: &str, key: &str) -> bool {
        self.0.get(name).is_some_and(|members| members.contains(key))
    }
}
