// The providers' own packages for Node sign the same orders and open the same callbacks, on one core:
// verify and decrypt for WeChat Pay (wechatpay-axios-plugin), verify and decode for Alipay (alipay-sdk).
//   node orders_and_callbacks.mjs FIXTURES
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
const require = createRequire(process.cwd() + "/");
const { Rsa, Aes, Formatter, Hash, Transformer } = require("wechatpay-axios-plugin");
const { AlipaySdk } = require("alipay-sdk");

const fixtures = process.argv[2];
const read = (path) => readFileSync(`${fixtures}/${path}`, "utf8");
const order = (name) => JSON.parse(read(`vectors/${name}.json`)).requests[0];
const first = (name) => JSON.parse(read(`vectors/${name}.json`)).notices[0];

function measure(name, once) {
  if (!once()) throw new Error(`${name}: the vector does not open`);
  for (let warm = 0; warm < 2000; warm += 1) once();
  const begin = process.hrtime.bigint();
  let count = 0;
  let seconds = 0;
  while (seconds < 3) {
    for (let again = 0; again < 200; again += 1) once();
    count += 200;
    seconds = Number(process.hrtime.bigint() - begin) / 1e9;
  }
  console.log(`${name.padEnd(72)} ${Math.round(count / seconds)} a second`);
}

const wechat = first("wechat");
const header = (name) =>
  Object.entries(wechat.headers).find(([key]) => key.toLowerCase() === name)[1];
const platform = Rsa.from ? Rsa.from(read("keys/wechatpay_platform_pub.pem"), Rsa.KEY_TYPE_PUBLIC) : read("keys/wechatpay_platform_pub.pem");
const v3Key = read("keys/wechat_v3_key.txt").trim();
measure("open a callback: WeChat Pay, peer (wechatpay-axios-plugin)", () => {
  const message = Formatter.joinedByLineFeed(
    header("wechatpay-timestamp"), header("wechatpay-nonce"), wechat.body);
  if (!Rsa.verify(message, header("wechatpay-signature"), platform)) return false;
  const { resource } = JSON.parse(wechat.body);
  const text = Aes.AesGcm.decrypt(
    resource.ciphertext, v3Key, resource.nonce, resource.associated_data);
  return JSON.parse(text).trade_state === "SUCCESS";
});

const alipay = first("alipay");
const sdk = new AlipaySdk({
  appId: "2021000000000000",
  privateKey: read("keys/alipay_app.pem"),
  alipayPublicKey: read("keys/alipay_platform_pub.pem"),
  keyType: "PKCS8",
});
measure("open a callback: Alipay, peer (alipay-sdk)", () =>
  sdk.checkNotifySignV2(Object.fromEntries(new URLSearchParams(alipay.body))));

// Building and signing, without sending.
const v3 = order("wechat");
const merchant = Rsa.from ? Rsa.from(read("keys/wechat_merchant.pem"), Rsa.KEY_TYPE_PRIVATE) : read("keys/wechat_merchant.pem");
const v3Fields = JSON.parse(v3.body);
measure("place an order: WeChat Pay, APIv3, peer (wechatpay-axios-plugin)", () => {
  const body = JSON.stringify(v3Fields);
  const [nonce, time] = [Formatter.nonce(), Formatter.timestamp()];
  const sign = Rsa.sign(Formatter.request("POST", v3.path, time, nonce, body), merchant);
  return Formatter.authorization("1900000001", nonce, sign, time, "5157F09EFDC096DE15EBE81A47057A7232F1B8E1").length > 300;
});
const v2 = Object.fromEntries(Object.entries(order("wechat_v2").fields).filter(([name]) => name !== "sign"));
const v2Key = JSON.parse(read("vectors/wechat_v2.json")).api_key;
for (const [type, word] of [["MD5", "MD5"], ["HMAC-SHA256", "HMAC-SHA256"]]) {
  measure(`place an order: WeChat Pay v2, ${word}, peer (wechatpay-axios-plugin)`, () => {
    const fields = { ...v2, sign_type: type };
    fields.sign = Hash.sign(type, fields, v2Key);
    return Transformer.toXml(fields).length > 300;
  });
}
const biz = JSON.parse(order("alipay").parameters.biz_content);
measure("place an order: Alipay, peer (alipay-sdk)", () =>
  sdk.sdkExecute("alipay.trade.precreate", { notify_url: "https://pay.example.cn/callbacks/registry", bizContent: biz }).length > 300);
