//! Codes of a running `dev`, by the native dialect: issued, made live, redeemed.

use spare_key_server::clock::{Clock as _, SystemClock, rfc3339};

use crate::support::http;

fn proof() -> String {
    let now = rfc3339(SystemClock.now());
    format!(r#""proof":{{"amr":["pwd","otp"],"at":"{now}"}}"#)
}

fn address(account: &str, what: &str) -> String {
    format!("POST /recovery/v1/accounts/{account}/{what}")
}

/// A list of ten for a host's account, live; its number, and the codes.
#[track_caller]
pub(crate) fn issue(server: &str, account: &str) -> (u64, Vec<String>) {
    let body = format!("{{{}}}", proof());
    let (status, answer) = http(server, &address(account, "batches"), &body);
    assert_eq!(status, 201, "{answer}");
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    let batch: serde_json::Value = serde_json::from_str(body).unwrap();
    let number = batch["generation"].as_u64().unwrap();
    let codes = batch["codes"].as_array().unwrap().iter();
    let codes = codes.map(|code| code["code"].as_str().unwrap().to_owned());
    let activate = address(account, &format!("batches/{number}/activate"));
    let (status, answer) = http(server, &activate, r#"{"saved":true}"#);
    assert_eq!(status, 200, "{answer}");
    (number, codes.collect())
}

/// What redeeming a code answers.
pub(crate) fn redeem(server: &str, account: &str, code: &str) -> (u16, String) {
    let body = format!(r#"{{"code":"{code}",{}}}"#, proof());
    http(server, &address(account, "redeem"), &body)
}
