//! Random histories find what is wrong with a store even if no case had been thought of.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::{Flaw, Flawed};
use crate::conformance::histories::Tries;
use crate::conformance::{lives, model};

/// Flaws that need no race to be seen.
const SEEN_ALONE: [Flaw; 22] = [
    Flaw::LimitForgetsRevoked,
    Flaw::InsertReplaces,
    Flaw::RefusalsAreLogged,
    Flaw::DeletesAreNotLogged,
    Flaw::OwnersAreLoggedByToken,
    Flaw::NonceIsAlwaysTheSame,
    Flaw::AsOfIsOld,
    Flaw::FindIsFromACache,
    Flaw::ChangeIgnoresTheRevision,
    Flaw::ChangeTakesTheLastUse,
    Flaw::ChangeDropsThePreviousSecret,
    Flaw::RekeyIgnoresTheDigest,
    Flaw::DeleteManyIgnoresTheOwner,
    Flaw::RevokeAllKeepsRevisions,
    Flaw::RevokeAllTakesAll,
    Flaw::TouchRevives,
    Flaw::TouchGoesBack,
    Flaw::TouchIgnoresTheRevision,
    Flaw::PruneIgnoresTheLimit,
    Flaw::PagesRepeatARecord,
    Flaw::TotalIsOfThePage,
    Flaw::OwnersIgnoreCase,
];

/// Flaws that let a token live on.
const LETHAL: [Flaw; 3] = [Flaw::DeletesAreNotLogged, Flaw::FindIsFromACache, Flaw::TouchRevives];

/// The flaws that so many histories do not see.
fn unseen<const N: usize>(flaws: [Flaw; N], run: impl Fn(Flaw, Tries)) -> Vec<Flaw> {
    let passes = |flaw, cases| {
        let tries = Tries { cases, shorter: 0 };
        catch_unwind(AssertUnwindSafe(|| run(flaw, tries))).is_ok()
    };
    assert!(passes(Flaw::None, 8), "a store without a flaw is refused");
    flaws.into_iter().filter(|flaw| passes(*flaw, 1_000)).collect()
}

#[test]
fn random_histories_see_every_flaw_that_needs_no_race() {
    let run = |flaw, tries| model::run(async || Flawed::with(flaw), |store| store, tries);
    assert_eq!(unseen(SEEN_ALONE, run), []);
}

#[test]
fn random_lives_see_what_lets_a_token_live_on() {
    let run = |flaw, tries| lives::run(async || Flawed::with(flaw), tries);
    assert_eq!(unseen(LETHAL, run), []);
}
