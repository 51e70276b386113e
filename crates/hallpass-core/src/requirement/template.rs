//! A scope as a route writes it: literal segments, and `{name}` for a path parameter.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use super::scope_memo::NUMBERED;
use super::{PathParameters, RequirementError};
use crate::scope::{Scope, Segment, is_reserved, is_scope_char};

/// `projects:read:{id}`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ScopeTemplate {
    parts: Box<[Part]>,
    number: Option<u8>,
}

/// The scopes without parameters that routes of this process name, each with a number of its own,
/// so that a token need be compared with each only once.
static NUMBERS: Mutex<Vec<Box<str>>> = Mutex::new(Vec::new());

/// The number of that scope; `None` if there are too many already.
fn number(text: &str) -> Option<u8> {
    // It only ever grows, by one push: a panic elsewhere leaves nothing half done.
    let mut numbers = NUMBERS.lock().unwrap_or_else(PoisonError::into_inner);
    let known = numbers.iter().position(|known| **known == *text);
    let place = known.unwrap_or(numbers.len());
    let number = u8::try_from(place).ok().filter(|number| *number < NUMBERED)?;
    if known.is_none() {
        numbers.push(text.into());
    }
    Some(number)
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Part {
    Literal(Box<str>),
    Parameter(Box<str>),
}

impl ScopeTemplate {
    pub(super) fn parse(text: &str) -> Result<Self, RequirementError> {
        let invalid =
            |why: &str| RequirementError::Scope { text: text.to_owned(), why: why.to_owned() };
        let parts: Box<[_]> = text
            .split(':')
            .map(|segment| match segment.strip_prefix('{').and_then(|s| s.strip_suffix('}')) {
                Some(name) if is_parameter_name(name) => Ok(Part::Parameter(name.into())),
                _ if segment.contains(['{', '}']) => {
                    Err(invalid("a path parameter is a whole segment, `{id}`, named with letters, digits or `_`"))
                }
                _ if segment.contains('*') => {
                    Err(invalid("`*` belongs in what a token holds; a route says exactly what it needs"))
                }
                _ => Ok(Part::Literal(segment.into())),
            })
            .collect::<Result<_, _>>()?;
        // The rest of the rules are those of a scope; a parameter counts as one segment.
        let instance: String = text.chars().filter(|c| !matches!(c, '{' | '}')).collect();
        instance.parse::<Scope>().map_err(|error| invalid(&error.to_string()))?;
        let is_fixed = parts.iter().all(|part| matches!(part, Part::Literal(_)));
        Ok(Self { parts, number: if is_fixed { number(text) } else { None } })
    }

    pub(crate) fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// Below [`NUMBERED`], one for each scope: for what is found out once.
    pub(crate) fn number(&self) -> Option<u8> {
        self.number
    }

    /// The names of the path parameters it is bound to.
    pub(crate) fn parameters(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Literal(_) => None,
            Part::Parameter(name) => Some(&**name),
        })
    }

    /// The segments with their values. A missing parameter is an empty segment: callers have
    /// checked.
    pub(super) fn bind<'a, P: PathParameters + ?Sized>(
        &'a self,
        parameters: &'a P,
    ) -> impl Iterator<Item = Bound<'a>> + Clone {
        self.parts.iter().map(move |part| match part {
            Part::Literal(text) => Bound::Literal(text),
            Part::Parameter(name) => Bound::Value(parameters.get(name).unwrap_or_default()),
        })
    }

    /// The scope to name in a challenge, up to the first value that no scope can hold: what is
    /// left covers what is needed.
    pub(super) fn challenge<P: PathParameters + ?Sized>(&self, parameters: &P) -> Option<String> {
        let mut text = String::new();
        for segment in self.bind(parameters) {
            let segment = match segment {
                Bound::Literal(text) => text,
                Bound::Value(value) if can_be_named(value) => value,
                Bound::Value(_) => break,
            };
            if !text.is_empty() {
                text.push(':');
            }
            text.push_str(segment);
        }
        (!text.is_empty()).then_some(text)
    }
}

fn is_parameter_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// A value from a path that can stand in a scope without meaning anything else there.
fn can_be_named(value: &str) -> bool {
    !value.is_empty()
        && value.len() <= Scope::MAX_LEN
        && value.bytes().all(|b| is_scope_char(b) && !matches!(b, b':' | b'*'))
}

impl fmt::Display for ScopeTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, part) in self.parts.iter().enumerate() {
            if place > 0 {
                f.write_str(":")?;
            }
            match part {
                Part::Literal(text) => f.write_str(text)?,
                Part::Parameter(name) => write!(f, "{{{name}}}")?,
            }
        }
        Ok(())
    }
}

/// A segment whose value is known.
#[derive(Clone, Copy)]
pub(super) enum Bound<'a> {
    Literal(&'a str),
    /// From the path: one literal segment, whatever characters it has.
    Value(&'a str),
}

impl Segment for Bound<'_> {
    fn is(&self, held: &str) -> bool {
        let (Self::Literal(text) | Self::Value(text)) = *self;
        text == held
    }

    fn is_reserved(&self) -> bool {
        let (Self::Literal(text) | Self::Value(text)) = *self;
        is_reserved(text)
    }
}
