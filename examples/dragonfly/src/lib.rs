//! Dragonfly's personal access tokens on Hallpass: people sign in and manage them, programs call
//! the Open API with them.
//!
//! `docs/systems/dragonfly.md` says what became what.

mod answer;
mod open_api;
mod people;
#[cfg(test)]
mod tests;
mod tokens;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::middleware::{from_fn, map_response};
use axum::routing::post;
use hallpass::HallpassBuilder;
use hallpass::prelude::*;
use hallpass::{Catalog, CatalogScope, Hallpass};

use crate::answer::Fault;

/// Configures the handle on whatever store it was begun with.
pub fn configure(builder: HallpassBuilder) -> HallpassBuilder {
    let catalog = Catalog::new()
        .scope(
            CatalogScope::new("job", "Jobs")
                .with_description("Preheat, and see what became of it."),
        )
        .scope(CatalogScope::new("cluster", "Clusters").with_description("See the clusters."));
    builder.prefix("d7y").catalog(catalog)
}

/// Two realms: people who are signed in manage tokens, programs with a token call the Open API.
pub fn manager(hallpass: &Hallpass) -> Router {
    let logins = people::logins();
    let layer = logins.layer().bearer_only().on_rejection(answer::refused);
    let console = tokens::routes().with_state(hallpass.clone()).into_router_with(&logins, layer);
    let layer = hallpass.layer().query_parameters(["access_token"]).on_rejection(answer::refused);
    let open_api = open_api::routes().into_router_with(hallpass, layer);
    Router::new()
        .merge(console.layer(from_fn(people::cookie_as_bearer)))
        .merge(open_api)
        .route("/api/v1/users/signin", post(people::sign_in).with_state(logins))
        .fallback(async || Fault::new(StatusCode::NOT_FOUND, "there is nothing here"))
        .layer(DefaultBodyLimit::max(64 * 1024))
        .layer(map_response(answer::in_envelope))
}
