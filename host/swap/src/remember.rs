//! What was swapped lately, so that the host is not asked for each request. An entry is forgotten after a time at the latest: as
//! long may an OpenID be swapped for a user who has just taken the consent back.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use berth_model::{identity::Way, user::OpenId};

/// How many entries a generation has at most.
const MOST: usize = 50_000;

type Entries = HashMap<(Way, OpenId), Option<OpenId>>;

/// The swaps of the last while, in two generations: the older one is dropped as a whole when the younger one has its age.
pub(crate) struct Remembered {
    /// How long a generation takes new entries: half of the time that an entry may be kept.
    half: Duration,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    young: Entries,
    old: Entries,
    since: Option<Instant>,
}

/// What is remembered of an OpenID.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Known {
    /// What it was swapped for; `None` where there is no other one to be told.
    pub(crate) other: Option<OpenId>,
    /// Whether it is forgotten soon, so that whoever goes on asking has it renewed before.
    pub(crate) is_aging: bool,
}

impl Kept {
    fn turn(&mut self, now: Instant, half: Duration) {
        let age = self.since.map_or(Duration::MAX, |since| now.saturating_duration_since(since));
        if age >= half || self.young.len() >= MOST {
            let young = std::mem::take(&mut self.young);
            // After a long pause the younger ones are too old, too.
            self.old = if age >= half.saturating_mul(2) { Entries::new() } else { young };
            self.since = Some(now);
        }
    }
}

impl Remembered {
    /// Keeps entries for `most` at the longest; none when that is zero.
    pub(crate) fn new(most: Duration) -> Self {
        Self { half: most / 2, kept: Mutex::default() }
    }

    /// What an OpenID was swapped for; `None` when that is not known any more.
    pub(crate) fn get(&self, way: Way, open_id: &OpenId, now: Instant) -> Option<Known> {
        if self.half.is_zero() {
            return None;
        }
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.turn(now, self.half);
        let key = (way, open_id.clone());
        let known = |entries: &Entries, is_aging| Some(Known { other: entries.get(&key)?.clone(), is_aging });
        known(&kept.young, false).or_else(|| known(&kept.old, true))
    }

    /// Keeps what an OpenID was swapped for when the host was asked at `asked`.
    pub(crate) fn put(&self, way: Way, open_id: OpenId, other: Option<OpenId>, asked: Instant) {
        if self.half.is_zero() {
            return;
        }
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.turn(asked, self.half);
        kept.young.insert((way, open_id), other);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn u9_what_was_swapped_is_forgotten_in_time() {
        let (id, other) = (OpenId::of_mac(&[1; 32]), OpenId::of_mac(&[2; 32]));
        let start = Instant::now();
        for pause in [0, 1900, 2100, 3900, 4000, 9000] {
            let remembered = Remembered::new(Duration::from_secs(4));
            let at = start + Duration::from_millis(pause);
            remembered.put(Way::To, id.clone(), Some(other.clone()), start);
            let known = remembered.get(Way::To, &id, at);
            assert_eq!(known.map(|known| known.is_aging), (pause < 4000).then_some(pause > 2000), "{pause} ms later");
            assert_eq!(remembered.get(Way::From, &id, at), None);
        }
        let none = Remembered::new(Duration::ZERO);
        none.put(Way::To, id.clone(), Some(other), start);
        assert_eq!(none.get(Way::To, &id, start), None);
    }

    #[test]
    fn u9_an_entry_that_is_asked_for_again_and_again_is_forgotten_all_the_same() {
        let id = OpenId::of_mac(&[1; 32]);
        let (remembered, start) = (Remembered::new(Duration::from_secs(4)), Instant::now());
        remembered.put(Way::To, id.clone(), None, start);
        let last = (0..100)
            .map(|step| step * 100)
            .take_while(|at| remembered.get(Way::To, &id, start + Duration::from_millis(*at)).is_some());
        assert!((2000..=4000).contains(&last.last().unwrap_or_default()));
    }
}
