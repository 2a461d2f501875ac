//! The backend service's end of the webhooks: verifies each, keeps it, and answers as it is told.

use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use actix_web::dev::ServerHandle;
use actix_web::http::StatusCode;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use serde_json::Value;

use super::office::{OfficeError, told};

/// A webhook as it came in.
#[derive(Clone, Debug, PartialEq)]
pub struct Heard {
    /// `webhook-id`.
    pub id: String,
    /// `webhook-timestamp`, Unix seconds.
    pub timestamp: i64,
    /// `webhook-signature`.
    pub signature: String,
    /// The raw body.
    pub raw: Vec<u8>,
    /// The body as JSON.
    pub body: Value,
}

/// A listening receiver.
pub struct Receiver {
    address: SocketAddr,
    handle: ServerHandle,
    shared: Arc<Shared>,
}

struct Shared {
    heard: Mutex<Vec<Heard>>,
    answer: AtomicU16,
    secret: String,
}

impl Receiver {
    /// Starts a receiver on a free port of loopback, which answers 204.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start(secret: &str) -> Result<Self, OfficeError> {
        let socket = TcpListener::bind(("127.0.0.1", 0)).map_err(told)?;
        let address = socket.local_addr().map_err(told)?;
        let shared = Arc::new(Shared {
            heard: Mutex::new(Vec::new()),
            answer: AtomicU16::new(204),
            secret: secret.to_owned(),
        });
        let data = web::Data::from(Arc::clone(&shared));
        let server = HttpServer::new(move || {
            App::new().app_data(data.clone()).default_service(web::to(hear))
        })
        .workers(1)
        .disable_signals()
        .shutdown_timeout(1)
        .listen(socket)
        .map_err(told)?
        .run();
        let handle = server.handle();
        tokio::spawn(server);
        Ok(Self { address, handle, shared })
    }

    /// Where it listens.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}/hooks", self.address)
    }

    /// What it answers from now on.
    pub fn answer_with(&self, status: u16) {
        self.shared.answer.store(status, Ordering::SeqCst);
    }

    /// Everything that it heard and answered with success, in order.
    #[must_use]
    pub fn heard(&self) -> Vec<Heard> {
        self.shared.heard.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Stops listening.
    pub async fn stop(self) {
        self.handle.stop(true).await;
    }
}

async fn hear(request: HttpRequest, body: web::Bytes, shared: web::Data<Shared>) -> HttpResponse {
    let status = shared.answer.load(Ordering::SeqCst);
    let answer = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let header = |name: &str| {
        request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    };
    let heard = Heard {
        id: header("webhook-id").to_owned(),
        timestamp: header("webhook-timestamp").parse().unwrap_or_default(),
        signature: header("webhook-signature").to_owned(),
        raw: body.to_vec(),
        body: serde_json::from_slice(&body).unwrap_or(Value::Null),
    };
    if !is_genuine(&shared.secret, &heard) {
        return HttpResponse::Unauthorized().finish();
    }
    if answer.is_success() {
        shared.heard.lock().unwrap_or_else(PoisonError::into_inner).push(heard);
    }
    HttpResponse::build(answer).finish()
}

/// Verifies with a computation of its own, so that a mistake of the signer cannot verify itself.
fn is_genuine(secret: &str, heard: &Heard) -> bool {
    use base64::Engine as _;
    let base64 = base64::engine::general_purpose::STANDARD;
    let Some(Ok(key)) = secret.strip_prefix("whsec_").map(|text| base64.decode(text)) else {
        return false;
    };
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, &key);
    let mut signed = format!("{}.{}.", heard.id, heard.timestamp).into_bytes();
    signed.extend_from_slice(&heard.raw);
    heard.signature.split(' ').filter_map(|part| part.strip_prefix("v1,")).any(|tag| {
        base64.decode(tag).is_ok_and(|tag| aws_lc_rs::hmac::verify(&key, &signed, &tag).is_ok())
    })
}
