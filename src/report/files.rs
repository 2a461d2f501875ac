//! Puts a report into a folder. Each file is written under another name first and then renamed, all
//! of them at the end: a reader never meets half a file, and a failure leaves the old ones.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::thread;

use super::model::Report;
use super::page::page;
use super::summary::summary_json;
use super::table::findings_csv;
use super::workbook::{WorkbookError, workbook};

/// Where the parts of a report are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Files {
    /// The workbook.
    pub workbook: PathBuf,
    /// The page.
    pub page: PathBuf,
}

/// Why a report could not be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The folder or a file in it.
    #[error("{}: cannot be written: {fault}; name a folder that can be", .path.display())]
    Io {
        /// Where.
        path: PathBuf,
        /// The system's word.
        fault: io::Error,
    },
    /// The workbook.
    #[error("report.xlsx cannot be made: {0}")]
    Workbook(String),
    /// One of the texts.
    #[error("{0} cannot be made: {1}")]
    Text(&'static str, String),
}

/// Writes `report.xlsx`, `report.html`, `differences.csv`, `doubts.csv` and `summary.json`,
/// making the folder if it is not there.
///
/// # Errors
/// What could not be made or written, and where.
pub fn write(report: &Report, folder: &Path) -> Result<Files, WriteError> {
    let text = |name, fault: &dyn ToString| WriteError::Text(name, fault.to_string());
    let csv = |name, findings: Vec<_>| findings_csv(findings).map_err(|fault| text(name, &fault));
    let differences = report.differences().map(|(_, finding)| finding).collect();
    let doubts = report.doubts().map(|(_, finding)| finding).collect();
    let parts = thread::scope(|scope| {
        // The workbook takes as long as all the others.
        let book = scope.spawn(|| workbook(report).map_err(|fault| cause(&fault)));
        let csvs = (csv("differences.csv", differences)?, csv("doubts.csv", doubts)?);
        let page = page(report).map_err(|fault| text("report.html", &fault))?;
        let summary = summary_json(report).map_err(|fault| text("summary.json", &fault))?;
        let ended = |_panicked| Err("the thread that makes it ended early".to_owned());
        let book = book.join().unwrap_or_else(ended).map_err(WriteError::Workbook)?;
        Ok::<_, WriteError>([
            ("differences.csv", csvs.0),
            ("doubts.csv", csvs.1),
            ("report.xlsx", book),
            ("report.html", page.into_bytes()),
            ("summary.json", summary.into_bytes()),
        ])
    })?;
    place(folder, &parts)?;
    Ok(Files { workbook: folder.join("report.xlsx"), page: folder.join("report.html") })
}

fn cause(fault: &WorkbookError) -> String {
    std::error::Error::source(fault).map_or_else(|| fault.to_string(), ToString::to_string)
}

/// Puts these files into a folder, all or none.
///
/// # Errors
/// What could not be written, and where.
pub fn place(folder: &Path, parts: &[(&str, Vec<u8>)]) -> Result<(), WriteError> {
    let at = |path: &Path, fault| WriteError::Io { path: path.to_owned(), fault };
    fs::create_dir_all(folder).map_err(|fault| at(folder, fault))?;
    let aside = |name: &str| folder.join(format!(".{name}.part"));
    let written = parts.iter().try_for_each(|(name, bytes)| {
        let path = aside(name);
        fs::write(&path, bytes).map_err(|fault| at(&path, fault))
    });
    if let Err(fault) = written {
        for (name, _) in parts {
            // It may never have been written; the first fault is the one to tell.
            let _not_there = fs::remove_file(aside(name));
        }
        return Err(fault);
    }
    for (name, _) in parts {
        let path = folder.join(name);
        fs::rename(aside(name), &path).map_err(|fault| at(&path, fault))?;
    }
    Ok(())
}
