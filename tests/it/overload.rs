//! More than the hash pool can carry: nobody is charged for it, nobody takes it all, and what needs
//! no slow hash does not notice.
//!
//! In each test every worker is busy for as long as the test wants, so that what is asserted does
//! not depend on how fast anything is.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::Request;
use axum::http::header::CONTENT_TYPE;
use serde_json::json;
use spare_key_server::domain::Policy;
use spare_key_server::hasher::{Hasher, Job, Lane, PoolSize};
use spare_key_server::model::HashParams;
use spare_key_tests::arklow::STRANGER as ARKLOW_STRANGER;
use spare_key_tests::{Answer, App, Options};
use tokio::task::{JoinHandle, JoinSet};
use zeroize::Zeroizing;

/// Of a real size: it takes a worker some time.
const HEAVY: HashParams = HashParams {
    memory_kib: 19_456,
    passes: 2,
    lanes: 1,
};

/// Only so that a broken product fails and does not hang.
const AT_LAST: Duration = Duration::from_secs(120);

/// Somebody's code, of no batch here.
const STRANGER: &str = "KZ3M-Q7TB-WJ5R-HXYN";

/// Room for 8 hashes a lane, so 2 for one account and 2 for one address.
fn eight_places() -> Options {
    Options {
        pool: PoolSize {
            workers: 1,
            admitted: 8,
        },
        ..Options::default()
    }
}

/// Keeps every worker busy with hashes of this lane until it is dropped.
struct Busy {
    hasher: Hasher,
    lane: Lane,
    task: JoinHandle<()>,
}

impl Busy {
    async fn with(app: &App, lane: Lane) -> Self {
        let hasher = app.mfa().hasher().clone();
        let place = hasher.admit(lane).expect("a place");
        let task = tokio::spawn(async move {
            let jobs = (0..5_000).map(|_| Job {
                secret: Zeroizing::new(vec![1; 16]),
                salt: [2; 16],
                pepper: Zeroizing::new([3; 32]),
                bound_to: [4; 32],
                params: HEAVY,
            });
            // The test ends long before they do.
            let _done = place.hash_all(jobs.collect()).await;
        });
        while hasher.figures(lane).waiting < 1_000 {
            tokio::task::yield_now().await;
        }
        Self { hasher, lane, task }
    }

    /// Lets the workers go on with what others wait for. Until now they did not.
    fn ends(self) {
        assert!(self.hasher.figures(self.lane).waiting >= 1_000);
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The next answer; all the others wait for longer.
async fn next(asked: &mut JoinSet<Answer>) -> Answer {
    let answer = tokio::time::timeout(AT_LAST, asked.join_next()).await;
    let answer = answer.expect("an answer while the workers are busy");
    answer.expect("somebody who asked").expect("an answer")
}

/// It is "busy", and says when to come back.
#[track_caller]
fn come_back(answer: &Answer) {
    assert_eq!(answer.status, 503, "{}", answer.text());
    let seconds: u64 = answer.header("retry-after").parse().expect("seconds");
    assert!((1..=60).contains(&seconds));
}

// Standards A-60.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_account_that_redeems_at_once_takes_its_share_and_is_charged_for_no_more() {
    let app = App::start_with(eight_places()).await;
    let host = app.host();
    let (_, codes) = host.issue("bob").await;
    host.issue("alice").await;
    let busy = Busy::with(&app, Lane::Codes).await;
    let mut asked = JoinSet::new();
    for _ in 0..6 {
        let host = host.clone();
        asked.spawn(async move { host.redeem("alice", STRANGER).await });
    }
    for _ in 0..4 {
        come_back(&next(&mut asked).await);
    }
    let bob = tokio::spawn({
        let host = host.clone();
        async move { host.redeem("bob", &codes[0]).await }
    });
    while app.mfa().hasher().figures(Lane::Codes).admitted < 4 {
        tokio::task::yield_now().await;
    }
    busy.ends();
    bob.await.expect("bob").expect(200);
    for answer in asked.join_all().await {
        answer.expect_problem(403, "code-not-accepted");
    }
    let throttle = host.status("alice").await.json["throttle"].clone();
    assert_eq!(throttle["tries_left"], 8);
    let refused = r#"spare_key_pool_refused_total{lane="codes",why="share"}"#;
    assert_eq!(app.figure(refused).await, 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_address_that_guesses_passwords_leaves_room_for_every_other() {
    let proxy = IpAddr::from([10, 0, 0, 1]);
    let app = App::start_with(Options {
        trusted_proxies: vec![proxy],
        ..eight_places()
    })
    .await;
    let sign_in = |login: String, from: &'static str| {
        let app = app.clone();
        async move {
            let body = json!({
                "grant_type": "password", "client_id": "dev-app",
                "client_secret": "dev-app-secret",
                "username": login, "password": "correct horse battery staple",
            });
            let request = Request::post("/oauth/token")
                .header(CONTENT_TYPE, "application/json")
                .header("x-forwarded-for", from)
                .extension(ConnectInfo(SocketAddr::from((proxy, 4711))));
            let request = request.body(Body::from(body.to_string()));
            app.send(request.expect("a request")).await
        }
    };
    let dora = app.add_person("dora").await;
    let busy = Busy::with(&app, Lane::Passwords).await;
    let mut asked = JoinSet::new();
    for number in 0..6 {
        // What stands before the proxy's own word is anybody's.
        let from = ["192.0.2.7", "198.51.100.1, 192.0.2.7"][number % 2];
        asked.spawn(sign_in(format!("nobody-{number}@example.com"), from));
    }
    for _ in 0..4 {
        come_back(&next(&mut asked).await);
    }
    let elsewhere = tokio::spawn(sign_in(dora.login, "192.0.2.8"));
    while app.mfa().hasher().figures(Lane::Passwords).admitted < 4 {
        tokio::task::yield_now().await;
    }
    busy.ends();
    let elsewhere = elsewhere.await.expect("dora");
    assert!([200, 403].contains(&elsewhere.status.as_u16()));
    assert_ne!(elsewhere.json["error"], "invalid_grant");
    for answer in asked.join_all().await {
        assert_eq!(answer.expect(403).json["error"], "invalid_grant");
    }
}

/// Its address is that of all its people, and it has proven a secret.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_host_redeems_for_many_people_from_one_address() {
    let app = App::start_with(eight_places()).await;
    let host = app.host();
    for name in ["a", "b", "c", "d", "e", "f"] {
        host.issue(name).await;
    }
    let busy = Busy::with(&app, Lane::Codes).await;
    let mut asked = JoinSet::new();
    for name in ["a", "b", "c", "d", "e", "f"] {
        let (app, body) = (
            app.clone(),
            json!({ "code": STRANGER, "proof": host.proof() }),
        );
        let path = format!("/recovery/v1/accounts/{name}/redeem");
        let request = host
            .request(axum::http::Method::POST, &path)
            .header(CONTENT_TYPE, "application/json")
            .extension(ConnectInfo(SocketAddr::from(([192, 0, 2, 7], 4711))))
            .body(Body::from(body.to_string()))
            .expect("a request");
        asked.spawn(async move { app.send(request).await });
    }
    while app.mfa().hasher().figures(Lane::Codes).admitted < 7 {
        tokio::task::yield_now().await;
    }
    busy.ends();
    for answer in asked.join_all().await {
        answer.expect_problem(403, "code-not-accepted");
    }
}

#[tokio::test]
async fn one_who_makes_lists_takes_no_more_room_than_one_who_guesses() {
    let app = App::start_with(eight_places()).await;
    let host = app.host();
    let busy = Busy::with(&app, Lane::Codes).await;
    let body = json!({ "activate": "at_once", "proof": host.proof() });
    let first = tokio::spawn({
        let (host, body) = (host.clone(), body.clone());
        async move { host.stage("alice", body).await }
    });
    // Ten codes are ten hashes.
    while app.mfa().hasher().figures(Lane::Codes).admitted < 11 {
        tokio::task::yield_now().await;
    }
    come_back(&host.stage("alice", body.clone()).await);
    come_back(&host.stage("bob", body.clone()).await);
    assert_eq!(host.status("bob").await.json["remaining"], 0);
    busy.ends();
    first.await.expect("alice").expect(201);
    host.stage("bob", body).await.expect(201);
}

// Standards A-60.
#[tokio::test]
async fn reads_and_one_time_passwords_are_answered_while_every_worker_is_busy() {
    let app = App::start().await;
    let host = app.host();
    host.issue("bob").await;
    let dora = app.enrolled("dora").await;
    let program = app.program();
    let mfa_token = program.mfa_token(&dora, &[]).await;
    let otp = app.next_otp(&dora.secret);
    let codes = Busy::with(&app, Lane::Codes).await;
    let passwords = Busy::with(&app, Lane::Passwords).await;
    let get = async |path: &str| {
        let request = Request::get(path).body(Body::empty());
        app.send(request.expect("a request")).await.expect(200)
    };
    assert_eq!(host.status("bob").await.expect(200).json["remaining"], 10);
    program.otp(&mfa_token, &otp).await.expect(200);
    // What cannot be a code costs no hash and waits for none.
    host.redeem("bob", "nonsense").await.expect(422);
    for path in ["/healthz", "/readyz", "/metrics", "/docs"] {
        get(path).await;
    }
    codes.ends();
    passwords.ends();
}

#[tokio::test]
async fn who_is_told_busy_is_charged_nothing_by_arklow_either() {
    let app = App::start_with(Options {
        pool: PoolSize {
            workers: 1,
            admitted: 1,
        },
        ..Options::default()
    })
    .await;
    let (_, alice) = app.arklow_person("alice").await;
    let phone = alice.enroll("Phone").await;
    alice.prove(&phone).await;
    let left = alice.left().await;
    {
        let _held = app.mfa().hasher().admit(Lane::Codes).expect("a place");
        for code in [ARKLOW_STRANGER, phone.codes[0].as_str()] {
            come_back(&alice.backup(&phone.id, code).await);
        }
        come_back(&alice.regenerate(&phone.id).await);
    }
    {
        let _held = app.mfa().hasher().admit(Lane::Passwords).expect("a place");
        come_back(&alice.login("alice@example.com", "wrong").await);
    }
    assert_eq!(alice.left().await, left);
    assert!(alice.takes(&phone.id, &phone.codes[0]).await);
}

#[tokio::test]
async fn a_sign_in_that_finds_no_room_is_not_charged_to_its_address() {
    let mut options = Options {
        pool: PoolSize {
            workers: 1,
            admitted: 1,
        },
        ..Options::default()
    };
    options.policy.sign_in_throttle = Policy::standard(true).sign_in_throttle;
    let app = App::start_with(options).await;
    let dora = app.add_person("dora").await;
    let login = async || {
        let body = json!({
            "account_slug": "dev", "email": dora.login,
            "password": "correct horse battery staple",
        });
        let request = Request::post("/v1/identity/auth/login")
            .header(CONTENT_TYPE, "application/json")
            .extension(ConnectInfo(SocketAddr::from(([192, 0, 2, 7], 4711))));
        let request = request.body(Body::from(body.to_string()));
        app.send(request.expect("a request")).await
    };
    {
        let _held = app.mfa().hasher().admit(Lane::Passwords).expect("a place");
        for _ in 0..10 {
            come_back(&login().await);
        }
    }
    // The address has its five all the same.
    for _ in 0..5 {
        login().await.expect(200);
    }
    come_back_later(&login().await);
}

/// It is "too many", and says when to come back.
#[track_caller]
fn come_back_later(answer: &Answer) {
    assert_eq!(answer.status, 429, "{}", answer.text());
    assert!(!answer.header("retry-after").is_empty());
}
