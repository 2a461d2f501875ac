//! The bill's ticket and its file.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::civil::date;
use serde_json::json;
use sha1::{Digest as _, Sha1};

use super::{error, signed, unsigned};
use crate::provider::{BillAnswer, BillKind, BillTicket, FundAccount, PaymentProvider as _};
use crate::testing::{headers, now, wechat, word};
use crate::wechat::download::sha1_unpacked;
use crate::wire::{Answer, Outcome};

const BILL: &str = "\u{feff}交易时间,公众账号ID\r\n`2018-11-29 10:00:00,`wx1\r\n";

fn sha1(bytes: &[u8]) -> String {
    Sha1::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn an_empty_day_is_a_result_and_a_bill_in_the_making_is_not_yet() {
    let read = |answer: &Answer| wechat().read_bill_ticket(answer, now());
    let url = "https://api.mch.weixin.qq.com/v3/billdownload/file?token=a".to_owned();
    let sha1 = "a".repeat(40);
    let ticket = json!({"hash_type": "SHA1", "hash_value": "A".repeat(40), "download_url": url});
    let ready = BillAnswer::Ready(BillTicket { url: url.clone(), sha1: Some(sha1) });
    assert_eq!(read(&signed(200, &ticket)), Outcome::Accepted(ready));
    let empty = Outcome::Accepted(BillAnswer::EmptyDay);
    assert_eq!(read(&error(400, "NO_STATEMENT_EXIST")), empty);
    let later = Outcome::Accepted(BillAnswer::NotYet);
    assert_eq!(read(&error(400, "STATEMENT_CREATING")), later);
    assert_eq!(word(&read(&error(500, "NO_STATEMENT_EXIST"))), "unknown");
    assert_eq!(word(&read(&error(403, "NO_AUTH"))), "refused configuration");
    let md5 = json!({"hash_type": "MD5", "hash_value": "a".repeat(32), "download_url": url});
    assert_eq!(word(&read(&signed(200, &md5))), "unknown");
    assert_eq!(word(&read(&unsigned(200, &ticket.to_string()))), "unknown");
}

#[test]
fn each_bill_of_a_day_is_asked_for_by_its_word() {
    for (bill, expected) in [
        (BillKind::Trade, "tradebill?bill_date=2018-11-29&bill_type=ALL"),
        (BillKind::Payments, "tradebill?bill_date=2018-11-29&bill_type=SUCCESS"),
        (BillKind::Refunds, "tradebill?bill_date=2018-11-29&bill_type=REFUND"),
        (
            BillKind::FundFlow(FundAccount::Basic),
            "fundflowbill?bill_date=2018-11-29&account_type=BASIC",
        ),
        (
            BillKind::FundFlow(FundAccount::Operation),
            "fundflowbill?bill_date=2018-11-29&account_type=OPERATION",
        ),
        (
            BillKind::FundFlow(FundAccount::Fees),
            "fundflowbill?bill_date=2018-11-29&account_type=FEES",
        ),
    ] {
        let call = wechat().ask_bill(bill, date(2018, 11, 29)).unwrap();
        assert_eq!(call.target, format!("/v3/bill/{expected}&tar_type=GZIP"));
    }
}

#[track_caller]
fn check_file(body: Vec<u8>, hash: Option<&str>, expected: &str) {
    let ticket = BillTicket { url: String::new(), sha1: hash.map(str::to_owned) };
    let answer = Answer { status: 200, headers: headers(&[]), body: body.clone() };
    let outcome = wechat().read_bill_file(&ticket, &answer);
    assert_eq!(word(&outcome), expected);
    if let Outcome::Accepted(bytes) = outcome {
        assert_eq!(bytes, body, "as it came");
    }
}

#[test]
fn a_bill_counts_by_the_hash_of_its_unpacked_bytes() {
    let hash = sha1(BILL.as_bytes());
    let packed = gzipped(BILL.as_bytes());
    let damaged = "refused invalid_request";
    check_file(packed.clone(), Some(&hash), "accepted");
    check_file(packed.clone(), Some(&hash.to_ascii_uppercase()), "accepted");
    check_file(BILL.as_bytes().to_vec(), Some(&hash), "accepted");
    check_file(packed.clone(), Some(&sha1(&packed)), damaged);
    check_file(packed[..packed.len() - 9].to_vec(), Some(&hash), damaged);
    check_file(gzipped(b"another file"), Some(&hash), damaged);
    check_file(Vec::new(), Some(&hash), damaged);
    check_file(packed, None, damaged);
}

#[test]
fn an_expired_address_is_no_damaged_file() {
    let ticket = BillTicket { url: String::new(), sha1: Some(sha1(b"")) };
    for answer in [error(400, "INVALID_REQUEST"), error(403, "NO_AUTH"), unsigned(502, "")] {
        assert_eq!(word(&wechat().read_bill_file(&ticket, &answer)), "unknown");
    }
}

#[test]
fn a_file_that_unpacks_without_end_is_refused() {
    let bomb = gzipped(&vec![0; 1024 * 1024]);
    assert!(sha1_unpacked(&bomb, 1024 * 1024).is_ok());
    assert!(sha1_unpacked(&bomb, 1024 * 1024 - 1).is_err());
}
