//! What an operation answers, each with its own line in the OpenAPI document.

use axum::http::header::{CONTENT_TYPE, ETAG, LOCATION};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use hallpass_core::{Hallpass, Issued, TokenRecord};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::schema::{ObjectBuilder, Type};

use super::input::By;
use crate::openapi::Page;
use crate::view::{IssuedView, TokenView, to_json};

/// An answer.
pub(crate) trait Reply: Send {
    /// The answer to send.
    fn into_response(self) -> Response;

    /// Describes it.
    fn document(page: &mut Page);
}

/// 200 and a value.
pub(crate) struct Value<T>(pub(crate) T);

impl<T: Serialize + ToSchema + Send> Reply for Value<T> {
    fn into_response(self) -> Response {
        json(StatusCode::OK, &self.0)
    }

    fn document(page: &mut Page) {
        let answer = described::<T>(page, "What was asked for.");
        page.success(StatusCode::OK, answer);
    }
}

/// 200, a token and its `ETag`.
pub(crate) struct Shown(TokenView);

impl Shown {
    pub(crate) fn new(hallpass: &Hallpass, record: &TokenRecord) -> Self {
        Self(TokenView::new(record, hallpass.now()))
    }
}

impl Reply for Shown {
    fn into_response(self) -> Response {
        let mut response = json(StatusCode::OK, &self.0);
        let tag = format!("\"{}\"", self.0.revision());
        set(&mut response, ETAG, &tag);
        response
    }

    fn document(page: &mut Page) {
        let answer = described::<TokenView>(page, "The token as it is now.")
            .header("ETag", text_header("The token's revision, for `If-Match`."));
        page.success(StatusCode::OK, answer);
    }
}

/// 201, a new token with its secret, and where it is from now on.
pub(crate) struct Created {
    issued: Issued,
    by: By,
}

impl Created {
    pub(crate) fn new(by: By, issued: Issued) -> Self {
        Self { issued, by }
    }
}

impl Reply for Created {
    fn into_response(self) -> Response {
        let view = IssuedView::new(&self.issued, self.by.hallpass.now());
        let mut response = json(StatusCode::CREATED, &view);
        let location = format!("{}/{}", self.by.mount, self.issued.record.id);
        set(&mut response, LOCATION, &location);
        response
    }

    fn document(page: &mut Page) {
        let answer = described::<IssuedView<'_>>(page, "The new token, this once with its secret.")
            .header("Location", text_header("The token's own path."));
        page.success(StatusCode::CREATED, answer);
    }
}

/// 200, a token with its new secret.
pub(crate) struct Reissued {
    issued: Issued,
    by: By,
}

impl Reissued {
    pub(crate) fn new(by: By, issued: Issued) -> Self {
        Self { issued, by }
    }
}

impl Reply for Reissued {
    fn into_response(self) -> Response {
        json(StatusCode::OK, &IssuedView::new(&self.issued, self.by.hallpass.now()))
    }

    fn document(page: &mut Page) {
        let answer = described::<IssuedView<'_>>(page, "The token, this once with its new secret.");
        page.success(StatusCode::OK, answer);
    }
}

/// 204.
pub(crate) struct Done;

impl Reply for Done {
    fn into_response(self) -> Response {
        StatusCode::NO_CONTENT.into_response()
    }

    fn document(page: &mut Page) {
        page.success(StatusCode::NO_CONTENT, ResponseBuilder::new().description("Done."));
    }
}

fn json(status: StatusCode, value: &impl Serialize) -> Response {
    let mut response = (status, to_json(value)).into_response();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// Sets a header of printable ASCII.
fn set(response: &mut Response, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

fn described<T: ToSchema>(page: &mut Page, description: &str) -> ResponseBuilder {
    let content = ContentBuilder::new().schema(Some(page.schema::<T>())).build();
    ResponseBuilder::new().description(description).content("application/json", content)
}

pub(crate) fn text_header(description: &str) -> utoipa::openapi::Header {
    HeaderBuilder::new()
        .schema(Some(ObjectBuilder::new().schema_type(Type::String)))
        .description(Some(description))
        .build()
}
