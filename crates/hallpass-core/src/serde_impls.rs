//! The feature `serde`: types that serialize to a string are deserialized by their parser, so that
//! deserializing accepts only values that the parser accepts.

use serde::de::{Error as _, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::metadata::Metadata;
use crate::owner::Owner;
use crate::scope::{Scope, ScopeSet};
use crate::token::{Prefix, TokenId};

macro_rules! as_text {
    ($($name:ident)*) => {
        $(
            impl Serialize for $name {
                fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                    serializer.collect_str(self)
                }
            }

            impl<'de> Deserialize<'de> for $name {
                fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
                }
            }
        )*
    };
}

as_text! { Scope TokenId Owner Prefix }

impl Serialize for ScopeSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self)
    }
}

impl<'de> Deserialize<'de> for ScopeSet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Scopes;

        impl<'de> Visitor<'de> for Scopes {
            type Value = ScopeSet;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "a list of at most {} scopes", ScopeSet::MAX_LEN)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<ScopeSet, A::Error> {
                let mut scopes: Vec<Scope> = Vec::new();
                while let Some(scope) = list.next_element()? {
                    if scopes.len() == ScopeSet::MAX_LEN {
                        return Err(A::Error::invalid_length(scopes.len() + 1, &self));
                    }
                    scopes.push(scope);
                }
                Ok(scopes.into_iter().collect())
            }
        }

        deserializer.deserialize_seq(Scopes)
    }
}

/// An object, empty if there are no members.
impl Serialize for Metadata {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.to_value() {
            serde_json::Value::Null => serde_json::Map::new().serialize(serializer),
            members => members.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Metadata {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::from_map(serde_json::Map::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}
