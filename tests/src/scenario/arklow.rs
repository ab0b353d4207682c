//! A person's own program with an API key of Arklow's.

use serde_json::Value;

use super::{Attempt, Codes, Making, Proof, Redeeming, Shows, Voice, was_replayed};
use crate::App;
use crate::arklow::Arklow;
use crate::auth0::Person;

#[derive(Debug, Clone)]
pub(super) struct Key {
    app: App,
    program: Arklow,
}

impl Key {
    /// The number of the confirmed device.
    async fn device(&self) -> String {
        let listed = self.program.devices("").await.expect(200);
        let mut all = listed.data()["items"].as_array().expect("items").iter();
        let found = all.find(|device| !device["confirmed_at"].is_null());
        let id = found.expect("a device")["id"].as_str();
        id.expect("a number").to_owned()
    }
}

impl Voice for Key {
    async fn of(app: &App, person: &Person) -> Self {
        Self {
            app: app.clone(),
            program: app.arklow(person).await,
        }
    }

    async fn on(&self, app: &App) -> Self {
        Self {
            app: app.clone(),
            program: app.arklow_with(&self.program.credential).await,
        }
    }

    async fn enroll(&mut self, person: &mut Person) -> Codes {
        let phone = self.program.begin("Phone").await;
        let otp = self.app.otp(&phone.secret);
        let confirmed = self.program.confirm(&phone.id, &otp).await.expect(200);
        person.secret = phone.secret;
        Codes {
            generation: confirmed.data()["backup_codes_generation"].as_u64(),
            codes: phone.codes,
            replayed: false,
        }
    }

    async fn attempt(&self, _: &Person) -> Attempt {
        Attempt(self.device().await)
    }

    async fn redeem(&self, attempt: &Attempt, code: &str) -> Redeeming {
        let answer = self.program.backup(&attempt.0, code).await;
        match answer.status.as_u16() {
            400 => {
                answer.expect_error(400, "factor_not_allowed");
                return Redeeming::Off;
            }
            429 => return super::wait(&answer),
            _ => {}
        }
        let answer = answer.expect(200);
        let data = answer.data();
        if data["valid"] != true {
            let tries_left = data["tries_left"].as_u64();
            return Redeeming::No { tries_left };
        }
        Redeeming::Done {
            generation: data["backup_codes_generation"].as_u64(),
            number: data["backup_code_number"].as_u64(),
            remaining: data["backup_codes_remaining"].as_u64(),
            next: data["backup_codes"][0].as_str().map(str::to_owned),
        }
    }

    async fn prove(&self, person: &Person) -> Proof {
        let device = self.device().await;
        let otp = self.app.otp(&person.secret);
        let answer = self.program.verify(&device, &otp).await.expect(200);
        assert_eq!(answer.data()["valid"], Value::Bool(true));
        Proof(device)
    }

    async fn regenerate(&self, _: &Person, proof: &Proof, key: Option<&str>) -> Making {
        let answer = match key {
            Some(key) => self.program.regenerate_under(key, &proof.0).await,
            None => self.program.regenerate(&proof.0).await,
        };
        match answer.status.as_u16() {
            409 => {
                answer.expect_error(409, "idempotency_key_spent");
                Making::Spent
            }
            400 => {
                answer.expect_error(400, "factor_not_allowed");
                Making::Off
            }
            _ => {
                let answer = answer.expect(200);
                Making::Made(Codes {
                    generation: answer.data()["backup_codes_generation"].as_u64(),
                    codes: answer.backup_codes(),
                    replayed: was_replayed(&answer),
                })
            }
        }
    }

    async fn remove(&self, person: &Person) {
        let device = self.device().await;
        let otp = self.app.otp(&person.secret);
        self.program.remove(&device, &otp).await.expect(200);
    }

    async fn shows(&self, _: &Person) -> Shows {
        let (generation, remaining) = self.program.left().await;
        Shows {
            generation: Some(generation),
            remaining: Some(remaining),
            any: remaining > 0,
        }
    }
}
