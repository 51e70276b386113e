//! Source files in which several safety steps can be removed by an environment variable.
//!
//! A build for each row would take most of the time. So the body of a function with a safety step
//! becomes a `match` on [`VARIABLE`], with an arm for each row and one for the original body. The
//! files are formatted by rustfmt, so the indentation shows where a function begins and ends.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::ops::Range;

/// The variable whose value is the name of the row whose step is left out.
pub(super) const VARIABLE: &str = "HALLPASS_GUARD";

/// A change of a file: the name of its row, the place of the text, and its replacement.
pub(super) struct Change<'g> {
    pub(super) name: &'g str,
    pub(super) place: Range<usize>,
    pub(super) replacement: &'g str,
}

/// A file with its switches.
pub(super) struct FileWithSwitches {
    pub(super) source: String,
    /// The names of the rows that have a switch.
    pub(super) names: Vec<String>,
}

/// Returns a file with a switch for each change that is inside of a suitable function.
pub(super) fn add_switches(source: &str, changes: &[Change<'_>]) -> FileWithSwitches {
    let mut bodies: BTreeMap<usize, (Range<usize>, Vec<&Change<'_>>)> = BTreeMap::new();
    for change in changes {
        let Some(body) = body_around(source, &change.place) else { continue };
        let overlaps = |other: &Range<usize>| {
            *other != body && other.start < body.end && body.start < other.end
        };
        if !bodies.values().any(|(other, _)| overlaps(other)) {
            bodies.entry(body.start).or_insert((body, Vec::new())).1.push(change);
        }
    }
    let mut file = FileWithSwitches { source: String::new(), names: Vec::new() };
    let mut end = 0;
    for (body, changes) in bodies.into_values() {
        file.source.push_str(&source[end..body.start]);
        file.source.push_str(&body_with_switches(source, &body, &changes));
        file.names.extend(changes.iter().map(|change| change.name.to_owned()));
        end = body.end;
    }
    file.source.push_str(&source[end..]);
    file
}

fn body_with_switches(source: &str, body: &Range<usize>, changes: &[&Change<'_>]) -> String {
    let mut text = format!(
        "\nstatic GUARD: ::std::sync::OnceLock<::std::string::String> = \
         ::std::sync::OnceLock::new();\n\
         match GUARD.get_or_init(|| ::std::env::var({VARIABLE:?}).unwrap_or_default()).as_str() {{\n"
    );
    for Change { name, place, replacement } in changes {
        let (before, after) = (&source[body.start..place.start], &source[place.end..body.end]);
        let _ = writeln!(text, "{name:?} => {{{before}{replacement}{after}}}");
    }
    let _ = writeln!(text, "_ => {{{}}}\n}}", &source[body.clone()]);
    text
}

/// Returns the place between the braces of the innermost function around a text. Returns `None` if
/// two bodies of that function would have different types, or if it may run at compile time.
fn body_around(source: &str, place: &Range<usize>) -> Option<Range<usize>> {
    let line_start = source[..place.start].rfind('\n').map_or(0, |end| end + 1);
    let (mut start, mut inner) = (line_start, indentation(&source[line_start..]));
    // The lines before the text, from the last one to the first.
    while start > 0 {
        let end = start - 1;
        start = source[..end].rfind('\n').map_or(0, |end| end + 1);
        let line = &source[start..end];
        let outer = indentation(line);
        // A signature of several lines ends with a line that is not the first of the function.
        let ends_signature = line.trim() == "where" || line.trim().starts_with([')', '{']);
        if line.trim().is_empty() || outer >= inner || ends_signature {
            continue;
        }
        inner = outer;
        if is_function(line) {
            return body(source, start, outer, place);
        }
    }
    None
}

/// Returns the place between the braces of the function that begins at `start`, if it contains the
/// text.
fn body(source: &str, start: usize, indent: usize, place: &Range<usize>) -> Option<Range<usize>> {
    let close = format!("\n{}}}\n", " ".repeat(indent));
    let open = start + source[start..].find("{\n")?;
    let body = open + 1..open + source[open..].find(&close)? + 1;
    let header = &source[start..open];
    let suitable = !header.contains("const fn") && !header.contains("-> impl");
    (suitable && body.start <= place.start && place.end <= body.end).then_some(body)
}

fn indentation(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

fn is_function(line: &str) -> bool {
    line.split(' ').any(|word| word == "fn") && !line.trim_start().starts_with("//")
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "\
impl A {
    fn first(&self) -> bool {
        if self.open {
            return check(
                self,
            );
        }
        false
    }

    const fn second() -> u32 {
        1
    }

    async fn third<T>(
        &self,
        other: T,
    ) -> Option<T>
    where
        T: Copy,
    {
        match self.open {
            true => Some(other),
            false => None,
        }
    }
}
";

    fn change<'g>(name: &'g str, text: &str, replacement: &'g str) -> Change<'g> {
        let start = SOURCE.find(text).unwrap();
        Change { name, place: start..start + text.len(), replacement }
    }

    #[test]
    fn body_has_an_arm_for_each_change_and_the_original() {
        let changes = [change("one", "self.open", "true"), change("two", "false", "true")];
        let FileWithSwitches { source, names } = add_switches(SOURCE, &changes);
        assert_eq!(names, ["one", "two"]);
        assert_eq!(source.matches("if true {").count(), 1);
        assert_eq!(source.matches("if self.open {").count(), 2);
        assert!(source.contains("\"two\" => {\n        if self.open"), "{source}");
        assert!(source.starts_with("impl A {\n    fn first(&self) -> bool {"), "{source}");
        let rest = &SOURCE[SOURCE.find("    const fn").unwrap()..];
        assert!(source.ends_with(rest), "{source}");
    }

    #[test]
    fn signature_may_have_several_lines() {
        let file = add_switches(SOURCE, &[change("row", "Some(other)", "None")]);
        assert_eq!(file.names, ["row"]);
        assert!(file.source.contains("T: Copy,\n    {\nstatic GUARD"), "{}", file.source);
        assert!(file.source.contains("true => None,"), "{}", file.source);
    }

    #[test]
    fn text_outside_of_a_suitable_function_has_no_switch() {
        for text in ["1\n", "impl A", "first"] {
            let file = add_switches(SOURCE, &[change("row", text, "x")]);
            assert_eq!((file.source.as_str(), file.names.len()), (SOURCE, 0), "{text}");
        }
    }
}
