//! A host that uses the native dialect: a method an endpoint.

use std::fmt::Write as _;

use axum::body::Body;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{Method, Request};
use data_encoding::BASE64;
use http_body_util::BodyExt as _;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use spare_key_server::model::Millis;
use std::net::SocketAddr;
use tokio::net::TcpStream;

use crate::{Answer, App};

const BASE: &str = "/recovery/v1";

/// A caller with its credentials.
#[derive(Debug, Clone)]
pub struct Native {
    app: App,
    authorization: Option<String>,
}

impl Native {
    pub(crate) fn new(app: App, credentials: Option<(&str, &str)>) -> Self {
        let authorization = credentials.map(|(id, secret)| {
            format!(
                "Basic {}",
                BASE64.encode(format!("{id}:{secret}").as_bytes())
            )
        });
        Self { app, authorization }
    }

    /// A person has proven a password just now.
    pub fn proof(&self) -> Value {
        json!({ "amr": ["pwd"], "at": self.app.time(Millis(0)) })
    }

    /// Status of an account.
    pub async fn status(&self, account: &str) -> Answer {
        self.ask(Method::GET, &of(account, ""), None).await
    }

    /// The list of accounts; `query` with its question mark, or nothing.
    pub async fn accounts(&self, query: &str) -> Answer {
        let path = format!("{BASE}/accounts{query}");
        self.ask(Method::GET, &path, None).await
    }

    /// Asks for a batch with this body.
    pub async fn stage(&self, account: &str, body: Value) -> Answer {
        self.ask(Method::POST, &of(account, "/batches"), Some(body))
            .await
    }

    /// The same under an idempotency key.
    pub async fn stage_under(&self, key: &str, account: &str, body: Value) -> Answer {
        let request = self
            .request(Method::POST, &of(account, "/batches"))
            .header("idempotency-key", key)
            .header(CONTENT_TYPE, "application/json")
            .body(Body::from(body.to_string()));
        self.app.send(request.expect("a request")).await
    }

    /// The pending batch again.
    pub async fn show(&self, account: &str) -> Answer {
        self.ask(Method::GET, &of(account, "/batches/pending"), None)
            .await
    }

    /// The codes are saved.
    pub async fn activate(&self, account: &str, generation: u64) -> Answer {
        self.activate_saying(account, generation, json!({ "saved": true }))
            .await
    }

    /// Activates with this body.
    pub async fn activate_saying(&self, account: &str, generation: u64, body: Value) -> Answer {
        let path = of(account, &format!("/batches/{generation}/activate"));
        self.ask(Method::POST, &path, Some(body)).await
    }

    /// Gives the pending batch up.
    pub async fn give_up(&self, account: &str) -> Answer {
        self.ask(Method::DELETE, &of(account, "/batches/pending"), None)
            .await
    }

    /// Spends a code.
    pub async fn redeem(&self, account: &str, code: &str) -> Answer {
        let body = json!({ "code": code, "proof": self.proof() });
        self.ask(Method::POST, &of(account, "/redeem"), Some(body))
            .await
    }

    /// Ends the live and the pending batch.
    pub async fn revoke(&self, account: &str) -> Answer {
        self.ask(Method::DELETE, &of(account, "/batches"), None)
            .await
    }

    /// Forgets the account.
    pub async fn forget(&self, account: &str) -> Answer {
        self.ask(Method::DELETE, &of(account, ""), None).await
    }

    /// Audit rows; `query` with its question mark, or nothing.
    pub async fn events(&self, account: &str, query: &str) -> Answer {
        let path = of(account, &format!("/events{query}"));
        self.ask(Method::GET, &path, None).await
    }

    /// A live list of ten: its generation and its codes.
    pub async fn issue(&self, account: &str) -> (u64, Vec<String>) {
        let body = json!({ "activate": "at_once", "proof": self.proof() });
        let answer = self.stage(account, body).await.expect(201);
        let generation = answer.json["generation"].as_u64().expect("a number");
        (generation, answer.codes())
    }

    /// Any request, with a JSON body or none.
    pub async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let request = self.request(method, path);
        let request = match body {
            Some(body) => request
                .header(CONTENT_TYPE, "application/json")
                .body(Body::from(body.to_string())),
            None => request.body(Body::empty()),
        };
        self.app.send(request.expect("a request")).await
    }

    /// The beginning of a request, with the credentials.
    pub fn request(&self, method: Method, path: &str) -> axum::http::request::Builder {
        let request = Request::builder().method(method).uri(path);
        match &self.authorization {
            Some(value) => request.header(AUTHORIZATION, value),
            None => request,
        }
    }

    /// A connection of its own, over TCP.
    pub async fn connect(&self, address: SocketAddr) -> Connection {
        let stream = TcpStream::connect(address).await.expect("a connection");
        let (sender, connection) = http1::handshake(TokioIo::new(stream))
            .await
            .expect("a handshake");
        tokio::spawn(connection);
        Connection {
            host: self.clone(),
            sender,
        }
    }
}

/// One connection to a listening server: requests on it follow one another.
#[derive(Debug)]
pub struct Connection {
    host: Native,
    sender: SendRequest<Body>,
}

impl Connection {
    /// Spends a code.
    pub async fn redeem(&mut self, account: &str, code: &str) -> Answer {
        let body = json!({ "code": code, "proof": self.host.proof() });
        let request = self
            .host
            .request(Method::POST, &of(account, "/redeem"))
            .header("host", "localhost")
            .header(CONTENT_TYPE, "application/json")
            .body(Body::from(body.to_string()))
            .expect("a request");
        self.sender.ready().await.expect("an open connection");
        let response = self.sender.send_request(request).await.expect("an answer");
        let (parts, body) = response.into_parts();
        let body = body.collect().await.expect("a body").to_bytes();
        Answer::of(parts.status, parts.headers, body)
    }
}

/// The path of an account, and what follows it.
pub fn of(account: &str, rest: &str) -> String {
    format!("{BASE}/accounts/{}{rest}", encoded(account))
}

/// Percent-encoded for one segment of a path.
pub fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            write!(encoded, "%{byte:02X}").expect("a string takes it");
        }
        encoded
    })
}
