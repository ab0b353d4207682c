//! Stories that are told through every dialect: somebody, the few verbs that a story needs, and one
//! file a dialect that says them with that dialect's client.
//!
//! What a dialect's answers leave unsaid is `None` here, and agrees with anything. What a story
//! leaves behind is read in [`told`], past every dialect.

mod arklow;
mod auth0;
mod canopy;
mod native;
pub mod told;

use spare_key_server::dev;
use spare_key_server::domain::Caller;
use spare_key_server::model::Millis;

use crate::auth0::Person;
use crate::{Answer, App};

/// The four ways to ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// Our own, for hosts that have a login.
    Native,
    /// Auth0's.
    Auth0,
    /// Arklow's.
    Arklow,
    /// Canopy's.
    Canopy,
}

impl Dialect {
    /// Every one.
    pub const ALL: [Self; 4] = [Self::Native, Self::Auth0, Self::Arklow, Self::Canopy];

    /// Every ordered pair.
    pub fn pairs() -> impl Iterator<Item = (Self, Self)> {
        let with_all = |one| Self::ALL.map(|other| (one, other));
        Self::ALL.into_iter().flat_map(with_all)
    }

    /// Auth0 knows one code a person, which is followed by the next when it is used.
    pub fn issues_single_codes(self) -> bool {
        self == Self::Auth0
    }

    /// A host has authenticators of its own and binds none here.
    pub fn binds_authenticators(self) -> bool {
        self != Self::Native
    }

    /// A program has no page that would ask for a new list: the last code of one is followed by a
    /// single one there.
    pub fn follows_the_last_code(self) -> bool {
        self == Self::Auth0
    }

    /// Auth0's answer to a regeneration is the code and nothing else.
    pub fn says_generation(self) -> bool {
        self != Self::Auth0
    }

    /// Auth0 lists that there is a code, and not how many.
    pub fn counts(self) -> bool {
        self != Self::Auth0
    }
}

/// What redeeming came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Redeeming {
    /// The code is spent.
    Done {
        /// Of which generation it was.
        generation: Option<u64>,
        /// Its number.
        number: Option<u64>,
        /// How many are left in that generation.
        remaining: Option<u64>,
        /// The code that follows a single one.
        next: Option<String>,
    },
    /// It is not accepted.
    No {
        /// Attempts left.
        tries_left: Option<u64>,
    },
    /// Too many were wrong; wait so many seconds.
    Wait(u64),
    /// There are no recovery codes here.
    Off,
}

impl Redeeming {
    /// Spent: the code with this number, of this generation; so many are left.
    pub fn done(generation: u64, number: u64, remaining: u64) -> Self {
        Self::Done {
            generation: Some(generation),
            number: Some(number),
            remaining: Some(remaining),
            next: None,
        }
    }

    /// Not accepted, with so many attempts left.
    pub fn no(tries_left: u64) -> Self {
        Self::No {
            tries_left: Some(tries_left),
        }
    }

    /// Whether it is spent.
    pub fn is_done(&self) -> bool {
        matches!(self, Self::Done { .. })
    }

    /// That this is what was expected, where it says anything; the code that follows apart.
    #[track_caller]
    pub fn expect(&self, expected: &Self) {
        let agree = |a: &Option<u64>, b: &Option<u64>| a.is_none() || b.is_none() || a == b;
        let same = match (self, expected) {
            (
                Self::Done {
                    generation,
                    number,
                    remaining,
                    ..
                },
                Self::Done {
                    generation: of,
                    number: which,
                    remaining: left,
                    ..
                },
            ) => agree(generation, of) && agree(number, which) && agree(remaining, left),
            (Self::No { tries_left }, Self::No { tries_left: left }) => agree(tries_left, left),
            (a, b) => a == b,
        };
        assert!(same, "{self:?} is not {expected:?}");
    }
}

/// What regenerating came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Making {
    /// New codes, live.
    Made(Codes),
    /// Given before under this key, and can no longer be given.
    Spent,
    /// There are no recovery codes here.
    Off,
}

impl Making {
    /// The codes; the test ends where there are none.
    #[track_caller]
    pub fn codes(self) -> Codes {
        match self {
            Self::Made(codes) => codes,
            other => panic!("{other:?}"),
        }
    }
}

/// Codes as a person gets them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Codes {
    /// Their number.
    pub generation: Option<u64>,
    /// Themselves, in their order.
    pub codes: Vec<String>,
    /// Whether the answer says that it was given before.
    pub replayed: bool,
}

/// What a dialect shows of somebody's codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shows {
    /// Their number; 0 without any.
    pub generation: Option<u64>,
    /// How many are left.
    pub remaining: Option<u64>,
    /// Whether any is.
    pub any: bool,
}

/// What an attempt is made with: a challenge's token, or a device's number.
#[derive(Debug, Clone)]
pub struct Attempt(String);

/// What new codes are asked for with: a proof as it is sent, a step-up token, a device's number.
#[derive(Debug, Clone)]
pub struct Proof(String);

/// What a story needs of a dialect. The clock goes on outside: all of them live in the same time.
trait Voice: Sized {
    /// The client, of somebody who has just come, with an authenticator or with nothing.
    async fn of(app: &App, person: &Person) -> Self;

    /// The same client on another server.
    async fn on(&self, app: &App) -> Self;

    /// From nothing to live codes; the authenticator's secret becomes the person's.
    async fn enroll(&mut self, person: &mut Person) -> Codes;

    /// As far as the place where a code is typed.
    async fn attempt(&self, person: &Person) -> Attempt;

    /// A code is typed.
    async fn redeem(&self, attempt: &Attempt, code: &str) -> Redeeming;

    /// As far as the place where new codes are asked for.
    async fn prove(&self, person: &Person) -> Proof;

    /// They are asked for.
    async fn regenerate(&self, person: &Person, proof: &Proof, key: Option<&str>) -> Making;

    /// What codes stand beside is taken away.
    async fn remove(&self, person: &Person);

    /// What is left.
    async fn shows(&self, person: &Person) -> Shows;
}

#[derive(Debug, Clone)]
enum Spoken {
    Native(native::Host),
    Auth0(Box<auth0::Tenant>),
    Arklow(arklow::Key),
    Canopy(canopy::Browser),
}

/// Says a verb in the hero's dialect.
macro_rules! say {
    ($spoken:expr, $voice:ident => $said:expr) => {
        match $spoken {
            Spoken::Native($voice) => $said.await,
            Spoken::Auth0($voice) => $said.await,
            Spoken::Arklow($voice) => $said.await,
            Spoken::Canopy($voice) => $said.await,
        }
    };
}

/// Somebody whose story is told through one dialect.
#[derive(Debug, Clone)]
pub struct Hero {
    app: App,
    /// Who.
    pub person: Person,
    /// In which dialect.
    pub dialect: Dialect,
    spoken: Spoken,
    /// The codes on the sheet that are not crossed out.
    sheet: Vec<String>,
    /// Up to where the audit trail was read.
    read: i64,
}

impl App {
    /// Somebody new, with a password and nothing else.
    pub async fn hero(&self, name: &str, dialect: Dialect) -> Hero {
        let person = self.add_person(name).await;
        self.hero_of(person, dialect).await
    }

    /// Somebody new, with an authenticator and no codes.
    pub async fn hero_with_app(&self, name: &str, dialect: Dialect) -> Hero {
        let mut person = self.add_person(name).await;
        let administrator = Caller::administrator(person.account());
        let bound = self
            .mfa()
            .bind_known_secret(&administrator, dev::TOTP_SECRET);
        bound.await.expect("a secret");
        person.secret = dev::TOTP_SECRET.to_owned();
        self.hero_of(person, dialect).await
    }

    async fn hero_of(&self, person: Person, dialect: Dialect) -> Hero {
        self.clock.advance(STEP);
        let spoken = match dialect {
            Dialect::Native => Spoken::Native(native::Host::of(self, &person).await),
            Dialect::Auth0 => Spoken::Auth0(Box::new(auth0::Tenant::of(self, &person).await)),
            Dialect::Arklow => Spoken::Arklow(arklow::Key::of(self, &person).await),
            Dialect::Canopy => Spoken::Canopy(canopy::Browser::of(self, &person).await),
        };
        Hero {
            app: self.clone(),
            person,
            dialect,
            spoken,
            sheet: Vec::new(),
            read: 0,
        }
    }
}

/// So that there is a new one-time password, whether the dialect needs one or not.
const STEP: Millis = Millis::seconds(30);

impl Hero {
    /// The same person by another dialect, with the same sheet in hand.
    pub async fn by(&self, dialect: Dialect) -> Self {
        let same = self.app.hero_of(self.person.clone(), dialect).await;
        Self {
            sheet: self.sheet.clone(),
            read: self.read,
            ..same
        }
    }

    /// The same client on another server.
    pub async fn on(&self, app: &App) -> Self {
        let spoken = match &self.spoken {
            Spoken::Native(voice) => Spoken::Native(voice.on(app).await),
            Spoken::Auth0(voice) => Spoken::Auth0(Box::new(voice.on(app).await)),
            Spoken::Arklow(voice) => Spoken::Arklow(voice.on(app).await),
            Spoken::Canopy(voice) => Spoken::Canopy(voice.on(app).await),
        };
        Self {
            app: app.clone(),
            spoken,
            ..self.clone()
        }
    }

    /// From nothing to live codes, which are then on the sheet.
    pub async fn enroll(&mut self) -> Codes {
        self.app.clock.advance(STEP);
        let person = &mut self.person;
        let codes = say!(&mut self.spoken, voice => voice.enroll(person));
        self.sheet.clone_from(&codes.codes);
        codes
    }

    /// As far as the place where a code is typed.
    pub async fn attempt(&self) -> Attempt {
        say!(&self.spoken, voice => voice.attempt(&self.person))
    }

    /// A code is typed there.
    pub async fn redeem_at(&self, attempt: &Attempt, code: &str) -> Redeeming {
        say!(&self.spoken, voice => voice.redeem(attempt, code))
    }

    /// Both.
    pub async fn redeem(&self, code: &str) -> Redeeming {
        let attempt = self.attempt().await;
        self.redeem_at(&attempt, code).await
    }

    /// The next code of the sheet.
    #[track_caller]
    pub fn code(&self) -> String {
        self.sheet.first().expect("a code").clone()
    }

    /// Every code of the sheet that is not crossed out.
    pub fn sheet(&self) -> &[String] {
        &self.sheet
    }

    /// Redeems the next code of the sheet and crosses it out; one that follows is written down.
    pub async fn redeem_next(&mut self) -> Redeeming {
        let redeeming = self.redeem(&self.code()).await;
        if let Redeeming::Done { next, .. } = &redeeming {
            self.sheet.remove(0);
            self.sheet.extend(next.clone());
        }
        redeeming
    }

    /// As far as the place where new codes are asked for.
    pub async fn prove(&self) -> Proof {
        self.app.clock.advance(STEP);
        say!(&self.spoken, voice => voice.prove(&self.person))
    }

    /// They are asked for there.
    pub async fn regenerate_by(&self, proof: &Proof, key: Option<&str>) -> Making {
        say!(&self.spoken, voice => voice.regenerate(&self.person, proof, key))
    }

    /// Both, and they are on the sheet in place of the old ones.
    pub async fn regenerate(&mut self) -> Codes {
        let proof = self.prove().await;
        let codes = self.regenerate_by(&proof, None).await.codes();
        self.sheet.clone_from(&codes.codes);
        codes
    }

    /// What codes stand beside is taken away.
    pub async fn remove(&self) {
        self.app.clock.advance(STEP);
        say!(&self.spoken, voice => voice.remove(&self.person));
    }

    /// What the dialect shows.
    pub async fn shows(&self) -> Shows {
        say!(&self.spoken, voice => voice.shows(&self.person))
    }

    /// The server that is asked.
    pub fn app(&self) -> &App {
        &self.app
    }
}

/// Seconds to wait, of an answer that says so.
#[track_caller]
fn wait(answer: &Answer) -> Redeeming {
    let seconds = answer.header("retry-after").parse();
    Redeeming::Wait(seconds.expect("seconds"))
}

/// Texts of a list.
fn texts(list: &serde_json::Value) -> Vec<String> {
    let list = list.as_array().into_iter().flatten();
    let texts = list.map(|text| text.as_str().expect("a text").to_owned());
    texts.collect()
}

/// Whether an answer says that it was given before.
fn was_replayed(answer: &Answer) -> bool {
    answer.header("idempotency-replayed") == "true"
}
