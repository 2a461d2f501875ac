// The providers' own packages for Node open the same callbacks, on one core: verify and decrypt for
// WeChat Pay (wechatpay-axios-plugin), verify and decode for Alipay (alipay-sdk).
//   node callback.mjs FIXTURES
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
const require = createRequire(process.cwd() + "/");
const { Rsa, Aes, Formatter } = require("wechatpay-axios-plugin");
const { AlipaySdk } = require("alipay-sdk");

const fixtures = process.argv[2];
const read = (path) => readFileSync(`${fixtures}/${path}`, "utf8");
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
  console.log(`${name.padEnd(60)} ${Math.round(count / seconds)} a second`);
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
