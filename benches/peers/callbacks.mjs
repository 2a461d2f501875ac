// The callbacks' peer: fastify, the providers' own packages, pg. One transaction for each callback, prepared
// statements, committed before the answer. ROWS=full writes the rows that the hub writes, ROWS=lean an event under a
// unique key and the order. Run by benches/run in the folder of its packages; PROCESSES of them share the port.
import cluster from "node:cluster";
import { createCipheriv, createHmac, randomBytes, randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
const require = createRequire(process.cwd() + "/");
const { Rsa, Aes, Formatter } = require("wechatpay-axios-plugin");
const { AlipaySdk } = require("alipay-sdk");
const fastify = require("fastify");
const { Pool } = require("pg");

const { KEYS, PORT, ROWS } = process.env;
const processes = Number(process.env.PROCESSES);
const read = (name) => readFileSync(`${KEYS}/${name}`, "utf8");

if (cluster.isPrimary && processes > 1) {
  for (let index = 0; index < processes; index += 1) cluster.fork();
  process.on("SIGTERM", () => {
    for (const worker of Object.values(cluster.workers)) worker.kill("SIGTERM");
    cluster.disconnect(() => process.exit(0));
  });
} else {
  serve();
}

function serve() {
  const pool = new Pool({ max: Math.ceil(16 / processes) });
  const platform = Rsa.from(read("wechatpay_platform_pub.pem"), Rsa.KEY_TYPE_PUBLIC);
  const v3Key = read("wechat_v3_key.txt").trim();
  const sdk = new AlipaySdk({
    appId: "2021000000000000", privateKey: read("alipay_app.pem"),
    alipayPublicKey: read("alipay_platform_pub.pem"), keyType: "PKCS8",
  });
  const write = ROWS === "lean" ? lean : full;
  const app = fastify({ logger: false });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", { parseAs: "string" }, (request, body, done) => done(null, body));
  app.get("/readyz", async () => {
    await pool.query("SELECT 1");
    return "ok";
  });
  app.post("/callbacks/:merchant", async (request, reply) => {
    const paid = request.params.merchant.startsWith("registry-wechat")
      ? wechat(request, platform, v3Key) : alipay(request, sdk);
    if (!paid) return reply.code(401).send("");
    paid.merchant = request.params.merchant;
    paid.body = request.body;
    const client = await pool.connect();
    try {
      await client.query("BEGIN");
      await write((name, text, values) => client.query({ name, text, values }), paid);
      await client.query("COMMIT");
    } catch (error) {
      await client.query("ROLLBACK");
      return reply.code(500).send(String(error));
    } finally {
      client.release();
    }
    return reply.code(200).send(paid.provider === "alipay" ? "success" : "");
  });
  app.listen({ port: Number(PORT), host: "127.0.0.1" });
  process.on("SIGTERM", () => process.exit(0));
}

function wechat({ headers, body }, platform, v3Key) {
  const time = headers["wechatpay-timestamp"];
  if (Math.abs(Date.now() / 1000 - Number(time)) > 300) return null;
  const message = Formatter.joinedByLineFeed(time, headers["wechatpay-nonce"], body);
  if (!Rsa.verify(message, headers["wechatpay-signature"], platform)) return null;
  const { id, event_type: kind, resource } = JSON.parse(body);
  const text = Aes.AesGcm.decrypt(resource.ciphertext, v3Key, resource.nonce, resource.associated_data);
  const said = JSON.parse(text);
  if (said.trade_state !== "SUCCESS" || said.appid !== "wx8888888888888888") return null;
  return {
    provider: "wechat", id, kind, order: said.out_trade_no, trade: said.transaction_id,
    amount: said.amount.total, at: said.success_time,
  };
}

function alipay({ body }, sdk) {
  const said = Object.fromEntries(new URLSearchParams(body));
  if (!sdk.checkNotifySignV2(said)) return null;
  if (said.trade_status !== "TRADE_SUCCESS" || said.seller_id !== "2088000000000000") return null;
  return {
    provider: "alipay", id: said.notify_id, kind: said.notify_type, order: said.out_trade_no, trade: said.trade_no,
    amount: Math.round(Number(said.total_amount) * 100), at: `${said.gmt_payment}+08:00`,
  };
}

async function lean(query, paid) {
  const body = JSON.stringify({ type: "order.paid", data: { ...paid, body: undefined } });
  const event = await query("event", `INSERT INTO events (event_id, type, subject_id, occurred_at, body)
    VALUES ($1, 'order.paid', $2, now(), $3) ON CONFLICT DO NOTHING`, [paid.id, paid.order, body]);
  if (event.rowCount === 0) return;
  await query("order", `UPDATE orders SET state = 'paid', paid_at = $3, provider_trade_no = $4
    WHERE merchant_id = $1 AND out_trade_no = $2 AND amount_fen = $5 AND state <> 'paid'`,
  [paid.merchant, paid.order, paid.at, paid.trade, paid.amount]);
}

const sealKey = randomBytes(32);
const chainKey = randomBytes(32);

function seal(text) {
  const nonce = randomBytes(12);
  const cipher = createCipheriv("aes-256-gcm", sealKey, nonce);
  return Buffer.concat([nonce, cipher.update(text), cipher.final(), cipher.getAuthTag()]);
}

const id = (prefix) => `${prefix}_${randomUUID().replaceAll("-", "")}`;

async function full(query, paid) {
  const { rows: [order] } = await query("order", `SELECT order_id, application_id, product, amount_fen, state, subject,
      created_at, expires_at FROM orders WHERE merchant_id = $1 AND out_trade_no = $2 FOR UPDATE`, [paid.merchant, paid.order]);
  if (!order || Number(order.amount_fen) !== paid.amount) throw new Error("another amount");
  const { rows: [fee] } = await query("fee", `SELECT f.fee_id, f.case_no, f.quote, f.total_fen, f.locale, f.phone_sealed,
      f.payer_masked, b.paid_fen FROM order_allocations a JOIN fees f USING (fee_id) JOIN fee_balances b USING (fee_id)
      WHERE a.order_id = $1 FOR UPDATE OF b`, [order.order_id]);
  const callback = id("cbk");
  const now = new Date();
  await query("callback", `INSERT INTO callbacks (callback_id, received_at, merchant_id, notice_id, kind, verdict, order_id,
      sealed) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
  [callback, now, paid.merchant, paid.id, paid.kind, order.state === "paid" ? "known" : "applied", order.order_id, seal(paid.body)]);
  if (order.state === "paid") return;
  const payment = id("pay");
  await query("payment", `INSERT INTO payments (payment_id, merchant_id, provider, provider_trade_no, order_id, amount_fen,
      coupon_fen, surplus_fen, late, paid_at, source, callback_id, recorded_at)
      VALUES ($1, $2, $3, $4, $5, $6, 0, 0, false, $7, 'callback', $8, $9)`,
  [payment, paid.merchant, paid.provider, paid.trade, order.order_id, paid.amount, paid.at, callback, now]);
  await query("share", "INSERT INTO payment_shares (payment_id, fee_id, amount_fen) VALUES ($1, $2, $3)",
    [payment, fee.fee_id, paid.amount]);
  await query("balance", "INSERT INTO payment_balances (payment_id, paid_fen, surplus_fen) VALUES ($1, $2, 0)",
    [payment, paid.amount]);
  await query("paid", `UPDATE orders SET state = 'paid', paid_at = $2, provider_trade_no = $3, next_query_at = NULL
      WHERE order_id = $1`, [order.order_id, paid.at, paid.trade]);
  await query("live", "DELETE FROM live_orders WHERE order_id = $1", [order.order_id]);
  await query("credit", "UPDATE fee_balances SET paid_fen = paid_fen + $2 WHERE fee_id = $1", [fee.fee_id, paid.amount]);
  await tell(query, paid, order, fee, now);
  await post(query, paid, payment, fee, now);
}

async function tell(query, paid, order, fee, now) {
  const events = [["order.paid", order.order_id, { ...order, status: "paid", paid_at: paid.at, provider_trade_no: paid.trade, fee_ids: [fee.fee_id] }],
    ["fee.paid", fee.fee_id, { id: fee.fee_id, case_no: fee.case_no, total_fen: fee.total_fen, quote: fee.quote, status: "paid" }]];
  for (const [type, subject, data] of events) {
    const event = id("evt");
    const body = JSON.stringify({ type, id: event, timestamp: now, data });
    await query("event", `INSERT INTO events (event_id, application_id, type, subject_id, occurred_at, body)
        VALUES ($1, $2, $3, $4, $5, $6)`, [event, order.application_id, type, subject, now, body]);
    await query("webhook", `INSERT INTO deliveries (kind, event_id, receiver, ordering_key, next_at, created_at)
        VALUES ('webhook', $1, $2, $3, $4, $4)`, [event, order.application_id, order.order_id, now]);
  }
  const notice = id("ntf");
  const params = seal(JSON.stringify({ no: fee.case_no, amt: (Number(fee.total_fen) / 100).toFixed(2) }));
  await query("notice", `INSERT INTO notifications (notification_id, application_id, template, channel, state, to_sealed,
      to_masked, params_sealed, locale, dedupe_key, subject_id, created_at)
      VALUES ($1, $2, 'PAY.SUCCEEDED', 'sms-main', 'queued', $3, $4, $5, $6, $7, $8, $9)`,
  [notice, order.application_id, fee.phone_sealed, fee.payer_masked.phone, params, fee.locale, `PAY.SUCCEEDED:${fee.fee_id}`, fee.fee_id, now]);
  await query("sms", `INSERT INTO deliveries (kind, notification_id, receiver, ordering_key, next_at, created_at)
      VALUES ('sms', $1, 'sms-main', $2, $3, $3)`, [notice, `PAY.SUCCEEDED:${fee.fee_id}`, now]);
}

// The head is locked last, so that as little as possible waits for it.
async function post(query, paid, payment, fee, now) {
  const { rows: [head] } = await query("head", `INSERT INTO journal_heads AS h (merchant_id, seq, mac) VALUES ($1, 0, '\\x')
      ON CONFLICT (merchant_id) DO UPDATE SET seq = h.seq RETURNING seq, mac`, [paid.merchant]);
  const seq = Number(head.seq) + 1;
  const mac = createHmac("sha256", chainKey).update(head.mac)
    .update(JSON.stringify([paid.merchant, seq, "payment_received", payment, paid.at, now, paid.amount, fee.fee_id])).digest();
  await query("entry", `INSERT INTO journal_entries (merchant_id, seq, kind, subject_id, occurred_at, recorded_at, mac)
      VALUES ($1, $2, 'payment_received', $3, $4, $5, $6)`, [paid.merchant, seq, payment, paid.at, now, mac]);
  await query("line", `INSERT INTO journal_lines (merchant_id, seq, line, debit, credit, amount_fen, fee_id)
      VALUES ($1, $2, 1, 'provider_receivable', 'fee_receivable', $3, $4)`, [paid.merchant, seq, paid.amount, fee.fee_id]);
  await query("chain", "UPDATE journal_heads SET seq = $2, mac = $3 WHERE merchant_id = $1", [paid.merchant, seq, mac]);
}
