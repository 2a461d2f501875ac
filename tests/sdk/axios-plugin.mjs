// npm `wechatpay-axios-plugin` against the sandbox: APIv3 (all products, service provider, combined
// orders, certificates, bills) and v2. It verifies every answer that WeChat Pay signs.

import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { createRequire } from 'node:module';
import { connection, control, number, receiver, url } from './sandbox.mjs';

const require = createRequire(import.meta.url);
const { Wechatpay, Rsa, Aes, Formatter, Hash } = require('wechatpay-axios-plugin');

const known = await connection();
const inbox = await receiver('');

function client(merchant, certs) {
  return new Wechatpay({
    mchid: merchant.mchid,
    serial: merchant.merchant_serial_no,
    privateKey: merchant.merchant_private_key,
    certs,
    secret: merchant.api_key,
    baseURL: url,
    headers: { 'Wechatpay-Serial': Object.keys(certs)[0] },
  });
}
const byKey = merchant => ({ [merchant.wechatpay_public_key_id]: merchant.wechatpay_public_key });

// A callback as the plugin's own primitives open it.
function opened(merchant, { headers, body }, key = merchant.wechatpay_public_key) {
  const signed = Formatter.joinedByLineFeed(headers['wechatpay-timestamp'], headers['wechatpay-nonce'], body);
  assert.ok(Rsa.verify(signed, headers['wechatpay-signature'], Rsa.from(key, Rsa.KEY_TYPE_PUBLIC)), 'the notice must verify');
  const { event_type, resource } = JSON.parse(body);
  const text = Aes.AesGcm.decrypt(resource.ciphertext, merchant.apiv3_key, resource.nonce, resource.associated_data);
  return { event_type, ...JSON.parse(text) };
}
async function status(expected, code, call) {
  const error = await call.then(() => assert.fail(`not refused with ${code}`), thrown => thrown);
  const { response } = error;
  assert.ok(response, error.message);
  assert.deepEqual([response.status, response.data.code], [expected, code]);
}

const merchant = known.wechat[0];
const wxpay = client(merchant, byKey(merchant));
const { mchid, appid } = merchant;
const transactions = wxpay.v3.pay.transactions;
const products = {
  native: {},
  jsapi: { payer: { openid: 'oUpF8uMuAJO_M2pxb1Q9zNjWeS6o' } },
  app: {},
  h5: { scene_info: { payer_client_ip: '127.0.0.1', h5_info: { type: 'Wap' } } },
};
const answers = { native: 'code_url', jsapi: 'prepay_id', app: 'prepay_id', h5: 'h5_url' };
const tradeTypes = { native: 'NATIVE', jsapi: 'JSAPI', app: 'APP', h5: 'MWEB' };
const fresh = (prefix = 'AP') => ({
  mchid, appid, description: '不动产登记费 + SDK', out_trade_no: number(prefix),
  notify_url: inbox.url, amount: { total: 8000, currency: 'CNY' },
});

for (const [product, more] of Object.entries(products)) {
  const order = { ...fresh(), ...more };
  const { out_trade_no } = order;
  assert.ok((await transactions[product].post(order)).data[answers[product]], product);
  await status(403, 'OUT_TRADE_NO_USED', transactions[product].post({ ...order, description: 'x' }));
  await control('/sandbox/pay', { out_trade_no });
  const paid = opened(merchant, await inbox.next());
  assert.equal(paid.event_type, 'TRANSACTION.SUCCESS');
  assert.equal(paid.out_trade_no, out_trade_no);
  assert.equal(paid.trade_type, tradeTypes[product]);
  const byId = await transactions.id._transaction_id_.get({ params: { mchid }, transaction_id: paid.transaction_id });
  assert.equal(byId.data.out_trade_no, out_trade_no);
  const refund = {
    transaction_id: paid.transaction_id, out_refund_no: number('RF'), reason: '重复缴费', notify_url: inbox.url,
    amount: { refund: 3000, total: 8000, currency: 'CNY' },
  };
  const done = await wxpay.v3.refund.domestic.refunds.post(refund);
  assert.equal(done.data.status, 'PROCESSING');
  const asked = await wxpay.v3.refund.domestic.refunds._out_refund_no_.get({ out_refund_no: refund.out_refund_no });
  assert.equal(asked.data.refund_id, done.data.refund_id);
}

const closing = fresh('AC');
await transactions.native.post(closing);
await transactions.outTradeNo.$out_trade_no$.close.post({ mchid }, { out_trade_no: closing.out_trade_no });
const closed = await transactions.outTradeNo.$out_trade_no$.get({ params: { mchid }, out_trade_no: closing.out_trade_no });
assert.equal(closed.data.trade_state, 'CLOSED');

// Service provider.
const [sub] = merchant.sub_merchants ?? [];
if (sub) {
  const partner = wxpay.v3.pay.partner.transactions;
  const { mchid: _mchid, appid: _appid, ...order } = fresh('SP');
  Object.assign(order, { sp_mchid: mchid, sp_appid: appid, sub_mchid: sub.mchid });
  assert.ok((await partner.native.post(order)).data.code_url);
  await control('/sandbox/pay', { out_trade_no: order.out_trade_no });
  const paid = opened(merchant, await inbox.next());
  assert.deepEqual([paid.sp_mchid, paid.sub_mchid], [mchid, sub.mchid]);
  const told = await partner.outTradeNo.$out_trade_no$.get({
    params: { sp_mchid: mchid, sub_mchid: sub.mchid }, out_trade_no: order.out_trade_no,
  });
  assert.equal(told.data.trade_state, 'SUCCESS');
}

// Combined orders: fee and tax in one payment.
const tax = known.wechat[1];
if (tax) {
  const combine_out_trade_no = number('CB');
  const part = (payee, total_amount) => ({
    mchid: payee, attach: 'part', out_trade_no: number('CP'), description: '登记费', amount: { total_amount, currency: 'CNY' },
  });
  const sub_orders = [part(mchid, 8000), part(tax.mchid, 12000)];
  const combined = { combine_appid: appid, combine_mchid: mchid, combine_out_trade_no, sub_orders, notify_url: inbox.url };
  const { combineTransactions } = wxpay.v3;
  assert.ok((await combineTransactions.native.post(combined)).data.code_url);
  await control('/sandbox/pay', { out_trade_no: combine_out_trade_no });
  const paid = opened(merchant, await inbox.next());
  assert.equal(paid.combine_out_trade_no, combine_out_trade_no);
  assert.deepEqual(paid.sub_orders.map(one => one.trade_state), ['SUCCESS', 'SUCCESS']);
  const told = await combineTransactions.outTradeNo.$combine_out_trade_no$.get({ combine_out_trade_no });
  assert.equal(told.data.sub_orders.length, 2);
}

// Platform certificates, decrypted and used as the plugin's documents say.
const certified = known.wechat.find(one => one.verification === 'certificates' || one.certificates);
if (certified) {
  const raw = client(certified, { any: merchant.wechatpay_public_key });
  const list = await raw.v3.certificates.get({ transformResponse: [data => JSON.parse(data)] });
  const certs = Object.fromEntries(list.data.data.map(({ serial_no, encrypt_certificate: sealed }) => [
    serial_no,
    Aes.AesGcm.decrypt(sealed.ciphertext, certified.apiv3_key, sealed.nonce, sealed.associated_data),
  ]));
  const [serial] = Object.keys(certs);
  assert.equal(new crypto.X509Certificate(certs[serial]).serialNumber, serial);
  const sdk = client(certified, certs);
  const order = { ...fresh('CT'), mchid: certified.mchid, appid: certified.appid };
  assert.ok((await sdk.v3.pay.transactions.native.post(order)).data.code_url, 'verified under a certificate');
}
await status(404, 'RESOURCE_NOT_EXISTS', wxpay.v3.certificates.get());

// Bills: of a day that is not over none, and of the day before an empty one.
const today = new Date(Date.now() + 8 * 3600e3).toISOString().slice(0, 10);
for (const bill of [wxpay.v3.bill.tradebill, wxpay.v3.bill.fundflowbill]) {
  await bill.get({ params: { bill_date: today } }).then(
    () => assert.fail('no bill of today'),
    error => assert.ok(['STATEMENT_CREATING', 'NO_STATEMENT_EXIST', 'INVALID_REQUEST'].includes(error.response.data.code)),
  );
}

// v2 through the same package.
const old = known.wechat.find(one => one.api_key);
if (old) {
  const v2 = client(old, byKey(old)).v2.pay;
  const order = {
    appid: old.appid, mch_id: old.mchid, nonce_str: Formatter.nonce(), sign_type: Hash.ALGO_HMAC_SHA256,
    out_trade_no: number('V2'), body: '登记费', total_fee: '100', spbill_create_ip: '127.0.0.1',
    trade_type: 'NATIVE', product_id: 'fee', notify_url: inbox.url,
  };
  const placed = await v2.unifiedorder.post(order);
  assert.equal(placed.data.result_code, 'SUCCESS', JSON.stringify(placed.data));
  const { trade_type, body, total_fee, spbill_create_ip, product_id, notify_url, ...query } = order;
  assert.equal((await v2.orderquery.post({ ...query, nonce_str: Formatter.nonce() })).data.trade_state, 'NOTPAY');
}

inbox.close();
console.log('wechatpay-axios-plugin: native, jsapi, app, h5, partner, combined, certificates, refunds, notices, v2: as the SDK expects');
