//! Changes: sent once, and looked up if the reply is lost.

use std::error::Error as StdError;
use std::time::Duration;

use hallpass_core::store::{BulkResult, ChangeSeq, ChangeTarget, StoreError, fresh_nonce};
use hallpass_core::{Event, Owner};
use redis::{RedisError, Script, Value};
use tokio::time::Instant;

use crate::connection::{Call, within};
use crate::encoding::{self, id_arg};
use crate::error_class::Failure;
use crate::reply::{self, unexpected_reply};
use crate::scripts;
use crate::store::Shared;

/// How long a change may take.
const PATIENCE: Duration = Duration::from_millis(1200);

/// How much longer it may take to look up a change whose reply was lost. Together with [`PATIENCE`]
/// this stays below the two seconds that are promised.
const PROBE_PATIENCE: Duration = Duration::from_millis(700);

/// How long a change waits for replicas.
const REPLICA_PATIENCE: Duration = Duration::from_millis(500);

/// Fewer replicas than required have the change.
#[derive(Debug, thiserror::Error)]
#[error("the primary has the change, but only {confirmed} of {required} replicas confirmed it")]
struct Unconfirmed {
    confirmed: u32,
    required: u32,
}

/// A change that is about to be made: the call of its script, and the nonce by which it is found.
pub(crate) struct PendingChange {
    call: Call,
    nonce: String,
}

/// What a change did.
pub(crate) struct Done {
    /// The sequence number of its last log entry; `None` if nothing was changed.
    pub(crate) seq: Option<ChangeSeq>,
    /// How many tokens were changed.
    pub(crate) count: u64,
    /// What else the script replied.
    pub(crate) rest: Vec<Value>,
}

impl Done {
    fn read(mut parts: Vec<Value>) -> Result<Self, StoreError> {
        if parts.len() < 2 {
            return Err(unexpected_reply());
        }
        let rest = parts.split_off(2);
        let seq = match reply::bytes(&parts[0])? {
            [] => None,
            _ => Some(reply::seq(&parts[0])?),
        };
        Ok(Self { seq, count: reply::number(&parts[1])?, rest })
    }

    /// Returns the number of a change that always writes to the log.
    pub(crate) fn seq(self) -> Result<ChangeSeq, StoreError> {
        self.seq.ok_or_else(unexpected_reply)
    }

    pub(crate) fn bulk(self) -> BulkResult {
        BulkResult { count: self.count, seq: self.seq }
    }
}

impl Shared {
    /// Prepares a change with its log entry. The arguments of the script itself follow.
    pub(crate) fn prepare(
        &self,
        script: &'static Script,
        target: &ChangeTarget,
        event: &Event,
    ) -> Result<PendingChange, StoreError> {
        let nonce = nonce()?;
        let token_id = event.token_id.map(id_arg).unwrap_or_default();
        let owner = |owner: &Option<Owner>| {
            owner.as_ref().map(|owner| owner.as_str().to_owned()).unwrap_or_default()
        };
        let call = Call::script(script, &self.clock)
            .arg(&nonce)
            .arg(encoding::target(target))
            .arg(encoding::time(event.at))
            .arg(event.kind.as_str())
            .arg(owner(&event.actor))
            .arg(owner(&event.owner))
            .arg(token_id)
            .arg(event.count)
            .arg(event.details_json());
        Ok(PendingChange { call, nonce })
    }

    /// Makes a change. It is sent once.
    pub(crate) async fn change(&self, change: PendingChange) -> Result<Done, StoreError> {
        let deadline = within(PATIENCE);
        let wait = (self.replicas > 0).then(|| {
            let patience = REPLICA_PATIENCE.as_millis() as u64;
            redis::cmd("WAIT").arg(self.replicas).arg(patience).to_owned()
        });
        match self.changes.send(&change.call, wait.as_ref(), deadline).await {
            Ok(reply) => {
                let done = Done::read(reply::done(reply.value)?)?;
                reply.second.map_or(Ok(()), |replicas| self.check_replicas(replicas))?;
                Ok(done)
            }
            Err(Failure::NoReply(why)) => {
                let done = self.look_up(&change.nonce, deadline + PROBE_PATIENCE, why).await?;
                // `WAIT` is about the changes of its own connection, so it cannot confirm this one.
                if wait.is_some() {
                    self.check_replicas(Ok(Value::Int(0)))?;
                }
                Ok(done)
            }
            Err(other) => Err(other.of_change()),
        }
    }

    /// Finds out what became of a change whose reply was lost. Either it was made, or it never will
    /// be: the same script that does not find it makes sure of that.
    async fn look_up(
        &self,
        nonce: &str,
        deadline: Instant,
        why: Box<dyn StdError + Send + Sync>,
    ) -> Result<Done, StoreError> {
        let call = Call::script(&scripts::PROBE, &self.clock).arg(nonce);
        let Ok(reply) = self.changes.run(&call, deadline).await else {
            return Err(StoreError::outcome_unknown(why));
        };
        match reply::done(reply) {
            Ok(parts) => Done::read(parts),
            Err(error) if error.is_corrupt() => Err(StoreError::outcome_unknown(error)),
            Err(_) => Err(StoreError::unavailable(why)),
        }
    }

    /// Checks whether as many replicas as required have a change.
    fn check_replicas(&self, confirmed: Result<Value, RedisError>) -> Result<(), StoreError> {
        let confirmed = confirmed.and_then(|count| Ok(redis::from_redis_value(count)?));
        let confirmed: u32 = confirmed.map_err(StoreError::outcome_unknown)?;
        let required = self.replicas;
        if confirmed < required {
            return Err(StoreError::outcome_unknown(Unconfirmed { confirmed, required }));
        }
        Ok(())
    }
}

impl PendingChange {
    /// Adds an argument of the script.
    pub(crate) fn arg(mut self, argument: impl redis::ToRedisArgs) -> Self {
        self.call = self.call.arg(argument);
        self
    }
}

/// Draws a nonce, as scripts take it: a text, because a Lua number does not hold it.
pub(crate) fn nonce() -> Result<String, StoreError> {
    fresh_nonce().map(|nonce| nonce.to_string()).map_err(StoreError::unavailable)
}
