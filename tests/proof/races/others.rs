//! Races for what codes stand beside: factors, challenges, tokens, counts.
//!
//! Rows C3, C8, L8, S7, S9, A-38, A-74.

use spare_key_server::model::EventKind;
use spare_key_server::store::{Beside, Lane, NewIdempotency, Progress, Reserved};

use super::{
    Plain, RACERS, Race, accept, counts, counts_any, equal, has_both, has_nothing, lives, number,
    of_racer,
};
use crate::deeds::{POLICY, unbind};
use crate::sample::{self, T0, TEN_MINUTES, after, event, token};

/// All of them.
pub(super) fn all() -> Vec<Race> {
    vec![
        race!(
            "remove factor × redeem",
            prepare | store,
            account | has_both(&store, &account).await,
            run | store,
            account,
            n | {
                if n == 0 {
                    store
                        .remove_totp(unbind(&account, "phone"))
                        .await
                        .map(|done| format!("{done:?}"))
                } else {
                    store
                        .redeem(sample::redeem(&account, 1, number(n)))
                        .await
                        .map(|done| format!("{done:?}"))
                }
                .map(Plain)
            },
            judge | store,
            account,
            told | {
                counts(&told, &[("Last", 1..=1)])?;
                counts_any(&told, &["Done", "NotLive"], RACERS - 1..=RACERS - 1)?;
                has_nothing(&store, &account).await
            },
        ),
        race!(
            "remove factor × regenerate",
            prepare | store,
            account | has_both(&store, &account).await,
            run | store,
            account,
            n | {
                if n == 0 {
                    store
                        .remove_totp(unbind(&account, "phone"))
                        .await
                        .map(|done| format!("{done:?}"))
                } else {
                    let mut stage = of_racer(&account, 2, n);
                    stage.beside = Beside::Authenticator;
                    store.stage(stage).await.map(|done| format!("{done:?}"))
                }
                .map(Plain)
            },
            judge | store,
            account,
            told | {
                counts(&told, &[("Last", 1..=1), ("Done", 0..=1)])?;
                has_nothing(&store, &account).await
            },
        ),
        race!(
            "a code × a password of one challenge",
            prepare | store,
            account | {
                has_both(&store, &account).await;
                sample::has_challenge(&*store, &account, &format!("of {}", account.as_str())).await;
            },
            run | store,
            account,
            n | {
                let name = account.as_str();
                let progress =
                    sample::grant(&account, &format!("of {name}"), &format!("{name} {n}"));
                if n % 2 == 0 {
                    let mut redeem = sample::redeem(&account, 1, number(n));
                    redeem.progress = progress;
                    store.redeem(redeem).await.map(|done| format!("{done:?}"))
                } else {
                    store
                        .accept_totp(accept(&account, n, progress))
                        .await
                        .map(|done| format!("{done:?}"))
                }
                .map(Plain)
            },
            judge | store,
            account,
            told | {
                counts(&told, &[("Done", 1..=1)])?;
                counts_any(&told, &["NoProgress", "StepSpent"], RACERS - 1..=RACERS - 1)?;
                let spent = told
                    .iter()
                    .step_by(2)
                    .filter(|told| told.as_ref().is_ok_and(|told| told.starts_with("Done")))
                    .count();
                lives(&store, &account, 1, spent).await?;
                let sessions = store
                    .sessions(&account, T0)
                    .await
                    .map_err(|fault| fault.to_string())?;
                equal("sessions", sessions.len(), 1)
            },
        ),
        race!(
            "one time step × itself",
            prepare | store,
            account | has_both(&store, &account).await,
            run | store,
            account,
            _n | store
                .accept_totp(accept(&account, 0, Progress::Nothing))
                .await,
            judge | _store,
            _account,
            told | counts(
                &told,
                &[("Done", 1..=1), ("StepSpent", RACERS - 1..=RACERS - 1)]
            ),
        ),
        race!(
            "a burst of guesses",
            prepare | _store,
            _account | (),
            run | store,
            account,
            _n | {
                let mut granted = Ok(0);
                for _ in 0..5 {
                    let reserved = store
                        .reserve_attempt(&account, Lane::Recovery, POLICY, T0)
                        .await;
                    granted = granted.and_then(|so_far: u32| {
                        reserved.map(|reserved| {
                            so_far + u32::from(matches!(reserved, Reserved::Granted { .. }))
                        })
                    });
                }
                granted
            },
            judge | _store,
            _account,
            told | {
                let granted: u32 = told
                    .iter()
                    .filter_map(|told| told.as_ref().ok()?.parse::<u32>().ok())
                    .sum();
                equal(
                    "guesses granted",
                    granted as usize,
                    POLICY.capacity as usize,
                )
            },
        ),
        race!(
            "one idempotency key × itself",
            prepare | store,
            account | sample::has_live(&*store, &account, 1).await,
            run | store,
            account,
            n | {
                let mut stage = of_racer(&account, 2, n);
                stage.idempotency = Some(NewIdempotency {
                    key: token(account.as_str()),
                    request: token("same"),
                    until: after(TEN_MINUTES),
                });
                store.stage(stage).await
            },
            judge | store,
            account,
            told | {
                counts(
                    &told,
                    &[("Done", 1..=1), ("KeyTaken", RACERS - 1..=RACERS - 1)],
                )?;
                lives(&store, &account, 2, 0).await
            },
        ),
        race!(
            "one step-up token × itself",
            prepare | store,
            account | {
                has_both(&store, &account).await;
                let name = account.as_str();
                sample::has_bearer(&*store, &account, &format!("session {name}")).await;
                sample::has_step_up(&*store, &account, &format!("session {name}"), name).await;
            },
            run | store,
            account,
            n | {
                let mut stage = of_racer(&account, 2, n);
                let name = account.as_str();
                stage.step_up = Some(sample::step_up(&format!("session {name}"), name));
                store.stage(stage).await
            },
            judge | store,
            account,
            told | {
                counts(&told, &[("Done", 1..=1)])?;
                counts_any(
                    &told,
                    &["NoProof", "GenerationTaken"],
                    RACERS - 1..=RACERS - 1,
                )?;
                lives(&store, &account, 2, 0).await
            },
        ),
        race!(
            "reset by an administrator × redeem",
            prepare | store,
            account | has_both(&store, &account).await,
            run | store,
            account,
            n | {
                if n == 0 {
                    let reset = event(&account, EventKind::MfaReset);
                    store
                        .reset_mfa(&account, T0, reset)
                        .await
                        .map(|done| format!("{done:?}"))
                } else {
                    store
                        .redeem(sample::redeem(&account, 1, number(n)))
                        .await
                        .map(|done| format!("{done:?}"))
                }
                .map(Plain)
            },
            judge | store,
            account,
            told | {
                counts(&told, &[("true", 1..=1)])?;
                counts_any(&told, &["Done", "NotLive"], RACERS - 1..=RACERS - 1)?;
                has_nothing(&store, &account).await
            },
        ),
    ]
}
