//! The one home of terminal output: lines for the person in front of it, and the log.
//!
//! A reader who has gone away (a closed pipe) is no error: the work goes on. Nothing here may be
//! given a secret or a person's data.

use std::fmt::Display;
use std::io::{self, IsTerminal as _, Write};

use tracing_subscriber::EnvFilter;

/// What the log shows when nothing else is asked for.
const DEFAULT_LOG: &str = "info,tokio_postgres=warn,actix_server=warn,refinery_core=warn";

/// Writes a line to standard output.
pub fn say(line: impl Display) {
    write_line(&mut io::stdout().lock(), line);
}

/// Writes a line to standard error: what went wrong and how it is mended.
pub fn complain(line: impl Display) {
    write_line(&mut io::stderr().lock(), line);
}

/// Writes text as it is, without a line end, and shows it at once: for a line that grows.
pub fn show(text: impl Display) {
    let mut out = io::stdout().lock();
    // A closed pipe is the reader's decision, not a failure of the work.
    let _reader_gone = write!(out, "{text}").and_then(|()| out.flush());
}

/// Whether a person sits in front of standard output, who likes colour and progress.
#[must_use]
pub fn is_watched() -> bool {
    io::stdout().is_terminal()
}

/// Starts the log on standard error: lines for a person at a terminal, JSON for a machine.
/// `directives` are those of `tracing` (`info`, `payhub=debug,warn`); unusable ones are told and
/// the default is taken. A second call changes nothing.
pub fn start_log(directives: Option<&str>) {
    let asked = directives.unwrap_or(DEFAULT_LOG);
    let filter = EnvFilter::try_new(asked).unwrap_or_else(|fault| {
        complain(format_args!("PAYHUB_LOG: {fault}; the log shows `{DEFAULT_LOG}` instead"));
        EnvFilter::new(DEFAULT_LOG)
    });
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    // It fails only when a log is already running, which is what was asked for.
    let _already_started = if io::stderr().is_terminal() {
        log.with_target(false).try_init()
    } else {
        log.json().flatten_event(true).try_init()
    };
}

fn write_line(out: &mut impl Write, line: impl Display) {
    // A closed pipe is the reader's decision, not a failure of the work.
    let _reader_gone = writeln!(out, "{line}");
}
