//! Metadata: the host's own data about a token.

use serde_json::{Map, Value};

/// A small JSON object that the host attaches to a token. Hallpass stores it, shows it and filters
/// by it, and never interprets it.
///
/// Names have 1 to 64 characters without control characters, and do not start with `$serde_json::`.
/// Values are strings, numbers or booleans. The whole object has at most [`Metadata::MAX_BYTES`]
/// bytes as JSON.
///
/// ```
/// use hallpass_core::Metadata;
///
/// let metadata = Metadata::new([("team", "build"), ("ticket", "OPS-17")])?;
/// assert_eq!(metadata.get("team").and_then(|team| team.as_str()), Some("build"));
/// assert!(Metadata::new([("", "a name must not be empty")]).is_err());
/// # Ok::<_, hallpass_core::MetadataError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metadata(Option<Box<Map<String, Value>>>);

/// The error for metadata that is not allowed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MetadataError {
    /// The JSON object is too large.
    #[error("metadata has at most 4096 bytes as JSON, but this has {0}")]
    TooLarge(usize),
    /// A member's name is too short or too long, contains control characters, or starts with
    /// `$serde_json::`.
    #[error(
        "the name of a metadata member must have 1 to {} characters, no control characters, and \
         must not start with `$serde_json::`",
        Metadata::MAX_NAME_LEN
    )]
    Name,
    /// A member's value is an array, an object or null.
    #[error("the value of a metadata member must be a string, a number or a boolean")]
    Value,
    /// The text is not a JSON object.
    #[error("metadata must be a JSON object")]
    NotAnObject,
}

/// The start of the names that `serde_json` uses for its own purposes. If certain features of it
/// are enabled anywhere in the program, an object that starts with such a member is not read as an
/// object. The entry of the audit trail that contains it could then never be read again.
const RESERVED: &str = "$serde_json::";

impl Metadata {
    /// The maximum size, in bytes of JSON.
    pub const MAX_BYTES: usize = 4096;

    /// The maximum length of a member's name, in characters.
    pub const MAX_NAME_LEN: usize = 64;

    /// Creates metadata from its members.
    ///
    /// # Errors
    ///
    /// Returns [`MetadataError::Name`] or [`MetadataError::Value`] if a member is not allowed, and
    /// [`MetadataError::TooLarge`] if the object is larger than [`MAX_BYTES`](Self::MAX_BYTES).
    pub fn new<K: Into<String>, V: Into<Value>>(
        members: impl IntoIterator<Item = (K, V)>,
    ) -> Result<Self, MetadataError> {
        Self::from_map(
            members.into_iter().map(|(name, value)| (name.into(), value.into())).collect(),
        )
    }

    /// Creates metadata from a JSON object.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`new`](Self::new).
    pub fn from_map(members: Map<String, Value>) -> Result<Self, MetadataError> {
        for (name, value) in &members {
            let length = name.chars().count();
            if !(1..=Self::MAX_NAME_LEN).contains(&length)
                || name.chars().any(char::is_control)
                || name.starts_with(RESERVED)
            {
                return Err(MetadataError::Name);
            }
            if !(value.is_string() || value.is_number() || value.is_boolean()) {
                return Err(MetadataError::Value);
            }
        }
        let metadata = Self((!members.is_empty()).then(|| Box::new(members)));
        let bytes = metadata.to_json().len();
        if bytes > Self::MAX_BYTES { Err(MetadataError::TooLarge(bytes)) } else { Ok(metadata) }
    }

    /// Parses the JSON text that [`to_json`](Self::to_json) returns.
    ///
    /// # Errors
    ///
    /// Returns [`MetadataError::NotAnObject`] if the text is not a JSON object, and the errors of
    /// [`new`](Self::new).
    pub fn from_json(json: &str) -> Result<Self, MetadataError> {
        if json.is_empty() {
            return Ok(Self::default());
        }
        Self::from_map(serde_json::from_str(json).map_err(|_| MetadataError::NotAnObject)?)
    }

    /// Returns the JSON text of the object, or an empty text if there are no members.
    #[must_use]
    pub fn to_json(&self) -> String {
        self.0.as_ref().map_or_else(String::new, |members| {
            // Serializing strings, numbers and booleans cannot fail.
            serde_json::to_string(members).unwrap_or_default()
        })
    }

    /// Returns the object as a JSON value, or `null` if there are no members.
    #[must_use]
    pub fn to_value(&self) -> Value {
        self.0.as_ref().map_or(Value::Null, |members| Value::Object((**members).clone()))
    }

    /// Returns a member's value.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.as_ref()?.get(name)
    }

    /// Returns whether there are no members.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Returns the members in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().flat_map(|members| members.iter()).map(|(name, value)| (name.as_str(), value))
    }

    /// Returns a copy of this metadata with the members of `changes` set. A `null` removes a
    /// member.
    ///
    /// ```
    /// use hallpass_core::Metadata;
    /// # let object = |value: serde_json::Value| value.as_object().unwrap().clone();
    ///
    /// let before = Metadata::new([("team", "build"), ("ticket", "OPS-17")])?;
    /// let after = before.merged(&object(serde_json::json!({"team": "web", "ticket": null})))?;
    /// assert_eq!(after, Metadata::new([("team", "web")])?);
    /// # Ok::<_, hallpass_core::MetadataError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns the errors of [`new`](Self::new).
    pub fn merged(&self, changes: &Map<String, Value>) -> Result<Self, MetadataError> {
        let mut members = self.0.as_deref().cloned().unwrap_or_default();
        for (name, value) in changes {
            if value.is_null() {
                members.remove(name);
            } else {
                members.insert(name.clone(), value.clone());
            }
        }
        Self::from_map(members)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn map(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn metadata_with_a_bad_name_value_or_size_is_rejected() {
        for (members, error) in [
            (json!({"": 1}), MetadataError::Name),
            (json!({"n".repeat(65): 1}), MetadataError::Name),
            (json!({"a\nb": 1}), MetadataError::Name),
            (json!({"$serde_json::private::RawValue": "x"}), MetadataError::Name),
            (json!({"$serde_json::private::Number": "x"}), MetadataError::Name),
            (json!({"a": null}), MetadataError::Value),
            (json!({"a": [1]}), MetadataError::Value),
            (json!({"a": {"b": 1}}), MetadataError::Value),
            (json!({"a": "x".repeat(4089)}), MetadataError::TooLarge(4097)),
        ] {
            assert_eq!(Metadata::from_map(map(members)), Err(error));
        }
        let largest = json!({"ü".repeat(64): true, "a": 1.5, "b": "x".repeat(3900)});
        let metadata = Metadata::from_map(map(largest)).unwrap();
        assert_eq!(Metadata::from_json(&metadata.to_json()), Ok(metadata));
        assert_eq!(Metadata::from_json(""), Ok(Metadata::default()));
        assert_eq!(Metadata::from_json("[]"), Err(MetadataError::NotAnObject));
    }

    #[test]
    fn largest_metadata_with_numbers_of_many_digits_can_be_read_again() {
        // If a parser rounds these numbers to a neighbour, they are written with one more digit.
        let numbers = [-2.693_554_001_703_998e265, -3.591_744_324_346_332e-155];
        let mut members = Map::new();
        for (at, number) in numbers.into_iter().cycle().take(120).enumerate() {
            members.insert(format!("n{at:03}"), number.into());
        }
        members.insert("text".into(), "".into());
        let rest = Metadata::MAX_BYTES - json!(members).to_string().len();
        members.insert("text".into(), "x".repeat(rest).into());
        let metadata = Metadata::from_map(members).unwrap();
        assert_eq!(metadata.to_json().len(), Metadata::MAX_BYTES);
        assert_eq!(Metadata::from_json(&metadata.to_json()), Ok(metadata));
    }

    #[test]
    fn merging_sets_members_and_null_removes_them() {
        let before = Metadata::new([("a", 1), ("b", 2)]).unwrap();
        let after = before.merged(&map(json!({"a": null, "b": 3, "c": true}))).unwrap();
        assert_eq!(after.to_value(), json!({"b": 3, "c": true}));
        let none = after.merged(&map(json!({"b": null, "c": null}))).unwrap();
        assert!(none.is_empty() && none.to_json().is_empty());
    }
}
