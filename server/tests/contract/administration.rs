//! Administrators: who is one, whom they find, what they switch; and the patience of the pages.

use spare_key_server::model::{EventKind, Generation, Millis};
use spare_key_server::store::{
    AccountSearch, Actor, FindBy, NewAccount, NewEvent, Prolong, Role, Setting, Store,
};

use super::Fixture;
use super::sample::{self, T0, TEN_MINUTES, after, event, id, token};

fn by(who: &str, whose: &str, kind: EventKind) -> NewEvent {
    NewEvent {
        actor: Actor::Appointed(who.to_owned()),
        ..event(&id(whose), kind)
    }
}

async fn administers(store: &dyn Store, name: &str) -> bool {
    let account = store.account(&id(name)).await.unwrap();
    account.is_some_and(|account| account.administrator)
}

pub(crate) async fn an_account_administers_while_it_is_appointed(db: impl Fixture) {
    let (left, right) = (db.left(), db.right());
    let ada = sample::has_account(&*left, "ada").await;
    assert!(!administers(&*right, "ada").await);
    let added = || event(&ada, EventKind::AdministratorAdded);
    assert!(
        left.appoint(&ada, Role::Administrator, added())
            .await
            .unwrap()
    );
    assert!(administers(&*right, "ada").await);
    assert!(
        !right
            .appoint(&ada, Role::Administrator, added())
            .await
            .unwrap()
    );
    let removed = event(&ada, EventKind::AdministratorRemoved);
    assert!(right.appoint(&ada, Role::Person, removed).await.unwrap());
    assert!(!administers(&*left, "ada").await);
    let kinds: Vec<_> = left.events(&ada, None, 9).await.unwrap();
    let kinds: Vec<_> = kinds.into_iter().map(|row| row.kind).collect();
    assert_eq!(
        kinds,
        [
            EventKind::AdministratorRemoved,
            EventKind::AdministratorAdded,
            EventKind::AccountAdded
        ],
        "what was so already is no event"
    );
}

pub(crate) async fn appointing_nobody_changes_nothing(db: impl Fixture) {
    let nobody = id("nobody");
    let added = event(&nobody, EventKind::AdministratorAdded);
    let store = db.left();
    let appointed = store.appoint(&nobody, Role::Administrator, added).await;
    assert!(!appointed.unwrap());
    assert_eq!(db.left().events(&nobody, None, 9).await.unwrap(), []);
}

async fn found(store: &dyn Store, by: FindBy, prefix: &str, limit: u32) -> Vec<String> {
    let mut search = AccountSearch {
        by,
        prefix: prefix.to_owned(),
        after: None,
        limit,
    };
    let mut seen = Vec::new();
    loop {
        let page = store.find_accounts(search.clone()).await.unwrap();
        assert!(page.len() <= usize::try_from(limit).unwrap());
        let Some(last) = page.last() else { return seen };
        search.after = match by {
            FindBy::Login => last.login.clone(),
            FindBy::Id => Some(last.id.as_str().to_owned()),
        };
        seen.extend(page.into_iter().map(|line| line.id.as_str().to_owned()));
    }
}

pub(crate) async fn accounts_are_found_by_how_login_or_identifier_begins(db: impl Fixture) {
    let store = db.left();
    for (name, login) in [
        ("x|1", Some("anna@example.com")),
        ("x|2", Some("an%@example.com")),
        ("x|3", Some("bea@example.com")),
        ("x|4", Some("anton@example.com")),
        ("y|5", None),
        ("änne", Some("änne@example.com")),
    ] {
        let account = NewAccount {
            login: login.map(str::to_owned),
            ..sample::account(&id(name))
        };
        store.add_account(account).await.unwrap();
    }
    for limit in [1, 2, 50] {
        let by = |by, prefix| found(&*store, by, prefix, limit);
        assert_eq!(by(FindBy::Login, "an").await, ["x|2", "x|1", "x|4"]);
        assert_eq!(by(FindBy::Login, "an%").await, ["x|2"], "no pattern");
        assert_eq!(by(FindBy::Login, "").await.len(), 5, "who has a login");
        assert_eq!(by(FindBy::Login, "ä").await, ["änne"]);
        assert_eq!(by(FindBy::Id, "x|").await, ["x|1", "x|2", "x|3", "x|4"]);
        assert_eq!(by(FindBy::Id, "y").await, ["y|5"]);
        assert_eq!(by(FindBy::Id, "").await.len(), 6);
        assert!(by(FindBy::Id, "z").await.is_empty());
    }
}

pub(crate) async fn a_found_account_says_what_it_has_left(db: impl Fixture) {
    let store = db.left();
    let alice = sample::has_account(&*store, "alice").await;
    sample::has_totp(&*store, &alice, "app").await;
    sample::has_live(&*store, &alice, 1).await;
    sample::has_pending(&*store, &alice, 2).await;
    sample::spends(&*store, &alice, 1, 4).await;
    let search = AccountSearch {
        by: FindBy::Id,
        prefix: "alice".to_owned(),
        after: None,
        limit: 9,
    };
    let lines = db.right().find_accounts(search).await.unwrap();
    let line = &lines[0];
    assert_eq!(
        (
            line.generation,
            line.remaining,
            line.total,
            line.authenticators
        ),
        (Generation(1), 9, 10, 1)
    );
    assert_eq!(line.last_redeemed_at, Some(T0));
}

pub(crate) async fn switching_is_on_record(db: impl Fixture) {
    let ada = sample::has_account(&*db.left(), "ada").await;
    for (value, kind) in [
        ("on", EventKind::CodesSwitchedOn),
        ("off", EventKind::CodesSwitchedOff),
    ] {
        let row = by("ada", "ada", kind);
        let store = db.left();
        store
            .switch(Setting::RecoveryCodes, value, row)
            .await
            .unwrap();
        let found = db.right().setting(Setting::RecoveryCodes).await.unwrap();
        assert_eq!(found.as_deref(), Some(value));
        let rows = db.right().events(&ada, None, 1).await.unwrap();
        assert_eq!(rows[0].kind, kind);
        assert_eq!(rows[0].actor, Actor::Appointed("ada".to_owned()));
    }
}

fn prolong(name: &str, holder: &str, at: Millis) -> Prolong {
    Prolong {
        account: id(name),
        holder: token(holder),
        at: after(at),
        until: after(at).plus(TEN_MINUTES),
        longest: Millis::minutes(110),
        challenge_beyond: TEN_MINUTES,
    }
}

pub(crate) async fn a_waiting_batch_is_given_more_time_ten_times_and_not_for_ever(
    db: impl Fixture,
) {
    let store = db.left();
    let alice = sample::has_account(&*store, "alice").await;
    sample::has_challenge(&*store, &alice, "host").await;
    sample::has_pending(&*store, &alice, 1).await;
    let mut given = 0;
    let mut at = 0;
    loop {
        at += 9;
        let asked = prolong("alice", "host", Millis::minutes(at));
        let Some(until) = db.right().prolong(asked).await.unwrap() else {
            break;
        };
        given += 1;
        let open = store.challenge(&token("host")).await.unwrap().unwrap();
        assert!(
            open.expires_at >= until,
            "the challenge that holds it stays"
        );
        let (now, holder) = (after(Millis::minutes(at)), token("host"));
        let shown = store.shown(&alice, None, Some(&holder), now).await;
        assert_eq!(shown.unwrap().unwrap().seed_until, until);
    }
    assert!(given >= 10, "{given} times");
    assert!(at <= 130, "and not for ever: {at} minutes");
}

pub(crate) async fn more_time_is_for_the_holder_of_what_has_not_run_out(db: impl Fixture) {
    let store = db.left();
    let alice = sample::has_account(&*store, "alice").await;
    sample::has_pending(&*store, &alice, 1).await;
    let minute = Millis::minutes(1);
    for refused in [
        prolong("alice", "another", minute),
        prolong("nobody", "host", minute),
        prolong("alice", "host", TEN_MINUTES),
    ] {
        assert_eq!(store.prolong(refused).await.unwrap(), None);
    }
    let shown = store.shown(&alice, None, None, T0).await.unwrap().unwrap();
    assert_eq!(shown.seed_until, after(TEN_MINUTES));
    sample::activates(&*store, &alice, 1).await;
    let late = prolong("alice", "host", minute);
    assert_eq!(
        store.prolong(late).await.unwrap(),
        None,
        "nothing waits any more"
    );
}

pub(crate) async fn of_two_that_can_be_shown_the_later_is_given_more_time(db: impl Fixture) {
    let store = db.left();
    let alice = sample::has_account(&*store, "alice").await;
    // A live one whose seed is kept, and a pending one of the same holder.
    sample::has_live(&*store, &alice, 1).await;
    sample::has_pending(&*store, &alice, 2).await;
    let more = prolong("alice", "host", Millis::minutes(1));
    let until = store.prolong(more.clone()).await.unwrap();
    assert_eq!(until, Some(more.until));
    for (generation, until) in [(1, after(TEN_MINUTES)), (2, more.until)] {
        let shown = store.shown(&alice, Some(Generation(generation)), None, T0);
        assert_eq!(shown.await.unwrap().unwrap().seed_until, until);
    }
}

/// Row U8.
pub(crate) async fn a_reminder_ends_for_one_generation(db: impl Fixture) {
    let store = db.left();
    let alice = sample::has_account(&*store, "alice").await;
    sample::has_live(&*store, &alice, 1).await;
    let ended = || async {
        let status = db.right().status(&alice, T0).await.unwrap();
        status.latest.unwrap().reminder_ended
    };
    assert!(!ended().await);
    assert!(!store.end_reminder(&alice, Generation(2), T0).await.unwrap());
    assert!(store.end_reminder(&alice, Generation(1), T0).await.unwrap());
    assert!(ended().await);
    assert!(!store.end_reminder(&alice, Generation(1), T0).await.unwrap());
    sample::has_live(&*store, &alice, 2).await;
    assert!(!ended().await, "the next set is another matter");
    assert!(!store.end_reminder(&alice, Generation(1), T0).await.unwrap());
}
