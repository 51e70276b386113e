use std::collections::BTreeMap;

use http::HeaderMap;
use serde_json::Value;

/// What came back.
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

    /// The one header of that name.
    #[track_caller]
    pub(crate) fn header(&self, name: &str) -> &str {
        let mut values = self.headers.get_all(name).iter();
        match (values.next(), values.next()) {
            (Some(value), None) => value.to_str().expect("text"),
            _ => panic!("not one {name}: {self:?}"),
        }
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The answer, if it has that status.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self:?}");
        self
    }

    /// The problem in it, which must be one as RFC 9457 and the contract want it, of this status
    /// and with a `type` that ends so.
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
            let errors = problem["errors"].as_array().expect("what is wrong, field by field");
            assert!(!errors.is_empty());
            for error in errors {
                assert!(error["field"].is_string() && error["message"].is_string(), "{problem}");
            }
        }
        problem
    }

    /// The parameters of the one challenge, which must be a `Bearer` challenge with a realm, all of
    /// them quoted.
    #[track_caller]
    pub(crate) fn challenge(&self) -> BTreeMap<String, String> {
        let mut rest = self.header("www-authenticate").strip_prefix("Bearer ").expect("a scheme");
        let mut parameters = BTreeMap::new();
        while !rest.is_empty() {
            let (name, value) = rest.split_once("=\"").expect("a quoted value");
            let (value, after) = value.split_once('"').expect("its end");
            assert!(parameters.insert(name.to_owned(), value.to_owned()).is_none(), "{self:?}");
            rest = after.strip_prefix(", ").unwrap_or(after);
        }
        assert!(parameters.remove("realm").is_some_and(|realm| !realm.is_empty()), "{self:?}");
        parameters
    }

    /// The cookie that it sets, and its attributes, in lower case and sorted.
    #[track_caller]
    pub(crate) fn cookie(&self) -> (String, Vec<String>) {
        let mut parts = self.header("set-cookie").split(';').map(str::trim);
        let cookie = parts.next().expect("a cookie").to_owned();
        let mut attributes: Vec<_> = parts.map(str::to_ascii_lowercase).collect();
        attributes.sort();
        (cookie, attributes)
    }
}
