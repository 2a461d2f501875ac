// npm `alipay-sdk` against the sandbox, in key mode, certificate mode and with sealed contents: it
// signs requests and verifies answers and notices.

import assert from 'node:assert/strict';
import { AlipaySdk } from 'alipay-sdk';
import { connection, control, number, receiver } from './sandbox.mjs';

const known = await connection();
const inbox = await receiver('success');
const notifyUrl = inbox.url;
const nextNotice = async () => Object.fromEntries(new URLSearchParams((await inbox.next()).body));

function client(app, more = {}) {
  const keys = app.app_cert
    ? { appCertContent: app.app_cert, alipayPublicCertContent: app.alipay_cert, alipayRootCertContent: app.alipay_root_cert }
    : { alipayPublicKey: app.alipay_public_key };
  return new AlipaySdk({
    appId: app.app_id, privateKey: app.app_private_key, keyType: 'PKCS8', gateway: app.gateway_url, ...keys, ...more,
  });
}

async function day(name, sdk, more) {
  // The package looks for the signed text between braces, and a sealed answer has none: it decrypts
  // such answers and cannot verify them.
  const validateSign = !more.needEncrypt;
  const exec = (method, bizContent, extra = {}) =>
    sdk.exec(method, { ...extra, ...more, bizContent }, { validateSign });
  const fee = (prefix, product_code) => ({
    out_trade_no: number(prefix), total_amount: '80.00', subject: '不动产登记费 + SDK', product_code,
  });
  const paidNotice = async (order) => {
    const paid = await nextNotice();
    assert.ok(sdk.checkNotifySignV2(paid), 'the notice must verify');
    assert.ok(!sdk.checkNotifySignV2({ ...paid, total_amount: '8000.00' }), 'a changed one must not');
    assert.deepEqual([paid.out_trade_no, paid.trade_status, paid.total_amount], [order.out_trade_no, 'TRADE_SUCCESS', '80.00']);
    return paid;
  };

  // A code that the payer scans.
  const order = { ...fee('AS', 'FACE_TO_FACE_PAYMENT'), timeout_express: '90m' };
  const placed = await exec('alipay.trade.precreate', order, { notifyUrl });
  assert.equal(placed.code, '10000', JSON.stringify(placed));
  assert.match(placed.qrCode, /^https:\/\/qr\.alipay\.com\//);
  assert.equal((await exec('alipay.trade.precreate', order, { notifyUrl })).code, '10000');
  assert.equal((await exec('alipay.trade.query', { out_trade_no: order.out_trade_no })).subCode, 'ACQ.TRADE_NOT_EXIST');
  await control('/sandbox/pay', { out_trade_no: order.out_trade_no });
  const paid = await paidNotice(order);
  const told = await exec('alipay.trade.query', { trade_no: paid.trade_no });
  assert.deepEqual([told.tradeStatus, told.outTradeNo], ['TRADE_SUCCESS', order.out_trade_no]);

  const refund = { out_trade_no: order.out_trade_no, out_request_no: 'R1', refund_amount: '30.00', refund_reason: '重复缴费' };
  assert.equal((await exec('alipay.trade.refund', refund)).fundChange, 'Y');
  assert.equal((await exec('alipay.trade.refund', refund)).fundChange, 'N', 'one number, one refund');
  const notice = await nextNotice();
  assert.ok(sdk.checkNotifySignV2(notice));
  assert.equal(notice.out_biz_no, 'R1');
  const query = { out_trade_no: order.out_trade_no, out_request_no: 'R1' };
  assert.equal((await exec('alipay.trade.fastpay.refund.query', query)).refundStatus, 'REFUND_SUCCESS');
  const none = await exec('alipay.trade.fastpay.refund.query', { ...query, out_request_no: 'R2' });
  assert.deepEqual([none.code, none.refundStatus], ['10000', undefined]);

  // Closed before and after somebody scanned.
  const other = fee('AC', 'FACE_TO_FACE_PAYMENT');
  await exec('alipay.trade.precreate', other, { notifyUrl });
  assert.equal((await exec('alipay.trade.close', { out_trade_no: other.out_trade_no })).subCode, 'ACQ.TRADE_NOT_EXIST');
  await control('/sandbox/scan', { out_trade_no: other.out_trade_no });
  assert.equal((await exec('alipay.trade.close', { out_trade_no: other.out_trade_no })).code, '10000');

  // Pages in a browser: the cashier takes what the SDK signed, as an address and as a form.
  if (!more.needEncrypt) {
    for (const [method, product] of [['alipay.trade.page.pay', 'FAST_INSTANT_TRADE_PAY'], ['alipay.trade.wap.pay', 'QUICK_WAP_WAY']]) {
      const page = fee('AP', product);
      const address = sdk.pageExecute(method, 'GET', { bizContent: page, notifyUrl, returnUrl: 'http://127.0.0.1/back' });
      const cashier = await (await fetch(address)).text();
      assert.ok(cashier.includes(page.out_trade_no), `${method}: ${cashier}`);
      const form = sdk.pageExecute(method, 'POST', { bizContent: fee('AF', product), notifyUrl });
      const action = form.match(/action="([^"]+)"/)[1].replaceAll('&amp;', '&');
      const fields = [...form.matchAll(/name="([^"]+)" value="([^"]*)"/g)]
        .map(([, field, value]) => [field, value.replaceAll('&quot;', '"').replaceAll('&amp;', '&')]);
      const posted = await fetch(action, { method: 'POST', body: new URLSearchParams(fields) });
      assert.ok((await posted.text()).includes('80.00'), method);
      const forged = await (await fetch(address.replace('80.00', '0.01'))).text();
      assert.ok(!forged.includes('name=out_trade_no'), 'a changed amount must not be payable');
      await control('/sandbox/pay', { out_trade_no: page.out_trade_no });
      await paidNotice(page);
    }
    const app = fee('AA', 'QUICK_MSECURITY_PAY');
    const order_string = sdk.sdkExecute('alipay.trade.app.pay', { bizContent: app, notifyUrl });
    assert.equal((await control('/sandbox/alipay/app-pay', { order_string })).resultStatus, '9000');
    await paidNotice(app);
  }

  // A mini program, and the counter.
  const mini = { ...fee('AM', 'JSAPI_PAY'), buyer_id: '2088102146225135' };
  assert.ok((await exec('alipay.trade.create', mini, { notifyUrl })).tradeNo);
  await control('/sandbox/pay', { out_trade_no: mini.out_trade_no });
  await paidNotice(mini);
  const scan = (ends) => ({
    ...fee('AB', 'FACE_TO_FACE_PAYMENT'), scene: 'bar_code', auth_code: `28${String(Date.now()).slice(-10)}${ends}`,
  });
  const scanned = scan('4567');
  assert.equal((await exec('alipay.trade.pay', scanned, { notifyUrl })).code, '10000');
  await paidNotice(scanned);
  const waiting = scan('9900');
  assert.equal((await exec('alipay.trade.pay', waiting, { notifyUrl })).code, '10003');
  const cancelled = await exec('alipay.trade.cancel', { out_trade_no: waiting.out_trade_no });
  assert.deepEqual([cancelled.retryFlag, cancelled.action], ['N', 'close']);
  assert.equal((await exec('alipay.trade.pay', scan('9903'), { notifyUrl })).subCode, 'ACQ.BUYER_BALANCE_NOT_ENOUGH');

  const bill = { bill_type: 'trade', bill_date: new Date(Date.now() + 8 * 3600e3).toISOString().slice(0, 10) };
  const method = 'alipay.data.dataservice.bill.downloadurl.query';
  assert.equal((await exec(method, bill)).subCode, 'isp.bill_not_exist');
  assert.equal((await exec(method, { ...bill, bill_type: 'signcustomer' })).subCode, 'isp.bill_not_exist');

  if (validateSign) {
    await control('/sandbox/faults', { on: 'answer', operation: 'query', do: 'wrong_signature', times: 1 });
    await assert.rejects(exec('alipay.trade.query', { out_trade_no: order.out_trade_no }), /验签失败/);
  }
  console.log(`alipay-sdk, ${name}: precreate, page, wap, app, create, pay, cancel, query, notices, refund, close, bills: as the SDK expects`);
}

const [app] = known.alipay;
await day('key mode', client(app), {});
if (app.encrypt_key) await day('sealed contents', client(app, { encryptKey: app.encrypt_key }), { needEncrypt: true });
const certified = known.alipay.find(one => one.app_cert);
if (certified) await day('certificate mode', client(certified), {});
inbox.close();
