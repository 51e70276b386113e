use std::iter::{Once, once};

/// What a store is asked to do: a method of [`TokenStore`](hallpass_core::store::TokenStore).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Verb {
    /// One token is looked up: `find`, and the `load` and `reload` of a check.
    Find,
    /// `list`.
    List,
    /// The change log is read: `changes`.
    ChangeBatch,
    /// `ping`.
    Ping,
    /// A [nudge](hallpass_core::store::TokenStore::nudged) comes.
    Nudged,
    /// `insert`.
    Insert,
    /// `change`.
    Change,
    /// `rekey`.
    Rekey,
    /// `delete`.
    Delete,
    /// `delete_many`.
    DeleteMany,
    /// `delete_owner`.
    DeleteOwner,
    /// `revoke_owner`.
    RevokeOwner,
    /// `announce`.
    Announce,
    /// `touch`.
    Touch,
    /// `prune`.
    Prune,
}

impl Verb {
    /// What changes nothing.
    pub const READS: [Self; 5] =
        [Self::Find, Self::List, Self::ChangeBatch, Self::Ping, Self::Nudged];

    /// What writes.
    pub const WRITES: [Self; 10] = [
        Self::Insert,
        Self::Change,
        Self::Rekey,
        Self::Delete,
        Self::DeleteMany,
        Self::DeleteOwner,
        Self::RevokeOwner,
        Self::Announce,
        Self::Touch,
        Self::Prune,
    ];

    /// All of them: the reads, then the writes.
    pub const ALL: [Self; 15] = {
        let mut all = [Self::Find; Self::READS.len() + Self::WRITES.len()];
        let (reads, writes) = all.split_at_mut(Self::READS.len());
        reads.copy_from_slice(&Self::READS);
        writes.copy_from_slice(&Self::WRITES);
        all
    };
}

/// Itself alone, so that one verb can stand where several can.
impl IntoIterator for Verb {
    type Item = Self;
    type IntoIter = Once<Self>;

    fn into_iter(self) -> Once<Self> {
        once(self)
    }
}

#[cfg(test)]
mod tests {
    use super::Verb;

    #[test]
    fn all_are_the_reads_and_the_writes_in_the_order_they_are_declared_in() {
        let both: Vec<_> = Verb::READS.into_iter().chain(Verb::WRITES).collect();
        assert_eq!(both, Verb::ALL);
        for (place, verb) in Verb::ALL.into_iter().enumerate() {
            assert_eq!(verb as usize, place, "{verb:?}");
        }
    }
}
