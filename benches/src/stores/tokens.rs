//! Generates the tokens that stores are filled with.

use std::ops::Range;

use anyhow::Result;
use hallpass_core::jiff::{SignedDuration, Timestamp};
use hallpass_core::store::{Secrets, StoredToken};
use hallpass_core::{
    Digest, Event, EventKind, FieldChange, Origin, Owner, ScopeSet, TokenId, TokenRecord,
};
use serde_json::{Value, json};

use crate::random::Random;

/// The number of tokens per owner.
pub(super) const EACH: usize = 10;

/// A generator of typical tokens: ten per owner, issued ten seconds apart. Some have a description,
/// some expire, most were used, and a few are revoked.
pub(super) struct Tokens {
    scopes: ScopeSet,
    /// The time at which the first token was issued.
    since: Timestamp,
}

impl Tokens {
    /// Creates a generator whose token `count` is issued now.
    pub(super) fn new(count: usize) -> Result<Self> {
        let scopes = ScopeSet::parse(["projects:read", "builds:write"])?;
        let since = Timestamp::now() - SignedDuration::from_secs(10 * count as i64);
        Ok(Self { scopes, since: whole_millis(since)? })
    }

    pub(super) fn owner(number: usize) -> Result<Owner> {
        Ok(Owner::new(format!("user-{:06}", number / EACH))?)
    }

    pub(super) fn range(&self, numbers: Range<usize>) -> Result<Vec<StoredToken>> {
        numbers.map(|number| self.token(number)).collect()
    }

    pub(super) fn token(&self, number: usize) -> Result<StoredToken> {
        let created = self.since + SignedDuration::from_secs(10 * number as i64);
        let owner = Self::owner(number)?;
        let id = TokenId::generate(&owner, created)?;
        let name = format!("Deploy key {}", number % EACH);
        let mut record = TokenRecord::new(id, owner, name, created);
        record.scopes = self.scopes.clone();
        if number.is_multiple_of(4) {
            record.description = "For the nightly build".to_owned();
        }
        if number.is_multiple_of(5) {
            record.expires_at = Some(created + SignedDuration::from_hours(365 * 24));
        }
        if !number.is_multiple_of(3) {
            record.last_used_at = Some(created + SignedDuration::from_secs(60));
        }
        if number % 20 == 7 {
            record.revoked_at = Some(created + SignedDuration::from_hours(1));
        }
        Ok(StoredToken { record, secrets: secrets(number)? })
    }

    /// Returns tokens that expired about three years ago.
    pub(super) fn ended(&self, numbers: Range<usize>) -> Result<Vec<StoredToken>> {
        let long_ago = SignedDuration::from_hours(3 * 365 * 24);
        let mut tokens = self.range(numbers)?;
        for (at, token) in tokens.iter_mut().enumerate() {
            let record = &mut token.record;
            record.owner = Owner::new(format!("former-{:06}", at / EACH))?;
            record.created_at -= long_ago;
            record.id = TokenId::generate(&record.owner, record.created_at)?;
            record.last_used_at = None;
            record.revoked_at = None;
            record.expires_at = Some(record.created_at + SignedDuration::from_hours(24));
        }
        Ok(tokens)
    }
}

/// Returns the digest of a random secret, so that no store can compress it.
fn secrets(number: usize) -> Result<Secrets> {
    let mut random = Random::new(number as u64);
    let mut bytes = [0; 32];
    for part in bytes.chunks_mut(8) {
        part.copy_from_slice(&random.next().to_le_bytes());
    }
    Ok(Secrets { current: Digest::from_parts("sha256-v1", &bytes)?, previous: None })
}

fn whole_millis(time: Timestamp) -> Result<Timestamp> {
    Ok(Timestamp::from_millisecond(time.as_millisecond())?)
}

/// Returns the event of a token that a benchmark issues. It is as large as an event of the API.
pub(super) fn event(issued: &StoredToken) -> Event {
    let record = &issued.record;
    let mut event = Event::new(EventKind::Issued, Timestamp::now());
    event.actor = Some(record.owner.clone());
    event.owner = Some(record.owner.clone());
    event.token_id = Some(record.id);
    event.origin = Origin::new()
        .ip([203, 0, 113, 7].into())
        .user_agent("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36")
        .request_id("018f3c1e-7a2b-8c4d-9e5f-0123456789ab");
    let scopes: Vec<_> = record.scopes.iter().map(ToString::to_string).collect();
    let fields = [("name", json!(record.name)), ("scopes", json!(scopes))];
    let change = |(field, after): (&str, Value)| FieldChange {
        field: field.to_owned(),
        before: Value::Null,
        after,
    };
    event.changes = fields.map(change).into();
    event
}
