//! What is done on a node, in this process or in another, and what comes of it.

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

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Action {
    Check {
        token: String,
        by: Way,
    },
    Issue {
        owner: String,
        scope: String,
    },
    Change {
        owner: String,
        id: String,
        how: How,
    },
    RevokeAll {
        owner: String,
    },
    DeleteAll {
        owner: String,
    },
    /// The host disables or enables an account, and says so.
    Stand {
        owner: String,
        disabled: bool,
    },
}

/// How a token is checked.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) enum Way {
    Handle,
    /// A request through the layer.
    Request,
    /// A second look at whoever was let in with it before.
    Recheck,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum How {
    Revoke,
    Regenerate { overlap: bool },
    Update { scope: String },
    Delete,
    DeleteMany,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Outcome {
    /// With what the token may do.
    Accepted { scopes: String },
    /// 401.
    Refused,
    /// 503.
    Unavailable,
    /// A token has a new secret.
    Made { id: String, token: String, revision: u64 },
    /// At which revision the token is now, where the answer shows that.
    Done { revision: Option<u64> },
    /// Refused for what it was: nothing has happened.
    Nothing,
    /// The store was at fault: it may have happened or not.
    Unknown,
}

/// One node: a handle with a cache of its own.
pub(crate) struct Place {
    hallpass: Hallpass,
    layer: TokenLayer,
    /// Who was let in, by their token.
    let_in: Mutex<HashMap<String, Principal>>,
    /// The host's word on its people: who has a file there is disabled.
    disabled: Option<PathBuf>,
}

/// A node's cache: as much as half of the bound may pass between two looks at the log.
pub(crate) fn cached<S: TokenStore>(store: S, bound: Duration) -> Cached<S> {
    Cached::with_settings(store, CacheSettings::default().max_staleness(bound).poll(bound / 4))
}

impl Place {
    /// A node on that store, which is a cache already.
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
        Self { layer: TokenLayer::new(&hallpass), hallpass, disabled, let_in: Mutex::default() }
    }

    pub(crate) async fn perform(&self, action: Action) -> Outcome {
        match action {
            Action::Check { token, by: Way::Request } => self.request(&token).await,
            Action::Check { token, by: Way::Handle } => self.authenticate(&token).await,
            Action::Check { token, by: Way::Recheck } => {
                let principal = self.let_in.lock().unwrap().get(&token).cloned();
                match principal {
                    Some(principal) => verdict(&self.hallpass.recheck(&principal).await),
                    None => self.authenticate(&token).await,
                }
            }
            Action::Issue { owner, scope } => {
                let new = NewToken::named("ci").scope(scope);
                made(self.hallpass.issue(&Actor::owner(owner), new).await)
            }
            Action::Change { owner, id, how } => {
                let id = id.parse().expect("an id");
                self.change(&Actor::owner(owner), id, how).await
            }
            Action::RevokeAll { owner } => {
                let (by, owner) = (Actor::system("host"), Owner::new(owner).expect("an owner"));
                done(self.hallpass.revoke_owner(&by, &owner, None).await, |_| None)
            }
            Action::DeleteAll { owner } => {
                done(self.hallpass.delete_all(&Actor::owner(owner)).await, |_| None)
            }
            Action::Stand { owner, disabled } => self.stand(owner, disabled).await,
        }
    }

    async fn authenticate(&self, token: &str) -> Outcome {
        let checked = self.hallpass.authenticate(token.as_bytes()).await;
        if let Ok(principal) = &checked {
            self.let_in.lock().unwrap().insert(token.to_owned(), principal.clone());
        }
        verdict(&checked)
    }

    async fn change(&self, by: &Actor, id: TokenId, how: How) -> Outcome {
        let hallpass = &self.hallpass;
        let revision = |record: TokenRecord| Some(record.revision.get());
        match how {
            How::Revoke => done(hallpass.revoke(by, id).await, revision),
            How::Regenerate { overlap } => {
                let how = RegenerateOptions::new();
                let how = if overlap { how.grace_period("1h") } else { how };
                made(hallpass.regenerate(by, id, how).await)
            }
            How::Update { scope } => {
                let update = TokenUpdate::new().scopes([scope]);
                done(hallpass.update(by, id, update, None).await, revision)
            }
            How::Delete => done(hallpass.delete(by, id, None).await, |()| None),
            // It is not there afterwards, whether it was before or not.
            How::DeleteMany => done(hallpass.delete_many(by, &[id]).await, |_| None),
        }
    }

    async fn stand(&self, owner: String, disabled: bool) -> Outcome {
        let files = self.disabled.as_ref().expect("a host that knows its people");
        let file = files.join(&owner);
        if disabled {
            std::fs::write(file, "").expect("a file");
        } else {
            // It may be enabled already.
            let _ = std::fs::remove_file(file);
        }
        let owner = Owner::new(owner).expect("an owner");
        done(self.hallpass.owner_changed(&Actor::system("host"), &owner).await, |()| None)
    }

    /// A request with the token, through the layer to a handler that answers what it was shown.
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
            StatusCode::OK => answer.extensions().get().cloned().expect("the handler's word"),
            StatusCode::UNAUTHORIZED => Outcome::Refused,
            StatusCode::SERVICE_UNAVAILABLE => Outcome::Unavailable,
            other => panic!("{other}"),
        }
    }
}

fn verdict(checked: &Result<Principal, AuthError>) -> Outcome {
    match checked {
        Ok(principal) => accepted(principal),
        Err(AuthError::Rejected(_)) => Outcome::Refused,
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
        Err(_) => Outcome::Nothing,
    }
}

fn made(outcome: Result<Issued, Error>) -> Outcome {
    match outcome {
        Ok(Issued { token, record, .. }) => Outcome::Made {
            id: record.id.to_string(),
            token: token.reveal().to_owned(),
            revision: record.revision.get(),
        },
        Err(error) if error.is_unavailable() => Outcome::Unknown,
        Err(_) => Outcome::Nothing,
    }
}
