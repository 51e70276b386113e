//! What owners may do now, by the host's word.

use std::sync::Arc;

use super::Hallpass;
use crate::actor::Actor;
use crate::error::Error;
use crate::event::EventKind;
use crate::owner::{Owner, OwnerStatus, OwnerStatusQuery};

impl Hallpass {
    /// Tells every node that what an owner may do has changed: call it when the host disables or
    /// demotes somebody.
    ///
    /// # Errors
    ///
    /// The store's own trouble.
    pub async fn owner_changed(&self, by: &Actor, owner: &Owner) -> Result<(), Error> {
        self.store().announce(owner).await?;
        self.emit(&self.event(EventKind::OwnerChanged, by).about(None, owner));
        Ok(())
    }

    /// What the owner may do now, as the host says at this moment.
    pub(crate) async fn standing(&self, owner: &Owner) -> Result<OwnerStatus, Error> {
        match &self.0.owners {
            None => Ok(OwnerStatus::Active),
            Some(owners) => owners.status(owner.clone()).await.map_err(Error::OwnerDirectory),
        }
    }

    /// The same for a check: as the host said within the bound, if there is a cache. `None` if nobody is to be asked.
    pub(crate) async fn standing_for_check(
        &self,
        owner: &Owner,
    ) -> Result<Option<Arc<OwnerStatus>>, Error> {
        let Some(owners) = &self.0.owners else { return Ok(None) };
        let question = OwnerStatusQuery::new(owners, owner);
        self.store().standing(owner, question).await.map(Some).map_err(Error::OwnerDirectory)
    }

    pub(crate) fn has_owners(&self) -> bool {
        self.0.owners.is_some()
    }
}
