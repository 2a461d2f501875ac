//! The other side, on loopback: keeps what it is sent, and answers as the test tells it, or closes
//! the connection without a word, or lets everybody wait.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    /// Path and query.
    pub(crate) target: String,
    /// Headers, names in small letters.
    pub(crate) headers: Vec<(String, String)>,
    /// The body.
    pub(crate) body: String,
}

impl Asked {
    /// A header.
    pub(crate) fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value)
    }

    /// A parameter of the query.
    pub(crate) fn parameter(&self, name: &str) -> String {
        let url = url::Url::parse(&format!("http://x{}", self.target)).unwrap();
        let found = url.query_pairs().find(|(known, _)| known == name);
        found.map_or_else(String::new, |(_, value)| value.into_owned())
    }
}

/// Status, extra headers and body; `None` closes the connection instead.
pub(crate) type Said = Option<(u16, String, String)>;
type Speech = Box<dyn Fn(&Asked) -> Said + Send>;

/// A listening peer.
#[derive(Clone)]
pub(crate) struct Peer {
    /// `http://127.0.0.1:port`
    pub(crate) url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
    speech: Arc<Mutex<Speech>>,
    /// Whether it answers at all.
    answers: watch::Sender<bool>,
    /// How often it was asked.
    count: watch::Sender<usize>,
}

impl Peer {
    /// One that answers 204.
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let peer = Self {
            url: format!("http://{}", listener.local_addr().unwrap()),
            asked: Arc::default(),
            speech: Arc::new(Mutex::new(Box::new(|_| status(204)))),
            answers: watch::Sender::new(true),
            count: watch::Sender::new(0),
        };
        let listening = peer.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(listening.clone().talk(stream));
            }
        });
        peer
    }

    /// What it says from now on.
    pub(crate) fn says(&self, speech: impl Fn(&Asked) -> Said + Send + 'static) {
        *self.speech.lock().unwrap() = Box::new(speech);
    }

    /// Whether it answers from now on, or lets everybody wait until it does.
    pub(crate) fn answers(&self, does: bool) {
        self.answers.send_replace(does);
    }

    /// Waits until it was asked so often, answered or not.
    pub(crate) async fn was_asked(&self, times: usize) {
        let mut count = self.count.subscribe();
        let asked = count.wait_for(|count| *count >= times);
        let asked = tokio::time::timeout(std::time::Duration::from_secs(60), asked).await;
        assert!(asked.is_ok(), "asked {} times, not {times}", self.asked().len());
    }

    /// Everything that it was asked, in order.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// How often a header had a value.
    pub(crate) fn count(&self, header: &str, value: &str) -> usize {
        self.asked().iter().filter(|asked| asked.header(header) == value).count()
    }

    async fn talk(self, mut stream: TcpStream) {
        while let Some(asked) = read(&mut stream).await {
            self.asked.lock().unwrap().push(asked.clone());
            self.count.send_modify(|count| *count += 1);
            drop(self.answers.subscribe().wait_for(|does| *does).await);
            let said = (self.speech.lock().unwrap())(&asked);
            let Some((status, headers, body)) = said else { return };
            let text = format!(
                "HTTP/1.1 {status} X\r\ncontent-length: {}\r\n{headers}\r\n{body}",
                body.len()
            );
            if stream.write_all(text.as_bytes()).await.is_err() {
                return;
            }
        }
    }
}

/// A bare status.
pub(crate) fn status(status: u16) -> Said {
    Some((status, String::new(), String::new()))
}

/// 200 with a JSON body.
pub(crate) fn json(body: &serde_json::Value) -> Said {
    Some((200, "content-type: application/json\r\n".to_owned(), body.to_string()))
}

async fn read(stream: &mut TcpStream) -> Option<Asked> {
    let mut bytes = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let mut lines = head.lines();
            let target = lines.next()?.split(' ').nth(1)?.to_owned();
            let headers: Vec<(String, String)> = lines
                .filter_map(|line| line.split_once(": "))
                .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
                .collect();
            let asked = Asked { target, headers, body: body.to_owned() };
            if body.len() >= asked.header("content-length").parse().unwrap_or(0) {
                return Some(asked);
            }
        }
        let read = stream.read(&mut chunk).await.ok().filter(|read| *read > 0)?;
        bytes.extend_from_slice(&chunk[..read]);
    }
}
