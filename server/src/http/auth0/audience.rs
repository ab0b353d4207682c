//! For whom tokens are, and which scopes go with whom.

use crate::domain::{ClientCard, Grant, Reach};

/// Who it is (OpenID Connect Core, 5.4).
const IDENTITY: [&str; 3] = ["openid", "profile", "email"];

/// A refresh token.
const OFFLINE: &str = "offline_access";

/// The scopes of the person's own authenticators.
pub(super) const ENROLL: &str = "enroll";
/// List them.
pub(super) const READ_AUTHENTICATORS: &str = "read:authenticators";
/// Take one away.
pub(super) const REMOVE_AUTHENTICATORS: &str = "remove:authenticators";

/// The scopes of the account API.
pub(super) const READ_METHODS: &str = "read:me:authentication_methods";
/// List what can be enrolled.
pub(super) const READ_FACTORS: &str = "read:me:factors";
/// Make new codes.
pub(super) const CREATE_METHODS: &str = "create:me:authentication_methods";

/// The longest scope that is taken, in bytes.
const SCOPE_MAX: usize = 1024;

/// An API that tokens are for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Api {
    /// None: who it is.
    Identity,
    /// The tenant's management.
    Management,
    /// The same, for those who manage by the portal.
    Portal,
    /// The person's own authenticators.
    Mfa,
    /// The person's own account.
    MyAccount,
    /// Somebody else's.
    Other(String),
}

impl Api {
    /// What `audience` names, with or without the slash at its end; absent, it is who it is.
    pub(super) fn named(issuer: &str, audience: Option<&str>) -> Self {
        let Some(audience) = audience.filter(|audience| !audience.is_empty()) else {
            return Self::Identity;
        };
        let own = audience
            .strip_prefix(issuer)
            .map(|rest| rest.trim_end_matches('/'));
        match own {
            Some("api/v2") => Self::Management,
            Some("portal/v1") => Self::Portal,
            Some("mfa") => Self::Mfa,
            Some("me") => Self::MyAccount,
            Some("userinfo") => Self::Identity,
            _ => Self::Other(audience.to_owned()),
        }
    }

    /// Its name in tokens.
    pub(super) fn name(&self, issuer: &str) -> String {
        match self {
            Self::Identity => format!("{issuer}userinfo"),
            Self::Management => format!("{issuer}api/v2/"),
            Self::Portal => format!("{issuer}portal/v1"),
            Self::Mfa => format!("{issuer}mfa/"),
            Self::MyAccount => format!("{issuer}me/"),
            Self::Other(name) => name.clone(),
        }
    }

    /// What a person's token for it is good for; `None` when this client gets none.
    pub(super) fn reach(&self, client: &ClientCard) -> Option<Reach> {
        match self {
            Self::Identity => Some(Reach::Elsewhere),
            Self::Mfa | Self::MyAccount => Some(Reach::OwnFactors),
            Self::Other(name) if client.audiences.contains(name) => Some(Reach::Elsewhere),
            Self::Management | Self::Portal | Self::Other(_) => None,
        }
    }

    /// The part of the scopes asked for that a person's token for it can have, in their order and
    /// once each; nothing asked is who it is. `None`: it is too long or has unfit characters.
    pub(super) fn scopes(&self, asked: Option<&str>, client: &ClientCard) -> Option<String> {
        let asked = asked.unwrap_or("openid profile email");
        if asked.len() > SCOPE_MAX || !asked.bytes().all(is_scope_byte) {
            return None;
        }
        let mut granted: Vec<&str> = Vec::new();
        for scope in asked.split_ascii_whitespace() {
            if self.has(scope, client) && !granted.contains(&scope) {
                granted.push(scope);
            }
        }
        Some(granted.join(" "))
    }

    fn has(&self, scope: &str, client: &ClientCard) -> bool {
        if IDENTITY.contains(&scope) {
            return true;
        }
        if scope == OFFLINE {
            return client.grants.contains(&Grant::RefreshToken);
        }
        match self {
            Self::Identity | Self::Management | Self::Portal => false,
            Self::Mfa => [ENROLL, READ_AUTHENTICATORS, REMOVE_AUTHENTICATORS].contains(&scope),
            Self::MyAccount => [READ_METHODS, READ_FACTORS, CREATE_METHODS].contains(&scope),
            // What the scopes of somebody else's API mean, that API knows.
            Self::Other(_) => true,
        }
    }
}

/// RFC 6749, 3.3.
fn is_scope_byte(byte: u8) -> bool {
    byte == b' ' || byte.is_ascii_graphic() && byte != b'"' && byte != b'\\'
}

/// Whether a scope is among those of a token.
pub(super) fn has_scope(scopes: &str, scope: &str) -> bool {
    scopes.split(' ').any(|one| one == scope)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Timestamp;

    fn client(grants: &[Grant], audiences: &[&str]) -> ClientCard {
        ClientCard {
            id: "app".to_owned(),
            name: "app".to_owned(),
            scopes: Vec::new(),
            grants: grants.to_vec(),
            audiences: audiences.iter().map(|&name| name.to_owned()).collect(),
            origins: Vec::new(),
            public: false,
            created_at: Timestamp(0),
        }
    }

    #[test]
    fn a_scope_is_granted_where_it_belongs_and_nowhere_else() {
        let app = client(&[Grant::RefreshToken], &["https://shop/"]);
        let asked = Some("openid enroll offline_access enroll buy");
        let granted = |api: Api| api.scopes(asked, &app).unwrap();
        assert_eq!(granted(Api::Identity), "openid offline_access");
        assert_eq!(granted(Api::Mfa), "openid enroll offline_access");
        assert_eq!(granted(Api::MyAccount), "openid offline_access");
        assert_eq!(
            granted(Api::Other("https://shop/".to_owned())),
            "openid enroll offline_access buy"
        );
        let plain = client(&[], &[]);
        assert_eq!(Api::Identity.scopes(asked, &plain).unwrap(), "openid");
        assert_eq!(Api::Identity.scopes(Some("a\u{1}"), &plain), None);
        assert_eq!(Api::Identity.scopes(Some(&"x".repeat(1025)), &plain), None);
    }

    #[test]
    fn nobody_gets_a_persons_token_for_management_or_for_an_unknown_api() {
        let app = client(&Grant::ALL, &["https://shop/"]);
        for (audience, reach) in [
            (None, Some(Reach::Elsewhere)),
            (Some("https://id/mfa/"), Some(Reach::OwnFactors)),
            (Some("https://id/me"), Some(Reach::OwnFactors)),
            (Some("https://shop/"), Some(Reach::Elsewhere)),
            (Some("https://id/api/v2/"), None),
            (Some("https://id/portal/v1"), None),
            (Some("https://elsewhere/"), None),
            (Some("https://id/mfa/../api/v2/"), None),
        ] {
            let api = Api::named("https://id/", audience);
            assert_eq!(api.reach(&app), reach, "{audience:?}");
        }
    }
}
