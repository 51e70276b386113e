//! Tests that `use hallpass::*` shadows no crate. If a name were shadowed, this file would not
//! compile.

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
    // This type comes from the glob import, so that the import is used.
    let _: Actor = Actor::owner("alice");
}
