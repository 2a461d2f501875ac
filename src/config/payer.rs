//! `[[payer_accounts]]`: payers who pay by the month (月结户), as a bank does for its mortgages.

use std::collections::BTreeMap;

use domain::ids::{ApplicationId, MerchantId};
use domain::personal::Personal;

use super::Config;
use super::error::ConfigError;
use super::section::Section;

/// In how many days a statement is to be paid when the configuration does not say, and at most.
const CREDIT_DAYS: (i64, i64) = (15, 180);

/// A payer who pays by the month.
#[derive(Clone, Debug)]
pub struct PayerAccount {
    /// Its id, and the name of its journal.
    pub id: MerchantId,
    /// The name on its statements.
    pub name: String,
    /// The backend service whose fees it pays.
    pub application: ApplicationId,
    /// The bank accounts that it pays from, in letters and digits alone.
    pub bank_accounts: Vec<Personal>,
    /// In how many days a statement is to be paid.
    pub credit_days: i32,
    /// Words on a transfer that hint at it.
    pub reference: Vec<String>,
}

pub(super) fn read(section: &Section<'_>) -> Result<PayerAccount, ConfigError> {
    let known = ["id", "name", "application", "bank_accounts", "credit_days", "reference"];
    section.only(&known)?;
    let application =
        section.needed("application", "give the id of the backend service whose fees it pays")?;
    let application: ApplicationId =
        application.parse().map_err(|fault: domain::ids::IdError| {
            section.fault("application", fault.to_string(), "give an application's id")
        })?;
    let mut bank_accounts = Vec::new();
    for text in section.texts("bank_accounts")? {
        let plain = plain(&text);
        if !(6..=40).contains(&plain.len()) {
            // The number itself is not repeated.
            let what = "holds one that has fewer than 6 or more than 40 letters and digits";
            return Err(section.fault("bank_accounts", what, "give the payer's account numbers"));
        }
        bank_accounts.push(Personal::new(plain));
    }
    let (usual, most) = CREDIT_DAYS;
    let days = section.text_or_number("credit_days")?;
    let days = days.map_or(Ok(usual), |text| text.parse::<i64>());
    let days = days.ok().filter(|days| (1..=most).contains(days));
    let credit_days = days.and_then(|days| i32::try_from(days).ok()).ok_or_else(|| {
        let mend = format!("give a whole number from 1 to {most}");
        section.fault("credit_days", "is no number of days", mend)
    })?;
    let reference = section.texts("reference")?;
    if reference.iter().any(|word| word.trim().chars().count() < 2) {
        let what = "has a word of fewer than 2 characters";
        return Err(section.fault(
            "reference",
            what,
            "give words that stand on its transfers alone",
        ));
    }
    Ok(PayerAccount {
        id: section.id("give it an id as in icbc-mortgage")?,
        name: section.needed("name", "give the name that stands on its statements")?,
        application,
        bank_accounts,
        credit_days,
        reference,
    })
}

/// A journal is of one merchant or payer, and a bank account of one payer.
pub(super) fn refuse_shared(sections: &[Section<'_>], config: &Config) -> Result<(), ConfigError> {
    let mut owners: BTreeMap<&str, &PayerAccount> = BTreeMap::new();
    for (section, payer) in sections.iter().zip(&config.payer_accounts) {
        if config.merchant(&payer.id).is_some() {
            let what = format!("`{}` is a merchant's id", payer.id);
            return Err(section.fault("id", what, "give each journal an id of its own"));
        }
        for account in &payer.bank_accounts {
            if let Some(other) = owners.insert(account.clear(), payer) {
                let what = format!("holds one that stands under `{}` too", other.id);
                return Err(section.fault("bank_accounts", what, "give each to one payer"));
            }
        }
    }
    Ok(())
}

/// A bank account's number without what people and banks put between its digits.
#[must_use]
pub fn plain(account: &str) -> String {
    let letters = account.chars().filter(char::is_ascii_alphanumeric);
    letters.map(|letter| letter.to_ascii_uppercase()).collect()
}
