// npm `alipay-sdk` against the sandbox: it signs requests and verifies answers and notices.

import assert from 'node:assert/strict';
import http from 'node:http';
import { AlipaySdk } from 'alipay-sdk';

const url = process.env.SANDBOX_URL;

async function control(path, body) {
  const answer = await fetch(url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  assert.equal(answer.status, 200, await answer.clone().text());
  return answer.json();
}

const notices = [];
let arrived = () => {};
const receiver = http.createServer((request, response) => {
  const chunks = [];
  request.on('data', chunk => chunks.push(chunk));
  request.on('end', () => {
    notices.push(Object.fromEntries(new URLSearchParams(Buffer.concat(chunks).toString())));
    response.end('success');
    arrived();
  });
});
await new Promise(ready => receiver.listen(0, '127.0.0.1', ready));
const notifyUrl = `http://127.0.0.1:${receiver.address().port}/callbacks`;

async function nextNotice() {
  if (notices.length === 0) {
    await new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error('no notice came')), 10_000);
      arrived = () => { clearTimeout(late); resolve(); };
    });
  }
  return notices.shift();
}

const known = await (await fetch(`${url}/sandbox/connection`)).json();
const app = known.alipay[0];
const sdk = new AlipaySdk({
  appId: app.app_id,
  privateKey: app.app_private_key,
  alipayPublicKey: app.alipay_public_key,
  keyType: 'PKCS8',
  gateway: app.gateway_url,
});
const exec = (method, bizContent, more = {}) =>
  sdk.exec(method, { ...more, bizContent }, { validateSign: true });

const number = `SDK${process.hrtime.bigint()}`;
const order = {
  out_trade_no: number,
  total_amount: '80.00',
  subject: '不动产登记费 + SDK',
  product_code: 'FACE_TO_FACE_PAYMENT',
  timeout_express: '90m',
};
const placed = await exec('alipay.trade.precreate', order, { notifyUrl });
assert.equal(placed.code, '10000', JSON.stringify(placed));
assert.match(placed.qrCode, /^https:\/\/qr\.alipay\.com\//);
assert.equal((await exec('alipay.trade.precreate', order, { notifyUrl })).code, '10000');

const unscanned = await exec('alipay.trade.query', { out_trade_no: number });
assert.equal(unscanned.subCode, 'ACQ.TRADE_NOT_EXIST');
await control('/sandbox/pay', { out_trade_no: number });
const paid = await nextNotice();
assert.ok(sdk.checkNotifySignV2(paid), 'the notice must verify');
assert.ok(!sdk.checkNotifySignV2({ ...paid, total_amount: '8000.00' }), 'a changed one must not');
assert.equal(paid.trade_status, 'TRADE_SUCCESS');
assert.equal(paid.total_amount, '80.00');
const told = await exec('alipay.trade.query', { out_trade_no: number });
assert.equal(told.tradeStatus, 'TRADE_SUCCESS');
assert.equal(told.tradeNo, paid.trade_no);

const refund = { out_trade_no: number, out_request_no: 'R1', refund_amount: '30.00', refund_reason: '重复缴费' };
const first = await exec('alipay.trade.refund', refund);
assert.equal(first.fundChange, 'Y');
assert.equal((await exec('alipay.trade.refund', refund)).fundChange, 'N', 'one number, one refund');
const notice = await nextNotice();
assert.ok(sdk.checkNotifySignV2(notice));
assert.equal(notice.out_biz_no, 'R1');
const query = { out_trade_no: number, out_request_no: 'R1' };
assert.equal((await exec('alipay.trade.fastpay.refund.query', query)).refundStatus, 'REFUND_SUCCESS');
const none = await exec('alipay.trade.fastpay.refund.query', { ...query, out_request_no: 'R2' });
assert.equal(none.code, '10000');
assert.equal(none.refundStatus, undefined);

const other = `SDC${process.hrtime.bigint()}`;
await exec('alipay.trade.precreate', { ...order, out_trade_no: other }, { notifyUrl });
assert.equal((await exec('alipay.trade.close', { out_trade_no: other })).subCode, 'ACQ.TRADE_NOT_EXIST');
await control('/sandbox/scan', { out_trade_no: other });
assert.equal((await exec('alipay.trade.close', { out_trade_no: other })).code, '10000');

const bill = { bill_type: 'trade', bill_date: new Date().toISOString().slice(0, 10) };
const method = 'alipay.data.dataservice.bill.downloadurl.query';
assert.equal((await exec(method, bill)).subCode, 'isp.bill_not_exist');

await control('/sandbox/faults', { on: 'answer', operation: 'query', do: 'wrong_signature', times: 1 });
await assert.rejects(exec('alipay.trade.query', { out_trade_no: number }), /验签失败/);

receiver.close();
console.log('alipay-sdk: precreate, query, notice, refund, refund query, close, bill: as the SDK expects');
