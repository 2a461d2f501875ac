//! What a schedule's file must hold to, and what is said of one that contradicts itself.

use super::super::*;

pub(super) const TINY: &str = r#"
[schedule]
id = "T"
name = "试"
currency = "CNY"
tz = "Asia/Shanghai"
certificate = "C"
[[version]]
id = "1"
from = "2020-01-01"
to = "2020-12-31"
basis = "b"
[[version]]
id = "2"
from = "2021-01-01"
basis = "b"
[[item]]
code = "A"
name = "甲"
kind = "registration"
unit = "件"
amount_fen = 100
from = "2020-01-01"
basis = "b"
verified = true
[[item]]
code = "C"
name = "证"
kind = "certificate"
unit = "本"
amount_fen = 10
from = "2020-01-01"
basis = "b"
verified = true
[[rule]]
id = "R"
name = "免"
priority = 1
when = { item = ["A"], reason = ["homestead"] }
effect = "zero"
from = "2020-01-01"
to = "2020-12-31"
basis = "b"
verified = true
"#;

/// What the file says once `old` stands as `new`: nothing wrong (`""`) or the message.
#[track_caller]
fn file(old: &str, new: &str, expected: &str) {
    assert!(TINY.contains(old), "{old}");
    let message = Schedule::parse(&TINY.replacen(old, new, 1))
        .err()
        .map(|error| match error {
            ScheduleError::Malformed(_) => "malformed".to_owned(),
            ScheduleError::Inconsistent(what) => what,
        })
        .unwrap_or_default();
    assert_eq!(message, expected);
}

#[test]
fn a_file_that_contradicts_itself_is_refused() {
    file("免", "减", "");
    file("from = \"2021-01-01\"", "from = \"2021-01-02\"", VERSION_GAP);
    file("\"CNY\"", "\"USD\"", "currency \"USD\" is not CNY");
    file("amount_fen = 100", "amount_fen = -1", "item A has the price -1");
    file("code = \"C\"", "code = \"A\"", "item A has two prices on one day");
    file("kind = \"certificate\"", "kind = \"proof\"", "no certificate \"C\" in version 1");
    file("item = [\"A\"]", "item = [\"B\"]", "rule R (priority 1) is for the unknown item \"B\"");
    file("{ item = [\"A\"], reason = [\"homestead\"] }", "{ }", NO_CONDITION);
    file("reason = [\"homestead\"]", "reason = [\"none\"]", "malformed");
    file("priority = 1", "priority = 1\nextra = 2", "malformed");
}

const VERSION_GAP: &str = "version 2 does not begin the day after 1 ends";
const NO_CONDITION: &str = "rule R (priority 1) has no condition";

#[test]
fn a_price_may_change_only_with_the_version() {
    let rule_end = "to = \"2020-12-31\"\nbasis = \"b\"\nverified";
    let inside = "to = \"2020-06-30\"\nbasis = \"b\"\nverified";
    file(rule_end, inside, "rule R (priority 1) ends on 2020-06-30, where no version ends");
    let item_start = "amount_fen = 100\nfrom = \"2020-01-01\"";
    let late = "amount_fen = 100\nfrom = \"2020-02-01\"";
    file(item_start, late, "item A begins on 2020-02-01, where no version begins");
}

#[test]
fn two_rules_may_not_tie() {
    let rule = TINY.split_once("[[rule]]").unwrap().1;
    let tie = Schedule::parse(&format!("{TINY}\n[[rule]]{rule}")).unwrap_err();
    assert_eq!(
        tie.to_string(),
        "the fee schedule contradicts itself: two rules of priority 1 on one day"
    );
}
