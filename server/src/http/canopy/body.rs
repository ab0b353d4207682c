//! Bodies, member by member: every fault is told, and nothing of what was sent is repeated.

use axum::extract::{FromRequest, Request};
use axum::http::HeaderMap;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::said::{Fault, No};
use crate::http::Web;
use crate::http::idempotency::sent_key;
use crate::http::json::{self, Unread};

/// What is said of a body that is none.
pub(super) const OBJECT: Fault = Fault {
    field: "body",
    message: "The body must be a JSON object.",
};

/// Of a member that must be a text.
pub(super) const fn text(field: &'static str, message: &'static str) -> Fault {
    Fault { field, message }
}

/// Of a one-time password or a recovery code.
pub(super) const CODE: Fault = text("code", "code must be a text of 1 to 256 bytes.");

/// Of an idempotency key.
const KEY: Fault = text(
    "Idempotency-Key",
    "Idempotency-Key must be 1 to 255 visible ASCII characters, sent once.",
);

/// The members of a body, and what is wrong with them.
#[derive(Default)]
pub(super) struct Fields {
    members: Map<String, Value>,
    faults: Vec<Fault>,
}

impl FromRequest<Web> for Fields {
    type Rejection = No;

    async fn from_request(request: Request, web: &Web) -> Result<Self, No> {
        let members = json::members(request, web)
            .await
            .map_err(|unread| match unread {
                Unread::TooLarge => No::TooLarge,
                Unread::Lost => No::invalid("body", "The body did not arrive."),
                Unread::MediaType => No::MediaType,
                Unread::NotAnObject => No::Invalid(vec![OBJECT]),
            })?;
        Ok(Self {
            members,
            faults: Vec::new(),
        })
    }
}

impl Fields {
    fn fault(&mut self, fault: Fault) {
        self.faults.push(fault);
    }

    /// A text that fits; without one the fault is noted and the text is empty.
    pub(super) fn text(
        &mut self,
        fault: Fault,
        fits: impl FnOnce(&str) -> bool,
    ) -> Zeroizing<String> {
        match self.members.remove(fault.field) {
            Some(Value::String(text)) if !text.is_empty() && fits(&text) => Zeroizing::new(text),
            _ => {
                self.fault(fault);
                Zeroizing::default()
            }
        }
    }

    /// A one-time password or a recovery code.
    pub(super) fn code(&mut self) -> Zeroizing<String> {
        self.text(CODE, |text| text.len() <= 256)
    }

    /// An opaque value.
    pub(super) fn token(&mut self, fault: Fault) -> Zeroizing<String> {
        self.text(fault, |text| text.len() <= 256)
    }

    /// The same, where it may be absent or null.
    pub(super) fn optional_text(
        &mut self,
        fault: Fault,
        fits: impl FnOnce(&str) -> bool,
    ) -> Option<String> {
        match self.members.get(fault.field) {
            None | Some(Value::Null) => None,
            Some(_) => {
                let text = self.text(fault, fits);
                (!text.is_empty()).then(|| text.as_str().to_owned())
            }
        }
    }

    /// True or false, where it may be absent or null.
    pub(super) fn flag(&mut self, fault: Fault) -> Option<bool> {
        match self.members.remove(fault.field) {
            None | Some(Value::Null) => None,
            Some(Value::Bool(flag)) => Some(flag),
            Some(_) => {
                self.fault(fault);
                None
            }
        }
    }

    /// A whole number up to `most`, where it may be absent or null.
    pub(super) fn number(&mut self, fault: Fault, most: u32) -> Option<u32> {
        match self.members.remove(fault.field) {
            None | Some(Value::Null) => None,
            Some(value) => {
                let number = value.as_u64().and_then(|number| u32::try_from(number).ok());
                let number = number.filter(|number| *number <= most);
                if number.is_none() {
                    self.fault(fault);
                }
                number
            }
        }
    }

    /// Texts of a few, at least one, where they may be absent or null.
    pub(super) fn list<T>(
        &mut self,
        fault: Fault,
        read: impl Fn(&str) -> Option<T>,
    ) -> Option<Vec<T>> {
        match self.members.remove(fault.field) {
            None | Some(Value::Null) => None,
            Some(value) => {
                let all = value.as_array().and_then(|values| {
                    let texts = values.iter().map(|value| value.as_str().and_then(&read));
                    texts.collect::<Option<Vec<T>>>()
                });
                let all = all.filter(|all| !all.is_empty());
                if all.is_none() {
                    self.fault(fault);
                }
                all
            }
        }
    }

    /// An object's members, where it may be absent or null; their faults become this body's by
    /// [`Fields::take_back`].
    pub(super) fn object(&mut self, fault: Fault) -> Self {
        match self.members.remove(fault.field) {
            None | Some(Value::Null) => Self::default(),
            Some(Value::Object(members)) => Self {
                members,
                faults: Vec::new(),
            },
            Some(_) => {
                self.fault(fault);
                Self::default()
            }
        }
    }

    /// Takes the faults of an inner object as its own.
    pub(super) fn take_back(&mut self, inner: Self) {
        self.faults.extend(inner.faults);
    }

    /// That nothing was wrong.
    pub(super) fn done(self) -> Result<(), No> {
        if self.faults.is_empty() {
            Ok(())
        } else {
            Err(No::Invalid(self.faults))
        }
    }
}

/// The caller's idempotency key, if it sent one.
pub(super) fn idempotency_key(headers: &HeaderMap) -> Result<Option<&str>, No> {
    sent_key(headers).map_err(|_| No::Invalid(vec![KEY]))
}

/// Which part of a list: pages are counted from 1.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Page {
    /// What is looked for; empty: everything.
    pub(super) q: String,
    pub(super) page: u32,
    pub(super) take: u32,
}

impl Page {
    /// From a query; what is not known is left aside.
    pub(super) fn read(query: Option<&str>) -> Result<Self, No> {
        let mut page = Self {
            q: String::new(),
            page: 1,
            take: 20,
        };
        let mut faults = Vec::new();
        let pairs: Vec<(String, String)> =
            serde_urlencoded::from_str(query.unwrap_or_default()).unwrap_or_default();
        for (name, value) in pairs {
            match name.as_str() {
                "q" if value.len() <= 256 => page.q = value,
                "q" => faults.push(text("q", "q must be a text of at most 256 bytes.")),
                "page" => match value.parse() {
                    Ok(number @ 1..=1_000_000) => page.page = number,
                    _ => faults.push(text("page", "page must be a number from 1.")),
                },
                "take" => match value.parse() {
                    Ok(take @ 1..=100) => page.take = take,
                    _ => faults.push(text("take", "take must be a number from 1 to 100.")),
                },
                _ => {}
            }
        }
        if faults.is_empty() {
            Ok(page)
        } else {
            Err(No::Invalid(faults))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_bounds_and_defaults() {
        let read = |query| Page::read(Some(query)).ok();
        let first = Page::read(None).ok();
        assert_eq!(
            first.as_ref().map(|page| (page.page, page.take)),
            Some((1, 20))
        );
        assert_eq!(read("x=y"), first);
        let page = read("q=a%40b&page=3&take=100").unwrap();
        assert_eq!((page.q.as_str(), page.page, page.take), ("a@b", 3, 100));
        for wrong in ["page=0", "page=x", "take=0", "take=101", "take=-1"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
