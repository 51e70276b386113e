//! A check that cannot fail is worth nothing: each case is given a store with one flaw, and has to refuse it. The
//! same store without the flaw hallpass.

mod flaw;
mod flawed;
mod histories;
mod list;
mod store;

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};

use self::flaw::Flaw;
use self::flawed::Flawed;
use super::nodes::Nodes;
use super::run;

/// How often a race is run until it is lost.
const ATTEMPTS: u32 = 500;

/// Whether a store with this flaw passes a case.
fn passes<F: Future<Output = ()>>(flaw: Flaw, case: fn(Nodes) -> F) -> bool {
    let place = Flawed::with(flaw);
    let run = || run::run(run::on_nodes(&place, 3, |store| store, case));
    catch_unwind(AssertUnwindSafe(run)).is_ok()
}

fn assert_refuses<F: Future<Output = ()>>(flaw: Flaw, name: &str, case: fn(Nodes) -> F) {
    assert!(passes(Flaw::None, case), "{name} refuses a store without a flaw");
    let refused = (0..ATTEMPTS).any(|_| !passes(flaw, case));
    assert!(refused, "{name} does not see {flaw:?}");
}

macro_rules! refused {
    ($($test:ident: $flaw:ident by $($module:ident::$case:ident)*;)*) => {
        $(#[test]
        fn $test() {
            $(assert_refuses(
                Flaw::$flaw,
                stringify!($case),
                crate::conformance::cases::$module::$case,
            );)*
        })*
    };
}

refused! {
    a_limit_that_is_looked_at_first: LimitIsLookedAtFirst by
        limits::of_200_concurrent_inserts_at_49_of_50_one_succeeds
        limits::of_200_concurrent_inserts_of_a_new_owner_50_succeed
        limits::tokens_that_come_and_go_never_exceed_the_limit;
    a_limit_that_forgets_the_revoked: LimitForgetsRevoked by
        limits::the_limit_counts_revoked_and_expired_tokens;
    an_insert_that_replaces: InsertReplaces by
        insert::an_id_is_taken_once
        races::an_id_is_given_to_one_of_many;
    refusals_that_are_logged: RefusalsAreLogged by
        insert::a_refused_insert_changes_nothing
        followers::whoever_follows_the_log_misses_no_change_of_many_writers;
    a_number_from_before_the_commit: NumberBeforeCommit by
        followers::whoever_follows_the_log_misses_no_change_of_many_writers
        snapshots::snapshots_of_many_tokens_agree_with_the_order_of_changes;
    deletes_that_are_not_logged: DeletesAreNotLogged by
        log::each_change_logs_what_it_voids
        races::of_a_change_and_a_delete_at_one_revision_one_wins
        followers::whoever_follows_the_log_misses_no_change_of_many_writers;
    owners_that_are_logged_by_token: OwnersAreLoggedByToken by
        delete::deleting_all_of_an_owner_is_one_logged_change
        delete::revoking_all_of_an_owner_is_one_logged_change;
    a_nonce_that_is_always_the_same: NonceIsAlwaysTheSame by
        log::the_log_is_read_in_bounded_steps;
    a_snapshot_number_that_is_old: AsOfIsOld by
        find::a_snapshot_is_as_recent_as_every_change_that_returned
        snapshots::a_snapshot_shows_every_change_up_to_its_number_and_none_after
        followers::whoever_follows_the_log_misses_no_change_of_many_writers;
    a_snapshot_number_that_is_read_later: AsOfIsReadLater by
        snapshots::a_snapshot_shows_every_change_up_to_its_number_and_none_after
        snapshots::snapshots_of_many_tokens_agree_with_the_order_of_changes;
    a_find_from_a_cache: FindIsFromACache by
        find::a_snapshot_is_as_recent_as_every_change_that_returned
        calls::a_reload_is_of_after_the_call;
    a_change_at_any_revision: ChangeIgnoresTheRevision by
        change::a_change_applies_at_the_expected_revision_only
        change::of_many_concurrent_changes_one_wins;
    a_change_that_takes_the_last_use: ChangeTakesTheLastUse by
        change::a_change_takes_every_field_but_the_last_use;
    a_change_that_drops_the_previous_secret: ChangeDropsThePreviousSecret by
        change::secrets_are_replaced_only_if_the_change_brings_any;
    a_rekey_at_any_digest: RekeyIgnoresTheDigest by
        change::rekeying_needs_the_expected_digest
        races::of_many_concurrent_rekeys_one_wins;
    a_rekey_that_is_a_revision: RekeyIsARevision by change::rekeying_leaves_the_record_alone;
    a_delete_at_any_revision: DeleteIgnoresTheRevision by
        delete::a_token_is_deleted_at_the_expected_revision_only
        races::of_a_change_and_a_delete_at_one_revision_one_wins;
    a_delete_of_anybodys: DeleteManyIgnoresTheOwner by
        delete::several_are_deleted_at_once_and_the_rest_is_left
        delete::nothing_to_delete_is_nothing_logged;
    a_delete_of_several_one_by_one: DeleteManyGoesOneByOne by
        snapshots::changes_of_many_tokens_are_seen_in_whole_or_not_at_all
        drops::a_dropped_delete_of_several_takes_all_or_none;
    a_revocation_that_keeps_revisions: RevokeAllKeepsRevisions by
        delete::revoking_all_of_an_owner_is_one_logged_change
        touch::late_uses_revive_nothing;
    a_revocation_of_what_is_revoked: RevokeAllTakesAll by
        delete::revoking_all_of_an_owner_is_one_logged_change
        delete::nothing_to_delete_is_nothing_logged;
    a_revocation_of_what_was_there_before: RevokeAllLooksFirst by
        races::revoking_all_takes_what_was_there_and_nothing_later;
    a_use_that_revives: TouchRevives by
        touch::a_use_brings_nothing_back
        touch::late_uses_revive_nothing;
    a_use_that_goes_back: TouchGoesBack by
        touch::a_use_moves_forward_only
        touch::uses_at_once_leave_the_latest;
    a_use_of_any_revision: TouchIgnoresTheRevision by
        touch::a_use_of_another_revision_is_dropped
        touch::a_use_brings_nothing_back
        touch::late_uses_revive_nothing;
    a_use_that_is_logged: TouchIsLogged by
        touch::a_use_is_not_logged
        touch::late_uses_revive_nothing;
    a_batch_of_uses_that_is_cut_off: TouchCutsOff by
        touch::a_large_batch_of_uses_is_written_whole;
    a_prune_of_what_ends_now: PruneIncludesTheInstant by
        prune::what_ended_before_goes_and_the_rest_stays
        edges::times_keep_their_milliseconds;
    a_prune_without_a_limit: PruneIgnoresTheLimit by prune::a_batch_is_bounded;
    a_prune_that_is_logged: PruneIsLogged by prune::pruning_is_not_logged;
    a_prune_of_what_had_ended: PruneLooksFirst by
        prune::what_is_prolonged_while_others_are_pruned_stays;
    a_log_that_leaves_out_the_place: ChangesLeaveOutThePlace by
        log::the_place_asked_for_comes_first_with_its_nonce
        followers::whoever_follows_the_log_misses_no_change_of_many_writers;
    a_head_that_is_read_later: ChangesReadTheHeadLater by
        followers::whoever_follows_the_log_misses_no_change_of_many_writers;
    pages_that_repeat_a_record: PagesRepeatARecord by
        pages::pages_join_to_the_whole_list_in_every_order
        pages::pages_lose_and_repeat_nothing_while_others_write
        edges::times_keep_their_milliseconds;
    a_total_of_the_page: TotalIsOfThePage by
        pages::every_query_agrees_with_the_definition;
    full_pages_that_promise_more: FullPagesPromiseMore by
        pages::every_query_agrees_with_the_definition;
    no_time_first: NoTimeComesFirst by
        pages::every_query_agrees_with_the_definition;
    a_search_with_wildcards: SearchHasWildcards by
        list::text_is_plain_and_found_in_any_case
        pages::every_query_agrees_with_the_definition;
    scopes_that_are_found_by_cover: ScopesAreFoundByCover by list::a_scope_is_found_exactly;
    times_of_seconds: TimesAreSeconds by
        insert::a_token_comes_back_as_it_was_put_in
        edges::times_keep_their_milliseconds
        prune::what_ended_before_goes_and_the_rest_stays;
    short_descriptions: DescriptionsAreShort by edges::the_longest_of_everything_fits;
    owners_in_any_case: OwnersIgnoreCase by limits::the_limit_is_each_owners_own;
    dropped_calls_that_keep_the_lock: DroppedCallsKeepTheLock by
        drops::a_dropped_call_is_done_in_full_or_not_at_all;
}

#[test]
fn a_store_that_forgets_when_it_is_opened_again() {
    use super::cases::handles::what_returned_is_there_when_the_store_is_opened_again as case;
    let passes = |flaw| {
        let run = || run::run(case(Flawed::with(flaw)));
        catch_unwind(AssertUnwindSafe(run)).is_ok()
    };
    assert!(passes(Flaw::None) && !passes(Flaw::ReopeningForgets));
}
