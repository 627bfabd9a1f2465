//! Numbers of people: phones, identity cards and bank cards. Their digits may be fullwidth, and may stand in groups with
//! one separator between them.
//!
//! A number begins and ends where no further digit touches it. What stands in a group beside it is no reason to leave it.

/// A digit of a text.
struct Digit {
    value: u8,
    start: usize,
    end: usize,
    /// What stands before it and after the digit before: nothing, one separator, or anything else.
    before: Gap,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Gap {
    None,
    Separator(char),
    Apart,
}

/// The digits of a text, ready to be searched.
pub struct Digits<'t> {
    text: &'t str,
    digits: Vec<Digit>,
}

/// A character as it is in ASCII, if it is the fullwidth form of one.
fn narrow(c: char) -> char {
    match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(c as u32 - 0xfee0).unwrap_or(c),
        c => c,
    }
}

fn is_separator(c: char) -> bool {
    matches!(
        narrow(c),
        ' ' | '\t' | '-' | '.' | '_' | '\u{a0}' | '\u{3000}' | '\u{2000}'..='\u{2015}' | '\u{202f}' | '\u{2212}'
    )
}

impl<'t> Digits<'t> {
    pub fn of(text: &'t str) -> Self {
        let (mut digits, mut before) = (Vec::new(), Gap::Apart);
        for (start, c) in text.char_indices() {
            if let Some(value) = narrow(c).to_digit(10) {
                digits.push(Digit { value: value as u8, start, end: start + c.len_utf8(), before });
                before = Gap::None;
            } else if before == Gap::None && is_separator(c) {
                before = Gap::Separator(narrow(c));
            } else {
                before = Gap::Apart;
            }
        }
        Self { text, digits }
    }

    /// Whether a number may begin with this digit, or end before it.
    fn is_edge(&self, at: usize) -> bool {
        self.digits.get(at).is_none_or(|digit| digit.before != Gap::None)
    }

    /// The digits from `at` on that belong together, at most `most`.
    fn chain(&self, at: usize, most: usize) -> &[Digit] {
        let rest = self.digits.get(at..).unwrap_or_default();
        let rest = rest.get(..most.min(rest.len())).unwrap_or_default();
        let end = rest.iter().skip(1).position(|digit| digit.before == Gap::Apart).map_or(rest.len(), |at| at + 1);
        rest.get(..end).unwrap_or_default()
    }

    fn starts(&self) -> impl Iterator<Item = usize> {
        (0..self.digits.len()).filter(|at| self.is_edge(*at))
    }

    /// Numbers of bank cards: 13 to 19 digits, of which the last is right.
    pub fn bank_cards(&self) -> Vec<(usize, usize)> {
        self.starts().filter_map(|at| self.bank_card(at)).collect()
    }

    /// The longest number of a bank card that begins here.
    fn bank_card(&self, at: usize) -> Option<(usize, usize)> {
        let chain = self.chain(at, 19);
        // Luhn's sum, with the digits doubled that stand at even places, and with those at odd ones.
        let (mut sums, mut digits, mut longest) = ([0u32; 2], 0, None);
        for (place, digit) in chain.iter().enumerate() {
            let value = u32::from(digit.value);
            sums[place % 2] += value * 2 / 10 + value * 2 % 10;
            sums[(place + 1) % 2] += value;
            digits += value;
            let length = place + 1;
            // Thirteen digits from 1 on are no card, but a time in milliseconds.
            let is_long = length > 13 || (length == 13 && chain[0].value != 1);
            let is_card = is_long && digits > 0 && sums[length % 2] % 10 == 0;
            if is_card && self.is_edge(at + length) && !is_fraction(&chain[..length]) {
                longest = Some((chain[0].start, digit.end));
            }
        }
        longest
    }

    /// Identity card numbers: 17 digits and a character that is right for them.
    pub fn id_cards(&self) -> Vec<(usize, usize)> {
        self.starts().filter_map(|at| self.id_card(at)).collect()
    }

    fn id_card(&self, at: usize) -> Option<(usize, usize)> {
        let chain = self.chain(at, 18);
        let last = chain.get(16)?;
        let digits: Vec<u32> = chain.iter().take(17).map(|digit| u32::from(digit.value)).collect();
        let (check, end) = match chain.get(17) {
            Some(digit) if self.is_edge(at + 18) => (u32::from(digit.value), digit.end),
            _ => (10, self.letter_x(last.end)?),
        };
        is_id_card(&digits, check).then_some((chain[0].start, end))
    }

    /// The end of an X that stands here, or after a separator.
    fn letter_x(&self, from: usize) -> Option<usize> {
        let mut rest = self.text.get(from..)?.char_indices();
        let (mut at, mut c) = rest.next()?;
        if is_separator(c) {
            (at, c) = rest.next()?;
        }
        let stands_alone = rest.next().is_none_or(|(_, next)| !narrow(next).is_ascii_digit());
        (matches!(narrow(c), 'X' | 'x') && stands_alone).then_some(from + at + c.len_utf8())
    }

    /// Mobile phone numbers of China, with and without 86, and numbers in international form.
    pub fn phones(&self) -> Vec<(usize, usize)> {
        self.starts().filter_map(|at| self.mobile(at).or_else(|| self.international(at))).collect()
    }

    fn mobile(&self, at: usize) -> Option<(usize, usize)> {
        const GROUPS: [[usize; 2]; 3] = [[3, 7], [4, 8], [3, 6]];
        let prefix = [4, 3, 2].into_iter().filter(|length| self.is_86(at, *length)).find(|length| {
            let own = self.digits.get(at + length);
            own.is_some_and(|digit| digit.before != Gap::Apart)
        });
        let first = at + prefix.unwrap_or(0);
        let chain = self.chain(first, 11);
        let gaps = || (1..chain.len()).filter(|place| chain[*place].before != Gap::None);
        let is_mobile = chain.len() == 11
            && chain[0].value == 1
            && chain[1].value >= 3
            && self.is_edge(first + 11)
            && GROUPS.iter().any(|group| gaps().all(|gap| group.contains(&gap)));
        is_mobile.then(|| (self.plus(at), chain[10].end))
    }

    /// Whether 86, 086 or 0086 stands here, in as many digits.
    fn is_86(&self, at: usize, length: usize) -> bool {
        let own = self.digits.get(at..at + length).unwrap_or_default();
        let solid = own.iter().skip(1).all(|digit| digit.before == Gap::None);
        let expected = [0, 0, 8, 6].into_iter().skip(4 - length);
        solid && own.len() == length && own.iter().map(|digit| digit.value).eq(expected)
    }

    /// Where a number begins whose first digit is this one: at its plus sign, if it has one.
    fn plus(&self, at: usize) -> usize {
        let start = self.digits[at].start;
        let before = self.text.get(..start).and_then(|text| text.chars().next_back());
        before.filter(|c| narrow(*c) == '+').map_or(start, |c| start - c.len_utf8())
    }

    /// The longest number of 8 to 15 digits after a plus sign.
    fn international(&self, at: usize) -> Option<(usize, usize)> {
        let start = self.plus(at);
        let chain = self.chain(at, 15);
        let has_form = start < chain.first()?.start && chain[0].value > 0;
        let may_end = |length: &usize| self.is_edge(at + length) && !is_fraction(&chain[..*length]);
        let length = (8..=chain.len()).rev().find(may_end).filter(|_| has_form)?;
        Some((start, chain[length - 1].end))
    }
}

/// Whether the only thing between the digits is one point, as in 0.30000000000000004.
fn is_fraction(digits: &[Digit]) -> bool {
    let mut gaps = digits.iter().skip(1).filter(|digit| digit.before != Gap::None);
    gaps.next().is_some_and(|digit| digit.before == Gap::Separator('.')) && gaps.next().is_none()
}

/// ISO 7064, MOD 11-2, and a year, a month and a day that there are.
fn is_id_card(digits: &[u32], check: u32) -> bool {
    const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let sum: u32 = digits.iter().zip(WEIGHTS).map(|(digit, weight)| digit * weight).sum();
    let number = |from: usize| digits[from] * 10 + digits[from + 1];
    digits[0] > 0
        && check == (12 - sum % 11) % 11
        && (18..=20).contains(&number(6))
        && (1..=12).contains(&number(10))
        && (1..=31).contains(&number(12))
}
