//! The feature `aide`: scoped handlers for [`aide`]'s routers. The requirement of a handler is in
//! the OpenAPI document that aide generates, under the security scheme `token`.
//!
//! ```
//! use aide::axum::ApiRouter;
//! use aide::openapi::OpenApi;
//! use hallpass_axum::{HallpassExt, HandlerExt, aide_routing::{get, post}};
//! # use hallpass_core::Hallpass;
//! # use hallpass_memory::MemoryStore;
//! # async fn list() {}
//! # async fn create() {}
//!
//! # let hallpass = Hallpass::builder(MemoryStore::new()).build();
//! let mut document = OpenApi::default();
//! let app: axum::Router = ApiRouter::new()
//!     .api_route(
//!         "/projects",
//!         get(list.scoped("projects:list")).merge(post(create.scoped("projects:create"))),
//!     )
//!     .finish_api(&mut document)
//!     .layer(hallpass.layer());
//! let written = serde_json::to_value(&document).unwrap();
//! let security = &written["paths"]["/projects"]["post"]["security"];
//! assert_eq!(security.to_string(), r#"[{"token":["projects:create"]}]"#);
//! ```
//!
//! The extractors [`Authenticated`] and [`Scoped`] document themselves in the same way, with aide's
//! own routing functions.
//!
//! Both ways read the same requirement that the layer enforces, so the document always matches the
//! behaviour of the service.

use aide::axum::routing::{
    ApiMethodRouter, delete_with, get_with, patch_with, post_with, put_with,
};
use aide::generate::GenContext;
use aide::openapi::{Operation, SecurityRequirement};
use aide::operation::OperationHandler;
use aide::transform::TransformOperation;
use aide::{OperationInput, OperationOutput};
use axum::handler::Handler;
use hallpass_core::{Requirement, authenticated};

use crate::extract::{Authenticated, RequiredScope, Scoped, requirement_of};
use crate::handler::ScopedHandler;

/// The name of the security scheme.
const SCHEME: &str = "token";

impl<H, T, S, I, O> OperationHandler<I, O> for ScopedHandler<H, T, S>
where
    H: OperationHandler<I, O>,
    I: OperationInput,
    O: OperationOutput,
{
}

impl OperationInput for Authenticated {
    fn operation_input(_: &mut GenContext, operation: &mut Operation) {
        document(operation, &authenticated());
    }
}

impl<T: RequiredScope> OperationInput for Scoped<T> {
    fn operation_input(_: &mut GenContext, operation: &mut Operation) {
        document(operation, &requirement_of::<T>());
    }
}

/// Writes the requirement of an operation into its description. aide omits an empty list, so a
/// public operation gets one empty alternative, which has the same meaning.
fn document(operation: &mut Operation, requirement: &Requirement) {
    let alternative = |scopes| SecurityRequirement::from_iter([(SCHEME.to_owned(), scopes)]);
    operation.security = if requirement.is_public() {
        vec![SecurityRequirement::default()]
    } else {
        requirement.alternatives().into_iter().map(alternative).collect()
    };
}

/// Returns a function that adds the requirement to an operation's description, for aide's
/// `get_with` and similar functions.
pub fn needs(
    requirement: &Requirement,
) -> impl FnOnce(TransformOperation<'_>) -> TransformOperation<'_> + use<> {
    let requirement = requirement.clone();
    move |mut operation| {
        document(operation.inner_mut(), &requirement);
        operation
    }
}

macro_rules! methods {
    ($($name:ident $with:ident $text:literal)*) => {
        $(
            #[doc = concat!("Routes `", $text, "` to a scoped handler, and documents what it needs.")]
            pub fn $name<H, T, S, I, O>(handler: ScopedHandler<H, T, S>) -> ApiMethodRouter<S>
            where
                H: Handler<T, S> + OperationHandler<I, O>,
                T: 'static,
                S: Clone + Send + Sync + 'static,
                I: OperationInput,
                O: OperationOutput,
            {
                let needs = needs(handler.requirement());
                $with(handler, needs)
            }
        )*
    };
}

methods! {
    get get_with "GET` and `HEAD"
    post post_with "POST"
    put put_with "PUT"
    patch patch_with "PATCH"
    delete delete_with "DELETE"
}
