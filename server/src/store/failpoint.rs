//! Where the proof in `tests/proof` looks in: before and after every statement of an adapter.
//!
//! Only the feature `failpoints` makes something of it, and only the proof asks for that; in the
//! product both functions give back what they get. Nothing here decides what happens at a
//! statement.

#[cfg(feature = "failpoints")]
pub use armed::{Moment, watch};
#[cfg(feature = "failpoints")]
pub(super) use armed::{after, before};
#[cfg(not(feature = "failpoints"))]
pub(super) use unarmed::{after, before};

#[cfg(not(feature = "failpoints"))]
mod unarmed {
    use std::borrow::Cow;

    /// A statement is about to be run: what is to be run.
    pub(in crate::store) fn before(sql: &str) -> Cow<'_, str> {
        Cow::Borrowed(sql)
    }

    /// A statement was run.
    pub(in crate::store) fn after(_sql: &str) {}
}

#[cfg(feature = "failpoints")]
mod armed {
    use std::borrow::Cow;
    use std::sync::OnceLock;

    /// On which side of a statement.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum Moment {
        /// It is about to be run; the watcher may put another in its place.
        Before,
        /// It was run; what the watcher gives back is not looked at.
        After,
    }

    type Watcher = dyn Fn(Moment, &str) -> Option<String> + Send + Sync;

    static WATCHER: OnceLock<Box<Watcher>> = OnceLock::new();

    /// Has every statement of this process shown to `watcher` from now on. It may block for ever,
    /// and it may give back another statement. The first watcher stays.
    pub fn watch(watcher: impl Fn(Moment, &str) -> Option<String> + Send + Sync + 'static) {
        WATCHER.get_or_init(|| Box::new(watcher));
    }

    /// A statement is about to be run: what is to be run.
    pub(in crate::store) fn before(sql: &str) -> Cow<'_, str> {
        let other = WATCHER.get().and_then(|watch| watch(Moment::Before, sql));
        other.map_or(Cow::Borrowed(sql), Cow::Owned)
    }

    /// A statement was run.
    pub(in crate::store) fn after(sql: &str) {
        if let Some(watch) = WATCHER.get() {
            watch(Moment::After, sql);
        }
    }
}
