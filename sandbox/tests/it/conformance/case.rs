//! A row of the table at work: an office of its own, its adapter, one order, and its payer.

use std::sync::Arc;

use adapters::PaymentProvider;
use adapters::provider::{Closing, NewOrder, OrderKey, Pay, Placed, Product};
use adapters::wire::{Answer, Call, Headers, Outcome, Request, Stamp};
use domain::fact::{OrderStanding, PaymentFact};
use domain::ids::OutTradeNo;
use domain::personal::Personal;
use domain::{Fen, ManualClock};
use jiff::{SignedDuration, Timestamp};
use sandbox::{Action, Engine, Fault, Operation, Place, Proof, Received};
use serde_json::json;

use super::modes::Mode;
use crate::office::morning;

pub(super) const NO: &str = "P20261120ABCDEF0001";
pub(super) const URL: &str = "https://pay.example.cn/callbacks/row";
pub(super) const AMOUNT: Fen = Fen::new(8000);

/// Barcodes: one is paid at once, the other waits for the payer's password.
const PAYS: (&str, &str) = ("134567890123456789", "281234567890123456");
const WAITS: (&str, &str) = ("134567890123459900", "281234567890129900");

/// A row with all that it needs.
pub(super) struct Case {
    pub(super) mode: Mode,
    pub(super) product: Product,
    pub(super) engine: Arc<Engine>,
    pub(super) hub: Box<dyn PaymentProvider>,
    clock: ManualClock,
    no: OutTradeNo,
    openid: Personal,
    pays: Personal,
    waits: Personal,
}

impl Case {
    pub(super) fn of(mode: Mode, product: Product) -> Self {
        let clock = ManualClock::at(morning());
        let engine = Engine::new(&mode.config(), Arc::new(clock.clone())).unwrap();
        Self::at(mode, product, Arc::new(engine), clock)
    }

    /// The row in a sandbox that runs already.
    pub(super) fn at(
        mode: Mode,
        product: Product,
        engine: Arc<Engine>,
        clock: ManualClock,
    ) -> Self {
        let ours = |(wechat, alipay)| Personal::new(if mode.is_alipay() { alipay } else { wechat });
        let case = Self {
            mode,
            product,
            hub: mode.adapter(&engine),
            engine,
            clock,
            no: NO.parse().unwrap(),
            openid: ours(("oUpF8uMuAJO_M2pxb1Q9zNjWeS6o", "2088102100000001")),
            pays: ours(PAYS),
            waits: ours(WAITS),
        };
        if mode == Mode::WechatCertificates {
            case.learn();
        }
        case
    }

    pub(super) fn now(&self) -> Timestamp {
        self.engine.now()
    }

    pub(super) fn pass(&self, seconds: i64) {
        self.clock.advance(SignedDuration::from_secs(seconds));
    }

    /// A stamp that no request had before.
    pub(super) fn stamp(&self) -> Stamp {
        let count = self.engine.state().requests.len();
        Stamp { now: self.now(), nonce: format!("{count:032}") }
    }

    /// Whether the payer carries the order to the provider, and the hub sends nothing.
    pub(super) fn is_carried(&self) -> bool {
        let carried = [Product::Page, Product::Wap, Product::App];
        self.mode.is_alipay() && carried.contains(&self.product)
    }

    /// Whether the provider knows no trade until the payer looks at the order.
    pub(super) fn is_unknown_until_seen(&self) -> bool {
        self.is_carried() || self.product == Product::Precreate
    }

    /// Fetches the provider's keys and gives how many were new.
    pub(super) fn learn(&self) -> adapters::provider::Learned {
        let keys = self.hub.renewed_keys().unwrap();
        let answer = self.ask(&keys.ask_keys().unwrap()).unwrap();
        accepted(keys.learn_keys(&answer, self.now()))
    }

    /// Hands a request to the provider; `None`: the connection was cut.
    pub(super) fn sent(&self, request: Request) -> Option<Answer> {
        let url = url::Url::parse(&request.url).unwrap();
        let mut headers = request.headers;
        headers.push(("Host".to_owned(), "127.0.0.1:0".to_owned()));
        let reply = self.engine.answer(&Received {
            method: request.method.as_str().to_owned(),
            target: target(&url),
            headers,
            body: request.body,
        });
        let headers = reply.headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
        let headers = Headers(headers.collect());
        let answer = Answer { status: reply.status, headers, body: reply.body };
        (reply.fate != sandbox::Fate::Cut).then_some(answer)
    }

    pub(super) fn ask(&self, call: &Call) -> Option<Answer> {
        self.sent(self.hub.sign(call, &self.stamp()).unwrap())
    }

    /// Sends a call and reads what comes back; nothing is unknown by nature.
    pub(super) fn told<T>(&self, call: &Call, read: impl Fn(&Answer) -> Outcome<T>) -> Outcome<T> {
        match self.ask(call) {
            Some(answer) => read(&answer),
            None => Outcome::Unknown("no answer came".to_owned()),
        }
    }

    /// The row's order, with all that any product asks for; at the counter, paid at once.
    pub(super) fn order<'a>(&'a self, url: &'a str) -> NewOrder<'a> {
        NewOrder {
            product: self.product,
            out_trade_no: &self.no,
            amount: AMOUNT,
            subject: "不动产登记费",
            expires_at: "2026-11-20T04:00:00Z".parse().unwrap(),
            notify_url: url,
            return_url: Some("https://office.example.cn/back"),
            payer: Some(&self.openid),
            identity: None,
            auth_code: Some(&self.pays),
            client_ip: Some("203.0.113.9"),
            now: morning(),
            chance: &[7; 32],
        }
    }

    /// Places the order of a call that was built; what the payer carries is only signed.
    pub(super) fn placed(&self, call: &Call) -> Outcome<Placed> {
        let stamp = self.stamp();
        if let Some(pay) = self.hub.offer(call, &stamp).unwrap() {
            return Outcome::Accepted(Placed::Offered(pay));
        }
        self.told(call, |answer| self.hub.read_placed(call, answer, &stamp))
    }

    /// Places the order, and the payer has not paid it.
    pub(super) fn open(&self) -> Pay {
        let mut order = self.order(URL);
        order.auth_code = Some(&self.waits);
        match accepted(self.placed(&self.hub.place(&order).unwrap())) {
            Placed::Offered(pay) => pay,
            Placed::Paid(fact) => panic!("{fact:?}"),
        }
    }

    /// Places the order and the payer pays it.
    pub(super) fn paid(&self) -> PaymentFact {
        self.paid_towards(URL)
    }

    pub(super) fn paid_towards(&self, url: &str) -> PaymentFact {
        let call = self.hub.place(&self.order(url)).unwrap();
        if let Placed::Offered(pay) = accepted(self.placed(&call)) {
            self.payer_pays(&pay);
        }
        self.found()
    }

    /// The payer takes what the hub offers to the provider, and pays there.
    pub(super) fn payer_pays(&self, pay: &Pay) {
        if let (true, Pay::App { params }) = (self.is_carried(), pay) {
            self.in_the_app(params, true);
            return;
        }
        if self.is_carried() {
            self.browses(pay);
        }
        self.engine.pay(NO, true).unwrap();
    }

    /// The payer takes what the hub offers to the provider, looks, and does not pay.
    pub(super) fn payer_looks(&self, pay: &Pay) {
        if let (true, Pay::App { params }) = (self.is_carried(), pay) {
            self.in_the_app(params, false);
            return;
        }
        if self.is_carried() {
            self.browses(pay);
        }
        self.engine.scan(NO, None).unwrap();
    }

    fn in_the_app(&self, params: &serde_json::Value, pay: bool) {
        let reply = self.engine.answer(&Received {
            method: "POST".to_owned(),
            target: "/sandbox/alipay/app-pay".to_owned(),
            headers: vec![("Host".to_owned(), "127.0.0.1:9010".to_owned())],
            body: json!({"order_string": params["order_string"], "pay": pay}).to_string().into(),
        });
        let told: serde_json::Value = serde_json::from_slice(&reply.body).unwrap();
        assert_eq!(told["resultStatus"], if pay { "9000" } else { "6001" }, "{told}");
    }

    /// What a browser does with a page or an address.
    fn browses(&self, pay: &Pay) {
        let (method, url, body) = match pay {
            Pay::Redirect { url } => ("GET", url.clone(), Vec::new()),
            Pay::Form { html } => {
                let content = attribute(html, "name=\"biz_content\"", "value");
                let mut form = url::form_urlencoded::Serializer::new(String::new());
                form.append_pair("biz_content", &content);
                ("POST", attribute(html, "<form", "action"), form.finish().into_bytes())
            }
            other @ (Pay::QrCode { .. } | Pay::Jsapi { .. } | Pay::App { .. } | Pay::None) => {
                panic!("not for a browser: {other:?}")
            }
        };
        let kind = "application/x-www-form-urlencoded";
        let reply = self.engine.answer(&Received {
            method: method.to_owned(),
            target: target(&url::Url::parse(&url).unwrap()),
            headers: vec![("Content-Type".to_owned(), kind.to_owned())],
            body,
        });
        let page = String::from_utf8_lossy(&reply.body).into_owned();
        assert!(page.contains("¥80.00"), "{page}");
    }

    pub(super) fn key(&self) -> OrderKey<'_> {
        OrderKey { out_trade_no: &self.no, provider_trade_no: None }
    }

    pub(super) fn query(&self, key: &OrderKey<'_>) -> Outcome<OrderStanding> {
        let call = self.hub.query_order(key);
        self.told(&call, |answer| self.hub.read_order(key, answer, self.now()))
    }

    pub(super) fn standing(&self) -> OrderStanding {
        accepted(self.query(&self.key()))
    }

    /// The payment that a query finds, whatever was given back of it.
    pub(super) fn found(&self) -> PaymentFact {
        match self.standing() {
            OrderStanding::Paid(fact) | OrderStanding::GivenBack(fact) => fact,
            other @ (OrderStanding::Unpaid | OrderStanding::Closed | OrderStanding::Absent) => {
                panic!("not paid: {other:?}")
            }
        }
    }

    pub(super) fn close(&self) -> Outcome<Closing> {
        let call = self.hub.close_order(&self.no, self.product);
        self.told(&call, |answer| self.hub.read_closed(&call, answer, self.now()))
    }

    /// The next call of that kind goes wrong so.
    pub(super) fn fault(&self, operation: Operation, action: Action) {
        let fault = Fault::new(Place::Answer, action).during(operation).times(1);
        self.engine.set_fault(fault).unwrap();
    }

    /// Every request was signed well, and as the manual wants it.
    pub(super) fn deviates_in_nothing(&self) {
        for verdict in self.engine.state().requests {
            let signed = matches!(verdict.signature, Proof::Ok | Proof::NotNeeded);
            let odd = &verdict.deviations;
            assert!(signed && odd.is_empty(), "{} {:?}: {odd:?}", verdict.target, verdict.call);
        }
    }
}

/// An address without scheme and host.
fn target(url: &url::Url) -> String {
    let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
    format!("{}{query}", url.path())
}

/// The value of an attribute of the first tag that has `mark`, as a browser reads it.
fn attribute(html: &str, mark: &str, name: &str) -> String {
    let (_, rest) = html.split_once(mark).unwrap();
    let (_, rest) = rest.split_once(&format!("{name}=\"")).unwrap();
    let (value, _) = rest.split_once('"').unwrap();
    let value = value.replace("&quot;", "\"").replace("&#39;", "'").replace("&lt;", "<");
    value.replace("&gt;", ">").replace("&amp;", "&")
}

#[track_caller]
pub(super) fn accepted<T: std::fmt::Debug>(outcome: Outcome<T>) -> T {
    match outcome {
        Outcome::Accepted(value) => value,
        other @ (Outcome::Refused(_) | Outcome::Unknown(_)) => panic!("{other:?}"),
    }
}

#[track_caller]
pub(super) fn unknown<T: std::fmt::Debug>(outcome: &Outcome<T>, why: impl std::fmt::Debug) {
    assert!(matches!(outcome, Outcome::Unknown(_)), "{why:?} is taken for {outcome:?}");
}
