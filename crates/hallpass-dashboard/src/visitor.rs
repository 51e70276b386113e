//! The visitor of the page, as the host's sign-in identifies them.

use axum::http::StatusCode;
use axum::response::Response;
use hallpass_axum::report_failed_sign_in;
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
                report_failed_sign_in("Dashboard", said.status());
                Self::Unknown
            }
            Err(said) if said.status() == StatusCode::FORBIDDEN => Self::Rejected,
            Err(_) => Self::Nobody,
        }
    }
}
