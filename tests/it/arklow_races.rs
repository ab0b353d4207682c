//! Many at once in the Arklow dialect, on two servers with one database.

use std::collections::BTreeMap;

use serde_json::json;
use spare_key_server::model::Millis;
use spare_key_tests::App;
use spare_key_tests::arklow::{Arklow, Phone};
use tokio::task::JoinSet;

/// A person with a device, by way of two servers.
struct Two {
    app: App,
    programs: [Arklow; 2],
    phone: Phone,
}

impl Two {
    async fn start() -> Self {
        let app = App::start().await;
        let (_, alice) = app.arklow_person("alice").await;
        let phone = alice.enroll("Phone").await;
        let other = app.another().arklow_with(&alice.credential).await;
        Self {
            app,
            programs: [alice, other],
            phone,
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_regenerations_at_once_are_two_generations_and_the_higher_works() {
    for _ in 0..8 {
        let two = Two::start().await;
        let mut tasks = JoinSet::new();
        for program in two.programs.clone() {
            let id = two.phone.id.clone();
            tasks.spawn(async move { program.regenerate(&id).await });
        }
        let mut by_generation = BTreeMap::new();
        for answer in tasks.join_all().await {
            let answer = answer.expect(200);
            let generation = answer.data()["backup_codes_generation"].as_u64().unwrap();
            by_generation.insert(generation, answer.backup_codes());
        }
        assert_eq!(by_generation.keys().collect::<Vec<_>>(), [&2, &3]);
        let [alice, _] = &two.programs;
        assert_eq!(alice.left().await, (3, 10));
        assert!(!alice.takes(&two.phone.id, &by_generation[&2][0]).await);
        assert!(!alice.takes(&two.phone.id, &two.phone.codes[0]).await);
        assert!(alice.takes(&two.phone.id, &by_generation[&3][0]).await);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_code_redeemed_while_others_are_made_wins_before_or_loses() {
    for _ in 0..8 {
        let two = Two::start().await;
        let [alice, other] = two.programs.clone();
        let (id, code) = (two.phone.id.clone(), two.phone.codes[0].clone());
        let redeeming = tokio::spawn(async move { alice.backup(&id, &code).await });
        let id = two.phone.id.clone();
        let making = tokio::spawn(async move { other.regenerate(&id).await });
        let redeemed = redeeming.await.unwrap().expect(200);
        let made = making.await.unwrap().expect(200);
        // Whoever was first: the new list is whole and the old one dead.
        let [alice, _] = &two.programs;
        assert_eq!(alice.left().await, (2, 10));
        if redeemed.data()["valid"] == true {
            assert_eq!(redeemed.data()["backup_codes_generation"], 1);
        }
        assert!(!alice.takes(&two.phone.id, &two.phone.codes[0]).await);
        assert!(!alice.takes(&two.phone.id, &two.phone.codes[1]).await);
        assert!(alice.takes(&two.phone.id, &made.backup_codes()[0]).await);
    }
}

/// Row C1.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_code_proven_many_times_at_once_is_right_once() {
    let two = Two::start().await;
    let mut tasks = JoinSet::new();
    for number in 0..20 {
        let program = two.programs[number % 2].clone();
        let (id, code) = (two.phone.id.clone(), two.phone.codes[0].clone());
        tasks.spawn(async move { program.backup(&id, &code).await });
    }
    let answers = tasks.join_all().await;
    let right = answers
        .iter()
        .filter(|answer| answer.data()["valid"] == true);
    assert_eq!(right.count(), 1);
    two.app.clock.advance(Millis::minutes(60));
    assert_eq!(two.programs[0].left().await, (1, 9));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_password_removes_one_device_once() {
    let two = Two::start().await;
    let [alice, _] = &two.programs;
    let tablet = alice.enroll("Tablet").await;
    let otp = two.app.next_otp(&tablet.secret);
    let mut tasks = JoinSet::new();
    for number in 0..6 {
        let program = two.programs[number % 2].clone();
        let (id, otp) = (two.phone.id.clone(), otp.clone());
        tasks.spawn(async move { program.remove(&id, &otp).await });
    }
    let answers = tasks.join_all().await;
    let removed = answers.iter().filter(|answer| answer.status == 200);
    assert_eq!(removed.count(), 1);
    let listed = alice.devices("").await;
    assert_eq!(listed.data()["count"], 1);
    assert_eq!(listed.data()["items"][0]["id"], json!(tablet.id));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_waiting_device_has_five_tries_however_they_come() {
    let app = App::start().await;
    let (_, alice) = app.arklow_person("alice").await;
    let phone = alice.begin("Phone").await;
    let otp = app.otp(&phone.secret);
    let wrong = if otp == "000000" { "000001" } else { "000000" };
    let mut tasks = JoinSet::new();
    for _ in 0..8 {
        let (alice, id) = (alice.clone(), phone.id.clone());
        tasks.spawn(async move { alice.confirm(&id, wrong).await });
    }
    let answers = tasks.join_all().await;
    let tried = answers.iter().filter(|answer| answer.status == 403);
    assert_eq!(tried.count(), 5);
    let answer = alice.confirm(&phone.id, &otp).await;
    answer.expect_error(404, "device_not_found");
}
