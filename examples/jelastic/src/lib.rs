//! The access tokens of a Jelastic platform on Hallpass: the token as `session=`, a scope for each
//! method of the API, and HTTP 200 with a number in it whatever happens.
//!
//! `docs/systems/jelastic.md` says what became what.

mod answer;
mod door;
mod environments;
mod methods;
mod parameters;
mod people;
#[cfg(test)]
mod tests;
mod tokens;
mod view;

use axum::Router;
use axum::routing::get;
use hallpass::HallpassBuilder;
use hallpass::prelude::*;
use hallpass::{Catalog, Hallpass, TokenLayer};

use crate::door::{Door, no_such_method};
use crate::environments::Environments;
use crate::methods::Methods;
use crate::people::Confirmations;

/// What all methods share.
#[derive(Clone)]
struct App {
    hallpass: Hallpass,
    sessions: Hallpass,
    confirmations: Confirmations,
    environments: Environments,
}

impl App {
    fn catalog(&self) -> &Catalog {
        self.hallpass.catalog().expect("the handle is built with one")
    }
}

/// Configures the handle on whatever store it was begun with.
pub fn configure(builder: HallpassBuilder) -> HallpassBuilder {
    builder.prefix("jel").catalog(methods::catalog())
}

/// The platform's API: the same methods behind two doors, for people who have signed in and for
/// tokens.
pub fn platform(hallpass: &Hallpass) -> Router {
    let sessions = people::sessions();
    let app = App {
        hallpass: hallpass.clone(),
        sessions: sessions.clone(),
        confirmations: Confirmations::default(),
        environments: Environments::default(),
    };
    // Whatever is no method is told so behind the door: strangers learn nothing of what there is.
    let guarded = |methods: Router<App>, layer: TokenLayer| {
        let methods = methods.fallback(no_such_method).method_not_allowed_fallback(no_such_method);
        let layer = layer.on_rejection(answer::refused).with_form_field("session");
        methods.with_state(app.clone()).layer(layer)
    };
    let Methods { router, policy } = methods::of_tokens();
    let door = Door {
        by_session: guarded(methods::of_people(), sessions.layer()),
        by_token: guarded(router, hallpass.layer().policy(policy)),
        sessions,
    };
    let sign_in = get(people::sign_in).post(people::sign_in).with_state(app.clone());
    Router::new()
        .route(&methods::path("users.authentication.Signin"), sign_in)
        .method_not_allowed_fallback(no_such_method)
        .fallback(door::enter)
        .with_state(door)
}
