//! Makes changes, and looks a change up if the reply to it is lost.
//!
//! If the connection breaks while a change is running, it is unknown whether the server has run the
//! script. Sending the script again could make the change twice. Returning an error could report a
//! revocation as failed although it was made. So the store looks the change up:
//!
//! 1. Each change has a random nonce. Its script stores its own reply under the nonce, in the same
//!    atomic step as the change.
//! 2. If the reply is lost, the store runs the script `probe.lua` with the nonce on a new
//!    connection.
//! 3. If the probe finds the stored reply, the change was made, and the call returns that reply.
//! 4. If it does not, the change has not been made *yet*: it may still be in transit to the server.
//!    So the probe stores an empty value under the nonce, also in the same atomic step. A script
//!    whose nonce has an empty value does nothing (`log.lua`). So the change will never be made,
//!    and the call may safely report that nothing was changed.
//! 5. If the probe's reply is lost as well, the outcome is unknown, and the call returns that
//!    error.
//!
//! Without step 4, a change could take effect after it was reported as failed. By then the caller
//! may have made another change, which the late one would overwrite.

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

/// The maximum duration of a change.
const TIMEOUT: Duration = Duration::from_millis(1200);

/// The additional time to look up a change whose reply was lost. Together with [`TIMEOUT`] it is
/// below the promised two seconds.
const PROBE_TIMEOUT: Duration = Duration::from_millis(700);

/// The time for which a change waits for replicas.
const REPLICA_TIMEOUT: Duration = Duration::from_millis(500);

/// The error if fewer replicas than required have confirmed a change.
#[derive(Debug, thiserror::Error)]
#[error("the primary has the change, but only {confirmed} of {required} replicas confirmed it")]
struct Unconfirmed {
    confirmed: u32,
    required: u32,
}

/// A change that is about to be sent: the call of its script, and the nonce for looking it up.
pub(crate) struct PendingChange {
    call: Call,
    nonce: String,
}

/// The result of a change.
pub(crate) struct ChangeResult {
    /// The sequence number of its last log entry, or `None` if nothing was changed.
    pub(crate) seq: Option<ChangeSeq>,
    /// The number of changed tokens.
    pub(crate) count: u64,
    /// The other parts of the script's reply.
    pub(crate) rest: Vec<Value>,
}

impl ChangeResult {
    /// Reads the parts of a script's reply.
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

    /// Returns the sequence number of a change that always writes a log entry.
    pub(crate) fn seq(self) -> Result<ChangeSeq, StoreError> {
        self.seq.ok_or_else(unexpected_reply)
    }

    /// Returns the result of a change to many tokens.
    pub(crate) fn bulk(self) -> BulkResult {
        BulkResult { count: self.count, seq: self.seq }
    }
}

impl Shared {
    /// Prepares a change with its log entry. The caller adds the other arguments of the script.
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

    /// Makes a change. It is sent at most once, and looked up if its reply is lost.
    pub(crate) async fn change(&self, change: PendingChange) -> Result<ChangeResult, StoreError> {
        let deadline = within(TIMEOUT);
        let wait = (self.replicas > 0).then(|| {
            let timeout = REPLICA_TIMEOUT.as_millis() as u64;
            redis::cmd("WAIT").arg(self.replicas).arg(timeout).to_owned()
        });
        match self.changes.send(&change.call, wait.as_ref(), deadline).await {
            Ok(reply) => {
                let result = ChangeResult::read(reply::parts(reply.value)?)?;
                reply.second.map_or(Ok(()), |replicas| self.check_replicas(replicas))?;
                Ok(result)
            }
            Err(Failure::NoReply(why)) => {
                let result = self.look_up(&change.nonce, deadline + PROBE_TIMEOUT, why).await?;
                // `WAIT` only covers the changes of its own connection, so no replica has confirmed
                // this change.
                if wait.is_some() {
                    self.check_replicas(Ok(Value::Int(0)))?;
                }
                Ok(result)
            }
            Err(other) => Err(other.of_change()),
        }
    }

    /// Looks up a change whose reply was lost. After a successful lookup, the change either was
    /// made or never will be: see the module.
    async fn look_up(
        &self,
        nonce: &str,
        deadline: Instant,
        why: Box<dyn StdError + Send + Sync>,
    ) -> Result<ChangeResult, StoreError> {
        let call = Call::script(&scripts::PROBE, &self.clock).arg(nonce);
        let Ok(reply) = self.changes.run(&call, deadline).await else {
            return Err(StoreError::outcome_unknown(why));
        };
        match reply::parts(reply) {
            Ok(parts) => ChangeResult::read(parts),
            Err(error) if error.is_corrupt() => Err(StoreError::outcome_unknown(error)),
            Err(_) => Err(StoreError::unavailable(why)),
        }
    }

    /// Checks that enough replicas have confirmed a change.
    fn check_replicas(&self, confirmed: Result<Value, RedisError>) -> Result<(), StoreError> {
        let confirmed = confirmed.and_then(|count| Ok(redis::from_redis_value(count)?));
        let confirmed: u32 = confirmed.map_err(StoreError::unconfirmed)?;
        let required = self.replicas;
        if confirmed < required {
            return Err(StoreError::unconfirmed(Unconfirmed { confirmed, required }));
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

/// Generates a nonce for a script. It is text, because a Lua number cannot hold 63 bits.
pub(crate) fn nonce() -> Result<String, StoreError> {
    fresh_nonce().map(|nonce| nonce.to_string()).map_err(StoreError::unavailable)
}
