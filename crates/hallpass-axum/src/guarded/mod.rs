//! [`GuardedRouter`]: a router in which every route says what it needs.

mod method;

use std::collections::HashSet;
use std::fmt;

use axum::Router;
use axum::handler::Handler;
use axum::response::IntoResponse as _;
use axum::routing::MethodRouter;
use hallpass_core::{Hallpass, IntoRequirement, Requirement, authenticated};
use hallpass_tower::{PolicyTable, RejectionSettings, TokenLayer};
use http::Method;

use self::method::filter;
use crate::hallpass_ext::HallpassExt as _;
use crate::handler::HandlerExt as _;
use crate::problem::no_such_method;

/// axum's router, with a requirement beside every route: a route without one does not compile.
///
/// ```
/// use hallpass_axum::{GuardedRouter, core::public};
/// # use hallpass_axum::core::Hallpass;
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
/// A path that is no route answers 404 without asking for a token; a method that the path does not
/// have is 405 for those who have one. Public routes look at none.
#[must_use = "a guarded router does nothing until `into_router`"]
pub struct GuardedRouter<S = ()> {
    routes: Vec<GuardedRoute<S>>,
    table: PolicyTable,
}

type Guard<S> = Box<dyn FnOnce(&TokenLayer) -> MethodRouter<S> + Send>;

struct GuardedRoute<S> {
    method: Method,
    path: String,
    requirement: Requirement,
    /// Puts the layer around the handler: it is known only when the router is protected.
    guard: Guard<S>,
}

impl<S: Clone + Send + Sync + 'static> GuardedRouter<S> {
    /// A router without routes.
    pub fn new() -> Self {
        Self { routes: Vec::new(), table: PolicyTable::new() }
    }

    /// Adds a route for `GET` and `HEAD`.
    ///
    /// # Panics
    ///
    /// As [`route`](Self::route).
    #[track_caller]
    pub fn get<T: 'static>(
        self,
        path: &str,
        requirement: impl IntoRequirement,
        handler: impl Handler<T, S>,
    ) -> Self {
        self.route(Method::GET, path, requirement, handler)
    }

    /// Adds a route for `POST`.
    ///
    /// # Panics
    ///
    /// As [`route`](Self::route).
    #[track_caller]
    pub fn post<T: 'static>(
        self,
        path: &str,
        requirement: impl IntoRequirement,
        handler: impl Handler<T, S>,
    ) -> Self {
        self.route(Method::POST, path, requirement, handler)
    }

    /// Adds a route for `PUT`.
    ///
    /// # Panics
    ///
    /// As [`route`](Self::route).
    #[track_caller]
    pub fn put<T: 'static>(
        self,
        path: &str,
        requirement: impl IntoRequirement,
        handler: impl Handler<T, S>,
    ) -> Self {
        self.route(Method::PUT, path, requirement, handler)
    }

    /// Adds a route for `PATCH`.
    ///
    /// # Panics
    ///
    /// As [`route`](Self::route).
    #[track_caller]
    pub fn patch<T: 'static>(
        self,
        path: &str,
        requirement: impl IntoRequirement,
        handler: impl Handler<T, S>,
    ) -> Self {
        self.route(Method::PATCH, path, requirement, handler)
    }

    /// Adds a route for `DELETE`.
    ///
    /// # Panics
    ///
    /// As [`route`](Self::route).
    #[track_caller]
    pub fn delete<T: 'static>(
        self,
        path: &str,
        requirement: impl IntoRequirement,
        handler: impl Handler<T, S>,
    ) -> Self {
        self.route(Method::DELETE, path, requirement, handler)
    }

    /// Adds a route for any of axum's methods.
    ///
    /// # Panics
    ///
    /// The path or the requirement is not valid, the requirement is bound to a path parameter that
    /// the path does not have, there is such a route already, or axum has no such method: told at
    /// start-up, with what would be right.
    #[track_caller]
    pub fn route<T: 'static>(
        mut self,
        method: Method,
        path: &str,
        requirement: impl IntoRequirement,
        handler: impl Handler<T, S>,
    ) -> Self {
        let requirement = match requirement.into_requirement() {
            Ok(requirement) => requirement,
            Err(error) => panic!("{method} {path}: {error}"),
        };
        let Some(filter) = filter(&method) else {
            panic!("axum routes no method {method}: {path} would never be called");
        };
        let needed = requirement.clone();
        let guard = move |layer: &TokenLayer| {
            if needed.is_public() {
                axum::routing::on(filter, handler)
            } else {
                axum::routing::on(filter, handler.scoped(needed).layer(layer.clone()))
            }
        };
        self.table = self.table.route(method.clone(), path, &requirement);
        self.routes.push(GuardedRoute {
            method,
            path: path.to_owned(),
            requirement,
            guard: Box::new(guard),
        });
        self
    }

    /// Adds all routes of another guarded router.
    ///
    /// # Panics
    ///
    /// Both have a route in common.
    #[track_caller]
    pub fn merge(mut self, other: Self) -> Self {
        for route in other.routes {
            self.table = self.table.route(route.method.clone(), &route.path, &route.requirement);
            self.routes.push(route);
        }
        self
    }

    /// Adds all routes of another guarded router under a prefix.
    ///
    /// # Panics
    ///
    /// The prefix does not start with `/`, or ends with one, or two routes become the same.
    #[track_caller]
    pub fn nest(self, prefix: &str, other: Self) -> Self {
        assert!(
            prefix.starts_with('/') && !prefix.ends_with('/'),
            "nest under a path such as \"/api\": {prefix:?} does not start with `/`, or ends with one"
        );
        let routes = other.routes.into_iter().map(|route| {
            let rest = if route.path == "/" { "" } else { &route.path };
            GuardedRoute { path: format!("{prefix}{rest}"), ..route }
        });
        self.merge(Self { routes: routes.collect(), table: PolicyTable::new() })
    }

    /// Gives the handlers their state.
    pub fn with_state<S2: Clone + Send + Sync + 'static>(self, state: S) -> GuardedRouter<S2> {
        let routes = self.routes.into_iter().map(|route| {
            let GuardedRoute { method, path, requirement, guard } = route;
            let state = state.clone();
            let guard = move |layer: &TokenLayer| guard(layer).with_state(state);
            GuardedRoute { method, path, requirement, guard: Box::new(guard) }
        });
        GuardedRouter { routes: routes.collect(), table: self.table }
    }

    /// What each route needs, as a table: to print, to compare with a snapshot, to give to a layer
    /// elsewhere.
    pub fn table(&self) -> &PolicyTable {
        &self.table
    }

    /// An ordinary router, with Hallpass's layer around every route that is not public.
    ///
    /// Routes that are added to it later are outside of the guard.
    ///
    /// # Panics
    ///
    /// The handle has a catalog, and a route needs a scope that is not in it.
    #[track_caller]
    pub fn into_router(self, hallpass: &Hallpass) -> Router<S> {
        self.into_router_with(hallpass, hallpass.layer())
    }

    /// As [`into_router`](Self::into_router), with a layer of your own settings.
    ///
    /// # Panics
    ///
    /// As [`into_router`](Self::into_router).
    #[track_caller]
    pub fn into_router_with(self, hallpass: &Hallpass, layer: TokenLayer) -> Router<S> {
        if let Some(catalog) = hallpass.catalog() {
            for route in &self.routes {
                if let Some(scope) = catalog.unknown_in(&route.requirement) {
                    panic!(
                        "{} {} needs {scope}, which the catalog does not list: add it there, or mend the route",
                        route.method, route.path
                    );
                }
            }
        }
        let guarded: HashSet<String> = self
            .routes
            .iter()
            .filter(|route| !route.requirement.is_public())
            .map(|route| route.path.clone())
            .collect();
        let (guarded, open): (Vec<_>, Vec<_>) =
            self.routes.into_iter().partition(|route| guarded.contains(&route.path));
        let assemble = |routes: Vec<GuardedRoute<S>>| {
            routes.into_iter().fold(Router::new(), |router, route| {
                router.route(&route.path, (route.guard)(&layer))
            })
        };
        let settings = RejectionSettings::of(hallpass);
        let other_method = async move || {
            let problem = no_such_method().await;
            problem.clone().render(problem.into_response(), &settings)
        };
        let other_method = other_method.scoped(authenticated()).layer(layer.clone());
        assemble(guarded).method_not_allowed_fallback(other_method).merge(assemble(open))
    }
}

impl<S: Clone + Send + Sync + 'static> Default for GuardedRouter<S> {
    fn default() -> Self {
        Self::new()
    }
}

/// The inventory: a line a route.
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
