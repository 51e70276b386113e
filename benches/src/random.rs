//! A pseudorandom generator with the same output in every run.

/// The `SplitMix64` generator: a counter whose bits are mixed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Returns a number from 0 to `bound`, exclusive.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        ((u128::from(self.next()) * bound as u128) >> 64) as usize
    }

    /// Returns a number from 0 to 1, exclusive.
    fn fraction(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Returns an endless sequence of ranks below `count`. Rank n has a weight of (n + 1) to the
    /// power of `-exponent`.
    pub(crate) fn zipf(mut self, count: usize, exponent: f64) -> impl Iterator<Item = u32> {
        let mut total = 0.0;
        let up_to: Vec<f64> = (1..=count)
            .map(|rank| {
                total += (rank as f64).powf(-exponent);
                total
            })
            .collect();
        std::iter::repeat_with(move || {
            let at = self.fraction() * total;
            up_to.partition_point(|sum| *sum <= at).min(count - 1) as u32
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stay_below_their_bound_and_reach_all_of_it() {
        let mut random = Random::new(1);
        let mut seen = [false; 7];
        (0..200).for_each(|_| seen[random.below(7)] = true);
        assert_eq!(seen, [true; 7]);
    }

    #[test]
    fn second_value_of_zipf_is_half_as_frequent_as_the_first() {
        let mut counts = [0_u32; 3];
        Random::new(1).zipf(3, 1.0).take(11_000).for_each(|rank| counts[rank as usize] += 1);
        let share = |rank: usize| f64::from(counts[rank]) / 11_000.0;
        assert!((share(0) - 6.0 / 11.0).abs() < 0.02, "{counts:?}");
        assert!((share(1) - 3.0 / 11.0).abs() < 0.02, "{counts:?}");
        assert!((share(2) - 2.0 / 11.0).abs() < 0.02, "{counts:?}");
    }
}
