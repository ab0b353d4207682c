//! What the templates show: one struct a template, fields as its head says.

use askama::Template;

use crate::texts::{Day, Texts};

/// Something that went wrong: the code for machines, the words for people.
pub(super) struct Problem {
    pub(super) code: &'static str,
    pub(super) text: String,
}

/// What went wrong, in Auth0's shape: messages of the page and messages of fields.
#[derive(Default)]
pub(super) struct Errors {
    page: Vec<Problem>,
    fields: Vec<(&'static str, Problem)>,
}

impl Errors {
    /// Nothing went wrong.
    pub(super) fn none() -> Self {
        Self::default()
    }

    /// A message of the page.
    pub(super) fn on_page(problem: Problem) -> Self {
        Self {
            page: vec![problem],
            fields: Vec::new(),
        }
    }

    /// A message of a field.
    pub(super) fn on_field(field: &'static str, problem: Problem) -> Self {
        Self {
            page: Vec::new(),
            fields: vec![(field, problem)],
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.page.is_empty() && self.fields.is_empty()
    }

    pub(super) fn page(&self) -> &[Problem] {
        &self.page
    }

    pub(super) fn field(&self, name: &str) -> Option<&Problem> {
        self.fields
            .iter()
            .find(|(field, _)| *field == name)
            .map(|(_, problem)| problem)
    }
}

/// What every page has.
pub(super) struct Frame {
    pub(super) t: Texts,
    pub(super) product: String,
    pub(super) csrf: String,
    pub(super) state: String,
    /// The query of the address, for the switch of languages.
    pub(super) here: String,
}

macro_rules! page {
    ($(#[$doc:meta])* $name:ident, $path:literal, { $($field:ident : $kind:ty),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Template)]
        #[template(path = $path)]
        pub(super) struct $name {
            pub(super) t: Texts,
            pub(super) product: String,
            pub(super) csrf: String,
            pub(super) state: String,
            pub(super) here: String,
            pub(super) errors: Errors,
            $(pub(super) $field: $kind,)*
        }
    };
}

page!(
    /// Identifier and password.
    Login, "login.html", { action: String, username: String, wait_seconds: u32 }
);

page!(
    /// The QR code and its first one-time password.
    OtpEnrollment, "mfa-otp-enrollment-qr.html", {
        action: String,
        replacing: bool,
        step: u32,
        steps: u32,
        qr_svg: String,
        secret_groups: Vec<String>,
        account: String,
        wait_seconds: u32,
    }
);

page!(
    /// The save prompt.
    SaveCodes, "mfa-recovery-code-enrollment.html", {
        screen: &'static str,
        action: String,
        download: String,
        step: u32,
        steps: u32,
        account: String,
        generation: u32,
        issued: Day,
        codes: Vec<super::wire::ShownCode>,
        more_time: String,
        expires_in: u32,
        warn_before: u32,
    }
);

page!(
    /// A one-time password on the way in, or to confirm who is in.
    OtpChallenge, "mfa-otp-challenge.html", {
        action: String,
        coming_in: bool,
        recovery_offered: bool,
        remember_days: Option<u32>,
        wait_seconds: u32,
    }
);

page!(
    /// A recovery code on the way in.
    CodeChallenge, "mfa-recovery-code-challenge.html", {
        action: String,
        tries_left: Option<u32>,
        wait_seconds: u32,
        format: &'static str,
    }
);

page!(
    /// In by a recovery code: what is left, what to do now.
    AfterRecovery, "after-recovery.html", {
        action: String,
        number: u32,
        remaining: u32,
        total: u32,
        generation: u32,
        issued: Day,
    }
);

page!(
    /// Factors, codes, recent events.
    AccountPage, "account.html", {
        account: String,
        recovered: bool,
        enabled: bool,
        authenticator: Option<AuthenticatorView>,
        codes: Option<CodesView>,
        pending: bool,
        browsers: Option<Vec<BrowserView>>,
        trail: TrailView,
        administrator: bool,
    }
);

page!(
    /// The consequence first, then a fresh factor.
    Regenerate, "regenerate.html", { codes: Option<CodesView>, fresh: bool, wait_seconds: u32 }
);

/// Accounts, for an administrator.
#[derive(Template)]
#[template(path = "admin.html")]
pub(super) struct Admin {
    pub(super) t: Texts,
    pub(super) product: String,
    pub(super) here: String,
    pub(super) done: bool,
    pub(super) enabled: bool,
    pub(super) settable: bool,
    pub(super) sought: String,
    pub(super) lines: Vec<AccountLineView>,
    pub(super) next: Option<String>,
    pub(super) beginning: bool,
    pub(super) more_by_id: Option<String>,
}

/// One account, for an administrator.
#[derive(Template)]
#[template(path = "admin-account.html")]
pub(super) struct AdminAccount {
    pub(super) t: Texts,
    pub(super) product: String,
    pub(super) here: String,
    pub(super) name: String,
    pub(super) id: String,
    pub(super) query: String,
    pub(super) done: &'static str,
    pub(super) authenticator: Option<AuthenticatorView>,
    pub(super) codes: Option<CodesView>,
    pub(super) last_used: Option<Day>,
    pub(super) trail: TrailView,
}

page!(
    /// The consequence first, then a fresh factor.
    AdminConfirm, "admin-confirm.html", {
        action: &'static str,
        title: String,
        description: String,
        button: String,
        id: String,
        cancel: String,
        fresh: bool,
        wait_seconds: u32,
    }
);

/// An account in the list of an administrator.
pub(super) struct AccountLineView {
    pub(super) name: String,
    pub(super) id: String,
    pub(super) href: String,
    pub(super) authenticated: bool,
    /// Generation, codes left and all of them; `None` where no batch is live.
    pub(super) codes: Option<(u32, u32, u32)>,
    pub(super) last_used: Option<Day>,
}

/// Every element in every state, for development.
#[derive(Template)]
#[template(path = "gallery.html")]
pub(super) struct Gallery {
    pub(super) t: Texts,
    pub(super) product: String,
    pub(super) here: String,
}

/// The bound authenticator.
pub(super) struct AuthenticatorView {
    pub(super) added: Day,
    pub(super) last_used: Option<Day>,
}

/// The live batch.
pub(super) struct CodesView {
    pub(super) remaining: u32,
    pub(super) total: u32,
    /// Another system made them.
    pub(super) imported: bool,
    /// Few are left, and the person has not heard enough of that.
    pub(super) remind: bool,
    /// They come from an older backup: new ones are asked for.
    pub(super) kept: bool,
    pub(super) generation: u32,
    pub(super) issued: Day,
}

/// A remembered browser.
pub(super) struct BrowserView {
    pub(super) id: String,
    /// What it called itself; "" where that says nothing.
    pub(super) label: String,
    /// From where.
    pub(super) ip: String,
    pub(super) since: Day,
    pub(super) until: Day,
}

/// A page of recent activity.
pub(super) struct TrailView {
    pub(super) lines: Vec<EventView>,
    /// Where the next page begins, where there is one.
    pub(super) older: Option<i64>,
    /// This is the first page.
    pub(super) newest: bool,
    /// What was tried before this sign-in.
    pub(super) tried: Option<TriedView>,
}

/// Codes that were refused, with the right password, since the sign-in before this one.
pub(super) struct TriedView {
    pub(super) times: u32,
    pub(super) last: Day,
}

/// One line of recent activity.
pub(super) struct EventView {
    pub(super) at: Day,
    pub(super) text: String,
}

/// One sentence and one way on.
#[derive(Template)]
#[template(path = "message.html")]
pub(super) struct Message {
    pub(super) t: Texts,
    pub(super) product: String,
    pub(super) here: String,
    pub(super) title: String,
    pub(super) description: String,
    /// The error code, where it is one; "" where nothing went wrong.
    pub(super) error: &'static str,
    pub(super) action: Option<LinkView>,
    pub(super) form: Option<FormView>,
    pub(super) reference: String,
}

/// A way on that changes nothing.
pub(super) struct LinkView {
    pub(super) href: &'static str,
    pub(super) text: String,
}

/// A way on that changes something: a button that posts.
pub(super) struct FormView {
    pub(super) action: String,
    pub(super) csrf: String,
    pub(super) state: String,
    pub(super) text: String,
}

/// The front page of a development server.
#[derive(Template)]
#[template(path = "home.html")]
pub(super) struct Home {
    pub(super) t: Texts,
    pub(super) product: String,
    pub(super) here: String,
    pub(super) password: String,
    pub(super) accounts: Vec<DemoAccount>,
}

/// Somebody one can be.
pub(super) struct DemoAccount {
    pub(super) name: &'static str,
    pub(super) email: &'static str,
    pub(super) totp_secret: &'static str,
}
