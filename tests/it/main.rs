//! One binary for every test of the whole product.

mod arklow_access;
mod arklow_faults;
mod arklow_life;
mod arklow_races;
mod auth0_account;
mod auth0_confusion;
mod auth0_faults;
mod auth0_forgery;
mod auth0_guessing;
mod auth0_life;
mod auth0_management;
mod auth0_races;
mod auth0_refresh;
mod auth0_regenerate;
mod auth0_tokens;
#[path = "../../server/tests/contract/cluster.rs"]
mod cluster;
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
mod openapi;
mod readme;
mod sign_in;
mod tidy;
mod trusted_issuer;
mod trusted_keys;
mod two_servers;
