//! Many at once in the Canopy dialect, on two servers with one database.

use std::collections::BTreeMap;

use spare_key_tests::App;
use spare_key_tests::auth0::Person;
use spare_key_tests::canopy::{Canopy, Enrolled};
use tokio::task::JoinSet;

/// A person with a factor, by way of two servers.
struct Two {
    app: App,
    person: Person,
    browsers: [Canopy; 2],
    phone: Enrolled,
}

impl Two {
    async fn start() -> Self {
        let app = App::start().await;
        let (person, browser) = app.canopy_person("dora").await;
        let phone = browser.enroll("Pixel").await;
        let other = app.another().canopy().await.with(&browser.access);
        Self {
            app,
            person,
            browsers: [browser, other],
            phone,
        }
    }
}

/// Row C1.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_code_over_twenty_challenges_is_one_session() {
    let two = Two::start().await;
    let mut tasks = JoinSet::new();
    for turn in 0..20 {
        let browser = two.browsers[turn % 2].clone();
        let challenge = browser.challenged(&two.person).await;
        let code = two.phone.codes[0].clone();
        tasks.spawn(async move { browser.recover(&challenge, &code).await });
    }
    let answers = tasks.join_all().await;
    let in_count = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!(in_count, 1);
    assert_eq!(two.browsers[0].left().await, (1, 9));
}

/// Row C3.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_factors_on_one_challenge_are_one_session() {
    for _ in 0..6 {
        let two = Two::start().await;
        let challenge = two.browsers[0].challenged(&two.person).await;
        let otp = two.app.next_otp(&two.phone.secret);
        let [one, other] = two.browsers.clone();
        let code = two.phone.codes[0].clone();
        let (by_otp, by_code) = tokio::join!(
            one.answer(&challenge, &otp),
            other.recover(&challenge, &code)
        );
        let let_in = [&by_otp, &by_code].map(|answer| answer.status == 200);
        assert!(let_in[0] ^ let_in[1], "{let_in:?}");
        // The factor that lost was not spent.
        let left = two.browsers[0].left().await;
        assert_eq!(left, if let_in[1] { (1, 9) } else { (1, 10) });
    }
}

/// Rows C5, A-36.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_regenerations_at_once_are_two_generations_and_the_higher_works() {
    for _ in 0..6 {
        let two = Two::start().await;
        let mut tasks = JoinSet::new();
        for browser in two.browsers.clone() {
            let step_up = browser.stepped_up(&two.phone.secret).await;
            tasks.spawn(async move { browser.regenerate(&step_up).await });
        }
        let mut by_generation = BTreeMap::new();
        for answer in tasks.join_all().await {
            let answer = answer.expect(200);
            let generation = answer.json["recovery_codes_generation"].as_u64().unwrap();
            by_generation.insert(generation, answer.recovery_codes());
        }
        assert_eq!(by_generation.keys().collect::<Vec<_>>(), [&2, &3]);
        let [browser, _] = &two.browsers;
        assert_eq!(browser.left().await, (3, 10));
        assert!(!browser.takes(&two.person, &by_generation[&2][0]).await);
        assert!(!browser.takes(&two.person, &two.phone.codes[0]).await);
        assert!(browser.takes(&two.person, &by_generation[&3][0]).await);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_step_up_token_at_two_servers_is_one_list() {
    for _ in 0..6 {
        let two = Two::start().await;
        let step_up = two.browsers[0].stepped_up(&two.phone.secret).await;
        let [one, other] = two.browsers.clone();
        let answers = tokio::join!(one.regenerate(&step_up), other.regenerate(&step_up));
        let statuses = [answers.0.status.as_u16(), answers.1.status.as_u16()];
        assert!([[200, 401], [401, 200]].contains(&statuses), "{statuses:?}");
        assert_eq!(one.left().await, (2, 10));
    }
}

/// Row C4.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_code_redeemed_while_others_are_made_wins_before_or_loses() {
    for _ in 0..8 {
        let two = Two::start().await;
        let [one, other] = two.browsers.clone();
        let step_up = one.stepped_up(&two.phone.secret).await;
        let challenge = other.challenged(&two.person).await;
        let (made, redeemed) = tokio::join!(
            one.regenerate(&step_up),
            other.recover(&challenge, &two.phone.codes[0])
        );
        let new = made.expect(200).recovery_codes();
        if redeemed.status == 200 {
            assert_eq!(redeemed.json["recovery_codes_generation"], 1);
        } else {
            redeemed.expect_canopy(401, "mfa.code_invalid");
        }
        assert_eq!(one.left().await, (2, 10));
        assert!(!one.takes(&two.person, &two.phone.codes[1]).await);
        assert!(one.takes(&two.person, &new[0]).await);
    }
}
