//! Reads the audit trail.

use jiff::Timestamp;

use super::{CallKind, Hallpass};
use crate::actor::{Actor, Role};
use crate::cursor;
use crate::error::{Error, PermissionError};
use crate::event::EventKind;
use crate::expiry::boundary;
use crate::owner::Owner;
use crate::store::{AuditEntry, AuditQuery, ChangeSeq};
use crate::token::TokenId;

/// Options that select entries of the audit trail.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), hallpass_core::Error> {
/// use hallpass_core::{Actor, AuditOptions, EventKind, Hallpass, NewToken};
/// # use hallpass_memory::MemoryStore;
///
/// let hallpass = Hallpass::builder(MemoryStore::new()).build();
/// let alice = Actor::owner("alice");
/// let issued = hallpass.issue(&alice, NewToken::named("ci")).await?;
/// hallpass.revoke(&alice, issued.record.id).await?;
///
/// let revocations = AuditOptions::new().kind(EventKind::Revoked).limit(50);
/// let trail = hallpass.audit(&alice, &revocations).await?;
/// assert_eq!(trail.items.len(), 1);
/// assert_eq!(trail.items[0].event.token_id, Some(issued.record.id));
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use = "options select nothing until they are given to the handle"]
pub struct AuditOptions {
    query: AuditQuery,
    cursor: Option<String>,
}

/// A page of the audit trail.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct AuditTrail {
    /// The entries, newest first unless [`AuditOptions::oldest_first`] was called.
    pub items: Vec<AuditEntry>,
    /// The start of the next page, for [`AuditOptions::cursor`]. It is `None` on the last page.
    pub next_cursor: Option<String>,
}

impl Default for AuditOptions {
    fn default() -> Self {
        Self { query: AuditQuery::newest(20), cursor: None }
    }
}

impl AuditOptions {
    /// The maximum number of entries on a page for [`Hallpass::audit`].
    pub const MAX_LIMIT: u32 = 1000;

    /// Selects all entries that the actor may see, newest first, 20 per page.
    pub fn new() -> Self {
        Self::default()
    }

    /// Selects entries about tokens of this owner. Only admins and system actors may name an owner.
    pub fn owner(mut self, owner: Owner) -> Self {
        self.query.owner = Some(owner);
        self
    }

    /// Selects entries about this token.
    pub fn token(mut self, id: TokenId) -> Self {
        self.query.token_id = Some(id);
        self
    }

    /// Selects entries of this kind.
    pub fn kind(mut self, kind: EventKind) -> Self {
        self.query.kind = Some(kind);
        self
    }

    /// Selects entries that were written at this time or later.
    pub fn since(mut self, time: Timestamp) -> Self {
        self.query.since = Some(boundary(time));
        self
    }

    /// Selects entries that were written before this time.
    pub fn until(mut self, time: Timestamp) -> Self {
        self.query.until = Some(boundary(time));
        self
    }

    /// Orders the entries with the oldest first, to export or follow the trail.
    pub fn oldest_first(mut self) -> Self {
        self.query.ascending = true;
        self
    }

    /// Starts after the entry with this number, in the chosen order.
    pub fn after(mut self, seq: ChangeSeq) -> Self {
        self.query.after = Some(seq);
        self
    }

    /// Sets how many entries a page has: 1 to 1000.
    pub fn limit(mut self, limit: u32) -> Self {
        self.query.limit = limit;
        self
    }

    /// Continues after the page that returned this cursor, with the same actor, filters and order.
    pub fn cursor(mut self, cursor: impl Into<String>) -> Self {
        self.cursor = Some(cursor.into());
        self
    }
}

/// The number of entries that are read from the store at once.
const STEP: u32 = 100;

/// The size of a page, in bytes, at which no further entries are read for it. An entry takes up to
/// 40 kB, because it contains the values of the changed fields, and anyone who may edit a token can
/// cause such entries. Without this limit, a few requests for large pages would fill the memory.
const LARGE: usize = 1 << 20;

impl Hallpass {
    /// Reads one page of the audit trail. Owners see the entries about their own tokens, admins and
    /// system actors see all entries. A page may have fewer entries than its limit if they are
    /// large.
    ///
    /// To read everything in constant memory, follow [`AuditTrail::next_cursor`] page by page.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Invalid`] for a bad limit or cursor, [`PermissionError::OnlyAdmins`] if an
    /// ordinary actor names another owner, and [`Error::Store`] if the store cannot be read.
    pub async fn audit(&self, by: &Actor, options: &AuditOptions) -> Result<AuditTrail, Error> {
        let mut query = options.query.clone();
        match by.role() {
            Role::Owner
                if query.owner.as_ref().is_some_and(|owner| by.subject() != Some(owner)) =>
            {
                return Err(self.not_permitted(by, None, PermissionError::OnlyAdmins));
            }
            Role::Owner => query.owner = by.subject().cloned(),
            Role::Admin | Role::System => {}
        }
        if !(1..=AuditOptions::MAX_LIMIT).contains(&query.limit) {
            let message = format!("use a number from 1 to {}", AuditOptions::MAX_LIMIT);
            return Err(Error::invalid("limit", message));
        }
        if let Some(cursor) = &options.cursor {
            let after = cursor::read_audit(cursor, by, &query);
            query.after = Some(after.ok_or_else(cursor::error)?);
        }
        let _permit = self.acquire(CallKind::Read, by.subject()).await?;
        let (mut left, mut size, mut items) = (query.limit, 0, Vec::new());
        let more = loop {
            query.limit = left.min(STEP);
            let page = self.backend().audit(&query).await?;
            left = left.saturating_sub(query.limit);
            size += page.entries.iter().map(size_of).sum::<usize>();
            query.after = page.entries.last().map(|entry| entry.seq);
            items.extend(page.entries);
            if !page.more || left == 0 || size >= LARGE || query.after.is_none() {
                break page.more;
            }
        };
        let last = query.after.filter(|_| more);
        let next_cursor = last.map(|seq| cursor::write_audit(seq, by, &query));
        Ok(AuditTrail { items, next_cursor })
    }
}

/// Returns the approximate size of an entry, in bytes.
fn size_of(entry: &AuditEntry) -> usize {
    entry.event.details_json().len()
}
