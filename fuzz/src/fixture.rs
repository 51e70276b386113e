//! A service behind the layer, with tokens that are accepted and tokens that are rejected.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::task::{Context, Poll};

use hallpass_core::{Actor, Hallpass, NewToken, public};
use hallpass_memory::MemoryStore;
use hallpass_tower::{PolicyTable, PrincipalExt, TokenLayer, TokenService};
use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, Request, Response, Uri};
use tower_layer::Layer;
use tower_service::Service;

use crate::now::now;
use crate::oracle::assemble;
use crate::words::Words;

/// The prefix of our tokens.
pub(crate) const PREFIX: &str = "hp";

/// The only path in the policy table of [`Setup::Public`].
pub(crate) const PUBLIC_PATH: &str = "/public";

/// The settings of a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Setup {
    Default,
    /// With two parameters that may carry a credential.
    Names,
    BearerOnly,
    Tripwire,
    Optional,
    /// With a policy table that makes [`PUBLIC_PATH`] public.
    Public,
}

impl Setup {
    pub(crate) const ALL: [Self; 6] = [
        Self::Default,
        Self::Names,
        Self::BearerOnly,
        Self::Tripwire,
        Self::Optional,
        Self::Public,
    ];

    /// Returns the parameters that may carry a credential.
    pub(crate) fn names(self) -> &'static [&'static str] {
        match self {
            Self::Names => &["session", "access_token"],
            Self::BearerOnly | Self::Tripwire => &[],
            Self::Default | Self::Optional | Self::Public => &["session"],
        }
    }

    fn layer(self, hallpass: &Hallpass) -> TokenLayer {
        let layer = TokenLayer::new(hallpass);
        match self {
            Self::Default => layer,
            Self::Names => layer.query_parameters(self.names().iter().copied()),
            Self::BearerOnly => layer.bearer_only(),
            Self::Tripwire => layer.bearer_only().reject_query_tokens(),
            Self::Optional => layer.optional(),
            Self::Public => layer.policy(PolicyTable::new().get(PUBLIC_PATH, public())),
        }
    }
}

/// The layers, and the tokens of one store.
pub(crate) struct Fixture {
    pub(crate) words: Words,
    /// The texts of tokens that are accepted.
    pub(crate) live: Vec<Vec<u8>>,
    services: Vec<(Setup, TokenService<Witness>)>,
}

impl Fixture {
    pub(crate) fn new() -> Self {
        let hallpass = Hallpass::builder(MemoryStore::new()).prefix(PREFIX).build();
        let alice = Actor::owner("alice");
        let issue = |name| now(hallpass.issue(&alice, NewToken::named(name))).expect("a token");
        let [token, other, revoked] = ["T", "U", "revoked"].map(issue);
        now(hallpass.revoke(&alice, revoked.record.id)).expect("a token is revoked");
        let text = |issued: &hallpass_core::Issued| issued.token.reveal().as_bytes().to_vec();
        let live = vec![text(&token), text(&other)];

        let first = &live[0];
        let letter = first.iter().rposition(u8::is_ascii_alphabetic).expect("a letter");
        let mut flipped = first.clone();
        flipped[letter] ^= 0x20;
        let encoded: String = first.iter().map(|byte| format!("%{byte:02X}")).collect();
        let words = Words::default()
            .with("T", &first[..])
            .with("U", &live[1][..])
            .with("REVOKED", text(&revoked))
            .with("UNKNOWN", assemble(PREFIX, 1, &"s".repeat(43)))
            .with("FOREIGN", assemble("other", 1, &"s".repeat(43)))
            .with("ENCODED", encoded)
            .with("FLIPPED", flipped)
            .with("SHORT", &first[..first.len() - 1])
            .with("LONG", "l".repeat(1024))
            .with("TAB", "\t")
            .with("LINE", "\n");
        let services =
            Setup::ALL.map(|setup| (setup, setup.layer(&hallpass).layer(Witness))).to_vec();
        Self { words, live, services }
    }

    /// Sends a request to each layer and returns the responses.
    pub(crate) fn answers(
        &self,
        uri: &Uri,
        lines: &HeaderMap,
    ) -> impl Iterator<Item = (Setup, Answer)> {
        self.services.iter().map(|(setup, service)| {
            let mut request = Request::new(());
            *request.uri_mut() = uri.clone();
            *request.headers_mut() = lines.clone();
            let Ok(response) = now(service.clone().call(request));
            (*setup, Answer::of(response))
        })
    }
}

/// Returns the lines as headers of a request, or `None` if an HTTP server would not accept one of
/// them.
pub(crate) fn authorization<'l>(lines: impl IntoIterator<Item = &'l [u8]>) -> Option<HeaderMap> {
    let mut headers = HeaderMap::new();
    for line in lines {
        headers.append(AUTHORIZATION, HeaderValue::from_bytes(line).ok()?);
    }
    Some(headers)
}

/// The response to a request.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// The `error` of the challenge.
    pub(crate) error: Option<String>,
    /// The request that the inner service received, if it was called.
    pub(crate) within: Option<Within>,
    pub(crate) headers: HeaderMap,
}

/// A request as the inner service sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Within {
    pub(crate) uri: String,
    /// The number of `Authorization` lines.
    pub(crate) lines: usize,
    pub(crate) is_known: bool,
}

impl Answer {
    fn of<B>(response: Response<B>) -> Self {
        let (parts, _) = response.into_parts();
        let challenge =
            parts.headers.get(WWW_AUTHENTICATE).map(|value| value.to_str().expect("ASCII"));
        let error = challenge
            .and_then(|challenge| challenge.split_once("error=\""))
            .and_then(|(_, rest)| rest.split_once('"'))
            .map(|(error, _)| error.to_owned());
        Self {
            status: parts.status.as_u16(),
            error,
            within: parts.extensions.get().cloned(),
            headers: parts.headers,
        }
    }
}

/// The inner service. Its response describes the request that it received.
#[derive(Clone)]
struct Witness;

impl Service<Request<()>> for Witness {
    type Response = Response<()>;
    type Error = Infallible;
    type Future = Ready<Result<Response<()>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<()>) -> Self::Future {
        let mut response = Response::new(());
        response.extensions_mut().insert(Within {
            uri: request.uri().to_string(),
            lines: request.headers().get_all(AUTHORIZATION).iter().count(),
            is_known: request.principal().is_some(),
        });
        ready(Ok(response))
    }
}
