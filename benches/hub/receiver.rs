//! A backend's webhook receiver that answers at once, or after a while, and keeps in mind what came
//! when. It has a thread of its own, whose processor time is counted with the load's.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::given::Outcome;
use crate::stub::is_whole;

/// A listening receiver.
#[derive(Clone)]
pub struct Receiver {
    /// Where.
    pub address: SocketAddr,
    heard: Arc<Mutex<Vec<(Instant, String)>>>,
    waits_ms: Arc<AtomicU64>,
}

impl Receiver {
    /// Starts one that answers at once.
    pub fn start() -> Outcome<Self> {
        let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        let receiver = Self {
            address: listener.local_addr()?,
            heard: Arc::default(),
            waits_ms: Arc::default(),
        };
        let hears = receiver.clone();
        std::thread::Builder::new().name("receiver".to_owned()).spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let Ok(runtime) = runtime else { return };
            runtime.block_on(async {
                let Ok(listener) = TcpListener::from_std(listener) else { return };
                while let Ok((stream, _)) = listener.accept().await {
                    tokio::spawn(hears.clone().talk(stream));
                }
            });
        })?;
        Ok(receiver)
    }

    /// How long it takes to answer from now on.
    pub fn waits(&self, time: Duration) {
        self.waits_ms.store(u64::try_from(time.as_millis()).unwrap_or(u64::MAX), Ordering::SeqCst);
    }

    /// How much it has heard.
    pub fn count(&self) -> usize {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// When it heard of each event, in order, from a place on.
    pub fn heard_from(&self, place: usize) -> Vec<(Instant, String)> {
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        heard.get(place..).unwrap_or_default().to_vec()
    }

    /// Waits until it has heard so much.
    pub async fn until(&self, count: usize, patience: Duration) -> Outcome<()> {
        let begun = Instant::now();
        while self.count() < count {
            if begun.elapsed() > patience {
                return Err(
                    format!("{} of {count} webhooks came in {patience:?}", self.count()).into()
                );
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        Ok(())
    }

    async fn talk(self, mut stream: TcpStream) {
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
            let heard = (Instant::now(), id(&buffer));
            self.heard.lock().unwrap_or_else(PoisonError::into_inner).push(heard);
            let waits = self.waits_ms.load(Ordering::SeqCst);
            if waits > 0 {
                tokio::time::sleep(Duration::from_millis(waits)).await;
            }
            if stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.is_err() {
                return;
            }
        }
    }
}

/// The `webhook-id` of a request.
fn id(request: &[u8]) -> String {
    let text = String::from_utf8_lossy(request);
    let found = text.split("\r\n").find_map(|line| line.strip_prefix("webhook-id: "));
    found.unwrap_or_default().to_owned()
}
