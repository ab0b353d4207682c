//! A login of its own on axum that asks Spare Key for recovery codes.
//!
//! `cargo run -p spare-key-server --example axum-host`, with a Spare Key running and the package
//! made (`web/package/build.sh`). PORT, SPARE_KEY (its address), SPARE_KEY_CLIENT, SPARE_KEY_SECRET
//! and SPARE_KEY_PACKAGE (its folder) say otherwise. It uses nothing of Spare Key but its API.

use std::env;
use std::io::{self, Write as _};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::extract::{Form, Path as Named, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

const POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; \
                      connect-src 'self'; form-action 'self'; base-uri 'none'; \
                      frame-ancestors 'none'; require-trusted-types-for 'script'; \
                      trusted-types 'none'";

/// Who is signed in. Yours is in your session.
const ACCOUNT: &str = "customer-42";
const LOGIN: &str = "alice@example.com";

struct Host {
    http: reqwest::Client,
    spare_key: String,
    client: String,
    secret: String,
    package: PathBuf,
    shared: PathBuf,
}

type App = Arc<Host>;

impl Host {
    fn from_environment() -> Result<Host, reqwest::Error> {
        let or = |name: &str, other: &str| env::var(name).unwrap_or_else(|_| other.to_owned());
        let web = Path::new(env!("CARGO_MANIFEST_DIR")).join("../web");
        let package = web.join("package/dist");
        Ok(Host {
            http: reqwest::Client::builder().build()?,
            spare_key: or("SPARE_KEY", "http://127.0.0.1:8080"),
            client: or("SPARE_KEY_CLIENT", "dev-host"),
            secret: or("SPARE_KEY_SECRET", "dev-host-secret"),
            package: env::var_os("SPARE_KEY_PACKAGE").map_or(package, PathBuf::from),
            shared: web.join("examples/shared"),
        })
    }

    /// One call of the native API: the status and the document.
    async fn ask(&self, path: &str, body: &Value) -> Result<(StatusCode, Value), StatusCode> {
        let unreachable = |_| StatusCode::BAD_GATEWAY;
        let url = format!("{}/recovery/v1/accounts/{ACCOUNT}/{path}", self.spare_key);
        let answer = self
            .http
            .post(url)
            .basic_auth(&self.client, Some(&self.secret))
            .header(header::CONTENT_TYPE, "application/json")
            .body(body.to_string())
            .send()
            .await
            .map_err(unreachable)?;
        let status = answer.status();
        let text = answer.text().await.map_err(unreachable)?;
        let document = serde_json::from_str(&text).map_err(|_| StatusCode::BAD_GATEWAY)?;
        Ok((status, document))
    }
}

/// How the person has proven who they are, and when: Spare Key records it.
#[expect(
    clippy::disallowed_methods,
    reason = "the rule is for Spare Key; this is somebody else's server"
)]
fn proof(amr: &[&str]) -> Value {
    json!({ "amr": amr, "at": jiff::Timestamp::now().to_string() })
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let host = Arc::new(Host::from_environment()?);
    let port = env::var("PORT").map_or(Ok(3000), |port| port.parse())?;
    let app = Router::new()
        .route("/", get(codes_page))
        .route("/codes", post(make))
        .route("/codes/{generation}/activate", post(activate))
        .route("/recover", get(recover_page).post(recover))
        .route("/spare-key/{*name}", get(package_file))
        .route("/shared/{*name}", get(shared_file))
        .layer(middleware::from_fn(guarded))
        .with_state(host);
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    writeln!(
        io::stdout(),
        "Listening on http://{}",
        listener.local_addr()?
    )?;
    axum::serve(listener, app).await?;
    Ok(())
}

/// What every answer says to the browser.
async fn guarded(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response
}

async fn codes_page(State(host): State<App>) -> Response {
    file(&host.shared, "codes.html").await
}

async fn package_file(State(host): State<App>, Named(name): Named<String>) -> Response {
    file(&host.package, &name).await
}

async fn shared_file(State(host): State<App>, Named(name): Named<String>) -> Response {
    file(&host.shared, &name).await
}

/// A file of a folder. Yours are served by whatever serves your files.
async fn file(folder: &Path, name: &str) -> Response {
    let kind = match name.rsplit('.').next() {
        _ if name.split('/').any(|part| part == "..") => None,
        Some("html") => Some("text/html; charset=utf-8"),
        Some("js") => Some("text/javascript; charset=utf-8"),
        Some("css") => Some("text/css; charset=utf-8"),
        Some("json") => Some("application/json"),
        Some("wasm") => Some("application/wasm"),
        _ => None,
    };
    match (kind, tokio::fs::read(folder.join(name)).await) {
        (Some(kind), Ok(bytes)) => ([(header::CONTENT_TYPE, kind)], bytes).into_response(),
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn make(State(host): State<App>, headers: HeaderMap, Json(_): Json<Value>) -> Response {
    // The person has just signed in with password and authenticator.
    let body = json!({ "proof": proof(&["pwd", "otp"]) });
    let batch = match host.ask("batches", &body).await {
        Ok((StatusCode::CREATED, batch)) => batch,
        Ok((status, _)) | Err(status) => return (status, Json(json!({}))).into_response(),
    };
    let name = headers
        .get(header::HOST)
        .and_then(|name| name.to_str().ok());
    let day = batch["issued_at"].as_str().and_then(|at| at.get(..10));
    Json(json!({
        "product": "Fernhill Library",
        "account": LOGIN,
        "generation": batch["generation"],
        "issuedOn": day,
        "url": format!("http://{}/recover", name.unwrap_or("localhost")),
        "codes": batch["codes"],
    }))
    .into_response()
}

async fn activate(
    State(host): State<App>,
    Named(generation): Named<u32>,
    Json(_): Json<Value>,
) -> Response {
    let path = format!("batches/{generation}/activate");
    let status = match host.ask(&path, &json!({ "saved": true })).await {
        Ok((status, _)) | Err(status) => status,
    };
    (status, Json(json!({}))).into_response()
}

#[derive(Deserialize)]
struct Recover {
    code: String,
}

async fn recover_page(State(host): State<App>) -> Response {
    recover_saying(&host, StatusCode::OK, "").await
}

async fn recover(State(host): State<App>, Form(form): Form<Recover>) -> Response {
    // The person has proven the password; the code stands in for the authenticator.
    let body = json!({ "code": form.code, "proof": proof(&["pwd"]) });
    match host.ask("redeem", &body).await {
        Ok((StatusCode::OK, done)) => Html(format!(
            "<!doctype html><html lang=\"en\"><title>You are in</title><main><h1>You are in</h1>\
             <p>Code {} is used: cross it out. {} left.</p></main>",
            done["number"], done["remaining"]
        ))
        .into_response(),
        Ok((status @ StatusCode::UNPROCESSABLE_ENTITY, _)) => {
            let said = "That is not a recovery code. It did not count as a try.";
            recover_saying(&host, status, said).await
        }
        Ok((status @ StatusCode::FORBIDDEN, problem)) => {
            let said = format!(
                "That code did not work. {} tries left.",
                problem["tries_left"]
            );
            recover_saying(&host, status, &said).await
        }
        Ok((status, _)) | Err(status) => {
            let said = "That is not possible now. Please try again later.";
            recover_saying(&host, status, said).await
        }
    }
}

/// The page again, with what went wrong at the field.
async fn recover_saying(host: &Host, status: StatusCode, said: &str) -> Response {
    match tokio::fs::read_to_string(host.shared.join("recover.html")).await {
        Ok(page) => (status, Html(page.replace("<!-- said -->", said))).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
