use std::sync::{Arc, Mutex};

use hallpass_core::{Event, EventKind, EventSink};

/// Collects the events, in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Happened(Arc<Mutex<Vec<Event>>>);

impl Happened {
    /// Returns the events since the last call.
    pub(crate) fn take(&self) -> Vec<Event> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }

    /// Returns the kinds of the events since the last call.
    pub(crate) fn kinds(&self) -> Vec<EventKind> {
        self.take().into_iter().map(|event| event.kind).collect()
    }

    /// Returns the only event since the last call.
    #[track_caller]
    pub(crate) fn only(&self) -> Event {
        let mut events = self.take();
        assert_eq!(events.len(), 1, "{events:?}");
        events.remove(0)
    }
}

impl EventSink for Happened {
    fn on_event(&self, event: &Event) {
        self.0.lock().unwrap().push(event.clone());
    }
}
