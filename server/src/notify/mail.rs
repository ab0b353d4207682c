//! By mail, to the person. In plain text, in their language, without a link that signs anybody in, and
//! never with a code.

use std::fmt;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message};
use lettre::transport::smtp::Error as SmtpError;
use lettre::transport::smtp::extension::ClientId;
use lettre::{Address, AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor};
use zeroize::Zeroizing;

use super::webhook;
use crate::domain::{Notice, Sending};
use crate::issuer::is_loopback;
use crate::texts::{Language, Texts, in_words};

/// How long the mail server may take for one answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// How mail leaves.
#[derive(Clone, PartialEq, Eq)]
pub enum MailServer {
    /// By a mail server: an address that `lettre` reads, with its password.
    Smtp(Zeroizing<String>),
    /// Into a folder, a file for each: for whoever wants to see what people would get.
    Folder(PathBuf),
}

/// Why no mail can be sent. Repeats nothing of an address: it may hold a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UnfitMail {
    /// Not an address of a mail server.
    #[error("the mail server is not an address that Spare Key knows")]
    Server,
    /// A password in the clear, over a network.
    #[error("with tls=none the mail server's password would travel in the clear")]
    Clear,
    /// Not a mail address.
    #[error("mail would come from something that is not a mail address")]
    From,
}

impl MailServer {
    /// Reads `smtps://USER:PASSWORD@HOST:PORT` (TLS from the start, port 465),
    /// `smtp://USER:PASSWORD@HOST:PORT` (TLS by STARTTLS, which the server must offer, port 587;
    /// with `?tls=none` in the clear, port 25) or `folder:PATH`.
    ///
    /// # Errors
    /// It is none of these.
    pub fn parse(text: &str) -> Result<Self, UnfitMail> {
        if let Some(path) = text.strip_prefix("folder:").filter(|path| !path.is_empty()) {
            return Ok(Self::Folder(PathBuf::from(path)));
        }
        let mut url = reqwest::Url::parse(text).map_err(|_| UnfitMail::Server)?;
        let host = url.host_str().filter(|host| !host.is_empty());
        let host = host.ok_or(UnfitMail::Server)?.to_owned();
        if !matches!(url.path(), "" | "/") || url.fragment().is_some() {
            return Err(UnfitMail::Server);
        }
        match (url.scheme(), url.query()) {
            ("smtps", None) => {}
            ("smtp", None | Some("tls=required")) => url.set_query(Some("tls=required")),
            ("smtp", Some("tls=none")) if url.password().is_some() && !is_loopback(&host) => {
                return Err(UnfitMail::Clear);
            }
            ("smtp", Some("tls=none")) => url.set_query(None),
            _ => return Err(UnfitMail::Server),
        }
        // A name without a password would be passed over without a word.
        if url.password().is_none() && !url.username().is_empty() {
            return Err(UnfitMail::Server);
        }
        let url = Zeroizing::new(url.to_string());
        // Reads it, and connects to nobody.
        Smtp::from_url(&url).map_err(|_| UnfitMail::Server)?;
        Ok(Self::Smtp(url))
    }
}

impl fmt::Debug for MailServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Smtp(_) => f.write_str("Smtp(…)"),
            Self::Folder(path) => f.debug_tuple("Folder").field(path).finish(),
        }
    }
}

/// How mail is sent, and what it says.
#[derive(Debug, Clone)]
pub struct MailSettings {
    /// How it leaves.
    pub server: MailServer,
    /// From whom.
    pub from: Mailbox,
    /// Whom to turn to; without it, who it is from.
    pub contact: Option<String>,
    /// Where people see their account, where there are pages.
    pub account: Option<String>,
}

impl MailSettings {
    /// Reads who it is from: `ADDRESS` or `NAME <ADDRESS>`.
    ///
    /// # Errors
    /// It is no mail address.
    pub fn sender(text: &str) -> Result<Mailbox, UnfitMail> {
        text.parse().map_err(|_| UnfitMail::From)
    }
}

type Smtp = AsyncSmtpTransport<Tokio1Executor>;

/// Greets the mail server by the name of whose mail it brings: it knows no better one, and many refuse
/// the number of this computer.
fn transport(url: &str, from: &Mailbox) -> Result<Smtp, SmtpError> {
    let name = ClientId::Domain(from.email.domain().to_owned());
    let smtp = Smtp::from_url(url)?.hello_name(name);
    Ok(smtp.timeout(Some(PATIENCE)).build())
}

/// By which way mail leaves, opened.
enum Outlet {
    Smtp(Smtp),
    Folder(PathBuf),
}

/// Sends mail.
pub struct Mailer {
    settings: MailSettings,
    outlet: Outlet,
}

impl fmt::Debug for Mailer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mailer")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

impl Mailer {
    /// Sends like this.
    ///
    /// # Errors
    /// The operating system's certificates cannot be read.
    pub fn new(settings: MailSettings) -> Result<Self, UnfitMail> {
        let outlet = match &settings.server {
            MailServer::Smtp(url) => {
                let smtp = transport(url, &settings.from);
                Outlet::Smtp(smtp.map_err(|_| UnfitMail::Server)?)
            }
            MailServer::Folder(folder) => Outlet::Folder(folder.clone()),
        };
        Ok(Self { settings, outlet })
    }

    /// Whether the mail server answers and lets this one in; what is wrong, without any address.
    ///
    /// # Errors
    /// It does not.
    pub async fn try_out(&self) -> Result<(), String> {
        match &self.outlet {
            Outlet::Smtp(smtp) => match smtp.test_connection().await {
                Ok(true) => Ok(()),
                Ok(false) => Err("the mail server answers and is not ready".to_owned()),
                Err(error) => Err(told(&error)),
            },
            Outlet::Folder(_) => Ok(()),
        }
    }

    /// Where it goes, in words and without a password.
    pub fn place(&self) -> String {
        match &self.outlet {
            Outlet::Smtp(_) => "the mail server takes what it is given".to_owned(),
            Outlet::Folder(folder) => format!("is put into the folder {}", folder.display()),
        }
    }

    /// Tells one person of all of this in one mail.
    pub(super) async fn send(&self, notices: &[Notice], product: &str) -> Sending {
        let Some(last) = notices.last() else {
            return Sending::Sent;
        };
        let address: Option<Address> = last.address.as_deref().and_then(|to| to.parse().ok());
        let Some(message) = address.and_then(|to| self.message(notices, to, product)) else {
            tracing::warn!(last.id, "somebody's mail address is none");
            return Sending::Hopeless;
        };
        let sent = match &self.outlet {
            Outlet::Smtp(smtp) => smtp
                .send(message)
                .await
                .map(drop)
                .map_err(|error| told(&error)),
            Outlet::Folder(folder) => put(folder, last, message.formatted())
                .await
                .map_err(|error| error.to_string()),
        };
        match sent {
            Ok(()) => Sending::Sent,
            Err(why) => {
                tracing::warn!(why, last.id, "a mail was not taken");
                Sending::Failed
            }
        }
    }

    fn message(&self, notices: &[Notice], to: Address, product: &str) -> Option<Message> {
        let last = notices.last()?;
        let language = last.language.as_deref().and_then(Language::named);
        let t = Texts::of_language(language.unwrap_or(Language::English));
        let from = &self.settings.from;
        let contact = match &self.settings.contact {
            Some(contact) => contact.clone(),
            None => from.email.to_string(),
        };
        let body = body(
            t,
            notices,
            product,
            self.settings.account.as_deref(),
            &contact,
        );
        // The same at every try (RFC 5322, 3.6.4), so that mail programs show it once; another one
        // where it tells of more.
        let id = format!(
            "<{}.{}.{}@{}>",
            webhook::name(&last.event),
            notices.first()?.event.id,
            notices.len(),
            from.email.domain()
        );
        let mut message = Message::builder()
            .from(from.clone())
            .to(Mailbox::new(None, to))
            .subject(subject(t, notices, product))
            .message_id(Some(id))
            .header(ContentType::TEXT_PLAIN)
            .body(body)
            .ok()?;
        // No holiday answers, please (RFC 3834, 5).
        for (name, value) in [
            ("Auto-Submitted", "auto-generated"),
            ("Content-Language", t.lang()),
        ] {
            let name = HeaderName::new_from_ascii_str(name);
            let value = HeaderValue::new(name, value.to_owned());
            message.headers_mut().insert_raw(value);
        }
        Some(message)
    }
}

fn subject(t: Texts, notices: &[Notice], product: &str) -> String {
    let mut told = notices
        .iter()
        .filter_map(|notice| in_words(t, &notice.event));
    match (told.next(), told.next()) {
        (Some(what), None) => format!("{product}: {what}"),
        _ => format!("{product}: {}", t.get("notice.changes")),
    }
}

/// What happened, and what to do if it was not them (NIST SP 800-63B-4, 4.6).
fn body(
    t: Texts,
    notices: &[Notice],
    product: &str,
    account: Option<&str>,
    contact: &str,
) -> String {
    let whose = notices.first().map_or("", |first| {
        first.login.as_deref().unwrap_or(first.account.as_str())
    });
    let whose = ("account", whose.to_owned());
    let mut parts = vec![t.fill("notice.intro", &[whose, ("product", product.to_owned())])];
    for notice in notices {
        parts.extend(paragraph(t, notice));
    }
    parts.push(t.get("notice.you"));
    parts.push(match account {
        Some(page) => t.fill("notice.notYou", &[("page", page.to_owned())]),
        None => t.get("notice.notYouElsewhere"),
    });
    parts.push(t.fill("notice.contact", &[("contact", contact.to_owned())]));
    parts.push(t.get("notice.never"));
    parts.join("\n\n") + "\n"
}

/// One event: what, when, by whom, how many codes are left, from where.
fn paragraph(t: Texts, notice: &Notice) -> Option<String> {
    let event = &notice.event;
    let mut lines = vec![
        format!("* {}", in_words(t, event)?),
        format!("  {}", t.moment(event.at).text),
    ];
    let by = event
        .actor
        .administers()
        .then(|| t.get("notice.byAdministrator"));
    let left = event.remaining.map(|left| t.count("notice.left", &left));
    let ip = event.ip.as_ref().map(IpAddr::to_string);
    let from = ip.map(|ip| t.fill("notice.from", &[("ip", ip)]));
    lines.extend(
        [by, left, from]
            .into_iter()
            .flatten()
            .map(|line| format!("  {line}")),
    );
    Some(lines.join("\n"))
}

/// What a mail server said, as its number: its words often repeat the address.
fn told(error: &SmtpError) -> String {
    match error.status() {
        Some(code) => format!("the mail server answered {code}"),
        None if error.is_timeout() => "the mail server did not answer in time".to_owned(),
        None if error.is_tls() => "no TLS with the mail server".to_owned(),
        None if error.is_response() => "the mail server answered nonsense".to_owned(),
        None => "the mail server was not reached".to_owned(),
    }
}

async fn put(folder: &Path, notice: &Notice, mail: Vec<u8>) -> std::io::Result<()> {
    let name = format!("{}-{}.eml", webhook::name(&notice.event), notice.id);
    let (folder, file) = (folder.to_owned(), folder.join(name));
    let put = tokio::task::spawn_blocking(move || {
        std::fs::create_dir_all(folder)?;
        std::fs::write(file, mail)
    });
    put.await
        .unwrap_or_else(|error| Err(std::io::Error::other(error)))
}
