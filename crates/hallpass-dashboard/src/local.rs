//! The host's own addresses that the page links to.

/// Returns the path if a browser stays on this origin when it follows it: `/login`, `../tokens`,
/// `./x?y=z`.
///
/// # Panics
///
/// Panics if it leads elsewhere (`https://…`, `//…`, `/\…`, `javascript:…`), or if a browser would read
/// it differently from how it is written.
#[track_caller]
pub(crate) fn local(what: &str, path: impl Into<String>) -> String {
    let path = path.into();
    let starts = path.starts_with('/') || path.starts_with("./") || path.starts_with("../");
    // Browsers treat a backslash as a slash, and remove tabs and line breaks.
    let plain = path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    assert!(
        starts && plain && !path.starts_with("//"),
        "{what} cannot be {path:?}: use a percent-encoded path on this site, such as `/login` or \
         `../login`"
    );
    path
}

/// Returns the address if it is a path on this site or an `https` URL.
///
/// # Panics
///
/// Panics if it is neither.
#[track_caller]
pub(crate) fn linkable(what: &str, address: impl Into<String>) -> String {
    let address = address.into();
    assert!(
        !address.starts_with("http:"),
        "{what} cannot be {address:?}: use an address with `https://`, or a path on this site"
    );
    let plain = address.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if plain && address.strip_prefix("https://").is_some_and(|rest| !rest.starts_with('/')) {
        return address;
    }
    local(what, address)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::panic::catch_unwind;

    #[test]
    fn only_paths_of_the_same_site_pass() {
        for path in ["/", "/login", "/login?next=/settings/tokens", "../tokens", "./a", "/a//b"] {
            assert_eq!(local("it", path), path);
        }
        for path in [
            "",
            "login",
            "//evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "/\t/evil.example",
            "https://evil.example",
            "javascript:alert(1)",
            " /login",
            "/lo gin",
            "/ü",
        ] {
            assert!(catch_unwind(|| local("it", path)).is_err(), "{path:?}");
        }
    }

    #[test]
    fn links_may_lead_to_other_sites_by_https_alone() {
        for address in ["/help", "https://docs.example.com/tokens?a#b"] {
            assert_eq!(linkable("it", address), address);
        }
        for address in
            ["http://x.example", "https:///x", "https://a\\b", "javascript:alert(1)", "data:,x"]
        {
            assert!(catch_unwind(|| linkable("it", address)).is_err(), "{address:?}");
        }
    }
}
