//! Accounts and machine clients.

use spare_key_server::model::{BatchState, EventKind, Generation, MailAddress, Millis};
use spare_key_server::store::{
    AccountAdded, AccountPage, Client, Lane, NewIdempotency, PasswordDigest, Redeemed, Reserved,
    Setting, Staged, ThrottlePolicy, Ways,
};

use super::sample::{self, T0, TEN_MINUTES, after, event, id, token};
use super::{Fixture, at_once};

const POLICY: ThrottlePolicy = ThrottlePolicy {
    capacity: 10,
    refill: Millis::minutes(6),
    first_wait: Millis::seconds(30),
    longest_wait: Millis::minutes(60),
    dead_at: 100,
};

pub(crate) async fn an_account_is_added_once(db: impl Fixture) {
    let answers = at_once(&db, 16, |store, _| async move {
        store
            .add_account(sample::account(&id("alice")))
            .await
            .unwrap()
    })
    .await;
    assert_eq!(
        answers.iter().filter(|a| **a == AccountAdded::Done).count(),
        1
    );
    assert_eq!(
        answers
            .iter()
            .filter(|a| **a == AccountAdded::IdTaken)
            .count(),
        15
    );
    assert_eq!(
        db.left()
            .events(&id("alice"), None, 100)
            .await
            .unwrap()
            .len(),
        1
    );
}

pub(crate) async fn a_login_belongs_to_one_account(db: impl Fixture) {
    let mut alice = sample::account(&id("alice"));
    alice.login = Some("alice@example.com".to_owned());
    let mut other = sample::account(&id("other"));
    other.login = alice.login.clone();
    assert_eq!(
        db.left().add_account(alice).await.unwrap(),
        AccountAdded::Done
    );
    assert_eq!(
        db.right().add_account(other).await.unwrap(),
        AccountAdded::LoginTaken
    );
    let found = db
        .right()
        .account_by_login("alice@example.com")
        .await
        .unwrap();
    assert_eq!(found.unwrap().id, id("alice"));
    assert_eq!(
        db.left()
            .account_by_login("Alice@example.com")
            .await
            .unwrap(),
        None
    );
    assert_eq!(db.left().account(&id("other")).await.unwrap(), None);
}

pub(crate) async fn accounts_without_a_login_do_not_collide(db: impl Fixture) {
    for name in ["a", "b", "A", " a"] {
        let added = db
            .left()
            .add_account(sample::account(&id(name)))
            .await
            .unwrap();
        assert_eq!(added, AccountAdded::Done);
    }
}

pub(crate) async fn a_password_comes_back_as_it_was_stored(db: impl Fixture) {
    let password = PasswordDigest {
        scheme: sample::scheme(),
        digest: sample::secret(&id("alice"), 0, 0),
    };
    let mut alice = sample::account(&id("alice"));
    alice.password = Some(password.clone());
    db.left().add_account(alice).await.unwrap();
    let found = db.right().account(&id("alice")).await.unwrap().unwrap();
    assert_eq!(found.password, Some(password));
    assert_eq!(
        (found.last_generation, found.created_at),
        (Generation(0), T0)
    );
}

pub(crate) async fn an_account_says_which_provider_it_lives_at(db: impl Fixture) {
    let mut alice = sample::account(&id("alice"));
    alice.issuer = Some("https://id.example.com/".to_owned());
    alice.login = Some("alice@example.com".to_owned());
    db.left().add_account(alice.clone()).await.unwrap();
    sample::has_account(&*db.left(), "bob").await;
    sample::has_live(&*db.left(), &id("carol"), 1).await;
    let store = db.right();
    let found = store.account(&id("alice")).await.unwrap().unwrap();
    assert_eq!(found.issuer, alice.issuer);
    let found = store.account_by_login("alice@example.com").await.unwrap();
    assert_eq!(found.unwrap().issuer, alice.issuer);
    for name in ["bob", "carol"] {
        let found = store.account(&id(name)).await.unwrap().unwrap();
        assert_eq!(found.issuer, None, "{name}");
    }
}

pub(crate) async fn an_account_is_seen_by_the_other_store_once_added(db: impl Fixture) {
    for turn in 0..50 {
        let name = format!("account {turn}");
        sample::has_account(&*db.left(), &name).await;
        assert!(db.right().account(&id(&name)).await.unwrap().is_some());
    }
}

/// Rows L8, A-45.
pub(crate) async fn a_removed_account_leaves_no_row(db: impl Fixture) {
    let store = db.left();
    let bob = sample::has_account(&*store, "bob").await;
    sample::has_live(&*store, &bob, 1).await;
    let ways = Ways {
        mail: true,
        webhook: true,
        since: T0,
    };
    assert!(store.address_notices(ways, T0, 100).await.unwrap() > 0);
    let before = db.rows();

    let alice = sample::has_account(&*store, "alice").await;
    sample::has_session(&*store, &alice, "cookie").await;
    sample::has_refresh(&*store, &alice, "refresh").await;
    sample::has_challenge(&*store, &alice, "open").await;
    store
        .begin_totp(sample::totp(&alice, "pending"))
        .await
        .unwrap();
    sample::has_live(&*store, &alice, 1).await;
    sample::has_bearer(&*store, &alice, "bearer").await;
    sample::has_step_up(&*store, &alice, "bearer", "step-up").await;
    sample::has_device(&*store, &alice, "device").await;
    let address = MailAddress::parse("alice@example.com").unwrap();
    let added = event(&alice, EventKind::AddressAdded);
    store.add_address(&alice, &address, 1, added).await.unwrap();
    assert_eq!(store.address_notices(ways, T0, 1).await.unwrap(), 1);
    let key = sample::api_key(&alice, "carried");
    store.add_api_key(key).await.unwrap();
    let mut keyed = sample::stage(&alice, 2);
    keyed.idempotency = Some(NewIdempotency {
        key: token("key"),
        request: token("r"),
        until: after(TEN_MINUTES),
    });
    assert_eq!(store.stage(keyed).await.unwrap(), Staged::Done);
    for lane in [Lane::Recovery, Lane::Totp] {
        store
            .reserve_attempt(&alice, lane, POLICY, T0)
            .await
            .unwrap();
    }
    let full = db.rows();
    for (table, rows) in &before {
        assert!(
            ["client", "restored", "setting", "signing_key"].contains(&table.as_str())
                || full[table] > *rows,
            "the test has nothing in {table}"
        );
    }

    assert!(db.right().remove_account(&alice).await.unwrap());
    assert!(db.left().remove_client("app").await.unwrap());
    assert_eq!(db.rows(), before);
    assert_eq!(store.account(&alice).await.unwrap(), None);
    assert_eq!(
        sample::spends(&*store, &alice, 1, 2).await,
        Redeemed::NotLive
    );
}

pub(crate) async fn removing_nobody_changes_nothing(db: impl Fixture) {
    let nobody = id("nobody");
    db.left()
        .record(vec![event(&nobody, EventKind::CodesRefused)])
        .await
        .unwrap();
    assert!(!db.left().remove_account(&nobody).await.unwrap());
    assert_eq!(db.left().events(&nobody, None, 9).await.unwrap().len(), 1);
}

pub(crate) async fn an_account_added_again_starts_afresh(db: impl Fixture) {
    let store = db.left();
    let alice = sample::has_account(&*store, "alice").await;
    sample::has_live(&*store, &alice, 1).await;
    store.remove_account(&alice).await.unwrap();
    sample::has_account(&*store, "alice").await;
    assert_eq!(
        store
            .live_batch(&alice)
            .await
            .unwrap()
            .map(|b| b.generation),
        None
    );
    assert_eq!(store.status(&alice, T0).await.unwrap().latest, None);
    assert_eq!(
        sample::spends(&*store, &alice, 1, 1).await,
        Redeemed::NotLive
    );
}

/// Row L8.
pub(crate) async fn resetting_takes_all_factors_and_sessions_but_not_the_number(db: impl Fixture) {
    let store = db.left();
    let alice = sample::has_account(&*store, "alice").await;
    sample::has_session(&*store, &alice, "cookie").await;
    sample::has_refresh(&*store, &alice, "refresh").await;
    sample::has_challenge(&*store, &alice, "open").await;
    store
        .begin_totp(sample::totp(&alice, "pending"))
        .await
        .unwrap();
    sample::has_live(&*store, &alice, 1).await;
    sample::has_pending(&*store, &alice, 2).await;
    for lane in [Lane::Recovery, Lane::Totp] {
        for _ in 0..10 {
            store
                .reserve_attempt(&alice, lane, POLICY, T0)
                .await
                .unwrap();
        }
    }
    let reset = event(&alice, EventKind::MfaReset);
    assert!(db.right().reset_mfa(&alice, T0, reset).await.unwrap());

    assert_eq!(store.authenticators(&alice).await.unwrap(), []);
    assert_eq!(
        store
            .pending_totp(&alice, &token("holder"), T0)
            .await
            .unwrap(),
        None
    );
    assert_eq!(store.session(&token("cookie"), T0, T0).await.unwrap(), None);
    assert_eq!(store.challenge(&token("open")).await.unwrap(), None);
    assert!(store.live_batch(&alice).await.unwrap().is_none());
    assert_eq!(store.shown(&alice, None, None, T0).await.unwrap(), None);
    assert_eq!(
        sample::activates(&*store, &alice, 2).await,
        sample::stale(None)
    );
    assert_eq!(db.rows()["code"], 0);
    for lane in [Lane::Recovery, Lane::Totp] {
        let expected = Reserved::Granted {
            tries_left: 10,
            retry_at: None,
        };
        assert_eq!(
            store.throttle(&alice, lane, POLICY, T0).await.unwrap(),
            expected
        );
    }
    let status = store.status(&alice, T0).await.unwrap();
    assert_eq!(
        status.latest.map(|line| line.state),
        Some(BatchState::Revoked)
    );
    assert_eq!(status.pending, None);
    let account = store.account(&alice).await.unwrap().unwrap();
    assert_eq!(account.last_generation, Generation(2));
    let newest = store.events(&alice, None, 1).await.unwrap();
    assert_eq!(newest[0].kind, EventKind::MfaReset);
}

pub(crate) async fn resetting_nobody_changes_nothing(db: impl Fixture) {
    let before = db.rows();
    let reset = event(&id("nobody"), EventKind::MfaReset);
    assert!(!db.left().reset_mfa(&id("nobody"), T0, reset).await.unwrap());
    assert_eq!(db.rows(), before);
}

pub(crate) async fn accounts_are_listed_by_identifier_a_page_at_a_time(db: impl Fixture) {
    let store = db.left();
    let names = ["Ä", "B", "a", "auth0|x", "b", "z"];
    for name in names {
        sample::has_account(&*store, name).await;
    }
    sample::has_totp(&*store, &id("b"), "phone").await;
    sample::has_live(&*store, &id("b"), 1).await;
    sample::spends(&*store, &id("b"), 1, 5).await;
    let mut listed = Vec::new();
    let mut after = None;
    loop {
        let page = AccountPage {
            beginning: None,
            skip: 0,
            remaining_at_most: None,
            after,
            limit: 4,
        };
        let lines = db.right().accounts(page).await.unwrap();
        let Some(last) = lines.last() else { break };
        after = Some(last.id.clone());
        listed.extend(lines);
    }
    let mut expected = names.map(id);
    expected.sort();
    let ids: Vec<_> = listed.iter().map(|line| line.id.clone()).collect();
    assert_eq!(ids, expected);
    let bob = listed.iter().find(|line| line.id == id("b")).unwrap();
    assert_eq!((bob.authenticators, bob.generation), (1, Generation(1)));
    assert_eq!(
        (bob.total, bob.remaining, bob.last_redeemed_at),
        (10, 9, Some(T0))
    );
    let zoe = listed.iter().find(|line| line.id == id("z")).unwrap();
    assert_eq!(
        (zoe.generation, zoe.total, zoe.remaining),
        (Generation(0), 0, 0)
    );
}

pub(crate) async fn accounts_can_be_skipped_and_counted(db: impl Fixture) {
    let store = db.left();
    assert_eq!(store.count_accounts().await.unwrap(), 0);
    for (place, name) in ["a", "b", "c", "d", "e"].into_iter().enumerate() {
        let mut new = sample::account(&id(name));
        new.at = T0.plus(Millis(i64::try_from(place).unwrap()));
        store.add_account(new).await.unwrap();
    }
    sample::has_live(&*store, &id("b"), 1).await;
    sample::has_live(&*store, &id("d"), 1).await;
    assert_eq!(db.right().count_accounts().await.unwrap(), 5);
    for (after, remaining_at_most, skip, expected) in [
        (None, None, 0, "abc"),
        (None, None, 2, "cde"),
        (None, None, 4, "e"),
        (None, None, 5, ""),
        (Some("b"), None, 1, "de"),
        (None, Some(10), 1, "d"),
    ] {
        let page = AccountPage {
            beginning: None,
            remaining_at_most,
            after: after.map(id),
            skip,
            limit: 3,
        };
        let said = format!("{page:?}");
        let lines = db.right().accounts(page).await.unwrap();
        let ids: String = lines.iter().map(|line| line.id.as_str()).collect();
        assert_eq!(ids, expected, "{said}");
        for line in lines {
            let place = "abcde".find(line.id.as_str()).unwrap();
            let at = T0.plus(Millis(i64::try_from(place).unwrap()));
            assert_eq!(line.created_at, at, "{said}");
        }
    }
    store.remove_account(&id("c")).await.unwrap();
    assert_eq!(db.right().count_accounts().await.unwrap(), 4);
}

pub(crate) async fn accounts_low_on_codes_are_found(db: impl Fixture) {
    let store = db.left();
    for (name, spent) in [("few", 8), ("full", 0), ("none", 10)] {
        sample::has_live(&*store, &id(name), 1).await;
        for number in 1..=spent {
            sample::spends(&*store, &id(name), 1, number).await;
        }
    }
    sample::has_account(&*store, "without").await;
    let page = AccountPage {
        beginning: None,
        skip: 0,
        remaining_at_most: Some(2),
        after: None,
        limit: 10,
    };
    let lines = store.accounts(page).await.unwrap();
    let found: Vec<_> = lines
        .iter()
        .map(|line| (line.id.as_str(), line.remaining))
        .collect();
    assert_eq!(found, [("few", 2), ("none", 0)]);
}

pub(crate) async fn clients_are_added_found_listed_and_removed(db: impl Fixture) {
    let client = |name: &str| Client {
        id: name.to_owned(),
        name: format!("The {name}"),
        secret: Some(token(name)),
        scopes: vec!["read:recovery".to_owned(), "redeem:recovery".to_owned()],
        grants: vec!["client_credentials".to_owned()],
        audiences: vec!["https://api.example.com/".to_owned(), "urn:b".to_owned()],
        origins: vec!["https://app.example.com".to_owned()],
        created_at: T0,
    };
    let mut plain = client("a");
    plain.scopes.clear();
    plain.grants.clear();
    plain.audiences.clear();
    plain.origins.clear();
    plain.secret = None;
    assert!(db.left().add_client(client("b")).await.unwrap());
    assert!(db.left().add_client(plain.clone()).await.unwrap());
    assert!(!db.right().add_client(client("b")).await.unwrap());
    assert_eq!(db.right().client("b").await.unwrap(), Some(client("b")));
    assert_eq!(db.right().clients().await.unwrap(), [plain, client("b")]);
    assert!(db.right().remove_client("a").await.unwrap());
    assert!(!db.left().remove_client("a").await.unwrap());
    assert_eq!(db.left().client("a").await.unwrap(), None);
}

pub(crate) async fn accounts_are_found_by_how_identifier_or_login_begins(db: impl Fixture) {
    for (name, login) in [
        ("auth0|anna", Some("zoe@example.com")),
        ("auth0|bob", Some("anna@example.com")),
        ("auth0|_", None),
        ("Auth0|anna", None),
        ("über", None),
    ] {
        let mut new = sample::account(&id(name));
        new.login = login.map(str::to_owned);
        db.left().add_account(new).await.unwrap();
    }
    for (beginning, expected) in [
        ("auth0|", ["auth0|_", "auth0|anna", "auth0|bob"].as_slice()),
        ("anna", &["auth0|bob"]),
        ("auth0|anna", &["auth0|anna"]),
        ("auth0|_", &["auth0|_"]),
        ("auth0|%", &[]),
        ("zoe@example.com", &["auth0|anna"]),
        ("ü", &["über"]),
        ("b", &[]),
    ] {
        let page = AccountPage {
            remaining_at_most: None,
            beginning: Some(beginning.to_owned()),
            after: None,
            skip: 0,
            limit: 10,
        };
        let found = db.right().accounts(page).await.unwrap();
        let found: Vec<_> = found.iter().map(|line| line.id.as_str()).collect();
        assert_eq!(found, expected, "{beginning}");
    }
}

/// Row A-94.
pub(crate) async fn a_text_is_never_a_statement(db: impl Fixture) {
    const TEXTS: [&str; 8] = [
        "'; DROP TABLE account; --",
        "' OR '1'='1",
        "\"; DELETE FROM code; --",
        "$1",
        "?1",
        ":account",
        "%_\\",
        "E'\\'' || pg_sleep(9) || '",
    ];
    let store = db.left();
    for text in TEXTS {
        let account = sample::has_account(&*store, text).await;
        sample::has_live(&*store, &account, 1).await;
        let mut event = event(&account, EventKind::CodesRefused);
        event.detail = Some(text.to_owned());
        store.record(vec![event]).await.unwrap();
        store.set(Setting::SignInPolicy, text).await.unwrap();
        let found = db.right().setting(Setting::SignInPolicy).await.unwrap();
        assert_eq!(found.as_deref(), Some(text));
    }
    assert_eq!(db.rows()["account"], 8);
    assert_eq!(db.rows()["code"], 80);
    for text in TEXTS {
        let found = db.right().account(&id(text)).await.unwrap();
        assert_eq!(found.map(|found| found.id), Some(id(text)));
        let newest = store.events(&id(text), None, 1).await.unwrap();
        assert_eq!(newest[0].detail.as_deref(), Some(text));
        assert!(store.remove_account(&id(text)).await.unwrap());
    }
    assert_eq!(db.rows()["account"], 0);
}
