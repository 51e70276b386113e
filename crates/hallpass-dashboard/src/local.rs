//! Paths of the host's own that a page links to.

/// The path, if a browser stays on this origin when it follows it: `/login`, `../tokens`,
/// `./x?y=z`.
///
/// # Panics
///
/// It leads elsewhere (`https://…`, `//…`, `/\…`, `javascript:…`), or a browser would read it otherwise
/// than it is written.
#[track_caller]
pub(crate) fn local(what: &str, path: impl Into<String>) -> String {
    let path = path.into();
    let starts = path.starts_with('/') || path.starts_with("./") || path.starts_with("../");
    // Browsers take a backslash for a slash, and drop tabs and line breaks.
    let plain = path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    assert!(
        starts && plain && !path.starts_with("//"),
        "{what} is a path on this site, such as `/login` or `../login`, percent-encoded, and not {path:?}"
    );
    path
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
}
