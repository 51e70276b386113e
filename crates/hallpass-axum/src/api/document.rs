use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{OpenApi, Server};

use super::input::{Call, Input};
use super::reply::Reply;
use crate::openapi::Page;
use crate::problem::Problem;
use crate::view::to_json;

/// The OpenAPI document, as seen from where the API is mounted.
pub(crate) struct Document(OpenApi);

impl Input for Document {
    async fn take(call: &mut Call) -> Result<Self, Problem> {
        let mut document = call.shared.document.clone();
        let mount = call.mount();
        document.servers = Some(vec![Server::new(if mount.is_empty() { "/" } else { mount })]);
        Ok(Self(document))
    }

    fn document(_: &mut Page) {}
}

impl Reply for Document {
    fn into_response(self) -> Response {
        let mut response = to_json(&self.0).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        response
    }

    fn document(page: &mut Page) {
        let content = ContentBuilder::new()
            .schema(Some(ObjectBuilder::new().schema_type(Type::Object)))
            .build();
        let answer = ResponseBuilder::new()
            .description("This document.")
            .content("application/json", content);
        page.success(StatusCode::OK, answer);
    }
}

pub(super) async fn openapi(document: Document) -> Result<Document, Problem> {
    Ok(document)
}
