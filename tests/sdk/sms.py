"""PyPI `alibabacloud_dysmsapi20170525` against the sandbox: a message, its details, a wrong secret."""

import json
import os
import time
import urllib.request

from alibabacloud_dysmsapi20170525 import models
from alibabacloud_dysmsapi20170525.client import Client
from alibabacloud_tea_openapi.models import Config
from alibabacloud_tea_util.models import RuntimeOptions

URL = os.environ["SANDBOX_URL"]


def client(key, secret):
    endpoint = URL.removeprefix("http://")
    return Client(
        Config(access_key_id=key, access_key_secret=secret, endpoint=endpoint, protocol="http")
    )


def main():
    known = json.loads(urllib.request.urlopen(URL + "/sandbox/connection", timeout=10).read())
    account = known["aliyun_sms"][0]
    key, secret = account["access_key_id"], account["access_key_secret"]
    runtime = RuntimeOptions(autoretry=False)
    number = f"ntf{time.time_ns()}"
    message = models.SendSmsRequest(
        phone_numbers="13800000000",
        sign_name="园区 不动产",
        template_code="SMS_1",
        template_param=json.dumps({"amount": "80.00 元", "case": "a+b&c*~"}, ensure_ascii=False),
        out_id=number,
    )
    sent = client(key, secret).send_sms_with_options(message, runtime).body
    assert sent.code == "OK", sent
    query = models.QuerySendDetailsRequest(
        phone_number="13800000000",
        send_date=time.strftime("%Y%m%d"),
        page_size=50,
        current_page=1,
        biz_id=sent.biz_id,
    )
    details = client(key, secret).query_send_details_with_options(query, runtime).body
    found = details.sms_send_detail_dtos.sms_send_detail_dto
    assert [row.out_id for row in found] == [number], found
    try:
        client(key, "wrong").send_sms_with_options(message, runtime)
    except Exception as error:
        assert "SignatureDoesNotMatch" in str(error), error
    else:
        raise AssertionError("a wrong secret must be refused")
    print("alibabacloud_dysmsapi20170525: send and query: as the SDK expects")


main()
