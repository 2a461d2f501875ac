//! One line of a trade bill, from Alipay's words into the hub's.

use domain::bill::{BillRow, BillState, Direction};
use domain::money::Fen;

use crate::bill::BillError;
use crate::bill::decimal::Decimal;
use crate::bill::table::{Column, Header, Row};

/// Every column that Alipay is known to write.
pub(super) const KNOWN: &[&str] = &[
    "支付宝交易号",
    "商户订单号",
    "业务类型",
    "商品名称",
    "创建时间",
    "完成时间",
    "门店编号",
    "门店名称",
    "操作员",
    "终端号",
    "对方账户",
    "订单金额（元）",
    "商家实收（元）",
    "支付宝红包（元）",
    "集分宝（元）",
    "支付宝优惠（元）",
    "商家优惠（元）",
    "券核销金额（元）",
    "券名称",
    "商家红包消费金额（元）",
    "卡消费金额（元）",
    "退款批次号/请求号",
    "服务费（元）",
    "分润（元）",
    "备注",
    "币种",
];

/// Where the columns are that mean something to the hub.
pub(super) struct Columns {
    provider_trade_no: Column,
    out_trade_no: Column,
    kind: Column,
    created_at: Option<Column>,
    finished_at: Column,
    amount: Column,
    received: Option<Column>,
    discount: Option<Column>,
    out_refund_no: Column,
    fee: Option<Column>,
    currency: Option<Column>,
}

impl Columns {
    pub(super) fn find(line: u64, header: &Header) -> Result<Self, BillError> {
        Ok(Self {
            provider_trade_no: header.need(line, "支付宝交易号")?,
            out_trade_no: header.need(line, "商户订单号")?,
            kind: header.need(line, "业务类型")?,
            created_at: header.find("创建时间"),
            finished_at: header.need(line, "完成时间")?,
            amount: header.need(line, "订单金额（元）")?,
            received: header.find("商家实收（元）"),
            discount: header.find("商家优惠（元）"),
            out_refund_no: header.need(line, "退款批次号/请求号")?,
            fee: header.find("服务费（元）"),
            currency: header.find("币种"),
        })
    }

    /// 商家实收, with its sign.
    pub(super) fn received(&self, row: &Row<'_, '_>) -> Result<Decimal, BillError> {
        row.number(self.received)
    }

    /// 商家优惠, with its sign.
    pub(super) fn discount(&self, row: &Row<'_, '_>) -> Result<Decimal, BillError> {
        row.number(self.discount)
    }

    /// The row in the hub's words.
    pub(super) fn read<'a>(&self, row: &Row<'_, 'a>) -> Result<BillRow<'a>, BillError> {
        let direction = match row.text(Some(self.kind)) {
            "交易" => Direction::Payment,
            "退款" => Direction::Refund,
            other => {
                let fault = format!("{other:?} is neither 交易 nor 退款");
                return Err(BillError::field(row.line, self.kind.name, fault));
            }
        };
        row.in_yuan(self.currency)?;
        let is_refund = direction == Direction::Refund;
        Ok(BillRow {
            line: row.line,
            direction,
            out_trade_no: row.id(Some(self.out_trade_no))?,
            out_refund_no: if is_refund { row.id(Some(self.out_refund_no))? } else { "" },
            provider_trade_no: row.id(Some(self.provider_trade_no))?,
            provider_refund_no: "",
            amount: self.positive(row, direction, self.amount)?,
            settled: self.settled(row, direction)?,
            state: BillState::Succeeded,
            occurred_at: row.time(self.at(row))?,
            fee: self.fee(row, direction)?,
            rate: None,
        })
    }

    /// A refund has the creation time of its payment, so the time of completion counts.
    fn at(&self, row: &Row<'_, '_>) -> Column {
        match self.created_at {
            Some(created) if row.text(Some(self.finished_at)).is_empty() => created,
            _ => self.finished_at,
        }
    }

    fn settled(&self, row: &Row<'_, '_>, way: Direction) -> Result<Option<Fen>, BillError> {
        match self.received {
            Some(column) if !row.text(self.received).is_empty() => {
                self.positive(row, way, column).map(Some)
            }
            _ => Ok(None),
        }
    }

    /// An amount without its sign, which must be that of its direction: refunds are negative.
    fn positive(
        &self,
        row: &Row<'_, '_>,
        direction: Direction,
        column: Column,
    ) -> Result<Fen, BillError> {
        let amount = row.fen(column)?;
        let fits = match direction {
            Direction::Payment => amount >= Fen::ZERO,
            Direction::Refund => amount <= Fen::ZERO,
        };
        if !fits {
            let fault = format!("{} has the wrong sign for its 业务类型", amount.yuan());
            return Err(BillError::field(row.line, column.name, fault));
        }
        amount
            .magnitude()
            .ok_or_else(|| BillError::field(row.line, column.name, "it is out of range"))
    }

    /// 服务费, as charged (positive) or given back (negative). Its sign in the file is not
    /// documented and was seen both ways; but a payment is only ever charged and a refund only
    /// ever gives back, so the direction decides.
    fn fee(&self, row: &Row<'_, '_>, direction: Direction) -> Result<Option<Fen>, BillError> {
        let Some(column) = self.fee else { return Ok(None) };
        if row.text(self.fee).is_empty() {
            return Ok(None);
        }
        let charged = row.number(self.fee)?.magnitude().fen_half_up();
        let fee = match direction {
            Direction::Payment => charged,
            Direction::Refund => charged.and_then(Fen::negated),
        };
        fee.map(Some).ok_or_else(|| BillError::field(row.line, column.name, "it is out of range"))
    }
}
