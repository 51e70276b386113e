//! Random texts, times and secrets: few enough that they collide, some of them extreme.

use hallpass_core::store::{PreviousSecret, Secrets};
use hallpass_core::{Digest, ScopeSet};
use jiff::Timestamp;
use proptest::collection::{btree_set, vec};
use proptest::option;
use proptest::prelude::*;

use crate::conformance::samples::at;

/// Similar names, so that sorts have ties and searches have several hits.
const ALIKE: [&str; 12] =
    ["a", "A", "ä", "Ä", "a%", "a_", "a\\", "ß", "SS", "İ", "😀 a", "\u{10FFFF}"];

/// Returns whether a text may contain this character.
fn is_text(c: char) -> bool {
    let bidi = matches!(c, '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
    !c.is_control() && !bidi && !matches!(c, '\u{2028}' | '\u{2029}')
}

fn any_text(longest: usize) -> impl Strategy<Value = String> {
    vec(any::<char>().prop_filter("a character of texts", |c| is_text(*c)), 1..=longest)
        .prop_map(|characters| characters.into_iter().collect::<String>())
}

/// Returns a name.
pub(crate) fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => prop::sample::select(&ALIKE[..]).prop_map(str::to_owned),
        1 => any_text(100).prop_map(|text| format!("x{}x", text.chars().take(98).collect::<String>())),
    ]
}

/// Returns a description.
pub(crate) fn description() -> impl Strategy<Value = String> {
    prop_oneof![
        2 => Just(String::new()),
        3 => prop::sample::select(&ALIKE[..]).prop_map(|text| format!("{text}\r\n\t{text}")),
        1 => any_text(60),
    ]
}

/// Returns a text to search for: parts of names, wildcards, and texts that nothing contains.
pub(crate) fn needle() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => prop::sample::select(&ALIKE[..]).prop_map(str::to_owned),
        1 => prop::sample::select(&["", "%", "_", "\\", "*", "?", "'", "\"", "\0", "\n"][..])
            .prop_map(str::to_owned),
        1 => any_text(3),
    ]
}

/// The scopes that tokens may hold.
pub(crate) const SCOPES: [&str; 6] = ["jobs", "jobs:run", "projects:read", "*", "a.b_c%", "JOBS"];

/// Returns up to three of them.
pub(crate) fn scopes() -> impl Strategy<Value = ScopeSet> {
    btree_set(prop::sample::select(&SCOPES[..]), 0..4)
        .prop_map(|texts| ScopeSet::parse(texts).expect("scopes"))
}

/// Returns a time, which is one of a few in most cases.
pub(crate) fn instant() -> impl Strategy<Value = Timestamp> {
    prop_oneof![
        12 => (0..40_i64).prop_map(at),
        1 => Just(Timestamp::from_millisecond(-1).expect("an instant")),
        1 => Just(Timestamp::from_second(Timestamp::MAX.as_second()).expect("an instant")),
    ]
}

fn digest() -> impl Strategy<Value = Digest> {
    let algorithm =
        prop::sample::select(&["sha256-v1", "hmac-sha256-v1:2026", "hmac-sha256-v1:k.-_9"][..]);
    (algorithm, prop_oneof![Just(0_u8), Just(0xFF), 1..5_u8])
        .prop_map(|(algorithm, byte)| Digest::from_parts(algorithm, &[byte; 32]).expect("a digest"))
}

/// Returns secrets, half of them with a previous one.
pub(crate) fn secrets() -> impl Strategy<Value = Secrets> {
    let previous =
        (digest(), instant()).prop_map(|(digest, until)| PreviousSecret { digest, until });
    (digest(), option::of(previous)).prop_map(|(current, previous)| Secrets { current, previous })
}
