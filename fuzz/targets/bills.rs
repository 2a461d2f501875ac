//! Bill files of any kind, as downloaded: read whole, or refused, in bounded memory.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let mut rows = 0_u64;
    if let Ok(totals) = adapters::bill::read(data, &mut |_row| rows = rows.saturating_add(1)) {
        let counted = totals.payments.count.saturating_add(totals.refunds.count);
        assert!(counted <= rows, "counts rows that nobody was given");
    }
    let _ = adapters::bill::read_fund_flow(data);
});
