//! Bills over the old interface: the files of the newer one, in the answer.

use super::{Told, fields, paid, unheard};
use crate::office::office;

#[test]
fn the_bill_is_the_one_of_the_newer_interface() {
    let office = office();
    paid(&office, "ORDER0001");
    office.v2_refund("ORDER0001", "R1", 3000, "");
    let ask = |change: &[(&str, &str)], hmac: bool, path: &str| {
        office.engine.answer(&office.v2_request(path, fields(change), hmac))
    };
    let day = ("bill_date", "20261120");
    let bill = |change: &[(&str, &str)]| ask(change, false, "/pay/downloadbill");
    let creating = Told::of(&bill(&[day]));
    assert_eq!(
        (creating.get("return_code"), creating.get("return_msg")),
        ("FAIL", "Bill Creating")
    );
    office.pass(24 * 3600);
    let plain = bill(&[day, ("bill_type", "ALL")]).body;
    let text = String::from_utf8(plain.clone()).unwrap();
    assert!(text.starts_with("\u{feff}交易时间,"), "{text}");
    assert_eq!(text.matches("`ORDER0001").count(), 2, "{text}");
    let mut packed = Vec::new();
    let gzip = bill(&[day, ("tar_type", "GZIP")]).body;
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(gzip.as_slice()), &mut packed)
        .unwrap();
    assert_eq!(packed, plain);
    let none = Told::of(&bill(&[("bill_date", "20261119")]));
    assert_eq!((none.get("return_msg"), none.get("error_code")), ("No Bill Exist", "20002"));
    for wrong in [
        vec![("bill_date", "2026-11-20")],
        vec![],
        vec![day, ("bill_type", "X")],
        vec![day, ("tar_type", "ZIP")],
    ] {
        unheard(&bill(&wrong));
    }
    let flow = [day, ("account_type", "Basic")];
    unheard(&ask(&flow, false, "/pay/downloadfundflow"));
}
