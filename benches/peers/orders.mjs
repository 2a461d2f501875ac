// The orders' peer: fastify, the providers' own packages, pg. It writes the order down, has the package sign, send and
// verify, and writes what came back before it answers. It knows no API keys, idempotency keys or stored calls. Run by
// benches/run in the folder of its packages; PROCESSES of them share the port.
import cluster from "node:cluster";
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { Agent } from "node:http";
import { createRequire } from "node:module";
const require = createRequire(process.cwd() + "/");
const { Wechatpay, Rsa, Formatter } = require("wechatpay-axios-plugin");
const { AlipaySdk } = require("alipay-sdk");
const fastify = require("fastify");
const { Pool } = require("pg");

const { KEYS, PORT, PROVIDERS } = process.env;
const processes = Number(process.env.PROCESSES);
const read = (name) => readFileSync(`${KEYS}/${name}`, "utf8");
const appid = "wx8888888888888888";
const notify = `http://127.0.0.1:${PORT}/callbacks/`;

function serve() {
  const pool = new Pool({ max: Math.ceil(16 / processes) });
  const merchant = Rsa.from(read("wechat_merchant.pem"), Rsa.KEY_TYPE_PRIVATE);
  const platform = Rsa.from(read("wechatpay_platform_pub.pem"), Rsa.KEY_TYPE_PUBLIC);
  const wxpay = new Wechatpay({
    mchid: "1900000001", serial: "5157F09EFDC096DE15EBE81A47057A7232F1B8E1", privateKey: merchant,
    certs: { PUB_KEY_ID_0114232134912410000000000000: platform },
    baseURL: `${PROVIDERS}/`, httpAgent: new Agent({ keepAlive: true }), proxy: false,
  });
  const sdk = new AlipaySdk({
    appId: "2021000000000000", privateKey: read("alipay_app.pem"), keyType: "PKCS8",
    alipayPublicKey: read("alipay_platform_pub.pem"), gateway: `${PROVIDERS}/gateway.do`,
  });
  const pays = { jsapi: jsapi(wxpay, merchant), native: native(wxpay), precreate: precreate(sdk) };
  const app = fastify({ logger: false });
  app.get("/readyz", async () => {
    await pool.query("SELECT 1");
    return "ok";
  });
  app.post("/v1/orders", async (request, reply) => {
    const order = await write(pool, request.body);
    const pay = await pays[request.body.product](order, request.body);
    await pool.query({
      name: "pending", values: [order.id, JSON.stringify(pay)],
      text: "UPDATE orders SET state = 'pending', pay = $2, placed_at = now() WHERE order_id = $1",
    });
    return reply.code(201).send({ id: order.id, out_trade_no: order.number, status: "pending", amount_fen: order.amount, pay });
  });
  app.listen({ port: Number(PORT), host: "127.0.0.1" });
  process.on("SIGTERM", () => process.exit(0));
}

async function write(pool, { merchant_id: merchant, product, fee_ids: [fee], subject }) {
  const uuid = randomUUID().replaceAll("-", "");
  const order = { id: `ord_${uuid}`, number: `P${uuid.slice(1).toUpperCase()}`, merchant, subject };
  const client = await pool.connect();
  const query = (name, text, values) => client.query({ name, text, values });
  try {
    await client.query("BEGIN");
    const { rows: [owed] } = await query("fee", `SELECT f.application_id, b.total_fen - b.paid_fen AS fen
        FROM fees f JOIN fee_balances b USING (fee_id) WHERE fee_id = $1 FOR UPDATE OF b`, [fee]);
    order.amount = Number(owed.fen);
    await query("order", `INSERT INTO orders (order_id, application_id, merchant_id, provider, product, out_trade_no, amount_fen,
        subject, state, place_call, created_at, expires_at, next_query_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'created', '', now(), now() + interval '2 hours', now() + interval '5 seconds')`,
    [order.id, owed.application_id, merchant, product === "precreate" ? "alipay" : "wechat", product, order.number, order.amount, subject]);
    await query("allocation", "INSERT INTO order_allocations (order_id, position, fee_id, amount_fen) VALUES ($1, 1, $2, $3)",
      [order.id, fee, order.amount]);
    await query("live", "INSERT INTO live_orders (fee_id, order_id) VALUES ($1, $2)", [fee, order.id]);
    await client.query("COMMIT");
  } catch (error) {
    await client.query("ROLLBACK");
    throw error;
  } finally {
    client.release();
  }
  return order;
}

const said = (order) => ({
  mchid: "1900000001", appid, description: order.subject, out_trade_no: order.number, notify_url: notify + order.merchant,
  time_expire: new Date(Date.now() + 7_200_000).toISOString().replace(/\.\d+Z/, "+00:00"),
  amount: { total: order.amount, currency: "CNY" },
});

const native = (wxpay) => async (order) => {
  const { data } = await wxpay.v3.pay.transactions.native.post(said(order));
  return { kind: "qr_code", code_url: data.code_url };
};

const jsapi = (wxpay, merchant) => async (order, { payer }) => {
  const { data } = await wxpay.v3.pay.transactions.jsapi.post({ ...said(order), payer: { openid: payer.openid } });
  const params = { appId: appid, timeStamp: `${Formatter.timestamp()}`, nonceStr: Formatter.nonce(), package: `prepay_id=${data.prepay_id}` };
  const message = Formatter.joinedByLineFeed(params.appId, params.timeStamp, params.nonceStr, params.package);
  return { kind: "jsapi", params: { ...params, signType: "RSA", paySign: Rsa.sign(message, merchant) } };
};

const precreate = (sdk) => async (order) => {
  const answer = await sdk.exec("alipay.trade.precreate", {
    notify_url: notify + order.merchant,
    bizContent: { out_trade_no: order.number, total_amount: (order.amount / 100).toFixed(2), subject: order.subject, timeout_express: "2h" },
  }, { validateSign: true });
  if (answer.code !== "10000") throw new Error(answer.subMsg);
  return { kind: "qr_code", code_url: answer.qrCode };
};

if (cluster.isPrimary && processes > 1) {
  for (let index = 0; index < processes; index += 1) cluster.fork();
  process.on("SIGTERM", () => {
    for (const worker of Object.values(cluster.workers)) worker.kill("SIGTERM");
    cluster.disconnect(() => process.exit(0));
  });
} else {
  serve();
}
