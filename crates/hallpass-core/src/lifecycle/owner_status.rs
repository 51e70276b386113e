//! Looks up the current status of owners in the host's directory.

use std::sync::Arc;

use super::{CallKind, Hallpass};
use crate::actor::Actor;
use crate::error::Error;
use crate::event::EventKind;
use crate::owner::{Owner, OwnerStatus, OwnerStatusQuery};
use crate::store::ChangeTarget;

impl Hallpass {
    /// Notifies every node that an owner's permissions have changed. Call it when the host disables
    /// or demotes an owner. Without the call, caches use the old status for up to their
    /// maximum staleness.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), hallpass_core::Error> {
    /// use hallpass_core::{Actor, Hallpass, Owner};
    /// # use hallpass_memory::MemoryStore;
    ///
    /// let hallpass = Hallpass::builder(MemoryStore::new()).build();
    /// let alice = Owner::new("alice").unwrap();
    /// hallpass.owner_changed(&Actor::system("user-admin"), &alice).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns [`Error::Store`] if the store cannot be changed.
    pub async fn owner_changed(&self, by: &Actor, owner: &Owner) -> Result<(), Error> {
        let event = self.event(EventKind::OwnerChanged, by).about(owner, None);
        let owner = owner.clone();
        let work = async move |hallpass: Self| {
            let seq = hallpass.backend().log_owner_change(&owner, &event).await?;
            hallpass.committed(&ChangeTarget::Owner(owner), seq, &event);
            Ok(())
        };
        Ok(self.run_to_completion(CallKind::Removal, by.subject(), work).await?)
    }

    /// Queries the host's directory for an owner's status.
    pub(crate) async fn ask_owner_status(&self, owner: &Owner) -> Result<OwnerStatus, Error> {
        match &self.0.settings.owners {
            None => Ok(OwnerStatus::Active),
            Some(owners) => owners.status(owner.clone()).await.map_err(Error::OwnerDirectory),
        }
    }

    /// Returns an owner's status for a check, which a cache may keep. Returns `None` if there
    /// is no directory.
    pub(crate) async fn owner_status_for_check(
        &self,
        owner: &Owner,
    ) -> Result<Option<Arc<OwnerStatus>>, Error> {
        let Some(owners) = &self.0.settings.owners else { return Ok(None) };
        let query = OwnerStatusQuery::new(owners, owner);
        self.backend()
            .load_owner_status(owner, query)
            .await
            .map(Some)
            .map_err(Error::OwnerDirectory)
    }

    pub(crate) fn has_owner_directory(&self) -> bool {
        self.0.settings.owners.is_some()
    }
}
