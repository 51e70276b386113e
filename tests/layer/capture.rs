//! What a program with every log switched on would have written.
//!
//! Of what runs here it takes what a host's own logging sees: the layer's events and those of what
//! is inside it. The server and the client under it read the raw bytes, and log them if they are
//! told to.

use std::io;
use std::sync::{Mutex, Once};

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::prelude::*;

static WRITTEN: Mutex<Vec<u8>> = Mutex::new(Vec::new());

/// Starts to take logs down, once for all tests of the process.
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

/// How much was written so far: a place to read on from.
pub(crate) fn mark() -> usize {
    WRITTEN.lock().unwrap().len()
}

/// What was written from that place on, by all tests that run.
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
