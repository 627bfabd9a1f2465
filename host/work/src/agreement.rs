//! Agreements of two sides: an admin of one side asks, and an admin of the other agrees by the same call.

/// The sides for which a caller may speak.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sides {
    /// The first one.
    pub(crate) first: bool,
    /// The second one.
    pub(crate) second: bool,
}

/// The states of an agreement.
pub(crate) struct States<S> {
    /// Both sides have agreed.
    pub(crate) active: S,
    /// The second side has asked.
    pub(crate) waits_for_first: S,
    /// The first side has asked.
    pub(crate) waits_for_second: S,
}

impl<S: Copy + PartialEq> States<S> {
    /// The state after an admin of these sides has asked for it or agreed to it.
    pub(crate) fn after(&self, before: Option<S>, by: Sides) -> S {
        match before {
            _ if by.first && by.second => self.active,
            Some(before) if before == self.waits_for_second && by.second => self.active,
            Some(before) if before == self.waits_for_first && by.first => self.active,
            Some(before) => before,
            None if by.first => self.waits_for_second,
            None => self.waits_for_first,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f80_it_is_active_when_both_sides_agree() {
        let states = States { active: "active", waits_for_first: "first", waits_for_second: "second" };
        let (first, second) = (Sides { first: true, second: false }, Sides { first: false, second: true });
        let both = Sides { first: true, second: true };
        let cases = [
            (None, first, "second"),
            (None, second, "first"),
            (None, both, "active"),
            (Some("second"), first, "second"),
            (Some("second"), second, "active"),
            (Some("first"), second, "first"),
            (Some("first"), first, "active"),
            (Some("second"), both, "active"),
            (Some("active"), first, "active"),
            (Some("active"), second, "active"),
        ];
        for (before, by, expected) in cases {
            assert_eq!(states.after(before, by), expected, "{before:?} {by:?}");
        }
    }
}
