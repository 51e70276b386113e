//! The access tokens of a Jelastic platform on Hallpass: the token as `session=`, a scope for each
//! method of the API, and HTTP 200 with a result number in each response.
//!
//! `docs/systems/jelastic.md` shows how the original maps to Hallpass.

mod answer;
mod dispatch;
mod environments;
mod methods;
mod pages;
mod parameters;
mod people;
#[cfg(test)]
mod tests;
mod tokens;
mod upload;
mod view;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::get;
use case_studies::Numbers;
use hallpass::HallpassBuilder;
use hallpass::prelude::*;
use hallpass::{Actor, Catalog, Confirmation, Hallpass, TokenLayer};

use crate::dispatch::{Dispatch, no_such_method};
use crate::environments::Environments;
use crate::methods::Methods;
use crate::people::Confirmations;

/// The state that all methods share.
#[derive(Clone)]
struct App {
    hallpass: Hallpass,
    sessions: Hallpass,
    confirmations: Confirmations,
    numbers: Numbers,
    environments: Environments,
}

impl App {
    fn catalog(&self) -> &Catalog {
        self.hallpass.catalog().expect("the handle is built with one")
    }
}

/// Configures the handle on the store of this builder.
pub fn configure(builder: HallpassBuilder) -> HallpassBuilder {
    let confirmations = Confirmations::default();
    let builder = builder.prefix("jel").catalog(methods::catalog());
    builder.extension(confirmations.clone()).step_up(
        move |person: Actor, password: Confirmation| {
            std::future::ready(confirmations.confirms(&person, &password))
        },
    )
}

/// Builds the platform: the methods of its API, for people who have signed in and for tokens, and
/// the page for tokens.
pub fn platform(hallpass: &Hallpass) -> Router {
    let sessions = people::sessions(hallpass);
    let app = App {
        hallpass: hallpass.clone(),
        sessions: sessions.clone(),
        confirmations: hallpass.extension().cloned().unwrap_or_default(),
        numbers: Numbers::default(),
        environments: Environments::default(),
    };
    // Unknown methods are handled behind the layers, so the methods are not disclosed to strangers.
    let guarded = |methods: Router<App>, layer: TokenLayer| {
        let methods = methods.fallback(no_such_method).method_not_allowed_fallback(no_such_method);
        let layer = layer.on_rejection(answer::write_rejection).with_form_field("session");
        methods.with_state(app.clone()).layer(layer)
    };
    let Methods { router, policy } = methods::of_tokens();
    let handles = Dispatch {
        // A person who has signed in may call each of these methods.
        by_session: guarded(methods::of_people(), sessions.layer().reject_unguarded_routes(false)),
        by_token: guarded(router, hallpass.layer().policy(policy)),
        sessions,
    };
    let sign_in = get(people::sign_in).post(people::sign_in).with_state(app.clone());
    let pages = pages::routes(hallpass, &handles.sessions);
    Router::new()
        .route(&methods::path("users.authentication.Signin"), sign_in)
        .method_not_allowed_fallback(no_such_method)
        .fallback(dispatch::dispatch)
        .with_state(handles)
        .layer(DefaultBodyLimit::max(upload::MAX_LEN))
        .merge(pages)
}
