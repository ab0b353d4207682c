//! How often a program may manage: so many requests a minute and process, told in headers.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, Response};
use axum::middleware::Next;

use super::said::No;
use crate::domain::wait_until;
use crate::model::{Millis, Timestamp};

/// Requests of one client in one window.
const LIMIT: u32 = 1_000;

/// The window.
const WINDOW: Millis = Millis::minutes(1);

/// What a client has spent, in windows that begin with its first request.
#[derive(Debug, Default)]
pub(in crate::http) struct Limits(Mutex<HashMap<String, (Timestamp, u32)>>);

/// What is left of a window.
#[derive(Debug, Clone, Copy)]
pub(super) struct Left {
    remaining: u32,
    reset: Timestamp,
}

/// Where a request notes what it has spent, for the headers of its answer.
#[derive(Debug, Clone, Default)]
pub(super) struct Spent(Arc<OnceLock<Left>>);

impl Limits {
    /// Spends one request.
    pub(super) fn spend(
        &self,
        client: &str,
        now: Timestamp,
        spent: Option<&Spent>,
    ) -> Result<(), No> {
        let mut windows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let open = |began: Timestamp| now.since(began) < WINDOW && now >= began;
        windows.retain(|_, (began, _)| open(*began));
        let (began, count) = windows.entry(client.to_owned()).or_insert((now, 0));
        let allowed = *count < LIMIT;
        *count = count.saturating_add(1).min(LIMIT);
        let left = Left {
            remaining: LIMIT - *count,
            reset: began.plus(WINDOW),
        };
        if let Some(Spent(slot)) = spent {
            // A request spends once.
            let _noted = slot.set(left);
        }
        if allowed {
            Ok(())
        } else {
            Err(No::RateLimit {
                wait: wait_until(left.reset, now),
                reset: seconds(left.reset),
            })
        }
    }
}

fn seconds(at: Timestamp) -> i64 {
    at.0.div_euclid(1_000) + i64::from(at.0.rem_euclid(1_000) > 0)
}

/// Tells in every answer what is left.
pub(super) async fn tell(mut request: Request, next: Next) -> Response<Body> {
    let spent = Spent::default();
    request.extensions_mut().insert(spent.clone());
    let mut response = next.run(request).await;
    if let Some(left) = spent.0.get() {
        for (name, value) in [
            ("x-ratelimit-limit", i64::from(LIMIT)),
            ("x-ratelimit-remaining", i64::from(left.remaining)),
            ("x-ratelimit-reset", seconds(left.reset)),
        ] {
            let name = HeaderName::from_static(name);
            response
                .headers_mut()
                .insert(name, HeaderValue::from(value));
        }
    }
    response
}
