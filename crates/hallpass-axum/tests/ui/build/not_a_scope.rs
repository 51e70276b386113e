use hallpass_axum::{RequiredScope, Scoped};

struct Nonsense;
impl RequiredScope for Nonsense {
    const SCOPE: &'static str = "projects::*";
}

async fn show(_: Scoped<Nonsense>) {}

fn main() {
    let _: axum::routing::MethodRouter = axum::routing::get(show);
}
