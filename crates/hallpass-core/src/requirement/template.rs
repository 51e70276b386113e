//! Scope templates: scopes as routes name them, with `{name}` for a path parameter.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use super::scope_memo::NUMBERED;
use super::{PathParameters, RequirementError};
use crate::scope::{Scope, Segment, has_dot_part, is_reserved, is_scope_char};

/// A scope that a route requires, such as `projects:read:{id}`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ScopeTemplate {
    parts: Box<[Part]>,
    number: Option<u8>,
}

/// The scopes without parameters that routes of this process require. The position of a scope is
/// its number in a [`ScopeMemo`](super::ScopeMemo).
static NUMBERS: Mutex<Vec<Box<str>>> = Mutex::new(Vec::new());

/// Returns the number of a scope, or `None` if all numbers are taken.
fn number(text: &str) -> Option<u8> {
    // The only update is a push, so a panic cannot leave the list half updated.
    let mut numbers = NUMBERS.lock().unwrap_or_else(PoisonError::into_inner);
    let known = numbers.iter().position(|known| **known == *text);
    let index = known.unwrap_or(numbers.len());
    let number = u8::try_from(index).ok().filter(|number| *number < NUMBERED)?;
    if known.is_none() {
        numbers.push(text.into());
    }
    Some(number)
}

/// A segment of a template.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Part {
    /// A literal segment.
    Literal(Box<str>),
    /// The name of a path parameter.
    Parameter(Box<str>),
}

impl ScopeTemplate {
    /// Parses the text of a scope with parameters.
    pub(super) fn parse(text: &str) -> Result<Self, RequirementError> {
        let invalid =
            |why: &str| RequirementError::Scope { text: text.to_owned(), why: why.to_owned() };
        let parts: Box<[_]> = text
            .split(':')
            .map(|segment| match segment.strip_prefix('{').and_then(|s| s.strip_suffix('}')) {
                Some(name) if is_parameter_name(name) => Ok(Part::Parameter(name.into())),
                _ if segment.contains(['{', '}']) => Err(invalid(
                    "a path parameter must be a whole segment such as `{id}`, and its name may \
                     contain only letters, digits and `_`",
                )),
                _ if segment.contains('*') => Err(invalid(
                    "only the scopes of a token may contain `*`, so name the scope that the route \
                     needs",
                )),
                _ => Ok(Part::Literal(segment.into())),
            })
            .collect::<Result<_, _>>()?;
        // The other rules are those of a scope, in which a parameter counts as one segment.
        let instance: String = text.chars().filter(|c| !matches!(c, '{' | '}')).collect();
        instance.parse::<Scope>().map_err(|error| invalid(&error.to_string()))?;
        let is_fixed = parts.iter().all(|part| matches!(part, Part::Literal(_)));
        Ok(Self { parts, number: if is_fixed { number(text) } else { None } })
    }

    pub(crate) fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// Returns the scope's number in a [`ScopeMemo`](super::ScopeMemo), which is below
    /// [`NUMBERED`]. A scope with parameters has no number.
    pub(crate) fn number(&self) -> Option<u8> {
        self.number
    }

    /// Returns the names of the path parameters.
    pub(crate) fn parameters(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Literal(_) => None,
            Part::Parameter(name) => Some(&**name),
        })
    }

    /// Returns the segments with the values of their parameters. A missing parameter becomes an
    /// empty segment, so the caller must check first that none is missing.
    pub(super) fn bind<'a, P: PathParameters + ?Sized>(
        &'a self,
        parameters: &'a P,
    ) -> impl Iterator<Item = Bound<'a>> + Clone {
        self.parts.iter().map(move |part| match part {
            Part::Literal(text) => Bound::Literal(text),
            Part::Parameter(name) => Bound::Value(parameters.get(name).unwrap_or_default()),
        })
    }

    /// Returns the scope to name in a challenge. It ends before the first value that cannot be part
    /// of a scope: the shorter scope covers the required one.
    pub(super) fn challenge<P: PathParameters + ?Sized>(&self, parameters: &P) -> Option<String> {
        let mut text = String::with_capacity(Scope::MAX_LEN);
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

/// Returns whether a text can be the name of a path parameter.
fn is_parameter_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// Returns whether a value from a path can be a segment of a scope without a special meaning.
fn can_be_named(value: &str) -> bool {
    !value.is_empty()
        && value.len() <= Scope::MAX_LEN
        && value.bytes().all(|b| is_scope_char(b) && !matches!(b, b':' | b'*'))
        && !has_dot_part(value)
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

/// A segment of a template with its value.
#[derive(Clone, Copy)]
pub(super) enum Bound<'a> {
    /// A literal segment of the template.
    Literal(&'a str),
    /// The value of a path parameter. It is one literal segment, whatever characters it contains.
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
