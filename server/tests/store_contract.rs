//! Every promise of the store port, kept by every adapter.
//!
//! The promises are in `contract/`, one file an aggregate, written against the port alone. An
//! adapter adds one line here and a fixture that opens two stores on one database.

#[cfg(test)]
mod contract;

contract::contract! {
    sqlite => crate::contract::sqlite::OneFile,
    postgres => crate::contract::postgres::OneDatabase,
}
