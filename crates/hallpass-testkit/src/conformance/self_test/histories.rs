//! Random histories detect flaws of a store without a case for each.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::{Flaw, Flawed};
use crate::conformance::tries::Tries;
use crate::conformance::{histories, model};

/// Flaws that a test detects without a race.
const SEEN_ALONE: [Flaw; 39] = [
    Flaw::LimitForgetsRevoked,
    Flaw::InsertReplaces,
    Flaw::FailuresAreLogged,
    Flaw::DeletesAreNotLogged,
    Flaw::OwnersAreLoggedByToken,
    Flaw::NonceIsAlwaysTheSame,
    Flaw::AsOfIsOld,
    Flaw::GetReadsACache,
    Flaw::UpdateIgnoresTheRevision,
    Flaw::UpdateSetsLastUsedAt,
    Flaw::UpdateDropsThePreviousSecret,
    Flaw::ReplaceDigestIgnoresTheDigest,
    Flaw::DeleteManyIgnoresTheOwner,
    Flaw::RevokeOwnerKeepsRevisions,
    Flaw::RevokeOwnerTakesRevoked,
    Flaw::UsesRevive,
    Flaw::UsesGoBack,
    Flaw::UsesIgnoreTheRevision,
    Flaw::PruneIgnoresTheLimit,
    Flaw::PagesRepeatARecord,
    Flaw::CountsAreOfThePage,
    Flaw::OwnersIgnoreCase,
    Flaw::CountsIgnoreFilters,
    Flaw::NeverUsedIsIgnored,
    Flaw::ExpiresBeforeIsIgnored,
    Flaw::UnusedSinceIsIgnored,
    Flaw::PreviousSecretFilterIsIgnored,
    Flaw::PreviousSecretIsNotFilledIn,
    Flaw::MetadataIsDropped,
    Flaw::DeleteManyLogsOneEntry,
    Flaw::RevokeOwnerIgnoresTheAge,
    Flaw::RevokeEveryoneIgnoresTheAge,
    Flaw::PruneIsNotLogged,
    Flaw::PruneLogDeletesTheNewest,
    Flaw::PruneLogEmptiesTheLog,
    Flaw::EntriesLoseTheirOrigin,
    Flaw::EntryTimesAreSeconds,
    Flaw::TargetIsTheEventsOwner,
    Flaw::AuditIgnoresTheOwner,
];

/// Flaws that keep a deleted token valid.
const LETHAL: [Flaw; 3] = [Flaw::DeletesAreNotLogged, Flaw::GetReadsACache, Flaw::UsesRevive];

/// Returns the flaws that random histories do not detect.
fn undetected<const N: usize>(flaws: [Flaw; N], run: impl Fn(Flaw, Tries)) -> Vec<Flaw> {
    let passes = |flaw, cases| {
        let tries = Tries { cases, max_shrinks: 0 };
        catch_unwind(AssertUnwindSafe(|| run(flaw, tries))).is_ok()
    };
    assert!(passes(Flaw::None, 8), "the test fails for a store without a flaw");
    flaws.into_iter().filter(|flaw| passes(*flaw, 1_000)).collect()
}

#[test]
fn random_calls_detect_every_flaw_that_needs_no_race() {
    let run = |flaw, tries| model::run(async || Flawed::with(flaw), tries);
    assert_eq!(undetected(SEEN_ALONE, run), []);
}

#[test]
fn random_lifecycles_detect_flaws_that_keep_tokens_alive() {
    let run = |flaw, tries| histories::run(async || Flawed::with(flaw), tries);
    assert_eq!(undetected(LETHAL, run), []);
}
