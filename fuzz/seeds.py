"""Writes what the targets start from into a folder a target: the project's own vectors and bills."""
import gzip, json, pathlib, sys, urllib.parse, xml.etree.ElementTree as xml

root = pathlib.Path(__file__).resolve().parent.parent
out = pathlib.Path(sys.argv[1])


def seed(target, name, data):
    folder = out / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)


def vectors(name):
    return json.loads((root / f"fixtures/vectors/{name}.json").read_text())


def lines(pairs):
    return "\n".join(f"{name}={value}" for name, value in pairs).encode()


def text(value):
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def answers(name, body, ways):
    """An answer to every call, in each way of the target."""
    for way in ways:
        for call in range(11):
            seed("answers", f"{name}-{way}-{call}", bytes([way, call]) + body)


def notices(provider, ways):
    for number, notice in enumerate(vectors(provider)["notices"]):
        body = notice["body"].encode()
        for way in ways:
            seed("notices", f"{provider}{number}-{way}", bytes([way]) + body)
        if notice.get("plaintext") is not None:
            plain = text(notice["plaintext"]).encode()
            for way in (2, 3, 7):
                seed("notices", f"{provider}{number}-plain-{way}", bytes([way]) + plain)
        if provider == "alipay":
            pairs = lines(urllib.parse.parse_qsl(body.decode(), keep_blank_values=True))
            for way in (5, 6):
                seed("notices", f"{provider}{number}-pairs-{way}", bytes([way]) + pairs)


ORDER = "P0187A5C3E4D7F3A9B2C1D0E4F5A6B7C"
PART = {"mchid": "1900000002", "out_trade_no": ORDER, "transaction_id": "42000000000000000000000001",
        "trade_state": "SUCCESS", "trade_type": "NATIVE", "success_time": "2018-11-30T08:59:58+08:00",
        "amount": {"total_amount": 8000, "payer_amount": 7900, "currency": "CNY"}}
COMBINED = json.dumps({"combine_appid": "wx8888888888888888", "combine_mchid": "1900000001",
                       "combine_out_trade_no": ORDER,
                       "sub_orders": [PART, {**PART, "out_trade_no": ORDER[:-1] + "D"}]}).encode()
NODES = [
    {"trade_no": "2018113022001400000000000001", "out_trade_no": ORDER, "trade_status": "TRADE_SUCCESS",
     "total_amount": "80.00", "buyer_pay_amount": "79.00", "send_pay_date": "2018-11-30 08:59:58",
     "gmt_payment": "2018-11-30 08:59:58", "retry_flag": "N", "action": "close", "fund_change": "Y",
     "refund_fee": "30.00", "refund_amount": "30.00", "out_request_no": "R" + ORDER[1:],
     "refund_status": "REFUND_SUCCESS", "gmt_refund_pay": "2018-11-30 09:00:00",
     "bill_download_url": "https://dwbillcenter.alipay.com/x"},
    {"alipay_cert_content": ""},
]

notices("wechat", (0, 1, 7))
notices("alipay", (4,))
seed("notices", "combined", b"\x02" + COMBINED)
for provider, raw, node in (("wechat", (0, 2), ()), ("alipay", (4,), (5, 6, 7))):
    for number, answer in enumerate(vectors(provider)["answers"]):
        body = answer["body"].encode()
        answers(f"{provider}{number}", body, raw)
        if node:
            inner = next(value for name, value in json.loads(body).items() if name != "sign")
            answers(f"{provider}{number}-node", json.dumps(inner).encode(), node)
answers("certificates", vectors("wechat_products")["certificates"]["body"].encode(), (0, 2))
answers("combined", COMBINED, (0, 2))
for code in ("ORDER_NOT_EXIST", "RESOURCE_NOT_EXISTS", "ORDER_PAID", "NO_STATEMENT_EXIST"):
    answers(code, json.dumps({"code": code, "message": "?"}).encode(), (0 + 3 * 8, 0 + 5 * 8))
for number, node in enumerate(NODES):
    answers(f"node{number}", json.dumps({"code": "10000", "msg": "Success", **node}).encode(), (5, 6, 7))
for sub_code in ("ACQ.TRADE_NOT_EXIST", "ACQ.TRADE_HAS_SUCCESS", "isp.bill_not_exist"):
    node = {"code": "40004", "msg": "Business Failed", "sub_code": sub_code}
    answers(sub_code, json.dumps(node).encode(), (5, 6, 7))

REFUND = ("<root><out_refund_no>R0187A5C3E4D7F3A9B2C1D0E4F5A6B7C</out_refund_no><out_trade_no>" + ORDER
          + "</out_trade_no><refund_fee>3000</refund_fee><refund_status>SUCCESS</refund_status></root>")
SAID = [("return_code", "SUCCESS"), ("result_code", "SUCCESS"), ("mch_id", "1900000001"),
        ("appid", "wx8888888888888888"), ("out_trade_no", ORDER), ("total_fee", "8000"),
        ("cash_fee", "7900"), ("transaction_id", "4200000000000000000000000001"),
        ("time_end", "20181130085958"), ("trade_state", "SUCCESS"), ("recall", "N"),
        ("code_url", "weixin://wxpay/bizpayurl?pr=x"), ("prepay_id", "wx1"), ("mweb_url", "https://x/?a=1"),
        ("out_refund_no", "R" + ORDER[1:]), ("refund_id", "50000000000000000000000001"),
        ("refund_fee", "3000"), ("out_refund_no_0", "R" + ORDER[1:]), ("refund_status_0", "SUCCESS"),
        ("refund_id_0", "50000000000000000000000001"), ("refund_fee_0", "3000"),
        ("refund_success_time_0", "2018-11-30 09:00:00")]
for call in range(0, 55):
    for way in (1, 4, 12, 6):
        seed("xml", f"said-{way}-{call}", bytes([way, call]) + lines(SAID))
    failed = [*SAID[:1], ("result_code", "FAIL"), ("err_code", "USERPAYING"), *SAID[2:]]
    seed("xml", f"failed-{call}", bytes([4, call]) + lines(failed))
for number, notice in enumerate(vectors("wechat_v2")["notices"]):
    body = notice["body"].encode()
    for way in (0, 1, 8, 9):
        seed("xml", f"notice{number}-{way}", bytes([way, 0]) + body)
    fields = lines((field.tag, field.text or "") for field in xml.fromstring(notice["body"]))
    for way in (2, 6, 10, 14):
        seed("xml", f"notice{number}-pairs-{way}", bytes([way, 0]) + fields)
for way in (0, 7, 15):
    seed("xml", f"refund-{way}", bytes([way, 0]) + REFUND.encode())
for code in ("20002", "20001"):
    said = f"<xml><return_code>FAIL</return_code><return_msg>No Bill Exist</return_msg><error_code>{code}</error_code></xml>"
    seed("xml", f"bill-{code}", bytes([1, 5]) + said.encode())

FLOWS = {
    "wechat": "记账时间,微信支付业务单号,资金流水单号,业务名称,业务类型,收支类型,收支金额(元),账户结余(元),资金变更提交申请人,备注,业务凭证号\r\n"
              "`2018-11-30 09:00:00,`1,`2,`交易,`交易,`收入,`80.00,`80.00,`system,`,`3\r\n"
              "资金流水总笔数,收入笔数,收入金额,支出笔数,支出金额\r\n`1,`1,`80.00,`0,`0.00\r\n",
    "alipay": "#支付宝账务明细查询\r\n账务流水号,业务流水号,商户订单号,商品名称,发生时间,对方账号,收入金额（+元）,支出金额（-元）,账户余额（元）,交易渠道,业务类型,备注\r\n"
              "1,2,3,x,2018-11-30 09:00:00,a,80.00,,80.00,x,交易,\r\n"
              "#支出合计：0笔，共-0.00元\r\n#收入合计：1笔，共80.00元\r\n",
}
for bill in (root / "fixtures/reconciliation").glob("*/bill.*"):
    seed("bills", bill.parent.name + bill.suffix, bill.read_bytes())
    seed("bills", bill.parent.name + ".gz", gzip.compress(bill.read_bytes()))
    if bill.parent.name.startswith("wechat"):
        seed("xml", bill.parent.name, bytes([1, 5]) + bill.read_bytes())
for name, flow in FLOWS.items():
    seed("bills", f"{name}-flow", flow.encode())
    seed("bills", f"{name}-flow-gbk", flow.encode("gb18030"))
