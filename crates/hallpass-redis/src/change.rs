//! ChangeBatch: sent once, and if no answer comes, found out about.

use std::time::Duration;

use hallpass_core::Owner;
use hallpass_core::store::{BulkResult, ChangeSeq, Deleted, StoreError, fresh_nonce};
use redis::{RedisError, Value};
use tokio::time::Instant;

use crate::answer::{self, Answer};
use crate::guards::Guard;
use crate::line::{Answered, within};
use crate::packed;
use crate::scripts::{self, Lua};
use crate::store::Shared;
use crate::trouble::Failure;

/// How long a change may take.
const PATIENCE: Duration = Duration::from_millis(1200);

/// How long it may take beyond that to find out what became of a change without an answer: with [`PATIENCE`], the two
/// seconds that are promised.
const PROBE_PATIENCE: Duration = Duration::from_millis(700);

/// How long replicas are waited for, and their answer.
const REPLICA_PATIENCE: Duration = Duration::from_millis(500);

/// Fewer replicas than asked for have the change.
#[derive(Debug, thiserror::Error)]
#[error("the change stands on the primary, but {confirmed} of {wanted} replicas have confirmed it")]
struct Unconfirmed {
    confirmed: u32,
    wanted: u32,
}

/// No answer came, and it could not be found out what became of the change.
#[derive(Debug, thiserror::Error)]
#[error("no answer came, and nothing could be found out: {0}")]
struct NotFoundOut(&'static str);

/// What a change has done, as its script answered or as the log tells.
pub(crate) enum Done {
    Answered(Vec<Value>),
    Logged(Vec<Logged>),
}

/// What the log says of a change.
pub(crate) struct Logged {
    seq: ChangeSeq,
    /// What was changed: a `t` and the id of a token, and perhaps its owner, or an `o` and an owner.
    what: Vec<u8>,
    count: u64,
}

impl Shared {
    /// Makes a change with one line in the log.
    pub(crate) async fn change(
        &self,
        script: &Lua,
        arguments: &[&[u8]],
    ) -> Result<Done, StoreError> {
        let nonce = nonce()?;
        let all: Vec<&[u8]> =
            std::iter::once(nonce.as_bytes()).chain(arguments.iter().copied()).collect();
        self.change_with(script, &[&nonce], &all).await
    }

    /// Makes a change that is logged under these nonces.
    pub(crate) async fn change_with(
        &self,
        script: &Lua,
        nonces: &[&str],
        arguments: &[&[u8]],
    ) -> Result<Done, StoreError> {
        let deadline = within(PATIENCE);
        let wait = (self.replicas > 0).then(|| {
            let patience = REPLICA_PATIENCE.as_millis() as u64;
            redis::cmd("WAIT").arg(self.replicas).arg(patience).to_owned()
        });
        let asked =
            self.changes.run_and_wait(script, &self.clock, arguments, wait.as_ref(), deadline);
        match asked.await {
            Ok(Answered { answer, replicas, .. }) => {
                let done = answer::of_change(answer)?;
                replicas.map_or(Ok(()), |replicas| self.confirmed(replicas))?;
                Ok(Done::Answered(done))
            }
            Err(Failure::Unanswered(why)) if self.guards.has(Guard::FoundOut) => {
                let done = self.find_out(nonces, deadline + PROBE_PATIENCE, why).await?;
                // Nobody knows what replicas have of what another connection has changed.
                if wait.is_some() {
                    self.confirmed(Ok(Value::Int(0)))?;
                }
                Ok(done)
            }
            #[cfg(test)]
            Err(Failure::Unanswered(why)) => Err(StoreError::unavailable(why)),
            Err(other) => Err(other.of_change()),
        }
    }

    /// What became of a change of which no answer came: it stands, or it never will.
    async fn find_out(
        &self,
        nonces: &[&str],
        deadline: Instant,
        why: Box<dyn std::error::Error + Send + Sync>,
    ) -> Result<Done, StoreError> {
        let arguments: Vec<_> = nonces.iter().map(|nonce| nonce.as_bytes()).collect();
        let script = &scripts::PROBE;
        let probed = self.changes.run(script, &self.clock, &arguments, deadline).await;
        match probed.map(answer::of_probe) {
            Ok(Ok(Answer::Found(lines))) => Ok(Done::Logged(lines)),
            Ok(Ok(Answer::Fenced)) => Err(StoreError::unavailable(why)),
            Ok(Ok(Answer::TooMany)) => {
                Err(StoreError::outcome_unknown(NotFoundOut("too much has happened since")))
            }
            Ok(Err(error)) => Err(StoreError::outcome_unknown(error)),
            Err(_) => Err(StoreError::outcome_unknown(why)),
        }
    }

    /// Whether as many replicas have a change as are asked for.
    fn confirmed(&self, replicas: Result<Value, RedisError>) -> Result<(), StoreError> {
        let counted = replicas.and_then(|count| Ok(redis::from_redis_value(count)?));
        let confirmed: u32 = counted.map_err(StoreError::outcome_unknown)?;
        if confirmed < self.replicas && self.guards.has(Guard::Confirmed) {
            let wanted = self.replicas;
            return Err(StoreError::outcome_unknown(Unconfirmed { confirmed, wanted }));
        }
        Ok(())
    }
}

impl Done {
    /// The number of a change that is always logged.
    pub(crate) fn seq(self) -> Result<ChangeSeq, StoreError> {
        self.bulk()?.seq.ok_or_else(|| StoreError::corrupt("a change without a number"))
    }

    /// The number and the count of a change to many.
    pub(crate) fn bulk(self) -> Result<BulkResult, StoreError> {
        match self {
            Self::Answered(parts) => {
                let seq = answer::optional_seq(parts.first())?;
                let count = parts.get(1).map(answer::number).transpose()?;
                Ok(BulkResult { count: count.unwrap_or_default(), seq })
            }
            Self::Logged(lines) => {
                let line = lines.into_iter().next();
                Ok(line
                    .map(|line| BulkResult { count: line.count, seq: Some(line.seq) })
                    .unwrap_or_default())
            }
        }
    }

    /// The tokens that a change deleted.
    pub(crate) fn deleted(self) -> Result<Deleted, StoreError> {
        let mut deleted = Deleted::default();
        match self {
            Self::Answered(parts) => {
                deleted.seq = answer::optional_seq(parts.first())?;
                for token in parts.get(1..).unwrap_or_default().chunks(2) {
                    let [id, owner] = token else {
                        return Err(StoreError::corrupt("half of a deleted token"));
                    };
                    deleted.tokens.push((packed::id(answer::bytes(id)?)?, answer::owner(owner)?));
                }
            }
            Self::Logged(mut lines) => {
                lines.sort_by_key(|line| line.seq);
                for line in lines {
                    let (_, what) = line.what.split_at_checked(1).unwrap_or_default();
                    let (id, owner) = what.split_at_checked(16).unwrap_or_default();
                    let owner = std::str::from_utf8(owner).map_err(StoreError::corrupt)?;
                    let owner = Owner::new(owner).map_err(StoreError::corrupt)?;
                    deleted.tokens.push((packed::id(id)?, owner));
                    deleted.seq = Some(line.seq);
                }
            }
        }
        Ok(deleted)
    }
}

impl Logged {
    pub(crate) fn new(seq: ChangeSeq, what: Vec<u8>, count: u64) -> Self {
        Self { seq, what, count }
    }
}

/// A nonce, as scripts take it: a text, since their numbers do not hold it.
pub(crate) fn nonce() -> Result<String, StoreError> {
    fresh_nonce().map(|nonce| nonce.to_string()).map_err(StoreError::unavailable)
}
