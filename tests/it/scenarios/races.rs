//! Two at once, each by a dialect of its own and on a server of its own, over one database.

use spare_key_tests::App;
use spare_key_tests::scenario::{Dialect, Hero, Redeeming};

/// Somebody with an authenticator and codes, and the same person by another dialect elsewhere.
async fn two(app: &App, elsewhere: &App, what: &str, pair: (Dialect, Dialect)) -> [Hero; 2] {
    let (one, other) = pair;
    let name = format!("{what}-{one:?}-{other:?}").to_lowercase();
    let mut hero = app.hero_with_app(&name, one).await;
    hero.regenerate().await;
    let second = hero.by(other).await.on(elsewhere).await;
    [hero, second]
}

/// Row C5.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_who_make_new_codes_at_once_make_two_generations_of_which_one_is_live() {
    let app = App::start().await;
    let elsewhere = app.another();
    for pair in Dialect::pairs() {
        let [one, other] = two(&app, &elsewhere, "make", pair).await;
        let old = one.code();
        let mut making = Vec::new();
        for hero in [one.clone(), other] {
            let proof = hero.prove().await;
            making.push(async move { hero.regenerate_by(&proof, None).await });
        }
        let mut tasks = Vec::new();
        for regenerate in making {
            tasks.push(tokio::spawn(regenerate));
        }
        let mut made = Vec::new();
        for task in tasks {
            made.push(task.await.unwrap().codes());
        }
        assert_eq!(one.live_generations(), [3], "{pair:?}");

        // Each says which it got, where the dialect's answer has a place for it.
        let says = [pair.0, pair.1].map(Dialect::says_generation);
        for (codes, says) in made.iter().zip(says) {
            let said = codes
                .generation
                .map(|generation| matches!(generation, 2 | 3));
            assert_eq!(said, says.then_some(true), "{pair:?}");
        }
        if says == [true, true] {
            assert_ne!(made[0].generation, made[1].generation, "{pair:?}");
        }

        // One works, and it is the one that says 3; the other's codes are dead, all of them.
        let host = one.by(Dialect::Native).await;
        host.redeem(&old).await.expect(&Redeeming::no(9));
        let mut won = 0;
        for codes in &made {
            let redeeming = host.redeem(&codes.codes[0]).await;
            match redeeming.is_done() {
                true => {
                    won += 1;
                    assert!(codes.generation.is_none_or(|generation| generation == 3));
                    redeeming.expect(&Redeeming::done(3, 1, codes.codes.len() as u64 - 1));
                }
                false => {
                    assert!(codes.generation.is_none_or(|generation| generation == 2));
                    for code in codes.codes.iter().skip(1).take(3) {
                        assert!(!host.redeem(code).await.is_done(), "{pair:?}");
                    }
                }
            }
        }
        assert_eq!(won, 1, "{pair:?}");
    }
}

/// Row C4.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_code_redeemed_while_new_ones_are_made_wins_before_or_loses() {
    let app = App::start().await;
    let elsewhere = app.another();
    for pair in Dialect::pairs() {
        let [maker, redeemer] = two(&app, &elsewhere, "race", pair).await;
        let mut old = maker.sheet().to_vec();
        let proof = maker.prove().await;
        let attempt = redeemer.attempt().await;
        let code = old.remove(0);
        let typed = code.clone();
        let redeeming = tokio::spawn(async move { redeemer.redeem_at(&attempt, &typed).await });
        let made = maker.regenerate_by(&proof, None).await.codes();
        let redeemed = redeeming.await.unwrap();

        // A single code that won was followed by another, which new codes end as well.
        let followed = match &redeemed {
            Redeeming::Done { next, .. } => {
                old.extend(next.clone());
                next.is_some()
            }
            Redeeming::No { .. } => false,
            other => panic!("{pair:?}: {other:?}"),
        };
        if redeemed.is_done() {
            let size = if followed { 1 } else { 10 };
            redeemed.expect(&Redeeming::done(1, 1, size - 1));
        }
        let live = if followed { 3 } else { 2 };
        assert_eq!(maker.live_generations(), [live], "{pair:?}");
        let host = maker.by(Dialect::Native).await;
        for code in [code].iter().chain(old.iter().take(3)) {
            assert!(!host.redeem(code).await.is_done(), "{pair:?}");
        }
        let redeeming = host.redeem(&made.codes[0]).await;
        let left = made.codes.len() as u64 - 1;
        redeeming.expect(&Redeeming::done(live.into(), 1, left));
    }
}
