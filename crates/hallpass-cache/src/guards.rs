/// Which guards are on: all of them, but in the tests that show what each is for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Guards {
    /// A record is checked against the changes that were applied since it was read.
    pub(crate) stripes: bool,
    /// A record is used only while it is known to be fresh within the bound.
    pub(crate) freshness: bool,
    /// A change of this node's own is applied before its caller is told.
    pub(crate) own_changes: bool,
    /// What was shown by a look at the store voids what was read before.
    pub(crate) shown_is_known: bool,
    /// The log is checked to go on in the same history.
    pub(crate) history: bool,
    /// A load goes on when its first caller goes away.
    pub(crate) detached_loads: bool,
}

impl Guards {
    pub(crate) const ON: Self = Self {
        stripes: true,
        freshness: true,
        own_changes: true,
        shown_is_known: true,
        history: true,
        detached_loads: true,
    };
}
