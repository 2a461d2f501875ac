//! Payers who pay by the month (月结户): their fees accrue, a statement a month charges them, and a
//! transfer at the bank pays it whole or not at all.

mod arrive;
mod close;
mod confirm;
mod settle;
mod shown;

use domain::ids::ApplicationId;

use crate::config::PayerAccount;
use crate::fault::Fault;
use crate::hub::Hub;

pub(crate) use arrive::match_transfers;
pub use close::{close, run_once};
pub use confirm::{ConfirmingTransfer, confirm};
pub use shown::{csv, page, statement, statements};

/// The account that a fee shall be charged to.
///
/// # Errors
/// 422 `payer_account_unknown`: none of that id, or another application's.
pub fn account_of<'h>(
    hub: &'h Hub,
    application: &ApplicationId,
    id: &str,
) -> Result<&'h PayerAccount, Fault> {
    let found = hub.payers.iter().find(|account| account.id.as_str() == id);
    found.filter(|account| account.application == *application).ok_or_else(|| {
        let detail = format!("payer_account {id:?} is not configured for this application");
        Fault::invalid("payer_account_unknown", detail).with("path", "payer_account")
    })
}
