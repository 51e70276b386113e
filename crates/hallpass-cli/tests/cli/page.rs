//! Compares `docs/cli.md` with the help of the command.

use crate::harness::Place;

/// Returns the first words of the lines between the heading and the next empty line.
fn first_words<'t>(help: &'t str, heading: &str) -> Vec<&'t str> {
    let (_, rest) = help.split_once(heading).expect("the heading");
    let lines = rest.trim_start().lines().take_while(|line| !line.is_empty());
    lines.filter_map(|line| line.split_whitespace().next()).collect()
}

#[test]
fn page_names_each_command_and_each_option() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/cli.md");
    let page = std::fs::read_to_string(path).expect("the page");
    let place = Place::empty();
    let commands = place.run(&["--help"]).done().stdout;
    let commands = first_words(&commands, "Commands:");
    assert!(commands.len() > 10, "{commands:?}");
    for command in commands.into_iter().filter(|command| *command != "help") {
        assert!(page.contains(&format!("| `{command}")), "no row for {command}");
        let help = place.run(&[command, "--help"]).done().stdout;
        for (before, option) in help.lines().filter_map(|line| line.trim().split_once("--")) {
            let name = option.split([' ', '.', '=', ',']).next().expect("the option's name");
            if (before.is_empty() || before.starts_with('-')) && name != "help" {
                assert!(page.contains(&format!("--{name}")), "{command}: --{name} is missing");
            }
        }
    }
}
