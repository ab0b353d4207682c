//! `dev --https`: an authority made once, and clients that trust it as the greeting says.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output};

use crate::support::{Place, Running, connect};

const LISTENING: &str = "Listening on https://";

/// `dev --https` on a free port, and where it listens.
fn start(place: &Place) -> (Running, String) {
    let running = place.start(&["dev", "--https", "--listen", "127.0.0.1:0"]);
    let address = running.says(LISTENING).replace(LISTENING, "");
    (running, address)
}

/// A line of the greeting, from `word` on: what a developer types.
fn typed(running: &Running, word: &str) -> String {
    let line = running.says(word);
    let start = line.find(word).unwrap();
    line[start..].split("     (").next().unwrap().to_owned()
}

/// What a shell makes of some lines; nothing of this process's environment but where programs are.
fn shell(lines: &str) -> Output {
    let mut command = Command::new("sh");
    command.args(["-c", lines]).env_clear();
    for kept in ["PATH", "HOME"] {
        command.envs(std::env::var_os(kept).map(|value| (kept, value)));
    }
    command.output().unwrap()
}

#[track_caller]
fn succeeds(lines: &str) -> String {
    let output = shell(lines);
    assert!(output.status.success(), "{lines}\n{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[track_caller]
fn fails(lines: &str, why: &str) {
    let output = shell(lines);
    assert!(!output.status.success(), "{lines}\n{output:?}");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains(why), "{said}");
}

#[test]
fn clients_trust_it_by_the_lines_of_the_greeting_and_not_without_them() {
    // A path that a shell has to be told how to take.
    let place = Place::named("it's here ");
    let (running, address) = start(&place);
    running.says(place.path("spare-key-data/ca.pem").to_str().unwrap());
    let node = typed(&running, "export NODE_EXTRA_CA_CERTS=");
    typed(&running, "export REQUESTS_CA_BUNDLE=");
    let openssl = typed(&running, "export SSL_CERT_FILE=");
    let curl = typed(&running, "curl --cacert ");
    for host in ["localhost", "127.0.0.1"] {
        let port = address.rsplit(':').next().unwrap();
        let url = format!("https://{host}:{port}/healthz");
        let fetch = format!("node -e 'fetch(\"{url}\").then(r => console.log(r.status))'");
        assert_eq!(succeeds(&format!("{node}\n{fetch}")).trim(), "200");
        fails(&fetch, "fetch failed");
        // As strict as Python is from 3.13 on.
        let urllib = format!(
            "python3 -c 'import ssl, urllib.request\n\
             context = ssl.create_default_context()\n\
             context.verify_flags |= ssl.VERIFY_X509_STRICT\n\
             print(urllib.request.urlopen(\"{url}\", context=context).status)'"
        );
        assert_eq!(succeeds(&format!("{openssl}\n{urllib}")).trim(), "200");
        fails(&urllib, "CERTIFICATE_VERIFY_FAILED");
        fails(&format!("curl --silent --show-error {url}"), "certificate");
    }
    succeeds(&format!("{curl} --fail"));
    running.stop();
}

#[test]
fn the_authority_is_made_once_and_its_keys_are_for_the_owner_alone() {
    let place = Place::new();
    let read = |name: &str| fs::read(place.path("spare-key-data").join(name)).unwrap();
    let names = ["ca.pem", "ca-key.pem", "server.pem"];
    let (running, _) = start(&place);
    let made = names.map(read);
    for name in &names[1..] {
        let path = place.path("spare-key-data").join(name);
        let mode = fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{name}");
    }
    running.stop();
    let (running, _) = start(&place);
    assert!(names.map(read) == made);
    running.stop();
    // Another host: another certificate, the same authority.
    let more = ["--listen", "127.0.0.1:0", "--issuer", "https://login.test"];
    let running = place.start(&[["dev", "--https"].as_slice(), &more].concat());
    running.says(LISTENING);
    let again = names.map(read);
    assert!(again[..2] == made[..2] && again[2] != made[2]);
    running.stop();
}

#[test]
fn https_of_dev_is_not_for_ever_and_the_issuer_is_https() {
    let place = Place::new();
    let (running, address) = start(&place);
    let ca = place.path("spare-key-data/ca.pem");
    let ca = ca.display();
    // To the page of a sign-in that has begun, with the cookie that holds it.
    let follow = "curl -si --location --cookie ''";
    let page = succeeds(&format!("{follow} --cacert {ca} https://{address}/u/login"));
    assert!(page.contains("HTTP/1.1 200"), "{page}");
    let lower = page.to_lowercase();
    assert!(!lower.contains("strict-transport-security"), "{page}");
    assert!(lower.contains("__host-"), "{page}");
    running.says(&format!("https://{address}/u/login"));
    running.stop();
}

#[test]
fn the_record_says_from_where_a_caller_came_by_https() {
    let place = Place::new();
    let (running, address) = start(&place);
    let ca = place.path("spare-key-data/ca.pem");
    let api = format!("https://{address}/recovery/v1/accounts/shopper");
    let curl = format!(
        "curl -s --fail --cacert {} --user dev-host:dev-host-secret",
        ca.display()
    );
    let proof = r#"{\"proof\":{\"amr\":[\"pwd\",\"otp\"],\"at\":\"$(date -u +%FT%TZ)\"}}"#;
    succeeds(&format!("{curl} --json \"{proof}\" {api}/batches"));
    let events = succeeds(&format!("{curl} {api}/events"));
    assert!(events.contains(r#""ip":"127.0.0.1""#), "{events}");
    running.stop();
}

/// Row A-93.
#[test]
fn plain_http_is_not_answered_where_https_is_spoken() {
    let place = Place::new();
    let (running, address) = start(&place);
    let mut stream = connect(&address);
    write!(stream, "GET /healthz HTTP/1.1\r\nHost: {address}\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    // Cut off or told in an alert: neither is an answer.
    let _read = stream.read_to_end(&mut answer);
    assert!(!String::from_utf8_lossy(&answer).contains("HTTP"));
    assert!(answer.len() < 16, "{answer:?}");
    running.stop();
}

#[test]
fn a_damaged_authority_is_left_as_it_is_and_the_way_out_is_named() {
    let place = Place::new();
    let (running, _) = start(&place);
    running.stop();
    let data = place.path("spare-key-data");
    for (name, said) in [
        ("ca.pem", "holds no certificate"),
        ("ca-key.pem", "holds no private key"),
        ("server.pem", "server.pem"),
    ] {
        let path = data.join(name);
        let sound = fs::read(&path).unwrap();
        fs::write(&path, "a letter").unwrap();
        let refused = place.run(&["--https", "--listen", "127.0.0.1:0"]).refused();
        assert!(refused.stderr.contains(said), "{refused:?}");
        assert!(refused.stderr.contains("do: put "), "{refused:?}");
        assert!(refused.stderr.contains("rm spare-key-data/"), "{refused:?}");
        assert_eq!(fs::read(&path).unwrap(), b"a letter");
        fs::write(&path, sound).unwrap();
    }
    let (running, _) = start(&place);
    running.stop();
}

#[test]
fn https_is_for_dev_and_certificates_of_an_operator_are_for_serve() {
    let place = Place::new();
    for line in [
        ["--https", "serve"].as_slice(),
        &["dev", "--tls-cert", "a", "--tls-key", "b"],
        &["dev", "--https", "--issuer", "http://localhost:1"],
    ] {
        place.run(line).wrong_usage();
    }
    assert!(!place.path("spare-key-data").exists());
}

/// Row A-90.
#[test]
fn cookies_by_https_are_for_this_host_alone() {
    let place = Place::new();
    let (running, address) = start(&place);
    let ca = place.path("spare-key-data/ca.pem");
    let head = succeeds(&format!(
        "curl -s -o /dev/null -D - --cacert '{}' --resolve localhost:{port}:127.0.0.1 \
         https://localhost:{port}/u/login",
        ca.display(),
        port = address.rsplit(':').next().unwrap().trim_end_matches('/'),
    ));
    let cookies: Vec<_> = head
        .lines()
        .filter(|line| line.to_lowercase().starts_with("set-cookie:"))
        .collect();
    assert!(!cookies.is_empty(), "{head}");
    for cookie in cookies {
        assert!(cookie[11..].trim().starts_with("__Host-"), "{cookie}");
        for part in ["; Secure", "; HttpOnly", "; SameSite=", "; Path=/"] {
            assert!(cookie.contains(part), "{cookie} without {part}");
        }
        assert!(!cookie.contains("Domain="), "{cookie}");
    }
    running.stop();
}
