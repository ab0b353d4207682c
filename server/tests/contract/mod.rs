//! What a fixture gives, and the list of promises.

pub(crate) mod accounts;
pub(crate) mod activation;
pub(crate) mod administration;
pub(crate) mod authenticators;
pub(crate) mod bearers;
pub(crate) mod carried;
pub(crate) mod cluster;
pub(crate) mod dumps;
pub(crate) mod enrolling;
pub(crate) mod events;
pub(crate) mod imported;
pub(crate) mod notices;
mod plans;
pub(crate) mod postgres;
pub(crate) mod postgres_faults;
pub(crate) mod postgres_opening;
pub(crate) mod programs;
pub(crate) mod progress;
pub(crate) mod races;
pub(crate) mod redemption;
pub(crate) mod removing;
pub(crate) mod restoring;
pub(crate) mod retention;
pub(crate) mod sample;
pub(crate) mod sqlite;
pub(crate) mod staging;
pub(crate) mod step_ups;
pub(crate) mod switches;
pub(crate) mod throttling;
pub(crate) mod trusted_devices;
pub(crate) mod upkeep;

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;

use spare_key_server::model::Millis;
use spare_key_server::store::{LiveCodes, Past, Restoration, Restored, Store};
use tokio::sync::Barrier;

/// A fresh database with two stores on it, so that what must hold between processes is tried
/// between handles.
pub(crate) trait Fixture {
    /// Makes the database and opens both.
    fn open() -> Self;

    /// One store.
    fn left(&self) -> Arc<dyn Store>;

    /// The other, on the same database.
    fn right(&self) -> Arc<dyn Store>;

    /// Closes both and opens them again. The test must have let go of what it had.
    fn reopen(&mut self);

    /// How many rows each table has.
    fn rows(&self) -> BTreeMap<String, i64>;

    /// Every row of every table, with bytes as hexadecimal digits.
    fn dump(&self) -> Vec<String>;

    /// Makes the next account's number this one.
    fn count_accounts_from(&self, number: i64);

    /// Takes a backup of the database as it is now.
    fn back_up(&mut self);

    /// Restores it in the place of the database, which is kept as the one that came after it.
    fn restore(&mut self, codes: Codes) -> Restored;
}

/// What becomes of the codes that were live in a backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Codes {
    End,
    Keep,
    /// Taken over from the database that came after it.
    SpentFrom,
}

impl Codes {
    /// The restore that the port is asked for.
    pub(crate) fn restoration(self, past: impl FnOnce() -> Past) -> Restoration {
        let codes = match self {
            Self::End => LiveCodes::End,
            Self::Keep => LiveCodes::Keep,
            Self::SpentFrom => LiveCodes::SpentFrom(past()),
        };
        Restoration {
            codes,
            at: sample::after(Millis::days(1)),
        }
    }
}

/// Does `deed` so many times at once, by turns over both stores; the answers in order.
pub(crate) async fn at_once<T, D, F>(db: &impl Fixture, times: usize, deed: D) -> Vec<T>
where
    T: Send + 'static,
    D: Fn(Arc<dyn Store>, usize) -> F,
    F: Future<Output = T> + Send + 'static,
{
    let start = Arc::new(Barrier::new(times));
    let tasks: Vec<_> = (0..times)
        .map(|turn| {
            let store = if turn % 2 == 0 { db.left() } else { db.right() };
            let (start, deed) = (Arc::clone(&start), deed(store, turn));
            tokio::spawn(async move {
                start.wait().await;
                deed.await
            })
        })
        .collect();
    let mut answers = Vec::with_capacity(times);
    for task in tasks {
        answers.push(task.await.expect("no deed panics"));
    }
    answers
}

/// Makes a test of every promise for every adapter's fixture. A promise that is not listed is dead
/// code, and that is an error.
macro_rules! contract {
    ($($adapter:ident => $fixture:path),+ $(,)?) => {
        $($crate::contract::contract! { @of $adapter => $fixture })+
    };
    (@of $adapter:ident => $fixture:path) => {
        #[cfg(test)]
        mod $adapter {
            $crate::contract::promises! { $fixture;
                notices [
                    what_happened_goes_each_way_to_each_address,
                    who_has_no_address_is_told_by_the_host_alone,
                    only_ways_that_there_are_are_taken,
                    what_happened_long_ago_is_told_no_more,
                    each_is_addressed_and_taken_once_however_many_carry,
                    what_is_not_settled_is_taken_again_and_who_comes_late_is_not_heard,
                    what_fails_comes_again_at_its_time_or_is_given_up_on_record,
                    what_waits_is_counted_with_its_oldest,
                    a_removed_account_is_told_nothing,
                    an_address_is_there_once_and_there_are_so_many,
                    a_removed_address_is_told_of_its_removal_and_of_nothing_after_it,
                    no_more_addresses_than_there_may_be_however_many_are_added_at_once,
                    a_language_is_noted_when_it_is_another,
                ]
                accounts [
                    an_account_is_added_once,
                    a_login_belongs_to_one_account,
                    accounts_without_a_login_do_not_collide,
                    a_password_comes_back_as_it_was_stored,
                    an_account_says_which_provider_it_lives_at,
                    an_account_is_seen_by_the_other_store_once_added,
                    a_removed_account_leaves_no_row,
                    removing_nobody_changes_nothing,
                    an_account_added_again_starts_afresh,
                    resetting_takes_all_factors_and_sessions_but_not_the_number,
                    resetting_nobody_changes_nothing,
                    accounts_are_listed_by_identifier_a_page_at_a_time,
                    accounts_can_be_skipped_and_counted,
                    accounts_are_found_by_how_identifier_or_login_begins,
                    accounts_low_on_codes_are_found,
                    clients_are_added_found_listed_and_removed,
                    a_text_is_never_a_statement,
                ]
                administration [
                    an_account_administers_while_it_is_appointed,
                    appointing_nobody_changes_nothing,
                    accounts_are_found_by_how_login_or_identifier_begins,
                    a_found_account_says_what_it_has_left,
                    switching_is_on_record,
                    a_waiting_batch_is_given_more_time_ten_times_and_not_for_ever,
                    more_time_is_for_the_holder_of_what_has_not_run_out,
                    of_two_that_can_be_shown_the_later_is_given_more_time,
                    a_reminder_ends_for_one_generation,
                ]
                staging [
                    a_batch_is_stored_as_it_was_given,
                    staging_makes_a_hosts_account_and_no_other,
                    codes_are_never_the_only_factor,
                    two_that_stage_at_once_get_one_number,
                    a_number_is_never_given_twice,
                    a_new_pending_batch_ends_the_one_before,
                    a_pending_batch_leaves_the_live_one_alone,
                    at_once_supersedes_and_erases,
                    at_once_without_time_keeps_no_seed,
                    a_pending_batch_is_shown_to_its_holder_until_its_time,
                    a_live_batch_is_shown_by_number_until_its_time,
                    an_idempotency_key_works_once,
                    an_idempotency_key_is_forgotten_in_time,
                    an_idempotency_key_outlives_the_seed,
                    a_batch_that_cannot_be_stored_leaves_nothing,
                    a_batch_can_be_given_up,
                    revoking_ends_live_and_pending,
                    status_names_the_latest_that_was_ever_live,
                ]
                imported [
                    an_imported_batch_is_stored_as_it_was_given,
                    an_imported_code_is_spent_once_however_many_redeem_it,
                    an_import_leaves_alone_whoever_has_had_codes,
                    of_many_who_import_one_does,
                    our_own_codes_replace_imported_ones_and_leave_no_trace_of_them,
                ]
                activation [
                    activating_supersedes_in_the_same_step,
                    activating_twice_is_no_error,
                    only_the_pending_batch_is_activated,
                    a_stranger_cannot_activate,
                    an_expired_batch_cannot_be_activated_even_before_the_sweep,
                    activating_needs_an_authenticator_beside_it,
                    activating_without_progress_changes_nothing,
                    activating_opens_the_session,
                    of_many_who_activate_one_does,
                    confirming_a_live_batch_erases_its_seed,
                    new_codes_end_no_session,
                ]
                redemption [
                    a_code_is_spent_once_however_many_redeem_it,
                    different_codes_are_all_spent,
                    a_used_code_stays_used_and_the_others_work,
                    a_spent_code_is_told_from_a_dead_one,
                    the_last_code_can_be_used,
                    redeeming_erases_the_seed,
                    redeeming_racing_a_new_batch_leaves_one_whole,
                    redeeming_racing_activation_leaves_one_whole,
                    a_single_is_replaced_in_the_same_step,
                    a_replacement_is_held_by_the_session_it_opens,
                    a_last_code_waits_for_the_replacement_that_is_due,
                    of_two_last_codes_one_waits_for_the_replacement,
                    a_replacement_that_comes_late_spends_nothing,
                    redeeming_without_progress_spends_nothing,
                    a_redemption_is_on_record_with_what_is_left,
                    a_redemption_outlives_the_process,
                ]
                progress [
                    a_challenge_yields_one_session_whatever_races,
                    a_challenge_of_another_account_yields_nothing,
                    an_expired_challenge_yields_nothing,
                    a_proven_factor_leaves_the_challenge_open,
                    a_challenge_needs_an_account,
                    stepping_up_changes_the_session_and_keeps_the_pending_batch,
                    a_session_steps_up_once,
                    a_session_is_live_until_it_ends_expires_or_idles,
                    a_session_is_noted_as_seen_by_the_minute,
                    an_ended_session_is_over_at_once_everywhere,
                    all_other_sessions_can_be_ended,
                ]
                programs [
                    a_challenge_keeps_what_a_program_asked,
                    a_challenge_needs_the_program_that_asked,
                    passing_makes_progress_once_whatever_races,
                    passing_against_the_guard_changes_nothing,
                    removing_a_program_takes_what_is_its_own,
                    a_session_says_which_program_it_is_of,
                    a_refresh_token_is_stored_only_with_its_session,
                    a_refresh_token_is_good_while_its_session_is,
                    a_lost_answer_lets_a_refresh_token_be_followed_again,
                    a_refresh_token_may_be_followed_by_two_at_once,
                    a_refresh_token_used_again_ends_its_session,
                    following_nobodys_refresh_token_changes_nothing,
                    whatever_ends_a_session_ends_its_refresh_tokens,
                ]
                authenticators [
                    an_authenticator_is_nobodys_factor_until_confirmed,
                    a_new_one_drops_the_pending_ones_before,
                    an_expired_one_cannot_be_confirmed,
                    one_is_confirmed_once,
                    a_replacement_unbinds_the_others,
                    a_step_is_spent_once_however_many_present_it,
                    no_step_goes_back,
                    accepting_without_progress_spends_no_step,
                    accepting_clears_the_count,
                ]
                enrolling [
                    codes_of_an_enrollment_need_its_pending_authenticator,
                    codes_of_an_enrollment_are_for_who_has_nothing_yet,
                    codes_of_an_enrollment_do_not_go_live_before_it,
                    confirming_makes_the_codes_live_in_the_same_step,
                    of_many_who_confirm_both_one_does,
                    confirming_without_progress_leaves_the_codes_pending,
                    confirming_alone_leaves_the_codes_pending,
                    confirming_brings_no_codes_but_its_own,
                    what_a_challenge_enrolled_opens_its_session_with_live_codes,
                ]
                removing [
                    codes_end_with_the_last_authenticator_and_not_before,
                    codes_that_are_not_there_are_not_on_record_as_ended,
                    a_pending_authenticator_goes_without_a_word,
                    removing_what_is_not_there_changes_nothing,
                    of_many_who_remove_one_does,
                    an_authenticator_is_found_by_its_name,
                    a_waiting_authenticator_is_seen_whoever_began_it,
                ]
                carried [
                    a_key_is_added_found_listed_and_removed,
                    a_key_is_one_accounts_and_its_number_never_anothers,
                    a_proof_is_noted_on_what_carried_it_and_on_nothing_else,
                    only_a_carried_session_stays_the_same_when_proven,
                    a_first_password_has_so_many_tries_and_no_more,
                    authenticators_have_numbers_that_are_never_used_again,
                    a_lapsed_authenticator_is_remembered_without_its_secret,
                    a_proof_for_a_removal_is_spent_with_it_or_not_at_all,
                ]
                bearers [
                    an_answer_to_a_challenge_is_counted_before_it_is_looked_at,
                    a_challenge_that_is_over_counts_nothing,
                    a_session_is_seen_in_the_list_of_its_owner_alone,
                    enrolling_makes_a_session_whole,
                    an_account_is_found_by_its_uuid,
                    a_time_of_grace_begins_once,
                    a_reset_is_remembered_with_its_time,
                    confirming_names_the_factor_and_keeps_its_codes_for_a_repeat,
                    a_key_that_confirmed_one_factor_confirms_no_other,
                ]
                step_ups [
                    a_step_up_token_needs_the_session_it_is_made_in,
                    a_step_up_token_is_good_where_it_was_made_and_until_its_time,
                    a_step_up_token_is_spent_once_however_many_bring_it,
                    a_step_up_token_buys_one_removal,
                    a_step_up_token_buys_one_enrollment,
                    what_is_refused_or_undone_spends_no_step_up_token,
                    a_proof_for_a_step_up_token_is_spent_with_it_or_not_at_all,
                ]
                trusted_devices [
                    a_device_is_trusted_with_the_session_that_it_opened,
                    a_device_is_recognized_for_its_own_account_and_in_its_time,
                    trusted_devices_are_listed_last_seen_first,
                    a_device_is_forgotten_by_its_owner_alone,
                    all_devices_are_forgotten_at_once,
                    a_spent_code_ends_the_trust_in_devices,
                    the_last_authenticator_takes_the_trust_in_devices_along,
                    a_reset_ends_the_trust_in_devices,
                ]
                throttling [
                    a_burst_gets_what_the_bucket_holds_and_no_more,
                    an_attempt_that_began_a_moment_earlier_is_not_made_to_wait,
                    waits_double_up_to_the_longest,
                    the_bucket_refills_with_time,
                    at_the_end_nothing_is_tried_any_more,
                    a_new_batch_clears_the_count,
                    success_clears_the_count,
                    a_forgiven_attempt_was_never_made,
                    the_lanes_and_accounts_do_not_touch,
                    looking_charges_nothing,
                    a_count_outlives_the_process_and_the_sweep,
                    a_clock_that_steps_back_locks_nobody_out,
                ]
                switches [
                    a_switch_stands_as_it_was_last_set,
                    a_switch_is_changed_only_from_where_it_was_seen_to_stand,
                    of_many_first_keys_one_is,
                    a_key_is_followed_with_an_overlap,
                    a_key_that_comes_after_another_changes_nothing,
                    of_many_that_follow_one_key_one_does,
                    a_key_that_is_not_to_be_trusted_takes_those_before_it_along,
                    keys_past_their_end_are_erased_by_the_next,
                ]
                events [
                    events_come_newest_first_a_page_at_a_time,
                    an_event_comes_back_as_it_was_written,
                    the_person_is_told_of_exactly_what_notifies,
                    nobody_is_told_of_an_unknown_account,
                    what_happens_to_codes_and_factors_is_told_in_the_same_step,
                ]
                races [
                    codes_are_never_left_without_an_authenticator,
                    ending_every_session_ends_those_that_step_up_meanwhile,
                    removing_a_program_removes_what_is_opened_for_it_meanwhile,
                    removing_an_account_removes_what_it_does_meanwhile,
                ]
                retention [
                    a_used_code_keeps_its_place_and_no_digest,
                    events_are_forgotten_when_they_are_old_and_not_before,
                    a_removed_account_leaves_no_trace_in_any_table,
                    what_hangs_on_each_key_is_counted,
                ]
                restoring [
                    codes_can_end_with_a_restore,
                    codes_can_be_kept_by_a_restore_and_their_owners_are_told,
                    codes_can_be_taken_over_as_they_were_before_the_restore,
                    imported_codes_are_taken_over_with_how_they_are_read,
                    whatever_becomes_of_the_codes_nothing_else_stays_open,
                    no_number_is_given_twice_after_a_restore,
                ]
                upkeep [
                    the_store_answers,
                    a_sweep_erases_what_has_run_out_and_nothing_else,
                    a_challenge_is_remembered_for_late_comers,
                    the_census_counts_live_lists_by_what_is_left,
                ]
            }
        }
    };
}
pub(crate) use contract;

/// The list taken apart: a module a file, a test a promise.
macro_rules! promises {
    ($fixture:path; $($file:ident [$($promise:ident,)+])+) => {
        $(mod $file {
            use $crate::contract::{Fixture, $file};
            $crate::contract::promises! { @tests $fixture, $file, $($promise)+ }
        })+
    };
    (@tests $fixture:path, $file:ident, $($promise:ident)+) => {
        $(#[tokio::test(flavor = "multi_thread")]
        async fn $promise() {
            $file::$promise(<$fixture as Fixture>::open()).await;
        })+
    };
}
pub(crate) use promises;
