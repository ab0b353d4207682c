//! Who somebody is, signing in, and sessions.

use serde::Serialize;
use utoipa::ToSchema;

use super::{Shown, codes};
use crate::clock::rfc3339;
use crate::domain::{AccountCard, BearerSession, Grace, OwnSession, Redemption};
use crate::model::{AccountId, Timestamp, Token};

/// Who somebody is, in short.
#[derive(Serialize, ToSchema)]
#[schema(as = CanopyIdentity)]
pub(in crate::http::canopy) struct IdentityLine {
    #[schema(format = Uuid)]
    id: String,
    email: String,
    first_name: String,
    last_name: String,
}

impl IdentityLine {
    /// Of this account.
    pub(in crate::http::canopy) fn of(card: &AccountCard) -> Self {
        Self::named(&card.id, card.login.as_deref())
    }

    /// Of the account with this identifier and this login.
    pub(in crate::http::canopy) fn named(id: &AccountId, login: Option<&str>) -> Self {
        let email = login.unwrap_or(id.as_str()).to_owned();
        let name = email.split('@').next().unwrap_or_default();
        let mut letters = name.chars();
        let first = letters.next().map(|first| first.to_uppercase().to_string());
        Self {
            id: id.uuid().to_string(),
            first_name: first.unwrap_or_default() + letters.as_str(),
            last_name: String::new(),
            email,
        }
    }
}

/// Who somebody is.
#[derive(Serialize, ToSchema)]
#[schema(as = CanopyMe)]
pub(in crate::http::canopy) struct Me {
    #[serde(flatten)]
    #[schema(inline)]
    line: IdentityLine,
    /// False: nobody has checked it.
    email_verified: bool,
    #[schema(format = DateTime)]
    created_at: String,
}

impl Me {
    /// Of this account.
    pub(in crate::http::canopy) fn of(card: &AccountCard) -> Self {
        Self {
            line: IdentityLine::of(card),
            email_verified: false,
            created_at: rfc3339(card.created_at),
        }
    }
}

/// A sign-in that has come to a session, or to a challenge.
#[derive(Serialize, ToSchema)]
#[schema(as = CanopySession)]
pub(in crate::http::canopy) struct SessionAnswer {
    /// False: there is one.
    requires_application_selection: bool,
    /// Whether a factor is to be proven first.
    requires_mfa_challenge: bool,
    /// Seconds that the access token is good for; 0 with a challenge.
    expires_in: i64,
    identity: IdentityLine,
    #[serde(skip_serializing_if = "Option::is_none")]
    access_token: Option<Shown>,
    /// `Bearer`.
    #[serde(skip_serializing_if = "Option::is_none")]
    token_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mfa_challenge: Option<Challenge>,
    /// True where a factor should be enrolled and there is still time.
    #[serde(skip_serializing_if = "Option::is_none")]
    mfa_enrollment_pending: Option<bool>,
    /// Until when; in the past where nothing else can be done in this session.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    grace_expires_at: Option<String>,
    /// Codes left, where one was redeemed.
    #[serde(skip_serializing_if = "Option::is_none")]
    recovery_codes_remaining: Option<u32>,
    /// The number of the list it was of.
    #[serde(skip_serializing_if = "Option::is_none")]
    recovery_codes_generation: Option<u32>,
    /// Its place there: cross it out.
    #[serde(skip_serializing_if = "Option::is_none")]
    recovery_code_number: Option<u32>,
    /// The code that takes its place, where there was only that one.
    #[serde(skip_serializing_if = "Option::is_none")]
    recovery_codes: Option<Vec<Shown>>,
}

/// What is to be proven, and by when.
#[derive(Serialize, ToSchema)]
#[schema(as = CanopyChallenge)]
struct Challenge {
    challenge_token: Shown,
    /// `totp`, and `recovery_code` whenever there are recovery codes at all.
    available_factors: Vec<&'static str>,
    #[schema(format = DateTime)]
    expires_at: String,
}

impl SessionAnswer {
    fn plain(card: &AccountCard) -> Self {
        Self {
            requires_application_selection: false,
            requires_mfa_challenge: false,
            expires_in: 0,
            identity: IdentityLine::of(card),
            access_token: None,
            token_type: None,
            mfa_challenge: None,
            mfa_enrollment_pending: None,
            grace_expires_at: None,
            recovery_codes_remaining: None,
            recovery_codes_generation: None,
            recovery_code_number: None,
            recovery_codes: None,
        }
    }

    /// A factor is to be proven first.
    pub(in crate::http::canopy) fn challenge(
        card: &AccountCard,
        token: &Token,
        expires_at: Timestamp,
        available_factors: Vec<&'static str>,
    ) -> Self {
        Self {
            requires_mfa_challenge: true,
            mfa_challenge: Some(Challenge {
                challenge_token: Shown::token(token),
                available_factors,
                expires_at: rfc3339(expires_at),
            }),
            ..Self::plain(card)
        }
    }

    /// There is a session.
    pub(in crate::http::canopy) fn signed_in(
        card: &AccountCard,
        access: String,
        expires_in: i64,
    ) -> Self {
        Self {
            expires_in,
            access_token: Some(Shown(access.into())),
            token_type: Some("Bearer"),
            ..Self::plain(card)
        }
    }

    /// Of somebody who should enroll a factor.
    pub(in crate::http::canopy) fn with_grace(mut self, grace: Option<Grace>) -> Self {
        if let Some(grace) = grace {
            self.mfa_enrollment_pending = (!grace.over).then_some(true);
            self.grace_expires_at = Some(rfc3339(grace.ends_at));
        }
        self
    }

    /// By this code.
    pub(in crate::http::canopy) fn by_code(mut self, redemption: &Redemption) -> Self {
        self.recovery_codes_remaining = Some(redemption.remaining);
        self.recovery_codes_generation = Some(redemption.generation.0);
        self.recovery_code_number = Some(redemption.number);
        self.recovery_codes = redemption.replacement.as_ref().map(codes);
        self
    }
}

/// The next access token.
#[derive(Serialize, ToSchema)]
#[schema(as = CanopyRefreshed)]
pub(in crate::http::canopy) struct Refreshed {
    access_token: Shown,
    /// `Bearer`.
    token_type: &'static str,
    expires_in: i64,
}

impl Refreshed {
    /// This one.
    pub(in crate::http::canopy) fn new(access: String, expires_in: i64) -> Self {
        Self {
            access_token: Shown(access.into()),
            token_type: "Bearer",
            expires_in,
        }
    }
}

/// A session in the list of its owner.
#[derive(Serialize, ToSchema)]
#[schema(as = CanopySessionLine)]
pub(in crate::http::canopy) struct SessionLine {
    #[schema(format = Uuid)]
    id: String,
    #[schema(format = DateTime)]
    created_at: String,
    /// To the minute.
    #[schema(format = DateTime)]
    last_seen_at: String,
    /// Whether it is the one that asks.
    current: bool,
}

impl From<OwnSession> for SessionLine {
    fn from(session: OwnSession) -> Self {
        Self {
            id: session.id.to_string(),
            created_at: rfc3339(session.created_at),
            last_seen_at: rfc3339(session.last_seen_at),
            current: session.current,
        }
    }
}

/// The refresh cookie's value and end.
pub(in crate::http::canopy) fn refresh_of(opened: &BearerSession) -> (&Token, Timestamp) {
    (&opened.refresh, opened.expires_at)
}
