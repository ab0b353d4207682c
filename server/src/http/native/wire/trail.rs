//! The audit trail. No codes here either.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{SAMPLE_AT, sample};
use crate::clock::rfc3339;
use crate::domain::{Actor, Event};
use crate::http::native::address::Cursor;
use crate::model::EventKind;

/// Who did something.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Actor)]
struct ActorAnswer {
    /// `person`, `client`, `administrator`, or `server` for what it did by itself.
    #[serde(rename = "type")]
    #[schema(value_type = String, example = "client")]
    kind: &'static str,
    /// The client's identifier, where it was one, or the person came through one.
    #[schema(required = true)]
    client: Option<String>,
}

/// An audit row.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Event)]
struct EventAnswer {
    /// Its number; newer rows have larger ones.
    id: i64,
    /// What happened.
    #[schema(value_type = String, example = "codes.redeemed")]
    kind: &'static str,
    /// When.
    #[schema(format = DateTime)]
    at: String,
    /// Who did it.
    actor: ActorAnswer,
    /// The batch it was about.
    #[schema(required = true)]
    generation: Option<u32>,
    /// The code's number on the sheet.
    #[schema(required = true)]
    number: Option<u32>,
    /// Codes left afterwards.
    #[schema(required = true)]
    remaining: Option<u32>,
    /// The why, or what the host vouched for.
    #[schema(required = true)]
    detail: Option<String>,
    /// The address the request came from.
    #[schema(required = true)]
    ip: Option<String>,
}

impl From<&Event> for EventAnswer {
    fn from(event: &Event) -> Self {
        let Event {
            id,
            kind,
            at,
            actor,
            generation,
            number,
            remaining,
            detail,
            ip,
        } = event;
        let client = match actor {
            Actor::Through(id) | Actor::Client(id) => Some(id.clone()),
            Actor::Person | Actor::Administrator | Actor::Appointed(_) | Actor::Server => None,
        };
        Self {
            id: *id,
            kind: kind.name(),
            at: rfc3339(*at),
            actor: ActorAnswer {
                kind: actor.kind(),
                client,
            },
            generation: generation.map(|generation| generation.0),
            number: *number,
            remaining: *remaining,
            detail: detail.clone(),
            ip: ip.map(|ip| ip.to_string()),
        }
    }
}

/// A page of audit rows.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Events, example = EventsAnswer::example)]
pub(in crate::http::native) struct EventsAnswer {
    /// Newest first.
    events: Vec<EventAnswer>,
    /// The cursor of the next page; `null` on the last.
    #[schema(required = true)]
    next_cursor: Option<String>,
}

impl EventsAnswer {
    /// At most `limit` of `events`; one more tells that there is another page.
    pub(in crate::http::native) fn page(mut events: Vec<Event>, limit: usize) -> Self {
        let more = events.len() > limit;
        events.truncate(limit);
        let last = events.last().filter(|_| more);
        Self {
            next_cursor: last.map(|event| Cursor::before_event(event.id)),
            events: events.iter().map(EventAnswer::from).collect(),
        }
    }

    fn example() -> Value {
        sample(&Self {
            events: vec![EventAnswer {
                id: 7,
                kind: EventKind::CodesRedeemed.name(),
                at: rfc3339(SAMPLE_AT),
                actor: ActorAnswer {
                    kind: "client",
                    client: Some("dev-host".to_owned()),
                },
                generation: Some(1),
                number: Some(4),
                remaining: Some(9),
                detail: Some(format!("person, pwd, {}", rfc3339(SAMPLE_AT))),
                ip: None,
            }],
            next_cursor: None,
        })
    }
}
