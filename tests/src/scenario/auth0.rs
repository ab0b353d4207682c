//! A tenant of Auth0's: a program that people sign in to, and a manager who makes codes anew.

use super::{Attempt, Codes, Making, Proof, Redeeming, Shows, Voice, texts, was_replayed};
use crate::App;
use crate::auth0::{Bearer, Person, Program, api};

#[derive(Debug, Clone)]
pub(super) struct Tenant {
    app: App,
    program: Program,
    manager: Bearer,
}

impl Voice for Tenant {
    async fn of(app: &App, _: &Person) -> Self {
        Self {
            app: app.clone(),
            program: app.program(),
            manager: app.manager().await,
        }
    }

    async fn on(&self, app: &App) -> Self {
        Self {
            app: app.clone(),
            program: app.program(),
            manager: app.bearer(&self.manager.token),
        }
    }

    async fn enroll(&mut self, person: &mut Person) -> Codes {
        let token = self.program.mfa_token(person, &[]).await;
        let begun = self.app.bearer(&token).associate().await.expect(200);
        person.secret = begun.text_of("secret").to_owned();
        let otp = self.app.otp(&person.secret);
        self.program.otp(&token, &otp).await.expect(200);
        Codes {
            generation: None,
            codes: texts(&begun.json["recovery_codes"]),
            replayed: false,
        }
    }

    async fn attempt(&self, person: &Person) -> Attempt {
        Attempt(self.program.mfa_token(person, &[]).await)
    }

    async fn redeem(&self, attempt: &Attempt, code: &str) -> Redeeming {
        let answer = self.program.recover(&attempt.0, code).await;
        match answer.status.as_u16() {
            200 => Redeeming::Done {
                generation: None,
                number: None,
                remaining: None,
                next: answer.json["recovery_code"].as_str().map(str::to_owned),
            },
            429 => super::wait(&answer),
            _ => {
                let answer = answer.expect(403);
                assert_eq!(answer.json["error"], "invalid_grant");
                Redeeming::No { tries_left: None }
            }
        }
    }

    /// A manager needs no proof of the person's.
    async fn prove(&self, _: &Person) -> Proof {
        Proof(String::new())
    }

    async fn regenerate(&self, person: &Person, _: &Proof, key: Option<&str>) -> Making {
        let answer = match key {
            Some(key) => self.manager.regenerate_under(key, person).await,
            None => self.manager.regenerate(person).await,
        };
        match answer.json["errorCode"].as_str() {
            Some("idempotency_conflict") => Making::Spent,
            Some("feature_not_enabled") => Making::Off,
            _ => {
                let answer = answer.expect(200);
                Making::Made(Codes {
                    generation: None,
                    codes: vec![answer.text_of("recovery_code").to_owned()],
                    replayed: was_replayed(&answer),
                })
            }
        }
    }

    /// By the person, who proves the authenticator first.
    async fn remove(&self, person: &Person) {
        let audience = api("mfa/");
        let scope = "read:authenticators remove:authenticators";
        let more = [("audience", audience.as_str()), ("scope", scope)];
        let token = self.program.mfa_token(person, &more).await;
        let otp = self.app.otp(&person.secret);
        let answer = self.program.otp(&token, &otp).await.expect(200);
        let within = self.app.bearer(answer.text_of("access_token"));
        let listed = within.get("/mfa/authenticators").await.expect(200);
        let mut all = listed.json.as_array().expect("a list").iter();
        let found = all.find(|one| one["authenticator_type"] == "otp");
        let id = found.expect("one")["id"].as_str().expect("an id");
        let path = format!("/mfa/authenticators/{}", id.replace('|', "%7C"));
        within.delete(&path).await.expect(204);
    }

    async fn shows(&self, person: &Person) -> Shows {
        let path = person.at("/authentication-methods");
        let listed = self.manager.get(&path).await.expect(200);
        let mut all = listed.json.as_array().expect("a list").iter();
        Shows {
            generation: None,
            remaining: None,
            any: all.any(|method| method["type"] == "recovery-code"),
        }
    }
}
