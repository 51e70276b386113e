use hallpass_axum::{
    HallpassBuilderExt,
    core::{Actor, Hallpass},
};

async fn by_password(_: Actor, password: String) -> bool {
    password == "wonderland"
}

fn main() {
    let store = hallpass_memory::MemoryStore::new();
    let _ = Hallpass::builder(store).step_up(by_password).build();
}
