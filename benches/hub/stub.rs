//! Providers that cost nothing beside the hub: prepared answers over raw TCP, signed once a second by
//! WeChat Pay and once for all by Alipay. The backend's webhook receiver is here too. They share the
//! load's thread, and their processor time is counted with it.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::Rc;

use adapters::keys::SigningKey;
use domain::Clock as _;
use payhub::clock::SystemClock;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::given::Outcome;
use crate::office::{ALIPAY, PUBLIC_KEY_ID, WECHATPAY};

/// Answers, whole as they go out.
struct Answers {
    key: SigningKey,
    signed_at: i64,
    jsapi: Vec<u8>,
    native: Vec<u8>,
    precreate: Vec<u8>,
    sms: Vec<u8>,
}

impl Answers {
    fn new() -> Outcome<Self> {
        let node = r#"{"code":"10000","msg":"Success","qr_code":"https:\/\/qr.alipay.com\/bax03431ljhokirwl38f00a7"}"#;
        let sign = SigningKey::read(ALIPAY)?.sign(node.as_bytes())?;
        let precreate = format!(r#"{{"alipay_trade_precreate_response":{node},"sign":"{sign}"}}"#);
        let sms = r#"{"Message":"OK","RequestId":"F655A8D5-B967-440B-8683-DAD6FF8DE990","Code":"OK","BizId":"900619746936498440^0"}"#;
        Ok(Self {
            key: SigningKey::read(WECHATPAY)?,
            signed_at: 0,
            jsapi: Vec::new(),
            native: Vec::new(),
            precreate: answer("", precreate.as_bytes()),
            sms: answer("", sms.as_bytes()),
        })
    }

    fn to(&mut self, request: &[u8]) -> Outcome<&[u8]> {
        let now = SystemClock.now().as_second();
        if now != self.signed_at {
            self.jsapi =
                self.signed(now, r#"{"prepay_id":"wx261153585405162d4d02642eb4b3c10000"}"#)?;
            self.native =
                self.signed(now, r#"{"code_url":"weixin://wxpay/bizpayurl?pr=JyC91EIz1"}"#)?;
            self.signed_at = now;
        }
        let line = request.split(|byte| *byte == b'\r').next().unwrap_or_default();
        let has = |word: &str| line.windows(word.len()).any(|part| part == word.as_bytes());
        Ok(match () {
            () if has("/v3/pay/transactions/jsapi") => &self.jsapi,
            () if has("/v3/pay/transactions/native") => &self.native,
            () if has("/gateway.do") => &self.precreate,
            () => &self.sms,
        })
    }

    fn signed(&self, now: i64, body: &str) -> Outcome<Vec<u8>> {
        let nonce = "d824f2e086d3c1df967785d13fcd22ef";
        let signature = self.key.sign(format!("{now}\n{nonce}\n{body}\n").as_bytes())?;
        let head = format!(
            "Wechatpay-Timestamp: {now}\r\nWechatpay-Nonce: {nonce}\r\nWechatpay-Serial: {PUBLIC_KEY_ID}\r\n\
             Wechatpay-Signature: {signature}\r\n"
        );
        Ok(answer(&head, body.as_bytes()))
    }
}

fn answer(headers: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json;charset=utf-8\r\n{headers}content-length: {length}\r\n\r\n"
    );
    [head.as_bytes(), body].concat()
}

/// Serves providers, SMS vendor and webhook receiver for as long as the benchmark's [`tokio::task::LocalSet`]
/// or thread lives; where it listens.
pub async fn serve() -> Outcome<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    // A thread of its own: the load's own set of tasks runs only while there is load.
    std::thread::Builder::new().name("stub".to_owned()).spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let (Ok(runtime), Ok(listener)) = (runtime, listener.into_std()) else { return };
        let local = tokio::task::LocalSet::new();
        local.block_on(&runtime, async {
            let (Ok(listener), Ok(answers)) = (TcpListener::from_std(listener), Answers::new())
            else {
                return;
            };
            let answers = Rc::new(RefCell::new(answers));
            while let Ok((stream, _)) = listener.accept().await {
                tokio::task::spawn_local(talk(stream, Rc::clone(&answers)));
            }
        });
    })?;
    Ok(address)
}

async fn talk(mut stream: TcpStream, answers: Rc<RefCell<Answers>>) {
    let _unset = stream.set_nodelay(true);
    let mut buffer = Vec::with_capacity(16 * 1024);
    loop {
        buffer.clear();
        while !is_whole(&buffer) {
            match stream.read_buf(&mut buffer).await {
                Ok(0) | Err(_) => return,
                Ok(_) => {}
            }
        }
        let answer = match answers.borrow_mut().to(&buffer) {
            Ok(answer) => answer.to_vec(),
            Err(_unsigned) => return,
        };
        if stream.write_all(&answer).await.is_err() {
            return;
        }
    }
}

/// Whether a request has come in whole.
pub fn is_whole(buffer: &[u8]) -> bool {
    let Some(end) = buffer.windows(4).position(|four| four == b"\r\n\r\n") else { return false };
    let head = String::from_utf8_lossy(&buffer[..end]).to_ascii_lowercase();
    if head.contains("transfer-encoding: chunked") {
        return buffer.ends_with(b"0\r\n\r\n");
    }
    let length = head.split("\r\n").find_map(|line| line.strip_prefix("content-length:"));
    let length = length.and_then(|length| length.trim().parse().ok()).unwrap_or(0);
    buffer.len() >= end + 4 + length
}
