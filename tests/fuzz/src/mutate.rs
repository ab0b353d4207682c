//! Changes to a script that keep it one: a request more, another caller, a header, a member of a body.
//! Now and then the bytes are changed as they stand, and libFuzzer's own ways apply.

use arbitrary::{Result, Unstructured};
use libfuzzer_sys::fuzzer_mutate;
use serde_json::{Value, json};

use crate::examples;
use crate::script::{self, Asked};

const CALLERS: [&str; 14] = [
    "",
    "host",
    "machine",
    "me",
    "mfa",
    "userinfo",
    "portal",
    "identity",
    "key",
    "session",
    "browser",
    "bearer",
    "mfa_token",
    "session_token",
];

const METHODS: [&str; 9] = [
    "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "BREW",
];

/// Headers that something here reads, with values that are hard to read.
const HEADERS: [(&str, &[&str]); 17] = [
    (
        "authorization",
        &[
            "Basic Og==",
            "Basic /zo=",
            "Basic \u{e9}",
            "Bearer",
            "Bearer a.b.c",
            "bearer {{machine}}",
            "Basic",
            "Digest x",
        ],
    ),
    (
        "cookie",
        &[
            "spare-key=",
            "spare-key={{session}}; spare-key=x",
            "=;;=",
            "spare-key-language=ar",
            "__Host-spare-key=x",
            "\u{e9}",
        ],
    ),
    (
        "content-type",
        &[
            "application/json",
            "application/x-www-form-urlencoded",
            "text/plain",
            "application/json; charset=x",
            "APPLICATION/JSON",
            "multipart/form-data; boundary=x",
            "\u{e9}",
        ],
    ),
    (
        "idempotency-key",
        &[
            "x",
            "",
            "\u{e9}",
            "0123456789012345678901234567890123456789",
        ],
    ),
    (
        "x-forwarded-for",
        &[
            "192.0.2.1",
            "::1, 10.0.0.1",
            "nonsense",
            "10.0.0.1",
            ",,,",
            "[::1]:80",
            "\u{e9}",
            "10.0.0.1, 256.1.1.1",
        ],
    ),
    (
        "forwarded",
        &["for=192.0.2.1;proto=http", "for=\"[::1]\"", ";;=,"],
    ),
    (
        "origin",
        &[
            "null",
            "http://127.0.0.1:8080",
            "https://evil.example",
            "\u{e9}",
            "",
        ],
    ),
    (
        "sec-fetch-site",
        &["same-origin", "cross-site", "none", "x"],
    ),
    (
        "accept-language",
        &[
            "de;q=0.9,en",
            "ar;q=2",
            "*;q=NaN",
            ";;;,,,",
            "ja;q=1e9",
            "x-\u{e9}",
        ],
    ),
    (
        "accept",
        &[
            "text/html",
            "*/*",
            "application/json;q=0",
            "text/html\u{e9}",
        ],
    ),
    ("x-arklow-auth", &["", "ses_x", "{{key}}", "\u{e9}"]),
    ("x-arklow-api-key", &["", "{{key}}", "{{session}}"]),
    (
        "x-mfa-step-up-token",
        &["", "x", "{{step_up_token}}", "{{identity}}"],
    ),
    (
        "user-agent",
        &["", "\u{1}", "Mozilla/5.0", "\u{e9}<script>"],
    ),
    ("content-length", &["0", "99999999999999999999", "-1", "x"]),
    ("access-control-request-method", &["DELETE", "x", ""]),
    ("host", &["", "evil.example", "\u{e9}", "[::1"]),
];

const SEGMENTS: [&str; 14] = [
    "",
    ".",
    "..",
    "%00",
    "%ff",
    "%2F",
    "%7C",
    "0",
    "-1",
    "4294967296",
    "18446744073709551616",
    "auth0%7Cfay",
    "%E2%80%AE",
    "1.0",
];

const QUERIES: [&str; 16] = [
    "page=0",
    "page=4294967296",
    "per_page=0",
    "include_totals=true",
    "take=50",
    "skip=-1",
    "limit=0",
    "cursor=AA",
    "cursor={",
    "q=%25_%5C",
    "email=%00",
    "ui_locales=ar+x",
    "state=x&state=y",
    "a",
    "%zz=%",
    "remaining_at_most=18446744073709551615",
];

/// Mutates the script in `data`; what it is long afterwards.
pub fn mutate(data: &mut [u8], size: usize, max_size: usize, seed: u32) -> usize {
    let noise = noise(seed);
    let mut choices = Unstructured::new(&noise);
    if choices.ratio(1, 4).unwrap_or(true) {
        return fuzzer_mutate(data, size, max_size);
    }
    let mut script = script::read(&String::from_utf8_lossy(&data[..size]));
    for _ in 0..choices.int_in_range(1..=3).unwrap_or(1) {
        // Out of noise: what was done is enough.
        if change(&mut script, &mut choices, seed).is_err() {
            break;
        }
    }
    let text = script::write(&script);
    if text.len() > max_size {
        return fuzzer_mutate(data, size, max_size);
    }
    data[..text.len()].copy_from_slice(text.as_bytes());
    text.len()
}

/// Bytes to choose by, the same for the same seed (SplitMix64).
fn noise(seed: u32) -> Vec<u8> {
    let mut state = u64::from(seed);
    let mut bytes = Vec::with_capacity(512);
    for _ in 0..64 {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bytes.extend((mixed ^ (mixed >> 31)).to_le_bytes());
    }
    bytes
}

fn change(script: &mut Vec<Asked>, choices: &mut Unstructured<'_>, seed: u32) -> Result<()> {
    let kind = choices.int_in_range(0..=12)?;
    if kind <= 1 || script.is_empty() {
        let asked = choices.choose(examples::all())?.clone();
        let at = choices.int_in_range(0..=script.len())?;
        script.insert(at, asked);
        return Ok(());
    }
    let at = choices.choose_index(script.len())?;
    match kind {
        2 if script.len() > 1 => drop(script.remove(at)),
        3 => {
            let again = script[at].clone();
            script.push(again);
        }
        _ => change_one(&mut script[at], kind, choices, seed)?,
    }
    Ok(())
}

fn change_one(
    asked: &mut Asked,
    kind: u8,
    choices: &mut Unstructured<'_>,
    seed: u32,
) -> Result<()> {
    match kind {
        4 => asked.set("as", choices.choose(&CALLERS)?),
        5 => {
            let (name, values) = choices.choose(&HEADERS)?;
            let value = choices.choose(values)?;
            if choices.ratio(1, 4)? {
                asked
                    .headers
                    .push(((*name).to_owned(), (*value).to_owned()));
            } else {
                asked.set(name, value);
            }
        }
        6 => asked.method = (*choices.choose(&METHODS)?).to_owned(),
        7 => {
            let mut parts: Vec<&str> = asked.target.split('/').collect();
            let at = choices.choose_index(parts.len())?;
            parts[at] = choices.choose(&SEGMENTS)?;
            asked.target = format!("/{}", parts.join("/").trim_start_matches('/'));
        }
        8 => {
            let divider = if asked.target.contains('?') { '&' } else { '?' };
            asked.target = format!("{}{divider}{}", asked.target, choices.choose(&QUERIES)?);
        }
        9 if choices.ratio(1, 3)? => raw(&mut asked.body, seed),
        _ => match serde_json::from_str::<Value>(&asked.body) {
            Ok(mut body) => {
                change_json(&mut body, choices)?;
                asked.body = body.to_string();
            }
            Err(_) => change_form(&mut asked.body, choices)?,
        },
    }
    Ok(())
}

/// The bytes of a body as libFuzzer would change them.
fn raw(body: &mut String, seed: u32) {
    let mut bytes = body.clone().into_bytes();
    let size = bytes.len();
    bytes.resize(size + 64, seed as u8);
    let most = bytes.len();
    let size = fuzzer_mutate(&mut bytes, size, most);
    bytes.truncate(size);
    *body = String::from_utf8_lossy(&bytes).into_owned();
}

/// Values that are nowhere expected.
fn odd(choices: &mut Unstructured<'_>) -> Result<Value> {
    let values = [
        json!(null),
        json!(true),
        json!(-1),
        json!(1.5),
        json!(u64::MAX),
        json!(""),
        json!(" "),
        json!("\u{0}"),
        json!("\u{202e}\u{feff}é\u{1f511}"),
        json!("x".repeat(300)),
        json!([]),
        json!({}),
        json!([[]]),
        json!("{{code}}"),
        json!("{{dora-code}}"),
        json!("{{gus-code}}"),
        json!("{{mfa_token}}"),
        json!("{{password}}"),
        json!("9999-12-31T23:59:59.999Z"),
        json!("-009999-01-01T00:00:00Z"),
        json!("auth0|dora"),
    ];
    choices.choose(&values).cloned()
}

fn change_json(value: &mut Value, choices: &mut Unstructured<'_>) -> Result<()> {
    match value {
        Value::Object(members) if !members.is_empty() && choices.ratio(7, 8)? => {
            let names: Vec<String> = members.keys().cloned().collect();
            let name = choices.choose(&names)?;
            match choices.int_in_range(0..=5)? {
                0 => drop(members.remove(name)),
                1 => drop(members.insert(format!("{name}_"), odd(choices)?)),
                2 | 3 => drop(members.insert(name.clone(), odd(choices)?)),
                _ => {
                    if let Some(inner) = members.get_mut(name) {
                        change_json(inner, choices)?;
                    }
                }
            }
        }
        Value::Array(items) if !items.is_empty() && choices.ratio(3, 4)? => {
            let at = choices.choose_index(items.len())?;
            if choices.ratio(1, 3)? {
                let again = items[at].clone();
                items.push(again);
            } else {
                change_json(&mut items[at], choices)?;
            }
        }
        other => *other = odd(choices)?,
    }
    Ok(())
}

fn change_form(body: &mut String, choices: &mut Unstructured<'_>) -> Result<()> {
    const ODD: [&str; 8] = [
        "",
        "%",
        "%00",
        "%ff%fe",
        "+",
        "{{code}}",
        "%F0%9F%94%91",
        "x=y",
    ];
    let mut pairs: Vec<String> = body.split('&').map(str::to_owned).collect();
    let at = choices.choose_index(pairs.len())?;
    match choices.int_in_range(0..=3)? {
        0 => drop(pairs.remove(at)),
        1 => pairs.push(pairs[at].clone()),
        _ => {
            let name = pairs[at].split('=').next().unwrap_or_default().to_owned();
            pairs[at] = format!("{name}={}", choices.choose(&ODD)?);
        }
    }
    *body = pairs.join("&");
    Ok(())
}
