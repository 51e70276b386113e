//! Fuzzes scopes and requirements. The first two lines of the input are sets of scopes, separated
//! by spaces. The third line is the requirement of a route.

use hallpass_core::{Requirement, Scope, ScopeSet};

use crate::words::Words;

/// Checks that the parser and the set operations agree with the oracle about these scopes.
///
/// # Panics
///
/// Panics if they disagree.
pub fn check(data: &[u8]) {
    let filled = Words::default().with("LINE", "\n").fill(data);
    let Ok(text) = std::str::from_utf8(&filled) else { return };
    let mut lines = text.split('\n');
    let mut set = || set(lines.next().unwrap_or_default());
    let (held, ceiling) = (set(), set());
    let needed = lines.next().unwrap_or_default();
    check_requirement(&held, needed);
    let Some(needed) = parse(needed) else { return };
    assert_eq!(held.covers(&needed), covers(&held, needed.as_str()), "{held} for {needed}");
    let both = covers(&held, needed.as_str()) && covers(&ceiling, needed.as_str());
    assert_eq!(
        held.intersection(&ceiling).covers(&needed),
        both,
        "{held} | {ceiling} for {needed}"
    );
}

fn set(line: &str) -> ScopeSet {
    let set: ScopeSet = line.split(' ').filter_map(parse).collect();
    let shown = set.to_string();
    let again = ScopeSet::parse(shown.split(' ').filter(|text| !text.is_empty()));
    assert_eq!(again.as_ref(), Ok(&set), "{shown}");
    set
}

fn parse(text: &str) -> Option<Scope> {
    let parsed = text.parse::<Scope>();
    assert_eq!(parsed.is_ok(), is_scope(text), "{text:?}: {parsed:?}");
    let scope = parsed.ok()?;
    assert_eq!(scope.to_string(), text);
    assert_eq!(scope.segments().collect::<Vec<_>>().join(":"), text);
    Some(scope)
}

/// Returns whether a text is a scope: one to eight segments of RFC 6749's `scope-token` characters
/// (section 3.3) without the colon, at most 128 characters in total. A `*` is a whole segment, and
/// no part between slashes is `.` or `..`.
fn is_scope(text: &str) -> bool {
    let character = |c: char| c == '!' || ('#'..='[').contains(&c) || (']'..='~').contains(&c);
    let segments: Vec<&str> = text.split(':').collect();
    text.chars().count() <= 128
        && segments.len() <= 8
        && segments.iter().all(|segment| {
            !segment.is_empty()
                && segment.chars().all(character)
                && (*segment == "*" || !segment.contains('*'))
                && !segment.split('/').any(|part| part == "." || part == "..")
        })
}

/// Returns whether one of the held scopes is a prefix of the needed one. A `*` stands for any
/// segment, except for `admin` and `pat` as the first one.
fn covers(held: &ScopeSet, needed: &str) -> bool {
    let needed: Vec<&str> = needed.split(':').collect();
    held.iter().any(|held| {
        let held: Vec<&str> = held.as_str().split(':').collect();
        held.len() <= needed.len()
            && held.iter().zip(&needed).enumerate().all(|(place, (held, needed))| {
                let reserved = place == 0 && ["admin", "pat"].contains(needed);
                held == needed || (*held == "*" && !reserved)
            })
    })
}

/// Parses the requirement of a route: a scope without `*`. A segment may be `{name}`.
fn check_requirement(held: &ScopeSet, text: &str) {
    let parsed = text.parse::<Requirement>();
    assert_eq!(parsed.is_ok(), is_template(text), "{text:?}: {parsed:?}");
    let Ok(needs) = parsed else { return };
    assert_eq!(needs.to_string(), text);
    let parameters: Vec<(&str, &str)> =
        needs.parameters().into_iter().map(|name| (name, "42")).collect();
    let bound: Vec<&str> = text
        .split(':')
        .map(|segment| if segment.starts_with('{') { "42" } else { segment })
        .collect();
    let bound = bound.join(":");
    let granted = needs.check(held, &parameters[..]).is_allowed();
    assert_eq!(granted, covers(held, &bound), "{held} for {bound}");
    assert_eq!(needs.challenge(&parameters[..]), bound);
}

fn is_template(text: &str) -> bool {
    let name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let plain: Vec<String> = text
        .split(':')
        .map(|segment| match segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
            // The name of a parameter counts towards the length.
            Some(parameter) if !parameter.is_empty() && parameter.chars().all(name) => {
                parameter.to_owned()
            }
            // Texts that are never a scope.
            _ if segment.contains(['{', '}', '*']) => String::new(),
            _ => segment.to_owned(),
        })
        .collect();
    is_scope(&plain.join(":"))
}
