//! Reads the numbers that `tests/RULES.md` defines.

use std::{collections::BTreeSet, sync::LazyLock};

use regex::Regex;

use super::number::{Number, lines};

/// Returns the numbers that the page defines, and what is wrong with its entries, with the lines.
pub(super) fn defined(page: &str) -> (Vec<Number>, Vec<(usize, String)>) {
    let (mut numbers, mut mistakes) = (Vec::new(), Vec::new());
    for (at, line) in lines(page).filter(|(_, line)| line.starts_with("- <b")) {
        match entry(line) {
            None => mistakes.push((at, r#"an entry begins as in: - <b id="g9">G9</b> A device"#.to_owned())),
            Some(number) => {
                mistakes.extend(misplaced(&numbers, number).map(|mistake| (at, mistake)));
                numbers.push(number);
            }
        }
    }
    (numbers, mistakes)
}

fn entry(line: &str) -> Option<Number> {
    static ENTRY: LazyLock<Regex> = LazyLock::new(|| Regex::new(r#"^- <b id="(\w+)">(\w+)</b> \S"#).unwrap());
    let entry = ENTRY.captures(line).filter(|entry| entry[1] == entry[2].to_lowercase())?;
    entry[2].parse().ok()
}

fn misplaced(before: &[Number], number: Number) -> Option<String> {
    let expected = match before.last() {
        Some(last) if last.group == number.group => last.count + 1,
        _ => 1,
    };
    let is_new = expected > 1 || before.iter().all(|one| one.group != number.group);
    match number {
        _ if before.contains(&number) => Some(format!("{number} is there twice")),
        _ if is_new && number.count == expected => None,
        _ => Some(format!("{number} is out of order: a group counts from 1 without gaps, and is in one place")),
    }
}

/// Lists those of `numbers` that are not in `without`, as in `A4, D1–D5`. A range stands for all numbers in it.
pub(super) fn others(numbers: &[Number], without: &BTreeSet<Number>) -> String {
    let kind = |number: &Number| (number.group, without.contains(number));
    let runs = numbers.chunk_by(|one, next| kind(one) == kind(next)).filter(|run| !without.contains(&run[0]));
    let written = runs.map(|run| match run {
        [first, .., last] => format!("{first}–{last}"),
        run => run[0].to_string(),
    });
    written.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Makes a page with these entries, one a line.
    fn page(numbers: &str) -> String {
        let entry = |number: &str| format!("- <b id=\"{}\">{number}</b> Holds.\n", number.to_lowercase());
        numbers.split(' ').map(entry).collect()
    }

    #[test]
    fn entries_are_found_among_other_text() {
        let (numbers, mistakes) = defined(&format!("# Rules\n\n- A list: G7.\n\n{}  and more\n", page("G1 G2 F1")));
        let numbers: Vec<_> = numbers.iter().map(Number::to_string).collect();
        assert_eq!((numbers.join(" "), mistakes), ("G1 G2 F1".to_owned(), vec![]));
    }

    #[test]
    fn a_number_that_is_there_twice_or_out_of_order_is_told_with_its_line() {
        let table = [
            ("G1 G2 G2", 3, "twice"),
            ("G1 G2 G1", 3, "twice"),
            ("G1 F1 G1", 3, "twice"),
            ("G2", 1, "out of order"),
            ("G1 G3", 2, "out of order"),
            ("G1 G2 F1 G3", 4, "out of order"),
        ];
        for (numbers, line, mistake) in table {
            let (_, mistakes) = defined(&page(numbers));
            assert!(
                matches!(&mistakes[..], [(at, what)] if *at == line && what.contains(mistake)),
                "{numbers}: {mistakes:?}"
            );
        }
    }

    #[test]
    fn an_entry_that_cannot_be_linked_to_is_told() {
        for line in [
            "- <b id=\"g2\">G1</b> Holds.",
            "- <b>G1</b> Holds.",
            "- <b id=\"g1\">G1</b>",
            "- <b id=\"x\">X</b> Holds.",
        ] {
            assert_eq!(defined(line).1.len(), 1, "{line}");
        }
    }

    #[test]
    fn what_no_test_carries_is_told_in_ranges() {
        let numbers = defined(&page("G1 G2 G3 G4 F1 F2")).0;
        let without = |proved: &str| others(&numbers, &proved.split(' ').filter_map(|one| one.parse().ok()).collect());
        assert_eq!(without(""), "G1–G4, F1–F2");
        assert_eq!(without("G3"), "G1–G2, G4, F1–F2");
        assert_eq!(without("G1 G2 G3 G4 F2"), "F1");
        assert_eq!(without("G1 G2 G3 G4 F1 F2"), "");
    }
}
