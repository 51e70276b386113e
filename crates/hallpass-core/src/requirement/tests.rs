use super::*;
use proptest::prelude::*;

fn needs(text: &str) -> Requirement {
    text.parse().unwrap()
}

fn held(scopes: &[&str]) -> ScopeSet {
    ScopeSet::parse(scopes).unwrap()
}

#[test]
fn requirement_with_a_wildcard_or_bad_parameter_is_rejected() {
    for bad in ["", "a:*", "*", "a::b", "a b", "a:{id", "a:x{id}", "a:{}", "a:{b-c}", "a:{*rest}"] {
        assert!(bad.parse::<Requirement>().is_err(), "{bad:?}");
    }
    assert_eq!(needs("a:{id}:c").parameters(), ["id"]);
    assert_eq!(needs("a:{id}:c").to_string(), "a:{id}:c");
}

#[test]
fn empty_requirement_list_is_an_error() {
    assert_eq!(all_of::<&str>([]), Err(RequirementError::Empty("all_of")));
    assert_eq!(any_of::<&str>([]), Err(RequirementError::Empty("any_of")));
    assert_eq!(any_of([public()]), Err(RequirementError::PublicInside("any_of")));
}

#[test]
fn each_path_parameter_is_bound() {
    let needs = all_of(["a:read:{x}", "b:read:{y}"]).unwrap();
    let one = held(&["a:read:1"]);
    let both = held(&["a:read:1", "b:read:2"]);
    assert_eq!(needs.check(&one, &[("x", "1"), ("y", "2")]), Decision::Deny);
    assert_eq!(needs.check(&both, &[("x", "1"), ("y", "2")]), Decision::Allow);
    assert_eq!(needs.check(&both, &[("x", "1"), ("y", "3")]), Decision::Deny);
}

#[test]
fn missing_path_parameter_is_never_allowed() {
    let everything = held(&["a", "b", "c"]);
    assert_eq!(needs("a:{id}").check(&everything, &()), Decision::MissingParameter("id"));
    let either = any_of(["c", "a:{id}"]).unwrap();
    assert_eq!(either.check(&everything, &()), Decision::MissingParameter("id"));
}

#[test]
fn path_parameters_are_compared_byte_for_byte() {
    let held = held(&["a:42"]);
    for other in ["042", "+42", "42 ", "4", "", "42:7", "*"] {
        assert!(!needs("a:{id}").check(&held, &[("id", other)]).is_allowed(), "{other:?}");
    }
}

#[test]
fn star_does_not_cover_a_parameter_with_a_reserved_value() {
    let everything = held(&["*"]);
    assert!(needs("{family}:read").check(&everything, &[("family", "jobs")]).is_allowed());
    assert!(!needs("{family}:read").check(&everything, &[("family", "admin")]).is_allowed());
}

#[test]
fn challenge_names_all_scopes_and_omits_invalid_values() {
    let needs = all_of(["p:publish:{id}", "p:read:{id}", "p:read:{id}"]).unwrap();
    assert_eq!(needs.challenge(&[("id", "atlas")]), "p:publish:atlas p:read:atlas");
    for strange in ["a b", "a\"b", "é", "*", "a:b", "", "..", "a/."] {
        assert_eq!(needs.challenge(&[("id", strange)]), "p:publish p:read", "{strange:?}");
    }
    assert_eq!(authenticated().challenge(&()), "");
}

proptest! {
    #[test]
    fn path_parameter_is_never_a_pattern(value in "[a*:]{0,6}", grant in "[ab](:[ab]){0,2}") {
        // The grant contains no `*`, so only the same text or a shorter grant covers a
        // parameter.
        let held = held(&[&grant]);
        let granted = needs("a:{id}").check(&held, &[("id", value.as_str())]).is_allowed();
        let segments: Vec<_> = grant.split(':').collect();
        let expected = match segments[..] {
            [family] => family == "a",
            [family, id] => family == "a" && id == value,
            _ => false,
        };
        prop_assert_eq!(granted, expected);
    }

    #[test]
    fn held_star_covers_any_single_value(value: String) {
        let held = held(&["a:*"]);
        let needs = needs("a:{id}");
        prop_assert!(needs.check(&held, &[("id", value.as_str())]).is_allowed());
    }
}
