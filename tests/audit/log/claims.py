"""Which test would fail if a claim of the page on threats were untrue: by the words with which the claim begins, section by section."""

LOG, BACKUP = "tests/audit/log", "tests/audit/log/backup"
COMPARED = "tests/portal/reconciliation/test_comparing.py::test_comparison_is_made_once_a_day_and_a_difference_becomes_a_finding"
WITNESSED = "tests/portal/grants/test_witnessed.py::test_without_the_witness_nothing_opens"
REFUSED = f"{LOG}/test_rights.py::test_roles_are_refused_what_is_not_theirs"
COUNTED = f"{LOG}/test_verify_log.py::test_each_fault_has_its_sentence_and_fails"
SEEN = f"{LOG}/verify/test_check.py::test_a_log_shorter_than_seen_or_of_another_history_is_not_whole"
SET_BACK = f"{LOG}/test_sealer.py::test_log_that_was_set_back_is_not_signed_over_after_a_restart"
DAILY = f"{LOG}/test_checking.py::test_it_is_done_once_a_day_however_often_it_is_asked"
NOT_COSIGNED = f"{LOG}/test_witnessing.py::test_a_log_that_was_set_back_is_not_cosigned_and_alarms"
FORKED = f"{LOG}/witness/test_witness.py::test_a_fork_and_a_log_set_back_are_refused_after_a_restart_as_well"
TILES = f"{LOG}/verify/test_check.py::test_a_damaged_or_missing_tile_of_leaves_is_named_while_its_entries_are_sound"
CUT_HASHES = f"{LOG}/verify/test_check.py::test_the_hashes_of_what_was_cut_stay_and_are_named_where_they_do_not"
MISSING = f"{LOG}/verify/test_check.py::test_missing_entries_are_named_the_tail_as_well"
YOUNG = f"{LOG}/test_cutting.py::test_neither_the_web_tier_nor_an_entry_of_its_making_cuts_what_is_young"
ERASED_AFTER = "test_what_was_erased_after_the_backup_does_not_come_back_with_it_nor_with_a_database_that_was_set_back"
ERASED = f"tests/portal/erasing/test_restored.py::{ERASED_AFTER}"
RESTORED = f"{BACKUP}/test_restoring.py::test_restore_says_exactly_what_is_missing_and_replays_what_was_erased"
SET_BACK_PLACE = f"{BACKUP}/test_restoring.py::test_a_place_that_was_set_back_is_refused_unless_the_operator_says_so"
LATE = f"{BACKUP}/test_hourly.py::test_late_is_told_once_by_whoever_still_runs_and_never_after_a_pause_of_everything"

APPLICATION = {
    "An action that changes something": (f"{LOG}/test_append.py::test_an_action_that_does_not_write_its_event_changes_nothing",),
    "An event is not written": ("tests/faults/test_log_refuses.py::test_nothing_is_changed_the_person_is_told_and_it_is_alarmed_about",),
    "Access opens before its intent": (
        f"{LOG}/test_checkpoints.py::test_row_that_says_sealed_proves_nothing", WITNESSED,
        "tests/portal/grants/test_witnessed.py::test_the_policy_may_prefer_to_open_with_an_alarm",
    ),
    "Requests and grants whose rows": (
        "tests/portal/reconciliation/test_comparing.py::test_row_that_was_changed_behind_the_log_is_named",
        "tests/portal/reconciliation/test_comparing.py::test_row_that_is_gone_is_named", COMPARED,
    ),
    "What would be half done": (f"{LOG}/test_append.py::test_event_goes_with_the_transaction_of_its_change", COMPARED),
}  # fmt: skip
WEB_TIER = {
    "Change or remove an event": (REFUSED, YOUNG),
    "Sign a checkpoint": (REFUSED,),
    "Events made up by it": ("tests/audit/completeness/test_judging.py::test_session_that_nothing_explains_is_a_gap",),
    "An entry on which programs act": (
        f"{LOG}/test_said.py::test_what_says_nothing_sensible_is_not_sealed_and_the_others_are",
        "tests/audit/completeness/test_run.py::test_verdict_comes_when_the_heartbeat_after_came_back",
    ),
    "Have entries removed before their time": (
        YOUNG, f"{LOG}/test_cutting.py::test_what_is_no_whole_number_of_bundles_lets_nothing_go",
        f"{LOG}/test_cutting.py::test_the_eraser_cannot_fool_the_trigger_with_tables_of_its_own",
    ),
    "Stop sealing, publishing or a restore": (
        f"{LOG}/test_said.py::test_what_says_nothing_sensible_is_not_sealed_and_the_others_are",
        f"{LOG}/test_said.py::test_what_was_sealed_once_ends_neither_publishing_nor_the_ways_back",
        "tests/portal/erasing/test_restored.py::test_no_event_that_whoever_may_insert_one_could_write_ends_a_restore_or_a_recovery",
    ),
    "Have every later log called damaged": (
        f"{LOG}/test_checking.py::test_a_check_that_says_it_saw_more_than_there_was_makes_no_later_log_damaged",
    ),
    "End every restore with a row": (
        f"{BACKUP}/test_restoring.py::test_what_was_amiss_when_it_was_backed_up_is_refused_and_restored_where_the_operator_says_so",
    ),
    "Stop sealing by keeping the lock": (
        f"{LOG}/test_sealer.py::test_who_keeps_the_lock_of_sealing_is_alarmed_about_and_sealing_goes_on_afterwards",
        f"{LOG}/test_sealer.py::test_who_locks_the_heartbeat_of_the_sealer_holds_up_no_seal",
        f"{LOG}/test_cutting_holds.py::test_who_keeps_the_lock_of_holds_holds_up_no_publication",
    ),
    "Have entries cut on one person's word": (
        f"{LOG}/test_cutting.py::test_on_one_persons_word_nothing_goes_from_the_database_nor_from_the_store",
        f"{LOG}/test_cutting.py::test_the_eraser_writes_in_no_other_name_than_its_own",
    ),
    "Have a `log.cut` sealed that lies": (
        f"{LOG}/test_judging_cuts.py::test_a_lying_cut_is_refused_in_words_and_what_stands_around_it_is_sealed",
    ),
    "Keep checks, witness records, timestamps": (
        f"{LOG}/test_future.py::test_an_event_of_the_future_is_not_the_last",
        f"{LOG}/test_lateness.py::test_timestamps_of_which_the_last_is_too_old_and_never_one_of_the_future",
    ),
    "Hold up the sealer with a crowd": (
        f"{LOG}/test_judging_cuts.py::test_a_crowd_of_lying_cuts_is_judged_one_in_each_round_and_holds_up_nothing",
    ),
    "End every erasure": (
        "tests/portal/erasing/test_erasing.py::test_no_bytes_that_somebody_wrote_as_an_entry_end_erasure",
        "tests/portal/erasing/test_erasing.py::test_a_case_is_shown_beside_an_entry_that_the_database_cannot_read",
        f"{LOG}/test_cutting.py::test_a_decision_that_the_database_cannot_read_keeps_no_row",
        f"{LOG}/test_shape.py::test_what_no_database_can_read_is_not_sealed_and_the_others_are",
    ),
    "Fill the sealer's memory": (f"{LOG}/test_size_limits.py::test_the_database_refuses_what_no_writer_makes",),
    "End every pack": (
        "tests/audit/facts/test_fold.py::test_entry_of_a_name_that_is_not_known_is_named_and_leaves_its_case_undecided",
        "tests/audit/packs/test_proofs.py::test_what_nobody_understood_is_named",
    ),
    "Have the sealer forget what it signed": (
        f"{LOG}/test_failover.py::test_the_sealer_forgets_nothing_that_was_not_signed_as_lost",
        f"{LOG}/test_failover.py::test_forged_words_of_a_loss_let_nothing_be_forgotten_and_stop_no_true_ones",
    ),
}  # fmt: skip
DATABASE = {
    "Old entries removed as if": (f"{LOG}/test_cutting.py::test_without_its_event_nothing_can_be_cut_and_what_is_missing_is_damage",),
    "An event edited, reordered": (
        f"{LOG}/test_verify_log.py::test_edited_body_is_named_with_its_range", f"{LOG}/test_ranges.py::test_swapped_leaves_are_found",
        f"{LOG}/test_ranges.py::test_missing_entry_is_found_in_its_range_alone", f"{LOG}/test_ranges.py::test_entry_twice_is_found",
        f"{LOG}/test_sealing.py::test_nothing_is_signed_over_a_stored_log_that_does_not_fit_its_checkpoint",
        "tests/portal/demo/test_tampering.py::test_what_is_done_is_named_and_put_right_again",
    ),
    "The database set back": (
        SET_BACK, f"{LOG}/test_sealer.py::test_sealer_publishes_and_seals_nothing_beside_what_is_published",
        f"{LOG}/test_publishing.py::test_a_database_that_was_set_back_publishes_nothing",
        f"{LOG}/test_recovery.py::test_a_store_that_goes_away_lets_nobody_seal_beside_the_history_that_it_was_found_to_hold",
    ),
    "All of it set back": (
        f"{LOG}/test_examining_witnesses.py::test_a_log_that_was_set_back_or_split_is_damage_where_the_witness_saw_it",
        f"{LOG}/test_examining_witnesses.py::test_the_daily_check_asks_them_too", SEEN,
        "tests/portal/demo/test_tampering.py::test_what_is_signed_anew_is_whole_to_all_who_remember_nothing_and_named_by_all_who_remember",
    ),
    "The line of a witness replaced": (f"{LOG}/test_examining_witnesses.py::test_a_key_that_was_swapped_in_the_row_vouches_for_nothing",),
    "Have a paper (pack, dossier": (
        f"{LOG}/test_examining_witnesses.py::test_a_paper_carries_lines_and_keys_of_the_witnesses_of_the_settings_alone",
    ),
    "Silence the witnesses' published": (
        f"{LOG}/test_witnessing.py::test_each_witness_is_published_by_itself_however_far_it_is_behind_and_one_unread_is_named",
        f"{LOG}/test_timestamps.py::test_a_timestamp_over_other_bytes_is_named_and_not_published_and_those_after_it_are",
    ),
    "A personal value changed": (
        COUNTED, f"{LOG}/test_verify_log.py::test_personal_values_that_are_gone_without_a_word_are_named",
        f"{LOG}/test_examining_values.py::test_what_nobody_could_have_let_go_yet_is_not_excused",
        "tests/faults/test_tampering.py::test_each_class_of_tampering_is_located",
    ),
    "An event taken out of the queue": (COUNTED,),
    "The time beside a witness's line": (
        f"{LOG}/test_anchors.py::test_the_time_of_the_record_is_the_one_that_the_witness_signed_and_no_row_is_the_last_for_ever",
    ),
    "When the next event is sealed": (SET_BACK, DAILY, f"{LOG}/verify/test_check.py::test_an_edited_entry_is_named"),
}  # fmt: skip
SEALERS_HOST = {
    "Publish beside what others have seen": (
        f"{LOG}/test_publishing.py::test_a_publisher_that_slept_moves_nothing_back",
        f"{LOG}/test_publishing.py::test_a_publisher_of_a_lost_history_puts_nothing_more_once_it_is_woken",
        f"{LOG}/stores/test_directory.py::test_of_fifty_that_move_the_head_at_once_one_does",
        f"{LOG}/stores/test_directory.py::test_same_bytes_may_be_put_again_and_others_never",
        f"{LOG}/stores/test_bucket.py::test_a_publisher_of_a_lost_history_puts_nothing_more_once_it_is_woken",
        f"{LOG}/stores/test_bucket.py::test_same_bytes_may_be_put_again_and_others_never",
    ),
    "Read personal values or the portal's tables": (REFUSED,),
    "Change or remove what is published": (TILES, MISSING, CUT_HASHES, f"{LOG}/test_checking.py::test_damage_of_what_is_published_is_named_and_alarms"),
    "Leave events unsealed": (
        f"{LOG}/test_lateness.py::test_events_that_wait_are_an_outage_that_is_told_once_and_ends_with_their_seal", COUNTED,
    ),
    "With the key: another history": (FORKED, SEEN),
    "By a required witness at the next checkpoint, before": (NOT_COSIGNED, WITNESSED, SEEN),
}  # fmt: skip
OPERATOR = {
    "Destroy the bytes of full tiles": (
        f"{LOG}/stores/test_bucket.py::test_full_resources_are_locked_and_partial_ones_and_the_head_are_not",
        f"{LOG}/stores/test_bucket.py::test_a_bucket_that_locks_nothing_is_refused_at_the_start",
    ),
    "Put a new version or a delete marker": (TILES, MISSING),
    "Rewrite everything and sign it anew": (NOT_COSIGNED, WITNESSED),
    "Write everything anew with other times": (
        f"{LOG}/test_timestamps.py::test_what_is_published_beside_the_log_is_verified_by_openssl_and_holds_up_no_seal",
        "tests/audit/packs/test_timestamps.py::test_a_pack_carries_the_last_time_of_the_log_and_gets_one_of_its_own", SEEN,
    ),
    "Give a login or role a right": (
        f"{LOG}/test_guarded.py::test_a_way_round_is_named",
        f"{LOG}/test_anchors.py::test_a_directory_is_looked_at_as_this_process_sees_it_and_each_look_is_recorded_once",
        "tests/audit/facts/test_anchors.py::test_what_a_look_found_is_judged",
    ),
    "Show two people two logs": (FORKED,),
    "Date entries otherwise": (
        f"{LOG}/test_examining_times.py::test_an_entry_of_a_time_that_cannot_be_is_a_note_and_no_damage",
        f"{LOG}/test_examining_times.py::test_an_entry_that_waited_to_be_sealed_is_not_said_to_have_a_wrong_time",
        f"{LOG}/test_examining_times.py::test_the_time_of_a_listed_witness_bounds_what_was_written_before_where_its_line_verifies",
        f"{LOG}/test_examining_times.py::test_the_time_of_an_authority_bounds_what_was_written_before_by_its_token_whatever_the_row_says",
    ),
    "By a required witness at the next checkpoint; a right": (
        NOT_COSIGNED, f"{LOG}/test_anchors.py::test_a_directory_is_looked_at_as_this_process_sees_it_and_each_look_is_recorded_once",
        f"{LOG}/test_locked.py::test_the_newest_full_tile_is_read_back_once_an_hour", DAILY,
    ),
}  # fmt: skip
STOLEN = {
    "Read names, mails, reasons or statements": (f"{LOG}/test_publishing.py::test_sealed_entries_hold_no_personal_value_in_clear",),
    "Read a stolen backup": (f"{BACKUP}/test_restoring.py::test_no_copy_of_an_erased_value_is_kept_for_longer_than_the_days_of_erasure",),
    "Restore a backup that somebody changed": (f"{BACKUP}/test_restoring.py::test_one_changed_byte_is_found_and_nothing_is_restored",),
    "Get back by a restore what was erased": (
        ERASED, RESTORED,
    ),
    "Take a backup for whole that broke off": (
        "tests/faults/test_backup_killed.py::test_a_backup_struck_at_any_file_call_is_not_taken_for_one",
        "tests/faults/test_backup_program_struck.py::test_the_backup_program_struck_as_it_runs_leaves_a_whole_backup",
    ),
    "Backups that stop, are late": (
        f"{BACKUP}/test_hourly.py::test_an_outage_is_one_entry_and_its_end_another", LATE,
        f"{BACKUP}/test_rehearsing.py::test_a_whole_backup_that_the_log_does_not_know_or_knows_otherwise_fails",
    ),
    "A place set back to an earlier backup": (f"{BACKUP}/test_rehearsing.py::test_a_place_that_was_set_back_by_one_backup_fails", SET_BACK_PLACE, RESTORED),
    "A theft by nobody here": (
        f"{BACKUP}/test_restoring.py::test_one_changed_byte_is_found_and_nothing_is_restored",
        f"{BACKUP}/test_rehearsing.py::test_the_first_backup_is_rehearsed_at_once_and_then_each_month", LATE,
    ),
}  # fmt: skip
SHOWN = (APPLICATION, WEB_TIER, DATABASE, SEALERS_HOST, OPERATOR, STOLEN)
"""In the order of the page's sections."""
