//! Mistakes that the compiler finds. Each file in `ui` has one, and its message is next to it.

#[test]
fn each_mistake_does_not_compile_and_the_message_says_why() {
    trybuild::TestCases::new().compile_fail("ui/*.rs");
}
