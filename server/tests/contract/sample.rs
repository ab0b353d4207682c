//! Values to try the port with, all of them made up, and the few steps that many tests begin with.

use sha2::{Digest, Sha256};
use spare_key_core::Format;
use spare_key_server::model::{
    AccountId, AuthenticatorId, EventKind, Generation, HashParams, KeyId, Locator, Millis, Scheme,
    Sealed, SecretDigest, Timestamp, TokenDigest,
};
use spare_key_server::store::{
    Activate, Activated, Activation, Actor, AtTheEnd, Beside, Client, ConfirmTotp, Door,
    NewAccount, NewApiKey, NewBatch, NewChallenge, NewCode, NewDevice, NewEvent, NewRefresh,
    NewSession, NewTotp, Others, Over, Progress, Redeem, Redeemed, SessionKind, Stage, Staged,
    StepUpUse, Store, TotpConfirmed,
};

/// Where every test's clock begins.
pub(crate) const T0: Timestamp = Timestamp(1_800_000_000_000);

/// How long the samples' pending things live.
pub(crate) const TEN_MINUTES: Millis = Millis::minutes(10);

pub(crate) fn after(span: Millis) -> Timestamp {
    T0.plus(span)
}

pub(crate) fn id(name: &str) -> AccountId {
    AccountId::parse(name).expect("a sample's identifier is one")
}

pub(crate) fn token(name: &str) -> TokenDigest {
    TokenDigest(Sha256::digest(name).into())
}

pub(crate) fn scheme() -> Scheme {
    Scheme {
        params: HashParams {
            memory_kib: 19_456,
            passes: 2,
            lanes: 1,
        },
        key: KeyId(3),
    }
}

pub(crate) fn event(account: &AccountId, kind: EventKind) -> NewEvent {
    NewEvent {
        account: account.clone(),
        kind,
        at: T0,
        actor: Actor::Person,
        generation: None,
        number: None,
        remaining: None,
        detail: None,
        ip: None,
    }
}

pub(crate) fn account(account: &AccountId) -> NewAccount {
    NewAccount {
        issuer: None,
        id: account.clone(),
        login: None,
        password: None,
        at: T0,
        event: event(account, EventKind::AccountAdded),
    }
}

/// Salt and digest that no other code has, to be found again in a file.
pub(crate) fn secret(account: &AccountId, generation: u32, number: u32) -> SecretDigest {
    let name = format!("{} {generation} {number}", account.as_str());
    let long: [u8; 32] = Sha256::digest(&name).into();
    let mut salt = [0; 16];
    salt.copy_from_slice(&long[16..]);
    SecretDigest {
        salt,
        digest: Sha256::digest(long).into(),
    }
}

pub(crate) fn seed(account: &AccountId, generation: u32) -> Sealed {
    let name = format!("seed {} {generation}", account.as_str());
    Sealed(Sha256::digest(name).to_vec())
}

/// A pending list of ten, staged by a host.
pub(crate) fn stage(account: &AccountId, generation: u32) -> Stage {
    let code = |number: u32| NewCode {
        number,
        locator: Locator(u16::MAX - u16::try_from(number * generation).expect("small")),
        digest: secret(account, generation, number),
        recipe: None,
    };
    Stage {
        batch: NewBatch {
            account: account.clone(),
            generation: Generation(generation),
            format: Format::List,
            imported: None,
            scheme: scheme(),
            codes: (1..=10).map(code).collect(),
            holder: token("host"),
            seed: seed(account, generation),
            seed_until: after(TEN_MINUTES),
            issued_at: T0,
        },
        activation: Activation::OnConfirm,
        beside: Beside::Host,
        over: Over::Anything,
        idempotency: None,
        step_up: None,
        events: vec![event(account, EventKind::CodesStaged)],
    }
}

pub(crate) fn at_once(account: &AccountId, generation: u32) -> Stage {
    Stage {
        activation: Activation::AtOnce,
        ..stage(account, generation)
    }
}

pub(crate) fn single(account: &AccountId, generation: u32) -> Stage {
    let mut single = at_once(account, generation);
    single.batch.format = Format::Single;
    single.batch.codes.truncate(1);
    single
}

pub(crate) fn activate(account: &AccountId, generation: u32) -> Activate {
    Activate {
        account: account.clone(),
        generation: Generation(generation),
        holder: None,
        beside: Beside::Host,
        progress: Progress::Nothing,
        at: T0,
        event: event(account, EventKind::CodesActivated),
    }
}

pub(crate) fn redeem(account: &AccountId, generation: u32, number: u32) -> Redeem {
    Redeem {
        at_the_end: AtTheEnd::Nothing,
        account: account.clone(),
        generation: Generation(generation),
        number,
        progress: Progress::Nothing,
        replacement: None,
        at: T0,
        event: event(account, EventKind::CodesRedeemed),
        devices: event(account, EventKind::DeviceForgotten),
    }
}

pub(crate) fn challenge(account: &AccountId, name: &str) -> NewChallenge {
    NewChallenge {
        door: Door::Pages,
        digest: token(name),
        account: account.clone(),
        password_at: T0,
        expires_at: after(TEN_MINUTES),
        event: event(account, EventKind::PasswordVerified),
    }
}

pub(crate) fn session(account: &AccountId, name: &str) -> NewSession {
    NewSession {
        client: None,
        refresh: None,
        device: None,
        digest: token(name),
        account: account.clone(),
        kind: SessionKind::Full,
        auth_time: T0,
        factor_at: Some(T0),
        opened_by: None,
        at: T0,
        expires_at: after(Millis::minutes(60)),
    }
}

pub(crate) fn grant(account: &AccountId, challenge: &str, opens: &str) -> Progress {
    Progress::Grant {
        challenge: token(challenge),
        session: session(account, opens),
    }
}

/// Its name: unlike any other account's.
pub(crate) fn totp_id(account: &AccountId, name: &str) -> AuthenticatorId {
    AuthenticatorId(format!("totp|{} {name}", account.as_str()))
}

pub(crate) fn totp(account: &AccountId, name: &str) -> NewTotp {
    NewTotp {
        id: totp_id(account, name),
        account: account.clone(),
        name: None,
        secret: Sealed(format!("sealed {name}").into_bytes()),
        holder: token("holder"),
        at: T0,
        expires_at: after(TEN_MINUTES),
    }
}

pub(crate) fn confirm(account: &AccountId, name: &str) -> ConfirmTotp {
    ConfirmTotp {
        codes: None,
        name: None,
        shown_again: None,
        idempotency: None,
        account: account.clone(),
        id: totp_id(account, name),
        holder: token("holder"),
        step: 100,
        others: Others::Keep,
        progress: Progress::Nothing,
        at: T0,
        event: event(account, EventKind::FactorEnrolled),
    }
}

/// Adds an account that has nothing yet.
pub(crate) async fn has_account(store: &dyn Store, name: &str) -> AccountId {
    let account_id = id(name);
    store
        .add_account(account(&account_id))
        .await
        .expect("an account can be added");
    account_id
}

/// Gives an account a bound authenticator.
pub(crate) async fn has_totp(store: &dyn Store, account: &AccountId, name: &str) {
    store
        .begin_totp(totp(account, name))
        .await
        .expect("one can be begun");
    let confirmed = store
        .confirm_totp(confirm(account, name))
        .await
        .expect("it can be confirmed");
    assert_eq!(confirmed, TotpConfirmed::Done);
}

/// Gives a host's account a live list of ten.
pub(crate) async fn has_live(store: &dyn Store, account: &AccountId, generation: u32) {
    let staged = store
        .stage(at_once(account, generation))
        .await
        .expect("a batch can be stored");
    assert_eq!(staged, Staged::Done);
}

/// Gives a host's account a pending list of ten.
pub(crate) async fn has_pending(store: &dyn Store, account: &AccountId, generation: u32) {
    let staged = store
        .stage(stage(account, generation))
        .await
        .expect("a batch can be stored");
    assert_eq!(staged, Staged::Done);
}

/// Opens a challenge.
pub(crate) async fn has_challenge(store: &dyn Store, account: &AccountId, name: &str) {
    let opened = store.open_challenge(challenge(account, name)).await;
    assert!(opened.expect("a challenge can be opened"));
}

/// Opens a session by way of a challenge of its own.
pub(crate) async fn has_session(store: &dyn Store, account: &AccountId, name: &str) {
    let challenge = format!("challenge to {name}");
    has_challenge(store, account, &challenge).await;
    let begun = format!("of {name}");
    store
        .begin_totp(totp(account, &begun))
        .await
        .expect("one can be begun");
    let mut confirm = confirm(account, &begun);
    confirm.progress = grant(account, &challenge, name);
    let confirmed = store
        .confirm_totp(confirm)
        .await
        .expect("it can be confirmed");
    assert_eq!(confirmed, TotpConfirmed::Done);
}

/// Spends a code and says what came of it.
pub(crate) async fn spends(
    store: &dyn Store,
    account: &AccountId,
    generation: u32,
    number: u32,
) -> Redeemed {
    store
        .redeem(redeem(account, generation, number))
        .await
        .expect("the store answers")
}

/// Activates and says what came of it.
pub(crate) async fn activates(
    store: &dyn Store,
    account: &AccountId,
    generation: u32,
) -> Activated {
    store
        .activate(activate(account, generation))
        .await
        .expect("the store answers")
}

pub(crate) fn stale(pending: Option<u32>) -> Activated {
    Activated::Stale {
        pending: pending.map(Generation),
    }
}

pub(crate) fn api_key(account: &AccountId, key: &str) -> NewApiKey {
    NewApiKey {
        digest: token(key),
        account: account.clone(),
        name: Some(format!("named {key}")),
        at: T0,
        event: event(account, EventKind::KeyAdded),
    }
}

/// Adds the program `app`, unless it is there.
pub(crate) async fn has_client(store: &dyn Store) {
    let client = Client {
        id: "app".to_owned(),
        name: "app".to_owned(),
        secret: None,
        scopes: Vec::new(),
        grants: Vec::new(),
        audiences: Vec::new(),
        origins: Vec::new(),
        created_at: T0,
    };
    store.add_client(client).await.expect("it can be added");
}

/// Opens a session that the program `app` has a refresh token of.
pub(crate) async fn has_refresh(store: &dyn Store, account: &AccountId, name: &str) {
    has_client(store).await;
    let challenge = format!("challenge to {name}");
    has_challenge(store, account, &challenge).await;
    let mut session = session(account, &format!("session of {name}"));
    session.client = Some("app".to_owned());
    session.refresh = Some(NewRefresh {
        digest: token(name),
        audience: None,
        scope: "openid offline_access".to_owned(),
    });
    let progress = Progress::Grant {
        challenge: token(&challenge),
        session,
    };
    let passed = store.pass(account, progress, T0).await;
    assert!(passed.expect("it can be passed"));
}

/// Opens a session that access tokens are of.
pub(crate) async fn has_bearer(store: &dyn Store, account: &AccountId, name: &str) {
    opens(store, account, bearer(account, name)).await;
}

pub(crate) fn bearer(account: &AccountId, name: &str) -> NewSession {
    NewSession {
        kind: SessionKind::Bearer,
        factor_at: None,
        ..session(account, name)
    }
}

/// Opens this session by way of a challenge of its own.
pub(crate) async fn opens(store: &dyn Store, account: &AccountId, session: NewSession) {
    let mut new = challenge(account, "");
    new.digest = TokenDigest(session.digest.0.map(|byte| !byte));
    new.door = Door::Bearer;
    let challenge = new.digest;
    assert!(store.open_challenge(new).await.expect("the store answers"));
    let progress = Progress::Grant { challenge, session };
    let passed = store.pass(account, progress, T0).await;
    assert!(passed.expect("the store answers"));
}

pub(crate) fn step_up(session: &str, name: &str) -> StepUpUse {
    StepUpUse {
        session: token(session),
        token: token(name),
    }
}

/// Makes a step-up token in this session, by a proof that is not looked at here.
pub(crate) async fn has_step_up(store: &dyn Store, account: &AccountId, session: &str, name: &str) {
    let progress = Progress::StepUpToken {
        new: step_up(session, name),
        expires_at: after(Millis::minutes(5)),
    };
    let passed = store.pass(account, progress, T0).await;
    assert!(passed.expect("the store answers"));
}

pub(crate) fn device(account: &AccountId, name: &str) -> NewDevice {
    NewDevice {
        id: uuid(name),
        digest: token(name),
        label: format!("browser {name}"),
        ip: Some("192.0.2.1".to_owned()),
        expires_at: after(Millis::days(30)),
        event: event(account, EventKind::DeviceTrusted),
    }
}

pub(crate) fn uuid(name: &str) -> uuid::Uuid {
    id(name).uuid()
}

/// Trusts a device, with a session that it opened.
pub(crate) async fn has_device(store: &dyn Store, account: &AccountId, name: &str) {
    let mut session = bearer(account, &format!("session on {name}"));
    session.device = Some(device(account, name));
    opens(store, account, session).await;
}
