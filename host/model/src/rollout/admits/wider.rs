//! Whether an expression is as wide as another one, decided exactly: for every way in which policies can judge, what the old one
//! admits, the new one admits as well (G16). Failures aside: what they mean may change at any time.
//!
//! A table has one bit for each way, and a policy is a column of it. A task has 17 policies at most, so that a table has 16 KiB.

use super::{Admits, CONDITIONS};

/// A way in which policies judge that the old expression admits and the new one does not, in words; `None` when there is none.
pub(super) fn lost(old: &Admits, new: &Admits) -> Option<String> {
    let mut names: Vec<&String> = old.policies();
    names.extend(new.policies().into_iter().filter(|name| !old.names(name)));
    let words = 1 << names.len().saturating_sub(6);
    let table = |admits: &Admits| {
        let columns = admits.over(&mut |name| names.iter().position(|known| *known == name));
        columns.map(|columns| table(&columns, words)).unwrap_or_default()
    };
    let differs = table(old).into_iter().zip(table(new)).map(|(old, new)| old & !new);
    let (word, bits) = differs.enumerate().find(|(_, bits)| *bits != 0)?;
    let way = word << 6 | bits.trailing_zeros() as usize;
    let (admit, refuse): (Vec<_>, Vec<_>) = names.iter().enumerate().partition(|(at, _)| way >> at & 1 == 1);
    Some(in_words(&admit, &refuse))
}

/// The results of an expression, 64 of them in a word.
fn table(admits: &Admits<usize>, words: usize) -> Vec<u64> {
    match admits {
        Admits::Policy(at) => (0..words).map(|word| column(*at, word)).collect(),
        Admits::All(parts) => parts.iter().fold(vec![u64::MAX; words], |all, part| {
            all.into_iter().zip(table(part, words)).map(|(one, other)| one & other).collect()
        }),
        Admits::Any(parts) => parts.iter().fold(vec![0; words], |any, part| {
            any.into_iter().zip(table(part, words)).map(|(one, other)| one | other).collect()
        }),
        Admits::Not(part) => table(part, words).into_iter().map(|bits| !bits).collect(),
    }
}

/// One word of the column of a policy: in the way `n` the policy admits where the bit `at` of `n` is set.
fn column(at: usize, word: usize) -> u64 {
    const WITHIN: [u64; 6] = [
        0xaaaa_aaaa_aaaa_aaaa,
        0xcccc_cccc_cccc_cccc,
        0xf0f0_f0f0_f0f0_f0f0,
        0xff00_ff00_ff00_ff00,
        0xffff_0000_ffff_0000,
        0xffff_ffff_0000_0000,
    ];
    match WITHIN.get(at) {
        Some(bits) => *bits,
        None if word >> (at - WITHIN.len()) & 1 == 1 => u64::MAX,
        None => 0,
    }
}

fn in_words(admit: &[(usize, &&String)], refuse: &[(usize, &&String)]) -> String {
    let said = |names: &[(usize, &&String)], one: &str, several: &str| match names {
        [] => None,
        [(_, only)] if only.as_str() != CONDITIONS => Some(format!("{only} {one}")),
        names => {
            Some(format!("{} {several}", names.iter().map(|(_, name)| name.as_str()).collect::<Vec<_>>().join(", ")))
        }
    };
    let parts = [said(admit, "admits", "admit"), said(refuse, "refuses", "refuse")];
    format!("devices that {}", parts.into_iter().flatten().collect::<Vec<_>>().join(" and "))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{
        super::{Ruling, tests::some},
        *,
    };

    fn lost(old: &str, new: &str) -> Option<String> {
        super::lost(&old.parse().expect("old"), &new.parse().expect("new"))
    }

    #[test]
    fn g16_g24_an_alternative_widens_and_a_further_part_narrows() {
        for (old, new) in [
            ("a", "a or b"),
            ("a and b", "a"),
            ("a and b", "a or b"),
            ("a and not b", "a"),
            ("a or b", "b or a"),
            ("not (a or b)", "not a and not b"),
            ("not (a and b)", "not (a and b and c)"),
            ("a", "b or not b"),
        ] {
            assert_eq!(lost(old, new), None, "{old} to {new}");
        }
        for (old, new, says) in [
            ("a or b", "a", "devices that b admits and a refuses"),
            ("a", "a and b", "devices that a admits and b refuses"),
            ("a", "a and not b", "devices that a, b admit"),
            ("a or conditions", "a", "devices that conditions admit and a refuses"),
            ("not a", "not (a or b)", "devices that b admits and a refuses"),
        ] {
            assert_eq!(lost(old, new).as_deref(), Some(says), "{old} to {new}");
        }
    }

    const MANY: usize = 8;

    proptest! {
        #[test]
        fn g16_g24_an_expression_is_as_wide_exactly_when_it_admits_all_that_the_other_admits(
            old in some(MANY), new in some(MANY), fewer in 1..=MANY,
        ) {
            let name = |at: &usize| Some(format!("p-{}", at % fewer));
            let [first, second] = [&old, &new].map(|one| one.over(&mut |at| name(at)).expect("names"));
            let admits = |one: &Admits<usize>, way: usize| one.ruling(&mut |at| {
                if way >> (at % fewer) & 1 == 1 { Ruling::Admitted } else { Ruling::Refused }
            }).passes();
            let narrows = (0..1 << fewer).any(|way| admits(&old, way) && !admits(&new, way));
            prop_assert_eq!(super::lost(&first, &second).is_some(), narrows);
        }
    }
}
