//! The shell sessions of the README and of the guides, run as they stand.
//!
//! The block ```` ```sh session ```` is run by bash against a fresh `spare-key dev`; what it prints
//! is compared with the block ```` ```text ```` behind it, where `…` is anything on one line.

use std::path::Path;
use std::process::Command;

use axum::body::Body;
use axum::http::Request;
use spare_key_tests::App;
use spare_key_tests::process::{Place, spare_key_binary};

/// Where the README's commands expect the server.
const ADDRESS: &str = "127.0.0.1:8080";

/// The first block with this info string, and what follows it.
fn block<'a>(text: &'a str, info: &str) -> Option<(&'a str, &'a str)> {
    let (_, rest) = text.split_once(&format!("```{info}\n"))?;
    rest.split_once("```\n")
}

/// Whether a line is as it was printed in the README.
fn matches(expected: &str, line: &str) -> bool {
    let mut parts = expected.split('…');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = line.strip_prefix(first) else {
        return false;
    };
    let mut ends_open = false;
    let parts: Vec<_> = parts.collect();
    for (place, part) in parts.iter().enumerate() {
        ends_open = part.is_empty();
        if place + 1 == parts.len() {
            return rest.ends_with(part);
        }
        match rest.split_once(part) {
            Some((_, behind)) => rest = behind,
            None => return false,
        }
    }
    rest.is_empty() || ends_open
}

/// Row L18.
#[test]
fn the_session_of_the_readme_runs_as_it_stands() {
    runs_as_it_stands("README.md");
}

#[test]
fn the_session_of_the_guide_to_arklow_runs_as_it_stands() {
    runs_as_it_stands("web/docs/arklow.md");
}

#[test]
fn the_session_of_the_guide_to_canopy_runs_as_it_stands() {
    runs_as_it_stands("web/docs/canopy.md");
}

#[test]
fn the_session_of_the_guide_to_importing_runs_as_it_stands() {
    runs_as_it_stands("web/docs/import.md");
}

fn runs_as_it_stands(file: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file);
    let text = std::fs::read_to_string(path).expect(file);
    let (session, behind) = block(&text, "sh session").expect("a block ```sh session");
    assert!(session.contains(ADDRESS), "it names no server");
    let (expected, _) = block(behind, "text").expect("a block ```text behind it");

    let place = Place::default();
    let server = place.dev();
    let session = session.replace(ADDRESS, &server.address().to_string());
    let binary = spare_key_binary();
    let beside = binary.parent().expect("a folder").display();
    let others = std::env::var("PATH").expect("a path");
    let output = Command::new("bash")
        .env("PATH", format!("{beside}:{others}"))
        .args(["-euo", "pipefail", "-c", &session])
        .current_dir(place.path("."))
        .output()
        .expect("bash");
    let printed = String::from_utf8_lossy(&output.stdout);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{printed}{said}");
    let lines: Vec<_> = printed.lines().collect();
    let expected: Vec<_> = expected.lines().collect();
    assert_eq!(lines.len(), expected.len(), "{printed}");
    for (expected, line) in expected.iter().zip(lines) {
        assert!(matches(expected, line), "{line:?} is not {expected:?}");
    }
}

#[tokio::test]
async fn every_guide_is_served_and_leads_from_the_page_of_the_api() {
    let app = App::start().await;
    let get = async |path: &str| {
        let request = Request::get(path).body(Body::empty()).unwrap();
        app.send(request).await.expect(200).text()
    };
    let page = get("/docs").await;
    for (dialect, said) in [
        ("auth0", "getTokenByPassword"),
        ("arklow", "dev-arklow-alice"),
        ("canopy", "x-mfa-step-up-token"),
        ("import", "recovery-authn-codes"),
        ("notices", "webhook-id"),
    ] {
        let path = format!("/docs/{dialect}");
        assert!(page.contains(&format!("href=\"{path}\"")), "{path}");
        assert!(get(&path).await.contains(said), "{path}");
    }
}

#[test]
fn the_comparison_leaves_open_what_is_marked_and_nothing_else() {
    for (expected, line) in [
        ("same", "same"),
        ("a … c", "a b c"),
        ("{\"at\":\"…\",\"n\":1,…}", "{\"at\":\"x\",\"n\":1,\"m\":2}"),
        ("all of …", "all of it"),
        ("…", ""),
    ] {
        assert!(matches(expected, line), "{expected}");
    }
    for (expected, line) in [
        ("same", "same not"),
        ("a … c", "a b d"),
        ("a … c … e", "a b c d"),
        ("b…", "ab"),
        ("", "more"),
    ] {
        assert!(!matches(expected, line), "{expected}");
    }
}
