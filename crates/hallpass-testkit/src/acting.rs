//! Requests that are authenticated without a token.

use hallpass_core::{Owner, ScopeSet};
use hallpass_tower::ActingAs;

/// Returns an extension that authenticates a request as an owner with these scopes, without a
/// token. Put it in the request's extensions.
///
/// ```
/// use axum::{Router, body::Body, http::Request, routing::get};
/// use hallpass_axum::{Authenticated, HallpassExt as _, HandlerExt as _};
/// use hallpass_core::Hallpass;
/// use hallpass_memory::MemoryStore;
/// use hallpass_testkit::acting_as;
/// use tower::ServiceExt as _;
///
/// async fn list(Authenticated(caller): Authenticated) -> String {
///     format!("the projects of {}", caller.owner())
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let hallpass = Hallpass::builder(MemoryStore::new()).build();
/// let app: Router =
///     Router::new().route("/projects", get(list.scoped("projects:list"))).layer(hallpass.layer());
///
/// let request = Request::get("/projects").extension(acting_as("alice", ["projects:list"]));
/// assert_eq!(app.clone().oneshot(request.body(Body::empty())?).await?.status(), 200);
///
/// let request = Request::get("/projects").extension(acting_as("alice", ["projects:read"]));
/// assert_eq!(app.oneshot(request.body(Body::empty())?).await?.status(), 403);
/// # Ok(()) }
/// ```
///
/// The router, its layers and its requirements work as in production. The extension acts like a
/// token with these scopes:
///
/// - Each layer accepts the request, whatever other credential it has. Policy tables and
///   requirements decide by the scopes.
/// - A scope that the handle's catalog does not list allows nothing.
/// - The store and the owner directory are not queried, and no use is recorded.
/// - The token does not exist. [`Hallpass::recheck`](hallpass_core::Hallpass::recheck) rejects it,
///   and so does the part of the management API about the caller's own token.
///
/// To authenticate all requests of a server, add `axum::Extension(acting_as("alice",
/// ["projects"]))` as the outermost layer of its router.
///
/// # Panics
///
/// Panics if the owner or one of the scopes is invalid.
#[must_use]
#[track_caller]
pub fn acting_as<'a>(
    owner: impl AsRef<str>,
    scopes: impl IntoIterator<Item = &'a str>,
) -> ActingAs {
    let owner = match Owner::new(owner) {
        Ok(owner) => owner,
        Err(error) => panic!("{error}"),
    };
    let mut parsed = Vec::new();
    for text in scopes {
        match text.parse() {
            Ok(scope) => parsed.push(scope),
            Err(error) => panic!("invalid scope {text:?}: {error}"),
        }
    }
    ActingAs::new(owner, parsed.into_iter().collect::<ScopeSet>())
}
