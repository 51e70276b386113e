//! Cases that take turns, timed and their allocations counted.

use std::time::Duration;

use anyhow::{Result, ensure};
use rustix::time::{ClockId, clock_gettime};

/// How long a case runs at a stretch: far longer than it takes to read the clock, and far shorter
/// than it takes a machine to change its pace.
const STRETCH: Duration = Duration::from_millis(2);

/// Cases to be measured side by side, and the ratios to be told of them.
#[derive(Default)]
pub(crate) struct Bench {
    cases: Vec<Case>,
    ratios: Vec<Ratio>,
}

struct Case {
    name: &'static str,
    /// Does it so many times.
    repeat: Box<dyn FnMut(u32)>,
}

struct Ratio {
    name: &'static str,
    of: Cost,
    over: Cost,
}

/// A case of a [`Bench`].
#[derive(Clone, Copy)]
pub(crate) struct CaseId(usize);

/// What a case takes, or what it takes more than another.
#[derive(Clone, Copy)]
pub(crate) struct Cost {
    case: CaseId,
    beside: Option<CaseId>,
}

impl CaseId {
    /// What this case takes more than `other`.
    pub(crate) fn beside(self, other: Self) -> Cost {
        Cost { case: self, beside: Some(other) }
    }
}

impl From<CaseId> for Cost {
    fn from(case: CaseId) -> Self {
        Self { case, beside: None }
    }
}

impl Cost {
    /// The nanoseconds, of those that each case took in one round.
    fn of(self, round: &[f64]) -> f64 {
        round[self.case.0] - self.beside.map_or(0.0, |other| round[other.0])
    }
}

/// What came of a [`Bench`].
pub(crate) struct Measured {
    pub(crate) cases: Vec<MeasuredCase>,
    /// By name: the median over the rounds, each round's cases compared with each other.
    pub(crate) ratios: Vec<(&'static str, f64)>,
}

pub(crate) struct MeasuredCase {
    pub(crate) name: &'static str,
    /// Nanoseconds of the thread's CPU time, the median over the rounds.
    pub(crate) ns: f64,
    /// Half of what lies between the quartiles, as a part of the median.
    pub(crate) spread: f64,
    /// On average; growing a buffer in place counts as one too.
    pub(crate) allocations: f64,
}

impl Bench {
    /// Adds a case; `repeat` does it as often as it is told.
    pub(crate) fn case(&mut self, name: &'static str, repeat: impl FnMut(u32) + 'static) -> CaseId {
        self.cases.push(Case { name, repeat: Box::new(repeat) });
        CaseId(self.cases.len() - 1)
    }

    pub(crate) fn ratio(&mut self, name: &'static str, of: impl Into<Cost>, over: impl Into<Cost>) {
        self.ratios.push(Ratio { name, of: of.into(), over: over.into() });
    }

    /// Runs all cases in turn, `rounds` times.
    ///
    /// # Errors
    ///
    /// A ratio drowns in noise.
    pub(crate) fn measure(mut self, rounds: u32) -> Result<Measured> {
        let counts: Vec<_> = self.cases.iter_mut().map(Case::calibrate).collect();
        let allocations: Vec<_> = self
            .cases
            .iter_mut()
            .zip(&counts)
            .map(|(case, count)| case.allocations(*count))
            .collect();

        let rounds: Vec<Vec<f64>> =
            (0..rounds as usize).map(|round| self.round(round, &counts)).collect();

        let cases = self.cases.iter().zip(allocations).enumerate();
        let cases = cases.map(|(at, (case, allocations))| {
            let [low, ns, high] = quartiles(rounds.iter().map(|round| round[at]).collect());
            MeasuredCase { name: case.name, ns, spread: (high - low) / 2.0 / ns, allocations }
        });
        let ratios = self.ratios.iter().map(|Ratio { name, of, over }| {
            let each = rounds.iter().map(|round| of.of(round) / over.of(round)).collect();
            let [_, median, _] = quartiles(each);
            ensure!(median.is_finite(), "the ratio `{name}` cannot be told: run more rounds");
            Ok((*name, median))
        });
        Ok(Measured { cases: cases.collect(), ratios: ratios.collect::<Result<_>>()? })
    }

    /// The nanoseconds of each case. Each round begins with another case, so that none always comes after the same one.
    fn round(&mut self, round: usize, counts: &[u32]) -> Vec<f64> {
        let mut ns = vec![0.0; self.cases.len()];
        for turn in 0..self.cases.len() {
            let at = (round + turn) % self.cases.len();
            ns[at] = self.cases[at].time(counts[at]).as_nanos() as f64 / f64::from(counts[at]);
        }
        ns
    }
}

impl Case {
    fn time(&mut self, count: u32) -> Duration {
        let started = cpu_time();
        (self.repeat)(count);
        cpu_time() - started
    }

    /// How many make a stretch. Finding out warms up caches and predictors too.
    fn calibrate(&mut self) -> u32 {
        let mut count = 1;
        while self.time(count) < STRETCH {
            count *= 2;
        }
        count
    }

    fn allocations(&mut self, count: u32) -> f64 {
        let counted = allocation_counter::measure(|| (self.repeat)(count));
        counted.count_total as f64 / f64::from(count)
    }
}

/// The time that this thread has spent on a processor.
fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::try_from(time).expect("a thread's CPU time is never negative")
}

/// The lower quartile, the median and the upper quartile.
fn quartiles(mut values: Vec<f64>) -> [f64; 3] {
    values.sort_unstable_by(f64::total_cmp);
    let last = values.len() - 1;
    [last / 4, last / 2, last - last / 4].map(|at| values[at])
}

#[cfg(test)]
mod tests {
    use std::hint::black_box;

    use super::*;

    #[test]
    fn quartiles_do_not_depend_on_the_order() {
        assert_eq!(quartiles(vec![5.0, 1.0, 4.0, 2.0, 3.0]), [2.0, 3.0, 4.0]);
        assert_eq!(quartiles(vec![7.0]), [7.0; 3]);
    }

    #[test]
    fn a_cost_is_a_case_or_its_difference_to_another() {
        let (a, b) = (CaseId(0), CaseId(1));
        assert_eq!(Cost::from(b).of(&[2.0, 5.0]), 5.0);
        assert_eq!(b.beside(a).of(&[2.0, 5.0]), 3.0);
    }

    #[test]
    fn allocations_are_counted_by_case() {
        let mut bench = Bench::default();
        bench.case("none", |count| {
            for n in 0..count {
                black_box(n);
            }
        });
        bench.case("two", |count| {
            for n in 0..count {
                black_box((Box::new(n), Box::new(n)));
            }
        });
        let measured = bench.measure(1).unwrap();
        let allocations: Vec<_> = measured.cases.iter().map(|case| case.allocations).collect();
        assert_eq!(allocations, [0.0, 2.0]);
    }

    #[test]
    fn a_ratio_over_nothing_is_an_error() {
        let mut bench = Bench::default();
        let case = bench.case("case", |count| {
            for n in 0..count {
                black_box(n);
            }
        });
        bench.ratio("nonsense", case, case.beside(case));
        assert!(bench.measure(1).is_err());
    }
}
