//! The flaws with which the suite is tested: each must make at least one case fail.

/// The flaw of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// No flaw: the store passes every case.
    None,
    /// Counts the owner's tokens, and inserts one a moment later.
    LimitIsCheckedFirst,
    /// Counts only tokens that are not revoked.
    LimitForgetsRevoked,
    /// Replaces a token that has the same id.
    InsertReplaces,
    /// Writes a log entry although the call fails.
    FailuresAreLogged,
    /// Takes a number, commits a moment later, and only then writes the entry.
    NumberBeforeCommit,
    /// Writes no entry for a deleted token.
    DeletesAreNotLogged,
    /// Writes an entry for each token of an owner instead of one for the owner.
    OwnersAreLoggedByToken,
    /// Uses one nonce for all entries.
    NonceIsAlwaysTheSame,
    /// Returns the number before the one of the snapshot.
    AsOfIsOld,
    /// Reads the token, and the number a moment later.
    AsOfIsReadLater,
    /// Returns what this handle read the first time.
    GetReadsACache,
    /// Updates a token at any revision.
    UpdateIgnoresTheRevision,
    /// Takes the time of the last use from the change.
    UpdateSetsLastUsedAt,
    /// Drops the previous secret when a change brings no secrets.
    UpdateDropsThePreviousSecret,
    /// Returns the end of the previous secret as the caller passed it.
    PreviousSecretIsNotFilledIn,
    /// Does not store metadata.
    MetadataIsDropped,
    /// Replaces the secrets regardless of the expected digest.
    ReplaceDigestIgnoresTheDigest,
    /// Counts a new digest as a revision.
    ReplaceDigestRaisesTheRevision,
    /// Deletes a token at any revision.
    DeleteIgnoresTheRevision,
    /// Deletes tokens of other owners.
    DeleteManyIgnoresTheOwner,
    /// Deletes each of several tokens in a separate step.
    DeleteManyGoesOneByOne,
    /// Writes one entry for several deleted tokens.
    DeleteManyLogsOneEntry,
    /// Does not increase the revisions of tokens that it revokes.
    RevokeOwnerKeepsRevisions,
    /// Revokes tokens that are revoked already.
    RevokeOwnerTakesRevoked,
    /// Revokes the tokens that it has found a moment before.
    RevokeOwnerReadsFirst,
    /// Ignores `issued_before`.
    RevokeOwnerIgnoresTheAge,
    /// Ignores `issued_before`.
    RevokeEveryoneIgnoresTheAge,
    /// Ignores the limit.
    RevokeEveryoneIgnoresTheLimit,
    /// Writes an entry with the target `None`.
    RevokeEveryoneNamesNoTarget,
    /// Inserts a token that was used and is deleted.
    UsesRevive,
    /// Sets the last use to any given time, even to an earlier one.
    UsesGoBack,
    /// Records the use of another revision.
    UsesIgnoreTheRevision,
    /// Writes an entry for each use.
    UsesAreLogged,
    /// Records only the first uses of a large batch.
    UsesAreCutOff,
    /// Prunes tokens that end at exactly the given time.
    PruneIncludesTheInstant,
    /// Prunes everything at once.
    PruneIgnoresTheLimit,
    /// Writes no entry for pruned tokens.
    PruneIsNotLogged,
    /// Reads which tokens have ended, and deletes them a moment later.
    PruneReadsFirst,
    /// Deletes the newest log entries first.
    PruneLogDeletesTheNewest,
    /// Deletes the newest entry, too.
    PruneLogEmptiesTheLog,
    /// Deletes entries of any age.
    PruneLogIgnoresTheTime,
    /// Deletes all old entries at once.
    PruneLogIgnoresTheLimit,
    /// Starts after the requested position.
    ChangesOmitThePosition,
    /// Reads the entries, and the head a moment later.
    ChangesReadTheHeadLater,
    /// Does not store where a request came from.
    EntriesLoseTheirOrigin,
    /// Does not store how many tokens an entry is about.
    EntriesHaveCountOne,
    /// Cuts the details of an entry at 1,000 bytes.
    EntriesAreTruncated,
    /// Cuts the times of entries to the second.
    EntryTimesAreSeconds,
    /// Derives what an entry invalidates from its event.
    TargetIsTheEventsOwner,
    /// Ignores the owner filter.
    AuditIgnoresTheOwner,
    /// Ignores the token filter.
    AuditIgnoresTheToken,
    /// Includes entries written at `until`.
    AuditIncludesUntil,
    /// Skips an entry between two pages.
    AuditPagesSkip,
    /// Sets `more` whenever a page is full.
    AuditPagesPromiseMore,
    /// Starts a page with the last record of the page before.
    PagesRepeatARecord,
    /// Counts the records of the page.
    CountsAreOfThePage,
    /// Counts all tokens, regardless of the filters.
    CountsIgnoreFilters,
    /// Ignores `never_used`.
    NeverUsedIsIgnored,
    /// Ignores `unused_since`.
    UnusedSinceIsIgnored,
    /// Ignores tokens that were never used if `unused_since` is set.
    UnusedSinceNeedsAUse,
    /// Ignores the filter `previous_secret`.
    PreviousSecretFilterIsIgnored,
    /// Finds previous secrets of tokens that are no longer active.
    PreviousSecretFilterIgnoresTheStatus,
    /// Ignores `expires_before`.
    ExpiresBeforeIsIgnored,
    /// Ignores `metadata`.
    MetadataIsIgnored,
    /// Sets `more` whenever a page is full.
    FullPagesPromiseMore,
    /// Puts records without a time first.
    NoTimeComesFirst,
    /// Treats `%` as a wildcard.
    SearchHasWildcards,
    /// Finds tokens whose scopes cover the scope.
    ScopesAreFoundByCover,
    /// Cuts times to the second.
    TimesAreSeconds,
    /// Cuts descriptions at 255 characters.
    DescriptionsAreShort,
    /// Treats owners that differ in case as one.
    OwnersIgnoreCase,
    /// Does not release its lock when a call is cancelled.
    CancelledCallsKeepTheLock,
    /// Loses its data when it is opened again.
    ReopeningForgets,
}
