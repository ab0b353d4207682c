//! Deeds of different kinds at the same moment: whichever comes first, what is left is what one
//! after the other would have left.

use spare_key_server::model::EventKind;
use spare_key_server::store::{Beside, Progress, RemoveTotp};

use super::sample::{self, T0, event, id, token};
use super::{Fixture, at_once};

/// How often each race is run: at another moment every time.
const ROUNDS: usize = 20;

/// Row L11.
pub(crate) async fn codes_are_never_left_without_an_authenticator(db: impl Fixture) {
    for round in 0..ROUNDS {
        let alice = sample::has_account(&*db.left(), &format!("alice {round}")).await;
        sample::has_totp(&*db.left(), &alice, "phone").await;
        let whose = alice.clone();
        at_once(&db, 2, move |store, turn| {
            let account = whose.clone();
            async move {
                if turn == 0 {
                    let mut stage = sample::at_once(&account, 1);
                    stage.beside = Beside::Authenticator;
                    store.stage(stage).await.map(drop)
                } else {
                    let remove = RemoveTotp {
                        account: account.clone(),
                        id: sample::totp_id(&account, "phone"),
                        at: T0,
                        event: event(&account, EventKind::FactorRemoved),
                        codes: event(&account, EventKind::CodesRevoked),
                        devices: event(&account, EventKind::DeviceForgotten),
                        step_up: None,
                    };
                    store.remove_totp(remove).await.map(drop)
                }
                .unwrap();
            }
        })
        .await;
        assert_eq!(db.left().authenticators(&alice).await.unwrap(), []);
        assert!(db.right().live_batch(&alice).await.unwrap().is_none());
    }
    assert_eq!(db.rows()["code"], 0);
}

pub(crate) async fn ending_every_session_ends_those_that_step_up_meanwhile(db: impl Fixture) {
    let alice = sample::has_account(&*db.left(), "alice").await;
    for round in 0..ROUNDS {
        let (old, new) = (format!("old {round}"), format!("new {round}"));
        sample::has_session(&*db.left(), &alice, &old).await;
        let whose = alice.clone();
        at_once(&db, 2, move |store, turn| {
            let (account, old, new) = (whose.clone(), old.clone(), new.clone());
            async move {
                if turn == 0 {
                    let step_up = Progress::StepUp {
                        session: token(&old),
                        next: sample::session(&account, &new),
                    };
                    store.pass(&account, step_up, T0).await.map(drop)
                } else {
                    store.end_sessions(&account, None).await.map(drop)
                }
                .unwrap();
            }
        })
        .await;
        assert_eq!(db.rows()["session"], 0, "round {round}");
    }
}

pub(crate) async fn removing_a_program_removes_what_is_opened_for_it_meanwhile(db: impl Fixture) {
    let alice = sample::has_account(&*db.left(), "alice").await;
    for round in 0..ROUNDS {
        sample::has_client(&*db.left()).await;
        let (challenge, cookie) = (format!("challenge {round}"), format!("cookie {round}"));
        sample::has_challenge(&*db.left(), &alice, &challenge).await;
        let whose = alice.clone();
        at_once(&db, 2, move |store, turn| {
            let (account, challenge, cookie) = (whose.clone(), challenge.clone(), cookie.clone());
            async move {
                if turn == 0 {
                    let mut session = sample::session(&account, &cookie);
                    session.client = Some("app".to_owned());
                    let grant = Progress::Grant {
                        challenge: token(&challenge),
                        session,
                    };
                    store.pass(&account, grant, T0).await.map(drop)
                } else {
                    store.remove_client("app").await.map(drop)
                }
                .unwrap();
            }
        })
        .await;
        assert_eq!(db.rows()["session"], 0, "round {round}");
        assert_eq!(db.rows()["client"], 0, "round {round}");
    }
}

/// Row A-45.
pub(crate) async fn removing_an_account_removes_what_it_does_meanwhile(db: impl Fixture) {
    for round in 0..ROUNDS {
        let alice = sample::has_account(&*db.left(), "alice").await;
        sample::has_live(&*db.left(), &alice, 1).await;
        sample::has_session(&*db.left(), &alice, &format!("cookie {round}")).await;
        at_once(&db, 5, move |store, turn| {
            let alice = id("alice");
            async move {
                match turn {
                    0 => store.remove_account(&alice).await.map(drop),
                    1 => store.redeem(sample::redeem(&alice, 1, 4)).await.map(drop),
                    2 => {
                        let challenge = sample::challenge(&alice, &format!("late {round}"));
                        store.open_challenge(challenge).await.map(drop)
                    }
                    3 => store.begin_totp(sample::totp(&alice, "tablet")).await,
                    _ => {
                        let key = sample::api_key(&alice, &format!("key {round}"));
                        store.add_api_key(key).await.map(drop)
                    }
                }
                .unwrap();
            }
        })
        .await;
        let left: Vec<_> = db
            .rows()
            .into_iter()
            .filter(|(_, rows)| *rows > 0)
            .collect();
        assert_eq!(left, [], "round {round}");
    }
}
