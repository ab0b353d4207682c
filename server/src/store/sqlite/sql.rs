//! How the model's values stand in SQLite's columns, and three ways to run a statement.
//!
//! No statement lives here: each is beside the method that uses it.

use std::error::Error;

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, OptionalExtension, Params, Row};
use spare_key_core::Format;

use crate::model::{
    AccountId, BatchState, Generation, HashParams, Imported, KeyId, Letters, Locator, Origin,
    Scheme, Sealed, SecretDigest, Separators, Timestamp, TokenDigest,
};
use crate::store::{Lane, SessionKind, Way, failpoint};

/// What a piece of work answers: `Err` is a fault, whatever broke.
pub(super) type Work<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// Runs a statement and returns how many rows it changed.
pub(super) fn execute(db: &Connection, sql: &str, params: impl Params) -> rusqlite::Result<usize> {
    let changed = db
        .prepare_cached(&failpoint::before(sql))?
        .execute(params)?;
    failpoint::after(sql);
    Ok(changed)
}

/// The first row of a query, or of what a `RETURNING` gives back.
pub(super) fn first<T>(
    db: &Connection,
    sql: &str,
    params: impl Params,
    read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Option<T>> {
    let row = db
        .prepare_cached(&failpoint::before(sql))?
        .query_row(params, read)
        .optional()?;
    failpoint::after(sql);
    Ok(row)
}

/// Every row of a query.
pub(super) fn all<T>(
    db: &Connection,
    sql: &str,
    params: impl Params,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<T>> {
    let rows = db
        .prepare_cached(&failpoint::before(sql))?
        .query_map(params, read)?
        .collect::<Result<_, _>>()?;
    failpoint::after(sql);
    Ok(rows)
}

/// Whether a guarded statement did what it was for: the row count decides, here and nowhere else.
pub(super) fn changed_one(count: usize) -> bool {
    count == 1
}

/// The account's short name in this file.
pub(super) fn account_n(db: &Connection, id: &AccountId) -> rusqlite::Result<Option<i64>> {
    first(db, "SELECT n FROM account WHERE id = ?1", [id], |row| {
        row.get(0)
    })
}

/// Reads a scheme from four columns, the first at `from`.
pub(super) fn scheme(row: &Row<'_>, from: usize) -> rusqlite::Result<Scheme> {
    Ok(Scheme {
        params: HashParams {
            memory_kib: row.get(from)?,
            passes: row.get(from + 1)?,
            lanes: row.get(from + 2)?,
        },
        key: KeyId(row.get(from + 3)?),
    })
}

/// Reads how imported codes are read from three columns, the first at `from`.
pub(super) fn imported(row: &Row<'_>, from: usize) -> rusqlite::Result<Option<Imported>> {
    let Some(origin) = row.get(from)? else {
        return Ok(None);
    };
    Ok(Some(Imported {
        origin,
        letters: row.get(from + 1)?,
        separators: row.get(from + 2)?,
    }))
}

/// Reads salt and digest from two columns, the first at `from`.
pub(super) fn secret(row: &Row<'_>, from: usize) -> rusqlite::Result<SecretDigest> {
    Ok(SecretDigest {
        salt: row.get(from)?,
        digest: row.get(from + 1)?,
    })
}

impl ToSql for AccountId {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.as_str().into())
    }
}

impl FromSql for AccountId {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Self::parse(value.as_str()?).ok_or(FromSqlError::InvalidType)
    }
}

impl ToSql for Timestamp {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.0.into())
    }
}

impl FromSql for Timestamp {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value.as_i64().map(Self)
    }
}

impl ToSql for Generation {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.0.into())
    }
}

impl FromSql for Generation {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        u32::column_result(value).map(Self)
    }
}

impl ToSql for KeyId {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.0.into())
    }
}

impl ToSql for Locator {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.0.into())
    }
}

impl FromSql for Locator {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        u16::column_result(value).map(Self)
    }
}

impl ToSql for TokenDigest {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(ValueRef::Blob(&self.0)))
    }
}

impl FromSql for TokenDigest {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        <[u8; 32]>::column_result(value).map(Self)
    }
}

impl ToSql for Sealed {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(ValueRef::Blob(&self.0)))
    }
}

impl FromSql for Sealed {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value.as_blob().map(|bytes| Self(bytes.to_vec()))
    }
}

impl ToSql for BatchState {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Self::Pending => 0,
            Self::Active => 1,
            Self::Superseded => 2,
            Self::Revoked => 3,
            Self::Lapsed => 4,
        }
        .into())
    }
}

impl FromSql for BatchState {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        match value.as_i64()? {
            0 => Ok(Self::Pending),
            1 => Ok(Self::Active),
            2 => Ok(Self::Superseded),
            3 => Ok(Self::Revoked),
            4 => Ok(Self::Lapsed),
            other => Err(FromSqlError::OutOfRange(other)),
        }
    }
}

impl ToSql for SessionKind {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Self::Full => 0,
            Self::Recovery => 1,
            Self::Carried => 2,
            Self::Bearer => 3,
            Self::EnrollOnly => 4,
        }
        .into())
    }
}

impl FromSql for SessionKind {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        match value.as_i64()? {
            0 => Ok(Self::Full),
            1 => Ok(Self::Recovery),
            2 => Ok(Self::Carried),
            3 => Ok(Self::Bearer),
            4 => Ok(Self::EnrollOnly),
            other => Err(FromSqlError::OutOfRange(other)),
        }
    }
}

impl ToSql for Lane {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Self::Recovery => 0,
            Self::Totp => 1,
            Self::Password => 2,
        }
        .into())
    }
}

/// A value that stands as one of a few integers.
macro_rules! as_integer {
    ($type:ty, $($value:path => $integer:literal),+) => {
        impl ToSql for $type {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                Ok(match self {
                    $($value => $integer,)+
                }
                .into())
            }
        }

        impl FromSql for $type {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                match value.as_i64()? {
                    $($integer => Ok($value),)+
                    other => Err(FromSqlError::OutOfRange(other)),
                }
            }
        }
    };
}

as_integer!(Origin, Origin::Phc => 0, Origin::Keycloak => 1, Origin::Supabase => 2,
    Origin::Plaintext => 3);
as_integer!(Letters, Letters::Kept => 0, Letters::Upper => 1, Letters::Lower => 2);
as_integer!(Separators, Separators::Kept => 0, Separators::Ignored => 1);
as_integer!(Way, Way::Mail => 0, Way::Webhook => 1);

/// [`Format`] is core's, which knows no database; this is how it stands in a column.
#[derive(Debug)]
pub(super) struct FormatColumn(pub(super) Format);

impl ToSql for FormatColumn {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self.0 {
            Format::List => 0,
            Format::Single => 1,
        }
        .into())
    }
}

impl FromSql for FormatColumn {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        match value.as_i64()? {
            0 => Ok(Self(Format::List)),
            1 => Ok(Self(Format::Single)),
            other => Err(FromSqlError::OutOfRange(other)),
        }
    }
}
