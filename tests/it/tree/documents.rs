//! What the documents promise is there: the README's two commands, the files that ARCHITECTURE
//! names, the words of the glossary.

use domain::Fen;
use domain::ids::FeeId;
use domain::journal::{Account, EntryKind, Share, entry};

use super::{files, none, read, root};

/// The commands that a newcomer types, and that CI runs.
const MAIN_JOB: &str = "./dev demo";
const TESTS: &str = "./dev test";

#[test]
fn the_readmes_two_commands_are_there() {
    let readme = read("README.md");
    for command in [MAIN_JOB, TESTS] {
        assert!(readme.contains(command), "README.md does not tell `{command}`");
        let word = command.split(' ').nth(1).unwrap();
        let dev = read("dev");
        let is_known = dev.lines().any(|line| {
            let line = line.trim_start();
            line.starts_with(&format!("{word})")) || line.contains(&format!("{word} |"))
        });
        assert!(is_known, "./dev does not know `{word}`");
    }
    assert!(read(".ci/run").contains(TESTS), ".ci/run does not run the README's tests");
}

/// Paths in a document, as it marks them: `src/http/orders.rs`.
fn marked_paths(document: &str) -> Vec<&str> {
    let tops = ["src/", "domain/", "adapters/", "callbacks/", "reconciliation/", "notifications/"];
    let more = ["sandbox/", "tests/", "fixtures/", "docs/", "benches/", ".ci/"];
    document
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(|code| !code.contains(['*', '{', ' ', '<', '\n']))
        .filter(|code| tops.iter().chain(&more).any(|top| code.starts_with(top)))
        .collect()
}

#[test]
fn every_path_that_the_documents_name_exists() {
    let mut documents = files(&["docs"], ".md");
    documents.push(("ARCHITECTURE.md".to_owned(), read("ARCHITECTURE.md")));
    documents.push(("README.md".to_owned(), read("README.md")));
    let mut faults = Vec::new();
    for (name, text) in &documents {
        for path in marked_paths(text) {
            if !root().join(path).exists() {
                faults.push(format!("{name}: `{path}` is not there"));
            }
        }
    }
    none(faults);
    assert_eq!(marked_paths("see `src/x.rs` and `cargo test`"), ["src/x.rs"]);
}

#[test]
fn every_code_word_of_the_glossary_is_in_the_code() {
    let code: String = files(&["src", "domain/src", "adapters/src", "callbacks/src"], ".rs")
        .into_iter()
        .chain(files(&["reconciliation/src", "notifications/src", "sandbox/src"], ".rs"))
        .map(|(_, text)| text)
        .collect();
    let glossary = read("docs/glossary.md");
    let words = glossary.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    let missing: Vec<String> = words
        .filter(|word| !code.contains(word))
        .map(|word| format!("docs/glossary.md: `{word}` is nowhere in the code"))
        .collect();
    none(missing);
}

/// The cells of a table's row that begins with a code word.
fn row<'a>(document: &'a str, word: &str) -> Option<Vec<&'a str>> {
    let row = document.lines().find(|line| line.starts_with(&format!("| `{word}` |")))?;
    Some(row.trim_matches('|').split('|').map(str::trim).collect())
}

#[test]
fn the_chart_of_accounts_is_that_of_the_code() {
    let document = read("docs/journal.md");
    let mut faults = Vec::new();
    for account in Account::ALL {
        let side = if account.is_asset() { "debit" } else { "credit" };
        let told = row(&document, account.as_str()).unwrap_or_default();
        if told.get(1..3) != Some([account.chinese(), side].as_slice()) {
            faults.push(format!("docs/journal.md: `{}` is {told:?}", account.as_str()));
        }
    }
    none(faults);
}

#[test]
fn each_kind_of_entry_moves_what_the_document_says() {
    let document = read("docs/journal.md");
    let mut faults = Vec::new();
    for kind in EntryKind::ALL {
        let told = row(&document, kind.as_str()).unwrap_or_default();
        // Surplus stays at the office.
        let of_treasury = kind.as_str().starts_with("treasury_")
            || matches!(kind, EntryKind::FeesRemitted | EntryKind::RemittanceReversed);
        let fee = Share { fee_id: Some(FeeId::new(uuid::Uuid::nil())), amount_fen: Fen::new(1) };
        let surplus = Share { fee_id: None, amount_fen: Fen::new(1) };
        let shares = if of_treasury { vec![fee] } else { vec![fee, surplus] };
        let moved = entry(kind, &shares);
        let cell = |side: fn(&domain::journal::JournalLine) -> Account| {
            let mut words: Vec<String> =
                moved.iter().map(|line| format!("`{}`", side(line).as_str())).collect();
            words.dedup();
            words.join(", ")
        };
        let (debit, credit) = (cell(|line| line.debit), cell(|line| line.credit));
        if told.get(2..4) != Some([debit.as_str(), credit.as_str()].as_slice()) {
            faults.push(format!("docs/journal.md: `{}` is {told:?}", kind.as_str()));
        }
    }
    none(faults);
}

/// The words that the code gives to `Fault::…` and that errors give as their `code()`.
fn codes(code: &str) -> Vec<&str> {
    let code = code.split("#[cfg(test)]").next().unwrap_or_default();
    let faults = ["::conflict(", "::invalid(", "::unreadable(", "Self::new(", "of_fee("];
    let said = faults.iter().flat_map(|call| code.split(call).skip(1));
    let said = said.filter_map(|rest| {
        let rest =
            rest.trim_start_matches(|c: char| c.is_whitespace() || c.is_ascii_digit() || c == ',');
        rest.strip_prefix('"')?.split('"').next()
    });
    let named = code.split("fn code(&self) -> &'static str {").skip(1).flat_map(|body| {
        body.split("\n    }").next().unwrap_or_default().split('"').skip(1).step_by(2)
    });
    said.chain(named).filter(|word| is_a_code(word)).collect()
}

fn is_a_code(word: &str) -> bool {
    !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c == '_')
}

#[test]
fn every_error_code_stands_in_the_api_guide() {
    let guide = read("docs/api.md");
    let mut faults = Vec::new();
    for (name, text) in files(&["src", "domain/src", "notifications/src"], ".rs") {
        for code in codes(&text) {
            if !guide.contains(&format!("`{code}`")) {
                faults.push(format!("{name}: docs/api.md does not tell of `{code}`"));
            }
        }
    }
    none(faults);
    let seen =
        codes("Fault::conflict(\n  \"a_b\", x) Self::new(401, \"c\", y) Fault::invalid(code, z)");
    assert_eq!(seen, ["a_b", "c"]);
}
