//! Who takes part in a payment: a merchant for itself, or a service provider (服务商) for a merchant
//! of its (特约商户). Every call names them, and every statement must.

use serde::Serialize;

use super::SubMerchant;
use super::statement::StatementError;
use crate::percent;
use crate::provider::Account;

/// The merchant with whose key is signed, and on whose behalf.
pub(super) struct Parties {
    /// `mchid`, or `sp_mchid` in service-provider mode: whose key signs.
    pub(super) mchid: String,
    /// `appid`, or `sp_appid`.
    pub(super) appid: String,
    /// For whom, in service-provider mode.
    pub(super) sub: Option<SubMerchant>,
    /// Whom statements must name: the money goes to the merchant, not to its service provider.
    pub(super) account: Account,
}

/// The parties as a call names them; what does not apply is not written at all.
#[derive(Default, Serialize)]
pub(super) struct Names<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    appid: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mchid: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sp_appid: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sp_mchid: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub_appid: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub_mchid: Option<&'a str>,
}

/// The parties as a statement names them.
#[derive(Clone, Copy, Default)]
pub(super) struct Stated<'a> {
    pub(super) mchid: Option<&'a str>,
    pub(super) appid: Option<&'a str>,
    pub(super) sp_mchid: Option<&'a str>,
    pub(super) sp_appid: Option<&'a str>,
    pub(super) sub_mchid: Option<&'a str>,
}

impl Parties {
    pub(super) fn new(mchid: String, appid: String, sub: Option<SubMerchant>) -> Self {
        let payee = sub.as_ref().map_or(&mchid, |sub| &sub.mchid).clone();
        let account = Account { payee, app: appid.clone() };
        Self { mchid, appid, sub, account }
    }

    /// Where calls about orders begin.
    pub(super) fn orders(&self) -> &'static str {
        if self.sub.is_some() { "/v3/pay/partner/transactions" } else { "/v3/pay/transactions" }
    }

    /// Numbers and applications, for an order's body.
    pub(super) fn names(&self) -> Names<'_> {
        match &self.sub {
            None => Names { appid: Some(&self.appid), ..self.numbers() },
            Some(sub) => Names {
                sp_appid: Some(&self.appid),
                sub_appid: sub.appid.as_deref(),
                ..self.numbers()
            },
        }
    }

    /// Numbers alone, for the body of a close.
    pub(super) fn numbers(&self) -> Names<'_> {
        match &self.sub {
            None => Names { mchid: Some(&self.mchid), ..Names::default() },
            Some(sub) => Names {
                sp_mchid: Some(&self.mchid),
                sub_mchid: Some(&sub.mchid),
                ..Names::default()
            },
        }
    }

    /// Numbers alone, for the query of an address.
    pub(super) fn query(&self) -> String {
        let mchid = percent::encode(&self.mchid);
        match &self.sub {
            None => format!("mchid={mchid}"),
            Some(sub) => format!("sp_mchid={mchid}&sub_mchid={}", percent::encode(&sub.mchid)),
        }
    }

    /// The number of the merchant for whom a service provider acts.
    pub(super) fn sub_mchid(&self) -> Option<&str> {
        self.sub.as_ref().map(|sub| sub.mchid.as_str())
    }

    /// The application of the merchant for whom a service provider acts, where it has its own:
    /// its payers are named by it.
    pub(super) fn sub_appid(&self) -> Option<&str> {
        self.sub.as_ref().and_then(|sub| sub.appid.as_deref())
    }

    /// Who is paid, as a statement says; a statement that does not name all parties, or another
    /// service provider, is none of ours. Whether the payee is ours is compared by whoever records.
    pub(super) fn payee(&self, stated: &Stated<'_>) -> Result<String, StatementError> {
        if self.sub.is_none() {
            return needed("mchid", stated.mchid);
        }
        self.is_ours(stated.sp_mchid)?;
        needed("sub_mchid", stated.sub_mchid)
    }

    /// The application under which was paid, as a statement says.
    pub(super) fn app(&self, stated: &Stated<'_>) -> Result<String, StatementError> {
        if self.sub.is_none() {
            needed("appid", stated.appid)
        } else {
            needed("sp_appid", stated.sp_appid)
        }
    }

    /// Who is paid, where a statement may leave it out; what it does say must fit.
    pub(super) fn payee_if_named(
        &self,
        stated: &Stated<'_>,
    ) -> Result<Option<String>, StatementError> {
        if self.sub.is_none() {
            return Ok(stated.mchid.map(str::to_owned));
        }
        if stated.sp_mchid.is_some() {
            self.is_ours(stated.sp_mchid)?;
        }
        Ok(stated.sub_mchid.map(str::to_owned))
    }

    fn is_ours(&self, sp_mchid: Option<&str>) -> Result<(), StatementError> {
        if sp_mchid == Some(self.mchid.as_str()) {
            return Ok(());
        }
        Err(StatementError::Foreign("sp_mchid"))
    }
}

fn needed(name: &'static str, text: Option<&str>) -> Result<String, StatementError> {
    text.map(str::to_owned).ok_or(StatementError::Field(name))
}
