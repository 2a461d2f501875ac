"""PyPI `wechatpayv3` against the sandbox: every product, service provider, combined orders, public key and
platform certificates. It signs, verifies and decrypts."""

import json
import os
import queue
import threading
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, HTTPServer

from unittest import mock

from wechatpayv3 import WeChatPay, WeChatPayType
from wechatpayv3.core import Core

URL = os.environ["SANDBOX_URL"]
callbacks = queue.Queue()


class Receiver(BaseHTTPRequestHandler):
    """Keeps what the sandbox posts; the SDK judges it."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        callbacks.put(({name.lower(): value for name, value in self.headers.items()}, body))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


def control(path, body):
    request = urllib.request.Request(
        URL + path, json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    return json.loads(urllib.request.urlopen(request, timeout=10).read())


def call(answer, status=200):
    code, message = answer
    assert code == status, (code, message)
    return json.loads(message) if message else None


def next_callback(sdk, event):
    headers, body = callbacks.get(timeout=10)
    told = sdk.callback(headers, body)
    assert told and told["event_type"] == event, told
    forged = body.replace(b'"summary"', b'"Summary"')
    assert sdk.callback(headers, forged) is None, "a changed body must not verify"
    return told["resource"]


def bare(pem):
    return "".join(line for line in pem.splitlines() if "---" not in line)


def client(merchant, notify, partner=False):
    """A client in the merchant's own mode: by public key, or by certificates that it fetches."""
    keys = {}
    if merchant.get("wechatpay_public_key"):
        keys["public_key"] = bare(merchant["wechatpay_public_key"])
        keys["public_key_id"] = merchant["wechatpay_public_key_id"]
    # The package would fetch certificates before its address can be set.
    with mock.patch.object(Core, "_init_certificates"):
        sdk = WeChatPay(
            wechatpay_type=WeChatPayType.NATIVE,
            mchid=merchant["mchid"],
            private_key=bare(merchant["merchant_private_key"]),
            cert_serial_no=merchant["merchant_serial_no"],
            appid=merchant["appid"],
            apiv3_key=merchant["apiv3_key"],
            notify_url=notify,
            partner_mode=partner,
            timeout=(5, 30),
            **keys,
        )
    sdk._core._gate_way = URL
    if not keys:
        sdk._core._update_certificates()
        assert sdk._core._certificates, "certificates must be there and decrypt"
    return sdk


def number(prefix):
    return f"{prefix}{os.getpid()}X{time.time_ns()}"[:32]


PRODUCTS = {
    WeChatPayType.NATIVE: ("code_url", {}),
    WeChatPayType.JSAPI: ("prepay_id", {"payer": {"openid": "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"}}),
    WeChatPayType.APP: ("prepay_id", {}),
    WeChatPayType.H5: (
        "h5_url",
        {"scene_info": {"payer_client_ip": "127.0.0.1", "h5_info": {"type": "Wap"}}},
    ),
}


def products(sdk, merchant, **more):
    """Every product, placed, paid and told of."""
    for product, (given, needs) in PRODUCTS.items():
        no = number("PR")
        order = dict(
            description="登记费", out_trade_no=no, amount={"total": 8000, "currency": "CNY"}, pay_type=product
        )
        if more and "payer" in needs:
            needs = {"payer": {"sp_openid": needs["payer"]["openid"]}}
        assert call(sdk.pay(**order, **needs, **more))[given]
        control("/sandbox/pay", {"out_trade_no": no})
        paid = next_callback(sdk, "TRANSACTION.SUCCESS")
        assert (paid["out_trade_no"], paid["amount"]["total"]) == (no, 8000), paid
        told = call(sdk.query(transaction_id=paid["transaction_id"], **more))
        assert told["trade_state"] == "SUCCESS", told


def combined(sdk, merchant, tax):
    """Fee and tax in one payment."""
    whole = number("CB")
    part = lambda payee, fen: dict(
        mchid=payee, attach="part", out_trade_no=number("CP"), description="登记费",
        amount={"total_amount": fen, "currency": "CNY"},
    )
    parts = [part(merchant["mchid"], 8000), part(tax["mchid"], 12000)]
    assert call(sdk.combine_pay(combine_out_trade_no=whole, sub_orders=parts))["code_url"]
    control("/sandbox/pay", {"out_trade_no": whole})
    paid = next_callback(sdk, "TRANSACTION.SUCCESS")
    assert [one["trade_state"] for one in paid["sub_orders"]] == ["SUCCESS", "SUCCESS"], paid
    assert len(call(sdk.combine_query(whole))["sub_orders"]) == 2
    closed = number("CC")
    parts = [part(merchant["mchid"], 1), part(tax["mchid"], 1)]
    call(sdk.combine_pay(combine_out_trade_no=closed, sub_orders=parts))
    named = [{"mchid": one["mchid"], "out_trade_no": one["out_trade_no"]} for one in parts]
    call(sdk.combine_close(closed, named), 204)


def main():
    known = json.loads(urllib.request.urlopen(URL + "/sandbox/connection", timeout=10).read())
    merchant = known["wechat"][0]
    server = HTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    notify = f"http://127.0.0.1:{server.server_port}/callbacks"
    sdk = client(merchant, notify)

    number = f"SDK{time.time_ns()}"
    order = dict(
        description="不动产登记费 (SDK)",
        out_trade_no=number,
        amount={"total": 8000, "currency": "CNY"},
        attach="园区, 一窗",
    )
    assert call(sdk.pay(**order))["code_url"].startswith("weixin://")
    assert call(sdk.pay(**order))["code_url"].startswith("weixin://"), "a repeat is fine"
    assert call(sdk.pay(**{**order, "description": "x"}), 403)["code"] == "OUT_TRADE_NO_USED"
    assert call(sdk.query(out_trade_no=number))["trade_state"] == "NOTPAY"

    control("/sandbox/pay", {"out_trade_no": number})
    paid = next_callback(sdk, "TRANSACTION.SUCCESS")
    assert (paid["out_trade_no"], paid["amount"]["total"]) == (number, 8000)
    assert call(sdk.query(out_trade_no=number)) == paid
    assert call(sdk.query(transaction_id=paid["transaction_id"])) == paid
    assert call(sdk.close(out_trade_no=number), 400)["code"] == "ORDER_PAID"

    refund = dict(
        out_trade_no=number,
        out_refund_no=f"R{number}",
        amount={"refund": 3000, "total": 8000, "currency": "CNY"},
        reason="重复缴费",
    )
    first = call(sdk.refund(**refund))
    assert first["status"] == "PROCESSING"
    assert call(sdk.refund(**refund))["refund_id"] == first["refund_id"], "one number, one refund"
    assert call(sdk.query_refund(f"R{number}"))["refund_id"] == first["refund_id"]
    assert call(sdk.query_refund("R404"), 404)["code"] == "RESOURCE_NOT_EXISTS"

    closed = f"SDC{time.time_ns()}"
    call(sdk.pay(**{**order, "out_trade_no": closed}))
    call(sdk.close(out_trade_no=closed), 204)
    assert call(sdk.query(out_trade_no=closed))["trade_state"] == "CLOSED"

    today = time.strftime("%Y-%m-%d")
    assert call(sdk.trade_bill(today), 400)["code"] == "STATEMENT_CREATING"

    control("/sandbox/faults", {"on": "answer", "operation": "query", "do": "wrong_signature", "times": 1})
    try:
        sdk.query(out_trade_no=number)
    except Exception as error:
        assert "verify" in str(error), error
    else:
        raise AssertionError("a wrong signature must not verify")
    products(sdk, merchant)
    tax = next((one for one in known["wechat"][1:] if one.get("wechatpay_public_key")), None)
    if tax:
        combined(sdk, merchant, tax)
    for sub in merchant.get("sub_merchants") or []:
        products(client(merchant, notify, partner=True), merchant, sub_mchid=sub["mchid"])
    certified = next((one for one in known["wechat"] if not one.get("wechatpay_public_key")), None)
    if certified:
        products(client(certified, notify), certified)
    assert call(sdk.fundflow_bill(today), 400)["code"] == "STATEMENT_CREATING"
    print("wechatpayv3: every product, partner, combined, certificates, order, query, callback, refund, refund query, close, bill: as the SDK expects")


main()
