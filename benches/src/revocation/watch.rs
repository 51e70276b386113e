//! Checks tokens on one node repeatedly while they are revoked.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use futures::FutureExt as _;
use hallpass_core::{AuthError, Hallpass, Verification};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

/// How long a node is still checked after it has rejected a token, to detect a later acceptance.
const ONCE_MORE: Duration = Duration::from_millis(5);

/// A token that is revoked while it is watched.
pub(super) struct Subject {
    pub(super) text: String,
    /// The time of the first check, on all nodes except one with a delayed start.
    pub(super) from: Instant,
    /// The time at which `revoke` returned.
    pub(super) revoked: OnceLock<Instant>,
}

/// The state that all watchers share.
pub(super) struct Scene<'s> {
    pub(super) subjects: &'s [Subject],
    /// The pause after checking all tokens once. A watcher without a pause would delay the nodes'
    /// background tasks.
    pub(super) pace: Duration,
    pub(super) horizon: Duration,
    /// The number of first acceptances of a token, by all nodes together.
    pub(super) ready: AtomicUsize,
    /// Whether the node with the delayed start may be checked.
    pub(super) surprised: AtomicBool,
    pub(super) given_up: AtomicBool,
}

/// The acceptances of a token by a node after `revoke` had returned.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Seen {
    /// The number of acceptances, by checks that began after `revoke` had returned.
    pub(super) accepted: u32,
    /// The time from the return of `revoke` to the end of the last such check.
    pub(super) last: Duration,
}

enum Verdict {
    Accepted,
    Rejected,
    Unavailable,
}

#[derive(Default)]
struct Watched {
    seen: Seen,
    was_ready: bool,
    /// The begin and end of the last acceptance before this watcher saw the revocation.
    unjudged: Option<(Instant, Instant)>,
    rejected_since: Option<Instant>,
    under_way: Option<(Instant, JoinHandle<(Verdict, Instant)>)>,
    is_over: bool,
}

impl Scene<'_> {
    /// Checks the tokens until the node has rejected each of them, or the horizon is reached.
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
                (Verdict::Rejected, Some(revoked)) if began > revoked => {
                    watched.rejected_since.get_or_insert(ended);
                }
                (Verdict::Rejected | Verdict::Unavailable, _) => {}
            }
            if watched.unjudged.is_some() && !watched.was_ready {
                watched.was_ready = true;
                self.ready.fetch_add(1, Ordering::Relaxed);
            }
        }
        watched.is_over = revoked.is_some_and(|revoked| {
            watched.rejected_since.is_some_and(|since| since.elapsed() > ONCE_MORE)
                || revoked.elapsed() > self.horizon
        });
    }
}

impl Watched {
    /// Makes one check. Returns `None` if the check is still waiting for the store; it continues
    /// while other tokens are checked.
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
            self.rejected_since = None;
        }
    }
}

fn verdict<T>(decided: &Result<T, AuthError>) -> Verdict {
    match decided {
        Ok(_) => Verdict::Accepted,
        Err(denied) if denied.is_unavailable() => Verdict::Unavailable,
        Err(_) => Verdict::Rejected,
    }
}
