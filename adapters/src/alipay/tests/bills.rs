//! The bill's address and its file.

use std::io::{Cursor, Write as _};

use serde_json::json;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::{failure, signed, unsigned};
use crate::alipay::download::{BILL_URL, unpacks};
use crate::provider::{BillAnswer, BillTicket, PaymentProvider as _};
use crate::testing::{alipay, headers, now, word};
use crate::wire::{Answer, Outcome};

fn zipped(text: &[u8]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file("bill.csv", SimpleFileOptions::default()).unwrap();
    zip.write_all(text).unwrap();
    zip.finish().unwrap().into_inner()
}

#[test]
fn a_day_without_trades_is_a_result_in_each_of_alipay_s_words() {
    let read = |answer: &Answer| alipay().read_bill_ticket(answer, now());
    let url = "https://dwbillcenter.alipay.com/downloadBillFile.resource?a=b".to_owned();
    let node = json!({"code": "10000", "bill_download_url": url});
    let ready = BillAnswer::Ready(BillTicket { url, sha1: None });
    assert_eq!(read(&signed(BILL_URL, &node)), Outcome::Accepted(ready));
    assert_eq!(word(&read(&unsigned(BILL_URL, &node))), "unknown");
    for sub_code in ["isp.bill_not_exist", "BILL_NOT_EXIST", "NO_BILL_DATA"] {
        let empty = Outcome::Accepted(BillAnswer::EmptyDay);
        assert_eq!(read(&failure(BILL_URL, sub_code)), empty, "{sub_code}");
    }
    assert_eq!(word(&read(&failure(BILL_URL, "isp.unknow-error"))), "unknown");
}

#[track_caller]
fn check_file(status: u16, body: Vec<u8>, expected: &str) {
    let ticket = BillTicket { url: String::new(), sha1: None };
    let answer = Answer { status, headers: headers(&[]), body: body.clone() };
    let outcome = alipay().read_bill_file(&ticket, &answer);
    assert_eq!(word(&outcome), expected);
    if let Outcome::Accepted(bytes) = outcome {
        assert_eq!(bytes, body, "as it came");
    }
}

#[test]
fn an_expired_address_is_told_from_a_damaged_file() {
    let file = zipped("#支付宝业务明细查询\r\n".as_bytes());
    check_file(200, file.clone(), "accepted");
    check_file(200, "下载超时，请重新下载".as_bytes().to_vec(), "unknown");
    check_file(200, b"<html></html>".to_vec(), "unknown");
    check_file(200, Vec::new(), "unknown");
    check_file(502, file.clone(), "unknown");
    check_file(200, file[..file.len() - 10].to_vec(), "refused invalid_request");
    let mut flipped = file.clone();
    flipped[40] ^= 1;
    check_file(200, flipped, "refused invalid_request");
}

#[test]
fn a_file_that_unpacks_without_end_is_refused() {
    let file = zipped(&vec![0; 1024 * 1024]);
    assert!(unpacks(&file, 1024 * 1024).is_ok());
    assert!(unpacks(&file, 1024 * 1024 - 1).is_err());
}
