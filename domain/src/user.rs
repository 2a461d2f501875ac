//! Who may do what (岗位权限): one table of roles and acts. A cashier does not check the accounts, an
//! auditor only reads, and who makes users moves no money.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A role (岗位) of a person of the finance office.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UserRole {
    /// Handles money (出纳).
    Cashier,
    /// Makes the day's papers and works on its differences (制单).
    Preparer,
    /// Checks what another made (复核).
    Reviewer,
    /// Agrees to what moves money (审批).
    Approver,
    /// Reads everything and does nothing (审计).
    Auditor,
    /// Makes users and keys, and nothing else (管理员).
    Admin,
}

/// What a person does at the hub.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum UserAct {
    /// Signs a run as complete.
    PrepareRun,
    /// Confirms a run that another prepared.
    ReviewRun,
    /// Gives a prepared run back.
    ReturnRun,
    /// Asks that a signed run be opened again, or agrees to it; one of the two must be a reviewer.
    ReopenRun,
    /// Has a day reconciled again.
    RerunDay,
    /// Agrees to a refund, or refuses it.
    DecideRefund,
    /// Tells a step of a refund's way through the treasury.
    TellTreasury,
    /// Says that the treasury's refund is approved.
    ApproveTreasury,
    /// Gives a difference to a person.
    AssignDifference,
    /// Has a difference to work on, and proposes a remedy.
    ProposeRemedy,
    /// Agrees to a remedy, or refuses it.
    DecideRemedy,
    /// Does what was agreed to.
    DoRemedy,
    /// Takes up a difference again.
    ReopenDifference,
    /// Closes an incident.
    CloseIncident,
    /// Says which settlements a credit at the bank is.
    ConfirmSettlement,
}

/// Roles that one person cannot have together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("one person cannot be {0} and {1}")]
pub struct RolesClash(UserRole, UserRole);

/// A word that is no role.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no role: give cashier, preparer, reviewer, approver, auditor or admin")]
pub struct UnknownRole(String);

impl UserAct {
    /// Every act.
    pub const ALL: [Self; 15] = [
        Self::PrepareRun,
        Self::ReviewRun,
        Self::ReturnRun,
        Self::ReopenRun,
        Self::RerunDay,
        Self::DecideRefund,
        Self::TellTreasury,
        Self::ApproveTreasury,
        Self::AssignDifference,
        Self::ProposeRemedy,
        Self::DecideRemedy,
        Self::DoRemedy,
        Self::ReopenDifference,
        Self::CloseIncident,
        Self::ConfirmSettlement,
    ];

    /// In words, for whoever may not do it.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::PrepareRun => "prepare a run",
            Self::ReviewRun => "review a run",
            Self::ReturnRun => "give a run back",
            Self::ReopenRun => "open a signed run again",
            Self::RerunDay => "have a day reconciled again",
            Self::DecideRefund => "decide on a refund",
            Self::TellTreasury => "tell a step of the treasury",
            Self::ApproveTreasury => "approve a refund by the treasury",
            Self::AssignDifference => "assign a difference",
            Self::ProposeRemedy => "work on a difference",
            Self::DecideRemedy => "decide on a remedy",
            Self::DoRemedy => "carry out a remedy",
            Self::ReopenDifference => "open a difference again",
            Self::CloseIncident => "close an incident",
            Self::ConfirmSettlement => "say what a credit at the bank is",
        }
    }
}

impl UserRole {
    /// Every role.
    pub const ALL: [Self; 6] =
        [Self::Cashier, Self::Preparer, Self::Reviewer, Self::Approver, Self::Auditor, Self::Admin];

    /// Whether this role allows an act: the one table of it.
    #[must_use]
    pub const fn allows(self, act: UserAct) -> bool {
        use UserAct as Act;
        match self {
            Self::Cashier => matches!(
                act,
                Act::TellTreasury | Act::ProposeRemedy | Act::DoRemedy | Act::CloseIncident
            ),
            Self::Preparer => matches!(
                act,
                Act::PrepareRun
                    | Act::ReturnRun
                    | Act::ReopenRun
                    | Act::RerunDay
                    | Act::TellTreasury
                    | Act::AssignDifference
                    | Act::ProposeRemedy
                    | Act::DoRemedy
                    | Act::ReopenDifference
                    | Act::CloseIncident
                    | Act::ConfirmSettlement
            ),
            Self::Reviewer => matches!(
                act,
                Act::ReviewRun
                    | Act::ReturnRun
                    | Act::ReopenRun
                    | Act::RerunDay
                    | Act::TellTreasury
                    | Act::AssignDifference
                    | Act::ReopenDifference
                    | Act::CloseIncident
                    | Act::ConfirmSettlement
            ),
            Self::Approver => matches!(
                act,
                Act::ReopenRun
                    | Act::DecideRefund
                    | Act::TellTreasury
                    | Act::ApproveTreasury
                    | Act::AssignDifference
                    | Act::DecideRemedy
                    | Act::ReopenDifference
                    | Act::CloseIncident
                    | Act::ConfirmSettlement
            ),
            Self::Auditor | Self::Admin => false,
        }
    }

    /// Whether one person may have this role and `other`.
    #[must_use]
    pub const fn goes_with(self, other: Self) -> bool {
        match (self, other) {
            (Self::Auditor, Self::Auditor) | (Self::Admin, Self::Admin) => true,
            (Self::Auditor | Self::Admin, _) | (_, Self::Auditor | Self::Admin) => false,
            // Who handles money does not check the accounts (会计法).
            (Self::Cashier, Self::Reviewer | Self::Approver)
            | (Self::Reviewer | Self::Approver, Self::Cashier) => false,
            (
                Self::Cashier | Self::Preparer | Self::Reviewer | Self::Approver,
                Self::Cashier | Self::Preparer | Self::Reviewer | Self::Approver,
            ) => true,
        }
    }

    /// The roles of one person, each once, in order.
    ///
    /// # Errors
    /// When two of them may not be one person's.
    pub fn of_one(roles: &[Self]) -> Result<Vec<Self>, RolesClash> {
        let mut roles = roles.to_vec();
        roles.sort_unstable();
        roles.dedup();
        for role in &roles {
            if let Some(other) = roles.iter().find(|other| !role.goes_with(**other)) {
                return Err(RolesClash(*role, *other));
            }
        }
        Ok(roles)
    }

    /// The word on record.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cashier => "cashier",
            Self::Preparer => "preparer",
            Self::Reviewer => "reviewer",
            Self::Approver => "approver",
            Self::Auditor => "auditor",
            Self::Admin => "admin",
        }
    }
}

impl FromStr for UserRole {
    type Err = UnknownRole;
    fn from_str(word: &str) -> Result<Self, UnknownRole> {
        let known = Self::ALL.into_iter().find(|role| role.as_str() == word);
        known.ok_or_else(|| UnknownRole(word.chars().take(64).collect()))
    }
}

impl fmt::Display for UserRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A name without what makes no other person of it: spaces and large letters.
#[must_use]
pub fn folded(name: &str) -> String {
    name.split_whitespace().flat_map(str::chars).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_roles_and_acts() {
        let table: Vec<String> = UserAct::ALL
            .into_iter()
            .map(|act| {
                let allowed = UserRole::ALL.into_iter().filter(|role| role.allows(act));
                let names: Vec<&str> = allowed.map(UserRole::as_str).collect();
                format!("{}: {}", act.words(), names.join(" "))
            })
            .collect();
        assert_eq!(
            table,
            [
                "prepare a run: preparer",
                "review a run: reviewer",
                "give a run back: preparer reviewer",
                "open a signed run again: preparer reviewer approver",
                "have a day reconciled again: preparer reviewer",
                "decide on a refund: approver",
                "tell a step of the treasury: cashier preparer reviewer approver",
                "approve a refund by the treasury: approver",
                "assign a difference: preparer reviewer approver",
                "work on a difference: cashier preparer",
                "decide on a remedy: approver",
                "carry out a remedy: cashier preparer",
                "open a difference again: preparer reviewer approver",
                "close an incident: cashier preparer reviewer approver",
                "say what a credit at the bank is: preparer reviewer approver",
            ]
        );
    }

    #[test]
    fn who_is_an_auditor_an_admin_or_a_cashier_is_not_the_other() {
        let clashes: Vec<String> = UserRole::ALL
            .into_iter()
            .flat_map(|one| UserRole::ALL.into_iter().map(move |other| (one, other)))
            .filter(|(one, other)| one < other && UserRole::of_one(&[*one, *other]).is_err())
            .map(|(one, other)| format!("{one}+{other}"))
            .collect();
        assert_eq!(
            clashes,
            [
                "cashier+reviewer",
                "cashier+approver",
                "cashier+auditor",
                "cashier+admin",
                "preparer+auditor",
                "preparer+admin",
                "reviewer+auditor",
                "reviewer+admin",
                "approver+auditor",
                "approver+admin",
                "auditor+admin",
            ]
        );
        let both = [UserRole::Reviewer, UserRole::Preparer, UserRole::Reviewer];
        assert_eq!(UserRole::of_one(&both).unwrap(), [UserRole::Preparer, UserRole::Reviewer]);
    }
}
