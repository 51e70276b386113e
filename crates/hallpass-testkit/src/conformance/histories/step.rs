//! The steps of a random lifecycle.

use proptest::option;
use proptest::prelude::*;

/// One call on one of the nodes. Tokens, owners and secrets are identified by a number.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Issue {
        owner: usize,
        hours: Option<i64>,
    },
    Regenerate {
        token: usize,
        hours: Option<i64>,
        grace_period: Option<i64>,
    },
    /// Sets other scopes.
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
    /// The host disables or enables an owner.
    OwnerStatus {
        owner: usize,
        is_disabled: bool,
    },
    /// Uses a secret: the current one if `secret` is `None`.
    TokenUse {
        token: usize,
        secret: Option<usize>,
    },
    /// Reads the record.
    Look(usize),
    /// Lists an owner's tokens.
    List(usize),
    Flush,
    /// Sets how notifications to this node behave from now on.
    Notifications(Notifications),
    /// Advances the clock of the tokens.
    Pass {
        minutes: i64,
    },
    /// Sleeps, because the caches measure real time.
    Wait {
        millis: u64,
    },
}

/// The ways in which notifications between nodes may fail.
#[derive(Clone, Copy, Debug)]
pub(super) enum Notifications {
    Arrive,
    AreLost,
    AreLate,
    AreRepeated,
    AreSpurious,
}

/// The number of owners.
pub(super) const OWNERS: usize = 2;

/// The scopes that tokens may hold.
pub(super) const SCOPES: [&str; 3] = ["jobs", "projects", "jobs projects"];

pub(super) fn step() -> impl Strategy<Value = Step> {
    let token = || 0..4_usize;
    let owner = || 0..OWNERS;
    let hours = || option::of(1..72_i64);
    let notifications = [
        Notifications::Arrive,
        Notifications::AreLost,
        Notifications::AreLate,
        Notifications::AreRepeated,
        Notifications::AreSpurious,
    ];
    prop_oneof![
        3 => (owner(), hours()).prop_map(|(owner, hours)| Step::Issue { owner, hours }),
        4 => (token(), hours(), hours())
            .prop_map(|(token, hours, grace_period)| Step::Regenerate { token, hours, grace_period }),
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
        2 => owner().prop_map(Step::List),
        1 => Just(Step::Flush),
        2 => prop::sample::select(notifications.to_vec()).prop_map(Step::Notifications),
        2 => (1..2_000_i64).prop_map(|minutes| Step::Pass { minutes }),
        3 => (0..250_u64).prop_map(|millis| Step::Wait { millis }),
    ]
}
