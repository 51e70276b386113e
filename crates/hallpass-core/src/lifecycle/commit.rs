//! Changes that run to completion, together with the steps that follow a commit.

use std::panic;

use super::{CallKind, Hallpass};
use crate::actor::Origin;
use crate::digest_upgrades::DigestUpgrade;
use crate::event::{Event, EventKind};
use crate::owner::Owner;
use crate::store::{ChangeSeq, ChangeTarget, StoreError};
use crate::token::TokenId;

impl Hallpass {
    /// Runs a change, and everything that follows its commit, to completion even if the caller's
    /// future is dropped.
    ///
    /// A server drops the future of a request when its client disconnects. If that cancelled the
    /// work between the commit and [`committed`](Self::committed), this node would accept a token
    /// that it has just revoked until it reads the change log. The host's event sink would also
    /// miss the event. So the work runs in its own task. Without a tokio runtime it runs in the
    /// caller's future.
    ///
    /// The task also waits for the owner's permit. So a client that disconnects does not release a
    /// permit whose change is still being made.
    pub(crate) async fn run_to_completion<T, F, Fut>(
        &self,
        call: CallKind,
        owner: Option<&Owner>,
        work: F,
    ) -> Result<T, StoreError>
    where
        F: FnOnce(Self) -> Fut + Send + 'static,
        Fut: Future<Output = Result<T, StoreError>> + Send + 'static,
        T: Send + 'static,
    {
        let (hallpass, owner) = (self.clone(), owner.cloned());
        let work = async move {
            let _permit = hallpass.acquire(call, owner.as_ref()).await?;
            work(hallpass.clone()).await
        };
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return work.await;
        };
        match runtime.spawn(work).await {
            Ok(outcome) => outcome,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => panic::resume_unwind(panic),
                // The runtime is shutting down, so it is unknown how far the work has come.
                Err(error) => Err(StoreError::outcome_unknown(error)),
            },
        }
    }

    /// Replaces a token's secrets if its digest is still the outdated one. The event names the
    /// owner as the actor, because a use of the token has caused it.
    pub(crate) async fn replace_digest(
        &self,
        id: TokenId,
        upgrade: DigestUpgrade,
        kind: EventKind,
        origin: Origin,
    ) -> Result<(), StoreError> {
        let mut event = Event::new(kind, self.now()).about(&upgrade.owner, Some(id));
        event.actor = Some(upgrade.owner);
        event.origin = origin;
        let (outdated, secrets) = (upgrade.outdated, upgrade.secrets);
        // A token rarely needs a new digest, so this does not acquire a permit of the owner.
        self.run_to_completion(CallKind::Edit, None, async move |hallpass: Self| {
            let backend = hallpass.backend();
            let seq = backend.replace_digest(id, &outdated, &secrets, &event).await?;
            hallpass.committed(&ChangeTarget::Token(id), seq, &event);
            Ok(())
        })
        .await
    }

    /// Invalidates the cached data about a token if the result of a change is that it does not
    /// exist. Another node has deleted it, and this node may not have read that from the log yet.
    pub(super) async fn refresh_if_gone<T>(
        &self,
        id: TokenId,
        result: Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        if result.as_ref().is_err_and(StoreError::is_not_found) {
            self.backend().refresh(&[ChangeTarget::Token(id)]).await?;
        }
        result
    }

    /// Invalidates the cached data that a committed change has made stale on this node, and reports
    /// the event. It must run before the call returns: once the caller has the result, this node
    /// must not accept the old state.
    pub(super) fn committed(&self, target: &ChangeTarget, seq: ChangeSeq, event: &Event) {
        self.backend().apply(target, seq);
        self.emit(event);
    }
}
