//! Keeps a policy that takes all its time from slowing down everybody's checks (F33). Checks run policies on the
//! threads that serve requests, which suits policies that take microseconds but not one that never ends.
//!
//! A policy that hits its deadline repeatedly is not asked for a while. Its judgement counts as missing then, as if it
//! had hit the limit once more, and `on_error` decides. After the pause one check asks it again.

use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};

use berth_base::clock::Millis;
use berth_model::policy::Limits;

/// How much one hit of the deadline adds to the score; a call in time takes off one. So the fuse of a policy blows also
/// when only every tenth call is slow.
const HIT: u32 = 10;
/// How many milliseconds a policy may spend on hits of its deadline, about, before its fuse blows.
const BURNT: u64 = 25;
/// Length of the pause, in deadlines of the policy: a policy that stays slow gets a twentieth of one processor.
const PAUSE: i64 = 20;
/// Length of the pause in milliseconds, at least.
const SHORTEST: i64 = 1000;

/// The fuse of one policy binding on this host. It is whole, or blown until a time.
pub struct Fuse {
    score: AtomicU32,
    /// When the policy may be asked again, in epoch milliseconds; 0 while the fuse is whole.
    until: AtomicI64,
    /// The score at which the fuse blows.
    limit: u32,
    /// Length of the pause in milliseconds.
    pause: i64,
}

/// Whether a policy is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// It is asked.
    Yes,
    /// The pause is over: it is asked once, to see whether it is in time again.
    Probe,
    /// It is not asked, because its fuse is blown.
    No,
}

impl Fuse {
    /// A whole fuse for a policy with these limits.
    pub fn of(limits: &Limits) -> Self {
        let hits = (BURNT / limits.deadline_ms.max(1)).clamp(2, 5) as u32;
        let pause = (limits.deadline_ms as i64 * PAUSE).max(SHORTEST);
        Self { score: AtomicU32::new(0), until: AtomicI64::new(0), limit: hits * HIT, pause }
    }

    /// Whether the policy is asked at `now`. After a pause only one caller gets [`Ask::Probe`].
    pub fn ask(&self, now: Millis) -> Ask {
        let until = self.until.load(Ordering::Relaxed);
        match until {
            0 => Ask::Yes,
            _ if self.pauses(until, now) => Ask::No,
            _ => {
                let next = now.0 + self.pause;
                let mine = self.until.compare_exchange(until, next, Ordering::Relaxed, Ordering::Relaxed);
                if mine.is_ok() { Ask::Probe } else { Ask::No }
            }
        }
    }

    /// Whether the policy is not asked at `now`, for somebody who only looks on and takes nobody's turn.
    pub fn is_blown(&self, now: Millis) -> bool {
        self.pauses(self.until.load(Ordering::Relaxed), now)
    }

    /// Whether a pause that lasts until then goes on. A clock that was set back must not prolong it.
    fn pauses(&self, until: i64, now: Millis) -> bool {
        until != 0 && (1..=self.pause).contains(&(until - now.0))
    }

    /// Notes whether the policy that was asked has hit its deadline. Returns `true` when this blows the fuse.
    pub fn note(&self, ask: Ask, hit: bool, now: Millis) -> bool {
        match (ask, hit) {
            (Ask::Yes, true) => self.burn(now),
            (Ask::Yes, false) => self.cool(),
            (Ask::Probe, false) => self.mend(),
            (Ask::Probe, true) | (Ask::No, _) => false,
        }
    }

    fn burn(&self, now: Millis) -> bool {
        let score = self.score.fetch_add(HIT, Ordering::Relaxed) + HIT;
        let blow = || self.until.compare_exchange(0, now.0 + self.pause, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        score >= self.limit && blow()
    }

    fn cool(&self) -> bool {
        // Usually there is nothing to take off, and nothing is written.
        if self.score.load(Ordering::Relaxed) > 0 {
            let less = |score: u32| score.checked_sub(1);
            let _ = self.score.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
        }
        false
    }

    fn mend(&self) -> bool {
        self.score.store(0, Ordering::Relaxed);
        self.until.store(0, Ordering::Relaxed);
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use berth_model::policy::PolicyKind;

    fn fuse(deadline_ms: u64) -> Fuse {
        Fuse::of(&Limits { deadline_ms, ..Limits::default_of(PolicyKind::Grayscale) })
    }

    /// Asks at `now`, and notes whether the call hit the deadline.
    fn call(fuse: &Fuse, hit: bool, now: i64) -> Ask {
        let ask = fuse.ask(Millis(now));
        fuse.note(ask, hit, Millis(now));
        ask
    }

    #[test]
    fn f33_a_policy_that_hits_its_deadline_five_times_is_not_asked_for_a_second() {
        let fuse = fuse(5);
        blow(&fuse, 100);
        assert_eq!([100, 600, 1099].map(|now| call(&fuse, true, now)), [Ask::No; 3]);
        assert_eq!(call(&fuse, true, 1100), Ask::Probe, "one call looks whether it is better");
        assert_eq!([1100, 2099].map(|now| call(&fuse, true, now)), [Ask::No; 2]);
        assert_eq!(call(&fuse, false, 2100), Ask::Probe);
        assert!((0..4).all(|_| call(&fuse, true, 2101) == Ask::Yes), "it begins anew");
    }

    fn blow(fuse: &Fuse, now: i64) {
        assert!((0..5).all(|_| call(fuse, true, now) == Ask::Yes));
    }

    #[test]
    fn f33_only_one_of_many_checks_probes() {
        let fuse = fuse(5);
        blow(&fuse, 100);
        let asked: Vec<_> = (0..4).map(|_| fuse.ask(Millis(1100))).collect();
        assert_eq!(asked, [Ask::Probe, Ask::No, Ask::No, Ask::No]);
    }

    #[test]
    fn f33_a_policy_that_is_slow_now_and_then_keeps_its_fuse_and_one_that_is_slow_often_does_not() {
        let asked = |every: u32| {
            let fuse = fuse(5);
            (0..1000).filter(|n| call(&fuse, n % every == 0, 100) == Ask::No).count()
        };
        assert_eq!(asked(20), 0);
        assert!(asked(5) > 900);
    }

    #[test]
    fn f33_a_long_deadline_blows_sooner_and_pauses_longer() {
        let fuse = fuse(1000);
        assert!((0..2).all(|_| call(&fuse, true, 100) == Ask::Yes));
        assert_eq!([101, 20_099, 20_100].map(|now| call(&fuse, true, now)), [Ask::No, Ask::No, Ask::Probe]);
    }

    #[test]
    fn a_clock_that_is_set_back_ends_the_pause() {
        let fuse = fuse(5);
        blow(&fuse, 1_000_000);
        assert_eq!(fuse.ask(Millis(10)), Ask::Probe);
    }
}
