//! The operations on a node, in this process or in another one, and their outcomes.

use std::collections::HashMap;
use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Duration;

use hallpass_cache::{CacheSettings, Cached};
use hallpass_core::__private::Backend;
use hallpass_core::store::TokenStore;
use hallpass_core::{
    Actor, AuthError, Error, Hallpass, Issued, Limits, NewToken, Owner, OwnerStatus, Principal,
    RegenerateOptions, Scope, TokenId, TokenRecord, TokenUpdate,
};
use hallpass_tower::{PrincipalExt as _, TokenLayer};
use http::{Request, Response, StatusCode};
use serde::{Deserialize, Serialize};
use tower::{ServiceBuilder, ServiceExt as _, service_fn};

/// An operation on a node.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Action {
    Check {
        token: String,
        via: CheckVia,
    },
    Issue {
        owner: String,
        scope: String,
    },
    Change {
        owner: String,
        id: String,
        change: TokenChange,
    },
    RevokeAll {
        owner: String,
    },
    DeleteAll {
        owner: String,
    },
    /// The host disables or enables an account and calls `owner_changed`.
    SetDisabled {
        owner: String,
        disabled: bool,
    },
}

/// The interface through which a token is checked.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) enum CheckVia {
    /// `Hallpass::authenticate`.
    Handle,
    /// A request through the layer.
    Request,
    /// `Hallpass::recheck` of a principal that was authenticated with the token before.
    Recheck,
}

/// A change of one token.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum TokenChange {
    Revoke,
    Regenerate { grace_period: bool },
    Update { scope: String },
    Delete,
    DeleteMany,
}

/// The outcome of an action.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Outcome {
    /// The token was accepted, with these scopes.
    Accepted { scopes: String },
    /// The token was rejected (401).
    Rejected,
    /// The token could not be checked (503).
    Unavailable,
    /// The token was issued or has a new secret.
    NewSecret { id: String, token: String, revision: u64 },
    /// The change was made. `revision` is the token's new revision, if the call returns it.
    Done { revision: Option<u64> },
    /// The change was rejected and not made.
    NotDone,
    /// The store failed, so the change may or may not have been made.
    Unknown,
}

/// A node in this process: a handle with its own cache.
pub(crate) struct LocalNode {
    hallpass: Hallpass,
    layer: TokenLayer,
    /// The principals of the accepted tokens, by the text of the token.
    principals: Mutex<HashMap<String, Principal>>,
    /// The folder that serves as the host's owner directory. An owner with a file in it is
    /// disabled.
    disabled: Option<PathBuf>,
}

/// Creates the cache of a node. It polls the change log every quarter of the staleness limit.
pub(crate) fn cached<S: TokenStore>(store: S, bound: Duration) -> Cached<S> {
    Cached::with_settings(store, CacheSettings::default().max_staleness(bound).poll(bound / 4))
}

impl LocalNode {
    /// Creates a node on a store that already has a cache.
    pub(crate) fn new(store: impl Backend, disabled: Option<PathBuf>) -> Self {
        let limits = Limits::default().unlimited_tokens();
        let mut builder = Hallpass::builder(store).limits(limits);
        if let Some(files) = disabled.clone() {
            builder =
                builder.owner_directory(move |owner: Owner| {
                    let is_disabled = files.join(owner.as_str()).exists();
                    async move {
                        Ok(if is_disabled { OwnerStatus::Disabled } else { OwnerStatus::Active })
                    }
                });
        }
        let hallpass = builder.build();
        Self { layer: TokenLayer::new(&hallpass), hallpass, disabled, principals: Mutex::default() }
    }

    pub(crate) async fn perform(&self, action: Action) -> Outcome {
        match action {
            Action::Check { token, via: CheckVia::Request } => self.request(&token).await,
            Action::Check { token, via: CheckVia::Handle } => self.authenticate(&token).await,
            Action::Check { token, via: CheckVia::Recheck } => {
                let principal = self.principals.lock().unwrap().get(&token).cloned();
                match principal {
                    Some(principal) => verdict(&self.hallpass.recheck(&principal).await),
                    None => self.authenticate(&token).await,
                }
            }
            Action::Issue { owner, scope } => {
                let new = NewToken::named("ci").scope(scope);
                new_secret(self.hallpass.issue(&Actor::owner(owner), new).await)
            }
            Action::Change { owner, id, change } => {
                let id = id.parse().expect("an id");
                self.change(&Actor::owner(owner), id, change).await
            }
            Action::RevokeAll { owner } => {
                let (by, owner) = (Actor::system("host"), Owner::new(owner).expect("an owner"));
                done(self.hallpass.revoke_owner(&by, &owner, None).await, |_| None)
            }
            Action::DeleteAll { owner } => {
                done(self.hallpass.delete_all(&Actor::owner(owner)).await, |_| None)
            }
            Action::SetDisabled { owner, disabled } => self.set_disabled(owner, disabled).await,
        }
    }

    async fn authenticate(&self, token: &str) -> Outcome {
        let checked = self.hallpass.authenticate(token.as_bytes()).await;
        if let Ok(principal) = &checked {
            self.principals.lock().unwrap().insert(token.to_owned(), principal.clone());
        }
        verdict(&checked)
    }

    async fn change(&self, by: &Actor, id: TokenId, change: TokenChange) -> Outcome {
        let hallpass = &self.hallpass;
        let revision = |record: TokenRecord| Some(record.revision.get());
        match change {
            TokenChange::Revoke => done(hallpass.revoke(by, id).await, revision),
            TokenChange::Regenerate { grace_period } => {
                let options = RegenerateOptions::new();
                let options = if grace_period { options.grace_period("1h") } else { options };
                new_secret(hallpass.regenerate(by, id, options).await)
            }
            TokenChange::Update { scope } => {
                let update = TokenUpdate::new().scopes([scope]);
                done(hallpass.update(by, id, update, None).await, revision)
            }
            TokenChange::Delete => done(hallpass.delete(by, id, None).await, |()| None),
            // The token does not exist afterwards, whether it existed before or not.
            TokenChange::DeleteMany => done(hallpass.delete_many(by, &[id]).await, |_| None),
        }
    }

    async fn set_disabled(&self, owner: String, disabled: bool) -> Outcome {
        let files = self.disabled.as_ref().expect("the node has no owner directory");
        let file = files.join(&owner);
        if disabled {
            std::fs::write(file, "").expect("a file");
        } else {
            // The file is missing if the owner is already enabled.
            let _ = std::fs::remove_file(file);
        }
        let owner = Owner::new(owner).expect("an owner");
        done(self.hallpass.owner_changed(&Actor::system("host"), &owner).await, |()| None)
    }

    /// Sends a request with the token through the layer. The handler returns the scopes of the
    /// principal that it gets.
    async fn request(&self, token: &str) -> Outcome {
        let handler = service_fn(|request: Request<()>| {
            let principal = request.principal().expect("a principal");
            let mut response = Response::new(());
            response.extensions_mut().insert(accepted(principal));
            std::future::ready(Ok::<_, Infallible>(response))
        });
        let service = ServiceBuilder::new().layer(self.layer.clone()).service(handler);
        let request = Request::get("/").header("authorization", format!("Bearer {token}"));
        let Ok(answer) = service.oneshot(request.body(()).expect("a request")).await;
        match answer.status() {
            StatusCode::OK => {
                answer.extensions().get().cloned().expect("the handler sets the outcome")
            }
            StatusCode::UNAUTHORIZED => Outcome::Rejected,
            StatusCode::SERVICE_UNAVAILABLE => Outcome::Unavailable,
            other => panic!("{other}"),
        }
    }
}

fn verdict(checked: &Result<Principal, AuthError>) -> Outcome {
    match checked {
        Ok(principal) => accepted(principal),
        Err(AuthError::Rejected(_)) => Outcome::Rejected,
        Err(_) => Outcome::Unavailable,
    }
}

fn accepted(principal: &Principal) -> Outcome {
    let scopes: Vec<_> = principal.scopes().iter().map(Scope::as_str).collect();
    Outcome::Accepted { scopes: scopes.join(" ") }
}

fn done<T>(outcome: Result<T, Error>, revision: impl FnOnce(T) -> Option<u64>) -> Outcome {
    match outcome {
        Ok(value) => Outcome::Done { revision: revision(value) },
        Err(error) if error.is_unavailable() => Outcome::Unknown,
        Err(_) => Outcome::NotDone,
    }
}

fn new_secret(outcome: Result<Issued, Error>) -> Outcome {
    match outcome {
        Ok(Issued { token, record, .. }) => Outcome::NewSecret {
            id: record.id.to_string(),
            token: token.reveal().to_owned(),
            revision: record.revision.get(),
        },
        Err(error) if error.is_unavailable() => Outcome::Unknown,
        Err(_) => Outcome::NotDone,
    }
}
