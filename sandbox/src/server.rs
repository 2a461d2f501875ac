//! The sandbox over HTTP: a thread of its own with one worker, so that it lives beside whatever
//! runtime its caller has.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use actix_web::body::{BodyStream, BoxBody, MessageBody as _};
use actix_web::dev::ServerHandle;
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use domain::Clock;

use crate::config::SandboxConfig;
use crate::control::is_from_here;
use crate::courier::{Courier, Delivered};
use crate::engine::Engine;
use crate::error::SandboxError;
use crate::message::{Fate, Received, Reply};

/// Bodies beyond this are refused.
const LARGEST_BODY: usize = 1024 * 1024;
/// How often due callbacks are looked for when they leave by themselves.
const TICK: Duration = Duration::from_millis(100);

/// Starts sandboxes.
pub struct Sandbox;

/// A sandbox that runs.
pub struct Running {
    address: SocketAddr,
    engine: Arc<Engine>,
    courier: Courier,
    handle: ServerHandle,
}

impl Sandbox {
    /// Starts a sandbox on `config.listen` and returns once it accepts connections. `clock` is used
    /// unless the configuration brings its own.
    ///
    /// # Errors
    /// When the address is not loopback or taken, or a key of the configuration cannot be used.
    pub fn start(config: &SandboxConfig, clock: Arc<dyn Clock>) -> Result<Running, SandboxError> {
        if !config.listen.ip().is_loopback() {
            return Err(SandboxError::NotLoopback(config.listen));
        }
        let engine = Arc::new(Engine::new(config, clock)?);
        let bind = |source| SandboxError::Bind { address: config.listen, source };
        let listener = TcpListener::bind(config.listen).map_err(bind)?;
        let address = listener.local_addr().map_err(bind)?;
        engine.set_base_url(format!("http://{address}"));
        let courier = Courier::new()?;
        let shared = Shared { engine: engine.clone(), courier: courier.clone() };
        let handle = spawn(listener, shared, config.auto_tick)?;
        tell(config, address);
        Ok(Running { address, engine, courier, handle })
    }
}

/// Says with what to connect.
fn tell(config: &SandboxConfig, address: SocketAddr) {
    tracing::info!("sandbox at http://{address}/ (page, keys and state)");
    for merchant in &config.wechat {
        tracing::info!(
            mchid = merchant.mchid,
            appid = merchant.appid,
            serial_no = merchant.merchant_serial_no,
            public_key_id = merchant.platform_public_key_id,
            "WeChat Pay APIv3 at http://{address}"
        );
    }
    for app in &config.alipay {
        let (app_id, seller_id) = (&app.app_id, &app.seller_id);
        tracing::info!(app_id, seller_id, "Alipay gateway at http://{address}/gateway.do");
    }
    for account in &config.sms {
        let access_key_id = &account.access_key_id;
        tracing::info!(access_key_id, "Aliyun SMS at http://{address}");
    }
}

impl Running {
    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its address as a URL without a slash at the end.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The engine, for whoever directs it from Rust.
    #[must_use]
    pub const fn engine(&self) -> &Arc<Engine> {
        &self.engine
    }

    /// Delivers all callbacks and receipts that are due now, each at most once.
    pub async fn deliver_due(&self) -> Delivered {
        self.courier.deliver_due(&self.engine).await
    }

    /// Stops the server; requests in hand are finished.
    pub async fn stop(self) {
        self.handle.stop(true).await;
    }
}

/// What every worker has.
#[derive(Clone)]
struct Shared {
    engine: Arc<Engine>,
    courier: Courier,
}

/// Starts the thread and waits until the server has been made.
fn spawn(
    listener: TcpListener,
    shared: Shared,
    auto_tick: bool,
) -> Result<ServerHandle, SandboxError> {
    let (made, waits) = std::sync::mpsc::channel();
    let work = move || {
        let system = actix_web::rt::System::new();
        system.block_on(async move {
            let ticking = shared.clone();
            let server = HttpServer::new(move || {
                App::new()
                    .app_data(web::Data::new(shared.clone()))
                    .app_data(web::PayloadConfig::new(LARGEST_BODY))
                    .default_service(web::to(serve))
            })
            .workers(1)
            .disable_signals()
            .shutdown_timeout(2)
            .listen(listener);
            match server {
                Ok(server) => {
                    let server = server.run();
                    let _receiver_waits = made.send(Ok(server.handle()));
                    if auto_tick {
                        actix_web::rt::spawn(tick(ticking));
                    }
                    if let Err(error) = server.await {
                        tracing::error!(%error, "the sandbox's server ended");
                    }
                }
                Err(error) => drop(made.send(Err(error))),
            }
        });
    };
    std::thread::Builder::new()
        .name("sandbox".to_owned())
        .spawn(work)
        .map_err(SandboxError::Thread)?;
    match waits.recv() {
        Ok(Ok(handle)) => Ok(handle),
        Ok(Err(error)) => Err(SandboxError::Thread(error)),
        Err(gone) => Err(SandboxError::Thread(std::io::Error::other(gone))),
    }
}

async fn tick(shared: Shared) {
    let mut beat = actix_web::rt::time::interval(TICK);
    loop {
        beat.tick().await;
        shared.courier.deliver_due(&shared.engine).await;
    }
}

async fn serve(
    shared: web::Data<Shared>,
    request: HttpRequest,
    body: web::Bytes,
) -> HttpResponse<BoxBody> {
    let received = received(&request, &body);
    if received.path() == "/sandbox/tick" && received.method == "POST" && is_from_here(&received) {
        let round = shared.courier.deliver_due(&shared.engine).await;
        return response(Reply::json(200, &serde_json::json!(round)));
    }
    let reply = shared.engine.answer(&received);
    match reply.fate {
        Fate::Arrives => response(reply),
        Fate::ArrivesAfter(millis) => {
            actix_web::rt::time::sleep(Duration::from_millis(millis)).await;
            response(reply)
        }
        Fate::Cut => cut(),
    }
}

fn received(request: &HttpRequest, body: &web::Bytes) -> Received {
    let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
    let headers = request
        .headers()
        .iter()
        .map(|(name, value)| {
            (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        })
        .collect();
    Received {
        method: request.method().as_str().to_owned(),
        target: target.to_owned(),
        headers,
        body: body.to_vec(),
    }
}

fn response(reply: Reply) -> HttpResponse<BoxBody> {
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = HttpResponse::build(status);
    for (name, value) in reply.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.append_header((name, value));
        }
    }
    if status == StatusCode::NO_CONTENT { response.finish() } else { response.body(reply.body) }
}

/// A body that fails at its first byte: the server closes the connection instead of answering.
fn cut() -> HttpResponse<BoxBody> {
    let fails = futures_util::stream::once(async {
        Err::<web::Bytes, std::io::Error>(std::io::ErrorKind::ConnectionAborted.into())
    });
    let body = BodyStream::new(Box::pin(fails)).boxed();
    HttpResponse::with_body(StatusCode::OK, body)
}
