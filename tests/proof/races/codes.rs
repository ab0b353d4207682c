//! Races for codes: redeem, regenerate, activate.
//!
//! Rows C1, C2, C4, C5, C10, A-33.

use super::{Plain, RACERS, Race, counts, counts_any, live, lives, number, of_racer};
use crate::sample;

/// All of them.
pub(super) fn all() -> Vec<Race> {
    vec![
        race!(
            "redeem × redeem",
            prepare | store,
            account | sample::has_live(&*store, &account, 1).await,
            run | store,
            account,
            _n | store.redeem(sample::redeem(&account, 1, 4)).await,
            judge | store,
            account,
            told | {
                counts(
                    &told,
                    &[("Done", 1..=1), ("AlreadyUsed", RACERS - 1..=RACERS - 1)],
                )?;
                lives(&store, &account, 1, 1).await
            },
        ),
        race!(
            "redeem × redeem of other codes",
            prepare | store,
            account | sample::has_live(&*store, &account, 1).await,
            run | store,
            account,
            n | store.redeem(sample::redeem(&account, 1, number(n))).await,
            judge | store,
            account,
            told | {
                counts(&told, &[("Done", RACERS..=RACERS)])?;
                lives(&store, &account, 1, RACERS).await
            },
        ),
        race!(
            "redeem × regenerate",
            prepare | store,
            account | sample::has_live(&*store, &account, 1).await,
            run | store,
            account,
            n | {
                if n == 0 {
                    store
                        .stage(sample::at_once(&account, 2))
                        .await
                        .map(|done| format!("New{done:?}"))
                } else {
                    store
                        .redeem(sample::redeem(&account, 1, 4))
                        .await
                        .map(|done| format!("{done:?}"))
                }
                .map(Plain)
            },
            judge | store,
            account,
            told | {
                let rest = RACERS - 2..=RACERS - 1;
                counts(&told, &[("NewDone", 1..=1), ("Done", 0..=1)])?;
                counts_any(&told, &["AlreadyUsed", "NotLive"], rest)?;
                lives(&store, &account, 2, 0).await
            },
        ),
        race!(
            "regenerate × regenerate",
            prepare | store,
            account | sample::has_live(&*store, &account, 1).await,
            run | store,
            account,
            n | store.stage(of_racer(&account, 2, n)).await,
            judge | store,
            account,
            told | {
                counts(
                    &told,
                    &[
                        ("Done", 1..=1),
                        ("GenerationTaken", RACERS - 1..=RACERS - 1),
                    ],
                )?;
                let winner = told.iter().position(|told| told.as_deref() == Ok("Done"));
                let expected = of_racer(&account, 2, winner.unwrap_or(0)).batch.codes;
                let live = lives(&store, &account, 2, 0)
                    .await
                    .and(live(&store, &account).await)?;
                let whole = live
                    .codes
                    .iter()
                    .zip(&expected)
                    .all(|(is, was)| is.digest.as_ref() == Some(&was.digest));
                whole
                    .then_some(())
                    .ok_or_else(|| "the codes are not the winner's".to_owned())
            },
        ),
        race!(
            "activate × activate",
            prepare | store,
            account | {
                sample::has_live(&*store, &account, 1).await;
                sample::has_pending(&*store, &account, 2).await;
            },
            run | store,
            account,
            _n | store.activate(sample::activate(&account, 2)).await,
            judge | store,
            account,
            told | {
                counts(
                    &told,
                    &[("Done", 1..=1), ("Already", RACERS - 1..=RACERS - 1)],
                )?;
                lives(&store, &account, 2, 0).await
            },
        ),
        race!(
            "activate × regenerate × redeem",
            prepare | store,
            account | {
                sample::has_live(&*store, &account, 1).await;
                sample::has_pending(&*store, &account, 2).await;
            },
            run | store,
            account,
            n | match n {
                0 => store
                    .stage(sample::at_once(&account, 3))
                    .await
                    .map(|done| format!("New{done:?}")),
                1 => store
                    .activate(sample::activate(&account, 2))
                    .await
                    .map(|done| format!("{done:?}")),
                n => store
                    .redeem(sample::redeem(&account, 1, number(n)))
                    .await
                    .map(|done| format!("{done:?}")),
            }
            .map(Plain),
            judge | store,
            account,
            told | {
                counts(&told, &[("NewDone", 1..=1)])?;
                counts_any(
                    &told,
                    &["Done", "Stale", "NotLive"],
                    RACERS - 1..=RACERS - 1,
                )?;
                lives(&store, &account, 3, 0).await
            },
        ),
        race!(
            "a single × itself",
            prepare | store,
            account | {
                let staged = store.stage(sample::single(&account, 1)).await;
                staged.expect("the store answers");
            },
            run | store,
            account,
            n | {
                let mut redeem = sample::redeem(&account, 1, 1);
                let mut next = of_racer(&account, 2, n);
                next.batch.format = spare_key_core::Format::Single;
                next.batch.codes.truncate(1);
                redeem.replacement = Some(next);
                store.redeem(redeem).await
            },
            judge | store,
            account,
            told | {
                counts(&told, &[("Done", 1..=1)])?;
                counts_any(
                    &told,
                    &["NotLive", "AlreadyUsed", "GenerationTaken"],
                    RACERS - 1..=RACERS - 1,
                )?;
                lives(&store, &account, 2, 0).await
            },
        ),
    ]
}
