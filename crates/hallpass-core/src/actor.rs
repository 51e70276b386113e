//! The actor of a call: who makes it, for which owner, and from where.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::catalog::Catalog;
use crate::owner::{Owner, OwnerError};
use crate::scope::{Scope, ScopeSet};

/// The person or program that makes a call. Every method that reads or changes tokens takes one.
///
/// ```
/// use hallpass_core::{Actor, Origin, ScopeSet};
///
/// let alice = Actor::owner("alice").with_grantable_scopes(ScopeSet::parse(["projects"]).unwrap());
/// let root = Actor::admin("root").with_origin(Origin::new().ip("203.0.113.7".parse().unwrap()));
/// let job = Actor::system("nightly-cleanup").on_behalf_of("alice");
/// assert_eq!(alice.subject(), Some(alice.id()));
/// assert_eq!(job.id().as_str(), "nightly-cleanup");
/// assert_eq!(job.subject().map(|owner| owner.as_str()), Some("alice"));
/// # let _ = root;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    id: Owner,
    subject: Option<Owner>,
    role: Role,
    grantable: Option<ScopeSet>,
    origin: Origin,
}

/// The role of an actor, which decides whose tokens the actor may see and change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
#[non_exhaustive]
pub enum Role {
    /// A person who manages their own tokens. They cannot see the tokens of other owners.
    Owner,
    /// A person who manages their own tokens and may view, revoke and delete the tokens of every
    /// owner.
    ///
    /// An admin cannot edit, copy or regenerate another owner's token, because a secret is shown
    /// only to its owner.
    Admin,
    /// The host's own program, or the person at its command line. It may change every token.
    System,
}

impl Role {
    /// Returns `owner`, `admin` or `system`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Admin => "admin",
            Self::System => "system",
        }
    }
}

impl Actor {
    /// Creates an actor for a person who manages their own tokens.
    ///
    /// # Panics
    ///
    /// Panics if `id` is empty, too long, or contains control characters. Use
    /// [`try_owner`](Self::try_owner) for text that comes from a request.
    #[must_use]
    #[track_caller]
    pub fn owner(id: impl AsRef<str>) -> Self {
        Self::with_role(id.as_ref(), Role::Owner)
    }

    /// Creates an actor for a person who may view, revoke and delete the tokens of every owner.
    ///
    /// # Panics
    ///
    /// Panics like [`owner`](Self::owner).
    #[must_use]
    #[track_caller]
    pub fn admin(id: impl AsRef<str>) -> Self {
        Self::with_role(id.as_ref(), Role::Admin)
    }

    /// Creates an actor for the host's own program. The name appears in the audit trail. Use
    /// [`on_behalf_of`](Self::on_behalf_of) to set the owner for whom the program issues tokens.
    ///
    /// # Panics
    ///
    /// Panics like [`owner`](Self::owner).
    #[must_use]
    #[track_caller]
    pub fn system(name: impl AsRef<str>) -> Self {
        Self { subject: None, ..Self::with_role(name.as_ref(), Role::System) }
    }

    /// Creates an actor for a person who manages their own tokens, from untrusted text.
    ///
    /// # Errors
    ///
    /// Returns [`OwnerError`] if `id` is not a valid owner id.
    pub fn try_owner(id: impl AsRef<str>) -> Result<Self, OwnerError> {
        let id = Owner::new(id)?;
        Ok(Self {
            subject: Some(id.clone()),
            id,
            role: Role::Owner,
            grantable: None,
            origin: Origin::default(),
        })
    }

    /// Creates an actor, from untrusted text, for a person who may view, revoke and delete the
    /// tokens of every owner.
    ///
    /// # Errors
    ///
    /// Returns [`OwnerError`] if `id` is not a valid owner id.
    pub fn try_admin(id: impl AsRef<str>) -> Result<Self, OwnerError> {
        Self::try_owner(id).map(|actor| Self { role: Role::Admin, ..actor })
    }

    #[track_caller]
    fn with_role(id: &str, role: Role) -> Self {
        match Self::try_owner(id) {
            Ok(actor) => Self { role, ..actor },
            Err(error) => panic!("{id:?} is not a valid actor id: {error}"),
        }
    }

    /// Sets the owner for whom a system actor issues and changes tokens.
    ///
    /// # Panics
    ///
    /// Panics if `id` is not a valid owner id, or if the actor's role is not [`Role::System`]. Use
    /// [`try_on_behalf_of`](Self::try_on_behalf_of) for text that comes from a request.
    #[must_use]
    #[track_caller]
    pub fn on_behalf_of(self, id: impl AsRef<str>) -> Self {
        match self.try_on_behalf_of(id) {
            Ok(actor) => actor,
            Err(error) => panic!("{error}"),
        }
    }

    /// Sets the owner for whom a system actor issues and changes tokens, from untrusted text.
    ///
    /// # Errors
    ///
    /// Returns [`OwnerError`] if `id` is not a valid owner id.
    ///
    /// # Panics
    ///
    /// Panics if the actor is not [`Role::System`]. Owners and admins always act for themselves.
    #[track_caller]
    pub fn try_on_behalf_of(mut self, id: impl AsRef<str>) -> Result<Self, OwnerError> {
        assert!(
            self.role == Role::System,
            "only Actor::system can act on behalf of an owner, but {} has the role {:?}",
            self.id,
            self.role
        );
        self.subject = Some(Owner::new(id)?);
        Ok(self)
    }

    /// Limits which scopes this actor may put into a token. Without a limit, the actor may grant
    /// every scope that the catalog lists and does not
    /// [restrict](crate::CatalogScope::restricted), and without a catalog every scope.
    #[must_use]
    pub fn with_grantable_scopes(mut self, scopes: ScopeSet) -> Self {
        self.grantable = Some(scopes);
        self
    }

    /// Sets where the request came from. It is recorded in the audit trail.
    #[must_use]
    pub fn with_origin(mut self, origin: Origin) -> Self {
        self.origin = origin;
        self
    }

    /// Returns the id of the acting person or program.
    #[must_use]
    pub fn id(&self) -> &Owner {
        &self.id
    }

    /// Returns the owner for whom the actor acts, or `None` for a system actor without one.
    #[must_use]
    pub fn subject(&self) -> Option<&Owner> {
        self.subject.as_ref()
    }

    /// Returns the actor's role.
    #[must_use]
    pub fn role(&self) -> Role {
        self.role
    }

    /// Returns the limit set with [`with_grantable_scopes`](Self::with_grantable_scopes).
    #[must_use]
    pub fn grantable(&self) -> Option<&ScopeSet> {
        self.grantable.as_ref()
    }

    /// Checks whether the actor may put a scope into a token. Two rules apply: the actor's own
    /// limit, and the catalog's restricted scopes for an actor without a limit.
    pub(crate) fn may_grant(&self, scope: &Scope, catalog: Option<&Catalog>) -> bool {
        match &self.grantable {
            Some(limit) => limit.covers(scope),
            None if self.role == Role::System => true,
            None => !catalog.is_some_and(|catalog| catalog.is_restricted(scope)),
        }
    }

    /// Returns where the request came from.
    #[must_use]
    pub fn origin(&self) -> &Origin {
        &self.origin
    }
}

/// The origin of a request, as far as it is known. The audit trail records it.
///
/// You can pass request headers as they arrive. Texts are cut to [`Origin::MAX_LEN`] characters,
/// and control characters are replaced.
///
/// ```
/// use hallpass_core::Origin;
///
/// let origin = Origin::new().ip("2001:db8::1".parse().unwrap()).user_agent("curl/8.5").request_id("r-17");
/// assert_eq!(origin.user_agent_str(), Some("curl/8.5"));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ip: Option<IpAddr>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    user_agent: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
}

impl Origin {
    /// The maximum length of the user agent and of the request id, in characters.
    pub const MAX_LEN: usize = 256;

    /// Creates an origin without any information.
    #[must_use]
    pub const fn new() -> Self {
        Self { ip: None, user_agent: None, request_id: None }
    }

    /// Sets the client's address.
    #[must_use]
    pub fn ip(mut self, ip: IpAddr) -> Self {
        self.ip = Some(ip);
        self
    }

    /// Sets the client's `User-Agent`.
    #[must_use]
    pub fn user_agent(mut self, user_agent: &str) -> Self {
        self.user_agent = Some(printable(user_agent));
        self
    }

    /// Sets the id of the request, for example from `X-Request-Id`.
    #[must_use]
    pub fn request_id(mut self, request_id: &str) -> Self {
        self.request_id = Some(printable(request_id));
        self
    }

    /// Returns the client's address.
    #[must_use]
    pub fn ip_addr(&self) -> Option<IpAddr> {
        self.ip
    }

    /// Returns the client's `User-Agent`.
    #[must_use]
    pub fn user_agent_str(&self) -> Option<&str> {
        self.user_agent.as_deref()
    }

    /// Returns the id of the request.
    #[must_use]
    pub fn request_id_str(&self) -> Option<&str> {
        self.request_id.as_deref()
    }
}

/// Replaces control characters and cuts the text, so that a header cannot forge a log line.
fn printable(text: &str) -> String {
    text.chars()
        .take(Origin::MAX_LEN)
        .map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c })
        .collect()
}
