use crate::error::Error;
use crate::owner::{Owner, OwnerError};
use crate::scope::ScopeSet;

/// Who asks for a change or a look: every call of the lifecycle names one.
///
/// ```
/// use hallpass_core::{Caller, ScopeSet};
///
/// let alice = Caller::owner("alice").may_grant(ScopeSet::parse(["projects"]).unwrap());
/// let root = Caller::admin("root");
/// let job = Caller::operator("nightly-cleanup").for_owner("alice");
/// # let _ = (alice, root, job);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    actor: Owner,
    owner: Option<Owner>,
    role: Role,
    grantable: Option<ScopeSet>,
}

/// What a caller may reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Role {
    /// Their own tokens; anybody else's do not exist for them.
    Owner,
    /// Their own tokens, and anybody's to view, revoke and delete. Never to edit, copy or
    /// regenerate: a secret is only ever shown to its owner.
    Admin,
    /// The host's own program or the person at its command line: everything, in anybody's name.
    Operator,
}

impl Caller {
    /// A person, for their own tokens.
    ///
    /// # Panics
    ///
    /// `id` is no owner: empty, too long, or with control characters. Use [`try_owner`](Self::try_owner)
    /// for a text that strangers choose.
    #[must_use]
    #[track_caller]
    pub fn owner(id: impl AsRef<str>) -> Self {
        Self::with_role(id.as_ref(), Role::Owner)
    }

    /// A person who may see, revoke and delete anybody's tokens.
    ///
    /// # Panics
    ///
    /// As [`owner`](Self::owner).
    #[must_use]
    #[track_caller]
    pub fn admin(id: impl AsRef<str>) -> Self {
        Self::with_role(id.as_ref(), Role::Admin)
    }

    /// The host's own program, under a name for the audit trail. Say whose token it issues with
    /// [`for_owner`](Self::for_owner).
    ///
    /// # Panics
    ///
    /// As [`owner`](Self::owner).
    #[must_use]
    #[track_caller]
    pub fn operator(name: impl AsRef<str>) -> Self {
        Self { owner: None, ..Self::with_role(name.as_ref(), Role::Operator) }
    }

    /// A person, for their own tokens, from a text that may be anything.
    ///
    /// # Errors
    ///
    /// `id` is no owner.
    pub fn try_owner(id: impl AsRef<str>) -> Result<Self, OwnerError> {
        let actor = Owner::new(id)?;
        Ok(Self { owner: Some(actor.clone()), actor, role: Role::Owner, grantable: None })
    }

    #[track_caller]
    fn with_role(id: &str, role: Role) -> Self {
        match Self::try_owner(id) {
            Ok(caller) => Self { role, ..caller },
            Err(error) => panic!("{id:?} names no caller: {error}"),
        }
    }

    /// For an operator: in whose name tokens are issued and changed.
    ///
    /// # Panics
    ///
    /// `id` is no owner, or the caller is not an operator: people act in their own name.
    #[must_use]
    #[track_caller]
    pub fn for_owner(mut self, id: impl AsRef<str>) -> Self {
        assert!(
            self.role == Role::Operator,
            "only Caller::operator acts for somebody else; {} is {:?}",
            self.actor,
            self.role
        );
        match Owner::new(id) {
            Ok(owner) => self.owner = Some(owner),
            Err(error) => panic!("{error}"),
        }
        self
    }

    /// Limits what this caller may put into a token. Without it, whatever the catalog knows.
    #[must_use]
    pub fn may_grant(mut self, scopes: ScopeSet) -> Self {
        self.grantable = Some(scopes);
        self
    }

    /// Who is acting, for events.
    #[must_use]
    pub fn actor(&self) -> &Owner {
        &self.actor
    }

    /// In whose name; `None` for an operator who named nobody.
    #[must_use]
    pub fn on_behalf_of(&self) -> Option<&Owner> {
        self.owner.as_ref()
    }

    /// In whose name; an error for an operator who named nobody where somebody must be.
    pub(crate) fn must_name_owner(&self) -> Result<&Owner, Error> {
        self.on_behalf_of().ok_or_else(|| {
            Error::invalid("owner", "say whose token it is: `Caller::operator(..).for_owner(..)`")
        })
    }

    /// What the caller may reach.
    #[must_use]
    pub fn role(&self) -> Role {
        self.role
    }

    /// The limit set with [`may_grant`](Self::may_grant).
    #[must_use]
    pub fn grantable(&self) -> Option<&ScopeSet> {
        self.grantable.as_ref()
    }
}
