//! A memo of the scopes that a token covers, so that each is compared only once.

use crate::sync::{AtomicU64, Ordering};

/// The number of scopes that a memo holds. Each scope without path parameters gets a number when a
/// route first names it. Scopes beyond this many are compared on every check.
pub(crate) const NUMBERED: u8 = 128;

/// A memo of the numbered scopes that a set covers: two bits for each scope.
///
/// Many threads use a memo at once, without a lock. The invariant is that a bit in `asked` is set
/// only after the bit in `met` has its final value. So a thread that sees the bit in `asked` also
/// sees the right bit in `met`. If the order were reversed, a thread could read "asked, not met"
/// and reject a token that holds the scope. Two threads may both compare the same scope: they get
/// the same result, and setting a bit twice changes nothing.
#[derive(Debug, Default)]
pub(crate) struct ScopeMemo {
    /// The scopes that have been compared.
    asked: [AtomicU64; NUMBERED as usize / 64],
    /// The scopes that are covered.
    met: [AtomicU64; NUMBERED as usize / 64],
}

impl ScopeMemo {
    /// Returns whether the scope with this number is covered. Calls `compare` if that is not known
    /// yet.
    pub(crate) fn get_or_compare(&self, number: u8, compare: impl FnOnce() -> bool) -> bool {
        let (word, bit) = (usize::from(number / 64), 1 << (number % 64));
        if self.asked[word].load(Ordering::Acquire) & bit != 0 {
            return self.met[word].load(Ordering::Relaxed) & bit != 0;
        }
        let met = compare();
        if met {
            self.met[word].fetch_or(bit, Ordering::Relaxed);
        }
        // `Release` makes the bit in `met` visible to every thread that sees this one.
        self.asked[word].fetch_or(bit, Ordering::Release);
        met
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_scope_is_compared_once() {
        let memo = ScopeMemo::default();
        for number in [0, 63, 64, 127] {
            let met = number % 2 == 0;
            assert_eq!(memo.get_or_compare(number, || met), met);
            assert_eq!(memo.get_or_compare(number, || unreachable!("it is known")), met);
        }
    }
}
