//! What `/metrics` tells, and that the dashboard and the alerts ask for nothing else.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use axum::body::Body;
use axum::http::{Method, Request};
use serde_json::{Value, json};
use spare_key_tests::App;

/// What a label may be called. None of them names anybody.
const LABELS: [&str; 9] = [
    "access",
    "lane",
    "le",
    "outcome",
    "remaining",
    "route",
    "status",
    "way",
    "why",
];

fn read(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../server/ops");
    fs::read_to_string(folder.join(name)).expect("a file beside the server")
}

fn dashboard() -> Value {
    serde_json::from_str(&read("grafana.json")).expect("JSON")
}

async fn metrics(app: &App) -> String {
    let request = Request::get("/metrics").body(Body::empty());
    let answer = app.send(request.expect("a request")).await.expect(200);
    answer.text()
}

/// A line of figures: the name and its labels.
fn sample(line: &str) -> Option<(&str, Vec<(&str, &str)>)> {
    if line.starts_with('#') {
        return None;
    }
    let (series, _) = line.rsplit_once(' ')?;
    let Some((name, labels)) = series.split_once('{') else {
        return Some((series, Vec::new()));
    };
    let labels = labels.trim_end_matches('}').split("\",");
    let labels = labels.filter_map(|label| label.split_once("=\""));
    let labels = labels.map(|(name, value)| (name, value.trim_end_matches('"')));
    Some((name, labels.collect()))
}

/// A label, and its value where exactly one is asked for.
type Wanted = (String, Option<String>);

/// What a text in Prometheus' language asks for: names, with the labels that they are to have.
fn asked(text: &str) -> Vec<(String, Vec<Wanted>)> {
    let starts = text.match_indices("spare_key_").map(|(at, _)| &text[at..]);
    starts
        .map(|rest| {
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_');
            let (name, rest) = rest.split_at(end.unwrap_or(rest.len()));
            let braces = rest.strip_prefix('{').and_then(|rest| rest.split_once('}'));
            let wanted = braces.map_or("", |(labels, _)| labels).split(',');
            let wanted = wanted.filter_map(|label| {
                let (name, value) = label.split_once('=')?;
                let exact = value
                    .strip_prefix('"')
                    .map(|value| value.trim_end_matches('"'));
                Some((name.trim().to_owned(), exact.map(str::to_owned)))
            });
            (name.to_owned(), wanted.collect())
        })
        .collect()
}

#[tokio::test]
async fn every_figure_that_is_asked_for_is_told_before_anything_has_happened() {
    let app = App::start().await;
    // What the running server does every 20 seconds; a list that was used up counts too.
    app.host().issue("alice").await;
    let census = app.mfa().census().await.expect("a census");
    app.mfa().metrics().batches(&census);
    let told = metrics(&app).await;
    let told: Vec<_> = told.lines().filter_map(sample).collect();

    let dashboard = dashboard();
    let panels = dashboard["panels"].as_array().expect("panels").iter();
    let targets = panels.flat_map(|panel| panel["targets"].as_array().expect("targets"));
    let mut texts: Vec<String> = targets
        .map(|target| target["expr"].as_str().expect("a question").to_owned())
        .collect();
    assert!(texts.len() >= 15);
    texts.push(dashboard["templating"].to_string());
    texts.push(read("alerts.yaml"));

    let mut names = BTreeSet::new();
    for (name, wanted) in texts.iter().flat_map(|text| asked(text)) {
        let there = told.iter().any(|(told, labels)| {
            // `job` and `instance` are given by whoever asks the server.
            let mut wanted = wanted.iter().filter(|(label, _)| label != "job");
            *told == name
                && wanted.all(|(label, value)| {
                    let found = labels.iter().find(|(told, _)| told == label);
                    found.is_some_and(|(_, told)| value.as_ref().is_none_or(|value| value == told))
                })
        });
        assert!(there, "nobody tells {name} with {wanted:?}");
        names.insert(name);
    }
    assert!(names.len() >= 12, "{names:?}");
}

#[test]
fn the_dashboard_is_one_that_grafana_reads() {
    let dashboard = dashboard();
    assert!(dashboard["schemaVersion"].as_u64().expect("a number") >= 36);
    for field in ["title", "uid", "refresh"] {
        assert!(!dashboard[field].as_str().expect(field).is_empty());
    }
    assert!(dashboard["time"]["from"].is_string() && dashboard["time"]["to"].is_string());
    let variables = dashboard["templating"]["list"].as_array().expect("a list");
    let names: Vec<_> = variables
        .iter()
        .filter_map(|v| v["name"].as_str())
        .collect();
    assert_eq!(names, ["datasource", "job"]);
    let mut ids = BTreeSet::new();
    let mut cells = BTreeSet::new();
    for panel in dashboard["panels"].as_array().expect("panels") {
        assert!(ids.insert(panel["id"].as_u64().expect("a number")));
        assert!(["timeseries", "bargauge"].contains(&panel["type"].as_str().expect("a type")));
        assert!(!panel["title"].as_str().expect("a title").is_empty());
        assert!(panel["fieldConfig"]["defaults"]["unit"].is_string());
        let place = |side: &str| panel["gridPos"][side].as_u64().expect("a number");
        for x in place("x")..place("x") + place("w") {
            for y in place("y")..place("y") + place("h") {
                assert!(x < 24 && cells.insert((x, y)), "panels overlap at {x}, {y}");
            }
        }
        let targets = panel["targets"].as_array().expect("targets");
        let refs: BTreeSet<_> = targets.iter().map(|t| t["refId"].to_string()).collect();
        assert_eq!(refs.len(), targets.len());
        for target in targets {
            assert_eq!(target["datasource"]["uid"], "${datasource}");
        }
    }
}

#[tokio::test]
async fn figures_name_nobody_and_do_not_grow_with_who_asks() {
    let app = App::start().await;
    let host = app.host();
    let once = async |n: u32| {
        let name = format!("person-{n}");
        host.status(&name).await;
        let path = format!("/recovery/v1/accounts/{name}/nothing-{n}");
        host.ask(Method::GET, &path, None).await;
        let method = Method::from_bytes(format!("M{n}").as_bytes()).expect("a method");
        host.ask(method, "/", None).await;
        let body = json!({ "code": format!("nonsense-{n}"), "proof": host.proof() });
        let path = format!("/recovery/v1/accounts/{name}/redeem");
        host.ask(Method::POST, &path, Some(body)).await;
    };
    once(0).await;
    let series = async || {
        let told = metrics(&app).await;
        assert!(!told.contains("person-") && !told.contains("nothing-"));
        let told: Vec<_> = told.lines().filter_map(sample).collect();
        let labels: BTreeSet<_> = told.iter().flat_map(|(_, labels)| labels).collect();
        for (label, _) in labels {
            assert!(LABELS.contains(label), "{label}");
        }
        told.len()
    };
    // The answer to the first question is counted by the second.
    series().await;
    let before = series().await;
    for n in 1..40 {
        once(n).await;
    }
    assert_eq!(series().await, before);
}

#[tokio::test]
async fn each_hash_and_each_access_to_the_store_is_timed() {
    let app = App::start().await;
    let host = app.host();
    let (_, codes) = host.issue("alice").await;
    let figures = async || {
        [
            app.figure(r#"spare_key_hash_run_seconds_count{lane="codes"}"#)
                .await,
            app.figure(r#"spare_key_hash_wait_seconds_count{lane="codes"}"#)
                .await,
            app.figure(r#"spare_key_store_seconds_count{access="read"}"#)
                .await,
            app.figure(r#"spare_key_store_seconds_count{access="write"}"#)
                .await,
        ]
    };
    let [run, waited, read, written] = figures().await;
    assert_eq!((run, waited), (10, 10));
    host.redeem("alice", &codes[0]).await.expect(200);
    let [run, waited, read_then, written_then] = figures().await;
    assert_eq!((run, waited), (11, 11));
    assert!(read_then > read && written_then > written);
}
