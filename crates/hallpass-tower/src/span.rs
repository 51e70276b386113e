//! Records the caller in the host's own spans.

use hallpass_core::Principal;
use tracing::Span;
use tracing::field::display;

/// Records the principal in the fields `hallpass.token_id` and `enduser.id` of the current span, if
/// the span declares them. The second name is OpenTelemetry's.
pub(crate) fn record(principal: &Principal) {
    let span = Span::current();
    if !span.is_none() {
        record_in(&span, principal);
    }
}

pub(crate) fn record_in(span: &Span, principal: &Principal) {
    if let Some(id) = principal.token_id() {
        span.record("hallpass.token_id", display(id));
    }
    span.record("enduser.id", principal.owner().as_str());
}
