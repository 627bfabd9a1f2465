//! Leases: one host at a time does a piece of work, until a moment that it puts off for as long as it lives (F51, F96). The
//! row of the work has the columns `lease_owner` and `lease_until`. It is free when nobody owns it or the moment has come;
//! only its owner puts the moment off or gives it back.

use super::Db;
use berth_base::clock::Millis;

/// A host's hold on a piece of work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    owner: String,
    from: Millis,
    until: Millis,
}

impl Lease {
    /// This host's, from now on.
    pub fn of(db: &Db, seconds: i64) -> Self {
        Self::at(db.host(), db.now(), seconds)
    }

    /// A host's from a moment on.
    pub fn at(owner: &str, from: Millis, seconds: i64) -> Self {
        Self { owner: owner.to_owned(), from, until: from.plus_seconds(seconds) }
    }

    /// Whose it is.
    pub fn owner(&self) -> &str {
        &self.owner
    }

    /// From when on: what was free then is free for it.
    pub fn from(&self) -> Millis {
        self.from
    }

    /// Until when.
    pub fn until(&self) -> Millis {
        self.until
    }

    /// The same for work that is taken later: it ends no later.
    pub fn joined_at(&self, now: Millis) -> Self {
        Self { from: now, ..self.clone() }
    }

    /// Whether more than `seconds` of it are left: somebody else may have the work when none are.
    pub fn has_left(&self, seconds: i64, now: Millis) -> bool {
        now.plus_seconds(seconds) < self.until
    }
}

/// That a row is nobody's at a moment, which is a parameter of the statement.
macro_rules! free {
    ($now:literal) => {
        concat!("(lease_owner IS NULL OR lease_until <= ", $now, ")")
    };
}

/// Sets the owner and the end of a lease, which are parameters of the statement.
macro_rules! taken {
    ($owner:literal, $until:literal) => {
        concat!("lease_owner = ", $owner, ", lease_until = ", $until)
    };
}

/// Sets that a row is nobody's.
macro_rules! given_back {
    () => {
        "lease_owner = NULL, lease_until = 0"
    };
}

/// Gives the team `$1` its turn in a queue of work, after all others. Who claims work takes that of the team whose last turn is the
/// longest ago, so that much or slow work of one team holds up no other (F77).
macro_rules! turn_taken {
    ($turns:literal) => {
        concat!(
            "INSERT INTO ",
            $turns,
            " (team_id, turn) SELECT $1, COALESCE(MAX(turn), 0) + 1 FROM ",
            $turns,
            " WHERE TRUE ON CONFLICT (team_id) DO UPDATE SET turn = excluded.turn"
        )
    };
}

pub(crate) use free;
pub(crate) use given_back;
pub(crate) use taken;
pub(crate) use turn_taken;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f51_f96_a_lease_is_over_when_its_end_has_come() {
        let lease = Lease::at("host", Millis(1_000), 10);
        assert_eq!((lease.owner(), lease.from(), lease.until()), ("host", Millis(1_000), Millis(11_000)));
        assert!(lease.has_left(0, Millis(10_999)) && !lease.has_left(0, Millis(11_000)));
        assert!(lease.has_left(1, Millis(9_999)) && !lease.has_left(1, Millis(10_000)));
        let later = lease.joined_at(Millis(4_000));
        assert_eq!((later.from(), later.until()), (Millis(4_000), lease.until()));
    }
}
