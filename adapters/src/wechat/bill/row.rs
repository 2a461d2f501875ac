//! One line of a trade bill, from WeChat's words into the hub's.

use domain::bill::{BillRow, BillState, Direction};
use domain::money::Fen;

use crate::bill::BillError;
use crate::bill::decimal::{self, Decimal};
use crate::bill::table::{Column, Header, Row};

/// Every column that WeChat is known to write, over the years and variants.
pub(super) const KNOWN: &[&str] = &[
    "交易时间",
    "公众账号ID",
    "商户号",
    "特约商户号",
    "子商户号",
    "设备号",
    "微信订单号",
    "商户订单号",
    "用户标识",
    "交易类型",
    "交易状态",
    "付款银行",
    "货币种类",
    "应结订单金额",
    "总金额",
    "代金券金额",
    "代金券或立减优惠金额",
    "企业红包金额",
    "退款申请时间",
    "退款成功时间",
    "微信退款单号",
    "商户退款单号",
    "退款金额",
    "充值券退款金额",
    "代金券或立减优惠退款金额",
    "企业红包退款金额",
    "退款类型",
    "退款状态",
    "商品名称",
    "商户数据包",
    "手续费",
    "费率",
    "订单金额",
    "申请退款金额",
    "费率备注",
];

/// The money columns, in the order of [`super::footer::Sums`].
pub(super) type Amounts = [Decimal; 6];

/// Where the columns are that mean something to the hub.
pub(super) struct Columns {
    traded_at: Column,
    pub(super) asked_at: Option<Column>,
    provider_trade_no: Column,
    out_trade_no: Column,
    state: Column,
    provider_refund_no: Option<Column>,
    pub(super) out_refund_no: Option<Column>,
    refund_state: Option<Column>,
    /// 应结订单金额, 退款金额, 充值券退款金额, 手续费, 订单金额, 申请退款金额.
    pub(super) money: [Option<Column>; 6],
    rate: Option<Column>,
    currency: Option<Column>,
    gross: Column,
    refund: Option<Column>,
}

impl Columns {
    pub(super) fn find(line: u64, header: &Header) -> Result<Self, BillError> {
        let settled = header.find("应结订单金额").or(header.find("总金额"));
        let coupon = header.find("充值券退款金额").or(header.find("代金券或立减优惠退款金额"));
        let (refunded, asked) = (header.find("退款金额"), header.find("申请退款金额"));
        let gross = match header.find("订单金额").or(settled) {
            Some(gross) => gross,
            None => header.need(line, "订单金额")?,
        };
        let out_refund_no = header.find("商户退款单号");
        if out_refund_no.is_some() && asked.or(refunded).is_none() {
            header.need(line, "申请退款金额")?;
        }
        if out_refund_no.is_some() {
            header.need(line, "退款状态")?;
        }
        Ok(Self {
            traded_at: header.need(line, "交易时间")?,
            asked_at: header.find("退款申请时间"),
            provider_trade_no: header.need(line, "微信订单号")?,
            out_trade_no: header.need(line, "商户订单号")?,
            state: header.need(line, "交易状态")?,
            provider_refund_no: header.find("微信退款单号"),
            out_refund_no,
            refund_state: header.find("退款状态"),
            money: [
                settled,
                refunded,
                coupon,
                header.find("手续费"),
                header.find("订单金额"),
                asked,
            ],
            rate: header.find("费率"),
            currency: header.find("货币种类"),
            gross,
            refund: asked.or(refunded),
        })
    }

    /// Every money column, for the footer.
    pub(super) fn amounts(&self, row: &Row<'_, '_>) -> Result<Amounts, BillError> {
        let mut amounts = Amounts::default();
        for (amount, column) in amounts.iter_mut().zip(self.money) {
            *amount = row.number(column)?;
        }
        Ok(amounts)
    }

    /// The row in the hub's words.
    pub(super) fn read<'a>(&self, row: &Row<'_, 'a>) -> Result<BillRow<'a>, BillError> {
        let word = row.text(Some(self.state));
        let (direction, state) = match word {
            "SUCCESS" => (Direction::Payment, BillState::Succeeded),
            "REFUND" => (Direction::Refund, self.refund_state(row)?),
            // A payment at the counter that was taken back: with a refund number it is the way
            // back, without one the payment itself.
            "REVOKED" if self.is_refund(row) => (Direction::Refund, BillState::Succeeded),
            "REVOKED" => (Direction::Payment, BillState::Failed),
            _ => {
                let fault = format!("{word:?} is not SUCCESS, REFUND or REVOKED");
                return Err(BillError::field(row.line, self.state.name, fault));
            }
        };
        row.in_yuan(self.currency)?;
        let (amount, settled, out_refund_no) = match direction {
            Direction::Payment => (row.fen(self.gross)?, self.settled(row)?, ""),
            Direction::Refund => {
                let column = self.refund.unwrap_or(self.gross);
                (row.fen(column)?, self.refunded(row)?, given(row.id(self.out_refund_no)?))
            }
        };
        if amount < Fen::ZERO {
            let column =
                if direction == Direction::Payment { Some(self.gross) } else { self.refund };
            let name = column.map_or("金额", |column| column.name);
            return Err(BillError::field(row.line, name, "an amount here is never negative"));
        }
        let at = match direction {
            Direction::Refund => self.asked_at.unwrap_or(self.traded_at),
            Direction::Payment => self.traded_at,
        };
        let provider_refund_no = match direction {
            Direction::Payment => "",
            Direction::Refund => given(row.id(self.provider_refund_no)?),
        };
        Ok(BillRow {
            line: row.line,
            direction,
            out_trade_no: given(row.id(Some(self.out_trade_no))?),
            out_refund_no,
            provider_trade_no: given(row.id(Some(self.provider_trade_no))?),
            provider_refund_no,
            amount,
            settled,
            state,
            occurred_at: row.time(at)?,
            fee: self.fee(row)?,
            rate: self.rate(row)?,
        })
    }

    fn is_refund(&self, row: &Row<'_, '_>) -> bool {
        !given(row.text(self.provider_refund_no)).is_empty()
            || !given(row.text(self.out_refund_no)).is_empty()
    }

    fn settled(&self, row: &Row<'_, '_>) -> Result<Option<Fen>, BillError> {
        let [settled, ..] = self.money;
        settled.map(|column| row.fen(column)).transpose()
    }

    fn refunded(&self, row: &Row<'_, '_>) -> Result<Option<Fen>, BillError> {
        let [_, refunded, ..] = self.money;
        refunded.map(|column| row.fen(column)).transpose()
    }

    /// 退款状态, a snapshot of the moment when the file was made.
    fn refund_state(&self, row: &Row<'_, '_>) -> Result<BillState, BillError> {
        match row.text(self.refund_state) {
            "SUCCESS" => Ok(BillState::Succeeded),
            "PROCESSING" => Ok(BillState::Processing),
            // CHANGE: the payer's account refused the money, which did not arrive.
            "FAIL" | "CHANGE" => Ok(BillState::Failed),
            other => {
                let fault = format!("{other:?} is not SUCCESS, PROCESSING, FAIL or CHANGE");
                Err(BillError::field(row.line, "退款状态", fault))
            }
        }
    }

    /// 手续费: positive on payments, negative on refunds, five decimals; rounded to the fen.
    fn fee(&self, row: &Row<'_, '_>) -> Result<Option<Fen>, BillError> {
        let [_, _, _, fee, ..] = self.money;
        if row.text(fee).is_empty() {
            return Ok(None);
        }
        row.number(fee).map(Decimal::fen_half_up)
    }

    fn rate(&self, row: &Row<'_, '_>) -> Result<Option<domain::bill::RatePpm>, BillError> {
        let text = row.text(self.rate);
        if text.is_empty() {
            return Ok(None);
        }
        decimal::rate(text).map(Some).ok_or_else(|| {
            BillError::field(row.line, "费率", format!("{text:?} is not a rate like 0.60%"))
        })
    }
}

/// WeChat writes `0` where there is no number.
fn given(text: &str) -> &str {
    if text == "0" { "" } else { text }
}
