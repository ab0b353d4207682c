//! What is kept and for how long, through the product.

use spare_key_server::domain::Event;
use spare_key_server::model::{AccountId, Millis};
use spare_key_tests::App;

async fn events(app: &App) -> Vec<Event> {
    let alice = AccountId::parse("alice").expect("an identifier");
    app.mfa().events(&alice, None, 100).await.expect("events")
}

// O1, S17, O5: what is told of a used code is told without anything that it could be tried against.
#[tokio::test]
async fn the_audit_trail_tells_a_used_code_from_a_wrong_one_and_ends_in_its_time() {
    let app = App::start().await;
    let host = app.host();
    let (_, codes) = host.issue("alice").await;
    host.redeem("alice", &codes[0]).await.expect(200);
    for (code, why) in [
        (codes[0].as_str(), "used"),
        ("KZ3M-Q7TB-WJ5R-HXYN", "wrong"),
    ] {
        let hashes = app.hashes().await;
        let refused = host.redeem("alice", code).await;
        refused.expect_problem(403, "code-not-accepted");
        assert_eq!(app.hashes().await, hashes + 1, "{why}");
        let events = events(&app).await;
        assert_eq!(events[0].detail.as_deref(), Some(why));
    }
    app.clock.advance(Millis::days(399));
    app.mfa().sweep().await.expect("a sweep");
    assert!(!events(&app).await.is_empty());
    host.redeem("alice", &codes[1]).await.expect(200);
    app.clock.advance(Millis::days(2));
    app.mfa().sweep().await.expect("a sweep");
    let left = events(&app).await;
    assert_eq!(left.len(), 1, "what happened since stays: {left:?}");
    // What the account's codes are does not hang on the trail.
    let status = host.status("alice").await.expect(200).json;
    assert_eq!(
        (&status["generation"], &status["remaining"]),
        (&1.into(), &8.into())
    );
    host.redeem("alice", &codes[0])
        .await
        .expect_problem(403, "code-not-accepted");
}
