"""PyPI `python-alipay-sdk` against the sandbox: key mode, certificate mode, and for a third party."""

import json
import os
import queue
import threading
import time
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler, HTTPServer

from alipay import AliPay, DCAliPay, ISVAliPay

URL = os.environ["SANDBOX_URL"]
notices = queue.Queue()


class Receiver(BaseHTTPRequestHandler):
    """Keeps what the sandbox posts; the SDK judges it."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        notices.put(dict(urllib.parse.parse_qsl(body)))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"success")

    def log_message(self, *_):
        pass


def control(path, body):
    request = urllib.request.Request(
        URL + path, json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    return json.loads(urllib.request.urlopen(request, timeout=10).read())


def number(prefix):
    return f"{prefix}{os.getpid()}X{time.time_ns()}"


def verified(sdk, out_trade_no):
    notice = notices.get(timeout=10)
    sign = notice.pop("sign")
    assert sdk.verify(dict(notice), sign), "the notice must verify"
    assert not sdk.verify({**notice, "total_amount": "8000.00"}, sign), "a changed one must not"
    assert notice["out_trade_no"] == out_trade_no, notice
    return notice


def day(name, sdk, gateway):
    sdk._gateway = gateway
    order = number("PY")
    placed = sdk.api_alipay_trade_precreate(
        subject="不动产登记费", out_trade_no=order, total_amount="80.00"
    )
    assert placed["code"] == "10000" and placed["qr_code"], placed
    control("/sandbox/pay", {"out_trade_no": order})
    paid = verified(sdk, order)
    assert paid["trade_status"] == "TRADE_SUCCESS"
    told = sdk.api_alipay_trade_query(trade_no=paid["trade_no"])
    assert (told["trade_status"], told["out_trade_no"]) == ("TRADE_SUCCESS", order), told
    refunded = sdk.api_alipay_trade_refund(
        refund_amount="30.00", out_trade_no=order, out_request_no="R1"
    )
    assert refunded["fund_change"] == "Y", refunded
    verified(sdk, order)
    asked = sdk.api_alipay_trade_fastpay_refund_query("R1", out_trade_no=order)
    assert asked["refund_status"] == "REFUND_SUCCESS", asked

    # The package's own product code of wap payments is not the one in Alipay's documents.
    for page, product in (
        (sdk.api_alipay_trade_page_pay, "FAST_INSTANT_TRADE_PAY"),
        (sdk.api_alipay_trade_wap_pay, "QUICK_WAP_WAY"),
    ):
        order = number("PP")
        query = page(
            subject="登记费", out_trade_no=order, total_amount="80.00", product_code=product
        )
        with urllib.request.urlopen(f"{gateway}?{query}", timeout=10) as cashier:
            assert order in cashier.read().decode()
        control("/sandbox/pay", {"out_trade_no": order})
        verified(sdk, order)
    order = number("PA")
    order_string = sdk.api_alipay_trade_app_pay(
        subject="登记费", out_trade_no=order, total_amount="80.00"
    )
    wallet = control("/sandbox/alipay/app-pay", {"order_string": order_string})
    assert wallet["resultStatus"] == "9000", wallet
    verified(sdk, order)

    order = number("PB")
    scanned = sdk.api_alipay_trade_pay(
        out_trade_no=order,
        scene="bar_code",
        auth_code=f"28{time.time_ns() % 10**12:012}56",
        subject="登记费",
        total_amount="80.00",
    )
    assert scanned["code"] == "10000", scanned
    verified(sdk, order)
    missing = sdk.api_alipay_trade_close(out_trade_no="PY404")
    assert missing["sub_code"] == "ACQ.TRADE_NOT_EXIST", missing
    print(f"python-alipay-sdk, {name}: as the SDK expects")


def main():
    known = json.loads(urllib.request.urlopen(URL + "/sandbox/connection", timeout=10).read())
    server = HTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    notify = f"http://127.0.0.1:{server.server_port}/callbacks"
    app = known["alipay"][0]
    keys = {
        "appid": app["app_id"],
        "app_notify_url": notify,
        "app_private_key_string": app["app_private_key"],
        "alipay_public_key_string": app["alipay_public_key"],
    }
    day("key mode", AliPay(**keys), app["gateway_url"])
    for token in app.get("app_auth_tokens") or {}:
        day("for a third party", ISVAliPay(**keys, app_auth_token=token), app["gateway_url"])
    certified = next((one for one in known["alipay"] if one.get("app_cert")), None)
    if certified:
        sdk = DCAliPay(
            appid=certified["app_id"],
            app_notify_url=notify,
            app_private_key_string=certified["app_private_key"],
            app_public_key_cert_string=certified["app_cert"],
            alipay_public_key_cert_string=certified["alipay_cert"],
            alipay_root_cert_string=certified["alipay_root_cert"],
        )
        day("certificate mode", sdk, certified["gateway_url"])


main()
