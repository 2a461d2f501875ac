"""PyPI `wechatpayv3` (public-key mode) against the sandbox: it signs, verifies and decrypts."""

import json
import os
import queue
import threading
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, HTTPServer

from wechatpayv3 import WeChatPay, WeChatPayType

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


def main():
    known = json.loads(urllib.request.urlopen(URL + "/sandbox/connection", timeout=10).read())
    merchant = known["wechat"][0]
    server = HTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    notify = f"http://127.0.0.1:{server.server_port}/callbacks"
    key = "".join(line for line in merchant["merchant_private_key"].splitlines() if "---" not in line)
    public = "".join(line for line in merchant["wechatpay_public_key"].splitlines() if "---" not in line)
    sdk = WeChatPay(
        wechatpay_type=WeChatPayType.NATIVE,
        mchid=merchant["mchid"],
        private_key=key,
        cert_serial_no=merchant["merchant_serial_no"],
        appid=merchant["appid"],
        apiv3_key=merchant["apiv3_key"],
        notify_url=notify,
        public_key=public,
        public_key_id=merchant["wechatpay_public_key_id"],
        timeout=(5, 30),
    )
    sdk._core._gate_way = URL

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
    print("wechatpayv3: order, query, callback, refund, refund query, close, bill: as the SDK expects")


main()
