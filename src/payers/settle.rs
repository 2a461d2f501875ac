//! Books transfers that pay statements: all of their fees in one transaction, or nothing.

use std::collections::BTreeMap;

use domain::Fen;
use domain::ids::{FeeId, OrderId, OutTradeNo, PayerMatchId, ProviderTradeNo};
use domain::time::day_start;
use jiff::Timestamp;
use reconciliation::payer::OwedStatement;
use reconciliation::settlement::Credit;
use uuid::Uuid;

use crate::config::PayerAccount;
use crate::fault::Fault;
use crate::record::{Effects, Transferred};
use crate::store::Transaction;
use crate::store::payers::{self, Charged, NewTransfer};

/// What a transfer is for, on its order.
const SUBJECT: &str = "不动产登记费 月结";
/// In whose name the hub closes what has resolved itself.
const HUB: &str = "payhub";

/// Who says that transfers pay statements, and why; `None`: it was clear by itself.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Said<'a> {
    /// Who.
    pub(super) by: Option<&'a str>,
    /// Why.
    pub(super) reason: Option<&'a str>,
}

/// One credit's part.
#[derive(Debug, Default, PartialEq, Eq)]
struct Part {
    allocations: Vec<(FeeId, Fen)>,
    shares: Vec<(FeeId, Fen)>,
    surplus: Fen,
    settles: Vec<FeeId>,
}

/// Pays statements of one account with credits that bring just what is owed of them; or what the
/// papers say, when fees were withdrawn since: that part is surplus. The caller holds the bank's turn
/// and commits the effects.
///
/// # Errors
/// 409 `transfer_differs` when it is another sum, and nothing is written.
pub(super) async fn settle(
    tx: &Transaction<'_>,
    effects: &mut Effects,
    account: &PayerAccount,
    (credits, statements): (&[&Credit], &[&OwedStatement]),
    said: Said<'_>,
    now: Timestamp,
) -> Result<PayerMatchId, Fault> {
    let ids: Vec<&str> = statements.iter().map(|it| it.id.as_str()).collect();
    // Locked and read in one statement of the locked rows: what was withdrawn meanwhile shows.
    let charged = payers::lock_charges(tx, &ids).await?;
    let came = Fen::sum(credits.iter().map(|credit| credit.amount)).ok_or_else(too_large)?;
    let wanted = wanted(&charged, came)?;
    let amounts: Vec<Fen> = credits.iter().map(|credit| credit.amount).collect();
    let parts = divide(&wanted, &amounts, &charged).ok_or_else(too_large)?;
    let mut orders = Vec::new();
    for (credit, part) in credits.iter().zip(&parts) {
        let serial = serial(credit)?;
        let order_id = OrderId::new(Uuid::now_v7());
        let paid_at = day_start(credit.value_date);
        let new = NewTransfer {
            order_id: &order_id,
            application_id: &account.application,
            journal: &account.id,
            out_trade_no: &OutTradeNo::new(Uuid::now_v7()),
            amount: credit.amount,
            subject: SUBJECT,
            now,
            paid_at,
            bank_serial: &serial,
            allocations: &part.allocations,
        };
        payers::insert_order(tx, &new).await?;
        effects.transfer(&Transferred {
            journal: &account.id,
            order_id: &order_id,
            bank_serial: &serial,
            paid_at,
            amount: credit.amount,
            shares: &part.shares,
            surplus: part.surplus,
            settles: &part.settles,
        })?;
        orders.push(order_id);
    }
    let match_id = PayerMatchId::new(Uuid::now_v7());
    let serials: Vec<&str> = credits.iter().map(|credit| credit.serial.as_str()).collect();
    let what = (serials.as_slice(), orders.as_slice(), ids.as_slice());
    payers::insert_match(tx, &match_id, what, (said.by, said.reason), now).await?;
    payers::settled(tx, (&ids, &serials), said.by.unwrap_or(HUB), now).await?;
    Ok(match_id)
}

/// The bank's number as a payment carries it.
pub(super) fn serial(credit: &Credit) -> Result<ProviderTradeNo, Fault> {
    credit.serial.parse().map_err(|_rule| {
        let detail = format!("bank line {} has a number that no payment can carry", credit.serial);
        Fault::invalid("bank_serial_invalid", detail)
    })
}

/// Which fees the money is for. A fee that was withdrawn is among them only where just the sum of the
/// papers came.
fn wanted(charged: &[Charged], came: Fen) -> Result<Vec<(FeeId, Fen)>, Fault> {
    let left = |fee: &Charged| fee.total.minus(fee.paid).unwrap_or(Fen::ZERO);
    let open = Fen::sum(charged.iter().filter(|fee| !fee.void).map(left)).ok_or_else(too_large)?;
    let void = Fen::sum(charged.iter().filter(|fee| fee.void).map(left)).ok_or_else(too_large)?;
    let difference = came.minus(open).ok_or_else(too_large)?;
    let with_void = difference == void && void > Fen::ZERO;
    if !with_void && (open == Fen::ZERO || difference != Fen::ZERO) {
        let detail = format!(
            "{} yuan came and {} are owed, a difference of {}: a statement is paid whole, with one \
             transfer or several together",
            came.yuan(),
            open.yuan(),
            difference.yuan()
        );
        let fault = Fault::conflict("transfer_differs", detail);
        return Err(fault.with("difference_fen", difference.get()));
    }
    let takes = |fee: &&Charged| left(fee) > Fen::ZERO && (!fee.void || with_void);
    Ok(charged.iter().filter(takes).map(|fee| (fee.fee_id.clone(), left(fee))).collect())
}

/// Fills the credits with the fees, one after the other; `None` where they are not the same sum.
fn divide(wanted: &[(FeeId, Fen)], credits: &[Fen], charged: &[Charged]) -> Option<Vec<Part>> {
    let void: BTreeMap<&FeeId, bool> = charged.iter().map(|fee| (&fee.fee_id, fee.void)).collect();
    let mut fees = wanted.iter().cloned();
    let mut next = fees.next();
    let mut parts = Vec::new();
    for credit in credits {
        let (mut left, mut part) = (*credit, Part::default());
        while left > Fen::ZERO {
            let (fee, owed) = next.take()?;
            let amount = owed.min(left);
            left = left.minus(amount)?;
            let rest = owed.minus(amount)?;
            part.allocations.push((fee.clone(), amount));
            if void.get(&fee).copied().unwrap_or_default() {
                part.surplus = part.surplus.plus(amount)?;
            } else {
                part.shares.push((fee.clone(), amount));
                if rest == Fen::ZERO {
                    part.settles.push(fee.clone());
                }
            }
            next = if rest > Fen::ZERO { Some((fee, rest)) } else { fees.next() };
        }
        parts.push(part);
    }
    next.is_none().then_some(parts)
}

fn too_large() -> Fault {
    Fault::internal(&"a sum does not fit into the books")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fee(number: u128) -> FeeId {
        FeeId::new(Uuid::from_u128(number))
    }

    fn charged(fees: &[(i64, bool)]) -> Vec<Charged> {
        let one = |(number, (total, void)): (u128, &(i64, bool))| Charged {
            fee_id: fee(number),
            total: Fen::new(*total),
            paid: Fen::ZERO,
            void: *void,
        };
        (0..).zip(fees).map(one).collect()
    }

    #[test]
    fn one_fee_is_paid_by_two_transfers() {
        let charged = charged(&[(8_000, false), (8_000, false)]);
        let wanted = wanted(&charged, Fen::new(16_000)).unwrap();
        let parts = divide(&wanted, &[Fen::new(10_000), Fen::new(6_000)], &charged).unwrap();
        assert_eq!(parts[0].shares, [(fee(0), Fen::new(8_000)), (fee(1), Fen::new(2_000))]);
        assert_eq!(parts[0].settles, [fee(0)]);
        assert_eq!(parts[1].shares, [(fee(1), Fen::new(6_000))]);
        assert_eq!(parts[1].settles, [fee(1)], "it is paid off by the second");
    }

    #[test]
    fn what_was_withdrawn_is_surplus_only_for_the_sum_of_the_paper() {
        let charged = charged(&[(8_000, false), (55_000, true)]);
        assert_eq!(wanted(&charged, Fen::new(8_000)).unwrap(), [(fee(0), Fen::new(8_000))]);
        let whole = wanted(&charged, Fen::new(63_000)).unwrap();
        let parts = divide(&whole, &[Fen::new(63_000)], &charged).unwrap();
        assert_eq!((parts[0].surplus, parts[0].shares.len()), (Fen::new(55_000), 1));
        for other in [0, 7_999, 8_001, 62_999, 63_001] {
            assert_eq!(wanted(&charged, Fen::new(other)).unwrap_err().code, "transfer_differs");
        }
        let nothing_owed = &charged[1..];
        assert_eq!(wanted(nothing_owed, Fen::new(55_000)).unwrap(), [(fee(1), Fen::new(55_000))]);
        assert_eq!(wanted(nothing_owed, Fen::ZERO).unwrap_err().code, "transfer_differs");
    }
}
