//! Switches for what keeps the promise. In a build without tests none of them can be off, and none costs anything.

macro_rules! guards {
    ($($(#[doc = $what:literal])+ $guard:ident,)+) => {
        /// Which guards are on: all of them, but in the tests that show what each is for.
        #[derive(Clone, Copy, Debug)]
        pub(crate) struct Guards {
            $($(#[doc = $what])+ #[cfg(test)] pub(crate) $guard: bool,)+
        }

        impl Guards {
            #[cfg(test)]
            pub(crate) const NAMES: &[&str] = &[$(stringify!($guard)),+];

            pub(crate) const ON: Self = Self { $(#[cfg(test)] $guard: true,)+ };

            $($(#[doc = $what])+
            pub(crate) const fn $guard(self) -> bool {
                #[cfg(test)]
                return self.$guard;
                #[cfg(not(test))]
                true
            })+
        }
    };
}

guards! {
    /// A record is checked against the changes that were applied to its token since it was read.
    token_stripe,
    /// The same for changes to all of an owner's.
    owner_stripe,
    /// What was read before this node knew its place in the log is void.
    floor,
    /// A record is used only while it is known to be fresh within the bound.
    freshness,
    /// Freshness counts from before the store was asked, not from its answer.
    asked_first,
    /// The lease is renewed once all changes are applied, not before.
    changes_first,
    /// Age is what the wall clock says, if that is more: a machine may have been suspended.
    wall_clock,
    /// The line that was read last has to be there again, with its nonce.
    nonce,
    /// The lines that follow have to be without a gap.
    gapless,
    /// A record is read again at a certain age, whatever the lease says.
    max_age,
    /// A list that was shown is not taken back.
    shown_lists,
    /// A change of this node's own is applied before its caller is told.
    own_changes,
    /// Nothing left to change: then what others changed is applied before the caller is told.
    others_changes,
    /// What was shown by a look at the store voids what was read before.
    shown_is_known,
    /// That there is no such token is checked against the changes that were applied since.
    absence,
    /// A failed load is forgotten.
    errors_forgotten,
    /// Only a young load can be joined.
    young_loads,
    /// A load goes on when its first caller goes away.
    detached_loads,
    /// Only so many loads are under way at once.
    bounded_loads,
    /// What the host said of an owner is void once the owner changed.
    standing_mark,
    /// Many who need to know of one owner are one question.
    standing_flight,
    /// A cache that was closed lets nobody in.
    closing,
}
