//! The thin binary: everything lives in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(payhub::commands::run(std::env::args_os()).code())
}
