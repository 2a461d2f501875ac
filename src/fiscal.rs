//! What went to the treasury by its own items (财政收入项目): the table of a day that foots to what left the
//! bank, and the file for the treasury's side.

use std::collections::{BTreeMap, BTreeSet};

use deadpool_postgres::GenericClient;
use domain::Fen;
use domain::ids::RemittanceId;
use domain::schedule::QuoteLine;
use domain::time::{business_day, day_end};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::config::FiscalItem;
use crate::fault::Fault;
use crate::hub::Hub;
use crate::report::{apportion, harmless};
use crate::store::StoreError;
use crate::store::fiscal::{self, OwedFee, RemittedFee};

/// The columns of the settlement file.
const COLUMNS: [&str; 8] = [
    "remitted_on",
    "reference",
    "remittance_id",
    "fiscal_item",
    "fiscal_name",
    "fees",
    "amount_fen",
    "bank_serial",
];

/// What of a remittance is of one item of the treasury.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct RemittedItem {
    /// On which day it left.
    pub remitted_on: Date,
    /// The number of its paper.
    pub reference: String,
    /// The remittance.
    pub remittance_id: RemittanceId,
    /// The treasury's code; `None`: the configuration names none for the fee item.
    pub fiscal_item: Option<String>,
    /// The treasury's name, else the fee item's.
    pub fiscal_name: String,
    /// Of how many fees.
    pub fees: usize,
    /// How much.
    pub amount_fen: Fen,
    /// The debit at the bank that the remittance is, where that is known.
    pub bank_serial: Option<String>,
}

/// What was collected of one item of the treasury and is not remitted.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct OwedItem {
    /// The treasury's code; `None`: the configuration names none for the fee item.
    pub fiscal_item: Option<String>,
    /// The treasury's name, else the fee item's.
    pub fiscal_name: String,
    /// Of how many fees.
    pub fees: usize,
    /// The day of the oldest payment in it.
    pub first_day: Date,
    /// What of it was paid on the day itself.
    pub of_day_fen: Fen,
    /// What of it was paid on days before.
    pub earlier_fen: Fen,
}

/// What was collected by the end of a day and is not remitted, by item.
pub(crate) async fn owed_in(
    client: &impl GenericClient,
    hub: &Hub,
    day: Date,
) -> Result<Vec<OwedItem>, StoreError> {
    Ok(owed(&hub.fiscal_items, &fiscal::owed(client, day_end(day)).await?, day))
}

fn owed(items: &[FiscalItem], owed: &[OwedFee], day: Date) -> Vec<OwedItem> {
    let mut sums = BTreeMap::<(Option<&str>, &str), OwedItem>::new();
    for fee in owed {
        let amounts: Vec<Fen> = fee.lines.iter().map(|line| line.amount_fen).collect();
        let paid_on = business_day(fee.first_paid_at);
        let mut counted = BTreeSet::new();
        for (line, part) in fee.lines.iter().zip(apportion(&amounts, fee.open)) {
            if part == Fen::ZERO {
                continue;
            }
            let (code, name) = treasurys(items, line);
            let sum = sums.entry((code, name)).or_insert_with(|| OwedItem {
                fiscal_item: code.map(str::to_owned),
                fiscal_name: name.to_owned(),
                fees: 0,
                first_day: paid_on,
                of_day_fen: Fen::ZERO,
                earlier_fen: Fen::ZERO,
            });
            sum.fees = sum.fees.saturating_add(usize::from(counted.insert((code, name))));
            sum.first_day = sum.first_day.min(paid_on);
            let into = if paid_on < day { &mut sum.earlier_fen } else { &mut sum.of_day_fen };
            *into = into.plus(part).unwrap_or(*into);
        }
    }
    sums.into_values().collect()
}

/// The treasury's code and name of a fee's line.
fn treasurys<'a>(items: &'a [FiscalItem], line: &'a QuoteLine) -> (Option<&'a str>, &'a str) {
    let known = items.iter().find(|item| item.item == line.code);
    (known.map(|item| item.code.as_str()), known.map_or(&line.name, |item| &item.name))
}

/// What was remitted on some days, by remittance and item; the rows of a remittance come to it.
///
/// # Errors
/// When the database does not answer.
pub async fn by_item(hub: &Hub, days: (Date, Date)) -> Result<Vec<RemittedItem>, Fault> {
    Ok(by_item_in(&hub.store.client().await?, hub, days).await?)
}

/// The same within a transaction.
pub(crate) async fn by_item_in(
    client: &impl GenericClient,
    hub: &Hub,
    days: (Date, Date),
) -> Result<Vec<RemittedItem>, StoreError> {
    Ok(divided(&hub.fiscal_items, &fiscal::remitted(client, days).await?))
}

/// What one row is of: its day, remittance, item of the treasury and name.
type Key<'a> = (Date, &'a RemittanceId, Option<&'a str>, &'a str);

/// A fee is divided as its lines are to it; see [`apportion`].
fn divided(items: &[FiscalItem], remitted: &[RemittedFee]) -> Vec<RemittedItem> {
    let mut sums = BTreeMap::<Key<'_>, (&RemittedFee, BTreeSet<&str>, Fen)>::new();
    for fee in remitted {
        let amounts: Vec<Fen> = fee.lines.iter().map(|line| line.amount_fen).collect();
        for (line, part) in fee.lines.iter().zip(apportion(&amounts, fee.amount)) {
            let (code, name) = treasurys(items, line);
            let key = (fee.remitted_on, &fee.remittance_id, code, name);
            let (_, fees, sum) = sums.entry(key).or_insert((fee, BTreeSet::new(), Fen::ZERO));
            fees.insert(fee.fee_id.as_str());
            *sum = sum.plus(part).unwrap_or(*sum);
        }
    }
    let mut rows = Vec::new();
    for ((remitted_on, id, code, name), (of, fees, amount_fen)) in sums {
        if amount_fen == Fen::ZERO {
            continue;
        }
        rows.push(RemittedItem {
            remitted_on,
            reference: of.reference.clone(),
            remittance_id: id.clone(),
            fiscal_item: code.map(str::to_owned),
            fiscal_name: name.to_owned(),
            fees: fees.len(),
            amount_fen,
            bank_serial: of.bank_serial.clone(),
        });
    }
    rows
}

/// A settlement file, with its SHA-256.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettlementFile {
    /// CSV, in UTF-8 with BOM.
    pub bytes: Vec<u8>,
    /// Its digest, hexadecimal.
    pub sha256: String,
}

/// The settlement file of a day: what was remitted, by remittance and item.
///
/// # Errors
/// When the database does not answer.
pub async fn settlement_file(hub: &Hub, day: Date) -> Result<SettlementFile, Fault> {
    let rows = by_item(hub, (day, day)).await?;
    let bytes = csv(&rows).map_err(|error| Fault::internal(&error))?;
    let sha256 = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(SettlementFile { bytes, sha256 })
}

fn csv(rows: &[RemittedItem]) -> Result<Vec<u8>, csv::Error> {
    let mut writer = csv::Writer::from_writer("\u{feff}".as_bytes().to_vec());
    writer.write_record(COLUMNS)?;
    for row in rows {
        writer.write_record([
            row.remitted_on.to_string().as_str(),
            &harmless(&row.reference),
            row.remittance_id.as_str(),
            &harmless(row.fiscal_item.as_deref().unwrap_or_default()),
            &harmless(&row.fiscal_name),
            &row.fees.to_string(),
            &row.amount_fen.get().to_string(),
            &harmless(row.bank_serial.as_deref().unwrap_or_default()),
        ])?;
    }
    writer.into_inner().map_err(|fault| fault.into_error().into())
}
