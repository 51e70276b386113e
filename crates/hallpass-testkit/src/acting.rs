use hallpass_core::{Owner, ScopeSet};
use hallpass_tower::ActingAs;

/// Makes a request one of this owner's, with these scopes: no token, and no store that knows one.
/// Put it in the request's extensions.
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
/// Everything else is as it is in production: the router, its layers, its requirements. A token
/// that holds these scopes is what it stands for, so
/// - each layer on the way lets it in, whatever credential the request holds besides, and a policy
///   table and every requirement decide by its scopes;
/// - a scope that the handle's catalog does not know allows nothing;
/// - the store is not asked, no use is recorded, and the host is not asked about the owner;
/// - there is no such token: [`Hallpass::recheck`](hallpass_core::Hallpass::recheck) refuses it,
///   and so does the part of the management API that is about the caller's own token.
///
/// To have a whole server act as somebody, put `axum::Extension(acting_as("alice", ["projects"]))`
/// around its router as the last, outermost layer.
///
/// # Panics
///
/// The owner is none, or a text is no scope.
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
    let scopes = scopes.into_iter().map(|text| match text.parse() {
        Ok(scope) => scope,
        Err(error) => panic!("{text:?} is no scope: {error}"),
    });
    ActingAs::new(owner, scopes.collect::<ScopeSet>())
}
