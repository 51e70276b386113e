//! The operations of a store.

use std::iter::{Once, once};

/// A method of [`TokenStore`](hallpass_core::store::TokenStore).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Operation {
    /// `get`, which reads a token.
    Get,
    /// `list`.
    List,
    /// `changes`, which reads the change log for a cache.
    Changes,
    /// `audit`, which reads the change log for the audit trail.
    Audit,
    /// `ping`.
    Ping,
    /// `wait_for_change`, counted when it returns.
    WaitForChange,
    /// `insert`.
    Insert,
    /// `update`.
    Update,
    /// `replace_digest`.
    ReplaceDigest,
    /// `delete`.
    Delete,
    /// `delete_many`.
    DeleteMany,
    /// `delete_owner`.
    DeleteOwner,
    /// `revoke_owner`.
    RevokeOwner,
    /// `revoke_everyone`.
    RevokeEveryone,
    /// `log_owner_change`.
    LogOwnerChange,
    /// `record_uses`.
    RecordUses,
    /// `prune`.
    Prune,
    /// `prune_log`.
    PruneLog,
}

impl Operation {
    /// The operations that change nothing.
    pub const READS: [Self; 6] =
        [Self::Get, Self::List, Self::Changes, Self::Audit, Self::Ping, Self::WaitForChange];

    /// The operations that write.
    pub const WRITES: [Self; 12] = [
        Self::Insert,
        Self::Update,
        Self::ReplaceDigest,
        Self::Delete,
        Self::DeleteMany,
        Self::DeleteOwner,
        Self::RevokeOwner,
        Self::RevokeEveryone,
        Self::LogOwnerChange,
        Self::RecordUses,
        Self::Prune,
        Self::PruneLog,
    ];

    /// All operations: the reads, then the writes.
    pub const ALL: [Self; 18] = {
        let mut all = [Self::Get; Self::READS.len() + Self::WRITES.len()];
        let (reads, writes) = all.split_at_mut(Self::READS.len());
        reads.copy_from_slice(&Self::READS);
        writes.copy_from_slice(&Self::WRITES);
        all
    };
}

/// Yields the operation itself, so that one operation can be passed instead of several.
impl IntoIterator for Operation {
    type Item = Self;
    type IntoIter = Once<Self>;

    fn into_iter(self) -> Once<Self> {
        once(self)
    }
}

#[cfg(test)]
mod tests {
    use super::Operation;

    #[test]
    fn all_lists_every_operation_in_the_order_of_declaration() {
        let both: Vec<_> = Operation::READS.into_iter().chain(Operation::WRITES).collect();
        assert_eq!(both, Operation::ALL);
        for (index, operation) in Operation::ALL.into_iter().enumerate() {
            assert_eq!(operation as usize, index, "{operation:?}");
        }
    }
}
