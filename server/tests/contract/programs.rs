//! Programs that sign people in: what they asked, their sessions, their refresh tokens.

use std::sync::Arc;

use spare_key_server::model::{AccountId, EventKind, Millis, Timestamp};
use spare_key_server::store::{
    Asked, Challenge, Door, NewRefresh, Progress, Refresh, Rotated, Session, SessionKind, Store,
};

use super::sample::{self, T0, TEN_MINUTES, after, event, id, token};
use super::{Fixture, at_once};

/// How long a refresh token that was followed may be followed again.
const LOST_FOR: Millis = Millis::minutes(1);

fn asked(audience: Option<&str>) -> Asked {
    Asked {
        client: "app".to_owned(),
        audience: audience.map(str::to_owned),
        scope: "openid offline_access".to_owned(),
    }
}

fn next(name: &str) -> NewRefresh {
    NewRefresh {
        digest: token(name),
        audience: None,
        scope: "openid offline_access".to_owned(),
    }
}

/// Follows `old` by `new` at `at`.
async fn follows(store: &dyn Store, old: &str, new: &str, at: Timestamp) -> Rotated {
    let lost_since = at.plus(Millis(-LOST_FOR.0));
    store
        .rotate_refresh(&token(old), next(new), at, lost_since)
        .await
        .unwrap()
}

async fn is_good(store: &dyn Store, name: &str, at: Timestamp) -> bool {
    store.refresh(&token(name), at).await.unwrap().is_some()
}

async fn opens_by_pass(store: Arc<dyn Store>, challenge: &str, cookie: &str) -> bool {
    let alice = id("alice");
    let grant = sample::grant(&alice, challenge, cookie);
    store.pass(&alice, grant, T0).await.unwrap()
}

pub(crate) async fn a_challenge_keeps_what_a_program_asked(db: impl Fixture) {
    let store = db.left();
    let alice = sample::has_account(&*store, "alice").await;
    sample::has_client(&*store).await;
    for (name, audience) in [("api", Some("https://api.example.com/")), ("none", None)] {
        let mut new = sample::challenge(&alice, name);
        new.password_at = T0.plus(Millis(-5));
        new.door = Door::Program(asked(audience));
        assert!(store.open_challenge(new).await.unwrap());
        let expected = Challenge {
            account: alice.clone(),
            password_at: T0.plus(Millis(-5)),
            factor_at: None,
            door: Door::Program(asked(audience)),
            tries: 0,
            expires_at: after(TEN_MINUTES),
            spent_at: None,
        };
        let found = db.right().challenge(&token(name)).await.unwrap();
        assert_eq!(found, Some(expected));
    }
    let spent = sample::grant(&alice, "api", "cookie");
    assert!(store.pass(&alice, spent, T0).await.unwrap());
    let found = db.right().challenge(&token("api")).await.unwrap().unwrap();
    assert_eq!(found.spent_at, Some(T0));
    assert_eq!(
        found.door,
        Door::Program(asked(Some("https://api.example.com/")))
    );
}

pub(crate) async fn a_challenge_needs_the_program_that_asked(db: impl Fixture) {
    let store = db.left();
    let alice = sample::has_account(&*store, "alice").await;
    let before = db.rows();
    let mut new = sample::challenge(&alice, "sign-in");
    new.door = Door::Program(asked(None));
    assert!(!store.open_challenge(new).await.unwrap());
    assert_eq!(db.rows(), before);
}

pub(crate) async fn passing_makes_progress_once_whatever_races(db: impl Fixture) {
    let alice = sample::has_account(&*db.left(), "alice").await;
    sample::has_challenge(&*db.left(), &alice, "sign-in").await;
    let answers = at_once(&db, 64, |store, turn| async move {
        opens_by_pass(store, "sign-in", &format!("cookie {turn}")).await
    })
    .await;
    assert_eq!(answers.iter().filter(|passed| **passed).count(), 1);
    assert_eq!(db.rows()["session"], 1);
    let winner = answers.iter().position(|passed| *passed).unwrap();
    let cookie = token(&format!("cookie {winner}"));
    let opened = db.right().session(&cookie, T0, T0).await.unwrap();
    assert_eq!(opened.unwrap().account, alice);
}

pub(crate) async fn passing_against_the_guard_changes_nothing(db: impl Fixture) {
    let store = db.left();
    let alice = sample::has_account(&*store, "alice").await;
    let mallory = sample::has_account(&*store, "mallory").await;
    sample::has_challenge(&*store, &alice, "sign-in").await;
    let before = db.rows();
    let own = |challenge: &str| sample::grant(&alice, challenge, "cookie");
    let mut of_nobodys_program = sample::session(&alice, "cookie");
    of_nobodys_program.client = Some("no such program".to_owned());
    let proven = Progress::FactorProven {
        challenge: token("sign-in"),
    };
    let step_up = Progress::StepUp {
        session: token("no such session"),
        next: sample::session(&alice, "cookie"),
    };
    let end = after(TEN_MINUTES);
    for (who, progress, at) in [
        (&alice, own("never opened"), T0),
        (&alice, own("sign-in"), end),
        (&alice, proven.clone(), end),
        (&mallory, proven, T0),
        (&mallory, own("sign-in"), T0),
        (&alice, sample::grant(&mallory, "sign-in", "cookie"), T0),
        (&alice, step_up, T0),
        (&id("nobody"), own("sign-in"), T0),
        (
            &alice,
            Progress::Grant {
                challenge: token("sign-in"),
                session: of_nobodys_program,
            },
            T0,
        ),
    ] {
        let said = format!("{} {progress:?}", who.as_str());
        assert!(!store.pass(who, progress, at).await.unwrap(), "{said}");
        assert_eq!(db.rows(), before, "{said}");
        let found = store.challenge(&token("sign-in")).await.unwrap().unwrap();
        assert_eq!((found.factor_at, found.spent_at), (None, None), "{said}");
    }
    assert!(store.pass(&alice, own("sign-in"), T0).await.unwrap());
}

pub(crate) async fn removing_a_program_takes_what_is_its_own(db: impl Fixture) {
    let store = db.left();
    let alice = sample::has_account(&*store, "alice").await;
    sample::has_session(&*store, &alice, "browser").await;
    let before = db.rows();
    sample::has_refresh(&*store, &alice, "refresh").await;
    let mut open = sample::challenge(&alice, "asked");
    open.door = Door::Program(asked(None));
    assert!(store.open_challenge(open).await.unwrap());
    assert!(is_good(&*store, "refresh", T0).await);

    assert!(db.right().remove_client("app").await.unwrap());
    assert_eq!(store.challenge(&token("asked")).await.unwrap(), None);
    let theirs = token("session of refresh");
    assert_eq!(store.session(&theirs, T0, T0).await.unwrap(), None);
    assert!(!is_good(&*store, "refresh", T0).await);
    let browser = store.session(&token("browser"), T0, T0).await.unwrap();
    assert!(browser.is_some(), "what is not the program's stays");
    for table in ["session", "refresh", "client"] {
        assert_eq!(db.rows()[table], before[table], "{table}");
    }
}

pub(crate) async fn a_session_says_which_program_it_is_of(db: impl Fixture) {
    let store = db.left();
    let alice = sample::has_account(&*store, "alice").await;
    sample::has_refresh(&*store, &alice, "refresh").await;
    let expected = Session {
        account: alice,
        kind: SessionKind::Full,
        auth_time: T0,
        factor_at: Some(T0),
        opened_by: None,
        client: Some("app".to_owned()),
        seen_at: T0,
        expires_at: after(Millis::minutes(60)),
    };
    let of_program = token("session of refresh");
    let found = db.right().session(&of_program, T0, T0).await.unwrap();
    assert_eq!(found, Some(expected));
}

pub(crate) async fn a_refresh_token_is_stored_only_with_its_session(db: impl Fixture) {
    let store = db.left();
    let alice = sample::has_account(&*store, "alice").await;
    sample::has_refresh(&*store, &alice, "refresh").await;
    let expected = Refresh {
        session: token("session of refresh"),
        audience: None,
        scope: "openid offline_access".to_owned(),
        replaced_at: None,
    };
    let found = db.right().refresh(&token("refresh"), T0).await.unwrap();
    assert_eq!(found, Some(expected));
    // The challenge is spent: no second session, and no token of it.
    let mut late = sample::session(&alice, "late session");
    late.refresh = Some(next("late"));
    let grant = Progress::Grant {
        challenge: token("challenge to refresh"),
        session: late,
    };
    assert!(!store.pass(&alice, grant, T0).await.unwrap());
    assert!(!is_good(&*store, "late", T0).await);
    assert_eq!(db.rows()["refresh"], 1);
}

pub(crate) async fn a_refresh_token_is_good_while_its_session_is(db: impl Fixture) {
    let store = db.left();
    let alice = sample::has_account(&*store, "alice").await;
    sample::has_refresh(&*store, &alice, "refresh").await;
    let end = after(Millis::minutes(60));
    assert!(is_good(&*db.right(), "refresh", end.plus(Millis(-1))).await);
    assert!(!is_good(&*db.right(), "refresh", end).await);
    assert_eq!(
        follows(&*store, "refresh", "too late", end).await,
        Rotated::Gone
    );
    assert_eq!(db.rows()["refresh"], 1);
    assert!(!is_good(&*db.right(), "another", T0).await);
    let session = token("session of refresh");
    let ended = store.end_session(&session, event(&alice, EventKind::SignedOut));
    assert!(ended.await.unwrap());
    assert!(!is_good(&*db.right(), "refresh", T0).await);
    assert_eq!(db.rows()["refresh"], 0);
}

pub(crate) async fn a_lost_answer_lets_a_refresh_token_be_followed_again(db: impl Fixture) {
    let store = db.left();
    let alice = sample::has_account(&*store, "alice").await;
    sample::has_refresh(&*store, &alice, "first").await;
    assert_eq!(follows(&*store, "first", "second", T0).await, Rotated::Done);
    let first = db.right().refresh(&token("first"), T0).await.unwrap();
    assert_eq!(first.unwrap().replaced_at, Some(T0));
    let second = db.right().refresh(&token("second"), T0).await.unwrap();
    assert_eq!(second.unwrap().session, token("session of first"));
    let in_time = after(LOST_FOR).plus(Millis(-1));
    assert_eq!(
        follows(&*db.right(), "first", "third", in_time).await,
        Rotated::Done
    );
    for name in ["second", "third"] {
        assert!(is_good(&*store, name, in_time).await, "{name}");
    }
    let first = store.refresh(&token("first"), in_time).await.unwrap();
    assert_eq!(
        first.unwrap().replaced_at,
        Some(T0),
        "the time runs from the first answer, not from the last"
    );
}

pub(crate) async fn a_refresh_token_may_be_followed_by_two_at_once(db: impl Fixture) {
    let alice = sample::has_account(&*db.left(), "alice").await;
    sample::has_refresh(&*db.left(), &alice, "first").await;
    let answers = at_once(&db, 16, |store, turn| async move {
        follows(&*store, "first", &format!("next {turn}"), T0).await
    })
    .await;
    assert_eq!(answers, [Rotated::Done; 16]);
    for turn in 0..16 {
        assert!(is_good(&*db.right(), &format!("next {turn}"), T0).await);
    }
    assert_eq!(db.rows()["session"], 1);
}

pub(crate) async fn a_refresh_token_used_again_ends_its_session(db: impl Fixture) {
    let store = db.left();
    let alice = sample::has_account(&*store, "alice").await;
    sample::has_refresh(&*store, &alice, "first").await;
    sample::has_refresh(&*store, &alice, "elsewhere").await;
    follows(&*store, "first", "second", T0).await;
    follows(&*store, "second", "third", T0).await;
    let late = after(LOST_FOR);
    assert_eq!(
        follows(&*db.right(), "first", "stolen", late).await,
        Rotated::Reused
    );
    for name in ["first", "second", "third", "stolen"] {
        assert!(!is_good(&*store, name, T0).await, "{name}");
    }
    let session = token("session of first");
    assert_eq!(store.session(&session, T0, T0).await.unwrap(), None);
    assert!(is_good(&*store, "elsewhere", late).await);
    assert_eq!(
        follows(&*store, "third", "fourth", late).await,
        Rotated::Gone,
        "ended once"
    );
}

pub(crate) async fn following_nobodys_refresh_token_changes_nothing(db: impl Fixture) {
    let store = db.left();
    let alice = sample::has_account(&*store, "alice").await;
    sample::has_refresh(&*store, &alice, "refresh").await;
    let before = db.rows();
    assert_eq!(
        follows(&*store, "nobody's", "next", T0).await,
        Rotated::Gone
    );
    assert_eq!(db.rows(), before);
    assert!(is_good(&*db.right(), "refresh", T0).await);
}

async fn steps_up(store: &dyn Store, alice: &AccountId) {
    let mut next = sample::session(alice, "stepped up");
    next.client = Some("app".to_owned());
    let progress = Progress::StepUp {
        session: token("session of refresh"),
        next,
    };
    assert!(store.pass(alice, progress, T0).await.unwrap());
}

pub(crate) async fn whatever_ends_a_session_ends_its_refresh_tokens(db: impl Fixture) {
    let store = db.left();
    for way in ["step-up", "reset", "ended with the others", "removal"] {
        let alice = sample::has_account(&*store, "alice").await;
        sample::has_refresh(&*store, &alice, "refresh").await;
        follows(&*store, "refresh", "next", T0).await;
        match way {
            "step-up" => steps_up(&*store, &alice).await,
            "reset" => {
                let reset = event(&alice, EventKind::MfaReset);
                assert!(store.reset_mfa(&alice, T0, reset).await.unwrap());
            }
            "removal" => assert!(store.remove_account(&alice).await.unwrap()),
            _ => assert_eq!(store.end_sessions(&alice, None).await.unwrap(), 1),
        }
        for name in ["refresh", "next"] {
            assert!(!is_good(&*db.right(), name, T0).await, "{way}: {name}");
        }
        assert_eq!(db.rows()["refresh"], 0, "{way}");
        assert_eq!(
            follows(&*store, "next", "more", T0).await,
            Rotated::Gone,
            "{way}"
        );
        store.remove_account(&alice).await.unwrap();
    }
}
