//! Reading what people send, strictly: an unknown field, a field given twice, a `null` and a value
//! of another type are each an error with a sentence that repeats nothing of what was sent.
//!
//! serde's own messages repeat it, and `serde_json::Value` forgets what was given twice.

use std::fmt;

use serde::Deserialize;
use serde::de::{
    self, DeserializeSeed, Deserializer, IgnoredAny, IntoDeserializer, MapAccess, SeqAccess,
    Visitor, value::SeqDeserializer,
};

use crate::problem::{Kind, Problem};

/// A value as it was sent, with every field of every object, in order.
pub(crate) enum Sent {
    Null,
    /// A number or a truth value: nothing in this API is one.
    Other,
    Text(String),
    List(Vec<Sent>),
    Object(Vec<(String, Sent)>),
}

impl Sent {
    /// Reads JSON.
    pub(crate) fn from_json(body: &[u8]) -> Result<Self, Problem> {
        let malformed =
            || Problem::new(Kind::MalformedJson, "the body is not well-formed JSON in UTF-8");
        // Whether it is JSON at all; this does not recurse, however deep it is.
        let text = std::str::from_utf8(body).map_err(|_| malformed())?;
        serde_json::from_str::<IgnoredAny>(text).map_err(|_| malformed())?;
        // What is well formed and fails here is nested past serde_json's bound, has a number past all
        // bounds, or half a surrogate pair.
        serde_json::from_str(text).map_err(|_| {
            Problem::invalid(
                "body",
                "nested too deeply, or with a number or character out of range",
            )
        })
    }

    /// The value as a type of ours.
    pub(crate) fn read<T: for<'de> Deserialize<'de>>(self) -> Result<T, Problem> {
        T::deserialize(self).map_err(|fault| {
            let field = if fault.field.is_empty() { "body".to_owned() } else { fault.field };
            Problem::invalid(field, fault.message)
        })
    }
}

impl<'de> Deserialize<'de> for Sent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Build)
    }
}

/// Builds a [`Sent`] from JSON.
struct Build;

impl<'de> Visitor<'de> for Build {
    type Value = Sent;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Sent, E> {
        Ok(Sent::Null)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Sent, E> {
        Ok(Sent::Other)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Sent, E> {
        Ok(Sent::Other)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Sent, E> {
        Ok(Sent::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Sent, E> {
        Ok(Sent::Other)
    }

    fn visit_str<E>(self, text: &str) -> Result<Sent, E> {
        Ok(Sent::Text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Sent, E> {
        Ok(Sent::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Sent, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Sent::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Sent, A::Error> {
        let mut object = Vec::new();
        while let Some(field) = fields.next_entry()? {
            object.push(field);
        }
        Ok(Sent::Object(object))
    }
}

/// What is wrong, and with which field; with the whole if that is empty.
#[derive(Debug)]
pub(crate) struct Fault {
    field: String,
    message: String,
}

impl Fault {
    fn new(message: impl Into<String>) -> Self {
        Self { field: String::new(), message: message.into() }
    }

    fn of(self, field: &str) -> Self {
        if self.field.is_empty() { Self { field: printable(field), ..self } } else { self }
    }
}

/// The name of a field, if it looks like one: what else stands there may be anything, a token too.
fn printable(name: &str) -> String {
    let like_a_name = (1..=40).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'));
    if like_a_name { name.to_owned() } else { "?".to_owned() }
}

fn one_of(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.message)
    }
}

impl std::error::Error for Fault {}

impl de::Error for Fault {
    /// The words of this crate's own types.
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(message.to_string())
    }

    fn invalid_type(_: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::new(format!("not {expected}"))
    }

    fn invalid_value(_: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::new(format!("not {expected}"))
    }

    fn invalid_length(_: usize, expected: &dyn de::Expected) -> Self {
        Self::new(format!("not {expected}"))
    }

    fn unknown_variant(_: &str, expected: &'static [&'static str]) -> Self {
        Self::new(format!("one of {}", one_of(expected)))
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        let message = if expected.is_empty() {
            "there is no such field: nothing is read here".to_owned()
        } else {
            format!("there is no such field; there are {}", one_of(expected))
        };
        Self::new(message).of(field)
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new("this is needed").of(field)
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self::new("this was given twice").of(field)
    }
}

impl<'de> IntoDeserializer<'de, Fault> for Sent {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for Sent {
    type Error = Fault;

    /// What this API has no field for. Each kind of field it has asks for what it wants below.
    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Fault> {
        Err(Fault::new("not of the right type"))
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self {
            Self::Text(text) => visitor.visit_string(text),
            _ => Err(Fault::new("write a string")),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_string(visitor)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self {
            Self::List(list) => visitor.visit_seq(SeqDeserializer::new(list.into_iter())),
            _ => Err(Fault::new("write a list")),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match self {
            // Not a list in its place, which serde's derive would take too.
            Self::Object(fields) => {
                visitor.visit_map(Fields { rest: fields.into_iter(), current: None })
            }
            _ => Err(Fault::new("write an object")),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match self {
            Self::Text(text) => visitor.visit_enum(text.into_deserializer()),
            _ => Err(Fault::new("write a string")),
        }
    }

    /// A field that is there has a value: `null` is none.
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self {
            Self::Null => Err(Fault::new("not null: leave the field out instead")),
            sent => visitor.visit_some(sent),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char bytes byte_buf unit unit_struct
        tuple tuple_struct map identifier ignored_any
    }
}

/// The fields of an object; a fault in one is told with its name.
struct Fields {
    rest: std::vec::IntoIter<(String, Sent)>,
    current: Option<(String, Sent)>,
}

impl<'de> MapAccess<'de> for Fields {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Fault> {
        self.current = self.rest.next();
        match &self.current {
            Some((name, _)) => seed.deserialize(name.as_str().into_deserializer()).map(Some),
            None => Ok(None),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Fault> {
        let (name, value) =
            self.current.take().ok_or_else(|| Fault::new("a value without a field"))?;
        seed.deserialize(value).map_err(|fault| fault.of(&name))
    }
}
