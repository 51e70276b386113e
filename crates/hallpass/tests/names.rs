//! `use hallpass::*` hides no crate: a name that both have would not compile here, or would be
//! another thing than what the types say.

use hallpass::*;

#[test]
fn glob_import_shadows_no_crate() {
    let _: core::time::Duration = std::time::Duration::ZERO;
    let _: axum::Router = axum::Router::new();
    let _ = tower::ServiceBuilder::new();
    let _ = http::StatusCode::OK;
    let _ = hyper::Version::HTTP_11;
    let _ = metrics::Unit::Count;
    let _ = tonic::Code::Ok;
    let _ = tokio::time::Instant::now();
    // The import is used: this is the facade's.
    let _: Actor = Actor::owner("alice");
}
