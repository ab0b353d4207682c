//! How people are told of what happens to their codes and factors.

use std::fmt;
use std::path::PathBuf;

use clap::Args;
use lettre::message::Mailbox;

use super::ConfigError;
use crate::notify::{MailServer, MailSettings, WebhookUrl};

/// What was given, by flags and environment or by the file.
#[derive(Clone, Default, Args)]
pub struct NoticesGiven {
    /// Where mail to people leaves: smtps://USER:PASSWORD@HOST, smtp://USER:PASSWORD@HOST (STARTTLS)
    /// or folder:PATH; without it none is sent
    ///
    /// By ?tls=none in the clear, for a server without a password. With a password in it, give it as
    /// SPARE_KEY_MAIL_SERVER or in the settings file.
    // Text here and read later: clap would repeat a wrong address, password and all.
    #[arg(
        long,
        global = true,
        value_name = "URL",
        env = "SPARE_KEY_MAIL_SERVER",
        hide_env_values = true
    )]
    pub mail_server: Option<String>,

    /// Who mail is from
    #[arg(
        long,
        help = "Who mail is from [example: Example Inc. <no-reply@example.com>]",
        global = true,
        value_name = "ADDRESS",
        env = "SPARE_KEY_MAIL_FROM",
        hide_env_values = true
    )]
    pub mail_from: Option<String>,

    /// Whom mail says to turn to
    #[arg(
        long,
        help = "Whom mail says to turn to [default: who it is from]",
        global = true,
        value_name = "TEXT",
        env = "SPARE_KEY_MAIL_CONTACT",
        hide_env_values = true
    )]
    pub mail_contact: Option<String>,

    /// Your program that is told of what happens, in signed requests (see /docs/notices)
    #[arg(
        long,
        global = true,
        value_name = "URL",
        env = "SPARE_KEY_WEBHOOK",
        hide_env_values = true
    )]
    pub webhook: Option<String>,

    /// A file with what they are signed with: whsec_ and 24 to 64 bytes in Base64
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "SPARE_KEY_WEBHOOK_SECRET_FILE",
        hide_env_values = true
    )]
    pub webhook_secret_file: Option<PathBuf>,
}

/// Without what may hold a password.
impl fmt::Debug for NoticesGiven {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NoticesGiven")
            .field("mail_from", &self.mail_from)
            .field("webhook_secret_file", &self.webhook_secret_file)
            .finish_non_exhaustive()
    }
}

/// How people are told, checked.
#[derive(Debug, Clone, Default)]
pub struct Notices {
    /// By mail.
    pub mail: Option<MailGiven>,
    /// To a program.
    pub webhook: Option<WebhookGiven>,
}

/// Mail, without what only the server knows.
#[derive(Debug, Clone)]
pub struct MailGiven {
    /// Where it leaves.
    pub server: MailServer,
    /// Who it is from.
    pub from: Mailbox,
    /// Whom to turn to.
    pub contact: Option<String>,
}

/// A program, and where its secret is.
#[derive(Debug, Clone)]
pub struct WebhookGiven {
    /// Where it listens.
    pub url: WebhookUrl,
    /// The file.
    pub secret: PathBuf,
}

impl NoticesGiven {
    /// This, and where it says nothing, that.
    #[must_use]
    pub(super) fn over(self, file: Self) -> Self {
        Self {
            mail_server: self.mail_server.or(file.mail_server),
            mail_from: self.mail_from.or(file.mail_from),
            mail_contact: self.mail_contact.or(file.mail_contact),
            webhook: self.webhook.or(file.webhook),
            webhook_secret_file: self.webhook_secret_file.or(file.webhook_secret_file),
        }
    }

    /// What of it can be used.
    pub(super) fn checked(self) -> Result<Notices, ConfigError> {
        const SERVER: &str = "--mail-server";
        const FROM: &str = "--mail-from";
        const WEBHOOK: &str = "--webhook";
        const SECRET: &str = "--webhook-secret-file";
        let half = |given, wanted| ConfigError::HalfWay { given, wanted };
        let mail = match (self.mail_server, self.mail_from) {
            (Some(server), Some(from)) => Some(MailGiven {
                server: MailServer::parse(&server)?,
                from: MailSettings::sender(&from)?,
                contact: self.mail_contact,
            }),
            (Some(_), None) => return Err(half(SERVER, FROM)),
            (None, Some(_)) => return Err(half(FROM, SERVER)),
            (None, None) if self.mail_contact.is_some() => {
                return Err(half("--mail-contact", SERVER));
            }
            (None, None) => None,
        };
        let webhook = match (self.webhook, self.webhook_secret_file) {
            (Some(url), Some(secret)) => Some(WebhookGiven {
                url: WebhookUrl::parse(&url)?,
                secret,
            }),
            (Some(_), None) => return Err(half(WEBHOOK, SECRET)),
            (None, Some(_)) => return Err(half(SECRET, WEBHOOK)),
            (None, None) => None,
        };
        Ok(Notices { mail, webhook })
    }
}
