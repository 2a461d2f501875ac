//! One payment to several payees: fee and tax, each with its own number and fact.

use domain::fact::{OrderStanding, ProviderFact};
use domain::ids::OutTradeNo;
use domain::money::Fen;
use domain::personal::Personal;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{NOTIFY_URL, error, partner, sealed, signed, signed_at, unsigned, with};
use crate::provider::{
    CombinedKey, CombinedPayments, NewCombined, NewPart, Notice, PartKey, Pay,
    PaymentProvider as _, Placed, Product,
};
use crate::testing::{NOW, closing, now, said, stamp, standing, wechat, word};
use crate::wechat::Wechat;
use crate::wire::{Call, Outcome};

const WHOLE: &str = "C0187A5C3E4D7F3A9B2C1D0E4F5A6B7C";
const FEE: &str = "P0187A5C3E4D7F3A9B2C1D0E4F5A6B01";
const TAX: &str = "P0187A5C3E4D7F3A9B2C1D0E4F5A6B02";

fn number(text: &str) -> OutTradeNo {
    text.parse().unwrap()
}

/// Places fee and tax as one, changed.
fn place(
    hub: &Wechat,
    product: Product,
    change: impl FnOnce(&mut NewCombined<'_>),
) -> Result<Call, &'static str> {
    let (whole, fee, tax) = (number(WHOLE), number(FEE), number(TAX));
    let payer = Personal::new("oUpF8");
    let part = |payee, out_trade_no, fen| NewPart {
        payee,
        out_trade_no,
        amount: Fen::new(fen),
        subject: "不动产登记",
    };
    let parts = [part("1900000109", &fee, 8000), part("1900000110", &tax, 150_000)];
    let mut order = NewCombined {
        product,
        out_trade_no: &whole,
        parts: &parts,
        expires_at: Timestamp::from_second(NOW + 7200).unwrap(),
        notify_url: NOTIFY_URL,
        return_url: None,
        payer: Some(&payer),
        client_ip: Some("14.23.150.211"),
        now: now(),
    };
    change(&mut order);
    hub.place_combined(&order).map_err(|error| error.field)
}

fn json_of(call: &Call) -> Value {
    serde_json::from_str(&call.body).unwrap()
}

#[test]
fn no_part_has_the_number_of_the_whole() {
    let placed = place(wechat(), Product::Native, |order| {
        order.out_trade_no = order.parts.last().unwrap().out_trade_no;
    });
    assert_eq!(placed.err(), Some("parts.out_trade_no"));
}

#[test]
fn a_browser_is_led_back_to_an_address_of_the_web_only() {
    let placed = |url| place(wechat(), Product::H5, |order| order.return_url = Some(url));
    assert_eq!(placed("javascript:alert(1)").err(), Some("return_url"));
    assert!(placed("https://pay.example.cn/paid").is_ok());
}

#[test]
fn the_parts_are_placed_as_one_payment() {
    let call = place(wechat(), Product::Jsapi, |_| ()).unwrap();
    assert_eq!(call.target, "/v3/combine-transactions/jsapi");
    let part = |mchid: &str, number: &str, fen: i64| {
        json!({
            "mchid": mchid, "attach": number, "out_trade_no": number,
            "amount": {"total_amount": fen, "currency": "CNY"}, "description": "不动产登记",
        })
    };
    let expected = json!({
        "combine_appid": "wx8888888888888888", "combine_mchid": "1900000001",
        "combine_out_trade_no": WHOLE,
        "sub_orders": [part("1900000109", FEE, 8000), part("1900000110", TAX, 150_000)],
        "combine_payer_info": {"openid": "oUpF8"},
        "time_expire": "2018-11-30T11:00:00+08:00", "notify_url": NOTIFY_URL,
    });
    assert_eq!(json_of(&call), expected);
    let native = json_of(&place(wechat(), Product::Native, |_| ()).unwrap());
    assert!(native.get("combine_payer_info").is_none() && native.get("scene_info").is_none());
    let h5 = json_of(&place(wechat(), Product::H5, |_| ()).unwrap());
    assert_eq!(h5["scene_info"]["payer_client_ip"], "14.23.150.211");
}

#[test]
fn a_service_provider_s_parts_are_its_merchants() {
    let call = place(&partner(Some("wx9")), Product::Native, |_| ()).unwrap();
    let body = json_of(&call);
    for (part, sub) in
        body["sub_orders"].as_array().unwrap().iter().zip(["1900000109", "1900000110"])
    {
        assert_eq!((&part["mchid"], &part["sub_mchid"]), (&json!("1900000001"), &json!(sub)));
    }
}

#[test]
fn a_combined_order_has_two_to_ten_parts_with_numbers_of_their_own() {
    let numbers: Vec<OutTradeNo> = (10..21).map(|n| number(&format!("P000{n}"))).collect();
    let parts: Vec<NewPart<'_>> = numbers
        .iter()
        .map(|out_trade_no| NewPart {
            payee: "1900000109",
            out_trade_no,
            amount: Fen::new(1),
            subject: "税",
        })
        .collect();
    for (count, fault) in
        [(0, Some("parts")), (1, Some("parts")), (2, None), (10, None), (11, Some("parts"))]
    {
        assert_eq!(place_parts(&parts[..count]), fault, "{count}");
    }
    let fault = |change: fn(&mut NewPart<'_>)| {
        let mut pair = [parts[0].clone(), parts[1].clone()];
        change(&mut pair[1]);
        place_parts(&pair)
    };
    assert_eq!(fault(|_| ()), None);
    assert_eq!(fault(|part| part.amount = Fen::ZERO), Some("parts.amount_fen"));
    assert_eq!(fault(|part| part.subject = ""), Some("parts.subject"));
    assert_eq!(place_parts(&[parts[0].clone(), parts[0].clone()]), Some("parts.out_trade_no"));
}

fn place_parts(parts: &[NewPart<'_>]) -> Option<&'static str> {
    let whole = number(WHOLE);
    let order = NewCombined {
        product: Product::Native,
        out_trade_no: &whole,
        parts,
        expires_at: Timestamp::from_second(NOW + 7200).unwrap(),
        notify_url: NOTIFY_URL,
        return_url: None,
        payer: None,
        client_ip: None,
        now: now(),
    };
    wechat().place_combined(&order).err().map(|error| error.field)
}

#[test]
fn what_a_product_needs_is_asked_for_here_too() {
    let hub = wechat();
    let fault = |product, change: fn(&mut NewCombined<'_>)| place(hub, product, change).err();
    assert_eq!(fault(Product::Jsapi, |order| order.payer = None), Some("payer.openid"));
    assert_eq!(fault(Product::H5, |order| order.client_ip = None), Some("payer.client_ip"));
    assert_eq!(fault(Product::Codepay, |_| ()), Some("product"));
    assert_eq!(fault(Product::Native, |order| order.expires_at = order.now), Some("expires_in_s"));
    assert_eq!(fault(Product::Native, |order| order.notify_url = "/x"), Some("notify_url"));
}

#[test]
fn the_payer_is_given_one_thing_for_all_parts() {
    let hub = wechat();
    let call = place(hub, Product::Native, |_| ()).unwrap();
    let answer = signed(200, &json!({"code_url": "weixin://a"}));
    let code_url = "weixin://a".to_owned();
    let offered = Outcome::Accepted(Placed::Offered(Pay::QrCode { code_url }));
    assert_eq!(hub.read_combined_placed(&call, &answer, &stamp()), offered);
    let used = error(403, "OUT_TRADE_NO_USED");
    assert_eq!(word(&hub.read_combined_placed(&call, &used, &stamp())), "unknown");
    let bad = error(400, "PARAM_ERROR");
    let refused = hub.read_combined_placed(&call, &bad, &stamp());
    assert_eq!(word(&refused), "refused invalid_request");
    let app = place(hub, Product::App, |_| ()).unwrap();
    let answer = signed(200, &json!({"prepay_id": "wx1"}));
    let outcome = hub.read_combined_placed(&app, &answer, &stamp());
    let Outcome::Accepted(Placed::Offered(Pay::App { params })) = outcome else { panic!("no app") };
    assert_eq!(
        (&params["appId"], &params["partnerId"]),
        (&json!("wx8888888888888888"), &json!("1900000001"))
    );
}

#[test]
fn closing_names_every_part() {
    let (whole, fee, tax) = (number(WHOLE), number(FEE), number(TAX));
    let parts = [
        PartKey { payee: "1900000109", out_trade_no: &fee },
        PartKey { payee: "1900000110", out_trade_no: &tax },
    ];
    let key = CombinedKey { out_trade_no: &whole, parts: &parts };
    let call = wechat().close_combined(&key);
    assert_eq!(call.target, format!("/v3/combine-transactions/out-trade-no/{WHOLE}/close"));
    let expected = json!({"combine_appid": "wx8888888888888888", "sub_orders": [
        {"mchid": "1900000109", "out_trade_no": FEE}, {"mchid": "1900000110", "out_trade_no": TAX},
    ]});
    assert_eq!(json_of(&call), expected);
    let sub = json_of(&partner(None).close_combined(&key))["sub_orders"][1].clone();
    let expected = json!({"mchid": "1900000001", "sub_mchid": "1900000110", "out_trade_no": TAX});
    assert_eq!(sub, expected);
    let read = |answer| said(&wechat().read_combined_closed(&answer, now()), closing);
    assert_eq!(read(signed(204, &Value::Null)), "closed");
    assert_eq!(read(error(400, "ORDER_PAID")), "paid");
    assert_eq!(read(error(404, "ORDER_NOT_EXIST")), "not there");
    assert_eq!(read(unsigned(204, "")), "unknown");
}

fn part(mchid: &str, number: &str, state: &str) -> Value {
    json!({
        "mchid": mchid, "out_trade_no": number, "trade_state": state, "trade_type": "JSAPI",
        "transaction_id": format!("42000000{}", number.trim_start_matches(char::is_alphabetic)), "attach": number,
        "success_time": "2018-11-30T08:59:58.120+08:00",
        "amount": {"total_amount": 8000, "payer_amount": 7900, "currency": "CNY"},
    })
}

/// What WeChat says of both parts, paid.
fn statement() -> Value {
    json!({
        "combine_appid": "wx8888888888888888", "combine_mchid": "1900000001",
        "combine_out_trade_no": WHOLE, "combine_payer_info": {"openid": "oUpF8"},
        "sub_orders": [part("1900000109", FEE, "SUCCESS"), part("1900000110", TAX, "SUCCESS")],
    })
}

fn opened(hub: &Wechat, statement: &Value) -> Option<Vec<ProviderFact>> {
    let body = sealed("TRANSACTION.SUCCESS", &statement.to_string());
    let headers = signed_at(NOW, &body);
    let notice = Notice { headers: &headers, body: &body, received_at: now() };
    let opened = hub.open_notice(&notice).unwrap();
    assert_eq!(hub.reread_notice(&opened.plaintext).is_ok(), opened.unreadable.is_none());
    opened.unreadable.is_none().then_some(opened.facts)
}

#[test]
fn one_notice_is_one_fact_for_each_part() {
    let facts = opened(wechat(), &statement()).unwrap();
    let payments: Vec<_> = facts
        .iter()
        .map(|fact| match fact {
            ProviderFact::Payment(payment) => payment,
            ProviderFact::Refund(_) => panic!("no refund"),
        })
        .collect();
    let told: Vec<_> = payments
        .iter()
        .map(|fact| (fact.out_trade_no.as_str(), fact.stated.payee.as_deref().unwrap()))
        .collect();
    assert_eq!(told, [(FEE, "1900000109"), (TAX, "1900000110")]);
    for fact in payments {
        assert_eq!((fact.amount, fact.coupon), (Fen::new(8000), Fen::new(100)));
        assert_eq!(fact.paid_at, "2018-11-30T00:59:58.120Z".parse::<Timestamp>().unwrap());
        assert_eq!(fact.stated.app.as_deref(), Some("wx8888888888888888"), "who combined them");
        assert_eq!(fact.stated.currency.as_deref(), Some("CNY"));
        assert!(fact.provider_trade_no.as_str().starts_with("42000000"));
    }
}

#[test]
fn t04_only_who_combined_them_believes_the_parts() {
    for change in [
        json!({"combine_mchid": "1900000009"}),
        json!({"combine_mchid": null}),
        json!({"combine_appid": "wx9"}),
        json!({"combine_appid": null}),
        json!({"sub_orders": null}),
        json!({"sub_orders": [part("1900000109", FEE, "A_NEW_STATE")]}),
    ] {
        assert_eq!(opened(wechat(), &with(statement(), &change)), None, "{change}");
    }
    for field in ["mchid", "transaction_id", "success_time", "amount", "out_trade_no"] {
        let lacking = with(part("1900000109", FEE, "SUCCESS"), &json!({ field: null }));
        let changed = with(statement(), &json!({ "sub_orders": [lacking] }));
        assert_eq!(opened(wechat(), &changed), None, "{field}");
    }
    let unpaid = with(statement(), &json!({"sub_orders": [part("1900000109", FEE, "NOTPAY")]}));
    assert_eq!(opened(wechat(), &unpaid), Some(Vec::new()));
}

#[test]
fn a_service_provider_s_parts_name_both() {
    let hub = partner(None);
    let sub = |change: &Value| {
        let part = with(part("1900000001", FEE, "SUCCESS"), &json!({"sub_mchid": "1900000109"}));
        with(statement(), &json!({ "sub_orders": [with(part, change)] }))
    };
    let facts = opened(&hub, &sub(&json!({}))).unwrap();
    let [ProviderFact::Payment(fact)] = facts.as_slice() else { panic!("no payment") };
    assert_eq!(fact.stated.payee.as_deref(), Some("1900000109"));
    assert_eq!(opened(&hub, &sub(&json!({"sub_mchid": null}))), None);
    assert_eq!(opened(&hub, &sub(&json!({"mchid": "1900000009"}))), None);
}

#[test]
fn a_query_tells_each_part() {
    let hub = wechat();
    let whole = number(WHOLE);
    assert_eq!(
        hub.query_combined(&whole).target,
        format!("/v3/combine-transactions/out-trade-no/{WHOLE}")
    );
    let read = |answer| hub.read_combined(&whole, &answer, now());
    let parts = json!({"sub_orders": [
        part("1900000109", FEE, "SUCCESS"), part("1900000110", TAX, "NOTPAY"),
    ]});
    let Outcome::Accepted(parts) = read(signed(200, &with(statement(), &parts))) else {
        panic!("not read")
    };
    let told: Vec<_> =
        parts.iter().map(|part| (part.out_trade_no.as_str(), standing(&part.standing))).collect();
    assert_eq!(told, [(FEE, "paid".to_owned()), (TAX, "unpaid".to_owned())]);
    assert!(matches!(parts[0].standing, OrderStanding::Paid(_)));
    assert_eq!(read(error(404, "ORDER_NOT_EXIST")), Outcome::Accepted(Vec::new()), "absent");
    for answer in [
        signed(200, &with(statement(), &json!({"combine_out_trade_no": "C00000"}))),
        signed(200, &with(statement(), &json!({"combine_mchid": "1900000009"}))),
        unsigned(200, &statement().to_string()),
        error(500, "SYSTEM_ERROR"),
        error(429, "FREQUENCY_LIMITED"),
    ] {
        assert_eq!(word(&read(answer)), "unknown");
    }
}
