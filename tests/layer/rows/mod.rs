//! The table of hostile requests and their expected responses.
//!
//! A row is sent literally, with each `{NAME}` replaced by the text that the fixture has under that
//! name.

mod header;
mod query;
mod request;
mod send;

use crate::fixture::Setup;

/// The HTTP versions over which a row is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wires {
    Both,
    Http1,
    Http2,
}

/// The expected challenge of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Challenge {
    None,
    /// A challenge without an `error`.
    Bare,
    Error(&'static str),
    /// `insufficient_scope` with the required scope.
    Scope(&'static str),
}

impl Challenge {
    /// Returns the header value, if there is a challenge.
    pub(crate) fn text(self) -> Option<String> {
        let (error, description, scope) = match self {
            Self::None => return None,
            Self::Bare => return Some(r#"Bearer realm="api""#.to_owned()),
            Self::Error(error @ "invalid_request") => (error, "send one token, once", ""),
            Self::Error(error @ "invalid_token") => (error, "the token is not valid", ""),
            Self::Error(error) => (error, "the token does not allow this", ""),
            Self::Scope(scope) => ("insufficient_scope", "the token does not allow this", scope),
        };
        let text =
            format!(r#"Bearer realm="api", error="{error}", error_description="{description}""#);
        Some(if scope.is_empty() { text } else { format!(r#"{text}, scope="{scope}""#) })
    }
}

/// The expected number of calls of the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Loads {
    Never,
    /// One call, or none if the record is cached.
    UnlessCached,
    Once,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Owed {
    pub(crate) status: u16,
    pub(crate) challenge: Challenge,
    pub(crate) loads: Loads,
}

impl Owed {
    const fn new(status: u16, challenge: Challenge, loads: Loads) -> Self {
        Self { status, challenge, loads }
    }

    /// Returns the same expectation with another number of calls.
    const fn after(self, loads: Loads) -> Self {
        Self { loads, ..self }
    }
}

pub(crate) const ACCEPTED: Owed = Owed::new(200, Challenge::None, Loads::UnlessCached);
const NO_CREDENTIAL: Owed = Owed::new(401, Challenge::Bare, Loads::Never);
const INVALID_REQUEST: Owed = Owed::new(400, Challenge::Error("invalid_request"), Loads::Never);
const INVALID_TOKEN: Owed = Owed::new(401, Challenge::Error("invalid_token"), Loads::Never);
/// The table has no rule for the route, so every token is rejected.
const NOT_DECLARED: Owed =
    Owed::new(403, Challenge::Error("insufficient_scope"), Loads::UnlessCached);
/// The service rejects the method, behind the layer.
const METHOD_NOT_ALLOWED: Owed = Owed::new(405, Challenge::None, Loads::UnlessCached);

const fn insufficient_scope(scope: &'static str) -> Owed {
    Owed::new(403, Challenge::Scope(scope), Loads::UnlessCached)
}

/// The HTTP server rejects the request before the layer sees it.
const fn server(status: u16) -> Owed {
    Owed::new(status, Challenge::None, Loads::Never)
}

#[derive(Clone)]
pub(crate) struct Row {
    /// The name of the case, for failure messages.
    pub(crate) name: &'static str,
    pub(crate) wires: Wires,
    pub(crate) setup: Setup,
    pub(crate) method: &'static str,
    pub(crate) target: &'static str,
    pub(crate) headers: Vec<(&'static str, &'static [u8])>,
    /// The whole request, if it cannot be expressed as a list of headers.
    pub(crate) raw: Option<&'static str>,
    pub(crate) owed: Owed,
    /// The URI that the service sees, if the request reaches it.
    pub(crate) sees: &'static str,
    /// Whether a token is in the query.
    pub(crate) by_query: bool,
}

fn row(name: &'static str, owed: Owed) -> Row {
    Row {
        name,
        wires: Wires::Both,
        setup: Setup::Default,
        method: "GET",
        target: "/echo",
        headers: Vec::new(),
        raw: None,
        owed,
        sees: "/echo",
        by_query: false,
    }
}

impl Row {
    fn header(mut self, name: &'static str, value: &'static (impl AsRef<[u8]> + ?Sized)) -> Self {
        self.headers.push((name, value.as_ref()));
        self
    }

    fn authorization(self, value: &'static (impl AsRef<[u8]> + ?Sized)) -> Self {
        self.header("authorization", value)
    }

    fn target(mut self, target: &'static str) -> Self {
        self.target = target;
        self
    }

    /// Sets a target with a token in the query, and the URI that the service sees.
    fn query(mut self, target: &'static str, sees: &'static str) -> Self {
        (self.target, self.sees, self.by_query) = (target, sees, true);
        self
    }

    fn sees(mut self, uri: &'static str) -> Self {
        self.sees = uri;
        self
    }

    fn method(mut self, method: &'static str) -> Self {
        self.method = method;
        self
    }

    fn on(mut self, wires: Wires) -> Self {
        self.wires = wires;
        self
    }

    fn behind(mut self, setup: Setup) -> Self {
        self.setup = setup;
        self
    }

    fn raw(mut self, request: &'static str) -> Self {
        self.raw = Some(request);
        self.on(Wires::Http1)
    }
}

pub(crate) fn all() -> Vec<Row> {
    [header::rows(), query::rows(), request::rows()].concat()
}
