//! What the statements of `src/store/sql/` may not do: change a fact, ask the database for the
//! business's time, or be more than one.

use super::{files, has_word, none};

/// Facts and evidence. A fact that is wrong is answered by another fact.
const APPEND_ONLY: [&str; 38] = [
    "payments",
    "payment_shares",
    "journal_entries",
    "journal_lines",
    "callbacks",
    "events",
    "delivery_attempts",
    "provider_calls",
    "bill_files",
    "damaged_bills",
    "fund_bill_files",
    "case_events",
    "case_lights",
    "refund_redirects",
    "remittances",
    "remittance_shares",
    "remittance_reversals",
    "treasury_steps",
    "combined_parts",
    "run_signatures",
    "signed_papers",
    "difference_steps",
    "audit_entries",
    "bank_statements",
    "bank_lines",
    "settlement_claims",
    "settlement_matches",
    "settlement_match_days",
    "settlement_match_shares",
    "settlement_unmatches",
    "settlement_revisions",
    "unmatch_claims",
    "remittance_debits",
    "payer_statements",
    "payer_statement_lines",
    "payer_matches",
    "payer_match_credits",
    "payer_match_statements",
];

/// The database's clock times leases and nothing else.
const CLOCKS: [&str; 6] = [
    "now()",
    "current_timestamp",
    "current_date",
    "localtimestamp",
    "statement_timestamp()",
    "transaction_timestamp()",
];

/// A statement in lower case, without comments, one blank between words.
fn flat(statement: &str) -> String {
    let code = statement.lines().map(|line| line.split("--").next().unwrap_or_default());
    let joined = code.collect::<Vec<_>>().join(" ").to_lowercase();
    joined.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What a statement does to a fact, if it does anything but add it.
fn changes_a_fact(statement: &str) -> Option<&'static str> {
    let flat = flat(statement).replace("only ", "");
    APPEND_ONLY.into_iter().find(|table| {
        let begins = |verb: &str| {
            flat.match_indices(verb).any(|(at, _)| {
                let rest = &flat[at + verb.len()..];
                let name: String =
                    rest.chars().take_while(|l| l.is_alphanumeric() || *l == '_').collect();
                name == *table
            })
        };
        let overwrites = flat
            .split("insert into ")
            .skip(1)
            .any(|insert| insert.starts_with(&format!("{table} ")) && insert.contains("do update"));
        begins("update ") || begins("delete from ") || begins("truncate ") || overwrites
    })
}

#[test]
fn no_statement_changes_a_fact() {
    let faults = files(&["src/store/sql"], ".sql").into_iter().filter_map(|(path, text)| {
        changes_a_fact(&text).map(|table| format!("{path}: {table} is append-only"))
    });
    none(faults.collect());
}

#[test]
fn a_statement_that_changes_a_fact_is_found() {
    for (statement, is_fault) in [
        ("UPDATE payments\n   SET amount_fen = 1", true),
        ("DELETE FROM ONLY events", true),
        ("WITH x AS (UPDATE journal_lines SET line = 2) SELECT 1", true),
        ("INSERT INTO payments (a) VALUES ($1) ON CONFLICT (a) DO UPDATE SET a = 2", true),
        ("INSERT INTO payments (a) VALUES ($1) ON CONFLICT DO NOTHING", false),
        ("-- UPDATE payments\nUPDATE payment_balances SET paid_fen = 1", false),
        ("DELETE FROM refused_callbacks WHERE refused_id < $1", false),
        ("SELECT * FROM orders FOR UPDATE", false),
        (
            "INSERT INTO events SELECT 1; INSERT INTO heads SELECT 1 ON CONFLICT (a) DO UPDATE",
            false,
        ),
    ] {
        assert_eq!(changes_a_fact(statement).is_some(), is_fault, "{statement}");
    }
}

#[test]
fn business_time_reaches_sql_as_a_parameter() {
    let mut faults = Vec::new();
    for (path, text) in files(&["src/store/sql"], ".sql") {
        let flat = flat(&text);
        for clock in CLOCKS.into_iter().filter(|clock| {
            if clock.ends_with(')') { flat.contains(clock) } else { has_word(&flat, clock) }
        }) {
            faults.push(format!("{path}: {clock}: business time is a parameter"));
        }
        if flat.contains("clock_timestamp()") && !flat.contains("leased_until") {
            faults.push(format!("{path}: the database's clock times leases alone"));
        }
    }
    none(faults);
}

#[test]
fn a_file_is_one_statement_that_says_what_no_row_means() {
    let mut faults = Vec::new();
    let files = files(&["src/store/sql"], ".sql");
    assert!(!files.is_empty());
    for (path, text) in files {
        if !text.starts_with("-- ") {
            faults.push(format!("{path}: does not begin with a comment"));
        }
        if flat(&text).trim_end_matches(';').contains(';') {
            faults.push(format!("{path}: holds more than one statement"));
        }
    }
    none(faults);
}
