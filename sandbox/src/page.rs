//! The page at `/`: what is there, with what to connect, and a button to pay.

use std::fmt::Write as _;

use domain::time::rfc3339;
use serde_json::Value;

use crate::control::connection;
use crate::engine::{Engine, Snapshot};
use crate::message::Reply;

const STYLE: &str = "body{font:14px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:76rem;padding:0 1rem;color:#222}\
table{border-collapse:collapse;width:100%;margin:.5rem 0 2rem}th,td{border-bottom:1px solid #ddd;padding:.3rem .6rem;text-align:left;vertical-align:top}\
th{font-weight:600;color:#666}code,pre{font:12px/1.5 ui-monospace,monospace;word-break:break-all}pre{background:#f6f6f6;padding:1rem;overflow:auto;white-space:pre-wrap}\
td.n{text-align:right;font-variant-numeric:tabular-nums}button{cursor:pointer}";

/// The newest rows of each table that the page shows.
const MOST_ROWS: usize = 200;

/// The page.
pub(crate) fn page(engine: &Engine) -> Reply {
    let state = engine.state();
    let mut html = format!(
        "<!doctype html><html lang=zh-CN><meta charset=utf-8><title>支付沙箱</title><style>{STYLE}</style>\
         <h1>支付沙箱 <small>payhub sandbox</small></h1>\
         <p>微信支付 APIv3 · 支付宝 OpenAPI · 阿里云短信。测试密钥，钱不是真的。时间 <code>{}</code></p>",
        rfc3339(state.now)
    );
    orders(&mut html, &state);
    refunds(&mut html, &state);
    callbacks(&mut html, &state);
    messages(&mut html, &state);
    html.push_str("<h2>连接参数</h2><p>同样的内容：<code>GET /sandbox/connection</code>；全部状态：<code>GET /sandbox/state</code></p>");
    let told = serde_json::to_string_pretty(&connection(engine)).unwrap_or_default();
    add(&mut html, format_args!("<pre>{}</pre>", escaped(&told.replace("\\n", "\n"))));
    let faults = serde_json::to_value(&state.faults).unwrap_or(Value::Null);
    add(&mut html, format_args!("<h2>故障</h2><pre>{}</pre>", escaped(&faults.to_string())));
    let mut reply = Reply::new(200, "text/html; charset=utf-8", html);
    let policy = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'";
    reply.headers.push(("Content-Security-Policy", policy.to_owned()));
    reply
}

/// Writing into a string cannot fail.
fn add(html: &mut String, text: std::fmt::Arguments<'_>) {
    let _infallible = html.write_fmt(text);
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn table(html: &mut String, title: &str, count: usize, columns: &str) {
    add(html, format_args!("<h2>{title}（{count}）</h2><table><tr>"));
    for column in columns.split(',') {
        add(html, format_args!("<th>{column}</th>"));
    }
    html.push_str("</tr>");
}

fn orders(html: &mut String, state: &Snapshot) {
    table(html, "订单", state.orders.len(), "渠道,商户,订单号,金额,已付,已退,状态,内容,");
    for order in state.orders.iter().rev().take(MOST_ROWS) {
        let button = if matches!(order.state, "open" | "scanned") {
            format!(
                "<form method=post action=/sandbox/pay><input type=hidden name=out_trade_no value=\"{}\"><input type=hidden name=merchant value=\"{}\"><button>付款</button></form>",
                escaped(&order.out_trade_no),
                escaped(&order.merchant)
            )
        } else {
            String::new()
        };
        add(
            html,
            format_args!(
                "<tr><td>{}</td><td>{}</td><td><code>{}</code></td><td class=n>{}</td><td class=n>{}</td><td class=n>{}</td><td>{}</td><td>{}</td><td>{button}</td></tr>",
                order.provider.label(),
                escaped(&order.merchant),
                escaped(&order.out_trade_no),
                order.amount_fen,
                order.paid_fen,
                order.refunded_fen,
                order.state,
                escaped(&order.subject),
            ),
        );
    }
    html.push_str("</table>");
}

fn refunds(html: &mut String, state: &Snapshot) {
    table(html, "退款", state.refunds.len(), "渠道,订单号,退款号,金额,状态,受理时间");
    for refund in state.refunds.iter().rev().take(MOST_ROWS) {
        add(
            html,
            format_args!(
                "<tr><td>{}</td><td><code>{}</code></td><td><code>{}</code></td><td class=n>{}</td><td>{}</td><td>{}</td></tr>",
                refund.provider.label(),
                escaped(&refund.out_trade_no),
                escaped(&refund.out_refund_no),
                refund.amount_fen,
                refund.state,
                rfc3339(refund.accepted_at),
            ),
        );
    }
    html.push_str("</table>");
}

fn callbacks(html: &mut String, state: &Snapshot) {
    table(html, "回调与回执", state.callbacks.len(), "编号,订单号,退款号,地址,状态,次数,最近结果");
    for callback in state.callbacks.iter().rev().take(MOST_ROWS) {
        let last = callback.attempts.last().map(|attempt| attempt.outcome.as_str());
        add(
            html,
            format_args!(
                "<tr><td>{}</td><td><code>{}</code></td><td><code>{}</code></td><td><code>{}</code></td><td>{:?}</td><td class=n>{}</td><td>{}</td></tr>",
                callback.id,
                escaped(callback.out_trade_no.as_deref().unwrap_or_default()),
                escaped(callback.out_refund_no.as_deref().unwrap_or_default()),
                escaped(&callback.url),
                callback.state,
                callback.attempts.len(),
                escaped(last.unwrap_or_default()),
            ),
        );
    }
    html.push_str("</table>");
}

fn messages(html: &mut String, state: &Snapshot) {
    table(html, "短信", state.sms.len(), "时间,号码,签名,模板,参数,状态");
    for message in state.sms.iter().rev().take(MOST_ROWS) {
        add(
            html,
            format_args!(
                "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
                rfc3339(message.accepted_at),
                escaped(&message.phone),
                escaped(&message.sign_name),
                escaped(&message.template_code),
                escaped(&message.template_param),
                message.state,
            ),
        );
    }
    html.push_str("</table>");
}
