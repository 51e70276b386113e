//! A policy table from an OpenAPI document, so that the layer enforces the document.

use hallpass_core::{IntoRequirement, Requirement, all_of, any_of, authenticated, public};
use http::Method;
use serde_json::{Map, Value};

use super::{PolicyError, PolicyTable};

/// The operations that a path may have (OpenAPI 3.1, "Path Item Object").
const METHODS: [(&str, Method); 8] = [
    ("get", Method::GET),
    ("put", Method::PUT),
    ("post", Method::POST),
    ("delete", Method::DELETE),
    ("options", Method::OPTIONS),
    ("head", Method::HEAD),
    ("patch", Method::PATCH),
    ("trace", Method::TRACE),
];

impl PolicyTable {
    /// Reads the table from an OpenAPI 3 document in JSON. Each operation becomes a rule with its
    /// method, its path, and the requirement from its `security`. An operation without `security`
    /// uses the document's.
    ///
    /// | `security` | requirement |
    /// |---|---|
    /// | `[]`, `[{}]` | [`public()`] |
    /// | `[{"pat": []}]` | [`authenticated()`] |
    /// | `[{"pat": ["a", "b"]}]` | [`all_of`]`(["a", "b"])` |
    /// | `[{"pat": ["a"]}, {"pat": ["b"]}]` | [`any_of`]`(["a", "b"])` |
    ///
    /// A scope may name the path's parameters: `projects:read:{id}`. Every security scheme must be
    /// one that a token can satisfy: `http` with `bearer`, `oauth2`, or `openIdConnect`. If these
    /// tokens satisfy only some of those, use [`from_openapi_schemes`](Self::from_openapi_schemes).
    ///
    /// Paths are used as they are written. The paths of `servers` are not added in front of them.
    ///
    /// ```
    /// use hallpass_tower::PolicyTable;
    ///
    /// let table = PolicyTable::from_openapi(r#"{
    ///     "openapi": "3.1.0",
    ///     "components": {"securitySchemes": {"pat": {"type": "http", "scheme": "bearer"}}},
    ///     "paths": {
    ///         "/health": {"get": {"security": []}},
    ///         "/projects/{id}": {"get": {"security": [{"pat": ["projects:read:{id}"]}]}}
    ///     }
    /// }"#).unwrap();
    /// let printed = table.to_string();
    /// assert!(printed.contains("GET  /projects/{id}  projects:read:{id}"), "{printed}");
    /// ```
    ///
    /// # Errors
    ///
    /// Returns a [`PolicyError`] if the text is not an OpenAPI 3 document, if a path item is a
    /// reference, or if [`try_route`](Self::try_route) rejects a rule. The same holds if an
    /// operation's security is missing, is optional (`{}` as one of several alternatives), or names
    /// another scheme.
    pub fn from_openapi(document: &str) -> Result<Self, PolicyError> {
        let document = Document::read(document)?;
        document.table(|name| document.is_met_by_tokens(name))
    }

    /// Works like [`from_openapi`](Self::from_openapi), with the names of the security schemes that
    /// tokens satisfy, whatever their type. Tokens satisfy no other scheme.
    ///
    /// # Errors
    ///
    /// Returns the same errors as [`from_openapi`](Self::from_openapi).
    pub fn from_openapi_schemes(document: &str, schemes: &[&str]) -> Result<Self, PolicyError> {
        Document::read(document)?.table(|name| schemes.contains(&name))
    }
}

struct Document(Map<String, Value>);

impl Document {
    fn read(text: &str) -> Result<Self, PolicyError> {
        let Ok(Value::Object(document)) = serde_json::from_str(text) else {
            return Err(wrong("it is not a JSON object"));
        };
        match document.get("openapi").and_then(Value::as_str) {
            Some(version) if version.starts_with("3.") => Ok(Self(document)),
            _ => Err(wrong("the member `openapi` is not a version 3")),
        }
    }

    fn table(&self, is_ours: impl Fn(&str) -> bool) -> Result<PolicyTable, PolicyError> {
        let mut table = PolicyTable::new();
        let none = Map::new();
        let paths = match self.0.get("paths") {
            None => &none,
            Some(paths) => paths.as_object().ok_or_else(|| wrong("`paths` is not an object"))?,
        };
        for (path, item) in paths.iter().filter(|(path, _)| !path.starts_with("x-")) {
            let item = item.as_object().ok_or_else(|| wrong(format!("{path} is not an object")))?;
            if item.contains_key("$ref") {
                return Err(wrong(format!(
                    "{path} is a reference, which is not resolved: write the path item out"
                )));
            }
            for (key, method) in METHODS {
                let Some(operation) = item.get(key) else { continue };
                let name = format!("{method} {path}");
                let requirement = self.requirement(&name, operation, &is_ours)?;
                table = table.try_route(method, path, requirement)?;
            }
        }
        Ok(table)
    }

    fn requirement(
        &self,
        name: &str,
        operation: &Value,
        is_ours: impl Fn(&str) -> bool,
    ) -> Result<Requirement, PolicyError> {
        let security = operation.get("security").or_else(|| self.0.get("security")).ok_or_else(|| {
            wrong(format!(
                "{name} has no `security`: add one to the operation or to the whole document (`[]` \
                 makes it public)"
            ))
        })?;
        let malformed = || {
            wrong(format!("the `security` of {name} is not a list of schemes with their scopes"))
        };
        let alternatives: Vec<_> = security
            .as_array()
            .ok_or_else(malformed)?
            .iter()
            .map(|alternative| alternative.as_object().ok_or_else(malformed))
            .collect::<Result<_, _>>()?;
        if alternatives.iter().all(|schemes| schemes.is_empty()) {
            return Ok(public());
        }
        let mut requirements = Vec::new();
        for schemes in alternatives {
            if schemes.is_empty() {
                return Err(wrong(format!(
                    "the security of {name} is optional (`{{}}` is one of several alternatives), \
                     which no rule can express: make the operation public, or remove `{{}}`"
                )));
            }
            let mut scopes = Vec::new();
            for (scheme, listed) in schemes {
                if !is_ours(scheme) {
                    return Err(wrong(format!(
                        "{name} requires the scheme {scheme:?}, which tokens do not satisfy"
                    )));
                }
                for scope in listed.as_array().ok_or_else(malformed)? {
                    scopes.push(scope.as_str().ok_or_else(malformed)?);
                }
            }
            let requirement = match scopes[..] {
                [] => Ok(authenticated()),
                [scope] => scope.into_requirement(),
                _ => all_of(scopes),
            };
            requirements.push(requirement.map_err(|error| wrong(format!("{name}: {error}")))?);
        }
        match <[Requirement; 1]>::try_from(requirements) {
            Ok([only]) => Ok(only),
            Err(several) => Ok(any_of(several)?),
        }
    }

    /// Returns whether a security scheme is of a type that a token can satisfy.
    fn is_met_by_tokens(&self, name: &str) -> bool {
        let scheme = self.0.get("components").and_then(|all| all.get("securitySchemes")?.get(name));
        let text = |key| scheme.and_then(|scheme| scheme.get(key)?.as_str());
        match text("type") {
            Some("oauth2" | "openIdConnect") => true,
            Some("http") => text("scheme").is_some_and(|kind| kind.eq_ignore_ascii_case("bearer")),
            _ => false,
        }
    }
}

fn wrong(why: impl Into<String>) -> PolicyError {
    PolicyError::OpenApi(why.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns a document with these paths, and with document-wide security if it is not empty.
    fn document(security: &str, paths: &str) -> String {
        let security =
            if security.is_empty() { String::new() } else { format!(r#""security": {security},"#) };
        format!(
            r#"{{
                "openapi": "3.1.0", {security}
                "components": {{"securitySchemes": {{
                    "pat": {{"type": "http", "scheme": "Bearer"}},
                    "oauth": {{"type": "oauth2", "flows": {{}}}},
                    "oidc": {{"type": "openIdConnect", "openIdConnectUrl": "https://id.example"}},
                    "basic": {{"type": "http", "scheme": "basic"}},
                    "key": {{"type": "apiKey", "in": "header", "name": "x-key"}}
                }}}},
                "paths": {paths}
            }}"#
        )
    }

    /// Returns the requirement of `GET /p/{{id}}` with this `security`.
    fn needs(security: &str) -> Result<String, String> {
        let text =
            document("", &format!(r#"{{"/p/{{id}}": {{"get": {{"security": {security}}}}}}}"#));
        match PolicyTable::from_openapi(&text) {
            Ok(table) => Ok(table.rules().map(|rule| rule.requirement().to_string()).collect()),
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn security_becomes_the_matching_requirement() {
        for (security, requirement) in [
            ("[]", "public"),
            ("[{}]", "public"),
            (r#"[{"pat": []}]"#, "any valid token"),
            (r#"[{"oidc": []}]"#, "any valid token"),
            (r#"[{"pat": ["a:read"]}]"#, "a:read"),
            (r#"[{"oauth": ["a:read:{id}"]}]"#, "a:read:{id}"),
            (r#"[{"pat": ["a", "b"]}]"#, "all of (a, b)"),
            (r#"[{"oauth": ["a"], "pat": ["b"]}]"#, "all of (a, b)"),
            (r#"[{"oauth": [], "pat": ["b"]}]"#, "b"),
            (r#"[{"pat": ["a"]}, {"oauth": ["b", "c"]}]"#, "any of (a, all of (b, c))"),
            (r#"[{"pat": ["a"]}, {"pat": []}]"#, "any of (a, any valid token)"),
        ] {
            assert_eq!(needs(security).as_deref(), Ok(requirement), "{security}");
        }
    }

    #[test]
    fn security_that_no_token_satisfies_is_an_error() {
        for (security, says) in [
            (r#"[{"key": []}]"#, r#"GET /p/{id} requires the scheme "key","#),
            (r#"[{"basic": []}]"#, r#"GET /p/{id} requires the scheme "basic","#),
            (r#"[{"nowhere": []}]"#, r#"GET /p/{id} requires the scheme "nowhere","#),
            (r#"[{"pat": ["a"], "key": []}]"#, r#"GET /p/{id} requires the scheme "key","#),
            (r#"[{"pat": ["a"]}, {"key": []}]"#, r#"GET /p/{id} requires the scheme "key","#),
            (
                r#"[{"pat": ["a"]}, {}]"#,
                "the security of GET /p/{id} is optional (`{}` is one of several alternatives)",
            ),
            ("{}", "the `security` of GET /p/{id} is not a list"),
            ("null", "the `security` of GET /p/{id} is not a list"),
            (r#"["pat"]"#, "the `security` of GET /p/{id} is not a list"),
            (r#"[{"pat": "a"}]"#, "the `security` of GET /p/{id} is not a list"),
            (r#"[{"pat": [1]}]"#, "the `security` of GET /p/{id} is not a list"),
            (r#"[{"pat": ["a:*"]}]"#, "GET /p/{id}: a route cannot require \"a:*\""),
            (r#"[{"pat": ["a:*", "b"]}]"#, "GET /p/{id}: a route cannot require \"a:*\""),
        ] {
            let error = needs(security).unwrap_err();
            assert!(
                error.starts_with(&format!("the OpenAPI document: {says}")),
                "{security}: {error}"
            );
        }
        let error = needs(r#"[{"pat": ["a:{other}"]}]"#).unwrap_err();
        assert!(error.contains("the route /p/{id} has no such parameter"), "{error}");
    }

    #[test]
    fn operation_security_overrides_the_documents() {
        let paths = r#"{
            "/a": {"summary": "not an operation", "parameters": [], "get": {}, "post": {"security": []}},
            "/b": {"x-note": {}, "delete": {"security": [{"pat": ["b"]}]}},
            "x-more": 1
        }"#;
        let table = PolicyTable::from_openapi(&document(r#"[{"pat": []}]"#, paths)).unwrap();
        let mut rules: Vec<_> = table.rules().map(|rule| rule.to_string()).collect();
        rules.sort();
        assert_eq!(rules, ["DELETE /b: b", "GET /a: any valid token", "POST /a: public"]);

        let error = PolicyTable::from_openapi(&document("", paths)).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the OpenAPI document: GET /a has no `security`: add one to the operation or to the \
             whole document (`[]` makes it public)"
        );
    }

    #[test]
    fn only_the_named_security_schemes_are_accepted() {
        let text = document(r#"[{"key": ["a"]}]"#, r#"{"/a": {"get": {}}}"#);
        assert!(PolicyTable::from_openapi(&text).is_err());
        let table = PolicyTable::from_openapi_schemes(&text, &["key"]).unwrap();
        assert_eq!(table.rules().next().unwrap().to_string(), "GET /a: a");
        let text = document(r#"[{"pat": ["a"]}]"#, r#"{"/a": {"get": {}}}"#);
        assert!(PolicyTable::from_openapi_schemes(&text, &["key"]).is_err());
    }

    #[test]
    fn invalid_document_is_an_error() {
        for (text, says) in [
            ("", "it is not a JSON object"),
            ("[]", "it is not a JSON object"),
            (r#"{"swagger": "2.0", "paths": {}}"#, "the member `openapi` is not a version 3"),
            (r#"{"openapi": 3}"#, "the member `openapi` is not a version 3"),
            (r#"{"openapi": "3.0.3", "paths": []}"#, "`paths` is not an object"),
            (r#"{"openapi": "3.0.3", "paths": {"/a": 1}}"#, "/a is not an object"),
            (r##"{"openapi": "3.0.3", "paths": {"/a": {"$ref": "#/x"}}}"##, "/a is a reference"),
        ] {
            let error = PolicyTable::from_openapi(text).unwrap_err().to_string();
            assert!(error.starts_with(&format!("the OpenAPI document: {says}")), "{text}: {error}");
        }
        let bad = document("[]", r#"{"no-slash": {"get": {}}}"#);
        assert!(matches!(PolicyTable::from_openapi(&bad), Err(PolicyError::Pattern(_))));
        // A document without operations allows nothing.
        let empty = PolicyTable::from_openapi(r#"{"openapi": "3.1.0"}"#).unwrap();
        assert_eq!(empty.to_string(), "anything else: rejected");
    }
}
