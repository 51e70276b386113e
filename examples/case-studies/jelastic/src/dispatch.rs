//! The entry point of the API. Sessions and tokens come in the same places, and are checked by
//! different layers.

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::HeaderValue;
use axum::http::header::AUTHORIZATION;
use axum::response::Response;
use hallpass::Hallpass;
use tower::ServiceExt as _;

use crate::answer::ApiError;
use crate::parameters::{Parameters, form};
use crate::upload;

#[derive(Clone)]
pub(crate) struct Dispatch {
    pub(crate) sessions: Hallpass,
    pub(crate) by_session: Router,
    pub(crate) by_token: Router,
}

/// Chooses the layer that checks the credential. The layer decides whether the credential is valid,
/// and whether there is more than one.
pub(crate) async fn dispatch(
    State(handles): State<Dispatch>,
    request: Request,
) -> Result<Response, ApiError> {
    let (mut parts, body) = request.into_parts();
    let (sent, uploaded, body) = match form(&parts, body).await? {
        Ok(form) => (Parameters::of(&parts, &form), Vec::new(), Body::from(form)),
        Err(body) => {
            let (uploaded, body) = upload::sessions(&parts, body).await?;
            (Parameters::of(&parts, b""), uploaded, body)
        }
    };
    let is_session = |text: &str| handles.sessions.is_well_formed(text.as_bytes());
    let by_session =
        sent.each("session").chain(uploaded.iter().map(|text| &**text)).any(is_session);
    // The layers look for credentials in the header, in the query and in urlencoded forms. One from
    // a multipart form goes to the header, where it is counted together with the others.
    for credential in uploaded {
        let bearer = HeaderValue::try_from(format!("Bearer {credential}"));
        let mut bearer = bearer.map_err(|_| ApiError::authentication())?;
        bearer.set_sensitive(true);
        parts.headers.append(AUTHORIZATION, bearer);
    }
    let way = if by_session { handles.by_session } else { handles.by_token };
    way.oneshot(Request::from_parts(parts, body)).await.map_err(|never| match never {})
}

pub(crate) async fn no_such_method() -> ApiError {
    ApiError::not_found("method")
}
