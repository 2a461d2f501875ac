//! Every call, signature and certificate beside those of the Python package.

use domain::ids::{OutTradeNo, ProviderTradeNo};
use domain::money::Fen;
use domain::personal::Personal;
use jiff::Timestamp;
use jiff::civil::date;
use serde_json::{Value, json};

use super::{NOTIFY_URL, partner, signed};
use crate::keys::open_oaep_sha1;
use crate::provider::{
    AccountKind, BillKind, CombinedKey, CombinedPayments as _, FundAccount, Learned, NewCombined,
    NewPart, OrderKey, PartKey, Pay, PaymentProvider as _, Placed, Product, Redirect,
    RenewedKeys as _,
};
use crate::testing::{CHANCE, NOW, fixture, new_order, new_refund, now, order_key, refund_key};
use crate::testing::{headers, refund_no, stamp, trade_no, vectors, wechat, wechat_config};
use crate::wechat::Wechat;
use crate::wire::{Answer, Call, Outcome};

const WHOLE: &str = "C0187A5C3E4D7F3A9B2C1D0E4F5A6B7C";
const PARTS: [(&str, &str, i64); 2] = [
    ("1900000109", "P0187A5C3E4D7F3A9B2C1D0E4F5A6B01", 8000),
    ("1900000110", "P0187A5C3E4D7F3A9B2C1D0E4F5A6B02", 150_000),
];

fn place(hub: &Wechat, product: Product) -> Call {
    let (number, payer) = (trade_no(), Personal::new("oUpF8"));
    let mut order = new_order(product, &number, NOTIFY_URL);
    (order.payer, order.client_ip) = (Some(&payer), Some("14.23.150.211"));
    hub.place(&order).unwrap()
}

fn combined(hub: &Wechat, close: bool) -> Call {
    let (whole, payer): (OutTradeNo, _) = (WHOLE.parse().unwrap(), Personal::new("oUpF8"));
    let numbers = PARTS.map(|(_, number, _)| number.parse::<OutTradeNo>().unwrap());
    let both = || PARTS.iter().zip(&numbers);
    if close {
        let parts: Vec<_> =
            both().map(|((payee, ..), out_trade_no)| PartKey { payee, out_trade_no }).collect();
        return hub.close_combined(&CombinedKey { out_trade_no: &whole, parts: &parts });
    }
    let parts: Vec<_> = both()
        .map(|((payee, _, fen), out_trade_no)| NewPart {
            payee,
            out_trade_no,
            amount: Fen::new(*fen),
            subject: "不动产登记",
        })
        .collect();
    let order = NewCombined {
        product: Product::Jsapi,
        out_trade_no: &whole,
        parts: &parts,
        expires_at: Timestamp::from_second(NOW + 7200).unwrap(),
        notify_url: NOTIFY_URL,
        return_url: None,
        payer: Some(&payer),
        client_ip: None,
        now: now(),
    };
    hub.place_combined(&order).unwrap()
}

/// The call of that name in the vectors.
fn call(hub: &Wechat, name: &str) -> Call {
    let (order, number) = (trade_no(), refund_no());
    let payment: ProviderTradeNo = "4200000001201811300000000001".parse().unwrap();
    let bill = |bill| hub.ask_bill(bill, date(2018, 11, 29)).unwrap();
    match name {
        "query" => hub.query_order(&order_key(&order)),
        "query_id" => {
            hub.query_order(&OrderKey { out_trade_no: &order, provider_trade_no: Some(&payment) })
        }
        "close" => hub.close_order(&order, Product::Native),
        "refund" => hub.refund(&new_refund(&order, &payment, &number, NOTIFY_URL)).unwrap(),
        "refund_query" => hub.query_refund(&refund_key(&order, &number)),
        "redirect" => hub
            .redirect_refund(&Redirect {
                provider_refund_no: &"503000".parse().unwrap(),
                out_refund_no: &number,
                to: AccountKind::MerchantAccount,
                bank: None,
                card: None,
                holder: None,
                now: crate::testing::now(),
                chance: &CHANCE,
            })
            .unwrap(),
        "bill_ALL" => bill(BillKind::Trade),
        "bill_SUCCESS" => bill(BillKind::Payments),
        "bill_REFUND" => bill(BillKind::Refunds),
        "bill_BASIC" => bill(BillKind::FundFlow(FundAccount::Basic)),
        "bill_OPERATION" => bill(BillKind::FundFlow(FundAccount::Operation)),
        "bill_FEES" => bill(BillKind::FundFlow(FundAccount::Fees)),
        "combined" => combined(hub, false),
        "combined_close" => combined(hub, true),
        "combined_query" => hub.query_combined(&WHOLE.parse().unwrap()),
        product => place(hub, product.parse().unwrap()),
    }
}

#[test]
fn every_call_is_the_one_that_the_python_package_builds() {
    let partner = partner(None);
    let all = vectors("wechat_products.json");
    for vector in all["calls"].as_array().unwrap() {
        let name = vector["name"].as_str().unwrap();
        let call = match name.strip_prefix("partner_") {
            Some(name) => call(&partner, name),
            None => call(wechat(), name),
        };
        assert_eq!(call.target, vector["path"], "{name}");
        assert_eq!(call.method.as_str(), vector["method"], "{name}");
        let body = serde_json::from_str(&call.body).unwrap_or(Value::Null);
        assert_eq!(body, vector["body"], "{name}");
    }
}

#[test]
fn the_payer_s_parameters_have_the_signatures_of_the_python_package() {
    let signatures = &vectors("wechat_products.json")["signatures"];
    let given = json!({"prepay_id": "wx201410272009395522657a690389285100"});
    let params = |product| {
        let call = place(wechat(), product);
        let outcome = wechat().read_placed(&call, &signed(200, &given), &stamp());
        let Outcome::Accepted(Placed::Offered(Pay::Jsapi { params } | Pay::App { params })) =
            outcome
        else {
            panic!("nothing is offered")
        };
        params
    };
    assert_eq!(params(Product::Jsapi)["paySign"], signatures["jsapi"]);
    assert_eq!(params(Product::App)["sign"], signatures["app"]);
}

#[test]
fn certificates_and_sealed_fields_of_the_python_package_are_read() {
    let all = vectors("wechat_products.json");
    let vector = &all["certificates"];
    let pairs: Vec<(&str, &str)> = vector["headers"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str().unwrap()))
        .collect();
    let body = vector["body"].as_str().unwrap().as_bytes().to_vec();
    let answer = Answer { status: 200, headers: headers(&pairs), body };
    let mut config = wechat_config("https://api.mch.weixin.qq.com");
    config.public_key = None;
    let hub = Wechat::new(config).unwrap();
    assert_eq!(hub.learn_keys(&answer, now()), Outcome::Accepted(Learned::New(1)));
    let key = fixture("keys/wechatpay_platform.pem");
    let opened = open_oaep_sha1(&key, all["sealed_name"].as_str().unwrap()).unwrap();
    assert_eq!(opened, "张三".as_bytes());
}
