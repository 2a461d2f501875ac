//! A person says which statements transfers pay. The sum must agree to the fen: a statement is paid
//! whole, and a short transfer waits for its rest.

use domain::ids::{PayerMatchId, PayerStatementId};
use domain::user::UserAct;
use jiff::civil::Date;
use reconciliation::payer::OwedStatement;
use reconciliation::settlement::Credit;
use serde_json::json;

use super::settle::{Said, settle};
use crate::audit::{self, Act};
use crate::config::PayerAccount;
use crate::fault::Fault;
use crate::hub::Hub;
use crate::record::{Effects, commit_acts};
use crate::settlement::match_open;
use crate::store::{StoreError, Transaction, bank, payers};
use crate::users;

/// Before the first day of any bank statement.
const EVER: Date = Date::constant(2000, 1, 1);

/// What a person says of transfers.
#[derive(Clone, Copy, Debug)]
pub struct ConfirmingTransfer<'a> {
    /// The bank's numbers of the credits.
    pub serials: &'a [String],
    /// Which statements they pay.
    pub statements: &'a [PayerStatementId],
    /// Who says so.
    pub by: &'a str,
    /// Why.
    pub reason: Option<&'a str>,
}

/// Takes a person's word that transfers pay statements.
///
/// # Errors
/// 404 no such credit or statement; 409 one of them is matched (`bank_line_matched`,
/// `statement_paid`), or the sums differ (`transfer_differs`); 422 statements of several accounts, a
/// name or reason that is none.
pub async fn confirm(hub: &Hub, asked: &ConfirmingTransfer<'_>) -> Result<PayerMatchId, Fault> {
    users::named("by", asked.by)?;
    let reason = asked.reason.map(str::trim);
    reason.map_or(Ok(()), |reason| users::reasoned(reason).map(drop))?;
    let now = hub.clock.now();
    let mut client = hub.store.client().await?;
    let tx = client.transaction().await.map_err(StoreError::from)?;
    bank::in_turn(&tx).await?;
    let by = users::permit(&tx, asked.by, UserAct::ConfirmSettlement).await?;
    let credits = credits(&tx, asked.serials).await?;
    let (account, statements) = statements(&tx, hub, asked.statements).await?;
    let mut effects = Effects::new(now);
    let said = Said { by: Some(by.as_str()), reason };
    let (credits, statements): (Vec<&Credit>, Vec<&OwedStatement>) =
        (credits.iter().collect(), statements.iter().collect());
    let both = (credits.as_slice(), statements.as_slice());
    let match_id = settle(&tx, &mut effects, account, both, said, now).await?;
    let serials: Vec<&str> = credits.iter().map(|credit| credit.serial.as_str()).collect();
    let numbers: Vec<&str> = statements.iter().map(|it| it.number.as_str()).collect();
    let data = json!({
        "transfers": serials, "statements": numbers,
        "reason": audit::stands_for(&hub.sealer, reason),
    });
    let act = Act::of(&by, "payer_statement.confirmed", match_id.as_str(), data);
    // What was proposed for other transfers may have lost its statement. These are not among them:
    // their match is written, and not yet their payments.
    match_open(&tx, hub, &mut effects, None, now).await?;
    commit_acts(hub, tx, effects, &[act]).await?;
    Ok(match_id)
}

async fn credits(tx: &Transaction<'_>, serials: &[String]) -> Result<Vec<Credit>, Fault> {
    let open = bank::open(tx, EVER).await?;
    let mut found: Vec<Credit> = Vec::new();
    for serial in serials {
        if found.iter().any(|credit| credit.serial == *serial) {
            continue;
        }
        match open.iter().find(|credit| credit.serial == *serial) {
            Some(credit) => found.push(credit.clone()),
            None if bank::known(tx, &[serial.as_str()]).await?.is_empty() => {
                return Err(Fault::not_found("bank line"));
            }
            None => {
                let detail =
                    format!("bank line {serial} is matched already, or is no money that came in");
                return Err(Fault::conflict("bank_line_matched", detail));
            }
        }
    }
    Ok(found)
}

async fn statements<'h>(
    tx: &Transaction<'_>,
    hub: &'h Hub,
    ids: &[PayerStatementId],
) -> Result<(&'h PayerAccount, Vec<OwedStatement>), Fault> {
    let accounts: Vec<&str> = hub.payers.iter().map(|account| account.id.as_str()).collect();
    let all = payers::owed(tx, &accounts).await?;
    let mut found: Vec<OwedStatement> = Vec::new();
    for id in ids {
        let one = all.iter().find(|it| it.id == id.as_str());
        let one = one.ok_or_else(|| Fault::not_found("payer statement"))?;
        if one.is_paid {
            let detail = format!("statement {} is paid", one.number);
            return Err(Fault::conflict("statement_paid", detail));
        }
        if !found.contains(one) {
            found.push(one.clone());
        }
    }
    let first = found.first().map(|it| it.account.clone()).unwrap_or_default();
    let account = hub.payers.iter().find(|account| account.id.as_str() == first);
    match account {
        Some(account) if found.iter().all(|it| it.account == first) => Ok((account, found)),
        Some(_) | None => {
            Err(Fault::invalid("statements_invalid", "name statements of one account"))
        }
    }
}
