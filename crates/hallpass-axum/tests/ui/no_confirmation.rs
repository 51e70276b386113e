use hallpass_axum::{
    TokenApi,
    core::{Actor, Hallpass},
};

async fn by_password(_: Actor, password: String) -> bool {
    password == "wonderland"
}

fn main() {
    let hallpass = Hallpass::builder(hallpass_memory::MemoryStore::new()).build();
    let api = TokenApi::new(&hallpass, async || None::<Actor>).confirm(by_password);
    let _: axum::Router = api.into_router_at("/tokens");
}
