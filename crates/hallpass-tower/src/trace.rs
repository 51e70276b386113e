//! Spans for tower-http's `TraceLayer` that contain no token.

use std::sync::Arc;

use http::{Request, Uri, Version};
use tower_http::trace::MakeSpan;
use tracing::Span;
use tracing::field::Empty;

use crate::auth_context::AuthContext;
use crate::credentials::cut_text;
use crate::settings::Settings;
use crate::span;

/// Creates the spans of tower-http's `TraceLayer` without the tokens that URLs contain.
/// [`TokenLayer::make_span`](crate::TokenLayer::make_span) returns it.
///
/// The names of a span's fields are those of OpenTelemetry's conventions for HTTP servers:
/// `otel.name`, `otel.kind`, `http.request.method`, `http.route` (if the router has matched
/// already), `url.path`, `url.query` and `network.protocol.version`. After authentication, the
/// layer records the owner as `enduser.id`, and the token as `hallpass.token_id`.
#[derive(Clone, Debug)]
pub struct RedactingMakeSpan(Arc<Settings>);

impl RedactingMakeSpan {
    pub(crate) fn new(settings: &Arc<Settings>) -> Self {
        Self(Arc::clone(settings))
    }

    /// Returns path and query without tokens and without the parameters that may carry one.
    fn redact(&self, uri: &Uri) -> String {
        let Self(settings) = self;
        let is_token = |text: &[u8]| settings.hallpass.is_well_formed(text);
        let text = uri.path_and_query().map_or("", |target| target.as_str());
        let (path, query) = text.split_at(text.find('?').unwrap_or(text.len()));
        let redact_segment =
            |segment| if is_token(str::as_bytes(segment)) { "..." } else { segment };
        let path: Vec<_> = path.split('/').map(redact_segment).collect();
        let text = path.join("/") + query;
        let names = [settings.sources.query_names(), &settings.watched_names].concat();
        match cut_text(text.as_bytes(), &names, is_token) {
            Some(cut) => String::from_utf8_lossy(&cut).into_owned(),
            None => text,
        }
    }
}

impl<B> MakeSpan<B> for RedactingMakeSpan {
    fn make_span(&mut self, request: &Request<B>) -> Span {
        let target = self.redact(request.uri());
        let (path, query) = match target.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (&*target, None),
        };
        let method = request.method().as_str();
        let route = self.0.matched(request.extensions());
        let span = tracing::info_span!(
            target: "hallpass",
            "request",
            otel.name = route.map_or_else(|| method.to_owned(), |route| format!("{method} {route}")),
            otel.kind = "server",
            http.request.method = method,
            http.route = route,
            url.path = path,
            url.query = query,
            network.protocol.version = protocol_version(request.version()),
            enduser.id = Empty,
            hallpass.token_id = Empty,
        );
        // Inside of the layer, the request is authenticated already.
        if let Some(principal) = AuthContext::peek(request.extensions()) {
            span::record_in(&span, principal);
        }
        span
    }
}

/// Returns the version as OpenTelemetry writes it, if it is known.
fn protocol_version(version: Version) -> Option<&'static str> {
    match version {
        Version::HTTP_10 => Some("1.0"),
        Version::HTTP_11 => Some("1.1"),
        Version::HTTP_2 => Some("2"),
        Version::HTTP_3 => Some("3"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use hallpass_core::{Actor, Hallpass, NewToken};

    use super::*;

    #[tokio::test(flavor = "current_thread")]
    async fn no_part_of_a_url_shows_a_token() {
        let hallpass = Hallpass::builder(hallpass_memory::MemoryStore::new()).build();
        let new = NewToken::named("ci");
        let issued = hallpass.issue(&Actor::owner("alice"), new).await.unwrap();
        let token = issued.token.reveal();
        let redacting = RedactingMakeSpan::new(&Arc::new(Settings::new(hallpass.clone())));
        for (uri, shown) in [
            ("/a?b=1".to_owned(), "/a?b=1"),
            (format!("/a?b=1&session={token}"), "/a?b=1"),
            (format!("/a?other={token}&c"), "/a?c"),
            ("/a?session=misspelt".to_owned(), "/a"),
            (format!("/a/{token}/b?c=1"), "/a/.../b?c=1"),
            (format!("http://u:p@host/a?session={token}"), "/a"),
            ("*".to_owned(), "*"),
        ] {
            assert_eq!(redacting.redact(&uri.parse().unwrap()), shown, "{uri}");
        }
    }
}
