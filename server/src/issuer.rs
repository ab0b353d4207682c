//! The address under which the product is reached, as tokens, cookies and links name it.

use std::net::IpAddr;

use axum::http::Uri;

/// An `https` origin, or an `http` one on this computer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issuer(String);

/// Why a text is no issuer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnfitIssuer {
    /// Neither `https://` nor `http://`.
    #[error("the issuer does not start with https://")]
    Scheme,
    /// More than scheme, host and port. The pages live at the root of their host.
    #[error(
        "the issuer is more than scheme, host and port: no path, slash at the end, query or user"
    )]
    NotAnOrigin,
    /// No host, or not a host.
    #[error("the issuer names no host that can be reached")]
    Host,
    /// Cookies and codes would cross the network in the clear.
    #[error("the issuer is http and not on this computer; codes would travel in the clear")]
    Clear,
}

impl Issuer {
    /// Takes `https://host[:port]`, and `http://` on loopback only.
    ///
    /// # Errors
    /// [`UnfitIssuer`] says what it is not.
    pub fn parse(text: &str) -> Result<Self, UnfitIssuer> {
        let (rest, clear) = match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
            (Some(rest), _) => (rest, false),
            (_, Some(rest)) => (rest, true),
            _ => return Err(UnfitIssuer::Scheme),
        };
        if rest.contains(['/', '?', '#', '@', '\\']) {
            return Err(UnfitIssuer::NotAnOrigin);
        }
        let uri: Uri = text.parse().map_err(|_| UnfitIssuer::Host)?;
        let host = uri
            .host()
            .filter(|host| !host.is_empty())
            .ok_or(UnfitIssuer::Host)?;
        // `Uri` passes over a port that is none.
        let port = rest.strip_prefix(host).ok_or(UnfitIssuer::Host)?;
        let fits = port.strip_prefix(':').map_or(port.is_empty(), |digits| {
            digits.parse::<u16>().is_ok_and(|port| port > 0) && !digits.starts_with('+')
        });
        if !fits {
            return Err(UnfitIssuer::Host);
        }
        if clear && !is_loopback(host) {
            return Err(UnfitIssuer::Clear);
        }
        Ok(Self(text.to_owned()))
    }

    /// Whether clients come by https.
    pub fn is_https(&self) -> bool {
        self.0.starts_with("https://")
    }

    /// The host, an IPv6 address without its brackets.
    pub fn host(&self) -> &str {
        let (_, rest) = self.0.split_once("://").unwrap_or_default();
        match rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((address, _)) => address,
            None => rest.split(':').next().unwrap_or_default(),
        }
    }

    /// The address, without a slash at the end.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether a host is this computer.
pub(crate) fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// An identity provider whose people are let in here: its name, as its tokens have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedIssuer(String);

impl TrustedIssuer {
    /// Takes `https://host[:port][/path]`, and `http://` on loopback only. A slash at the end is
    /// kept, as some providers have it in their name.
    ///
    /// # Errors
    /// [`UnfitIssuer`] says what it is not.
    pub fn parse(text: &str) -> Result<Self, UnfitIssuer> {
        let (scheme, rest) = text.split_once("://").ok_or(UnfitIssuer::Scheme)?;
        let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        Issuer::parse(&format!("{scheme}://{host}"))?;
        let plain = path
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"/-._~%".contains(&byte));
        if plain && !path.contains("//") && !path.contains("..") {
            Ok(Self(text.to_owned()))
        } else {
            Err(UnfitIssuer::NotAnOrigin)
        }
    }

    /// Its name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trusted_issuer_may_have_a_path_and_is_reached_as_safely() {
        for fit in [
            "https://tenant.example.com/",
            "https://id.example.com/realms/shop",
            "http://127.0.0.1:8081/",
        ] {
            assert_eq!(TrustedIssuer::parse(fit).unwrap().as_str(), fit);
        }
        for unfit in [
            "id.example.com",
            "http://id.example.com/",
            "https:///realms",
            "https://user@id.example.com/",
            "https://id.example.com/?x=1",
            "https://id.example.com/a/../b",
            "https://id.example.com/#x",
        ] {
            assert!(TrustedIssuer::parse(unfit).is_err(), "{unfit}");
        }
    }

    /// Row A-93.
    #[test]
    fn an_issuer_is_an_origin_that_keeps_codes_off_the_open_network() {
        for fit in [
            "https://login.example.com",
            "https://login.example.com:8443",
            "http://localhost:8080",
            "http://127.0.0.1",
            "http://[::1]:8080",
        ] {
            assert_eq!(
                Issuer::parse(fit).map(|issuer| issuer.0),
                Ok(fit.to_owned())
            );
        }
        for (issuer, host) in [
            ("https://login.example.com:8443", "login.example.com"),
            ("http://localhost", "localhost"),
            ("http://[::1]:8080", "::1"),
        ] {
            assert_eq!(Issuer::parse(issuer).unwrap().host(), host);
        }
        for (unfit, why) in [
            ("login.example.com", UnfitIssuer::Scheme),
            ("ftp://login.example.com", UnfitIssuer::Scheme),
            ("https://login.example.com/", UnfitIssuer::NotAnOrigin),
            ("https://login.example.com/auth", UnfitIssuer::NotAnOrigin),
            ("https://login.example.com?x=1", UnfitIssuer::NotAnOrigin),
            ("https://user@login.example.com", UnfitIssuer::NotAnOrigin),
            ("https://", UnfitIssuer::Host),
            ("https://a b", UnfitIssuer::Host),
            ("https://login.example.com:", UnfitIssuer::Host),
            ("https://login.example.com:99999", UnfitIssuer::Host),
            ("http://login.example.com", UnfitIssuer::Clear),
            ("http://127.0.0.1.example.com", UnfitIssuer::Clear),
            ("http://0.0.0.0:8080", UnfitIssuer::Clear),
        ] {
            assert_eq!(Issuer::parse(unfit), Err(why), "{unfit}");
        }
    }
}
