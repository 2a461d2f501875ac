//! The pay gate (缴费节点): by when in a case's life its fee must be settled, and what stands against it.

use serde::{Deserialize, Serialize};

use super::CaseState;
use crate::fee::FeeFacts;
use crate::money::Fen;

/// By when the fee of a case must be settled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PayGate {
    /// When the case is taken in.
    OnAccept,
    /// Before it is entered in the register.
    #[default]
    BeforeRegister,
    /// Before the certificate is handed over.
    BeforeCertificate,
    /// Never: nothing is charged for such a case.
    Never,
}

impl PayGate {
    /// Every gate.
    pub const ALL: [Self; 4] =
        [Self::OnAccept, Self::BeforeRegister, Self::BeforeCertificate, Self::Never];

    /// Its word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OnAccept => "on_accept",
            Self::BeforeRegister => "before_register",
            Self::BeforeCertificate => "before_certificate",
            Self::Never => "never",
        }
    }

    /// Whether a case that stands so is past the gate. A case that was rejected or withdrawn never
    /// is: nothing is due for it.
    #[must_use]
    pub const fn is_past(self, state: CaseState) -> bool {
        match state {
            CaseState::Rejected | CaseState::Withdrawn => false,
            CaseState::Accepted
            | CaseState::Supplementing
            | CaseState::Suspended
            | CaseState::Reviewing
            | CaseState::Approved => matches!(self, Self::OnAccept),
            CaseState::Registered | CaseState::CertificateReady => {
                matches!(self, Self::OnAccept | Self::BeforeRegister)
            }
            CaseState::Closed => !matches!(self, Self::Never),
        }
    }
}

/// What is wrong between a case and its fees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CaseFault {
    /// Past its gate without any fee (应收未开).
    CaseWithoutFee,
    /// Past its gate with money still owed (应缴未缴).
    DueNotPaid,
    /// Rejected or withdrawn, and money is kept (不应收而收).
    PaidNotDue,
}

impl CaseFault {
    /// Every fault.
    pub const ALL: [Self; 3] = [Self::CaseWithoutFee, Self::DueNotPaid, Self::PaidNotDue];

    /// Its word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CaseWithoutFee => "case_without_fee",
            Self::DueNotPaid => "due_not_paid",
            Self::PaidNotDue => "paid_not_due",
        }
    }

    /// Its name for people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::CaseWithoutFee => "应收未开",
            Self::DueNotPaid => "应缴未缴",
            Self::PaidNotDue => "不应收而收",
        }
    }
}

/// What is wrong with a case, and about how much money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct CaseFinding {
    /// What.
    pub kind: CaseFault,
    /// What is still owed, or what is kept; nothing where there is no fee.
    pub amount_fen: Fen,
}

/// Holds a case against its fees; `None`: they agree. A fee that was withdrawn is none. What a
/// refund holds is on its way back, and is not kept.
#[must_use]
pub fn examine(gate: PayGate, state: CaseState, fees: &[FeeFacts]) -> Option<CaseFinding> {
    let sum =
        |of: fn(&FeeFacts) -> Fen| Fen::sum(fees.iter().map(of)).unwrap_or(Fen::new(i64::MAX));
    let finding = |kind, amount_fen| Some(CaseFinding { kind, amount_fen });
    if matches!(state, CaseState::Rejected | CaseState::Withdrawn) {
        let kept = sum(|fee| fee.paid.minus(fee.refunding).unwrap_or(Fen::ZERO));
        return (kept > Fen::ZERO)
            .then_some(CaseFinding { kind: CaseFault::PaidNotDue, amount_fen: kept });
    }
    if !gate.is_past(state) {
        return None;
    }
    if fees.iter().all(|fee| fee.void) {
        return finding(CaseFault::CaseWithoutFee, Fen::ZERO);
    }
    let owed = sum(|fee| fee.outstanding());
    (owed > Fen::ZERO).then_some(CaseFinding { kind: CaseFault::DueNotPaid, amount_fen: owed })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fee(total: i64, paid: i64, refunding: i64) -> FeeFacts {
        let [total, paid, refunding] = [total, paid, refunding].map(Fen::new);
        FeeFacts { total, paid, refunding, ..FeeFacts::default() }
    }

    #[track_caller]
    fn check(
        gate: PayGate,
        state: CaseState,
        fees: &[FeeFacts],
        expected: Option<(CaseFault, i64)>,
    ) {
        let found = examine(gate, state, fees).map(|found| (found.kind, found.amount_fen.get()));
        assert_eq!(found, expected, "{gate:?} {state:?} {fees:?}");
    }

    #[test]
    fn a_fee_is_due_where_its_gate_stands() {
        use CaseState::{Accepted, Approved, CertificateReady, Closed, Registered};
        let owed = Some((CaseFault::DueNotPaid, 8000));
        for (gate, due) in [
            (PayGate::OnAccept, [true; 5]),
            (PayGate::BeforeRegister, [false, false, true, true, true]),
            (PayGate::BeforeCertificate, [false, false, false, false, true]),
            (PayGate::Never, [false; 5]),
        ] {
            let states = [Accepted, Approved, Registered, CertificateReady, Closed];
            for (state, due) in states.into_iter().zip(due) {
                check(gate, state, &[fee(8000, 0, 0)], owed.filter(|_| due));
                check(gate, state, &[fee(8000, 8000, 0)], None);
                check(gate, state, &[fee(0, 0, 0)], None);
                let none = Some((CaseFault::CaseWithoutFee, 0)).filter(|_| due);
                check(gate, state, &[], none);
                check(gate, state, &[FeeFacts { void: true, ..fee(8000, 0, 0) }], none);
            }
        }
    }

    #[test]
    fn part_of_several_fees_is_owed_and_what_went_back_is_not_owed_again() {
        let gate = PayGate::BeforeRegister;
        let fees = [fee(8000, 8000, 0), fee(5000, 2000, 0), fee(1000, 1000, 1000)];
        check(gate, CaseState::Registered, &fees, Some((CaseFault::DueNotPaid, 3000)));
    }

    #[test]
    fn nothing_is_kept_of_a_case_that_came_to_nothing() {
        for state in [CaseState::Rejected, CaseState::Withdrawn] {
            for gate in PayGate::ALL {
                check(gate, state, &[], None);
                check(gate, state, &[fee(8000, 0, 0)], None);
                check(gate, state, &[fee(8000, 8000, 8000)], None);
                let kept = Some((CaseFault::PaidNotDue, 7900));
                check(gate, state, &[fee(8000, 8000, 100)], kept);
            }
        }
    }
}
