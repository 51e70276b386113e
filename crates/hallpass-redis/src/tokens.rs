//! What each verb of the trait is in Redis.

use std::cmp::Reverse;
use std::time::Duration;

use hallpass_core::store::{
    BulkResult, Change, ChangeBatch, ChangeKind, ChangeSeq, Deleted, ListPage, ListQuery,
    LogPosition, Secrets, Snapshot, StoreError, StoredToken, TokenStore, TokenUse,
};
use hallpass_core::{Digest, Owner, Revision, TokenId};
use jiff::Timestamp;
use redis::Value;
use tokio::time::{Instant, sleep};

use crate::change::nonce;
use crate::line::within;
use crate::packed::{self, Pieces};
use crate::store::RedisStore;
use crate::trouble::Failure;
use crate::{answer, scripts, time};

/// How long a look-up may take.
const LOOKUP_PATIENCE: Duration = Duration::from_secs(1);

/// How long a call may take that is no look-up.
const PATIENCE: Duration = Duration::from_millis(1900);

/// How long a prune goes on with the next batch.
const PRUNE_PATIENCE: Duration = Duration::from_millis(900);

/// How long a line of the change log is kept at least, in milliseconds.
const RETENTION: &[u8] = b"86400000";

/// How many older ones a script lets go: as much as it does in a fraction of a millisecond, since nobody else is served
/// meanwhile.
const TRIM_BATCH: usize = 64;

/// How many tokens a script lets go: as much again.
const PRUNE_BATCH: u64 = 8;

/// How many uses a script notes.
const TOUCH_BATCH: usize = 500;

/// How often it is looked for changes where there is no connection to wait on.
const GLANCE: Duration = Duration::from_millis(250);

impl TokenStore for RedisStore {
    async fn insert(
        &self,
        token: &StoredToken,
        limit: Option<u32>,
    ) -> Result<ChangeSeq, StoreError> {
        let pieces = Pieces::of(&token.record);
        let limit = limit.map(|limit| limit.to_string()).unwrap_or_default();
        let uuid = token.record.id.as_uuid();
        let arguments: [&[u8]; 6] = [
            uuid.as_bytes(),
            &packed::pack(token, &pieces),
            token.record.owner.as_str().as_bytes(),
            limit.as_bytes(),
            &pieces.place,
            pieces.ends.as_bytes(),
        ];
        self.0.change(&scripts::INSERT, &arguments).await?.seq()
    }

    async fn find(&self, id: TokenId) -> Result<Snapshot<Option<StoredToken>>, StoreError> {
        // One command, and so one snapshot.
        let mut ask = redis::cmd("MGET");
        ask.arg(&self.0.clock).arg(self.0.namespace.token(id.as_uuid().as_bytes()));
        let found = self.0.lookups.ask(&ask, within(LOOKUP_PATIENCE)).await;
        let found = match found.map_err(Failure::of_read)? {
            Value::Array(found) => found,
            _ => Vec::new(),
        };
        let as_of = answer::clock(found.first())?;
        #[cfg(test)]
        let as_of = match self.0.guards.has(crate::guards::Guard::Snapshot) {
            true => as_of,
            false => self.changes(None, 0).await?.head.seq,
        };
        let value = match found.get(1) {
            None | Some(Value::Nil) => None,
            Some(value) => Some(packed::unpack(id, answer::bytes(value)?)?),
        };
        Ok(Snapshot { value, as_of })
    }

    async fn list(&self, query: &ListQuery) -> Result<ListPage, StoreError> {
        self.0.page(query).await
    }

    async fn change(&self, change: &Change) -> Result<ChangeSeq, StoreError> {
        let Change { record, .. } = change;
        let pieces = Pieces::of(record);
        let flags = pieces.flags.to_string();
        let (current, previous) = change.secrets.as_ref().map(packed::secrets).unwrap_or_default();
        let uuid = record.id.as_uuid();
        let arguments: [&[u8]; 12] = [
            uuid.as_bytes(),
            &packed::revision(change.expected()),
            flags.as_bytes(),
            &pieces.revision,
            &pieces.expires,
            &pieces.revoked,
            &current,
            &previous,
            &pieces.rest,
            record.owner.as_str().as_bytes(),
            &pieces.place,
            pieces.ends.as_bytes(),
        ];
        let script = match change.kind {
            ChangeKind::Revoked => &scripts::REVOKE,
            _ => &scripts::CHANGE,
        };
        self.0.change(script, &arguments).await?.seq()
    }

    async fn rekey(
        &self,
        id: TokenId,
        expected: &Digest,
        secrets: &Secrets,
    ) -> Result<ChangeSeq, StoreError> {
        let (current, previous) = packed::secrets(secrets);
        let uuid = id.as_uuid();
        let arguments: [&[u8]; 4] =
            [uuid.as_bytes(), &packed::digest(expected), &current, &previous];
        self.0.change(&scripts::REKEY, &arguments).await?.seq()
    }

    async fn delete(
        &self,
        id: TokenId,
        expected: Option<Revision>,
    ) -> Result<ChangeSeq, StoreError> {
        let expected = expected.map(packed::revision);
        let expected = expected.as_ref().map(<[u8; 8]>::as_slice).unwrap_or_default();
        let uuid = id.as_uuid();
        let arguments = [uuid.as_bytes().as_slice(), expected];
        self.0.change(&scripts::DELETE, &arguments).await?.seq()
    }

    async fn delete_many(
        &self,
        owner: Option<&Owner>,
        ids: &[TokenId],
    ) -> Result<Deleted, StoreError> {
        if ids.is_empty() {
            return Ok(Deleted::default());
        }
        let nonces: Vec<_> = ids.iter().map(|_| nonce()).collect::<Result<_, _>>()?;
        let nonces: Vec<&str> = nonces.iter().map(String::as_str).collect();
        let mut arguments = vec![owner.map(Owner::as_str).unwrap_or_default().as_bytes()];
        let uuids: Vec<_> = ids.iter().map(TokenId::as_uuid).collect();
        for (nonce, id) in nonces.iter().zip(&uuids) {
            arguments.extend([nonce.as_bytes(), id.as_bytes()]);
        }
        let done = self.0.change_with(&scripts::DELETE_MANY, &nonces, &arguments).await?;
        done.deleted()
    }

    async fn delete_owner(&self, owner: &Owner) -> Result<BulkResult, StoreError> {
        self.0.change(&scripts::DELETE_OWNER, &[owner.as_str().as_bytes()]).await?.bulk()
    }

    async fn revoke_owner(&self, owner: &Owner, at: Timestamp) -> Result<BulkResult, StoreError> {
        let arguments: [&[u8]; 2] = [owner.as_str().as_bytes(), &time::bytes(at)];
        self.0.change(&scripts::REVOKE_OWNER, &arguments).await?.bulk()
    }

    async fn announce(&self, owner: &Owner) -> Result<ChangeSeq, StoreError> {
        self.0.change(&scripts::ANNOUNCE, &[owner.as_str().as_bytes()]).await?.seq()
    }

    async fn touch(&self, uses: &[TokenUse]) -> Result<u64, StoreError> {
        let deadline = within(PATIENCE);
        // Of several of one token the latest counts.
        let mut uses = uses.to_vec();
        uses.sort_unstable_by_key(|usage| (usage.id, usage.revision, Reverse(usage.at)));
        uses.dedup_by_key(|usage| (usage.id, usage.revision));
        let mut moved = 0;
        for batch in uses.chunks(TOUCH_BATCH) {
            let mut bytes = Vec::with_capacity(31 * batch.len());
            for usage in batch {
                bytes.extend(usage.id.as_uuid().as_bytes());
                bytes.extend(packed::revision(usage.revision));
                bytes.extend(time::bytes(usage.at));
            }
            moved += self.count(&scripts::TOUCH, &[&bytes], deadline).await?.0;
        }
        Ok(moved)
    }

    async fn prune(&self, ended_before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let (over, deadline) = (within(PRUNE_PATIENCE), within(PATIENCE));
        let limit = u64::from(limit);
        let before = time::number(ended_before).to_string();
        let (mut pruned, mut is_all) = (0, false);
        while !is_all && pruned < limit && Instant::now() < over {
            let batch = PRUNE_BATCH.min(limit - pruned).to_string();
            let arguments = [before.as_bytes(), batch.as_bytes()];
            let (gone, nothing_left) = self.count(&scripts::PRUNE, &arguments, deadline).await?;
            pruned += gone;
            is_all = nothing_left;
        }
        let batch = TRIM_BATCH.to_string();
        let arguments = [RETENTION, batch.as_bytes()];
        let mut trimmed = 1;
        while trimmed > 0 && Instant::now() < over {
            (trimmed, _) = self.count(&scripts::TRIM, &arguments, deadline).await?;
        }
        Ok(pruned)
    }

    async fn changes(
        &self,
        from: Option<LogPosition>,
        limit: u32,
    ) -> Result<ChangeBatch, StoreError> {
        let from = from.map(|from| from.seq.get().to_string()).unwrap_or_default();
        let limit = limit.to_string();
        let arguments = [from.as_bytes(), limit.as_bytes()];
        let shared = &self.0;
        let deadline = within(LOOKUP_PATIENCE);
        let read =
            shared.lookups.read(&scripts::CHANGES, &shared.clock, &arguments, deadline).await;
        answer::of_changes(read.map_err(Failure::of_read)?)
    }

    async fn nudged(&self, seen: LogPosition) {
        if self.0.lookups.target().has_own_lines() {
            return self.0.listener.nudged(seen).await;
        }
        while self.changes(None, 0).await.is_ok_and(|changes| changes.head == seen) {
            sleep(GLANCE).await;
        }
    }

    async fn close(&self) {
        Self::close(self);
    }

    async fn ping(&self) -> Result<(), StoreError> {
        let mut ask = redis::cmd("GET");
        ask.arg(&self.0.clock);
        let found = self.0.lookups.ask(&ask, within(LOOKUP_PATIENCE)).await;
        answer::clock(Some(&found.map_err(Failure::of_read)?)).map(drop)
    }
}

impl RedisStore {
    /// Runs a script that answers how much it did, and perhaps that there is no more to do.
    async fn count(
        &self,
        script: &scripts::Lua,
        arguments: &[&[u8]],
        deadline: Instant,
    ) -> Result<(u64, bool), StoreError> {
        let shared = &self.0;
        let done = shared.changes.run(script, &shared.clock, arguments, deadline).await;
        let parts = answer::of_read(done.map_err(Failure::of_change)?)?;
        let count = parts.first().map(answer::number).transpose()?;
        let is_all =
            parts.get(1).is_some_and(|word| answer::bytes(word).is_ok_and(|it| it == b"all"));
        Ok((count.unwrap_or_default(), is_all))
    }
}
