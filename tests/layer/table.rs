//! Sends every row to every host and compares the results with the expected ones.

use std::collections::HashMap;
use std::net::SocketAddr;

use crate::capture;
use crate::fixture::{Fixture, Setup};
use crate::host::{Echo, Host, TONIC_ECHO};
use crate::rows::{self, Challenge, Loads, Row, Wires};
use crate::wire::{Answer, Http1, Http2, Sent};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wire {
    Http1,
    Http2,
}

/// A host with all layers in front of its echo, over one version of HTTP.
struct Table {
    host: Host,
    wire: Wire,
    fixture: Fixture,
    is_warm: bool,
    echo: Echo,
    servers: HashMap<Setup, SocketAddr>,
    /// The body of the first `invalid_token` response. All others must be equal to it.
    invalid_token: Option<Vec<u8>>,
}

impl Table {
    async fn set_up(host: Host, wire: Wire, fixture: Fixture, is_warm: bool) -> Self {
        capture::start();
        let echo = Echo::default();
        let mut servers = HashMap::new();
        for setup in Setup::ALL {
            let layer = fixture.layer(setup, host.layer());
            servers.insert(setup, host.serve_echo(layer, echo.clone()).await);
        }
        Self { host, wire, fixture, is_warm, echo, servers, invalid_token: None }
    }

    /// Sends every row that this host and version of HTTP support. Panics with a list of all
    /// differences.
    async fn run(mut self) {
        let rows: Vec<_> = rows::all().into_iter().filter(|row| self.takes(row)).collect();
        let wrong: Vec<_> = {
            let mut wrong = Vec::new();
            for row in &rows {
                wrong.extend(
                    self.check(row)
                        .await
                        .into_iter()
                        .map(|what| format!("{}: {what}", describe(row))),
                );
            }
            wrong
        };
        assert!(rows.len() > 50, "only {} rows were sent", rows.len());
        let (host, wire) = (self.host, self.wire);
        assert!(wrong.is_empty(), "{host:?} over {wire:?}:\n{}", wrong.join("\n"));
    }

    fn takes(&self, row: &Row) -> bool {
        let wire = match self.wire {
            Wire::Http1 => row.wires != Wires::Http2,
            Wire::Http2 => row.wires != Wires::Http1,
        };
        // A gRPC request is a POST to a method, so only its headers and its query vary.
        let grpc = row.method == "GET" && matches!(row.target.split('?').next(), Some("/echo"));
        wire && (self.host != Host::Tonic || grpc)
    }

    async fn check(&mut self, row: &Row) -> Vec<String> {
        let (calls, served) = (self.fixture.calls(), self.echo.served());
        let mark = capture::mark();
        let answer = match self.wire {
            Wire::Http1 => {
                let request = row.http1(&self.fixture.words);
                Http1::exchange(self.servers[&row.setup], &request).await
            }
            Wire::Http2 => {
                let method = (self.host == Host::Tonic).then_some(TONIC_ECHO);
                let request = row.http2(&self.fixture.words, method);
                let mut connection = Http2::connect(self.servers[&row.setup]).await;
                match connection.send(request, Sent::Nothing).await {
                    Ok(answer) => answer,
                    Err(error) => return vec![format!("no response: {error}")],
                }
            }
        };
        let mut wrong = Vec::new();
        let mut compare = |what: &str, is: String, owed: String| {
            if is != owed {
                wrong.push(format!("{what} is {is}, not {owed}"));
            }
        };
        let status = if self.host == Host::Tonic { grpc_status(&answer) } else { answer.status };
        let owed =
            if self.host == Host::Tonic { grpc_code(row.owed.status) } else { row.owed.status };
        compare("status", status.to_string(), owed.to_string());
        if self.host != Host::Tonic {
            compare(
                "challenge",
                format!("{:?}", answer.header("www-authenticate")),
                format!("{:?}", row.owed.challenge.text().as_deref()),
            );
        }
        let loads = self.fixture.calls() - calls;
        compare("loads", loads.to_string(), self.owed_loads(row).to_string());
        let reached = self.echo.served() - served;
        compare(
            "requests served",
            reached.to_string(),
            u32::from(row.owed.status == 200).to_string(),
        );
        for (name, is, owed) in self.owed_headers(row, &answer) {
            compare(name, format!("{is:?}"), format!("{owed:?}"));
        }
        self.compare_bodies(row, &answer, &mut compare);

        let all = format!("{:?}", answer.headers).into_bytes();
        for (where_, text) in
            [("headers", &all), ("body", &answer.body), ("log", &capture::since(mark))]
        {
            if let Some(secret) = self.fixture.leak(text) {
                wrong.push(format!("found the secret {secret} in the {where_}"));
            }
        }
        wrong
    }

    fn owed_loads(&self, row: &Row) -> u32 {
        match row.owed.loads {
            Loads::Never => 0,
            Loads::UnlessCached => u32::from(!self.is_warm),
            Loads::Once => 1,
        }
    }

    /// Returns header names with their actual and expected values.
    fn owed_headers<'a>(
        &self,
        row: &Row,
        answer: &'a Answer,
    ) -> Vec<(&'static str, Option<&'a str>, Option<&'static str>)> {
        let rejected = row.owed.challenge != Challenge::None;
        let is_known = !rejected && row.owed.loads != Loads::Never;
        let (control, kind) = match row.owed.status {
            _ if rejected && self.host == Host::Tonic => {
                (Some("no-store"), Some("application/grpc"))
            }
            _ if rejected => (Some("no-store"), Some("application/problem+json")),
            200 if row.by_query => (Some("private, no-store"), None),
            _ if is_known => (Some("private"), None),
            _ => (None, None),
        };
        // Responses that the server makes before the layer have no such headers.
        let reached_layer = rejected || is_known || row.owed.status == 200;
        let referrer = if row.by_query { Some("no-referrer") } else { None };
        let mut headers = vec![
            ("cache-control", answer.header("cache-control"), control),
            ("content-type", answer.header("content-type"), kind),
            ("retry-after", answer.header("retry-after"), None),
            ("vary", answer.header("vary"), reached_layer.then_some("authorization")),
        ];
        if !rejected {
            headers.push(("referrer-policy", answer.header("referrer-policy"), referrer));
        }
        headers
    }

    fn compare_bodies(
        &mut self,
        row: &Row,
        answer: &Answer,
        compare: &mut impl FnMut(&str, String, String),
    ) {
        if row.method == "HEAD" {
            compare("body", answer.body.len().to_string(), "0".into());
            return;
        }
        if row.owed.status == 200 {
            let uri = self.fixture.words.fill(row.sees.as_bytes());
            let uri = self.seen_uri(std::str::from_utf8(&uri).unwrap());
            for name in ["uri", "original"] {
                let line =
                    answer.text().lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
                compare(name, line.unwrap_or("missing").into(), uri.clone());
            }
            let shown = answer.text().lines().any(|line| line.starts_with("authorization: "));
            compare("authorization header passed on", shown.to_string(), "false".into());
        } else if self.host != Host::Tonic && row.owed.challenge != Challenge::None {
            let status = format!("\"status\":{},", row.owed.status);
            compare(
                "status in the body",
                answer.text().contains(&status).to_string(),
                "true".into(),
            );
        }
        if row.owed.challenge == Challenge::Error("invalid_token") {
            let first = self.invalid_token.get_or_insert_with(|| answer.body.clone());
            compare(
                "body equals that of other invalid tokens",
                (*first == answer.body).to_string(),
                "true".into(),
            );
        }
    }

    /// Returns the URI as the service on this host sees it.
    fn seen_uri(&self, uri: &str) -> String {
        match (self.host, self.wire) {
            (Host::Tonic, _) => format!("http://localhost{}", uri.replacen("/echo", TONIC_ECHO, 1)),
            (_, Wire::Http2) => format!("http://localhost{uri}"),
            (_, Wire::Http1) => uri.to_owned(),
        }
    }
}

fn describe(row: &Row) -> String {
    let request = row.raw.unwrap_or(row.target);
    format!("{}: {} {:.60} {:?}", row.name, row.method, request, row.headers.first())
}

/// Returns the gRPC status of a response whose HTTP status is 200.
fn grpc_status(answer: &Answer) -> u16 {
    assert_eq!(answer.status, 200);
    answer.header("grpc-status").map_or(u16::MAX, |code| code.parse().unwrap())
}

/// Maps an HTTP status to the gRPC status `OK`, `UNAUTHENTICATED` or `PERMISSION_DENIED`.
fn grpc_code(status: u16) -> u16 {
    match status {
        200 => 0,
        400 | 401 => 16,
        403 => 7,
        other => panic!("no gRPC row expects the status {other}"),
    }
}

/// Defines a test for each host and version of HTTP, with the records in the store alone or also in
/// the cache.
macro_rules! tables {
    ($($name:ident: $host:ident over $wire:ident, $fixture:ident;)*) => {$(
        #[tokio::test]
        async fn $name() {
            let fixture = Fixture::$fixture().await;
            Table::set_up(Host::$host, Wire::$wire, fixture, stringify!($fixture) == "warm").await.run().await;
        }
    )*};
}

tables! {
    every_row_on_hyper_over_http1: Hyper over Http1, new;
    every_row_on_hyper_over_http1_from_a_cache: Hyper over Http1, warm;
    every_row_on_hyper_over_http2: Hyper over Http2, new;
    every_row_on_hyper_over_http2_from_a_cache: Hyper over Http2, warm;
    every_row_on_axum_over_http1: Axum over Http1, new;
    every_row_on_axum_over_http1_from_a_cache: Axum over Http1, warm;
    every_row_on_axum_over_http2: Axum over Http2, new;
    every_row_on_axum_over_http2_from_a_cache: Axum over Http2, warm;
    every_row_on_tonic: Tonic over Http2, new;
    every_row_on_tonic_from_a_cache: Tonic over Http2, warm;
}
