//! Chance that repeats: splitmix64, seeded by the configuration. What must not depend on the order
//! in which requests arrive (ids, which bill row is hurt) is drawn from a hash of its own names.

/// A stream of numbers that is the same for the same seed.
#[derive(Clone, Debug)]
pub struct Random(u64);

const LETTERS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

impl Random {
    /// The stream of `seed`.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The stream that belongs to these names under this seed, whenever it is asked for.
    #[must_use]
    pub fn of(seed: u64, names: &[&str]) -> Self {
        let mut hash = 0xcbf2_9ce4_8422_2325_u64 ^ seed;
        for name in names {
            for byte in name.bytes().chain([0]) {
                hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
            }
        }
        Self(hash)
    }

    /// The next number.
    #[allow(clippy::should_implement_trait, reason = "it never ends, and gives no option")]
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`; 0 when `end` is 0.
    pub fn below(&mut self, end: u64) -> u64 {
        self.next().checked_rem(end).unwrap_or(0)
    }

    /// A place in a list of `len`; 0 when it is empty.
    pub fn place(&mut self, len: usize) -> usize {
        let end = u64::try_from(len).unwrap_or(u64::MAX);
        usize::try_from(self.below(end)).unwrap_or(0)
    }

    /// Whether something happens that happens `per_mille` times in a thousand.
    pub fn happens(&mut self, per_mille: u16) -> bool {
        self.below(1000) < u64::from(per_mille)
    }

    /// Letters of chance from `0-9A-Za-z`.
    pub fn nonce(&mut self, len: usize) -> String {
        (0..len).map(|_| char::from(*LETTERS.get(self.place(62)).unwrap_or(&b'0'))).collect()
    }

    /// Digits of chance.
    pub fn digits(&mut self, len: usize) -> String {
        (0..len).map(|_| char::from(*LETTERS.get(self.place(10)).unwrap_or(&b'0'))).collect()
    }

    /// Lower-case hexadecimal letters of chance.
    pub fn hex(&mut self, len: usize) -> String {
        (0..len)
            .map(|_| char::from(*b"0123456789abcdef".get(self.place(16)).unwrap_or(&b'0')))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_chance() {
        assert_eq!(Random::new(7).nonce(32), Random::new(7).nonce(32));
        assert_ne!(Random::new(7).nonce(32), Random::new(8).nonce(32));
    }

    #[test]
    fn names_are_told_apart_even_when_they_read_alike_together() {
        assert_ne!(Random::of(1, &["ab", "c"]).next(), Random::of(1, &["a", "bc"]).next());
        assert_ne!(Random::of(1, &["ab"]).next(), Random::of(2, &["ab"]).next());
    }

    #[test]
    fn what_happens_always_happens_and_what_never_happens_does_not() {
        let mut random = Random::new(3);
        assert!((0..100).all(|_| random.happens(1000)));
        assert!((0..100).all(|_| !random.happens(0)));
    }
}
