//! The Chinese words of a report, defined once. Codes and APIs use the neutral English ones.

use domain::bill::{BillState, Direction};

use crate::finding::{Action, Cause, Kind, Owner};
use crate::ledger::LedgerState;

/// 支付 or 退款.
#[must_use]
pub const fn direction(direction: Direction) -> &'static str {
    match direction {
        Direction::Payment => "支付",
        Direction::Refund => "退款",
    }
}

/// A kind's name on a report: which side has it.
#[must_use]
pub const fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::OnlyInHub => "系统有，账单无",
        Kind::OnlyInBill => "账单有，系统无",
        Kind::DuplicateInBill => "账单重复",
        Kind::AmountDiffers => "金额不符",
        Kind::StateDiffers => "状态不符",
        Kind::FeeDiffers => "手续费不符",
    }
}

/// How a row of the ledger stands.
#[must_use]
pub const fn hub_state(state: LedgerState) -> &'static str {
    match state {
        LedgerState::Pending => "待支付",
        LedgerState::Closed => "已关闭",
        LedgerState::Paid => "已支付",
        LedgerState::Processing => "退款处理中",
        LedgerState::Succeeded => "已退款",
        LedgerState::Failed => "退款失败",
    }
}

/// How a row of the bill stands.
#[must_use]
pub const fn bill_state(direction: Direction, state: BillState) -> &'static str {
    match (direction, state) {
        (Direction::Payment, BillState::Succeeded) => "已支付",
        (Direction::Payment, BillState::Processing) => "处理中",
        (Direction::Payment, BillState::Failed) => "已撤销",
        (Direction::Refund, BillState::Succeeded) => "已退款",
        (Direction::Refund, BillState::Processing) => "退款处理中",
        (Direction::Refund, BillState::Failed) => "退款未成功",
    }
}

/// Why it probably came to be.
#[must_use]
pub const fn cause(cause: Cause) -> &'static str {
    match cause {
        Cause::PaymentMissingInBill => {
            "系统记为已付，渠道账单没有：可能误记为已付，或收款商户号有误"
        }
        Cause::PaymentForeign => {
            "渠道收了款，系统没有这笔订单：可能是其他系统或测试环境共用商户号，或在渠道后台手工收款"
        }
        Cause::SecondPayment => {
            "同一订单系统已有付款，渠道又收了一笔：付款人重复支付，或线上线下各付一次"
        }
        Cause::NumberDiffers => "同一渠道交易号在两边对应不同的订单号：可能记错了订单",
        Cause::CallbackLost => "渠道已收款，系统仍待支付：支付通知丢失",
        Cause::PaidAfterClose => "订单关闭后付款人才完成支付",
        Cause::PaymentRevoked => "渠道已撤销这笔支付，款项已退回付款人",
        Cause::AmountUnequal => "两边金额不同：可能元分换算有误、使用了优惠，或数据被改动",
        Cause::DiscountExplains => "两边相差正好是账单所列优惠：系统记了优惠后的金额",
        Cause::RefundMissingInBill => {
            "系统记了退款，渠道账单没有：可能退款未被受理，或记入其他日期"
        }
        Cause::RefundByHand => "渠道退了款，系统没有这笔退款：多为在渠道后台手工退款",
        Cause::RefundNotCovered => {
            "经查询确在渠道后台退款，但系统账承接不了：可退余额不足（另有退款或已缴库），或退款单号已被占用"
        }
        Cause::RefundNoticeLost => "渠道已退款，系统仍在处理中：退款通知丢失",
        Cause::RefundNotDone => "渠道退款未成功：可能付款人账户异常",
        Cause::RefundDoneAfterAll => "系统记为退款失败，渠道却已受理或已退款",
        Cause::RefundAmountUnequal => "两边退款金额不同：可能元分换算有误，或在渠道后台改过金额",
        Cause::RateUnequal => "手续费与费率不符：可能签约费率有误，或优惠费率未生效",
        Cause::ListedTwice => "账单把同一笔列了两次：渠道出账重复",
        Cause::NearCut => "发生在日切（零点）前后十分钟内，可能记入相邻一日的账单",
        Cause::RefundUnderWay => "退款已受理，仍在处理中",
        Cause::BillOmits => "经查询渠道确认已完成，渠道账单漏列",
        Cause::DoneNotBooked => "经查询渠道确认已完成，系统尚未入账",
        Cause::ProvedUnpaid => "经查询渠道确认未支付，系统误记为已付",
        Cause::BillContradicted => "渠道的查询结果与其账单矛盾",
    }
}

/// What is proposed to be done about it.
#[must_use]
pub const fn action(action: Action) -> &'static str {
    match action {
        Action::QueryThenReverse => {
            "向渠道查询该订单；若确未支付，冻结对应缴费并提请冲正（两人复核）"
        }
        Action::QueryThenRecord => "向渠道查询该订单；确认已付后补单入账，并通知缴款人",
        Action::FindOwner => "查明款项归属后处理；不得据此自动生成应收",
        Action::HoldAndCompare => "暂停该笔缴费结算，核对订单金额与优惠列，并向渠道核实",
        Action::QueryRefund => "向渠道查询该退款，按查询结果更新",
        Action::RecordRefund => "向渠道查询该退款；确属后台退款的，补记退款并办理票据冲红",
        Action::FindRefunder => "查明何人在渠道后台退款；撤回重复的退款，或就已缴库的部分办理更正",
        Action::RedoRefund => "按退款异常处理：联系付款人，改退其他账户或重新发起",
        Action::ClaimCharge => "核对签约费率，向渠道申请退还或补扣差额",
        Action::CountOnce => "只认一笔，另一笔向渠道核实",
        Action::AwaitNextFile => "等待下一份账单再核对",
        Action::ProposeRefund => "核实后对后付的一笔提请退款（两人复核），并告知付款人",
        Action::BookGross => "按订单全额更正系统金额，优惠另记，再行结算",
        Action::AskForBill => "系统账不动，向渠道索取更正后的账单",
        Action::BookProved => "按查询结果补记入账；属退款的同时办理票据冲红",
        Action::Reverse => "冻结对应缴费并提请冲正（两人复核）",
        Action::HoldAndAsk => "暂不入账，请渠道书面说明以何者为准",
    }
}

/// Whose desk it is on.
#[must_use]
pub const fn owner(owner: Owner) -> &'static str {
    match owner {
        Owner::System => "系统自动处理",
        Owner::Finance => "财务",
        Owner::FinanceAndEngineers => "财务会同技术",
    }
}
