//! Runs commands, and prints each command and its output.

use std::io::{self, BufRead, BufReader, IsTerminal, PipeReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// Runs a command to completion. It inherits the standard output and error.
///
/// # Errors
///
/// Returns an error if the command does not start or fails.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    println!("{}", announcement(command));
    let status = command.status().with_context(|| cannot_start(command))?;
    if !status.success() {
        bail!("`{}` ended with {status}", name(command));
    }
    Ok(())
}

/// Runs a command to its end. Prints each line of its output and passes it to `line`. Returns
/// whether the command succeeded.
///
/// # Errors
///
/// Returns an error if the command does not start or its output cannot be read.
pub(crate) fn run_reading(command: &mut Command, mut line: impl FnMut(&str)) -> Result<bool> {
    println!("{}", announcement(command));
    if io::stdout().is_terminal() {
        command.env("CARGO_TERM_COLOR", "always");
    }
    let (mut child, mut reader) = spawn_with_pipe(command)?;
    let mut bytes = Vec::new();
    while reader.read_until(b'\n', &mut bytes)? > 0 {
        let text = String::from_utf8_lossy(&bytes);
        print!("{text}");
        line(text.trim_end());
        bytes.clear();
    }
    Ok(child.wait()?.success())
}

/// Runs a command to its end, and adds what it prints to `output`. Returns whether the command
/// succeeded.
///
/// # Errors
///
/// Returns an error if the command does not start or its output cannot be read.
pub(crate) fn run_captured(command: &mut Command, output: &mut String) -> Result<bool> {
    output.push_str(&announcement(command));
    output.push('\n');
    let (mut child, mut reader) = spawn_with_pipe(command)?;
    let mut bytes = Vec::new();
    reader.read_to_end(&mut bytes)?;
    output.push_str(&String::from_utf8_lossy(&bytes));
    Ok(child.wait()?.success())
}

/// Starts a command with one pipe for both streams, which keeps the lines in order.
fn spawn_with_pipe(command: &mut Command) -> Result<(Child, BufReader<PipeReader>)> {
    let (reader, writer) = io::pipe()?;
    command.stdout(writer.try_clone()?).stderr(writer);
    let child = command.spawn().with_context(|| cannot_start(command));
    // The command holds the writing ends of the pipe. Reading would never end while it lives.
    command.stdout(Stdio::null()).stderr(Stdio::null());
    Ok((child?, BufReader::new(reader)))
}

/// Runs a command for at most `limit`, and then ends it and the processes that it has started.
/// Returns whether it succeeded in time.
///
/// # Errors
///
/// Returns an error if the command does not start or cannot be waited for.
pub(crate) fn run_within(command: &mut Command, limit: Duration) -> Result<bool> {
    println!("{}", announcement(command));
    command.stdin(Stdio::null());
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(command, 0);
    let mut child = command.spawn().with_context(|| cannot_start(command))?;
    let started = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status.success());
        }
        if started.elapsed() >= limit {
            end(&mut child)?;
            return Ok(false);
        }
        thread::sleep(Duration::from_millis(50));
    }
}

fn end(child: &mut Child) -> Result<()> {
    #[cfg(unix)]
    {
        use rustix::process::{Pid, Signal, kill_process_group};
        kill_process_group(Pid::from_child(child), Signal::KILL)?;
    }
    child.kill()?;
    child.wait()?;
    Ok(())
}

fn announcement(command: &Command) -> String {
    let words = command.get_args().map(|word| word.to_string_lossy());
    format!("$ {} {}", program(command), words.collect::<Vec<_>>().join(" "))
}

/// Returns a command's short name, such as `cargo clippy`.
fn name(command: &Command) -> String {
    let subcommand = command.get_args().next().map(|word| word.to_string_lossy());
    match subcommand.filter(|word| !word.starts_with('-')) {
        Some(subcommand) => format!("{} {subcommand}", program(command)),
        None => program(command),
    }
}

fn program(command: &Command) -> String {
    let path = Path::new(command.get_program());
    path.file_stem().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

fn cannot_start(command: &Command) -> String {
    format!("`{}` cannot be started", name(command))
}

#[cfg(all(test, unix))]
mod tests {
    use std::io::Read;

    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn lines_of_both_kinds_arrive_in_order() {
        let mut lines = Vec::new();
        let mut command = shell("echo one; echo two >&2; printf 'thr\\377e'; exit 3");
        let ended_well = run_reading(&mut command, |line| lines.push(line.to_owned())).unwrap();
        assert!(!ended_well);
        assert_eq!(lines, ["one", "two", "thr\u{fffd}e"]);
    }

    #[test]
    fn hanging_command_is_ended_with_its_children() {
        let (mut reader, writer) = io::pipe().unwrap();
        let mut command = shell("sleep 600 & wait");
        command.stdout(writer);
        assert!(!run_within(&mut command, Duration::from_millis(100)).unwrap());
        drop(command);
        // Reading ends only when no process is left that could write.
        assert_eq!(reader.read(&mut [0]).unwrap(), 0);
    }

    #[test]
    fn exit_status_decides_whether_a_command_passed() {
        let limit = Duration::from_secs(60);
        assert!(run_within(&mut shell("exit 0"), limit).unwrap());
        assert!(!run_within(&mut shell("exit 1"), limit).unwrap());
        assert!(run(&mut shell("exit 0")).is_ok());
        assert_eq!(
            run(&mut shell("exit 1")).unwrap_err().to_string(),
            "`sh` ended with exit status: 1"
        );
        assert!(run(&mut Command::new("no-such-program-here")).is_err());
    }
}
