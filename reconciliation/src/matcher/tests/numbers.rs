//! Rows whose numbers repeat, lack or contradict each other.

use super::*;

const PAID: &str = "paid,2018-11-30T10:00:00+08:00";

/// The findings as `kind order refund provider`, in order, with `-` for nothing.
#[track_caller]
fn check(ledger: &[&str], bill: &str, matched: usize, found: &[&str]) {
    let done = run(&ledger.join("\n"), bill, Some(date(2018, 11, 30)));
    let text = |text: &str| if text.is_empty() { "-".to_owned() } else { text.to_owned() };
    let told: Vec<String> = done
        .differences
        .iter()
        .map(|f| {
            let numbers = [&f.out_trade_no, &f.out_refund_no, &f.provider_trade_no];
            format!("{} {}", f.kind.as_str(), numbers.map(|n| text(n)).join(" "))
        })
        .collect();
    assert_eq!(told, found);
    assert_eq!(done.matched.len(), matched, "{:?}", done.matched);
    assert!(done.doubts.is_empty(), "{:?}", done.doubts);
}

fn paid(order: &str, provider: &str, fen: i64) -> String {
    format!("payment,{order},,{provider},{fen},{PAID}")
}

fn back(order: &str, refund: &str, provider: &str, fen: i64) -> String {
    format!("refund,{order},{refund},{provider},{fen},succeeded,2018-11-30T10:00:00+08:00")
}

#[test]
fn a_bare_payment_that_is_listed_again_is_a_duplicate_though_the_ledger_repeats_too() {
    let (row, bill) = (paid("A", "1", 100), "p - - 1 100 2018-11-30T10:00:00");
    check(&[&row], &format!("{bill}\n{bill}"), 1, &["duplicate_in_bill - - 1"]);
    check(
        &[&row, &row],
        &format!("{bill}\n{bill}"),
        1,
        &["only_in_hub A - 1", "duplicate_in_bill - - 1"],
    );
    // The one whose amount the ledger has is the one that stands.
    let other = "p - - 1 90 2018-11-30T09:00:00";
    check(&[&row], &format!("{other}\n{bill}"), 1, &["duplicate_in_bill - - 1"]);
}

#[test]
fn a_payment_that_is_listed_again_without_its_order_is_a_duplicate() {
    let row = paid("A", "1", 100);
    let bill = "p A - 1 100 2018-11-30T10:00:00\np - - 1 100 2018-11-30T10:00:00";
    check(&[&row], bill, 1, &["duplicate_in_bill - - 1"]);
    // Also where the ledger repeats it, lacks its number, or lacks the payment.
    check(&[&row, &row], bill, 1, &["only_in_hub A - 1", "duplicate_in_bill - - 1"]);
    check(&[&paid("A", "", 100)], bill, 1, &["duplicate_in_bill - - 1"]);
    check(&[], bill, 0, &["only_in_bill A - 1", "duplicate_in_bill - - 1"]);
    // Another payment is none.
    let bill = "p A - 1 100 2018-11-30T10:00:00\np - - 2 100 2018-11-30T10:00:00";
    check(&[&row], bill, 1, &["only_in_bill - - 2"]);
}

#[test]
fn a_bare_refund_that_is_listed_again_takes_no_other_refund() {
    let bill = "r A - 1 250 2018-11-30T11:00:00";
    let rows = [back("A", "R1", "1", 250), back("A", "R2", "1", 9_000_000)];
    let [one, other] = &rows;
    check(
        &[one, other],
        &format!("{bill}\n{bill}"),
        1,
        &["only_in_hub A R2 1", "duplicate_in_bill A - 1"],
    );
}

#[test]
fn payments_whose_numbers_cross_find_their_own() {
    // Each side lacks one order number, and the order alone would join two different payments.
    let ledger = [paid("A", "1", 100), paid("", "2", 100)];
    let [one, other] = &ledger;
    let bill = "p A - 2 100 2018-11-30T10:00:00\np - - 1 100 2018-11-30T10:00:00";
    check(&[one, other], bill, 2, &[]);
    // Where that would leave a row of the order over, the order's number decides.
    check(&[one], bill, 1, &["only_in_bill - - 1"]);
    check(&[one, other], "p A - 2 100 2018-11-30T10:00:00", 1, &["only_in_hub - - 2"]);
    // One that the ledger has without its order is left to it by the others of the order.
    let ledger = [paid("A", "", 100), paid("", "2", 100)];
    let [one, other] = &ledger;
    let bill = "p A - 1 100 2018-11-30T11:00:00\np A - 2 100 2018-11-30T10:00:00";
    check(&[one, other], bill, 2, &[]);
}

#[test]
fn a_refund_number_may_stand_under_two_orders() {
    let ledger = [back("A", "1", "1", 100), back("B", "1", "2", 200)];
    let [one, other] = &ledger;
    let bill = "r A 1 1 100 2018-11-30T11:00:00\nr B 1 2 200 2018-11-30T11:00:00";
    check(&[one, other], bill, 2, &[]);
    check(&[other, one], bill, 2, &[]);
    // What one side lacks is missed by its order, and only its own row again repeats it.
    check(&[one], bill, 1, &["only_in_bill B 1 2"]);
    check(&[one, other], "r B 1 2 200 2018-11-30T11:00:00", 1, &["only_in_hub A 1 1"]);
    let again = format!("{bill}\nr B 1 - 200 2018-11-30T12:00:00");
    check(&[one, other], &again, 2, &["duplicate_in_bill B 1 -"]);
    // A row that names no payment repeats whatever stands there.
    let again = format!("{bill}\nr - 1 - 200 2018-11-30T12:00:00");
    check(&[one, other], &again, 2, &["duplicate_in_bill - 1 -"]);
    // Where nothing but the refund number is common, it joins.
    let bill = "r - 1 1 100 2018-11-30T11:00:00\nr C 1 3 200 2018-11-30T11:00:00";
    check(&[one, other], bill, 2, &[]);
}

#[test]
fn payments_of_one_order_go_by_their_amounts() {
    let ledger = [300, 100, 200].map(|fen| paid("A", "", fen));
    let [a, b, c] = &ledger;
    let bill = "p A - 1 300 2018-11-30T11:00:00\np A - 2 200 2018-11-30T12:00:00\np A - 3 100 2018-11-30T10:00:00";
    check(&[a, b, c], bill, 3, &[]);
}

#[test]
fn t15_of_two_payments_on_a_later_day_neither_is_the_first() {
    let ledger = "payment,A,,1,100,paid,2018-11-29T10:00:00+08:00";
    let bill = "p A - 2 100 2018-11-30T10:00:00\np A - 3 100 2018-11-30T10:00:00";
    check(&[ledger], bill, 0, &["only_in_bill A - 2", "only_in_bill A - 3"]);
    // One without a number of its own may be the first.
    let bill = "p A - 2 100 2018-11-30T10:00:00\np A - - 100 2018-11-30T10:00:00";
    check(&[ledger], bill, 1, &["duplicate_in_bill A - 2"]);
}
