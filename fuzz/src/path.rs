//! Fuzzes paths. The first line of the input is the path of a request. The second line, if any, is
//! the path after a rewrite inside of the layer. The test compares the policy table with axum's
//! router, for every place in which the layer can stand.

use std::convert::Infallible;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use hallpass_axum::HallpassExt as _;
use hallpass_core::{Actor, Hallpass, NewToken};
use hallpass_memory::MemoryStore;
use hallpass_tower::{PolicyTable, TokenLayer};
use http::Uri;
use tower::ServiceExt as _;
use tower::util::BoxCloneSyncService;
use tower_layer::Layer as _;

use crate::now::now;
use crate::words::Words;

thread_local! {
    static STAGE: Fixture = Fixture::new();
}

/// Checks that a token reaches a handler if and only if it holds the scope of that handler, except
/// for paths that are rejected.
///
/// # Panics
///
/// Panics if table and router disagree.
pub fn check(data: &[u8]) {
    STAGE.with(|fixture| {
        let input = fixture.words.fill(data);
        let mut lines = input.split(|byte| *byte == b'\n').map(|line| Uri::try_from(line).ok());
        let Some(Some(uri)) = lines.next() else { return };
        // Both are paths without a host, as a server passes them on.
        let rewrite = lines.next().flatten().filter(|rewrite| rewrite.path().starts_with('/'));
        if !uri.path().starts_with('/') {
            return;
        }
        for place in Place::ALL {
            for token in &fixture.tokens {
                let request = || {
                    let bearer = format!("Bearer {}", token.text);
                    let mut request = Request::builder().header("authorization", bearer);
                    if let Some(rewrite) = &rewrite {
                        request = request.extension(Rewrite(rewrite.clone()));
                    }
                    request.uri(uri.path()).body(Body::empty()).expect("a path is a URI")
                };
                // The same service without the layer shows which handler the path belongs to.
                let open = answer(place.service(None), request());
                let guarded = answer(fixture.service(place), request());
                let context = format!("{place:?} {uri} {rewrite:?} {open:?} {guarded:?}");
                if let Some(reached) = &guarded {
                    assert!(token.holds(reached), "{context}");
                    assert_eq!(open.as_deref(), Some(&**reached), "{context}");
                } else if open.as_ref().is_some_and(|needs| token.holds(needs)) {
                    assert!(may_be_rejected(&uri, rewrite.as_ref()), "{context}");
                }
            }
        }
    });
}

/// Returns whether a layer that decides by the path rejects this path, because a normaliser would
/// change it, or because a service that decodes it first would find another handler.
fn may_be_rejected(uri: &Uri, rewrite: Option<&Uri>) -> bool {
    let is_ambiguous = |path: &str| {
        let decoded = percent_encoding::percent_decode_str(path).decode_utf8_lossy();
        let decoded = decoded.replace('\\', "/");
        decoded.contains("//")
            || (decoded.len() > 1 && decoded.ends_with('/'))
            || decoded.split('/').any(|part| part == "." || part == "..")
            || handler(&decoded) != handler(path)
    };
    is_ambiguous(uri.path()) || rewrite.is_some_and(|uri| is_ambiguous(uri.path()))
}

/// Returns the route of a path, nested or not.
fn handler(path: &str) -> &'static str {
    let path = path.strip_prefix("/n").filter(|rest| rest.starts_with('/')).unwrap_or(path);
    match path.split('/').skip(1).collect::<Vec<_>>()[..] {
        ["admin"] => "admin",
        ["projects", _] => "project",
        ["files", _, ..] => "files",
        _ => "rest",
    }
}

/// The path after a rewrite.
#[derive(Clone)]
struct Rewrite(Uri);

/// The scope that the reached handler needs.
#[derive(Clone)]
struct Needs(String);

struct Token {
    text: String,
    holds: &'static [&'static str],
}

impl Token {
    fn holds(&self, needs: &str) -> bool {
        self.holds.contains(&needs)
    }
}

struct Fixture {
    words: Words,
    tokens: Vec<Token>,
    services: Vec<Service>,
}

type Service = BoxCloneSyncService<Request, Response, Infallible>;

impl Fixture {
    fn new() -> Self {
        let hallpass = Hallpass::builder(MemoryStore::new()).build();
        let issue = |holds: &'static [&'static str]| {
            let new = NewToken::named("fuzz").scopes(holds.iter().copied());
            let issued = now(hallpass.issue(&Actor::owner("alice"), new)).expect("a token");
            Token { text: issued.token.reveal().to_owned(), holds }
        };
        let tokens = vec![
            issue(&["rest", "files", "projects:read:mine"]),
            issue(&["admin"]),
            issue(&["rest"]),
        ];
        let services = Place::ALL
            .iter()
            .map(|place| {
                let table = table(place.prefix());
                place.service(Some(hallpass.layer().policy(table)))
            })
            .collect();
        Self { words: Words::default().with("LINE", "\n"), tokens, services }
    }

    fn service(&self, place: Place) -> Service {
        self.services[place as usize].clone()
    }
}

/// Returns a table with a rule for every route, and a wildcard rule for all other paths.
fn table(prefix: &str) -> PolicyTable {
    let table = if prefix.is_empty() {
        PolicyTable::new()
    } else {
        // A nested router also serves the path it is nested at.
        PolicyTable::new().get(prefix, "rest")
    };
    table
        .get(&format!("{prefix}/"), "rest")
        .get(&format!("{prefix}/admin"), "admin")
        .get(&format!("{prefix}/projects/{{id}}"), "projects:read:{id}")
        .get(&format!("{prefix}/files/{{*path}}"), "files")
        .get(&format!("{prefix}/{{*rest}}"), "rest")
}

/// Returns the router. The response of each handler names the scope that the handler needs.
fn router() -> Router {
    let tell = |needs: String| (axum::Extension(Needs(needs.clone())), needs).into_response();
    let project = move |Path(id): Path<String>| async move { tell(format!("projects:read:{id}")) };
    let file = move |Path(_): Path<String>| async move { tell("files".to_owned()) };
    Router::new()
        .route("/admin", get(move || async move { tell("admin".to_owned()) }))
        .route("/projects/{id}", get(project))
        .route("/files/{*path}", get(file))
        .fallback(move || async move { tell("rest".to_owned()) })
}

/// A position of the layer, and the services between the layer and the client or the router.
#[derive(Clone, Copy, Debug)]
enum Place {
    /// `Router::layer`.
    OnRouter,
    /// Around the router as a service.
    AroundRouter,
    /// Around a normaliser around the router.
    OutsideNormaliser,
    /// On a router behind a rewrite behind another router.
    BehindRewrite,
    /// Around a router behind a rewrite behind another router.
    AroundBehindRewrite,
    /// On a router that is nested.
    Nested,
    /// On a router that is nested as a service.
    NestedService,
    /// Around a router that is nested as a service, behind a rewrite.
    AroundNestedService,
    /// On the router in which the other is nested as a service.
    OutsideNestedService,
}

impl Place {
    const ALL: [Self; 9] = [
        Self::OnRouter,
        Self::AroundRouter,
        Self::OutsideNormaliser,
        Self::BehindRewrite,
        Self::AroundBehindRewrite,
        Self::Nested,
        Self::NestedService,
        Self::AroundNestedService,
        Self::OutsideNestedService,
    ];

    /// The prefix of every pattern.
    fn prefix(self) -> &'static str {
        match self {
            Self::Nested
            | Self::NestedService
            | Self::AroundNestedService
            | Self::OutsideNestedService => "/n",
            _ => "",
        }
    }

    fn service(self, layer: Option<TokenLayer>) -> Service {
        let on = |router: Router| match &layer {
            Some(layer) => router.layer(layer.clone()),
            None => router,
        };
        let around = |service: Service| match &layer {
            Some(layer) => boxed(layer.layer(service)),
            None => service,
        };
        let rewritten = |inner: Service| inner.map_request(rewrite);
        match self {
            Self::OnRouter => boxed(on(router())),
            Self::AroundRouter => around(boxed(router())),
            Self::OutsideNormaliser => around(boxed(boxed(router()).map_request(normalise))),
            Self::BehindRewrite => {
                boxed(Router::new().fallback_service(rewritten(boxed(on(router())))))
            }
            Self::AroundBehindRewrite => {
                boxed(Router::new().fallback_service(rewritten(around(boxed(router())))))
            }
            Self::Nested => boxed(Router::new().nest("/n", on(router()))),
            Self::NestedService => boxed(Router::new().nest_service("/n", on(router()))),
            Self::AroundNestedService => {
                boxed(Router::new().nest_service("/n", rewritten(around(boxed(router())))))
            }
            Self::OutsideNestedService => boxed(on(Router::new().nest_service("/n", router()))),
        }
    }
}

fn boxed<S, R>(service: S) -> Service
where
    S: tower_service::Service<Request, Response = R, Error = Infallible>,
    S: Clone + Send + Sync + 'static,
    S::Future: Send,
    R: IntoResponse + 'static,
{
    BoxCloneSyncService::new(service.map_response(IntoResponse::into_response))
}

/// Normalises a path as a middleware would: without empty segments and without a trailing slash.
fn normalise(mut request: Request) -> Request {
    let segments = request.uri().path().split('/').filter(|segment| !segment.is_empty());
    let path = segments.fold(String::new(), |path, segment| path + "/" + segment);
    let path = if path.is_empty() { "/" } else { &path };
    if let Ok(uri) = path.parse() {
        *request.uri_mut() = uri;
    }
    request
}

fn rewrite(mut request: Request) -> Request {
    if let Some(Rewrite(uri)) = request.extensions().get().cloned() {
        *request.uri_mut() = uri;
    }
    request
}

/// Returns the scope that the reached handler needs, or `None` if no handler was reached.
fn answer(service: Service, request: Request) -> Option<String> {
    let Ok(response) = now(service.oneshot(request));
    response.extensions().get().map(|Needs(needs)| needs.clone())
}
