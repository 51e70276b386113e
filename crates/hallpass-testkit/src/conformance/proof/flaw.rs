/// What is wrong with a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// Nothing: every case hallpass.
    None,
    /// Counts the owner's tokens, and inserts one a moment later.
    LimitIsLookedAtFirst,
    /// Counts only tokens that are not revoked.
    LimitForgetsRevoked,
    /// Puts a token in the place of another of the same id.
    InsertReplaces,
    /// Refuses, and has taken a number for it all the same.
    RefusalsAreLogged,
    /// Takes a number, commits a moment later, and only then logs.
    NumberBeforeCommit,
    /// Says nothing of a deleted token in the log.
    DeletesAreNotLogged,
    /// Logs each token of an owner where the owner would do.
    OwnersAreLoggedByToken,
    /// Draws one nonce for all lines.
    NonceIsAlwaysTheSame,
    /// Answers with the number of the change before.
    AsOfIsOld,
    /// Reads the token, and the number a moment later.
    AsOfIsReadLater,
    /// Answers what this handle found the first time.
    FindIsFromACache,
    /// Applies a change to whatever is there.
    ChangeIgnoresTheRevision,
    /// Takes the last use as the change has it.
    ChangeTakesTheLastUse,
    /// Forgets the secret before when a change brings none.
    ChangeDropsThePreviousSecret,
    /// Puts new secrets in the place of whatever is there.
    RekeyIgnoresTheDigest,
    /// Counts a new digest as a revision.
    RekeyIsARevision,
    /// Deletes a token at whatever revision.
    DeleteIgnoresTheRevision,
    /// Deletes anybody's.
    DeleteManyIgnoresTheOwner,
    /// Deletes several in as many steps.
    DeleteManyGoesOneByOne,
    /// Leaves the revisions of what it revokes.
    RevokeAllKeepsRevisions,
    /// Revokes once more what is revoked.
    RevokeAllTakesAll,
    /// Revokes what it found a moment before.
    RevokeAllLooksFirst,
    /// Inserts a token that was used and is gone.
    TouchRevives,
    /// Writes whatever time it is given.
    TouchGoesBack,
    /// Writes the use of another revision.
    TouchIgnoresTheRevision,
    /// Logs a use.
    TouchIsLogged,
    /// Writes no more than so many uses of a batch.
    TouchCutsOff,
    /// Prunes what ends in that very instant.
    PruneIncludesTheInstant,
    /// Prunes all that there is to prune.
    PruneIgnoresTheLimit,
    /// Logs what it prunes.
    PruneIsLogged,
    /// Looks for what has ended, and prunes it a moment later.
    PruneLooksFirst,
    /// Begins behind the place that is asked for.
    ChangesLeaveOutThePlace,
    /// Reads the lines, and the head a moment later.
    ChangesReadTheHeadLater,
    /// Begins a page with the last record of the page before.
    PagesRepeatARecord,
    /// Counts the records of the page.
    TotalIsOfThePage,
    /// Says that there is more whenever a page is full.
    FullPagesPromiseMore,
    /// Puts what has no time first.
    NoTimeComesFirst,
    /// Takes `%` for any text.
    SearchHasWildcards,
    /// Finds what a scope covers.
    ScopesAreFoundByCover,
    /// Cuts times to the second.
    TimesAreSeconds,
    /// Cuts descriptions at 255 characters.
    DescriptionsAreShort,
    /// Takes owners that differ in case for one.
    OwnersIgnoreCase,
    /// Leaves its lock behind when a call is dropped.
    DroppedCallsKeepTheLock,
    /// Starts anew when it is opened again.
    ReopeningForgets,
}
