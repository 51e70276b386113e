//! The places of a request that may carry a credential, as a setting of the layer.

use std::fmt;

use http::HeaderName;

/// A place in a request that may contain a token, for
/// [`TokenLayer::sources`](crate::TokenLayer::sources).
///
/// ```
/// use hallpass_core::Hallpass;
/// use hallpass_tower::{CredentialSource, TokenLayer};
/// # use hallpass_memory::MemoryStore;
///
/// let hallpass = Hallpass::builder(MemoryStore::new()).build();
/// let layer = TokenLayer::new(&hallpass).sources([
///     CredentialSource::bearer(),
///     CredentialSource::scheme("Token"),
///     CredentialSource::header("x-api-key"),
/// ]);
/// assert_eq!(CredentialSource::header("X-Api-Key").to_string(), "the header `x-api-key`");
/// # let _ = layer;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialSource(pub(crate) SourceKind);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SourceKind {
    /// The scheme in lower case, because schemes are compared without regard to case.
    Scheme(String),
    Bare,
    Query(String),
    Header(HeaderName),
    Form,
}

impl CredentialSource {
    /// Returns the source of RFC 6750: `Authorization: Bearer <token>`.
    #[must_use]
    pub fn bearer() -> Self {
        Self(SourceKind::Scheme("bearer".to_owned()))
    }

    /// Returns the `Authorization` header with another scheme: `Authorization: Token <token>`.
    ///
    /// # Panics
    ///
    /// Panics if the text cannot be the name of a scheme.
    #[must_use]
    #[track_caller]
    pub fn scheme(name: &str) -> Self {
        assert!(
            super::header::is_scheme(name.as_bytes()),
            "invalid scheme {name:?}: write one word, such as \"Token\""
        );
        Self(SourceKind::Scheme(name.to_ascii_lowercase()))
    }

    /// Returns the `Authorization` header without a scheme: `Authorization: <token>`. Some package
    /// registries use it.
    #[must_use]
    pub fn bare() -> Self {
        Self(SourceKind::Bare)
    }

    /// Returns the query parameter of this name. Names are compared after decoding, with regard to
    /// case.
    ///
    /// # Panics
    ///
    /// Panics if the name is empty.
    #[must_use]
    #[track_caller]
    pub fn query(name: impl Into<String>) -> Self {
        let name = name.into();
        assert!(
            !name.is_empty(),
            "the name of a query parameter cannot be empty: to read no query parameter, use \
             `.bearer_only()`"
        );
        Self(SourceKind::Query(name))
    }

    /// Returns a separate header for the token: `x-api-key: <token>`.
    ///
    /// # Panics
    ///
    /// Panics if the text cannot be the name of a header, or is a header that has its own syntax
    /// for credentials: `Authorization`, `Proxy-Authorization` or `Cookie`.
    #[must_use]
    #[track_caller]
    pub fn header(name: &str) -> Self {
        let Ok(name) = HeaderName::from_bytes(name.as_bytes()) else {
            panic!("invalid header name {name:?}: write one such as \"x-api-key\"");
        };
        assert!(
            !matches!(name.as_str(), "authorization" | "proxy-authorization" | "cookie"),
            "the header {name} has a syntax of its own and cannot be a plain source: for \
             `Authorization`, use `CredentialSource::scheme` or `bare`"
        );
        Self(SourceKind::Header(name))
    }

    /// Returns the field of an urlencoded form that a [`FormCredential`](crate::FormCredential) in
    /// the request's extensions describes.
    #[must_use]
    pub fn form() -> Self {
        Self(SourceKind::Form)
    }

    pub(crate) fn is_query(&self) -> bool {
        matches!(self.0, SourceKind::Query(_))
    }

    pub(crate) fn is_authorization(&self) -> bool {
        matches!(self.0, SourceKind::Scheme(_) | SourceKind::Bare)
    }
}

/// Formats the name of the place as a part of a sentence.
impl fmt::Display for CredentialSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            SourceKind::Scheme(name) => {
                let (first, rest) = name.split_at(1);
                write!(f, "`Authorization: {}{rest}`", first.to_ascii_uppercase())
            }
            SourceKind::Bare => f.write_str("`Authorization` without a scheme"),
            SourceKind::Query(name) => write!(f, "the query parameter `{name}`"),
            SourceKind::Header(name) => write!(f, "the header `{name}`"),
            SourceKind::Form => f.write_str("a field of the form"),
        }
    }
}

/// The index of a source in the list of a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SourceIndex(usize);

/// The sources of a layer, in their order and also grouped by the part of a request that contains
/// them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sources {
    listed: Vec<CredentialSource>,
    schemes: Vec<(SourceIndex, String)>,
    bare: Option<SourceIndex>,
    query_names: Vec<String>,
    query: Vec<SourceIndex>,
    headers: Vec<(SourceIndex, HeaderName)>,
    form: Option<SourceIndex>,
}

impl Sources {
    /// Groups the sources of a list. A source that is listed twice counts once.
    pub(crate) fn new(list: impl IntoIterator<Item = CredentialSource>) -> Self {
        let mut sources = Self::default();
        for source in list {
            if sources.listed.contains(&source) {
                continue;
            }
            let index = SourceIndex(sources.listed.len());
            match &source.0 {
                SourceKind::Scheme(name) => sources.schemes.push((index, name.clone())),
                SourceKind::Bare => sources.bare = Some(index),
                SourceKind::Query(name) => {
                    sources.query_names.push(name.clone());
                    sources.query.push(index);
                }
                SourceKind::Header(name) => sources.headers.push((index, name.clone())),
                SourceKind::Form => sources.form = Some(index),
            }
            sources.listed.push(source);
        }
        sources
    }

    pub(crate) fn list(&self) -> &[CredentialSource] {
        &self.listed
    }

    pub(crate) fn get(&self, index: SourceIndex) -> &CredentialSource {
        &self.listed[index.0]
    }

    pub(crate) fn position(&self, source: &CredentialSource) -> Option<SourceIndex> {
        self.listed.iter().position(|listed| listed == source).map(SourceIndex)
    }

    /// Returns whether the layer reads the `Authorization` header.
    pub(crate) fn reads_authorization(&self) -> bool {
        !self.schemes.is_empty() || self.bare.is_some()
    }

    /// Returns the source of `Authorization` lines with this scheme.
    pub(super) fn scheme(&self, scheme: &[u8]) -> Option<SourceIndex> {
        let is_it = |name: &str| scheme.eq_ignore_ascii_case(name.as_bytes());
        self.schemes.iter().find(|(_, name)| is_it(name)).map(|(index, _)| *index)
    }

    pub(super) fn bare(&self) -> Option<SourceIndex> {
        self.bare
    }

    /// Returns the names of the query parameters that may carry a credential.
    pub(crate) fn query_names(&self) -> &[String] {
        &self.query_names
    }

    /// Returns the source of the query parameter whose name has this index.
    pub(super) fn query(&self, name_index: usize) -> SourceIndex {
        self.query[name_index]
    }

    pub(crate) fn headers(&self) -> &[(SourceIndex, HeaderName)] {
        &self.headers
    }

    pub(crate) fn form(&self) -> Option<SourceIndex> {
        self.form
    }
}
