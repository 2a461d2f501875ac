//! Bills of which some would be left out or taken for what it is not.

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::*;

const SUMS: &str = "`1,`70.00,`0.00,`0.00,`0.42000,`80.00,`0.00";

/// The same fault whether read whole or as a stream.
#[track_caller]
fn both_refuse(bytes: &[u8], told: &str) {
    let whole = rows(bytes).unwrap_err();
    let stream = streamed(bytes).unwrap().unwrap_err();
    assert_eq!(whole, stream);
    assert!(whole.to_string().contains(told), "{whole}");
}

fn in_currency(word: &str) -> String {
    let head = WECHAT.replace("商户号", "货币种类");
    wechat(&PAID.replace("1900000001", word), SUMS).replace(WECHAT, &head)
}

#[test]
fn a_row_in_another_currency_is_refused() {
    both_refuse(in_currency("USD").as_bytes(), "line 2, column 货币种类: \"USD\" is not CNY");
    for word in ["CNY", ""] {
        assert!(rows(in_currency(word).as_bytes()).is_ok(), "{word}");
    }
    let alipay = format!("{ALIPAY}{TOTALS}").replace("备注", "币种");
    let (seen, totals) = rows(alipay.replace(",-0.48,", ",-0.48,人民币").as_bytes()).unwrap();
    assert_eq!((seen.len(), totals.unknown_columns.len()), (2, 0));
    let dollars = alipay.replace(",0.06,", ",0.06,USD");
    both_refuse(dollars.as_bytes(), "line 5, column 币种: \"USD\" is not CNY");
}

#[test]
fn a_bill_of_several_days_says_so() {
    let of = |until: &str| {
        let text = format!("{ALIPAY}{TOTALS}").replace("2018年12月01日", until);
        let totals = rows(text.as_bytes()).unwrap().1;
        assert_eq!(totals, streamed(text.as_bytes()).unwrap().unwrap().1);
        (totals.stated_day.unwrap().to_string(), totals.last_day.map(|day| day.to_string()))
    };
    assert_eq!(of("2018年12月01日"), ("2018-11-30".to_owned(), None));
    assert_eq!(of("2018年12月31日"), ("2018-11-30".to_owned(), Some("2018-12-30".to_owned())));
    let old = format!("{ALIPAY}{TOTALS}").replace("[2018年11月30日", "[1918年11月30日");
    both_refuse(old.as_bytes(), "line 2, column 起始日期: 1918-11-30 is before the year 2000");
}

fn zip(files: &[(&str, &str)]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in files {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

#[test]
fn t20_of_two_bills_in_a_zip_neither_is_taken() {
    let bill = wechat(PAID, SUMS);
    let other = format!("{ALIPAY}{TOTALS}");
    for second in [&bill, &other] {
        both_refuse(
            &zip(&[("a.csv", bill.as_str()), ("b.csv", second.as_str())]),
            "the zip holds more than one bill",
        );
    }
    let beside =
        zip(&[("汇总.csv", "#支付宝业务汇总查询\n"), ("b.csv", bill.as_str()), ("c.txt", "x")]);
    assert_eq!(rows(&beside).unwrap().0.len(), 1);
    assert_eq!(streamed(&beside).unwrap().unwrap().0, [2]);
}

#[test]
fn what_no_paper_can_show_is_refused_where_it_stands() {
    let long = "9".repeat(2049);
    let told =
        |column: &str| format!("column {column}: \"99999999999999999999\"… has more than 2048");
    let longest = PAID.replace("P1", &"9".repeat(2048));
    assert!(rows(wechat(&longest, SUMS).as_bytes()).is_ok());
    for (from, column) in [("P1", "商户订单号"), ("4200001", "微信订单号")] {
        both_refuse(wechat(&PAID.replace(from, &long), SUMS).as_bytes(), &told(column));
    }
    let back = BACK.replace("R1", &long);
    both_refuse(wechat(&format!("{PAID}{back}"), SUMS).as_bytes(), &told("商户退款单号"));
    let alipay = format!("{ALIPAY}{TOTALS}");
    for (from, column) in
        [("P1\t", "商户订单号"), ("20180001", "支付宝交易号"), ("R1\t", "退款批次号/请求号")]
    {
        both_refuse(alipay.replace(from, &long).as_bytes(), &told(column));
    }
    for (year, stands) in [("1999", "1999-11-30"), ("0001", "0001-11-30")] {
        let old = PAID.replace("2018", year);
        let told = format!("line 2, column 交易时间: {stands} is before the year 2000");
        both_refuse(wechat(&old, SUMS).as_bytes(), &told);
    }
}
