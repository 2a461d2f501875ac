//! The end of what a program said, to stand in an error.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    path::Path,
};

/// How much of it an error shows.
const LINES: usize = 5;

/// The last lines of `log` behind the byte `start`; none if it cannot be read, since they only explain
/// an error that is reported anyway.
pub(super) fn last_lines_of(log: &Path, start: u64) -> Vec<String> {
    last_lines(&read_from(log, start).unwrap_or_default())
}

/// The last lines that say something.
pub(super) fn last_lines(said: &[u8]) -> Vec<String> {
    let said = String::from_utf8_lossy(said);
    let mut lines: Vec<String> = said
        .lines()
        .rev()
        .filter(|line| !line.trim().is_empty())
        .take(LINES)
        .map(str::to_owned)
        .collect();
    lines.reverse();
    lines
}

fn read_from(log: &Path, start: u64) -> io::Result<Vec<u8>> {
    let mut file = File::open(log)?;
    file.seek(SeekFrom::Start(start))?;
    let mut said = Vec::new();
    file.read_to_end(&mut said)?;
    Ok(said)
}

#[cfg(test)]
mod tests {
    use super::last_lines;

    #[test]
    fn the_last_five_lines_that_say_something_stay_in_order() {
        let lines = last_lines(b"1\n2\n3\n4\n\n5\n6\n \n7\n");
        assert_eq!(lines, ["3", "4", "5", "6", "7"]);
        assert!(last_lines(b"").is_empty());
    }
}
