use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// An example that these tests run.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Program {
    Quickstart,
    Cluster,
}

impl Program {
    /// Returns the path of the program. The first call builds it.
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
