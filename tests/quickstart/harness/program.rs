use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// An example that these tests run.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Program {
    Quickstart,
    Cluster,
}

impl Program {
    /// Where it is; it is built at the first call.
    pub(super) fn path(self) -> &'static Path {
        static QUICKSTART: OnceLock<PathBuf> = OnceLock::new();
        static CLUSTER: OnceLock<PathBuf> = OnceLock::new();
        let (path, name) = match self {
            Self::Quickstart => (&QUICKSTART, "quickstart"),
            Self::Cluster => (&CLUSTER, "cluster"),
        };
        path.get_or_init(|| hallpass_tests::built::program("--example", name))
    }
}
