//! The guard: what a name leads to is judged once, and connected to, each time.

use std::net::Ipv4Addr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use adapters::wire::Method;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;

/// Names that lead elsewhere each time that they are asked for: the last answer stays.
#[derive(Clone, Debug)]
struct Rebinding(Arc<Mutex<Vec<Ipv4Addr>>>, Arc<AtomicUsize>);

impl Rebinding {
    fn to(addresses: &[[u8; 4]]) -> Self {
        let left = addresses.iter().rev().map(|octets| Ipv4Addr::from(*octets)).collect();
        Self(Arc::new(Mutex::new(left)), Arc::default())
    }

    fn asked(&self) -> usize {
        self.1.load(Ordering::SeqCst)
    }
}

impl Names for Rebinding {
    fn look_up(&self, _name: String) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> {
        self.1.fetch_add(1, Ordering::SeqCst);
        let mut left = self.0.lock().unwrap();
        let address = if left.len() > 1 { left.pop() } else { left.last().copied() };
        let found = address.map(|address| SocketAddr::from((address, 0)));
        Box::pin(async move { Ok(found.into_iter().collect()) })
    }
}

/// Answers each connection once and closes it; how many there were.
async fn receiver(address: [u8; 4], port: u16) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind((Ipv4Addr::from(address), port)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::SeqCst);
            let mut bytes = [0; 1024];
            let _read = stream.read(&mut bytes).await;
            let answer = b"HTTP/1.1 204 X\r\nconnection: close\r\n\r\n";
            let _written = stream.write_all(answer).await;
        }
    });
    (port, count)
}

fn post(url: String) -> Request {
    Request {
        method: Method::Post,
        url,
        second_url: None,
        mutual_tls: false,
        headers: Vec::new(),
        body: Vec::new(),
    }
}

#[test]
fn t27_one_closed_address_refuses_a_name() {
    let addresses = |texts: &[&str]| -> Vec<SocketAddr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    };
    let none = AllowList::default();
    let ten = AllowList::parse(["10.0.0.0/8"]).unwrap();
    assert!(judge(&addresses(&["8.8.8.8:0", "[2606:4700::1]:0"]), &none).is_ok());
    assert!(judge(&addresses(&["8.8.8.8:0", "10.0.0.7:0"]), &none).is_err());
    assert!(judge(&addresses(&["8.8.8.8:0", "10.0.0.7:0"]), &ten).is_ok());
    assert!(judge(&addresses(&["169.254.169.254:0"]), &ten).is_err());
    assert!(judge(&addresses(&["[::ffff:127.0.0.1]:0"]), &ten).is_err());
}

#[tokio::test]
async fn t27_a_name_that_leads_elsewhere_after_it_was_judged_leads_nobody_there() {
    // The first answer is open, every later one is not: both listen, on the same port.
    let (port, open) = receiver([127, 0, 0, 1], 0).await;
    let (_, inside) = receiver([127, 0, 0, 2], port).await;
    let allowed = AllowList::parse(["127.0.0.1"]).unwrap();
    let names = Rebinding::to(&[[127, 0, 0, 1], [127, 0, 0, 2]]);
    let webhooks = Webhooks::with(&allowed, Arc::new(names.clone()));
    let url = format!("http://registry.example:{port}/hooks");
    let answer = webhooks.send(post(url.clone()), false).await.unwrap();
    assert_eq!(answer.status, 204);
    assert_eq!(names.asked(), 1, "what was judged is what was connected to");
    // The next connection resolves anew, and is judged anew.
    let refused = webhooks.send(post(url), false).await.unwrap_err();
    let NoAnswer::Silence(Silence::NotSent(why)) = refused else { panic!("{refused:?}") };
    assert!(why.contains("not public") && !why.contains("127.0.0.2"), "{why}");
    assert_eq!((open.load(Ordering::SeqCst), inside.load(Ordering::SeqCst)), (1, 0));
}

#[tokio::test]
async fn t27_an_address_is_judged_when_it_is_set() {
    let allowed = AllowList::parse(["10.0.0.0/8"]).unwrap();
    let judge = |url: &'static str, leads_to: [u8; 4]| {
        let webhooks = Webhooks::with(&allowed, Arc::new(Rebinding::to(&[leads_to])));
        async move { webhooks.judge(url).await }
    };
    assert_eq!(judge("https://registry.example/hooks", [8, 8, 8, 8]).await, Ok(()));
    assert_eq!(judge("https://registry.example/hooks", [10, 1, 2, 3]).await, Ok(()));
    assert_eq!(judge("http://10.1.2.3:9000/hooks", [8, 8, 8, 8]).await, Ok(()));
    for (url, leads_to, word) in [
        ("https://registry.example/hooks", [127, 0, 0, 1], "not public"),
        ("https://registry.example/hooks", [169, 254, 169, 254], "not public"),
        ("http://127.1/", [8, 8, 8, 8], "127.0.0.1"),
        ("http://0177.0.0.1/", [8, 8, 8, 8], "127.0.0.1"),
        ("http://0x7f000001/", [8, 8, 8, 8], "127.0.0.1"),
        ("http://2130706433/", [8, 8, 8, 8], "127.0.0.1"),
        ("http://100.64.0.1/", [8, 8, 8, 8], "100.64.0.1"),
        ("http://[::ffff:192.168.1.1]/", [8, 8, 8, 8], "::ffff:192.168.1.1"),
        ("http://[64:ff9b::7f00:1]/", [8, 8, 8, 8], "64:ff9b::7f00:1"),
        ("http://[fe80::1]/", [8, 8, 8, 8], "fe80::1"),
        ("https://user@registry.example/", [8, 8, 8, 8], "user name"),
        ("https://:word@registry.example/", [8, 8, 8, 8], "password"),
        ("gopher://registry.example/", [8, 8, 8, 8], "https://"),
    ] {
        let why = judge(url, leads_to).await.unwrap_err();
        assert!(why.contains(word), "{url}: {why}");
        // Who writes an address knows it; who writes a name does not learn where it leads.
        let leads_to = Ipv4Addr::from(leads_to).to_string();
        assert!(!why.contains(&leads_to), "{url}: {why}");
    }
    let nowhere = Webhooks::with(&allowed, Arc::new(Rebinding::to(&[])));
    let why = nowhere.judge("https://registry.example/").await.unwrap_err();
    assert!(why.contains("does not resolve"), "{why}");
}
