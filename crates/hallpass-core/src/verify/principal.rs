//! The principal of a request.

use std::fmt;
use std::sync::{Arc, OnceLock};

use jiff::Timestamp;

use super::CachedToken;
use super::compiled_scopes::ListedScopes;
use crate::digest::SecretMatch;
use crate::lifecycle::Hallpass;
use crate::owner::{Owner, OwnerStatus};
use crate::requirement::{CoversScope, Decision, PathParameters, Requirement, ScopeTemplate};
use crate::scope::{Scope, ScopeSet};
use crate::token::TokenId;

/// The authenticated caller of a request: the owner of a token, or a user whom the host has
/// authenticated itself ([`external`](Self::external)). The layer inserts it into the request's
/// extensions.
///
/// It is a snapshot of the moment of the check. Work that continues long after the request should
/// call [`Hallpass::recheck`](crate::Hallpass::recheck). Cloning is cheap.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use hallpass_core::{Actor, Hallpass, NewToken, Requirement};
/// # use hallpass_memory::MemoryStore;
///
/// let hallpass = Hallpass::builder(MemoryStore::new()).build();
/// let new = NewToken::named("ci").scope("projects:read:42");
/// let issued = hallpass.issue(&Actor::owner("alice"), new).await?;
///
/// let principal = hallpass.authenticate(issued.token.reveal().as_bytes()).await?;
/// assert_eq!(principal.owner().as_str(), "alice");
/// assert!(principal.allows(&"projects:read:42".parse()?));
/// let requirement: Requirement = "projects:read:{id}".parse()?;
/// assert!(!principal.check(&requirement, &[("id", "43")]).is_allowed());
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Principal {
    token: Arc<CachedToken>,
    /// The scopes of the token that the catalog lists.
    scopes: ListedScopes,
    /// The owner's status, if it limits what the token may do.
    limit: Option<Arc<OwnerStatus>>,
    /// The scopes that both the token and the owner's status allow.
    ///
    /// Computing it compares each pair of scopes, so it is computed only when it is needed. A check
    /// does not need it, because it compares with both sets.
    intersection: OnceLock<ScopeSet>,
    secret: SecretMatch,
    /// Whether no use of the token was recorded in the minute of the check.
    use_is_due: bool,
}

impl Principal {
    /// Creates a principal. `status` is not [`OwnerStatus::Disabled`].
    pub(super) fn new(
        token: Arc<CachedToken>,
        scopes: ListedScopes,
        status: Option<Arc<OwnerStatus>>,
        secret: SecretMatch,
        use_is_due: bool,
    ) -> Self {
        let limit = status.filter(|status| matches!(**status, OwnerStatus::Limited(_)));
        Self { token, scopes, limit, intersection: OnceLock::new(), secret, use_is_due }
    }

    /// Creates a principal without a token, for a user whom the host has authenticated itself, for
    /// example by a session, a JSON Web Token or a key of an older scheme.
    ///
    /// Requirements treat it like the owner of a token that holds these scopes. The host must
    /// always pass the scopes, because a signed-in user may not be allowed to do everything. No use
    /// is recorded, and the owner directory is not queried, because the host has just authenticated
    /// the owner.
    ///
    /// ```
    /// use hallpass_core::{Owner, Principal, ScopeSet};
    ///
    /// let alice: Owner = "alice".parse().unwrap();
    /// let principal = Principal::external(alice, ScopeSet::parse(["projects:read"]).unwrap());
    /// assert!(principal.is_external() && principal.token_id() == None);
    /// assert!(principal.allows(&"projects:read:42".parse().unwrap()));
    /// ```
    #[must_use]
    pub fn external(owner: Owner, scopes: ScopeSet) -> Self {
        let token = Arc::new(CachedToken::external(owner, scopes));
        Self::new(token, ListedScopes::All, None, SecretMatch::Current, false)
    }

    /// Returns whether the host authenticated the principal itself, without a token.
    #[must_use]
    pub fn is_external(&self) -> bool {
        self.token.id() == TokenId::NIL
    }

    /// Returns the owner of the token, or the owner that the host has authenticated.
    #[must_use]
    pub fn owner(&self) -> &Owner {
        self.token.owner()
    }

    /// Returns the id of the token, or `None` for an [external](Self::external) principal.
    #[must_use]
    pub fn token_id(&self) -> Option<TokenId> {
        (!self.is_external()).then(|| self.token.id())
    }

    /// Returns the time at which the token expires, or `None` for never.
    #[must_use]
    pub fn expires_at(&self) -> Option<Timestamp> {
        self.token.expires_at()
    }

    /// Returns the scopes that the caller has: those that both the token and the owner's status
    /// allow.
    #[must_use]
    pub fn scopes(&self) -> &ScopeSet {
        match self.limit() {
            None => self.token_scopes(),
            Some(limit) => {
                self.intersection.get_or_init(|| self.token_scopes().intersection(limit))
            }
        }
    }

    /// Returns whether the caller has this scope, or one that covers it.
    #[must_use]
    pub fn allows(&self, scope: &Scope) -> bool {
        self.token_scopes().covers(scope) && self.limit().is_none_or(|limit| limit.covers(scope))
    }

    /// Checks whether the caller meets a route's requirement.
    pub fn check<'r, P: PathParameters + ?Sized>(
        &self,
        requirement: &'r Requirement,
        parameters: &P,
    ) -> Decision<'r> {
        let compiled = self.token.compiled_scopes();
        let limit = self.limit();
        match &self.scopes {
            ListedScopes::All => requirement.check_held(&Within(compiled, limit), parameters),
            ListedScopes::InFirstCatalog => {
                requirement.check_held(&Within(compiled.in_first_catalog(), limit), parameters)
            }
            ListedScopes::InOtherCatalog(scopes) => {
                requirement.check_held(&Within(&**scopes, limit), parameters)
            }
        }
    }

    /// Returns the token's scopes that the catalog lists, regardless of the owner's status.
    fn token_scopes(&self) -> &ScopeSet {
        match &self.scopes {
            ListedScopes::All => self.token.scopes(),
            ListedScopes::InFirstCatalog => {
                self.token.compiled_scopes().in_first_catalog().scopes()
            }
            ListedScopes::InOtherCatalog(scopes) => scopes,
        }
    }

    /// Returns the scopes to which the owner's status limits the token, if it does.
    fn limit(&self) -> Option<&ScopeSet> {
        match self.limit.as_deref() {
            Some(OwnerStatus::Limited(limit)) => Some(limit),
            _ => None,
        }
    }

    /// Limits an external principal to the scopes that the catalog of a handle lists, as a check
    /// does for a token.
    #[doc(hidden)]
    #[must_use]
    pub fn within_catalog_of(self, hallpass: &Hallpass) -> Self {
        let scopes = hallpass.listed_scopes(&self.token);
        Self::new(self.token, scopes, self.limit, self.secret, self.use_is_due)
    }

    /// Returns the token as it was loaded for the check.
    pub(super) fn token(&self) -> &Arc<CachedToken> {
        &self.token
    }

    /// Returns whether the use must be recorded.
    pub(super) fn use_is_due(&self) -> bool {
        self.use_is_due
    }

    /// Returns which secret authenticated the principal.
    pub(super) fn secret(&self) -> SecretMatch {
        self.secret
    }
}

/// A set of scopes together with an optional limit. It covers a scope if both cover it, which is
/// the case exactly if the intersection of both covers it.
struct Within<'s, H>(&'s H, Option<&'s ScopeSet>);

impl<H: CoversScope> CoversScope for Within<'_, H> {
    fn covers<P: PathParameters + ?Sized>(&self, template: &ScopeTemplate, parameters: &P) -> bool {
        let Self(held, limit) = self;
        held.covers(template, parameters)
            && limit.is_none_or(|limit| CoversScope::covers(limit, template, parameters))
    }
}

impl fmt::Debug for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Principal")
            .field("owner", self.owner())
            .field("token_id", &self.token_id())
            .field("scopes", self.scopes())
            .finish_non_exhaustive()
    }
}
