//! Challenges and sessions.

use spare_key_server::model::{EventKind, Generation, Millis};
use spare_key_server::store::{
    AcceptTotp, Challenge, Door, Progress, Redeemed, Session, SessionKind, Staged, TotpAccepted,
};

use super::sample::{self, T0, TEN_MINUTES, after, event, id, token};
use super::{Fixture, at_once};

fn accept(name: &str, step: i64, progress: Progress) -> AcceptTotp {
    let account = id(name);
    AcceptTotp {
        id: sample::totp(&account, "phone").id,
        event: event(&account, EventKind::FactorVerified),
        account,
        step,
        progress,
        at: T0,
    }
}

/// Row C3.
pub(crate) async fn a_challenge_yields_one_session_whatever_races(db: impl Fixture) {
    let alice = sample::has_account(&*db.left(), "alice").await;
    sample::has_totp(&*db.left(), &alice, "phone").await;
    sample::has_live(&*db.left(), &alice, 1).await;
    sample::has_challenge(&*db.left(), &alice, "sign-in").await;
    let answers = at_once(&db, 20, |store, turn| async move {
        let alice = id("alice");
        let progress = sample::grant(&alice, "sign-in", &format!("cookie {turn}"));
        // Ten with a code each, ten with a one-time password each: all of them right.
        if turn < 10 {
            let mut redeem = sample::redeem(&alice, 1, u32::try_from(turn + 1).unwrap());
            redeem.progress = progress;
            matches!(store.redeem(redeem).await.unwrap(), Redeemed::Done { .. })
        } else {
            let step = 1_000 + i64::try_from(turn).unwrap();
            let accepted = store
                .accept_totp(accept("alice", step, progress))
                .await
                .unwrap();
            accepted == TotpAccepted::Done
        }
    })
    .await;
    assert_eq!(answers.iter().filter(|went| **went).count(), 1);
    assert_eq!(db.rows()["session"], 1);
    let found = db
        .left()
        .challenge(&token("sign-in"))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(found.spent_at, Some(T0));
    let live = db.left().live_batch(&alice).await.unwrap().unwrap();
    assert!(
        live.codes.iter().filter(|code| code.used()).count() <= 1,
        "none is spent for nothing"
    );
}

/// Row S19.
pub(crate) async fn a_challenge_of_another_account_yields_nothing(db: impl Fixture) {
    let store = db.left();
    sample::has_account(&*store, "mallory").await;
    let alice = sample::has_account(&*store, "alice").await;
    sample::has_totp(&*store, &id("mallory"), "phone").await;
    sample::has_challenge(&*store, &alice, "sign-in").await;
    for opens in ["alice", "mallory"] {
        let progress = sample::grant(&id(opens), "sign-in", "cookie");
        let accepted = store
            .accept_totp(accept("mallory", 200, progress))
            .await
            .unwrap();
        assert_eq!(accepted, TotpAccepted::NoProgress);
    }
    // Nor does one's own challenge open another's session.
    sample::has_challenge(&*store, &id("mallory"), "own").await;
    let progress = sample::grant(&alice, "own", "cookie");
    let accepted = store
        .accept_totp(accept("mallory", 200, progress))
        .await
        .unwrap();
    assert_eq!(accepted, TotpAccepted::NoProgress);
    assert_eq!(db.rows()["session"], 0);
    assert_eq!(
        store
            .challenge(&token("sign-in"))
            .await
            .unwrap()
            .unwrap()
            .spent_at,
        None
    );
}

pub(crate) async fn an_expired_challenge_yields_nothing(db: impl Fixture) {
    let store = db.left();
    let alice = sample::has_account(&*store, "alice").await;
    sample::has_totp(&*store, &alice, "phone").await;
    sample::has_challenge(&*store, &alice, "sign-in").await;
    let proven = Progress::FactorProven {
        challenge: token("sign-in"),
    };
    for progress in [proven, sample::grant(&alice, "sign-in", "cookie")] {
        let mut late = accept("alice", 200, progress);
        late.at = after(TEN_MINUTES);
        assert_eq!(
            store.accept_totp(late).await.unwrap(),
            TotpAccepted::NoProgress
        );
    }
    let found = store.challenge(&token("sign-in")).await.unwrap().unwrap();
    let expected = Challenge {
        door: Door::Pages,
        tries: 0,
        account: alice,
        password_at: T0,
        factor_at: None,
        expires_at: after(TEN_MINUTES),
        spent_at: None,
    };
    assert_eq!(found, expected, "the reader still sees it, to say why");
}

pub(crate) async fn a_proven_factor_leaves_the_challenge_open(db: impl Fixture) {
    let store = db.left();
    let alice = sample::has_account(&*store, "alice").await;
    sample::has_totp(&*store, &alice, "phone").await;
    sample::has_challenge(&*store, &alice, "sign-in").await;
    let proven = Progress::FactorProven {
        challenge: token("sign-in"),
    };
    let accepted = store
        .accept_totp(accept("alice", 200, proven.clone()))
        .await
        .unwrap();
    assert_eq!(accepted, TotpAccepted::Done);
    let found = db
        .right()
        .challenge(&token("sign-in"))
        .await
        .unwrap()
        .unwrap();
    assert_eq!((found.factor_at, found.spent_at), (Some(T0), None));
    let grant = sample::grant(&alice, "sign-in", "cookie");
    assert_eq!(
        store
            .accept_totp(accept("alice", 201, grant))
            .await
            .unwrap(),
        TotpAccepted::Done
    );
    let accepted = store
        .accept_totp(accept("alice", 202, proven))
        .await
        .unwrap();
    assert_eq!(accepted, TotpAccepted::NoProgress, "spent is spent");
}

pub(crate) async fn a_challenge_needs_an_account(db: impl Fixture) {
    let nobody = id("nobody");
    assert!(
        !db.left()
            .open_challenge(sample::challenge(&nobody, "x"))
            .await
            .unwrap()
    );
    assert_eq!(db.left().events(&nobody, None, 9).await.unwrap(), []);
    assert_eq!(db.left().challenge(&token("x")).await.unwrap(), None);
}

/// Rows L2, S18, A-76.
pub(crate) async fn stepping_up_changes_the_session_and_keeps_the_pending_batch(db: impl Fixture) {
    let store = db.left();
    let alice = sample::has_account(&*store, "alice").await;
    sample::has_totp(&*store, &alice, "phone").await;
    sample::has_session(&*store, &alice, "old").await;
    let mut stage = sample::stage(&alice, 1);
    stage.batch.holder = token("old");
    assert_eq!(store.stage(stage).await.unwrap(), Staged::Done);
    let mut pending = sample::totp(&alice, "tablet");
    pending.holder = token("old");
    store.begin_totp(pending).await.unwrap();
    let step_up = Progress::StepUp {
        session: token("old"),
        next: sample::session(&alice, "new"),
    };
    assert_eq!(
        store
            .accept_totp(accept("alice", 200, step_up))
            .await
            .unwrap(),
        TotpAccepted::Done
    );
    let store = db.right();
    assert_eq!(store.session(&token("old"), T0, T0).await.unwrap(), None);
    assert!(
        store
            .session(&token("new"), T0, T0)
            .await
            .unwrap()
            .is_some()
    );
    assert_eq!(
        store
            .shown(&alice, None, Some(&token("old")), T0)
            .await
            .unwrap(),
        None
    );
    let shown = store
        .shown(&alice, None, Some(&token("new")), T0)
        .await
        .unwrap();
    assert_eq!(shown.unwrap().generation, Generation(1));
    assert_eq!(
        store.pending_totp(&alice, &token("old"), T0).await.unwrap(),
        None
    );
    assert!(
        store
            .pending_totp(&alice, &token("new"), T0)
            .await
            .unwrap()
            .is_some()
    );
}

pub(crate) async fn a_session_steps_up_once(db: impl Fixture) {
    let alice = sample::has_account(&*db.left(), "alice").await;
    sample::has_account(&*db.left(), "mallory").await;
    for name in [&alice, &id("mallory")] {
        sample::has_totp(&*db.left(), name, "phone").await;
    }
    sample::has_session(&*db.left(), &alice, "old").await;
    let theft = Progress::StepUp {
        session: token("old"),
        next: sample::session(&id("mallory"), "theirs"),
    };
    let accepted = db
        .left()
        .accept_totp(accept("mallory", 200, theft))
        .await
        .unwrap();
    assert_eq!(accepted, TotpAccepted::NoProgress);
    let answers = at_once(&db, 10, |store, turn| async move {
        let next = sample::session(&id("alice"), &format!("new {turn}"));
        let progress = Progress::StepUp {
            session: token("old"),
            next,
        };
        let step = 200 + i64::try_from(turn).unwrap();
        store
            .accept_totp(accept("alice", step, progress))
            .await
            .unwrap()
    })
    .await;
    assert_eq!(
        answers.iter().filter(|a| **a == TotpAccepted::Done).count(),
        1
    );
    assert_eq!(db.rows()["session"], 1);
}

/// Rows.
pub(crate) async fn a_session_is_live_until_it_ends_expires_or_idles(db: impl Fixture) {
    let store = db.left();
    let alice = sample::has_account(&*store, "alice").await;
    sample::has_live(&*store, &alice, 1).await;
    sample::has_challenge(&*store, &alice, "sign-in").await;
    let mut new = sample::session(&alice, "cookie");
    new.kind = SessionKind::Recovery;
    new.factor_at = None;
    new.opened_by = Some((1, 4));
    let mut redeem = sample::redeem(&alice, 1, 4);
    redeem.progress = Progress::Grant {
        challenge: token("sign-in"),
        session: new,
    };
    assert!(matches!(
        store.redeem(redeem).await.unwrap(),
        Redeemed::Done { .. }
    ));
    let expected = Session {
        client: None,
        account: alice,
        kind: SessionKind::Recovery,
        auth_time: T0,
        factor_at: None,
        opened_by: Some((1, 4)),
        seen_at: T0,
        expires_at: after(Millis::minutes(60)),
    };
    let cookie = token("cookie");
    assert_eq!(
        db.right().session(&cookie, T0, T0).await.unwrap(),
        Some(expected)
    );
    let (end, idle) = (after(Millis::minutes(60)), T0.plus(Millis(1)));
    assert_eq!(store.session(&cookie, end, T0).await.unwrap(), None);
    assert_eq!(store.session(&cookie, T0, idle).await.unwrap(), None);
    assert_eq!(
        store.session(&token("another"), T0, T0).await.unwrap(),
        None
    );
}

pub(crate) async fn a_session_is_noted_as_seen_by_the_minute(db: impl Fixture) {
    let store = db.left();
    let alice = sample::has_account(&*store, "alice").await;
    sample::has_session(&*store, &alice, "cookie").await;
    let seen = |at, since| {
        let store = db.right();
        async move {
            let session = store.session(&token("cookie"), at, since).await.unwrap();
            session.map(|session| session.seen_at)
        }
    };
    let minute = after(Millis::minutes(1));
    assert_eq!(
        seen(minute, T0).await,
        Some(T0),
        "a note a minute old is good enough"
    );
    let later = minute.plus(Millis(1));
    assert_eq!(seen(later, T0).await, Some(later));
    assert_eq!(seen(later, later).await, Some(later), "it was noted");
    assert_eq!(
        seen(T0, T0).await,
        Some(later),
        "a clock that steps back takes nothing away"
    );
}

/// Row A-06.
pub(crate) async fn an_ended_session_is_over_at_once_everywhere(db: impl Fixture) {
    let store = db.left();
    let alice = sample::has_account(&*store, "alice").await;
    sample::has_session(&*store, &alice, "cookie").await;
    sample::has_session(&*store, &alice, "expired").await;
    let end = |name, at| {
        let (store, mut row) = (db.left(), event(&alice, EventKind::SignedOut));
        row.at = at;
        async move { store.end_session(&token(name), row).await.unwrap() }
    };
    assert!(end("cookie", T0).await);
    assert_eq!(
        db.right().session(&token("cookie"), T0, T0).await.unwrap(),
        None
    );
    assert!(!end("cookie", T0).await);
    assert!(!end("expired", after(Millis::minutes(60))).await);
    assert!(!end("never", T0).await);
    let trail = store.events(&alice, None, 100).await.unwrap();
    let rows = trail
        .iter()
        .filter(|row| row.kind == EventKind::SignedOut)
        .count();
    assert_eq!(rows, 1);
}

/// Row A-76.
pub(crate) async fn all_other_sessions_can_be_ended(db: impl Fixture) {
    let store = db.left();
    let alice = sample::has_account(&*store, "alice").await;
    let bob = sample::has_account(&*store, "bob").await;
    for name in ["here", "there", "elsewhere"] {
        sample::has_session(&*store, &alice, name).await;
    }
    sample::has_session(&*store, &bob, "bob's").await;
    assert_eq!(
        store
            .end_sessions(&alice, Some(&token("here")))
            .await
            .unwrap(),
        2
    );
    for (name, live) in [
        ("here", true),
        ("there", false),
        ("elsewhere", false),
        ("bob's", true),
    ] {
        let found = db.right().session(&token(name), T0, T0).await.unwrap();
        assert_eq!(found.is_some(), live, "{name}");
    }
    assert_eq!(store.end_sessions(&alice, None).await.unwrap(), 1);
    assert_eq!(store.end_sessions(&id("nobody"), None).await.unwrap(), 0);
}
