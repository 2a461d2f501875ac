//! Every answer is exactly one of accepted, refused, unknown.

use domain::fact::OrderStanding;
use domain::money::Fen;
use proptest::prelude::*;

use super::{BOTH, Pairs, answer, done, failed, hub, hub_of, not_taken, paid, placing, said};
use super::{service_provider, signed_as, with, written};
use crate::provider::{Closing, OrderKey, Pay, PaymentProvider as _, Placed, Product};
use crate::testing::{TRADE_NO, closing, now, order_key, stamp, standing, trade_no, word};
use crate::wechat_v2::SignType;
use crate::wire::{Answer, Outcome};

#[track_caller]
fn check_placed(product: Product, answer: &Answer, expected: &str) {
    let outcome = hub().read_placed(&placing(hub(), product), answer, &stamp());
    let got = crate::testing::said(&outcome, |placed| match placed {
        Placed::Paid(_) => "paid".to_owned(),
        Placed::Offered(pay) => match pay {
            Pay::QrCode { code_url } => format!("code {code_url}"),
            Pay::Redirect { url } => format!("page {url}"),
            Pay::Jsapi { .. } => "jsapi".to_owned(),
            Pay::App { .. } => "app".to_owned(),
            Pay::Form { .. } => "form".to_owned(),
            Pay::None => "nothing".to_owned(),
        },
    });
    assert_eq!(got, expected);
}

#[track_caller]
fn check_order(answer: &Answer, expected: &str) {
    let outcome = hub().read_order(&order_key(&trade_no()), answer, now());
    assert_eq!(crate::testing::said(&outcome, standing), expected);
}

#[track_caller]
fn check_closed(product: Product, answer: &Answer, expected: &str) {
    let call = hub().close_order(&trade_no(), product);
    let outcome = hub().read_closed(&call, answer, now());
    assert_eq!(crate::testing::said(&outcome, |how: &Closing| closing(how)), expected);
}

const CODE: (&str, &str) = ("code_url", "weixin://wxpay/bizpayurl/up?pr=NwY5Mz9&groupid=00");
const PREPAID: (&str, &str) = ("prepay_id", "wx201411101639507cbf6ffd8b0779950874");

#[test]
fn a_placed_order_gives_the_payer_what_its_product_needs() {
    let code = format!("code {}", CODE.1);
    check_placed(Product::Native, &said(&[CODE, PREPAID]), &code);
    check_placed(Product::Native, &said(&[PREPAID]), "unknown");
    check_placed(Product::Jsapi, &said(&[PREPAID]), "jsapi");
    check_placed(Product::App, &said(&[PREPAID]), "app");
    check_placed(Product::App, &said(&[CODE]), "unknown");
    check_placed(Product::Jsapi, &said(&[]), "unknown");
    let page = "https://wx.tenpay.com/cgi-bin/mmpayweb-bin/checkmweb?prepay_id=wx1&package=2";
    let back = "&redirect_url=https%3A%2F%2Fpay.example.cn%2Fpaid%3Fa%3D1";
    check_placed(Product::H5, &said(&[PREPAID, ("mweb_url", page)]), &format!("page {page}{back}"));
    check_placed(Product::H5, &said(&[PREPAID]), "unknown");
}

#[test]
fn a_service_provider_s_script_and_app_are_the_merchant_s_own() {
    let hub = service_provider(Some("wx0000000000000001"));
    let given = |product| {
        let placed = hub.read_placed(&placing(&hub, product), &said(&[PREPAID]), &stamp());
        let Outcome::Accepted(Placed::Offered(Pay::Jsapi { params } | Pay::App { params })) =
            placed
        else {
            panic!("{placed:?}")
        };
        params
    };
    assert_eq!(given(Product::Jsapi)["appId"], "wx0000000000000001");
    let app = given(Product::App);
    assert_eq!(
        (&app["appid"], &app["partnerid"]),
        (&"wx0000000000000001".into(), &"1900000109".into())
    );
}

#[test]
fn t05_an_answer_that_is_not_proved_is_unknown() {
    let good = with(done(), &[CODE]);
    check_placed(Product::Native, &answer(written(&good)), "unknown");
    let forged = with(
        good.clone(),
        &[("sign", "6A9AE1657590FD6257D693A078E1C3E4BB6BA4DC30B23E0EE2496E54170DACD6")],
    );
    check_placed(Product::Native, &answer(written(&forged)), "unknown");
    let mut empty = good.clone();
    empty.insert("sign", "");
    check_placed(Product::Native, &answer(written(&empty)), "unknown");
    // Signed by who has the key, but with the weaker algorithm than the merchant's.
    check_placed(Product::Native, &answer(signed_as(SignType::Md5, &good)), "unknown");
    let calls_itself = with(good.clone(), &[("sign_type", "MD5")]);
    check_placed(
        Product::Native,
        &answer(signed_as(SignType::HmacSha256, &calls_itself)),
        "unknown",
    );
    let text = signed_as(SignType::HmacSha256, &good);
    let lower = text.to_lowercase().replace("cdata", "CDATA");
    check_placed(Product::Native, &answer(lower), "unknown");
    // Not even a refusal counts, nor that there is no such order.
    let refused = with(done(), &[("result_code", "FAIL"), ("err_code", "ORDERNOTEXIST")]);
    check_order(&answer(written(&refused)), "unknown");
    check_order(&answer(signed_as(SignType::Md5, &refused)), "unknown");
    check_order(&answer(signed_as(SignType::HmacSha256, &refused)), "absent");
}

#[test]
fn an_answer_is_good_under_either_algorithm_where_it_is_the_merchant_s() {
    for sign_type in BOTH {
        for answered in BOTH {
            let hub = hub_of(sign_type);
            let answer = answer(signed_as(answered, &with(done(), &[CODE])));
            let outcome = hub.read_placed(&placing(&hub, Product::Native), &answer, &stamp());
            let expected = if sign_type == answered { "accepted" } else { "unknown" };
            assert_eq!(word(&outcome), expected);
        }
    }
}

#[test]
fn a_refusal_is_read_by_its_code() {
    for (code, native, counter) in [
        ("PARAM_ERROR", "refused invalid_request", "refused invalid_request"),
        ("LACK_PARAMS", "refused invalid_request", "refused invalid_request"),
        ("XML_FORMAT_ERROR", "refused invalid_request", "refused invalid_request"),
        ("SIGNERROR", "refused configuration", "refused configuration"),
        ("NOAUTH", "refused configuration", "refused configuration"),
        ("APPID_NOT_EXIST", "refused configuration", "refused configuration"),
        ("MCHID_NOT_EXIST", "refused configuration", "refused configuration"),
        ("APPID_MCHID_NOT_MATCH", "refused configuration", "refused configuration"),
        ("ORDERCLOSED", "refused already_closed", "refused already_closed"),
        ("ORDERREVERSED", "refused already_closed", "refused already_closed"),
        ("AUTHCODEEXPIRE", "refused invalid_request", "refused invalid_request"),
        ("AUTH_CODE_INVALID", "refused invalid_request", "refused invalid_request"),
        ("AUTH_CODE_ERROR", "refused invalid_request", "refused invalid_request"),
        ("NOTENOUGH", "refused not_enough_funds", "refused not_allowed"),
        ("NOTSUPORTCARD", "refused not_allowed", "refused not_allowed"),
        ("BUYER_MISMATCH", "refused not_allowed", "refused not_allowed"),
        ("TRADE_ERROR", "refused not_allowed", "refused not_allowed"),
        // The payer enters a password: the counter waits, and nobody else knows the word.
        ("USERPAYING", "unknown", "nothing"),
        // A query must say what stands under the number.
        ("ORDERPAID", "unknown", "unknown"),
        ("OUT_TRADE_NO_USED", "unknown", "unknown"),
        ("INVALID_REQUEST", "unknown", "unknown"),
        ("SYSTEMERROR", "unknown", "unknown"),
        ("BANKERROR", "unknown", "unknown"),
        ("FREQUENCY_LIMITED", "unknown", "unknown"),
        ("A_NEW_CODE", "unknown", "unknown"),
    ] {
        check_placed(Product::Native, &failed(code), native);
        check_placed(Product::Codepay, &failed(code), counter);
    }
    check_placed(Product::Native, &said(&[("result_code", "FAIL")]), "unknown");
    check_placed(Product::Native, &said(&[("result_code", "PERHAPS"), CODE]), "unknown");
    check_placed(Product::Native, &said(&[("result_code", ""), CODE]), "unknown");
}

#[test]
fn t05_what_nobody_signed_says_of_no_order_that_it_was_not_placed_or_taken_back() {
    for text in
        ["签名错误", "SIGNERROR", "mch_id不存在", "证书已过期", "参数格式校验错误", "缺少参数"]
    {
        for product in [Product::Native, Product::Codepay] {
            check_placed(product, &not_taken(text), "unknown");
        }
        check_closed(Product::Codepay, &not_taken(text), "unknown");
    }
    let outcome = hub().read_placed(&placing(hub(), Product::Native), &not_taken("a\nb"), &stamp());
    assert_eq!(outcome, Outcome::Unknown("return_code FAIL: ab".to_owned()));
}

#[test]
fn where_nothing_can_move_a_known_text_tells_that_wechat_refuses_the_hub() {
    for (text, expected) in [
        ("签名错误", "refused configuration"),
        (" 签名错误，请检查后再试", "refused configuration"),
        ("SIGNERROR", "refused configuration"),
        ("Sign Error", "refused configuration"),
        ("商户号mch_id不存在或未设置API密钥", "refused configuration"),
        ("mch_id不存在", "refused configuration"),
        ("appid不存在", "refused configuration"),
        // A text that only mentions the like may be about WeChat's own trouble.
        ("系统繁忙：证书服务超时，请稍后再试", "unknown"),
        ("sign error check timed out", "unknown"),
        ("签名错误服务暂不可用", "unknown"),
        ("参数格式校验错误", "unknown"),
        ("系统繁忙，请稍后再试", "unknown"),
        ("SYSTEMERROR", "unknown"),
        ("", "unknown"),
    ] {
        check_order(&not_taken(text), expected);
        check_closed(Product::Native, &not_taken(text), expected);
    }
    check_order(&answer("<xml><return_code>MAYBE</return_code></xml>"), "unknown");
    check_order(&answer("<xml></xml>"), "unknown");
}

#[test]
fn a_query_by_wechat_s_number_is_answered_about_that_number() {
    let (number, theirs) = (trade_no(), "4200000001201811300000000001".parse().unwrap());
    let key = OrderKey { out_trade_no: &number, provider_trade_no: Some(&theirs) };
    let read = |more: &[(&str, &str)]| {
        let answer = said(&Vec::from_iter(with(paid(), more)));
        word(&hub().read_order(&key, &answer, now()))
    };
    assert_eq!(read(&[]), "accepted");
    assert_eq!(read(&[("transaction_id", "4200000009999999999999999999")]), "unknown");
    assert_eq!(read(&[("transaction_id", ""), ("trade_state", "NOTPAY")]), "unknown");
    assert_eq!(read(&[("out_trade_no", "P0ANOTHER")]), "unknown");
}

#[test]
fn what_is_not_an_answer_of_v2_is_unknown() {
    let good = signed_as(SignType::HmacSha256, &paid());
    check_order(&answer(good.clone()), "paid");
    for status in [201, 202, 301, 400, 401, 403, 404, 429, 500, 502, 503] {
        check_order(&Answer { status, ..answer(good.clone()) }, "unknown");
    }
    for body in ["", "<html>Bad Gateway</html>", "{\"code\":\"PARAM_ERROR\"}", "<xml>"] {
        check_order(&answer(body), "unknown");
    }
    check_order(&answer(good.replace("<xml>", "<!DOCTYPE x><xml>")), "unknown");
    check_order(&answer(good.replace("</xml>", "<total_fee>1</total_fee></xml>")), "unknown");
}

#[test]
fn a_query_tells_paid_unpaid_closed_and_absent() {
    let state = |word| said(&Vec::from_iter(with(paid(), &[("trade_state", word)])));
    for (word, expected) in [
        ("SUCCESS", "paid"),
        ("REFUND", "paid"),
        ("NOTPAY", "unpaid"),
        ("USERPAYING", "unpaid"),
        ("PAYERROR", "unpaid"),
        ("ACCEPT", "unpaid"),
        ("CLOSED", "closed"),
        ("REVOKED", "given back"),
        ("A_NEW_STATE", "unknown"),
        ("", "unknown"),
    ] {
        check_order(&state(word), expected);
    }
    let taken_back = [("out_trade_no", TRADE_NO), ("trade_state", "REVOKED")];
    check_order(&said(&taken_back), "closed");
    check_order(&failed("ORDERNOTEXIST"), "absent");
    check_order(&failed("INVALID_TRANSACTIONID"), "refused not_found");
    check_order(&failed("SIGNERROR"), "refused configuration");
    check_order(&failed("SYSTEMERROR"), "unknown");
    let unpaid = [("out_trade_no", TRADE_NO), ("trade_state", "NOTPAY")];
    check_order(&said(&unpaid), "unpaid");
}

#[test]
fn a_proved_answer_about_another_order_or_without_a_word_is_no_answer() {
    let lacking = |name| said(&Vec::from_iter(with(paid(), &[(name, "")])));
    for name in ["out_trade_no", "transaction_id", "total_fee", "time_end"] {
        check_order(&lacking(name), "unknown");
    }
    for name in ["mch_id", "appid"] {
        let fields = with(paid(), &[(name, "")]);
        check_order(&answer(signed_as(SignType::HmacSha256, &fields)), "unknown");
    }
    for (name, value) in [
        ("out_trade_no", "P0"),
        ("total_fee", "80.00"),
        ("total_fee", "-8000"),
        ("total_fee", "+8000"),
        ("total_fee", "99999999999999999999"),
        ("cash_fee", "7e3"),
        ("time_end", "2018-11-30 08:59:58"),
        ("time_end", "20181330085958"),
        ("time_end", "201811300859581"),
    ] {
        let answer = said(&Vec::from_iter(with(paid(), &[(name, value)])));
        let outcome = hub().read_order(&order_key(&trade_no()), &answer, now());
        assert_eq!(word(&outcome), "unknown", "{name}={value}");
    }
}

#[track_caller]
fn check_coupon(more: &[(&str, &str)], coupon: i64) {
    let answer = said(&Vec::from_iter(with(paid(), more)));
    let outcome = hub().read_order(&order_key(&trade_no()), &answer, now());
    let Outcome::Accepted(OrderStanding::Paid(fact)) = outcome else { panic!("{outcome:?}") };
    assert_eq!((fact.amount, fact.coupon), (Fen::new(8000), Fen::new(coupon)));
    assert_eq!(fact.paid_at.to_string(), "2018-11-30T00:59:58Z");
    assert_eq!(fact.stated.currency.as_deref(), Some("CNY"));
}

#[test]
fn t24_a_coupon_is_part_of_the_order_s_amount() {
    check_coupon(&[], 100);
    check_coupon(&[("coupon_fee", ""), ("coupon_count", ""), ("coupon_fee_0", "")], 100);
    check_coupon(&[("cash_fee", "8000"), ("settlement_total_fee", "")], 0);
    check_coupon(&[("cash_fee", "0"), ("coupon_fee", "8000")], 8000);
    // Coupons that count into the settlement do not change what was paid.
    check_coupon(&[("settlement_total_fee", "8000")], 100);
    // Where it does not say what the payer gave, or says it in another currency.
    check_coupon(&[("cash_fee", "")], 100);
    check_coupon(&[("cash_fee", "1200"), ("cash_fee_type", "USD")], 100);
    check_coupon(&[("cash_fee", ""), ("coupon_fee", "9000")], 0);
    check_coupon(&[("cash_fee", "9000")], 0);
}

#[test]
fn the_counter_is_paid_at_once_or_waits() {
    let answer =
        said(&Vec::from_iter(with(paid(), &[("trade_state", ""), ("trade_type", "MICROPAY")])));
    check_placed(Product::Codepay, &answer, "paid");
    let other = said(&Vec::from_iter(with(paid(), &[("out_trade_no", "P0")])));
    check_placed(Product::Codepay, &other, "unknown");
    let lacking = said(&Vec::from_iter(with(paid(), &[("transaction_id", "")])));
    check_placed(Product::Codepay, &lacking, "unknown");
    let unproved = written(&with(done(), &[("result_code", "FAIL"), ("err_code", "USERPAYING")]));
    check_placed(Product::Codepay, &super::answer(unproved), "unknown");
}

#[test]
fn a_close_is_told_by_its_answer() {
    let native = Product::Native;
    check_closed(native, &said(&[]), "closed");
    check_closed(native, &failed("ORDERPAID"), "paid");
    check_closed(native, &failed("ORDERNOTEXIST"), "not there");
    check_closed(native, &failed("ORDERCLOSED"), "refused already_closed");
    check_closed(native, &failed("SYSTEMERROR"), "unknown");
    check_closed(native, &answer(written(&done())), "unknown");
}

#[test]
fn what_the_counter_takes_back_is_taken_back_until_it_is() {
    let counter = Product::Codepay;
    check_closed(counter, &said(&[("recall", "N")]), "closed");
    check_closed(counter, &said(&[("recall", "Y")]), "unknown");
    check_closed(counter, &said(&[]), "unknown");
    let again: Pairs<'_> =
        with(done(), &[("result_code", "FAIL"), ("err_code", "REVERSE_EXPIRE"), ("recall", "Y")]);
    check_closed(counter, &said(&Vec::from_iter(again.clone())), "unknown");
    let over = with(again, &[("recall", "N")]);
    check_closed(counter, &said(&Vec::from_iter(over)), "refused not_allowed");
    check_closed(counter, &failed("SYSTEMERROR"), "unknown");
    check_closed(counter, &failed("USERPAYING"), "unknown");
    check_closed(counter, &failed("ORDERNOTEXIST"), "not there");
}

proptest! {
    #[test]
    fn an_answer_is_proved_in_whatever_order_its_fields_come(
        more in proptest::collection::btree_map("[a-z]{3,12}_[$0-9]", "[ -~甲-龥😀<>&]{0,12}", 0..12),
        turn in 0_usize..20,
        md5 in any::<bool>(),
    ) {
        let sign_type = BOTH[usize::from(!md5)];
        let more: Vec<(&str, &str)> = more.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        let mut fields = paid();
        fields.extend(more.iter().copied());
        let signature = super::signature(sign_type, &fields);
        fields.insert("sign", &signature);
        let mut order: Vec<_> = fields.into_iter().collect();
        let turn = turn.min(order.len());
        order.rotate_left(turn);
        let field = |(k, v): &(&str, &str)| {
            format!("<{k}><![CDATA[{}]]></{k}>", v.replace("]]>", "]]]]><![CDATA[>"))
        };
        let body: String = order.iter().map(field).collect();
        let hub = hub_of(sign_type);
        let key = trade_no();
        let outcome = hub.read_order(&order_key(&key), &answer(format!("<xml>{body}</xml>")), now());
        prop_assert_eq!(word(&outcome), "accepted");
    }
}
