//! How long a token shall be valid, as Magistrala's clients write it.

use hallpass::Expiry;
use hallpass::deps::jiff::SignedDuration;
use hallpass::parse_span;

use crate::fault::Fault;

/// Reads `30d` and the like, or Go's form: `720h`, `1h30m`, `1.5h`.
pub(crate) fn read(text: &str) -> Result<Expiry, Fault> {
    let go = || {
        let plain = text.bytes().all(|byte| byte.is_ascii_digit() || b"hms.".contains(&byte));
        plain.then(|| text.parse::<SignedDuration>().ok()).flatten()
    };
    parse_span(text).ok().or_else(go).map(Expiry::In).ok_or_else(|| {
        Fault::invalid("duration: write it as `720h`, `1h30m` or `30d`, and at least a minute")
    })
}
