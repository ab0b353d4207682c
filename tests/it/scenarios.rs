//! One domain, every dialect: each story is written once, told through the client of every dialect,
//! and leaves the same events, the same status, the same live batch and the same authenticators.
//!
//! Where a dialect's contract makes a difference, the story says so beside what it expects, with
//! the reason. What the stories need of a dialect, and what is mapped so that trails can be
//! compared, is in `spare_key_tests::scenario`.

mod between;
mod races;

use spare_key_server::model::Millis;
use spare_key_tests::App;
use spare_key_tests::arklow::STRANGER;
use spare_key_tests::scenario::told::{But, Told};
use spare_key_tests::scenario::{Dialect, Hero, Making, Redeeming, Shows};

/// Why Auth0's stories have other numbers.
const SINGLE: &str = "it issues one code, and the next in its place when it is used";

/// Why a host's have other beginnings.
const HOSTED: &str = "the authenticators are the host's, and it says when the codes are saved";

/// Why some dialects charge for a code while there are none.
const ONE_ANSWER: &str = "switched off is answered like a wrong code, and so it is one";

/// How all stories begin.
const ENROLLED: Told = Told {
    trail: &[
        "codes.staged by person, generation 1",
        "factor.enrolled by person",
        "codes.activated by person, generation 1: with its authenticator",
    ],
    left: "generation 1, active, 10 of 10, 10 tries",
    authenticators: 1,
    but: &[
        But {
            of: Dialect::Native,
            because: HOSTED,
            trail: &[
                "codes.staged by person, generation 1",
                "codes.activated by person, generation 1",
            ],
            left: "generation 1, active, 10 of 10, 10 tries",
        },
        But {
            of: Dialect::Auth0,
            because: SINGLE,
            trail: &[
                "codes.staged by person, generation 1",
                "factor.enrolled by person",
                "codes.activated by person, generation 1: with its authenticator",
            ],
            left: "generation 1, active, 1 of 1, 10 tries",
        },
    ],
};

/// Somebody of each dialect, on one server, who has come from nothing to codes.
async fn everybody(app: &App) -> Vec<Hero> {
    let mut heroes = Vec::new();
    for dialect in Dialect::ALL {
        let name = format!("{dialect:?}").to_lowercase();
        let mut hero = app.hero(&name, dialect).await;
        assert_eq!(hero.left().await, "generation 0, none, 0 of 0, 10 tries");
        let codes = hero.enroll().await;
        let single = dialect.issues_single_codes();
        assert_eq!(codes.codes.len(), if single { 1 } else { 10 });
        assert!(codes.generation.is_none_or(|generation| generation == 1));
        ENROLLED.check(&mut hero).await;
        heroes.push(hero);
    }
    heroes
}

/// That the dialect shows so many codes, of this generation, as far as it can.
async fn shows(hero: &Hero, (generation, remaining): (u64, u64)) {
    let counts = hero.dialect.counts();
    let expected = Shows {
        generation: counts.then_some(generation),
        remaining: counts.then_some(remaining),
        any: remaining > 0,
    };
    assert_eq!(hero.shows().await, expected, "{:?}", hero.dialect);
}

/// Row L4.
#[tokio::test]
async fn who_enrolls_has_live_codes() {
    let app = App::start().await;
    for hero in everybody(&app).await {
        let size = if hero.dialect.issues_single_codes() {
            1
        } else {
            10
        };
        shows(&hero, (1, size)).await;
    }
}

/// Row A-42.
#[tokio::test]
async fn a_code_is_redeemed_however_it_is_typed() {
    const TOLD: Told = Told {
        trail: &["codes.redeemed by person, generation 1, number 1, left 9"],
        left: "generation 1, active, 9 of 10, 10 tries",
        authenticators: 1,
        but: &[But {
            of: Dialect::Auth0,
            because: SINGLE,
            trail: &[
                "codes.redeemed by person, generation 1, number 1, left 0",
                "codes.staged by person, generation 2",
                "codes.activated by person, generation 2: at once",
            ],
            left: "generation 2, active, 1 of 1, 10 tries",
        }],
    };
    let app = App::start().await;
    for mut hero in everybody(&app).await {
        let typed = format!(" {} ", hero.code().to_lowercase().replace('-', " "));
        let redeeming = hero.redeem(&typed).await;
        redeeming.expect(&Redeeming::done(1, 1, 9));
        TOLD.check(&mut hero).await;
    }
}

/// Rows L6, S17.
#[tokio::test]
async fn a_code_that_is_used_twice_is_refused_the_second_time() {
    const TOLD: Told = Told {
        trail: &[
            "codes.redeemed by person, generation 1, number 1, left 9",
            "codes.refused by person, generation 1: used",
        ],
        left: "generation 1, active, 9 of 10, 9 tries",
        authenticators: 1,
        but: &[But {
            of: Dialect::Auth0,
            because: SINGLE,
            trail: &[
                "codes.redeemed by person, generation 1, number 1, left 0",
                "codes.staged by person, generation 2",
                "codes.activated by person, generation 2: at once",
                "codes.refused by person, generation 2: wrong",
            ],
            left: "generation 2, active, 1 of 1, 9 tries",
        }],
    };
    let app = App::start().await;
    for mut hero in everybody(&app).await {
        let code = hero.code();
        assert!(hero.redeem_next().await.is_done());
        hero.redeem(&code).await.expect(&Redeeming::no(9));
        TOLD.check(&mut hero).await;
    }
}

/// Row L5.
#[tokio::test]
async fn ten_codes_are_ten_ways_in() {
    const TOLD: Told = Told {
        trail: &[
            "codes.redeemed by person, generation 1, number 9, left 1",
            "codes.redeemed by person, generation 1, number 10, left 0",
            "codes.refused by person, generation 1: used",
        ],
        left: "generation 1, active, 0 of 10, 9 tries",
        authenticators: 1,
        but: &[But {
            of: Dialect::Auth0,
            because: SINGLE,
            trail: &[
                "codes.redeemed by person, generation 9, number 1, left 0",
                "codes.staged by person, generation 10",
                "codes.activated by person, generation 10: at once",
                "codes.redeemed by person, generation 10, number 1, left 0",
                "codes.staged by person, generation 11",
                "codes.activated by person, generation 11: at once",
                "codes.refused by person, generation 11: wrong",
            ],
            left: "generation 11, active, 1 of 1, 9 tries",
        }],
    };
    let app = App::start().await;
    for mut hero in everybody(&app).await {
        for _ in 1..9 {
            assert!(hero.redeem_next().await.is_done());
        }
        hero.trail().await;
        assert!(hero.redeem_next().await.is_done());
        let last = hero.code();
        let redeeming = hero.redeem_next().await;
        redeeming.expect(&Redeeming::done(1, 10, 0));
        hero.redeem(&last).await.expect(&Redeeming::no(9));
        TOLD.check(&mut hero).await;
    }
}

/// Rows O1, A-105.
#[tokio::test]
async fn ten_wrong_codes_are_a_wait_and_success_ends_it() {
    const TOLD: Told = Told {
        trail: &[
            "codes.refused by person, generation 1: wrong (10 times)",
            "codes.throttled by person",
            "codes.redeemed by person, generation 1, number 1, left 9",
        ],
        left: "generation 1, active, 9 of 10, 10 tries",
        authenticators: 1,
        but: &[But {
            of: Dialect::Auth0,
            because: SINGLE,
            trail: &[
                "codes.refused by person, generation 1: wrong (10 times)",
                "codes.throttled by person",
                "codes.redeemed by person, generation 1, number 1, left 0",
                "codes.staged by person, generation 2",
                "codes.activated by person, generation 2: at once",
            ],
            left: "generation 2, active, 1 of 1, 10 tries",
        }],
    };
    let app = App::start().await;
    for mut hero in everybody(&app).await {
        for left in (0..10).rev() {
            hero.redeem(STRANGER).await.expect(&Redeeming::no(left));
        }
        assert_eq!(hero.redeem_next().await, Redeeming::Wait(30));
        app.clock.advance(Millis::seconds(30));
        assert!(hero.redeem_next().await.is_done());
        TOLD.check(&mut hero).await;
    }
}

/// Rows L7, S24.
#[tokio::test]
async fn new_codes_end_the_old_ones_and_the_wait() {
    const TOLD: Told = Told {
        trail: &[
            "codes.refused by person, generation 1: wrong (10 times)",
            "codes.throttled by person",
            "codes.staged by person, generation 2",
            "codes.activated by person, generation 2: at once",
            "codes.refused by person, generation 2: wrong",
            "codes.redeemed by person, generation 2, number 1, left 9",
        ],
        left: "generation 2, active, 9 of 10, 10 tries",
        authenticators: 1,
        but: &[But {
            of: Dialect::Auth0,
            because: "a manager makes the code anew; and it issues one code",
            trail: &[
                "codes.refused by person, generation 1: wrong (10 times)",
                "codes.throttled by person",
                "codes.staged by manager, generation 2",
                "codes.activated by manager, generation 2: at once",
                "codes.refused by person, generation 2: wrong",
                "codes.redeemed by person, generation 2, number 1, left 0",
                "codes.staged by person, generation 3",
                "codes.activated by person, generation 3: at once",
            ],
            left: "generation 3, active, 1 of 1, 10 tries",
        }],
    };
    let app = App::start().await;
    for mut hero in everybody(&app).await {
        let old = hero.code();
        for _ in 0..10 {
            hero.redeem(STRANGER).await;
        }
        assert_eq!(hero.redeem(&old).await, Redeeming::Wait(30));
        let proof = hero.prove().await;
        // The wait is over by now, and for one attempt: that there are more is the new codes' doing.
        let codes = hero.regenerate_by(&proof, None).await.codes();
        assert!(codes.generation.is_none_or(|generation| generation == 2));
        assert!(!codes.codes.contains(&old));
        hero.redeem(&old).await.expect(&Redeeming::no(9));
        let redeeming = hero.redeem(&codes.codes[0]).await;
        redeeming.expect(&Redeeming::done(2, 1, 9));
        TOLD.check(&mut hero).await;
    }
}

/// Row L1.
#[tokio::test]
async fn a_lost_answer_is_given_again_until_a_code_of_it_is_used() {
    const TOLD: Told = Told {
        trail: &[
            "codes.staged by person, generation 2",
            "codes.activated by person, generation 2: at once",
            "codes.redeemed by person, generation 2, number 1, left 9",
        ],
        left: "generation 2, active, 9 of 10, 10 tries",
        authenticators: 1,
        but: &[But {
            of: Dialect::Auth0,
            because: "a manager makes the code anew; and it issues one code",
            trail: &[
                "codes.staged by manager, generation 2",
                "codes.activated by manager, generation 2: at once",
                "codes.redeemed by person, generation 2, number 1, left 0",
                "codes.staged by person, generation 3",
                "codes.activated by person, generation 3: at once",
            ],
            left: "generation 3, active, 1 of 1, 10 tries",
        }],
    };
    let app = App::start().await;
    for mut hero in everybody(&app).await {
        let proof = hero.prove().await;
        let key = Some("one");
        let first = hero.regenerate_by(&proof, key).await.codes();
        assert!(!first.replayed);
        let again = hero.regenerate_by(&proof, key).await.codes();
        assert!(again.replayed);
        assert_eq!(
            (again.generation, &again.codes),
            (first.generation, &first.codes)
        );
        assert!(hero.redeem(&first.codes[0]).await.is_done());
        assert_eq!(hero.regenerate_by(&proof, key).await, Making::Spent);
        TOLD.check(&mut hero).await;
    }
}

#[tokio::test]
async fn a_lost_answer_is_not_given_again_once_newer_codes_are_made() {
    let app = App::start().await;
    for mut hero in everybody(&app).await {
        let proof = hero.prove().await;
        let old = hero.regenerate_by(&proof, Some("one")).await.codes();
        hero.regenerate().await;
        let again = hero.regenerate_by(&proof, Some("one")).await;
        assert_eq!(again, Making::Spent, "{:?}", hero.dialect);
        assert!(!hero.redeem(&old.codes[0]).await.is_done());
        assert!(hero.redeem_next().await.is_done());
    }
}

/// Rows S23, A-09.
#[tokio::test]
async fn switched_off_none_is_issued_and_none_accepted_and_none_is_lost() {
    const TOLD: Told = Told {
        trail: &["codes.redeemed by person, generation 1, number 1, left 9"],
        left: "generation 1, active, 9 of 10, 10 tries",
        authenticators: 1,
        but: &[
            But {
                of: Dialect::Native,
                because: ONE_ANSWER,
                trail: &[
                    "codes.refused by person: no batch",
                    "codes.redeemed by person, generation 1, number 1, left 9",
                ],
                left: "generation 1, active, 9 of 10, 10 tries",
            },
            But {
                of: Dialect::Auth0,
                because: ONE_ANSWER,
                trail: &[
                    "codes.refused by person: no batch",
                    "codes.redeemed by person, generation 1, number 1, left 0",
                    "codes.staged by person, generation 2",
                    "codes.activated by person, generation 2: at once",
                ],
                left: "generation 2, active, 1 of 1, 10 tries",
            },
        ],
    };
    let app = App::start().await;
    let heroes = everybody(&app).await;
    app.switch_codes(false).await;
    for hero in &heroes {
        let expected = match hero.dialect {
            Dialect::Native | Dialect::Auth0 => Redeeming::no(9),
            Dialect::Arklow | Dialect::Canopy => Redeeming::Off,
        };
        hero.redeem(&hero.code()).await.expect(&expected);
        let proof = hero.prove().await;
        assert_eq!(hero.regenerate_by(&proof, None).await, Making::Off);
    }
    app.switch_codes(true).await;
    for mut hero in heroes {
        assert!(hero.redeem_next().await.is_done());
        TOLD.check(&mut hero).await;
    }
}

/// Row L8.
#[tokio::test]
async fn with_the_last_authenticator_go_the_codes_and_they_never_come_back() {
    const REMOVED: Told = Told {
        trail: &[
            "factor.removed by person",
            "codes.revoked by person: with the last authenticator",
        ],
        left: "generation 1, revoked, 0 of 10, 10 tries",
        authenticators: 0,
        but: &[
            But {
                of: Dialect::Native,
                because: HOSTED,
                trail: &["codes.revoked by person"],
                left: "generation 1, revoked, 0 of 10, 10 tries",
            },
            But {
                of: Dialect::Auth0,
                because: SINGLE,
                trail: &[
                    "factor.removed by person",
                    "codes.revoked by person: with the last authenticator",
                ],
                left: "generation 1, revoked, 0 of 1, 10 tries",
            },
        ],
    };
    const AGAIN: Told = Told {
        trail: &[
            "codes.staged by person, generation 2",
            "factor.enrolled by person",
            "codes.activated by person, generation 2: with its authenticator",
            "codes.refused by person, generation 2: wrong",
        ],
        left: "generation 2, active, 10 of 10, 9 tries",
        authenticators: 1,
        but: &[
            But {
                of: Dialect::Native,
                because: HOSTED,
                trail: &[
                    "codes.staged by person, generation 2",
                    "codes.activated by person, generation 2",
                    "codes.refused by person, generation 2: wrong",
                ],
                left: "generation 2, active, 10 of 10, 9 tries",
            },
            But {
                of: Dialect::Auth0,
                because: SINGLE,
                trail: &[
                    "codes.staged by person, generation 2",
                    "factor.enrolled by person",
                    "codes.activated by person, generation 2: with its authenticator",
                    "codes.refused by person, generation 2: wrong",
                ],
                left: "generation 2, active, 1 of 1, 9 tries",
            },
        ],
    };
    let app = App::start().await;
    for mut hero in everybody(&app).await {
        let old = hero.code();
        hero.remove().await;
        assert!(!hero.shows().await.any);
        REMOVED.check(&mut hero).await;
        hero.enroll().await;
        hero.redeem(&old).await.expect(&Redeeming::no(9));
        AGAIN.check(&mut hero).await;
        assert!(hero.redeem_next().await.is_done());
    }
}
