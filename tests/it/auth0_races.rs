//! Many at once through the grants, on two servers with one database: each proof counts once.

use serde_json::Value;
use spare_key_tests::auth0::{Person, Program};
use spare_key_tests::{Answer, App};
use tokio::task::JoinSet;

/// Two servers on one database, and somebody to sign in.
struct Two {
    app: App,
    other: App,
    dora: Person,
}

impl Two {
    async fn start() -> Self {
        let app = App::start().await;
        let dora = app.enrolled("dora").await;
        Self {
            other: app.another(),
            app,
            dora,
        }
    }

    fn program(&self, number: usize) -> Program {
        [&self.app, &self.other][number % 2].program()
    }

    /// The one that got tokens; the others were refused like anybody with a wrong code.
    fn winner(answers: &[Answer], refusals: &[&str]) -> Answer {
        let (won, lost): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 200);
        for answer in lost {
            let answer = answer.clone().expect(403);
            assert_eq!(answer.json["error"], "invalid_grant");
            let said = answer.text_of("error_description");
            assert!(refusals.contains(&said), "{said}");
        }
        assert_eq!(won.len(), 1, "so many were let in");
        won[0].clone()
    }
}

const REJECTED: &str = "MFA Authorization rejected.";
const MALFORMED: &str = "Malformed mfa_token";
const OTP: &str = "Invalid otp_code.";

/// Row A-37.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_mfa_token_and_one_code_used_many_times_at_once_give_tokens_once() {
    for many in [2, 32] {
        let two = Two::start().await;
        let token = two.app.program().mfa_token(&two.dora, &[]).await;
        let mut tries = JoinSet::new();
        for number in 0..many {
            let (program, token) = (two.program(number), token.clone());
            let code = two.dora.code.clone();
            tries.spawn(async move { program.recover(&token, &code).await });
        }
        let answers = tries.join_all().await;
        // Charged in advance, a burst of the right code can run into the limit like any other.
        let settled: Vec<_> = answers
            .into_iter()
            .filter(|answer| answer.status != 429)
            .collect();
        let won = Two::winner(&settled, &[REJECTED, MALFORMED]);
        let next = won.text_of("recovery_code").to_owned();
        two.app
            .clock
            .advance(spare_key_server::model::Millis::minutes(60));
        let again = two.app.program().sign_in_by_code(&two.dora, &next).await;
        again.expect(200);
    }
}

/// Row C1.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_code_with_many_mfa_tokens_at_once_gives_tokens_once() {
    for many in [2, 8] {
        let two = Two::start().await;
        let mut tries = JoinSet::new();
        for number in 0..many {
            let program = two.program(number);
            let token = program.mfa_token(&two.dora, &[]).await;
            let code = two.dora.code.clone();
            tries.spawn(async move { program.recover(&token, &code).await });
        }
        let answers = tries.join_all().await;
        let won = Two::winner(&answers, &[REJECTED]);
        let next = won.text_of("recovery_code").to_owned();
        let again = two.app.program().sign_in_by_code(&two.dora, &next).await;
        again.expect(200);
    }
}

/// Row C3.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_mfa_token_with_both_factors_at_once_lets_in_once() {
    for _ in 0..5 {
        let two = Two::start().await;
        let token = two.app.program().mfa_token(&two.dora, &[]).await;
        let otp = two.app.next_otp(&two.dora.secret);
        let code = two.dora.code.clone();
        let (first, second) = (two.program(0), two.program(1));
        let (by_otp, by_code) =
            tokio::join!(first.otp(&token, &otp), second.recover(&token, &code));
        let code_won = by_code.status == 200;
        let won = Two::winner(&[by_otp, by_code], &[MALFORMED]);
        // Whoever lost has lost no more than this sign-in: the code that was not taken is good.
        let code = match &won.json["recovery_code"] {
            Value::String(next) if code_won => next.clone(),
            _ => code,
        };
        let again = two.app.program().sign_in_by_code(&two.dora, &code).await;
        again.expect(200);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_password_of_an_authenticator_opens_once() {
    let two = Two::start().await;
    let mut tokens = Vec::new();
    for _ in 0..8 {
        tokens.push(two.app.program().mfa_token(&two.dora, &[]).await);
    }
    let otp = two.app.next_otp(&two.dora.secret);
    let mut tries = JoinSet::new();
    for (number, token) in tokens.into_iter().enumerate() {
        let (program, otp) = (two.program(number), otp.clone());
        tries.spawn(async move { program.otp(&token, &otp).await });
    }
    Two::winner(&tries.join_all().await, &[OTP]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn regenerations_and_a_redemption_at_once_leave_one_live_code() {
    let two = Two::start().await;
    let manager = two.app.manager().await;
    let token = two.app.program().mfa_token(&two.dora, &[]).await;
    let mut made = JoinSet::new();
    for number in 0..8 {
        let bearer = [&two.app, &two.other][number % 2].bearer(&manager.token);
        let dora = two.dora.clone();
        made.spawn(async move { bearer.regenerate(&dora).await });
    }
    let redeemed = two.program(1).recover(&token, &two.dora.code).await;
    let mut codes: Vec<String> = made
        .join_all()
        .await
        .into_iter()
        // Whoever found the account changed at every try is told to come back, and has lost nothing.
        .filter(|answer| answer.status != 503 || answer.header("retry-after").is_empty())
        .map(|answer| answer.expect(200).text_of("recovery_code").to_owned())
        .collect();
    if redeemed.status == 200 {
        codes.push(redeemed.text_of("recovery_code").to_owned());
    }
    let mut good = 0;
    for code in &codes {
        let answer = two.app.program().sign_in_by_code(&two.dora, code).await;
        good += usize::from(answer.status == 200);
    }
    assert_eq!(good, 1);
}
