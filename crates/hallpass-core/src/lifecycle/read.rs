//! Reads and lists tokens.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::Value;

use super::{CallKind, Hallpass};
use crate::actor::{Actor, Role};
use crate::cursor;
use crate::error::{Error, PermissionError};
use crate::event::EventKind;
use crate::expiry::boundary;
use crate::owner::Owner;
use crate::record::{Status, TokenRecord};
use crate::scope::Scope;
use crate::store::{ListQuery, Sort, StatusCounts};
use crate::text::fold;
use crate::token::TokenId;

/// Options that select tokens for a list, and set its order and page.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), hallpass_core::Error> {
/// use hallpass_core::{Actor, Hallpass, ListOptions, NewToken, Status};
/// # use hallpass_memory::MemoryStore;
///
/// let hallpass = Hallpass::builder(MemoryStore::new()).build();
/// let alice = Actor::owner("alice");
/// for name in ["nightly build", "nightly tests", "deploy"] {
///     let _ = hallpass.issue(&alice, NewToken::named(name)).await?;
/// }
///
/// let options = ListOptions::new().status(Status::Active).text("Nightly").limit(1);
/// let page = hallpass.list(&alice, &options).await?;
/// assert_eq!((page.items.len(), page.total), (1, 2));
///
/// let cursor = page.next_cursor.expect("there is a second page");
/// let last = hallpass.list(&alice, &options.cursor(cursor)).await?;
/// assert_eq!((last.items.len(), last.next_cursor), (1, None));
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use = "options select nothing until they are given to the handle"]
pub struct ListOptions {
    /// The filters, the order and the limit. [`Hallpass::list`] sets the rest.
    query: ListQuery,
    cursor: Option<String>,
}

/// A page of tokens.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct TokenPage {
    /// The tokens, in the requested order.
    pub items: Vec<TokenRecord>,
    /// The start of the next page, for [`ListOptions::cursor`]. It is `None` on the last page.
    pub next_cursor: Option<String>,
    /// The number of tokens on all pages.
    pub total: u64,
    /// The number of tokens of each status that match all filters except the status.
    pub counts: StatusCounts,
}

impl Default for ListOptions {
    fn default() -> Self {
        Self { query: ListQuery::everything(Timestamp::UNIX_EPOCH, 20), cursor: None }
    }
}

impl ListOptions {
    /// The maximum number of tokens on a page.
    pub const MAX_LIMIT: u32 = 100;

    /// Selects all tokens that the actor may see, newest first, 20 per page.
    pub fn new() -> Self {
        Self::default()
    }

    /// Selects tokens of this status.
    pub fn status(mut self, status: Status) -> Self {
        self.query.status = Some(status);
        self
    }

    /// Selects tokens whose name or description contains this text, ignoring case.
    pub fn text(mut self, text: impl Into<String>) -> Self {
        self.query.text = Some(fold(&text.into())).filter(|text| !text.is_empty());
        self
    }

    /// Selects tokens that hold exactly this scope.
    pub fn scope(mut self, scope: Scope) -> Self {
        self.query.scope = Some(scope);
        self
    }

    /// Selects tokens whose metadata has this member with this value. If this is called several
    /// times, a token must have all of the members.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), hallpass_core::Error> {
    /// use hallpass_core::{Actor, Hallpass, ListOptions, Metadata, NewToken};
    /// # use hallpass_memory::MemoryStore;
    ///
    /// let hallpass = Hallpass::builder(MemoryStore::new()).build();
    /// let alice = Actor::owner("alice");
    /// let metadata = Metadata::new([("ticket", "OPS-17")]).expect("valid metadata");
    /// let issued = hallpass.issue(&alice, NewToken::named("ci").metadata(metadata)).await?;
    ///
    /// let page = hallpass.list(&alice, &ListOptions::new().metadata("ticket", "OPS-17")).await?;
    /// assert_eq!(page.items, [issued.record]);
    /// # Ok(()) }
    /// ```
    pub fn metadata(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.query.metadata.push((name.into(), value.into()));
        self
    }

    /// Selects tokens of this owner. Only admins and system actors may name an owner.
    pub fn owner(mut self, owner: Owner) -> Self {
        self.query.owner = Some(owner);
        self
    }

    /// Selects tokens that expire before this time.
    pub fn expires_before(mut self, time: Timestamp) -> Self {
        self.query.expires_before = Some(boundary(time));
        self
    }

    /// Selects tokens that were never used.
    pub fn never_used(mut self) -> Self {
        self.query.never_used = true;
        self
    }

    /// Selects tokens whose last use is before this time. A token that was never used must have
    /// been issued before this time.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), hallpass_core::Error> {
    /// use hallpass_core::{Actor, Hallpass, ListOptions, NewToken};
    /// use jiff::SignedDuration;
    /// # use hallpass_memory::MemoryStore;
    ///
    /// let hallpass = Hallpass::builder(MemoryStore::new()).build();
    /// let alice = Actor::owner("alice");
    /// let issued = hallpass.issue(&alice, NewToken::named("ci")).await?;
    ///
    /// let day = SignedDuration::from_hours(24);
    /// let unused = ListOptions::new().unused_since(hallpass.now() - 90 * day);
    /// assert_eq!(hallpass.list(&alice, &unused).await?.total, 0, "the token is new");
    /// let unused = ListOptions::new().unused_since(hallpass.now() + day);
    /// assert_eq!(hallpass.list(&alice, &unused).await?.items, [issued.record]);
    /// # Ok(()) }
    /// ```
    pub fn unused_since(mut self, time: Timestamp) -> Self {
        self.query.unused_since = Some(boundary(time));
        self
    }

    /// Selects active tokens whose previous secret is still accepted, because they were regenerated
    /// with a grace period.
    pub fn previous_secret(mut self) -> Self {
        self.query.previous_secret = true;
        self
    }

    /// Sets the order.
    pub fn sort(mut self, sort: Sort) -> Self {
        self.query.sort = sort;
        self
    }

    /// Sets how many tokens a page has: 1 to 100.
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

impl Hallpass {
    /// Reads a token's record.
    ///
    /// # Errors
    ///
    /// Returns [`Error::NotFound`] if there is no such token for this actor, and [`Error::Store`]
    /// if the store cannot be read.
    pub async fn get(&self, by: &Actor, id: TokenId) -> Result<TokenRecord, Error> {
        let record = self.visible(CallKind::Read, by, id).await?.record;
        self.note_view(by, &record.owner, Some(id));
        Ok(record)
    }

    /// Reads a page of tokens: the actor's own or, for an admin or system actor, those of the named
    /// owner or of all owners.
    ///
    /// If an admin's page contains tokens of other owners, an event
    /// [`ViewedAcrossOwners`](EventKind::ViewedAcrossOwners) is emitted for each of these owners.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Invalid`] for a bad limit or cursor, [`PermissionError::OnlyAdmins`] if an
    /// ordinary actor names an owner, and [`Error::Store`] if the store cannot be read.
    pub async fn list(&self, by: &Actor, listing: &ListOptions) -> Result<TokenPage, Error> {
        let mut query = ListQuery { now: self.now(), ..listing.query.clone() };
        match by.role() {
            Role::Owner if query.owner.is_some() => {
                return Err(self.not_permitted(by, None, PermissionError::OnlyAdmins));
            }
            Role::Owner => query.owner = by.subject().cloned(),
            Role::Admin | Role::System => {}
        }
        if !(1..=ListOptions::MAX_LIMIT).contains(&query.limit) {
            let message = format!("use a number from 1 to {}", ListOptions::MAX_LIMIT);
            return Err(Error::invalid("limit", message));
        }
        if let Some(cursor) = &listing.cursor {
            let position = cursor::read(cursor, by, &query);
            query.after = Some(position.ok_or_else(cursor::error)?);
        }
        // The list shows and sorts by times of last use. If the waiting ones cannot be written,
        // they are written later, and the page shows slightly older times.
        let _ = self.write_uses().await;
        let _permit = self.acquire(CallKind::Read, by.subject()).await?;
        let page = self.backend().list(&query).await?;
        // If the page shows a token as revoked, the next check on this node must reject it.
        self.backend().catch_up(page.as_of).await;
        let owners: BTreeSet<&Owner> = page.records.iter().map(|record| &record.owner).collect();
        for owner in owners {
            self.note_view(by, owner, None);
        }
        let next_cursor = match page.records.last() {
            Some(last) if page.more => Some(cursor::write(&query.sort.key_of(last), by, &query)),
            _ => None,
        };
        let total = page.counts.of(query.status);
        Ok(TokenPage { items: page.records, next_cursor, total, counts: page.counts })
    }

    /// Reports that an admin read a token of another owner.
    fn note_view(&self, by: &Actor, owner: &Owner, token: Option<TokenId>) {
        if by.role() == Role::Admin && by.subject() != Some(owner) {
            self.emit(&self.event(EventKind::ViewedAcrossOwners, by).about(owner, token));
        }
    }
}
