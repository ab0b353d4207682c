//! The native dialect as HTTP: who may call, what is taken, how "no" is said.

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::{Method, Request};
use serde_json::{Value, json};
use spare_key_server::domain::Scope;
use spare_key_tests::native::of;
use spare_key_tests::{Answer, App, HOST};

/// Every endpoint: method, path behind the account, scope.
const ENDPOINTS: [(Method, &str, Scope); 9] = [
    (Method::GET, "", Scope::Read),
    (Method::GET, "/events", Scope::Read),
    (Method::POST, "/batches", Scope::Issue),
    (Method::GET, "/batches/pending", Scope::Issue),
    (Method::POST, "/batches/1/activate", Scope::Issue),
    (Method::DELETE, "/batches/pending", Scope::Issue),
    (Method::POST, "/redeem", Scope::Redeem),
    (Method::DELETE, "/batches", Scope::Revoke),
    (Method::DELETE, "", Scope::Revoke),
];

/// Row A-91.
#[tokio::test]
async fn each_endpoint_asks_for_its_scope_and_for_no_other() {
    // A client's identifier has no colon (RFC 7617, 2).
    let client = |scope: Scope| scope.name().replace(':', "-");
    let app = App::start().await;
    for scope in Scope::ALL {
        app.add_client((&client(scope), "secret"), &[scope]).await;
    }
    for has in Scope::ALL {
        let host = app.host_with(Some((&client(has), "secret")));
        for (method, rest, needs) in ENDPOINTS {
            let answer = host.ask(method, &of("alice", rest), None).await;
            if has == needs {
                assert_ne!(
                    answer.json["type"], "/problems/insufficient-scope",
                    "{rest}"
                );
                assert_ne!(answer.status, 401);
            } else {
                let answer = answer.expect_problem(403, "insufficient-scope");
                assert_eq!(answer.json["scope"], needs.name(), "{rest}");
            }
        }
        let list = host.accounts("").await;
        assert_eq!(list.status == 200, has == Scope::Read);
    }
}

#[tokio::test]
async fn who_is_not_known_is_asked_for_credentials() {
    let app = App::start().await;
    let mut answers = Vec::new();
    for credentials in [
        None,
        Some(("dev-host", "wrong")),
        Some(("dev-host", "")),
        Some(("nobody", "dev-host-secret")),
        Some(("", "")),
    ] {
        let host = app.host_with(credentials);
        for (method, rest, _) in ENDPOINTS {
            let answer = host.ask(method, &of("alice", rest), None).await;
            let answer = answer.expect_problem(401, "unauthorized");
            assert_eq!(
                answer.header("www-authenticate"),
                "Basic realm=\"Spare Key\", charset=\"UTF-8\""
            );
            answers.push(answer.text());
        }
    }
    // A wrong secret and an unknown client are one answer.
    assert!(answers.iter().all(|answer| *answer == answers[0]));
}

#[tokio::test]
async fn bearer_tokens_are_not_taken_for_credentials() {
    let app = App::start().await;
    let request = Request::get(of("alice", "")).header("authorization", "Bearer dev-host-secret");
    let answer = app.send(request.body(Body::empty()).unwrap()).await;
    answer.expect_problem(401, "unauthorized");
}

/// Rows S16, A-13.
#[tokio::test]
async fn a_query_is_refused_where_none_is_understood() {
    let app = App::start().await;
    let host = app.host();
    for (method, rest, _) in ENDPOINTS {
        let path = of("alice", &format!("{rest}?code=KZ3M-Q7TB-WJ5R-HXYN"));
        let answer = host.ask(method, &path, None).await;
        let answer = answer.expect_problem(400, "bad-request");
        assert!(!answer.text().contains("KZ3M"));
    }
}

/// Row A-92.
#[tokio::test]
async fn other_methods_are_refused_and_the_right_ones_named() {
    let app = App::start().await;
    let host = app.host();
    for (path, allowed) in [
        (of("alice", ""), "GET,HEAD,DELETE"),
        (of("alice", "/batches"), "POST,DELETE"),
        (of("alice", "/batches/pending"), "GET,HEAD,DELETE"),
        (of("alice", "/batches/1/activate"), "POST"),
        (of("alice", "/redeem"), "POST"),
        (of("alice", "/events"), "GET,HEAD"),
        ("/recovery/v1/accounts".to_owned(), "GET,HEAD"),
    ] {
        for method in [
            "GET", "POST", "DELETE", "PUT", "PATCH", "OPTIONS", "TRACE", "BREW",
        ] {
            if allowed.split(',').any(|allowed| allowed == method) {
                continue;
            }
            let answer = host.ask(method.parse().unwrap(), &path, None).await;
            let answer = answer.expect_problem(405, "method-not-allowed");
            let mut said: Vec<_> = answer.header("allow").split(',').map(str::trim).collect();
            let mut allowed: Vec<_> = allowed.split(',').collect();
            said.sort_unstable();
            allowed.sort_unstable();
            assert_eq!(said, allowed, "{method} {path}");
        }
    }
}

/// Rows S21, A-12.
#[tokio::test]
async fn no_answer_may_be_kept_sniffed_or_read_by_another_origin() {
    let app = App::start().await;
    let host = app.host();
    for (method, rest, _) in ENDPOINTS {
        let request = host
            .request(method, &of("alice", rest))
            .header("origin", "https://evil.example")
            .body(Body::empty());
        let answer = app.send(request.unwrap()).await;
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.headers.get("access-control-allow-origin"), None);
    }
}

#[tokio::test]
async fn unknown_paths_are_answered_in_this_dialects_words() {
    let app = App::start().await;
    for path in [
        "/recovery",
        "/recovery/v1",
        "/recovery/v2/accounts/alice",
        "/nothing",
    ] {
        let request = Request::get(path).header("accept", "application/json");
        let answer = app.send(request.body(Body::empty()).unwrap()).await;
        answer.expect_problem(404, "not-found");
    }
}

/// Redeems with this body, as it is.
async fn redeem(app: &App, kind: Option<&str>, body: Body) -> Answer {
    let mut request = app.host().request(Method::POST, &of("alice", "/redeem"));
    if let Some(kind) = kind {
        request = request.header(CONTENT_TYPE, kind);
    }
    app.send(request.body(body).expect("a request")).await
}

/// Row A-92.
#[tokio::test]
async fn a_body_is_json_by_its_own_word() {
    let app = App::start().await;
    let body = || json!({ "code": "", "proof": app.host().proof() }).to_string();
    for kind in [
        None,
        Some("text/plain"),
        Some("application/x-www-form-urlencoded"),
        Some("application/json; charset=latin1"),
        Some("application/problem+json"),
    ] {
        let answer = redeem(&app, kind, Body::from(body())).await;
        answer.expect_problem(415, "unsupported-media-type");
    }
    for kind in [
        "application/json",
        "application/json; charset=utf-8",
        "Application/JSON",
    ] {
        let answer = redeem(&app, Some(kind), Body::from(body())).await;
        answer.expect_problem(422, "malformed-code");
    }
}

/// Row S13.
#[tokio::test]
async fn a_body_over_sixteen_kibibytes_is_refused_however_it_comes() {
    let app = App::start().await;
    let body = json!({ "code": "A".repeat(16 * 1024), "proof": app.host().proof() }).to_string();
    let json = Some("application/json");
    redeem(&app, json, Body::from(body.clone()))
        .await
        .expect_problem(413, "content-too-large");
    // In pieces, without a length.
    let half = body.len() / 2;
    let pieces = [body[..half].to_owned(), body[half..].to_owned()];
    let stream = Body::new(Pieces(pieces.into()));
    redeem(&app, json, stream)
        .await
        .expect_problem(413, "content-too-large");
    let padded = format!(
        "{:16384}",
        json!({ "code": "", "proof": app.host().proof() }).to_string()
    );
    redeem(&app, json, Body::from(padded))
        .await
        .expect_problem(422, "malformed-code");
}

/// A body that comes piece by piece.
struct Pieces(std::collections::VecDeque<String>);

impl axum::body::HttpBody for Pieces {
    type Data = axum::body::Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<hyper::body::Frame<Self::Data>, Self::Error>>> {
        let piece = self.0.pop_front();
        std::task::Poll::Ready(piece.map(|piece| Ok(hyper::body::Frame::data(piece.into()))))
    }
}

#[tokio::test]
async fn a_body_is_read_strictly_and_its_flaw_has_a_place() {
    let app = App::start().await;
    let proof = app.host().proof();
    for (body, pointer) in [
        (String::new(), Value::Null),
        ("code=KZ3M-Q7TB-WJ5R-HXYN".to_owned(), Value::Null),
        (
            format!(r#"{{"code":"KZ3M-Q7TB-WJ5R-HXYN","proof":{proof}}} x"#),
            Value::Null,
        ),
        (format!(r#"{{"proof":{proof}}}"#), json!("/code")),
        (
            format!(r#"{{"code":["KZ3M-Q7TB-WJ5R-HXYN"],"proof":{proof}}}"#),
            json!("/code"),
        ),
        (
            format!(r#"{{"code":"a","code":"b","proof":{proof}}}"#),
            json!("/code"),
        ),
        (
            format!(r#"{{"code":"a","profo":{proof}}}"#),
            json!("/profo"),
        ),
        (
            format!(r#"{{"code":"a","KZ3M-Q7TB-WJ5R-HXYN":1,"proof":{proof}}}"#),
            json!(""),
        ),
        ("[]".to_owned(), json!("")),
    ] {
        let answer = redeem(&app, Some("application/json"), Body::from(body.clone())).await;
        let answer = answer.expect_problem(400, "bad-request");
        assert_eq!(answer.json["pointer"], pointer, "{body}");
        assert!(!answer.text().contains("KZ3M"), "{body}");
    }
    let host = app.host();
    for (body, pointer) in [
        (json!({ "format": "tape" }), "/format"),
        (json!({ "count": -1 }), "/count"),
        (json!({ "count": 1.5 }), "/count"),
        (json!({ "count": "10" }), "/count"),
        (json!({ "activate": "AT_ONCE" }), "/activate"),
        (json!({ "acitvate": "at_once" }), "/acitvate"),
    ] {
        let answer = host
            .stage("alice", body)
            .await
            .expect_problem(400, "bad-request");
        assert_eq!(answer.json["pointer"], pointer);
    }
    let typo = json!({ "saved": true, "kept": true });
    let answer = host.activate_saying("alice", 1, typo).await;
    let answer = answer.expect_problem(400, "bad-request");
    assert_eq!(answer.json["pointer"], "/kept");
}

/// RFC 9457: the type leads to words on what it is and what to do.
/// Row A-88.
#[tokio::test]
async fn a_problems_type_leads_to_its_explanation() {
    let app = App::start().await;
    let problem = app
        .host()
        .show("alice")
        .await
        .expect_problem(404, "no-pending-batch");
    let path = problem.json["type"].as_str().unwrap();
    let answer = app
        .send(Request::get(path).body(Body::empty()).unwrap())
        .await
        .expect(200);
    assert!(
        answer
            .text()
            .contains(problem.json["title"].as_str().unwrap())
    );
    assert!(
        answer
            .text()
            .contains(problem.json["detail"].as_str().unwrap())
    );
    let request = Request::get("/problems/none").body(Body::empty()).unwrap();
    app.send(request).await.expect_problem(404, "not-found");
}

/// Row 6: a wrong secret takes as long as an unknown client. The medians of many, taken in turn.
#[tokio::test]
async fn a_wrong_secret_takes_as_long_as_an_unknown_client() {
    let app = App::start().await;
    let callers = [
        app.host_with(Some((HOST.0, "a-secret-that-is-wrong"))),
        app.host_with(Some(("not-host", "a-secret-that-is-wrong"))),
    ];
    let mut took = [Vec::new(), Vec::new()];
    for _ in 0..400 {
        for (caller, took) in callers.iter().zip(&mut took) {
            let watch = spare_key_server::clock::Stopwatch::start();
            caller.status("alice").await.expect(401);
            took.push(watch.elapsed().as_secs_f64());
        }
    }
    let [wrong, unknown] = took.map(|mut took| {
        took.sort_by(f64::total_cmp);
        took[took.len() / 2]
    });
    let ratio = wrong / unknown;
    assert!(
        (0.67..1.5).contains(&ratio),
        "{wrong} s against {unknown} s"
    );
}
