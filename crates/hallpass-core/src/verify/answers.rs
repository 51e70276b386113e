use crate::sync::{AtomicU64, Ordering};

/// How many requirements without path parameters are bits: the first that the process named.
pub(crate) const NUMBERED: u8 = 128;

/// Which numbered requirements are met, found out once.
#[derive(Debug, Default)]
pub(super) struct Answers {
    asked: [AtomicU64; NUMBERED as usize / 64],
    met: [AtomicU64; NUMBERED as usize / 64],
}

impl Answers {
    pub(super) fn of(&self, number: u8, find_out: impl FnOnce() -> bool) -> bool {
        let (word, bit) = (usize::from(number / 64), 1 << (number % 64));
        if self.asked[word].load(Ordering::Acquire) & bit != 0 {
            return self.met[word].load(Ordering::Relaxed) & bit != 0;
        }
        let met = find_out();
        if met {
            self.met[word].fetch_or(bit, Ordering::Relaxed);
        }
        // Whoever sees this bit sees the other.
        self.asked[word].fetch_or(bit, Ordering::Release);
        met
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_requirement_is_compared_once() {
        let answers = Answers::default();
        for number in [0, 63, 64, 127] {
            let met = number % 2 == 0;
            assert_eq!(answers.of(number, || met), met);
            assert_eq!(answers.of(number, || unreachable!("it is known")), met);
        }
    }
}
