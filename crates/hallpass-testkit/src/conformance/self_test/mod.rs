//! Tests of the suite itself. Each case must fail for a store with the flaw that the case targets,
//! and pass for the same store without the flaw.

mod flaw;
mod flawed;
mod histories;
mod list;
mod store;

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};

use self::flaw::Flaw;
use self::flawed::Flawed;
use super::replicas::Replicas;
use super::run;

/// The maximum number of times that a race is run until the flaw shows.
const ATTEMPTS: u32 = 500;

/// Returns whether a store with this flaw passes a case.
fn passes<F: Future<Output = ()>>(flaw: Flaw, case: fn(Replicas) -> F) -> bool {
    let place = Flawed::with(flaw);
    let run = || run::run(run::on_replicas(&place, 3, case));
    catch_unwind(AssertUnwindSafe(run)).is_ok()
}

fn assert_detects<F: Future<Output = ()>>(flaw: Flaw, name: &str, case: fn(Replicas) -> F) {
    assert!(passes(Flaw::None, case), "{name} fails for a store without a flaw");
    let detected = (0..ATTEMPTS).any(|_| !passes(flaw, case));
    assert!(detected, "{name} does not detect {flaw:?}");
}

macro_rules! flaws {
    ($($test:ident: $flaw:ident by $($module:ident::$case:ident)*;)*) => {
        $(#[test]
        fn $test() {
            $(assert_detects(
                Flaw::$flaw,
                stringify!($case),
                crate::conformance::cases::$module::$case,
            );)*
        })*
    };
}

flaws! {
    limit_is_checked_first: LimitIsCheckedFirst by
        limits::one_of_200_concurrent_inserts_at_49_of_50_succeeds
        limits::fifty_of_200_concurrent_inserts_at_limit_50_succeed
        limits::concurrent_inserts_and_deletes_respect_the_limit;
    limit_forgets_revoked: LimitForgetsRevoked by
        limits::limit_counts_revoked_and_expired_tokens;
    insert_replaces: InsertReplaces by
        insert::insert_of_a_known_id_is_a_duplicate
        races::one_of_many_concurrent_inserts_of_an_id_succeeds;
    failures_are_logged: FailuresAreLogged by
        insert::rejected_insert_changes_nothing
        followers::follower_misses_no_change_of_many_writers
        audit::failed_calls_write_no_entry
        audit::audit_and_changes_agree_under_16_writers;
    number_before_commit: NumberBeforeCommit by
        followers::follower_misses_no_change_of_many_writers
        snapshots::as_of_agrees_with_the_order_of_changes
        audit::ascending_pages_lose_nothing_during_writes;
    deletes_are_not_logged: DeletesAreNotLogged by
        log::each_change_logs_its_target
        races::update_and_delete_of_one_revision_exclude_each_other
        followers::follower_misses_no_change_of_many_writers
        audit::each_change_writes_one_entry;
    owners_are_logged_by_token: OwnersAreLoggedByToken by
        delete::delete_owner_writes_one_log_entry
        delete::revoke_owner_writes_one_log_entry
        audit::each_change_writes_one_entry;
    nonce_is_always_the_same: NonceIsAlwaysTheSame by
        log::changes_respects_the_limit;
    as_of_is_old: AsOfIsOld by
        get::get_sees_every_change_that_returned
        snapshots::as_of_is_exact_for_one_token;
    as_of_is_read_later: AsOfIsReadLater by
        snapshots::as_of_is_exact_for_one_token
        snapshots::as_of_agrees_with_the_order_of_changes;
    get_reads_a_cache: GetReadsACache by
        get::get_sees_every_change_that_returned
        calls::get_sees_changes_of_other_replicas;
    update_ignores_the_revision: UpdateIgnoresTheRevision by
        update::update_requires_the_expected_revision
        update::one_of_many_concurrent_updates_succeeds;
    update_sets_last_used_at: UpdateSetsLastUsedAt by
        update::update_replaces_every_field_but_last_used_at;
    update_drops_the_previous_secret: UpdateDropsThePreviousSecret by
        update::update_without_secrets_keeps_them;
    previous_secret_is_not_filled_in: PreviousSecretIsNotFilledIn by
        list::previous_secret_expiry_is_filled_in;
    metadata_is_dropped: MetadataIsDropped by
        list::metadata_comes_back
        insert::inserted_token_comes_back_unchanged;
    replace_digest_ignores_the_digest: ReplaceDigestIgnoresTheDigest by
        update::replace_digest_requires_the_expected_digest
        races::one_of_many_concurrent_replace_digest_succeeds;
    replace_digest_raises_the_revision: ReplaceDigestRaisesTheRevision by
        update::replace_digest_keeps_the_record;
    delete_ignores_the_revision: DeleteIgnoresTheRevision by
        delete::delete_requires_the_expected_revision
        races::update_and_delete_of_one_revision_exclude_each_other;
    delete_many_ignores_the_owner: DeleteManyIgnoresTheOwner by
        delete::delete_many_deletes_only_what_was_asked_for
        delete::bulk_calls_that_change_nothing_write_no_entry;
    delete_many_goes_one_by_one: DeleteManyGoesOneByOne by
        snapshots::bulk_changes_are_seen_in_full_or_not_at_all
        cancellation::cancelled_delete_many_deletes_all_or_none;
    delete_many_logs_one_entry: DeleteManyLogsOneEntry by
        delete::delete_many_deletes_only_what_was_asked_for
        races::concurrent_delete_many_calls_delete_each_token_once;
    revoke_owner_keeps_revisions: RevokeOwnerKeepsRevisions by
        delete::revoke_owner_writes_one_log_entry
        uses::uses_racing_with_changes_revive_nothing;
    revoke_owner_takes_revoked: RevokeOwnerTakesRevoked by
        delete::revoke_owner_writes_one_log_entry
        delete::bulk_calls_that_change_nothing_write_no_entry;
    revoke_owner_reads_first: RevokeOwnerReadsFirst by
        races::revoke_owner_takes_earlier_tokens_and_no_later_ones;
    revoke_owner_ignores_the_age: RevokeOwnerIgnoresTheAge by
        revoke::revoke_owner_respects_issued_before;
    revoke_everyone_ignores_the_age: RevokeEveryoneIgnoresTheAge by
        revoke::revoke_everyone_respects_issued_before;
    revoke_everyone_ignores_the_limit: RevokeEveryoneIgnoresTheLimit by
        revoke::revoke_everyone_respects_the_limit;
    revoke_everyone_names_no_target: RevokeEveryoneNamesNoTarget by
        revoke::revoke_everyone_writes_one_entry_with_target_all;
    uses_revive: UsesRevive by
        uses::late_use_does_not_restore_a_token
        uses::uses_racing_with_changes_revive_nothing;
    uses_go_back: UsesGoBack by
        uses::record_uses_only_moves_forward
        uses::concurrent_uses_leave_the_latest_time;
    uses_ignore_the_revision: UsesIgnoreTheRevision by
        uses::use_of_another_revision_is_dropped
        uses::late_use_does_not_restore_a_token
        uses::uses_racing_with_changes_revive_nothing;
    uses_are_logged: UsesAreLogged by
        uses::record_uses_writes_no_entry
        uses::uses_racing_with_changes_revive_nothing;
    uses_are_cut_off: UsesAreCutOff by
        uses::large_batch_of_uses_is_written_completely;
    prune_includes_the_instant: PruneIncludesTheInstant by
        prune::prune_deletes_only_tokens_that_ended_before
        edges::times_keep_their_milliseconds;
    prune_ignores_the_limit: PruneIgnoresTheLimit by
        prune::prune_respects_the_limit;
    prune_is_not_logged: PruneIsNotLogged by
        audit::each_change_writes_one_entry
        prune::prune_writes_one_entry_without_a_target;
    prune_reads_first: PruneReadsFirst by
        prune::token_extended_during_prune_stays;
    prune_log_deletes_the_newest: PruneLogDeletesTheNewest by
        prune_log::prune_log_deletes_the_oldest_entries_first
        prune_log::prune_log_keeps_the_newest_entry
        prune_log::follower_detects_a_pruned_position;
    prune_log_empties_the_log: PruneLogEmptiesTheLog by
        prune_log::prune_log_keeps_the_newest_entry
        prune_log::log_continues_while_it_is_pruned;
    prune_log_ignores_the_time: PruneLogIgnoresTheTime by
        prune_log::prune_log_deletes_the_oldest_entries_first;
    prune_log_ignores_the_limit: PruneLogIgnoresTheLimit by
        prune_log::prune_log_respects_the_limit;
    changes_omit_the_position: ChangesOmitThePosition by
        log::changes_starts_with_the_requested_position
        followers::follower_misses_no_change_of_many_writers;
    changes_read_the_head_later: ChangesReadTheHeadLater by
        followers::follower_misses_no_change_of_many_writers;
    entries_lose_their_origin: EntriesLoseTheirOrigin by
        audit::entries_come_back_unchanged
        audit::each_change_writes_one_entry;
    entries_have_count_one: EntriesHaveCountOne by
        audit::entries_come_back_unchanged
        audit::each_change_writes_one_entry
        revoke::revoke_everyone_respects_the_limit;
    entries_are_truncated: EntriesAreTruncated by
        audit::entries_come_back_unchanged;
    entry_times_are_seconds: EntryTimesAreSeconds by
        audit::entries_come_back_unchanged;
    target_is_the_events_owner: TargetIsTheEventsOwner by
        log::each_change_logs_its_target;
    audit_ignores_the_owner: AuditIgnoresTheOwner by
        audit::filters_agree_with_the_definition;
    audit_ignores_the_token: AuditIgnoresTheToken by
        audit::filters_agree_with_the_definition;
    audit_includes_until: AuditIncludesUntil by
        audit::filters_agree_with_the_definition;
    audit_pages_skip: AuditPagesSkip by
        audit::pages_join_in_both_orders
        audit::ascending_pages_lose_nothing_during_writes;
    audit_pages_promise_more: AuditPagesPromiseMore by
        audit::pages_join_in_both_orders
        audit::filters_agree_with_the_definition;
    pages_repeat_a_record: PagesRepeatARecord by
        pages::pages_join_to_the_whole_list_in_every_order
        pages::pages_lose_and_repeat_nothing_during_writes
        edges::times_keep_their_milliseconds;
    counts_are_of_the_page: CountsAreOfThePage by
        pages::every_query_agrees_with_the_definition
        list::counts_ignore_only_the_status_filter;
    counts_ignore_filters: CountsIgnoreFilters by
        list::counts_ignore_only_the_status_filter
        pages::every_query_agrees_with_the_definition;
    never_used_is_ignored: NeverUsedIsIgnored by
        list::list_filters_match_what_they_name
        pages::every_query_agrees_with_the_definition;
    unused_since_is_ignored: UnusedSinceIsIgnored by
        list::unused_filter_uses_the_last_use_or_the_issue
        pages::every_query_agrees_with_the_definition;
    unused_since_needs_a_use: UnusedSinceNeedsAUse by
        list::unused_filter_uses_the_last_use_or_the_issue;
    previous_secret_filter_is_ignored: PreviousSecretFilterIsIgnored by
        list::previous_secret_filter_selects_accepted_ones
        pages::every_query_agrees_with_the_definition;
    previous_secret_filter_ignores_the_status: PreviousSecretFilterIgnoresTheStatus by
        list::previous_secret_filter_selects_accepted_ones;
    expires_before_is_ignored: ExpiresBeforeIsIgnored by
        list::list_filters_match_what_they_name
        pages::every_query_agrees_with_the_definition;
    metadata_is_ignored: MetadataIsIgnored by
        list::metadata_filter_matches_exactly;
    full_pages_promise_more: FullPagesPromiseMore by
        pages::every_query_agrees_with_the_definition;
    no_time_comes_first: NoTimeComesFirst by
        pages::every_query_agrees_with_the_definition;
    search_has_wildcards: SearchHasWildcards by
        list::text_filter_is_literal_and_ignores_case
        pages::every_query_agrees_with_the_definition;
    scopes_are_found_by_cover: ScopesAreFoundByCover by
        list::scope_filter_matches_exactly;
    times_are_seconds: TimesAreSeconds by
        insert::inserted_token_comes_back_unchanged
        edges::times_keep_their_milliseconds
        prune::prune_deletes_only_tokens_that_ended_before;
    descriptions_are_short: DescriptionsAreShort by
        edges::longest_values_fit;
    owners_ignore_case: OwnersIgnoreCase by
        limits::limit_applies_to_each_owner_separately;
    cancelled_calls_keep_the_lock: CancelledCallsKeepTheLock by
        cancellation::cancelled_call_happens_in_full_or_not_at_all;
}

#[test]
fn store_that_loses_data_when_reopened_fails_the_suite() {
    use super::cases::handles::data_survives_reopening as case;
    let passes = |flaw| {
        let run = || run::run(case(Flawed::with(flaw)));
        catch_unwind(AssertUnwindSafe(run)).is_ok()
    };
    assert!(passes(Flaw::None) && !passes(Flaw::ReopeningForgets));
}
