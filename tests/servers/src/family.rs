//! Signals a process together with its children. A PostgreSQL server consists of many processes.

use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process};

/// The time limit for a process to end after `SIGKILL`.
const PATIENCE: Duration = Duration::from_secs(10);

/// Returns the process and its children. The process itself comes first.
pub(crate) fn of(parent: Pid) -> Result<Vec<Pid>> {
    let mut family = vec![parent];
    for entry in fs::read_dir("/proc").context("cannot list the processes")? {
        let path = entry?.path();
        let number = path.file_name().and_then(|name| name.to_str()?.parse().ok());
        let Some(process) = number.and_then(Pid::from_raw) else { continue };
        // The process may have ended since it was listed.
        let Ok(stat) = fs::read_to_string(path.join("stat")) else { continue };
        if parent_in(&stat) == Some(parent) {
            family.push(process);
        }
    }
    Ok(family)
}

/// Parses the parent from a line `pid (name) state parent ...`. The name may contain any character,
/// including parentheses.
fn parent_in(stat: &str) -> Option<Pid> {
    behind_name(stat)?.nth(1)?.parse().ok().and_then(Pid::from_raw)
}

fn behind_name(stat: &str) -> Option<impl Iterator<Item = &str>> {
    Some(stat[stat.rfind(')')? + 1..].split_whitespace())
}

/// Waits until all of the processes have ended and have released their resources.
pub(crate) fn wait_for_exit(processes: &[Pid]) -> Result<()> {
    let started = Instant::now();
    while processes.iter().any(|process| is_alive(*process)) {
        ensure!(
            started.elapsed() < PATIENCE,
            "a process of the server did not end within {} s",
            PATIENCE.as_secs()
        );
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}

/// Returns whether a process runs. A zombie (`Z`) counts as ended.
fn is_alive(process: Pid) -> bool {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let state = behind_name(&stat).and_then(|mut fields| fields.next());
    state.is_some_and(|state| state != "Z" && state != "X")
}

/// Sends a signal to the processes. A process that has already ended is skipped.
pub(crate) fn signal_all(processes: &[Pid], signal: Signal) -> Result<()> {
    for process in processes {
        match kill_process(*process, signal) {
            Ok(()) | Err(Errno::SRCH) => {}
            Err(error) => return Err(error).context("cannot signal a process of the server"),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parent_is_parsed_after_any_process_name() {
        let parent = |stat| parent_in(stat).map(Pid::as_raw_nonzero).map(std::num::NonZero::get);
        assert_eq!(parent("12 (postgres) S 7 12 12 0"), Some(7));
        assert_eq!(parent("12 (a) S 9 (b) R 7 12"), Some(7));
        assert_eq!(parent("12 (init) S 0 1"), None);
    }

    #[test]
    fn children_of_a_process_are_listed_with_it() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let family = of(rustix::process::getpid()).unwrap();
        assert!(family.contains(&Pid::from_child(&child)), "{family:?}");
        signal_all(&[Pid::from_child(&child)], Signal::KILL).unwrap();
        wait_for_exit(&[Pid::from_child(&child)]).unwrap();
        assert!(!child.wait().unwrap().success());
    }
}
