//! Every deed that changes a store, done to one account that has everything.
//!
//! A method of a port that is neither here nor among [`READS`] is an error of the proof: see
//! [`missing`].

use std::fmt::Debug;
use std::pin::Pin;
use std::sync::Arc;

use spare_key_server::model::{
    AccountId, AuthenticatorId, EventKind, Generation, MailAddress, Millis, Sealed, Timestamp,
};
use spare_key_server::store::{
    AcceptTotp, Activation, AtTheEnd, Beside, Client, Lane, NewIdempotency, NewRefresh, Others,
    Progress, Prolong, RemoveTotp, Role, Setting, Settled, Settlement, Store, StoreResult,
    StoredKey, ThrottlePolicy, TryTotp, Way, Ways,
};

use crate::sample::{self, T0, TEN_MINUTES, after, event, id, token};

/// What came of a deed, in words that are the same for the same outcome.
pub(crate) type Doing = Pin<Box<dyn Future<Output = Result<String, String>> + Send>>;

/// One deed.
pub(crate) struct Deed {
    /// The port's method, and a word on the case where there are several.
    pub(crate) name: &'static str,
    /// Does it.
    pub(crate) act: fn(Arc<dyn Store>) -> Doing,
    /// Whether it is one transaction, as all are but those that erase a slice at a time.
    pub(crate) whole: bool,
}

/// The outcome of a port's method in words.
fn told<T: Debug>(outcome: StoreResult<T>) -> Result<String, String> {
    match outcome {
        Ok(value) => Ok(format!("{value:?}")),
        Err(fault) => Err(format!("{fault}: {}", fault.source)),
    }
}

macro_rules! deeds {
    ($($name:literal $(($pieces:ident))? => |$store:ident| $outcome:expr,)+) => {
        /// All of them.
        pub(crate) const DEEDS: &[Deed] = &[$(Deed {
            name: $name,
            act: |$store: Arc<dyn Store>| Box::pin(async move { told($outcome.await) }),
            whole: deeds!(@whole $($pieces)?),
        }),+];
    };
    (@whole) => { true };
    (@whole pieces) => { false };
}

deeds! {
    "add_account" => |store| store.add_account(sample::account(&id("carol"))),
    "begin_grace" => |store| store.begin_grace(&alice(), T0),
    "remove_account" => |store| store.remove_account(&alice()),
    "reset_mfa" => |store| store.reset_mfa(&alice(), T0, event(&alice(), EventKind::MfaReset)),
    "appoint" => |store| store.appoint(
        &alice(), Role::Administrator, event(&alice(), EventKind::AdministratorAdded)),
    "switch" => |store| store.switch(
        Setting::RecoveryCodes, "off", event(&alice(), EventKind::CodesSwitchedOff)),
    "add_api_key" => |store| store.add_api_key(sample::api_key(&alice(), "another key")),
    "remove_api_key" => |store| store.remove_api_key(
        1, &alice(), event(&alice(), EventKind::KeyRemoved)),
    "begin_totp" => |store| store.begin_totp(sample::totp(&alice(), "watch")),
    "confirm_totp" => |store| store.confirm_totp(replace()),
    "remove_totp" => |store| store.remove_totp(unbind(&alice(), "phone")),
    "try_totp" => |store| store.try_totp(TryTotp {
        account: alice(), id: sample::totp_id(&alice(), "tablet"), holder: token("holder"),
        most: 5, at: T0,
    }),
    "accept_totp" => |store| store.accept_totp(accept(Progress::StepUp {
        session: token("cookie"), next: sample::session(&alice(), "fresher cookie"),
    })),
    "accept_totp that unbinds" => |store| store.accept_totp(accept(
        Progress::Unbind(Box::new(unbind(&alice(), "phone"))))),
    "open_challenge" => |store| store.open_challenge(sample::challenge(&alice(), "another")),
    "try_challenge" => |store| store.try_challenge(&token("challenge"), 5, T0),
    "untry_challenge" => |store| store.untry_challenge(&token("tried")),
    "pass to a session" => |store| pass(store, sample::grant(&alice(), "challenge", "new")),
    "pass to a proven factor" => |store| pass(
        store, Progress::FactorProven { challenge: token("challenge") }),
    "pass to a step-up token" => |store| pass(store, Progress::StepUpToken {
        new: sample::step_up("bearer", "another token"), expires_at: after(TEN_MINUTES),
    }),
    "session" => |store| async move {
        store.session(&token("cookie"), after(Millis::minutes(2)), T0).await
    },
    "end_session" => |store| store.end_session(
        &token("cookie"), event(&alice(), EventKind::SignedOut)),
    "end_sessions" => |store| store.end_sessions(&alice(), None),
    "rotate_refresh" => |store| store.rotate_refresh(&token("refresh"), NewRefresh {
        digest: token("next refresh"), audience: None, scope: "openid".to_owned(),
    }, T0, T0),
    "add_client" => |store| store.add_client(Client {
        id: "other".to_owned(), name: "other".to_owned(), secret: None, scopes: Vec::new(),
        grants: Vec::new(), audiences: Vec::new(), origins: Vec::new(), created_at: T0,
    }),
    "remove_client" => |store| store.remove_client("app"),
    "record" => |store| store.record(vec![
        event(&alice(), EventKind::CodesRefused), event(&alice(), EventKind::CodesActivated),
    ]),
    "stage" => |store| store.stage(sample::stage(&alice(), 3)),
    "stage at once" => |store| store.stage(regenerate()),
    "stage at once for somebody new" => |store| store.stage(sample::at_once(&id("dave"), 1)),
    "prolong" => |store| store.prolong(Prolong {
        account: alice(), holder: token("host"), at: T0, until: after(Millis::minutes(20)),
        longest: Millis::minutes(60), challenge_beyond: Millis::minutes(5),
    }),
    "end_reminder" => |store| store.end_reminder(&alice(), Generation(1), T0),
    "activate" => |store| store.activate(sample::activate(&alice(), 2)),
    "activate and sign in" => |store| store.activate(signing_in()),
    "give_up_pending" => |store| store.give_up_pending(
        &alice(), T0, event(&alice(), EventKind::CodesGivenUp)),
    "revoke" => |store| store.revoke(&alice(), T0, event(&alice(), EventKind::CodesRevoked)),
    "redeem" => |store| store.redeem(sample::redeem(&alice(), 1, 4)),
    "redeem and sign in" => |store| store.redeem(last_resort()),
    "redeem a single" => |store| store.redeem(single()),
    "set" => |store| store.set(Setting::SecondFactor, "all"),
    "change" => |store| store.change(Setting::RecoveryCodes, Some("on"), "off"),
    "add_signing_key" => |store| store.add_signing_key(
        key("second"), Some("first"), after(Millis::days(1))),
    "reserve_attempt" => |store| async move {
        store.reserve_attempt(&alice(), Lane::Recovery, POLICY, T0).await
    },
    "forgive_attempt" => |store| async move {
        store.forgive_attempt(&alice(), Lane::Recovery, POLICY, T0).await
    },
    "recognize" => |store| async move {
        store.recognize(&alice(), &token("device"), Timestamp(0), after(Millis::minutes(5))).await
    },
    "forget_device" => |store| store.forget_device(
        &alice(), sample::uuid("device"), event(&alice(), EventKind::DeviceForgotten)),
    "forget_devices" => |store| store.forget_devices(
        &alice(), event(&alice(), EventKind::DeviceForgotten)),
    "add_address" => |store| async move {
        store.add_address(&alice(), &mail("b@example.com"), 4,
            event(&alice(), EventKind::AddressAdded)).await
    },
    "remove_address" => |store| async move {
        store.remove_address(&alice(), &mail("a@example.com"),
            event(&alice(), EventKind::AddressRemoved)).await
    },
    "note_language" => |store| async move { store.note_language(&alice(), "ja").await },
    "address_notices" => |store| store.address_notices(EVERYWHERE, T0, 100),
    "take_notices" => |store| store.take_notices(Way::Webhook, T0, after(TEN_MINUTES), 100),
    "settle_notices" => |store| store.settle_notices(vec![
        settled(1, Settlement::Sent), settled(2, Settlement::Later(T0)),
        settled(3, Settlement::GivenUp(event(&alice(), EventKind::NoticeGivenUp))),
    ]),
    "forget_events" (pieces) => |store| store.forget_events(after(Millis::days(1))),
    "sweep" (pieces) => |store| store.sweep(after(Millis::days(40))),
}

/// The methods of the ports that change nothing.
const READS: &[&str] = &[
    "account",
    "account_by_login",
    "account_by_uuid",
    "accounts",
    "addresses",
    "api_key",
    "api_keys",
    "authenticators",
    "census",
    "challenge",
    "client",
    "clients",
    "count_accounts",
    "events",
    "find_accounts",
    "first_number",
    "idempotency",
    "key_uses",
    "live_batch",
    "live_import",
    "named_totp",
    "notices_due",
    "outbox",
    "pending_totp",
    "ping",
    "refresh",
    "sessions",
    "setting",
    "shown",
    "signing_keys",
    "status",
    "step_up_is_good",
    "throttle",
    "totp_cards",
    "trusted_devices",
    "waiting_notices",
    "waiting_totp",
];

/// The methods of the ports that nobody has thought of here: read from the ports' sources.
pub(crate) fn missing() -> Vec<String> {
    let ports = concat!(env!("CARGO_MANIFEST_DIR"), "/../server/src/store");
    let mut missing = Vec::new();
    for entry in std::fs::read_dir(ports).expect("the ports") {
        let path = entry.expect("a file").path();
        if path.is_dir() {
            continue;
        }
        let text = std::fs::read_to_string(path).expect("a source");
        let methods = text.lines().filter_map(|line| {
            let name = line.strip_prefix("    async fn ")?;
            name.split(['(', '<']).next()
        });
        for method in methods {
            let done = |deed: &Deed| deed.name.split(' ').next() == Some(method);
            if !READS.contains(&method) && !DEEDS.iter().any(done) {
                missing.push(method.to_owned());
            }
        }
    }
    missing
}

/// A bucket of ten.
pub(crate) const POLICY: ThrottlePolicy = ThrottlePolicy {
    capacity: 10,
    refill: Millis::minutes(6),
    first_wait: Millis::minutes(1),
    longest_wait: Millis::minutes(60),
    dead_at: 100,
};

/// Who has everything.
pub(crate) fn alice() -> AccountId {
    id("alice")
}

/// Gives a store the account that has everything, one with a single code, and a tenant.
pub(crate) async fn prepare(store: &dyn Store) {
    let alice = sample::has_account(store, "alice").await;
    sample::has_client(store).await;
    sample::has_totp(store, &alice, "phone").await;
    sample::has_session(store, &alice, "cookie").await;
    sample::has_bearer(store, &alice, "bearer").await;
    sample::has_step_up(store, &alice, "bearer", "step-up").await;
    sample::has_device(store, &alice, "device").await;
    sample::has_refresh(store, &alice, "refresh").await;
    sample::has_challenge(store, &alice, "challenge").await;
    sample::has_challenge(store, &alice, "tried").await;
    done(store.try_challenge(&token("tried"), 5, T0).await);
    done(store.add_api_key(sample::api_key(&alice, "key")).await);
    sample::has_live(store, &alice, 1).await;
    has_notices(store, &alice).await;
    sample::has_pending(store, &alice, 2).await;
    done(store.begin_totp(sample::totp(&alice, "tablet")).await);
    let attempt = store
        .reserve_attempt(&alice, Lane::Recovery, POLICY, T0)
        .await;
    done(attempt);
    done(store.stage(sample::single(&id("erin"), 1)).await);
    done(store.set(Setting::RecoveryCodes, "on").await);
    done(store.add_signing_key(key("first"), None, T0).await);
}

/// Gives an account an address, three notices that somebody has taken and two that are due.
async fn has_notices(store: &dyn Store, account: &AccountId) {
    let added = event(account, EventKind::AddressAdded);
    let address = mail("a@example.com");
    done(store.add_address(account, &address, 4, added).await);
    let told = (0..5).map(|_| event(account, EventKind::KeyAdded));
    done(store.record(told.collect()).await);
    let webhook = Ways {
        mail: false,
        ..EVERYWHERE
    };
    done(store.address_notices(webhook, T0, 5).await);
    let taken = store
        .take_notices(Way::Webhook, T0, after(TEN_MINUTES), 3)
        .await;
    assert_eq!(taken.expect("the store answers").len(), 3);
}

fn mail(text: &str) -> MailAddress {
    MailAddress::parse(text).expect("an address")
}

fn settled(id: i64, settlement: Settlement) -> Settled {
    Settled {
        id,
        tries: 1,
        settlement,
    }
}

/// By mail and by webhook.
const EVERYWHERE: Ways = Ways {
    mail: true,
    webhook: true,
    since: Timestamp(0),
};

fn done<T: Debug>(outcome: StoreResult<T>) {
    drop(outcome.expect("the store answers"));
}

async fn pass(store: Arc<dyn Store>, progress: Progress) -> StoreResult<bool> {
    store.pass(&alice(), progress, T0).await
}

fn replace() -> spare_key_server::store::ConfirmTotp {
    let mut confirm = sample::confirm(&alice(), "tablet");
    confirm.others = Others::Replace;
    confirm.progress = sample::grant(&alice(), "challenge", "new");
    confirm
}

/// Unbinds the authenticator of this name.
pub(crate) fn unbind(account: &AccountId, name: &str) -> RemoveTotp {
    RemoveTotp {
        account: account.clone(),
        id: sample::totp_id(account, name),
        at: T0,
        event: event(account, EventKind::FactorRemoved),
        codes: event(account, EventKind::CodesRevoked),
        devices: event(account, EventKind::DeviceForgotten),
        step_up: None,
    }
}

fn accept(progress: Progress) -> AcceptTotp {
    AcceptTotp {
        account: alice(),
        id: AuthenticatorId(sample::totp_id(&alice(), "phone").0),
        step: 101,
        progress,
        at: T0,
        event: event(&alice(), EventKind::FactorVerified),
    }
}

fn regenerate() -> spare_key_server::store::Stage {
    let mut stage = sample::at_once(&alice(), 3);
    stage.beside = Beside::Authenticator;
    stage.activation = Activation::AtOnce;
    stage.step_up = Some(sample::step_up("bearer", "step-up"));
    stage.idempotency = Some(NewIdempotency {
        key: token("idempotency key"),
        request: token("request"),
        until: after(TEN_MINUTES),
    });
    stage
}

fn signing_in() -> spare_key_server::store::Activate {
    let mut activate = sample::activate(&alice(), 2);
    activate.progress = sample::grant(&alice(), "challenge", "new");
    activate.beside = Beside::Authenticator;
    activate
}

fn last_resort() -> spare_key_server::store::Redeem {
    let mut redeem = sample::redeem(&alice(), 1, 4);
    redeem.progress = sample::grant(&alice(), "challenge", "new");
    redeem
}

fn single() -> spare_key_server::store::Redeem {
    let erin = id("erin");
    let mut redeem = sample::redeem(&erin, 1, 1);
    redeem.at_the_end = AtTheEnd::Replace;
    redeem.replacement = Some(sample::single(&erin, 2));
    redeem
}

fn key(name: &str) -> StoredKey {
    StoredKey {
        id: name.to_owned(),
        secret: Sealed(name.as_bytes().to_vec()),
        signs_from: T0,
        verifies_until: None,
        created_at: T0,
    }
}
