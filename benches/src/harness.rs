//! Cases that take turns, and what came of them.

use std::time::Duration;

use anyhow::{Result, ensure};
use rustix::time::{ClockId, clock_gettime};

/// How long a case runs at a stretch: far longer than it takes to read the clock, and far shorter
/// than it takes a machine to change its pace.
const STRETCH: Duration = Duration::from_millis(2);

/// Cases to be measured side by side, and the ratios to be told of them.
#[derive(Default)]
pub(crate) struct Bench {
    cases: Vec<(String, Box<dyn Case>)>,
    ratios: Vec<(String, Box<Tell>)>,
    figures: Vec<(String, f64)>,
}

/// Tells a ratio from a round.
type Tell = dyn Fn(&Round) -> f64;

/// Something that takes time.
trait Case {
    /// Makes ready for the rounds. Answers how many allocations each time takes, if they are
    /// counted.
    fn prepare(&mut self) -> Option<f64>;

    /// How many nanoseconds it takes each time.
    fn measure(&mut self) -> f64;
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

/// The nanoseconds of all cases in one round.
pub(crate) struct Round(Vec<f64>);

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

impl Round {
    pub(crate) fn of(&self, cost: impl Into<Cost>) -> f64 {
        let Cost { case, beside } = cost.into();
        self.0[case.0] - beside.map_or(0.0, |other| self.0[other.0])
    }
}

/// What came of a [`Bench`], or of what is measured in another way.
#[derive(Default)]
pub(crate) struct Measured {
    pub(crate) cases: Vec<MeasuredCase>,
    /// By name: the median over the rounds, each round's cases compared with each other.
    pub(crate) ratios: Vec<(String, f64)>,
    /// What is no time and no ratio of times.
    pub(crate) figures: Vec<(String, f64)>,
    /// What was promised and not kept: the benchmark fails, once all is told.
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
    /// Nanoseconds, the median over the rounds.
    pub(crate) ns: f64,
    /// Half of what lies between the quartiles, as a part of the median.
    pub(crate) spread: f64,
    /// On average, where they are counted; growing a buffer in place counts as one too.
    pub(crate) allocations: Option<f64>,
}

impl Bench {
    /// Adds a case that is timed by its thread's CPU clock, and whose allocations on that thread
    /// are counted; `repeat` does it as often as it is told.
    pub(crate) fn case(
        &mut self,
        name: impl Into<String>,
        repeat: impl FnMut(u32) + 'static,
    ) -> CaseId {
        self.add(name, Repeated { repeat, count: 1 })
    }

    /// Adds a case that takes its own time; `measure` answers the nanoseconds.
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

    /// Adds a ratio that is told from each round in another way.
    pub(crate) fn ratio_by(
        &mut self,
        name: impl Into<String>,
        tell: impl Fn(&Round) -> f64 + 'static,
    ) {
        self.ratios.push((name.into(), Box::new(tell)));
    }

    /// Adds a ratio that is known without any round.
    pub(crate) fn told(&mut self, name: impl Into<String>, ratio: f64) {
        self.ratio_by(name, move |_| ratio);
    }

    /// Adds what is no time and no ratio, and is known without any round.
    pub(crate) fn figure(&mut self, name: impl Into<String>, value: f64) {
        self.figures.push((name.into(), value));
    }

    /// Runs all cases in turn, `rounds` times.
    ///
    /// # Errors
    ///
    /// A ratio drowns in noise.
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
            ensure!(median.is_finite(), "the ratio `{name}` cannot be told: run more rounds");
            Ok((name.clone(), median))
        });
        Ok(Measured {
            cases: cases.collect(),
            ratios: ratios.collect::<Result<_>>()?,
            figures: self.figures,
            broken: Vec::new(),
        })
    }

    /// Each round begins with another case, so that none always comes after the same one.
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
    /// How many make a stretch.
    count: u32,
}

impl<F: FnMut(u32)> Repeated<F> {
    fn time(&mut self) -> Duration {
        // What the other cases left in the processor's caches is not this one's.
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

/// The time that this thread has spent on a processor.
pub(crate) fn cpu_time() -> Duration {
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
    fn ratios_are_told_round_by_round() {
        let mut bench = Bench::default();
        let mut times = [10.0, 1.0, 2.0, 30.0].into_iter();
        let one = bench.timed("one", move || times.next().unwrap());
        let ten = bench.timed("ten", || 10.0);
        bench.ratio("share", one, ten);
        bench.ratio_by("inverse", move |round| round.of(ten) / round.of(one));
        let measured = bench.measure(3).unwrap();
        assert_eq!(measured.cases[0].ns, 2.0, "the first time is for warming up");
        assert_eq!(measured.ratios, [("share".to_owned(), 0.2), ("inverse".to_owned(), 5.0)]);
    }

    #[test]
    fn a_ratio_over_nothing_is_an_error() {
        let mut bench = Bench::default();
        let case = bench.timed("case", || 1.0);
        bench.ratio("nonsense", case, case.beside(case));
        assert!(bench.measure(1).is_err());
    }
}
