//! What `TokenStore` promises, kept by every store: each case is written against the trait, and runs
//! on each of them.

mod cases;

/// Runs each case on each store.
macro_rules! contract {
    ($($module:ident: $($case:ident)*;)*) => {
        mod memory {
            $(mod $module {
                $(#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
                async fn $case() {
                    crate::cases::$module::$case(hallpass_memory::MemoryStore::new()).await;
                })*
            })*
        }

        mod sqlite {
            $(mod $module {
                $(#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
                async fn $case() {
                    let directory = tempfile::tempdir().expect("a directory");
                    let path = directory.path().join("tokens.db");
                    let store = hallpass_sqlite::SqliteStore::open(path).await.expect("a store");
                    crate::cases::$module::$case(store.clone()).await;
                    store.close().await;
                })*
            })*
        }
    };
}

contract! {
    insert:
        a_token_comes_back_as_it_was_put_in
        an_id_is_taken_once
        a_refused_insert_changes_nothing
        of_200_concurrent_inserts_at_49_of_50_one_succeeds
        the_limit_counts_revoked_and_expired_tokens
        the_limit_is_each_owners_own;
    find:
        an_unknown_token_is_no_error
        a_snapshot_is_as_recent_as_every_change_that_returned
        a_snapshot_shows_every_change_up_to_its_number_and_none_after;
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
    touch:
        a_use_moves_forward_only
        a_use_of_another_revision_is_dropped
        a_use_brings_nothing_back
        a_use_is_not_logged;
    prune:
        what_ended_before_goes_and_the_rest_stays
        a_batch_is_bounded
        pruning_is_not_logged;
    log:
        a_new_log_is_empty
        without_a_place_only_the_head_is_read
        the_place_asked_for_comes_first_with_its_nonce
        the_log_is_read_in_bounded_steps
        each_change_logs_what_it_voids
        numbers_are_commit_order_without_gaps;
    list:
        each_filter_finds_what_it_says
        text_is_plain_and_found_in_any_case
        a_scope_is_found_exactly
        a_status_is_of_the_time_asked_for
        every_query_agrees_with_the_definition
        pages_join_to_the_whole_list_in_every_order
        what_has_no_time_comes_last_in_both_directions
        pages_lose_and_repeat_nothing_while_others_write;
}
