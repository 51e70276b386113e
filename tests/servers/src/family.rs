//! A process and its children: a server of PostgreSQL is many.

use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process};

/// How long a process may take to end that was told to at once.
const PATIENCE: Duration = Duration::from_secs(10);

/// The process first, then its children.
pub(crate) fn of(parent: Pid) -> Result<Vec<Pid>> {
    let mut family = vec![parent];
    for entry in fs::read_dir("/proc").context("the processes cannot be listed")? {
        let path = entry?.path();
        let number = path.file_name().and_then(|name| name.to_str()?.parse().ok());
        let Some(process) = number.and_then(Pid::from_raw) else { continue };
        // It may have ended meanwhile.
        let Ok(stat) = fs::read_to_string(path.join("stat")) else { continue };
        if parent_in(&stat) == Some(parent) {
            family.push(process);
        }
    }
    Ok(family)
}

/// The parent in a line `number (name) state parent ...`, whose name may hold anything.
fn parent_in(stat: &str) -> Option<Pid> {
    behind_name(stat)?.nth(1)?.parse().ok().and_then(Pid::from_raw)
}

fn behind_name(stat: &str) -> Option<impl Iterator<Item = &str>> {
    Some(stat[stat.rfind(')')? + 1..].split_whitespace())
}

/// Waits until none of them holds anything any more.
pub(crate) fn wait_for_the_end(processes: &[Pid]) -> Result<()> {
    let started = Instant::now();
    while processes.iter().any(|process| is_alive(*process)) {
        ensure!(started.elapsed() < PATIENCE, "a server's process does not end");
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}

/// What waits for its parent to hear of its end is dead.
fn is_alive(process: Pid) -> bool {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let state = behind_name(&stat).and_then(|mut fields| fields.next());
    state.is_some_and(|state| state != "Z" && state != "X")
}

/// Those that are gone already need none.
pub(crate) fn signal_all(processes: &[Pid], signal: Signal) -> Result<()> {
    for process in processes {
        match kill_process(*process, signal) {
            Ok(()) | Err(Errno::SRCH) => {}
            Err(error) => return Err(error).context("a server's process takes no signal"),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parent_is_found_behind_any_name() {
        let parent = |stat| parent_in(stat).map(Pid::as_raw_nonzero).map(std::num::NonZero::get);
        assert_eq!(parent("12 (postgres) S 7 12 12 0"), Some(7));
        assert_eq!(parent("12 (a) S 9 (b) R 7 12"), Some(7));
        assert_eq!(parent("12 (init) S 0 1"), None);
    }

    #[test]
    fn a_process_is_of_the_family_of_its_parent() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let family = of(rustix::process::getpid()).unwrap();
        assert!(family.contains(&Pid::from_child(&child)), "{family:?}");
        signal_all(&[Pid::from_child(&child)], Signal::KILL).unwrap();
        wait_for_the_end(&[Pid::from_child(&child)]).unwrap();
        assert!(!child.wait().unwrap().success());
    }
}
