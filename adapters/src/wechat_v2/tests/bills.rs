//! Bills: the answer is the file, and its own footer proves it.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::{answer, hub};
use crate::provider::{BillAnswer, BillTicket, PaymentProvider as _};
use crate::testing::{fixture, now, public_vectors, said, word};
use crate::wire::Answer;

fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[track_caller]
fn check(body: impl Into<Vec<u8>>, expected: &str) {
    let body = body.into();
    let outcome = hub().read_bill_ticket(&answer(body.clone()), now());
    let got = said(&outcome, |answer| match answer {
        BillAnswer::Here(file) => (if *file == body { "here" } else { "changed" }).to_owned(),
        BillAnswer::Ready(_) => "ready".to_owned(),
        BillAnswer::EmptyDay => "empty".to_owned(),
        BillAnswer::NotYet => "not yet".to_owned(),
    });
    assert_eq!(got, expected);
}

fn why(code: &str, text: &str) -> String {
    format!(
        "<xml><return_code><![CDATA[FAIL]]></return_code><return_msg><![CDATA[{text}]]></return_msg>\
         <error_code><![CDATA[{code}]]></error_code></xml>"
    )
}

#[test]
fn the_answer_is_the_bill_once_its_footer_proves_it() {
    let bill = fixture("reconciliation/wechat_fee_differs/bill.csv");
    check(bill.clone(), "here");
    check(gzipped(bill.as_bytes()), "here");
    let wrong = fixture("reconciliation/wechat_footer_wrong/bill.csv");
    check(gzipped(wrong.as_bytes()), "refused invalid_request");
    let cut = fixture("reconciliation/wechat_cut/bill.csv");
    check(cut, "refused invalid_request");
    let packed = gzipped(bill.as_bytes());
    check(&packed[..packed.len() / 2], "refused invalid_request");
    check("nothing of a bill", "refused invalid_request");
    check("", "refused invalid_request");
}

#[test]
fn the_published_bill_is_taken() {
    let Some(folder) = public_vectors() else { return };
    let bill = std::fs::read(folder.join("wxphp_bill.ALL.csv")).unwrap();
    check(gzipped(&bill), "here");
}

const FLOW: &str = "\u{feff}记账时间,微信支付业务单号,资金流水单号,业务名称,业务类型,收支类型,收支金额(元),账户结余(元),资金变更提交申请人,备注,业务凭证号\r\n\
`2018-11-29 10:00:00,`420000,`1,`交易,`交易,`收入,`80.00,`80.00,`system,`缴费,`P1\r\n\
`2018-11-29 11:00:00,`420001,`2,`扣除交易手续费,`交易,`支出,`0.48,`79.52,`system,`,`P1\r\n\
资金流水总笔数,收入笔数,收入金额,支出笔数,支出金额\r\n\
`2,`1,`80.00,`1,`0.48\r\n";

#[test]
fn a_fund_flow_bill_is_proved_by_its_footer_too() {
    check(gzipped(FLOW.as_bytes()), "here");
    check(FLOW.replace("`2,`1,`80.00", "`2,`1,`80.01"), "refused invalid_request");
}

#[test]
fn a_footer_that_is_silent_about_a_sum_proves_no_bill() {
    let bill = fixture("reconciliation/wechat_fee_differs/bill.csv");
    let lines: Vec<&str> = bill.trim_end().lines().collect();
    let [rows @ .., names, numbers] = lines.as_slice() else { panic!("{bill}") };
    let names: Vec<&str> = names.split(',').collect();
    let numbers: Vec<&str> = numbers.split(",`").collect();
    assert_eq!((names.len(), numbers.len()), (7, 7));
    for left_out in 1..names.len() {
        let rest = |all: &[&str], comma: &str| {
            let kept = all.iter().enumerate().filter(|(at, _)| *at != left_out);
            kept.map(|(_, text)| *text).collect::<Vec<_>>().join(comma)
        };
        let footer = format!("{}\r\n{}", rest(&names, ","), rest(&numbers, ",`"));
        let short = format!("{}\r\n{footer}\r\n", rows.join("\r\n"));
        check(short.clone(), "refused invalid_request");
        // A file that a hash proves may leave it out.
        assert!(crate::bill::read(short.as_bytes(), &mut |_row| {}).unwrap().footer_ok);
    }
    let old = fixture("reconciliation/wechat_old_columns/bill.csv");
    check(old, "here");
}

#[test]
fn a_fund_flow_bill_s_footer_states_all_five_figures() {
    let names = "资金流水总笔数,收入笔数,收入金额,支出笔数,支出金额";
    let with_units = "资金流水总笔数（笔）,收入笔数（笔）,收入金额（元）,支出笔数(笔),支出金额(元)";
    check(FLOW.replace(names, with_units), "here");
    let wrong = FLOW.replace("`2,`1,`80.00", "`2,`1,`80.01");
    check(wrong.replace(names, with_units), "refused invalid_request");
    let other = "资金流水总笔数,收入笔数,别的金额,支出笔数,支出金额";
    check(FLOW.replace(names, other), "refused invalid_request");
    let short = FLOW.replace(names, "资金流水总笔数").replace("`2,`1,`80.00,`1,`0.48", "`2");
    check(short.clone(), "refused invalid_request");
    assert!(crate::bill::read_fund_flow(short.as_bytes()).unwrap().footer_ok);
}

#[test]
fn alipay_s_bill_is_none_of_wechat_s() {
    let bill = fixture("reconciliation/alipay_by_provider_number/bill.csv");
    assert!(crate::bill::read(bill.as_bytes(), &mut |_row| {}).unwrap().footer_ok);
    check(bill, "refused invalid_request");
}

#[test]
fn why_there_is_no_bill_is_told_in_xml() {
    check(why("20002", "No Bill Exist"), "empty");
    check(why("20002", "bill not exist 账单不存在"), "empty");
    check(why("20002", "Bill Creating"), "not yet");
    // Only what says so makes a day empty.
    check(why("20002", "账单正在生成，请稍后再试"), "not yet");
    check(why("20002", ""), "not yet");
    check(why("NO_BILL_EXIST", "账单文件不存在"), "empty");
    check(why("BILL_CREATING", "账单未生成"), "not yet");
    check(why("20001", "invalid bill_type"), "refused invalid_request");
    check(why("20007", "权限已经关闭"), "refused configuration");
    check(why("20003", "CompressGZip Error"), "unknown");
    check(why("100", "SYSTEMERROR"), "unknown");
    check(why("", "签名错误"), "refused configuration");
    check(why("", "系统繁忙"), "unknown");
    check("<html>Bad Gateway</html>", "unknown");
    check("<xml>", "unknown");
    let late = Answer { status: 500, ..answer(why("20002", "No Bill Exist")) };
    assert_eq!(word(&hub().read_bill_ticket(&late, now())), "unknown");
}

#[test]
fn there_is_no_file_to_fetch_and_what_came_is_not_printed() {
    let ticket = BillTicket { url: String::new(), sha1: None };
    assert_eq!(word(&hub().read_bill_file(&ticket, &answer("x"))), "unknown");
    let shown = format!("{:?}", BillAnswer::Here(b"oUpF8".to_vec()));
    assert_eq!(shown, "Here(5 bytes)");
}
