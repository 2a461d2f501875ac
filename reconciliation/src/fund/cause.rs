//! Why a row of the trade bill and the account's changes disagree (L2), and what is proposed.

use serde::{Deserialize, Serialize};

/// What lies behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FundCause {
    /// The trade bill lists it, and no money moved.
    MissingInFlow,
    /// Money moved for a payment or refund that no trade bill lists.
    MissingInTrade,
    /// Both have it, with different amounts.
    AmountUnequal,
    /// A charge was taken from the principal: what came in gross did not arrive gross.
    NetSettled,
    /// A change that is neither trade, charge, withdrawal nor top-up.
    Unexplained,
    /// A row's balance does not go on from the one before it.
    BalanceGap,
    /// The day does not begin with the balance with which the day before ended.
    OpeningGap,
    /// A refund was accepted, and its money has not moved yet.
    RefundMovesLater,
    /// A refund's money moved on another day than that of its acceptance.
    RefundOfAnotherDay,
    /// It happened near midnight: the other bill may have it on the neighbouring day.
    NearCut,
}

impl FundCause {
    /// Its word in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MissingInFlow => "missing_in_flow",
            Self::MissingInTrade => "missing_in_trade",
            Self::AmountUnequal => "amount_unequal",
            Self::NetSettled => "net_settled",
            Self::Unexplained => "unexplained",
            Self::BalanceGap => "balance_gap",
            Self::OpeningGap => "opening_gap",
            Self::RefundMovesLater => "refund_moves_later",
            Self::RefundOfAnotherDay => "refund_of_another_day",
            Self::NearCut => "near_cut",
        }
    }

    /// For a report.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::MissingInFlow => "交易账单有，资金账单无：款项未入账或未付出",
            Self::MissingInTrade => "资金账单有，交易账单无：资金变动没有交易依据",
            Self::AmountUnequal => "两份账单金额不同",
            Self::NetSettled => "手续费从本金中扣除：款项未全额到账",
            Self::Unexplained => "既非交易、手续费，也非提现、充值的资金变动",
            Self::BalanceGap => "账户结余与上一笔不连续",
            Self::OpeningGap => "期初余额与前一日期末余额不一致",
            Self::RefundMovesLater => "退款已受理，资金尚未付出",
            Self::RefundOfAnotherDay => "退款资金已付出，受理在其他日期",
            Self::NearCut => "发生在日切（零点）前后十分钟内，可能记入相邻一日",
        }
    }

    /// What is proposed, for a report.
    #[must_use]
    pub const fn action(self) -> &'static str {
        match self {
            Self::MissingInFlow => "向渠道查询该笔资金去向，要求补记",
            Self::MissingInTrade => "核对相邻日交易账单；仍无依据的，请渠道书面说明",
            Self::AmountUnequal => "核对结算金额与优惠，请渠道说明差额",
            Self::NetSettled => "非税资金应全额到账：要求渠道退还，改由手续费账户扣收",
            Self::Unexplained => "向渠道查明用途并取得凭证",
            Self::BalanceGap | Self::OpeningGap => {
                "重新下载资金账单；仍不连续的，向渠道索取完整流水"
            }
            Self::RefundMovesLater | Self::RefundOfAnotherDay | Self::NearCut => {
                "等待下一份账单再核对"
            }
        }
    }

    /// What a doubt is once the files that could clear it have come.
    pub(super) const fn promoted(self, is_in_trade: bool) -> Self {
        match self {
            Self::RefundMovesLater => Self::MissingInFlow,
            Self::RefundOfAnotherDay => Self::MissingInTrade,
            Self::NearCut if is_in_trade => Self::MissingInFlow,
            Self::NearCut => Self::MissingInTrade,
            Self::MissingInFlow
            | Self::MissingInTrade
            | Self::AmountUnequal
            | Self::NetSettled
            | Self::Unexplained
            | Self::BalanceGap
            | Self::OpeningGap => self,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_is_that_of_json() {
        for cause in [
            FundCause::MissingInFlow,
            FundCause::MissingInTrade,
            FundCause::AmountUnequal,
            FundCause::NetSettled,
            FundCause::Unexplained,
            FundCause::BalanceGap,
            FundCause::OpeningGap,
            FundCause::RefundMovesLater,
            FundCause::RefundOfAnotherDay,
            FundCause::NearCut,
        ] {
            assert_eq!(serde_json::to_value(cause).unwrap(), cause.as_str());
        }
    }
}
