use proptest::option;
use proptest::prelude::*;

/// What may happen to tokens, on one of the nodes. Tokens, owners and secrets are known by a number.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Issue {
        owner: usize,
        hours: Option<i64>,
    },
    Regenerate {
        token: usize,
        hours: Option<i64>,
        overlap: Option<i64>,
    },
    /// Other scopes.
    Update {
        token: usize,
        scopes: usize,
    },
    Extend {
        token: usize,
        hours: i64,
    },
    Revoke(usize),
    Delete(usize),
    RevokeAll(usize),
    DeleteAll(usize),
    /// The host disables an owner, or lets them back in.
    OwnerStatus {
        owner: usize,
        is_disabled: bool,
    },
    /// A secret is used; the current one if none is said.
    TokenUse {
        token: usize,
        secret: Option<usize>,
    },
    /// Somebody looks at the record.
    Look(usize),
    Flush,
    /// From now on nudges to this node come like that.
    Nudges(Nudges),
    /// Time passes for tokens.
    Pass {
        minutes: i64,
    },
    /// Time passes for caches.
    Wait {
        millis: u64,
    },
}

/// How a push channel may be broken.
#[derive(Clone, Copy, Debug)]
pub(super) enum Nudges {
    Come,
    AreLost,
    AreLate,
    AreRepeated,
    ComeForNothing,
}

/// How many owners there are.
pub(super) const OWNERS: usize = 2;

/// What tokens may hold.
pub(super) const SCOPES: [&str; 3] = ["jobs", "projects", "jobs projects"];

pub(super) fn step() -> impl Strategy<Value = Step> {
    let token = || 0..4_usize;
    let owner = || 0..OWNERS;
    let hours = || option::of(1..72_i64);
    let nudges = [
        Nudges::Come,
        Nudges::AreLost,
        Nudges::AreLate,
        Nudges::AreRepeated,
        Nudges::ComeForNothing,
    ];
    prop_oneof![
        3 => (owner(), hours()).prop_map(|(owner, hours)| Step::Issue { owner, hours }),
        4 => (token(), hours(), hours())
            .prop_map(|(token, hours, overlap)| Step::Regenerate { token, hours, overlap }),
        2 => (token(), 0..SCOPES.len()).prop_map(|(token, scopes)| Step::Update { token, scopes }),
        1 => (token(), 1..72_i64).prop_map(|(token, hours)| Step::Extend { token, hours }),
        3 => token().prop_map(Step::Revoke),
        1 => token().prop_map(Step::Delete),
        1 => owner().prop_map(Step::RevokeAll),
        1 => owner().prop_map(Step::DeleteAll),
        2 => (owner(), any::<bool>())
            .prop_map(|(owner, is_disabled)| Step::OwnerStatus { owner, is_disabled }),
        20 => (token(), option::of(0..4_usize)).prop_map(|(token, secret)| Step::TokenUse { token, secret }),
        2 => token().prop_map(Step::Look),
        1 => Just(Step::Flush),
        2 => prop::sample::select(nudges.to_vec()).prop_map(Step::Nudges),
        2 => (1..2_000_i64).prop_map(|minutes| Step::Pass { minutes }),
        3 => (0..250_u64).prop_map(|millis| Step::Wait { millis }),
    ]
}
