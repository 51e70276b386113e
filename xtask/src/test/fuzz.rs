//! The step `fuzz`: builds the fuzz targets and runs each for a few seconds.

use std::time::Duration;

use anyhow::Result;

use super::Found;
use crate::fuzz::{Fuzzer, Profile};
use crate::workspace::Workspace;

/// How long each target runs.
const SHORT: Duration = Duration::from_secs(3);

pub(super) fn check(workspace: &Workspace) -> Result<Found> {
    // For a few seconds, optimised programs are not worth the time that they take to build.
    let fuzzer = Fuzzer::new(workspace, Profile::Dev)?;
    fuzzer.build()?;
    let mut found = Found::default();
    let mut inputs = 0;
    for target in &fuzzer.targets {
        match fuzzer.run(target, SHORT) {
            Ok(tried) => {
                inputs += tried;
                found.passed += 1;
            }
            Err(error) => {
                println!("{error:#}");
                found.failed += 1;
            }
        }
    }
    found.note = format!("{inputs} inputs to {} targets", fuzzer.targets.len());
    Ok(found)
}
