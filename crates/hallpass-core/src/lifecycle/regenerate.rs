//! Gives tokens new secrets.

use jiff::SignedDuration;

use super::draft::ValidationErrors;
use super::update::{ATTEMPTS, check_revision};
use super::{ExpiryInput, Hallpass, Issued};
use crate::actor::Actor;
use crate::error::Error;
use crate::event::EventKind;
use crate::expiry::{parse_span, to_millis};
use crate::record::{Revision, Status, TokenRecord};
use crate::store::{Change, ChangeKind, PreviousSecret, Secrets, StoredToken};
use crate::token::{Secret, TokenId};

/// The longest time for which both the previous and the new secret may work.
pub const MAX_GRACE_PERIOD: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Options for [`Hallpass::regenerate`].
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use hallpass_core::{Actor, Hallpass, NewToken, RegenerateOptions};
/// # use hallpass_memory::MemoryStore;
///
/// let hallpass = Hallpass::builder(MemoryStore::new()).build();
/// let alice = Actor::owner("alice");
/// let old = hallpass.issue(&alice, NewToken::named("ci")).await?;
///
/// let options = RegenerateOptions::new().grace_period("1d").expires("90d");
/// let new = hallpass.regenerate(&alice, old.record.id, options).await?;
/// assert_eq!(new.record.id, old.record.id);
/// // Both secrets work, until the new one is used for the first time.
/// assert!(hallpass.authenticate(old.token.reveal().as_bytes()).await.is_ok());
/// assert!(hallpass.authenticate(new.token.reveal().as_bytes()).await.is_ok());
/// assert!(hallpass.authenticate(old.token.reveal().as_bytes()).await.is_err());
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[must_use = "options do nothing until they are given to the handle"]
pub struct RegenerateOptions {
    expires: Option<ExpiryInput>,
    grace_period: Option<SpanInput>,
    expected: Option<Revision>,
}

/// A span, as a value or as text that has not been parsed yet.
#[derive(Clone, Debug, PartialEq)]
pub enum SpanInput {
    /// A value.
    Value(SignedDuration),
    /// Text such as `12h` or `2w`.
    Text(String),
}

impl From<SignedDuration> for SpanInput {
    fn from(span: SignedDuration) -> Self {
        Self::Value(span)
    }
}

impl From<String> for SpanInput {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&str> for SpanInput {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl RegenerateOptions {
    /// Creates options that keep the expiry, and end the previous secret at once.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a new expiry. An expired token needs one.
    pub fn expires(mut self, expires: impl Into<ExpiryInput>) -> Self {
        self.expires = Some(expires.into());
        self
    }

    /// Keeps the previous secret working for this long, at most 30 days. It stops working earlier
    /// if the new secret is used or the old expiry passes. The previous secret of an expired or
    /// revoked token never works again.
    pub fn grace_period(mut self, span: impl Into<SpanInput>) -> Self {
        self.grace_period = Some(span.into());
        self
    }

    /// Requires that the token is still at this revision.
    pub fn if_revision(mut self, revision: Option<Revision>) -> Self {
        self.expected = revision;
        self
    }
}

impl Hallpass {
    /// Gives a token a new secret. Id, name, description, scopes and metadata stay. The token is
    /// active afterwards, whatever its status was.
    ///
    /// # Errors
    ///
    /// - [`Error::NotFound`] if there is no such token for this actor
    /// - [`Error::Stale`] if the token is not at the expected revision
    /// - [`Error::Conflict`] if two calls regenerate at once and the other one succeeded
    /// - [`Error::Invalid`] for a bad expiry or grace period; an expired token needs a new expiry
    /// - [`Error::Forbidden`] for a token of another owner, or if the token has scopes that the
    ///   actor may not grant
    /// - [`Error::Store`] if the store cannot be changed
    pub async fn regenerate(
        &self,
        by: &Actor,
        id: TokenId,
        how: RegenerateOptions,
    ) -> Result<Issued, Error> {
        let StoredToken { record: before, secrets } = self.editable(by, id).await?;
        check_revision(&before, how.expected)?;
        let now = self.now();
        let mut errors = ValidationErrors::default();
        let expires_at = match &how.expires {
            Some(expires) => self.read_expiry(&mut errors, expires, now, now),
            None => {
                if before.expires_at.is_some_and(|end| now >= end) {
                    errors.add("expires", "the token has expired: set a new expiry");
                } else {
                    errors.take("expires", self.within_lifetime(now, before.expires_at));
                }
                before.expires_at
            }
        };
        let grace_period = how
            .grace_period
            .as_ref()
            .and_then(|span| errors.take("grace_period", read_grace_period(span)));
        errors.check()?;
        self.check_grantable(by, &before.owner, &before.scopes).await?;

        let previous = grace_period
            .filter(|_| before.status(now) == Status::Active)
            .and_then(|span| now.checked_add(span).ok())
            .map(|until| to_millis(before.expires_at.map_or(until, |end| until.min(end))))
            .map(|until| PreviousSecret { digest: secrets.current, until });
        let secret = Secret::generate()?;
        let mut record = before.clone();
        record.expires_at = expires_at;
        record.regenerated_at = Some(now);
        record.revoked_at = None;
        record.revision = record.revision.next();
        record.previous_secret_expires_at = previous.as_ref().map(|previous| previous.until);
        let event =
            self.event(EventKind::Regenerated, by).about_change(Some(&before), Some(&record));
        let (token, digest) = self.assemble(record.id, &secret);
        let secrets = Secrets { current: digest, previous };
        let change = Change { record, secrets: Some(secrets), kind: ChangeKind::Regenerated };
        // A lost race is not retried: if two calls run at the same time, only one of them may
        // return a working secret.
        let lost = || match how.expected {
            Some(expected) => Error::Stale { current: expected.next() },
            None => Error::Conflict,
        };
        let record = self.apply(by, change, event).await?.ok_or_else(lost)?;
        Ok(Issued { token, record })
    }

    /// Ends the grace period of a regenerated token, so its previous secret stops working. If there
    /// is no previous secret, the revision stays the same.
    ///
    /// # Errors
    ///
    /// - [`Error::NotFound`] if the token does not exist or the actor may not see it
    /// - [`Error::Forbidden`] for the token of another owner
    /// - [`Error::Conflict`] if other changes to the token came first in every attempt
    /// - [`Error::Store`] if the store failed
    pub async fn end_grace_period(&self, by: &Actor, id: TokenId) -> Result<TokenRecord, Error> {
        for _ in 0..ATTEMPTS {
            let StoredToken { record: before, secrets } = self.editable(by, id).await?;
            if secrets.previous.is_none() {
                return Ok(before);
            }
            let mut record = before.clone();
            record.previous_secret_expires_at = None;
            record.revision = record.revision.next();
            let event = self
                .event(EventKind::GracePeriodEnded, by)
                .about_change(Some(&before), Some(&record));
            let secrets = Secrets { current: secrets.current, previous: None };
            let kind = ChangeKind::Regenerated;
            let change = Change { record, secrets: Some(secrets), kind };
            if let Some(record) = self.apply(by, change, event).await? {
                return Ok(record);
            }
        }
        Err(Error::Conflict)
    }
}

fn read_grace_period(span: &SpanInput) -> Result<SignedDuration, String> {
    let span = match span {
        SpanInput::Value(span) => *span,
        SpanInput::Text(text) => {
            parse_span(text).map_err(|_| "write a duration, such as `12h` or `7d`".to_owned())?
        }
    };
    if span.is_positive() && span <= MAX_GRACE_PERIOD {
        Ok(span)
    } else {
        Err("use a duration of at most 30 days".to_owned())
    }
}
