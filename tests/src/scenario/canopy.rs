//! A person's browser that speaks Canopy's API.

use super::{Attempt, Codes, Making, Proof, Redeeming, Shows, Voice, was_replayed};
use crate::auth0::Person;
use crate::canopy::Canopy;
use crate::{Answer, App};

#[derive(Debug, Clone)]
pub(super) struct Browser {
    app: App,
    client: Canopy,
}

fn codes(answer: &Answer) -> Codes {
    Codes {
        generation: answer.json["recovery_codes_generation"].as_u64(),
        codes: answer.recovery_codes(),
        replayed: was_replayed(answer),
    }
}

impl Browser {
    async fn step_up(&self, person: &Person) -> String {
        let otp = self.app.otp(&person.secret);
        let answer = self.client.step_up("totp", &otp).await.expect(200);
        answer.text_of("step_up_token").to_owned()
    }
}

impl Voice for Browser {
    async fn of(app: &App, person: &Person) -> Self {
        let mut client = app.canopy().await;
        if person.secret.is_empty() {
            client.sign_in(person).await;
        } else {
            let challenge = client.challenged(person).await;
            let otp = app.otp(&person.secret);
            let answer = client.answer(&challenge, &otp).await.expect(200);
            client.access = answer.text_of("access_token").to_owned();
        }
        Self {
            app: app.clone(),
            client,
        }
    }

    async fn on(&self, app: &App) -> Self {
        Self {
            app: app.clone(),
            client: app.canopy().await.with(&self.client.access),
        }
    }

    async fn enroll(&mut self, person: &mut Person) -> Codes {
        let begun = self.client.start().await.expect(200);
        person.secret = begun.text_of("manual_entry_key").to_owned();
        let otp = self.app.otp(&person.secret);
        let token = begun.text_of("enrollment_token");
        let answer = self.client.verify(token, &otp, "Phone").await;
        codes(&answer.expect(200))
    }

    async fn attempt(&self, person: &Person) -> Attempt {
        Attempt(self.client.challenged(person).await)
    }

    async fn redeem(&self, attempt: &Attempt, code: &str) -> Redeeming {
        let answer = self.client.recover(&attempt.0, code).await;
        let number = |name: &str| answer.json[name].as_u64();
        match answer.status.as_u16() {
            200 => Redeeming::Done {
                generation: number("recovery_codes_generation"),
                number: number("recovery_code_number"),
                remaining: number("recovery_codes_remaining"),
                next: answer.recovery_codes().pop(),
            },
            400 => {
                answer.expect_canopy(400, "mfa.factor_not_allowed");
                Redeeming::Off
            }
            429 => super::wait(&answer),
            _ => {
                let answer = answer.expect_canopy(401, "mfa.code_invalid");
                Redeeming::No {
                    tries_left: Some(answer.canopy_tries_left()),
                }
            }
        }
    }

    async fn prove(&self, person: &Person) -> Proof {
        Proof(self.step_up(person).await)
    }

    async fn regenerate(&self, _: &Person, proof: &Proof, key: Option<&str>) -> Making {
        let mut headers = vec![("x-mfa-step-up-token", proof.0.as_str())];
        headers.extend(key.map(|key| ("idempotency-key", key)));
        let answer = self.client.regenerate_with(&headers).await;
        match answer.status.as_u16() {
            409 => {
                answer.expect_canopy(409, "common.idempotency_key_spent");
                Making::Spent
            }
            400 => {
                answer.expect_canopy(400, "mfa.factor_not_allowed");
                Making::Off
            }
            _ => Making::Made(codes(&answer.expect(200))),
        }
    }

    async fn remove(&self, person: &Person) {
        let step_up = self.step_up(person).await;
        let listed = self.client.factors().await.expect(200);
        let id = listed.json["items"][0]["id"].as_str().expect("an id");
        self.client.remove(id, &step_up).await.expect(204);
    }

    async fn shows(&self, _: &Person) -> Shows {
        let (generation, remaining) = self.client.left().await;
        Shows {
            generation: Some(generation),
            remaining: Some(remaining),
            any: remaining > 0,
        }
    }
}
