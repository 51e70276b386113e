//! The shipped order passes, and every other one fails or is known not to matter.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::Instant;

use hallpass_loom::{MODELS, Model, Outcome, Site, Twist, run};

/// Each model as it is, in every order that loom finds. The quickest come first.
static AS_SHIPPED: LazyLock<Vec<(&Model, Outcome)>> = LazyLock::new(|| {
    let timed = |model| {
        let began = Instant::now();
        let outcome = run(model, None);
        (began.elapsed(), model, outcome)
    };
    let mut outcomes: Vec<_> = MODELS.iter().map(timed).collect();
    outcomes.sort_by_key(|(took, ..)| *took);
    outcomes.into_iter().map(|(_, model, outcome)| (model, outcome)).collect()
});

/// What may be otherwise and breaks nothing: what kind of change, the line of code, and why.
const INDIFFERENT: &[(&str, &str, &str)] = &[
    (
        "early in a check",
        "Some(DualInstant { monotonic, wall: self.wall.load(Ordering::Acquire) })",
        "who sees the newer of either clock sees the changes, and the older makes no age smaller",
    ),
    (
        "late",
        "self.wall.store(asked_at.wall, Ordering::Release);",
        "who sees the newer of either clock sees the changes, and the older makes no age smaller",
    ),
    (
        "early in a check",
        "let guard = self.places[way].load();",
        "an entry never changes, and what decides on it is read from the stripes later",
    ),
    (
        "late",
        "set.places[way].store(Some(entry.clone().into_token()));",
        "a tag without its token is a miss",
    ),
    ("early in a check", "if known.load(Ordering::Relaxed) == tag {", "a tag is a hint"),
    (
        "early in a fill",
        "|wanted| self.tags.iter().position(|known| known.load(Ordering::Relaxed) == wanted);",
        "a tag is a hint",
    ),
    (
        "early in a check",
        "self.used.load(Ordering::Relaxed) & bit == 0",
        "it decides who makes room, no more",
    ),
    (
        "late",
        "if self.used.fetch_and(!bit, Ordering::Relaxed) & bit == 0 {",
        "it decides who makes room, no more",
    ),
    (
        "late",
        "usize::from(self.hand.fetch_add(1, Ordering::Relaxed)) % WAYS",
        "it decides who makes room, no more",
    ),
    (
        "early in a question",
        "let min_seq = self.min_seq.load(Ordering::Acquire);",
        "the host is asked later, and the epoch is read once more",
    ),
    (
        "early in a question",
        "let last = self.owners[usize::from(self.stripe(owner))].load(Ordering::Acquire);",
        "the host is asked later, and the epoch is read once more",
    ),
    (
        "early in a question",
        "epoch.is_multiple_of(2) && self.epoch.load(Ordering::Relaxed) == epoch",
        "the host is asked later, and its answer is compared with a mark of after that",
    ),
    (
        "early in a check of an owner",
        "let min_seq = self.min_seq.load(Ordering::Acquire);",
        "the epoch is read last, and tells whether it was lowered",
    ),
    (
        "early in a check of an owner",
        "let last = self.owners[usize::from(self.stripe(owner))].load(Ordering::Acquire);",
        "the epoch is read last, and tells whether it was reset",
    ),
];

#[test]
fn what_is_shipped_breaks_no_promise() {
    for (model, outcome) in AS_SHIPPED.iter() {
        assert_eq!(outcome.broken, None, "{}", model.name);
    }
}

#[test]
fn every_other_order_breaks_a_promise_or_is_known_not_to_matter() {
    let mut caught: BTreeMap<(String, String), Option<&str>> = BTreeMap::new();
    for (twist, models) in twists() {
        let (kind, site) = parts(twist);
        let promise = models.iter().find_map(|model| run(model, Some(twist)).broken);
        let of_this_line = caught.entry((kind, line(site))).or_default();
        *of_this_line = of_this_line.or(promise);
    }
    for ((kind, line), promise) in &caught {
        println!("{kind}: {line}\n      {}", promise.unwrap_or("breaks nothing"));
    }
    let indifferent: BTreeSet<_> = INDIFFERENT
        .iter()
        .map(|(kind, line, _)| ((*kind).to_owned(), (*line).to_owned()))
        .collect();
    let uncaught = caught.into_iter().filter(|(_, promise)| promise.is_none()).map(|(key, _)| key);
    assert_eq!(uncaught.collect::<BTreeSet<_>>(), indifferent);
}

#[test]
fn no_ordering_is_left_out() {
    let weakened: BTreeSet<_> = twists()
        .into_keys()
        .filter_map(|twist| match twist {
            Twist::Weak(site) => Some((site.file, site.line)),
            Twist::Early(..) | Twist::Late(_) => None,
        })
        .collect();
    let files: BTreeSet<_> = weakened.iter().map(|(file, _)| *file).collect();
    assert_eq!(files.len(), 3, "the lease, the stripes and the answers: {files:?}");
    for file in files {
        let source = source(file);
        let shipped = source.split("#[cfg(test)]").next().unwrap_or_default();
        for (number, line) in (1..).zip(shipped.lines()) {
            let is_strong = ["Acquire", "Release", "AcqRel", "SeqCst"]
                .iter()
                .any(|ordering| line.contains(&format!("Ordering::{ordering}")));
            assert_eq!(is_strong, weakened.contains(&(file, number)), "{file}:{number}: {line}");
        }
    }
}

/// All that can be made wrong, and the models that it can be made wrong in.
fn twists() -> BTreeMap<Twist, Vec<&'static Model>> {
    let mut twists: BTreeMap<Twist, Vec<&Model>> = BTreeMap::new();
    for (model, outcome) in AS_SHIPPED.iter() {
        for twist in &outcome.twists {
            twists.entry(*twist).or_default().push(model);
        }
    }
    twists
}

fn parts(twist: Twist) -> (String, Site) {
    match twist {
        Twist::Weak(site) => ("weak".to_owned(), site),
        Twist::Early(site, read) => (format!("early in {}", read.step), site),
        Twist::Late(site) => ("late".to_owned(), site),
    }
}

fn line(site: Site) -> String {
    let source = source(site.file);
    source.lines().nth(site.line as usize - 1).expect("the line is there").trim().to_owned()
}

fn source(file: &str) -> String {
    let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(file);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
