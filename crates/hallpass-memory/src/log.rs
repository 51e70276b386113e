use std::collections::VecDeque;

use hallpass_core::store::{
    Affected, Changes, LoggedChange, Position, Seq, StoreError, fresh_nonce,
};

/// How many changes are remembered. A reader that is further behind starts anew.
const RETAINED: usize = 10_000;

/// The clock, and the changes it numbered.
#[derive(Debug)]
pub(crate) struct ChangeLog {
    head: Position,
    lines: VecDeque<LoggedChange>,
}

impl ChangeLog {
    /// An empty log. Without randomness the first nonce is 0; the first change then reports it.
    pub(crate) fn new() -> Self {
        let nonce = fresh_nonce().unwrap_or_default();
        Self { head: Position { seq: Seq::ZERO, nonce }, lines: VecDeque::new() }
    }

    pub(crate) fn head(&self) -> Position {
        self.head
    }

    pub(crate) fn append(&mut self, scope: Affected) -> Result<Seq, StoreError> {
        let nonce = fresh_nonce().map_err(StoreError::unavailable)?;
        self.head = Position { seq: self.head.seq.next(), nonce };
        if self.lines.len() == RETAINED {
            self.lines.pop_front();
        }
        self.lines.push_back(LoggedChange { at: self.head, scope });
        Ok(self.head.seq)
    }

    pub(crate) fn read(&self, from: Option<Position>, limit: u32) -> Changes {
        let lines = match from {
            None => Vec::new(),
            Some(from) => {
                let start = self.lines.partition_point(|line| line.at.seq < from.seq);
                self.lines.iter().skip(start).take(limit as usize).cloned().collect()
            }
        };
        Changes { lines, head: self.head }
    }
}
