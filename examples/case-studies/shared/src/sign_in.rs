//! The page on which people sign in, and where it leads.

use axum::response::{Html, Redirect};
use serde::Deserialize;

/// The address that the person wanted before signing in, in the query of the sign-in.
#[derive(Debug, Deserialize)]
pub struct Destination {
    next: Option<String>,
}

impl Destination {
    /// Redirects to that address if it begins with `page`, and to `page` otherwise.
    pub fn redirect(&self, page: &str) -> Redirect {
        let wanted = self.next.as_deref().filter(|path| path.starts_with(page));
        Redirect::to(wanted.unwrap_or(page))
    }
}

/// Builds the form of a product's sign-in. `field` is the name of its first field, and `label` is
/// what people read there.
pub fn sign_in_page(product: &str, label: &str, field: &str) -> Html<String> {
    Html(format!(
        r#"<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Sign in</title>
<h1>{product}</h1>
<form method="post">
  <p><label>{label} <input name="{field}" autocomplete="username" required></label>
  <p><label>Password <input name="password" type="password" autocomplete="current-password" required></label>
  <p><button>Sign in</button>
</form>
</html>
"#
    ))
}
