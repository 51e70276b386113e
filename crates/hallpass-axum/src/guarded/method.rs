use axum::routing::MethodFilter;
use http::Method;

/// axum's filter for a method; `None` for one that axum does not route.
pub(super) fn filter(method: &Method) -> Option<MethodFilter> {
    MethodFilter::try_from(method.clone()).ok()
}
