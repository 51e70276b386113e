//! The Lua scripts. Each operation is one script, so that it is one atomic step.

use std::sync::LazyLock;

use redis::Script;

/// Creates a script from its flags and its files.
macro_rules! script {
    ($flags:literal, $($file:literal),*) => {
        LazyLock::new(|| {
            Script::new(concat!(
                "#!lua flags=", $flags, "\n",
                include_str!("scripts/keys.lua"),
                $(include_str!(concat!("scripts/", $file, ".lua"))),*
            ))
        })
    };
}

type Lazy = LazyLock<Script>;

// These scripts add data, so they need free memory.
pub(crate) static INSERT: Lazy = script!("", "log", "tokens", "insert");
pub(crate) static UPDATE: Lazy = script!("", "log", "tokens", "update");
pub(crate) static RECORD_USES: Lazy = script!("", "clock", "record_uses");

// These scripts revoke or delete tokens, or free memory, so they must also work if memory is full.
pub(crate) static REVOKE: Lazy = script!("allow-oom", "log", "tokens", "update");
pub(crate) static DELETE: Lazy = script!("allow-oom", "log", "tokens", "delete");
pub(crate) static DELETE_MANY: Lazy = script!("allow-oom", "log", "tokens", "delete_many");
pub(crate) static DELETE_OWNER: Lazy = script!("allow-oom", "log", "tokens", "delete_owner");
pub(crate) static REVOKE_OWNER: Lazy =
    script!("allow-oom", "log", "tokens", "revoke_owner", "revoke");
pub(crate) static REVOKE_EVERYONE: Lazy =
    script!("allow-oom", "log", "tokens", "revoke_everyone", "revoke");
pub(crate) static LOG_OWNER_CHANGE: Lazy = script!("allow-oom", "log", "log_owner_change");
pub(crate) static PRUNE: Lazy = script!("allow-oom", "log", "tokens", "prune");
pub(crate) static PRUNE_LOG: Lazy = script!("allow-oom", "clock", "prune_log");
pub(crate) static PROBE: Lazy = script!("allow-oom", "clock", "probe");
pub(crate) static OPEN: Lazy = script!("allow-oom", "open");

pub(crate) static GET: Lazy = script!("no-writes", "clock", "get");
pub(crate) static LIST_ALL: Lazy = script!("no-writes", "clock", "tokens", "list_all");
pub(crate) static LIST_OWNER: Lazy = script!("no-writes", "clock", "list_owner");
pub(crate) static CHANGES: Lazy = script!("no-writes", "clock", "changes");
pub(crate) static AUDIT: Lazy = script!("no-writes", "clock", "audit");
