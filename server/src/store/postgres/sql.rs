//! How the model's values stand in PostgreSQL's columns, and three ways to run a statement.
//!
//! No statement lives here: each is beside the method that uses it, and is prepared once a
//! connection.

use std::error::Error;

use bytes::BytesMut;
use deadpool_postgres::GenericClient;
use spare_key_core::Format;
use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

use super::fault::{Broken, Work};
use crate::model::{
    AccountId, AuthenticatorId, BatchState, Generation, HashParams, Imported, KeyId, Letters,
    Locator, Origin, Scheme, Sealed, SecretDigest, Separators, Timestamp, TokenDigest,
};
use crate::store::{Lane, SessionKind, Way, failpoint};

/// A statement's values, in the order of their numbers.
pub(super) type Params<'a> = &'a [&'a (dyn ToSql + Sync)];

/// The values of a statement.
macro_rules! params {
    ($($value:expr),* $(,)?) => {
        &[$(&$value as &(dyn tokio_postgres::types::ToSql + Sync)),*]
    };
}
pub(super) use params;

/// Runs a statement and returns how many rows it changed.
pub(super) async fn execute(db: &impl GenericClient, sql: &str, params: Params<'_>) -> Work<u64> {
    let statement = db.prepare_cached(&failpoint::before(sql)).await?;
    let changed = db.execute(&statement, params).await?;
    failpoint::after(sql);
    Ok(changed)
}

/// The first row of a query, or of what a `RETURNING` gives back.
pub(super) async fn first<T>(
    db: &impl GenericClient,
    sql: &str,
    params: Params<'_>,
    read: impl FnOnce(&Row) -> Work<T>,
) -> Work<Option<T>> {
    let statement = db.prepare_cached(&failpoint::before(sql)).await?;
    let row = db.query_opt(&statement, params).await?;
    failpoint::after(sql);
    row.as_ref().map(read).transpose()
}

/// Every row of a query.
pub(super) async fn all<T>(
    db: &impl GenericClient,
    sql: &str,
    params: Params<'_>,
    read: impl FnMut(&Row) -> Work<T>,
) -> Work<Vec<T>> {
    let statement = db.prepare_cached(&failpoint::before(sql)).await?;
    let rows = db.query(&statement, params).await?;
    failpoint::after(sql);
    rows.iter().map(read).collect()
}

/// Whether a guarded statement did what it was for: the row count decides, here and nowhere else.
pub(super) fn changed_one(count: u64) -> bool {
    count == 1
}

/// The account's short name in this database, and the one lock of whatever changes it: who holds
/// it is alone with the account's batches, codes, authenticators and sessions until the end of the
/// transaction, and every later statement of it sees what those before have committed.
///
/// Not `FOR UPDATE`: nothing here changes a key, and a row that refers to the account can still be
/// added meanwhile (a challenge that opens).
pub(super) async fn locked_account(db: &impl GenericClient, id: &AccountId) -> Work<Option<i64>> {
    first(
        db,
        "SELECT n FROM account WHERE id = $1 FOR NO KEY UPDATE",
        params![id],
        |row| row.at(0),
    )
    .await
}

/// Whether this program is there, and stays until the end of the transaction; `None` always is.
pub(super) async fn stays(db: &impl GenericClient, client: Option<&str>) -> Work<bool> {
    let Some(client) = client else {
        return Ok(true);
    };
    let found: Option<i64> = first(
        db,
        "SELECT 1::bigint FROM client WHERE id = $1 FOR KEY SHARE",
        params![Text(client)],
        |row| row.at(0),
    )
    .await?;
    Ok(found.is_some())
}

/// Reading a row's columns, by their place.
pub(super) trait Columns {
    /// A value.
    fn at<'a, T: FromSql<'a>>(&'a self, place: usize) -> Work<T>;

    /// A count or number.
    fn number(&self, place: usize) -> Work<u32>;

    /// A count or number that may be missing.
    fn number_if_any(&self, place: usize) -> Work<Option<u32>>;

    /// A count of rows.
    fn rows(&self, place: usize) -> Work<u64>;

    /// A scheme in four columns, the first at `from`.
    fn scheme(&self, from: usize) -> Work<Scheme>;

    /// How imported codes are read in three columns, the first at `from`.
    fn imported(&self, from: usize) -> Work<Option<Imported>>;

    /// Salt and digest in two columns, the first at `from`.
    fn secret(&self, from: usize) -> Work<SecretDigest>;
}

impl Columns for Row {
    fn at<'a, T: FromSql<'a>>(&'a self, place: usize) -> Work<T> {
        Ok(self.try_get(place)?)
    }

    fn number(&self, place: usize) -> Work<u32> {
        number(self.at(place)?)
    }

    fn number_if_any(&self, place: usize) -> Work<Option<u32>> {
        self.at::<Option<i64>>(place)?.map(number).transpose()
    }

    fn rows(&self, place: usize) -> Work<u64> {
        u64::try_from(self.at::<i64>(place)?).map_err(|_| Broken::Column("a count"))
    }

    fn scheme(&self, from: usize) -> Work<Scheme> {
        Ok(Scheme {
            params: HashParams {
                memory_kib: self.number(from)?,
                passes: self.number(from + 1)?,
                lanes: self.number(from + 2)?,
            },
            key: KeyId(self.number(from + 3)?),
        })
    }

    fn imported(&self, from: usize) -> Work<Option<Imported>> {
        let Some(origin) = self.at(from)? else {
            return Ok(None);
        };
        Ok(Some(Imported {
            origin,
            letters: self.at(from + 1)?,
            separators: self.at(from + 2)?,
        }))
    }

    fn secret(&self, from: usize) -> Work<SecretDigest> {
        let salt: &[u8] = self.at(from)?;
        let digest: &[u8] = self.at(from + 1)?;
        Ok(SecretDigest {
            salt: salt.try_into().map_err(|_| Broken::Column("a salt"))?,
            digest: digest.try_into().map_err(|_| Broken::Column("a digest"))?,
        })
    }
}

fn number(value: i64) -> Work<u32> {
    u32::try_from(value).map_err(|_| Broken::Column("a number"))
}

/// What a conversion answers.
type Converted<T> = Result<T, Box<dyn Error + Sync + Send>>;

/// Text from outside. PostgreSQL's has no NUL character, so the replacement character stands in its
/// place: what was made here has none, and whoever asks for it finds nobody.
#[derive(Debug)]
pub(super) struct Text<T>(pub(super) T);

impl<T: AsRef<str> + std::fmt::Debug> ToSql for Text<T> {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Converted<IsNull> {
        let text = self.0.as_ref();
        if text.contains('\0') {
            text.replace('\0', "\u{fffd}").to_sql(ty, out)
        } else {
            text.to_sql(ty, out)
        }
    }

    fn accepts(ty: &Type) -> bool {
        <&str as ToSql>::accepts(ty)
    }

    to_sql_checked!();
}

impl ToSql for AccountId {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Converted<IsNull> {
        self.as_str().to_sql(ty, out)
    }

    fn accepts(ty: &Type) -> bool {
        <&str as ToSql>::accepts(ty)
    }

    to_sql_checked!();
}

impl<'a> FromSql<'a> for AccountId {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Converted<Self> {
        Self::parse(<&str>::from_sql(ty, raw)?).ok_or_else(|| "not an account's identifier".into())
    }

    fn accepts(ty: &Type) -> bool {
        <&str as FromSql>::accepts(ty)
    }
}

impl ToSql for AuthenticatorId {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Converted<IsNull> {
        Text(&self.0).to_sql(ty, out)
    }

    fn accepts(ty: &Type) -> bool {
        <&str as ToSql>::accepts(ty)
    }

    to_sql_checked!();
}

impl<'a> FromSql<'a> for AuthenticatorId {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Converted<Self> {
        String::from_sql(ty, raw).map(Self)
    }

    fn accepts(ty: &Type) -> bool {
        <&str as FromSql>::accepts(ty)
    }
}

/// A value that stands as an integer: how it is written, and how it is read.
macro_rules! as_integer {
    ($type:ty, $integer:ty, $write:expr) => {
        impl ToSql for $type {
            fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Converted<IsNull> {
                let write: fn(&$type) -> $integer = $write;
                write(self).to_sql(ty, out)
            }

            fn accepts(ty: &Type) -> bool {
                <$integer as ToSql>::accepts(ty)
            }

            to_sql_checked!();
        }
    };
    ($type:ty, $integer:ty, $write:expr, $read:expr) => {
        as_integer!($type, $integer, $write);

        impl<'a> FromSql<'a> for $type {
            fn from_sql(ty: &Type, raw: &'a [u8]) -> Converted<Self> {
                let read: fn($integer) -> Option<$type> = $read;
                read(<$integer>::from_sql(ty, raw)?).ok_or_else(|| "out of range".into())
            }

            fn accepts(ty: &Type) -> bool {
                <$integer as FromSql>::accepts(ty)
            }
        }
    };
}

as_integer!(Timestamp, i64, |at| at.0, |at| Some(Self(at)));
as_integer!(Generation, i64, |g| g.0.into(), |g| g
    .try_into()
    .ok()
    .map(Self));
as_integer!(
    Way,
    i16,
    |way| match way {
        Way::Mail => 0,
        Way::Webhook => 1,
    },
    |way| match way {
        0 => Some(Way::Mail),
        1 => Some(Way::Webhook),
        _ => None,
    }
);
as_integer!(KeyId, i64, |key| key.0.into());
as_integer!(Locator, i32, |tag| tag.0.into(), |tag| tag
    .try_into()
    .ok()
    .map(Self));
as_integer!(
    BatchState,
    i16,
    |state| match state {
        BatchState::Pending => 0,
        BatchState::Active => 1,
        BatchState::Superseded => 2,
        BatchState::Revoked => 3,
        BatchState::Lapsed => 4,
    },
    |state| match state {
        0 => Some(Self::Pending),
        1 => Some(Self::Active),
        2 => Some(Self::Superseded),
        3 => Some(Self::Revoked),
        4 => Some(Self::Lapsed),
        _ => None,
    }
);
as_integer!(
    SessionKind,
    i16,
    |kind| match kind {
        SessionKind::Full => 0,
        SessionKind::Recovery => 1,
        SessionKind::Carried => 2,
        SessionKind::Bearer => 3,
        SessionKind::EnrollOnly => 4,
    },
    |kind| match kind {
        0 => Some(Self::Full),
        1 => Some(Self::Recovery),
        2 => Some(Self::Carried),
        3 => Some(Self::Bearer),
        4 => Some(Self::EnrollOnly),
        _ => None,
    }
);
as_integer!(
    Origin,
    i16,
    |origin| match origin {
        Origin::Phc => 0,
        Origin::Keycloak => 1,
        Origin::Supabase => 2,
        Origin::Plaintext => 3,
    },
    |origin| match origin {
        0 => Some(Self::Phc),
        1 => Some(Self::Keycloak),
        2 => Some(Self::Supabase),
        3 => Some(Self::Plaintext),
        _ => None,
    }
);
as_integer!(
    Letters,
    i16,
    |letters| match letters {
        Letters::Kept => 0,
        Letters::Upper => 1,
        Letters::Lower => 2,
    },
    |letters| match letters {
        0 => Some(Self::Kept),
        1 => Some(Self::Upper),
        2 => Some(Self::Lower),
        _ => None,
    }
);
as_integer!(
    Separators,
    i16,
    |separators| match separators {
        Separators::Kept => 0,
        Separators::Ignored => 1,
    },
    |separators| match separators {
        0 => Some(Self::Kept),
        1 => Some(Self::Ignored),
        _ => None,
    }
);
as_integer!(Lane, i16, |lane| match lane {
    Lane::Recovery => 0,
    Lane::Totp => 1,
    Lane::Password => 2,
});

/// [`Format`] is core's, which knows no database; this is how it stands in a column.
#[derive(Debug)]
pub(super) struct FormatColumn(pub(super) Format);

as_integer!(
    FormatColumn,
    i16,
    |format| match format.0 {
        Format::List => 0,
        Format::Single => 1,
    },
    |format| match format {
        0 => Some(Self(Format::List)),
        1 => Some(Self(Format::Single)),
        _ => None,
    }
);

/// A value that stands as bytes.
macro_rules! as_bytes {
    ($type:ty, $read:expr) => {
        impl ToSql for $type {
            fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Converted<IsNull> {
                self.0.as_slice().to_sql(ty, out)
            }

            fn accepts(ty: &Type) -> bool {
                <&[u8] as ToSql>::accepts(ty)
            }

            to_sql_checked!();
        }

        impl<'a> FromSql<'a> for $type {
            fn from_sql(ty: &Type, raw: &'a [u8]) -> Converted<Self> {
                let read: fn(&[u8]) -> Option<$type> = $read;
                read(<&[u8]>::from_sql(ty, raw)?).ok_or_else(|| "of another length".into())
            }

            fn accepts(ty: &Type) -> bool {
                <&[u8] as FromSql>::accepts(ty)
            }
        }
    };
}

as_bytes!(TokenDigest, |bytes| bytes.try_into().ok().map(Self));
as_bytes!(Sealed, |bytes| Some(Self(bytes.to_vec())));
