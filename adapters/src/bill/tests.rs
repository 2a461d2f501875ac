//! Bills good and bad, of both providers. Whole runs over files are in `fixtures/reconciliation`.

use std::io::{Cursor, Write as _};

use domain::bill::{BillState, BillTotals, Coverage, Direction, RatePpm};
use domain::money::Fen;
use flate2::Compression;
use flate2::write::GzEncoder;

use super::stream::{self, StreamError};
use super::{BillError, read, read_fund_flow};

mod crew;
mod refused;

const WECHAT: &str = "\u{feff}交易时间,商户号,微信订单号,商户订单号,交易状态,应结订单金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款状态,手续费,费率,订单金额,申请退款金额\r\n";
const FOOTER: &str = "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额\r\n";
const PAID: &str = "`2018-11-30 10:00:00,`1900000001,`4200001,`P1,`SUCCESS,`70.00,`0,`0,`0.00,`0.00,`,`0.42000,`0.60%,`80.00,`0.00\r\n";
const BACK: &str = "`2018-11-30 11:00:00,`1900000001,`4200001,`P1,`REFUND,`0.00,`5001,`R1,`9.00,`1.00,`PROCESSING,`-0.05400,`0.60%,`0.00,`10.00\r\n";

/// A row with texts of its own.
#[derive(Debug, PartialEq)]
struct Seen {
    line: u64,
    direction: Direction,
    numbers: [String; 3],
    amount: i64,
    settled: Option<i64>,
    state: BillState,
    at: String,
    fee: Option<i64>,
    rate: Option<i64>,
}

fn rows(text: &[u8]) -> Result<(Vec<Seen>, BillTotals), BillError> {
    let mut seen = Vec::new();
    let totals = read(text, &mut |row| {
        seen.push(Seen {
            line: row.line,
            direction: row.direction,
            numbers: [row.out_trade_no, row.out_refund_no, row.provider_trade_no]
                .map(str::to_owned),
            amount: row.amount.get(),
            settled: row.settled.map(Fen::get),
            state: row.state,
            at: domain::time::rfc3339(row.occurred_at),
            fee: row.fee.map(Fen::get),
            rate: row.rate.map(|RatePpm(ppm)| ppm),
        });
    })?;
    Ok((seen, totals))
}

fn wechat(body: &str, sums: &str) -> String {
    format!("{WECHAT}{body}{FOOTER}{sums}\r\n")
}

#[track_caller]
fn refused(text: &str, told: &str) {
    let fault = rows(text.as_bytes()).unwrap_err().to_string();
    assert!(fault.contains(told), "{fault}");
    assert!(!fault.contains('\n'), "{fault}");
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

#[test]
fn wechats_words_become_the_hubs() {
    let text = wechat(&format!("{PAID}{BACK}"), "`2,`70.00,`9.00,`1.00,`0.366,`80.00,`10.00");
    let (seen, totals) = rows(text.as_bytes()).unwrap();
    let numbers = |refund: &str| ["P1", refund, "4200001"].map(str::to_owned);
    assert_eq!(
        seen,
        [
            Seen {
                line: 2,
                direction: Direction::Payment,
                numbers: numbers(""),
                amount: 8000,
                settled: Some(7000),
                state: BillState::Succeeded,
                at: "2018-11-30T10:00:00+08:00".to_owned(),
                fee: Some(42),
                rate: Some(6000),
            },
            Seen {
                line: 3,
                direction: Direction::Refund,
                numbers: numbers("R1"),
                amount: 1000,
                settled: Some(900),
                state: BillState::Processing,
                at: "2018-11-30T11:00:00+08:00".to_owned(),
                fee: Some(-5),
                rate: Some(6000),
            },
        ]
    );
    assert!(totals.footer_ok, "{:?}", totals.footer_fault);
    assert_eq!(totals.fee, Fen::new(37));
    assert_eq!(totals.covers, Coverage::BOTH);
    assert_eq!(totals.footer[0], ("count".to_owned(), 2));
    assert_eq!(rows(&gzip(text.as_bytes())).unwrap().1, totals);
    let plain = text.replace('`', "").replace("\r\n", "\n").replace('\u{feff}', "");
    assert_eq!(rows(plain.as_bytes()).unwrap().1, totals, "an editor's leavings");
}

#[test]
fn t20_a_column_nobody_knows_is_told_and_the_order_of_columns_is_free() {
    let text = "商户订单号,新列,微信订单号,交易状态,交易时间,订单金额\n\
        `P1,`x,`42,`SUCCESS,`2018-11-30 10:00:00,`80.00\n总交易单数,新合计\n`1.0,`7\n";
    let (seen, totals) = rows(text.as_bytes()).unwrap();
    assert_eq!((seen[0].amount, seen[0].fee, seen[0].rate), (8000, None, None));
    assert_eq!(totals.unknown_columns, ["新列", "新合计"]);
    assert_eq!(totals.covers, Coverage { payments: true, refunds: false });
}

#[test]
fn each_footer_number_is_compared() {
    let good = "`1,`70.00,`0.00,`0.00,`0.42000,`80.00,`0.00";
    let fault = |sums: &str| rows(wechat(PAID, sums).as_bytes()).unwrap().1.footer_fault;
    assert_eq!(fault(good), None);
    assert_eq!(fault("`1.0,`70.0,`0.0,`0.0,`0.42,`80,`0"), None);
    for (bad, name) in [
        ("`2,`70.00,`0.00,`0.00,`0.42000,`80.00,`0.00", "总交易单数"),
        ("`1,`70.01,`0.00,`0.00,`0.42000,`80.00,`0.00", "应结订单总金额"),
        ("`1,`70.00,`0.01,`0.00,`0.42000,`80.00,`0.00", "退款总金额"),
        ("`1,`70.00,`0.00,`0.01,`0.42000,`80.00,`0.00", "充值券退款总金额"),
        ("`1,`70.00,`0.00,`0.00,`0.43000,`80.00,`0.00", "手续费总金额"),
        ("`1,`70.00,`0.00,`0.00,`0.42000,`80.10,`0.00", "订单总金额"),
        ("`1,`70.00,`0.00,`0.00,`0.42000,`80.00,`-0.01", "申请退款总金额"),
    ] {
        let told = fault(bad).unwrap();
        assert!(told.starts_with(&format!("line 4: {name} says")), "{told}");
    }
}

#[test]
fn what_cannot_be_read_is_named_by_line_and_column() {
    let sums = "`1,`70.00,`0.00,`0.00,`0.42000,`80.00,`0.00";
    for (from, to, told) in [
        ("`80.00", "`80.001", "line 2, column 订单金额: \"80.001\""),
        ("`80.00", "`", "line 2, column 订单金额: \"\""),
        ("`80.00", "`-80.00", "line 2, column 订单金额: an amount here is never negative"),
        ("`70.00", "`7O", "line 2, column 应结订单金额: \"7O\""),
        ("`0.42000", "`free", "line 2, column 手续费: \"free\""),
        ("`0.60%", "`0.60", "line 2, column 费率: \"0.60\""),
        ("SUCCESS", "PAID", "line 2, column 交易状态: \"PAID\""),
        ("11-30 10", "11-31 10", "line 2, column 交易时间: \"2018-11-31 10:00:00\""),
        ("2018-11-30 10:00:00", "2018/11/30 10:00", "column 交易时间"),
        ("`1900000001,", "", "line 2, column (all): it has 14 columns where the header has 15"),
    ] {
        refused(&wechat(&PAID.replace(from, to), sums), told);
    }
    let back = BACK.replace("PROCESSING", "WHO_KNOWS");
    refused(&wechat(&back, sums), "line 2, column 退款状态: \"WHO_KNOWS\"");
    refused(&wechat(PAID, "`one,`70,`0,`0,`0,`80,`0"), "line 4, column 总交易单数: \"one\"");
    refused(
        &wechat(PAID, &format!("{sums}\r\n{PAID}")),
        "line 5, column (all): something stands after",
    );
    let head = WECHAT.replace("商户订单号", "订单号");
    refused(&wechat(PAID, sums).replace(WECHAT, &head), "without the columns of a bill");
    let twice = WECHAT.replace("商户号", "订单金额");
    refused(
        &wechat(PAID, sums).replace(WECHAT, &twice),
        "column 订单金额: this column stands there twice",
    );
}

#[test]
fn t20_a_cut_file_is_told_wherever_it_is_cut() {
    let whole = wechat(PAID, "`1,`70.00,`0.00,`0.00,`0.42000,`80.00,`0.00");
    for end in WECHAT.len()..whole.len() - 2 {
        let cut = rows(&whole.as_bytes()[..end]);
        let told = cut.as_ref().map_or_else(|_| true, |(_, totals)| !totals.footer_ok);
        // The last number's trailing zeros carry nothing.
        assert!(told || end >= whole.len() - 5, "cut at {end} passes: {cut:?}");
    }
}

#[test]
fn a_refund_bill_goes_by_the_day_of_asking() {
    let text = "交易时间,微信订单号,商户订单号,交易状态,退款申请时间,退款成功时间,微信退款单号,商户退款单号,退款金额,退款状态,订单金额,申请退款金额\n\
        `2018-11-28 09:00:00,`42,`P1,`REFUND,`2018-11-30 11:00:00,`,`50,`R1,`10.00,`CHANGE,`0.00,`10.00\n\
        总交易单数,申请退款总金额\n`1,`10.00\n";
    let (seen, totals) = rows(text.as_bytes()).unwrap();
    assert_eq!(seen[0].at, "2018-11-30T11:00:00+08:00");
    assert_eq!(seen[0].state, BillState::Failed);
    assert_eq!(totals.covers, Coverage { payments: false, refunds: true });
}

#[test]
fn what_is_no_bill_is_told_for_what_it_is() {
    for (text, told) in [
        ("", "an empty file"),
        ("<html>下载超时，请重新下载</html>", "a web page"),
        ("{\"code\":\"NO_AUTH\"}", "a JSON answer"),
        ("#支付宝业务汇总查询\n门店编号,门店名称\n", "summary"),
        ("账务流水号,业务流水号\n", "account bill"),
        ("记账时间,资金流水单号,收支类型\n", "a fund flow bill"),
        ("hello\nworld", "without the columns of a bill (`hello"),
    ] {
        refused(text, told);
    }
    assert!(rows(b"PK\x03\x04 not really").unwrap_err().to_string().contains("unpacked"));
    let broken = gzip(WECHAT.as_bytes());
    assert!(rows(&broken[..broken.len() - 9]).unwrap_err().to_string().contains("unpacked"));
    let other = read_fund_flow(wechat(PAID, "`1").as_bytes()).unwrap_err().to_string();
    assert!(other.starts_with("this is no fund flow bill but a trade bill;"), "{other}");
}

const ALIPAY: &str = "#支付宝业务明细查询\r\n#起始日期：[2018年11月30日 00:00:00]   终止日期：[2018年12月01日 00:00:00]\r\n\
    支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,订单金额（元）,商家实收（元）,商家优惠（元）,退款批次号/请求号,服务费（元）,备注\r\n\
    20180001\t,P1\t,交易,登记费,2018-11-30 09:00:00,2018-11-30 10:00:00,80.00,75.00,5.00,,-0.48,\r\n\
    20180001\t,P1\t,退款,登记费,2018-11-30 09:00:00,2018-11-30 11:00:00,-10.00,-10.00,0.00,R1\t,0.06,\r\n";
const TOTALS: &str = "#交易合计：1笔，商家实收共75.00元，商家优惠共5.00元\r\n#退款合计：1笔，商家实收退款共-10.00元，商家优惠退款共0.00元\r\n";

#[test]
fn alipays_words_become_the_hubs() {
    let text = format!("{ALIPAY}{TOTALS}");
    let gbk = encoding_rs::GBK.encode(&text).0.into_owned();
    for bytes in [text.as_bytes(), &gbk] {
        let (seen, totals) = rows(bytes).unwrap();
        assert_eq!(totals.stated_day, Some(jiff::civil::date(2018, 11, 30)));
        assert!(totals.footer_ok, "{:?}", totals.footer_fault);
        assert_eq!((seen[0].amount, seen[0].settled, seen[0].fee), (8000, Some(7500), Some(48)));
        assert_eq!((seen[1].amount, seen[1].settled, seen[1].fee), (1000, Some(1000), Some(-6)));
        assert_eq!(seen[1].numbers, ["P1", "R1", "20180001"].map(str::to_owned));
        assert_eq!(seen[1].at, "2018-11-30T11:00:00+08:00");
        assert_eq!(totals.fee, Fen::new(42));
    }
    let other_sign = text.replace(",-0.48,", ",0.48,").replace(",0.06,", ",-0.06,");
    assert_eq!(rows(other_sign.as_bytes()).unwrap().1.fee, Fen::new(42));
}

#[test]
fn an_alipay_bill_that_is_wrong_is_told() {
    let whole = format!("{ALIPAY}{TOTALS}");
    for (from, to, told) in [
        (TOTALS, "", "line 5: the file is cut: its footer"),
        ("#退款合计", "#", "the file is cut"),
        ("交易合计：1笔", "交易合计：一笔", "line 6, column 交易合计"),
        (",交易,", ",转账,", "line 4, column 业务类型: \"转账\""),
        (
            ",-10.00,-10.00",
            ",10.00,-10.00",
            "line 5, column 订单金额（元）: 10.00 has the wrong sign",
        ),
        ("80.00,75.00", "80.00,75.00,1", "line 4, column (all): it has 13 columns"),
        ("退款批次号/请求号", "批次", "column 退款批次号/请求号: this column is missing"),
    ] {
        refused(&whole.replace(from, to), told);
    }
    refused(&format!("{whole}1,2,3\r\n"), "a row stands after the footer");
    for (from, to, name) in [
        ("交易合计：1笔", "交易合计：2笔", "交易合计"),
        ("共75.00元", "共75.01元", "商家实收"),
        ("共5.00元", "共5.01元", "商家优惠"),
        ("退款合计：1笔", "退款合计：0笔", "退款合计"),
        ("共-10.00元", "共-10.01元", "商家实收退款"),
    ] {
        let (_, totals) = rows(whole.replace(from, to).as_bytes()).unwrap();
        let told = totals.footer_fault.unwrap();
        assert!(!totals.footer_ok && told.contains(&format!(": {name} says")), "{told}");
    }
}

#[test]
fn a_refund_that_repeats_its_orders_amounts_is_in_no_total_of_payments() {
    let back = BACK.replace("`0.00,`10.00\r\n", "`80.00,`10.00\r\n");
    for (total, holds) in [("80.00", true), ("160.00", true), ("90.00", false)] {
        let sums = format!("`2,`70.00,`9.00,`1.00,`0.366,`{total},`10.00");
        let (_, totals) = rows(wechat(&format!("{PAID}{back}"), &sums).as_bytes()).unwrap();
        assert_eq!(totals.footer_ok, holds, "{total}");
    }
}

/// Reads as a stream; what is left to the whole is `None`.
fn streamed(bytes: &[u8]) -> Option<Result<(Vec<u64>, BillTotals), BillError>> {
    let mut seen = Vec::new();
    match stream::read(&mut Cursor::new(bytes), &mut |row| seen.push(row.line)) {
        Ok(totals) => Some(Ok((seen, totals))),
        Err(StreamError::Bill(fault)) => Some(Err(fault)),
        Err(StreamError::NotOneText) => None,
        Err(StreamError::Read(fault)) => panic!("{fault}"),
    }
}

#[test]
fn a_stream_of_many_blocks_is_read_as_the_whole_is() {
    let body = PAID.repeat(5000);
    let sums = "`5000,`350000.00,`0.00,`0.00,`2100.00,`400000.00,`0.00";
    let text = wechat(&body, sums);
    let lines: Vec<u64> = (2..5002).collect();
    for bytes in [text.clone().into_bytes(), gzip(text.as_bytes())] {
        let (seen, totals) = streamed(&bytes).unwrap().unwrap();
        assert!(totals.footer_ok, "{:?}", totals.footer_fault);
        assert_eq!(Ok(totals), rows(&bytes).map(|(_, totals)| totals));
        assert_eq!(seen, lines);
        let mut again = Vec::new();
        stream::again(&mut Cursor::new(&bytes), &[2, 77, 5001], &mut |row| again.push(row.line))
            .unwrap();
        assert_eq!(again, [2, 77, 5001]);
    }
    // Cut anywhere, it says the same.
    for cut in [text.len() - 1, text.len() - 40, text.len() / 2, 300_000] {
        let cut = &text.as_bytes()[..cut];
        let whole = rows(cut).map(|(_, totals)| totals);
        assert_eq!(streamed(cut).unwrap().map(|(_, totals)| totals), whole);
    }
}

#[test]
fn t20_a_small_file_that_unpacks_to_too_much_is_refused() {
    let blank = vec![b' '; 1 << 16];
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    packed.write_all(WECHAT.as_bytes()).unwrap();
    for _ in 0..1500 {
        packed.write_all(&blank).unwrap();
        packed.write_all(b"\n").unwrap();
    }
    let bytes = packed.finish().unwrap();
    assert!(bytes.len() < 200_000, "{}", bytes.len());
    let fault = streamed(&bytes).unwrap().unwrap_err().to_string();
    assert!(fault.contains("it unpacks to more than"), "{fault}");
}

#[test]
fn bytes_that_turn_into_no_text_midway_are_left_to_the_whole() {
    let mut bytes = wechat(&PAID.repeat(5000), "`1").into_bytes();
    bytes[400_000] = 0xff;
    assert!(streamed(&bytes).is_none());
}
