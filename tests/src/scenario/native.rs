//! A host with a login of its own: it vouches for the person and needs no authenticator here.

use serde_json::{Value, json};

use super::{Attempt, Codes, Making, Proof, Redeeming, Shows, Voice, was_replayed};
use crate::auth0::Person;
use crate::native::Native;
use crate::{Answer, App};

#[derive(Debug, Clone)]
pub(super) struct Host {
    client: Native,
    account: String,
}

fn codes(answer: &Answer) -> Codes {
    Codes {
        generation: answer.json["generation"].as_u64(),
        codes: answer.codes(),
        replayed: was_replayed(answer),
    }
}

impl Voice for Host {
    async fn of(app: &App, person: &Person) -> Self {
        Self {
            client: app.host(),
            account: person.id.clone(),
        }
    }

    async fn on(&self, app: &App) -> Self {
        Self {
            client: app.host(),
            account: self.account.clone(),
        }
    }

    /// In two steps: shown, and live when they are saved.
    async fn enroll(&mut self, _: &mut Person) -> Codes {
        let body = json!({ "proof": self.client.proof() });
        let staged = codes(&self.client.stage(&self.account, body).await.expect(201));
        let generation = staged.generation.expect("a number");
        let activated = self.client.activate(&self.account, generation).await;
        activated.expect(200);
        staged
    }

    async fn attempt(&self, _: &Person) -> Attempt {
        Attempt(String::new())
    }

    async fn redeem(&self, _: &Attempt, code: &str) -> Redeeming {
        let answer = self.client.redeem(&self.account, code).await;
        let number = |name: &str| answer.json[name].as_u64();
        match answer.status.as_u16() {
            200 => Redeeming::Done {
                generation: number("generation"),
                number: number("number"),
                remaining: number("remaining"),
                next: answer.json["replacement"]["codes"][0]["code"]
                    .as_str()
                    .map(str::to_owned),
            },
            429 => super::wait(&answer),
            _ => {
                let answer = answer.expect_problem(403, "code-not-accepted");
                Redeeming::No {
                    tries_left: answer.json["tries_left"].as_u64(),
                }
            }
        }
    }

    async fn prove(&self, _: &Person) -> Proof {
        Proof(self.client.proof().to_string())
    }

    /// In one step, as a host may that shows codes as other services do.
    async fn regenerate(&self, _: &Person, proof: &Proof, key: Option<&str>) -> Making {
        let proof: Value = serde_json::from_str(&proof.0).expect("JSON");
        let body = json!({ "activate": "at_once", "proof": proof });
        let answer = match key {
            Some(key) => self.client.stage_under(key, &self.account, body).await,
            None => self.client.stage(&self.account, body).await,
        };
        match answer.status.as_u16() {
            409 => {
                answer.expect_problem(409, "idempotency-conflict");
                Making::Spent
            }
            403 => {
                answer.expect_problem(403, "recovery-codes-off");
                Making::Off
            }
            _ => Making::Made(codes(&answer.expect(201))),
        }
    }

    /// The authenticators are the host's; what it ends is the codes.
    async fn remove(&self, _: &Person) {
        self.client.revoke(&self.account).await.expect(204);
    }

    async fn shows(&self, _: &Person) -> Shows {
        let answer = self.client.status(&self.account).await.expect(200);
        let live = answer.json["state"] == "active";
        let remaining = answer.json["remaining"].as_u64();
        Shows {
            generation: answer.json["generation"].as_u64().filter(|_| live),
            remaining,
            any: live && remaining != Some(0),
        }
    }
}
