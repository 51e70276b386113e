//! Where a call is let in: sessions and tokens come the same way, and go through different doors.

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use hallpass::Hallpass;
use tower::ServiceExt as _;

use crate::answer::Fault;
use crate::parameters::{Parameters, form};

#[derive(Clone)]
pub(crate) struct Door {
    pub(crate) sessions: Hallpass,
    pub(crate) by_session: Router,
    pub(crate) by_token: Router,
}

/// Only chooses the door. Whether a credential is good, or one too many, is for the layer behind it
/// to say.
pub(crate) async fn enter(State(door): State<Door>, request: Request) -> Result<Response, Fault> {
    let (parts, body) = request.into_parts();
    let (sent, body) = match form(&parts, body).await? {
        Ok(form) => (Parameters::of(&parts, &form), Body::from(form)),
        Err(body) => (Parameters::of(&parts, b""), body),
    };
    let is_session = |text: &str| door.sessions.is_well_formed(text.as_bytes());
    let way = if sent.each("session").any(is_session) { door.by_session } else { door.by_token };
    way.oneshot(Request::from_parts(parts, body)).await.map_err(|never| match never {})
}

pub(crate) async fn no_such_method() -> Fault {
    Fault::not_found("method")
}
