//! A row's refunds, notices and bills.

use adapters::provider::{
    BillAnswer, BillKind, BillTicket, NewRefund, Notice, NoticeError, OpenedNotice, RefundKey,
};
use adapters::wire::{Headers, Outcome};
use domain::Fen;
use domain::bill::Direction;
use domain::fact::{PaymentFact, RefundFact};
use domain::ids::OutRefundNo;

use super::case::{AMOUNT, Case, NO, URL};

/// A refund's number, for ever: the count is its last digit.
pub(super) fn refund_no(count: u32) -> OutRefundNo {
    format!("R20261120ABCDEF000{count}").parse().unwrap()
}

/// A callback as the provider posts it.
#[derive(Clone)]
pub(super) struct Posted {
    pub(super) headers: Headers,
    pub(super) body: Vec<u8>,
}

impl Case {
    pub(super) fn new_refund<'a>(
        &self,
        payment: &'a PaymentFact,
        number: &'a OutRefundNo,
        fen: i64,
    ) -> NewRefund<'a> {
        NewRefund {
            out_trade_no: &payment.out_trade_no,
            provider_trade_no: &payment.provider_trade_no,
            out_refund_no: number,
            amount: Fen::new(fen),
            total: AMOUNT,
            reason: "重复缴费",
            notify_url: URL,
            paid_at: payment.paid_at,
            now: self.now(),
            earlier: 0,
        }
    }

    pub(super) fn refund(
        &self,
        payment: &PaymentFact,
        count: u32,
        fen: i64,
    ) -> Outcome<RefundFact> {
        let number = refund_no(count);
        let (out_trade_no, amount) = (&payment.out_trade_no, Fen::new(fen));
        let key = RefundKey { out_trade_no, out_refund_no: &number, amount };
        let call = self.hub.refund(&self.new_refund(payment, &number, fen)).unwrap();
        self.told(&call, |answer| self.hub.read_refunded(&key, answer, self.now()))
    }

    pub(super) fn query_refund(&self, count: u32, fen: i64) -> Outcome<Option<RefundFact>> {
        let (out_trade_no, number) = (NO.parse().unwrap(), refund_no(count));
        let key = RefundKey {
            out_trade_no: &out_trade_no,
            out_refund_no: &number,
            amount: Fen::new(fen),
        };
        let call = self.hub.query_refund(&key);
        self.told(&call, |answer| self.hub.read_refund(&key, answer, self.now()))
    }

    /// Every fen that moved, by time.
    pub(super) fn moves(&self) -> Vec<(Direction, Fen)> {
        let moves = self.engine.state().moves;
        moves.iter().map(|one| (one.direction, one.amount_fen)).collect()
    }

    /// The newest callback about the order; `None`: nothing calls back.
    pub(super) fn posted(&self) -> Option<Posted> {
        let sealed = self.engine.sealed_callback(NO)?;
        let headers = sealed.headers.into_iter().map(|(name, value)| (name.to_owned(), value));
        Some(Posted { headers: Headers(headers.collect()), body: sealed.body })
    }

    pub(super) fn opened(&self, posted: &Posted) -> Result<OpenedNotice, NoticeError> {
        let (headers, body) = (&posted.headers, posted.body.as_slice());
        self.hub.open_notice(&Notice { headers, body, received_at: self.now() })
    }

    pub(super) fn ask_bill(&self) -> Outcome<BillAnswer> {
        let call = self.hub.ask_bill(BillKind::Trade, "2026-11-20".parse().unwrap()).unwrap();
        self.told(&call, |answer| self.hub.read_bill_ticket(answer, self.now()))
    }

    fn fetch(&self, ticket: &BillTicket) -> Outcome<Vec<u8>> {
        let call = self.hub.fetch_bill(ticket);
        self.told(&call, |answer| self.hub.read_bill_file(ticket, answer))
    }

    /// The bill's bytes, wherever they come.
    pub(super) fn bill(&self) -> Outcome<Vec<u8>> {
        match self.ask_bill() {
            Outcome::Accepted(BillAnswer::Here(bytes)) => Outcome::Accepted(bytes),
            Outcome::Accepted(BillAnswer::Ready(ticket)) => self.fetch(&ticket),
            Outcome::Accepted(other) => panic!("no bill: {other:?}"),
            Outcome::Refused(refusal) => Outcome::Refused(refusal),
            Outcome::Unknown(why) => Outcome::Unknown(why),
        }
    }
}
