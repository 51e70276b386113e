use crate::sync::{AtomicU64, Ordering};

/// How many scopes without path parameters are remembered: the first that the process named.
pub(crate) const NUMBERED: u8 = 128;

/// Remembers which numbered requirements a token meets, so that each is compared only once.
#[derive(Debug, Default)]
pub(crate) struct ScopeMemo {
    asked: [AtomicU64; NUMBERED as usize / 64],
    met: [AtomicU64; NUMBERED as usize / 64],
}

impl ScopeMemo {
    /// Returns whether a requirement is met, and calls `compare` if that is not known yet.
    pub(crate) fn get_or_compare(&self, number: u8, compare: impl FnOnce() -> bool) -> bool {
        let (word, bit) = (usize::from(number / 64), 1 << (number % 64));
        if self.asked[word].load(Ordering::Acquire) & bit != 0 {
            return self.met[word].load(Ordering::Relaxed) & bit != 0;
        }
        let met = compare();
        if met {
            self.met[word].fetch_or(bit, Ordering::Relaxed);
        }
        // `Release` makes the bit in `met` visible to everybody who sees this one.
        self.asked[word].fetch_or(bit, Ordering::Release);
        met
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_requirement_is_compared_once() {
        let memo = ScopeMemo::default();
        for number in [0, 63, 64, 127] {
            let met = number % 2 == 0;
            assert_eq!(memo.get_or_compare(number, || met), met);
            assert_eq!(memo.get_or_compare(number, || unreachable!("it is known")), met);
        }
    }
}
