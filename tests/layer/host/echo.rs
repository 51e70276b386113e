//! A service that responds with everything it can see of a request.

use std::fmt::{Debug, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use ::axum::extract::{MatchedPath, OriginalUri};
use bytes::Bytes;
use hallpass_tower::PrincipalExt;
use http::{Request, Response};
use http_body::Body;
use http_body_util::{BodyExt, Full};

/// The echo service. It counts the requests it has received.
#[derive(Clone, Default)]
pub(crate) struct Echo(Arc<AtomicU32>);

impl Echo {
    pub(crate) fn served(&self) -> u32 {
        self.0.load(Ordering::SeqCst)
    }

    pub(crate) async fn answer<B>(self, request: Request<B>) -> Response<Full<Bytes>>
    where
        B: Body<Data = Bytes, Error: Debug> + Debug,
    {
        self.0.fetch_add(1, Ordering::SeqCst);
        echo(request).await
    }
}

/// Describes a request in the response, with one line for each part.
pub(crate) async fn echo<B>(request: Request<B>) -> Response<Full<Bytes>>
where
    B: Body<Data = Bytes, Error: Debug> + Debug,
{
    let mut seen = String::new();
    let (uri, extensions) = (request.uri(), request.extensions());
    writeln!(seen, "method: {}", request.method()).unwrap();
    writeln!(seen, "uri: {uri}").unwrap();
    let original = extensions.get::<OriginalUri>().map_or(uri, |original| &original.0);
    writeln!(seen, "original: {original}").unwrap();
    let matched = extensions.get::<MatchedPath>().map_or("-", MatchedPath::as_str);
    writeln!(seen, "matched: {matched}").unwrap();
    let owner = request.principal().map_or("-", |principal| principal.owner().as_str());
    writeln!(seen, "owner: {owner}").unwrap();
    for (name, value) in request.headers() {
        writeln!(seen, "{name}: {}", String::from_utf8_lossy(value.as_bytes())).unwrap();
    }
    let principal = request.principal();
    writeln!(seen, "debug: {request:?} {extensions:?} {principal:?}").unwrap();
    tracing::info!(target: "inside", ?request, "the handler logs the whole request");
    match request.into_body().collect().await {
        Ok(body) => {
            let body = body.to_bytes();
            writeln!(seen, "body: {}", String::from_utf8_lossy(&body)).unwrap();
        }
        Err(error) => writeln!(seen, "no body: {error:?}").unwrap(),
    }
    Response::new(Full::from(seen))
}
