#![doc = "internal to hallpass-sqlite and hallpass-postgres; may change in any version"]
//!
//! The two stores have the same columns and support the same queries. This crate contains the code
//! that both share:
//!
//! - [`list()`] and [`audit()`] build the statements whose text depends on the query.
//! - [`record_values`], [`secrets_values`] and [`event_values`] return the values that a store
//!   writes, in the order of [`RECORD_COLUMNS`], [`SECRETS_COLUMNS`] and [`EVENT_COLUMNS`].
//!   [`assignments`] writes them into an `UPDATE`.
//! - [`stored_token`], [`list_page`], [`audit_page`] and [`change_batch`] read rows.
//!
//! A statement is text and a list of [`Value`]s. It is built without a driver. The store binds each
//! value with the type of its column. [`Dialect`] describes the differences in the text.
//!
//! # Columns
//!
//! Rows are read by column name. Whatever the type in the database, a `SELECT` returns:
//!
//! | column | type |
//! |---|---|
//! | `id`, `token_id` | 16 bytes |
//! | `digest`, `previous_digest` | bytes |
//! | times (`created_at`, `expires_at`, `last_used_at`, `revoked_at`, `regenerated_at`, `previous_until`, `at`) | milliseconds since 1970, as a 64-bit integer |
//! | `revision`, `count`, `seq`, `nonce` and counts | 64-bit integer |
//! | `scopes` | text: the scopes, separated by single spaces |
//! | `target` | text: `none`, `token`, `owner` or `all` |
//! | everything else | text |
//!
//! An invalid value is a [`corrupt`](hallpass_core::store::StoreError::corrupt) error. It is never
//! replaced by a default, because a wrong default could make a token valid.

mod audit;
mod list;
mod row;
mod statement;
mod values;

pub use self::{
    audit::audit,
    list::list,
    row::{ReadRow, audit_page, change_batch, count, list_page, position, seq, stored_token},
    statement::{Dialect, Statement, Value},
    values::{
        EVENT_COLUMNS, RECORD_COLUMNS, SECRETS_COLUMNS, assignments, event_values, record_values,
        revision, secrets_values,
    },
};
