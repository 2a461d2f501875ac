//! Bill files of any kind, as downloaded: read whole, or refused, in bounded memory, and twice the
//! same. What the rows add up to is what the reader was given.
#![no_main]

use domain::Fen;
use domain::bill::Direction;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let (mut rows, mut payments, mut refunds) = (0_u64, 0_i128, 0_i128);
    let read = adapters::bill::read(data, &mut |row| {
        rows = rows.saturating_add(1);
        assert!(row.amount >= Fen::ZERO, "a gross amount below nothing");
        let sum = match row.direction {
            Direction::Payment => &mut payments,
            Direction::Refund => &mut refunds,
        };
        *sum += i128::from(row.amount.get());
    });
    if let Ok(totals) = &read {
        assert_eq!(totals.footer_ok, totals.footer_fault.is_none(), "a fault that is none");
        let counted = totals.payments.count.saturating_add(totals.refunds.count);
        assert!(counted <= rows, "counts rows that nobody was given");
        assert!(i128::from(totals.payments.amount_fen.get()) <= payments, "more than the rows");
        assert!(i128::from(totals.refunds.amount_fen.get()) <= refunds, "more than the rows");
    }
    assert!(adapters::bill::read(data, &mut |_row| {}) == read, "reads twice, differently");
    if let Ok(flow) = adapters::bill::read_fund_flow(data) {
        assert_eq!(flow.footer_ok, flow.footer_fault.is_none(), "a fault that is none");
        assert!(read.is_err(), "a bill of both kinds");
    }
});
