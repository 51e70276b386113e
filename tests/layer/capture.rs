//! Captures the log of a program in which every log target is enabled.
//!
//! It captures the targets that the logging of a host would include: the layer's events and those
//! of the services inside it. It excludes the server and the client, which log the raw bytes at
//! this level.

use std::io;
use std::sync::{Mutex, Once};

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::prelude::*;

static WRITTEN: Mutex<Vec<u8>> = Mutex::new(Vec::new());

/// Starts capturing, once for all tests of the process.
pub(crate) fn start() {
    static START: Once = Once::new();
    START.call_once(|| {
        let targets = Targets::new()
            .with_target("axum", LevelFilter::TRACE)
            .with_target("hallpass", LevelFilter::TRACE)
            .with_target("inside", LevelFilter::TRACE)
            .with_target("tower_http", LevelFilter::TRACE);
        let lines = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(Capture);
        tracing_subscriber::registry().with(lines).with(targets).init();
    });
}

/// Returns the current length of the log, to read from there later.
pub(crate) fn mark() -> usize {
    WRITTEN.lock().unwrap().len()
}

/// Returns the log of all running tests since that position.
pub(crate) fn since(mark: usize) -> Vec<u8> {
    WRITTEN.lock().unwrap()[mark..].to_vec()
}

struct Capture;

impl<'w> MakeWriter<'w> for Capture {
    type Writer = Self;

    fn make_writer(&'w self) -> Self {
        Self
    }
}

impl io::Write for Capture {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        WRITTEN.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
