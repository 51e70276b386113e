use hallpass_axum::{TokenApi, hallpass_core::Hallpass};

async fn signed_in(name: &'static str) -> Option<String> {
    Some(name.to_owned())
}

fn main() {
    let hallpass = Hallpass::builder(hallpass_memory::MemoryStore::new()).build();
    let _: axum::Router = TokenApi::new(&hallpass, signed_in).into_router_at("/tokens");
}
