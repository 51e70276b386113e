use std::collections::BTreeMap;

use http::HeaderMap;
use serde_json::Value;

/// A response with its body.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(super) async fn read(response: reqwest::Response) -> Result<Self, reqwest::Error> {
        Ok(Self {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body: response.text().await?,
        })
    }

    /// Returns the value of a header.
    ///
    /// # Panics
    ///
    /// Panics if the response does not have the header exactly once.
    #[track_caller]
    pub(crate) fn header(&self, name: &str) -> &str {
        let mut values = self.headers.get_all(name).iter();
        match (values.next(), values.next()) {
            (Some(value), None) => value.to_str().expect("text"),
            _ => panic!("expected one header {name}: {self:?}"),
        }
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Checks the status and returns the response.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self:?}");
        self
    }

    /// Checks that the response is a problem (RFC 9457) with this status and a `type` that ends
    /// with `kind`, and returns it.
    #[track_caller]
    pub(crate) fn problem(&self, status: u16, kind: &str) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.header("content-type"), "application/problem+json");
        assert_eq!(self.header("cache-control"), "no-store");
        let problem = self.json();
        assert_eq!(problem["status"], status);
        let r#type = problem["type"].as_str().expect("a type");
        assert!(r#type.ends_with(kind), "{problem}");
        for member in ["title", "detail"] {
            assert!(problem[member].as_str().is_some_and(|text| !text.is_empty()), "{problem}");
        }
        if status == 422 {
            let errors = problem["errors"].as_array().expect("a 422 lists the invalid fields");
            assert!(!errors.is_empty());
            for error in errors {
                assert!(error["field"].is_string() && error["message"].is_string(), "{problem}");
            }
        }
        problem
    }

    /// Returns the parameters of the challenge without its realm. Checks that it is a single
    /// `Bearer` challenge with a realm, and that all values are quoted.
    #[track_caller]
    pub(crate) fn challenge(&self) -> BTreeMap<String, String> {
        let mut rest = self.header("www-authenticate").strip_prefix("Bearer ").expect("a scheme");
        let mut parameters = BTreeMap::new();
        while !rest.is_empty() {
            let (name, value) = rest.split_once("=\"").expect("a quoted value");
            let (value, after) = value.split_once('"').expect("a closing quote");
            assert!(parameters.insert(name.to_owned(), value.to_owned()).is_none(), "{self:?}");
            rest = after.strip_prefix(", ").unwrap_or(after);
        }
        assert!(parameters.remove("realm").is_some_and(|realm| !realm.is_empty()), "{self:?}");
        parameters
    }

    /// Returns the cookie that the response sets, and its attributes in lower case and sorted.
    #[track_caller]
    pub(crate) fn cookie(&self) -> (String, Vec<String>) {
        let mut parts = self.header("set-cookie").split(';').map(str::trim);
        let cookie = parts.next().expect("a cookie").to_owned();
        let mut attributes: Vec<_> = parts.map(str::to_ascii_lowercase).collect();
        attributes.sort();
        (cookie, attributes)
    }
}
