//! The scripts, one for each operation.

use std::borrow::Cow;
use std::sync::LazyLock;

use redis::Script;

use crate::guards::Guards;

/// A script that changes something, of what is common to all and its own.
macro_rules! changing {
    ($flags:literal, $file:literal) => {
        LazyLock::new(|| {
            Lua::new(concat!(
                "#!lua flags=",
                $flags,
                "\n",
                include_str!("scripts/common.lua"),
                include_str!($file)
            ))
        })
    };
}

/// A script that reads.
macro_rules! reading {
    ($file:literal) => {
        LazyLock::new(|| Lua::new(concat!("#!lua flags=no-writes\n", include_str!($file))))
    };
}

type Lazy = LazyLock<Lua>;

/// What a server is to do in one step.
pub(crate) struct Lua {
    script: Script,
    #[cfg(test)]
    text: &'static str,
}

impl Lua {
    fn new(text: &'static str) -> Self {
        Self {
            script: Script::new(text),
            #[cfg(test)]
            text,
        }
    }

    #[cfg(not(test))]
    pub(crate) fn under(&self, _: Guards) -> Cow<'_, Script> {
        Cow::Borrowed(&self.script)
    }

    #[cfg(test)]
    pub(crate) fn under(&self, guards: Guards) -> Cow<'_, Script> {
        let weaker = guards.weaken(self.text);
        weaker.map_or(Cow::Borrowed(&self.script), |text| Cow::Owned(Script::new(&text)))
    }
}

pub(crate) static INSERT: Lazy = changing!("", "scripts/insert.lua");
pub(crate) static CHANGE: Lazy = changing!("", "scripts/change.lua");
pub(crate) static REKEY: Lazy = changing!("", "scripts/rekey.lua");
pub(crate) static TOUCH: Lazy = changing!("", "scripts/touch.lua");

// What takes rights away works when memory is full, and so does what frees it.
pub(crate) static REVOKE: Lazy = changing!("allow-oom", "scripts/change.lua");
pub(crate) static DELETE: Lazy = changing!("allow-oom", "scripts/delete.lua");
pub(crate) static DELETE_MANY: Lazy = changing!("allow-oom", "scripts/delete_many.lua");
pub(crate) static DELETE_OWNER: Lazy = changing!("allow-oom", "scripts/delete_owner.lua");
pub(crate) static REVOKE_OWNER: Lazy = changing!("allow-oom", "scripts/revoke_owner.lua");
pub(crate) static ANNOUNCE: Lazy = changing!("allow-oom", "scripts/announce.lua");
pub(crate) static PRUNE: Lazy = changing!("allow-oom", "scripts/prune.lua");
pub(crate) static TRIM: Lazy = changing!("allow-oom", "scripts/trim.lua");
pub(crate) static PROBE: Lazy = changing!("allow-oom", "scripts/probe.lua");
pub(crate) static OPEN: Lazy = changing!("allow-oom", "scripts/open.lua");

pub(crate) static CHANGES: Lazy = reading!("scripts/changes.lua");
pub(crate) static LIST_OWNER: Lazy = reading!("scripts/list_owner.lua");
pub(crate) static LIST_ALL: Lazy = reading!("scripts/list_all.lua");
