//! What the backend sends in a step of the plan.

use payhub::demo::{ALIPAY, WECHAT};
use serde_json::{Value, json};

use super::backend::{Ask, Kind, Known};
use super::live::Run;
use super::plan::{Deed, Number, Step, Wallet};

impl Run<'_> {
    /// What the backend sends in a step.
    pub(super) fn asks(&mut self, step: &Step) -> Vec<Ask> {
        let Some(case) = step.case else { return Vec::new() };
        let key = |name: &str| format!("{case}-{name}-{}", step.at.as_second());
        let at_second = step.at_second;
        let ask = |kind, path: String, body: Value, name: &str| Ask {
            kind,
            path,
            body,
            key: key(name),
            at_second,
        };
        match &step.deed {
            Deed::Issue(items) => items
                .iter()
                .enumerate()
                .map(|(index, item)| {
                    self.phones += 1;
                    let body = fee_body(case, item, self.phones);
                    ask(Kind::Fee, "/v1/fees".to_owned(), body, &format!("fee{index}"))
                })
                .collect(),
            Deed::Order { wallet, expires_in_s } => {
                let fees = self.case(step).map(|known| known.fees.clone()).unwrap_or_default();
                if fees.is_empty() {
                    return Vec::new();
                }
                let body = order_body(*wallet, *expires_in_s, &fees);
                vec![ask(Kind::Order, "/v1/orders".to_owned(), body, "order")]
            }
            Deed::Close(which) => {
                let Some(order) = self.chosen(step, *which).map(|it| it.id.clone()) else {
                    return Vec::new();
                };
                let path = format!("/v1/orders/{order}/close");
                vec![ask(Kind::Close { order }, path, json!({}), "close")]
            }
            Deed::Refund { which, permille, number } => {
                let Some(known) = self.chosen(step, *which).cloned() else { return Vec::new() };
                let path = format!("/v1/orders/{}/refunds", known.id);
                let amount_fen = (known.amount_fen * permille / 1000).max(1);
                let amount_fen = if *permille > 1000 { known.amount_fen + 1 } else { amount_fen };
                let mut body = json!({"amount_fen": amount_fen, "reason": "申请人撤回申请"});
                if let Number::Own(n) = number {
                    body["out_refund_no"] = json!(format!("B{}_{case}_{n}", self.plan.seed));
                }
                vec![ask(Kind::Refund { order: known.id }, path, body, "refund")]
            }
            Deed::Void => {
                let fee = self.case(step).and_then(|known| known.fees.first());
                let Some(fee) = fee.map(|fee| fee.id.clone()) else { return Vec::new() };
                let path = format!("/v1/fees/{fee}/void");
                vec![ask(Kind::Void { fee }, path, json!({}), "void")]
            }
            Deed::Repeat => {
                let last = self.case(step).and_then(|known| known.last.as_ref());
                last.map(|(ask, _)| ask.clone()).into_iter().collect()
            }
            Deed::Scan(_)
            | Deed::Pay(..)
            | Deed::Decide { .. }
            | Deed::Look
            | Deed::RefundByHand { .. }
            | Deed::Wait(_)
            | Deed::Storm(_)
            | Deed::Calm
            | Deed::BackendAnswers(_)
            | Deed::KeyChanges { .. } => Vec::new(),
        }
    }
}

fn fee_body(case: usize, item: &str, phone: u32) -> Value {
    let mut row = json!({"code": item, "quantity": 1});
    if item.starts_with("REG.") {
        row["registration_type"] = json!("transfer");
    }
    json!({
        "case_no": format!("2018{case:08}"),
        "items": [row],
        "payer": {"name": "张三", "phone": format!("138{phone:08}")},
    })
}

fn order_body(wallet: Wallet, expires_in_s: i64, fees: &[Known]) -> Value {
    let fees: Vec<&str> =
        fees.iter().filter(|fee| fee.amount_fen > 0).map(|fee| fee.id.as_str()).collect();
    let merchant = if wallet.is_wechat() { WECHAT } else { ALIPAY };
    let mut body = json!({
        "merchant_id": merchant, "product": wallet.product(), "fee_ids": fees,
        "expires_in_s": expires_in_s,
    });
    match wallet {
        Wallet::Jsapi => body["payer"] = json!({"openid": "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"}),
        Wallet::Create => body["payer"] = json!({"buyer_id": "2088102146225135"}),
        Wallet::Native | Wallet::App | Wallet::Precreate => {}
    }
    body
}
