//! What the Rust sources may not contain, and where. Comments may name what code may not.

use super::{files, has_word, none};

const PURE: [&str; 5] =
    ["domain/src", "adapters/src", "callbacks/src", "reconciliation/src", "notifications/src"];
const EVERYWHERE: [&str; 9] = [
    "src",
    "domain",
    "adapters",
    "callbacks",
    "reconciliation",
    "notifications",
    "sandbox",
    "tests",
    "benches",
];
/// The longest file. What is over it stands in [`TOO_LONG_FOR_NOW`] until it is split.
const LINES_MAX: usize = 400;
/// Whoever splits one takes it out; nobody puts one in without a word in the review.
const TOO_LONG_FOR_NOW: [&str; 1] = ["domain/src/schedule/tests.rs"];

/// A rule: these words may not stand in the code of these folders, with exceptions by path.
struct Forbidden {
    why: &'static str,
    words: &'static [&'static str],
    folders: &'static [&'static str],
    except: &'static [&'static str],
}

const HUB_AND_PURE: &[&str] = &[
    "src",
    "domain/src",
    "adapters/src",
    "callbacks/src",
    "reconciliation/src",
    "notifications/src",
];

const FORBIDDEN: [Forbidden; 6] = [
    Forbidden {
        why: "a provider's words never leave its folder in adapters",
        words: &[
            "trade_state",
            "TRADE_SUCCESS",
            "TRADE_FINISHED",
            "TRADE_CLOSED",
            "TRADE_NOT_EXIST",
            "WAIT_BUYER_PAY",
            "NOTPAY",
            "USERPAYING",
            "ORDER_NOT_EXIST",
            "payer_total",
            "total_amount",
            "out_request_no",
            "gmt_payment",
            "buyer_pay_amount",
            "fund_change",
            "refund_status",
            "biz_content",
            "resource_type",
        ],
        folders: HUB_AND_PURE,
        except: &["adapters/src/wechat/", "adapters/src/wechat_v2/", "adapters/src/alipay/"],
    },
    Forbidden {
        why: "business time comes from domain::Clock; src/clock.rs alone reads the machine's",
        words: &["Timestamp::now", "Zoned::now", "SystemTime::now", "SystemTime"],
        folders: HUB_AND_PURE,
        except: &["src/clock.rs"],
    },
    Forbidden {
        why: "the environment is read in src/config alone",
        words: &["env::var", "env::vars", "env::var_os", "env::vars_os", "option_env"],
        folders: HUB_AND_PURE,
        except: &["src/config/environment.rs"],
    },
    Forbidden {
        why: "no float ever holds money",
        words: &["f32", "f64"],
        folders: HUB_AND_PURE,
        // A chart, a workbook's cell and a metric are not money: they show it.
        except: &["src/report/", "src/http/metrics.rs", "src/metrics.rs"],
    },
    Forbidden {
        why: "the pure crates do no I/O, start nothing and wait for nothing",
        words: &[
            "std::fs",
            "TcpStream",
            "TcpListener",
            "UdpSocket",
            "ToSocketAddrs",
            "std::process",
            "std::thread",
            "std::env",
            "Instant::now",
            "async",
            "await",
        ],
        folders: &PURE,
        except: &["/testing.rs"],
    },
    Forbidden {
        why: "all terminal output has one home, src/terminal.rs",
        words: &["println!", "eprintln!", "print!", "eprint!", "dbg!", "stdout", "stderr"],
        folders: HUB_AND_PURE,
        // The private PostgreSQL reads what its programs wrote; it writes nothing itself.
        except: &["src/terminal.rs", "src/postgres/"],
    },
];

/// The lines of a file that are code, numbered from 1.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines = text.lines().enumerate().map(|(index, line)| (index + 1, line.trim_start()));
    lines.filter(|(_, line)| !line.starts_with("//"))
}

/// Tests may read vectors and print what they measured; they are compiled for tests alone.
fn is_for_tests(path: &str) -> bool {
    path.ends_with("/tests.rs") || path.ends_with("/testing.rs") || path.contains("/tests/")
}

fn out_of_place(rule: &Forbidden, path: &str, text: &str) -> Vec<String> {
    if is_for_tests(path) || rule.except.iter().any(|except| path.contains(except)) {
        return Vec::new();
    }
    code(text)
        .flat_map(|(number, line)| {
            let found = rule.words.iter().filter(move |word| has_word(line, word));
            found.map(move |word| format!("{path}:{number}: {word}: {}", rule.why))
        })
        .collect()
}

#[test]
fn no_word_and_no_call_stands_out_of_place() {
    let faults = FORBIDDEN.iter().flat_map(|rule| {
        let files = files(rule.folders, ".rs");
        assert!(!files.is_empty());
        files.into_iter().flat_map(|(path, text)| out_of_place(rule, &path, &text))
    });
    none(faults.collect());
}

#[test]
fn a_word_out_of_place_is_found_and_one_in_place_is_not() {
    for rule in &FORBIDDEN {
        let word = rule.words[0];
        let planted = format!("//! {word}\nfn x() {{ {word} }}\n");
        let place = format!("{}/orders.rs", rule.folders[0]);
        assert_eq!(out_of_place(rule, &place, &planted).len(), 1, "{word}");
        let home = format!("{}{}", rule.folders[0], rule.except[0]);
        assert!(out_of_place(rule, &home.replace("srcsrc", "src"), &planted).is_empty(), "{word}");
    }
}

/// SQL begins like this; a word alone (`Select`, "update") is no statement.
fn is_sql(line: &str) -> bool {
    let verbs = [
        ("SELECT ", " FROM "),
        ("INSERT INTO ", ""),
        ("UPDATE ", " SET "),
        ("DELETE FROM ", ""),
        ("CREATE TABLE", ""),
        ("ALTER TABLE", ""),
        ("TRUNCATE ", ""),
    ];
    verbs.iter().any(|(verb, then)| {
        line.split_once(verb).is_some_and(|(_, rest)| format!(" {rest}").contains(then))
    })
}

#[test]
fn no_sql_stands_outside_the_store() {
    let files = files(HUB_AND_PURE, ".rs").into_iter();
    let faults =
        files.filter(|(path, _)| !path.starts_with("src/store/")).flat_map(|(path, text)| {
            let found: Vec<String> = code(&text)
                .filter(|(_, line)| is_sql(line))
                .map(|(number, _)| format!("{path}:{number}: SQL belongs into src/store/sql/"))
                .collect();
            found
        });
    none(faults.collect());
    let astray = super::files(&EVERYWHERE, ".sql").into_iter().map(|(path, _)| path);
    none(astray.filter(|path| !path.starts_with("src/store/")).collect());
    assert!(is_sql("let q = \"UPDATE orders SET state = 'paid'\";"));
    assert!(is_sql("\"SELECT 1 FROM orders\""));
    assert!(!is_sql("/// SELECT what to show"));
    assert!(!is_sql("let update = Update::new();"));
}

#[test]
fn every_file_says_what_it_is_and_is_one_noun_long() {
    let mut faults = Vec::new();
    for (path, text) in files(&EVERYWHERE, ".rs") {
        if !text.starts_with("//!") {
            faults.push(format!("{path}: does not begin with a `//!` head"));
        }
        let lines = text.lines().count();
        if lines > LINES_MAX && !TOO_LONG_FOR_NOW.contains(&path.as_str()) {
            faults.push(format!("{path}: has {lines} lines, {LINES_MAX} at most"));
        }
    }
    none(faults);
}
