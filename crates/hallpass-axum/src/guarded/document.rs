//! The OpenAPI document of the host's own routes, generated from the declaration that is also
//! enforced.
//!
//! There are two ways to declare a route. A route with a handler and a requirement gets a minimal
//! description. A route with `#[utoipa::path]` gets its description from there, and its `security`
//! becomes the requirement. In both cases the document and the enforced requirement have the same
//! source, so they cannot differ.

use hallpass_core::{Hallpass, Requirement};
use hallpass_tower::PolicyTable;
use http::Method;
use serde_json::json;
use utoipa::openapi::path::{
    HttpMethod, Operation, OperationBuilder, ParameterBuilder, ParameterIn, Paths,
};
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{Components, InfoBuilder, OpenApi, OpenApiBuilder, Required};
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};

use super::{GuardedOperation, GuardedRoute, GuardedRouter};
use crate::handler::{Needs, enforce_needs};

/// The name of the security scheme in the document: a token as `Authorization: Bearer`.
const SCHEME: &str = "token";

impl<S: Clone + Send + Sync + 'static> GuardedRouter<S> {
    /// Adds handlers that [`utoipa::path`] documents, as `utoipa_axum::routes!` collects them. The
    /// requirement of each one comes from its `security` for the scheme `token`, and `security(())`
    /// is public. So the document always matches the enforced requirements.
    ///
    /// ```
    /// use hallpass_axum::{GuardedRouter, utoipa_axum::routes};
    ///
    /// #[utoipa::path(
    ///     get, path = "/projects/{id}",
    ///     responses((status = 200, body = String)),
    ///     security(("token" = ["projects:read:{id}"])),
    /// )]
    /// async fn show() -> &'static str { "atlas" }
    ///
    /// let api: GuardedRouter = GuardedRouter::new().openapi_routes(routes!(show));
    /// assert!(api.to_string().contains("projects:read:{id}"));
    /// ```
    ///
    /// # Panics
    ///
    /// Panics if an operation has no `security` or names another scheme, if public and other
    /// operations are in one `routes!`, or if [`route`](Self::route) does. The message explains how
    /// to correct it.
    #[track_caller]
    pub fn openapi_routes(mut self, (schemas, paths, router): UtoipaMethodRouter<S>) -> Self {
        let document = json!({ "openapi": "3.1.0", "paths": &paths }).to_string();
        let table = match PolicyTable::from_openapi_schemes(&document, &[SCHEME]) {
            Ok(table) => table,
            Err(error) => panic!("{error}"),
        };
        for path in paths.paths.keys() {
            let needs: Vec<_> = table
                .rules()
                .filter(|rule| rule.pattern() == path)
                .map(|rule| (rule.method().clone(), rule.requirement().clone()))
                .collect();
            let public = needs.iter().filter(|(_, requirement)| requirement.is_public()).count();
            assert!(
                public == 0 || public == needs.len(),
                "{path} has public and other operations in one `routes!`: put the public ones in a `routes!` of \
                 their own"
            );
            let operations = needs.iter().map(|(method, requirement)| GuardedOperation {
                method: method.clone(),
                requirement: requirement.clone(),
                documented: http_method(method)
                    .and_then(|method| paths.get_path_operation(path, method).cloned()),
            });
            let operations = operations.collect();
            let needs = Needs::EachMethod(needs.into());
            let layer = axum::middleware::from_fn_with_state(needs, enforce_needs);
            let router = router.clone().route_layer(layer);
            let path = path.clone();
            self = self.add(GuardedRoute { path, operations, router, outer: Vec::new() });
        }
        self.schemas.extend(schemas);
        self
    }

    /// Returns an OpenAPI 3.1 document of the routes. Each operation lists the scopes that it
    /// needs, as alternatives of the security scheme `token`.
    ///
    /// Routes of [`openapi_routes`](Self::openapi_routes) have the description from `utoipa`. The
    /// others have the method, the path and its parameters, and the security. The host sets title,
    /// version and servers.
    ///
    /// ```
    /// # use hallpass_axum::GuardedRouter;
    /// # async fn show() {}
    /// let api: GuardedRouter = GuardedRouter::new().get("/projects/{id}", "projects:read:{id}", show);
    /// let document = serde_json::to_value(api.openapi()).unwrap();
    /// let security = &document["paths"]["/projects/{id}"]["get"]["security"];
    /// assert_eq!(security.to_string(), r#"[{"token":["projects:read:{id}"]}]"#);
    /// ```
    #[must_use]
    pub fn openapi(&self) -> OpenApi {
        let mut paths = Paths::new();
        for route in &self.routes {
            let path = route.path.replace("{*", "{");
            for GuardedOperation { method, requirement, documented } in &route.operations {
                let Some(http_method) = http_method(method) else { continue };
                let mut operation =
                    documented.clone().unwrap_or_else(|| describe(&path, requirement));
                operation.security = Some(security(requirement));
                paths.add_path_operation(&path, vec![http_method], operation);
            }
        }
        let mut components = Components::new();
        components.schemas.extend(self.schemas.iter().cloned());
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("A token that its owner has issued."));
        components.add_security_scheme(SCHEME, SecurityScheme::Http(scheme.build()));
        OpenApiBuilder::new()
            .info(InfoBuilder::new().title("API").version("1").build())
            .paths(paths)
            .components(Some(components))
            .build()
    }

    /// Returns the guarded routes together with their [document](Self::openapi), for an application
    /// that is built with `utoipa_axum`.
    ///
    /// # Panics
    ///
    /// Panics if [`into_router`](Self::into_router) does.
    #[track_caller]
    pub fn into_openapi_router(self, hallpass: &Hallpass) -> OpenApiRouter<S> {
        let document = self.openapi();
        OpenApiRouter::with_openapi(document).merge(OpenApiRouter::from(self.into_router(hallpass)))
    }
}

/// Describes an operation that has no description of its own.
fn describe(path: &str, requirement: &Requirement) -> Operation {
    let names = path.split('{').skip(1).filter_map(|rest| rest.split_once('}'));
    let parameters = names.map(|(name, _)| {
        ParameterBuilder::new()
            .name(name)
            .parameter_in(ParameterIn::Path)
            .required(Required::True)
            .schema(Some(ObjectBuilder::new().schema_type(Type::String)))
            .build()
    });
    let response = |text: &str| ResponseBuilder::new().description(text).build();
    let mut operation = OperationBuilder::new()
        .parameters(Some(parameters))
        .response("default", response("The answer."));
    if !requirement.is_public() {
        operation = operation
            .response("401", response("The token is missing or not valid."))
            .response("403", response("The token lacks a scope that the operation needs."));
    }
    operation.build()
}

/// Writes a requirement as the `security` of an operation.
fn security(requirement: &Requirement) -> Vec<SecurityRequirement> {
    let alternatives = requirement.alternatives().into_iter();
    alternatives.map(|scopes| SecurityRequirement::new(SCHEME, scopes)).collect()
}

fn http_method(method: &Method) -> Option<HttpMethod> {
    Some(match *method {
        Method::GET => HttpMethod::Get,
        Method::POST => HttpMethod::Post,
        Method::PUT => HttpMethod::Put,
        Method::DELETE => HttpMethod::Delete,
        Method::OPTIONS => HttpMethod::Options,
        Method::HEAD => HttpMethod::Head,
        Method::PATCH => HttpMethod::Patch,
        Method::TRACE => HttpMethod::Trace,
        _ => return None,
    })
}
