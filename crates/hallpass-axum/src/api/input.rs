//! What an operation takes of a request, each with its own line in the OpenAPI document: reading it
//! and describing it are one declaration.

use std::future::Future;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{FromRequestParts, OriginalUri, RawPathParams};
use axum::http::request::Parts;
use hallpass_core::{Actor, Hallpass, Scope, TokenId};
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use utoipa::openapi::Required;
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::path::{ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{ObjectBuilder, SchemaFormat, Type};
use utoipa::{IntoParams, ToSchema};

use super::Shared;
use crate::body;
use crate::openapi::Page;
use crate::precondition::Precondition;
use crate::problem::{Kind, Problem};
use crate::strict::Sent;
use crate::texts::ScopeText;

/// A request that was let in.
pub(crate) struct Call {
    pub(crate) shared: Arc<Shared>,
    pub(crate) parts: Parts,
    pub(crate) body: Body,
    /// Who calls, where the operation asks.
    pub(crate) caller: Option<Actor>,
    /// The token that speaks for itself, at `/current`.
    pub(crate) token: Option<TokenId>,
    /// The operation's path under the mount.
    pub(crate) path: &'static str,
}

impl Call {
    /// Where the host mounted the API, without a slash at the end; empty at the root.
    pub(crate) fn mount(&self) -> &str {
        let uri = match self.parts.extensions.get::<OriginalUri>() {
            Some(OriginalUri(uri)) => uri,
            None => &self.parts.uri,
        };
        let below = self.path.split('/').filter(|segment| !segment.is_empty()).count();
        let path = uri.path();
        let path = path.strip_suffix('/').unwrap_or(path);
        (0..below).fold(path, |path, _| path.rsplit_once('/').map_or("", |(above, _)| above))
    }

    /// A parameter of the operation's path, percent-decoded. The host may mount the API below a
    /// parameter of the same name: the last one is the API's own.
    async fn path_parameter(&mut self, name: &str) -> Option<String> {
        let parameters = RawPathParams::from_request_parts(&mut self.parts, &()).await.ok()?;
        let own = parameters.iter().filter(|(key, _)| *key == name).last();
        own.map(|(_, value)| value.to_owned())
    }
}

/// A part of a request.
pub(crate) trait Input: Sized + Send {
    /// Reads it.
    fn take(call: &mut Call) -> impl Future<Output = Result<Self, Problem>> + Send;

    /// Describes it, and what may be wrong with it.
    fn document(page: &mut Page);
}

/// Who calls, and what for: in nearly every operation.
pub(crate) struct By {
    pub(crate) hallpass: Hallpass,
    pub(crate) caller: Actor,
    pub(crate) mount: String,
}

impl Input for By {
    async fn take(call: &mut Call) -> Result<Self, Problem> {
        let caller = call.caller.clone().ok_or_else(Problem::no_caller)?;
        Ok(Self { hallpass: call.shared.hallpass.clone(), caller, mount: call.mount().to_owned() })
    }

    fn document(page: &mut Page) {
        page.problems([Kind::Internal, Kind::Unavailable]);
    }
}

/// The token that an operation is about.
///
/// What is no id is looked up as one that no token has, so that it is told from an unknown one by
/// nothing: not the answer, not the time it takes.
pub(crate) struct Id(pub(crate) TokenId);

impl Input for Id {
    async fn take(call: &mut Call) -> Result<Self, Problem> {
        const NOBODY: &str = "00000000-0000-0000-0000-000000000000";
        let sent = call.path_parameter("id").await;
        sent.and_then(|text| text.parse().ok())
            .or_else(|| NOBODY.parse().ok())
            .map(Self)
            .ok_or_else(Problem::no_such_token)
    }

    fn document(page: &mut Page) {
        let uuid = ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::Custom("uuid".to_owned())));
        page.parameter(
            ParameterBuilder::new()
                .name("id")
                .parameter_in(ParameterIn::Path)
                .required(Required::True)
                .description(Some("The token's id."))
                .schema(Some(uuid)),
        );
        page.problems([Kind::NotFound]);
    }
}

/// A scope in the path.
pub(crate) struct HeldScope(pub(crate) Scope);

impl Input for HeldScope {
    async fn take(call: &mut Call) -> Result<Self, Problem> {
        let sent = call.path_parameter("scope").await;
        // What is no scope is held by no token.
        sent.and_then(|text| text.parse().ok())
            .map(Self)
            .ok_or_else(|| Problem::new(Kind::NotFound, "the token does not hold that scope"))
    }

    fn document(page: &mut Page) {
        let schema = page.schema::<ScopeText>();
        page.parameter(
            ParameterBuilder::new()
                .name("scope")
                .parameter_in(ParameterIn::Path)
                .required(Required::True)
                .description(Some("A scope that the token holds, percent-encoded."))
                .schema(Some(schema)),
        );
    }
}

impl Input for Precondition {
    async fn take(call: &mut Call) -> Result<Self, Problem> {
        Self::read(&call.parts.headers)
    }

    fn document(page: &mut Page) {
        page.parameter(
            ParameterBuilder::new()
                .name("If-Match")
                .parameter_in(ParameterIn::Header)
                .required(Required::False)
                .description(Some(
                    "The `ETag` of the token as it was last seen: the change is made only if it is still the \
                     same. `*` is any.",
                ))
                .schema(Some(
                    ObjectBuilder::new()
                        .schema_type(Type::String)
                        .pattern(Some(r#"^(\*|"[0-9]+")$"#))
                        .examples([r#""1""#]),
                )),
        );
        page.problems([Kind::InvalidRequest, Kind::Stale]);
    }
}

/// A JSON body.
pub(crate) struct Json<T>(pub(crate) T);

impl<T: for<'de> Deserialize<'de> + ToSchema + Send> Input for Json<T> {
    async fn take(call: &mut Call) -> Result<Self, Problem> {
        body::read(&call.parts.headers, std::mem::take(&mut call.body)).await.map(Self)
    }

    fn document(page: &mut Page) {
        document_body::<T>(page, Required::True);
    }
}

/// A JSON body that may be absent, and then says nothing.
pub(crate) struct OptionalJson<T>(pub(crate) T);

impl<T: for<'de> Deserialize<'de> + ToSchema + Default + Send> Input for OptionalJson<T> {
    async fn take(call: &mut Call) -> Result<Self, Problem> {
        let sent = body::read_optional(&call.parts.headers, std::mem::take(&mut call.body)).await?;
        Ok(Self(sent.unwrap_or_default()))
    }

    fn document(page: &mut Page) {
        document_body::<T>(page, Required::False);
    }
}

fn document_body<T: ToSchema>(page: &mut Page, required: Required) {
    let content = ContentBuilder::new().schema(Some(page.schema::<T>())).build();
    page.body(
        RequestBodyBuilder::new().required(Some(required)).content("application/json", content),
    );
    page.problems([Kind::MalformedJson, Kind::TooLarge, Kind::NotJson, Kind::Invalid]);
}

/// The parameters of the query.
pub(crate) struct Query<T>(pub(crate) T);

impl<T: for<'de> Deserialize<'de> + IntoParams + Send> Input for Query<T> {
    async fn take(call: &mut Call) -> Result<Self, Problem> {
        let query = call.parts.uri.query().unwrap_or_default();
        let pairs = query.split('&').filter(|pair| !pair.is_empty());
        let fields = pairs.map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Ok((decoded(name)?, Sent::Text(decoded(value)?)))
        });
        Sent::Object(fields.collect::<Result<_, Problem>>()?).read().map(Self)
    }

    fn document(page: &mut Page) {
        for parameter in T::into_params(|| Some(ParameterIn::Query)) {
            page.parameter(parameter);
        }
        page.problems([Kind::Invalid]);
    }
}

/// A name or value of a query, plus- and percent-decoded.
fn decoded(text: &str) -> Result<String, Problem> {
    let text = text.replace('+', " ");
    let decoded = percent_decode_str(&text).decode_utf8();
    decoded.map(Into::into).map_err(|_| Problem::invalid("query", "not UTF-8"))
}

/// The token that speaks for itself.
pub(crate) struct CurrentToken(pub(crate) TokenId);

impl Input for CurrentToken {
    async fn take(call: &mut Call) -> Result<Self, Problem> {
        call.token.map(Self).ok_or_else(|| Problem::new(Kind::NoCredential, NEEDS_TOKEN))
    }

    fn document(_: &mut Page) {}
}

/// What a caller without a token is told where one is needed.
pub(crate) const NEEDS_TOKEN: &str = "this needs a token: send it as `Authorization: Bearer`";
