//! A small seeded source of randomness: whoever has the seed repeats every draw, on any machine.

/// The generator SplitMix64, whose whole state is one word.
///
/// It is by G. L. Steele, D. Lea & C. H. Flood ("Fast splittable pseudorandom number generators",
/// *OOPSLA* 2014, 453–472), with the constants of S. Vigna's public-domain `splitmix64.c`. Its
/// period of 2^64 is ample for orders and resamples; it is no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SplitMix64 {
    /// The word that every draw advances by the golden ratio.
    state: u64,
}

impl SplitMix64 {
    /// Returns the generator that starts at `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// Draws a word, every one of the 2^64 being equally likely.
    pub fn word(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.state ^ (self.state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);

        mixed ^ (mixed >> 31)
    }

    /// Draws a whole number from 0 up to, but not including, `bound`; 0 if `bound` is 0.
    ///
    /// Multiplying instead of dividing leaves a bias below `bound` / 2^64, which no resample of
    /// this crate could show (D. Lemire, *ACM Transactions on Modeling and Computer Simulation*
    /// 29(1), 2019, article 3).
    pub fn below(&mut self, bound: usize) -> usize {
        let product = u128::from(self.word()) * bound as u128;

        usize::try_from(product >> 64).expect("the upper half is below the bound, a usize")
    }

    /// Puts `items` in random order, every order being equally likely (R. Durstenfeld,
    /// *Communications of the ACM* 7, 1964, 420).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks the first words drawn from `seed`.
    fn check(seed: u64, expected: &[u64]) {
        let mut random = SplitMix64::new(seed);

        let words: Vec<u64> = expected.iter().map(|_| random.word()).collect();
        assert_eq!(words, expected, "seed {seed}");
    }

    #[test]
    fn the_words_are_those_in_print() {
        // Rosetta Code, "Pseudo-random numbers/Splitmix64".
        check(
            1_234_567,
            &[
                6_457_827_717_110_365_317,
                3_203_168_211_198_807_973,
                9_817_491_932_198_370_423,
                4_593_380_528_125_082_431,
                16_408_922_859_458_223_821,
            ],
        );
    }

    #[test]
    fn every_number_below_the_bound_is_drawn_about_equally_often() {
        let mut random = SplitMix64::new(1);
        let mut counts = [0_u32; 7];
        for _ in 0..7_000 {
            counts[random.below(7)] += 1;
        }

        // Five standard deviations of a binomial count of 7000 draws at 1/7 are 146.
        assert!(counts.iter().all(|count| count.abs_diff(1_000) < 146), "{counts:?}");
    }

    #[test]
    fn a_bound_of_nothing_draws_nothing() {
        assert_eq!(SplitMix64::new(3).below(0), 0);
    }

    #[test]
    fn every_order_of_three_is_drawn_about_equally_often() {
        let mut random = SplitMix64::new(2);
        let mut counts = std::collections::BTreeMap::new();
        for _ in 0..6_000 {
            let mut items = [0, 1, 2];
            random.shuffle(&mut items);
            *counts.entry(items).or_insert(0_u32) += 1;
        }

        assert_eq!(counts.len(), 6);
        assert!(counts.values().all(|count| count.abs_diff(1_000) < 145), "{counts:?}");
    }

    #[test]
    fn shuffling_nothing_leaves_nothing() {
        let mut nothing: [u8; 0] = [];
        SplitMix64::new(4).shuffle(&mut nothing);

        assert!(nothing.is_empty());
    }
}
