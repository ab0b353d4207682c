//! By which ways people are told, opened.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;

use zeroize::Zeroizing;

use super::failure::Failure;
use crate::config::{ConfigError, MailGiven, Notices, WebhookGiven};
use crate::notify::{Courier, MailSettings, Mailer, Webhook, WebhookSecret};

/// What a server tells people by.
pub(super) fn courier(notices: &Notices, issuer: &str, pages: bool) -> Result<Courier, Failure> {
    let account = pages.then(|| format!("{issuer}/account"));
    let mail = notices.mail.as_ref().map(|given| mailer(given, account));
    let webhook = notices.webhook.as_ref().map(webhook);
    Ok(Courier {
        mail: mail.transpose()?.map(Arc::new),
        webhook: webhook.transpose()?.map(Arc::new),
    })
}

fn mailer(given: &MailGiven, account: Option<String>) -> Result<Mailer, Failure> {
    let settings = MailSettings {
        server: given.server.clone(),
        from: given.from.clone(),
        contact: given.contact.clone(),
        account,
    };
    Mailer::new(settings).map_err(|unfit| ConfigError::from(unfit).into())
}

fn webhook(given: &WebhookGiven) -> Result<Webhook, Failure> {
    let secret = secret(&given.secret)?;
    Webhook::new(given.url.clone(), secret).map_err(|error| {
        Failure::new("the webhook cannot be called")
            .because(&error)
            .remedy("see that the operating system has certificates of authorities")
    })
}

/// What the webhook's requests are signed with: whoever reads it can pretend to be this server.
fn secret(path: &Path) -> Result<WebhookSecret, Failure> {
    let name = path.display();
    let unread = |error: std::io::Error| {
        Failure::usage(format!("the webhook's secret {name} cannot be read"))
            .because(&error)
            .remedy("name a file that the server may read with --webhook-secret-file")
    };
    let mode = fs::metadata(path).map_err(unread)?.permissions().mode();
    if mode & 0o007 != 0 {
        return Err(Failure::usage(format!(
            "everybody on this computer can read or change the webhook's secret {name}"
        ))
        .remedy(format!("chmod 640 {name}")));
    }
    let text = Zeroizing::new(fs::read_to_string(path).map_err(unread)?);
    WebhookSecret::parse(&text).map_err(|unfit| ConfigError::from(unfit).into())
}
