//! `api-key`: what people's own programs carry.

use crate::support::Place;

#[test]
fn a_key_is_added_printed_once_listed_and_removed() {
    let place = Place::new();
    let paths = place.with_keyring();
    let run = |args: &[&str]| place.run(&[args, &paths].concat());
    let dora = ["account", "add", "dora", "--login", "dora@example.com"];
    let dora = [dora.as_slice(), &["--password-stdin"], &paths].concat();
    place
        .run_reading("correct horse battery staple\n", &dora)
        .done();
    let unknown = run(&["api-key", "add", "nobody"]).refused();
    assert!(unknown.stderr.contains("account"), "{}", unknown.stderr);
    let added = run(&[
        "api-key",
        "add",
        "dora",
        "--name",
        "deploy script",
        "--json",
    ]);
    let added = added.done().json();
    let key = added["key"].as_str().unwrap();
    assert!(key.starts_with("ak_") && key.len() == 46);
    let number = added["number"].to_string();
    let told = run(&["api-key", "add", "dora"]).done().stdout;
    assert!(told.contains("API key  ak_") && told.contains("once"));

    let listed = run(&["api-key", "list", "--json"]).done();
    assert!(!listed.stdout.contains("ak_"), "only its number");
    let first = &listed.json()["keys"][0];
    assert_eq!(first["account"], "dora");
    assert_eq!(first["name"], "deploy script");
    let table = run(&["api-key", "list"]).done().stdout;
    assert!(table.contains("deploy script") && table.contains("dora"));

    let removed = run(&["api-key", "remove", &number]);
    assert!(removed.wrong_usage().stderr.contains("--yes"));
    run(&["api-key", "remove", &number, "--yes"]).done();
    let again = run(&["api-key", "remove", &number, "--yes"]).refused();
    assert!(again.stderr.contains("api-key list"), "{}", again.stderr);
    let listed = run(&["api-key", "list", "--json"]).done().json();
    assert_eq!(listed["keys"].as_array().unwrap().len(), 1);
}
