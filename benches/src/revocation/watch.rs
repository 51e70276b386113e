//! One node, asked again and again for tokens that are being taken back.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use futures::FutureExt as _;
use hallpass_core::{AuthError, Hallpass, Verification};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

/// For how long a node is still asked after it has refused a token: nothing may come back to life.
const ONCE_MORE: Duration = Duration::from_millis(5);

/// A token that is taken back while it is watched.
pub(super) struct Subject {
    pub(super) text: String,
    /// From when on it is asked for, but at a node that is to be surprised.
    pub(super) from: Instant,
    /// When `revoke` returned.
    pub(super) revoked: OnceLock<Instant>,
}

/// What all watchers share.
pub(super) struct Scene<'s> {
    pub(super) subjects: &'s [Subject],
    /// How long they rest after each look at all tokens: a watcher that never rested would keep the
    /// nodes from hearing of anything.
    pub(super) pace: Duration,
    pub(super) horizon: Duration,
    /// How many tokens have been let in for the first time, by all nodes together.
    pub(super) ready: AtomicUsize,
    /// Whether a node that is to be surprised may be asked.
    pub(super) surprised: AtomicBool,
    pub(super) given_up: AtomicBool,
}

/// What a node made of a token once `revoke` had returned.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Seen {
    /// How often it let the token in, of the checks that began only then.
    pub(super) accepted: u32,
    /// How long after `revoke` had returned it did so last.
    pub(super) last: Duration,
}

enum Verdict {
    Accepted,
    Refused,
    Unavailable,
}

#[derive(Default)]
struct Watched {
    seen: Seen,
    was_ready: bool,
    /// The last time that it was let in before this watcher knew that it was revoked: begun, ended.
    unjudged: Option<(Instant, Instant)>,
    refused_since: Option<Instant>,
    under_way: Option<(Instant, JoinHandle<(Verdict, Instant)>)>,
    is_over: bool,
}

impl Scene<'_> {
    /// Asks the node until it has refused every token, or the horizon is reached.
    pub(super) fn watch(&self, node: &Hallpass, runtime: &Handle, is_surprised: bool) -> Vec<Seen> {
        let mut all: Vec<Watched> = self.subjects.iter().map(|_| Watched::default()).collect();
        loop {
            let mut are_over = true;
            for (subject, watched) in self.subjects.iter().zip(&mut all) {
                let is_due = if is_surprised {
                    self.surprised.load(Ordering::Relaxed)
                } else {
                    Instant::now() >= subject.from
                };
                if is_due && !watched.is_over {
                    self.look(node, runtime, subject, watched);
                }
                are_over &= watched.is_over;
            }
            if are_over || self.given_up.load(Ordering::Relaxed) {
                return all.into_iter().map(|watched| watched.seen).collect();
            }
            thread::sleep(self.pace);
        }
    }

    fn look(&self, node: &Hallpass, runtime: &Handle, subject: &Subject, watched: &mut Watched) {
        let revoked = subject.revoked.get().copied();
        if let (Some(revoked), Some((began, ended))) = (revoked, watched.unjudged) {
            watched.unjudged = None;
            watched.accepted(revoked, began, ended);
        }
        if let Some((began, verdict, ended)) = watched.ask(node, runtime, subject) {
            // This is read again, because the token may have been revoked during the check.
            match (verdict, subject.revoked.get().copied()) {
                (Verdict::Accepted, Some(revoked)) => watched.accepted(revoked, began, ended),
                (Verdict::Accepted, None) => watched.unjudged = Some((began, ended)),
                (Verdict::Refused, Some(revoked)) if began > revoked => {
                    watched.refused_since.get_or_insert(ended);
                }
                (Verdict::Refused | Verdict::Unavailable, _) => {}
            }
            if watched.unjudged.is_some() && !watched.was_ready {
                watched.was_ready = true;
                self.ready.fetch_add(1, Ordering::Relaxed);
            }
        }
        watched.is_over = revoked.is_some_and(|revoked| {
            watched.refused_since.is_some_and(|since| since.elapsed() > ONCE_MORE)
                || revoked.elapsed() > self.horizon
        });
    }
}

impl Watched {
    /// One check, if its verdict is there already. What needs the store goes on while others are
    /// asked for.
    fn ask(
        &mut self,
        node: &Hallpass,
        runtime: &Handle,
        subject: &Subject,
    ) -> Option<(Instant, Verdict, Instant)> {
        if let Some((began, task)) = &mut self.under_way {
            let (verdict, ended) = task.now_or_never()?.expect("a check does not panic");
            let began = *began;
            self.under_way = None;
            return Some((began, verdict, ended));
        }
        let began = Instant::now();
        match node.verify(subject.text.as_bytes()) {
            Verification::Decided(decided) => Some((began, verdict(&decided), Instant::now())),
            Verification::Pending(pending) => {
                let check = async move { (verdict(&pending.resolve().await), Instant::now()) };
                self.under_way = Some((began, runtime.spawn(check)));
                None
            }
        }
    }

    fn accepted(&mut self, revoked: Instant, began: Instant, ended: Instant) {
        if began > revoked {
            self.seen.accepted += 1;
            self.seen.last = self.seen.last.max(ended - revoked);
            self.refused_since = None;
        }
    }
}

fn verdict<T>(decided: &Result<T, AuthError>) -> Verdict {
    match decided {
        Ok(_) => Verdict::Accepted,
        Err(denied) if denied.is_unavailable() => Verdict::Unavailable,
        Err(_) => Verdict::Refused,
    }
}
