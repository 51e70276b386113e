//! The change log in memory.

use std::collections::VecDeque;

use hallpass_core::Event;
use hallpass_core::store::{
    AuditEntry, AuditPage, AuditQuery, ChangeBatch, ChangeEntry, ChangeSeq, ChangeTarget,
    LogPosition, StoreError, fresh_nonce,
};
use jiff::Timestamp;
use tokio::sync::watch;

/// The change log, which is also the audit trail.
#[derive(Debug)]
pub(crate) struct ChangeLog {
    /// The position of the newest entry. Callers that wait for changes watch it.
    head: watch::Sender<LogPosition>,
    /// The entries that were not pruned, with consecutive numbers, oldest first.
    entries: VecDeque<Entry>,
}

/// A log entry.
#[derive(Debug)]
struct Entry {
    position: LogPosition,
    target: ChangeTarget,
    event: Event,
}

impl ChangeLog {
    /// Creates an empty log. If the operating system provides no randomness, its nonce is 0, and
    /// the first change returns an error.
    pub(crate) fn new() -> Self {
        let nonce = fresh_nonce().unwrap_or_default();
        let head = watch::Sender::new(LogPosition { seq: ChangeSeq::ZERO, nonce });
        Self { head, entries: VecDeque::new() }
    }

    /// Returns the position of the newest entry.
    pub(crate) fn head(&self) -> LogPosition {
        *self.head.borrow()
    }

    /// Returns a receiver that is notified of each new entry.
    pub(crate) fn watch(&self) -> watch::Receiver<LogPosition> {
        self.head.subscribe()
    }

    /// Appends an entry. Returns its sequence number.
    pub(crate) fn append(
        &mut self,
        target: ChangeTarget,
        event: Event,
    ) -> Result<ChangeSeq, StoreError> {
        let nonce = fresh_nonce().map_err(StoreError::unavailable)?;
        let position = LogPosition { seq: self.head().seq.next(), nonce };
        self.entries.push_back(Entry { position, target, event });
        self.head.send_replace(position);
        Ok(position.seq)
    }

    /// Reads entries from a position on, including the one at that position.
    pub(crate) fn read(&self, from: Option<LogPosition>, limit: u32) -> ChangeBatch {
        let start = match from {
            None => self.entries.len(),
            Some(from) => self.entries.partition_point(|entry| entry.position.seq < from.seq),
        };
        let entries = self.entries.iter().skip(start).take(limit as usize);
        let entries = entries
            .map(|entry| ChangeEntry { position: entry.position, target: entry.target.clone() })
            .collect();
        ChangeBatch { entries, head: self.head(), time: None }
    }

    /// Reads one page of the audit trail.
    pub(crate) fn audit(&self, query: &AuditQuery) -> AuditPage {
        let is_after = |entry: &&Entry| match query.after {
            None => true,
            Some(after) if query.ascending => entry.position.seq > after,
            Some(after) => entry.position.seq < after,
        };
        let limit = query.limit as usize;
        let matching = |entry: &&Entry| is_after(entry) && query.matches(&entry.event);
        let to_entry = |entry: &Entry| AuditEntry::new(entry.position.seq, entry.event.clone());
        // Reading one entry more than the limit shows whether more entries follow.
        let mut entries: Vec<_> = if query.ascending {
            self.entries.iter().filter(matching).take(limit + 1).map(to_entry).collect()
        } else {
            self.entries.iter().rev().filter(matching).take(limit + 1).map(to_entry).collect()
        };
        let more = entries.len() > limit;
        entries.truncate(limit);
        AuditPage { entries, more }
    }

    /// Deletes old entries, but never the newest one. Returns how many were deleted.
    pub(crate) fn prune(&mut self, written_before: Timestamp, limit: u32) -> u64 {
        let deletable = self.entries.len().saturating_sub(1).min(limit as usize);
        let old = self.entries.iter().take(deletable);
        let old = old.take_while(|entry| entry.event.at < written_before).count();
        self.entries.drain(..old);
        old as u64
    }
}
