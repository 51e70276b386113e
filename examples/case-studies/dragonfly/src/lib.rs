//! Dragonfly's personal access tokens on Hallpass: people sign in and manage them, programs call
//! the Open API with them.
//!
//! `docs/systems/dragonfly.md` shows how the original maps to Hallpass.

mod answer;
mod open_api;
mod pages;
mod people;
#[cfg(test)]
mod tests;
mod tokens;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::middleware::{from_fn, map_response};
use hallpass::HallpassBuilder;
use hallpass::prelude::*;
use hallpass::{Catalog, CatalogScope, Expiry, Hallpass, Limits};

use crate::answer::ApiError;

/// Configures the handle on the store of this builder.
pub fn configure(builder: HallpassBuilder) -> HallpassBuilder {
    let scope = |scope, title, description| {
        CatalogScope::new(scope, title)
            .with_description(description)
            .with_docs_url("https://d7y.io/docs/advanced-guides/personal-access-tokens/")
    };
    let catalog = Catalog::new()
        .scope(scope("preheat", "Preheating", "Preheat images for Harbor."))
        .scope(scope("job", "Jobs", "Preheat, and look at the result."))
        .scope(scope("cluster", "Clusters", "Read and change clusters."));
    // The calls name an expiration. This is where the page starts.
    let limits = Limits::default().default_expiry(Expiry::days(30));
    builder.prefix("d7y").catalog(catalog).limits(limits)
}

/// Builds the manager. People who are signed in manage tokens, and programs with a token call the
/// Open API.
pub fn manager(hallpass: &Hallpass) -> Router {
    let logins = people::logins();
    let layer = logins.layer().bearer_only().on_rejection(answer::write_rejection);
    let console = tokens::routes(hallpass).merge(people::routes(&logins));
    let layer_of_tokens =
        hallpass.layer().query_parameters(["access_token"]).on_rejection(answer::write_rejection);
    let api = Router::new()
        .merge(console.into_router_with(layer).layer(from_fn(people::cookie_as_bearer)))
        .merge(open_api::routes().into_router_with(layer_of_tokens))
        .merge(people::sign_in_routes(&logins))
        .fallback(async || ApiError::new(StatusCode::NOT_FOUND, "there is nothing here"))
        .layer(DefaultBodyLimit::max(64 * 1024))
        .layer(map_response(answer::in_envelope));
    // The pages have errors of their own, which the envelope above must not replace.
    api.merge(pages::routes(hallpass, &logins))
}
