//! The control totals of a trade bill: `交易合计：6笔，商家实收共0.06元，商家优惠共0.00元` and
//! `退款合计：4笔，商家实收退款共-0.04元，商家优惠退款共0.00元`.

use domain::bill::{BillTotals, Direction};

use crate::bill::BillError;
use crate::bill::decimal::Decimal;

/// What the rows of one direction add up to, and what the file states of them.
#[derive(Default)]
struct Side {
    rows: u64,
    received: Decimal,
    discount: Decimal,
    stated: Option<Stated>,
}

struct Stated {
    line: u64,
    rows: Decimal,
    received: Option<Decimal>,
    discount: Option<Decimal>,
}

/// Both directions.
#[derive(Default)]
pub(super) struct Footer {
    payments: Side,
    refunds: Side,
}

impl Footer {
    pub(super) fn add(&mut self, direction: Direction, received: Decimal, discount: Decimal) {
        let side = match direction {
            Direction::Payment => &mut self.payments,
            Direction::Refund => &mut self.refunds,
        };
        side.rows = side.rows.saturating_add(1);
        side.received = side.received.plus(received);
        side.discount = side.discount.plus(discount);
    }

    /// Whether a total was seen: rows may not follow.
    pub(super) fn has_begun(&self) -> bool {
        self.payments.stated.is_some() || self.refunds.stated.is_some()
    }

    /// Takes a comment line that states a total; others say nothing here.
    pub(super) fn read(&mut self, line: u64, comment: &str) -> Result<(), BillError> {
        let comment = comment.trim();
        let (side, name, numbers) = if let Some(rest) = comment.strip_prefix("交易合计") {
            (&mut self.payments, "交易合计", rest)
        } else if let Some(rest) = comment.strip_prefix("退款合计") {
            (&mut self.refunds, "退款合计", rest)
        } else {
            return Ok(());
        };
        let broken = || BillError::field(line, name, format!("{comment:?} cannot be read"));
        let mut stated = Stated { line, rows: Decimal::default(), received: None, discount: None };
        let mut parts = numbers.trim_start_matches(['：', ':']).split(['，', ',']).map(str::trim);
        let rows = parts.next().and_then(|part| part.strip_suffix('笔')).ok_or_else(broken)?;
        stated.rows = Decimal::parse(rows.trim()).ok_or_else(broken)?;
        for part in parts {
            let (what, number) = part
                .strip_suffix('元')
                .and_then(|part| part.split_once('共'))
                .ok_or_else(broken)?;
            let number = Decimal::parse(number.trim()).ok_or_else(broken)?;
            if what.starts_with("商家实收") {
                stated.received = Some(number);
            } else if what.starts_with("商家优惠") {
                stated.discount = Some(number);
            }
        }
        side.stated = Some(stated);
        Ok(())
    }

    /// Compares what is stated with the rows. Both totals must be there.
    pub(super) fn finish(&self, last: u64, totals: &mut BillTotals) -> Result<(), BillError> {
        let (Some(paid), Some(back)) = (&self.payments.stated, &self.refunds.stated) else {
            return Err(BillError::cut(last, "its footer (#交易合计, #退款合计) is missing"));
        };
        let mut check = Check { totals, fault: None };
        check.rows("payment_count", "交易合计", paid, self.payments.rows)?;
        check.money(
            "payment_received_fen",
            "商家实收",
            paid.line,
            paid.received,
            self.payments.received,
        )?;
        check.money(
            "payment_discount_fen",
            "商家优惠",
            paid.line,
            paid.discount,
            self.payments.discount,
        )?;
        check.rows("refund_count", "退款合计", back, self.refunds.rows)?;
        check.money(
            "refund_received_fen",
            "商家实收退款",
            back.line,
            back.received,
            self.refunds.received,
        )?;
        check.money(
            "refund_discount_fen",
            "商家优惠退款",
            back.line,
            back.discount,
            self.refunds.discount,
        )?;
        let fault = check.fault;
        totals.footer_ok = fault.is_none();
        totals.footer_fault = fault;
        Ok(())
    }
}

struct Check<'t> {
    totals: &'t mut BillTotals,
    fault: Option<String>,
}

impl Check<'_> {
    fn rows(
        &mut self,
        word: &str,
        name: &str,
        stated: &Stated,
        rows: u64,
    ) -> Result<(), BillError> {
        let value = stated.rows.whole().ok_or_else(|| {
            BillError::field(stated.line, name, format!("{} is no number of rows", stated.rows))
        })?;
        self.totals.footer.push((word.to_owned(), value));
        if stated.rows != Decimal::count(rows) {
            self.tell(stated.line, name, value, rows);
        }
        Ok(())
    }

    /// A refund's total was seen with and without its sign; the magnitude is what must agree.
    fn money(
        &mut self,
        word: &str,
        name: &str,
        line: u64,
        stated: Option<Decimal>,
        found: Decimal,
    ) -> Result<(), BillError> {
        let Some(stated) = stated else { return Ok(()) };
        let fen = stated
            .fen()
            .ok_or_else(|| BillError::field(line, name, format!("{stated} is no amount")))?;
        self.totals.footer.push((word.to_owned(), fen.get()));
        if stated.magnitude() != found.magnitude() {
            self.tell(line, name, stated, found);
        }
        Ok(())
    }

    fn tell(
        &mut self,
        line: u64,
        name: &str,
        stated: impl std::fmt::Display,
        found: impl std::fmt::Display,
    ) {
        if self.fault.is_none() {
            self.fault =
                Some(format!("line {line}: {name} says {stated}, the rows add up to {found}"));
        }
    }
}
