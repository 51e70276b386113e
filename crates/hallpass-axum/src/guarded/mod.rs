//! [`GuardedRouter`]: a router in which every route has a requirement.
//!
//! The layer is added by `into_router`, around each route and not around the router. So an unknown
//! path is a 404 with or without a token, and a public route is served even if the store is
//! unavailable.

mod document;

use std::collections::HashSet;
use std::convert::Infallible;
use std::fmt;

use axum::Router;
use axum::extract::Request;
use axum::handler::Handler;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, Route};
use hallpass_core::{Hallpass, IntoRequirement, Requirement, authenticated};
use hallpass_tower::{PolicyTable, RejectionSettings, TokenLayer};
use http::Method;
use tower::ServiceBuilder;
use tower::util::BoxCloneSyncServiceLayer;
use tower_layer::Layer;
use tower_service::Service;
use utoipa::openapi::path::Operation;
use utoipa::openapi::{RefOr, Schema};

use crate::hallpass_ext::HallpassExt as _;
use crate::handler::HandlerExt as _;
use crate::problem::no_such_method;
use crate::routing::{self, ScopedMethod, ScopedMethodRouter};

/// A router like axum's in which every route has a requirement. A route without one does not
/// compile.
///
/// ```
/// use hallpass_core::public;
/// use hallpass_axum::GuardedRouter;
/// # use hallpass_core::Hallpass;
/// # use hallpass_memory::MemoryStore;
/// # async fn health() {}
/// # async fn list() {}
/// # async fn show() {}
///
/// # let hallpass = Hallpass::builder(MemoryStore::new()).build();
/// let api = GuardedRouter::new()
///     .get("/health", public(), health)
///     .get("/projects", "projects:list", list)
///     .get("/projects/{id}", "projects:read:{id}", show);
/// println!("{api}");
/// let app: axum::Router = api.into_router(&hallpass);
/// ```
///
/// A path without a route gets a 404, with or without a token. A method that the path does not have
/// gets a 405 if the request has a valid token. Public routes do not read tokens.
#[must_use = "a guarded router does nothing until `into_router`"]
pub struct GuardedRouter<S = ()> {
    routes: Vec<GuardedRoute<S>>,
    table: PolicyTable,
    /// The schemas that documented operations refer to.
    schemas: Vec<(String, RefOr<Schema>)>,
}

/// A path of the router, with one or more methods.
struct GuardedRoute<S> {
    path: String,
    operations: Vec<GuardedOperation>,
    router: MethodRouter<S>,
    /// The layers to put around the token layer, innermost first. The token layer is known only in
    /// `into_router`.
    outer: Vec<OuterLayer>,
}

struct GuardedOperation {
    method: Method,
    requirement: Requirement,
    /// The operation in the host's OpenAPI document, without its security.
    documented: Option<Operation>,
}

type OuterLayer = BoxCloneSyncServiceLayer<Route, Request, Response, Infallible>;

impl<S: Clone + Send + Sync + 'static> GuardedRouter<S> {
    /// Creates a router without routes.
    pub fn new() -> Self {
        Self { routes: Vec::new(), table: PolicyTable::new(), schemas: Vec::new() }
    }

    /// Adds a route for any of axum's methods.
    ///
    /// # Panics
    ///
    /// Panics if the path or the requirement is not valid, if the requirement is bound to a path
    /// parameter that the path does not have, if the router already has this route, or if axum does
    /// not route this method. The message explains how to correct it.
    #[track_caller]
    pub fn route<T: 'static>(
        self,
        method: Method,
        path: &str,
        requirement: impl IntoRequirement,
        handler: impl Handler<T, S>,
    ) -> Self {
        let requirement = match requirement.into_requirement() {
            Ok(requirement) => requirement,
            Err(error) => panic!("{method} {path}: {error}"),
        };
        self.routes(path, routing::on(method, handler.scoped(requirement)))
    }

    /// Adds the scoped handlers of a path. Routes are written as for axum, but each handler must
    /// have a requirement.
    ///
    /// ```
    /// use hallpass_axum::{GuardedRouter, HandlerExt, routing::get};
    /// # async fn list() {}
    /// # async fn create() {}
    /// # async fn show() {}
    ///
    /// let api: GuardedRouter = GuardedRouter::new()
    ///     .routes("/projects", get(list.scoped("projects:list")).post(create.scoped("projects:create")))
    ///     .routes("/projects/{id}", get(show.scoped("projects:read:{id}")));
    /// ```
    ///
    /// # Panics
    ///
    /// Panics if [`route`](Self::route) does.
    #[track_caller]
    pub fn routes(mut self, path: &str, methods: ScopedMethodRouter<S>) -> Self {
        for ScopedMethod { method, requirement, router } in methods.0 {
            let operation = GuardedOperation { method, requirement, documented: None };
            self = self.add(GuardedRoute {
                path: path.to_owned(),
                operations: vec![operation],
                router,
                outer: Vec::new(),
            });
        }
        self
    }

    #[track_caller]
    fn add(mut self, route: GuardedRoute<S>) -> Self {
        for GuardedOperation { method, requirement, .. } in &route.operations {
            self.table = self.table.route(method.clone(), &route.path, requirement);
        }
        self.routes.push(route);
        self
    }

    /// Puts a layer around every route that was added before, outside of Hallpass's layer, so that
    /// it also sees requests without a token. Use it for logs, CORS, compression, and limits on
    /// unauthenticated requests.
    pub fn layer<L>(mut self, layer: L) -> Self
    where
        L: Layer<Route> + Clone + Send + Sync + 'static,
        L::Service: Service<Request> + Clone + Send + Sync + 'static,
        <L::Service as Service<Request>>::Response: IntoResponse + 'static,
        <L::Service as Service<Request>>::Error: Into<Infallible> + 'static,
        <L::Service as Service<Request>>::Future: Send + 'static,
    {
        let layer = OuterLayer::new(
            ServiceBuilder::new()
                .map_response(IntoResponse::into_response)
                .map_err(Into::into)
                .layer(layer)
                .into_inner(),
        );
        for route in &mut self.routes {
            route.outer.push(layer.clone());
        }
        self
    }

    /// Puts a layer around the handler of every route that was added before, inside of Hallpass's
    /// layer. It sees only requests with a valid token, and can read the principal. The requirement
    /// is checked further inside. The layer is also around public routes, where there is no
    /// principal.
    pub fn route_layer<L>(mut self, layer: L) -> Self
    where
        L: Layer<Route> + Clone + Send + Sync + 'static,
        L::Service: Service<Request, Error = Infallible> + Clone + Send + Sync + 'static,
        <L::Service as Service<Request>>::Response: IntoResponse + 'static,
        <L::Service as Service<Request>>::Future: Send + 'static,
    {
        for route in &mut self.routes {
            route.router = std::mem::take(&mut route.router).route_layer(layer.clone());
        }
        self
    }

    /// Adds all routes of another guarded router.
    ///
    /// # Panics
    ///
    /// Panics if both routers have the same route.
    #[track_caller]
    pub fn merge(mut self, other: Self) -> Self {
        for route in other.routes {
            self = self.add(route);
        }
        self.schemas.extend(other.schemas);
        self
    }

    /// Adds all routes of another guarded router under a prefix.
    ///
    /// # Panics
    ///
    /// Panics if the prefix does not start with `/` or ends with one, or if two routes become
    /// equal.
    #[track_caller]
    pub fn nest(self, prefix: &str, other: Self) -> Self {
        assert!(
            prefix.starts_with('/') && !prefix.ends_with('/'),
            "invalid prefix {prefix:?}: it must start with `/` and must not end with one, as in \
             \"/api\""
        );
        let routes = other.routes.into_iter().map(|route| {
            let rest = if route.path == "/" { "" } else { &route.path };
            GuardedRoute { path: format!("{prefix}{rest}"), ..route }
        });
        let nested =
            Self { routes: routes.collect(), table: PolicyTable::new(), schemas: other.schemas };
        self.merge(nested)
    }

    /// Provides the state of the handlers.
    pub fn with_state<S2: Clone + Send + Sync + 'static>(self, state: S) -> GuardedRouter<S2> {
        let routes = self.routes.into_iter().map(|route| {
            let GuardedRoute { path, operations, router, outer } = route;
            GuardedRoute { path, operations, router: router.with_state(state.clone()), outer }
        });
        GuardedRouter { routes: routes.collect(), table: self.table, schemas: self.schemas }
    }

    /// Returns a table of the routes' requirements. Print it, compare it with a snapshot, or set it
    /// as the policy of another layer.
    pub fn table(&self) -> &PolicyTable {
        &self.table
    }

    /// Returns an ordinary router, with Hallpass's layer around every route that is not public.
    /// Routes that are added to it later are not guarded.
    ///
    /// # Panics
    ///
    /// Panics if the handle has a catalog and a route needs a scope that is not in it.
    #[track_caller]
    pub fn into_router(self, hallpass: &Hallpass) -> Router<S> {
        self.into_router_with(hallpass.layer())
    }

    /// Works like [`into_router`](Self::into_router), with a layer of your own settings.
    ///
    /// # Panics
    ///
    /// Panics if [`into_router`](Self::into_router) does.
    #[track_caller]
    pub fn into_router_with(self, layer: TokenLayer) -> Router<S> {
        self.table.check_scopes(layer.hallpass());
        let guarded = self.routes.iter().filter(|route| !route.is_public());
        let guarded_paths: HashSet<String> = guarded.map(|route| route.path.clone()).collect();
        let (guarded, open): (Vec<_>, Vec<_>) =
            self.routes.into_iter().partition(|route| guarded_paths.contains(&route.path));
        let assemble = |routes: Vec<GuardedRoute<S>>| {
            routes.into_iter().fold(Router::new(), |router, route| {
                let is_public = route.is_public();
                let GuardedRoute { path, router: methods, outer, .. } = route;
                let methods = if is_public { methods } else { methods.route_layer(layer.clone()) };
                router.route(&path, outer.into_iter().fold(methods, MethodRouter::layer))
            })
        };
        let settings = RejectionSettings::of(layer.hallpass());
        let other_method = async move || {
            let problem = no_such_method().await;
            problem.clone().render(problem.into_response(), &settings)
        };
        let other_method = other_method.scoped(authenticated()).layer(layer.clone());
        assemble(guarded).method_not_allowed_fallback(other_method).merge(assemble(open))
    }
}

macro_rules! methods {
    ($($name:ident $method:ident $text:literal)*) => {
        impl<S: Clone + Send + Sync + 'static> GuardedRouter<S> {
            $(
                #[doc = concat!("Adds a route for `", $text, "`.")]
                ///
                /// # Panics
                ///
                /// Panics if [`route`](Self::route) does.
                #[track_caller]
                pub fn $name<T: 'static>(
                    self,
                    path: &str,
                    requirement: impl IntoRequirement,
                    handler: impl Handler<T, S>,
                ) -> Self {
                    self.route(Method::$method, path, requirement, handler)
                }
            )*
        }
    };
}

methods! {
    get GET "GET` and `HEAD"
    post POST "POST"
    put PUT "PUT"
    patch PATCH "PATCH"
    delete DELETE "DELETE"
}

impl<S> GuardedRoute<S> {
    fn is_public(&self) -> bool {
        self.operations.iter().all(|operation| operation.requirement.is_public())
    }
}

impl<S: Clone + Send + Sync + 'static> Default for GuardedRouter<S> {
    fn default() -> Self {
        Self::new()
    }
}

/// Formats the routes in columns, one line for each.
impl<S> fmt::Display for GuardedRouter<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}anything else: 404 or 405", self.table.inventory())
    }
}

impl<S> fmt::Debug for GuardedRouter<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("GuardedRouter").field(&self.table).finish()
    }
}
