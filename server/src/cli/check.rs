//! `spare-key check`: whether everything is fit to serve.

use std::path::Path;
use std::sync::Arc;

use super::courier::courier;
use super::failure::Failure;
use super::open::{self, Absent, Missing};
use super::output::Output;
use super::serve;
use super::wire::{Finding, Report};
use crate::app::StoreUrl;
use crate::clock::{Clock, SystemClock, date, parse_rfc3339, rfc3339};
use crate::config::{Config, ConfigError, KeyringSource};
use crate::domain::keyring_unfit;
use crate::embedded;
use crate::model::Timestamp;
use crate::store::{Standing, Store};
use crate::tls::{Tls, TlsFiles};

/// A clock before this is not set; one-time passwords would be refused and codes misdated.
const NOT_BEFORE: &str = "2026-01-01T00:00:00Z";

pub(super) async fn run(
    config: Result<Config, ConfigError>,
    output: &mut Output,
    json: bool,
) -> Result<(), Failure> {
    let mut checks = Vec::new();
    match config {
        Ok(config) => {
            checks.push(configuration(&config));
            let (finding, store) = store(config.store.as_ref()).await;
            checks.push(finding);
            checks.push(keyring(config.keyring.as_ref(), store.as_deref()).await);
            checks.extend(config.tls.as_ref().map(tls));
            checks.extend(notices(&config).await);
        }
        Err(error) => checks.push(unfit("configuration", &error.into())),
    }
    checks.push(clock(SystemClock.now()));
    checks.push(wasm(embedded::wasm()));
    let fit = checks.iter().all(|check| check.fit);
    if json {
        output.json(&Report { fit, checks })?;
    } else {
        for check in &checks {
            output.print(&check.text())?;
        }
    }
    if fit {
        Ok(())
    } else {
        Err(Failure::new("not fit to serve").remedy("mend what is marked with NO, and check again"))
    }
}

impl Finding {
    fn text(&self) -> String {
        let mark = if self.fit { "ok" } else { "NO" };
        let line = format!("{mark}  {:<13}  {}", self.name, self.detail);
        match &self.remedy {
            Some(remedy) => format!("{line}\n      {:<13}  do: {remedy}", ""),
            None => line,
        }
    }
}

fn fit(name: &'static str, detail: impl Into<String>) -> Finding {
    Finding {
        name,
        fit: true,
        detail: detail.into(),
        remedy: None,
    }
}

fn unfit(name: &'static str, failure: &Failure) -> Finding {
    Finding {
        name,
        fit: false,
        detail: failure.summary(),
        remedy: failure.advice().map(str::to_owned),
    }
}

fn not_given(missing: Missing) -> Failure {
    Failure::new("not given").remedy(format!("give {}", missing.text()))
}

fn configuration(config: &Config) -> Finding {
    // Store and keyring have lines of their own.
    let missing: Vec<_> = serve::missing(config)
        .into_iter()
        .filter(|missing| ![open::NO_STORE, open::NO_KEYRING].contains(missing))
        .map(Missing::text)
        .collect();
    if !missing.is_empty() {
        return Finding {
            name: "configuration",
            fit: false,
            detail: "something is missing".to_owned(),
            remedy: Some(format!("give {}", missing.join("; and "))),
        };
    }
    let issuer = config.issuer.as_ref().map_or("", |issuer| issuer.as_str());
    let file = match &config.file {
        Some(path) => format!(", settings file {}", path.display()),
        None => String::new(),
    };
    let listen = config.listens_on();
    let workers = config.workers;
    fit(
        "configuration",
        format!("listens on {listen} for {issuer}, {workers} workers{file}"),
    )
}

/// The store, and itself when it can be asked: nothing is brought up to date here.
async fn store(url: Option<&StoreUrl>) -> (Finding, Option<Arc<dyn Store>>) {
    const NAME: &str = "store";
    let Some(url) = url else {
        return (unfit(NAME, &not_given(open::NO_STORE)), None);
    };
    let standing = match url.look() {
        Ok(standing) => standing,
        Err(error) => return (unfit(NAME, &open::not_opened(url, &error)), None),
    };
    let finding = match (url, standing) {
        (_, Standing::Current) => return current(url).await,
        (_, Standing::Older { found, known }) => fit(
            NAME,
            format!("{url}, schema {found}, which is brought to {known} at the next start"),
        ),
        (StoreUrl::Sqlite(path), Standing::Absent) => not_there_yet(path),
        (StoreUrl::Postgres(_), Standing::Absent) => fit(
            NAME,
            format!("{url} is reached, its schema is made at the first start"),
        ),
    };
    (finding, None)
}

async fn current(url: &StoreUrl) -> (Finding, Option<Arc<dyn Store>>) {
    const NAME: &str = "store";
    let opened = match open::store(url, Absent::Refused) {
        Ok(store) => store,
        Err(failure) => return (unfit(NAME, &failure), None),
    };
    let finding = match opened.ping().await {
        Ok(()) => fit(NAME, format!("{url}, schema current, can be written to")),
        Err(error) => unfit(
            NAME,
            &Failure::new(format!("{url} cannot be written to"))
                .because(&error)
                .remedy(match url {
                    StoreUrl::Sqlite(_) => {
                        "see whose file it is, and whether its folder can be written to"
                    }
                    StoreUrl::Postgres(_) => {
                        "see that this is the primary server, and that the user may write there"
                    }
                }),
        ),
    };
    (finding, Some(opened))
}

/// The server will make it; a check makes nothing.
fn not_there_yet(path: &Path) -> Finding {
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    if folder.is_dir() {
        fit(
            "store",
            format!("{} is made at the first start", path.display()),
        )
    } else {
        unfit(
            "store",
            &Failure::new(format!("there is no folder {}", folder.display())).remedy(format!(
                "make it, for the server alone: mkdir -m 700 {}",
                folder.display()
            )),
        )
    }
}

async fn keyring(source: Option<&KeyringSource>, store: Option<&dyn Store>) -> Finding {
    const NAME: &str = "keyring";
    let Some(source) = source else {
        return unfit(NAME, &not_given(open::NO_KEYRING));
    };
    let keyring = match open::keyring(source) {
        Ok(keyring) => keyring,
        Err(error) => return unfit(NAME, &error.into()),
    };
    if let Some(store) = store {
        match keyring_unfit(store, &keyring, SystemClock.now()).await {
            Ok(None) => {}
            Ok(Some(misfit)) => return unfit(NAME, &misfit.into()),
            Err(fault) => {
                let failure = Failure::new("what was made with its keys could not be read");
                return unfit(NAME, &failure.because(&fault));
            }
        }
    }
    let current = keyring.current();
    match keyring.pepper(current) {
        Ok(_) => fit(
            NAME,
            format!("{} keys, key {} in use", keyring.lines().len(), current.0),
        ),
        Err(error) => unfit(NAME, &Failure::new(error.to_string())),
    }
}

fn tls(files: &TlsFiles) -> Finding {
    const NAME: &str = "tls";
    match Tls::load(files, SystemClock.now()) {
        Ok(tls) => fit(
            NAME,
            format!(
                "{} runs out on {}",
                files.certificate.display(),
                date(tls.until())
            ),
        ),
        Err(error) => unfit(NAME, &error.into()),
    }
}

/// Whether people can be told: the mail server is asked, the webhook's program is not.
async fn notices(config: &Config) -> Vec<Finding> {
    let issuer = config.issuer.as_ref().map_or("", |issuer| issuer.as_str());
    let courier = match courier(&config.notices, issuer, config.pages) {
        Ok(courier) => courier,
        Err(failure) => return vec![unfit("notices", &failure)],
    };
    let mut findings = Vec::new();
    if courier.mail.is_none() && courier.webhook.is_none() {
        findings.push(fit(
            "notices",
            "nobody is told of what happens to their codes: see --mail-server and --webhook",
        ));
    }
    if let Some(mailer) = &courier.mail {
        findings.push(match mailer.try_out().await {
            Ok(()) => fit("mail", mailer.place()),
            Err(why) => unfit(
                "mail",
                &Failure::new(why).remedy(
                    "see --mail-server: host, port, user, password, and whether it speaks TLS",
                ),
            ),
        });
    }
    if courier.webhook.is_some() {
        findings.push(fit("webhook", "its secret can be read; it was not called"));
    }
    findings
}

fn clock(now: Timestamp) -> Finding {
    if parse_rfc3339(NOT_BEFORE).is_some_and(|earliest| now > earliest) {
        fit("clock", rfc3339(now))
    } else {
        unfit(
            "clock",
            &Failure::new(format!("it is not {} now", rfc3339(now)))
                .remedy("set the clock, and keep it right with NTP"),
        )
    }
}

fn wasm(module: &[u8]) -> Finding {
    if module.starts_with(b"\0asm") {
        fit("wasm", format!("{} bytes in the binary", module.len()))
    } else {
        unfit(
            "wasm",
            &Failure::new("the browser module is not in this binary")
                .remedy("take a binary that was built whole"),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_was_never_set_is_not_fit() {
        assert!(!clock(Timestamp(0)).fit);
        assert!(clock(parse_rfc3339("2026-11-21T00:00:00Z").unwrap()).fit);
    }

    #[test]
    fn a_binary_without_its_browser_module_is_not_fit() {
        assert!(wasm(b"\0asm\x01\0\0\0").fit);
        assert!(!wasm(b"").fit);
        assert!(!wasm(b"<!doctype html>").fit);
    }
}
