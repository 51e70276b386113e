//! Tests that the shipped code passes all models, and that every mutation of it fails a model or is
//! listed as harmless.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::Instant;

use hallpass_loom::{MODELS, Model, Mutation, Outcome, Site, run};

/// The outcome of each model without a mutation. The fastest models come first.
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

/// The harmless mutations: their kind, the mutated line, and the reason why no invariant is
/// violated.
const HARMLESS: &[(&str, &str, &str)] = &[
    (
        "early in a check",
        "Some(DualInstant { monotonic, wall: self.wall.load(Ordering::Acquire) })",
        "a check that sees the newer time of one clock sees the changes, and an older time only \
         increases the age",
    ),
    (
        "late",
        "self.wall.store(asked_at.wall, Ordering::Release);",
        "a check that sees the newer time of one clock sees the changes, and an older time only \
         increases the age",
    ),
    (
        "early in a check",
        "let guard = self.places[way].load();",
        "an entry never changes, and the stripes that decide whether it is valid are read later",
    ),
    (
        "late",
        "set.places[way].store(Some(entry.clone().into_token()));",
        "a tag without a token is a miss",
    ),
    ("early in a check", "if known.load(Ordering::Relaxed) == tag {", "a tag is only a hint"),
    (
        "early in an insertion",
        "|wanted| self.tags.iter().position(|known| known.load(Ordering::Relaxed) == wanted);",
        "a tag is only a hint",
    ),
    (
        "early in a check",
        "self.used.load(Ordering::Relaxed) & bit == 0",
        "it only selects the entry to evict",
    ),
    (
        "late",
        "if self.used.fetch_and(!bit, Ordering::Relaxed) & bit == 0 {",
        "it only selects the entry to evict",
    ),
    (
        "late",
        "usize::from(self.hand.fetch_add(1, Ordering::Relaxed)) % WAYS",
        "it only selects the entry to evict",
    ),
    (
        "early in an owner lookup",
        "let min_seq = self.min_seq.load(Ordering::Acquire);",
        "the host is queried later, and the epoch is read again",
    ),
    (
        "early in an owner lookup",
        "let last = self.owners[usize::from(self.stripe(owner))].load(Ordering::Acquire);",
        "the host is queried later, and the epoch is read again",
    ),
    (
        "early in an owner lookup",
        "epoch.is_multiple_of(2) && self.epoch.load(Ordering::Relaxed) == epoch",
        "the host is queried later, and its answer is compared with a mark that is read after it",
    ),
    (
        "early in a check of an owner",
        "let min_seq = self.min_seq.load(Ordering::Acquire);",
        "the epoch is read last and shows whether the number was lowered",
    ),
    (
        "early in a check of an owner",
        "let last = self.owners[usize::from(self.stripe(owner))].load(Ordering::Acquire);",
        "the epoch is read last and shows whether the stripe was reset",
    ),
];

#[test]
fn shipped_code_passes_all_models() {
    for (model, outcome) in AS_SHIPPED.iter() {
        assert_eq!(outcome.violation, None, "{}", model.name);
    }
}

#[test]
fn every_mutation_violates_an_invariant_or_is_listed_as_harmless() {
    let mut caught: BTreeMap<(String, String), Option<&str>> = BTreeMap::new();
    for (mutation, models) in mutations() {
        let (kind, site) = parts(mutation);
        let violation = models.iter().find_map(|model| run(model, Some(mutation)).violation);
        let of_this_line = caught.entry((kind, line(site))).or_default();
        *of_this_line = of_this_line.or(violation);
    }
    for ((kind, line), violation) in &caught {
        println!("{kind}: {line}\n      {}", violation.unwrap_or("no violation"));
    }
    let harmless: BTreeSet<_> =
        HARMLESS.iter().map(|(kind, line, _)| ((*kind).to_owned(), (*line).to_owned())).collect();
    let uncaught =
        caught.into_iter().filter(|(_, violation)| violation.is_none()).map(|(key, _)| key);
    assert_eq!(uncaught.collect::<BTreeSet<_>>(), harmless);
}

#[test]
fn every_memory_ordering_is_weakened() {
    let weakened: BTreeSet<_> = mutations()
        .into_keys()
        .filter_map(|mutation| match mutation {
            Mutation::Relaxed(site) => Some((site.file, site.line)),
            Mutation::EarlyRead(..) | Mutation::LateWrite(_) => None,
        })
        .collect();
    let files: BTreeSet<_> = weakened.iter().map(|(file, _)| *file).collect();
    assert_eq!(
        files.len(),
        3,
        "expected the files of the lease, the stripes and the memo: {files:?}"
    );
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

/// Returns all mutations, each with the models that it is possible in.
fn mutations() -> BTreeMap<Mutation, Vec<&'static Model>> {
    let mut mutations: BTreeMap<Mutation, Vec<&Model>> = BTreeMap::new();
    for (model, outcome) in AS_SHIPPED.iter() {
        for mutation in &outcome.mutations {
            mutations.entry(*mutation).or_default().push(model);
        }
    }
    mutations
}

fn parts(mutation: Mutation) -> (String, Site) {
    match mutation {
        Mutation::Relaxed(site) => ("relaxed".to_owned(), site),
        Mutation::EarlyRead(site, read) => (format!("early in {}", read.step), site),
        Mutation::LateWrite(site) => ("late".to_owned(), site),
    }
}

fn line(site: Site) -> String {
    let source = source(site.file);
    source.lines().nth(site.line as usize - 1).expect("the line exists").trim().to_owned()
}

fn source(file: &str) -> String {
    let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(file);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
