//! The paper is for Chinese readers: whatever the data says in English, it says in Chinese.

use payhub::report::{Report, page, workbook};

use super::book::{Book, text};
use super::outcomes::{Fate, Planted, report, result};

/// Each fate as a payment and as a refund.
pub(super) fn all_fates() -> Vec<Planted> {
    use Fate::{
        Cheaper, Dearer, Failed, NearCut, OnlyBill, OnlyLedger, Same, Twice, Unbooked, WrongFee,
    };
    let fates = [
        Same, OnlyLedger, OnlyBill, Dearer, Cheaper, Twice, Unbooked, Failed, WrongFee, NearCut,
        NearCut,
    ];
    let fates = fates.into_iter().flat_map(|fate| [(false, fate), (true, fate)]);
    fates.zip(0..).map(|((is_refund, fate), n)| (is_refund, 8000 + n * 1_234_567, fate)).collect()
}

/// What the paper shows of the data itself, which may be in any letters.
const DATA: [&str; 9] = [
    "registry-0",
    "registry-1",
    "bill.csv",
    "00ff",
    "report.xlsx",
    "differences.csv",
    "doubts.csv",
    "SHA-256",
    "277089d91c0bdf4f2e6862ba7e4a07605119431f5d13f726dd352b06f1b206a9",
];

/// The words of at least two Latin letters in a text, beside order numbers and [`DATA`].
fn english(text: &str) -> Vec<String> {
    let mut text = text.to_owned();
    for known in DATA {
        text = text.replace(known, " ");
    }
    let words = text.split(|c: char| !c.is_ascii_alphanumeric());
    let is_word = |word: &&str| word.chars().filter(char::is_ascii_alphabetic).count() > 1;
    let is_number = |word: &&str| word.len() == 32 && word.starts_with("P0");
    words.filter(is_word).filter(|word| !is_number(word)).map(str::to_owned).collect()
}

/// What a reader sees of a page.
fn seen(page: &str) -> String {
    let body = page.split_once("<body>").unwrap().1.rsplit_once("<script>").unwrap().0;
    let pieces = body.split('<').map(|piece| piece.split_once('>').map_or(piece, |(_, text)| text));
    let text: Vec<&str> = pieces.collect();
    text.join(" ").replace("&nbsp;", " ")
}

/// The words that a query's answer is told in, from the text that tells them.
fn answers() -> Vec<String> {
    let source = include_str!("../../../src/reconcile/query.rs");
    let pieces: Vec<&str> = source.split('"').collect();
    let told = pieces.windows(2).filter(|pair| {
        let before = pair[0].trim_end();
        before.ends_with("Word(") || before.ends_with("=>")
    });
    let words = told.map(|pair| pair[1].to_owned());
    words.filter(|word| !word.starts_with(';')).collect()
}

/// Every fate, every answer of a query, and a footer that does not hold.
fn hard() -> Report {
    let mut days = vec![result(&all_fates(), 4), result(&all_fates(), 0)];
    let answers = answers();
    assert!(answers.len() >= 9, "{answers:?}");
    let mut tails: Vec<String> =
        answers.iter().map(|word| format!("; asked at once, its provider says: {word}")).collect();
    // A doubt that waited in vain says so behind its answer.
    if let Some(tail) = tails.first_mut() {
        tail.push_str("; a doubt since 2018-11-29, no bill of the 3 after it has it");
    }
    tails.push("; asked at once, its provider gave no answer".to_owned());
    tails.push("; its provider could not be asked: the merchant's queries were spent".to_owned());
    let findings = days.iter_mut().flat_map(|day| &mut day.differences);
    for (finding, tail) in findings.zip(tails.iter().cycle()) {
        finding.detail.push_str(tail);
    }
    let mut report = report(days);
    let totals = &mut report.merchants[0].totals;
    totals.footer_ok = false;
    totals.footer_fault = Some("line 9: 总交易额 says `1.00, the rows add up to 2.00".to_owned());
    report
}

#[test]
fn no_english_in_the_paper() {
    let report = hard();
    let book = Book::read(workbook(&report).unwrap());
    for text in book.texts() {
        assert_eq!(english(&text), Vec::<String>::new(), "in {text}");
    }
    let page = seen(&page(&report).unwrap());
    assert_eq!(english(&page), Vec::<String>::new());
    // It can be found.
    assert_eq!(english("金额 charged 0.50"), ["charged"]);
}

#[test]
fn every_answer_of_a_query_is_shown() {
    let report = hard();
    let book = Book::read(workbook(&report).unwrap());
    let shown: Vec<String> = book.list("差错清单").map(|row| text(&row[10])).collect();
    assert!(shown.iter().all(|answer| !answer.is_empty() && answer != "已答复"), "{shown:?}");
    let page = page(&report).unwrap();
    for answer in ["已支付", "无此订单", "退款异常", "已查询，渠道未答复", "未能查询"]
    {
        assert!(shown.iter().any(|shown| shown.starts_with(answer)), "{answer}: {shown:?}");
        assert!(page.contains(answer), "{answer}");
    }
}

#[test]
fn figures_stand_behind_the_cause() {
    let mut report = hard();
    report.merchants[0].result =
        result(&[(false, 8000, Fate::WrongFee), (false, 9000, Fate::Unbooked)], 0);
    let page = page(&report).unwrap();
    let texts = Book::read(workbook(&report).unwrap()).texts().join("\n");
    for text in [
        "实收手续费 0.55 元，按 80.00 元的 0.6% 应为 0.48 元",
        "系统记录 90.00 元，未入账",
        "账单自报合计与明细不一致：第 9 行“总交易额”为 `1.00，明细合计为 2.00",
        "财务会同技术",
        "长款",
    ] {
        assert!(texts.contains(text), "{text} is not in the workbook");
        assert!(page.contains(text), "{text} is not on the page");
    }
}
