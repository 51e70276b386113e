//! `layer`: what the layer adds to a service, on a store in memory, and the parts of a check by
//! themselves.

use std::convert::Infallible;
use std::rc::Rc;

use anyhow::Result;
use hallpass_core::{Caller, Denied, Hallpass, NewToken, RefusedBecause};
use hallpass_memory::MemoryStore;
use hallpass_tower::HallpassExt;
use http::header::AUTHORIZATION;
use http::{Request, Response, StatusCode};
use tokio::runtime::{self, Runtime};
use tower::{Layer, Service, ServiceExt, service_fn};

use crate::harness::Bench;

pub(crate) fn bench() -> Result<Bench> {
    let runtime = Rc::new(runtime::Builder::new_current_thread().enable_time().build()?);
    let passes = Hallpass::builder(MemoryStore::new()).build();
    let new = NewToken::named("bench").scope("projects:read");
    let issued = runtime.block_on(passes.issue(&Caller::owner("alice"), new))?;
    let good = issued.token.reveal().to_owned();
    let malformed = with_a_typo(&good);

    let by_header = |token: &str| {
        Request::get("/api/projects").header(AUTHORIZATION, format!("Bearer {token}")).body(())
    };
    let by_query = Request::get(format!("/api/projects?session={good}")).body(())?;
    let open = service_fn(async |_: Request<()>| Ok::<_, Infallible>(Response::new(())));
    let guarded = passes.layer().layer(open);

    let mut bench = Bench::default();
    let request = by_header(&good)?;
    let no_layer =
        bench.case("no_layer", requests(&runtime, open, request.clone(), StatusCode::OK));
    let bearer = bench.case("bearer", requests(&runtime, guarded.clone(), request, StatusCode::OK));
    let no_layer_session =
        bench.case("no_layer_session", requests(&runtime, open, by_query.clone(), StatusCode::OK));
    let session =
        bench.case("session", requests(&runtime, guarded.clone(), by_query, StatusCode::OK));
    let request = by_header(&malformed)?;
    let refused =
        bench.case("malformed", requests(&runtime, guarded, request, StatusCode::UNAUTHORIZED));

    let (parser, text) = (passes.clone(), good.clone());
    let parse = bench.case("parse", move |count| {
        for _ in 0..count {
            assert!(parser.parse(text.as_bytes()).is_ok());
        }
    });
    let (parser, text) = (passes.clone(), malformed);
    let parse_malformed = bench.case("parse_malformed", move |count| {
        for _ in 0..count {
            let answer = parser.parse(text.as_bytes());
            assert!(matches!(answer, Err(Denied::Refused(RefusedBecause::Malformed))));
        }
    });
    let authenticate = bench.case(
        "authenticate",
        repeat(&runtime, async move || {
            assert!(passes.authenticate(good.as_bytes()).await.is_ok());
        }),
    );

    let added = bearer.beside(no_layer);
    bench.ratio("bearer_over_authenticate", added, authenticate);
    bench.ratio("session_over_bearer", session.beside(no_layer_session), added);
    bench.ratio("malformed_over_bearer", refused.beside(no_layer), added);
    bench.ratio("parse_over_authenticate", parse, authenticate);
    bench.ratio("parse_malformed_over_authenticate", parse_malformed, authenticate);
    Ok(bench)
}

/// The token with its last character changed, so that only the checksum tells.
fn with_a_typo(token: &str) -> String {
    let mut token = token.to_owned();
    let last = token.pop();
    token.push(if last == Some('0') { '1' } else { '0' });
    token
}

/// Sends the same request again and again. Copying it is part of the cost, with a layer and without.
fn requests<S, B>(
    runtime: &Rc<Runtime>,
    mut service: S,
    request: Request<()>,
    expected: StatusCode,
) -> impl FnMut(u32) + use<S, B>
where
    S: Service<Request<()>, Response = Response<B>, Error = Infallible>,
{
    repeat(runtime, async move || {
        let Ok(ready) = service.ready().await;
        let Ok(response) = ready.call(request.clone()).await;
        assert_eq!(response.status(), expected);
    })
}

/// Awaits the same thing again and again.
fn repeat<F: AsyncFnMut()>(runtime: &Rc<Runtime>, mut once: F) -> impl FnMut(u32) + use<F> {
    let runtime = Rc::clone(runtime);
    move |count| {
        runtime.block_on(async {
            for _ in 0..count {
                once().await;
            }
        });
    }
}
