//! Keeps the files that were last read whole, so that a file that is read in pieces is inflated once.

use std::{collections::VecDeque, sync::Arc};

/// Inflated files by their index, newest last. The bytes of all together are bounded.
#[derive(Default)]
pub(super) struct Cache {
    kept: VecDeque<(usize, Arc<[u8]>)>,
}

impl Cache {
    /// The bytes of file `index`, if they are kept.
    pub fn get(&self, index: usize) -> Option<Arc<[u8]>> {
        self.kept.iter().find(|(kept, _)| *kept == index).map(|(_, bytes)| bytes.clone())
    }

    /// Keeps a file, and drops the oldest ones until all are at most `max_bytes` together. This file itself always
    /// stays.
    pub fn put(&mut self, index: usize, bytes: Arc<[u8]>, max_bytes: u64) {
        self.kept.retain(|(kept, _)| *kept != index);
        self.kept.push_back((index, bytes));
        while self.kept.len() > 1 && self.bytes() > max_bytes {
            self.kept.pop_front();
        }
    }

    fn bytes(&self) -> u64 {
        self.kept.iter().map(|(_, bytes)| bytes.len() as u64).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_files_leave_first_and_the_newest_stays() {
        let mut cache = Cache::default();
        for index in 0..3 {
            cache.put(index, vec![0; 40].into(), 100);
        }
        assert_eq!([0, 1, 2].map(|index| cache.get(index).is_some()), [false, true, true]);
        cache.put(3, vec![0; 400].into(), 100);
        assert_eq!([1, 2, 3].map(|index| cache.get(index).is_some()), [false, false, true]);
    }
}
