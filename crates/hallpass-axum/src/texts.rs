//! The texts that requests carry, and what the OpenAPI document says of each. Whether one is valid
//! is for the domain to say.

use serde::Deserialize;
use utoipa::ToSchema;

/// Defines a text that is read as it is and documented with these attributes.
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
    /// What a token is called: 1 to 100 characters once the white space around them is cut. It need
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
    /// What a token is for. It may hold line breaks and tabs.
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
    /// When a token ends: a span (`30d`, `12h`, `2w`, `1y`), a date (`2027-03-31` or `31-03-2027`:
    /// through that whole day), an RFC 3339 instant, or `never`; at least a minute ahead.
    #[schema(
        as = Expires,
        pattern = r"^(never|[0-9]+[hdwy]|[0-9]{4}-[0-9]{2}-[0-9]{2}([Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?([Zz]|[+-][0-9]{2}:[0-9]{2}))?|[0-9]{2}-[0-9]{2}-[0-9]{4})$",
        example = "30d"
    )]
    ExpiresText
}

text! {
    /// A span of at most 30 days.
    #[schema(as = Overlap, pattern = r"^[0-9]+[hdwy]$", example = "12h")]
    GracePeriodText
}

text! {
    /// The host's id of a person, a team or a service.
    #[schema(
        as = Owner,
        min_length = 1,
        max_length = 255,
        pattern = r"^[^\u0000-\u001F\u007F-\u009F]+$",
        example = "alice"
    )]
    OwnerText
}
