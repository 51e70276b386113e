//! The fixture of these tests: a handle over a real store, a clock that is set by hand, and the
//! list of events.

pub(crate) mod clock;
pub(crate) mod sink;
pub(crate) mod store;

use hallpass_core::{
    Actor, AuthError, Error, FieldError, Hallpass, HallpassBuilder, Issued, NewToken, Principal,
    RejectReason, Scope, ScopeSet, TokenId,
};

pub(crate) use hallpass_testkit::Operation;
use hallpass_testkit::{ManualClock, StaleCache};

pub(crate) use self::{
    clock::{START, at, at_the_start, days, minutes},
    sink::Happened,
    store::{Fault, TestStore, Truth, read_only, test_store},
};

/// A handle with its store, clock and events.
pub(crate) struct Service {
    pub(crate) hallpass: Hallpass,
    pub(crate) store: TestStore,
    /// The backend of the handle: the store with a cache of the tokens that a test pins in it.
    pub(crate) cache: StaleCache<TestStore>,
    pub(crate) clock: ManualClock,
    pub(crate) happened: Happened,
}

impl Service {
    pub(crate) fn new() -> Self {
        Self::with(|builder| builder)
    }

    pub(crate) fn with(configure: impl FnOnce(HallpassBuilder) -> HallpassBuilder) -> Self {
        Self::over(test_store(), configure)
    }

    /// Creates a service on a store that may hold tokens already. It represents another node, or
    /// the same node after a restart.
    pub(crate) fn over(
        store: TestStore,
        configure: impl FnOnce(HallpassBuilder) -> HallpassBuilder,
    ) -> Self {
        let (clock, happened) = (at_the_start(), Happened::default());
        let cache = StaleCache::new(store.clone());
        let builder =
            Hallpass::builder(cache.clone()).clock(clock.clone()).events(happened.clone());
        Self { hallpass: configure(builder).build(), store, cache, clock, happened }
    }

    /// Issues a token of alice's with these scopes.
    pub(crate) async fn issue(&self, scopes: &[&str]) -> Issued {
        self.hallpass
            .issue(&alice(), NewToken::named("ci").scopes(scopes.iter().copied()))
            .await
            .unwrap()
    }

    pub(crate) async fn check(&self, token: &str) -> Result<Principal, AuthError> {
        self.hallpass.authenticate(token.as_bytes()).await
    }

    /// Returns whether a check accepts the token. Panics if the check cannot be completed.
    pub(crate) async fn accepts(&self, token: &str) -> bool {
        match self.check(token).await {
            Ok(_) => true,
            Err(AuthError::Rejected(_)) => false,
            Err(other) => panic!("{other}: {other:?}"),
        }
    }

    pub(crate) async fn rejection(&self, token: &str) -> RejectReason {
        rejected(self.check(token).await)
    }
}

pub(crate) fn alice() -> Actor {
    Actor::owner("alice")
}

pub(crate) fn bob() -> Actor {
    Actor::owner("bob")
}

pub(crate) fn root() -> Actor {
    Actor::admin("root")
}

pub(crate) fn job() -> Actor {
    Actor::system("nightly-job")
}

pub(crate) fn set(scopes: &[&str]) -> ScopeSet {
    ScopeSet::parse(scopes).unwrap()
}

pub(crate) fn scope(text: &str) -> Scope {
    text.parse().unwrap()
}

/// Returns an id that no token has.
pub(crate) fn nobodys() -> TokenId {
    "018f3c1e-7a2b-8c4d-9e5f-0123456789ab".parse().unwrap()
}

/// Returns the reason for which a check rejected the token.
#[track_caller]
pub(crate) fn rejected(verdict: Result<Principal, AuthError>) -> RejectReason {
    match verdict {
        Err(AuthError::Rejected(why)) => why,
        other => panic!("expected a rejection, got {other:?}"),
    }
}

/// Checks that a check could not be completed.
#[track_caller]
pub(crate) fn unavailable(verdict: Result<Principal, AuthError>) {
    assert!(
        matches!(verdict, Err(AuthError::Unavailable(_))),
        "expected an unavailable store, got {verdict:?}"
    );
}

/// Returns the field errors of an invalid request.
#[track_caller]
pub(crate) fn faults<T>(outcome: Result<T, Error>) -> Vec<FieldError> {
    match outcome {
        Err(Error::Invalid(faults)) => faults,
        Err(other) => panic!("expected validation errors, got {other:?}"),
        Ok(_) => panic!("expected validation errors, but the call succeeded"),
    }
}

/// Returns the names of the invalid fields.
#[track_caller]
pub(crate) fn fields<T>(outcome: Result<T, Error>) -> Vec<&'static str> {
    faults(outcome).into_iter().map(|fault| fault.field).collect()
}

/// Returns the error. Unlike `unwrap_err`, it does not need `Debug` for the value.
#[track_caller]
pub(crate) fn error<T>(outcome: Result<T, Error>) -> Error {
    match outcome {
        Err(error) => error,
        Ok(_) => panic!("expected an error, but the call succeeded"),
    }
}
