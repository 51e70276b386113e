//! The visitor of the page, as the host's sign-in identifies them.

use axum::http::StatusCode;
use axum::response::Response;
use hallpass_core::__private::Throttle;
use hallpass_core::{Actor, Role};

/// The visitor of the page.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Visitor {
    /// A person who is signed in.
    Person {
        /// The owner id of the person's tokens.
        id: String,
        /// Set if the person may see the tokens of all owners.
        admin: bool,
    },
    /// The visitor is not signed in.
    Nobody,
    /// A person whom the host does not allow to use the page.
    Rejected,
    /// The sign-in is not available at the moment.
    Unknown,
}

impl Visitor {
    /// As in the API, an error of the sign-in does not mean that the person is rejected.
    pub(crate) fn from(said: Result<Option<Actor>, Box<Response>>) -> Self {
        match said {
            Ok(Some(caller)) => Self::Person {
                id: caller.subject().unwrap_or(caller.id()).as_str().to_owned(),
                admin: caller.role() != Role::Owner,
            },
            Ok(None) => Self::Nobody,
            Err(said) if said.status().is_server_error() => {
                static THROTTLE: Throttle = Throttle::new();
                if let Some(count) = THROTTLE.count(1) {
                    tracing::error!(
                        target: "hallpass",
                        status = said.status().as_u16(),
                        count,
                        "the sign-in that was passed to `Dashboard` failed, so the page cannot be \
                         shown: if a middleware of yours adds what the sign-in reads, put that \
                         middleware outside of the page"
                    );
                }
                Self::Unknown
            }
            Err(said) if said.status() == StatusCode::FORBIDDEN => Self::Rejected,
            Err(_) => Self::Nobody,
        }
    }
}
