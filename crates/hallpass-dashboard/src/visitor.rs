//! The visitor of the page, as the host's sign-in identifies them.

use axum::http::StatusCode;
use axum::response::Response;
use hallpass_core::{Actor, Role};

/// The visitor of the page.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Visitor {
    /// Somebody who is signed in.
    Person {
        /// As tokens name their owner.
        id: String,
        /// Whether they see everybody's tokens.
        admin: bool,
    },
    /// Nobody is signed in.
    Nobody,
    /// Somebody whom the host does not want here.
    Refused,
    /// The host cannot tell just now.
    Unknown,
}

impl Visitor {
    /// As the API takes it: a fault of the sign-in is no verdict on the person.
    pub(crate) fn from(said: Result<Option<Actor>, Box<Response>>) -> Self {
        match said {
            Ok(Some(caller)) => Self::Person {
                id: caller.subject().unwrap_or(caller.id()).as_str().to_owned(),
                admin: caller.role() != Role::Owner,
            },
            Ok(None) => Self::Nobody,
            Err(said) if said.status().is_server_error() => {
                tracing::error!(
                    target: "hallpass",
                    status = said.status().as_u16(),
                    "the sign-in given to `Dashboard` failed: nobody can open the page"
                );
                Self::Unknown
            }
            Err(said) if said.status() == StatusCode::FORBIDDEN => Self::Refused,
            Err(_) => Self::Nobody,
        }
    }
}
