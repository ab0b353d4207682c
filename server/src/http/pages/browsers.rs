//! Remembered browsers: the cookie by which one is known, what it calls itself, and the list of them.

use axum::http::header::{HeaderMap, USER_AGENT};

use super::Answer;
use super::error::PageError;
use super::form::{BareForm, BrowserForm};
use super::view::BrowserView;
use super::visitor::{Posted, Visitor};
use crate::domain::{Caller, Error, TrustedDevice};
use crate::texts::Texts;

/// The caller's remembered browsers, last seen first.
pub(super) async fn list(
    visitor: &Visitor,
    caller: &Caller,
) -> Result<Option<Vec<BrowserView>>, Error> {
    let mfa = &visitor.web.mfa;
    let found = mfa.trusted_devices(caller).await?;
    if found.is_empty() && mfa.remembers_for(caller).await?.is_none() {
        return Ok(None);
    }
    let t: Texts = visitor.texts();
    let view = |device: TrustedDevice| BrowserView {
        id: device.id.to_string(),
        label: device.label,
        ip: device.ip.unwrap_or_default(),
        since: t.day(device.created_at),
        until: t.day(device.expires_at),
    };
    Ok(Some(found.into_iter().map(view).collect()))
}

pub(super) async fn forget(Posted { visitor, form }: Posted<BrowserForm>) -> Answer {
    let of = |error| PageError::of(&visitor, error);
    let caller = visitor.session().await.map_err(of)?;
    // What is no name is nobody's, and gone is gone.
    if let Ok(id) = form.id.parse() {
        let forgotten = visitor.web.mfa.forget_device(&caller, id).await;
        forgotten.map_err(of)?;
    }
    visitor.go_to("/account")
}

pub(super) async fn forget_all(Posted { visitor, .. }: Posted<BareForm>) -> Answer {
    let of = |error| PageError::of(&visitor, error);
    let caller = visitor.session().await.map_err(of)?;
    let forgotten = visitor.web.mfa.forget_devices(&caller).await;
    forgotten.map_err(of)?;
    visitor.go_to("/account")
}

/// What a browser calls itself, in two words: enough for its owner to know it by.
pub(super) fn label(headers: &HeaderMap) -> String {
    let agent = headers
        .get(USER_AGENT)
        .and_then(|agent| agent.to_str().ok())
        .unwrap_or_default();
    // In this order: most claim to be one that comes later too.
    let browsers = [
        ("Edg", "Edge"),
        ("OPR/", "Opera"),
        ("SamsungBrowser", "Samsung Internet"),
        ("Firefox", "Firefox"),
        ("FxiOS", "Firefox"),
        ("Chrome", "Chrome"),
        ("CriOS", "Chrome"),
        ("Safari", "Safari"),
    ];
    let systems = [
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("CrOS", "ChromeOS"),
        ("Mac OS X", "macOS"),
        ("Linux", "Linux"),
    ];
    let known = |names: &[(&str, &'static str)]| {
        let found = names.iter().find(|(mark, _)| agent.contains(mark));
        found.map(|(_, name)| *name)
    };
    let parts: Vec<&str> = [known(&browsers), known(&systems)]
        .into_iter()
        .flatten()
        .collect();
    parts.join(" · ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn a_browser_is_called_what_its_owner_calls_it() {
        for (agent, name) in [
            (
                "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
                "Firefox · Linux",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) \
                 Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0",
                "Edge · Windows",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 \
                 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1",
                "Safari · iPhone",
            ),
            ("curl/8.0", ""),
        ] {
            let value = HeaderValue::from_static(agent);
            let headers = HeaderMap::from_iter([(USER_AGENT, value)]);
            assert_eq!(label(&headers), name);
        }
    }
}
