//! Sessions that access tokens are of, the challenges before them, and what is enrolled in them.

use spare_key_server::model::{EventKind, Generation, Millis};
use spare_key_server::store::{
    Beside, NewIdempotency, Progress, SessionKind, Stage, Staged, TotpConfirmed,
};

use super::sample::{self, T0, TEN_MINUTES, after, event, id, token};
use super::{Fixture, at_once};

/// Row S10.
pub(crate) async fn an_answer_to_a_challenge_is_counted_before_it_is_looked_at(db: impl Fixture) {
    let store = db.left();
    let alice = sample::has_account(&*store, "alice").await;
    sample::has_challenge(&*store, &alice, "open").await;
    let tried = at_once(&db, 12, |store, _| async move {
        store.try_challenge(&token("open"), 5, T0).await.unwrap()
    })
    .await;
    let mut left: Vec<_> = tried.into_iter().flatten().collect();
    left.sort_unstable();
    assert_eq!(left, [0, 1, 2, 3, 4]);
    let found = store.challenge(&token("open")).await.unwrap().unwrap();
    assert_eq!(found.tries, 5);

    store.untry_challenge(&token("open")).await.unwrap();
    let again = store.try_challenge(&token("open"), 5, T0).await.unwrap();
    assert_eq!(again, Some(0));
}

pub(crate) async fn a_challenge_that_is_over_counts_nothing(db: impl Fixture) {
    let store = db.left();
    let alice = sample::has_account(&*store, "alice").await;
    sample::has_challenge(&*store, &alice, "open").await;
    let late = after(TEN_MINUTES);
    for (name, at) in [("open", late), ("none", T0)] {
        let tried = store.try_challenge(&token(name), 5, at).await.unwrap();
        assert_eq!(tried, None, "{name}");
    }
    let grant = sample::grant(&alice, "open", "session");
    assert!(store.pass(&alice, grant, T0).await.unwrap());
    let tried = store.try_challenge(&token("open"), 5, T0).await.unwrap();
    assert_eq!(tried, None);
    store.untry_challenge(&token("open")).await.unwrap();
    let found = store.challenge(&token("open")).await.unwrap().unwrap();
    assert_eq!(found.tries, 0);
}

pub(crate) async fn a_session_is_seen_in_the_list_of_its_owner_alone(db: impl Fixture) {
    let store = db.left();
    let alice = sample::has_account(&*store, "alice").await;
    let bob = sample::has_account(&*store, "bob").await;
    sample::has_bearer(&*store, &alice, "first").await;
    sample::has_bearer(&*store, &alice, "second").await;
    sample::has_bearer(&*store, &bob, "his").await;
    let seen = after(Millis::minutes(5));
    store.session(&token("first"), seen, T0).await.unwrap();
    let listed = db.right().sessions(&alice, T0).await.unwrap();
    let digests: Vec<_> = listed.iter().map(|line| line.digest).collect();
    assert_eq!(digests, [token("first"), token("second")]);
    assert_eq!((listed[0].auth_time, listed[0].seen_at), (T0, seen));
    let end = after(Millis::minutes(60));
    assert_eq!(store.sessions(&alice, end).await.unwrap(), []);
}

pub(crate) async fn enrolling_makes_a_session_whole(db: impl Fixture) {
    let store = db.left();
    let alice = sample::has_account(&*store, "alice").await;
    let bob = sample::has_account(&*store, "bob").await;
    let mut session = sample::bearer(&alice, "session");
    session.kind = SessionKind::EnrollOnly;
    sample::opens(&*store, &alice, session).await;
    sample::has_session(&*store, &alice, "cookie").await;
    let enrolled = |name| Progress::Enrolled {
        session: token(name),
        step_up: None,
    };
    assert!(!store.pass(&bob, enrolled("session"), T0).await.unwrap());
    assert!(!store.pass(&alice, enrolled("cookie"), T0).await.unwrap());
    let later = after(Millis::minutes(1));
    assert!(
        store
            .pass(&alice, enrolled("session"), later)
            .await
            .unwrap()
    );
    let found = store.session(&token("session"), later, T0).await.unwrap();
    let found = found.unwrap();
    assert_eq!(found.kind, SessionKind::Bearer);
    assert_eq!(found.factor_at, Some(later));
}

pub(crate) async fn an_account_is_found_by_its_uuid(db: impl Fixture) {
    let store = db.left();
    let alice = sample::has_account(&*store, "alice").await;
    // A host's comes into being with its codes.
    let host = id("customer-42");
    sample::has_live(&*store, &host, 1).await;
    for account in [&alice, &host] {
        let found = store.account_by_uuid(account.uuid()).await.unwrap();
        assert_eq!(found.unwrap().id, *account);
    }
    let nobody = store.account_by_uuid(id("nobody").uuid()).await.unwrap();
    assert_eq!(nobody, None);
}

pub(crate) async fn a_time_of_grace_begins_once(db: impl Fixture) {
    let store = db.left();
    let alice = sample::has_account(&*store, "alice").await;
    let later = after(Millis::days(3));
    assert_eq!(store.begin_grace(&alice, T0).await.unwrap(), Some(T0));
    assert_eq!(store.begin_grace(&alice, later).await.unwrap(), Some(T0));
    assert_eq!(store.begin_grace(&id("nobody"), T0).await.unwrap(), None);
}

pub(crate) async fn a_reset_is_remembered_with_its_time(db: impl Fixture) {
    let store = db.left();
    let alice = sample::has_account(&*store, "alice").await;
    let before = store.account(&alice).await.unwrap().unwrap();
    assert_eq!(before.reset_at, None);
    let at = after(Millis::minutes(1));
    let row = event(&alice, EventKind::MfaReset);
    assert!(store.reset_mfa(&alice, at, row).await.unwrap());
    let found = db.right().account(&alice).await.unwrap().unwrap();
    assert_eq!(found.reset_at, Some(at));
}

fn enrollment(account: &spare_key_server::model::AccountId) -> Stage {
    Stage {
        beside: Beside::Enrolling(token("holder")),
        ..sample::stage(account, 1)
    }
}

fn key(name: &str) -> NewIdempotency {
    NewIdempotency {
        key: token(name),
        request: token("request"),
        until: after(TEN_MINUTES),
    }
}

pub(crate) async fn confirming_names_the_factor_and_keeps_its_codes_for_a_repeat(db: impl Fixture) {
    let store = db.left();
    let alice = sample::has_account(&*store, "alice").await;
    store
        .begin_totp(sample::totp(&alice, "phone"))
        .await
        .unwrap();
    let mut staged = enrollment(&alice);
    staged.batch.holder = token("holder");
    assert_eq!(store.stage(staged).await.unwrap(), Staged::Done);
    let mut confirm = sample::confirm(&alice, "phone");
    confirm.name = Some("Pixel".to_owned());
    confirm.codes = Some(event(&alice, EventKind::CodesActivated));
    confirm.shown_again = Some(after(TEN_MINUTES));
    confirm.idempotency = Some(key("key"));
    let confirmed = store.confirm_totp(confirm).await.unwrap();
    assert_eq!(confirmed, TotpConfirmed::Done);

    let cards = store.totp_cards(&alice).await.unwrap();
    assert_eq!(cards[0].name.as_deref(), Some("Pixel"));
    let before = db.right().idempotency(&token("key"), T0).await.unwrap();
    let before = before.unwrap();
    assert_eq!(before.generation, Generation(1));
    assert_eq!(before.request, token("request"));
    let generation = Some(Generation(1));
    for (at, shown) in [(T0, true), (after(TEN_MINUTES), false)] {
        let found = store.shown(&alice, generation, None, at).await.unwrap();
        assert_eq!(found.is_some(), shown);
    }
}

pub(crate) async fn a_key_that_confirmed_one_factor_confirms_no_other(db: impl Fixture) {
    let store = db.left();
    let alice = sample::has_account(&*store, "alice").await;
    for (name, confirmed) in [
        ("phone", TotpConfirmed::Done),
        ("tablet", TotpConfirmed::KeyTaken),
    ] {
        store.begin_totp(sample::totp(&alice, name)).await.unwrap();
        let mut confirm = sample::confirm(&alice, name);
        confirm.idempotency = Some(key("key"));
        let answer = store.confirm_totp(confirm).await.unwrap();
        assert_eq!(answer, confirmed, "{name}");
    }
    assert_eq!(store.authenticators(&alice).await.unwrap().len(), 1);
    let before = store.idempotency(&token("key"), T0).await.unwrap();
    assert_eq!(before.unwrap().generation, Generation(0));
}
