//! One binary for every test of the whole product.

mod crash;
mod faults;
mod front;
mod leaks;
mod native_accounts;
mod native_batches;
mod native_faults;
mod native_http;
mod native_keys;
mod native_openapi;
mod native_redeem;
mod native_throttle;
mod readme;
mod sign_in;
mod tidy;
mod trusted_issuer;
mod trusted_keys;
