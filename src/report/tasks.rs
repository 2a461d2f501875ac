//! What people have to look at (待办), in the words of the paper: an incident's kind, and what to do. Its
//! particulars are for the screen, where they are in the words of whoever wrote them.

use super::model::Report;
use super::words;

/// Something to look at.
pub(super) struct Task {
    pub(super) merchant: String,
    pub(super) at: String,
    pub(super) what: &'static str,
    pub(super) number: String,
    pub(super) action: &'static str,
}

/// Every kind of incident that finance staff meet, with its name and what to do.
const KINDS: [(&str, &str, &str); 27] = [
    ("surplus_payment", "多收款", "款项不对应任何收费，退还付款人"),
    ("late_payment", "订单关闭后到款", "款项已抵该笔收费：核实后保留或退还"),
    ("payment_taken_back", "付款已被撤回", "冲回手工入账，重新收费"),
    ("refund_abnormal", "退款异常", "付款人账户不能收款：改退其他账户或线下退付"),
    ("refund_waits_for_funds", "退款余额不足", "向商户号充值，充值后自动重发"),
    ("refund_not_at_provider", "渠道查无此退款", "向渠道客服查询"),
    ("treasury_refund_overdue", "国库退付超期", "向国库或财政部门查询"),
    ("refund_contradicts", "退款结果前后矛盾", "退款前先与渠道后台核对"),
    ("refund_amount_differs", "退款金额不符", "与渠道后台核对实退金额"),
    ("refund_unknown", "系统外退款", "在渠道后台查明何人退款"),
    ("order_unknown", "到款无对应订单", "在渠道后台查明款项归属"),
    ("amount_differs", "到款金额与订单不符", "在渠道后台退还"),
    ("merchant_differs", "通知的商户号不符", "核对商户号配置"),
    ("app_differs", "通知的应用号不符", "核对应用号配置"),
    ("currency_differs", "币种不符", "向渠道客服查询"),
    ("notice_unreadable", "通知无法读取", "保留编号，交技术处理"),
    ("notice_not_booked", "通知未能入账", "交技术处理后重放"),
    ("provider_refuses_the_hub", "渠道拒绝本系统", "交技术检查密钥、证书与权限"),
    ("bill_late", "账单迟到", "自动续取；仍无则向渠道客服查询"),
    ("bill_damaged", "账单损坏", "向渠道索取完整账单"),
    ("bill_changed", "账单内容变更", "比较前后两版，向渠道查询原因"),
    ("settlement_late", "逾期未到账", "补交银行对账单，仍无则向渠道查询"),
    ("settlement_short", "到账不足", "与资金账单核对，由两人确认"),
    ("settlement_over", "到账多出", "查明多出款项归属，由两人确认"),
    ("fee_taken_from_principal", "手续费从本金扣收", "要求渠道另行收费并补回本金"),
    ("settlement_changed", "应到账金额变更", "比较两版账单"),
    ("journal_broken", "账簿校验不符", "交技术核查账簿，该商户收退款暂停"),
];

/// What is open, merchant by merchant, the oldest first.
pub(super) fn tasks(report: &Report) -> Vec<Task> {
    let known = report.merchants.iter().filter_map(|day| {
        let office = day.papers.as_ref()?.office.as_ref()?;
        Some(office.tasks.iter().map(move |task| (day, task)))
    });
    let task = |(day, task): (&super::MerchantDay, &super::TaskPaper)| {
        let known = KINDS.iter().find(|(kind, ..)| *kind == task.kind);
        let (what, action) =
            known.map_or(("其他事项", "查明原因"), |(_, what, to_do)| (*what, *to_do));
        Task {
            merchant: words::name(day),
            at: words::when(task.opened_at),
            what,
            number: task.number.clone().unwrap_or_default(),
            action,
        }
    };
    known.flatten().map(task).collect()
}
