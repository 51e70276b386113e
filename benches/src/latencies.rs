//! A collection of measured durations and its percentiles.

use std::time::Duration;

/// Durations in any order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Latencies(Vec<Duration>);

impl Latencies {
    pub(crate) fn push(&mut self, time: Duration) {
        self.0.push(time);
    }

    /// Returns the smallest duration that at least `percent` % of all do not exceed, or zero if
    /// there are none.
    pub(crate) fn percentile(&self, percent: usize) -> Duration {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        // This is the nearest-rank method.
        let rank = (sorted.len() * percent).div_ceil(100);
        sorted.get(rank.saturating_sub(1)).copied().unwrap_or_default()
    }
}

impl FromIterator<Duration> for Latencies {
    fn from_iter<I: IntoIterator<Item = Duration>>(times: I) -> Self {
        Self(times.into_iter().collect())
    }
}

pub(crate) fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

pub(crate) fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentile_is_one_of_the_times() {
        let times: Latencies = (1..=200).rev().map(Duration::from_millis).collect();
        let of = |percent| times.percentile(percent).as_millis();
        assert_eq!([of(50), of(99), of(100)], [100, 198, 200]);
        assert_eq!(Latencies::default().percentile(99), Duration::ZERO);
        let one: Latencies = [Duration::from_millis(7)].into_iter().collect();
        assert_eq!(one.percentile(50).as_millis(), 7);
    }
}
