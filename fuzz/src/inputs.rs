//! Random inputs for the tests: pieces of the seeds, the words of libFuzzer's dictionary, and any
//! bytes.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// Returns inputs of up to seven pieces. `seeds` has one seed in each line, and `words` one quoted
/// word.
pub(crate) fn inputs(
    seeds: &'static str,
    words: &'static str,
) -> impl Strategy<Value = Vec<u8>> + use<> {
    let seeds: Vec<_> = seeds.lines().collect();
    let words: Vec<_> = words.lines().map(word).collect();
    let cut = (select(seeds.clone()), any::<prop::sample::Index>(), any::<prop::sample::Index>())
        .prop_map(|(seed, from, to)| part(seed.as_bytes(), from, to));
    let piece = prop_oneof![
        2 => select(seeds).prop_map(|seed| seed.as_bytes().to_vec()),
        2 => cut,
        4 => select(words),
        1 => vec(any::<u8>(), 0..4),
        1 => "[ -~]{1,3}".prop_map(String::into_bytes),
    ];
    vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

/// Returns the bytes of a seed between two places, in any order.
fn part(seed: &[u8], from: prop::sample::Index, to: prop::sample::Index) -> Vec<u8> {
    let places = [from, to].map(|place| place.index(seed.len() + 1));
    seed[places[0].min(places[1])..places[0].max(places[1])].to_vec()
}

/// Reads a line of a dictionary. The quotes and `\"` are the only syntax that ours need.
fn word(line: &str) -> Vec<u8> {
    let quoted = line.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let word = quoted.unwrap_or_else(|| panic!("{line} is not in quotes"));
    let word = word.replace("\\\"", "\"");
    assert!(!word.contains('\\'), "{line} has an escape that is not read");
    word.into_bytes()
}
