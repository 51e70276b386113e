//! The duration of a PAT, as Magistrala's clients write it.

use hallpass::Expiry;
use hallpass::deps::jiff::SignedDuration;
use hallpass::parse_span;

use crate::error::ApiError;

/// Reads `30d`, `2w` and `1y`, and what Go reads: `720h`, `1h30m`, `1.5h`, `90000ms`.
pub(crate) fn read(text: &str) -> Result<Expiry, ApiError> {
    let go = || {
        let plain = text.chars().all(|c| c.is_ascii_digit() || ".hmsnuµ".contains(c));
        plain.then(|| text.parse::<SignedDuration>().ok()).flatten()
    };
    parse_span(text).ok().or_else(go).map(Expiry::In).ok_or_else(|| {
        ApiError::invalid("duration: write it as `720h`, `1h30m` or `30d`, at least a minute")
    })
}
