use hallpass_axum::{RequiredScope, Scoped};

struct ReadProject;
impl RequiredScope for ReadProject {
    const SCOPE: &'static str = "projects:read:{id}";
}

async fn show(_: Scoped<ReadProject>) {}

fn main() {
    let _: axum::routing::MethodRouter = axum::routing::get(show);
}
