//! The macro that generates the conformance tests of a store.

/// Generates the conformance tests of a store: one for each promise of
/// [`TokenStore`](hallpass_core::store::TokenStore), each on one handle and on three handles on the
/// same data.
///
/// The argument is a type that implements
/// [`StoreUnderTest`](crate::conformance::StoreUnderTest). If clones of a store are handles on the
/// same data, the function that creates a store is enough. [`conformance`](crate::conformance) has
/// an example of each.
///
/// Call it once in a module. The tests start their own runtime. The environment variable
/// `PROPTEST_CASES` sets how many random histories are tried.
#[macro_export]
macro_rules! store_conformance {
    (async fn fresh() -> $store:ty $make:block) => {
        /// A store whose clones are handles on the same data.
        struct PlaceUnderTest($store);

        impl $crate::conformance::StoreUnderTest for PlaceUnderTest {
            type Store = $store;

            async fn fresh() -> Self {
                Self($make)
            }

            async fn node(&self) -> $store {
                Clone::clone(&self.0)
            }
        }

        $crate::__store_cases!();
    };
    ($place:ty) => {
        type PlaceUnderTest = $place;

        $crate::__store_cases!();
    };
}

/// The list of all cases.
#[doc(hidden)]
#[macro_export]
macro_rules! __store_cases {
    () => {
        $crate::__store_cases! { @each
            audit:
                each_change_writes_one_entry
                failed_calls_write_no_entry
                entries_come_back_unchanged
                audit_and_changes_agree_under_16_writers
                filters_agree_with_the_definition
                pages_join_in_both_orders
                ascending_pages_lose_nothing_during_writes
                entries_of_a_deleted_token_remain;
            calls:
                ping_succeeds
                get_sees_changes_of_other_replicas
                wait_for_change_blocks_no_other_call;
            cancellation:
                cancelled_call_happens_in_full_or_not_at_all
                cancelled_delete_many_deletes_all_or_none
                store_works_after_many_cancelled_calls;
            delete:
                delete_requires_the_expected_revision
                delete_many_deletes_only_what_was_asked_for
                bulk_calls_that_change_nothing_write_no_entry
                delete_owner_writes_one_log_entry
                revoke_owner_writes_one_log_entry
                log_owner_change_changes_no_token;
            edges:
                unusual_texts_come_back_unchanged
                longest_values_fit
                times_keep_their_milliseconds
                page_may_start_at_a_position_without_a_record
                every_change_kind_is_accepted
                large_batches_succeed;
            followers:
                follower_misses_no_change_of_many_writers;
            get:
                get_of_an_unknown_token_returns_none
                get_sees_every_change_that_returned;
            insert:
                inserted_token_comes_back_unchanged
                insert_of_a_known_id_is_a_duplicate
                rejected_insert_changes_nothing;
            limits:
                one_of_200_concurrent_inserts_at_49_of_50_succeeds
                fifty_of_200_concurrent_inserts_at_limit_50_succeed
                limit_counts_revoked_and_expired_tokens
                limit_applies_to_each_owner_separately
                concurrent_inserts_and_deletes_respect_the_limit;
            list:
                list_filters_match_what_they_name
                unused_filter_uses_the_last_use_or_the_issue
                previous_secret_filter_selects_accepted_ones
                text_filter_is_literal_and_ignores_case
                scope_filter_matches_exactly
                metadata_filter_matches_exactly
                status_filter_uses_the_time_of_the_query
                metadata_comes_back
                previous_secret_expiry_is_filled_in
                counts_ignore_only_the_status_filter;
            log:
                new_log_is_empty
                changes_without_a_position_returns_only_the_head
                changes_starts_with_the_requested_position
                changes_respects_the_limit
                each_change_logs_its_target;
            pages:
                every_query_agrees_with_the_definition
                pages_join_to_the_whole_list_in_every_order
                records_without_a_time_come_last_in_both_directions
                pages_lose_and_repeat_nothing_during_writes;
            prune:
                prune_deletes_only_tokens_that_ended_before
                prune_respects_the_limit
                prune_writes_one_entry_without_a_target
                token_extended_during_prune_stays;
            prune_log:
                prune_log_deletes_the_oldest_entries_first
                prune_log_respects_the_limit
                prune_log_keeps_the_newest_entry
                follower_detects_a_pruned_position
                prune_log_keeps_audit_and_changes_equal
                log_continues_while_it_is_pruned;
            races:
                one_of_many_concurrent_inserts_of_an_id_succeeds
                one_of_many_concurrent_replace_digest_succeeds
                delete_wins_over_a_concurrent_update
                update_and_delete_of_one_revision_exclude_each_other
                revoke_owner_takes_earlier_tokens_and_no_later_ones
                delete_owner_takes_earlier_tokens_and_no_later_ones
                concurrent_delete_many_calls_delete_each_token_once;
            revoke:
                revoke_owner_respects_issued_before
                revoke_everyone_respects_issued_before
                revoke_everyone_respects_the_limit
                revoke_everyone_writes_one_entry_with_target_all;
            snapshots:
                as_of_is_exact_for_one_token
                as_of_agrees_with_the_order_of_changes
                bulk_changes_are_seen_in_full_or_not_at_all
                list_as_of_includes_everything_shown;
            update:
                update_replaces_every_field_but_last_used_at
                update_requires_the_expected_revision
                one_of_many_concurrent_updates_succeeds
                update_without_secrets_keeps_them
                replace_digest_requires_the_expected_digest
                replace_digest_keeps_the_record;
            uses:
                record_uses_only_moves_forward
                use_of_another_revision_is_dropped
                late_use_does_not_restore_a_token
                record_uses_writes_no_entry
                large_batch_of_uses_is_written_completely
                concurrent_uses_leave_the_latest_time
                uses_racing_with_changes_revive_nothing;
        }
        $crate::__store_cases! { @in handles, in_place, PlaceUnderTest;
            handles:
                data_survives_reopening
                closing_one_handle_leaves_the_others_working
                fresh_places_are_empty;
        }
        mod histories {
            #[test]
            fn random_calls_agree_with_the_model() {
                $crate::conformance::model::random_calls::<super::PlaceUnderTest>();
            }

            #[test]
            fn cached_services_accept_nothing_that_was_revoked() {
                $crate::conformance::histories::random_lifecycles::<super::PlaceUnderTest>();
            }
        }
    };
    (@each $($list:tt)*) => {
        mod one_replica {
            $crate::__store_cases! { @modules on_one_replica; $($list)* }
        }
        mod three_replicas {
            $crate::__store_cases! { @modules on_three_replicas; $($list)* }
        }
    };
    (@modules $run:ident; $($module:ident: $($case:ident)*;)*) => {
        $(mod $module {
            $(#[test]
            fn $case() {
                $crate::conformance::run::$run::<super::super::PlaceUnderTest, _>(
                    $crate::conformance::cases::$module::$case,
                );
            })*
        })*
    };
    (@in $name:ident, $run:ident, $place:ident; $($module:ident: $($case:ident)*;)*) => {
        mod $name {
            $($(#[test]
            fn $case() {
                $crate::conformance::run::$run::<super::$place, _>(
                    $crate::conformance::cases::$module::$case,
                );
            })*)*
        }
    };
}
