//! Runs cases in turn and computes their medians and ratios.

use std::time::Duration;

use anyhow::{Result, ensure};
use rustix::time::{ClockId, clock_gettime};

/// The minimum duration of a measurement. It is far longer than reading the clock takes, and far
/// shorter than the time in which the speed of a machine changes.
const STRETCH: Duration = Duration::from_millis(2);

/// A set of cases that are measured side by side, and the ratios between them.
#[derive(Default)]
pub(crate) struct Bench {
    cases: Vec<(String, Box<dyn Case>)>,
    ratios: Vec<(String, Box<Tell>)>,
    figures: Vec<(String, f64)>,
}

/// Computes a ratio from a round.
type Tell = dyn Fn(&Round) -> f64;

/// Code to be measured.
trait Case {
    /// Prepares the case for the rounds. Returns the number of allocations per repetition if they
    /// are counted.
    fn prepare(&mut self) -> Option<f64>;

    /// Returns the nanoseconds of one repetition.
    fn measure(&mut self) -> f64;
}

/// The index of a case in a [`Bench`].
#[derive(Clone, Copy)]
pub(crate) struct CaseId(usize);

/// The time of a case, or the difference between the times of two cases.
#[derive(Clone, Copy)]
pub(crate) struct Cost {
    case: CaseId,
    beside: Option<CaseId>,
}

/// The nanoseconds of all cases in one round.
pub(crate) struct Round(Vec<f64>);

impl CaseId {
    /// Returns the time by which this case exceeds `other`.
    pub(crate) fn beside(self, other: Self) -> Cost {
        Cost { case: self, beside: Some(other) }
    }
}

impl From<CaseId> for Cost {
    fn from(case: CaseId) -> Self {
        Self { case, beside: None }
    }
}

impl Round {
    pub(crate) fn of(&self, cost: impl Into<Cost>) -> f64 {
        let Cost { case, beside } = cost.into();
        self.0[case.0] - beside.map_or(0.0, |other| self.0[other.0])
    }
}

/// The results of a [`Bench`], or of a benchmark that measures in another way.
#[derive(Default)]
pub(crate) struct Measured {
    pub(crate) cases: Vec<MeasuredCase>,
    /// The ratios by name. Each is the median of the ratios of all rounds.
    pub(crate) ratios: Vec<(String, f64)>,
    /// Values that are neither times nor ratios of times.
    pub(crate) figures: Vec<(String, f64)>,
    /// Violated promises. The benchmark fails after it has printed all results.
    pub(crate) broken: Vec<String>,
}

impl Measured {
    pub(crate) fn ratio(&mut self, name: impl Into<String>, ratio: f64) {
        self.ratios.push((name.into(), ratio));
    }

    pub(crate) fn figure(&mut self, name: impl Into<String>, value: f64) {
        self.figures.push((name.into(), value));
    }
}

pub(crate) struct MeasuredCase {
    pub(crate) name: String,
    /// The median over the rounds, in nanoseconds.
    pub(crate) ns: f64,
    /// Half of the interquartile range, relative to the median.
    pub(crate) spread: f64,
    /// The average number of allocations, if they are counted. Growing a buffer in place counts as
    /// one.
    pub(crate) allocations: Option<f64>,
}

impl Bench {
    /// Adds a case that is timed by the CPU clock of its thread, and whose allocations on that
    /// thread are counted. `repeat` receives the number of repetitions.
    pub(crate) fn case(
        &mut self,
        name: impl Into<String>,
        repeat: impl FnMut(u32) + 'static,
    ) -> CaseId {
        self.add(name, Repeated { repeat, count: 1 })
    }

    /// Adds a case that does its own timing: `measure` returns the nanoseconds.
    pub(crate) fn timed(
        &mut self,
        name: impl Into<String>,
        measure: impl FnMut() -> f64 + 'static,
    ) -> CaseId {
        self.add(name, Timed(measure))
    }

    fn add(&mut self, name: impl Into<String>, case: impl Case + 'static) -> CaseId {
        self.cases.push((name.into(), Box::new(case)));
        CaseId(self.cases.len() - 1)
    }

    pub(crate) fn ratio(
        &mut self,
        name: impl Into<String>,
        of: impl Into<Cost>,
        over: impl Into<Cost>,
    ) {
        let (of, over) = (of.into(), over.into());
        self.ratio_by(name, move |round| round.of(of) / round.of(over));
    }

    /// Adds a ratio that a function computes from each round.
    pub(crate) fn ratio_by(
        &mut self,
        name: impl Into<String>,
        tell: impl Fn(&Round) -> f64 + 'static,
    ) {
        self.ratios.push((name.into(), Box::new(tell)));
    }

    /// Adds a ratio whose value is already known.
    pub(crate) fn told(&mut self, name: impl Into<String>, ratio: f64) {
        self.ratio_by(name, move |_| ratio);
    }

    /// Adds a value that is neither a time nor a ratio.
    pub(crate) fn figure(&mut self, name: impl Into<String>, value: f64) {
        self.figures.push((name.into(), value));
    }

    /// Runs all cases in turn, `rounds` times.
    ///
    /// # Errors
    ///
    /// Returns an error if a ratio is not a finite number, because the times differ too little.
    pub(crate) fn measure(mut self, rounds: u32) -> Result<Measured> {
        let allocations: Vec<_> = self.cases.iter_mut().map(|(_, case)| case.prepare()).collect();
        let rounds: Vec<Round> = (0..rounds as usize).map(|round| self.round(round)).collect();

        let cases = self.cases.iter().zip(allocations).enumerate();
        let cases = cases.map(|(at, ((name, _), allocations))| {
            let [low, ns, high] = quartiles(rounds.iter().map(|round| round.0[at]).collect());
            MeasuredCase { name: name.clone(), ns, spread: (high - low) / 2.0 / ns, allocations }
        });
        let ratios = self.ratios.iter().map(|(name, tell)| {
            let [_, median, _] = quartiles(rounds.iter().map(tell).collect());
            ensure!(
                median.is_finite(),
                "the ratio `{name}` is not a finite number: run more rounds"
            );
            Ok((name.clone(), median))
        });
        Ok(Measured {
            cases: cases.collect(),
            ratios: ratios.collect::<Result<_>>()?,
            figures: self.figures,
            broken: Vec::new(),
        })
    }

    /// Measures every case once. Each round starts with another case, so that no case always
    /// follows the same one.
    fn round(&mut self, round: usize) -> Round {
        let mut ns = vec![0.0; self.cases.len()];
        for turn in 0..self.cases.len() {
            let at = (round + turn) % self.cases.len();
            ns[at] = self.cases[at].1.measure();
        }
        Round(ns)
    }
}

struct Repeated<F> {
    repeat: F,
    /// The number of repetitions in one measurement.
    count: u32,
}

impl<F: FnMut(u32)> Repeated<F> {
    fn time(&mut self) -> Duration {
        // Warm up the processor's caches, which still hold the data of the other cases.
        (self.repeat)(self.count.div_ceil(2));
        let started = cpu_time();
        (self.repeat)(self.count);
        cpu_time() - started
    }
}

impl<F: FnMut(u32)> Case for Repeated<F> {
    fn prepare(&mut self) -> Option<f64> {
        while self.time() < STRETCH {
            self.count *= 2;
        }
        let counted = allocation_counter::measure(|| (self.repeat)(self.count));
        Some(counted.count_total as f64 / f64::from(self.count))
    }

    fn measure(&mut self) -> f64 {
        self.time().as_nanos() as f64 / f64::from(self.count)
    }
}

struct Timed<F>(F);

impl<F: FnMut() -> f64> Case for Timed<F> {
    fn prepare(&mut self) -> Option<f64> {
        (self.0)();
        None
    }

    fn measure(&mut self) -> f64 {
        (self.0)()
    }
}

/// Returns the CPU time of this thread.
pub(crate) fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::try_from(time).expect("a thread's CPU time is never negative")
}

/// Returns the lower quartile, the median and the upper quartile.
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
    fn cost_is_that_of_a_case_or_a_difference_of_two() {
        let (a, b) = (CaseId(0), CaseId(1));
        let round = Round(vec![2.0, 5.0]);
        assert_eq!(round.of(b), 5.0);
        assert_eq!(round.of(b.beside(a)), 3.0);
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
        assert_eq!(allocations, [Some(0.0), Some(2.0)]);
    }

    #[test]
    fn ratios_are_computed_round_by_round() {
        let mut bench = Bench::default();
        let mut times = [10.0, 1.0, 2.0, 30.0].into_iter();
        let one = bench.timed("one", move || times.next().unwrap());
        let ten = bench.timed("ten", || 10.0);
        bench.ratio("share", one, ten);
        bench.ratio_by("inverse", move |round| round.of(ten) / round.of(one));
        let measured = bench.measure(3).unwrap();
        assert_eq!(measured.cases[0].ns, 2.0, "the first measurement is a warm-up");
        assert_eq!(measured.ratios, [("share".to_owned(), 0.2), ("inverse".to_owned(), 5.0)]);
    }

    #[test]
    fn ratio_with_a_zero_divisor_is_an_error() {
        let mut bench = Bench::default();
        let case = bench.timed("case", || 1.0);
        bench.ratio("nonsense", case, case.beside(case));
        assert!(bench.measure(1).is_err());
    }
}
