/// Proves a store: one test for each promise of [`TokenStore`](hallpass_core::store::TokenStore), each on
/// one handle, on three handles on the same data, and on three with a cache in front of each.
///
/// It takes a type that implements [`StoreUnderTest`](crate::conformance::StoreUnderTest), or, where clones of a
/// store are handles on the same data, the function that makes one: see [`conformance`](crate::conformance) for both.
///
/// It stands once in a module. The tests are threaded and need no runtime of yours. How many random histories
/// are tried is said by the environment variable `PROPTEST_CASES`.
#[macro_export]
macro_rules! store_conformance {
    (async fn fresh() -> $store:ty $make:block) => {
        /// The store, of which clones are handles.
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
            calls:
                a_store_that_works_says_so
                a_reload_is_of_after_the_call
                waiting_for_a_nudge_keeps_nobody_from_anything;
            change:
                a_change_takes_every_field_but_the_last_use
                a_change_applies_at_the_expected_revision_only
                of_many_concurrent_changes_one_wins
                secrets_are_replaced_only_if_the_change_brings_any
                rekeying_needs_the_expected_digest
                rekeying_leaves_the_record_alone;
            delete:
                a_token_is_deleted_at_the_expected_revision_only
                several_are_deleted_at_once_and_the_rest_is_left
                nothing_to_delete_is_nothing_logged
                deleting_all_of_an_owner_is_one_logged_change
                revoking_all_of_an_owner_is_one_logged_change
                announcing_touches_no_token;
            drops:
                a_dropped_call_is_done_in_full_or_not_at_all
                a_dropped_delete_of_several_takes_all_or_none
                a_storm_of_dropped_calls_leaves_a_store_that_works;
            edges:
                every_text_comes_back_as_it_was
                the_longest_of_everything_fits
                times_keep_their_milliseconds
                a_place_may_be_one_where_nothing_is
                every_sort_of_change_is_one
                large_batches_are_done_in_one_go;
            find:
                an_unknown_token_is_no_error
                a_snapshot_is_as_recent_as_every_change_that_returned;
            followers:
                whoever_follows_the_log_misses_no_change_of_many_writers;
            insert:
                a_token_comes_back_as_it_was_put_in
                an_id_is_taken_once
                a_refused_insert_changes_nothing;
            limits:
                of_200_concurrent_inserts_at_49_of_50_one_succeeds
                of_200_concurrent_inserts_of_a_new_owner_50_succeed
                the_limit_counts_revoked_and_expired_tokens
                the_limit_is_each_owners_own
                tokens_that_come_and_go_never_exceed_the_limit;
            list:
                each_filter_finds_what_it_says
                text_is_plain_and_found_in_any_case
                a_scope_is_found_exactly
                a_status_is_of_the_time_asked_for;
            log:
                a_new_log_is_empty
                without_a_place_only_the_head_is_read
                the_place_asked_for_comes_first_with_its_nonce
                the_log_is_read_in_bounded_steps
                each_change_logs_what_it_voids;
            pages:
                every_query_agrees_with_the_definition
                pages_join_to_the_whole_list_in_every_order
                what_has_no_time_comes_last_in_both_directions
                pages_lose_and_repeat_nothing_while_others_write;
            prune:
                what_ended_before_goes_and_the_rest_stays
                a_batch_is_bounded
                pruning_is_not_logged
                what_is_prolonged_while_others_are_pruned_stays;
            races:
                an_id_is_given_to_one_of_many
                of_many_concurrent_rekeys_one_wins
                a_delete_wins_over_a_change
                of_a_change_and_a_delete_at_one_revision_one_wins
                revoking_all_takes_what_was_there_and_nothing_later
                deleting_all_takes_what_was_there_and_nothing_later
                deletes_at_once_each_take_what_they_say;
            snapshots:
                a_snapshot_shows_every_change_up_to_its_number_and_none_after
                snapshots_of_many_tokens_agree_with_the_order_of_changes
                changes_of_many_tokens_are_seen_in_whole_or_not_at_all;
            touch:
                a_use_moves_forward_only
                a_use_of_another_revision_is_dropped
                a_use_brings_nothing_back
                a_use_is_not_logged
                a_large_batch_of_uses_is_written_whole
                uses_at_once_leave_the_latest
                late_uses_revive_nothing;
        }
        $crate::__store_cases! { @in handles, in_place, PlaceUnderTest;
            handles:
                what_returned_is_there_when_the_store_is_opened_again
                a_closed_handle_takes_nothing_of_the_others
                a_new_place_has_nothing_of_another;
        }
        mod histories {
            #[test]
            fn of_one_to_three_handles_agree_with_the_model() {
                $crate::conformance::model::plain::<super::PlaceUnderTest>();
            }

            #[test]
            fn of_one_to_three_caches_agree_with_the_model() {
                $crate::conformance::model::cached::<super::PlaceUnderTest>();
            }

            #[test]
            fn of_one_to_three_services_take_back_what_was_taken_back() {
                $crate::conformance::lives::lives::<super::PlaceUnderTest>();
            }
        }
    };
    (@each $($list:tt)*) => {
        mod one_node {
            $crate::__store_cases! { @modules on_one_node; $($list)* }
        }
        mod three_nodes {
            $crate::__store_cases! { @modules among_nodes; $($list)* }
        }
        mod three_caches {
            $crate::__store_cases! { @modules behind_caches; $($list)* }
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
