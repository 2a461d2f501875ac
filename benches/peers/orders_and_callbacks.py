"""PyPI's wechatpayv3 signs orders and opens the same callback, on one core.

python orders_and_callbacks.py FIXTURES
"""
import json, logging, pathlib, sys, time, unittest.mock

from wechatpayv3 import WeChatPay, WeChatPayType

fixtures = pathlib.Path(sys.argv[1])
vectors = json.loads((fixtures / "vectors/wechat.json").read_text())
notice = vectors["notices"][0]
logging.disable(logging.CRITICAL)
pay = WeChatPay(
    wechatpay_type=WeChatPayType.NATIVE,
    mchid="1900000001",
    private_key=(fixtures / "keys/wechat_merchant.pem").read_text(),
    cert_serial_no="5157F09EFDC096DE15EBE81A47057A7232F1B8E1",
    apiv3_key=(fixtures / "keys/wechat_v3_key.txt").read_text().strip(),
    appid="wx8888888888888888",
    public_key=(fixtures / "keys/wechatpay_platform_pub.pem").read_text(),
    public_key_id="PUB_KEY_ID_0114232134912410000000000000",
)


def measure(name, once):
    assert once(), name
    begin, count = time.perf_counter(), 0
    while time.perf_counter() - begin < 3:
        for _ in range(100):
            once()
        count += 100
    print(f"{name:<72} {round(count / (time.perf_counter() - begin))} a second")


with unittest.mock.patch("time.time", return_value=vectors["now"]):
    measure(
        "open a callback: WeChat Pay, peer (wechatpayv3)",
        lambda: pay.callback(notice["headers"], notice["body"]),
    )

from wechatpayv3.utils import build_authorization, load_private_key

order = vectors["requests"][0]
key = load_private_key((fixtures / "keys/wechat_merchant.pem").read_text())
fields = json.loads(order["body"])
measure(
    "place an order: WeChat Pay, APIv3, peer (wechatpayv3)",
    lambda: build_authorization(
        order["path"], "POST", "1900000001", "5157F09EFDC096DE15EBE81A47057A7232F1B8E1", key,
        data=json.dumps(fields),
    ),
)
