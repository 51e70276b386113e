//! The collected output, and the search for parts of secrets and digests in it.

use std::cell::RefCell;
use std::fmt::{Debug, Write as _};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, Once};

use hallpass_core::Issued;
use tracing_subscriber::fmt::MakeWriter;

use crate::common::*;

/// The collected output: log lines, and texts that the test adds.
#[derive(Clone, Default)]
pub(super) struct Output(Arc<Mutex<Vec<u8>>>);

impl Output {
    pub(super) fn add(&self, text: impl AsRef<[u8]>) {
        let mut output = self.0.lock().unwrap();
        output.extend_from_slice(text.as_ref());
        output.push(b'\n');
    }

    /// Adds both forms of a value's `Debug` output.
    pub(super) fn debug(&self, value: &dyn Debug) {
        self.add(format!("{value:?} {value:#?}"));
    }

    /// Adds the error's `Display` and `Debug` output, and those of its sources.
    pub(super) fn error(&self, error: &(dyn std::error::Error + 'static)) {
        self.debug(&error);
        let mut cause = Some(error);
        while let Some(error) = cause {
            self.add(error.to_string());
            cause = error.source();
        }
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        self.0.lock().unwrap().clone()
    }

    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes()).into_owned()
    }
}

impl io::Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

thread_local! {
    /// The output that collects this thread's log lines, if there is one.
    static THREAD_OUTPUT: RefCell<Option<Output>> = const { RefCell::new(None) };
}

/// A subscriber that sends the log lines of each thread to that thread's output. `tracing` caches
/// whether the first subscriber is interested in a line, so all threads share one that is
/// interested in every line.
struct ThreadWriter;

impl MakeWriter<'_> for ThreadWriter {
    type Writer = Output;

    fn make_writer(&self) -> Output {
        THREAD_OUTPUT.with_borrow(|output| output.clone().unwrap_or_default())
    }
}

/// Collects the log lines of this thread, at every level, until it is dropped.
pub(super) struct LogCapture;

impl LogCapture {
    pub(super) fn to(output: &Output) -> Self {
        static GLOBAL: Once = Once::new();
        GLOBAL.call_once(|| {
            tracing_subscriber::fmt()
                .with_max_level(tracing::Level::TRACE)
                .with_writer(ThreadWriter)
                .with_ansi(false)
                .init();
        });
        THREAD_OUTPUT.set(Some(output.clone()));
        Self
    }
}

impl Drop for LogCapture {
    fn drop(&mut self) {
        THREAD_OUTPUT.set(None);
    }
}

/// The data that no output may contain: the 43 characters of each secret, the 32 bytes of each
/// digest.
#[derive(Default)]
pub(super) struct LeakDetector {
    pub(super) secrets: Vec<String>,
    pub(super) digests: Vec<[u8; 32]>,
}

impl LeakDetector {
    pub(super) async fn add(&mut self, service: &Service, issued: &Issued) {
        let text = issued.token.reveal();
        let secret = &text[text.len() - 6 - 43..text.len() - 6];
        self.secrets.push(secret.to_owned());
        self.add_digests(&service.store.stored(issued.record.id).await.unwrap().secrets);
    }

    pub(super) fn add_digests(&mut self, secrets: &hallpass_core::store::Secrets) {
        self.digests.push(*secrets.current.bytes());
        self.digests.extend(secrets.previous.iter().map(|previous| *previous.digest.bytes()));
    }

    /// Returns a part of a secret or digest that the output contains. A part is 12 characters of a
    /// secret, or of a digest 6 bytes in hexadecimal, 4 bytes as a list of numbers, or 8 raw bytes.
    pub(super) fn found_in(&self, output: &[u8]) -> Option<String> {
        let text = String::from_utf8_lossy(output);
        let mut parts = Vec::new();
        for secret in &self.secrets {
            parts.extend((0..=43 - 12).map(|start| secret[start..start + 12].to_owned()));
        }
        for digest in &self.digests {
            parts.extend(digest.windows(6).map(|part| hex(part, |byte| format!("{byte:02x}"))));
            parts.extend(digest.windows(6).map(|part| hex(part, |byte| format!("{byte:02X}"))));
            for separator in [", ", ",", ",\n    "] {
                parts.extend(digest.windows(4).map(|part| {
                    let numbers: Vec<_> = part.iter().map(ToString::to_string).collect();
                    format!("{}{separator}", numbers.join(separator))
                }));
            }
        }
        let raw = self.digests.iter().find(|digest| {
            digest.windows(8).any(|part| output.windows(8).any(|window| window == part))
        });
        raw.map(|_| "a digest's bytes".to_owned())
            .or_else(|| parts.into_iter().find(|part| text.contains(part)))
    }
}

pub(super) fn hex(bytes: &[u8], write: impl Fn(&u8) -> String) -> String {
    bytes.iter().map(write).collect()
}

thread_local! {
    /// The panic messages of this thread, if they are collected.
    static PANICS: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Returns the message and the location of the panic of `act`.
pub(super) fn panic_of(act: impl FnOnce()) -> String {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            let is_collected = PANICS.with_borrow_mut(|output| {
                output.as_mut().map(|output| writeln!(output, "{panic}")).is_some()
            });
            if !is_collected {
                usual(panic);
            }
        }));
    });
    PANICS.set(Some(String::new()));
    assert!(catch_unwind(AssertUnwindSafe(act)).is_err(), "the call must panic");
    PANICS.take().unwrap()
}
