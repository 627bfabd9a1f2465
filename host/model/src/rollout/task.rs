//! The life of a gray task (G5) as a pure state machine, and what the clock does to it.

use std::fmt;

use berth_base::{
    clock::Millis,
    error::{Code, Error, Result},
    text::text_enum,
};

text_enum! {
    /// The state of a gray task.
    #[schema(as = GrayState)]
    State {
        /// It waits for its start.
        Pending = "pending",
        /// It admits devices.
        Delivering = "delivering",
        /// It admits no new devices (G10), and does not start; admitted ones keep the version.
        Suspended = "suspended",
        /// It is over; nothing leaves this state.
        Ended = "ended",
    }
}

text_enum! {
    /// Why a gray task moved.
    Cause {
        /// A person moved it.
        Hand = "hand",
        /// Its start or its end has come.
        Time = "time",
        /// The last device that the cap allows was admitted.
        Cap = "cap",
        /// The same or a greater version went online (V8).
        Superseded = "superseded",
        /// The MiniApp went off the shelf (A2).
        OffShelf = "off-shelf",
        /// A guard said so, or gave no verdict and fails closed (G13).
        Guard = "guard",
    }
}

/// A transition of a gray task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    /// From pending to delivering, when the start has come.
    Start,
    /// From pending or delivering to suspended.
    Suspend,
    /// From suspended back to delivering, or to pending when the start has not come yet.
    Resume,
    /// From any other state to ended.
    End,
}

impl Move {
    /// All moves.
    pub const ALL: [Self; 4] = [Self::Start, Self::Suspend, Self::Resume, Self::End];
}

impl fmt::Display for Move {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Start => "started",
            Self::Suspend => "suspended",
            Self::Resume => "resumed",
            Self::End => "ended",
        })
    }
}

impl State {
    /// The state that `step` leads to once the start has come; [`Life::after`] knows whether it has.
    ///
    /// # Errors
    /// `gray-state` when this state does not allow the step.
    pub fn after(self, step: Move) -> Result<Self> {
        match (self, step) {
            (Self::Pending, Move::Start) | (Self::Suspended, Move::Resume) => Ok(Self::Delivering),
            (Self::Pending | Self::Delivering, Move::Suspend) => Ok(Self::Suspended),
            (Self::Pending | Self::Delivering | Self::Suspended, Move::End) => Ok(Self::Ended),
            (state, step) => Err(state.refuse(step)),
        }
    }

    fn refuse(self, step: Move) -> Error {
        let hint = match (self, step) {
            (Self::Ended, _) => " Nothing leaves this state; create a new task.",
            (Self::Pending, Move::Resume) => " It waits for its start.",
            _ => "",
        };
        Error::new(Code::GrayState, format!("A task in state {self} cannot be {step}.{hint}")).with("state", self)
    }
}

/// The part of a gray task that decides what it means at a moment: its stored state and its period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Life {
    /// The stored state, which may lag behind the clock.
    pub state: State,
    /// Whether the task has ended in a way that lets the admitted devices keep the version.
    pub honoured: bool,
    /// When it begins to deliver.
    pub start: Millis,
    /// When it ends.
    pub end: Millis,
}

/// What a gray task means for devices that ask now (G6, G10).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It has not started: no device gets the version.
    Waiting,
    /// It delivers: admitted devices get the version, and others may be admitted.
    Open,
    /// Only devices already admitted get the version.
    AdmittedOnly,
    /// It is over: no device gets the version.
    Over,
}

impl Standing {
    /// Whether the devices that the task has admitted get the version.
    pub fn honours(self) -> bool {
        matches!(self, Self::Open | Self::AdmittedOnly)
    }
}

impl Life {
    /// The move that the clock has made due at `now`; `None` when there is none.
    pub fn due(&self, now: Millis) -> Option<Move> {
        match self.state {
            State::Ended => None,
            _ if now >= self.end => Some(Move::End),
            State::Pending if now >= self.start => Some(Move::Start),
            _ => None,
        }
    }

    /// The state that `step` leads to at `now`. A task that is resumed before its start waits for it again.
    ///
    /// # Errors
    /// `gray-state` when the state does not allow the step.
    pub fn after(&self, step: Move, now: Millis) -> Result<State> {
        let next = self.state.after(step)?;
        Ok(if step == Move::Resume && now < self.start { State::Pending } else { next })
    }

    /// The state at `now`, whether it is stored yet or not.
    pub fn state_at(&self, now: Millis) -> State {
        self.due(now).and_then(|step| self.state.after(step).ok()).unwrap_or(self.state)
    }

    /// What the task means for devices at `now`.
    pub fn standing(&self, now: Millis) -> Standing {
        match self.state_at(now) {
            State::Pending => Standing::Waiting,
            State::Delivering => Standing::Open,
            State::Suspended => Standing::AdmittedOnly,
            State::Ended if self.honoured => Standing::AdmittedOnly,
            State::Ended => Standing::Over,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn life(state: State, honoured: bool) -> Life {
        Life { state, honoured, start: Millis(100), end: Millis(200) }
    }

    #[test]
    fn g5_nothing_leaves_ended() {
        assert!(Move::ALL.iter().all(|step| State::Ended.after(*step).is_err()));
    }

    #[test]
    fn g5_the_whole_table_of_moves() {
        let allowed: Vec<_> = State::ALL
            .iter()
            .flat_map(|from| Move::ALL.map(|step| (*from, step)))
            .filter_map(|(from, step)| from.after(step).ok().map(|to| format!("{from} {step} {to}")))
            .collect();
        assert_eq!(
            allowed,
            [
                "pending started delivering",
                "pending suspended suspended",
                "pending ended ended",
                "delivering suspended suspended",
                "delivering ended ended",
                "suspended resumed delivering",
                "suspended ended ended",
            ]
        );
    }

    #[test]
    fn g5_a_task_starts_and_ends_by_the_clock_before_that_is_stored() {
        let pending = life(State::Pending, false);
        let standings = [99, 100, 199, 200].map(|now| pending.standing(Millis(now)));
        assert_eq!(standings, [Standing::Waiting, Standing::Open, Standing::Open, Standing::Over]);
    }

    #[test]
    fn g5_a_task_that_is_resumed_before_its_start_waits_for_it() {
        let suspended = life(State::Suspended, false);
        let resumed = [99, 100].map(|now| suspended.after(Move::Resume, Millis(now)).ok());
        assert_eq!(resumed, [Some(State::Pending), Some(State::Delivering)]);
    }

    #[test]
    fn g6_a_suspended_task_ends_by_time_too() {
        assert_eq!(life(State::Suspended, false).standing(Millis(150)), Standing::AdmittedOnly);
        assert_eq!(life(State::Suspended, false).standing(Millis(200)), Standing::Over);
    }

    #[test]
    fn g6_an_end_by_the_cap_is_honoured_even_past_the_end_of_the_period() {
        assert_eq!(life(State::Ended, true).standing(Millis(500)), Standing::AdmittedOnly);
        assert_eq!(life(State::Ended, false).standing(Millis(150)), Standing::Over);
    }

    proptest! {
        #[test]
        fn g10_only_a_delivering_task_within_its_period_admits(state in 0usize..4, honoured: bool, now in 0i64..300) {
            let life = life(State::ALL[state], honoured);
            let open = life.standing(Millis(now)) == Standing::Open;
            let may = matches!(life.state, State::Pending | State::Delivering) && (now >= 100 || life.state == State::Delivering) && now < 200;
            prop_assert_eq!(open, may);
        }
    }
}
