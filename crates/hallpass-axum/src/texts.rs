//! The types of the texts in requests, with their descriptions in the OpenAPI document.
//! hallpass-core decides whether a text is valid.

use std::fmt;

use hallpass_core::{Expiry, Owner};
use jiff::Timestamp;
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::problem::Problem;

/// Defines a type for a text that is read unchanged and documented with these attributes.
macro_rules! text {
    ($(#[doc = $doc:literal])* $(#[schema($($schema:tt)*)])* $name:ident) => {
        $(#[doc = $doc])*
        #[derive(Deserialize, ToSchema)]
        $(#[schema($($schema)*)])*
        pub(crate) struct $name(String);

        impl From<$name> for String {
            fn from(text: $name) -> Self {
                text.0
            }
        }
    };
}

text! {
    /// The name of a token: 1 to 100 characters after white space at both ends is removed. It need
    /// not be unique.
    #[schema(
        as = TokenName,
        min_length = 1,
        max_length = 100,
        pattern = r"^[^\u0000-\u001F\u007F-\u009F\u061C\u200E\u200F\u2028-\u202E\u2066-\u2069]*[^\s\u0000-\u001F\u007F-\u009F\u061C\u200E\u200F\u2028-\u202E\u2066-\u2069][^\u0000-\u001F\u007F-\u009F\u061C\u200E\u200F\u2028-\u202E\u2066-\u2069]*$",
        example = "ci"
    )]
    NameText
}

text! {
    /// The purpose of a token. It may contain line breaks and tabs.
    #[schema(
        as = TokenDescription,
        max_length = 1000,
        pattern = r"^[^\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F-\u009F\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]*$",
        example = "nightly build"
    )]
    DescriptionText
}

text! {
    /// One to eight segments between colons; a whole segment may be `*`.
    #[schema(
        as = ScopeName,
        min_length = 1,
        max_length = 128,
        pattern = r"^(\*|[!#-)+-9;-\[\]-~]+)(:(\*|[!#-)+-9;-\[\]-~]+)){0,7}$",
        example = "projects:read:42"
    )]
    ScopeText
}

text! {
    /// The expiry of a token: a span (`30d`, `12h`, `2w`, `1y`), a date (`2027-03-31` or
    /// `31-03-2027`: through that whole day), an RFC 3339 instant, or `never`; at least a minute
    /// ahead.
    #[schema(
        as = Expires,
        pattern = r"^(never|[0-9]+[hdwy]|[0-9]{4}-[0-9]{2}-[0-9]{2}([Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?([Zz]|[+-][0-9]{2}:[0-9]{2}))?|[0-9]{2}-[0-9]{2}-[0-9]{4})$",
        example = "30d"
    )]
    ExpiresText
}

text! {
    /// A span of at most 30 days.
    #[schema(as = GracePeriod, pattern = r"^[0-9]+[hdwy]$", example = "12h")]
    GracePeriodText
}

text! {
    /// The host's id of a person, a team or a service that owns tokens.
    #[schema(
        as = Owner,
        min_length = 1,
        max_length = 255,
        pattern = r"^[^\u0000-\u001F\u007F-\u009F]+$",
        example = "alice"
    )]
    OwnerText
}

/// An instant as RFC 3339 writes it.
#[derive(Deserialize, ToSchema)]
#[schema(as = Instant, value_type = String, format = DateTime, example = "2027-03-31T00:00:00Z")]
pub(crate) struct InstantText(String);

impl InstantText {
    /// Parses it. Only RFC 3339 is accepted, like in `expires`.
    pub(crate) fn read(&self, field: &'static str) -> Result<Timestamp, Problem> {
        match self.0.parse() {
            Ok(Expiry::At(instant)) => Ok(instant),
            _ => Err(Problem::invalid(field, "write an instant such as `2027-03-31T00:00:00Z`")),
        }
    }
}

impl OwnerText {
    /// Parses it.
    pub(crate) fn read(self) -> Result<Owner, Problem> {
        Owner::new(self.0).map_err(Problem::on("owner"))
    }
}

/// The host's own data about a token: a JSON object of at most 4 KiB whose values are strings,
/// numbers or booleans. In a change, members are merged, and `null` removes one.
#[derive(ToSchema)]
#[schema(as = Metadata, value_type = Object, example = json!({"team": "build"}))]
pub(crate) struct MetadataMembers(pub(crate) Map<String, Value>);

impl<'de> Deserialize<'de> for MetadataMembers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Members)
    }
}

/// Collects the members. The map of `serde_json` would silently keep the last of two members with
/// the same name.
struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = MetadataMembers;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
        let mut members = Map::new();
        while let Some((name, value)) = access.next_entry::<String, Value>()? {
            if members.insert(name, value).is_some() {
                return Err(de::Error::custom("a member was sent twice"));
            }
        }
        Ok(MetadataMembers(members))
    }
}
