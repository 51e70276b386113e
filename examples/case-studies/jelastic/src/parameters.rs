//! The parameters of a call, from the query and the form together.

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{FromRequest, Request};
use axum::http::Method;
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;

use crate::answer::ApiError;

/// The largest form that is read, in bytes.
const MAX_LEN: usize = 64 * 1024;

/// The parameters by name. Methods ignore unknown parameters.
pub(crate) struct Parameters(Vec<(String, String)>);

impl Parameters {
    pub(crate) fn of(parts: &Parts, form: &[u8]) -> Self {
        let read = |text| form_urlencoded::parse(text).into_owned();
        let query = parts.uri.query().unwrap_or_default();
        Self(read(query.as_bytes()).chain(read(form)).collect())
    }

    /// Returns each value of that name. An empty value counts as none.
    pub(crate) fn each(&self, name: &str) -> impl Iterator<Item = &str> {
        let named = self.0.iter().filter(move |(key, value)| key == name && !value.is_empty());
        named.map(|(_, value)| &**value)
    }

    pub(crate) fn optional(&self, name: &str) -> Result<Option<&str>, ApiError> {
        let mut values = self.each(name);
        match (values.next(), values.next()) {
            (_, Some(_)) => Err(ApiError::bad(name, "give it once")),
            (value, None) => Ok(value),
        }
    }

    /// Returns whether the parameter was sent with an empty value.
    pub(crate) fn is_emptied(&self, name: &str) -> bool {
        self.0.iter().any(|(key, value)| key == name && value.is_empty())
    }

    pub(crate) fn required(&self, name: &str) -> Result<&str, ApiError> {
        self.optional(name)?.ok_or_else(|| ApiError::bad(name, "it is missing"))
    }
}

impl<S: Sync> FromRequest<S> for Parameters {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        let (parts, body) = request.into_parts();
        Ok(Self::of(&parts, &form(&parts, body).await?.unwrap_or_else(|_| Bytes::new())))
    }
}

/// Returns the form if the body is an urlencoded one, and otherwise the body as it came.
pub(crate) async fn form(parts: &Parts, body: Body) -> Result<Result<Bytes, Body>, ApiError> {
    let kind = parts.headers.get(CONTENT_TYPE).map_or(&b""[..], |value| value.as_bytes());
    let essence = kind.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
    let is_form = essence.eq_ignore_ascii_case(b"application/x-www-form-urlencoded");
    if parts.method != Method::POST || !is_form {
        return Ok(Err(body));
    }
    let too_long = |_| ApiError::bad("form", "it is too long or incomplete");
    to_bytes(body, MAX_LEN).await.map(Ok).map_err(too_long)
}
