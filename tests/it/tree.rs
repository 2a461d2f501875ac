//! The architecture as absences: reads the manifests and the tree, and fails on an arrow that
//! design does not draw, on a dependency nobody decided on, and on words and calls out of place.
//!
//! Each rule is a function from texts to faults, held in both directions: the tree has none, and
//! a planted one is found. ARCHITECTURE.md tells the rules in prose.

mod documents;
mod manifest;
mod source;
mod sql;

use std::fs;
use std::path::{Path, PathBuf};

/// The root of the repository.
fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// A file of the repository, by its path from the root.
#[track_caller]
fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|fault| panic!("{path}: {fault}"))
}

/// Every file below these folders whose name ends so, with its path from the root, in order.
fn files(folders: &[&str], ending: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for folder in folders {
        collect(&root().join(folder), ending, &mut found);
    }
    found.sort();
    found
}

fn collect(folder: &Path, ending: &str, found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, ending, found);
        } else if path.to_string_lossy().ends_with(ending) {
            let name = path.strip_prefix(root()).unwrap().to_string_lossy().into_owned();
            found.push((name, fs::read_to_string(&path).unwrap()));
        }
    }
}

/// Fails with every fault on a line of its own.
#[track_caller]
fn none(faults: Vec<String>) {
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

/// Whether `word` stands in `line` with no letter, digit or underscore beside it.
fn has_word(line: &str, word: &str) -> bool {
    let beside = |letter: Option<char>| letter.is_some_and(|l| l.is_alphanumeric() || l == '_');
    line.match_indices(word).any(|(at, _)| {
        !beside(line[..at].chars().next_back()) && !beside(line[at + word.len()..].chars().next())
    })
}

#[test]
fn a_word_is_not_found_inside_another() {
    assert!(has_word("let x: f64;", "f64"));
    assert!(!has_word("let xf64y = 1;", "f64"));
    assert!(has_word("refused_callbacks, callbacks", "callbacks"));
    assert!(!has_word("refused_callbacks", "callbacks"));
}
