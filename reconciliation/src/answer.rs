//! What a provider says when it is asked about a difference, and what the difference is after that:
//! a report never proposes to ask what was asked and answered.

use crate::finding::{Cause, Finding, Kind};

/// How a payment or refund stands at its provider, by a query that was verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Answer {
    /// The payment was made, the refund arrived.
    Done,
    /// The refund is under way, the payer has not finished.
    UnderWay,
    /// It was not done and will not be, or the provider does not know of it.
    NotDone,
    /// It was done, and the ledger has not that much left to give back.
    NotCovered,
    /// No answer on which one could act.
    Unknown,
}

impl Cause {
    /// The cause once the provider was asked. `kind` says which side has the row: only where the
    /// ledger has it can a query prove the ledger wrong. No answer leaves everything as it was.
    #[must_use]
    pub const fn after(self, kind: Kind, answer: Answer) -> Self {
        match answer {
            Answer::Unknown => self,
            Answer::Done => self.done(),
            Answer::UnderWay => self.under_way(),
            Answer::NotDone => self.not_done(kind),
            Answer::NotCovered => Self::RefundNotCovered,
        }
    }

    const fn done(self) -> Self {
        match self {
            Self::PaymentMissingInBill | Self::RefundMissingInBill | Self::RefundUnderWay => {
                Self::BillOmits
            }
            Self::CallbackLost
            | Self::PaidAfterClose
            | Self::RefundByHand
            | Self::RefundNoticeLost
            | Self::RefundDoneAfterAll => Self::DoneNotBooked,
            // The bill says that it was taken back or refused.
            Self::PaymentRevoked | Self::RefundNotDone => Self::BillContradicted,
            Self::PaymentForeign
            | Self::SecondPayment
            | Self::NumberDiffers
            | Self::AmountUnequal
            | Self::DiscountExplains
            | Self::RefundAmountUnequal
            | Self::RefundNotCovered
            | Self::RateUnequal
            | Self::ListedTwice
            | Self::NearCut
            | Self::BillOmits
            | Self::DoneNotBooked
            | Self::ProvedUnpaid
            | Self::BillContradicted => self,
        }
    }

    const fn under_way(self) -> Self {
        match self {
            Self::RefundMissingInBill | Self::RefundDoneAfterAll | Self::RefundNotDone => {
                Self::RefundUnderWay
            }
            Self::PaymentMissingInBill
            | Self::PaymentForeign
            | Self::SecondPayment
            | Self::NumberDiffers
            | Self::CallbackLost
            | Self::PaidAfterClose
            | Self::PaymentRevoked
            | Self::AmountUnequal
            | Self::DiscountExplains
            | Self::RefundByHand
            | Self::RefundNoticeLost
            | Self::RefundAmountUnequal
            | Self::RefundNotCovered
            | Self::RateUnequal
            | Self::ListedTwice
            | Self::NearCut
            | Self::RefundUnderWay
            | Self::BillOmits
            | Self::DoneNotBooked
            | Self::ProvedUnpaid
            | Self::BillContradicted => self,
        }
    }

    const fn not_done(self, kind: Kind) -> Self {
        match self {
            Self::PaymentMissingInBill | Self::PaymentRevoked => Self::ProvedUnpaid,
            Self::RefundMissingInBill | Self::RefundUnderWay => Self::RefundNotDone,
            Self::PaymentForeign
            | Self::SecondPayment
            | Self::CallbackLost
            | Self::PaidAfterClose
            | Self::RefundByHand
            | Self::RefundNoticeLost
            | Self::RefundDoneAfterAll => Self::BillContradicted,
            // What stands in the bill near the cut is contradicted; what stands in the ledger
            // alone waits for its file, which may still list it.
            Self::NearCut if matches!(kind, Kind::OnlyInBill) => Self::BillContradicted,
            Self::NumberDiffers
            | Self::AmountUnequal
            | Self::DiscountExplains
            | Self::RefundNotDone
            | Self::RefundAmountUnequal
            | Self::RefundNotCovered
            | Self::RateUnequal
            | Self::ListedTwice
            | Self::NearCut
            | Self::BillOmits
            | Self::DoneNotBooked
            | Self::ProvedUnpaid
            | Self::BillContradicted => self,
        }
    }
}

impl Finding {
    /// Takes in what the provider answered: cause, action and owner are those after it.
    pub fn hear(&mut self, answer: Answer) {
        self.cause = self.cause.after(self.kind, answer);
        (self.proposed_action, self.owner) = self.cause.remedy();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Action;

    #[test]
    fn an_answer_refines_the_cause() {
        use Answer::{Done, NotCovered, NotDone, UnderWay};
        for (cause, kind, answer, after) in [
            (Cause::PaymentMissingInBill, Kind::OnlyInHub, Done, Cause::BillOmits),
            (Cause::PaymentMissingInBill, Kind::OnlyInHub, NotDone, Cause::ProvedUnpaid),
            (Cause::PaymentForeign, Kind::OnlyInBill, Done, Cause::PaymentForeign),
            (Cause::PaymentForeign, Kind::OnlyInBill, NotDone, Cause::BillContradicted),
            (Cause::SecondPayment, Kind::OnlyInBill, Done, Cause::SecondPayment),
            (Cause::SecondPayment, Kind::OnlyInBill, NotDone, Cause::BillContradicted),
            (Cause::CallbackLost, Kind::StateDiffers, Done, Cause::DoneNotBooked),
            (Cause::PaidAfterClose, Kind::StateDiffers, NotDone, Cause::BillContradicted),
            (Cause::PaymentRevoked, Kind::StateDiffers, Done, Cause::BillContradicted),
            (Cause::PaymentRevoked, Kind::StateDiffers, NotDone, Cause::ProvedUnpaid),
            (Cause::RefundMissingInBill, Kind::OnlyInHub, Done, Cause::BillOmits),
            (Cause::RefundMissingInBill, Kind::OnlyInHub, UnderWay, Cause::RefundUnderWay),
            (Cause::RefundMissingInBill, Kind::OnlyInHub, NotDone, Cause::RefundNotDone),
            (Cause::RefundUnderWay, Kind::OnlyInHub, NotDone, Cause::RefundNotDone),
            (Cause::RefundByHand, Kind::OnlyInBill, Done, Cause::DoneNotBooked),
            (Cause::RefundByHand, Kind::OnlyInBill, NotDone, Cause::BillContradicted),
            (Cause::RefundByHand, Kind::OnlyInBill, NotCovered, Cause::RefundNotCovered),
            (Cause::RefundNotDone, Kind::StateDiffers, Done, Cause::BillContradicted),
            (Cause::NearCut, Kind::OnlyInBill, NotDone, Cause::BillContradicted),
            (Cause::NearCut, Kind::OnlyInHub, NotDone, Cause::NearCut),
            (Cause::RateUnequal, Kind::FeeDiffers, Done, Cause::RateUnequal),
        ] {
            assert_eq!(cause.after(kind, answer), after, "{cause:?} {kind:?} {answer:?}");
            assert_eq!(cause.after(kind, Answer::Unknown), cause);
        }
    }

    #[test]
    fn what_was_asked_and_answered_is_not_proposed_to_be_asked() {
        let asks = |cause: Cause| {
            let (action, _) = cause.remedy();
            matches!(
                action,
                Action::QueryThenReverse
                    | Action::QueryThenRecord
                    | Action::QueryRefund
                    | Action::RecordRefund
            )
        };
        let asked = [
            (Cause::PaymentMissingInBill, Kind::OnlyInHub),
            (Cause::PaymentRevoked, Kind::StateDiffers),
            (Cause::CallbackLost, Kind::StateDiffers),
            (Cause::PaidAfterClose, Kind::StateDiffers),
            (Cause::RefundMissingInBill, Kind::OnlyInHub),
            (Cause::RefundNoticeLost, Kind::StateDiffers),
            (Cause::RefundByHand, Kind::OnlyInBill),
            (Cause::RefundDoneAfterAll, Kind::StateDiffers),
        ];
        for (cause, kind) in asked {
            assert!(asks(cause), "{cause:?}");
            for answer in [Answer::Done, Answer::NotDone] {
                assert!(!asks(cause.after(kind, answer)), "{cause:?} {answer:?}");
            }
        }
    }
}
