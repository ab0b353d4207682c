//! Connections: whose they are, and how long they may take.

use std::net::SocketAddr;
use std::time::Duration;

use spare_key_server::front::Front;
use spare_key_server::tls::{Authority, Tls};
use spare_key_tests::App;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::oneshot::channel;
use tokio::time::timeout;

/// Longer than any step takes, and shorter than every limit that is not set here.
const LONG: Duration = Duration::from_secs(8);

fn impatient(tls: Option<Tls>) -> Front {
    Front {
        tls,
        patience: Duration::from_millis(100),
        ..Front::default()
    }
}

/// Somebody who has sent this and then nothing more; what they were told before they were cut off.
async fn sent_to(address: SocketAddr, text: &str) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    stream.write_all(text.as_bytes()).await.expect("sent");
    let mut told = Vec::new();
    let read = timeout(LONG, stream.read_to_end(&mut told)).await;
    read.expect("held for ever").expect("an end");
    told
}

async fn sent(app: &App, text: &str) -> String {
    let told = sent_to(app.listen_with(impatient(None)).await, text).await;
    String::from_utf8(told).expect("text")
}

#[tokio::test]
async fn half_a_head_holds_no_connection() {
    let app = App::start().await;
    for half in [
        "",
        "G",
        "PRI * HTTP/2.0\r\n",
        "GET /healthz HTTP/1.1\r\nHost: a\r\nX-Slow: ",
    ] {
        let told = sent(&app, half).await;
        assert!(!told.contains("200 OK"), "{half:?}: {told}");
    }
}

#[tokio::test]
async fn a_handshake_that_goes_no_further_holds_no_connection() {
    let app = App::start().await;
    let folder = tempfile::tempdir().expect("a folder");
    let authority = Authority::load_or_make(folder.path(), app.now()).expect("an authority");
    let hosts = ["localhost".to_owned()];
    let tls = authority.server(&hosts, app.now()).expect("a certificate");
    let address = app.listen_with(impatient(Some(tls))).await;
    // Nothing, and the beginning of a TLS record of 512 bytes.
    for begun in ["", "\x16\x03\x01\x02\x00\x01"] {
        let told = sent_to(address, begun).await;
        assert!(told.is_empty(), "{told:?}");
    }
}

#[tokio::test]
async fn an_answered_caller_who_is_silent_is_let_go() {
    let app = App::start().await;
    let told = sent(&app, "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert!(told.starts_with("HTTP/1.1 200 OK"), "{told}");
}

#[tokio::test]
async fn a_second_request_on_the_same_connection_is_answered() {
    let app = App::start().await;
    let one = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n";
    let told = sent(&app, &format!("{one}{one}")).await;
    assert_eq!(told.matches("HTTP/1.1 200 OK").count(), 2, "{told}");
}

#[tokio::test]
async fn a_request_that_never_ends_does_not_keep_a_server_from_stopping() {
    let app = App::start().await;
    let front = Front {
        drain_for: Duration::from_millis(100),
        ..Front::default()
    };
    let (stop, stopped) = channel::<()>();
    let stopped = async {
        stopped.await.expect("told to stop");
    };
    let (address, serving) = app.listen_until(front, stopped).await;
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    // The head is read, and the body never comes.
    let request = "POST /recovery/v1/accounts/a/redeem HTTP/1.1\r\nHost: a\r\n\
        Authorization: Basic ZGV2LWhvc3Q6ZGV2LWhvc3Qtc2VjcmV0\r\nExpect: 100-continue\r\n\
        Content-Type: application/json\r\nContent-Length: 30\r\n\r\n";
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut asked = [0_u8; 25];
    stream.read_exact(&mut asked).await.expect("100 Continue");
    stop.send(()).expect("somebody to tell");
    let ended = timeout(LONG, serving).await.expect("stopped");
    ended.expect("no panic").expect("no error");
    let mut rest = Vec::new();
    let read = timeout(LONG, stream.read_to_end(&mut rest)).await;
    // Closed or broken off: it is over.
    let _over = read.expect("held for ever");
    assert!(rest.is_empty());
    TcpStream::connect(address).await.expect_err("closed");
}
