use std::collections::VecDeque;

use hallpass_core::store::{
    ChangeBatch, ChangeEntry, ChangeSeq, ChangeTarget, LogPosition, StoreError, fresh_nonce,
};
use tokio::sync::watch;

/// How many changes are remembered. A reader that is further behind starts anew.
const RETAINED: usize = 10_000;

/// The clock, and the changes it numbered.
#[derive(Debug)]
pub(crate) struct ChangeLog {
    /// Watched by who waits for changes.
    head: watch::Sender<LogPosition>,
    lines: VecDeque<ChangeEntry>,
}

impl ChangeLog {
    /// An empty log. Without randomness the first nonce is 0; the first change then reports it.
    pub(crate) fn new() -> Self {
        let nonce = fresh_nonce().unwrap_or_default();
        let head = watch::Sender::new(LogPosition { seq: ChangeSeq::ZERO, nonce });
        Self { head, lines: VecDeque::new() }
    }

    pub(crate) fn head(&self) -> LogPosition {
        *self.head.borrow()
    }

    pub(crate) fn watch(&self) -> watch::Receiver<LogPosition> {
        self.head.subscribe()
    }

    pub(crate) fn append(&mut self, scope: ChangeTarget) -> Result<ChangeSeq, StoreError> {
        let nonce = fresh_nonce().map_err(StoreError::unavailable)?;
        let head = LogPosition { seq: self.head().seq.next(), nonce };
        if self.lines.len() == RETAINED {
            self.lines.pop_front();
        }
        self.lines.push_back(ChangeEntry { at: head, scope });
        self.head.send_replace(head);
        Ok(head.seq)
    }

    pub(crate) fn read(&self, from: Option<LogPosition>, limit: u32) -> ChangeBatch {
        let lines = match from {
            None => Vec::new(),
            Some(from) => {
                let start = self.lines.partition_point(|line| line.at.seq < from.seq);
                self.lines.iter().skip(start).take(limit as usize).cloned().collect()
            }
        };
        ChangeBatch { lines, head: self.head(), time: None }
    }
}
