//! Uploads, which are multipart forms with the session in one of their parts.

use axum::body::{Body, Bytes};
use axum::extract::multipart::MultipartError;
use axum::extract::{FromRequest, Multipart, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use futures::stream::{self, StreamExt as _};
use serde_json::json;

use crate::answer::{Answer, ApiError, Success};

/// The size of the part of an upload that is searched for the session, in bytes. Clients send it
/// before the file.
const MAX_START: usize = 64 * 1024;

/// The largest upload, in bytes.
pub(crate) const MAX_LEN: usize = 256 * 1024 * 1024;

/// Returns the sessions in the first parts of a multipart form, and the body as it came. Another
/// body has none.
pub(crate) async fn sessions(parts: &Parts, body: Body) -> Result<(Vec<String>, Body), ApiError> {
    let Some(kind) = parts.headers.get(CONTENT_TYPE).filter(|kind| is_multipart(kind.as_bytes()))
    else {
        return Ok((Vec::new(), body));
    };
    let mut rest = body.into_data_stream();
    let mut start = Vec::new();
    while start.len() < MAX_START
        && let Some(chunk) = rest.next().await
    {
        start.extend_from_slice(&chunk.map_err(|_| incomplete())?);
    }
    let start = Bytes::from(start);
    let searched = start.slice(..start.len().min(MAX_START));
    let request = Request::post("/").header(CONTENT_TYPE, kind).body(Body::from(searched));
    let request = request.map_err(|_| incomplete())?;
    let mut form = Multipart::from_request(request, &()).await.map_err(|_| incomplete())?;
    let mut found = Vec::new();
    // The form may be cut off in the middle of the file, which is an error only for its handler.
    while let Ok(Some(part)) = form.next_field().await {
        if part.name() == Some("session")
            && let Ok(session) = part.text().await
        {
            found.push(session);
        }
    }
    let body = stream::once(async { Ok(start) }).chain(rest);
    Ok((found, Body::from_stream(body)))
}

fn is_multipart(kind: &[u8]) -> bool {
    let essence = kind.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
    essence.eq_ignore_ascii_case(b"multipart/form-data")
}

fn incomplete() -> ApiError {
    ApiError::bad("form", "it is malformed or incomplete")
}

impl From<MultipartError> for ApiError {
    fn from(_: MultipartError) -> Self {
        incomplete()
    }
}

/// Receives an upload, and returns the name and the size of the file. The file is not kept, because
/// this example is about tokens.
pub(crate) async fn upload(mut form: Multipart) -> Answer {
    while let Some(mut part) = form.next_field().await? {
        let Some(name) = part.file_name().map(str::to_owned) else { continue };
        let mut size = 0;
        while let Some(chunk) = part.chunk().await? {
            size += chunk.len();
        }
        return Ok(Success(json!({ "name": name, "file": name, "size": size })));
    }
    Err(ApiError::bad("file", "it is missing"))
}
