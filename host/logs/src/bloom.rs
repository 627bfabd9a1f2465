//! Bloom filters: small sets that may say yes to what is not in them, and never no to what is. They are stored, so neither
//! the hash nor the positions may ever change.

/// How many bits stand for a hash.
const BITS_OF_ONE: u64 = 6;
/// How many bits a set begins with; it is folded until a third of its bits are set.
const MOST_WORDS: usize = 1 << 13;

/// FNV-1a of all parts with a mark between them, and then a finish by which all bits depend on all bytes.
pub fn hash(kind: u8, parts: &[&[u8]]) -> u64 {
    let mut state = 0xcbf2_9ce4_8422_2325_u64;
    let mut take = |byte: u8| state = (state ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
    take(kind);
    for part in parts {
        part.iter().for_each(|byte| take(*byte));
        take(0xff);
    }
    let mut mixed = state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// The numbers of the bits of a hash, before they are cut to the size of a set. Sizes are powers of two, so that cutting
/// them further is what folding does.
fn positions(hash: u64) -> impl Iterator<Item = u64> {
    let (first, step) = (hash, (hash >> 32) | 1);
    (0..BITS_OF_ONE).map(move |nth| first.wrapping_add(nth.wrapping_mul(step)))
}

/// A set that is being filled.
pub struct Filling {
    words: Vec<u64>,
}

impl Filling {
    /// An empty set.
    pub fn new() -> Self {
        Self { words: vec![0; MOST_WORDS] }
    }

    /// Puts a hash into the set.
    pub fn add(&mut self, hash: u64) {
        let mask = (self.words.len() as u64 * 64) - 1;
        for position in positions(hash) {
            let bit = position & mask;
            self.words[(bit / 64) as usize] |= 1 << (bit % 64);
        }
    }

    /// The set in as few bytes as keep two thirds of its bits clear.
    pub fn bytes(mut self) -> Vec<u8> {
        while self.words.len() > 1 {
            let (low, high) = self.words.split_at(self.words.len() / 2);
            let folded: Vec<_> = low.iter().zip(high).map(|(one, other)| one | other).collect();
            let set: u64 = folded.iter().map(|word| u64::from(word.count_ones())).sum();
            if set * 3 > folded.len() as u64 * 64 {
                break;
            }
            self.words = folded;
        }
        self.words.iter().flat_map(|word| word.to_le_bytes()).collect()
    }
}

/// Whether a set may have a hash.
pub fn may_have(set: &[u8], hash: u64) -> bool {
    if !set.len().is_power_of_two() {
        return true; // none of ours: it rules nothing out
    }
    let mask = (set.len() as u64 * 8) - 1;
    positions(hash).all(|position| {
        let bit = position & mask;
        set[(bit / 8) as usize] & (1 << (bit % 8)) != 0
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(numbers: std::ops::Range<u32>) -> Vec<u64> {
        numbers.map(|number| hash(b'n', &[&number.to_le_bytes()])).collect()
    }

    #[test]
    fn d4_a_set_says_yes_to_all_that_is_in_it_and_seldom_to_what_is_not() {
        for many in [0, 1, 50, 3000, 20_000] {
            let mut filling = Filling::new();
            of(0..many).into_iter().for_each(|hash| filling.add(hash));
            let set = filling.bytes();
            assert!(of(0..many).iter().all(|hash| may_have(&set, *hash)), "{many}");
            let wrong = of(1_000_000..1_010_000).iter().filter(|hash| may_have(&set, **hash)).count();
            assert!(wrong < 40, "{wrong} of 10,000 by mistake, {many} in {} bytes", set.len());
            assert!(set.len() as u32 <= 8 + many * 4, "{many} take {} bytes", set.len());
        }
    }

    #[test]
    fn what_is_stored_is_read_for_ever_in_the_same_way() {
        assert_eq!(hash(b'w', &[b"pay"]), hash(b'w', &[b"pay"]));
        assert_ne!(hash(b'w', &[b"a", b"b"]), hash(b'w', &[b"ab"]));
        let mut filling = Filling::new();
        filling.add(hash(b'w', &[b"pay"]));
        assert_eq!(filling.bytes(), EXPECTED);
    }

    const EXPECTED: [u8; 8] = [0, 0, 64, 16, 4, 0, 8, 130];
}
