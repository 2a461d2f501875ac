//! The decision table held row by row, at each date boundary.

mod consistency;

use jiff::civil::Date;
use serde_json::{Value, json};

use consistency::TINY;

use super::*;
use crate::money::Fen;

fn schedule() -> &'static Schedule {
    Schedule::built_in().unwrap()
}

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

/// `asked` is the contract's words: `REG.RES x2 correction self_employed office_error +paper`.
fn item(asked: &str) -> QuoteItem {
    let mut words = asked.split_whitespace();
    let mut item = QuoteItem::new(words.next().unwrap(), 1);
    for word in words {
        let value = || Value::from(word);
        if let Some(quantity) = word.strip_prefix('x').and_then(|digits| digits.parse().ok()) {
            item.quantity = quantity;
        } else if let Some(paper) = word.strip_prefix('+') {
            item.evidence.push(paper.to_owned());
        } else if let Ok(kind) = serde_json::from_value(value()) {
            item.registration_type = Some(kind);
        } else if let Ok(class) = serde_json::from_value(value()) {
            item.applicant_class = Some(class);
        } else {
            item.reason = Some(serde_json::from_value(value()).unwrap());
        }
    }
    item
}

fn quote(asked: &str, on: &str) -> Result<Quote, PriceError> {
    let items: Vec<QuoteItem> = asked.split(',').map(item).collect();
    schedule().price(&items, day(on))
}

/// The amount in fen and the rule (`-` for none) that each line comes to.
#[track_caller]
fn check(on: &str, asked: &str, expected: &str) {
    let quote = quote(asked, on).unwrap();
    let lines: Vec<String> = quote
        .lines
        .iter()
        .map(|line| format!("{} {}", line.amount_fen.get(), line.rule_id.as_deref().unwrap_or("-")))
        .collect();
    assert_eq!(lines.join(", "), expected, "{asked} on {on}");
    let amounts = quote.lines.iter().map(|line| line.amount_fen);
    assert_eq!(Fen::sum(amounts), Some(quote.total_fen));
}

#[track_caller]
fn refuse(on: &str, asked: &str, code: &str, message: &str) {
    let error = quote(asked, on).unwrap_err();
    assert_eq!((error.code(), error.to_string().as_str()), (code, message));
}

const BEFORE_2019: &str = "2019-06-30";
const FROM_2019: &str = "2019-07-01";

#[test]
fn items_have_the_circulars_prices() {
    for on in ["2016-12-06", "2018-11-30", BEFORE_2019, FROM_2019, "2026-08-03"] {
        check(on, "REG.RES", "8000 -");
        check(on, "REG.RES x3 transfer individual", "24000 -");
        check(on, "REG.NONRES mortgage enterprise", "55000 -");
        check(on, "CERT.EXTRA x2", "2000 -");
        check(on, "CERT.PROOF", "0 -");
        check(on, "REG.SOCIAL first", "0 -");
    }
}

#[test]
fn a_parking_space_costs_as_a_dwelling_from_july_2019() {
    check(BEFORE_2019, "REG.PARKING", "55000 -");
    check(FROM_2019, "REG.PARKING", "8000 -");
}

#[test]
fn r01_seizure_cancellation_and_advance_notice_are_not_chargeable() {
    for on in [BEFORE_2019, FROM_2019] {
        for kind in ["seizure", "cancellation", "advance_notice"] {
            check(on, &format!("REG.RES {kind}"), "0 R01");
            check(on, &format!("CERT.EXTRA {kind}"), "0 R01");
        }
        check(on, "REG.RES mortgage", "8000 -");
    }
}

#[test]
fn r01_the_offices_own_error_is_corrected_free_of_charge() {
    check(BEFORE_2019, "REG.NONRES correction office_error", "0 R01");
    check(BEFORE_2019, "REG.NONRES office_error", "0 R01");
    check(FROM_2019, "REG.NONRES correction office_error", "0 R01");
    check(BEFORE_2019, "REG.NONRES transfer office_error", "55000 -");
}

#[test]
fn r02_correction_is_half_until_june_2019_and_exempt_from_then() {
    check(BEFORE_2019, "REG.RES correction", "4000 R02");
    check(BEFORE_2019, "REG.NONRES correction", "27500 R02");
    check(FROM_2019, "REG.RES correction", "0 R02");
}

#[test]
fn r02_change_is_exempt_only_from_july_2019() {
    check(BEFORE_2019, "REG.RES change", "8000 -");
    check(FROM_2019, "REG.RES change", "0 R02");
    check(FROM_2019, "REG.RES transfer", "8000 -");
    check(FROM_2019, "REG.RES", "8000 -");
}

#[test]
fn r03_objection_is_half_and_further_certificates_stay_charged() {
    check(FROM_2019, "REG.RES objection", "4000 R03");
    check(FROM_2019, "REG.NONRES x2 objection,CERT.EXTRA x2 objection", "55000 R03, 2000 -");
}

#[test]
fn r04_small_and_micro_enterprises_pay_nothing_for_registration() {
    for on in ["2016-12-06", BEFORE_2019, FROM_2019] {
        check(on, "REG.NONRES first small_micro", "0 R04");
        check(on, "REG.RES self_employed", "0 R04");
        check(on, "REG.NONRES first enterprise", "55000 -");
        check(on, "REG.NONRES small_micro,CERT.EXTRA small_micro", "0 R04, 1000 -");
    }
}

#[test]
fn r04_without_its_declaration_is_applied_and_flagged() {
    let missing = |asked: &str| quote(asked, FROM_2019).unwrap().lines[0].evidence_missing.clone();
    assert_eq!(missing("REG.NONRES small_micro").as_deref(), Some("small_micro_declaration"));
    assert_eq!(missing("REG.NONRES small_micro +small_micro_declaration"), None);
    assert_eq!(missing("REG.NONRES enterprise"), None);
}

#[test]
fn r05_an_address_changed_by_re_division_is_free() {
    check(BEFORE_2019, "REG.RES change re_division", "0 R05");
    check(BEFORE_2019, "REG.RES re_division", "0 R05");
    check(BEFORE_2019, "REG.RES transfer re_division", "8000 -");
}

#[test]
fn r06_farmland_of_collective_members_is_free_but_not_their_dwelling() {
    check(BEFORE_2019, "REG.NONRES first rural_collective_member", "0 R06");
    check(FROM_2019, "REG.NONRES mortgage rural_collective_member", "0 R06");
    check(FROM_2019, "REG.RES first rural_collective_member", "8000 -");
}

#[test]
fn r07_parking_registered_with_the_house_is_free() {
    check(BEFORE_2019, "REG.PARKING +registered_with_house", "0 R07");
    check(FROM_2019, "REG.PARKING first", "8000 -");
    check(FROM_2019, "REG.RES +registered_with_house", "8000 -");
}

#[test]
fn r08_costs_ten_yuan_for_each_certificate() {
    for on in [BEFORE_2019, FROM_2019] {
        check(on, "REG.RES first homestead", "1000 R08");
        check(on, "REG.RES transfer spouses", "1000 R08");
        check(on, "REG.RES change spouses", "1000 R08");
        check(on, "REG.RES reissue lost_or_damaged", "1000 R08");
        check(on, "REG.NONRES x2 reissue", "2000 R08");
        check(on, "REG.RES spouses,CERT.EXTRA spouses", "1000 R08, 1000 -");
    }
}

#[test]
fn r08_needs_a_registration_that_its_cause_can_have() {
    check(FROM_2019, "REG.RES mortgage spouses", "8000 -");
    check(FROM_2019, "REG.NONRES mortgage homestead", "55000 -");
    check(FROM_2019, "REG.RES transfer lost_or_damaged", "8000 -");
}

#[test]
fn the_certificates_price_never_makes_a_free_registration_dearer() {
    check(FROM_2019, "REG.SOCIAL reissue lost_or_damaged", "0 R08");
}

#[test]
fn the_first_rule_by_priority_wins() {
    check(BEFORE_2019, "REG.RES seizure small_micro", "0 R01");
    check(BEFORE_2019, "REG.RES correction small_micro", "0 R04");
    check(BEFORE_2019, "REG.RES reissue small_micro", "0 R04");
    check(FROM_2019, "REG.RES change re_division", "0 R05");
}

#[test]
fn the_day_of_acceptance_chooses_the_version() {
    let version = |on: &str| quote("REG.RES", on).unwrap().schedule_version;
    assert_eq!(version("2016-12-06"), "2016-12-06");
    assert_eq!(version(BEFORE_2019), "2016-12-06");
    assert_eq!(version(FROM_2019), "2019-07-01");
    assert_eq!(version("2026-08-03"), "2019-07-01");
    refuse(
        "2016-12-05",
        "REG.RES",
        "no_schedule_in_force",
        "accepted_on: no fee schedule is in force on 2016-12-05",
    );
}

#[test]
fn what_cannot_be_priced_is_named_with_its_place() {
    let unknown = "items[1].code: unknown item \"REG.CASTLE\" on 2019-07-01";
    refuse(FROM_2019, "REG.RES,REG.CASTLE", "unknown_item", unknown);
    let none = "items[0].quantity: 0 is not between 1 and 1000";
    refuse(FROM_2019, "REG.RES x0", "quantity_out_of_range", none);
    let many = "items[0].quantity: 1001 is not between 1 and 1000";
    refuse(FROM_2019, "REG.RES x1001", "quantity_out_of_range", many);
    check(FROM_2019, "REG.RES x1000", "8000000 -");
}

#[test]
fn a_quote_has_one_to_a_hundred_items() {
    let price = |count: usize| schedule().price(&vec![item("REG.RES"); count], day(FROM_2019));
    assert_eq!(price(0), Err(PriceError::NoItems));
    assert_eq!(price(100).unwrap().total_fen, Fen::new(800_000));
    assert_eq!(price(101), Err(PriceError::TooManyItems { count: 101 }));
}

#[test]
fn a_total_past_the_largest_amount_is_refused() {
    let dear = Schedule::parse(&TINY.replace("100", "10000000")).unwrap();
    let price = |quantities: &[u32]| {
        let items: Vec<_> = quantities.iter().map(|each| QuoteItem::new("A", *each)).collect();
        dear.price(&items, day("2020-01-01")).map(|quote| quote.total_fen.get())
    };
    assert_eq!(price(&[1000]), Ok(10_000_000_000));
    assert_eq!(price(&[1000, 1]), Err(PriceError::AmountTooLarge { index: 1 }));
}

#[test]
fn a_line_tells_what_it_rests_on() {
    let quote = quote("REG.RES correction,REG.NONRES first", FROM_2019).unwrap();
    let line = &quote.lines[0];
    assert_eq!(line.basis, "发改价格规〔2016〕2559号 一（一）；财税〔2019〕45号 一");
    assert_eq!((line.standard_fen, line.unit_fen), (Fen::new(8000), Fen::ZERO));
    assert_eq!((line.effect, line.verified), (Effect::Zero, false));
    assert!(quote.lines[1].verified);
    assert!(!quote.verified);
    assert_eq!(quote.rule_ids, ["R02"]);
    assert_eq!(quote.legal_basis.len(), 2);
}

#[test]
fn a_quote_in_json_has_the_contracts_fields() {
    let quote = quote("REG.NONRES x2 objection", "2018-11-30").unwrap();
    let expected = json!({
        "schedule_id": "CN-RE-REG",
        "schedule_version": "2016-12-06",
        "accepted_on": "2018-11-30",
        "lines": [{
            "code": "REG.NONRES",
            "name": "非住宅类不动产登记费",
            "unit": "件",
            "quantity": 2,
            "standard_fen": 55000,
            "unit_fen": 27500,
            "amount_fen": 55000,
            "effect": "half",
            "rule_id": "R03",
            "rule_name": "异议登记减半收取",
            "basis": "发改价格规〔2016〕2559号 一（二）；发改价格规〔2016〕2559号 二（一）",
            "verified": true,
            "registration_type": "objection",
        }],
        "total_fen": 55000,
        "legal_basis": ["发改价格规〔2016〕2559号 一（二）；发改价格规〔2016〕2559号 二（一）"],
        "rule_ids": ["R03"],
        "verified": true,
    });
    assert_eq!(serde_json::to_value(&quote).unwrap(), expected);
    assert_eq!(serde_json::from_value::<Quote>(expected).unwrap(), quote);
}

#[track_caller]
fn reads(body: Value, expected: Result<QuoteItem, &str>) {
    let read = serde_json::from_value::<QuoteItem>(body).map_err(|error| error.to_string());
    assert_eq!(read, expected.map_err(str::to_owned));
}

#[test]
fn an_item_reads_in_the_contracts_words() {
    reads(
        json!({"code": "REG.RES", "quantity": 1, "registration_type": "advance_notice",
               "applicant_class": "self_employed", "reason": null, "evidence": ["a"]}),
        Ok(item("REG.RES advance_notice self_employed +a")),
    );
    reads(json!({"code": "REG.RES", "quantity": 1, "evidence": null}), Ok(item("REG.RES")));
}

#[test]
fn an_unknown_word_is_refused_with_its_field_and_value() {
    let class = "applicant_class: unknown value \"SMALL\", expected one of individual, \
                 small_micro, self_employed, enterprise, rural_collective_member";
    reads(json!({"code": "A", "quantity": 1, "applicant_class": "SMALL"}), Err(class));
    let reason = "reason: unknown value \"\", expected one of spouses, re_division, \
                  office_error, lost_or_damaged, homestead";
    reads(json!({"code": "A", "quantity": 1, "reason": ""}), Err(reason));
    for (field, word) in [("registration_type", "sale"), ("colour", "red")] {
        let body = json!({"code": "A", "quantity": 1, field: word});
        let error = serde_json::from_value::<QuoteItem>(body).unwrap_err().to_string();
        assert!(error.contains(field), "{error}");
    }
}

#[test]
fn unverified_items_and_rules_are_listed_for_the_day() {
    let unverified = schedule().unverified_on(day(FROM_2019));
    assert!(unverified.contains(&"REG.PARKING") && unverified.contains(&"R02"));
    assert!(!unverified.contains(&"REG.RES"));
    assert!(!schedule().unverified_on(day(BEFORE_2019)).contains(&"R02"));
}
