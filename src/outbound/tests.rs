//! TLS as it is spoken, against a server of the test's own.

use std::sync::Arc;

use adapters::provider::Rate;
use adapters::wire::{Method, Request};
use domain::personal::Secret;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

use super::*;

const RATE: Rate = Rate { sort: "call", per_second: 100 };

/// An authority of the test's own.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    fn pem(&self) -> Vec<u8> {
        self.0.pem().into_bytes()
    }

    /// A certificate for a name and its key, PEM.
    fn issue(&self, name: &str) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new([name.to_owned()]).unwrap();
        (params.signed_by(&key, &self.0).unwrap().pem(), key.serialize_pem())
    }
}

/// A server that answers 200 to every request; where `clients` is given, to those alone who show a
/// certificate of that authority.
async fn server(identity: &(String, String), clients: Option<&Authority>) -> String {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .unwrap();
    let builder = match clients {
        None => builder.with_no_client_auth(),
        Some(authority) => {
            let mut roots = RootCertStore::empty();
            roots.add(CertificateDer::from_pem_slice(&authority.pem()).unwrap()).unwrap();
            let verifier =
                WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
            builder.with_client_cert_verifier(verifier.unwrap())
        }
    };
    let chain = vec![CertificateDer::from_pem_slice(identity.0.as_bytes()).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(identity.1.as_bytes()).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(builder.with_single_cert(chain, key).unwrap()));
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut tls) = acceptor.accept(stream).await else { continue };
            let mut bytes = [0; 4096];
            let _request = tls.read(&mut bytes).await;
            let answer = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok";
            let _told = tls.write_all(answer.as_bytes()).await;
            let _closed = tls.shutdown().await;
        }
    });
    format!("https://localhost:{port}/")
}

fn request(url: &str, mutual_tls: bool) -> Request {
    Request {
        method: Method::Get,
        url: url.to_owned(),
        second_url: None,
        mutual_tls,
        headers: Vec::new(),
        body: Vec::new(),
    }
}

fn merchant() -> MerchantId {
    "legacy-wechat".parse().unwrap()
}

#[tokio::test]
async fn a_merchant_shows_its_own_certificate_and_only_where_it_is_asked_for() {
    let (servers, clients) = (Authority::new(), Authority::new());
    let url = server(&servers.issue("localhost"), Some(&clients)).await;
    let trust = Trust::Root(servers.pem());
    let shown = |authority: &Authority| {
        let (certificate, key) = authority.issue("1900000001");
        ClientIdentity::from(Secret::new(certificate + &key))
    };
    let (own, stranger) = (shown(&clients), shown(&Authority::new()));
    let id = merchant();
    let good = Outbound::new(&trust, [(&id, &own)]).unwrap();
    let answer = good.send_for(&id, RATE, &request(&url, true), Kind::Call).await.unwrap();
    assert_eq!((answer.status, answer.body.as_slice()), (200, b"ok".as_slice()));
    let plain = good.send_for(&id, RATE, &request(&url, false), Kind::Call).await;
    assert!(plain.is_err(), "what needs no certificate shows none: {plain:?}");
    let wrong = Outbound::new(&trust, [(&id, &stranger)]).unwrap();
    assert!(wrong.send_for(&id, RATE, &request(&url, true), Kind::Call).await.is_err());
    let none = Outbound::new(&trust, []).unwrap();
    assert!(none.send_for(&id, RATE, &request(&url, true), Kind::Call).await.is_err());
}

#[tokio::test]
async fn t34_a_wrong_server_certificate_is_refused_whatever_the_configuration_says() {
    let (authority, other) = (Authority::new(), Authority::new());
    let (own, id) = (authority.issue("1900000001"), merchant());
    let identity = ClientIdentity::from(Secret::new(own.0 + &own.1));
    let good = server(&authority.issue("localhost"), None).await;
    let foreign = server(&other.issue("localhost"), None).await;
    let misnamed = server(&authority.issue("api.mch.weixin.qq.com"), None).await;
    for identities in [vec![], vec![(&id, &identity)]] {
        for trust in [Trust::Root(authority.pem()), Trust::Nobody] {
            let outbound = Outbound::new(&trust, identities.clone()).unwrap();
            for mutual_tls in [true, false] {
                let sent = async |url: &str| {
                    outbound.send_for(&id, RATE, &request(url, mutual_tls), Kind::Call).await
                };
                let is_trusted = matches!(trust, Trust::Root(_));
                assert_eq!(sent(&good).await.is_ok(), is_trusted, "{trust:?}");
                for wrong in [&foreign, &misnamed] {
                    let silence = sent(wrong).await.unwrap_err();
                    assert!(matches!(silence, Silence::NotSent(_)), "{silence:?}");
                }
            }
        }
    }
}

#[tokio::test]
async fn the_second_host_is_asked_only_where_the_first_was_not_reached() {
    let authority = Authority::new();
    let there = server(&authority.issue("localhost"), None).await;
    let closed = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let nobody = format!("https://localhost:{}/", closed.local_addr().unwrap().port());
    drop(closed);
    let silent = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let hangs_up = format!("http://localhost:{}/", silent.local_addr().unwrap().port());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = silent.accept().await {
            let mut bytes = [0; 4096];
            let _request = stream.read(&mut bytes).await;
        }
    });
    let outbound = Outbound::new(&Trust::Root(authority.pem()), []).unwrap();
    let ask = async |first: &str, second: Option<&str>| {
        let mut request = request(first, false);
        request.second_url = second.map(str::to_owned);
        outbound.send_for(&merchant(), RATE, &request, Kind::Call).await
    };
    assert!(ask(&nobody, Some(&there)).await.is_ok());
    assert!(matches!(ask(&nobody, None).await, Err(Silence::NotSent(_))));
    assert!(matches!(ask(&nobody, Some(&nobody)).await, Err(Silence::NotSent(_))));
    // It may have been executed: nobody sends it a second time.
    assert!(matches!(ask(&hangs_up, Some(&there)).await, Err(Silence::NoAnswer(_))));
}
