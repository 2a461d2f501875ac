//! How the process ends, for scripts that ask.

use std::process::ExitCode;

/// What a command's end means (contract, "Command line").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// The work is done.
    Done,
    /// The work is done and found a problem: differences, a broken chain, a FAIL in `doctor`.
    FoundProblem,
    /// The command or the configuration is wrong; one line said what and how it is mended.
    BadUsage,
}

impl Exit {
    /// The number that the shell sees.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::FoundProblem => 1,
            Self::BadUsage => 2,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
