//! The rows of the page's tables: what the sandbox knows, in a person's words.

use domain::time::{beijing, rfc3339};
use jiff::Timestamp;

use crate::delivery::DeliveryState;
use crate::engine::{CallbackView, OrderView, RefundView, SmsView};
use crate::faults::{Operation, Rule};
use crate::keys::Keys;
use crate::verdict::{Proof, Verdict};

/// A request and its verdict.
pub(super) struct RequestRow {
    pub(super) at: String,
    pub(super) provider: &'static str,
    pub(super) method: String,
    pub(super) target: String,
    pub(super) call: String,
    pub(super) status: String,
    pub(super) status_class: &'static str,
    pub(super) proof: &'static str,
    pub(super) proof_class: &'static str,
    pub(super) deviations: Vec<String>,
}

impl RequestRow {
    pub(super) fn of(verdict: &Verdict) -> Self {
        let (proof, proof_class) = match verdict.signature {
            Proof::Ok => ("成立", "good"),
            Proof::Bad => ("不成立", "bad"),
            Proof::Missing => ("没有", "bad"),
            Proof::NotNeeded => ("无需", ""),
        };
        Self {
            at: clock(verdict.at),
            provider: match verdict.provider {
                "wechat" => "微信支付",
                "wechat-v2" => "微信支付 v2",
                "alipay" => "支付宝",
                "aliyun-sms" => "阿里云短信",
                other => other,
            },
            method: verdict.method.clone(),
            target: verdict.target.clone(),
            call: verdict.call.clone().unwrap_or_default(),
            status: match verdict.status {
                0 => "断开".to_owned(),
                status => status.to_string(),
            },
            status_class: match verdict.status {
                200..=299 => "good",
                400..=499 => "odd",
                _ => "bad",
            },
            proof,
            proof_class,
            deviations: verdict.deviations.clone(),
        }
    }
}

/// An order and what may be done with it.
pub(super) struct OrderRow {
    pub(super) at: String,
    pub(super) provider: &'static str,
    pub(super) merchant: String,
    pub(super) out_trade_no: String,
    pub(super) combined: String,
    /// What a payer pays: the whole, where this is a part.
    pub(super) payable_no: String,
    /// Empty for a part: the whole may be another merchant's.
    pub(super) payable_merchant: String,
    pub(super) product: &'static str,
    pub(super) amount: String,
    pub(super) paid: String,
    pub(super) refunded: String,
    pub(super) state: &'static str,
    pub(super) class: &'static str,
    pub(super) subject: String,
    pub(super) is_open: bool,
    pub(super) is_paid: bool,
}

impl OrderRow {
    pub(super) fn of(order: &OrderView) -> Self {
        let (state, class) = match order.state {
            "open" => ("待支付", "odd"),
            "scanned" => ("已扫码", "odd"),
            "expired" => ("已过期", ""),
            "closed" => ("已关闭", ""),
            "paid" => ("已支付", "good"),
            other => (other, ""),
        };
        let whole = order.combined.clone();
        Self {
            at: clock(order.created_at),
            provider: order.provider.label(),
            merchant: order.merchant.clone(),
            out_trade_no: order.out_trade_no.clone(),
            payable_merchant: match whole {
                Some(_) => String::new(),
                None => order.merchant.clone(),
            },
            payable_no: whole.unwrap_or_else(|| order.out_trade_no.clone()),
            combined: order.combined.clone().unwrap_or_default(),
            product: order.product,
            amount: order.amount_fen.yuan(),
            paid: order.paid_fen.yuan(),
            refunded: order.refunded_fen.yuan(),
            state,
            class,
            subject: order.subject.clone(),
            is_open: matches!(order.state, "open" | "scanned"),
            is_paid: order.state == "paid",
        }
    }
}

/// A refund.
pub(super) struct RefundRow {
    pub(super) at: String,
    pub(super) provider: &'static str,
    pub(super) merchant: String,
    pub(super) out_trade_no: String,
    pub(super) out_refund_no: String,
    pub(super) amount: String,
    pub(super) state: &'static str,
    pub(super) class: &'static str,
}

impl RefundRow {
    pub(super) fn of(refund: &RefundView) -> Self {
        let (state, class) = match refund.state {
            "processing" => ("处理中", "odd"),
            "succeeded" => ("已到账", "good"),
            "abnormal" => ("退款异常", "bad"),
            "closed" => ("已关闭", ""),
            other => (other, ""),
        };
        Self {
            at: clock(refund.accepted_at),
            provider: refund.provider.label(),
            merchant: refund.merchant.clone(),
            out_trade_no: refund.out_trade_no.clone(),
            out_refund_no: refund.out_refund_no.clone(),
            amount: refund.amount_fen.yuan(),
            state,
            class,
        }
    }
}

/// A callback or receipt with every try.
pub(super) struct CallbackRow {
    pub(super) id: u64,
    pub(super) what: &'static str,
    pub(super) number: String,
    pub(super) url: String,
    pub(super) state: &'static str,
    pub(super) class: &'static str,
    pub(super) due: String,
    pub(super) last: String,
    pub(super) attempts: Vec<AttemptRow>,
    pub(super) can_resend: bool,
}

/// One try.
pub(super) struct AttemptRow {
    pub(super) at: String,
    pub(super) outcome: String,
}

impl CallbackRow {
    pub(super) fn of(callback: &CallbackView) -> Self {
        let (state, class) = match callback.state {
            DeliveryState::Waiting => ("待发送", "odd"),
            DeliveryState::Acknowledged => ("已确认", "good"),
            DeliveryState::GivenUp => ("已放弃", "bad"),
        };
        let number = callback.out_refund_no.as_ref().or(callback.out_trade_no.as_ref());
        Self {
            id: callback.id,
            what: match callback.operation {
                Operation::Payment => "支付通知",
                Operation::Refund => "退款通知",
                Operation::Send => "短信回执",
                Operation::Place
                | Operation::Query
                | Operation::Close
                | Operation::QueryRefund
                | Operation::Bill
                | Operation::FundBill
                | Operation::FetchBill
                | Operation::QuerySend => "",
            },
            number: number.cloned().unwrap_or_default(),
            url: callback.url.clone(),
            state,
            class,
            due: callback.due.map(clock).unwrap_or_default(),
            last: callback.attempts.last().map(|last| last.outcome.clone()).unwrap_or_default(),
            attempts: callback
                .attempts
                .iter()
                .map(|one| AttemptRow { at: clock(one.at), outcome: one.outcome.clone() })
                .collect(),
            can_resend: callback.state != DeliveryState::Waiting,
        }
    }
}

/// A text message.
pub(super) struct MessageRow {
    pub(super) at: String,
    pub(super) phone: String,
    pub(super) sign_name: String,
    pub(super) template: String,
    pub(super) parameters: String,
    pub(super) state: &'static str,
    pub(super) class: &'static str,
}

impl MessageRow {
    pub(super) fn of(message: &SmsView) -> Self {
        let (state, class) = match message.state {
            "sent" => ("已发出", "odd"),
            "delivered" => ("已送达", "good"),
            "failed" => ("未送达", "bad"),
            "lost" => ("无回执", "bad"),
            other => (other, ""),
        };
        Self {
            at: clock(message.accepted_at),
            phone: message.phone.clone(),
            sign_name: message.sign_name.clone(),
            template: message.template_code.clone(),
            parameters: message.template_param.clone(),
            state,
            class,
        }
    }
}

/// A fault in force.
pub(super) struct FaultRow {
    pub(super) id: u64,
    pub(super) rule: String,
}

impl FaultRow {
    pub(super) fn of(rule: &Rule) -> Self {
        let fault = serde_json::to_string(&rule.fault).unwrap_or_default();
        let set_at = rfc3339(rule.set_at);
        Self {
            id: rule.id, rule: format!("{fault}（{set_at} 起，已发生 {} 次）", rule.struck)
        }
    }
}

/// The key under which a merchant's provider signs now.
pub(super) struct KeyRow {
    pub(super) provider: &'static str,
    pub(super) merchant: String,
    pub(super) id: String,
    pub(super) can_overlap: bool,
}

impl KeyRow {
    pub(super) fn all(keys: &Keys) -> Vec<Self> {
        let wechat = keys.wechat.iter().map(|known| Self {
            provider: "微信支付",
            merchant: known.config.mchid.clone(),
            id: known.signer(None).map(|key| key.id.clone()).unwrap_or_default(),
            can_overlap: true,
        });
        let alipay = keys.alipay.iter().map(|known| Self {
            provider: "支付宝",
            merchant: known.config.app_id.clone(),
            id: String::new(),
            can_overlap: false,
        });
        wechat.chain(alipay).collect()
    }
}

/// The time of day in Beijing, with its date where a table spans days.
fn clock(at: Timestamp) -> String {
    beijing(at).strftime("%m-%d %H:%M:%S").to_string()
}
