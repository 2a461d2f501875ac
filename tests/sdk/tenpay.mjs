// npm `tenpay` against the sandbox: WeChat Pay's old interface (XML), MD5 and HMAC-SHA256. It checks
// the signature of every answer, and of notices through its middleware.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { connection, control, number, receiver, url } from './sandbox.mjs';

const require = createRequire(import.meta.url);
const Tenpay = require('tenpay');

const ACK = '<xml><return_code><![CDATA[SUCCESS]]></return_code><return_msg><![CDATA[OK]]></return_msg></xml>';
const known = await connection();
const merchant = known.wechat.find(one => one.api_key);
const inbox = await receiver(ACK, 'text/xml');
const sdk = new Tenpay({
  appid: merchant.appid,
  mchid: merchant.mchid,
  partnerKey: merchant.api_key,
  notify_url: inbox.url,
  refund_url: inbox.url,
  spbill_create_ip: '127.0.0.1',
});
for (const [name, address] of Object.entries(sdk.urls)) {
  sdk.urls[name] = address.replace('https://api.mch.weixin.qq.com', url);
}

// What the package makes of a payment notice: it, or nothing. Its middleware takes a notice without
// `sign_type` for MD5, so the algorithm of the order is named here.
async function opened(body, sign_type) {
  return sdk._parse(body, 'middleware_pay', sign_type).catch(() => undefined);
}

const refused = (code, call) => assert.rejects(call, error => error.message === code || assert.fail(`${error.message} instead of ${code}`));

async function paidOrder(trade_type, sign_type, more = {}) {
  const order = {
    out_trade_no: number('TP'), body: '不动产登记费 <&> + SDK', total_fee: 8000, trade_type, sign_type, ...more,
  };
  const placed = await sdk.unifiedOrder(order);
  assert.equal(placed.trade_type, trade_type);
  assert.ok(placed.prepay_id, 'every product has a prepay_id');
  assert.equal((await sdk.orderQuery({ out_trade_no: order.out_trade_no, sign_type })).trade_state, 'NOTPAY');
  await refused('OUT_TRADE_NO_USED', sdk.unifiedOrder({ ...order, total_fee: 8001 }));
  await control('/sandbox/pay', { out_trade_no: order.out_trade_no, merchant: merchant.mchid });
  const { body } = await inbox.next();
  const notice = await opened(body, sign_type);
  assert.equal(notice?.out_trade_no, order.out_trade_no, 'the notice must verify');
  assert.equal(notice.total_fee, '8000');
  assert.equal(await opened(body.replace('8000', '8001'), sign_type), undefined, 'a changed one must not');
  const told = await sdk.orderQuery({ transaction_id: notice.transaction_id, sign_type });
  assert.equal(told.trade_state, 'SUCCESS');
  assert.equal(told.out_trade_no, order.out_trade_no);
  return { order, placed, told };
}

for (const sign_type of ['MD5', 'HMAC-SHA256']) {
  const native = await paidOrder('NATIVE', sign_type, { product_id: 'fee' });
  assert.match(native.placed.code_url, /^weixin:\/\//);
  const jsapi = await paidOrder('JSAPI', sign_type, { openid: 'oUpF8uMuAJO_M2pxb1Q9zNjWeS6o' });
  const params = sdk.getPayParamsByPrepay({ prepay_id: jsapi.placed.prepay_id }, sign_type);
  assert.equal(params.package, `prepay_id=${jsapi.placed.prepay_id}`);
  await paidOrder('APP', sign_type);
  const h5 = await paidOrder('MWEB', sign_type, { scene_info: '{"h5_info":{"type":"Wap"}}' });
  assert.match(h5.placed.mweb_url, /^https?:\/\//);

  const { order } = native;
  const refund = {
    out_trade_no: order.out_trade_no, out_refund_no: number('RF'), total_fee: 8000, refund_fee: 3000, sign_type,
  };
  const first = await sdk.refund(refund);
  assert.equal((await sdk.refund(refund)).refund_id, first.refund_id, 'one number, one refund');
  const asked = await sdk.refundQuery({ out_refund_no: refund.out_refund_no, sign_type });
  assert.equal(asked.refund_id_0, first.refund_id);
  assert.equal(asked.refund_fee_0, '3000');
  await refused('ORDERPAID', sdk.closeOrder({ out_trade_no: order.out_trade_no, sign_type }));

  const closed = { out_trade_no: number('TC'), body: '登记费', total_fee: 100, trade_type: 'NATIVE', product_id: 'fee', sign_type };
  await sdk.unifiedOrder(closed);
  await sdk.closeOrder({ out_trade_no: closed.out_trade_no, sign_type });
  assert.equal((await sdk.orderQuery({ out_trade_no: closed.out_trade_no, sign_type })).trade_state, 'CLOSED');
  await refused('ORDERNOTEXIST', sdk.orderQuery({ out_trade_no: 'TP404', sign_type }));

  const scanned = await sdk.micropay({ out_trade_no: number('MP'), body: '登记费', total_fee: 100, auth_code: '130000000000000088', sign_type });
  assert.equal(scanned.trade_type, 'MICROPAY');
  assert.ok(scanned.transaction_id);
}

await assert.rejects(sdk.downloadBill({ bill_date: new Date().toISOString().slice(0, 10).replaceAll('-', '') }));
sdk.partnerKey = '0'.repeat(32);
await assert.rejects(sdk.orderQuery({ out_trade_no: 'TP404' }), 'another key must not verify');
inbox.close();
console.log('tenpay: native, jsapi, app, h5, micropay, notices, refund, queries, close, MD5 and HMAC-SHA256: as the SDK expects');
