//! One person, two dialects: codes of one are redeemed by the other, and all show the same.

use spare_key_tests::App;
use spare_key_tests::scenario::{Dialect, Hero, Redeeming};

use super::shows;

/// That every dialect shows so many codes of this generation.
async fn all_show(hero: &Hero, codes: (u64, u64)) {
    for dialect in Dialect::ALL {
        shows(&hero.by(dialect).await, codes).await;
    }
}

/// Codes made by one dialect, for somebody with an authenticator.
async fn issued(app: &App, what: &str, (issuer, other): (Dialect, Dialect)) -> Hero {
    let name = format!("{what}-{issuer:?}-{other:?}").to_lowercase();
    let mut hero = app.hero_with_app(&name, issuer).await;
    hero.regenerate().await;
    hero
}

/// Row O4.
#[tokio::test]
async fn codes_of_one_dialect_are_redeemed_by_the_others_and_all_show_the_same() {
    let app = App::start().await;
    for pair in Dialect::pairs() {
        let (issuer, redeemer) = pair;
        let single = issuer.issues_single_codes();
        let size = if single { 1 } else { 10 };
        let hero = issued(&app, "codes", pair).await;
        all_show(&hero, (1, size)).await;

        let mut other = hero.by(redeemer).await;
        let used = other.code();
        let redeeming = other.redeem_next().await;
        redeeming.expect(&Redeeming::done(1, 1, size - 1));
        let Redeeming::Done { next, .. } = redeeming else {
            panic!("{pair:?}");
        };
        assert_eq!(next.is_some(), single, "{pair:?}");
        // A single code was followed by the next, whoever took it.
        let left = if single { (2, 1) } else { (1, 9) };
        all_show(&other, left).await;

        // Nobody takes it a second time, and all count together.
        for (dialect, tries_left) in Dialect::ALL.into_iter().zip([9, 8, 7, 6]) {
            let refused = other.by(dialect).await.redeem(&used).await;
            refused.expect(&Redeeming::no(tries_left));
        }
        // What is left works where it came from.
        let mut back = other.by(issuer).await;
        assert!(back.redeem_next().await.is_done(), "{pair:?}");
    }
}

/// Row L7.
#[tokio::test]
async fn new_codes_of_one_dialect_end_those_of_another() {
    let app = App::start().await;
    for pair in Dialect::pairs() {
        let (issuer, maker) = pair;
        let hero = issued(&app, "new", pair).await;
        let old = hero.code();
        let mut other = hero.by(maker).await;
        let made = other.regenerate().await;
        assert!(made.generation.is_none_or(|generation| generation == 2));
        let size = if maker.issues_single_codes() { 1 } else { 10 };
        all_show(&other, (2, size)).await;
        let mut back = other.by(issuer).await;
        back.redeem(&old).await.expect(&Redeeming::no(9));
        let redeeming = back.redeem_next().await;
        redeeming.expect(&Redeeming::done(2, 1, size - 1));
    }
}

/// Row L12.
#[tokio::test]
async fn the_last_code_of_a_list_is_followed_by_one_where_no_page_asks_for_a_new_list() {
    let app = App::start().await;
    for dialect in Dialect::ALL {
        let hero = issued(&app, "last", (Dialect::Canopy, dialect)).await;
        let mut other = hero.by(dialect).await;
        for left in (1..10).rev() {
            let redeeming = other.redeem_next().await;
            redeeming.expect(&Redeeming::done(1, 10 - left, left));
            assert!(matches!(redeeming, Redeeming::Done { next: None, .. }));
        }
        let redeeming = other.redeem_next().await;
        redeeming.expect(&Redeeming::done(1, 10, 0));
        let followed = matches!(redeeming, Redeeming::Done { next: Some(_), .. });
        assert_eq!(followed, dialect.follows_the_last_code(), "{dialect:?}");
        all_show(&other, if followed { (2, 1) } else { (1, 0) }).await;
    }
}
