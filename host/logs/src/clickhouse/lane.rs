//! Which ids a process gives out. Several hosts store at the same time, and nobody holds a lock for it; so each process has
//! a lane of its own, which is the rest of its ids when they are divided by 256.
//!
//! A lane is claimed by a row that names its owner, and is the owner's when no row of somebody else is found afterwards: of
//! two that claim the same lane at the same time one at least finds the other's row, and then takes another lane. A claim
//! holds for an hour by the server's clock, and is used for half of one by the owner's, who renews it before.

use std::time::Duration;

use berth_base::{
    clock::{Millis, Random},
    error::{Code, Error, Result},
    secret::letters,
};
use berth_model::log::{Day, Fate, LogId, Refusal};
use tokio::time::Instant;

use super::http::{Failure, Http};

/// How many lanes there are.
pub const LANES: i64 = 256;
/// How long a claim holds, in seconds.
const HOLDS: u32 = 3600;
/// How long a claim is used; it is renewed after a third of that.
const USED: Duration = Duration::from_secs(1800);
/// How often a lane is looked for.
const TRIES: usize = 20;
/// How long a claim may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// A lane that this process has.
pub struct Lane {
    number: u8,
    owner: String,
    claimed: Instant,
}

/// What a claim is worth by its age.
#[derive(Debug, PartialEq, Eq)]
enum Claimed {
    Holds,
    IsOld,
    Ends,
}

impl Claimed {
    fn since(age: Duration) -> Self {
        match age {
            age if age < USED / 3 => Self::Holds,
            age if age < USED => Self::IsOld,
            _ => Self::Ends,
        }
    }
}

#[derive(serde::Deserialize)]
struct Claim {
    lane: u8,
}

impl Lane {
    /// Claims a lane that nobody has.
    ///
    /// # Errors
    /// `unavailable` when there is none, or the store does not answer.
    pub async fn claim(http: &Http, random: &dyn Random) -> Result<Self> {
        for _ in 0..TRIES {
            let mut bytes = [0; 16];
            random.fill(&mut bytes);
            let (owner, claimed) = (letters(&bytes), Instant::now());
            let taken = format!("SELECT DISTINCT lane FROM berth_log_lane WHERE at > now() - {HOLDS}");
            let taken: Vec<Claim> = http.select(&taken, PATIENCE).await?.rows;
            let Some(number) = free(&taken.iter().map(|one| one.lane).collect::<Vec<_>>(), bytes[0]) else { break };
            let lane = Self { number, owner, claimed };
            lane.tell(http).await?;
            if !lane.is_shared(http).await? {
                return Ok(lane);
            }
        }
        let text =
            format!("All {LANES} places of hosts that write to the log store are taken. One is free in an hour.");
        Err(Error::new(Code::Unavailable, text))
    }

    /// The same lane, renewed when it is time for that; another one when it was not renewed in time.
    pub async fn kept(self, http: &Http, random: &dyn Random) -> Result<Self> {
        let claimed = Instant::now();
        match Claimed::since(self.claimed.elapsed()) {
            Claimed::Holds => Ok(self),
            Claimed::Ends => Self::claim(http, random).await,
            Claimed::IsOld => match self.tell(http).await {
                Ok(()) => Ok(Self { claimed, ..self }),
                // There is time to try again.
                Err(failure) => {
                    tracing::warn!(
                        ?failure,
                        "the lane of this host in the log store could not be renewed; later again"
                    );
                    Ok(self)
                }
            },
        }
    }

    async fn tell(&self, http: &Http) -> Result<(), Failure> {
        let line = serde_json::json!({"lane": self.number, "owner": self.owner});
        http.insert("berth_log_lane (lane, owner)", line.to_string(), PATIENCE).await
    }

    async fn is_shared(&self, http: &Http) -> Result<bool, Failure> {
        let (number, owner) = (self.number, super::text::literal(&self.owner));
        let others = format!(
            "SELECT lane FROM berth_log_lane WHERE lane = {number} AND owner != {owner} AND at > now() - {HOLDS} LIMIT 1"
        );
        Ok(!http.select::<Claim>(&others, PATIENCE).await?.rows.is_empty())
    }

    /// The smallest id of this lane that is not below `at`.
    fn from(&self, at: LogId) -> LogId {
        let behind = (i64::from(self.number) - at.0).rem_euclid(LANES);
        LogId(at.0 + behind)
    }

    /// The condition that an id is of this lane.
    pub fn condition(&self) -> String {
        format!("id % {LANES} = {}", self.number)
    }

    /// Gives ids to the entries that are kept, at `now` and after `last`, and tells the last id that is given. A day cannot
    /// run out of ids before its limits are reached, but for a clock that is set back by most of it: what has no id then
    /// is refused as if the day were full.
    pub fn number(&self, last: LogId, now: Millis, refusals: &[Option<Refusal>]) -> (Vec<Fate>, LogId) {
        let (mut last, end) = (last, Day::of(now).end());
        let one = |refusal: &Option<Refusal>| {
            let next = self.from(last.following(now));
            match refusal {
                Some(refusal) => Fate::Refused(*refusal),
                None if next >= end => Fate::Refused(Refusal::DayFull),
                None => {
                    last = next;
                    Fate::Kept(next)
                }
            }
        };
        let fates = refusals.iter().map(one).collect();
        (fates, last)
    }
}

/// A lane that is not taken: the first from `start` on.
fn free(taken: &[u8], start: u8) -> Option<u8> {
    (0..=u8::MAX).map(|step| start.wrapping_add(step)).find(|lane| !taken.contains(lane))
}

#[cfg(test)]
mod tests {
    use berth_model::testing::DAWN;
    use proptest::{prop_assert, proptest};

    use super::*;

    fn lane(number: u8) -> Lane {
        Lane { number, owner: "o".into(), claimed: Instant::now() }
    }

    #[test]
    fn d15_a_lane_is_one_that_nobody_has() {
        assert_eq!((free(&[], 7), free(&[7, 8], 7), free(&[255], 255)), (Some(7), Some(9), Some(0)));
        assert_eq!(free(&(0..=255).collect::<Vec<_>>(), 3), None);
    }

    #[test]
    fn d15_a_claim_is_renewed_long_before_it_ends_and_not_used_to_its_end() {
        let after = |minutes: u64| Claimed::since(Duration::from_secs(minutes * 60));
        assert_eq!([after(0), after(9)], [Claimed::Holds, Claimed::Holds]);
        assert_eq!([after(10), after(29)], [Claimed::IsOld, Claimed::IsOld]);
        assert_eq!([after(30), after(600)], [Claimed::Ends, Claimed::Ends]);
        assert!(USED * 2 <= Duration::from_secs(HOLDS.into()), "by clocks that need not agree");
    }

    proptest! {
        #[test]
        fn d15_ids_of_a_lane_grow_stay_in_their_day_and_are_no_other_lanes(
            number in 0u8.., other in 0u8.., ahead in 0i64..1 << 30, millis in 0i64..86_400_000, count in 1usize..50
        ) {
            let now = Millis(Day::of(DAWN).first().received_at().0 + millis);
            let last = LogId(LogId::at(now).0 - (1 << 29) + ahead);
            let (fates, end) = lane(number).number(last, now, &vec![None; count]);
            let ids: Vec<_> = fates.iter().filter_map(|fate| match fate { Fate::Kept(id) => Some(id.0), _ => None }).collect();
            prop_assert!(ids.windows(2).all(|pair| pair[0] < pair[1]));
            prop_assert!(ids.iter().all(|id| *id > last.0 && *id >= LogId::at(now).0 && *id < Day::of(now).end().0));
            prop_assert!(ids.iter().all(|id| id % LANES == i64::from(number)));
            prop_assert!(ids.last().is_none_or(|last| *last == end.0));
            prop_assert!(ids.len() == count || LogId::at(now).0 + (1 << 31) > Day::of(now).end().0);
            let others = lane(other).number(last, now, &vec![None; count]).0;
            prop_assert!(number == other || fates.iter().all(|fate| matches!(fate, Fate::Refused(_)) || !others.contains(fate)));
        }
    }

    #[test]
    fn d15_what_is_refused_takes_no_id_and_a_day_without_ids_is_full() {
        let refusals = [None, Some(Refusal::MiniAppDayFull), None];
        let (fates, last) = lane(3).number(LogId(0), DAWN, &refusals);
        let first = LogId(LogId::at(DAWN).0 + 3);
        assert_eq!(fates[..2], [Fate::Kept(first), Fate::Refused(Refusal::MiniAppDayFull)]);
        assert_eq!((fates[2], last), (Fate::Kept(LogId(first.0 + LANES)), LogId(first.0 + LANES)));
        let end = LogId(Day::of(DAWN).end().0 - 1);
        assert_eq!(lane(3).number(end, DAWN, &[None]), (vec![Fate::Refused(Refusal::DayFull)], end));
    }
}
