//! Tests of the fields that a host's own spans contain.

use axum::Router;
use axum::routing::get;
use hallpass_axum::HandlerExt as _;
use hallpass_core::authenticated;
use tower_http::trace::TraceLayer;

use super::serving;
use crate::capture;
use crate::fixture::{Fixture, Setup};
use crate::host::Host;

/// Returns the lines of the log that contain this text.
fn lines(log: &[u8], text: &str) -> Vec<String> {
    let log = String::from_utf8_lossy(log);
    log.lines().filter(|line| line.contains(text)).map(str::to_owned).collect()
}

#[tokio::test]
async fn span_contains_the_owner_but_no_token() {
    for outside in [true, false] {
        let fixture = Fixture::new().await;
        let layer = fixture.layer(Setup::Default, Host::Axum.layer());
        let trace = TraceLayer::new_for_http().make_span_with(layer.make_span());
        let handler = async || tracing::info!(target: "inside", "the handler was called");
        let router = Router::new().route("/spans", get(handler.scoped(authenticated())));
        let app = if outside {
            router.layer(layer).layer(trace)
        } else {
            router.layer(trace).layer(layer)
        };
        let server = serving(fixture, app).await;
        let mark = capture::mark();
        let marker = format!("outside={outside}");
        let target = format!("/spans?{marker}&session={{T}}");
        assert_eq!(server.get(&target, "").await.status, 200);
        let log = capture::since(mark);
        let lines: Vec<_> = lines(&log, &format!("url.query=\"{marker}\""))
            .into_iter()
            .filter(|line| line.contains("the handler was called"))
            .collect();
        assert_eq!(lines.len(), 1, "{lines:?}");
        for field in [
            "enduser.id=\"alice\"",
            "http.request.method=\"GET\"",
            "http.route=\"/spans\"",
            "network.protocol.version=\"1.1\"",
            "otel.kind=\"server\"",
            "otel.name=\"GET /spans\"",
            "url.path=\"/spans\"",
        ] {
            assert!(lines[0].contains(field), "{field}: {lines:?}");
        }
        assert!(lines[0].contains("hallpass.token_id="), "{lines:?}");
        assert!(server.fixture.leak(&log).is_none());
    }
}
