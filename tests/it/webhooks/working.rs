//! How many at once, and what stays in order meanwhile.

use std::sync::{Arc, Mutex};

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::{Archive, OPEN};

/// A receiver that answers nobody before `open` says so, and counts how many wait at most.
async fn gate() -> (String, watch::Sender<bool>, watch::Receiver<usize>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{}/hooks", listener.local_addr().unwrap());
    let (open, gate) = watch::channel(false);
    let (counts, waiting) = watch::channel(0);
    let counts = Arc::new(Mutex::new(counts));
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let (mut gate, counts) = (gate.clone(), Arc::clone(&counts));
            tokio::spawn(async move {
                let mut bytes = [0; 4096];
                while stream.read(&mut bytes).await.is_ok_and(|read| read > 0) {
                    counts.lock().unwrap().send_modify(|count| *count += 1);
                    drop(gate.wait_for(|open| *open).await);
                    let answer = b"HTTP/1.1 204 X\r\n\r\n";
                    let _written = stream.write_all(answer).await;
                }
            });
        }
    });
    (url, open, waiting)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_endpoint_gets_as_many_at_once_as_it_asked_for() {
    let archive = Archive::open(OPEN).await;
    let (url, open, mut waiting) = gate().await;
    let (code, set) = archive.put(&json!({"url": url, "concurrency": 9})).await;
    assert_eq!(code, 200, "{set}");
    for number in 0..20 {
        archive.happens(&format!("ord_{number}")).await;
    }
    let hub = Arc::clone(&archive.world.hub);
    let work = tokio::spawn(async move { payhub::dispatch::run_once(&hub).await });
    waiting.wait_for(|count| *count == 9).await.unwrap();
    // The tenth has nothing to wait for but a place: whoever counts now counts nine.
    assert_eq!(*waiting.borrow(), 9);
    open.send(true).unwrap();
    work.await.unwrap().unwrap();
    archive.run().await;
    assert_eq!(*waiting.borrow(), 20);
    archive.close().await;
}
