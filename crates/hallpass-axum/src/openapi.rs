//! The OpenAPI document, from the table that the router is built from.

use std::collections::{BTreeMap, BTreeSet};

use axum::http::StatusCode;
use hallpass_tower::PROBLEM_TYPE_PREFIX;
use utoipa::ToSchema;
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::path::{
    OperationBuilder, Parameter, ParameterBuilder, ParameterIn, PathsBuilder,
};
use utoipa::openapi::request_body::{RequestBody, RequestBodyBuilder};
use utoipa::openapi::response::{Response, ResponseBuilder, ResponsesBuilder};
use utoipa::openapi::schema::{
    ComponentsBuilder, KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type,
};
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{InfoBuilder, OpenApi, OpenApiBuilder, PathItem, Ref, RefOr, Required};

use crate::api::{Access, Operation, text_header};
use crate::problem::{Kind, ProblemView};

/// The name of the scheme for people who are signed in.
const SESSION: &str = "session";
/// The name of the scheme for tokens.
const TOKEN: &str = "token";

/// One operation's page, filled in by its inputs and its reply.
#[derive(Default)]
pub(crate) struct Page {
    parameters: Vec<Parameter>,
    body: Option<RequestBody>,
    success: Option<(StatusCode, Response)>,
    problems: BTreeSet<Kind>,
    schemas: Vec<(String, RefOr<Schema>)>,
}

impl Page {
    pub(crate) fn parameter(&mut self, parameter: impl Into<Parameter>) {
        self.parameters.push(parameter.into());
    }

    pub(crate) fn body(&mut self, body: RequestBodyBuilder) {
        self.body = Some(body.build());
    }

    pub(crate) fn success(&mut self, status: StatusCode, answer: ResponseBuilder) {
        self.success = Some((status, answer.build()));
    }

    pub(crate) fn problems(&mut self, kinds: impl IntoIterator<Item = Kind>) {
        self.problems.extend(kinds);
    }

    /// A reference to a type's schema, which the document will hold.
    pub(crate) fn schema<T: ToSchema>(&mut self) -> RefOr<Schema> {
        self.schemas.push((T::name().into_owned(), T::schema()));
        T::schemas(&mut self.schemas);
        RefOr::Ref(Ref::from_schema_name(T::name()))
    }
}

impl Access {
    fn security(self) -> Vec<SecurityRequirement> {
        let none: [String; 0] = [];
        match self {
            Self::Anyone => Vec::new(),
            Self::Actor => vec![SecurityRequirement::new(SESSION, none)],
            // OpenAPI 3.1 lists roles here for schemes that have no scopes.
            Self::Admin => vec![SecurityRequirement::new(SESSION, ["admin"])],
            Self::Token => vec![SecurityRequirement::new(TOKEN, none)],
        }
    }

    /// What may be wrong with who calls.
    fn problems(self, changes: bool) -> Vec<Kind> {
        let mut kinds = vec![Kind::InvalidRequest, Kind::InvalidToken, Kind::Unavailable];
        match self {
            Self::Anyone => kinds.push(Kind::TokenNotAllowed),
            Self::Token => kinds.push(Kind::NoCredential),
            Self::Actor | Self::Admin => {
                kinds.extend([Kind::TokenNotAllowed, Kind::NoCaller, Kind::CallerRefused]);
            }
        }
        if self == Self::Admin {
            kinds.push(Kind::AdminOnly);
        }
        if changes && self != Self::Token {
            kinds.push(Kind::CrossSite);
        }
        kinds
    }
}

/// The document of these operations; `cookie` is the name of the host's own, and `confirms` says
/// whether it asks for a confirmation.
pub(crate) fn document(operations: &[Operation], cookie: &str, confirms: bool) -> OpenApi {
    let mut schemas = BTreeMap::new();
    let mut problem = Page::default();
    problem.schema::<ProblemView<'_>>();
    schemas.extend(problem.schemas);
    let mut paths = PathsBuilder::new();
    for operation in operations {
        let mut page = Page::default();
        (operation.document)(&mut page);
        page.problems(operation.failures.iter().copied());
        page.problems(operation.access.problems(operation.method.changes()));
        if confirms && operation.needs_confirmation() {
            confirmation(&mut page);
        }
        schemas.extend(std::mem::take(&mut page.schemas));
        paths = paths.path(operation.path, path_item(operation, page));
    }
    let components = schemas
        .into_iter()
        .fold(ComponentsBuilder::new(), |components, (name, schema)| {
            components.schema(name, schema)
        })
        .security_scheme(SESSION, session(cookie))
        .security_scheme(TOKEN, token());
    OpenApiBuilder::new()
        .info(
            InfoBuilder::new()
                .title("Tokens")
                .version(env!("CARGO_PKG_VERSION"))
                .description(Some(include_str!("docs/openapi.md"))),
        )
        .paths(paths)
        .components(Some(components.build()))
        .build()
}

/// What a change takes where the host asks for a confirmation, and what may be wrong with it.
fn confirmation(page: &mut Page) {
    page.parameter(
        ParameterBuilder::new()
            .name("Hallpass-Confirmation")
            .parameter_in(ParameterIn::Header)
            .required(Required::True)
            .description(Some(
                "What confirms the change, such as the caller's password: base64url of its UTF-8 text, of at \
                 most 1024 bytes.",
            ))
            .schema(Some(
                ObjectBuilder::new()
                    .schema_type(Type::String)
                    .format(Some(SchemaFormat::KnownFormat(KnownFormat::Password)))
                    .pattern(Some("^[A-Za-z0-9_-]+={0,2}$"))
                    .max_length(Some(1368)),
            )),
    );
    page.problems([Kind::ConfirmationRequired, Kind::ConfirmationFailed, Kind::TooManyAttempts]);
}

fn path_item(operation: &Operation, page: Page) -> PathItem {
    let mut documented = OperationBuilder::new()
        .operation_id(Some(operation.id))
        .summary(Some(operation.summary))
        .description(operation.description)
        .request_body(page.body)
        .securities(Some(operation.access.security()));
    for parameter in page.parameters {
        documented = documented.parameter(parameter);
    }
    let mut responses = ResponsesBuilder::new();
    if let Some((status, answer)) = page.success {
        responses = responses.response(status.as_str(), answer);
    }
    for (status, answer) in problems(&page.problems) {
        responses = responses.response(status.as_str(), answer);
    }
    PathItem::new(operation.method.documented(), documented.responses(responses.build()).build())
}

/// An answer for each status that these kinds of problems have.
fn problems(kinds: &BTreeSet<Kind>) -> BTreeMap<StatusCode, Response> {
    let mut by_status: BTreeMap<StatusCode, Vec<Kind>> = BTreeMap::new();
    for kind in kinds {
        by_status.entry(kind.status()).or_default().push(*kind);
    }
    let answer = |status: StatusCode, kinds: Vec<Kind>| {
        let described: Vec<_> = kinds
            .iter()
            .map(|kind| format!("{} (`{PROBLEM_TYPE_PREFIX}{}`)", kind.title(), kind.slug()))
            .collect();
        let schema = Ref::from_schema_name(ProblemView::name());
        let mut answer = ResponseBuilder::new().description(described.join("; ")).content(
            "application/problem+json",
            ContentBuilder::new().schema(Some(schema)).build(),
        );
        if kinds.contains(&Kind::NoCredential) {
            answer = answer.header("WWW-Authenticate", text_header("The challenge (RFC 6750)."));
        }
        if matches!(status, StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS) {
            answer = answer.header("Retry-After", text_header("Seconds until it is worth a try."));
        }
        answer.build()
    };
    by_status.into_iter().map(|(status, kinds)| (status, answer(status, kinds))).collect()
}

fn session(cookie: &str) -> SecurityScheme {
    let description =
        "Somebody who is signed in, however the host does that: usually its session cookie.";
    SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::with_description(cookie, description)))
}

fn token() -> SecurityScheme {
    let scheme = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("A token, for itself; never in a query, never beside a cookie."));
    SecurityScheme::Http(scheme.build())
}
