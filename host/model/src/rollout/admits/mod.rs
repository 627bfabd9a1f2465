//! What a task admits, as an expression over the names of its policies (G24): `beta-list or (ios and not tablets)`. Without
//! one all policies that decide must admit a device (G12).
//!
//! An expression names each policy once. So the place of a policy says by itself whether more or fewer devices get the version
//! when the policy admits more, and nothing is asked twice.

mod members;
mod text;
mod wider;
mod wire;

use std::ops::Not;

pub use members::{Member, check};
pub(crate) use text::WRITTEN;
pub use text::{Misread, Words};

/// The name by which an expression means the conditions of the task. One that does not name them leaves them as they are:
/// they must hold besides.
pub const CONDITIONS: &str = "conditions";

/// How deep an expression may nest.
const MOST_DEEP: usize = 8;

/// An expression over policies: their names, or whatever stands for them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Admits<P = String> {
    /// This policy admits the device.
    Policy(P),
    /// All of these hold.
    All(Vec<Self>),
    /// At least one of these holds.
    Any(Vec<Self>),
    /// This does not hold.
    Not(Box<Self>),
}

/// What comes of an expression, or of one policy in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ruling {
    /// It holds: a policy has admitted the device.
    Admitted,
    /// It does not hold: a policy has refused the device.
    Refused,
    /// It hangs on policies that gave no judgement.
    Failed {
        /// Whether all policies on which it hangs are open on error.
        open: bool,
    },
}

impl Ruling {
    /// Whether the device gets the version when this comes of the whole expression.
    pub fn passes(self) -> bool {
        matches!(self, Self::Admitted | Self::Failed { open: true })
    }

    /// What is known once a further part has failed.
    fn and_failed(self, open: bool) -> Self {
        match self {
            Self::Failed { open: before } => Self::Failed { open: before && open },
            Self::Admitted | Self::Refused => Self::Failed { open },
        }
    }
}

impl Not for Ruling {
    type Output = Self;

    /// Of what is not known, the opposite is not known either.
    fn not(self) -> Self {
        match self {
            Self::Admitted => Self::Refused,
            Self::Refused => Self::Admitted,
            Self::Failed { open } => Self::Failed { open },
        }
    }
}

impl<P> Admits<P> {
    /// Asks policies in the order in which they stand, and no more of them than it takes: what has failed is not the end, as
    /// a later part may decide.
    pub fn ruling(&self, ask: &mut impl FnMut(&P) -> Ruling) -> Ruling {
        match self {
            Self::Policy(policy) => ask(policy),
            Self::All(parts) => until(parts, Ruling::Refused, ask),
            Self::Any(parts) => until(parts, Ruling::Admitted, ask),
            Self::Not(part) => !part.ruling(ask),
        }
    }

    /// The policies, in the order in which they are asked.
    pub fn policies(&self) -> Vec<&P> {
        match self {
            Self::Policy(policy) => vec![policy],
            Self::All(parts) | Self::Any(parts) => parts.iter().flat_map(Self::policies).collect(),
            Self::Not(part) => part.policies(),
        }
    }

    /// The policy that is asked first; `None` where there is none.
    pub fn first(&self) -> Option<&P> {
        match self {
            Self::Policy(policy) => Some(policy),
            Self::All(parts) | Self::Any(parts) => parts.iter().find_map(Self::first),
            Self::Not(part) => part.first(),
        }
    }

    /// The same expression over what stands for its policies; `None` when nothing stands for one of them.
    pub fn over<Q>(&self, stands_for: &mut impl FnMut(&P) -> Option<Q>) -> Option<Admits<Q>> {
        let mut each = |parts: &[Self]| parts.iter().map(|part| part.over(stands_for)).collect::<Option<Vec<_>>>();
        Some(match self {
            Self::All(parts) => Admits::All(each(parts)?),
            Self::Any(parts) => Admits::Any(each(parts)?),
            Self::Policy(policy) => Admits::Policy(stands_for(policy)?),
            Self::Not(part) => Admits::Not(Box::new(part.over(stands_for)?)),
        })
    }
}

/// The parts one after the other, until one of them decides alone.
fn until<P>(parts: &[Admits<P>], alone: Ruling, ask: &mut impl FnMut(&P) -> Ruling) -> Ruling {
    let mut known = !alone;
    for part in parts {
        match part.ruling(ask) {
            ruling if ruling == alone => return alone,
            Ruling::Failed { open } => known = known.and_failed(open),
            Ruling::Admitted | Ruling::Refused => {}
        }
    }
    known
}

impl Admits {
    /// Whether the policy stands where more devices get the version when it admits more of them; `false` under an odd number
    /// of `not`, and `None` where it does not stand at all.
    pub fn widens(&self, name: &str) -> Option<bool> {
        match self {
            Self::Policy(policy) => (policy == name).then_some(true),
            Self::All(parts) | Self::Any(parts) => parts.iter().find_map(|part| part.widens(name)),
            Self::Not(part) => part.widens(name).map(Not::not),
        }
    }

    /// Whether the policy is named.
    pub fn names(&self, name: &str) -> bool {
        self.widens(name).is_some()
    }

    /// The whole of what a task with conditions asks: they must hold besides where the expression does not name them.
    pub fn with_conditions(self) -> Self {
        if self.names(CONDITIONS) { self } else { Self::All(vec![Self::Policy(CONDITIONS.into()), self]) }
    }

    /// What a running task of this expression would lose by the other one, in words; `None` when the other one is as wide.
    pub fn lost(&self, new: &Self) -> Option<String> {
        wider::lost(self, new)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A random expression that names each of the numbers below `many` once.
    pub fn some(many: usize) -> impl Strategy<Value = Admits<usize>> {
        proptest::collection::vec((0usize..100, 0u8..6), many.max(1) * 2).prop_map(move |random| {
            let mut parts: Vec<_> = (0..many).map(Admits::Policy).collect();
            for (at, kind) in random {
                let one = parts.remove(at % parts.len());
                let Some(other) = (kind > 1 && !parts.is_empty()).then(|| parts.remove(at % parts.len())) else {
                    parts.push(if kind == 0 { Admits::Not(Box::new(one)) } else { one });
                    continue;
                };
                parts.push(if kind % 2 == 0 { Admits::All(vec![one, other]) } else { Admits::Any(vec![one, other]) });
            }
            if parts.len() == 1 { parts.remove(0) } else { Admits::Any(parts) }
        })
    }

    fn ruling() -> impl Strategy<Value = Ruling> {
        prop_oneof![
            Just(Ruling::Admitted),
            Just(Ruling::Refused),
            any::<bool>().prop_map(|open| Ruling::Failed { open })
        ]
    }

    /// The three values as numbers, everything asked, and nothing known of an order: refused 0, failed 1, admitted 2.
    fn naive(admits: &Admits<usize>, said: &[Ruling]) -> u8 {
        match admits {
            Admits::Policy(at) => match said[*at] {
                Ruling::Refused => 0,
                Ruling::Failed { .. } => 1,
                Ruling::Admitted => 2,
            },
            Admits::All(parts) => parts.iter().map(|part| naive(part, said)).min().unwrap_or(2),
            Admits::Any(parts) => parts.iter().map(|part| naive(part, said)).max().unwrap_or(0),
            Admits::Not(part) => 2 - naive(part, said),
        }
    }

    /// Whether what failed hangs on a closed policy: the parts that failed, all the way down.
    fn hangs_on_closed(admits: &Admits<usize>, said: &[Ruling]) -> bool {
        if naive(admits, said) != 1 {
            return false;
        }
        match admits {
            Admits::Policy(at) => said[*at] == Ruling::Failed { open: false },
            Admits::All(parts) | Admits::Any(parts) => parts.iter().any(|part| hangs_on_closed(part, said)),
            Admits::Not(part) => hangs_on_closed(part, said),
        }
    }

    const MANY: usize = 7;

    proptest! {
        #[test]
        fn g24_an_expression_says_what_a_naive_model_of_three_values_says(
            admits in some(MANY), said in proptest::collection::vec(ruling(), MANY),
        ) {
            let expected = match naive(&admits, &said) {
                0 => Ruling::Refused,
                1 => Ruling::Failed { open: !hangs_on_closed(&admits, &said) },
                _ => Ruling::Admitted,
            };
            prop_assert_eq!(admits.ruling(&mut |at| said[*at]), expected, "{:?}", admits);
        }

        /// Whatever those who were not asked had said, nothing else would have come of it; and nobody is asked twice.
        #[test]
        fn g24_who_is_not_asked_could_not_have_changed_it(
            admits in some(MANY), said in proptest::collection::vec(ruling(), MANY),
            other in proptest::collection::vec(ruling(), MANY),
        ) {
            let mut asked = Vec::new();
            let ruling = admits.ruling(&mut |at| { asked.push(*at); said[*at] });
            let mixed = |at: &usize| if asked.contains(at) { said[*at] } else { other[*at] };
            prop_assert_eq!(admits.ruling(&mut |at| mixed(at)), ruling);
            let in_order: Vec<_> = admits.policies().into_iter().filter(|at| asked.contains(at)).copied().collect();
            prop_assert_eq!(&asked, &in_order);
        }

        #[test]
        fn g24_what_admits_more_admits_more_where_it_widens_and_fewer_under_not(
            admits in some(MANY), said in proptest::collection::vec(any::<bool>(), MANY), raised in 0..MANY,
        ) {
            let named = admits.over(&mut |at| Some(at.to_string())).expect("names");
            let with = |yes: bool| admits.ruling(&mut |at| {
                if if *at == raised { yes } else { said[*at] } { Ruling::Admitted } else { Ruling::Refused }
            });
            let [fewer, more] = [with(false).passes(), with(true).passes()];
            match named.widens(&raised.to_string()) {
                Some(true) => prop_assert!(fewer <= more),
                Some(false) => prop_assert!(more <= fewer),
                None => prop_assert!(false, "{} is named", raised),
            }
        }
    }

    #[test]
    fn g24_closed_wins_where_an_expression_hangs_on_both() {
        let both = |group: fn(Vec<Admits<bool>>) -> Admits<bool>| {
            group(vec![Admits::Policy(true), Admits::Policy(false)]).ruling(&mut |open| Ruling::Failed { open: *open })
        };
        assert_eq!(both(Admits::All), Ruling::Failed { open: false });
        assert_eq!(both(Admits::Any), Ruling::Failed { open: false });
    }
}
