//! Tests of `scanner`.

use regex::Regex;

use crate::harness::Place;

/// Returns the text between the first `start` and the next `end`.
fn between<'t>(text: &'t str, start: &str, end: &str) -> &'t str {
    let (_, rest) = text.split_once(start).unwrap_or_else(|| panic!("{start} in {text}"));
    rest.split_once(end).unwrap_or_else(|| panic!("{end} in {text}")).0
}

#[test]
fn every_scanner_rule_matches_issued_tokens_and_nothing_else() {
    let place = Place::new();
    for prefix in ["hp", "acme2"] {
        let rules =
            |scanner: &str| place.run(&["scanner", scanner, "--prefix", prefix]).done().stdout;
        let (gitleaks, trufflehog) = (rules("gitleaks"), rules("trufflehog"));
        let (detect_secrets, regex) = (rules("detect-secrets"), rules("regex"));
        let patterns = [
            between(&gitleaks, "regex = '''", "'''"),
            between(&trufflehog, "token: '", "'\n"),
            between(&detect_secrets, "re.compile(r'", "')"),
            regex.trim_end(),
        ];
        let keyword = format!("{prefix}_");
        assert_eq!(between(&gitleaks, "keywords = [\"", "\"]"), keyword);
        assert_eq!(between(&trufflehog, "keywords:\n      - ", "\n"), keyword);
        for pattern in patterns {
            let pattern = Regex::new(pattern).expect("a pattern");
            for number in 0..5 {
                let owner = format!("owner-{number}");
                let arguments = ["issue", "--owner", &owner, "--name", "ci", "--prefix", prefix];
                let token = place.run(&arguments).done().stdout.trim().to_owned();
                for around in [
                    ("", ""),
                    ("TOKEN=\"", "\"\n"),
                    ("curl -H 'Bearer ", "' x"),
                    ("?session=", "&"),
                ] {
                    let text = format!("{}{token}{}", around.0, around.1);
                    let found: Vec<_> =
                        pattern.find_iter(&text).map(|found| found.as_str()).collect();
                    assert_eq!(found, [&*token], "{text}");
                }
                for other in [
                    &token[1..],
                    &token[..token.len() - 1],
                    &format!("{token}0"),
                    &format!("x{token}"),
                ] {
                    assert!(!pattern.is_match(other), "{other}");
                }
            }
        }
        let json = place.json(&["scanner", "gitleaks", "--prefix", prefix]);
        assert_eq!(
            (json["regex"].as_str(), json["rules"].as_str()),
            (Some(regex.trim_end()), Some(&*gitleaks))
        );
    }
    assert!(place.run(&["scanner", "gitleaks", "--prefix", "A'''"]).failed(2).contains("prefix"));
    assert_eq!(place.run(&["scanner", "grep"]).code, 2);
}
