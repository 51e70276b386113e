//! The OpenAPI document: what the handlers have in common, such as problems, the confirmation, and
//! how callers authenticate.
//!
//! The handlers declare their own parameters, bodies and successful responses. The rest is added
//! here from the kinds of problems of each operation, so that the document lists every status that
//! an operation can return. The tests check each response against the document.

use std::collections::{BTreeMap, BTreeSet};

use axum::http::StatusCode;
use hallpass_tower::PROBLEM_TYPE_PREFIX;
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{Operation, ParameterIn};
use utoipa::openapi::response::{Response, ResponseBuilder};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Components, OpenApi, Ref, RefOr, Required};
use utoipa::{IntoParams as _, ToSchema as _};

use crate::problem::{Kind, ProblemView};
use crate::responses::{IssuedView, TokenView};

#[derive(utoipa::OpenApi)]
#[openapi(
    info(title = "Tokens", description = include_str!("docs/openapi.md")),
    servers((url = ".")),
    components(schemas(ProblemView<'_>, TokenView, IssuedView)),
    security(("session" = []))
)]
struct Base;

/// Returns the document without operations.
pub(crate) fn base() -> OpenApi {
    let mut document = <Base as utoipa::OpenApi>::openapi();
    // The license of this crate is not that of the host's API.
    document.info.license = None;
    document
}

/// Adds the parts that are not declared at each handler. `cookie` is the name of the host's session
/// cookie.
pub(crate) fn complete(mut document: OpenApi, cookie: &str) -> OpenApi {
    for item in document.paths.paths.values_mut() {
        let changes = [&mut item.post, &mut item.patch, &mut item.delete];
        changes.into_iter().flatten().for_each(|operation| describe(operation, true));
        item.get.iter_mut().for_each(|operation| describe(operation, false));
    }
    let components = document.components.get_or_insert_with(Components::new);
    let description = "The host's own sign-in, which usually is a session cookie.";
    let session = ApiKey::Cookie(ApiKeyValue::with_description(cookie, description));
    components.add_security_scheme("session", SecurityScheme::ApiKey(session));
    let token = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(
        "A token, for calls about the token itself. It is not accepted in a query or together with \
         a cookie.",
    ));
    components.add_security_scheme("token", SecurityScheme::Http(token.build()));
    document
}

fn describe(operation: &mut Operation, changes: bool) {
    let id = operation.operation_id.clone().unwrap_or_default();
    let mut kinds: BTreeSet<_> = failures(&id).iter().copied().collect();
    kinds.extend([Kind::InvalidRequest, Kind::InvalidToken, Kind::Unavailable, Kind::Internal]);
    for parameter in operation.parameters.iter().flatten() {
        let RefOr::T(parameter) = parameter else { continue };
        kinds.insert(match parameter.parameter_in {
            ParameterIn::Path => Kind::NotFound,
            ParameterIn::Header => Kind::Stale,
            _ => Kind::Invalid,
        });
    }
    if let Some(RefOr::T(body)) = &mut operation.request_body {
        // `Option<T>` would document that the body may be `null`.
        if ["regenerateToken", "copyToken", "revokeToken"].contains(&&*id) {
            body.required = Some(Required::False);
        }
        kinds.extend([Kind::MalformedJson, Kind::TooLarge, Kind::NotJson, Kind::Invalid]);
    }
    match id.as_str() {
        "openapi" => kinds.extend([Kind::TokenNotAllowed]),
        "showCurrentToken" | "revokeCurrentToken" => kinds.extend([Kind::NoCredential]),
        _ => kinds.extend([Kind::TokenNotAllowed, Kind::NoCaller, Kind::CallerRejected]),
    }
    if changes {
        kinds.insert(Kind::OutcomeUnknown);
    }
    if changes && id != "revokeCurrentToken" {
        kinds.extend([
            Kind::CrossSite,
            Kind::ConfirmationRequired,
            Kind::ConfirmationFailed,
            Kind::TooManyAttempts,
        ]);
        let header = ConfirmationHeader::into_params(|| None).into_iter().map(RefOr::T);
        operation.parameters.get_or_insert_default().extend(header);
    }
    for (status, answer) in problems(&kinds) {
        operation.responses.responses.insert(status.as_str().to_owned(), RefOr::T(answer));
    }
}

/// Returns the kinds of problems of an operation, apart from those that all operations have.
fn failures(operation_id: &str) -> &'static [Kind] {
    match operation_id {
        "issueToken" => &[Kind::TokenLimit, Kind::ScopeNotGrantable, Kind::OwnerDisabled],
        "copyToken" => {
            &[Kind::OwnerOnly, Kind::TokenLimit, Kind::ScopeNotGrantable, Kind::OwnerDisabled]
        }
        "updateToken" => &[
            Kind::OwnerOnly,
            Kind::ScopeNotGrantable,
            Kind::OwnerDisabled,
            Kind::Conflict,
            Kind::Ended,
        ],
        "regenerateToken" | "addScopes" => {
            &[Kind::OwnerOnly, Kind::ScopeNotGrantable, Kind::OwnerDisabled, Kind::Conflict]
        }
        "removeScopes" | "endGracePeriod" => &[Kind::OwnerOnly, Kind::Conflict],
        "revokeToken" | "revokeCurrentToken" => &[Kind::Conflict],
        "deleteToken" | "deleteTokens" => &[Kind::Referenced],
        "revokeTokens" => &[Kind::AdminOnly, Kind::NotFound, Kind::Conflict],
        "listTokens" | "listAuditEntries" => &[Kind::AdminOnly],
        _ => &[],
    }
}

#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "it only documents the header")]
struct ConfirmationHeader {
    /// Required if the host requires a confirmation: the proof that the host asks for, of at
    /// most 1024 bytes, encoded as base64url.
    // If the host requires none, the header is ignored, so the schema has no other constraint.
    #[param(rename = "Hallpass-Confirmation", nullable = false)]
    confirmation: Option<String>,
}

/// Returns a response for each status of these kinds of problems.
fn problems(kinds: &BTreeSet<Kind>) -> BTreeMap<StatusCode, Response> {
    let mut by_status: BTreeMap<StatusCode, Vec<Kind>> = BTreeMap::new();
    for kind in kinds {
        by_status.entry(kind.status()).or_default().push(*kind);
    }
    let header = |text: &str| HeaderBuilder::new().description(Some(text)).build();
    let response = |status: StatusCode, kinds: Vec<Kind>| {
        let described: Vec<_> = kinds
            .iter()
            .map(|kind| format!("{} (`{PROBLEM_TYPE_PREFIX}{}`)", kind.title(), kind.slug()))
            .collect();
        let schema = Ref::from_schema_name(ProblemView::name());
        let mut response = ResponseBuilder::new().description(described.join("; ")).content(
            "application/problem+json",
            ContentBuilder::new().schema(Some(schema)).build(),
        );
        if kinds.contains(&Kind::NoCredential) {
            response = response.header("WWW-Authenticate", header("The challenge (RFC 6750)."));
        }
        if matches!(status, StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS) {
            let wait = "The number of seconds to wait before the next attempt.";
            response = response.header("Retry-After", header(wait));
        }
        response.build()
    };
    by_status.into_iter().map(|(status, kinds)| (status, response(status, kinds))).collect()
}
