//! Administration: accounts with what they have left, helping somebody, the switch. Never a code.
//!
//! For everybody who is no administrator there is nothing here. An address names an account by its
//! identifier, in the query. Whatever changes something says the consequence first and asks for a
//! fresh factor.

use axum::Router;
use axum::extract::Query;
use axum::routing::get;
use serde::Deserialize;

use super::account::{codes_view, step_up};
use super::activity::{self, Older};
use super::error::{PageError, Told};
use super::form::AdminForm;
use super::view::{AccountLineView, Admin, AdminAccount, AdminConfirm, AuthenticatorView};
use super::visitor::{Posted, Visitor};
use super::{Answer, Frame, errors, frame, page, quiet, shown_on};
use crate::domain::{AccountCard, AccountLine, Administrator, Caller, Error, Refusal, Sought};
use crate::http::Web;
use crate::model::AccountId;

const HOME: &str = "/admin";
const SCREEN: &str = "admin-confirm";

/// Accounts on a page.
const LINES: u32 = 25;

pub(super) fn router() -> Router<Web> {
    let mut router = Router::new()
        .route(HOME, get(home))
        .route("/admin/account", get(account));
    for deed in &DEEDS {
        router = router.route(
            deed.path,
            get(|visitor, id| ask(visitor, id, deed)).post(|posted| carry_out(posted, deed)),
        );
    }
    router
}

/// What an administrator can do.
struct Deed {
    path: &'static str,
    /// Under what name its texts stand.
    name: &'static str,
    what: What,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    Reset,
    Revoke,
    SwitchOn,
    SwitchOff,
}

const DEEDS: [Deed; 4] = [
    Deed {
        path: "/admin/account/reset",
        name: "reset",
        what: What::Reset,
    },
    Deed {
        path: "/admin/account/revoke",
        name: "revoke",
        what: What::Revoke,
    },
    Deed {
        path: "/admin/switch-on",
        name: "on",
        what: What::SwitchOn,
    },
    Deed {
        path: "/admin/switch-off",
        name: "off",
        what: What::SwitchOff,
    },
];

impl Deed {
    /// Whether it is done to one account and not to everybody.
    fn is_to_one(&self) -> bool {
        matches!(self.what, What::Reset | What::Revoke)
    }
}

/// The query of the list.
#[derive(Deserialize)]
struct Listed {
    #[serde(default)]
    q: String,
    #[serde(default)]
    by: String,
    after: Option<String>,
    #[serde(default)]
    done: String,
}

/// The query of one account.
#[derive(Deserialize)]
struct Named {
    #[serde(default)]
    id: String,
    #[serde(default)]
    done: String,
}

/// A query with these values; none of them can add another.
fn query(pairs: &[(&str, &str)]) -> String {
    serde_urlencoded::to_string(pairs).unwrap_or_default()
}

/// Whoever may be here, as an administrator.
async fn administrator(visitor: &Visitor) -> Result<(Caller, Administrator), PageError> {
    let of = |error| PageError::of(visitor, error);
    let caller = visitor.session().await.map_err(of)?;
    let found = visitor.web.mfa.administrator(&caller).await.map_err(of)?;
    let administrator = found.ok_or_else(|| PageError::not_found(visitor))?;
    Ok((caller, administrator))
}

async fn home(visitor: Visitor, Query(listed): Query<Listed>) -> Answer {
    let of = |error| PageError::of(&visitor, error);
    let (_, administrator) = administrator(&visitor).await?;
    let mfa = &visitor.web.mfa;
    let sought = Sought {
        prefix: listed.q.trim().to_owned(),
        by_id: listed.by == "id",
        after: listed.after.clone(),
        limit: LINES,
    };
    let found = mfa
        .find_accounts(&administrator, &sought)
        .await
        .map_err(of)?;
    let t = visitor.texts();
    let address = |pairs: &[(&str, &str)]| format!("{HOME}?{}", query(pairs));
    let by = if found.by_id { "id" } else { "" };
    let q = sought.prefix.as_str();
    let template = Admin {
        t,
        product: mfa.policy().product.clone(),
        here: visitor.query().to_owned(),
        done: listed.done == "switch",
        enabled: mfa.recovery_codes().await.map_err(of)?,
        settable: mfa.recovery_codes_are_settable(),
        next: found
            .next
            .map(|after| address(&[("q", q), ("by", by), ("after", &after)])),
        beginning: listed.after.is_none(),
        more_by_id: found.more_by_id.then(|| address(&[("q", q), ("by", "id")])),
        lines: found
            .lines
            .into_iter()
            .map(|line| line_view(&visitor, line))
            .collect(),
        sought: sought.prefix,
    };
    Ok(page(&visitor, &quiet(), &template))
}

fn line_view(visitor: &Visitor, line: AccountLine) -> AccountLineView {
    let t = visitor.texts();
    let AccountLine {
        id,
        login,
        authenticators,
        generation,
        total,
        remaining,
        last_redeemed_at,
        created_at: _,
    } = line;
    let id = id.as_str().to_owned();
    AccountLineView {
        href: format!("/admin/account?{}", query(&[("id", &id)])),
        name: login.unwrap_or_else(|| id.clone()),
        id,
        authenticated: authenticators > 0,
        codes: (total > 0).then_some((generation.0, remaining, total)),
        last_used: last_redeemed_at.map(|at| t.day(at)),
    }
}

/// The account that is named, if there is one.
async fn named(visitor: &Visitor, id: &str) -> Result<AccountCard, PageError> {
    let id = AccountId::parse(id).ok_or_else(|| PageError::not_found(visitor))?;
    match visitor.web.mfa.account(&id).await {
        Ok(card) => Ok(card),
        Err(Error::Refused(Refusal::UnknownAccount)) => Err(PageError::not_found(visitor)),
        Err(error) => Err(PageError::of(visitor, error)),
    }
}

/// What people know an account by.
fn name_of(card: &AccountCard) -> String {
    let name = card.login.as_deref().unwrap_or(card.id.as_str());
    name.to_owned()
}

async fn account(
    visitor: Visitor,
    Query(Named { id, done }): Query<Named>,
    Query(older): Query<Older>,
) -> Answer {
    let of = |error| PageError::of(&visitor, error);
    administrator(&visitor).await?;
    let card = named(&visitor, &id).await?;
    let mfa = &visitor.web.mfa;
    let status = mfa.status(&card.id).await.map_err(of)?;
    let person = Caller::administrator(card.id.clone());
    let factors = mfa.factors(&person).await.map_err(of)?;
    let t = visitor.texts();
    let template = AdminAccount {
        t,
        product: mfa.policy().product.clone(),
        here: visitor.query().to_owned(),
        name: name_of(&card),
        query: query(&[("id", card.id.as_str())]),
        id: card.id.as_str().to_owned(),
        done: match done.as_str() {
            "reset" => "admin.resetDone",
            "revoke" => "admin.revokeDone",
            _ => "",
        },
        authenticator: factors.first().map(|factor| AuthenticatorView {
            added: t.day(factor.confirmed_at),
            last_used: factor.last_used_at.map(|at| t.day(at)),
        }),
        codes: codes_view(t, &status),
        last_used: status.last_redeemed_at.map(|at| t.day(at)),
        trail: activity::trail(&visitor, &card.id, older.before())
            .await
            .map_err(of)?,
    };
    Ok(page(&visitor, &quiet(), &template))
}

async fn ask(visitor: Visitor, Query(Named { id, .. }): Query<Named>, deed: &Deed) -> Answer {
    let (_, administrator) = administrator(&visitor).await?;
    confirmation(&visitor, &administrator, &id, deed, &quiet()).await
}

/// The consequence first, then a fresh factor.
async fn confirmation(
    visitor: &Visitor,
    administrator: &Administrator,
    id: &str,
    deed: &Deed,
    told: &Told,
) -> Answer {
    let card = match deed.is_to_one() {
        true => Some(named(visitor, id).await?),
        false => None,
    };
    let Frame {
        t,
        product,
        csrf,
        state,
        here,
    } = frame(visitor)?;
    let id = card.as_ref().map_or("", |card| card.id.as_str()).to_owned();
    let account = card.as_ref().map(name_of).unwrap_or_default();
    let text = |part: &str| {
        let key = format!("{SCREEN}.{}{part}", deed.name);
        t.fill(&key, &[("account", account.clone())])
    };
    let template = AdminConfirm {
        t,
        product,
        csrf,
        state,
        here,
        errors: errors(t, told, SCREEN),
        action: deed.path,
        title: text("Title"),
        description: text("Description"),
        button: text("Text"),
        cancel: match deed.is_to_one() {
            true => format!("/admin/account?{}", query(&[("id", &id)])),
            false => HOME.to_owned(),
        },
        id,
        fresh: administrator.is_fresh(),
        wait_seconds: told.wait_seconds,
    };
    Ok(page(visitor, told, &template))
}

/// A fresh factor where one is due, a new session, then the deed.
async fn carry_out(Posted { visitor, form }: Posted<AdminForm>, deed: &Deed) -> Answer {
    let of = |error| PageError::of(&visitor, error);
    let (caller, mut administrator) = administrator(&visitor).await?;
    let mut session = None;
    if !administrator.is_fresh() {
        match step_up(&visitor, &caller, &form.code).await {
            Ok(token) => {
                let mfa = &visitor.web.mfa;
                let fresh = mfa.caller_by_session(&token, visitor.ip()).await;
                let fresh = mfa.administrator(&fresh.map_err(of)?).await.map_err(of)?;
                administrator = fresh.ok_or_else(|| PageError::not_found(&visitor))?;
                session = Some(token);
            }
            Err(refused) => {
                let told = refused.on(SCREEN, &visitor)?;
                return confirmation(&visitor, &administrator, &form.id, deed, &told).await;
            }
        }
    }
    let then = match done(&visitor, &administrator, &form.id, deed).await {
        Ok(then) => then,
        // With the new session the question is simply asked again.
        Err(Failed::Domain(error)) if session.is_none() => {
            let told = shown_on(SCREEN, Some("code"), &visitor, error)?;
            return confirmation(&visitor, &administrator, &form.id, deed, &told).await;
        }
        Err(Failed::Domain(error)) => return Err(of(error)),
        Err(Failed::Page(error)) => return Err(*error),
    };
    match session {
        Some(token) => visitor.go_on_by_session(&then, &token),
        None => visitor.go_to(&then),
    }
}

enum Failed {
    Domain(Error),
    Page(Box<PageError>),
}

/// Does it, and says where that is to be seen.
async fn done(
    visitor: &Visitor,
    administrator: &Administrator,
    id: &str,
    deed: &Deed,
) -> Result<String, Failed> {
    let mfa = &visitor.web.mfa;
    if let What::SwitchOn | What::SwitchOff = deed.what {
        mfa.switch_for_everybody(administrator, deed.what == What::SwitchOn)
            .await
            .map_err(Failed::Domain)?;
        return Ok(format!("{HOME}?done=switch"));
    }
    let card = named(visitor, id).await;
    let card = card.map_err(|error| Failed::Page(Box::new(error)))?;
    match deed.what {
        What::Reset => mfa.reset_for(administrator, &card.id).await,
        _ => mfa.revoke_for(administrator, &card.id).await.map(drop),
    }
    .map_err(Failed::Domain)?;
    let told = query(&[("id", card.id.as_str()), ("done", deed.name)]);
    Ok(format!("/admin/account?{told}"))
}
